/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an iteration says of this process is compared with what /proc says: whatever differs is a
 * reason not to believe it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/discover/bpf_internal.h"
#include "../../daemon/discover/proc_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	struct bpf_engine engine;
	struct bpf_crowd crowd;
	struct bpf_task_record record;
};

/* As an iteration that tells the truth would. */
static void tell_the_truth(struct fixture *f)
{
	_cleanup_close_ int proc = proc_open(getpid());
	struct bpf_task_record *record = &f->record;
	struct procfs *procfs = f->engine.procfs;
	struct stat_facts facts;
	struct status status;
	ssize_t n;

	assert_true(proc >= 0);
	n = procfs_read(procfs, proc, "status", true);
	assert_true(n > 0);
	assert_int_equal(status_parse(procfs->buffer, (size_t)n, &status), 0);
	n = procfs_read(procfs, proc, "stat", true);
	assert_true(n > 0);
	assert_int_equal(stat_parse(procfs->buffer, (size_t)n, &facts), 0);
	memcpy(record->sets, &status.sets, sizeof(record->sets));
	record->pid = record->tid = (uint32_t)getpid();
	record->ppid = (uint32_t)status.ppid;
	record->uid = status.uid;
	record->gid = status.gid;
	record->seccomp = (uint8_t)status.seccomp;
	record->pid_namespace_level = (uint8_t)(status.nspid_count - 1);
	record->flags = status.no_new_privs ? BPF_TASK_NO_NEW_PRIVS : 0;
	if (facts.flags & TASK_FLAG_FORKED_NO_EXEC)
		record->flags |= BPF_TASK_FORKED;
	record->start_ns = facts.start_ticks * (UINT64_C(1000000000) / 100);
	record->placement = (struct bpf_placement){ 1, 2, 3 };
}

static int set_up(void **state)
{
	const struct bpf_totals totals = { .kernel_threads = 1 };
	struct fixture *f = calloc(1, sizeof(*f));
	struct bpf_crowd spare = { 0 };
	struct engine *procfs;

	if (!f || engine_procfs_new(&procfs) < 0)
		return -1;
	f->engine.procfs = (struct procfs *)procfs;
	f->engine.ticks_per_second = 100;
	tell_the_truth(f);
	*state = f;
	return bpf_crowd_take(&f->record, 1, &totals, &spare, &f->crowd);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	bpf_crowd_done(&f->crowd);
	engine_free(&f->engine.procfs->engine);
	free(f);
	return 0;
}

static void assert_complaint(struct fixture *f, const char *what)
{
	struct diag diag = { 0 };
	char end[64];

	assert_int_equal(bpf_check(&f->engine, &f->crowd, &diag), -EUCLEAN);
	(void)snprintf(end, sizeof(end), "(%s)", what);
	assert_non_null(strstr(diag.message, end));
	tell_the_truth(f);
	assert_int_equal(bpf_check(&f->engine, &f->crowd, &diag), 0);
}

static void another_pid_namespace_than_the_hosts_is_a_complaint(void **state)
{
	struct fixture *f = *state;
	struct diag diag = { 0 };

	f->crowd.totals.kernel_threads = 0;
	assert_int_equal(bpf_check(&f->engine, &f->crowd, &diag), -EUCLEAN);
	assert_non_null(strstr(diag.message, "PID namespace"));
	f->crowd.totals.kernel_threads = 1;
}

static void the_truth_is_believed(void **state)
{
	struct fixture *f = *state;
	struct diag diag = { 0 };

	assert_int_equal(bpf_check(&f->engine, &f->crowd, &diag), 0);
	assert_string_equal(diag.message, "");
}

static void a_bit_of_any_set_is_a_complaint(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < BPF_SETS; i++) {
		f->record.sets[i] ^= 1;
		assert_complaint(f, "capability sets");
		f->record.sets[i] ^= UINT64_C(1) << 40;
		assert_complaint(f, "capability sets");
	}
}

static void whatever_else_differs_is_a_complaint(void **state)
{
	struct fixture *f = *state;

	f->record.uid++;
	assert_complaint(f, "user");
	f->record.gid++;
	assert_complaint(f, "user");
	f->record.ppid++;
	assert_complaint(f, "parent");
	f->record.flags ^= BPF_TASK_NO_NEW_PRIVS;
	assert_complaint(f, "no_new_privs");
	f->record.seccomp ^= 1;
	assert_complaint(f, "seccomp");
	f->record.pid_namespace_level++;
	assert_complaint(f, "PID namespace");
	f->record.start_ns += 1000000000 / 100;
	assert_complaint(f, "start time");
	f->record.flags ^= BPF_TASK_FORKED;
	assert_complaint(f, "flags");
	f->record.placement.css_set = 0;
	assert_complaint(f, "cgroup");
	f->record.placement.unified = 0;
	assert_complaint(f, "cgroup");
	f->record.placement.legacy = 0;
	assert_complaint(f, "cgroup");
	f->record.pid = f->record.tid = f->record.pid + 1;
	assert_complaint(f, "it is not there");
}

/* Under lockdown the kernel's memory reads as zeros. */
static void zeros_are_a_complaint(void **state)
{
	struct fixture *f = *state;
	uint32_t pid = f->record.pid;

	memset(&f->record, 0, sizeof(f->record));
	assert_complaint(f, "it is not there");
	memset(&f->record, 0, sizeof(f->record));
	f->record.pid = f->record.tid = pid;
	f->record.ppid = (uint32_t)getppid() + 1; /* root's own zeros could be true */
	assert_int_equal(bpf_check(&f->engine, &f->crowd, &(struct diag){ 0 }), -EUCLEAN);
	f->crowd.process_count = 0;
	assert_int_equal(bpf_check(&f->engine, &f->crowd, &(struct diag){ 0 }), -EUCLEAN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_truth_is_believed),
		TEST(another_pid_namespace_than_the_hosts_is_a_complaint),
		TEST(a_bit_of_any_set_is_a_complaint),
		TEST(whatever_else_differs_is_a_complaint),
		TEST(zeros_are_a_complaint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
