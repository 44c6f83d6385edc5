// SPDX-License-Identifier: LGPL-2.1-or-later OR GPL-2.0-only
/*
 * The iterator: writes a record of each user process and of each of its threads that differs from
 * the leader, in the order of their ids. Judges nothing.
 */
#include "task.h"

char _license[] SEC("license") = "GPL";

struct bpf_totals totals;

/* Threads that share their leader's credentials hold what it holds: they are counted. */
static __always_inline int is_like_leader(
	const struct task_struct *task, const struct task_struct *leader)
{
	return task != leader && !get(leader, exit_state) &&
	       get(task, real_cred) == get(leader, real_cred) &&
	       task->atomic_flags == get(leader, atomic_flags) &&
	       task->seccomp.mode == get(leader, seccomp.mode);
}

SEC("by_id/iter/task")
int capauditd_tasks(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct bpf_task_record record = {};

	if (!task)
		return 0;
	if (task->flags & PF_KTHREAD) {
		totals.kernel_threads++;
		return 0;
	}
	if (task->exit_state)
		return 0;
	if (!is_like_leader(task, get(task, group_leader))) {
		read_task(task, &record);
		/* Where the buffer is full, the kernel comes again with the same task. */
		if (bpf_seq_write(context->meta->seq, &record, sizeof(record)) != 0)
			return 0;
		totals.processes += record.pid == record.tid;
	}
	totals.threads++;
	return 0;
}
