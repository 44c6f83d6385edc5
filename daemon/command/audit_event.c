/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Judges a program that has begun, from what the event says of it alone: its process may be gone.
 */
#include "audit_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* Each observation shows the process; the last one gets it, the others a copy. */
static int give_process(struct exec_event *event, struct audited *audited, size_t i)
{
	struct process *process = &audited->observations[i].finding.process;

	process_done(process);
	if (i + 1 < audited->observation_count)
		return process_copy(&event->process, process);
	*process = event->process;
	event->process = (struct process){ 0 };
	return 0;
}

static int settle(
	const struct judge_input *input, struct exec_event *event, struct audited *audited)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < audited->observation_count; i++) {
		r = give_process(event, audited, i);
		if (r == 0)
			r = judge_settle(input, &audited->observations[i], &audited->assessment);
	}
	return r;
}

static int judge(struct audit *audit, struct exec_event *event, struct known_container *known,
	const struct audit_result *result)
{
	const struct task *tasks[] = { &event->task };
	struct audited audited = { .known = known };
	struct judge_input input;
	struct permit permit;
	int r;

	audit_judge_input(audit, result->started_us, &input);
	audit_input(audit, known, &input);
	input.tasks = tasks;
	input.task_count = 1;
	r = judge_container(
		&input, &audited.assessment, &audited.observations, &audited.observation_count);
	if (r < 0)
		return r;
	r = settle(&input, event, &audited);
	if (r == 0) {
		if (audit_find_permit(&input, &permit) && !event->task.moved &&
			audit_is_one_container(&event->placement.identity))
			engine_permit_event(audit->engine, event, &permit);
		audit->take(audit->take_data, result, &audited);
	}
	observations_free(audited.observations, audited.observation_count);
	return r;
}

static bool is_from_outside(const struct audit *audit, const struct exec_event *event)
{
	const struct task *parent = snapshot_find(&audit->snapshot, event->task.ppid);

	return !event->parent_inside && (!parent || parent->container != event->task.container);
}

/* Where a container's program has not begun, whoever has a parent in there is its runtime's hook:
 * it has the host's capabilities, and is over before the program begins. (OCI's createContainer
 * hooks run so, LXC's as well.) */
static bool is_hook(const struct exec_event *event, const struct known_container *known)
{
	return !known->reference.known && event->parent_inside;
}

/* runc runs its sealed copy while its parent moves it into the container's cgroup, and does not
 * wait; from 1.4 on it is born there. It is in the host's namespaces still, where no workload is
 * that does not share them; its program is told of by an event of its own, and how long it stays so
 * is the passes' to see. Who lives in the container and imitates it has a parent there. */
static bool is_stage(const struct audit *audit, const struct exec_event *event)
{
	const struct process *process = &event->process;
	unsigned left = HOST_NAMESPACE_PID | HOST_NAMESPACE_MNT;

	left &= process->host_namespaces_known & ~process->host_namespaces;
	return process->exe_is_runtime && !left && is_from_outside(audit, event);
}

/* A runtime's stage changes its credentials, in the container and before its program begins: what
 * was put there from outside is the next pass's to look at. */
static bool may_be_stage(const struct audit *audit, const struct exec_event *event,
	const struct known_container *known)
{
	return !known->reference.known || is_from_outside(audit, event);
}

int audit_event(struct audit *audit, struct exec_event *event)
{
	const struct cgroup_base base = audit_base(audit);
	const struct audit_result result = {
		.begin_us = audit->clock(CLOCK_MONOTONIC),
		.started_us = audit->clock(CLOCK_REALTIME),
		.event = true,
		.seen = event->seen,
	};
	/* Where somebody was before is not told by where he was found to be later. */
	static const struct snapshot nothing = { 0 };
	struct known_container *known;
	int r;

	if (!policy_run(audit->policy)->full_cmdline)
		process_forget_arguments(&event->process);
	cgroup_parse(
		event->placement.text, event->placement.length, &base, &event->placement.identity);
	r = registry_take_event(audit->registry, &event->task, &event->placement,
		&event->namespace_init,
		event->time_us > audit->snapshot_us ? &audit->snapshot : &nothing, result.begin_us,
		&known);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (known->container.host || (event->credentials && may_be_stage(audit, event, known)))
		return 0;
	if (!event->credentials && (is_hook(event, known) || is_stage(audit, event)))
		return 0;
	if (!event->credentials && is_from_outside(audit, event))
		audit_look_into(known, &event->process);
	return judge(audit, event, known, &result);
}
