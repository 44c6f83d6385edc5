/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is more than a process with a parent and one user namespace: threads, drift, namespaces.
 */
#include "sys.h"

#include <signal.h>

static void a_thread_with_more_than_its_leader_is_found_and_named(void **state)
{
	static const char *const argv[] = { "/bin/inside", "thread", NULL };
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN, .argv = argv });
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .level = "privileged",
			.verdict = "violation",
			.class = "posture",
			.severity = "high",
			.held = "SYS_ADMIN",
			.processes = 1,
			.findings = -1 });
	json_t *item, *worst = NULL;
	size_t i;

	/* The leader's bounding set exceeds as well; the thread's finding is the one that reaches.
	 */
	json_array_foreach(json_object_get(scan->json, "findings"), i, item)
	{
		if (sys_is_of(item, "container", container) &&
			strcmp(sys_get(sys, item, "reach"), "effective") == 0)
			worst = item;
	}
	assert_non_null(worst);
	assert_int_equal(sys_number(worst, "process.pid"), container->pid);
	assert_int_equal(sys_number(worst, "process.tid"), sys_other_thread(container->pid));
	assert_string_equal(sys_get(sys, worst, "process.capabilities.effective"), "0x200000");
	assert_true(sys_has_hint(worst, "thread"));
}

static void a_zombie_leader_with_a_living_thread_is_a_living_process(void **state)
{
	static const char *const argv[] = { "/bin/inside", "zombie", NULL };
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN, .argv = argv });
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .level = "privileged",
			.verdict = "violation",
			.severity = "high",
			.held = "SYS_ADMIN",
			.processes = 1,
			.findings = 1 });
	json_t *finding = sys_finding(scan, container, "posture");

	assert_int_equal(sys_number(finding, "process.pid"), container->pid);
	assert_int_equal(sys_number(finding, "process.tid"), sys_other_thread(container->pid));
}

static void a_process_executed_with_all_capabilities_is_drift(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ 0 });
	pid_t pid = sys_exec(sys, container, sys->all, NULL);
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .level = "privileged",
			.verdict = "violation",
			.class = "drift",
			.severity = "critical",
			.processes = 2,
			.findings = 1 });
	json_t *finding = sys_finding(scan, container, "drift");

	assert_int_equal(sys_number(finding, "process.pid"), pid);
	assert_int_equal(sys_number(finding, "count"), 1);
	assert_string_equal(sys_get(sys, finding, "origin.SYS_ADMIN"), "exec");
	assert_string_equal(sys_get(sys, finding, "excess.effective"), sys_names(sys, sys->all));
}

static void drift_is_judged_under_profile_privileged_too(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_DEFAULT_SET });

	(void)sys_exec(sys, container, SYS_DEFAULT_SET | SYS_SYS_ADMIN, NULL);
	const struct sys_result *scan = sys_scan(
		sys, SYS_ROOT, "--container", container->id, "--profile", "privileged", NULL);
	json_t *finding = sys_finding(scan, container, "drift");

	assert_int_equal(scan->status, 1);
	assert_int_equal(sys_finding_count(scan, container), 1);
	assert_string_equal(sys_get(sys, finding, "excess.effective"), "SYS_ADMIN");
	assert_string_equal(sys_get(sys, finding, "severity"), "critical");
}

static void a_process_executed_with_what_the_container_has_is_no_drift(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_DEFAULT_SET });

	(void)sys_exec(sys, container, SYS_DEFAULT_SET, NULL);
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .verdict = "tolerated", .processes = 2, .findings = 1 });
	assert_null(sys_finding(scan, container, "drift"));
	assert_int_equal(sys_number(sys_finding(scan, container, "posture"), "count"), 2);
}

