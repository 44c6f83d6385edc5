/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `capauditd explain`, run as main() runs it: what it prints, for people and for machines, and what
 * it says of requests that it cannot answer.
 */
#include "explain_fixture.h"

#include "../support/fail_allocation.h"

#include <fcntl.h>

static void every_capability_is_explained_from_its_row(void **state)
{
	(void)state;
	for (unsigned number = 0; number < capability_count(); number++) {
		const struct capability_info *info = capability_info(number);
		char line[128];
		struct capture capture;

		(void)snprintf(line, sizeof(line), "explain capability %s", info->name);
		capture = explain(line);
		assert_int_equal(capture.status, EXIT_STATUS_OK);
		assert_string_equal(capture.err, "");
		assert_memory_equal(capture.out, info->name, strlen(info->name));
		assert_says(capture.out, info->allows);
		assert_says(capture.out, info->danger);
		if (info->instead)
			assert_says(capture.out, info->instead);
		assert_says(capture.out, "capabilities(7)");
		assert_int_equal(strstr(capture.out, "It alone suffices") != NULL, info->takeover);
		assert_at_most_80_columns(capture.out);
		capture_done(&capture);
	}
}

static void the_narrower_ones_are_explained_too(void **state)
{
	struct capture capture = explain("explain capability SYS_ADMIN");

	(void)state;
	assert_says(capture.out, "BPF: Loads BPF programs");
	assert_says(capture.out, "PERFMON: ");
	assert_says(capture.out, "SYSLOG: ");
	assert_says(capture.out, "CHECKPOINT_RESTORE: ");
	assert_says(capture.out, "WAKE_ALARM: ");
	capture_done(&capture);
}

static void both_spellings_of_a_capability_give_the_same(void **state)
{
	struct capture a = explain("explain capability SYS_PTRACE");
	struct capture b = explain("explain capability cap_sys_ptrace");

	(void)state;
	assert_string_equal(a.out, b.out);
	assert_says(a.out, "when held in the host's PID namespace");
	capture_done(&a);
	capture_done(&b);
}

static void a_capability_is_one_json_object(void **state)
{
	json_t *object = explain_json("explain --format json capability NET_RAW", NULL, 0);

	(void)state;
	assert_string_equal(string_of(object, "name"), "NET_RAW");
	assert_int_equal(json_integer_value(json_object_get(object, "number")), 13);
	assert_string_equal(string_of(object, "mask"), "0x2000");
	assert_string_equal(string_of(object, "allows"), capability_info(13)->allows);
	assert_string_equal(string_of(object, "danger"), capability_info(13)->danger);
	assert_string_equal(string_of(object, "instead"), capability_info(13)->instead);
	assert_true(json_is_false(json_object_get(object, "takeover")));
	assert_null(string_of(object, "takeover_where"));
	assert_names(object, "narrower", "");
	assert_names(object, "permitted_by", "privileged");
	assert_names(object, "tolerated_by", "baseline");
	json_decref(object);
}

static void without_a_name_all_capabilities_are_listed(void **state)
{
	struct capture capture = explain("explain capability");
	json_t *object = explain_json("explain capability --format json", NULL, 0);
	const char *line = capture.out;

	(void)state;
	assert_at_most_80_columns(capture.out);
	for (unsigned number = 0; number < capability_count(); number++) {
		const char *name = capability_info(number)->name;

		/* The next line that does not go on with the one before. */
		assert_memory_equal(line, name, strlen(name));
		do
			line = strchr(line, '\n') + 1;
		while (*line == ' ');
	}
	assert_int_equal(json_array_size(json_object_get(object, "capabilities")), 41);
	json_decref(object);
	capture_done(&capture);
}

