/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What holds of every error that a loader of files that people write makes (struct diag).
 */
#ifndef CAPAUDITD_FUZZ_COMPLAINT_H
#define CAPAUDITD_FUZZ_COMPLAINT_H

#include "check.h"

#include <capauditd/diag.h>
#include <capauditd/text.h>

#include <stdint.h>
#include <string.h>

static inline void check_complaint(const struct diag *diag, const uint8_t *data, size_t size)
{
	unsigned lines = 2; /* the one that a last line's end begins, and YAML's end of the text */

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80;
	CHECK(diag->message[0] != '\0');
	CHECK(text_is_clean(diag->message, strlen(diag->message)));
	CHECK(diag->line <= lines);
	CHECK((diag->line > 0) == (diag->column > 0));
	CHECK(diag->column <= size + 2);
}

#endif
