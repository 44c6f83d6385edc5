/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text of /proc/PID/cmdline, which a process may write over: its words, one behind the other,
 * are its beginning.
 */
#include "check.h"

#include <capauditd/task.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct process process = { 0 };
	char *text = malloc(size ? size : 1); /* there is no byte behind it */
	size_t at = 0, words = 0;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	CHECK(process_set_cmdline(&process, text, size) == 0);
	for (; process.cmdline && process.cmdline[words]; words++) {
		const char *word = process.cmdline[words];

		CHECK(strlen(word) <= size - at && memcmp(text + at, word, strlen(word)) == 0);
		at += strlen(word);
		CHECK(at == size || text[at] == '\0');
		at += at < size;
	}
	CHECK(words <= PROCESS_ARGUMENTS_MAX && !words == !process.cmdline);
	/* What is left are empty words, or there is no room for it. */
	for (size_t i = at; words < PROCESS_ARGUMENTS_MAX && i < size; i++)
		CHECK(text[i] == '\0');
	process_forget_arguments(&process);
	CHECK(!words || !process.cmdline[1]);
	process_done(&process);
	free(text);
	return 0;
}
