/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Golden files: output that a person has read once and found right.
 */
#include "golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER	   "tests/data/golden/"
#define GOLDEN_MAX (1024u * 1024u)

static void write_file(const char *path, const char *text, size_t length)
{
	FILE *to = fopen(path, "we");

	if (!to || fwrite(text, 1, length, to) != length || fclose(to) != 0)
		fail_msg("cannot write %s", path);
	fail_msg("%s is written anew", path);
}

static char *read_file(const char *path, size_t *ret_length)
{
	FILE *from = fopen(path, "re");
	char *text = malloc(GOLDEN_MAX);

	if (!text)
		abort();
	*ret_length = 0;
	if (from) {
		*ret_length = fread(text, 1, GOLDEN_MAX, from);
		(void)fclose(from);
	} else if (!getenv("CAPAUDITD_WRITE_GOLDEN")) {
		fail_msg("cannot read %s (tests run in the top folder)", path);
	}
	return text;
}

static size_t line_length(const char *text, size_t length)
{
	const char *end = memchr(text, '\n', length);

	return end ? (size_t)(end - text) : length;
}

static void fail_at_difference(
	const char *path, const char *text, size_t length, const char *golden, size_t golden_length)
{
	size_t line = 1, start = 0, i = 0;

	while (i < length && i < golden_length && text[i] == golden[i]) {
		if (text[i++] == '\n') {
			line++;
			start = i;
		}
	}
	fail_msg("%s:%zu:%zu: expected\n%.*s\nand got\n%.*s", path, line, i - start + 1,
		(int)line_length(golden + start, golden_length - start), golden + start,
		(int)line_length(text + start, length - start), text + start);
}

void golden_check(const char *file, const char *text, size_t length)
{
	char path[256];
	char *golden;
	size_t golden_length;

	(void)snprintf(path, sizeof(path), FOLDER "%s", file);
	golden = read_file(path, &golden_length);
	if (golden_length != length || memcmp(golden, text, length) != 0) {
		if (getenv("CAPAUDITD_WRITE_GOLDEN"))
			write_file(path, text, length);
		fail_at_difference(path, text, length, golden, golden_length);
	}
	free(golden);
}
