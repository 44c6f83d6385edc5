/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A document without what nobody wants of it: the same in what is wanted, whatever the rest is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/json_text.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* a, b.c, b.d[].e */
static const struct json_keep e_keep[] = { { "e", NULL }, { 0 } };
static const struct json_keep b_keep[] = { { "c", NULL }, { "d", e_keep }, { 0 } };
static const struct json_keep keep[] = { { "a", NULL }, { "b", b_keep }, { 0 } };

static const struct row {
	const char *text;
	const char *kept; /* NULL: refused */
} rows[] = {
	{ "{}", "{}" },
	{ "{\"x\":1}", "{}" },
	{ "{\"a\":1}", "{\"a\":1}" },
	{ " { \"a\" : 1 , \"x\" : { \"a\" : [ ] } } ", "{\"a\":1}" },
	{ "{\"x\":1,\"a\":{\"x\":[1, 2]},\"y\":2}", "{\"a\":{\"x\":[1, 2]}}" },
	{ "{\"b\":{\"x\":1,\"c\":2},\"x\":3,\"a\":4}", "{\"b\":{\"c\":2},\"a\":4}" },
	{ "{\"c\":1,\"b\":{\"a\":2,\"c\":3}}", "{\"b\":{\"c\":3}}" },
	/* An array stands for its elements, */
	{ "{\"b\":{\"d\":[{\"e\":1,\"x\":2},{\"x\":3},{\"e\":4}]}}",
		"{\"b\":{\"d\":[{\"e\":1},{},{\"e\":4}]}}" },
	{ "{\"b\":{\"d\":[]}}", "{\"b\":{\"d\":[]}}" },
	{ "{\"b\":{\"d\":[[{\"e\":1,\"x\":2}]]}}", "{\"b\":{\"d\":[[{\"e\":1}]]}}" },
	{ "[{\"a\":1,\"x\":2},3]", "[{\"a\":1},3]" },
	/* and what is neither object nor array is itself, for the reader to see. */
	{ "{\"b\":7,\"a\":null}", "{\"b\":7,\"a\":null}" },
	{ "{\"b\":{\"d\":\"text\"}}", "{\"b\":{\"d\":\"text\"}}" },
	{ "{\"b\":{\"d\":[1,null,\"x\"]}}", "{\"b\":{\"d\":[1,null,\"x\"]}}" },
	{ "7", "7" },
	{ "\"a\"", "\"a\"" },
	/* Which of two counts is for the reader to say. */
	{ "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}" },
	{ "{\"b\":{\"c\":1},\"b\":{\"c\":2}}", "{\"b\":{\"c\":1},\"b\":{\"c\":2}}" },
	/* Keys are compared as they are written, and whole. */
	{ "{\"\\u0061\":1,\"aa\":2,\"\":3}", "{}" },
	{ "{\"x\":\"\\\"},\\\"a\\\":1\",\"a\":\"\\\\\"}", "{\"a\":\"\\\\\"}" },
	{ "{\"x\":\"\\u0000\",\"a\":\"\\u0000\"}", "{\"a\":\"\\u0000\"}" },
	{ "", NULL },
	{ "  ", NULL },
	{ "{", NULL },
	{ "{\"a\":1", NULL },
	{ "{\"a\":1}}", NULL },
	{ "{\"a\":1}{}", NULL },
	{ "{\"a\":1,}", NULL },
	{ "{\"x\":[}", NULL },
	{ "{\"x\":{\"y\":1]}", NULL },
	{ "{\"x\":\"\n\"}", NULL },
	{ "{a:1}", NULL },
};

static void what_is_named_is_kept_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		size_t length = strlen(row->text), kept_length = 77;
		/* No byte more than it may use, so that a sanitizer sees the first one beyond. */
		_cleanup_free_ char *text = malloc(length + !length),
				    *kept = malloc(length + !length);
		int r;

		assert_non_null(text);
		assert_non_null(kept);
		memcpy(text, row->text, length);
		r = json_text_keep(text, length, keep, kept, &kept_length);
		if (!row->kept) {
			if (r != -EBADMSG || kept_length != 77)
				fail_msg("%s: %d", row->text, r);
			continue;
		}
		if (r != 0 || kept_length != strlen(row->kept) ||
			memcmp(kept, row->kept, kept_length) != 0)
			fail_msg("%s: %d, %.*s", row->text, r, (int)kept_length, kept);
	}
}

static void nesting_that_is_too_deep_is_refused_wherever_it_is(void **state)
{
	static const char *const starts[] = { "{\"x\":", "{\"a\":", "{\"b\":", "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		/* The start is an object around it, or nothing. */
		size_t around = starts[i][0] == '{';

		for (size_t depth = JSON_TEXT_DEPTH_MAX - 1; depth <= JSON_TEXT_DEPTH_MAX + 1;
			depth++) {
			char text[256] = "", kept[256];
			size_t length;

			strcpy(text, starts[i]);
			memset(text + strlen(text), '[', depth - around);
			memset(text + strlen(text), ']', depth - around);
			strcat(text, around ? "}" : "");
			assert_int_equal(json_text_keep(text, strlen(text), keep, kept, &length),
				depth <= JSON_TEXT_DEPTH_MAX ? 0 : -EBADMSG);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_named_is_kept_and_nothing_else),
		cmocka_unit_test(nesting_that_is_too_deep_is_refused_wherever_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
