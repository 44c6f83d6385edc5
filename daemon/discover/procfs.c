/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The procfs engine: /proc/PID/cgroup decides who of those that are listed is looked at, libcap-ng
 * reads the sets. Works as an ordinary user without capabilities, given the host's PID namespace.
 */
#include "procfs_internal.h"
#include "proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a process refuses or is gone, that is counted and the pass goes on. */
static void count_failure(struct pass *pass, int error)
{
	struct coverage *c = &pass->snapshot->coverage;

	if (error == -ESRCH)
		c->vanished++;
	else if (error == -ENOSPC)
		c->over_limit++;
	else if (error == -ECANCELED)
		pass->cancelled = true;
	else if (error == -ENOMEM)
		pass->out_of_memory = true;
	else
		c->unreadable++;
}

/* Where the path names no container: does it live in a PID namespace of its own? That never changes
 * in a process's life. */
static int find_namespace_level(
	const struct pass *pass, const struct subject *subject, struct task *task)
{
	struct status status;
	int r;

	if (subject->before) {
		task->namespace_level = subject->before->namespace_level;
		task->namespace_pid = subject->before->namespace_pid;
		return 0;
	}
	r = procfs_read_status(pass, subject, &status);
	if (r < 0)
		return r;
	if (status.nspid_count > 1) {
		task->namespace_level = (status.nspid_count - 1) & 0xff; /* at most 32 */
		task->namespace_pid = status.nspid[1];
	}
	return 0;
}

static void find_user_namespace(
	const struct pass *pass, const struct subject *subject, struct task *task)
{
	/* Entering one changes a thread's sets, unless it held everything; then it is told by the
	 * worse of the two. Who was in another may have left it by an exploit, with the same sets:
	 * that is looked at anew. */
	if (subject->before && task->leader &&
		subject->before->user_namespace == USER_NAMESPACE_INITIAL &&
		capability_sets_equal(&subject->before->sets, &task->sets)) {
		task->user_namespace = subject->before->user_namespace;
		task->user_namespace_key = subject->before->user_namespace_key;
		return;
	}
	task->user_namespace =
		procfs_user_namespace(pass->procfs, subject->proc, &task->user_namespace_key);
}

static int add_process(struct pass *pass, const struct subject *subject, struct task *task)
{
	size_t first = pass->snapshot->task_count;
	int r = 0;

	if (pass->options->controls && !subject->zombie)
		r = procfs_read_controls(pass, subject, subject->pid, task);
	if (r == 0 && !subject->zombie) {
		task->leader = true;
		r = procfs_read_sets(pass, subject, subject->pid, task);
		if (r == 0) {
			find_user_namespace(pass, subject, task);
			r = snapshot_add_task(pass->snapshot, task);
		}
	} else if (r == 0) {
		find_user_namespace(pass, subject, task);
	}
	if (r == 0 && subject->threads > 1)
		r = procfs_add_threads(pass, subject, task, first);
	/* All of a process or nothing: what was read of one that is gone is thrown away. */
	if (r < 0)
		pass->snapshot->task_count = first;
	return r;
}

/* Whether a process is audited at all: 1, 0, or -errno. */
static int is_wanted(const struct pass *pass, const struct subject *subject, struct task *task)
{
	const struct cgroup_identity *identity =
		&pass->snapshot->placements[task->placement].identity;
	bool followed = subject->before && subject->before->container != NO_CONTAINER;
	int r;

	if (wanted_by_name(identity))
		return 1;
	/* Of a helper too: its name counts only while it lives in the host's PID namespace. */
	r = find_namespace_level(pass, subject, task);
	return r < 0 ? r
		     : wanted_otherwise(
			       pass->procfs, identity, pass->options->include_host, followed, task);
}

/* The cgroup text into the engine's buffer. Of a leader that has ended, that of a living thread,
 * which may end meanwhile. */
#define LIVING_TRIES 8u

static ssize_t read_cgroup(struct pass *pass, struct subject *subject)
{
	ssize_t n = -ESRCH;

	for (unsigned i = 0; n == -ESRCH && i < LIVING_TRIES; i++) {
		char path[64] = "cgroup";

		if (subject->zombie) {
			subject->living = procfs_living_thread(subject, subject->living);
			if (!subject->living)
				return -ESRCH;
			(void)snprintf(path, sizeof(path), "task/%d/cgroup", (int)subject->living);
		}
		n = procfs_read_cgroup(pass->procfs, subject->proc, path);
		if (!subject->zombie)
			break;
	}
	return n;
}

