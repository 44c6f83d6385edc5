/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all engines share: nothing but how one ends.
 */
#include <capauditd/discover.h>

void engine_free(struct engine *engine)
{
	if (engine)
		engine->ops->free(engine);
}
