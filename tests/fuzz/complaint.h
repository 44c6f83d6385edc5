/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What holds of every error that a loader of files that people write makes (struct diag).
 */
#ifndef CAPAUDITD_FUZZ_COMPLAINT_H
#define CAPAUDITD_FUZZ_COMPLAINT_H

#include <capauditd/diag.h>
#include <capauditd/text.h>

#include <stdint.h>
#include <string.h>

#define REQUIRE(condition)                \
	do {                              \
		if (!(condition))         \
			__builtin_trap(); \
	} while (0)

static inline void check_complaint(const struct diag *diag, const uint8_t *data, size_t size)
{
	unsigned lines = 2; /* the one that a last line's end begins, and YAML's end of the text */

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80;
	REQUIRE(diag->message[0] != '\0');
	REQUIRE(text_is_clean(diag->message, strlen(diag->message)));
	REQUIRE(diag->line <= lines);
	REQUIRE((diag->line > 0) == (diag->column > 0));
	REQUIRE(diag->column <= size + 2);
}

#endif
