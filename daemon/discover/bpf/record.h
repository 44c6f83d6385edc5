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
	BPF_TASK_FORKED = 1u << 0, /* the process has not called execve() since it was forked */
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

/* A walk fills rows of a table that both sides share, from `first` on, which the daemon sets. */
#define BPF_WALK_ROWS  16384u
#define BPF_WALK_TASKS 65536u /* so many are looked at, before others are kept waiting too long */

struct bpf_walk {
	__u32 first, count; /* rows */
	__u32 visited;	    /* tasks */
	__u32 cut;	    /* there was more than was written */
	__u32 shift; /* how much further the same task was in the last walk's rows; unsigned: it
			wraps */
	__u32 unused;
	struct bpf_totals totals;
};

/*
 * Events, through a ring buffer. Each begins with what kind it is.
 */
enum bpf_event_kind {
	BPF_EVENT_EXEC = 1,
	BPF_EVENT_CREDENTIALS, /* what a task holds has changed without an execve() */
	BPF_EVENT_CGROUP_MADE,
	BPF_EVENT_CGROUP_GONE,
	BPF_EVENT_DESCRIPTION, /* an answer of the describing iterator, in the shape of an exec's */
};

/* Which processes are to be described: a bit for each pid modulo this. Who shares one is described
 * as well. (Kernels before 5.11 count a map as locked memory: it is kept small.) */
#define BPF_WANTED 32768u

enum bpf_namespace { /* order of enum host_namespace */
	BPF_NAMESPACE_PID,
	BPF_NAMESPACE_NET,
	BPF_NAMESPACE_IPC,
	BPF_NAMESPACE_MNT,
	BPF_NAMESPACE_UTS,
	BPF_NAMESPACE_CGROUP,
	BPF_NAMESPACES,
};

#define BPF_PATH_PARTS 32u   /* of a path, at most so many parts from its end are told */
#define BPF_PART_MAX   256u  /* with its NUL: NAME_MAX */
#define BPF_PATH_MAX   1024u /* of a cgroup's path, as the kernel writes it */
#define BPF_PARTS_MAX  3072u /* of all paths of an event */
#define BPF_ARGS_MAX   1024u

enum bpf_cut { /* what is not all that there was */
	BPF_CUT_EXE = 1u << 0,
	BPF_CUT_UNIFIED = 1u << 1,
	BPF_CUT_LEGACY = 1u << 2,
	BPF_CUT_ARGS = 1u << 3,
};

/* What is told of a task whose program begins, or that is to be described: its record, and what it
 * runs. Written only as far as `text_length` goes. */
struct bpf_exec_event {
	__u32 kind;
	__u32 cut;
	struct bpf_task_record task;
	__u64 exe_inode;
	__u64 time_ns; /* of CLOCK_MONOTONIC */
	/* The init process of the outermost PID namespace below the initial one; 0: none. */
	__u64 namespace_init_start_ns;
	__u32 namespace_init;
	__u32 parent_inside;		  /* its parent is in the same cgroups and PID namespace */
	__u32 exe_device;		  /* as the kernel counts: major << 20 | minor */
	__u32 namespaces[BPF_NAMESPACES]; /* inodes; 0: not known */
	/* In `text` one after another: the parts of the executable's path and of its cgroups', each
	 * from its end to the root, each part terminated by a NUL, without slashes; and the
	 * arguments, each terminated by a NUL. The cgroups' are there where the place has no
	 * permit (else both are cut), the legacy one's where it is another. */
	__u16 exe_parts, unified_parts, legacy_parts;
	__u16 args_length;
	__u32 text_length;
	char text[BPF_PARTS_MAX + BPF_PART_MAX + BPF_ARGS_MAX];
};

struct bpf_cgroup_event {
	__u32 kind;
	__u32 hierarchy; /* 0: the default one */
	__u64 id;
	char path[BPF_PATH_MAX]; /* terminated; cut where it is longer */
};

/* What need not be told of tasks that are in that place: who holds no more than `permitted`, in
 * that user namespace. A table of these is in memory that both sides share: the daemon writes a row
 * with `valid` 0, fills it, and makes it valid; a placement's rows are looked for in
 * BPF_PERMIT_PROBES rows from its hash on. */
#define BPF_PERMITS	  16384u /* a power of two */
#define BPF_PERMIT_PROBES 8u

struct bpf_permit {
	struct bpf_placement placement;
	__u64 permitted;
	__u32 user_namespace;
	__u16 valid;
	__u16 host; /* no container: whoever lives in the initial PID namespace is not told */
};

/* So many events a second are told of one place; a container must not crowd out the others, nor
 * make the daemon eat the node. What exceeds it is lost, and counted as that. */
#define BPF_EVENTS_PER_SECOND 1000u

/* Counted by the programs, never set back. */
struct bpf_event_totals {
	__u64 execs; /* all of them */
	__u64 told;  /* events that were written */
	__u64 lost;  /* and those for which there was no room */
	__u64 cgroups;
};

static inline __u32 bpf_placement_hash(const struct bpf_placement *placement)
{
	__u64 hash = placement->css_set ^ placement->unified * 0x9e3779b97f4a7c15ULL ^
		     placement->legacy * 0xc2b2ae3d27d4eb4fULL;

	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15ULL;
	return (__u32)(hash >> 40);
}

#endif
