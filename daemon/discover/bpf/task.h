/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a task to its record: what the iterator and the events read of one.
 */
#ifndef CAPAUDITD_BPF_TASK_H
#define CAPAUDITD_BPF_TASK_H

#include "kernel.h"
#include "record.h"

#define read_capabilities(cred, name)                                          \
	(bpf_core_field_exists((cred)->name.val)                               \
			? (cred)->name.val                                     \
			: ((const struct cred___words *)(cred))->name.cap[0] | \
				  (__u64)((const struct cred___words *)(cred))->name.cap[1] << 32)

static __always_inline void read_credentials(
	const struct cred *cred, struct bpf_task_record *record)
{
	struct user_namespace *namespace = cred->user_ns;

	record->sets[BPF_EFFECTIVE] = read_capabilities(cred, cap_effective);
	record->sets[BPF_PERMITTED] = read_capabilities(cred, cap_permitted);
	record->sets[BPF_INHERITABLE] = read_capabilities(cred, cap_inheritable);
	record->sets[BPF_AMBIENT] = read_capabilities(cred, cap_ambient);
	record->sets[BPF_BOUNDING] = read_capabilities(cred, cap_bset);
	record->securebits = cred->securebits;
	record->uid = cred->euid.val;
	record->gid = cred->egid.val;
	record->user_namespace = namespace->ns.inum;
	record->user_namespace_level = (__u32) namespace->level;
}

/* That of one controller's hierarchy. A controller that is in the default one has the same there.
 */
static __always_inline struct cgroup *read_legacy_cgroup(const struct css_set *set)
{
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		return set->subsys[bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id)]
			->cgroup;
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		return set->subsys[bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)]
			->cgroup;
	return set->dfl_cgrp;
}

static __always_inline void read_placement(
	const struct css_set *set, struct bpf_placement *placement)
{
	placement->css_set = (__u64)(unsigned long)set;
	placement->unified = set->dfl_cgrp->kn->id;
	placement->legacy = read_legacy_cgroup(set)->kn->id;
}

static __always_inline void read_pid_namespace(struct pid *pid, struct bpf_task_record *record)
{
	unsigned int level = pid->level;

	record->pid_namespace_level = (__u8)level;
	/* Some kernels declare one number and have one for each level: the second is read by hand.
	 */
	if (level)
		bpf_probe_read_kernel(&record->namespace_pid, sizeof(record->namespace_pid),
			(const char *)__builtin_preserve_access_index(&pid->numbers[0]) +
				bpf_core_type_size(struct upid));
}

static __always_inline void read_task(struct task_struct *task, struct bpf_task_record *record)
{
	struct task_struct *leader = task->group_leader;

	record->start_ns = leader->start_boottime;
	record->pid = (__u32)task->tgid;
	record->tid = (__u32)task->pid;
	record->ppid = (__u32)task->real_parent->tgid;
	record->exec_id = task->self_exec_id;
	record->seccomp = (__u8)task->seccomp.mode;
	if (leader->flags & PF_FORKNOEXEC) /* a thread has it for as long as it lives */
		record->flags |= BPF_TASK_FORKED;
	if (task->atomic_flags & PFA_NO_NEW_PRIVS)
		record->flags |= BPF_TASK_NO_NEW_PRIVS;
	read_credentials(task->real_cred, record);
	read_placement(task->cgroups, &record->placement);
	read_pid_namespace(task->thread_pid, record);
	bpf_probe_read_kernel(record->comm, sizeof(record->comm), task->comm);
}

#endif
