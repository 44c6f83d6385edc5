/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pass of the bpf engine: from an iteration's records to a snapshot. What is as it was in the
 * pass before is taken over from that one's snapshot.
 */
#include "bpf_internal.h"
#include "proc_file.h"

#include <capauditd/clock.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t bpf_ticks(const struct bpf_engine *engine, uint64_t ns)
{
	return ns / (UINT64_C(1000000000) / engine->ticks_per_second); /* as the kernel rounds */
}

struct task bpf_task_of(const struct bpf_engine *engine, const struct bpf_task_record *record)
{
	struct task task = {
		.pid = (pid_t)record->pid,
		.tid = (pid_t)record->tid,
		.ppid = (pid_t)record->ppid,
		.start_ticks = bpf_ticks(engine, record->start_ns),
		.user_namespace_key = record->user_namespace,
		.user_namespace = record->user_namespace_level ? USER_NAMESPACE_OTHER
							       : USER_NAMESPACE_INITIAL,
		.namespace_pid = record->namespace_pid,
		.namespace_level = record->pid_namespace_level,
		.container = NO_CONTAINER,
		.forked = record->flags & BPF_TASK_FORKED,
		.controls_known = true,
		.no_new_privs = record->flags & BPF_TASK_NO_NEW_PRIVS,
	};

	_Static_assert(sizeof(task.sets) == sizeof(record->sets), "one order of the sets");
	memcpy(&task.sets, record->sets, sizeof(task.sets));
	if (record->seccomp == SECCOMP_FILTER_MODE)
		task.seccomp = SECCOMP_FILTER_MODE;
	else if (record->seccomp == SECCOMP_STRICT_MODE)
		task.seccomp = SECCOMP_STRICT_MODE;
	return task;
}

/* The one control that the kernel's structures do not tell: labels are the LSM's own. */
static void read_label(const struct bpf_pass *pass, struct task *task)
{
	_cleanup_close_ int proc = pass->options->controls ? proc_open(task->pid) : -1;

	if (proc >= 0)
		task->confined = procfs_is_confined(proc, task->tid);
}

static int add_tasks(struct bpf_pass *pass, const struct bpf_process *process, struct task *first)
{
	struct snapshot *s = pass->snapshot;
	const struct bpf_crowd *crowd = &pass->crowd;
	size_t begin = s->task_count;
	int r = 0;

	if (process->leader != BPF_NO_RECORD) {
		first->leader = true;
		read_label(pass, first);
		r = snapshot_add_task(s, first);
	}
	for (uint32_t i = 0; r == 0 && i < process->thread_count; i++) {
		struct task task = bpf_task_of(
			pass->engine, &crowd->records[crowd->threads[process->thread + i]]);

		task.placement = first->placement;
		task.start_ticks = first->start_ticks;
		task.ppid = first->ppid;
		task.forked = first->forked;
		task.namespace_pid = first->namespace_pid;
		task.namespace_level = first->namespace_level;
		read_label(pass, &task);
		r = snapshot_add_thread(s, &task, begin);
	}
	if (r < 0) /* all of a process or nothing */
		s->task_count = begin;
	return r;
}

/* The same process in the pass before: both are ordered by pid, so that it is not looked for. */
static const struct bpf_process *find_before(
	const struct bpf_pass *pass, const struct bpf_process *process, size_t *position)
{
	const struct bpf_crowd *before = &pass->engine->before;
	const struct bpf_task_record *record = bpf_process_record(&pass->crowd, process);

	if (!pass->follows)
		return NULL;
	for (; *position < before->process_count; (*position)++) {
		const struct bpf_process *other = &before->processes[*position];
		const struct bpf_task_record *theirs = bpf_process_record(before, other);

		if (theirs->pid > record->pid)
			return NULL;
		if (theirs->pid == record->pid)
			return theirs->start_ns == record->start_ns ? other : NULL;
	}
	return NULL;
}

static bool was_in_container(const struct bpf_pass *pass, const struct bpf_process *before)
{
	return before && before->task_count &&
	       pass->options->previous->tasks[before->task].container != NO_CONTAINER;
}

/* Takes over what the pass before made of a process of which nothing has changed. */
static int take_over(struct bpf_pass *pass, const struct bpf_process *before,
	struct bpf_process *process, unsigned placement)
{
	struct snapshot *s = pass->snapshot;
	const struct task *tasks = &pass->options->previous->tasks[before->task];
	int r = 0;

