/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all engines share: what they have to say of themselves, events or none, and how one ends.
 */
#include <capauditd/discover.h>

#include <errno.h>
#include <stdlib.h>

char *engine_take_notice(struct engine *engine)
{
	return TAKE_PTR(engine->notice);
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	free(engine->notice);
	engine->ops->free(engine);
}

int engine_event_fd(struct engine *engine)
{
	return engine->ops->event_fd ? engine->ops->event_fd(engine) : -ENOTSUP;
}

int engine_read_events(struct engine *engine, const struct event_handler *handler)
{
	return engine->ops->read_events ? engine->ops->read_events(engine, handler) : 0;
}

void engine_count_events(const struct engine *engine, struct event_counts *ret)
{
	*ret = (struct event_counts){ 0 };
	if (engine->ops->count_events)
		engine->ops->count_events(engine, ret);
}

void engine_permit(struct engine *engine, unsigned placement, const struct permit *permit)
{
	if (engine->ops->permit)
		engine->ops->permit(engine, placement, permit);
}

void engine_permit_event(
	struct engine *engine, const struct exec_event *event, const struct permit *permit)
{
	if (engine->ops->permit_event)
		engine->ops->permit_event(engine, event, permit);
}

void engine_forget_permits(struct engine *engine)
{
	if (engine->ops->forget_permits)
		engine->ops->forget_permits(engine);
}
