/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the procfs engine's files share.
 */
#ifndef CAPAUDITD_PROCFS_INTERNAL_H
#define CAPAUDITD_PROCFS_INTERNAL_H

#include <capauditd/discover.h>
#include <capauditd/text.h>

#include "placements.h"

/* A cgroup text has up to 14 lines of up to 4096 bytes; a status file with 65,536 supplementary
 * groups, which a container may give itself, 720 KB. */
#define PROCFS_BUFFER_SIZE     65536u
#define PROCFS_BUFFER_SIZE_MAX (4u * 1024u * 1024u)

struct procfs {
	struct engine engine;
	char *buffer; /* for one file at a time; terminated */
	size_t buffer_size;
	uint64_t own_user_namespace; /* inode */
	uint64_t own_uid_map;	     /* hash of the text */
	capability_mask own_bounding;
	uint64_t host_inode[HOST_NAMESPACES]; /* 0: not known */
	uint64_t host_network_file; /* inode of /proc/1/net/dev: each network namespace has its own
				     */
	uint64_t boot_us;	    /* realtime of the boot, for start times */
	long ticks_per_second;
	bool in_initial_pid_namespace;
	bool labels;   /* some LSM gives processes labels: /proc/PID/attr/current can be read */
	bool apparmor; /* capget(2) may be masked by the target's profile */
};

/* The user namespace of a process: by its nsfs inode, else by its uid_map. */
enum user_namespace procfs_user_namespace(const struct procfs *procfs, int proc, uint64_t *ret_key);

/* Reads a whole file of a process into the buffer, which grows where it must. `record` as in
 * proc_read_record(). The length, or -errno. */
ssize_t procfs_read(struct procfs *procfs, int proc, const char *name, bool record);

#define PROCFS_UNREADABLE_CGROUP "unreadable\n" /* stands for a text that cannot be had */

/* A text of /proc/PID/cgroup (`name` below the process's folder) into the buffer. Older kernels
 * refuse a path that is too long to be shown, which a container with a cgroup of its own can make:
 * that gives a text which names an ambiguous container, so that the process is nobody's by name,
 * and audited. The length, or -errno. */
ssize_t procfs_read_cgroup(struct procfs *procfs, int proc, const char *name);

/* A thread's LSM label says something else than "unconfined". */
bool procfs_is_confined(int proc, pid_t tid);

/* Tells a container runtime's program, and the host's own, by its path and where the file is. */
void procfs_recognise(const char *path, dev_t device, ino_t inode, struct process *process);

/* wanted.c: is a process audited? By its container's name, which needs no more of it than its
 * cgroup; and otherwise: `followed` was in a container when it was seen last; the task's namespace
 * level is filled in, and what becomes known of it is. */
bool wanted_by_name(const struct cgroup_identity *identity);
bool wanted_otherwise(struct procfs *procfs, const struct cgroup_identity *identity,
	bool include_host, bool followed, struct task *task);

/* snapshot_tasks.c: adds a task to the snapshot. 0, -ENOSPC, -ENOMEM. */
int snapshot_add_task(struct snapshot *snapshot, const struct task *task);

/* The same of a thread of the process whose tasks are those from number `first` on: where one has
 * the same sets it stands for both, with the weaker of their controls. */
int snapshot_add_thread(struct snapshot *snapshot, struct task *task, size_t first);

/* Looks at ourselves again: we may have given up capabilities since. 0 or -errno. */
int procfs_learn_own(struct procfs *procfs);

/* /proc is mounted with hidepid, and it hides from us. */
bool procfs_is_hidden(struct procfs *procfs);

/* What pass() and describe() do. */
int procfs_pass(struct engine *engine, const struct pass_options *options, struct snapshot *ret);
int procfs_describe(struct engine *engine, const struct task *task, struct process *ret);
/* What a task tells of its process; the rest is zeroes. */
struct process procfs_process_of(const struct procfs *procfs, const struct task *task);
/* As procfs_describe(), where what /proc/PID/status and comm say is known: `facts` has that as well
 * (uid, gid, comm, no_new_privs, seccomp, the host's PID namespace), and nothing that is owned.
 * NULL: it is not known. */
int procfs_describe_with(struct procfs *procfs, const struct task *task,
	const struct process *facts, struct process *ret);

/* FNV-1a; only to tell texts apart inside one process, never across machines. */
uint64_t procfs_hash(const char *text, size_t length);

/* procfs_list.c: the processes that there are, as they were listed. */
struct listed {
	uint64_t start_ticks;
	pid_t pid, ppid;
	unsigned flags, threads;
	char state;
};
struct process_list {
	struct listed *of;
	size_t count;
};

/* Fills an empty list with all. 0 or -errno. */
int process_list_fill(struct process_list *list);

/* Orders the list by pid and appends those that have begun since; how many, or -errno. Of some
 * thousands at the most. */
int process_list_add_new(struct process_list *list);
void process_list_done(struct process_list *list);

/* A pass while it goes on. */
struct pass {
	struct procfs *procfs;
	const struct pass_options *options;
	struct snapshot *snapshot;
	struct placements placements;
	bool kernel_threads_seen;
	bool out_of_memory;
	bool cancelled;
	uint64_t asked_us; /* monotonic: when it was asked last whether to go on */
};

/* One process while it is looked at. */
struct subject {
	pid_t pid, ppid;
	uint64_t start_ticks;
	unsigned flags, threads;
	bool zombie;  /* its leader has exited; other threads live */
	pid_t living; /* a thread that has not exited */
	int proc;
	const struct task *before; /* the same process in the pass before */
};

/* `name` of the subject's leader, or of a living thread where the leader has exited, into the
 * engine's buffer. The length or -errno. */
ssize_t procfs_read_of(const struct pass *pass, const struct subject *subject, const char *name);
int procfs_read_status(const struct pass *pass, const struct subject *subject, struct status *ret);

/* Fill in the task's controls; its sets (and controls where they decide how far these reach). 0 or
 * -errno. */
int procfs_read_controls(
	const struct pass *pass, const struct subject *subject, pid_t tid, struct task *task);
int procfs_read_sets(
	const struct pass *pass, const struct subject *subject, pid_t tid, struct task *task);

/* True where the pass is to end; asked every QUESTION_US at most. */
bool procfs_is_cancelled(struct pass *pass);

/* A thread of a process whose leader has ended, and not `not_this`; 0: there is none. */
pid_t procfs_living_thread(const struct subject *subject, pid_t not_this);

/* Adds a task for each thread whose sets differ from those of the tasks from number `first` on,
 * which are this process's. 0 or -errno. */
int procfs_add_threads(
	struct pass *pass, const struct subject *subject, struct task *task, size_t first);

#endif