static int look_at(struct pass *pass, struct subject *subject)
{
	struct task task = {
		.pid = subject->pid,
		.tid = subject->pid,
		.ppid = subject->ppid,
		.start_ticks = subject->start_ticks,
		.forked = subject->flags & TASK_FLAG_FORKED_NO_EXEC,
		.container = NO_CONTAINER,
	};
	ssize_t n;
	int r;

	n = read_cgroup(pass, subject);
	if (n < 0)
		return (int)n;
	r = placements_find(&pass->placements, pass->snapshot, pass->options->base, NULL,
		pass->procfs->buffer, (size_t)n, &task.placement);
	if (r < 0)
		return r;
	r = is_wanted(pass, subject, &task);
	if (r <= 0)
		return r;
	return add_process(pass, subject, &task);
}

/* libproc2 read the pid's stat before its folder was opened here. A pid that changed hands in
 * between is caught by the start time that describe() compares, before anything is reported. */
static void take_process(struct pass *pass, const struct listed *listed)
{
	struct subject subject = {
		.pid = listed->pid,
		.ppid = listed->ppid,
		.start_ticks = listed->start_ticks,
		.flags = listed->flags,
		.threads = listed->threads,
	};
	int r;

	if (subject.flags & TASK_FLAG_KERNEL_THREAD) {
		pass->kernel_threads_seen = true;
		return;
	}
	if (listed->state == 'Z' || listed->state == 'X') {
		if (subject.threads <= 1)
			return;
		subject.zombie = true;
	}
	pass->snapshot->coverage.processes++;
	pass->snapshot->coverage.tasks += subject.threads;
	if (pass->options->previous) {
		subject.before = snapshot_find(pass->options->previous, subject.pid);
		if (subject.before && subject.before->start_ticks != subject.start_ticks)
			subject.before = NULL;
	}
	subject.proc = proc_open(subject.pid);
	r = subject.proc;
	if (r >= 0) {
		r = look_at(pass, &subject);
		(void)close(subject.proc);
	}
	if (r < 0)
		count_failure(pass, r);
}

static int compare_tasks(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->leader != y->leader)
		return x->leader ? -1 : 1;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

/* The kernel lists /proc in the order of pids; look-ups depend on it, so it is not taken on trust.
 */
static void order_tasks(struct snapshot *s)
{
	for (size_t i = 1; i < s->task_count; i++) {
		if (s->tasks[i - 1].pid > s->tasks[i].pid) {
			qsort(s->tasks, s->task_count, sizeof(*s->tasks), compare_tasks);
			return;
		}
	}
}

static int take_from(struct pass *pass, const struct process_list *list, size_t first)
{
	for (size_t i = first; i < list->count; i++) {
		take_process(pass, &list->of[i]);
		if (pass->cancelled || procfs_is_cancelled(pass))
			return -ECANCELED;
	}
	return 0;
}

/* Who forks and ends again and again would be gone from every list by the time it was worked off:
 * what has begun meanwhile is looked at as well, which takes a moment where all takes a second. */
#define ROUNDS_MAX 4u

static int walk(struct pass *pass)
{
	_cleanup_(process_list_done) struct process_list list = { 0 };
	int r = process_list_fill(&list);

	if (r == 0)
		r = take_from(pass, &list, 0);
	for (unsigned round = 0; r == 0 && round < ROUNDS_MAX; round++) {
		size_t before = list.count;

		r = process_list_add_new(&list);
		if (r <= 0)
			break;
		r = take_from(pass, &list, before);
	}
	return r;
}

int procfs_pass(struct engine *engine, const struct pass_options *options, struct snapshot *ret)
{
	struct procfs *procfs = (struct procfs *)engine;
	struct snapshot snapshot = { 0 };
	struct pass pass = { .procfs = procfs, .options = options, .snapshot = &snapshot };
	int r = procfs_learn_own(procfs);

	if (r == 0)
		r = walk(&pass);

	placements_done(&pass.placements);
	if (r == 0 && pass.out_of_memory)
		r = -ENOMEM;
	if (r < 0) {
		snapshot_done(&snapshot);
		return r;
	}
	if (!snapshot.coverage.processes) { /* we ourselves are at least one */
		snapshot_done(&snapshot);
		return -EIO;
	}
	order_tasks(&snapshot);
	snapshot.coverage.hidden_processes = procfs_is_hidden(procfs);
	/* Kernel threads live in the initial PID namespace alone; where they may be hidden from us
	 * our own namespace tells. */
	snapshot.coverage.not_host_pid_namespace =
		!pass.kernel_threads_seen &&
		!(snapshot.coverage.hidden_processes && procfs->in_initial_pid_namespace);
	*ret = snapshot;
	return 0;
}
