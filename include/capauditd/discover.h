/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An engine: how a pass sees the node's tasks. Variants stand behind four functions.
 */
#ifndef CAPAUDITD_DISCOVER_H
#define CAPAUDITD_DISCOVER_H

#include <capauditd/cgroup.h>
#include <capauditd/diag.h>
#include <capauditd/macros.h>
#include <capauditd/task.h>

#include <stdbool.h>

#define DISCOVER_TASKS_MAX	     262144u /* tasks in a snapshot; what exceeds it is counted */
#define DISCOVER_PLACEMENTS_MAX	     65536u  /* distinct texts of /proc/PID/cgroup */
#define DISCOVER_PLACEMENT_BYTES_MAX (32u * 1024u * 1024u) /* of unusually long ones */

struct pass_options {
	bool include_host; /* read the sets of host processes as well */
	bool controls; /* read seccomp, no_new_privs and the LSM label of every container task */
	const struct cgroup_base *base; /* trusted prefixes, or NULL */
	/* The pass before, or NULL: what was in a container then is followed wherever it is now,
	 * and a user namespace is not looked up again for a process whose sets have not changed. */
	const struct snapshot *previous;
	/* Asked now and then: true ends the pass with -ECANCELED. May be NULL. */
	bool (*cancelled)(void);
};

struct engine;

struct engine_ops {
	/* Fills *ret, which the caller releases with snapshot_done(). 0 or -errno; what single
	 * processes refuse is in the coverage. */
	int (*pass)(
		struct engine *engine, const struct pass_options *options, struct snapshot *ret);
	/* Reads what is reported of one task. 0; -ESRCH where it is not that process any more. */
	int (*describe)(struct engine *engine, const struct task *task, struct process *ret);
	void (*free)(struct engine *engine);
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
