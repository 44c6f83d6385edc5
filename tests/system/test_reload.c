/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A changed policy under a running daemon: by signal, by itself, through the symlink swap with
 * which the kubelet updates a mounted ConfigMap; and a bad one, which never replaces a good one.
 */
#include "sys_http.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define HEAD	"version: 1\nrun: { outputs: [stdout], interval: 1h }\n"
#define STRICT	HEAD "defaultProfile: baseline\n"
#define LENIENT HEAD "defaultProfile: privileged\n"
#define BAD	HEAD "defaultProfile: [no, profile]\n"

static const struct sys_spec violation = { .capabilities = SYS_SYS_ADMIN };

static void replace(struct sys *sys, const char *path, const char *text)
{
	char *beside = sys_print(sys, "%s.new", path);

	sys_write_file(beside, text);
	if (rename(beside, path) != 0)
		fail_msg("%s: %s", path, strerror(errno));
}

static void sighup_takes_a_changed_policy(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &violation);
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);
	size_t from = 0;

	sys_write_file(policy, STRICT);
	struct sys_daemon *daemon = sys_run(sys, &(struct sys_daemon_options){ .policy = policy });
	(void)sys_daemon_wait(daemon, &from, container, "opened");
	sys_write_file(policy, LENIENT);
	sys_daemon_signal(daemon, SIGHUP);
	json_t *resolved = sys_daemon_wait(daemon, &from, container, "resolved");
	assert_string_equal(sys_get(sys, resolved, "resolved_reason"), "policy");
	sys_write_file(policy, STRICT);
	sys_daemon_signal(daemon, SIGHUP);
	(void)sys_daemon_wait(daemon, &from, container, "opened");
}

/* As Type=notify-reload wants it. */
static void systemd_is_told_of_a_reload(void **state)
{
	struct sys *sys = *state;
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);

	sys_need_containers(sys);
	sys_write_file(policy, STRICT);
	struct sys_daemon *daemon = sys_run(sys, &(struct sys_daemon_options){ .policy = policy });
	sys_daemon_signal(daemon, SIGHUP);
	sys_daemon_notified(daemon, "RELOADING=1");
	sys_daemon_notified(daemon, "READY=1");
}

static void a_policy_that_changes_is_taken_without_being_told(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &violation);
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);
	size_t from = 0;

	sys_write_file(policy, STRICT);
	struct sys_daemon *daemon = sys_run(sys, &(struct sys_daemon_options){ .policy = policy });
	(void)sys_daemon_wait(daemon, &from, container, "opened");
	/* In place, as some editors do it; then replaced, as others do. */
	sys_write_file(policy, LENIENT);
	(void)sys_daemon_wait(daemon, &from, container, "resolved");
	replace(sys, policy, STRICT);
	(void)sys_daemon_wait(daemon, &from, container, "opened");
	replace(sys, policy, LENIENT);
	(void)sys_daemon_wait(daemon, &from, container, "resolved");
}

/* Nothing of a bundle is needed to see it: what is in use has a metric. */
static void other_bundles_are_looked_for_after_a_reload(void **state)
{
	static const char metric[] = "capauditd_source_up{source=\"bundles\"}";
	struct sys *sys = *state;
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);
	const unsigned port = http_free_port();
	const char *const argv[] = { "--metrics", sys_print(sys, "127.0.0.1:%u", port), NULL };

	sys_need_containers(sys);
	sys_write_file(policy, "version: 1\nrun: { outputs: [stdout], bundles: off }\n");
	struct sys_daemon *daemon =
		sys_run(sys, &(struct sys_daemon_options){ .policy = policy, .argv = argv });
	assert_true(http_metric(http_body(http_get_tcp(sys, port, "/metrics")), metric) < 0);
	sys_write_file(
		policy, "version: 1\nrun: { outputs: [stdout], bundles: [/run/of-a-test] }\n");
	sys_daemon_signal(daemon, SIGHUP);
	sys_daemon_notified(daemon, "RELOADING=1");
	sys_daemon_notified(daemon, "READY=1");
	assert_true(http_metric(http_body(http_get_tcp(sys, port, "/metrics")), metric) == 1);
}

/* ..data -> ..2026_1; policy.yaml -> ..data/policy.yaml; ..data is replaced by rename. */
static void publish(struct sys *sys, const char *volume, const char *version, const char *text)
{
	char *folder = sys_print(sys, "%s/%s", volume, version);
	char *next = sys_print(sys, "%s/..data_tmp", volume),
	     *data = sys_print(sys, "%s/..data", volume);

	sys_make_directories(folder);
	sys_write_file(sys_print(sys, "%s/policy.yaml", folder), text);
	if (symlink(version, next) != 0 || rename(next, data) != 0)
		fail_msg("%s: %s", data, strerror(errno));
}

