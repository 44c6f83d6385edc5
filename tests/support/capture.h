/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a command's function as main() would, with its streams in memory.
 */
#ifndef CAPAUDITD_TEST_CAPTURE_H
#define CAPAUDITD_TEST_CAPTURE_H

#include <stddef.h>

struct capture {
	int status;
	char *out, *err; /* terminated; what was written to standard output and standard error */
	size_t out_length, err_length;
};

/* Calls `command` with the words of `line`, which single spaces part ("explain mask 0x400"), and
 * `input` on standard input (NULL: an empty one). The caller releases it with capture_done(). */
struct capture capture_command(int (*command)(int argc, char **argv), const char *line,
	const char *input, size_t input_length);

void capture_done(struct capture *capture);

#endif
