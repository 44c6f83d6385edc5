/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which tasks a snapshot gets of a process: its leader, and each thread that holds something else.
 * The same for every engine.
 */
#include "procfs_internal.h"

#include <errno.h>
#include <stdlib.h>

/* Distinct sets of one process that are told; a container could make one for each thread. */
#define DISTINCT_SETS_MAX 64u

int snapshot_add_task(struct snapshot *s, const struct task *task)
{
	if (s->task_count >= DISCOVER_TASKS_MAX)
		return -ENOSPC;
	if (!s->tasks || s->task_count == s->task_space) {
		size_t space = s->task_space + s->task_space / 4 + 256;
		struct task *tasks = reallocarray(s->tasks, space, sizeof(*tasks));

		if (!tasks)
			return -ENOMEM;
		s->tasks = tasks;
		s->task_space = space;
	}
	s->tasks[s->task_count++] = *task;
	return 0;
}

static struct task *find_same_sets(const struct snapshot *s, size_t first, const struct task *task)
{
	for (size_t i = first; i < s->task_count; i++)
		if (capability_sets_equal(&s->tasks[i].sets, &task->sets) &&
			s->tasks[i].user_namespace_key == task->user_namespace_key)
			return &s->tasks[i];
	return NULL;
}

/* Of two threads with the same sets one task is made: with the weaker of their controls. */
static void weaken(struct task *kept, const struct task *other)
{
	if (!other->controls_known) {
		kept->controls_known = false;
		return;
	}
	kept->no_new_privs = kept->no_new_privs && other->no_new_privs;
	kept->confined = kept->confined && other->confined;
	if (other->seccomp < kept->seccomp)
		kept->seccomp = other->seccomp;
}

/* Past the usual number of distinct sets only a thread that has what none of the others has makes a
 * task: there can be few of those, and none of them hides. */
static bool adds_something(const struct snapshot *s, size_t first, const struct task *task)
{
	struct capability_sets all = { { 0 } };

	if (!s->tasks || s->task_count - first < DISTINCT_SETS_MAX)
		return true;
	for (size_t i = first; i < s->task_count; i++)
		for (unsigned k = 0; k < CAPABILITY_SETS; k++)
			all.of[k] |= s->tasks[i].sets.of[k];
	return !capability_sets_within(&task->sets, &all);
}

int snapshot_add_thread(struct snapshot *s, struct task *task, size_t first)
{
	struct task *same = find_same_sets(s, first, task);

	if (same) {
		weaken(same, task);
		return 0;
	}
	if (!adds_something(s, first, task))
		return 0;
	task->leader = s->task_count == first;
	return snapshot_add_task(s, task);
}