	process->task = (uint32_t)s->task_count;
	process->task_count = before->task_count;
	for (uint32_t i = 0; r == 0 && i < before->task_count; i++) {
		struct task task = tasks[i];

		task.placement = placement;
		task.container = NO_CONTAINER;
		task.same = true;
		task.outside_parent = task.moved = task.runtime_stage = false;
		r = snapshot_add_task(s, &task);
	}
	if (r < 0)
		s->task_count = process->task;
	return r;
}

/* Labels are no part of a record: each thread's is read, and the tasks may be the same then. */
static int compare_labels(struct bpf_pass *pass, const struct bpf_process *before,
	struct bpf_process *process, struct task *task)
{
	struct snapshot *s = pass->snapshot;
	const struct task *tasks = &pass->options->previous->tasks[before->task];
	struct task *fresh;
	bool same;
	int r;

	process->task = (uint32_t)s->task_count;
	task->shim = tasks->shim;
	r = add_tasks(pass, process, task);
	if (r < 0)
		return r;
	process->task_count = (uint32_t)s->task_count - process->task;
	fresh = &s->tasks[process->task];
	same = process->task_count == before->task_count;
	for (uint32_t i = 0; same && i < process->task_count; i++)
		same = fresh[i].confined == tasks[i].confined;
	for (uint32_t i = 0; same && i < process->task_count; i++)
		fresh[i].same = true;
	return 0;
}

static int take_process(
	struct bpf_pass *pass, struct bpf_process *process, const struct bpf_process *before)
{
	const struct bpf_task_record *record = bpf_process_record(&pass->crowd, process);
	bool equal = before && before->place &&
		     bpf_process_equal(&pass->engine->before, before, &pass->crowd, process);
	struct bpf_place_use use;
	struct task task;
	int r = bpf_places_find(pass, record, equal ? before->place : NULL, &use);

	if (r < 0)
		return r;
	process->place = use.place;
	if (equal && use.confirmed && !before->task_count)
		return 0;
	if (equal && use.confirmed && !pass->options->controls)
		return take_over(pass, before, process, use.placement);
	task = bpf_task_of(pass->engine, record);
	task.placement = use.placement;
	if (equal && use.confirmed)
		return compare_labels(pass, before, process, &task);
	if (!wanted_by_name(use.identity) &&
		!wanted_otherwise(pass->engine->procfs, use.identity, pass->options->include_host,
			was_in_container(pass, before), &task))
		return 0;
	process->task = (uint32_t)pass->snapshot->task_count;
	r = add_tasks(pass, process, &task);
	process->task_count = (uint32_t)pass->snapshot->task_count - process->task;
	return r;
}

/* Where one process refuses or is gone, that is counted and the pass goes on. 0, -ENOMEM. */
static int count_failure(struct snapshot *s, int error)
{
	switch (error) {
	case -ENOMEM:
		return error;
	case -ESRCH:
		s->coverage.vanished++;
		return 0;
	case -ENOSPC:
		s->coverage.over_limit++;
		return 0;
	default:
		s->coverage.unreadable++;
		return 0;
	}
}

#define PROCESSES_PER_QUESTION 4096u

