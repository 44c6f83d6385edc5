/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads an iteration's records and groups them into processes. Knows no cgroup and no capability.
 */
#include "bpf_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(struct bpf_task_record) == 136, "a hole would be compared as well");

void bpf_crowd_done(struct bpf_crowd *crowd)
{
	free(crowd->records);
	free(crowd->threads);
	free(crowd->processes);
	*crowd = (struct bpf_crowd){ 0 };
}

/* The kernel hands out as much as its own buffer holds, and not always whole records. */
static int read_records(int fd, struct bpf_crowd *crowd)
{
	const size_t size = sizeof(*crowd->records), limit = DISCOVER_TASKS_MAX * size;
	size_t length = 0;

	for (;;) {
		ssize_t n;

		if (length + size > crowd->space * size) {
			size_t space = crowd->space + crowd->space / 4 + 512;
			struct bpf_task_record *records = reallocarray(crowd->records, space, size);

			if (!records)
				return -ENOMEM;
			crowd->records = records;
			crowd->space = space;
		}
		n = read(fd, (char *)crowd->records + length, crowd->space * size - length);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n == 0)
			break;
		length += n > 0 ? (size_t)n : 0;
		if (length > limit) {
			crowd->over_limit += (length - limit) / size;
			length = limit + (length - limit) % size;
		}
	}
	crowd->count = length / size;
	return 0;
}

/* A thread that calls execve() takes its leader's id, maybe after that has been seen: whoever comes
 * second with an id counts as a thread, so that what either holds is seen. */
static bool is_leader(const struct bpf_crowd *crowd, size_t i)
{
	const struct bpf_task_record *record = &crowd->records[i];

	return record->tid == record->pid && (i == 0 || record[-1].tid != record->tid);
}

static int compare_threads(const void *a, const void *b, void *data)
{
	const struct bpf_task_record *records = data;
	const struct bpf_task_record *x = &records[*(const uint32_t *)a];
	const struct bpf_task_record *y = &records[*(const uint32_t *)b];

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

static int compare_records(const void *a, const void *b)
{
	const struct bpf_task_record *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

/* The kernel goes through the ids upwards. All that follows depends on it, so that it is not taken
 * on trust. */
static size_t order_records(struct bpf_crowd *crowd)
{
	bool ordered = true;
	size_t leaders = 0;

	for (size_t i = 1; ordered && i < crowd->count; i++)
		ordered = crowd->records[i - 1].tid < crowd->records[i].tid;
	if (!ordered)
		qsort(crowd->records, crowd->count, sizeof(*crowd->records), compare_records);
	for (size_t i = 0; i < crowd->count; i++)
		leaders += is_leader(crowd, i);
	return leaders;
}

static void add_process(struct bpf_crowd *crowd, uint32_t leader, size_t *thread)
{
	struct bpf_process *process = &crowd->processes[crowd->process_count++];
	uint32_t pid;

	if (leader == BPF_NO_RECORD)
		pid = crowd->records[crowd->threads[*thread]].pid;
	else
		pid = crowd->records[leader].pid;
	*process = (struct bpf_process){ .leader = leader, .thread = (uint32_t)*thread };
	while (*thread < crowd->thread_count &&
		crowd->records[crowd->threads[*thread]].pid == pid) {
		process->thread_count++;
		(*thread)++;
	}
}

static int group(struct bpf_crowd *crowd)
{
	size_t leaders = order_records(crowd), thread = 0;

	crowd->thread_count = crowd->count - leaders;
	crowd->threads = calloc(crowd->thread_count + 1, sizeof(*crowd->threads));
	crowd->processes = calloc(crowd->count + 1, sizeof(*crowd->processes));
	if (!crowd->threads || !crowd->processes)
		return -ENOMEM;
	for (size_t i = 0, k = 0; i < crowd->count && crowd->thread_count; i++)
		if (!is_leader(crowd, i))
			crowd->threads[k++] = (uint32_t)i;
	qsort_r(crowd->threads, crowd->thread_count, sizeof(*crowd->threads), compare_threads,
		crowd->records);
	for (size_t i = 0; i < crowd->count; i++) {
		if (!is_leader(crowd, i))
			continue;
		while (thread < crowd->thread_count &&
			crowd->records[crowd->threads[thread]].pid < crowd->records[i].pid)
			add_process(crowd, BPF_NO_RECORD, &thread);
		add_process(crowd, (uint32_t)i, &thread);
	}
	while (thread < crowd->thread_count)
		add_process(crowd, BPF_NO_RECORD, &thread);
	return 0;
}

int bpf_crowd_read(int fd, struct bpf_totals *totals, struct bpf_crowd *ret)
{
	struct bpf_crowd crowd = { 0 };
	int r;

	*totals = (struct bpf_totals){ 0 };
	r = read_records(fd, &crowd);
	crowd.totals = *totals;
	if (r == 0)
		r = group(&crowd);
	if (r < 0) {
		bpf_crowd_done(&crowd);
		return r;
	}
	*ret = crowd;
	return 0;
}

const struct bpf_task_record *bpf_process_record(
	const struct bpf_crowd *crowd, const struct bpf_process *process)
{
	return &crowd->records[process->leader != BPF_NO_RECORD ? process->leader
								: crowd->threads[process->thread]];
}

const struct bpf_task_record *bpf_crowd_find(
	const struct bpf_crowd *crowd, uint32_t pid, uint32_t tid)
{
	const struct bpf_task_record key = { .tid = tid };
	const struct bpf_task_record *found = NULL;

	if (crowd->count)
		found = bsearch(&key, crowd->records, crowd->count, sizeof(*crowd->records),
			compare_records);

	return found && found->pid == pid ? found : NULL;
}

static bool equal(const struct bpf_task_record *x, const struct bpf_task_record *y)
{
	return memcmp(x, y, sizeof(*x)) == 0;
}

bool bpf_process_equal(const struct bpf_crowd *a, const struct bpf_process *x,
	const struct bpf_crowd *b, const struct bpf_process *y)
{
	if ((x->leader == BPF_NO_RECORD) != (y->leader == BPF_NO_RECORD) ||
		x->thread_count != y->thread_count)
		return false;
	if (x->leader != BPF_NO_RECORD && !equal(&a->records[x->leader], &b->records[y->leader]))
		return false;
	for (uint32_t i = 0; i < x->thread_count; i++)
		if (!equal(&a->records[a->threads[x->thread + i]],
			    &b->records[b->threads[y->thread + i]]))
			return false;
	return true;
}
