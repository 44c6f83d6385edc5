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
	if (crowd->space)
		free(crowd->records);
	free(crowd->leaders);
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

static int compare_threads(const void *a, const void *b, void *data)
{
	const struct bpf_task_record *records = data;
	const struct bpf_task_record *x = &records[*(const uint32_t *)a];
	const struct bpf_task_record *y = &records[*(const uint32_t *)b];

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

static uint32_t pid_of_leader(uint64_t leader)
{
	return (uint32_t)(leader >> 32);
}

/* Room for `count` and more, or NULL; what was in it is not needed. */
static void *make_room(void *room, size_t *space, size_t count, size_t size)
{
	if (room && *space >= count)
		return room;
	free(room);
	*space = count + count / 8 + 64;
	return calloc(*space, size);
}

#define DIGIT_BITS 11u /* two digits make the largest id there can be (PID_MAX_LIMIT, 2^22) */
#define DIGITS	   (1u << DIGIT_BITS)

/* One round of a radix sort: stable, by the digit of the pid that begins at `shift`. */
static void sort_by_digit(const uint64_t *from, uint64_t *to, size_t count, unsigned shift)
{
	uint32_t place[DIGITS + 1] = { 0 };

	for (size_t i = 0; i < count; i++)
		place[(from[i] >> shift & (DIGITS - 1)) + 1]++;
	for (unsigned digit = 1; digit < DIGITS; digit++)
		place[digit] += place[digit - 1];
	for (size_t i = 0; i < count; i++)
		to[place[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

/* The processes' room is not used yet, and a process is larger than a number. */
static void sort_leaders(struct bpf_crowd *crowd, size_t count)
{
	uint64_t *other = (uint64_t *)crowd->processes;

	_Static_assert(sizeof(*other) <= sizeof(*crowd->processes), "there is room");
	sort_by_digit(crowd->leaders, other, count, 32);
	sort_by_digit(other, crowd->leaders, count, 32 + DIGIT_BITS);
}

/* The kernel's iterator goes through the ids upwards, and its list of tasks is by age, which is the
 * same until ids are used again: on a node that lives long it is not. */
static size_t list_leaders(struct bpf_crowd *crowd)
{
	bool ordered = true;
	size_t count = 0;

	for (size_t i = 0; i < crowd->count; i++) {
		const struct bpf_task_record *record = &crowd->records[i];

		if (record->tid != record->pid)
			continue;
		crowd->leaders[count] = (uint64_t)record->pid << 32 | i;
		ordered = ordered &&
			  (count == 0 || crowd->leaders[count - 1] < crowd->leaders[count]);
		count++;
	}
	if (!ordered)
		sort_leaders(crowd, count);
	return count;
}

/* A thread that calls execve() takes its leader's id, maybe after that has been seen: whoever comes
 * second with an id counts as a thread, so that what either holds is seen. */
static bool is_second(const struct bpf_crowd *crowd, size_t leader)
{
	return leader > 0 &&
	       pid_of_leader(crowd->leaders[leader]) == pid_of_leader(crowd->leaders[leader - 1]);
}

static int list_threads(struct bpf_crowd *crowd, size_t leaders)
{
	size_t most = crowd->count - leaders;

	for (size_t i = 0; i < leaders; i++)
		most += is_second(crowd, i);
	crowd->thread_count = 0;
	crowd->threads =
		make_room(crowd->threads, &crowd->thread_space, most, sizeof(*crowd->threads));
	if (!crowd->threads)
		return -ENOMEM;
	for (size_t i = 0; most && i < leaders; i++)
		if (is_second(crowd, i))
			crowd->threads[crowd->thread_count++] = (uint32_t)crowd->leaders[i];
	for (size_t i = 0; crowd->thread_count < most && i < crowd->count; i++)
		if (crowd->records[i].tid != crowd->records[i].pid)
			crowd->threads[crowd->thread_count++] = (uint32_t)i;
	qsort_r(crowd->threads, crowd->thread_count, sizeof(*crowd->threads), compare_threads,
		crowd->records);
	return 0;
}

static void add_process(struct bpf_crowd *crowd, uint32_t pid, uint32_t leader, size_t *thread)
{
	struct bpf_process *process = &crowd->processes[crowd->process_count++];

	*process = (struct bpf_process){ .leader = leader, .thread = (uint32_t)*thread };
	while (*thread < crowd->thread_count &&
		crowd->records[crowd->threads[*thread]].pid == pid) {
		process->thread_count++;
		(*thread)++;
	}
}

/* Those whose leaders are gone, up to that pid. */
static void add_orphans(struct bpf_crowd *crowd, uint64_t pid, size_t *thread)
{
	while (*thread < crowd->thread_count && crowd->records[crowd->threads[*thread]].pid < pid)
		add_process(
			crowd, crowd->records[crowd->threads[*thread]].pid, BPF_NO_RECORD, thread);
}

static int group(struct bpf_crowd *crowd)
{
	size_t leaders, thread = 0;

	crowd->leaders = make_room(
		crowd->leaders, &crowd->leader_space, crowd->count, sizeof(*crowd->leaders));
	crowd->processes = make_room(
		crowd->processes, &crowd->process_space, crowd->count, sizeof(*crowd->processes));
	if (!crowd->leaders || !crowd->processes)
		return -ENOMEM;
	leaders = list_leaders(crowd);
	if (list_threads(crowd, leaders) < 0)
		return -ENOMEM;
	crowd->process_count = 0;
	for (size_t i = 0; i < leaders; i++) {
		uint32_t pid = pid_of_leader(crowd->leaders[i]);

		if (is_second(crowd, i))
			continue;
		add_orphans(crowd, pid, &thread);
		add_process(crowd, pid, (uint32_t)crowd->leaders[i], &thread);
	}
	add_orphans(crowd, UINT64_MAX, &thread);
	return 0;
}

static int group_into(struct bpf_crowd *crowd, struct bpf_crowd *ret)
{
	int r = group(crowd);

	if (r < 0) {
		bpf_crowd_done(crowd);
		return r;
	}
	*ret = *crowd;
	return 0;
}

int bpf_crowd_read(int fd, struct bpf_totals *totals, struct bpf_crowd *ret)
{
	struct bpf_crowd crowd = { 0 };
	int r;

	*totals = (struct bpf_totals){ 0 };
	r = read_records(fd, &crowd);
	if (r < 0) {
		bpf_crowd_done(&crowd);
		return r;
	}
	crowd.totals = *totals;
	return group_into(&crowd, ret);
}

int bpf_crowd_take(struct bpf_task_record *records, size_t count, const struct bpf_totals *totals,
	struct bpf_crowd *spare, struct bpf_crowd *ret)
{
	struct bpf_crowd crowd = *spare;

	if (crowd.space)
		free(crowd.records);
	*spare = (struct bpf_crowd){ 0 };
	crowd.records = records;
	crowd.count = count;
	crowd.space = 0;
	crowd.totals = *totals;
	crowd.over_limit = 0;
	return group_into(&crowd, ret);
}

const struct bpf_task_record *bpf_process_record(
	const struct bpf_crowd *crowd, const struct bpf_process *process)
{
	return &crowd->records[process->leader != BPF_NO_RECORD ? process->leader
								: crowd->threads[process->thread]];
}

static const struct bpf_process *find_process(const struct bpf_crowd *crowd, uint32_t pid)
{
	size_t begin = 0, end = crowd->process_count;

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;
		const struct bpf_process *process = &crowd->processes[middle];
		uint32_t found = bpf_process_record(crowd, process)->pid;

		if (found == pid)
			return process;
		if (found < pid)
			begin = middle + 1;
		else
			end = middle;
	}
	return NULL;
}

const struct bpf_task_record *bpf_crowd_find(
	const struct bpf_crowd *crowd, uint32_t pid, uint32_t tid)
{
	const struct bpf_process *process = find_process(crowd, pid);

	if (!process)
		return NULL;
	if (process->leader != BPF_NO_RECORD && tid == pid)
		return &crowd->records[process->leader];
	for (uint32_t i = 0; i < process->thread_count; i++) {
		const struct bpf_task_record *record =
			&crowd->records[crowd->threads[process->thread + i]];

		if (record->tid == tid)
			return record;
	}
	return NULL;
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
