/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bpf engine's making and its end. The pass is bpf_pass.c's.
 */
#include "bpf_internal.h"
#include "bpf_program.h"

#include <capauditd/clock.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void bpf_free(struct engine *base)
{
	struct bpf_engine *engine = (struct bpf_engine *)base;

	bpf_places_done(engine);
	bpf_events_unload(engine);
	bpf_describe_unload(engine);
	bpf_crowd_done(&engine->before);
	bpf_crowd_done(&engine->spare);
	bpf_crowd_done(&engine->tried.crowd);
	bpf_walk_unload(engine);
	bpf_unload(engine);
	bpf_forget_kernel(engine);
	if (engine->procfs)
		engine_free(&engine->procfs->engine);
	free(engine);
}

static const struct engine_ops bpf_ops = {
	.pass = bpf_pass,
	.describe = bpf_describe,
	.free = bpf_free,
	.event_fd = bpf_event_fd,
	.read_events = bpf_read_events,
	.count_events = bpf_count_events,
	.permit = bpf_permit,
	.permit_event = bpf_permit_event,
	.forget_permits = bpf_forget_permits,
};

/* The quick way is tried as well, and not gone again where it lies. Is it all that is needed? */
static bool try_walk(struct bpf_engine *engine)
{
	struct diag diag = { 0 };
	struct bpf_crowd crowd = { 0 };
	bool enough = false;
	int r = bpf_walk(engine, &crowd);

	if (r == -ENOSPC)
		return false;
	if (r == 0) {
		enough = crowd.count < BPF_WALK_ROWS / 4 * 3; /* it lives on meanwhile */
		r = bpf_check(engine, &crowd, &diag);
	}
	if (r == 0 && enough)
		engine->tried = (struct bpf_tried){ crowd, clock_us(CLOCK_MONOTONIC) };
	else
		bpf_crowd_done(&crowd);
	if (r < 0)
		bpf_walk_unload(engine);
	return r == 0 && enough;
}

/* Iterates once, so that what does not work is known before anybody depends on it. */
static int try(struct bpf_engine *engine, struct diag *diag)
{
	_cleanup_close_ int fd = bpf_iterator_open(&engine->tasks);
	struct bpf_crowd crowd;
	int r = fd < 0 ? fd : bpf_crowd_read(fd, bpf_totals(engine), &crowd);

	if (r < 0)
		return bpf_program_refused("the task iterator", r, diag);
	r = bpf_check(engine, &crowd, diag);
	if (r < 0 && r != -EUCLEAN)
		(void)diag_error(diag, 0, 0, "cannot read /proc/self: %s", strerror(-r));
	bpf_crowd_done(&crowd);
	return r;
}

/* Without events there are still the passes, which is more than procfs has. */
static int hear(struct bpf_engine *engine, const struct bpf_kernel *kernel)
{
	struct diag diag = { 0 };
	int r = bpf_events_load(engine, kernel, &diag);

	if (r == 0 || r == -ENOMEM)
		return r;
	bpf_events_unload(engine);
	if (asprintf(&engine->engine.notice, "programs are seen by passes alone: %s",
		    diag.message) < 0)
		engine->engine.notice = NULL;
	return 0;
}

void bpf_forget_kernel(struct bpf_engine *engine)
{
	if (!engine->kernel)
		return;
	bpf_kernel_done(engine->kernel);
	free(TAKE_PTR(engine->kernel));
}

/* Who ends at once keeps what it may load: what describes is loaded when /proc has refused. */
static int load(struct bpf_engine *engine, bool lasting, struct diag *diag)
{
	struct bpf_kernel *kernel = calloc(1, sizeof(*kernel));
	int r;

	if (!kernel)
		return -ENOMEM;
	engine->kernel = kernel;
	r = bpf_kernel_init(kernel, diag);
	if (r == 0)
		bpf_walk_load(engine, kernel);
	if (r == 0 && (!try_walk(engine) || lasting))
		r = bpf_load(engine, kernel, lasting, diag);
	if (r == 0 && engine->program)
		r = try(engine, diag);
	if (r == 0 && lasting)
		r = bpf_describe_load(engine, kernel, lasting, diag);
	if (r == 0 && lasting)
		r = hear(engine, kernel);
	if (lasting)
		bpf_forget_kernel(engine);
	return r;
}

int engine_bpf_new(bool lasting, struct engine **ret, struct diag *diag)
{
	struct bpf_engine *engine = calloc(1, sizeof(*engine));
	struct engine *procfs;
	int r;

	if (!engine)
		return -ENOMEM;
	engine->engine.ops = &bpf_ops;
	engine->engine.name = "bpf";
	engine->tasks = engine->describing = BPF_ITERATOR_NONE;
	engine->ticks_per_second = (uint64_t)sysconf(_SC_CLK_TCK);
	r = engine_procfs_new(&procfs);
	if (r == 0) {
		engine->procfs = (struct procfs *)procfs;
		r = load(engine, lasting, diag);
	}
	if (r < 0) {
		bpf_free(&engine->engine);
		return r;
	}
	*ret = &engine->engine;
	return 0;
}
