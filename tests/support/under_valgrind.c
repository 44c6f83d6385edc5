/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether it is valgrind that runs a test: its script says so in the environment.
 */
#include "under_valgrind.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

unsigned long under_valgrind(unsigned long all, unsigned long some)
{
	static bool said;

	if (!getenv("UNDER_VALGRIND"))
		return all;
	if (!said)
		(void)printf("# left out under valgrind: all but a part of what is tried in each "
			     "of thousands of ways; make check tries all\n");
	said = true;
	return some;
}
