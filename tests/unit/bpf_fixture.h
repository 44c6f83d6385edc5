/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bpf engine without a kernel that lets it in: an iteration of records that the test makes, a
 * /proc of files in a folder of the test's own, and a table of permits in its memory. Whoever
 * includes it names these functions for the linker:
 *
 *	bpf_walk bpf_iterator_open bpf_totals bpf_crowd_read bpf_check bpf_permit_rows proc_open
 */
#ifndef CAPAUDITD_TEST_BPF_FIXTURE_H
#define CAPAUDITD_TEST_BPF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/discover/bpf_internal.h"
#include "../../daemon/discover/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID(c)	  c c c c c c c c c c c c c c c c
#define ID_64(c)  ID(c) ID(c) ID(c) ID(c)
#define TEXT_A	  "0::/system.slice/docker-" ID_64("a") ".scope\n"
#define TEXT_B	  "0::/system.slice/docker-" ID_64("b") ".scope\n"
#define TEXT_HOST "0::/system.slice/sshd.service\n"

#define FAKE_RECORDS_MAX 64u
#define FAKE_TICKS	 100u
#define FAKE_TICK_NS	 (UINT64_C(1000000000) / FAKE_TICKS)

/* What the kernel says. Mutable globals: what they replace has no parameter to carry them. */
static struct {
	struct bpf_task_record records[FAKE_RECORDS_MAX];
	size_t count;
	struct bpf_totals totals;
	int open_error, check_error;
	bool walks;		 /* the quick way is there */
	struct bpf_permit *rows; /* NULL: no events */
	char proc[64];		 /* the folder that stands for /proc */
} fake;

/* As the real one: the last pass's records stay, what was before them is written over. */
int __wrap_bpf_walk(struct bpf_engine *engine, struct bpf_crowd *ret);
int __wrap_bpf_walk(struct bpf_engine *engine, struct bpf_crowd *ret)
{
	static struct bpf_task_record rows[2][FAKE_RECORDS_MAX];
	unsigned half = engine->before.records == rows[0];

	if (!fake.walks || fake.open_error)
		return -ENOTSUP;
	memset(rows[half], 0x5a, sizeof(rows[half]));
	memcpy(rows[half], fake.records, fake.count * sizeof(fake.records[0]));
	return bpf_crowd_take(rows[half], fake.count, &fake.totals, &engine->spare, ret);
}

int __wrap_bpf_iterator_open(const struct bpf_iterator *iterator);
int __wrap_bpf_iterator_open(const struct bpf_iterator *iterator)
{
	int fd;

	(void)iterator;
	if (fake.open_error)
		return fake.open_error;
	fd = memfd_create("records", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, fake.records, fake.count * sizeof(fake.records[0])) < 0 ||
		lseek(fd, 0, SEEK_SET) < 0)
		abort();
	return fd;
}

struct bpf_totals *__wrap_bpf_totals(const struct bpf_engine *engine);
struct bpf_totals *__wrap_bpf_totals(const struct bpf_engine *engine)
{
	static struct bpf_totals totals;

	(void)engine;
	return &totals;
}

int __real_bpf_crowd_read(int fd, struct bpf_totals *totals, struct bpf_crowd *ret);
int __wrap_bpf_crowd_read(int fd, struct bpf_totals *totals, struct bpf_crowd *ret);
int __wrap_bpf_crowd_read(int fd, struct bpf_totals *totals, struct bpf_crowd *ret)
{
	int r = __real_bpf_crowd_read(fd, totals, ret);

	if (r == 0)
		ret->totals = fake.totals;
	return r;
}

int __wrap_bpf_check(struct bpf_engine *engine, const struct bpf_crowd *crowd, struct diag *diag);
int __wrap_bpf_check(struct bpf_engine *engine, const struct bpf_crowd *crowd, struct diag *diag)
{
	(void)engine;
	(void)crowd;
	if (fake.check_error == -EUCLEAN)
		(void)diag_error(diag, 0, 0, "it is a lie");
	return fake.check_error;
}

struct bpf_permit *__wrap_bpf_permit_rows(const struct bpf_engine *engine);
struct bpf_permit *__wrap_bpf_permit_rows(const struct bpf_engine *engine)
{
	(void)engine;
	return fake.rows;
}

int __wrap_proc_open(pid_t pid);
int __wrap_proc_open(pid_t pid)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%d", fake.proc, (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? proc_errno(errno) : fd;
}

/* ---- a /proc ---- */

