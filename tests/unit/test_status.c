/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /proc/PID/status and /proc/PID/stat: real files, and what a hostile process can write into them.
 */
#include <capauditd/macros.h>
#include <capauditd/status.h>

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER "tests/data/status/"

/* All that is looked at, in the kernel's order. */
#define WHOLE                                                                                  \
	"Name:\tx\nUmask:\t0022\nState:\tR (running)\nTgid:\t7\nNgid:\t0\nPid:\t8\nPPid:\t6\n" \
	"TracerPid:\t0\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nFDSize:\t64\nGroups:\t \n"         \
	"NStgid:\t7\t1\nNSpid:\t8\t2\nKthread:\t0\nThreads:\t3\nCapInh:\t0000000000000001\n"   \
	"CapPrm:\t0000000000000002\nCapEff:\t0000000000000004\nCapBnd:\t000001ffffffffff\n"    \
	"CapAmb:\t0000000000000008\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n"

static int parse(const char *text, struct status *ret)
{
	/* In a block of its size, for the sanitizers. */
	size_t length = strlen(text);
	_cleanup_free_ char *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, text, length);
	return status_parse(copy, length, ret);
}

static char *read_file(const char *name)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	char *text = calloc(1, 65536);

	assert_non_null(text);
	assert_true(asprintf(&path, FOLDER "%s", name) > 0);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_true(fread(text, 1, 65535, file) > 500);
	return text;
}

