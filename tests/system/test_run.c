/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon: what it reports over a container's life, what it keeps of its privileges, how it
 * obeys signals. Its interval is an hour unless a test is about it, so that nothing but what is
 * tested can make a pass.
 */
#include "sys.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static struct sys_daemon *start_daemon(struct sys *sys, const char *run, enum sys_user user)
{
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);

	sys_need_containers(sys);
	sys_write_file(policy, sys_print(sys, "version: 1\nrun: { outputs: [stdout], %s }\n", run));
	return sys_run(sys, &(struct sys_daemon_options){ .policy = policy, .user = user });
}

static const char hourly[] = "interval: 1h";
static const struct sys_spec violation = { .capabilities = SYS_SYS_ADMIN };

/* A pass has been made since the call when a new violation is reported. */
static void make_a_pass(struct sys *sys, struct sys_daemon *daemon)
{
	struct sys_container *marker = sys_start(sys, &violation);
	size_t from = 0;

	sys_daemon_signal(daemon, SIGUSR1);
	(void)sys_daemon_wait(daemon, &from, marker, "opened");
	sys_stop(sys, marker);
}

static void what_is_there_at_the_start_is_opened(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &violation);
	struct sys_daemon *daemon = start_daemon(sys, hourly, SYS_ROOT);
	size_t from = 0;
	json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");

	assert_string_equal(sys_get(sys, finding, "schema"), "capauditd.finding/v1");
	assert_string_equal(sys_get(sys, finding, "verdict"), "violation");
	assert_string_equal(sys_get(sys, finding, "class"), "posture");
	assert_string_equal(sys_get(sys, finding, "severity"), "high");
	assert_string_equal(sys_get(sys, finding, "resolved_reason"), "null");
}

/* Long before the interval: its cgroup is seen to appear. */
static void a_new_container_is_noticed_at_once(void **state)
{
	struct sys *sys = *state;

	for (int user = SYS_ROOT; user <= SYS_NOBODY; user++) {
		struct sys_daemon *daemon = start_daemon(sys, hourly, (enum sys_user)user);
		struct sys_container *container = sys_start(sys, &violation);
		size_t from = 0;

		(void)sys_daemon_wait(daemon, &from, container, "opened");
		assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
		sys_daemon_free(daemon);
	}
}

static void an_unchanged_finding_is_not_repeated(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &violation);
	struct sys_daemon *daemon = start_daemon(sys, hourly, SYS_ROOT);
	size_t from = 0;

	(void)sys_daemon_wait(daemon, &from, container, "opened");
	for (int i = 0; i < 3; i++)
		make_a_pass(sys, daemon);
	assert_int_equal(sys_daemon_said(daemon, container), 1);
}

static void a_finding_is_resolved_when_its_container_ends(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &violation);
	struct sys_daemon *daemon = start_daemon(sys, hourly, SYS_ROOT);
	size_t from = 0;
	json_t *opened = sys_daemon_wait(daemon, &from, container, "opened");
	struct sys_container known = *container;

	sys_stop(sys, container);
	sys_daemon_signal(daemon, SIGUSR1);
	json_t *resolved = sys_daemon_wait(daemon, &from, &known, "resolved");
	assert_string_equal(sys_get(sys, resolved, "resolved_reason"), "exited");
	assert_string_equal(sys_get(sys, resolved, "id"), sys_get(sys, opened, "id"));
	assert_string_equal(
		sys_get(sys, resolved, "first_seen"), sys_get(sys, opened, "first_seen"));
}

static void what_a_process_dropped_is_resolved_after_a_while(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ 0 });
	pid_t pid = sys_exec(sys, container, sys->all, NULL);
	struct sys_daemon *daemon = start_daemon(sys, "interval: 1s, resolveAfter: 2s", SYS_ROOT);
	size_t from = 0;

	(void)sys_daemon_wait(daemon, &from, container, "opened");
	(void)kill(pid, SIGKILL);
	sys_reap(sys);
	json_t *resolved = sys_daemon_wait(daemon, &from, container, "resolved");
	assert_string_equal(sys_get(sys, resolved, "class"), "drift");
}

static void tolerated_findings_are_reported_on_demand(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_DEFAULT_SET });
	struct sys_daemon *daemon = start_daemon(sys, hourly, SYS_ROOT);
	size_t from = 0;

	make_a_pass(sys, daemon);
	assert_int_equal(sys_daemon_said(daemon, container), 0);
	assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
	sys_daemon_free(daemon);

	daemon = start_daemon(sys, "interval: 1h, report: all", SYS_ROOT);
	json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, finding, "verdict"), "tolerated");
}

static void a_process_executed_later_is_drift(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ 0 });
	struct sys_daemon *daemon = start_daemon(sys, "interval: 1s", SYS_ROOT);
	size_t from = 0;
	pid_t pid = sys_exec(sys, container, sys->all, NULL);
	json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");

	assert_string_equal(sys_get(sys, finding, "class"), "drift");
	assert_string_equal(sys_get(sys, finding, "severity"), "critical");
	assert_int_equal(sys_number(finding, "process.pid"), pid);
}

