/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The records of an iteration, however they come, and the processes that they make.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/discover/bpf_internal.h"
#include "../support/fail_allocation.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct bpf_task_record record_of(uint32_t pid, uint32_t tid)
{
	return (struct bpf_task_record){ .pid = pid, .tid = tid, .start_ns = pid, .ppid = 1 };
}

static int file_of(const void *bytes, size_t size)
{
	int fd = memfd_create("records", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static struct bpf_crowd read_all(const void *bytes, size_t size)
{
	_cleanup_close_ int fd = file_of(bytes, size);
	struct bpf_totals totals = { 9, 9, 9 };
	struct bpf_crowd crowd;

	assert_int_equal(bpf_crowd_read(fd, &totals, &crowd), 0);
	assert_int_equal(crowd.totals.threads, 0); /* set back before */
	return crowd;
}

#define READ(records) read_all(records, sizeof(records))

static void assert_process(const struct bpf_crowd *crowd, size_t i, uint32_t pid, bool leader,
	const uint32_t *tids, size_t count)
{
	const struct bpf_process *process = &crowd->processes[i];

	assert_true(i < crowd->process_count);
	assert_int_equal(bpf_process_record(crowd, process)->pid, pid);
	assert_int_equal(process->leader != BPF_NO_RECORD, leader);
	if (leader)
		assert_int_equal(crowd->records[process->leader].tid, pid);
	assert_int_equal(process->thread_count, count);
	for (size_t k = 0; k < count; k++) {
		const struct bpf_task_record *record =
			&crowd->records[crowd->threads[process->thread + k]];

		assert_int_equal(record->pid, pid);
		assert_int_equal(record->tid, tids[k]);
	}
}

#define TIDS(...)                          \
	(const uint32_t[]){ __VA_ARGS__ }, \
		sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t)

static void threads_come_under_their_processes_in_order(void **state)
{
	/* Leaders 4, 10 and 20; those of 6, 15 and 25 are gone. */
	const struct bpf_task_record records[] = { record_of(4, 4), record_of(6, 7),
		record_of(10, 10), record_of(10, 11), record_of(4, 12), record_of(15, 16),
		record_of(20, 20), record_of(4, 21), record_of(25, 26), record_of(6, 27) };
	struct bpf_crowd crowd = READ(records);

	(void)state;
	assert_int_equal(crowd.count, 10);
	assert_int_equal(crowd.thread_count, 7);
	assert_int_equal(crowd.process_count, 6);
	assert_process(&crowd, 0, 4, true, TIDS(12, 21));
	assert_process(&crowd, 1, 6, false, TIDS(7, 27));
	assert_process(&crowd, 2, 10, true, TIDS(11));
	assert_process(&crowd, 3, 15, false, TIDS(16));
	assert_process(&crowd, 4, 20, true, NULL, 0);
	assert_process(&crowd, 5, 25, false, TIDS(26));
	assert_int_equal(bpf_crowd_find(&crowd, 4, 21)->tid, 21);
	assert_null(bpf_crowd_find(&crowd, 6, 21)); /* another's */
	assert_null(bpf_crowd_find(&crowd, 6, 6));
	bpf_crowd_done(&crowd);
	bpf_crowd_done(&crowd);
}

static void records_out_of_order_give_the_same(void **state)
{
	struct bpf_task_record records[] = { record_of(10, 12), record_of(4, 21), record_of(10, 10),
		record_of(6, 7), record_of(4, 4), record_of(4, 12 + 1) };
	struct bpf_crowd crowd = READ(records);

	(void)state;
	assert_int_equal(crowd.process_count, 3);
	assert_process(&crowd, 0, 4, true, TIDS(13, 21));
	assert_process(&crowd, 1, 6, false, TIDS(7));
	assert_process(&crowd, 2, 10, true, TIDS(12));
	bpf_crowd_done(&crowd);
}

/* A thread that calls execve() takes its leader's id. */
static void two_records_of_one_id_are_one_process_and_both_are_seen(void **state)
{
	struct bpf_task_record records[] = { record_of(4, 4), record_of(10, 10), record_of(10, 10),
		record_of(10, 11) };
	struct bpf_crowd crowd;
	uint64_t seen = 0;

	(void)state;
	records[1].sets[0] = 1;
	records[2].sets[0] = 2;
	crowd = READ(records);
	assert_int_equal(crowd.process_count, 2);
	assert_process(&crowd, 1, 10, true, TIDS(10, 11));
	seen = crowd.records[crowd.processes[1].leader].sets[0] |
	       crowd.records[crowd.threads[crowd.processes[1].thread]].sets[0];
	assert_int_equal(seen, 3);
	bpf_crowd_done(&crowd);
}

/* By age, as the kernel lists them, once its ids have been used again; threads after their leader.
 */
static void records_that_are_borrowed_stay_where_they_are(void **state)
{
	struct bpf_task_record records[] = { record_of(30, 30), record_of(30, 7), record_of(4, 4),
		record_of(20, 20), record_of(20, 31), record_of(10, 10), record_of(6, 8) };
	struct bpf_task_record copy[sizeof(records) / sizeof(records[0])];
	struct bpf_totals totals = { 7, 4, 1 };
	struct bpf_crowd crowd, again, spare = { 0 };
	const uint32_t *room;

	(void)state;
	memcpy(copy, records, sizeof(records));
	assert_int_equal(bpf_crowd_take(records, 7, &totals, &spare, &crowd), 0);
	assert_memory_equal(records, copy, sizeof(records));
	assert_ptr_equal(crowd.records, records);
	assert_int_equal(crowd.totals.threads, 7);
	assert_int_equal(crowd.process_count, 5);
	assert_process(&crowd, 0, 4, true, NULL, 0);
	assert_process(&crowd, 1, 6, false, TIDS(8));
	assert_process(&crowd, 2, 10, true, NULL, 0);
	assert_process(&crowd, 3, 20, true, TIDS(31));
	assert_process(&crowd, 4, 30, true, TIDS(7));
	assert_int_equal(bpf_crowd_find(&crowd, 30, 7)->tid, 7);
	assert_ptr_equal(bpf_crowd_find(&crowd, 10, 10), &records[5]);
	assert_null(bpf_crowd_find(&crowd, 31, 31));

	room = crowd.threads;
	assert_int_equal(bpf_crowd_take(records, 5, &totals, &crowd, &again), 0);
	assert_ptr_equal(again.threads, room);
	assert_null(crowd.records);
	assert_int_equal(again.process_count, 3);
	assert_process(&again, 2, 30, true, TIDS(7));
	bpf_crowd_done(&crowd);
	bpf_crowd_done(&again);
}

static void an_iteration_may_give_nothing(void **state)
{
	struct bpf_crowd crowd = read_all("", 0);

	(void)state;
	assert_int_equal(crowd.count, 0);
	assert_int_equal(crowd.process_count, 0);
	assert_null(bpf_crowd_find(&crowd, 1, 1));
	bpf_crowd_done(&crowd);
}

static void half_a_record_at_the_end_is_none(void **state)
{
	const struct bpf_task_record records[] = { record_of(4, 4), record_of(5, 5) };
	struct bpf_crowd crowd = read_all(records, sizeof(records) - 1);

	(void)state;
	assert_int_equal(crowd.count, 1);
	assert_int_equal(crowd.process_count, 1);
	bpf_crowd_done(&crowd);
}

struct writer {
	int fd;
	const char *bytes;
	size_t size;
};

/* In pieces that begin and end anywhere. */
static void *write_pieces(void *data)
{
	const struct writer *writer = data;
	size_t at = 0, piece = 1;

	while (at < writer->size) {
		size_t length = piece < writer->size - at ? piece : writer->size - at;
		ssize_t n = write(writer->fd, writer->bytes + at, length);

		if (n <= 0)
			break;
		at += (size_t)n;
		piece = piece * 7 % 4001 + 1;
	}
	(void)close(writer->fd);
	return NULL;
}

static void pieces_that_are_cut_anywhere_are_put_together(void **state)
{
	enum { COUNT = 1500 };
	static struct bpf_task_record records[COUNT];
	struct bpf_totals totals;
	struct bpf_crowd crowd;
	struct writer writer;
	pthread_t thread;
	int ends[2];

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		records[i] = record_of(i / 3 * 3 + 1, i + 1);
		records[i].exec_id = i * UINT64_C(0x9e3779b97f4a7c15);
	}
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	writer = (struct writer){ ends[1], (const char *)records, sizeof(records) };
	assert_int_equal(pthread_create(&thread, NULL, write_pieces, &writer), 0);
	assert_int_equal(bpf_crowd_read(ends[0], &totals, &crowd), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)close(ends[0]);
	assert_int_equal(crowd.count, COUNT);
	assert_memory_equal(crowd.records, records, sizeof(records));
	assert_int_equal(crowd.process_count, COUNT / 3);
	bpf_crowd_done(&crowd);
}

