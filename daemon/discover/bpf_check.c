/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does the iteration tell the truth? Under lockdown, reads of the kernel's memory give zeros and no
 * error; a kernel with other structures could give anything. What it says of ourselves is compared
 * with /proc.
 */
#include "bpf_internal.h"
#include "proc_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int complain(struct diag *diag, const char *what)
{
	(void)diag_error(diag, 0, 0,
		"what the kernel's task iterator says of this process is not what /proc says (%s)",
		what);
	return -EUCLEAN;
}

static int compare_status(
	const struct bpf_task_record *record, const struct status *status, struct diag *diag)
{
	if (memcmp(record->sets, &status->sets, sizeof(status->sets)) != 0)
		return complain(diag, "capability sets");
	if (record->uid != status->uid || record->gid != status->gid)
		return complain(diag, "user");
	if ((pid_t)record->ppid != status->ppid)
		return complain(diag, "parent");
	if (!!(record->flags & BPF_TASK_NO_NEW_PRIVS) != status->no_new_privs)
		return complain(diag, "no_new_privs");
	if (record->seccomp != status->seccomp)
		return complain(diag, "seccomp");
	if (record->pid_namespace_level + 1u != status->nspid_count)
		return complain(diag, "PID namespace");
	return 0;
}

static int compare_stat(const struct bpf_engine *engine, const struct bpf_task_record *record,
	int proc, struct diag *diag)
{
	struct procfs *procfs = engine->procfs;
	struct stat_facts facts;
	ssize_t n = procfs_read(procfs, proc, "stat", true);
	int r = n < 0 ? (int)n : stat_parse(procfs->buffer, (size_t)n, &facts);

	if (r < 0)
		return r;
	if (facts.start_ticks != bpf_ticks(engine, record->start_ns))
		return complain(diag, "start time");
	if (!!(facts.flags & TASK_FLAG_FORKED_NO_EXEC) != !!(record->flags & BPF_TASK_FORKED))
		return complain(diag, "flags");
	return 0;
}

/* Sets are those of a mask that a thread of ours has: all of them, since it is we who gave them up.
 */
int bpf_check(struct bpf_engine *engine, const struct bpf_crowd *crowd, struct diag *diag)
{
	const pid_t pid = getpid();
	_cleanup_close_ int proc = proc_open(pid);
	const struct bpf_task_record *record = bpf_crowd_find(crowd, (uint32_t)pid, (uint32_t)pid);
	struct procfs *procfs = engine->procfs;
	struct status status;
	ssize_t n;
	int r;

	if (proc < 0)
		return proc;
	if (!crowd->totals.kernel_threads) {
		(void)diag_error(diag, 0, 0, "this is not the host's PID namespace");
		return -EUCLEAN;
	}
	if (!record && crowd->over_limit)
		return 0; /* somebody has filled the table, which must not end the engine */
	if (!record)
		return complain(diag, "it is not there");
	n = procfs_read(procfs, proc, "status", true);
	r = n < 0 ? (int)n : status_parse(procfs->buffer, (size_t)n, &status);
	if (r == 0)
		r = compare_status(record, &status, diag);
	if (r == 0)
		r = compare_stat(engine, record, proc, diag);
	if (r == 0 && (!record->placement.css_set || !record->placement.unified ||
			      !record->placement.legacy))
		return complain(diag, "cgroup");
	return r;
}
