/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exit statuses of `scan` (docs/interface.md's table): what scripts depend on.
 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *last_line(const char *text)
{
	const char *end = text + strlen(text);

	while (end > text && !(end[-1] == '\n' && *end != '\0'))
		end--;
	return end;
}

static void assert_status(
	struct sys *sys, int status, const struct sys_container *container, const char *fail_on)
{
	const struct sys_result *scan =
		sys_scan(sys, SYS_ROOT, "--container", container->id, "--fail-on", fail_on, NULL);

	if (scan->status != status)
		fail_msg("--fail-on %s: status %d and not %d", fail_on, scan->status, status);
}

static void fail_on_says_what_makes_the_status_1(void **state)
{
	struct sys *sys = *state;
	struct sys_container *compliant = sys_start(sys, &(struct sys_spec){ 0 });
	struct sys_container *tolerated =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_DEFAULT_SET });
	struct sys_container *posture =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	struct sys_container *drift = sys_start(sys, &(struct sys_spec){ 0 });
	const struct {
		const char *fail_on;
		int compliant, tolerated, posture, drift;
	} rows[] = {
		{ "none", 0, 0, 0, 0 },
		{ "drift", 0, 0, 0, 1 },
		{ "violation", 0, 0, 1, 1 },
		{ "tolerated", 0, 1, 1, 1 },
	};

	(void)sys_exec(sys, drift, sys->all, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_status(sys, rows[i].compliant, compliant, rows[i].fail_on);
		assert_status(sys, rows[i].tolerated, tolerated, rows[i].fail_on);
		assert_status(sys, rows[i].posture, posture, rows[i].fail_on);
		assert_status(sys, rows[i].drift, drift, rows[i].fail_on);
	}
}

static void a_usage_error_is_status_2_with_one_line_on_standard_error(void **state)
{
	static const char *const rows[][5] = {
		{ "scan", "--engine", "bpf" },
		{ "scan", "--engine", "ebpf" },
		{ "scan", "--kubeconfig", "/nonexistent" },
		{ "scan", "--kubernetes", "on" },
		{ "scan", "--format", "xml" },
		{ "scan", "--profile", "restrictive" },
		{ "scan", "--fail-on", "everything" },
		{ "scan", "--pid", "12x" },
		{ "scan", "--pid", "0" },
		{ "scan", "--unheard-of" },
		{ "scan", "--policy" },
		{ "scan", "operand" },
		{ "scan", "--policy", "/nonexistent/policy.yaml" },
		{ "scna" },
		{ "run", "--engine", "bpf", "--policy", "none" },
		{ "run", "--kubeconfig", "/nonexistent", "--policy", "none" },
		{ "run", "--unheard-of" },
		{ NULL },
	};
	struct sys *sys = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *argv[] = { sys->program, rows[i][0], rows[i][1], rows[i][2], rows[i][3],
			rows[i][4], NULL };
		const struct sys_result *result = sys_capauditd_argv(sys, SYS_NOBODY, argv);
		const char *newline = strchr(result->err, '\n');

		if (result->status != 2 || !newline || newline[1] != '\0' ||
			result->out_length != 0)
			fail_msg("%s %s %s: status %d, \"%s\", \"%s\"", rows[i][0], rows[i][1],
				rows[i][2], result->status, result->out, result->err);
	}
}

static void a_bad_policy_is_status_2_with_its_position(void **state)
{
	struct sys *sys = *state;
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);

	sys_write_file(policy, "version: 1\n"
			       "exceptions:\n"
			       "  - match: { namespace: cni }\n"
			       "    reason: it sets up interfaces\n"
			       "    allow: [NET_RAWW]\n");
	const struct sys_result *result =
		sys_capauditd(sys, SYS_ROOT, "scan", "--policy", policy, NULL);

	assert_int_equal(result->status, 2);
	assert_string_equal(result->out, "");
	assert_string_equal(result->err,
		sys_print(sys, "%s:5:13: unknown capability \"NET_RAWW\" (did you mean NET_RAW?)\n",
			policy));
}

static void a_filter_that_matches_nothing_is_status_2(void **state)
{
	static const char *const filters[][2] = {
		{ "--container", "no-such-container" },
		{ "--namespace", "no-such-namespace" },
		{ "--pod", "no-such-pod*" },
		/* A process of the host. */
		{ "--pid", "1" },
	};
	struct sys *sys = *state;

	(void)sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		const struct sys_result *scan =
			sys_scan(sys, SYS_ROOT, filters[i][0], filters[i][1], NULL);

		assert_int_equal(scan->status, 2);
		assert_string_not_equal(scan->err, "");
		assert_int_equal(json_array_size(json_object_get(scan->json, "containers")), 0);
	}
}

static void kubernetes_off_is_accepted(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ 0 });

	assert_int_equal(sys_scan(sys, SYS_ROOT, "--kubernetes", "off", "--engine", "procfs",
				 "--container", container->id, NULL)
				 ->status,
		0);
}

static struct sys_result *scan_in(struct sys *sys, bool nobody, int (*prepare)(void *), char *data,
	const char *engine, const char *option)
{
	const char *const argv[] = { sys->program, "scan", "--format", "json", "--policy", "none",
		"--fail-on", "none", "--engine", engine, option, NULL };
	struct sys_result *result = sys_command(
		sys, &(struct sys_command){
			     .argv = argv, .nobody = nobody, .prepare = prepare, .data = data });

	result->json = json_loads(result->out, 0, NULL);
	if (!result->json)
		fail_msg("status %d and no JSON: %s", result->status, result->err);
	return result;
}