static int take_all(struct bpf_pass *pass)
{
	size_t position = 0;

	for (size_t i = 0; i < pass->crowd.process_count; i++) {
		struct bpf_process *process = &pass->crowd.processes[i];
		int r;

		if (i % PROCESSES_PER_QUESTION == 0 && pass->options->cancelled &&
			pass->options->cancelled())
			return -ECANCELED;
		r = take_process(pass, process, find_before(pass, process, &position));
		if (r < 0) {
			process->place = NULL;
			process->task_count = 0;
			r = count_failure(pass->snapshot, r);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static void count_all(struct bpf_pass *pass)
{
	struct coverage *coverage = &pass->snapshot->coverage;

	coverage->tasks = pass->crowd.totals.threads;
	coverage->processes = pass->crowd.process_count;
	coverage->over_limit += pass->crowd.over_limit;
	coverage->hidden_processes = procfs_is_hidden(pass->engine->procfs);
	coverage->not_host_pid_namespace = !pass->crowd.totals.kernel_threads;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash * UINT64_C(0x100000001b3) ^ (text ? procfs_hash(text, strlen(text)) : 1);
}

/* Of the trusted prefixes, to see that they have changed. */
static uint64_t hash_base(const struct cgroup_base *base)
{
	uint64_t hash = 0;

	if (!base)
		return 0;
	for (size_t i = 0; i < base->count; i++)
		hash = hash_text(hash, base->prefixes[i]);
	return hash_text(hash, base->own) | 1;
}

static int iterate(struct bpf_engine *engine, struct bpf_crowd *ret, struct diag *diag)
{
	_cleanup_close_ int fd = bpf_iterator_open(&engine->tasks);

	if (fd < 0)
		(void)diag_error(diag, 0, 0,
			fd == -EPERM ? "this kernel lets nobody iterate who has given up his "
				       "privileges, and there was no place to pin the iterator"
				     : "the iterator does not open");
	return fd < 0 ? fd : bpf_crowd_read(fd, bpf_totals(engine), ret);
}

/* How old what the first pass sees may be when it begins: a pass over /proc takes longer. */
#define TRIED_US 100000u

static bool take_tried(struct bpf_engine *engine, struct bpf_crowd *ret)
{
	struct bpf_tried tried = engine->tried;

	engine->tried = (struct bpf_tried){ 0 };
	if (!tried.at_us)
		return false;
	if (clock_us(CLOCK_MONOTONIC) - tried.at_us > TRIED_US) {
		bpf_crowd_done(&tried.crowd);
		return false;
	}
	*ret = tried.crowd;
	return true;
}

/* The walk where it goes; of more tasks than it takes, the iterator tells. */
static int look_once(struct bpf_engine *engine, struct bpf_crowd *ret, struct diag *diag)
{
	int r;

	if (take_tried(engine, ret))
		return 0;
	r = bpf_walk(engine, ret);
	if (r < 0 && r != -ENOMEM)
		r = iterate(engine, ret, diag);
	if (r == 0) {
		r = bpf_check(engine, ret, diag);
		if (r < 0)
			bpf_crowd_done(ret);
	}
	return r;
}

/* Reads the node, and does not believe it where we ourselves look different: twice, since something
 * of us can change in between (our parent ends). */
static int look(struct bpf_engine *engine, struct bpf_crowd *ret)
{
	struct diag diag = { 0 };
	int r = look_once(engine, ret, &diag);

	if (r == -EUCLEAN)
		r = look_once(engine, ret, &diag);
	if (r < 0 && diag.message[0]) {
		free(engine->engine.notice);
		engine->engine.notice = strdup(diag.message);
	}
	return r;
}

/* What was before makes room for what will be, unless that is far too much. */
static void keep_crowd(struct bpf_engine *engine, struct bpf_crowd *crowd)
{
	bpf_crowd_done(&engine->spare);
	engine->spare = engine->before;
	engine->before = *crowd;
	if (engine->spare.space || engine->spare.leader_space / 4 > crowd->count + 1024)
		bpf_crowd_done(&engine->spare);
}

int bpf_pass(struct engine *base, const struct pass_options *options, struct snapshot *ret)
{
	struct bpf_engine *engine = (struct bpf_engine *)base;
	struct snapshot snapshot = { 0 };
	struct bpf_pass pass = { .engine = engine, .options = options, .snapshot = &snapshot };
	uint64_t hash = hash_base(options->base);
	int r;

	pass.follows = options->previous && options->previous->tasks &&
		       options->previous->tasks == engine->given && hash == engine->base_hash;
	r = look(engine, &pass.crowd);
	if (r < 0)
		return r;
	engine->places.pass++;
	if (options->space) {
		snapshot.tasks = TAKE_PTR(options->space->tasks);
		snapshot.task_space = options->space->count;
	}
	r = take_all(&pass);
	placements_done(&pass.placements);
	if (r == 0)
		r = bpf_places_sweep(engine, snapshot.placement_count);
	if (r < 0) {
		snapshot_done(&snapshot);
		bpf_crowd_done(&pass.crowd);
		engine->given = NULL; /* some places may have been read anew */
		return r;
	}
	count_all(&pass);
	keep_crowd(engine, &pass.crowd);
	engine->given = snapshot.tasks;
	bpf_describe_sweep(engine);
	engine->base_hash = hash;
	*ret = snapshot;
	return 0;
}
