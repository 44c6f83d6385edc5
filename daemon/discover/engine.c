/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all engines share: what they have to say of themselves, and how one ends.
 */
#include <capauditd/discover.h>

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