/* What a process was attributed to sticks to it. */
static void a_process_that_leaves_its_container_is_moved(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_NET_BIND_SERVICE });
	struct sys_daemon *daemon = start_daemon(sys, hourly, SYS_ROOT);
	char *elsewhere = sys_print(sys, "%s/elsewhere", sys->harness_cgroup);
	size_t from = 0;

	make_a_pass(sys, daemon);
	assert_int_equal(sys_daemon_said(daemon, container), 0);
	sys_cgroup_remember(sys, elsewhere);
	assert_true(sys_cgroup_make(sys, elsewhere) > 0);
	assert_true(sys_cgroup_move(sys, elsewhere, container->pid) > 0);
	sys_daemon_signal(daemon, SIGUSR1);
	json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, finding, "class"), "drift");
	assert_string_equal(sys_get(sys, finding, "verdict"), "violation");
	assert_true(sys_has_hint(finding, "moved"));
	assert_int_equal(sys_number(finding, "process.pid"), container->pid);
	/* And it stays with its container, pass after pass. */
	make_a_pass(sys, daemon);
	assert_int_equal(sys_daemon_said(daemon, container), 1);
	sys_cgroup_remove(sys, elsewhere);
}

static const char *status_line(struct sys *sys, const char *text, const char *name)
{
	const char *line = strstr(text, name);

	if (!line)
		fail_msg("no %s in %s", name, text);
	line += strlen(name);
	line += strspn(line, ":\t ");
	return sys_print(sys, "%.*s", (int)strcspn(line, "\n"), line);
}

static void after_its_start_it_has_no_privilege_left(void **state)
{
	static const char none[] = "0000000000000000";
	struct sys *sys = *state;

	for (int user = SYS_ROOT; user <= SYS_NOBODY; user++) {
		struct sys_daemon *daemon = start_daemon(sys, hourly, (enum sys_user)user);
		char *text = sys_read_file(
			sys_print(sys, "/proc/%d/status", (int)sys_daemon_pid(daemon)));

		sys_own(sys, text, free);
		assert_string_equal(status_line(sys, text, "CapEff"), none);
		assert_string_equal(status_line(sys, text, "CapPrm"), none);
		assert_string_equal(status_line(sys, text, "CapInh"), none);
		assert_string_equal(status_line(sys, text, "CapAmb"), none);
		/* Root may drop its bounding set (CAP_SETPCAP), and nobody's is empty already. */
		assert_string_equal(status_line(sys, text, "CapBnd"), none);
		assert_string_equal(status_line(sys, text, "NoNewPrivs"), "1");
		assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
		sys_daemon_free(daemon);
	}
}

/* Each feature that the other tests try is tried under it; sys_daemon_free() looks whether it was
 * refused anything. */
static void once_it_has_started_its_system_calls_are_filtered(void **state)
{
	struct sys *sys = *state;

	for (int user = SYS_ROOT; user <= SYS_NOBODY; user++) {
		struct sys_daemon *daemon = start_daemon(sys, hourly, (enum sys_user)user);
		const bool has_none = strstr(sys_daemon_errors(daemon),
			"capauditd: No filter of system calls: this build has none.");
		char *text = sys_read_file(
			sys_print(sys, "/proc/%d/status", (int)sys_daemon_pid(daemon)));

		sys_own(sys, text, free);
		assert_string_equal(status_line(sys, text, "Seccomp"), has_none ? "0" : "2");
		if (has_none)
			print_message("not shown: this build has no filter\n");
		assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
		sys_daemon_free(daemon);
	}
}

static void sigterm_and_sigint_end_it_with_status_0(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT };
	struct sys *sys = *state;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sys_daemon *daemon = start_daemon(sys, hourly, SYS_ROOT);

		assert_int_equal(sys_daemon_stop(daemon, signals[i]), 0);
		sys_daemon_notified(daemon, "STOPPING=1");
		sys_daemon_free(daemon);
	}
}

static void it_tells_systemd_its_status(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "interval: 1s", SYS_ROOT);

	sys_daemon_notified(daemon, "STATUS=");
}

static void a_reader_that_went_away_does_not_end_it(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, hourly, SYS_ROOT);

	sys_daemon_close_output(daemon);
	struct sys_container *container = sys_start(sys, &violation);
	for (int i = 0; i < 3; i++)
		sys_daemon_signal(daemon, SIGUSR1);
	assert_true(container->pid > 0);
	assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
}

/* Between passes nothing but the loop's own turning feeds it. */
static void the_watchdog_is_fed_while_nobody_takes_findings(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon;

	assert_int_equal(setenv("WATCHDOG_USEC", "600000", 1), 0);
	daemon = start_daemon(sys, hourly, SYS_ROOT);
	assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
	sys_daemon_close_output(daemon);
	(void)sys_start(sys, &violation);
	sys_daemon_signal(daemon, SIGUSR1);
	sys_daemon_notified(daemon, "STATUS=");
	for (int i = 0; i < 10; i++)
		sys_daemon_notified(daemon, "WATCHDOG=1");
	assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(what_is_there_at_the_start_is_opened),
		SYS_TEST(a_new_container_is_noticed_at_once),
		SYS_TEST(an_unchanged_finding_is_not_repeated),
		SYS_TEST(a_finding_is_resolved_when_its_container_ends),
		SYS_TEST(what_a_process_dropped_is_resolved_after_a_while),
		SYS_TEST(tolerated_findings_are_reported_on_demand),
		SYS_TEST(a_process_executed_later_is_drift),
		SYS_TEST(a_process_that_leaves_its_container_is_moved),
		SYS_TEST(after_its_start_it_has_no_privilege_left),
		SYS_TEST(once_it_has_started_its_system_calls_are_filtered),
		SYS_TEST(sigterm_and_sigint_end_it_with_status_0),
		SYS_TEST(it_tells_systemd_its_status),
		SYS_TEST(a_reader_that_went_away_does_not_end_it),
		SYS_TEST(the_watchdog_is_fed_while_nobody_takes_findings),
	};

	return sys_with_both_engines(tests);
}
