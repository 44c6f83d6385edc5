/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers by runc with telling capability sets, judged by the built-in profile baseline unless a
 * test says otherwise; as root and as uid 65534 without any capability.
 */
#include "sys.h"

static void an_untouched_default_set_is_tolerated(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_DEFAULT_SET });
	const char *names = sys_names(sys, SYS_DEFAULT_SET);
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .level = "baseline",
			.verdict = "tolerated",
			.class = "null",
			.severity = "null",
			.held = names,
			.bounding = names,
			.processes = 1,
			.findings = 1 });
	json_t *finding = sys_finding(scan, container, "posture");

	assert_string_equal(sys_get(sys, sys_seen(scan, container), "advice"), "drop-all");
	assert_string_equal(sys_get(sys, finding, "verdict"), "tolerated");
	assert_string_equal(sys_get(sys, finding, "severity"), "null");
	assert_string_equal(sys_get(sys, finding, "reach"), "effective");
	assert_string_equal(sys_get(sys, finding, "excess.effective"), "NET_RAW");
	assert_string_equal(sys_get(sys, finding, "excess.permitted"), "NET_RAW");
	assert_string_equal(sys_get(sys, finding, "excess.bounding"), "NET_RAW");
	assert_string_equal(sys_get(sys, finding, "process.capabilities.bounding"), "0xa80425fb");
}

static void an_untouched_default_set_violates_restricted(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_DEFAULT_SET });
	const struct sys_result *scan = sys_scan(
		sys, SYS_ROOT, "--container", container->id, "--profile", "restricted", NULL);
	json_t *finding = sys_finding(scan, container, "posture");

	assert_int_equal(scan->status, 1);
	assert_string_equal(sys_get(sys, finding, "verdict"), "violation");
	assert_string_equal(sys_get(sys, finding, "profile.name"), "restricted");
	assert_string_equal(sys_get(sys, finding, "profile.source"), "command-line");
	assert_string_equal(sys_get(sys, finding, "excess.effective"),
		sys_names(sys, SYS_DEFAULT_SET & ~SYS_NET_BIND_SERVICE));
	assert_string_equal(sys_get(sys, sys_seen(scan, container), "level"), "baseline");
}

static void baseline_strict_tolerates_nothing(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_DEFAULT_SET });
	const struct sys_result *scan = sys_scan(
		sys, SYS_ROOT, "--container", container->id, "--profile", "baseline-strict", NULL);

	assert_int_equal(scan->status, 1);
	assert_string_equal(sys_get(sys, sys_seen(scan, container), "verdict"), "violation");
	/* Outside baseline and effective is high; posture is one step lower. */
	assert_string_equal(sys_get(sys, sys_seen(scan, container), "severity"), "medium");
}

static void drop_all_is_compliant_and_restricted(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ 0 });
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .level = "restricted",
			.verdict = "compliant",
			.class = "null",
			.severity = "null",
			.held = "",
			.bounding = "",
			.processes = 1,
			.findings = 0 });

	assert_string_equal(sys_get(sys, sys_seen(scan, container), "advice"), "");
	scan = sys_scan(
		sys, SYS_NOBODY, "--container", container->id, "--profile", "restricted", NULL);
	assert_int_equal(scan->status, 0);
}

static void net_bind_service_as_uid_1000_satisfies_restricted(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys,
		&(struct sys_spec){
			.capabilities = SYS_NET_BIND_SERVICE, .uid = 1000, .no_new_privs = true });

	/* Granted, and lost by the exec of a user who is not root: only the bounding set keeps it.
	 */
	(void)sys_judged(sys, container,
		&(struct sys_expected){ .level = "restricted",
			.verdict = "compliant",
			.held = "",
			.bounding = "NET_BIND_SERVICE",
			.findings = 0 });
	assert_int_equal(sys_scan(sys, SYS_ROOT, "--container", container->id, "--profile",
				 "restricted", NULL)
				 ->status,
		0);
}