static inline void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* A file of a process, or of a thread where `tid` is another. */
static inline void set_proc(pid_t pid, pid_t tid, const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%d", fake.proc, (int)pid);
	(void)mkdir(path, 0755);
	if (tid) {
		(void)snprintf(path, sizeof(path), "%s/%d/task", fake.proc, (int)pid);
		(void)mkdir(path, 0755);
		(void)snprintf(path, sizeof(path), "%s/%d/task/%d", fake.proc, (int)pid, (int)tid);
		(void)mkdir(path, 0755);
		(void)snprintf(
			path, sizeof(path), "%s/%d/task/%d/attr", fake.proc, (int)pid, (int)tid);
		(void)mkdir(path, 0755);
		(void)snprintf(path, sizeof(path), "%s/%d/task/%d/%s", fake.proc, (int)pid,
			(int)tid, name);
	} else {
		(void)snprintf(path, sizeof(path), "%s/%d/%s", fake.proc, (int)pid, name);
	}
	write_file(path, text);
}

static inline void set_stat(pid_t pid, uint64_t start_ticks)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		"%d (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %llu 0 0\n", (int)pid,
		(unsigned long long)start_ticks);
	set_proc(pid, 0, "stat", text);
}

/* What /proc/PID/cgroup says of a process that started when its record says so. */
static inline void set_text(pid_t pid, const char *text)
{
	set_stat(pid, (uint64_t)pid);
	set_proc(pid, 0, "cgroup", text);
}

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline void end_process(pid_t pid)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%d", fake.proc, (int)pid);
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- records ---- */

static inline struct bpf_placement place_at(uint64_t css_set)
{
	return (struct bpf_placement){ css_set, css_set + 1000, css_set + 1000 };
}

/* Of a thread of a process that started at tick `pid`; in a user namespace of the container's. */
static inline struct bpf_task_record record_of(uint32_t pid, uint32_t tid, uint64_t css_set)
{
	return (struct bpf_task_record){
		.start_ns = pid * FAKE_TICK_NS,
		.sets = { 1, 1, 0, 0, 1 },
		.placement = place_at(css_set),
		.exec_id = 1,
		.pid = pid,
		.tid = tid,
		.ppid = 1,
		.user_namespace = 4026531837u,
		.comm = "x",
	};
}

static inline struct bpf_task_record *add_record(uint32_t pid, uint32_t tid, uint64_t css_set)
{
	assert_true(fake.count < FAKE_RECORDS_MAX);
	fake.records[fake.count] = record_of(pid, tid, css_set);
	return &fake.records[fake.count++];
}

static inline struct bpf_task_record *find_record(uint32_t tid)
{
	for (size_t i = 0; i < fake.count; i++)
		if (fake.records[i].tid == tid)
			return &fake.records[i];
	fail();
	return NULL;
}

/* ---- an engine ---- */

static inline struct bpf_engine *new_engine(void)
{
	struct bpf_engine *engine = calloc(1, sizeof(*engine));
	struct engine *procfs;

	assert_non_null(engine);
	assert_int_equal(engine_procfs_new(&procfs), 0);
	engine->procfs = (struct procfs *)procfs;
	engine->ticks_per_second = FAKE_TICKS;
	engine->tasks = engine->describing = BPF_ITERATOR_NONE;
	return engine;
}

static inline void free_engine(struct bpf_engine *engine)
{
	bpf_places_done(engine);
	bpf_crowd_done(&engine->before);
	bpf_crowd_done(&engine->spare);
	engine_free(&engine->procfs->engine);
	free(engine->engine.notice);
	free(engine);
}

static inline int set_up_fake(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	(void)snprintf(fake.proc, sizeof(fake.proc), "/tmp/capauditd-proc-XXXXXX");
	if (!mkdtemp(fake.proc))
		return -1;
	fake.rows = calloc(BPF_PERMITS, sizeof(*fake.rows));
	return fake.rows ? 0 : -1;
}

static inline int set_up_fake_walk(void **state)
{
	int r = set_up_fake(state);

	fake.walks = true;
	return r;
}

static inline int tear_down_fake(void **state)
{
	(void)state;
	free(fake.rows);
	return nftw(fake.proc, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- what the kernel's program would find, by record.h alone ---- */

static inline const struct bpf_permit *find_permit(const struct bpf_placement *placement)
{
	uint32_t hash = bpf_placement_hash(placement);

	for (uint32_t i = 0; i < BPF_PERMIT_PROBES; i++) {
		const struct bpf_permit *permit = &fake.rows[(hash + i) & (BPF_PERMITS - 1)];

		if (permit->valid && memcmp(&permit->placement, placement, sizeof(*placement)) == 0)
			return permit;
	}
	return NULL;
}

static inline size_t count_permits(void)
{
	size_t count = 0;

	for (size_t i = 0; i < BPF_PERMITS; i++)
		count += fake.rows[i].valid;
	return count;
}

/* ---- passes ---- */

/* One pass after `previous`, which may be NULL. */
static inline struct snapshot one_pass(
	struct bpf_engine *engine, const struct snapshot *previous, const struct pass_options *how)
{
	struct pass_options options = how ? *how : (struct pass_options){ 0 };
	struct snapshot snapshot;

	options.previous = previous;
	assert_int_equal(bpf_pass(&engine->engine, &options, &snapshot), 0);
	return snapshot;
}

#endif
