/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * glibc lets stdin, stdout and stderr be assigned to, so that a command's output is caught without
 * a process of its own, and a failing allocation in it can be provoked.
 */
#include "capture.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 64

static size_t split(char *line, char **words)
{
	size_t count = 0;
	char *state = NULL;

	for (char *word = strtok_r(line, " ", &state); word && count < WORDS_MAX;
		word = strtok_r(NULL, " ", &state))
		words[count++] = word;
	words[count] = NULL;
	return count;
}

/* A stream from which these bytes are read. */
static FILE *open_input(const char *input, size_t length)
{
	FILE *stream = tmpfile();

	if (!stream || fwrite(input ? input : "", 1, length, stream) != length)
		abort();
	rewind(stream);
	return stream;
}

struct capture capture_command(int (*command)(int argc, char **argv), const char *line,
	const char *input, size_t input_length)
{
	FILE *const in = stdin, *const out = stdout, *const err = stderr;
	struct capture capture = { 0 };
	char *words[WORDS_MAX + 1];
	char *copy = strdup(line);
	FILE *text = open_input(input, input_length);
	FILE *caught_out = open_memstream(&capture.out, &capture.out_length);
	FILE *caught_err = open_memstream(&capture.err, &capture.err_length);

	if (!copy || !text || !caught_out || !caught_err)
		abort();
	stdin = text;
	stdout = caught_out;
	stderr = caught_err;
	optind = 0; /* glibc: begin anew */
	capture.status = command((int)split(copy, words), words);
	stdin = in;
	stdout = out;
	stderr = err;
	if (fclose(caught_out) != 0 || fclose(caught_err) != 0)
		abort();
	(void)fclose(text);
	free(copy);
	return capture;
}

void capture_done(struct capture *capture)
{
	free(capture->out);
	free(capture->err);
}
