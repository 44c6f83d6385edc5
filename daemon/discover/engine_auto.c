/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "auto": the bpf engine for as long as it works, and procfs where it does not. Says once why.
 */
#include <capauditd/discover.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct auto_engine {
	struct engine engine;
	struct engine *used;
};

static void take_name(struct auto_engine *engine, struct engine *used)
{
	engine->used = used;
	engine->engine.name = used->name;
}

/* A sentence, and no more than a sentence is lost where there is no memory for it. */
static void give_notice(struct auto_engine *engine, const char *why)
{
	free(engine->engine.notice);
	if (asprintf(&engine->engine.notice,
		    "the bpf engine does not work here, procfs is used: %s", why) < 0)
		engine->engine.notice = NULL;
}

/* What makes an engine that worked be given up: what it says is wrong, or it may no longer be
 * asked. Whatever else a pass fails for (memory, descriptors, an end) says nothing of the engine.
 */
static bool is_broken(int error)
{
	return error == -EUCLEAN || error == -EPERM;
}

static int fall_back(struct auto_engine *engine, const char *why)
{
	struct engine *procfs;
	int r = engine_procfs_new(&procfs);

	if (r < 0)
		return r;
	give_notice(engine, why);
	engine_free(engine->used);
	take_name(engine, procfs);
	return 0;
}

static int pass(struct engine *base, const struct pass_options *options, struct snapshot *ret)
{
	struct auto_engine *engine = (struct auto_engine *)base;
	_cleanup_free_ char *why = NULL;
	int r = engine->used->ops->pass(engine->used, options, ret);

	if (!is_broken(r) || strcmp(engine->used->name, "bpf") != 0)
		return r;
	why = engine_take_notice(engine->used);
	r = fall_back(engine, why ? why : strerror(-r));
	return r < 0 ? r : engine->used->ops->pass(engine->used, options, ret);
}

static int describe(struct engine *base, const struct task *task, struct process *ret)
{
	struct auto_engine *engine = (struct auto_engine *)base;

	return engine->used->ops->describe(engine->used, task, ret);
}

static int event_fd(struct engine *base)
{
	return engine_event_fd(((struct auto_engine *)base)->used);
}

static int read_events(struct engine *base, const struct event_handler *handler)
{
	return engine_read_events(((struct auto_engine *)base)->used, handler);
}

static void count_events(const struct engine *base, struct event_counts *ret)
{
	engine_count_events(((const struct auto_engine *)base)->used, ret);
}

static void permit(struct engine *base, unsigned placement, const struct permit *permit)
{
	engine_permit(((struct auto_engine *)base)->used, placement, permit);
}

static void permit_event(
	struct engine *base, const struct exec_event *event, const struct permit *permit)
{
	engine_permit_event(((struct auto_engine *)base)->used, event, permit);
}

static void forget_permits(struct engine *base)
{
	engine_forget_permits(((struct auto_engine *)base)->used);
}

static void auto_free(struct engine *base)
{
	struct auto_engine *engine = (struct auto_engine *)base;

	engine_free(engine->used);
	free(engine);
}

static const struct engine_ops auto_ops = {
	.pass = pass,
	.describe = describe,
	.free = auto_free,
	.event_fd = event_fd,
	.read_events = read_events,
	.count_events = count_events,
	.permit = permit,
	.permit_event = permit_event,
	.forget_permits = forget_permits,
};

int engine_auto_new(bool lasting, struct engine **ret)
{
	struct auto_engine *engine = calloc(1, sizeof(*engine));
	struct diag diag = { 0 };
	struct engine *used;
	int r;

	if (!engine)
		return -ENOMEM;
	engine->engine.ops = &auto_ops;
	r = engine_bpf_new(lasting, &used, &diag);
	if (r == 0) {
		take_name(engine, used);
		engine->engine.notice = engine_take_notice(used);
	}
	if (r < 0 && r != -ENOMEM)
		r = fall_back(engine, diag.message);
	if (r < 0) {
		free(engine);
		return r;
	}
	*ret = &engine->engine;
	return 0;
}
