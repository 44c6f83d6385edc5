/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs the program that walks along all tasks, and maps what it writes. The table has room for two
 * walks, so that what the last pass was made of stays where it is while the next one is written.
 */
#include "bpf_internal.h"
#include "bpf_program.h"
#include "bpf_section.h"

#include "walk.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/mman.h>

#define HALF	 ((size_t)BPF_WALK_ROWS * sizeof(struct bpf_task_record))
#define MAP_STEP 1024u /* rows: 34 pages of 4 KiB */

static int load(struct bpf_engine *engine, const struct bpf_kernel *kernel)
{
	BPF_OPEN_OPTS(options, kernel);
	struct walk_bpf *walk = walk_bpf__open_opts(&options);
	int r;

	if (!walk)
		return -errno;
	engine->walk.program = walk;
	/* The last that it calls says that the kernel has all. */
	r = bpf_section_attach_to(walk->progs.capauditd_walk,
		kernel->points[BPF_POINT_NAMED + BPF_NAMED_ITER_TASK_DESTROY]);
	return r < 0 ? r : walk_bpf__load(walk);
}

void bpf_walk_load(struct bpf_engine *engine, const struct bpf_kernel *kernel)
{
	/* The walk sees all of the machine by its own numbers, which are ours in that namespace
	 * alone. A half must begin a page, as it does with 4, 16 and 64 KiB. */
	if (!engine->procfs->in_initial_pid_namespace || HALF % (size_t)sysconf(_SC_PAGESIZE) != 0)
		return;
	if (load(engine, kernel) < 0)
		bpf_walk_unload(engine);
}

void bpf_walk_unload(struct bpf_engine *engine)
{
	struct bpf_walked *walked = engine->walk.walked;

	for (unsigned i = 0; i < ARRAY_SIZE(engine->walk.walked); i++)
		if (walked[i].records)
			(void)munmap(walked[i].records, walked[i].size);
	walk_bpf__destroy(engine->walk.program);
	engine->walk = (struct bpf_walk_state){ 0 };
}

/* As much of a half as has rows; what was mapped once stays. */
static int map_rows(struct bpf_engine *engine, unsigned half, size_t count)
{
	struct bpf_walked *walked = &engine->walk.walked[half];
	size_t rows = (count / MAP_STEP + 1) * MAP_STEP;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (rows * sizeof(struct bpf_task_record) + page - 1) / page * page;
	void *mapped;

	if (size > HALF)
		size = HALF;
	if (walked->records && size <= walked->size)
		return 0;
	mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		bpf_map__fd(engine->walk.program->maps.rows), (off_t)(half * HALF));
	if (mapped == MAP_FAILED)
		return -errno;
	if (walked->records)
		(void)munmap(walked->records, walked->size);
	*walked = (struct bpf_walked){ mapped, size };
	return 0;
}

/* What was too much in the last pass will be in this one. */
static bool is_too_much(const struct bpf_crowd *before)
{
	return before->count > BPF_WALK_ROWS ||
	       before->totals.threads + before->totals.kernel_threads > BPF_WALK_TASKS;
}

int bpf_walk(struct bpf_engine *engine, struct bpf_crowd *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	struct walk_bpf *program = engine->walk.program;
	struct bpf_walked *walked = engine->walk.walked;
	/* Not where the last pass's records are. */
	unsigned half = engine->before.records && engine->before.records == walked[0].records;
	struct bpf_walk *walk;
	int r;

	if (!program)
		return -ENOTSUP;
	if (is_too_much(&engine->before))
		return -ENOSPC;
	walk = &program->bss->walk;
	walk->first = half * BPF_WALK_ROWS;
	r = bpf_prog_test_run_opts(bpf_program__fd(program->progs.capauditd_walk), &options);
	if (r < 0)
		return r;
	if (walk->cut || walk->count > BPF_WALK_ROWS)
		return -ENOSPC;
	r = map_rows(engine, half, walk->count);
	return r < 0 ? r
		     : bpf_crowd_take(walked[half].records, walk->count, &walk->totals,
			       &engine->spare, ret);
}
