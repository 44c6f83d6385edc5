/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a task to its record: what the iterator and the events read of one.
 */
#ifndef CAPAUDITD_BPF_TASK_H
#define CAPAUDITD_BPF_TASK_H

#include "functions.h"
#include "kernel.h"
#include "record.h"

_Static_assert(BPF_COMM_SIZE == 16, "two words");

/* How a member is read: by itself, or through a helper, which costs some nanoseconds for each and
 * needs no pointer that the verifier knows. */
#ifdef READ_BY_HELPER
#define get(pointer, member) BPF_CORE_READ(pointer, member)
#else
#define get(pointer, member) ((pointer)->member)
#endif

static void *(*const rdonly_cast)(
	const void *pointer, __u32 type) = (void *)(BPF_STANDS_FOR + BPF_NAMED_RDONLY_CAST);

/* The same task, of which the verifier thinks less: of a task that it trusts it looks up, in all of
 * the kernel's types, for each pointer that is followed whether that may be trusted as well (6.2
 * and later), which takes it milliseconds a pointer. */
static __always_inline struct task_struct *as_task(struct task_struct *task)
{
	return rdonly_cast(task, BPF_STANDS_FOR + BPF_NAMED_TASK_STRUCT);
}

#define get_capabilities(cred, name)                                                           \
	(bpf_core_field_exists((cred)->name.val)                                               \
			? get(cred, name.val)                                                  \
			: get((const struct cred___words *)(cred), name.cap[0]) |              \
				  (__u64)get((const struct cred___words *)(cred), name.cap[1]) \
					  << 32)

static __always_inline void read_credentials(
	const struct cred *cred, struct bpf_task_record *record)
{
	struct user_namespace *namespace = get(cred, user_ns);

	record->sets[BPF_EFFECTIVE] = get_capabilities(cred, cap_effective);
	record->sets[BPF_PERMITTED] = get_capabilities(cred, cap_permitted);
	record->sets[BPF_INHERITABLE] = get_capabilities(cred, cap_inheritable);
	record->sets[BPF_AMBIENT] = get_capabilities(cred, cap_ambient);
	record->sets[BPF_BOUNDING] = get_capabilities(cred, cap_bset);
	record->securebits = get(cred, securebits);
	record->uid = get(cred, euid.val);
	record->gid = get(cred, egid.val);
	record->user_namespace = get(namespace, ns.inum);
	record->user_namespace_level = (__u32)get(namespace, level);
}

/* That of one controller's hierarchy. A controller that is in the default one has the same there.
 */
static __always_inline struct cgroup *get_legacy_cgroup(const struct css_set *set)
{
	struct cgroup_subsys_state *state;

	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		state = get(set, subsys[bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id)]);
	else if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		state = get(
			set, subsys[bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)]);
	else
		return get(set, dfl_cgrp);
	return get(state, cgroup);
}

static __always_inline __u64 get_id(struct cgroup *cgroup)
{
	struct kernfs_node *node = get(cgroup, kn);

	return get(node, id);
}

static __always_inline void read_placement(
	const struct css_set *set, struct bpf_placement *placement)
{
	placement->css_set = (__u64)(unsigned long)set;
	placement->unified = get_id(get(set, dfl_cgrp));
	placement->legacy = get_id(get_legacy_cgroup(set));
}

static __always_inline void read_pid_namespace(struct pid *pid, struct bpf_task_record *record)
{
	unsigned int level = get(pid, level);

	record->pid_namespace_level = (__u8)level;
	record->namespace_pid = 0;
	/* Some kernels declare one number and have one for each level: the second is read by hand.
	 */
	if (level)
		bpf_probe_read_kernel(&record->namespace_pid, sizeof(record->namespace_pid),
			(const char *)__builtin_preserve_access_index(&pid->numbers[0]) +
				bpf_core_type_size(struct upid));
}

static __always_inline void read_comm(
	const struct task_struct *task, struct bpf_task_record *record)
{
#ifdef READ_BY_HELPER
	bpf_probe_read_kernel(record->comm, sizeof(record->comm), task->comm);
#else
	const char *from = task->comm;

	*(__u64 *)record->comm = *(const __u64 *)from;
	*(__u64 *)(record->comm + 8) = *(const __u64 *)(from + 8);
#endif
}

/* All but the credentials and the PID namespace. */
static __always_inline void read_own(struct task_struct *task, struct bpf_task_record *record)
{
	struct task_struct *leader = get(task, group_leader), *parent = get(task, real_parent);
	__u16 flags = 0;

	record->start_ns = get(leader, start_boottime);
	record->pid = (__u32)get(task, tgid);
	record->tid = (__u32)get(task, pid);
	record->ppid = (__u32)get(parent, tgid);
	record->exec_id = get(task, self_exec_id);
	record->seccomp = (__u8)get(task, seccomp.mode);
	if (get(leader, flags) & PF_FORKNOEXEC) /* a thread has it for as long as it lives */
		flags |= BPF_TASK_FORKED;
	if (get(task, atomic_flags) & PFA_NO_NEW_PRIVS)
		flags |= BPF_TASK_NO_NEW_PRIVS;
	record->flags = flags;
	read_placement(get(task, cgroups), &record->placement);
	read_comm(task, record);
}

/* All but the credentials. */
static __always_inline void read_process(struct task_struct *task, struct bpf_task_record *record)
{
	read_own(task, record);
	read_pid_namespace(get(task, thread_pid), record);
}

/* All of a record is written. */
static __always_inline void read_task(struct task_struct *task, struct bpf_task_record *record)
{
	read_process(task, record);
	read_credentials(get(task, real_cred), record);
}

#endif
