/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container runtime's own stages, told from processes that somebody put into a container: made-up
 * tasks, of each kind that a node shows to a daemon without privilege.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/command/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVERYTHING UINT64_C(0x1ffffffffff)
#define CGROUP                                                  \
	"0::/kubepods/pod11111111-2222-3333-4444-555555555555/" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"

struct made {
	pid_t pid, tid;
	capability_mask held;
	bool forked;
	const char *exe; /* NULL: it cannot be read */
	bool exe_is_runtime;
	const char *comm;
	bool ended; /* since it was seen */
};

/* A node of one container, whose tasks all came from outside, and how old they are. */
struct made_node {
	struct engine engine;
	const struct made *made;
	size_t count;
};

static uint64_t age_s;

static int made_pass(
	struct engine *engine, const struct pass_options *options, struct snapshot *ret)
{
	const struct made_node *node = (const struct made_node *)engine;
	struct snapshot s = { .placement_count = 1 };

	(void)options;
	s.tasks = calloc(node->count, sizeof(*s.tasks));
	s.placements = calloc(1, sizeof(*s.placements));
	assert_non_null(s.tasks);
	assert_non_null(s.placements);
	s.placements[0].text = strdup(CGROUP);
	s.placements[0].length = strlen(CGROUP);
	cgroup_parse(s.placements[0].text, s.placements[0].length, NULL, &s.placements[0].identity);
	for (size_t i = 0; i < node->count; i++) {
		struct task *t = &s.tasks[s.task_count++];

		t->pid = node->made[i].pid;
		t->tid = node->made[i].tid;
		t->ppid = 1;
		t->start_ticks = (uint64_t)t->pid;
		t->sets.of[CAPABILITY_EFFECTIVE] = node->made[i].held;
		t->sets.of[CAPABILITY_PERMITTED] = node->made[i].held;
		t->sets.of[CAPABILITY_BOUNDING] = node->made[i].held;
		t->user_namespace_key = 4026531837u;
		t->user_namespace = USER_NAMESPACE_INITIAL;
		t->leader = t->tid == t->pid;
		t->forked = node->made[i].forked;
		t->outside_parent = true;
		t->container = NO_CONTAINER;
	}
	*ret = s;
	return 0;
}

static int made_describe(struct engine *engine, const struct task *task, struct process *ret)
{
	const struct made_node *node = (const struct made_node *)engine;
	struct process p = { .pid = task->pid, .tid = task->tid, .sets = task->sets };

	for (size_t i = 0; i < node->count; i++) {
		const struct made *m = &node->made[i];

		if (m->pid != task->pid || m->tid != task->tid)
			continue;
		if (m->ended)
			return -ESRCH;
		p.exe = m->exe ? strdup(m->exe) : NULL;
		p.exe_is_runtime = m->exe_is_runtime;
		memcpy(p.comm, m->comm, strlen(m->comm) + 1);
	}
	*ret = p;
	return 0;
}

static const struct engine_ops made_ops = { .pass = made_pass, .describe = made_describe };

static uint64_t clock_of_age(int clock_id)
{
	return clock_id == CLOCK_REALTIME ? UINT64_C(1795000000000000) : age_s * 1000000u;
}

static size_t observations;

static void count_observations(
	void *data, const struct audit_result *result, struct audited *audited)
{
	(void)data;
	(void)result;
	observations += audited->observation_count;
}

/* How many things are said of the container when its tasks are that old: they began with the
 * machine, but for some ticks. */
static size_t judge(const struct made *made, size_t count, uint64_t age)
{
	_cleanup_(policy_freep) struct policy *policy = policy_new_default();
	struct made_node node = { { .ops = &made_ops, .name = "procfs" }, made, count };
	struct audit audit = { .engine = &node.engine,
		.registry = registry_new("/nonexistent"),
		.policy = policy,
		.clock = clock_of_age,
		.take = count_observations };
	struct audit_result result;

	assert_non_null(audit.registry);
	age_s = age;
	observations = 0;
	assert_int_equal(audit_pass(&audit, &result), 0);
	audit_result_done(&result);
	registry_free(audit.registry);
	snapshot_done(&audit.snapshot);
	free(audit.space.tasks);
	return observations;
}

/* Ticks of start are pids: a hundredth of a second each. */
static const struct made unreadable_stage[] = {
	{ 10, 10, EVERYTHING, false, NULL, false, "runc:[0:PARENT]", false },
};
static const struct made unreadable_shell[] = {
	{ 10, 10, EVERYTHING, false, NULL, false, "sh", false },
};

static void a_stage_of_runc_that_cannot_be_read_gets_seconds_and_no_more(void **state)
{
	(void)state;
	assert_int_equal(judge(unreadable_stage, 1, 1), 0);
	assert_int_equal(judge(unreadable_stage, 1, 4), 0);
	assert_true(judge(unreadable_stage, 1, 6) > 0);
	/* Whoever has no such name is judged when it is a second old. */
	assert_int_equal(judge(unreadable_shell, 1, 1), 0);
	assert_true(judge(unreadable_shell, 1, 2) > 0);
}

/* runc drops on its main thread alone; its others keep the host's sets until it execs. */
static const struct made dropped_stage[] = {
	{ 10, 10, 0, false, "/bin/web", false, "web", false },
	{ 20, 20, 0, true, "/", true, "runc:[2:INIT]", false },
	{ 20, 21, EVERYTHING, true, "/", true, "runc:[2:INIT]", false },
};
static const struct made thread_of_a_program[] = {
	{ 10, 10, 0, false, "/bin/web", false, "web", false },
	{ 20, 20, 0, false, "/bin/web", false, "web", false },
	{ 20, 21, EVERYTHING, false, "/bin/web", false, "web", false },
};

