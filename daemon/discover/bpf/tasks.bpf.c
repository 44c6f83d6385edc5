// SPDX-License-Identifier: LGPL-2.1-or-later OR GPL-2.0-only
/*
 * The iterator: writes a record of each user process and of each of its threads that differs from
 * the leader, in the order of their ids. Judges nothing.
 */
#include "select.h"

char _license[] SEC("license") = "GPL";

struct bpf_totals totals;

SEC("by_id/iter/task")
int capauditd_tasks(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct bpf_task_record record = {};

	if (!task)
		return 0;
	task = as_task(task);
	if (!is_selected(task, &totals))
		return 0;
	read_task(task, &record);
	/* Where the buffer is full, the kernel comes again with the same task. */
	if (bpf_seq_write(context->meta->seq, &record, sizeof(record)) != 0)
		return 0;
	count_selected(&record, &totals);
	return 0;
}