static void real_files_say_what_they_say(void **state)
{
	static const struct {
		const char *name, *comm;
		pid_t pid, ppid;
		uid_t uid;
		capability_mask effective, permitted, bounding;
		bool no_new_privs;
		enum seccomp_mode seccomp;
		unsigned nspid_count;
		pid_t innermost;
		bool kernel_thread;
	} rows[] = {
		{ "restricted", "sleep", 13453, 12824, 1000, 0, 0, 0x400, true, SECCOMP_FILTER_MODE,
			2, 1, false },
		{ "default", "sleep", 13737, 12877, 0, 0xa80425fb, 0xa80425fb, 0xa80425fb, false,
			SECCOMP_DISABLED_MODE, 2, 1, false },
		{ "default-pause", "pause", 13073, 12877, 65535, 0, 0, 0xa80425fb, true,
			SECCOMP_FILTER_MODE, 2, 1, false },
		{ "privileged", "sleep", 13610, 12954, 0, 0x1fffeffffff, 0x1fffeffffff,
			0x1fffeffffff, false, SECCOMP_DISABLED_MODE, 2, 1, false },
		{ "init-sys-admin", "sleep", 12555, 12502, 0, 0xa82425fb, 0xa82425fb, 0xa82425fb,
			false, SECCOMP_DISABLED_MODE, 2, 1, false },
		{ "nested-pid-namespaces", "sleep", 10091, 10089, 0, 0x1fffeffffff, 0x1fffeffffff,
			0x1fffeffffff, false, SECCOMP_DISABLED_MODE, 3, 1, false },
		{ "kernel-thread", "kthreadd", 2, 0, 0, 0x1ffffffffff, 0x1ffffffffff, 0x1ffffffffff,
			false, SECCOMP_DISABLED_MODE, 1, 2, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = read_file(rows[i].name);
		struct status s;

		assert_int_equal(parse(text, &s), 0);
		assert_string_equal(s.name, rows[i].comm);
		assert_int_equal(s.state, 'S');
		assert_int_equal(s.pid, rows[i].pid);
		assert_int_equal(s.tgid, rows[i].pid);
		assert_int_equal(s.ppid, rows[i].ppid);
		assert_int_equal(s.uid, rows[i].uid);
		assert_int_equal(s.gid, rows[i].uid);
		assert_int_equal(s.threads, 1);
		assert_true(s.has_sets);
		assert_true(s.sets.of[CAPABILITY_EFFECTIVE] == rows[i].effective);
		assert_true(s.sets.of[CAPABILITY_PERMITTED] == rows[i].permitted);
		assert_true(s.sets.of[CAPABILITY_BOUNDING] == rows[i].bounding);
		assert_true(s.sets.of[CAPABILITY_INHERITABLE] == 0);
		assert_true(s.sets.of[CAPABILITY_AMBIENT] == 0);
		assert_int_equal(s.no_new_privs, rows[i].no_new_privs);
		assert_int_equal(s.seccomp, rows[i].seccomp);
		assert_int_equal(s.nspid_count, rows[i].nspid_count);
		assert_int_equal(s.nspid[0], rows[i].pid);
		assert_int_equal(s.nspid[s.nspid_count - 1], rows[i].innermost);
		assert_int_equal(s.kernel_thread, rows[i].kernel_thread);
	}
}

static void a_real_file_cut_anywhere_gives_what_is_whole_or_an_error(void **state)
{
	_cleanup_free_ char *text = read_file("default");
	size_t length = strlen(text);

	(void)state;
	for (size_t cut = 0; cut < length; cut++) {
		char was = text[cut];
		struct status s;
		int r;

		text[cut] = '\0';
		r = parse(text, &s);
		text[cut] = was;
		if (r < 0) {
			assert_int_equal(r, -EBADMSG);
			continue;
		}
		assert_int_equal(s.pid, 13737);
		if (s.has_sets) {
			assert_true(s.sets.of[CAPABILITY_BOUNDING] == 0xa80425fb);
			assert_true(s.sets.of[CAPABILITY_EFFECTIVE] == 0xa80425fb);
		}
	}
}

static void every_field_goes_where_it_belongs(void **state)
{
	struct status s;

	(void)state;
	assert_int_equal(parse(WHOLE, &s), 0);
	assert_string_equal(s.name, "x");
	assert_int_equal(s.state, 'R');
	assert_int_equal(s.tgid, 7);
	assert_int_equal(s.pid, 8);
	assert_int_equal(s.ppid, 6);
	assert_int_equal(s.uid, 2);
	assert_int_equal(s.gid, 6);
	assert_int_equal(s.threads, 3);
	assert_int_equal(s.nspid_count, 2);
	assert_int_equal(s.nspid[1], 2);
	assert_true(s.sets.of[CAPABILITY_INHERITABLE] == 1);
	assert_true(s.sets.of[CAPABILITY_PERMITTED] == 2);
	assert_true(s.sets.of[CAPABILITY_EFFECTIVE] == 4);
	assert_true(s.sets.of[CAPABILITY_BOUNDING] == 0x1ffffffffff);
	assert_true(s.sets.of[CAPABILITY_AMBIENT] == 8);
	assert_true(s.no_new_privs);
	assert_int_equal(s.seccomp, SECCOMP_FILTER_MODE);
	assert_false(s.kernel_thread);
}

static void lines_may_come_in_any_order(void **state)
{
	_cleanup_free_ char *text = strdup(WHOLE);
	char turned[sizeof(WHOLE)] = "";
	size_t used = 0;
	struct status straight, backwards;

	(void)state;
	assert_non_null(text);
	for (char *newline; (newline = strrchr(text, '\n'));) {
		char *start;

		*newline = '\0';
		start = strrchr(text, '\n');
		used += (size_t)snprintf(
			turned + used, sizeof(turned) - used, "%s\n", start ? start + 1 : text);
		if (!start)
			break;
		start[1] = '\0';
	}
	assert_int_equal(strlen(turned), strlen(WHOLE));
	assert_int_equal(parse(WHOLE, &straight), 0);
	assert_int_equal(parse(turned, &backwards), 0);
	assert_memory_equal(&straight, &backwards, sizeof(straight));
}

static void missing_lines_leave_their_fields_empty(void **state)
{
	struct status s;

	(void)state;
	memset(&s, 0xff, sizeof(s));
	assert_int_equal(parse("Pid:\t1\n", &s), 0);
	assert_int_equal(s.pid, 1);
	assert_string_equal(s.name, "");
	assert_false(s.has_sets);
	assert_false(s.kernel_thread);
	assert_int_equal(s.nspid_count, 0);
	assert_true(capability_sets_all(&s.sets) == 0);
}

static void the_sets_are_there_only_if_all_but_the_ambient_are(void **state)
{
	static const char *const keys[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };

	(void)state;
	for (size_t missing = 0; missing < ARRAY_SIZE(keys); missing++) {
		char text[256] = "Pid:\t1\n";
		struct status s;

		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			if (i != missing)
				(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
					"%s:\t00000000000000ff\n", keys[i]);
		}
		assert_int_equal(parse(text, &s), 0);
		assert_int_equal(s.has_sets, missing == 4);
	}
}

