/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's structures, as far as the BPF programs look at them. Offsets come from the running
 * kernel (CO-RE), so that names and types alone matter here, and no kernel's headers are needed to
 * build. Source: include/linux/{sched,cred,cgroup-defs,kernfs,pid,user_namespace}.h, 5.10 and
 * later. What follows three underscores tells shapes of one structure apart, and is no part of its
 * name.
 */
#ifndef CAPAUDITD_BPF_KERNEL_H
#define CAPAUDITD_BPF_KERNEL_H

#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define PF_FORKNOEXEC	 0x00000040u /* include/linux/sched.h */
#define PF_KTHREAD	 0x00200000u
#define PFA_NO_NEW_PRIVS 1u /* bit 0 of atomic_flags */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct user_namespace {
	struct ns_common ns;
	int level;
};

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[];
};

typedef struct {
	unsigned int val;
} kuid_t;

/* kernel_cap_t is one word from 6.3 on, and was two of 32 bits before. */
struct capability_word {
	__u64 val;
};

struct capability_words {
	__u32 cap[2];
};

struct cred {
	kuid_t euid, egid;
	unsigned int securebits;
	struct capability_word cap_inheritable, cap_permitted, cap_effective, cap_bset, cap_ambient;
	struct user_namespace *user_ns;
};

struct cred___words {
	struct capability_words cap_inheritable, cap_permitted, cap_effective, cap_bset,
		cap_ambient;
};

struct kernfs_node {
	__u64 id;
	const char *name;
	struct kernfs_node *__parent; /* from 6.15 on */
};

struct kernfs_node___5_10 {
	struct kernfs_node___5_10 *parent;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct css_set {
	struct cgroup_subsys_state *subsys[32];
	struct cgroup *dfl_cgrp;
};

enum cgroup_subsys_id {
	memory_cgrp_id = 1,
	pids_cgrp_id = 2,
};

struct seccomp {
	int mode;
};

struct uts_namespace {
	struct ns_common ns;
};

struct ipc_namespace {
	struct ns_common ns;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct pid_namespace {
	struct ns_common ns;
	struct task_struct *child_reaper;
};

struct net {
	struct ns_common ns;
};

struct cgroup_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct pid_namespace *pid_ns_for_children;
	struct net *net_ns;
	struct cgroup_namespace *cgroup_ns;
};

struct qstr {
	__u32 len;
	const unsigned char *name;
};

struct super_block {
	__u32 s_dev;
};

struct inode {
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
};

struct mm_struct {
	struct file *exe_file;
	unsigned long arg_start, arg_end;
};

struct linux_binprm;

struct list_head {
	struct list_head *next, *prev;
};

struct task_struct {
	struct list_head tasks, thread_node;
	struct signal_struct *signal;
	struct mm_struct *mm;
	struct nsproxy *nsproxy;
	unsigned int flags;
	int exit_state;
	int pid, tgid;
	struct task_struct *real_parent, *group_leader;
	struct pid *thread_pid;
	__u64 start_boottime;
	const struct cred *real_cred;
	char comm[16];
	struct css_set *cgroups;
	struct seccomp seccomp;
	unsigned long atomic_flags;
	__u64 self_exec_id;
	unsigned in_execve : 1;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#endif
