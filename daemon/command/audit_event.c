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
		if (audit_find_permit(&input, &permit) && !event->task.moved)
			engine_permit_event(audit->engine, event, &permit);
		audit->take(audit->take_data, result, &audited);
	}
	observations_free(audited.observations, audited.observation_count);
	return r;
}

/* runc executes a sealed copy of itself while its parent moves it into the container's cgroups: it
 * may be there already, with all that the host has. It comes from outside, into the host's PID
 * namespace, where a container that has its own cannot be; what a pass thinks of it has an end
 * (is_impatient()). */
static bool is_stage(const struct audit *audit, const struct exec_event *event)
{
	const struct task *parent = snapshot_find(&audit->snapshot, event->task.ppid);

	return event->process.exe_is_runtime && !event->task.namespace_level &&
	       !event->parent_there && (!parent || parent->container != event->task.container);
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
	struct known_container *known;
	int r;

	if (!policy_run(audit->policy)->full_cmdline)
		process_forget_arguments(&event->process);
	cgroup_parse(
		event->placement.text, event->placement.length, &base, &event->placement.identity);
	r = registry_take_event(audit->registry, &event->task, &event->placement, &audit->snapshot,
		result.begin_us, &known);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (known->container.host || is_stage(audit, event))
		return 0;
	return judge(audit, event, known, &result);
}