static void without_a_pid_it_is_no_status_file(void **state)
{
	struct status s = { .pid = 4711 };

	(void)state;
	assert_int_equal(parse("", &s), -EBADMSG);
	assert_int_equal(parse("Name:\tx\nPPid:\t1\nTgid:\t1\n", &s), -EBADMSG);
	assert_int_equal(parse("nothing of the kind", &s), -EBADMSG);
	assert_int_equal(s.pid, 4711); /* untouched on failure */
}

static void a_malformed_line_is_an_error(void **state)
{
	static const char *const lines[] = {
		"Pid:\t2",   /* a second one, and without its end */
		"Pid:\t2\n", /* a second one */
		"PPid:\t\n",
		"PPid:\t-1\n",
		"PPid:\t1x\n",
		"PPid:\t1 2\n",
		"PPid:\t2147483648\n",
		"PPid:\t99999999999999999999999\n",
		"Threads:\tmany\n",
		"Threads:\t1", /* cut: it may have been 10 */
		"Uid:\t0\t0\t0\n",
		"Uid:\t0\t0\t0\t0\t0\n",
		"Uid:\t0\t4294967296\t0\t0\n",
		"Gid:\t0 0 0 x\n",
		"State:\t\n",
		"State:\tSS\n",
		"State:\t(sleeping)\n",
		"NSpid:\t\n",
		"NSpid:\t1\tx\n",
		"Kthread:\t2\n",
		"NoNewPrivs:\t2\n",
		"NoNewPrivs:\t\n",
		"Seccomp:\t-1\n",
		"CapEff:\t\n",
		"CapEff:\t0x1\n",
		"CapEff:\t00000000000000000000ffffffffffffffff0\n",
		"CapEff:\tabcdefgh\n",
		"CapEff:\t000001FFFFFFFFFF\n", /* the kernel writes lower case */
		"CapBnd:\t1 1\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char text[128];
		struct status s = { .pid = 4711 };

		(void)snprintf(text, sizeof(text), "Pid:\t1\n%s", lines[i]);
		assert_int_equal(parse(text, &s), -EBADMSG);
		assert_int_equal(s.pid, 4711);
	}
}

static void unknown_lines_are_passed_over(void **state)
{
	struct status s;

	(void)state;
	assert_int_equal(parse("\n\nnonsense\n:\n:::\nPid\nPidX:\tx\nXPid:\tx\npid:\tx\n Pid:\tx\n"
			       "Pid:\t1\nSeccomp_filters:\tx\nVmPeak:\t  1 kB",
				 &s),
		0);
	assert_int_equal(s.pid, 1);
}

