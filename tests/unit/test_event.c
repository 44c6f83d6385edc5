/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is made of a program that begins between two passes: whose it is, and whether it is the
 * container's at all. The events are made up.
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

#define DEFAULT_SET UINT64_C(0xa80425fb)
#define EVERYTHING  UINT64_C(0x1ffffffffff)
#define INITIAL	    UINT64_C(4026531837)
#define ID(c)	    c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define IN_DOCKER   "0::/docker/" ID("ab") "\n"
#define ON_HOST	    "0::/system.slice/sshd.service\n"

static uint64_t now_us;
static struct task living; /* the one that a pass sees; pid 0: nobody */
static const char *living_where;
static size_t permits; /* that the engine was told */

static struct task a_task(pid_t pid, pid_t ppid, capability_mask held)
{
	struct task task = { .pid = pid,
		.tid = pid,
		.ppid = ppid,
		.start_ticks = (uint64_t)pid,
		.container = NO_CONTAINER,
		.user_namespace = USER_NAMESPACE_INITIAL,
		.user_namespace_key = INITIAL,
		.leader = true,
		.controls_known = true };

	for (unsigned i = 0; i < CAPABILITY_SETS; i++)
		task.sets.of[i] = held;
	return task;
}

static int one_pass(struct engine *engine, const struct pass_options *options, struct snapshot *ret)
{
	struct snapshot s = { .task_count = living.pid != 0, .placement_count = living.pid != 0 };

	(void)engine;
	(void)options;
	s.tasks = calloc(1, sizeof(*s.tasks));
	s.placements = calloc(1, sizeof(*s.placements));
	assert_true(s.tasks && s.placements);
	if (living.pid) {
		*s.tasks = living;
		s.placements->text = strdup(living_where);
		s.placements->length = strlen(living_where);
		assert_non_null(s.placements->text);
		cgroup_parse(
			s.placements->text, s.placements->length, NULL, &s.placements->identity);
	}
	*ret = s;
	return 0;
}

static int one_describe(struct engine *engine, const struct task *task, struct process *ret)
{
	(void)engine;
	*ret = (struct process){ .pid = task->pid, .tid = task->tid, .exe = strdup("/bin/web") };
	return ret->exe ? 0 : -ENOMEM;
}

static void one_free(struct engine *engine)
{
	(void)engine;
}

static void count_permit(struct engine *engine, unsigned placement, const struct permit *permit)
{
	(void)engine;
	(void)placement;
	permits += permit != NULL;
}

static void count_permit_event(
	struct engine *engine, const struct exec_event *event, const struct permit *permit)
{
	(void)engine;
	(void)event;
	permits += permit != NULL;
}

static const struct engine_ops one_ops = { .pass = one_pass,
	.describe = one_describe,
	.free = one_free,
	.permit = count_permit,
	.permit_event = count_permit_event };
static struct engine one_engine = { .ops = &one_ops, .name = "bpf" };

static uint64_t clock_of_the_test(int clock_id)
{
	return clock_id == CLOCK_REALTIME ? UINT64_C(1790000000000000) + now_us : now_us;
}

/* What was said. */
static struct {
	size_t observations;
	enum violation_class class;
	char container[128];
} said;

static void note(void *data, const struct audit_result *result, struct audited *audited)
{
	(void)data;
	if (!result->event)
		return;
	said.observations += audited->observation_count;
	if (audited->observation_count)
		said.class = audited->observations[0].finding.class;
	(void)snprintf(said.container, sizeof(said.container), "%s", audited->known->container.id);
}

static void begin(struct audit *audit)
{
	*audit = (struct audit){ .engine = &one_engine,
		.registry = registry_new("/nonexistent"),
		.policy = policy_new_default(),
		.clock = clock_of_the_test,
		.take = note };
	assert_true(audit->registry && audit->policy);
	now_us = UINT64_C(1000000000);
	memset(&said, 0, sizeof(said));
	living = (struct task){ .pid = 0 };
	permits = 0;
}

static void end(struct audit *audit)
{
	const struct policy *policy = audit->policy;

	audit_done(audit);
	policy_free((struct policy *)policy);
}

static void pass(struct audit *audit)
{
	struct audit_result result;

	now_us += 1000000;
	assert_int_equal(audit_pass(audit, &result), 0);
	audit_result_done(&result);
	now_us += 1000000;
}

static struct exec_event an_event(const struct task *task, const char *where, const char *exe)
{
	struct exec_event event = { .task = *task, .time_us = now_us };

	event.placement = (struct placement){ .text = (char *)where, .length = strlen(where) };
	event.process = (struct process){ .pid = task->pid,
		.tid = task->tid,
		.start_ticks = task->start_ticks,
		.sets = task->sets,
		.user_namespace = task->user_namespace,
		.host_namespaces_known = HOST_NAMESPACE_MNT,
		.exe = strdup(exe) };
	assert_non_null(event.process.exe);
	return event;
}

