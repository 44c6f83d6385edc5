/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process's command line, as the process wrote it.
 */
#include "../support/fail_allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/macros.h>
#include <capauditd/task.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void words_end_with_nul_and_the_last_one_perhaps_not(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *words[5];
	} rows[] = {
#define ROW(text, ...)                  \
	{                               \
		text, sizeof(text) - 1, \
		{                       \
			__VA_ARGS__,    \
		}                       \
	}
		ROW("", NULL),
		ROW("\0\0\0", NULL),
		ROW("a", "a"),
		ROW("a\0", "a"),
		ROW("a\0bc\0", "a", "bc"),
		ROW("a\0bc", "a", "bc"),
		ROW("\0a\0\0b\0\0\0", "", "a", "", "b"),
		ROW("a b\n\0\xff", "a b\n", "\xff"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct process process = { 0 };
		size_t n = 0;

		assert_int_equal(process_set_cmdline(&process, rows[i].text, rows[i].length), 0);
		for (; rows[i].words[n]; n++) {
			assert_non_null(process.cmdline);
			assert_string_equal(process.cmdline[n], rows[i].words[n]);
		}
		assert_true(n ? !process.cmdline[n] : !process.cmdline);
		process_done(&process);
	}
}

static void there_are_no_more_words_than_fit(void **state)
{
	char text[2 * (PROCESS_ARGUMENTS_MAX + 1)];
	struct process process = { 0 };
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '\0' : 'x';
	assert_int_equal(process_set_cmdline(&process, text, sizeof(text)), 0);
	while (process.cmdline[count])
		count++;
	assert_int_equal(count, PROCESS_ARGUMENTS_MAX);
	process_done(&process);
}

static void out_of_memory_it_keeps_what_it_has(void **state)
{
	bool fired = true;

	(void)state;
	for (unsigned long n = 1; fired; n++) {
		struct process process = { 0 };
		int r;

		assert_int_equal(process_set_cmdline(&process, "old", 3), 0);
		fail_allocation_at(n);
		r = process_set_cmdline(&process, "a\0b\0c", 5);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		assert_int_equal(r, fired ? -ENOMEM : 0);
		assert_string_equal(process.cmdline[0], fired ? "old" : "a");
		process_done(&process);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_end_with_nul_and_the_last_one_perhaps_not),
		cmocka_unit_test(there_are_no_more_words_than_fit),
		cmocka_unit_test(out_of_memory_it_keeps_what_it_has),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