static void what_exceeds_the_limit_is_counted(void **state)
{
	const size_t count = DISCOVER_TASKS_MAX + 5000,
		     size = count * sizeof(struct bpf_task_record);
	struct bpf_task_record *records = malloc(size);
	struct bpf_totals totals;
	struct bpf_crowd crowd;
	struct writer writer;
	pthread_t thread;
	int ends[2];

	(void)state;
	assert_non_null(records);
	for (size_t i = 0; i < count; i++)
		records[i] = record_of((uint32_t)i + 1, (uint32_t)i + 1);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	writer = (struct writer){ ends[1], (const char *)records, size };
	assert_int_equal(pthread_create(&thread, NULL, write_pieces, &writer), 0);
	assert_int_equal(bpf_crowd_read(ends[0], &totals, &crowd), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)close(ends[0]);
	assert_int_equal(crowd.count, DISCOVER_TASKS_MAX);
	assert_int_equal(crowd.over_limit, 5000);
	assert_memory_equal(crowd.records, records, crowd.count * sizeof(*records));
	bpf_crowd_done(&crowd);
	free(records);
}

static void what_read_says_is_passed_on(void **state)
{
	struct bpf_totals totals;
	struct bpf_crowd crowd = { .count = 4711 };

	(void)state;
	assert_int_equal(bpf_crowd_read(-1, &totals, &crowd), -EBADF);
	assert_int_equal(crowd.count, 4711);
}