static void a_privileged_container_is_a_violation(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = sys->all });
	const char *names = sys_names(sys, sys->all);
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .level = "privileged",
			.verdict = "violation",
			.class = "posture",
			.severity = "high",
			.held = names,
			.bounding = names,
			.findings = 1 });
	json_t *finding = sys_finding(scan, container, "posture");
	uint64_t baseline = SYS_DEFAULT_SET & ~SYS_NET_RAW;

	/* NET_RAW is tolerated, and so no part of the violation. */
	assert_string_equal(sys_get(sys, finding, "excess.effective"),
		sys_names(sys, sys->all & ~baseline & ~SYS_NET_RAW));
	assert_string_equal(sys_get(sys, finding, "container.runtime"), "unknown-cri");
	assert_string_equal(sys_get(sys, finding, "origin.SYS_ADMIN"), "unknown");
	assert_true(sys_has_hint(finding, "ape-has-no-effect"));
}

static void the_same_satisfies_profile_privileged(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = sys->all });
	const struct sys_result *scan = sys_scan(
		sys, SYS_ROOT, "--container", container->id, "--profile", "privileged", NULL);

	assert_int_equal(scan->status, 0);
	assert_string_equal(sys_get(sys, sys_seen(scan, container), "verdict"), "compliant");
	assert_string_equal(sys_get(sys, sys_seen(scan, container), "level"), "privileged");
	assert_int_equal(sys_finding_count(scan, container), 0);
}

static void sys_admin_added_is_a_violation_with_its_hints(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(
		sys, &(struct sys_spec){ .capabilities = SYS_DEFAULT_SET | SYS_SYS_ADMIN });
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .level = "privileged",
			.verdict = "violation",
			.class = "posture",
			.severity = "high",
			.findings = 1 });
	json_t *finding = sys_finding(scan, container, "posture");

	assert_string_equal(sys_get(sys, finding, "excess.effective"), "SYS_ADMIN");
	assert_string_equal(sys_get(sys, finding, "excess.permitted"), "SYS_ADMIN");
	assert_string_equal(sys_get(sys, finding, "excess.bounding"), "SYS_ADMIN");
	assert_string_equal(sys_get(sys, finding, "reach"), "effective");
	assert_true(sys_has_hint(finding, "ape-has-no-effect"));
	assert_true(sys_has_hint(finding, "narrower-capability"));
	assert_string_equal(sys_get(sys, finding, "process.uid"), "0");
	assert_int_equal(sys_number(finding, "process.pid"), container->pid);
	assert_int_equal(sys_number(finding, "process.tid"), container->pid);
	assert_string_equal(sys_get(sys, finding, "process.exe"), "/bin/inside");
	/* Arguments carry secrets. */
	assert_string_equal(sys_get(sys, finding, "process.cmdline"), "/bin/inside");
	assert_string_equal(sys_get(sys, finding, "process.comm"), "inside");
}

static void a_bounding_set_alone_is_an_excess_that_could_be_gained(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(
		sys, &(struct sys_spec){
			     .capabilities = 0, .bounding_only = SYS_SYS_ADMIN, .uid = 1000 });
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .level = "privileged",
			.verdict = "violation",
			.class = "posture",
			.severity = "medium",
			.held = "",
			.bounding = "SYS_ADMIN",
			.findings = 1 });
	json_t *finding = sys_finding(scan, container, "posture");

	assert_string_equal(sys_get(sys, finding, "reach"), "bounding");
	assert_string_equal(sys_get(sys, finding, "excess.effective"), "");
	assert_string_equal(sys_get(sys, finding, "excess.bounding"), "SYS_ADMIN");
	assert_non_null(strstr(sys_get(sys, finding, "message"), "could gain SYS_ADMIN"));
}

static void no_new_privs_makes_it_less_severe(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(
		sys, &(struct sys_spec){
			     .bounding_only = SYS_SYS_ADMIN, .uid = 1000, .no_new_privs = true });
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .verdict = "violation", .severity = "low", .findings = 1 });

	assert_string_equal(
		sys_get(sys, sys_finding(scan, container, NULL), "controls.no_new_privs"), "true");
}

