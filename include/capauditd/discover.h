/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An engine: how a pass sees the node's tasks. Variants stand behind four functions.
 */
#ifndef CAPAUDITD_DISCOVER_H
#define CAPAUDITD_DISCOVER_H

#include <capauditd/cgroup.h>
#include <capauditd/diag.h>
#include <capauditd/judge.h>
#include <capauditd/macros.h>
#include <capauditd/task.h>

#include <stdbool.h>

#define DISCOVER_TASKS_MAX	     262144u /* tasks in a snapshot; what exceeds it is counted */
#define DISCOVER_PLACEMENTS_MAX	     65536u  /* distinct texts of /proc/PID/cgroup */
#define DISCOVER_PLACEMENT_BYTES_MAX (32u * 1024u * 1024u) /* of unusually long ones */

/* An array for the tasks of a snapshot. */
struct task_space {
	struct task *tasks; /* NULL: none */
	size_t count;
};

struct pass_options {
	bool include_host; /* read the sets of host processes as well */
	bool controls; /* read seccomp, no_new_privs and the LSM label of every container task */
	const struct cgroup_base *base; /* trusted prefixes, or NULL */
	/* The pass before, or NULL: what was in a container then is followed wherever it is now,
	 * and a user namespace is not looked up again for a process whose sets have not changed. */
	const struct snapshot *previous;
	/* Of a snapshot that nobody needs any more, and not of `previous`. The pass may take it,
	 * and sets it to NULL then. May be NULL. */
	struct task_space *space;
	/* Asked now and then: true ends the pass with -ECANCELED. May be NULL. */
	bool (*cancelled)(void);
};

struct engine;

/* A program has begun: told by an engine that hears of it, maybe when it has ended already. */
struct exec_event {
	bool credentials; /* no program: what the task holds has become more without an execve() */
	struct task task; /* its placement is this one alone */
	struct placement placement;
	uint64_t time_us;   /* monotonic: when, which may be before the last pass */
	bool parent_inside; /* its parent is in the same cgroups and PID namespace */
	struct namespace_init namespace_init;
	struct process process; /* the handler may move it out, and leave it zeroed */
	bool seen; /* the last pass has seen the process, and no program before this one in it */
	uint64_t place[3]; /* the engine's */
};

struct event_handler {
	void (*exec)(void *data, struct exec_event *event);
	/* A cgroup was made or is gone; a path of the host's tree, cut where it is too long. */
	void (*cgroup)(void *data, const char *path, bool made);
	void *data;
};

/* Since the engine was made. */
struct event_counts {
	uint64_t execs, cgroups; /* that there were */
	uint64_t lost;		 /* that should have been told and were not */
};

struct engine_ops {
	/* Fills *ret, which the caller releases with snapshot_done(). 0 or -errno; what single
	 * processes refuse is in the coverage. */
	int (*pass)(
		struct engine *engine, const struct pass_options *options, struct snapshot *ret);
	/* Reads what is reported of one task. 0; -ESRCH where it is not that process any more. */
	int (*describe)(struct engine *engine, const struct task *task, struct process *ret);
	void (*free)(struct engine *engine);
	/* Events; all NULL where the engine hears of none. A descriptor that can be read when there
	 * are some, or -errno; -ENOTSUP: there are none. */
	int (*event_fd)(struct engine *engine);
	int (*read_events)(struct engine *engine, const struct event_handler *handler);
	void (*count_events)(const struct engine *engine, struct event_counts *ret);
	/* See engine_permit(). */
	void (*permit)(struct engine *engine, unsigned placement, const struct permit *permit);
	void (*permit_event)(
		struct engine *engine, const struct exec_event *event, const struct permit *permit);
	void (*forget_permits)(struct engine *engine);
};

struct engine {
	const struct engine_ops *ops;
	const char *name; /* what looks at the tasks now: "procfs" or "bpf" */
	/* Why that is not what was wished for, a sentence without its end; NULL: it is, or it was
	 * told. */
	char *notice;
};

/* What is new of the engine itself, or NULL; the caller frees it. */
char *engine_take_notice(struct engine *engine);

/* Walks /proc with libproc2, reads capability sets with libcap-ng. Needs no privilege. */
int engine_procfs_new(struct engine **ret);

/* Asks the kernel, by a BPF iterator over its tasks. Needs CAP_BPF and CAP_PERFMON, or
 * CAP_SYS_ADMIN, while it is made, and nothing afterwards: `lasting` says that passes will be taken
 * after they were given up. 0; -errno with *diag filled where this kernel, or these privileges, do
 * not let it, or where what it says of ourselves is not what /proc says. A pass that finds that out
 * later fails with -EUCLEAN. */
int engine_bpf_new(bool lasting, struct engine **ret, struct diag *diag);

/* bpf where it works; where it does not, or no longer, procfs, with a notice. */
int engine_auto_new(bool lasting, struct engine **ret);

/* See engine_ops. Without events: -ENOTSUP, no event, zeroes. engine_read_events() hands what has
 * come so far to the handler, in its order; the number of events, or -errno. */
int engine_event_fd(struct engine *engine);
int engine_read_events(struct engine *engine, const struct event_handler *handler);
void engine_count_events(const struct engine *engine, struct event_counts *ret);

/* Says of a placement of the last snapshot, or of where an event came from, which programs need not
 * be told; NULL: all are. What nothing is said of is told always. */
void engine_permit(struct engine *engine, unsigned placement, const struct permit *permit);
void engine_permit_event(
	struct engine *engine, const struct exec_event *event, const struct permit *permit);
/* Takes back all that was permitted: another policy counts. */
void engine_forget_permits(struct engine *engine);

void engine_free(struct engine *engine);
DEFINE_CLEANUP(struct engine, engine_free)

/* Reads the five sets of thread `tid` of process `pid` through libcap-ng, as one process: `proc` is
 * an O_PATH descriptor of /proc/PID that was opened when it was known to be the right process. If
 * that process or thread is gone after the last read, what was read is thrown away: -ESRCH. -EACCES
 * and others where a living task refuses.
 *
 * libcap-ng 0.8.3 answers with the caller's own bounding set, and success, where the target's
 * status file cannot be opened. `own_bounding` is that set: an answer that equals it is read again
 * from the file. */
int read_capability_sets(
	int proc, pid_t pid, pid_t tid, capability_mask own_bounding, struct capability_sets *ret);

#endif
