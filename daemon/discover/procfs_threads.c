/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The threads of a process, and the tasks that they make. A container chooses how many there are
 * and how long each lives; none of that may hide one.
 */
#include "proc_file.h"
#include "procfs_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

/* Distinct sets of one process that are told; a container could make one for each thread. */
#define DISTINCT_SETS_MAX 64u

#define QUESTION_US 100000u /* between two questions whether to go on */

/* By the clock and not by the number of processes: a container can make each cost much. */
bool procfs_is_cancelled(struct pass *pass)
{
	struct timespec now;
	uint64_t us;

	if (!pass->options->cancelled)
		return false;
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	us = (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
	if (pass->asked_us && us - pass->asked_us < QUESTION_US)
		return false;
	pass->asked_us = us;
	pass->cancelled = pass->options->cancelled();
	return pass->cancelled;
}

int procfs_new_task(struct pass *pass, const struct task *task)
{
	struct snapshot *s = pass->snapshot;

	if (s->task_count >= DISCOVER_TASKS_MAX)
		return -ENOSPC;
	if (!s->tasks || s->task_count == s->task_space) {
		size_t space = s->task_space + s->task_space / 4 + 256;
		struct task *tasks = reallocarray(s->tasks, space, sizeof(*tasks));

		if (!tasks)
			return -ENOMEM;
		s->tasks = tasks;
		s->task_space = space;
	}
	s->tasks[s->task_count++] = *task;
	return 0;
}

static DIR *open_threads(int proc)
{
	int fd = openat(proc, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		(void)close(fd);
	return d;
}

static pid_t next_thread(DIR *threads)
{
	const struct dirent *entry;

	while ((entry = readdir(threads))) {
		uint64_t tid;

		if (text_to_u64(entry->d_name, 1, INT32_MAX, &tid) == 0)
			return (pid_t)tid;
	}
	return 0;
}

/* A leader that has exited keeps its folder while other threads live. */
pid_t procfs_living_thread(const struct subject *subject, pid_t not_this)
{
	DIR *threads = open_threads(subject->proc);
	pid_t tid;

	if (!threads)
		return 0;
	while ((tid = next_thread(threads)))
		if (tid != subject->pid && tid != not_this)
			break;
	(void)closedir(threads);
	return tid;
}

static struct task *find_same_sets(
	const struct snapshot *s, size_t first, const struct capability_sets *sets)
{
	for (size_t i = first; i < s->task_count; i++)
		if (capability_sets_equal(&s->tasks[i].sets, sets))
			return &s->tasks[i];
	return NULL;
}

/* Of two threads with the same sets one task is made: with the weaker of their controls. */
static void weaken(struct task *kept, const struct task *other)
{
	if (!other->controls_known) {
		kept->controls_known = false;
		return;
	}
	kept->no_new_privs = kept->no_new_privs && other->no_new_privs;
	kept->confined = kept->confined && other->confined;
	if (other->seccomp < kept->seccomp)
		kept->seccomp = other->seccomp;
}

/* Past the usual number of distinct sets only a thread that has what none of the others has makes a
 * task: there can be few of those, and none of them hides. */
static bool adds_something(const struct snapshot *s, size_t first, const struct task *task)
{
	struct capability_sets all = { { 0 } };

	if (!s->tasks || s->task_count - first < DISTINCT_SETS_MAX)
		return true;
	for (size_t i = first; i < s->task_count; i++)
		for (unsigned k = 0; k < CAPABILITY_SETS; k++)
			all.of[k] |= s->tasks[i].sets.of[k];
	return !capability_sets_within(&task->sets, &all);
}

static int add_thread(struct pass *pass, const struct subject *subject, struct task *task,
	pid_t tid, size_t first)
{
	struct snapshot *s = pass->snapshot;
	struct task *same;
	int r = 0;

	task->sets_differ = false;
	task->controls_known = false;
	if (pass->options->controls)
		r = procfs_read_controls(pass, subject, tid, task);
	if (r == 0)
		r = procfs_read_sets(pass, subject, tid, task);
	if (r < 0)
		return r;
	same = find_same_sets(s, first, &task->sets);
	if (same) {
		weaken(same, task);
		return 0;
	}
	if (!adds_something(s, first, task))
		return 0;
	task->tid = tid;
	task->leader = s->task_count == first;
	return procfs_new_task(pass, task);
}

/* Adds a task for each thread whose sets differ from those of the tasks already there. Threads that
 * hand over to one another and end are looked for again. */
#define LISTINGS 3u

int procfs_add_threads(
	struct pass *pass, const struct subject *subject, struct task *task, size_t first)
{
	bool ended = true;
	int r = 0;

	for (unsigned listing = 0; r == 0 && ended && listing < LISTINGS; listing++) {
		DIR *threads = open_threads(subject->proc);
		pid_t tid;

		if (!threads)
			return proc_errno(errno);
		ended = false;
		while (r == 0 && (tid = next_thread(threads))) {
			if (tid == subject->pid)
				continue;
			r = add_thread(pass, subject, task, tid, first);
			if (r == -ESRCH) {
				/* one thread less, or all of them */
				r = proc_alive(subject->proc);
				ended = true;
				pass->snapshot->coverage.vanished += r == 0;
			}
			if (r == 0 && procfs_is_cancelled(pass))
				r = -ECANCELED;
		}
		(void)closedir(threads);
	}
	return r;
}
