/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the procfs engine reads of one thread: its sets and the controls on it. Knows when a look at
 * what the pass before saw is enough.
 */
#include "procfs_internal.h"
#include "proc_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* `name` of the leader, or of a living thread where the leader has exited. */
ssize_t procfs_read_of(const struct pass *pass, const struct subject *subject, const char *name)
{
	char path[64];

	if (!subject->zombie)
		return procfs_read(pass->procfs, subject->proc, name, true);
	(void)snprintf(path, sizeof(path), "task/%d/%s", (int)subject->living, name);
	return procfs_read(pass->procfs, subject->proc, path, true);
}

int procfs_read_status(const struct pass *pass, const struct subject *subject, struct status *ret)
{
	ssize_t n = procfs_read_of(pass, subject, "status");

	return n < 0 ? (int)n : status_parse(pass->procfs->buffer, (size_t)n, ret);
}

static int read_thread_status(
	const struct pass *pass, const struct subject *subject, pid_t tid, struct status *ret)
{
	char path[64];
	ssize_t n;

	if (tid == subject->pid)
		(void)memcpy(path, "status", sizeof("status"));
	else
		(void)snprintf(path, sizeof(path), "task/%d/status", (int)tid);
	n = procfs_read(pass->procfs, subject->proc, path, true);
	return n < 0 ? (int)n : status_parse(pass->procfs->buffer, (size_t)n, ret);
}

static void take_controls(struct task *task, const struct status *status)
{
	task->controls_known = true;
	task->no_new_privs = status->no_new_privs;
	task->seccomp = status->seccomp;
}

bool procfs_is_confined(int proc, pid_t tid)
{
	char path[64], label[256];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "task/%d/attr/current", (int)tid);
	n = proc_read(proc, path, label, sizeof(label));
	return n > 0 && memcmp(label, "unconfined", n < 10 ? (size_t)n : 10) != 0;
}

int procfs_read_controls(
	const struct pass *pass, const struct subject *subject, pid_t tid, struct task *task)
{
	struct status status;
	int r = read_thread_status(pass, subject, tid, &status);

	if (r < 0)
		return r;
	take_controls(task, &status);
	task->confined = procfs_is_confined(subject->proc, tid);
	return 0;
}

/* AppArmor masks what capget(2) answers by the target's profile; the status file is not masked. */
static int compare_with_status(
	const struct pass *pass, const struct subject *subject, pid_t tid, struct task *task)
{
	struct status status;
	int r = read_thread_status(pass, subject, tid, &status);

	if (r < 0 || !status.has_sets)
		return r;
	for (unsigned i = 0; i < CAPABILITY_SETS; i++) {
		if (status.sets.of[i] & ~task->sets.of[i])
			task->sets_differ = true;
		task->sets.of[i] |= status.sets.of[i];
	}
	return 0;
}

/* In most passes most threads hold what they held in the pass before. One look at the status file
 * tells, which costs a third of asking libcap-ng; what has changed is read anew. 1: known and
 * filled in. */
static int recall_sets(
	const struct pass *pass, const struct subject *subject, pid_t tid, struct task *task)
{
	const struct snapshot *previous = pass->options->previous;
	const struct task *end = previous ? previous->tasks + previous->task_count : NULL;
	struct status status;
	int r;

	if (!subject->before)
		return 0;
	r = read_thread_status(pass, subject, tid, &status);
	if (r < 0)
		return r == -EBADMSG ? 0 : r;
	if (!status.has_sets)
		return 0;
	for (const struct task *t = subject->before; t < end && t->pid == subject->pid; t++) {
		if (!capability_sets_equal(&t->sets, &status.sets))
			continue;
		task->sets = t->sets;
		task->sets_differ = t->sets_differ;
		if (!task->controls_known)
			take_controls(task, &status);
		return 1;
	}
	return 0;
}

int procfs_read_sets(
	const struct pass *pass, const struct subject *subject, pid_t tid, struct task *task)
{
	int r = recall_sets(pass, subject, tid, task);

	if (r != 0)
		return r < 0 ? r : 0;
	r = read_capability_sets(
		subject->proc, subject->pid, tid, pass->procfs->own_bounding, &task->sets);
	if (r == 0 && pass->procfs->apparmor)
		r = compare_with_status(pass, subject, tid, task);
	if (r == 0 && !task->controls_known &&
		task->sets.of[CAPABILITY_BOUNDING] & ~capability_sets_held(&task->sets))
		r = procfs_read_controls(pass, subject, tid, task);
	return r;
}