static void a_mask_is_taken_apart(void **state)
{
	static const struct {
		const char *mask;
		const char *says[8];
	} rows[] = {
		{ "0xa80425fb",
			{ "0xa80425fb: 14 capabilities", "SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP",
				"the default set of containerd and Docker", "Takeover none",
				"Level baseline", "baseline tolerated: NET_RAW",
				"baseline-strict violation: NET_RAW", "privileged compliant" } },
		{ "00000000000005fb", { "0x5fb: 9 capabilities", "the default set of CRI-O",
					      "Level baseline", "restricted violation: CHOWN",
					      "baseline compliant", "baseline-strict compliant" } },
		{ "400", { "0x400: 1 capability", "Names NET_BIND_SERVICE", "Level restricted",
				 "restricted compliant", "baseline compliant" } },
		{ "0", { "0x0: 0 capabilities", "Names none", "restricted compliant" } },
		{ "0x1ffffffffff", { "0x1ffffffffff: 41 capabilities", "Linux 5.9 and later",
					   "the set of a privileged container", "Level privileged",
					   "baseline violation: all that it does not permit" } },
		{ "0x3fffffffff", { "Linux 3.16 to 5.7" } },
		{ "0x8000020000200000", { "Names SYS_ADMIN CAP_41 CAP_63",
						"Without name CAP_41 CAP_63", "Takeover SYS_ADMIN",
						"baseline violation: SYS_ADMIN CAP_41 CAP_63" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[128];
		struct capture capture;

		(void)snprintf(line, sizeof(line), "explain mask %s", rows[i].mask);
		capture = explain(line);
		assert_int_equal(capture.status, EXIT_STATUS_OK);
		for (size_t j = 0; j < ARRAY_SIZE(rows[i].says) && rows[i].says[j]; j++)
			assert_says(capture.out, rows[i].says[j]);
		assert_at_most_80_columns(capture.out);
		capture_done(&capture);
	}
}

static void a_mask_that_no_runtime_grants_is_not_called_a_default(void **state)
{
	struct capture capture = explain("explain mask 0xa80425fa");

	(void)state;
	assert_null(strstr(capture.out, "Known as"));
	capture_done(&capture);
}

static void a_mask_is_one_json_object(void **state)
{
	json_t *object = explain_json("explain mask 80000000a80425fb --format=json", NULL, 0);
	const json_t *profiles = json_object_get(object, "profiles");

	(void)state;
	assert_string_equal(string_of(object, "mask"), "0x80000000a80425fb");
	assert_int_equal(json_array_size(json_object_get(object, "names")), 15);
	assert_names(object, "unknown", "CAP_63");
	assert_names(object, "takeover", "");
	assert_null(string_of(object, "runtime_default"));
	assert_string_equal(string_of(object, "level"), "privileged");
	assert_true(json_is_false(json_object_get(profiles, "restricted")));
	assert_true(json_is_false(json_object_get(profiles, "baseline")));
	assert_true(json_is_true(json_object_get(profiles, "privileged")));
	assert_names(json_object_get(object, "tolerated"), "baseline", "NET_RAW");
	assert_names(json_object_get(object, "excess"), "baseline", "CAP_63");
	assert_names(json_object_get(object, "excess"), "baseline-strict", "NET_RAW CAP_63");
	json_decref(object);

	object = explain_json("explain mask 0xa80425fb --format=json", NULL, 0);
	profiles = json_object_get(object, "profiles");
	assert_string_equal(string_of(object, "runtime_default"), "containerd and Docker");
	assert_true(json_is_true(json_object_get(profiles, "baseline")));
	assert_true(json_is_false(json_object_get(profiles, "baseline-strict")));
	json_decref(object);
}

static void the_built_in_profiles_are_explained(void **state)
{
	static const struct {
		const char *name, *mask, *says;
	} rows[] = {
		{ "restricted", "mask 0x400", "Permits NET_BIND_SERVICE" },
		{ "baseline", "mask 0xa80405fb", "Tolerates NET_RAW" },
		{ "baseline-strict", "mask 0xa80405fb", "Tolerates none" },
		{ "privileged", "mask 0x", "Permits all" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[128];
		struct capture capture;

		(void)snprintf(line, sizeof(line), "explain profile %s", rows[i].name);
		capture = explain(line);
		assert_int_equal(capture.status, EXIT_STATUS_OK);
		assert_says(capture.out, rows[i].mask);
		assert_says(capture.out, rows[i].says);
		assert_at_most_80_columns(capture.out);
		capture_done(&capture);
	}
}

static void a_profile_is_one_json_object(void **state)
{
	json_t *object = explain_json("explain profile baseline --format json", NULL, 0);

	(void)state;
	assert_string_equal(string_of(object, "name"), "baseline");
	assert_string_equal(string_of(object, "mask"), "0xa80405fb");
	assert_true(json_is_true(json_object_get(object, "built_in")));
	assert_true(json_is_false(json_object_get(object, "all")));
	assert_null(string_of(object, "file"));
	assert_int_equal(json_array_size(json_object_get(object, "allow")), 13);
	assert_names(object, "tolerate", "NET_RAW");
	json_decref(object);
}

/* A policy file with a profile of its own, for the caller to unlink. */
static void write_policy(char path[static 32], const char *text)
{
	int fd;

	(void)snprintf(path, 32, "/tmp/test_explain.XXXXXX");
	fd = mkostemp(path, O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void the_profiles_of_a_policy_are_known_with_it(void **state)
{
	char path[32], line[128];
	struct capture capture;
	json_t *object;

	(void)state;
	write_policy(path, "version: 1\nprofiles:\n  web:\n    extends: restricted\n"
			   "    allow: [CHOWN]\n    tolerate: [NET_RAW]\n");

	(void)snprintf(line, sizeof(line), "explain profile web --policy %s", path);
	capture = explain(line);
	assert_int_equal(capture.status, EXIT_STATUS_OK);
	assert_says(capture.out, "web: mask 0x401");
	assert_says(capture.out, "Permits CHOWN NET_BIND_SERVICE");
	assert_says(capture.out, "Tolerates NET_RAW");
	assert_says(capture.out, path);
	capture_done(&capture);

	(void)snprintf(line, sizeof(line), "explain --policy %s --format json mask 0x2401", path);
	object = explain_json(line, NULL, 0);
	assert_true(json_is_true(json_object_get(json_object_get(object, "profiles"), "web")));
	assert_names(json_object_get(object, "tolerated"), "web", "NET_RAW");
	json_decref(object);

	(void)snprintf(line, sizeof(line), "explain profile --policy %s", path);
	capture = explain(line);
	assert_says(capture.out, "restricted NET_BIND_SERVICE");
	assert_says(capture.out, "privileged all");
	assert_says(capture.out, "web CHOWN NET_BIND_SERVICE");
	capture_done(&capture);

	(void)snprintf(line, sizeof(line), "explain profile wbe --policy %s", path);
	capture = explain(line);
	assert_int_equal(capture.status, EXIT_STATUS_USAGE);
	assert_string_equal(
		capture.err, "capauditd: unknown profile \"wbe\" (did you mean web?)\n");
	capture_done(&capture);
	(void)unlink(path);
}

static void a_policy_with_an_error_is_refused_at_its_line(void **state)
{
	char path[32], line[128], place[64];
	struct capture capture;

	(void)state;
	write_policy(path, "version: 1\nprofiles:\n  web:\n    allow: [NET_RAWW]\n");
	(void)snprintf(line, sizeof(line), "explain profile web --policy %s", path);
	(void)snprintf(place, sizeof(place), "%s:4:13: ", path);
	capture = explain(line);
	assert_int_equal(capture.status, EXIT_STATUS_USAGE);
	assert_string_equal(capture.out, "");
	assert_non_null(strstr(capture.err, place));
	capture_done(&capture);
	(void)unlink(path);
}

static void what_cannot_be_explained_is_refused_in_one_line(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{ "explain", "explain what?" },
		{ "explain capabilty SYS_ADMIN", "did you mean capability?" },
		{ "explain nonsense", "cannot explain \"nonsense\"" },
		{ "explain SYS_ADMIN", "did you mean explain capability SYS_ADMIN?" },
		{ "explain 0xa80425fb", "did you mean explain mask 0xa80425fb?" },
		{ "explain capability NET_RAWW",
			"unknown capability \"NET_RAWW\" (did you mean NET_RAW?)" },
		{ "explain capability there_is_no_such",
			"unknown capability \"there_is_no_such\" (" },
		{ "explain capability CAP_63", "capability 63 has no name" },
		{ "explain capability CHOWN KILL", "one capability at a time" },
		{ "explain mask", "which mask?" },
		{ "explain mask 0xg", "\"0xg\" is no mask" },
		{ "explain mask SYS_ADMIN", "did you mean explain capability SYS_ADMIN?" },
		{ "explain mask 11111111111111111", "more than 16 hex digits" },
		{ "explain mask 1 2", "one mask at a time" },
		{ "explain profile restrictd", "did you mean restricted?" },
		{ "explain cgroup /proc/1/cgroup", "reads standard input" },
		{ "explain --format yaml mask 1", "unknown format \"yaml\"" },
		{ "explain --format jsno mask 1", "did you mean json?" },
		{ "explain --formt json mask 1", "did you mean --format?" },
		{ "explain mask 1 --policy", "needs an argument" },
		{ "explain mask 1 --policy /nonexistent/policy.yaml", "/nonexistent/policy.yaml" },
		{ "explain capability \033[2J\xff", "\\x1b[2J\\xff" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct capture capture = explain(rows[i].line);
		const char *end = strchr(capture.err, '\n');

		assert_int_equal(capture.status, EXIT_STATUS_USAGE);
		assert_string_equal(capture.out, "");
		if (!strstr(capture.err, rows[i].says))
			assert_string_equal(capture.err, rows[i].says);
		assert_non_null(end);
		assert_int_equal(end[1], '\0');
		assert_null(strchr(capture.err, '\033'));
		capture_done(&capture);
	}
}

static int explain_to_a_full_disk(int argc, char **argv)
{
	FILE *caught = stdout, *full = fopen("/dev/full", "we");
	int status;

	stdout = full;
	status = command_explain(argc, argv);
	stdout = caught;
	(void)fclose(full);
	return status;
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
	static const char *const lines[] = { "explain mask 0x400",
		"explain mask 0x400 --format json", "explain capability" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct capture capture = capture_command(explain_to_a_full_disk, lines[i], NULL, 0);

		assert_int_equal(capture.status, EXIT_STATUS_INTERNAL);
		assert_true(capture.err_length > 0);
		capture_done(&capture);
	}
}

/* The instrument counts within the command alone. */
static unsigned long failing;
static bool fired;

static int explain_short_of_memory(int argc, char **argv)
{
	int status;

	fail_allocation_at(failing);
	status = command_explain(argc, argv);
	fired = fail_allocation_fired();
	fail_allocation_at(0);
	return status;
}

static void any_allocation_may_fail(void **state)
{
	static const char *const lines[] = { "explain mask 0xa80425ff",
		"explain mask 0xa80425ff --format json", "explain capability SYS_ADMIN",
		"explain capability SYS_ADMIN --format json", "explain profile baseline",
		"explain profile baseline --format json", "explain cgroup",
		"explain cgroup --format json" };
	static const char text[] = "0::/lxc.payload.name\n";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct capture whole =
			capture_command(command_explain, lines[i], text, strlen(text));

		fired = true;
		for (failing = 1; fired; failing++) {
			struct capture capture = capture_command(
				explain_short_of_memory, lines[i], text, strlen(text));

			/* Whatever could be done without it was done whole. */
			if (!fired || capture.status == EXIT_STATUS_OK) {
				assert_int_equal(capture.status, EXIT_STATUS_OK);
				assert_string_equal(capture.out, whole.out);
			} else {
				assert_int_equal(capture.status, EXIT_STATUS_INTERNAL);
			}
			capture_done(&capture);
			assert_true(failing < 10000);
		}
		capture_done(&whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_capability_is_explained_from_its_row),
		cmocka_unit_test(the_narrower_ones_are_explained_too),
		cmocka_unit_test(both_spellings_of_a_capability_give_the_same),
		cmocka_unit_test(a_capability_is_one_json_object),
		cmocka_unit_test(without_a_name_all_capabilities_are_listed),
		cmocka_unit_test(a_mask_is_taken_apart),
		cmocka_unit_test(a_mask_that_no_runtime_grants_is_not_called_a_default),
		cmocka_unit_test(a_mask_is_one_json_object),
		cmocka_unit_test(the_built_in_profiles_are_explained),
		cmocka_unit_test(a_profile_is_one_json_object),
		cmocka_unit_test(the_profiles_of_a_policy_are_known_with_it),
		cmocka_unit_test(a_policy_with_an_error_is_refused_at_its_line),
		cmocka_unit_test(what_cannot_be_explained_is_refused_in_one_line),
		cmocka_unit_test(output_that_cannot_be_written_is_a_failure),
		cmocka_unit_test(any_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
