/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tells a container runtime's own stages from processes that somebody put into a container. Asks of
 * a process what a report would show of it, as seldom as it can.
 */
#include "audit_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A runtime enters the container's cgroup with the host's capabilities, in two kinds of stage: some
 * have not exec'd since they were forked and will become the container's program; one, runc's, has
 * been exec'd and ends after milliseconds. Both came from outside. Neither fact is proof: a process
 * that was exec'd into a container can fork with CLONE_PARENT. So the executable is looked at where
 * it can be read, and patience has an end (is_impatient()). */
#define YOUNG_S	  1u /* what is told by nothing else has to be so old */
#define RUNTIME_S 5u /* so long a runtime's exec'd stage may take */

/* 1 or 0; -ESRCH where it is gone: nothing will be said of it; -ENOMEM. */
static int is_stage(
	struct audit *audit, const struct task *task, uint64_t age_s, uint64_t *unsettled)
{
	struct process process;
	bool stage, young = age_s < YOUNG_S;
	int r = audit->engine->ops->describe(audit->engine, task, &process);

	if (r < 0)
		return r == -ENOMEM ? r : -ESRCH;
	if (process.exe && process.exe_is_runtime)
		stage = true;
	else if (process.exe)
		stage = task->forked && young; /* a runtime that has no row */
	else
		/* runc's names for its stages ("runc" and "runc:[..."), which anybody may take:
		 * good for the patience that an exec'd stage gets, on a node that is slow. */
		stage = task->forked || young || strncmp(process.comm, "runc", 4) == 0;
	*unsettled += stage && young && !(process.exe && process.exe_is_runtime);
	process_done(&process);
	return stage;
}

/* Whoever holds what another of its container holds, of whom it is known that it is no stage, need
 * not be asked: nothing would be said of it that is not said of that one. */
#define SETTLED_MAX 256u

struct settled {
	unsigned container; /* plus one; 0: nobody yet */
	struct capability_sets sets;
};

/* A process whose threads differ is none of these: what they hold is not looked at here. */
static bool is_settled(const struct settled *settled, const struct snapshot *s, size_t i)
{
	const struct task *task = &s->tasks[i];

	if (i + 1 < s->task_count && s->tasks[i + 1].pid == task->pid)
		return false;
	return settled->container == task->container + 1 &&
	       capability_sets_equal(&settled->sets, &task->sets);
}

/* A stage is a process: all its tasks, of which the number is returned. */
static size_t mark_stage(struct audit *audit, size_t first)
{
	struct snapshot *s = &audit->snapshot;
	struct known_container *known =
		registry_numbered(audit->registry, s->tasks[first].container);
	size_t end = first;

	while (end < s->task_count && s->tasks[end].pid == s->tasks[first].pid)
		s->tasks[end++].runtime_stage = true;
	if (known)
		known->stages += end - first;
	return end - first;
}

static bool has_excess(const struct audit *audit, const struct task *task)
{
	const struct known_container *known = registry_numbered(audit->registry, task->container);

	return known && known->reference.known &&
	       capability_sets_all(&task->sets) & ~known->reference.granted;
}

/* 1, 0 or -ENOMEM. What had ended with more than its container was given counts against its
 * container's patience as a stage does: who goes from fork to fork has always just ended. */
static int look_at(struct audit *audit, struct task *task, uint64_t age_s, struct settled *settled,
	uint64_t *unsettled)
{
	int r = task->no_stage ? 0 : is_stage(audit, task, age_s, unsettled);

	if (r == -ESRCH)
		return has_excess(audit, task);
	if (r == 0) {
		*settled = (struct settled){ task->container + 1, task->sets };
		task->no_stage = task->forked; /* of others execve() would not show */
	}
	return r;
}

int audit_find_stages(struct audit *audit, struct audit_result *result)
{
	struct snapshot *s = &audit->snapshot;
	unsigned per_second = (unsigned)sysconf(_SC_CLK_TCK);
	uint64_t now = audit_now_ticks(audit, per_second);
	struct settled settled[SETTLED_MAX] = { { 0 } };
	size_t step;

	for (size_t i = 0; i < registry_count(audit->registry); i++)
		registry_at(audit->registry, i)->stages = 0;
	for (size_t i = 0; i < s->task_count; i += step) {
		struct task *task = &s->tasks[i];
		struct settled *of_container = &settled[task->container % SETTLED_MAX];
		uint64_t age = now > task->start_ticks ? now - task->start_ticks : 0;
		int r;

		step = 1;
		task->runtime_stage = false;
		if (!task->leader || !task->outside_parent ||
			(!task->forked && age >= (uint64_t)RUNTIME_S * per_second))
			continue;
		if (is_settled(of_container, s, i))
			continue;
		r = look_at(audit, task, age / per_second, of_container, &result->unsettled);
		if (r < 0)
			return r;
		if (r > 0)
			step = mark_stage(audit, i);
	}
	return 0;
}