static void retire(struct sys *sys, const char *volume, const char *version)
{
	(void)unlink(sys_print(sys, "%s/%s/policy.yaml", volume, version));
	(void)rmdir(sys_print(sys, "%s/%s", volume, version));
}

static void the_symlink_swap_of_a_config_map_is_noticed(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &violation);
	char *volume = sys_print(sys, "%s/volume", sys->directory);
	char *policy = sys_print(sys, "%s/policy.yaml", volume);
	size_t from = 0;

	publish(sys, volume, "..2026_1", STRICT);
	if (symlink("..data/policy.yaml", policy) != 0)
		fail_msg("%s: %s", policy, strerror(errno));
	struct sys_daemon *daemon = sys_run(sys, &(struct sys_daemon_options){ .policy = policy });
	(void)sys_daemon_wait(daemon, &from, container, "opened");
	publish(sys, volume, "..2026_2", LENIENT);
	retire(sys, volume, "..2026_1");
	(void)sys_daemon_wait(daemon, &from, container, "resolved");
	publish(sys, volume, "..2026_3", STRICT);
	retire(sys, volume, "..2026_2");
	(void)sys_daemon_wait(daemon, &from, container, "opened");
}

static void a_bad_policy_keeps_the_old_one_and_is_said(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &violation);
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);
	size_t from = 0;

	sys_write_file(policy, STRICT);
	struct sys_daemon *daemon = sys_run(sys, &(struct sys_daemon_options){ .policy = policy });
	(void)sys_daemon_wait(daemon, &from, container, "opened");
	sys_write_file(policy, BAD);
	sys_daemon_signal(daemon, SIGHUP);
	sys_daemon_notified(daemon, "RELOADING=1");
	sys_daemon_notified(daemon, "READY=1");
	/* The old one is still in force: a new violation is one. */
	struct sys_container *other = sys_start(sys, &violation);
	size_t from_start = 0;
	(void)sys_daemon_wait(daemon, &from_start, other, "opened");
	assert_int_equal(sys_daemon_said(daemon, container), 1);
	assert_non_null(strstr(sys_daemon_errors(daemon), sys_print(sys, "%s:3:", policy)));
	/* And a good one still replaces it. */
	sys_write_file(policy, LENIENT);
	sys_daemon_signal(daemon, SIGHUP);
	(void)sys_daemon_wait(daemon, &from, container, "resolved");
}

static void a_policy_that_vanishes_keeps_the_old_one(void **state)
{
	struct sys *sys = *state;
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);
	size_t from = 0;

	sys_need_containers(sys);
	sys_write_file(policy, STRICT);
	struct sys_daemon *daemon = sys_run(sys, &(struct sys_daemon_options){ .policy = policy });
	(void)unlink(policy);
	sys_daemon_signal(daemon, SIGHUP);
	sys_daemon_notified(daemon, "RELOADING=1");
	sys_daemon_notified(daemon, "READY=1");
	struct sys_container *container = sys_start(sys, &violation);
	(void)sys_daemon_wait(daemon, &from, container, "opened");
	assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
}

static void what_a_reload_cannot_take_is_said(void **state)
{
	struct sys *sys = *state;
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);

	sys_need_containers(sys);
	sys_write_file(policy, "version: 1\nrun: { outputs: [stdout], interval: 1h }\n");
	struct sys_daemon *daemon = sys_run(sys, &(struct sys_daemon_options){ .policy = policy });
	sys_write_file(policy,
		"version: 1\nrun: { outputs: [stdout], interval: 1h, state: /somewhere/else }\n");
	sys_daemon_signal(daemon, SIGHUP);
	sys_daemon_notified(daemon, "RELOADING=1");
	sys_daemon_notified(daemon, "READY=1");
	assert_non_null(strstr(sys_daemon_errors(daemon), "state"));
}

static void a_bad_policy_at_the_start_is_status_2(void **state)
{
	struct sys *sys = *state;
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);

	sys_write_file(policy, BAD);
	const struct sys_result *result =
		sys_capauditd(sys, SYS_NOBODY, "run", "--policy", policy, NULL);

	assert_int_equal(result->status, 2);
	assert_string_equal(result->out, "");
	assert_non_null(strstr(result->err, sys_print(sys, "%s:3:17:", policy)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(sighup_takes_a_changed_policy),
		SYS_TEST(systemd_is_told_of_a_reload),
		SYS_TEST(a_policy_that_changes_is_taken_without_being_told),
		SYS_TEST(other_bundles_are_looked_for_after_a_reload),
		SYS_TEST(the_symlink_swap_of_a_config_map_is_noticed),
		SYS_TEST(a_bad_policy_keeps_the_old_one_and_is_said),
		SYS_TEST(a_policy_that_vanishes_keeps_the_old_one),
		SYS_TEST(what_a_reload_cannot_take_is_said),
		SYS_TEST(a_bad_policy_at_the_start_is_status_2),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
