/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks two snapshots side by side, both ordered by pid, so that nobody is searched for; and keeps
 * the pids that have changed in a filter of bits, since most are asked about and few have. Knows no
 * container.
 */
#include "succession.h"

void succession_mark(struct succession *succession, pid_t pid)
{
	unsigned bit = (unsigned)pid % SUCCESSION_BITS;

	succession->any_changed = true;
	succession->changed[bit / 64u] |= UINT64_C(1) << bit % 64u;
}

bool succession_may_have_changed(const struct succession *succession, pid_t pid)
{
	unsigned bit = (unsigned)pid % SUCCESSION_BITS;

	return succession->changed[bit / 64u] >> bit % 64u & 1u;
}

const struct task *succession_find(struct succession *succession, const struct task *leader)
{
	const struct snapshot *previous = succession->previous;
	const struct task *found;
	size_t i = succession->position;

	if (!previous)
		return NULL;
	while (i < previous->task_count && previous->tasks[i].pid < leader->pid)
		succession_mark(succession, previous->tasks[i++].pid);
	found = i < previous->task_count && previous->tasks[i].pid == leader->pid
			? &previous->tasks[i]
			: NULL;
	while (i < previous->task_count && previous->tasks[i].pid == leader->pid)
		i++;
	succession->position = i;
	return found && found->start_ticks == leader->start_ticks ? found : NULL;
}

void succession_end(struct succession *succession)
{
	const struct snapshot *previous = succession->previous;

	for (size_t i = succession->position; previous && i < previous->task_count; i++)
		succession_mark(succession, previous->tasks[i].pid);
}
