/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of which tasks a record is written: of each user process, and of each of its threads that differs
 * from the leader.
 */
#ifndef CAPAUDITD_BPF_SELECT_H
#define CAPAUDITD_BPF_SELECT_H

#include "task.h"

/* Threads that share their leader's credentials hold what it holds: they are counted. */
static __always_inline int is_like_leader(
	const struct task_struct *task, const struct task_struct *leader)
{
	return task != leader && !get(leader, exit_state) &&
	       get(task, real_cred) == get(leader, real_cred) &&
	       get(task, atomic_flags) == get(leader, atomic_flags) &&
	       get(task, seccomp.mode) == get(leader, seccomp.mode);
}

/* Counts those of which none is written. */
static __always_inline int is_selected(const struct task_struct *task, struct bpf_totals *totals)
{
	if (get(task, flags) & PF_KTHREAD) {
		totals->kernel_threads++;
		return 0;
	}
	if (get(task, exit_state))
		return 0;
	if (!is_like_leader(task, get(task, group_leader)))
		return 1;
	totals->threads++;
	return 0;
}

static __always_inline void count_selected(
	const struct bpf_task_record *record, struct bpf_totals *totals)
{
	totals->processes += record->pid == record->tid;
	totals->threads++;
}

#endif