static void threads_of_a_stage_are_its_own_though_its_leader_holds_what_others_hold(void **state)
{
	(void)state;
	assert_int_equal(judge(dropped_stage, 3, 2), 0);
	assert_true(judge(thread_of_a_program, 3, 2) > 0);
}

/* A node over several passes. */
struct watched {
	struct made_node node;
	struct policy *policy;
	struct audit audit;
};

static void watch(struct watched *w)
{
	*w = (struct watched){ .node = { { .ops = &made_ops, .name = "procfs" }, NULL, 0 },
		.policy = policy_new_default() };
	w->audit = (struct audit){ .engine = &w->node.engine,
		.registry = registry_new("/nonexistent"),
		.policy = w->policy,
		.clock = clock_of_age,
		.take = count_observations };
	assert_true(w->policy && w->audit.registry);
	observations = 0;
}

static struct audit_result look(
	struct watched *w, const struct made *made, size_t count, uint64_t age)
{
	struct audit_result result;

	age_s = age;
	w->node.made = made;
	w->node.count = count;
	assert_int_equal(audit_pass(&w->audit, &result), 0);
	return result; /* of which nothing is left to be freed: all was taken */
}

static void watch_done(struct watched *w)
{
	registry_free(w->audit.registry);
	snapshot_done(&w->audit.snapshot);
	free(w->audit.space.tasks);
	policy_free(w->policy);
}

/* A container of one program, and who forks once a second beside it: always young. */
#define PROGRAM                                                   \
	{                                                         \
		10, 10, 0, false, "/bin/web", false, "web", false \
	}
#define HOPPER(second)                                                                        \
	{                                                                                     \
		(second) * 100, (second)*100, EVERYTHING, true, "/bin/sh", false, "sh", false \
	}
#define GONE(second)                                                                         \
	{                                                                                    \
		(second) * 100, (second)*100, EVERYTHING, true, "/bin/sh", false, "sh", true \
	}

static const struct made alone[] = { PROGRAM };
static const struct made hops[][2] = {
	{ PROGRAM, HOPPER(10) },
	{ PROGRAM, HOPPER(11) },
	{ PROGRAM, HOPPER(12) },
	{ PROGRAM, HOPPER(13) },
	{ PROGRAM, HOPPER(14) },
};
static const struct made gone[][2] = {
	{ PROGRAM, GONE(10) },
	{ PROGRAM, GONE(11) },
	{ PROGRAM, GONE(12) },
	{ PROGRAM, GONE(13) },
};

static void who_slips_through_one_pass_is_waited_for_no_longer_than_others(void **state)
{
	struct watched w;

	(void)state;
	watch(&w);
	assert_int_equal(look(&w, hops[0], 2, 10).suspects, 1);
	assert_int_equal(look(&w, alone, 1, 11).suspects, 1); /* and so there is another pass */
	assert_int_equal(look(&w, hops[2], 2, 12).suspects, 1);
	assert_int_equal(look(&w, hops[3], 2, 13).suspects, 1);
	assert_int_equal(observations, 0);
	assert_int_equal(look(&w, hops[4], 2, 14).suspects, 0);
	assert_true(observations > 0);
	watch_done(&w);
}

/* A runtime's stages now and then are nobody who hides, however many there were. */
static void stages_with_nobody_between_them_begin_anew(void **state)
{
	struct watched w;

	(void)state;
	watch(&w);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(look(&w, hops[0], 2, 10).suspects, 1);
		assert_int_equal(look(&w, alone, 1, 100).suspects, 1);
		assert_int_equal(look(&w, alone, 1, 101).suspects, 0);
	}
	assert_int_equal(observations, 0);
	watch_done(&w);
}

static void who_has_ended_when_it_is_asked_about_is_looked_for_again(void **state)
{
	struct watched w;

	(void)state;
	watch(&w);
	/* What the container was given is not known yet, and it would have been said of it. */
	struct audit_result first = look(&w, gone[0], 2, 10);
	assert_int_equal(first.missed + first.suspects, 1);
	assert_int_equal(look(&w, gone[1], 2, 11).suspects, 1);
	assert_int_equal(look(&w, gone[2], 2, 12).suspects, 1);
	assert_int_equal(look(&w, gone[3], 2, 13).suspects, 1);
	assert_int_equal(observations, 0);
	/* Patience is over: the first that is met is told of. */
	struct audit_result last = look(&w, hops[4], 2, 14);
	assert_int_equal(last.missed + last.suspects, 0);
	assert_true(observations > 0);
	watch_done(&w);
	/* Who holds no more than the container was given is nobody to look for. */
	static const struct made harmless[] = { PROGRAM,
		{ 20, 20, 0, true, "/bin/sh", false, "sh", true } };
	watch(&w);
	(void)look(&w, alone, 1, 10);
	last = look(&w, harmless, 2, 10);
	assert_int_equal(last.missed + last.suspects + last.unsettled, 0);
	watch_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stage_of_runc_that_cannot_be_read_gets_seconds_and_no_more),
		cmocka_unit_test(
			threads_of_a_stage_are_its_own_though_its_leader_holds_what_others_hold),
		cmocka_unit_test(who_slips_through_one_pass_is_waited_for_no_longer_than_others),
		cmocka_unit_test(stages_with_nobody_between_them_begin_anew),
		cmocka_unit_test(who_has_ended_when_it_is_asked_about_is_looked_for_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