/* The kernel escapes newlines and backslashes in a name, and nothing else. */
static void a_name_can_hold_anything_but_a_line(void **state)
{
	static const struct {
		const char *line, *name;
	} rows[] = {
		{ "Name:\ta\\nPid:\t9\n", "a\\nPid:\t9" },
		{ "Name:\tPid:\t9\n", "Pid:\t9" },
		{ "Name:\t\n", "" },
		{ "Name:\t \t x \n", " \t x " },
		{ "Name:\t:::)\x1b[31m\xff\n", ":::)\x1b[31m\xff" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[128];
		struct status s;

		(void)snprintf(text, sizeof(text), "%sPid:\t1\n", rows[i].line);
		assert_int_equal(parse(text, &s), 0);
		assert_int_equal(s.pid, 1);
		assert_string_equal(s.name, rows[i].name);
	}
}

static void a_name_that_is_too_long_is_cut(void **state)
{
	_cleanup_free_ char *text = malloc(200000);
	struct status s;

	(void)state;
	assert_non_null(text);
	(void)snprintf(text, 200000, "Name:\t%0*d\nPid:\t1\n", 150000, 0);
	assert_int_equal(parse(text, &s), 0);
	assert_int_equal(s.pid, 1);
	assert_int_equal(strlen(s.name), sizeof(s.name) - 1);
	assert_int_equal(strspn(s.name, "0"), sizeof(s.name) - 1);
}

/* A process may have 65536 groups, in one line before its sets. */
static void a_very_long_line_is_no_obstacle(void **state)
{
	size_t size = 65536 * 11 + 4096;
	_cleanup_free_ char *text = malloc(size);
	size_t used;
	struct status s;

	(void)state;
	assert_non_null(text);
	used = (size_t)snprintf(text, size, "Pid:\t1\nGroups:\t");
	for (unsigned group = 0; group < 65536; group++)
		used += (size_t)snprintf(text + used, size - used, "%u ", 4294900000u + group);
	(void)snprintf(
		text + used, size - used, "\nCapInh:\t0\nCapPrm:\t0\nCapEff:\t0\nCapBnd:\t1\n");
	assert_int_equal(parse(text, &s), 0);
	assert_true(s.has_sets);
	assert_true(s.sets.of[CAPABILITY_BOUNDING] == 1);
}

static void pid_namespaces_nest_as_deep_as_the_kernel_lets_them(void **state)
{
	char text[512] = "Pid:\t1\nNSpid:";
	size_t length;
	struct status s;

	(void)state;
	for (unsigned i = 1; i <= STATUS_NSPID_MAX; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "\t%u", i);
	length = strlen(text);
	(void)snprintf(text + length, sizeof(text) - length, "\n");
	assert_int_equal(parse(text, &s), 0);
	assert_int_equal(s.nspid_count, STATUS_NSPID_MAX);
	assert_int_equal(s.nspid[STATUS_NSPID_MAX - 1], STATUS_NSPID_MAX);
	(void)snprintf(text + length, sizeof(text) - length, "\t99\n");
	assert_int_equal(parse(text, &s), -EBADMSG);
}

static void a_task_that_its_filter_killed_counts_as_filtered(void **state)
{
	struct status s;

	(void)state;
	assert_int_equal(parse("Pid:\t1\nSeccomp:\t3\n", &s), 0);
	assert_int_equal(s.seccomp, SECCOMP_FILTER_MODE);
}

static void ids_of_all_32_bits_are_read(void **state)
{
	struct status s;

	(void)state;
	assert_int_equal(parse("Pid:\t1\nUid:\t0\t4294967295\t0\t0\nGid:\t0\t4294967294\t0\t0\n"
			       "CapInh:\tffffffffffffffff\n",
				 &s),
		0);
	assert_true(s.uid == UINT32_MAX);
	assert_true(s.gid == UINT32_MAX - 1);
	assert_true(s.sets.of[CAPABILITY_INHERITABLE] == UINT64_MAX);
}

#define STAT_REST                                                                  \
	" 1 14 14 34816 -1 4194368 99 0 0 0 0 0 -5 0 20 0 1 0 280728 3133440 365 " \
	"18446744073709551615 0 0\n"

static int parse_stat(const char *text, struct stat_facts *ret)
{
	size_t length = strlen(text);
	_cleanup_free_ char *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, text, length);
	return stat_parse(copy, length, ret);
}

static void the_name_in_stat_can_hold_anything(void **state)
{
	static const char *const names[] = {
		"cat",
		"",
		")",
		"((((",
		") R 1 2 3 4 5",
		"a) S 9 9 9 9 9",
		"\n\n) Z 1\n",
		" \t ",
		"kworker/0:1-ev",
		"\x1b[2J\xff)",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char text[256];
		struct stat_facts facts;

		(void)snprintf(text, sizeof(text), "2262 (%s) D" STAT_REST, names[i]);
		assert_int_equal(parse_stat(text, &facts), 0);
		assert_int_equal(facts.state, 'D');
		assert_int_equal(facts.ppid, 1);
		assert_int_equal(facts.flags, 4194368);
		assert_true(facts.flags & TASK_FLAG_FORKED_NO_EXEC);
		assert_true(facts.start_ticks == 280728);
	}
}

