/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prose in a terminal: wrapped at spaces, in columns.
 */
#ifndef CAPAUDITD_PRINT_H
#define CAPAUDITD_PRINT_H

#include <stddef.h>
#include <stdio.h>

#define PRINT_WIDTH 80

/* Writes `text`, which is clean (text_escape()), from column `column`, where the cursor stands, and
 * ends the line. It breaks at spaces so that no line is longer than PRINT_WIDTH, unless a single
 * word is; lines after the first begin at column `indent`. A newline in `text` is a break too. What
 * cannot be written shows in ferror(to). */
void print_wrapped(FILE *to, size_t column, size_t indent, const char *text);

/* A label and, wrapped beside it, what it says; an empty label goes on with the one before. */
#define PRINT_LABEL_WIDTH 14
void print_field(FILE *to, const char *label, const char *text);

#endif