static void hear(struct audit *audit, struct exec_event *event)
{
	assert_int_equal(audit_event(audit, event), 0);
	process_done(&event->process);
}

static void a_hook_is_no_container_s_program(void **state)
{
	const struct task hook = a_task(12, 11, EVERYTHING), program = a_task(11, 5, DEFAULT_SET),
			  intruder = a_task(13, 5, EVERYTHING);
	struct exec_event event;
	struct audit audit;

	(void)state;
	begin(&audit);
	event = an_event(&hook, IN_DOCKER, "/usr/bin/nvidia-ctk");
	event.parent_inside = true;
	hear(&audit, &event);
	assert_int_equal(said.observations, 0);
	event = an_event(&program, IN_DOCKER, "/bin/web");
	hear(&audit, &event);
	assert_int_equal(said.observations, 0);
	/* What drift is measured against is the program's, and not the hook's. */
	event = an_event(&intruder, IN_DOCKER, "/bin/sh");
	hear(&audit, &event);
	assert_int_equal(said.observations, 1);
	assert_int_equal(said.class, CLASS_DRIFT);
	end(&audit);
}

static void a_runtime_s_own_program_in_a_container_is_no_finding(void **state)
{
	const struct task stage = a_task(12, 5, EVERYTHING);
	struct exec_event event;
	struct audit audit;

	(void)state;
	begin(&audit);
	living = a_task(11, 5, DEFAULT_SET);
	living_where = IN_DOCKER;
	pass(&audit);
	event = an_event(&stage, IN_DOCKER, "/usr/sbin/runc");
	event.process.exe_is_runtime = true;
	event.process.host_namespaces = HOST_NAMESPACE_MNT;
	hear(&audit, &event);
	assert_int_equal(said.observations, 0);
	/* In a container's mount namespace it is somebody who looks like one. */
	event = an_event(&stage, IN_DOCKER, "/memfd:runc_cloned:x");
	event.process.exe_is_runtime = true;
	hear(&audit, &event);
	assert_int_equal(said.observations, 1);
	/* And one whose parent is in there was not made by a runtime. */
	event = an_event(&stage, IN_DOCKER, "/usr/sbin/runc");
	event.process.exe_is_runtime = true;
	event.process.host_namespaces = HOST_NAMESPACE_MNT;
	event.parent_inside = true;
	hear(&audit, &event);
	assert_int_equal(said.observations, 2);
	end(&audit);
}

static void what_is_older_than_the_last_pass_moves_nobody(void **state)
{
	const struct task joining = a_task(11, 5, DEFAULT_SET);
	struct exec_event event;
	struct audit audit;

	(void)state;
	begin(&audit);
	event = an_event(&joining, ON_HOST, "/usr/sbin/runc"); /* it goes into its container now */
	living = joining;
	living_where = IN_DOCKER;
	pass(&audit);
	hear(&audit, &event);
	assert_int_equal(said.observations, 0);
	/* Who is elsewhere afterwards has moved. */
	event = an_event(&joining, ON_HOST, "/bin/sh");
	hear(&audit, &event);
	assert_int_equal(said.observations, 1);
	assert_int_equal(said.class, CLASS_DRIFT);
	end(&audit);
}

static void all_of_a_young_pid_namespace_are_one_container(void **state)
{
	const struct namespace_init init = { 20, 20 };
	struct task grandchild = a_task(23, 22, EVERYTHING);
	struct exec_event event;
	struct audit audit;

	(void)state;
	begin(&audit);
	pass(&audit);
	grandchild.namespace_level = 1;
	grandchild.namespace_pid = 4;
	event = an_event(&grandchild, ON_HOST, "/bin/sh");
	event.namespace_init = init;
	hear(&audit, &event);
	assert_int_equal(said.observations, 1);
	assert_string_equal(said.container, "pidns-20-20");
	end(&audit);
}

static void what_is_permitted_in_a_place_is_so_for_one_container(void **state)
{
	struct audit audit;

	(void)state;
	begin(&audit);
	living = a_task(11, 5, EVERYTHING);
	living.namespace_level = 1;
	living.namespace_pid = 1;
	living_where = ON_HOST; /* where others' namespaces may be as well */
	pass(&audit);
	assert_int_equal(permits, 0);
	living_where = IN_DOCKER;
	pass(&audit);
	assert_int_equal(permits, 1);
	end(&audit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hook_is_no_container_s_program),
		cmocka_unit_test(a_runtime_s_own_program_in_a_container_is_no_finding),
		cmocka_unit_test(what_is_older_than_the_last_pass_moves_nobody),
		cmocka_unit_test(all_of_a_young_pid_namespace_are_one_container),
		cmocka_unit_test(what_is_permitted_in_a_place_is_so_for_one_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
