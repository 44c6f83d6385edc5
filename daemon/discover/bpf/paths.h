/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks from a file, or a cgroup, up to the root, and notes the names that it comes by. The names
 * are somebody's choice; how many and how long they are is bounded here.
 */
#ifndef CAPAUDITD_BPF_PATHS_H
#define CAPAUDITD_BPF_PATHS_H

#include "kernel.h"
#include "record.h"

#include <stddef.h>

/* 0 where there is no room for another. */
static __always_inline int add_part(struct bpf_exec_event *event, const void *name)
{
	__u32 length = event->text_length;
	long n;

	if (length > BPF_PARTS_MAX)
		return 0;
	n = bpf_probe_read_kernel_str(event->text + length, BPF_PART_MAX, name);
	if (n <= 0 || n > BPF_PART_MAX)
		return 0;
	event->text_length = length + (__u32)n;
	return 1;
}

static __always_inline struct kernfs_node *parent_of(struct kernfs_node *node)
{
	struct kernfs_node___5_10 *old = (void *)node;

	if (bpf_core_field_exists(node->__parent))
		return BPF_CORE_READ(node, __parent);
	return (struct kernfs_node *)BPF_CORE_READ(old, parent);
}

/* The number of parts; `cut` is set where there are more. */
static __always_inline __u16 add_cgroup_path(
	struct bpf_exec_event *event, struct cgroup *cgroup, __u32 cut)
{
	struct kernfs_node *node = BPF_CORE_READ(cgroup, kn);

	for (__u16 i = 0; i < BPF_PATH_PARTS; i++) {
		struct kernfs_node *parent = node ? parent_of(node) : 0;

		if (!parent)
			return i;
		if (!add_part(event, BPF_CORE_READ(node, name))) {
			event->cut |= cut;
			return i;
		}
		node = parent;
	}
	event->cut |= cut;
	return BPF_PATH_PARTS;
}

/* As d_path() shows it to whoever stands at the root of all mounts. */
static __always_inline __u16 add_file_path(struct bpf_exec_event *event, struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct vfsmount *vfs = BPF_CORE_READ(file, f_path.mnt);
	struct mount *mount =
		(struct mount *)((char *)vfs - bpf_core_field_offset(struct mount, mnt));
	__u16 parts = 0;

	for (unsigned i = 0; i < BPF_PATH_PARTS; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		/* A file that is in no folder (memfd_create(2)) has a name all the same. */
		if (dentry == parent && dentry != BPF_CORE_READ(mount, mnt.mnt_root)) {
			if (!add_part(event, BPF_CORE_READ(dentry, d_name.name)))
				break;
			return parts + 1;
		}
		if (dentry == parent || dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
			struct mount *above = BPF_CORE_READ(mount, mnt_parent);

			if (above == mount || !above)
				return parts;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = above;
			continue;
		}
		if (!add_part(event, BPF_CORE_READ(dentry, d_name.name)))
			break;
		parts++;
		dentry = parent;
	}
	event->cut |= BPF_CUT_EXE;
	return parts;
}

/* How much of an event there is to write. Verifiers before 6.6 or so lose a bound that is checked
 * on another copy of the number: the compiler is kept from making one. */
static __always_inline __u32 written_size(const struct bpf_exec_event *event)
{
	__u32 length = event->text_length;

	barrier_var(length);
	if (length > sizeof(event->text))
		length = sizeof(event->text);
	barrier_var(length);
	return (__u32)offsetof(struct bpf_exec_event, text) + length;
}

/* All but the record, the cgroups and the arguments. A task's own PID namespace is told by its
 * record's level. */
static __always_inline void read_executable(struct task_struct *task, struct bpf_exec_event *event)
{
	struct file *file = BPF_CORE_READ(task, mm, exe_file);
	struct nsproxy *namespaces = BPF_CORE_READ(task, nsproxy);

	event->cut = event->text_length = 0;
	event->exe_parts = event->unified_parts = event->legacy_parts = event->args_length = 0;
	event->exe_inode = BPF_CORE_READ(file, f_inode, i_ino);
	event->exe_device = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	if (file)
		event->exe_parts = add_file_path(event, file);
	event->namespaces[BPF_NAMESPACE_PID] = 0;
	event->namespaces[BPF_NAMESPACE_NET] = BPF_CORE_READ(namespaces, net_ns, ns.inum);
	event->namespaces[BPF_NAMESPACE_IPC] = BPF_CORE_READ(namespaces, ipc_ns, ns.inum);
	event->namespaces[BPF_NAMESPACE_MNT] = BPF_CORE_READ(namespaces, mnt_ns, ns.inum);
	event->namespaces[BPF_NAMESPACE_UTS] = BPF_CORE_READ(namespaces, uts_ns, ns.inum);
	event->namespaces[BPF_NAMESPACE_CGROUP] = BPF_CORE_READ(namespaces, cgroup_ns, ns.inum);
}

#endif
