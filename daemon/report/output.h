/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing to a stream so that no failure goes unnoticed: a full disk or a closed pipe must not look
 * like a short report.
 */
#ifndef CAPAUDITD_REPORT_OUTPUT_H
#define CAPAUDITD_REPORT_OUTPUT_H

#include <stdio.h>

/* 0 or -errno (-EIO where the system gave none). */
int output_text(FILE *to, const char *text);
int output_format(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Flushes; 0 or -errno, also where an earlier write failed. */
int output_finish(FILE *to);

/* Writes words of `text` so that lines are at most `width` columns (0: unlimited), those after the
 * first indented by `indent` spaces; ends with a newline. The text is escaped already. */
int output_wrapped(FILE *to, const char *text, int width, int indent);

#endif
