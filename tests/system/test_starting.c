/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers that are being set up: the runtime's own stages hold the host's sets inside the
 * container's cgroup, and none of that is a finding.
 */
#include "sys.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Of the issue. Fewer by CAPAUDITD_TEST_STARTS, for a hurried developer. */
#define STARTS 200

static void a_created_container_is_starting_and_not_a_finding(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_create(sys, &(struct sys_spec){ 0 });

	for (int user = SYS_ROOT; user <= SYS_NOBODY; user++) {
		const struct sys_result *scan =
			sys_scan(sys, (enum sys_user)user, "--container", container->id, NULL);

		assert_int_equal(scan->status, 0);
		assert_int_equal(sys_finding_count(scan, container), 0);
		assert_int_equal(sys_number(scan->json, "coverage.starting"), 1);
		assert_non_null(sys_seen(scan, container));
	}
}

static void it_is_judged_once_it_has_started(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_create(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	const struct sys_result *scan = sys_scan(sys, SYS_ROOT, "--container", container->id, NULL);

	assert_int_equal(scan->status, 0);
	assert_int_equal(sys_finding_count(scan, container), 0);
	sys_start_created(sys, container);
	scan = sys_judged(sys, container,
		&(struct sys_expected){
			.verdict = "violation", .severity = "high", .findings = 1 });
	assert_int_equal(sys_number(scan->json, "coverage.starting"), 0);
}

static unsigned starts(void)
{
	const char *text = getenv("CAPAUDITD_TEST_STARTS");
	long number = text ? strtol(text, NULL, 10) : 0;

	return number > 0 ? (unsigned)number : STARTS;
}

/* Containers come and go as fast as runc can, every fifth with a process executed in it. */
static pid_t start_and_stop_many(struct sys *sys)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* The guard must not take us for the test program. */
	(void)close(sys->guard);
	if (getppid() != parent)
		_exit(1);
	for (unsigned i = 0; i < starts(); i++) {
		int status = sys_start_and_stop(sys, &(struct sys_spec){ 0 }, 1000 + i, i % 5 == 0);

		if (status != 0) {
			(void)fprintf(stderr, "runc: status %d at container %u\n", status, i);
			_exit(1);
		}
		sys_release_owned(sys);
	}
	_exit(0);
}

static void assert_nothing_said_of_ours(struct sys *sys, json_t *findings)
{
	json_t *item;
	size_t i;

	json_array_foreach(findings, i, item)
	{
		const char *id = sys_get(sys, item, "container.id");

		if (strncmp(id, sys->token, strlen(sys->token)) == 0)
			fail_msg("a finding of a container that drops ALL: %s; its process: %s",
				sys_get(sys, item, "message"), sys_get(sys, item, "process"));
	}
}

static void starts_and_stops_under_passes_back_to_back_give_no_finding(void **state)
{
	struct sys *sys = *state;
	struct sys_container *steady = sys_start(sys, &(struct sys_spec){ 0 });
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);
	unsigned scans = 0;

	sys_write_file(
		policy, "version: 1\nrun: { outputs: [stdout], interval: 1s, report: all }\n");
	struct sys_daemon *daemon = sys_run(sys, &(struct sys_daemon_options){ .policy = policy });
	pid_t pid = sys_adopt(sys, start_and_stop_many(sys));

	while (!sys_has_ended(sys, pid)) {
		/* The steady one, so that the filter always matches; the token is a prefix of all
		 * ids. */
		const struct sys_result *scan = sys_scan(
			sys, scans % 2 ? SYS_NOBODY : SYS_ROOT, "--container", sys->token, NULL);

		assert_nothing_said_of_ours(sys, json_object_get(scan->json, "findings"));
		assert_int_equal(scan->status, 0);
		assert_string_equal(scan->err, "");
		assert_non_null(sys_seen(scan, steady));
		assert_string_equal(sys_get(sys, scan->json, "coverage.complete"), "true");
		sys_daemon_signal(daemon, SIGUSR1);
		scans++;
	}
	assert_int_equal(sys_wait(sys, pid), 0);
	print_message("%u scans during %u starts\n", scans, starts());
	assert_nothing_said_of_ours(sys, sys_daemon_lines(daemon));
	assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
	assert_nothing_said_of_ours(sys, sys_daemon_lines(daemon));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(a_created_container_is_starting_and_not_a_finding),
		SYS_TEST(it_is_judged_once_it_has_started),
		SYS_TEST(starts_and_stops_under_passes_back_to_back_give_no_finding),
	};

	return sys_with_both_engines(tests);
}
