/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `capauditd explain` run in memory, and what can be asked of its answers.
 */
#ifndef CAPAUDITD_TEST_EXPLAIN_FIXTURE_H
#define CAPAUDITD_TEST_EXPLAIN_FIXTURE_H

#include <capauditd/capability.h>
#include <capauditd/command.h>
#include <capauditd/macros.h>

#include "../support/capture.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static inline struct capture explain(const char *line)
{
	return capture_command(command_explain, line, NULL, 0);
}

/* The object that the command prints, and nothing else. */
static inline json_t *explain_json(const char *line, const char *input, size_t length)
{
	struct capture capture = capture_command(command_explain, line, input, length);
	json_t *object = json_loads(capture.out, JSON_REJECT_DUPLICATES, NULL);

	assert_int_equal(capture.status, EXIT_STATUS_OK);
	assert_string_equal(capture.err, "");
	assert_non_null(object);
	assert_true(json_is_object(object));
	capture_done(&capture);
	return object;
}

static inline const char *string_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_non_null(value);
	return json_string_value(value); /* NULL for null */
}

/* The strings of an array, joined by spaces. */
static inline void assert_names(const json_t *object, const char *key, const char *expected)
{
	const json_t *array = json_object_get(object, key), *name;
	char names[2048] = "";
	size_t i;

	assert_true(json_is_array(array));
	json_array_foreach(array, i, name)
	{
		size_t used = strlen(names);

		(void)snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? " " : "",
			json_string_value(name));
	}
	assert_string_equal(names, expected);
}

static inline void assert_at_most_80_columns(const char *text)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		/* A line that is longer has nowhere to be broken: a label, then one word. */
		if (length > 80)
			assert_null(memchr(line + 14, ' ', length - 14));
		assert_true(length == 0 || line[length - 1] != ' ');
		line += length;
		assert_int_equal(*line, '\n');
		line++;
	}
}

/* What `text` says, however it was wrapped. */
static inline void assert_says(const char *text, const char *sentence)
{
	const char *p = text;

	for (; *p; p++) {
		const char *a = p, *b = sentence;

		while (*b && *a) {
			if (isspace((unsigned char)*b) && isspace((unsigned char)*a)) {
				a += strspn(a, " \n");
				b += strspn(b, " ");
			} else if (*a++ != *b++) {
				break;
			}
			if (!*b)
				return;
		}
	}
	print_error("\"%s\" is not in:\n%s\n", sentence, text);
	fail();
}

#endif
