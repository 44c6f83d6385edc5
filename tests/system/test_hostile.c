/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers that name their processes so as to break whoever reads about them, and processes that
 * die while they are read.
 */
#include "sys.h"

#include <signal.h>
#include <unistd.h>

static struct sys_container *start_hostile(struct sys *sys)
{
	static const char *const argv[] = { "/bin/inside", "hostile", NULL };

	return sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN,
				      .argv = argv,
				      .name = "web",
				      .pod = "cart",
				      .namespace_name = "shop" });
}

/* C0 and C1 control characters, DEL, and what reverses the direction of a line. */
static bool is_fit_for_a_terminal(const char *text, bool lines)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		if ((*at < 0x20 && !(lines && *at == '\n')) || *at == 0x7f ||
			(*at == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f) ||
			(*at == 0xe2 && at[1] == 0x80 && at[2] >= 0xaa && at[2] <= 0xae))
			return false;
	return true;
}

static void hostile_names_and_arguments_are_escaped_in_json(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_hostile(sys);
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .verdict = "violation", .processes = 1, .findings = 1 });
	json_t *finding = sys_finding(scan, container, NULL);

	/* JSON's own escapes are undone here: what is left must be harmless by itself. */
	assert_true(is_fit_for_a_terminal(sys_get(sys, finding, "process.comm"), false));
	assert_true(is_fit_for_a_terminal(sys_get(sys, finding, "process.cmdline"), false));
	assert_true(is_fit_for_a_terminal(sys_get(sys, finding, "message"), false));
	assert_string_equal(sys_get(sys, finding, "process.comm"), "x) Z 1\\x0a\\x1b[31m\\xff\"");
	assert_string_equal(
		sys_get(sys, finding, "process.cmdline"), "/bin/in\\x1b[2J\\x0aside\\xff");
	assert_int_equal(sys_number(finding, "process.pid"), container->pid);
}

static void the_table_shows_no_control_character(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_hostile(sys);
	const struct sys_result *table = sys_capauditd(sys, SYS_ROOT, "scan", "--policy", "none",
		"--host-root", sys->host_root, "--container", container->id, "--all", "--remedy",
		"--advice", "--color", "never", NULL);

	assert_int_equal(table->status, 1);
	assert_int_equal(strlen(table->out), table->out_length);
	assert_true(is_fit_for_a_terminal(table->out, true));
	assert_non_null(strstr(table->out, "web"));
}

static void one_finding_is_one_line_of_jsonl(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_hostile(sys);
	const struct sys_result *lines =
		sys_capauditd(sys, SYS_ROOT, "scan", "--policy", "none", "--host-root",
			sys->host_root, "--container", container->id, "--format", "jsonl", NULL);
	json_error_t error;

	assert_int_equal(lines->status, 1);
	const char *end = strchr(lines->out, '\n');
	assert_non_null(end);
	assert_string_equal(end + 1, "");
	json_t *finding = json_loads(lines->out, JSON_REJECT_DUPLICATES, &error);
	assert_non_null(finding);
	assert_true(sys_is_of(finding, "container", container));
	assert_string_equal(sys_get(sys, finding, "schema"), "capauditd.finding/v1");
	assert_string_equal(sys_get(sys, finding, "state"), "observed");
	json_decref(finding);
}

/* With run.cmdline: full every argument is shown, the longest too. */
static void the_whole_command_line_is_escaped_too(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_hostile(sys);
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);

	sys_write_file(policy, "version: 1\nrun: { cmdline: full }\n");
	const struct sys_result *scan =
		sys_scan(sys, SYS_NOBODY, "--policy", policy, "--container", container->id, NULL);
	json_t *finding = sys_finding(scan, container, NULL);
	const char *arguments = sys_get(sys, finding, "process.cmdline");

	assert_true(is_fit_for_a_terminal(arguments, false));
	assert_non_null(strstr(arguments, "first\\x0asecond\\x0d\\x1b]0;title\\x07"));
	assert_non_null(strstr(arguments, "\\xff\\xfe\\xc3("));
	assert_non_null(strstr(arguments, "AAAAAAAAAAAAAAAA"));
}

#define STORM_SCANS 15

static void processes_that_die_all_the_time_are_no_error(void **state)
{
	static const char *const argv[] = { "/bin/inside", "storm", NULL };
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN, .argv = argv });

	for (int i = 0; i < STORM_SCANS; i++) {
		const struct sys_result *scan = sys_scan(
			sys, i % 2 ? SYS_NOBODY : SYS_ROOT, "--container", container->id, NULL);
		json_t *finding = sys_finding(scan, container, "posture");

		assert_int_equal(scan->status, 1);
		assert_string_equal(scan->err, "");
		assert_int_equal(sys_finding_count(scan, container), 1);
		assert_null(sys_finding(scan, container, "drift"));
		assert_string_equal(sys_get(sys, finding, "excess.effective"), "SYS_ADMIN");
		assert_string_equal(sys_get(sys, scan->json, "coverage.complete"), "true");
		assert_string_equal(sys_get(sys, scan->json, "coverage.unreadable"), "0");
	}
}

/* A storm in a container that holds nothing: nobody's sets may be taken for somebody else's. */
static void a_storm_in_a_compliant_container_gives_no_finding(void **state)
{
	static const char *const argv[] = { "/bin/inside", "storm", NULL };
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ .argv = argv });

	for (int i = 0; i < STORM_SCANS; i++) {
		const struct sys_result *scan = sys_scan(
			sys, i % 2 ? SYS_NOBODY : SYS_ROOT, "--container", container->id, NULL);

		assert_int_equal(scan->status, 0);
		assert_int_equal(sys_finding_count(scan, container), 0);
		assert_string_equal(sys_get(sys, sys_seen(scan, container), "bounding"), "");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(hostile_names_and_arguments_are_escaped_in_json),
		SYS_TEST(the_table_shows_no_control_character),
		SYS_TEST(one_finding_is_one_line_of_jsonl),
		SYS_TEST(the_whole_command_line_is_escaped_too),
		SYS_TEST(processes_that_die_all_the_time_are_no_error),
		SYS_TEST(a_storm_in_a_compliant_container_gives_no_finding),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