static void a_cut_stat_is_an_error_unless_all_that_is_wanted_is_whole(void **state)
{
	static const char text[] = "2262 (a) S 9) D" STAT_REST;
	const char *start = strstr(text, " 280728 ");

	(void)state;
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		_cleanup_free_ char *part = strndup(text, cut);
		struct stat_facts facts;
		bool whole = cut > (size_t)(start - text) + strlen(" 280728");

		assert_non_null(part);
		assert_int_equal(parse_stat(part, &facts), whole ? 0 : -EBADMSG);
		if (whole)
			assert_true(facts.start_ticks == 280728);
	}
}

static void a_malformed_stat_is_an_error(void **state)
{
	static const char *const texts[] = {
		"",
		"()",
		"1 x D" STAT_REST,
		")1 ( D" STAT_REST,
		"x (a) D" STAT_REST,
		"1 2 (a) D" STAT_REST,
		" (a) D" STAT_REST,
		"1 (a) 7" STAT_REST,
		"1 (a) DD" STAT_REST,
		"1 (a) D -1 1 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 5 0\n",
		"1 (a) D 1 1 1 1 1 -1 0 0 0 0 0 0 0 0 0 0 0 0 5 0\n",
		"1 (a) D 1 1 1 1 1 4294967296 0 0 0 0 0 0 0 0 0 0 0 0 5 0\n",
		"1 (a) D 1 1 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 x 0\n",
		"1 (a) D 1 1 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 18446744073709551616 0\n",
		"1 (a) D 1 1 1 1 1 0 0 0 0 0\n0 0 0 0 0 0 0 0 5 0\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct stat_facts facts = { .ppid = 4711 };

		assert_int_equal(parse_stat(texts[i], &facts), -EBADMSG);
		assert_int_equal(facts.ppid, 4711);
	}
}

static void our_own_files_are_understood(void **state)
{
	char text[8192];
	FILE *file = fopen("/proc/self/status", "re");
	struct status s;
	struct stat_facts facts;
	size_t length;

	(void)state;
	assert_non_null(file);
	length = fread(text, 1, sizeof(text), file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(status_parse(text, length, &s), 0);
	assert_true(s.has_sets);
	file = fopen("/proc/self/stat", "re");
	assert_non_null(file);
	length = fread(text, 1, sizeof(text), file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(stat_parse(text, length, &facts), 0);
	assert_int_equal(facts.ppid, s.ppid);
	assert_int_equal(facts.ppid, getppid());
	assert_false(facts.flags & (TASK_FLAG_FORKED_NO_EXEC | TASK_FLAG_KERNEL_THREAD));
	assert_true(facts.start_ticks > 0);
}

static void modes_have_names(void **state)
{
	(void)state;
	assert_string_equal(seccomp_mode_name(SECCOMP_DISABLED_MODE), "disabled");
	assert_string_equal(seccomp_mode_name(SECCOMP_STRICT_MODE), "strict");
	assert_string_equal(seccomp_mode_name(SECCOMP_FILTER_MODE), "filter");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_files_say_what_they_say),
		cmocka_unit_test(a_real_file_cut_anywhere_gives_what_is_whole_or_an_error),
		cmocka_unit_test(every_field_goes_where_it_belongs),
		cmocka_unit_test(lines_may_come_in_any_order),
		cmocka_unit_test(missing_lines_leave_their_fields_empty),
		cmocka_unit_test(the_sets_are_there_only_if_all_but_the_ambient_are),
		cmocka_unit_test(without_a_pid_it_is_no_status_file),
		cmocka_unit_test(a_malformed_line_is_an_error),
		cmocka_unit_test(unknown_lines_are_passed_over),
		cmocka_unit_test(a_name_can_hold_anything_but_a_line),
		cmocka_unit_test(a_name_that_is_too_long_is_cut),
		cmocka_unit_test(a_very_long_line_is_no_obstacle),
		cmocka_unit_test(pid_namespaces_nest_as_deep_as_the_kernel_lets_them),
		cmocka_unit_test(a_task_that_its_filter_killed_counts_as_filtered),
		cmocka_unit_test(ids_of_all_32_bits_are_read),
		cmocka_unit_test(the_name_in_stat_can_hold_anything),
		cmocka_unit_test(a_cut_stat_is_an_error_unless_all_that_is_wanted_is_whole),
		cmocka_unit_test(a_malformed_stat_is_an_error),
		cmocka_unit_test(our_own_files_are_understood),
		cmocka_unit_test(modes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