static void controls_are_shown(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(
		sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN, .seccomp = true });
	struct sys_container *other =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	const struct sys_expected expected = { .verdict = "violation", .findings = 1 };
	json_t *finding = sys_finding(sys_judged(sys, container, &expected), container, NULL);
	json_t *bare = sys_finding(sys_judged(sys, other, &expected), other, NULL);

	assert_string_equal(sys_get(sys, finding, "controls.seccomp"), "filter");
	assert_string_equal(sys_get(sys, bare, "controls.seccomp"), "disabled");
	assert_string_equal(sys_get(sys, bare, "controls.no_new_privs"), "false");
	assert_string_equal(sys_get(sys, bare, "controls.user_namespace"), "false");
}

static void net_admin_is_worse_in_the_network_namespace_of_the_host(void **state)
{
	struct sys *sys = *state;
	struct sys_container *own =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_NET_ADMIN });
	struct sys_container *shared = sys_start(
		sys, &(struct sys_spec){ .capabilities = SYS_NET_ADMIN, .host_network = true });
	const struct sys_result *scan =
		sys_scan(sys, SYS_ROOT, "--container", own->id, "--container", shared->id, NULL);

	assert_string_equal(sys_get(sys, sys_finding(scan, own, NULL), "severity"), "medium");
	assert_string_equal(
		sys_get(sys, sys_finding(scan, own, NULL), "host_namespaces"), "cgroup");
	assert_string_equal(sys_get(sys, sys_finding(scan, shared, NULL), "severity"), "high");
	assert_string_equal(
		sys_get(sys, sys_finding(scan, shared, NULL), "host_namespaces"), "net cgroup");
	/* nobody cannot know it, and still sees the violation. */
	scan = sys_scan(sys, SYS_NOBODY, "--container", shared->id, NULL);
	assert_string_equal(sys_get(sys, sys_seen(scan, shared), "verdict"), "violation");
}

/* The same verdict, without the executable and the namespace's number; and it says so. */
static void nobody_says_what_could_not_be_read(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	const struct sys_result *scan =
		sys_scan(sys, SYS_NOBODY, "--container", container->id, NULL);
	json_t *finding = sys_finding(scan, container, NULL);
	const struct sys_result *table = sys_capauditd(sys, SYS_NOBODY, "scan", "--policy", "none",
		"--host-root", sys->host_root, "--container", container->id, NULL);

	assert_int_equal(scan->status, 1);
	assert_string_equal(sys_get(sys, finding, "process.exe"), "null");
	assert_string_equal(sys_get(sys, finding, "process.user_namespace.inode"), "null");
	assert_string_equal(sys_get(sys, finding, "process.user_namespace.initial"), "true");
	assert_string_equal(sys_get(sys, finding, "process.cmdline"), "/bin/inside");
	/* Sets and cgroups are what an audit needs, and they were read. */
	assert_string_equal(sys_get(sys, scan->json, "coverage.complete"), "true");
	assert_int_equal(table->status, 1);
	assert_non_null(strstr(table->out, "1 executable could not be read"));
}

static void processes_with_the_same_excess_are_one_finding(void **state)
{
	static const char *const argv[] = { "/bin/inside", "family", "4", NULL };
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN, .argv = argv });
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .verdict = "violation", .processes = 5, .findings = 1 });

	assert_int_equal(sys_number(sys_finding(scan, container, NULL), "count"), 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(an_untouched_default_set_is_tolerated),
		SYS_TEST(an_untouched_default_set_violates_restricted),
		SYS_TEST(baseline_strict_tolerates_nothing),
		SYS_TEST(drop_all_is_compliant_and_restricted),
		SYS_TEST(net_bind_service_as_uid_1000_satisfies_restricted),
		SYS_TEST(a_privileged_container_is_a_violation),
		SYS_TEST(the_same_satisfies_profile_privileged),
		SYS_TEST(sys_admin_added_is_a_violation_with_its_hints),
		SYS_TEST(a_bounding_set_alone_is_an_excess_that_could_be_gained),
		SYS_TEST(no_new_privs_makes_it_less_severe),
		SYS_TEST(controls_are_shown),
		SYS_TEST(net_admin_is_worse_in_the_network_namespace_of_the_host),
		SYS_TEST(nobody_says_what_could_not_be_read),
		SYS_TEST(processes_with_the_same_excess_are_one_finding),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
