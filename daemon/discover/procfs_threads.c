/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The threads of a process, and the tasks that they make. A container chooses how many there are
 * and how long each lives; none of that may hide one.
 */
#include "proc_file.h"
#include "procfs_internal.h"

#include <capauditd/clock.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define QUESTION_US 100000u /* between two questions whether to go on */

/* By the clock and not by the number of processes: a container can make each cost much. */
bool procfs_is_cancelled(struct pass *pass)
{
	uint64_t us;

	if (!pass->options->cancelled)
		return false;
	us = clock_us(CLOCK_MONOTONIC_COARSE);
	if (pass->asked_us && us - pass->asked_us < QUESTION_US)
		return false;
	pass->asked_us = us;
	pass->cancelled = pass->options->cancelled();
	return pass->cancelled;
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

static int add_thread(struct pass *pass, const struct subject *subject, struct task *task,
	pid_t tid, size_t first)
{
	int r = 0;

	task->sets_differ = false;
	task->controls_known = false;
	if (pass->options->controls)
		r = procfs_read_controls(pass, subject, tid, task);
	if (r == 0)
		r = procfs_read_sets(pass, subject, tid, task);
	if (r < 0)
		return r;
	task->tid = tid;
	return snapshot_add_thread(pass->snapshot, task, first);
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
