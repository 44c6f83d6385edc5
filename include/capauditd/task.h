/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A task as an engine saw it, and a snapshot: all of them, from one pass.
 *
 * A process is identified by its pid and its start time (clock ticks since boot, field 22 of
 * /proc/PID/stat). Each process gives one task for its leader and one for every thread whose sets
 * differ from those already given.
 */
#ifndef CAPAUDITD_TASK_H
#define CAPAUDITD_TASK_H

#include <capauditd/capability.h>
#include <capauditd/cgroup.h>
#include <capauditd/status.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum user_namespace {
	USER_NAMESPACE_UNKNOWN, /* could not be read */
	USER_NAMESPACE_INITIAL, /* the reader's own, which is the host's */
	USER_NAMESPACE_OTHER,
};

/* A node has tens of thousands of them, in two snapshots at a time: they are kept small. */
struct task {
	pid_t pid;
	pid_t tid;
	pid_t ppid;
	unsigned placement; /* index into the snapshot's placements */
	uint64_t start_ticks;
	struct capability_sets sets;
	/* Which user namespace: the inode of its nsfs file, or, where that cannot be had, a hash of
	 * its uid_map (bit 63 set, so that the two never meet). 0: unknown. */
	uint64_t user_namespace_key;
	unsigned container; /* set by identify: number of its container, or NO_CONTAINER */
	/* Where the path does not name a container: how many PID namespaces below the reader's it
	 * lives, and its pid in the outermost of these (1: that namespace's init). */
	pid_t namespace_pid;
	unsigned namespace_level : 8;
	enum user_namespace user_namespace : 4;
	enum seccomp_mode seccomp : 4;
	bool leader : 1;	 /* the first task given of its process */
	bool forked : 1;	 /* the process has not called execve() since it was forked */
	bool outside_parent : 1; /* set by identify: its parent is not in its container */
	bool moved : 1;		 /* set by identify: seen in its container before, elsewhere now */
	/* Controls are read where the pass was asked for them, and where the bounding set has more
	 * than is held: there no_new_privs decides how far it reaches. */
	bool controls_known : 1;
	bool no_new_privs : 1;
	bool confined : 1;    /* an LSM label other than "unconfined" */
	bool sets_differ : 1; /* capget(2) and the status file disagree; `sets` has the larger
				 answer */
	/* Set before judging: it is, or may still be, the runtime's own program that sets the
	 * container up with the host's capabilities. */
	bool runtime_stage : 1;
	bool shim : 1; /* in a pod's cgroup and no container's, and known to be a runtime's helper
			*/
	/* Set by the engine: everything the engine fills in is as it was in the pass before
	 * (options->previous), of the same thread of the same process, which has the same text of
	 * /proc/PID/cgroup (its number may be another) and the same threads: what the stages found
	 * of it then still holds. Set only where that is certain, of all tasks of a process or of
	 * none, and only where the trusted cgroup prefixes are those of the pass before. False is
	 * never wrong. */
	bool same : 1;
	/* Set before judging: it was looked at and is not the runtime's own program; until it calls
	 * execve() that holds. Of `same` ones it is known from the pass before. */
	bool no_stage : 1;
};

#define NO_CONTAINER UINT32_MAX

/* The init process of the outermost PID namespace below the reader's. pid 0: not known, or none. */
struct namespace_init {
	pid_t pid;
	uint64_t start_ticks;
};

/* One distinct text of /proc/PID/cgroup. */
struct placement {
	char *text; /* owned, not terminated by anything but its length */
	size_t length;
	struct cgroup_identity identity; /* its path points into text */
};

/* How much of the node a pass saw. */
struct coverage {
	uint64_t tasks;	    /* threads of user processes, zombies excepted */
	uint64_t processes; /* user processes */
	uint64_t container_processes;
	uint64_t containers;
	uint64_t pods;
	uint64_t vanished;     /* processes that ended while they were read */
	uint64_t unreadable;   /* living ones whose sets or cgroup could not be read */
	uint64_t unattributed; /* container processes of whom it is not known whose they are */
	uint64_t starting;     /* containers whose program does not run yet */
	uint64_t opaque;       /* containers that cannot be seen into */
	uint64_t unknown_executables; /* executables that could not be read (unprivileged) */
	uint64_t over_limit;	      /* tasks beyond what a table may hold */
	bool not_host_pid_namespace;
	bool hidden_processes; /* /proc is mounted with hidepid, and it hides from us */
};

struct snapshot {
	struct task *tasks; /* ordered by pid; a process's leader first */
	size_t task_count, task_space;
	struct placement *placements;
	size_t placement_count, placement_space;
	/* How many texts were read just now, of processes that may have moved meanwhile: the next
	 * pass knows. Until then all events of there are told. */
	size_t unconfirmed;
	struct coverage coverage;
};

void snapshot_done(struct snapshot *snapshot);

/* The leader's task of that process, or NULL. */
struct task *snapshot_find(const struct snapshot *snapshot, pid_t pid);

/* What is read of a process only when it is reported. */
#define PROCESS_ARGUMENTS_MAX 64
#define HOST_NAMESPACES	      6

enum host_namespace { /* order of docs/interface.md's "host_namespaces" */
	HOST_NAMESPACE_PID = 1u << 0,
	HOST_NAMESPACE_NET = 1u << 1,
	HOST_NAMESPACE_IPC = 1u << 2,
	HOST_NAMESPACE_MNT = 1u << 3,
	HOST_NAMESPACE_UTS = 1u << 4,
	HOST_NAMESPACE_CGROUP = 1u << 5,
};

struct process {
	pid_t pid, tid, ppid;
	uint64_t start_ticks;
	uint64_t start_us;   /* realtime, microseconds */
	char comm[16];	     /* of the thread; may hold anything but NUL */
	char *exe;	     /* NULL where unreadable */
	bool exe_on_host;    /* that file is the one which the host has under that name */
	bool exe_is_runtime; /* that file is a container runtime's: the host's own, or its sealed
				copy */
	char **cmdline; /* at most PROCESS_ARGUMENTS_MAX, terminated by NULL; NULL where empty */
	uid_t uid;
	gid_t gid;
	struct capability_sets sets;
	enum user_namespace user_namespace;
	uint64_t user_namespace_inode; /* 0: not known */
	bool no_new_privs;
	enum seccomp_mode seccomp;
	char *lsm;			/* label, NULL where none or unreadable */
	unsigned host_namespaces;	/* of enum host_namespace: those shared with the host */
	unsigned host_namespaces_known; /* those of which it is known */
};

void process_done(struct process *process);
/* Takes the words of a text: each ends with a NUL, the last perhaps not. What exceeds
 * PROCESS_ARGUMENTS_MAX is left out; where there are none it keeps what it has. 0 or -ENOMEM. */
int process_set_words(struct process *process, const char *text, size_t length);
/* The same of a text as that of /proc/PID/cmdline: words that are empty at the end (of a process
 * that overwrote its arguments) are left out. */
int process_set_cmdline(struct process *process, const char *text, size_t length);
/* Forgets all words of its command line but the first: the others can hold secrets. */
void process_forget_arguments(struct process *process);
int process_copy(const struct process *from, struct process *ret);
const char *host_namespace_name(unsigned bit_index);

#endif