static void out_of_memory_is_an_error_and_nothing_else(void **state)
{
	const struct bpf_task_record records[] = { record_of(4, 4), record_of(4, 5) };

	(void)state;
	for (unsigned long n = 1;; n++) {
		_cleanup_close_ int fd = file_of(records, sizeof(records));
		struct bpf_totals totals;
		struct bpf_crowd crowd = { 0 };
		bool fired;
		int r;

		fail_allocation_at(n);
		r = bpf_crowd_read(fd, &totals, &crowd);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		assert_int_equal(r, fired ? -ENOMEM : 0);
		bpf_crowd_done(&crowd);
		if (!fired)
			break;
	}
}

static bool equal(const struct bpf_crowd *a, const struct bpf_crowd *b)
{
	return bpf_process_equal(a, &a->processes[0], b, &b->processes[0]);
}

/* Whatever was written counts: a byte of a leader's record, or of a thread's. */
static void processes_are_equal_only_byte_for_byte(void **state)
{
	struct bpf_task_record records[] = { record_of(4, 4), record_of(4, 5), record_of(4, 6) };
	struct bpf_crowd before = READ(records), after = READ(records);

	(void)state;
	assert_true(equal(&before, &after));
	bpf_crowd_done(&after);
	for (size_t i = 0; i < sizeof(records); i++) {
		unsigned char *byte = (unsigned char *)records + i;
		size_t member = i % sizeof(records[0]);

		/* Whose it is would be another's. */
		if (member >= offsetof(struct bpf_task_record, pid) &&
			member < offsetof(struct bpf_task_record, ppid))
			continue;
		*byte ^= 0x10;
		after = READ(records);
		assert_false(equal(&before, &after));
		*byte ^= 0x10;
		bpf_crowd_done(&after);
	}
	bpf_crowd_done(&before);
}

static void a_thread_or_a_leader_that_comes_or_goes_makes_another_process(void **state)
{
	const struct bpf_task_record all[] = { record_of(4, 4), record_of(4, 5), record_of(4, 6) };
	const struct bpf_task_record other[] = { record_of(4, 4), record_of(4, 5),
		record_of(4, 7) };
	struct bpf_crowd whole = READ(all), fewer = read_all(all, 2 * sizeof(all[0]));
	struct bpf_crowd without = read_all(all + 1, 2 * sizeof(all[0])), another = READ(other);

	(void)state;
	assert_false(equal(&whole, &fewer));
	assert_false(equal(&whole, &without));
	assert_false(equal(&without, &whole));
	assert_false(equal(&whole, &another));
	assert_true(equal(&without, &without));
	bpf_crowd_done(&whole);
	bpf_crowd_done(&fewer);
	bpf_crowd_done(&without);
	bpf_crowd_done(&another);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_come_under_their_processes_in_order),
		cmocka_unit_test(records_out_of_order_give_the_same),
		cmocka_unit_test(two_records_of_one_id_are_one_process_and_both_are_seen),
		cmocka_unit_test(records_that_are_borrowed_stay_where_they_are),
		cmocka_unit_test(an_iteration_may_give_nothing),
		cmocka_unit_test(half_a_record_at_the_end_is_none),
		cmocka_unit_test(pieces_that_are_cut_anywhere_are_put_together),
		cmocka_unit_test(what_exceeds_the_limit_is_counted),
		cmocka_unit_test(what_read_says_is_passed_on),
		cmocka_unit_test(out_of_memory_is_an_error_and_nothing_else),
		cmocka_unit_test(processes_are_equal_only_byte_for_byte),
		cmocka_unit_test(a_thread_or_a_leader_that_comes_or_goes_makes_another_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
