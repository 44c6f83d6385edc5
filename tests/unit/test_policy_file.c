/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which file a command takes its policy from, how files are read, and what check-config says of
 * them.
 */
#include "../support/capture.h"

#include <capauditd/command.h>
#include <capauditd/macros.h>
#include <capauditd/policy.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY_S 86400

/* A folder for the test, and the one that was current before. */
struct place {
	char folder[64];
	int before;
};

static int enter(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	(void)snprintf(place->folder, sizeof(place->folder), "/tmp/capauditd-test.XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->before >= 0);
	assert_int_equal(chdir(place->folder), 0);
	*state = place;
	return 0;
}

static int leave(void **state)
{
	struct place *place = *state;
	static const char *const files[] = { "policy.yaml", "large", "link", "folder/none",
		"\x1b[31m.yaml" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlink(files[i]);
	(void)rmdir("folder");
	assert_int_equal(fchdir(place->before), 0);
	assert_int_equal(rmdir(place->folder), 0);
	(void)close(place->before);
	free(place);
	return 0;
}

static void write_file(const char *name, const char *text, size_t length)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

static void a_file_is_read_whole_and_terminated(void **state)
{
	char *text;
	size_t length;

	(void)state;
	write_file("policy.yaml", "a\0b", 3);
	assert_int_equal(read_whole_file("policy.yaml", 3, &text, &length), 0);
	assert_int_equal(length, 3);
	assert_memory_equal(text, "a\0b\0", 4);
	free(text);

	write_text("policy.yaml", "");
	assert_int_equal(read_whole_file("policy.yaml", 0, &text, &length), 0);
	assert_int_equal(length, 0);
	assert_string_equal(text, "");
	free(text);
}

static void a_file_of_any_size_is_read_up_to_the_limit(void **state)
{
	static const size_t sizes[] = { 4094, 4095, 4096, 4097, 8191, 8192, 100000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *text = malloc(sizes[i]), *back = NULL;
		size_t length = 0;

		assert_non_null(text);
		memset(text, 'x', sizes[i]);
		text[sizes[i] - 1] = 'y';
		write_file("large", text, sizes[i]);
		assert_int_equal(read_whole_file("large", sizes[i], &back, &length), 0);
		assert_int_equal(length, sizes[i]);
		assert_memory_equal(back, text, length);
		assert_int_equal(back[length], '\0');
		free(back);
		back = text;
		length = 7;
		assert_int_equal(read_whole_file("large", sizes[i] - 1, &back, &length), -EFBIG);
		assert_ptr_equal(back, text);
		assert_int_equal(length, 7);
		free(text);
	}
}

static void a_file_without_a_size_is_read(void **state)
{
	char *text;
	size_t length;

	(void)state;
	assert_int_equal(read_whole_file("/proc/self/status", 65536, &text, &length), 0);
	assert_non_null(strstr(text, "\nPid:"));
	free(text);
	assert_int_equal(read_whole_file("/dev/zero", 65536, &text, &length), -EFBIG);
}

static void what_cannot_be_read_is_an_error(void **state)
{
	char *text;
	size_t length;

	(void)state;
	assert_int_equal(read_whole_file("policy.yaml", 1, &text, &length), -ENOENT);
	assert_int_equal(read_whole_file(".", 1, &text, &length), -EISDIR);
	assert_int_equal(read_whole_file("", 1, &text, &length), -ENOENT);
}

static void a_named_file_is_taken(void **state)
{
	struct policy *policy = NULL;
	struct diag diag = { 0 };

	(void)state;
	write_text("policy.yaml", "version: 1\ndefaultProfile: restricted\n");
	assert_int_equal(command_load_policy("policy.yaml", &policy, &diag), 0);
	assert_string_equal(policy_file(policy), "policy.yaml");
	assert_string_equal(policy_default_profile(policy)->name, "restricted");
	policy_free(policy);
}

static void none_is_the_built_in_policy(void **state)
{
	struct policy *policy = NULL;
	struct diag diag = { 0 };

	(void)state;
	assert_int_equal(command_load_policy("none", &policy, &diag), 0);
	assert_null(policy_file(policy));
	policy_free(policy);
	/* The file of that name has another one. */
	assert_int_equal(command_load_policy("./none", &policy, &diag), -ENOENT);
}

static void assert_refused(const char *path, int error, const char *expected)
{
	struct policy *policy = NULL;
	struct diag diag = { 0 };
	char *text = NULL;
	size_t length;
	FILE *to;

	assert_int_equal(command_load_policy(path, &policy, &diag), error);
	assert_null(policy);
	to = open_memstream(&text, &length);
	assert_non_null(to);
	diag_print(&diag, to);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(text, expected);
	free(text);
}

static void what_is_wrong_with_a_named_file_is_told(void **state)
{
	char *large = malloc(POLICY_TEXT_MAX + 1);

	(void)state;
	assert_refused(
		"policy.yaml", -ENOENT, "policy.yaml: cannot be read: No such file or directory\n");
	assert_refused(".", -EISDIR, ".: cannot be read: Is a directory\n");
	write_text("policy.yaml", "version: 1\nrules: [x]\n");
	assert_refused("policy.yaml", -EINVAL,
		"policy.yaml:2:9: a rule must be a mapping, not a single value\n");
	assert_non_null(large);
	memset(large, '#', POLICY_TEXT_MAX + 1);
	write_file("large", large, POLICY_TEXT_MAX + 1);
	assert_refused("large", -EFBIG, "large: larger than 1024 KiB\n");
	free(large);
	assert_int_equal(symlink("nowhere", "link"), 0);
	assert_refused("link", -ENOENT, "link: cannot be read: No such file or directory\n");
}

static struct capture check(const char *line)
{
	return capture_command(command_check_config, line, NULL, 0);
}

static void assert_check(const char *line, int status, const char *out, const char *err)
{
	struct capture capture = check(line);

	assert_string_equal(capture.err, err);
	assert_string_equal(capture.out, out);
	assert_int_equal(capture.status, status);
	capture_done(&capture);
}

static void a_good_file_is_summed_up_in_a_line(void **state)
{
	(void)state;
	write_text("policy.yaml", "version: 1\n"
				  "defaultProfile: web\n"
				  "profiles: { web: { extends: restricted } }\n"
				  "rules:\n"
				  "  - { match: { pod: a }, profile: web }\n"
				  "  - { match: { pod: b }, profile: web }\n");
	assert_check("check-config policy.yaml", EXIT_STATUS_OK,
		"policy.yaml: valid: 1 profile, 2 rules, 0 exceptions; default profile web\n", "");
	assert_check("check-config --policy policy.yaml", EXIT_STATUS_OK,
		"policy.yaml: valid: 1 profile, 2 rules, 0 exceptions; default profile web\n", "");
	assert_check("check-config none", EXIT_STATUS_OK,
		"built-in policy: valid: 0 profiles, 0 rules, 0 exceptions; default profile "
		"baseline\n",
		"");
}

static void a_bad_file_is_a_usage_error_with_its_place(void **state)
{
	(void)state;
	write_text("policy.yaml", "version: 1\nprofiles:\n  web:\n    allow: [CHOWN, NET_RAWW]\n");
	assert_check("check-config policy.yaml", EXIT_STATUS_USAGE, "",
		"policy.yaml:4:20: unknown capability \"NET_RAWW\" (did you mean NET_RAW?)\n");
	assert_check("check-config nothing.yaml", EXIT_STATUS_USAGE, "",
		"nothing.yaml: cannot be read: No such file or directory\n");
}

static void one_file_is_checked_at_a_time(void **state)
{
	static const char *const lines[] = { "check-config a b", "check-config --policy a b" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_check(lines[i], EXIT_STATUS_USAGE, "",
			"capauditd: check-config takes one file\n");
}

static void help_and_misspelt_options_are_answered(void **state)
{
	struct capture help = check("check-config --help"), bad = check("check-config --polcy x");

	(void)state;
	assert_int_equal(help.status, EXIT_STATUS_OK);
	assert_non_null(strstr(help.out, "Usage: capauditd check-config [FILE]"));
	assert_string_equal(help.err, "");
	assert_int_equal(bad.status, EXIT_STATUS_USAGE);
	assert_string_equal(bad.out, "");
	assert_non_null(strstr(bad.err, "--policy"));
	capture_done(&help);
	capture_done(&bad);
}

static void names_of_files_are_escaped(void **state)
{
	(void)state;
	write_text("\x1b[31m.yaml", "version: 1\n");
	assert_check("check-config \x1b[31m.yaml", EXIT_STATUS_OK,
		"\\x1b[31m.yaml: valid: 0 profiles, 0 rules, 0 exceptions; default profile "
		"baseline\n",
		"");
	write_text("\x1b[31m.yaml", "version: 2\n");
	assert_check("check-config \x1b[31m.yaml", EXIT_STATUS_USAGE, "",
		"\\x1b[31m.yaml:1:10: version \"2\" is not supported (there is 1)\n");
}

/* "2026-11-24" of the day that is `days` after today in UTC. */
static void date_in(int days, char ret[static 16])
{
	time_t then = time(NULL) + (time_t)days * DAY_S;
	struct tm tm;

	assert_non_null(gmtime_r(&then, &tm));
	assert_true(strftime(ret, 16, "%Y-%m-%d", &tm) > 0);
}

/* What is said of an exception that ends so many days from now. */
static void assert_warning(int days, const char *expected)
{
	char text[256], warning[256], date[16], after[16];
	struct capture capture;

	do { /* again, where midnight came between */
		date_in(days, date);
		(void)snprintf(text, sizeof(text),
			"version: 1\nexceptions: [{ match: { pod: x }, allow: [KILL], reason: why, "
			"expires: %s }]\n",
			date);
		write_text("policy.yaml", text);
		capture = check("check-config policy.yaml");
		date_in(days, after);
		if (strcmp(date, after) != 0)
			capture_done(&capture);
	} while (strcmp(date, after) != 0);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(warning, sizeof(warning), expected, date);
#pragma GCC diagnostic pop
	assert_string_equal(capture.err, warning);
	assert_string_equal(capture.out,
		"policy.yaml: valid: 0 profiles, 0 rules, 1 exception; default profile baseline\n");
	assert_int_equal(capture.status, EXIT_STATUS_OK);
	capture_done(&capture);
}

static void exceptions_that_run_out_are_told_in_time(void **state)
{
	(void)state;
	assert_warning(15, "");
	assert_warning(14,
		"capauditd: policy.yaml: the exception \"why\" expires: its last day is %s, "
		"in 14 days\n");
	assert_warning(1,
		"capauditd: policy.yaml: the exception \"why\" expires: its last day is %s, "
		"in 1 day\n");
	assert_warning(0, "capauditd: policy.yaml: the exception \"why\" expires: its last day is "
			  "today\n");
	assert_warning(-1,
		"capauditd: policy.yaml: the exception \"why\" has expired: its last day "
		"was %s\n");
}

/* The example that ships must be a good one, and change nothing for who does not edit it. */
static void the_shipped_example_is_the_built_in_policy(void **state)
{
	struct place *place = *state;
	struct policy *policy = NULL;
	struct diag diag = { 0 };
	const struct run_settings *run;

	assert_int_equal(fchdir(place->before), 0);
	if (command_load_policy("config/policy.yaml", &policy, &diag) != 0)
		fail_msg("config/policy.yaml:%u:%u: %s", diag.line, diag.column, diag.message);
	assert_int_equal(chdir(place->folder), 0);
	run = policy_run(policy);
	assert_string_equal(policy_default_profile(policy)->name, "baseline");
	assert_int_equal(policy_namespace_labels(policy), NAMESPACE_LABELS_ON);
	assert_int_equal(policy_own_profile_count(policy), 0);
	assert_int_equal(policy_rule_count(policy), 0);
	assert_int_equal(policy_exception_count(policy), 0);
	assert_int_equal(run->interval_us, 30000000);
	assert_int_equal(run->resolve_after_us, 300000000);
	assert_int_equal(run->outputs, 0);
	assert_false(run->report_all);
	assert_false(run->full_cmdline);
	policy_free(policy);
}

/* A # with no space behind it comments an example out: with all of them put in, the file is still
 * good. */
static void the_shipped_example_is_good_with_its_comments_put_in(void **state)
{
	struct place *place = *state;
	char *text, *rest, *made = NULL;
	size_t length, made_length;
	struct policy *policy = NULL;
	struct diag diag = { 0 };
	FILE *to;

	assert_int_equal(fchdir(place->before), 0);
	assert_int_equal(read_whole_file("config/policy.yaml", POLICY_TEXT_MAX, &text, &length), 0);
	assert_int_equal(chdir(place->folder), 0);
	to = open_memstream(&made, &made_length);
	assert_non_null(to);
	rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *mark = line + strspn(line, " ");

		if (mark[0] == '#' && mark[1] && mark[1] != ' ')
			memmove(mark, mark + 1, strlen(mark));
		(void)fprintf(to, "%s\n", line);
	}
	assert_int_equal(fclose(to), 0);
	if (policy_load("config/policy.yaml", made, made_length, &policy, &diag) != 0)
		fail_msg("config/policy.yaml:%u:%u: %s", diag.line, diag.column, diag.message);
	assert_true(policy_own_profile_count(policy) > 0);
	assert_true(policy_rule_count(policy) > 0);
	assert_true(policy_exception_count(policy) > 0);
	assert_non_null(policy_run(policy)->engine);
	policy_free(policy);
	free(made);
	free(text);
}

/* Where the text after a line of three backticks begins, and where it ends; NULL: no more. */
static char *next_literal(char *from, char **ret_end)
{
	static const char fence[] = "\n```\n";
	char *begin = strstr(from, fence), *end;

	if (!begin)
		return NULL;
	begin += sizeof(fence) - 1;
	end = strstr(begin - 1, fence);
	assert_non_null(end);
	*end = '\0';
	*ret_end = end + sizeof(fence) - 1;
	return begin;
}

static void every_policy_in_the_manual_is_a_good_one(void **state)
{
	static const char page[] = "docs/man/capauditd-policy.5.scd";
	struct place *place = *state;
	unsigned policies = 0;
	char *text, *rest, *end;
	size_t length;

	assert_int_equal(fchdir(place->before), 0);
	assert_int_equal(read_whole_file(page, POLICY_TEXT_MAX, &text, &length), 0);
	assert_int_equal(chdir(place->folder), 0);
	rest = text;
	for (char *literal; (literal = next_literal(rest, &end)); rest = end) {
		struct policy *policy = NULL;
		struct diag diag = { 0 };

		if (strncmp(literal, "version:", 8) != 0)
			continue;
		policies++;
		if (policy_load(page, literal, strlen(literal), &policy, &diag) != 0)
			fail_msg("%s: %u:%u: %s in:\n%s", page, diag.line, diag.column,
				diag.message, literal);
		policy_free(policy);
	}
	free(text);
	assert_int_equal(policies, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_read_whole_and_terminated),
		TEST(a_file_of_any_size_is_read_up_to_the_limit),
		TEST(a_file_without_a_size_is_read),
		TEST(what_cannot_be_read_is_an_error),
		TEST(a_named_file_is_taken),
		TEST(none_is_the_built_in_policy),
		TEST(what_is_wrong_with_a_named_file_is_told),
		TEST(a_good_file_is_summed_up_in_a_line),
		TEST(a_bad_file_is_a_usage_error_with_its_place),
		TEST(one_file_is_checked_at_a_time),
		TEST(help_and_misspelt_options_are_answered),
		TEST(names_of_files_are_escaped),
		TEST(exceptions_that_run_out_are_told_in_time),
		TEST(the_shipped_example_is_the_built_in_policy),
		TEST(the_shipped_example_is_good_with_its_comments_put_in),
		TEST(every_policy_in_the_manual_is_a_good_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
