/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the BPF programs hand to the daemon: one layout for both sides. Included by *.bpf.c and by
 * the daemon's bpf_*.c, and defined nowhere else.
 *
 * All numbers are the kernel's own: pids are those of the initial PID namespace, times are of
 * CLOCK_BOOTTIME in nanoseconds, a mask has a bit for each capability (capabilities(7)).
 */
#ifndef CAPAUDITD_BPF_RECORD_H
#define CAPAUDITD_BPF_RECORD_H

#include <linux/types.h>

#define BPF_COMM_SIZE 16

/* Order of enum capability_set. */
enum bpf_set {
	BPF_EFFECTIVE,
	BPF_PERMITTED,
	BPF_INHERITABLE,
	BPF_AMBIENT,
	BPF_BOUNDING,
	BPF_SETS,
};

/* Whose cgroups a task is in, in all hierarchies at once. The kernel keeps one css_set for each
 * combination: its address, which nobody follows, tells them apart while it lives, and the two ids
 * tell it from another that is at the same address later (a kernfs node's id is not used again). */
struct bpf_placement {
	__u64 css_set;
	__u64 unified; /* id in the default hierarchy */
	__u64 legacy;  /* id in the hierarchy of one controller; with cgroup v2 alone, the same */
};

enum bpf_task_flags {
	BPF_TASK_FORKED = 1u << 0, /* it has not called execve() since it was forked */
	BPF_TASK_NO_NEW_PRIVS = 1u << 1,
};

/* A thread of a user process. Padded by name, so that two can be compared as bytes. */
struct bpf_task_record {
	__u64 start_ns; /* of its process: when the group's leader started */
	__u64 sets[BPF_SETS];
	struct bpf_placement placement;
	__u64 exec_id; /* changes with each execve() */
	__u32 pid, tid, ppid;
	__u32 uid, gid; /* effective */
	__u32 securebits;
	__u32 user_namespace;	    /* inode */
	__u32 user_namespace_level; /* 0: the initial one */
	__s32 namespace_pid; /* in the outermost PID namespace below the initial one; else 0 */
	__u8 pid_namespace_level;
	__u8 seccomp; /* SECCOMP_MODE_*, linux/seccomp.h */
	__u16 flags;  /* of enum bpf_task_flags */
	char comm[BPF_COMM_SIZE];
};

/* What an iteration saw. The daemon zeroes it before each. */
struct bpf_totals {
	__u64 threads;	      /* of user processes, that live */
	__u64 processes;      /* whose leader lives */
	__u64 kernel_threads; /* there are some in the initial PID namespace alone */
};

#endif