static void child_user_namespaces_in_a_container_are_one_low_finding(void **state)
{
	static const char *const argv[] = { "/bin/inside", "nested", "4", NULL };
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .argv = argv, .uid = 1000 });
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .level = "restricted",
			.class = "posture",
			.severity = "low",
			.held = "",
			.bounding = "",
			.processes = 5,
			.findings = 1 });
	json_t *finding = sys_finding(scan, container, "posture");

	assert_int_equal(sys_number(finding, "count"), 4);
	assert_true(sys_has_hint(finding, "nested-user-namespace"));
	assert_string_equal(sys_get(sys, finding, "process.user_namespace.initial"), "false");
	assert_int_not_equal(sys_number(finding, "process.pid"), container->pid);
}

static void a_container_in_its_own_user_namespace_is_medium_at_most(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(
		sys, &(struct sys_spec){ .capabilities = sys->all, .user_namespace = true });
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .level = "privileged",
			.verdict = "violation",
			.class = "posture",
			.severity = "medium",
			.findings = 1 });
	json_t *finding = sys_finding(scan, container, "posture");

	assert_string_equal(sys_get(sys, finding, "process.user_namespace.initial"), "false");
	assert_string_equal(sys_get(sys, finding, "controls.user_namespace"), "true");
}

static void who_enters_it_from_the_user_namespace_of_the_host_is_drift(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(
		sys, &(struct sys_spec){ .capabilities = SYS_DEFAULT_SET, .user_namespace = true });
	pid_t pid = sys_enter(sys, container);
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .verdict = "violation",
			.class = "drift",
			.severity = "critical",
			.processes = 2,
			.findings = -1 });
	json_t *finding = sys_finding(scan, container, "drift");

	assert_int_equal(sys_number(finding, "process.pid"), pid);
	assert_true(sys_has_hint(finding, "left-user-namespace"));
	assert_string_equal(sys_get(sys, finding, "process.user_namespace.initial"), "true");
}

static void a_pid_namespace_without_a_recognisable_cgroup_is_audited(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start_by_hand(sys);
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .level = "privileged",
			.verdict = "violation",
			.class = "posture",
			.severity = "high",
			.held = sys_names(sys, sys->all),
			.processes = 1,
			.findings = 1 });
	json_t *finding = sys_finding(scan, container, NULL);

	assert_string_equal(sys_get(sys, finding, "container.runtime"), "unknown");
	assert_string_equal(sys_get(sys, finding, "pod"), "null");
	assert_int_equal(sys_number(finding, "process.pid"), container->pid);
}

static void a_scan_without_filters_sees_it_too(void **state)
{
	struct sys *sys = *state;
	struct sys_container *by_hand = sys_start_by_hand(sys);
	struct sys_container *by_runc = sys_start(sys, &(struct sys_spec){ 0 });
	const struct sys_result *scan = sys_scan(sys, SYS_NOBODY, NULL);

	assert_non_null(sys_seen(scan, by_hand));
	assert_non_null(sys_seen(scan, by_runc));
	assert_true(sys_number(scan->json, "coverage.containers") >= 2);
	assert_true(sys_number(scan->json, "coverage.pods") >= 1);
	assert_true(sys_number(scan->json, "coverage.container_processes") >= 2);
	assert_true(sys_number(scan->json, "coverage.tasks") >=
		    sys_number(scan->json, "coverage.processes"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(a_thread_with_more_than_its_leader_is_found_and_named),
		SYS_TEST(a_zombie_leader_with_a_living_thread_is_a_living_process),
		SYS_TEST(a_process_executed_with_all_capabilities_is_drift),
		SYS_TEST(drift_is_judged_under_profile_privileged_too),
		SYS_TEST(a_process_executed_with_what_the_container_has_is_no_drift),
		SYS_TEST(child_user_namespaces_in_a_container_are_one_low_finding),
		SYS_TEST(a_container_in_its_own_user_namespace_is_medium_at_most),
		SYS_TEST(who_enters_it_from_the_user_namespace_of_the_host_is_drift),
		SYS_TEST(a_pid_namespace_without_a_recognisable_cgroup_is_audited),
		SYS_TEST(a_scan_without_filters_sees_it_too),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
