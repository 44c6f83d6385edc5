/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A snapshot's memory and look-up. Engines fill it, identify and judge read it.
 */
#include <capauditd/task.h>

#include <stdlib.h>

void snapshot_done(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->placement_count; i++)
		free(snapshot->placements[i].text);
	free(snapshot->placements);
	free(snapshot->tasks);
	*snapshot = (struct snapshot){ 0 };
}

struct task *snapshot_find(const struct snapshot *snapshot, pid_t pid)
{
	size_t low = 0, high = snapshot->task_count;

	/* The first task of that pid, which is its leader's. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (snapshot->tasks[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == snapshot->task_count || snapshot->tasks[low].pid != pid)
		return NULL;
	return &snapshot->tasks[low];
}
