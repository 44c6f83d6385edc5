/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The head of an answer, whoever gave it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/command/http_reply.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <string.h>

static ssize_t parse(struct http_reply *reply, const char *text, size_t length)
{
	memset(reply, 0, sizeof(*reply));
	assert_true(length <= HTTP_HEAD_MAX);
	memcpy(reply->head, text, length);
	return http_reply_parse(reply, length);
}

static void a_head_is_read_when_all_of_it_has_come(void **state)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nX-Coverage: complete\r\n\r\n";
	const size_t length = sizeof(text) - 1;
	struct http_reply reply;
	char value[16];

	(void)state;
	for (size_t cut = 0; cut < length; cut++)
		assert_int_equal(parse(&reply, text, cut), 0);
	assert_int_equal(parse(&reply, text, length), length);
	assert_int_equal(reply.status, 200);
	assert_int_equal(http_reply_header(&reply, "x-coverage", value, sizeof(value)), 0);
	assert_string_equal(value, "complete");
	assert_int_equal(http_reply_header(&reply, "x-cover", value, sizeof(value)), -ENOENT);
	assert_int_equal(http_reply_header(&reply, "x-coverage", value, 4), 0);
	assert_string_equal(value, "com");
}

static void what_is_no_http_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t length;
	} rows[] = {
#define ROW(text) { text, sizeof(text) - 1 }
		ROW("\r\n\r\n"),
		ROW("HTTP/1.\r\n\r\n"),
		ROW("HTTP/2.0 200 OK\r\n\r\n"),
		ROW("HTTP/1.1\r\n\r\n"),
		ROW("HTTP/1.1 \r\n\r\n"),
		ROW("HTTP/1.1 20\r\n\r\n"),
		ROW("HTTP/1.1 2000\r\n\r\n"),
		ROW("HTTP/1.1 -20 OK\r\n\r\n"),
		ROW("HTTP/1.1 099 OK\r\n\r\n"),
		ROW("HTTP/1.1 200 OK\r\n\0X-Coverage: complete\r\n\r\n"),
	};
	struct http_reply reply;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(parse(&reply, rows[i].text, rows[i].length), -EBADMSG);
}

static void a_head_that_does_not_end_is_refused(void **state)
{
	char text[HTTP_HEAD_MAX];
	struct http_reply reply;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "HTTP/1.1 200 OK\r\n", 17);
	assert_int_equal(parse(&reply, text, sizeof(text) - 1), 0);
	assert_int_equal(parse(&reply, text, sizeof(text)), -EBADMSG);
	/* One that ends with the last byte is none of these. */
	memcpy(text + sizeof(text) - 4, "\r\n\r\n", 4);
	assert_int_equal(parse(&reply, text, sizeof(text)), HTTP_HEAD_MAX);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_read_when_all_of_it_has_come),
		cmocka_unit_test(what_is_no_http_is_refused),
		cmocka_unit_test(a_head_that_does_not_end_is_refused),
	};

	return cmocka_run_group_tests_name("http_reply", tests, NULL, NULL);
}