static void assert_incomplete(struct sys *sys, const struct sys_result *scan, const char *why)
{
	assert_int_equal(scan->status, 3);
	assert_string_equal(sys_get(sys, scan->json, "coverage.complete"), "false");
	assert_non_null(strstr(sys_get(sys, scan->json, "coverage.why_incomplete"), why));
}

static void a_private_pid_namespace_is_status_3_unless_it_is_meant(void **state)
{
	struct sys *sys = *state;

	sys_need_containers(sys);
	for (int nobody = 0; nobody <= 1; nobody++) {
		const struct sys_result *scan =
			scan_in(sys, nobody, sys_prepare_pid_namespace, NULL, "auto", NULL);

		assert_incomplete(sys, scan, "PID namespace");
		scan = scan_in(sys, nobody, sys_prepare_pid_namespace, NULL, "auto", "--nested");
		assert_int_equal(scan->status, 0);
		assert_string_equal(sys_get(sys, scan->json, "coverage.complete"), "true");
		assert_string_equal(sys_get(sys, scan->json, "coverage.why_incomplete"), "");
	}
}

static void hidepid_is_status_3_for_whom_it_hides_from(void **state)
{
	struct sys *sys = *state;
	char invisible[] = "hidepid=2", unreadable[] = "hidepid=1";
	char *const options[] = { invisible, unreadable };

	sys_need_containers(sys);
	/* As the filter would be: a container that is there and cannot be seen is no all-clear. */
	(void)sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	for (size_t i = 0; i < 2; i++) {
		assert_incomplete(sys,
			scan_in(sys, true, sys_prepare_proc, options[i], "procfs", "--nested"),
			"hidepid");
		/* Root may look through it, and whoever asks the kernel does not look at it. */
		for (size_t k = 0; k < 2; k++)
			assert_int_equal(scan_in(sys, false, sys_prepare_proc, options[i],
						 k ? "auto" : "procfs", "--nested")
						 ->status,
				0);
	}
}

/* A PID namespace of its own with a container in it: a process in another one below. */
static int prepare_container_in_pid_namespace(void *data)
{
	char *argv[] = { data, (char[]){ "pause" }, NULL };
	int error = sys_prepare_pid_namespace(NULL);

	if (error < 0)
		return error;
	/* Goes on once the child has exec'd. */
	long pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, 0UL);
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)dup2(open("/dev/null", O_RDWR | O_CLOEXEC), STDOUT_FILENO);
		(void)execv(argv[0], argv);
		_exit(126);
	}
	return 0;
}

static void findings_win_over_what_was_not_seen(void **state)
{
	struct sys *sys = *state;
	const char *const argv[] = { sys->program, "scan", "--policy", "none", "--format", "json",
		NULL };

	sys_need_containers(sys);
	struct sys_result *scan =
		sys_command(sys, &(struct sys_command){ .argv = argv,
					 .prepare = prepare_container_in_pid_namespace,
					 .data = sys_print(sys, "%s/bin/inside", sys->rootfs) });

	scan->json = json_loads(scan->out, 0, NULL);
	assert_int_equal(scan->status, 1);
	assert_int_equal(json_array_size(json_object_get(scan->json, "findings")), 1);
	assert_string_equal(sys_get(sys, scan->json, "coverage.complete"), "false");
}

static void the_table_says_why_it_is_not_complete(void **state)
{
	struct sys *sys = *state;
	const char *const argv[] = { sys->program, "scan", "--policy", "none", NULL };

	sys_need_containers(sys);
	const struct sys_result *scan = sys_command(
		sys, &(struct sys_command){ .argv = argv, .prepare = sys_prepare_pid_namespace });

	assert_int_equal(scan->status, 3);
	assert_non_null(strstr(scan->out, "PID namespace"));
}

static void help_and_version_are_status_0(void **state)
{
	static const char *const rows[][2] = { { "--help" }, { "--version" }, { "scan", "--help" },
		{ "run", "--help" }, { "explain", "--help" }, { "check-config", "--help" } };
	struct sys *sys = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *argv[] = { sys->program, rows[i][0], rows[i][1], NULL };
		const struct sys_result *result = sys_capauditd_argv(sys, SYS_NOBODY, argv);

		assert_int_equal(result->status, 0);
		assert_string_equal(result->err, "");
		assert_true(result->out_length > 0);
		assert_string_equal(strchr(last_line(result->out), '\n'), "\n");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(fail_on_says_what_makes_the_status_1),
		SYS_TEST(a_usage_error_is_status_2_with_one_line_on_standard_error),
		SYS_TEST(a_bad_policy_is_status_2_with_its_position),
		SYS_TEST(a_filter_that_matches_nothing_is_status_2),
		SYS_TEST(kubernetes_off_is_accepted),
		SYS_TEST(a_private_pid_namespace_is_status_3_unless_it_is_meant),
		SYS_TEST(hidepid_is_status_3_for_whom_it_hides_from),
		SYS_TEST(findings_win_over_what_was_not_seen),
		SYS_TEST(the_table_says_why_it_is_not_complete),
		SYS_TEST(help_and_version_are_status_0),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
