/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ways in which a container could hide from an auditor, each of which once worked against this one.
 */
#include "sys.h"

static const char *const hopper[] = { "/bin/inside", "hopper", NULL };
static const char *const crowd[] = { "/bin/inside", "crowd", NULL };
static const char *const halfway[] = { "/bin/inside", "halfway", NULL };
static const char *const relay[] = { "/bin/inside", "relay", NULL };

static void assert_drift(struct sys *sys, enum sys_user user, struct sys_container *container)
{
	const struct sys_result *scan = sys_scan(sys, user, "--container", container->id, NULL);
	json_t *finding = sys_finding(scan, container, "drift");

	assert_int_equal(scan->status, 1);
	assert_non_null(finding);
	assert_string_equal(sys_get(sys, finding, "verdict"), "violation");
	assert_string_equal(sys_get(sys, finding, "severity"), "critical");
	assert_string_equal(sys_get(sys, finding, "reach"), "effective");
}

static void who_hops_from_fork_to_fork_like_a_runtimes_stage_is_found(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ 0 });

	(void)sys_exec(sys, container, SYS_SYS_ADMIN, hopper);
	assert_drift(sys, SYS_ROOT, container);
	assert_drift(sys, SYS_NOBODY, container);
}

static void a_thread_behind_a_crowd_of_others_is_found(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ 0 });

	(void)sys_exec(sys, container, sys->all, crowd);
	assert_drift(sys, SYS_ROOT, container);
	assert_drift(sys, SYS_NOBODY, container);
}

static void threads_that_hand_over_to_one_another_are_found(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ 0 });

	(void)sys_exec(sys, container, sys->all, relay);
	assert_drift(sys, SYS_ROOT, container);
	assert_drift(sys, SYS_NOBODY, container);
}

static void a_leaders_no_new_privs_does_not_speak_for_its_threads(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys,
		&(struct sys_spec){ .bounding_only = SYS_SYS_ADMIN, .uid = 1000, .argv = halfway });
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);

	/* A bounding set that an exec can reach: medium, and low where none can. */
	(void)sys_judged(sys, container,
		&(struct sys_expected){ .level = "privileged",
			.verdict = "violation",
			.class = "posture",
			.severity = "medium",
			.held = "",
			.processes = 1,
			.findings = 1 });
	sys_write_file(policy, "version: 1\n"
			       "exceptions:\n"
			       "  - match: { runtime: unknown-cri }\n"
			       "    allow: [SYS_ADMIN]\n"
			       "    require: [noNewPrivs]\n"
			       "    reason: nothing can be gained\n");
	const struct sys_result *scan =
		sys_scan(sys, SYS_ROOT, "--container", container->id, "--policy", policy, NULL);
	json_t *finding = sys_finding(scan, container, "posture");

	assert_int_equal(scan->status, 1);
	assert_string_equal(sys_get(sys, finding, "verdict"), "violation");
	assert_true(sys_has_hint(finding, "require-unmet"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(who_hops_from_fork_to_fork_like_a_runtimes_stage_is_found),
		SYS_TEST(a_thread_behind_a_crowd_of_others_is_found),
		SYS_TEST(threads_that_hand_over_to_one_another_are_found),
		SYS_TEST(a_leaders_no_new_privs_does_not_speak_for_its_threads),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
