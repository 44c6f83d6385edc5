/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every fuzz target has: its entry, and a way to say what must hold.
 */
#ifndef CAPAUDITD_FUZZ_CHECK_H
#define CAPAUDITD_FUZZ_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
