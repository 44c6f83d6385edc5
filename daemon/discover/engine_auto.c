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
	if (asprintf(&engine->engine.notice, "the procfs engine is used: %s", why) < 0)
		engine->engine.notice = NULL;
}

/* What makes an engine that worked be given up: what it says is wrong, or it may no longer be
 * asked. Out of memory, and being told to end, say nothing of it. */
static bool is_broken(int error)
{
	return error < 0 && error != -ENOMEM && error != -ECANCELED;
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
	if (r == 0)
		take_name(engine, used);
	else if (r != -ENOMEM)
		r = fall_back(engine, diag.message);
	if (r < 0) {
		free(engine);
		return r;
	}
	*ret = &engine->engine;
	return 0;
}
