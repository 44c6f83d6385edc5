/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon says of a container from pass to pass: a node of one process, a clock that the
 * test sets, and a sink that keeps what it is told.
 */
// wrap: run_deliver
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/command/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_SET UINT64_C(0xa80425fb)
#define SYS_ADMIN   CAPABILITY_BIT(CAPABILITY_SYS_ADMIN)
#define ID	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define IN_DOCKER   "0::/docker/" ID "\n"
#define IN_A_POD    "0::/kubepods/burstable/pod11111111-2222-3333-4444-555555555555/" ID "\n"

static const char *cgroup; /* the process's; NULL: it has ended */
static uint64_t now_us;

static struct {
	enum finding_state state;
	enum resolved_reason reason;
	capability_mask excess;
	char profile[32];
} told[8];
static size_t told_count;

void __wrap_run_deliver(void *data, const struct finding *finding);
void __wrap_run_deliver(void *data, const struct finding *finding)
{
	(void)data;
	assert_true(told_count < ARRAY_SIZE(told));
	told[told_count].state = finding->state;
	told[told_count].reason = finding->resolved_reason;
	told[told_count].excess = finding->excess.of[CAPABILITY_EFFECTIVE];
	(void)snprintf(told[told_count].profile, sizeof(told[0].profile), "%s", finding->profile);
	told_count++;
}

static int one_pass(struct engine *engine, const struct pass_options *options, struct snapshot *ret)
{
	struct snapshot s = { .task_count = cgroup != NULL, .placement_count = cgroup != NULL };

	(void)engine;
	(void)options;
	*ret = s;
	if (!cgroup)
		return 0;
	s.tasks = calloc(1, sizeof(*s.tasks));
	s.placements = calloc(1, sizeof(*s.placements));
	assert_true(s.tasks && s.placements);
	*s.tasks = (struct task){ .pid = 10,
		.tid = 10,
		.ppid = 1,
		.start_ticks = 10,
		.container = NO_CONTAINER,
		.user_namespace = USER_NAMESPACE_INITIAL,
		.user_namespace_key = 1,
		.leader = true };
	for (unsigned i = 0; i < CAPABILITY_SETS; i++)
		s.tasks->sets.of[i] = DEFAULT_SET | SYS_ADMIN;
	s.placements->text = strdup(cgroup);
	assert_non_null(s.placements->text);
	s.placements->length = strlen(cgroup);
	cgroup_parse(s.placements->text, s.placements->length, NULL, &s.placements->identity);
	*ret = s;
	return 0;
}

static int one_describe(struct engine *engine, const struct task *task, struct process *ret)
{
	(void)engine;
	*ret = (struct process){ .pid = task->pid,
		.tid = task->tid,
		.start_ticks = task->start_ticks,
		.sets = task->sets,
		.user_namespace = task->user_namespace,
		.exe = strdup("/bin/web") };
	return ret->exe ? 0 : -ENOMEM;
}

static void one_free(struct engine *engine)
{
	(void)engine;
}

static const struct engine_ops one_ops = {
	.pass = one_pass, .describe = one_describe, .free = one_free
};
static struct engine one_engine = { .ops = &one_ops, .name = "procfs" };

static uint64_t clock_of_the_test(int clock_id)
{
	return clock_id == CLOCK_REALTIME ? UINT64_C(1790000000000000) + now_us : now_us;
}

static void begin(struct run *run, const char *where)
{
	*run = (struct run){ .policy = policy_new_default(),
		.ledger = ledger_new(300u * UINT64_C(1000000)),
		.audit = { .engine = &one_engine,
			.registry = registry_new("/nonexistent"),
			.clock = clock_of_the_test,
			.take = run_remember,
			.take_data = run } };
	assert_true(run->policy && run->ledger && run->audit.registry);
	run->audit.policy = run->policy;
	cgroup = where;
	now_us = UINT64_C(1000000000);
	told_count = 0;
}

static void take_policy(struct run *run, const char *text)
{
	struct diag diag;

	policy_free(run->policy);
	assert_int_equal(policy_load("p", text, strlen(text), &run->policy, &diag), 0);
	run->audit.policy = run->policy;
	run->policy_is_new = true;
}

static void end(struct run *run)
{
	audit_done(&run->audit);
	ledger_free(run->ledger);
	policy_free(run->policy);
}

/* Both sets are the same process's, and one is a part of the other: it must not have joined it. */
static void what_a_new_policy_leaves_of_a_finding_is_told_in_the_same_pass(void **state)
{
	struct run run;

	(void)state;
	begin(&run, IN_DOCKER);
	take_policy(&run, "version: 1\ndefaultProfile: restricted\n");
	run_pass(&run);
	assert_int_equal(told_count, 1);
	assert_string_equal(told[0].profile, "restricted");

	take_policy(&run, "version: 1\ndefaultProfile: baseline\n");
	run_pass(&run);
	assert_int_equal(told_count, 3);
	assert_int_equal(told[1].state, FINDING_RESOLVED);
	assert_int_equal(told[1].reason, RESOLVED_POLICY);
	assert_int_equal(told[2].state, FINDING_OPENED);
	assert_true(told[2].excess == SYS_ADMIN);
	assert_false(run.policy_is_new);
	run_pass(&run);
	assert_int_equal(told_count, 3);
	end(&run);
}

static void posture_that_waits_for_a_name_is_told_when_its_container_ends(void **state)
{
	struct run run;

	(void)state;
	begin(&run, IN_A_POD);
	run_pass(&run);
	run_pass(&run);
	assert_int_equal(told_count, 0);
	assert_true(run.wait_us <= 2000000u);
	cgroup = NULL;
	run_pass(&run);
	assert_int_equal(told_count, 2);
	assert_int_equal(told[0].state, FINDING_OPENED);
	assert_int_equal(told[1].reason, RESOLVED_EXITED);
	end(&run);
}

static void posture_waits_for_a_name_no_longer_than_it_may(void **state)
{
	struct run run;

	(void)state;
	begin(&run, IN_A_POD);
	run_pass(&run);
	now_us += run.wait_us;
	run_pass(&run);
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].state, FINDING_OPENED);
	assert_true(run.wait_us == UINT64_MAX);
	run_pass(&run);
	assert_int_equal(told_count, 1);
	end(&run);
}

static void what_waits_and_is_permitted_by_then_is_not_told(void **state)
{
	struct run run;

	(void)state;
	begin(&run, IN_A_POD);
	run_pass(&run);
	take_policy(&run, "version: 1\ndefaultProfile: privileged\n");
	run_pass(&run);
	cgroup = NULL;
	run_pass(&run);
	assert_int_equal(told_count, 0);
	end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_new_policy_leaves_of_a_finding_is_told_in_the_same_pass),
		cmocka_unit_test(posture_that_waits_for_a_name_is_told_when_its_container_ends),
		cmocka_unit_test(posture_waits_for_a_name_no_longer_than_it_may),
		cmocka_unit_test(what_waits_and_is_permitted_by_then_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
