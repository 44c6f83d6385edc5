/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The head of an answer, from whoever listens at the socket: however it is cut, it ends in the same
 * place and says the same; a header's value is one line of it.
 */
#include "check.h"

#include "../../daemon/command/http_reply.h"

#include <capauditd/command.h>
#include <capauditd/macros.h>

#include <errno.h>
#include <string.h>
#include <strings.h>

static ssize_t parse(const uint8_t *data, size_t size, struct http_reply *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (size)
		memcpy(ret->head, data, size);
	return http_reply_parse(ret, size);
}

/* As a reader of RFC 9112 would look for it: line after line. */
static bool is_said(const uint8_t *data, size_t length, const char *name)
{
	for (size_t at = 0; at < length; at++) {
		const uint8_t *line = data + at + 1;

		if (data[at] == '\n' && length - at - 1 > strlen(name) &&
			strncasecmp((const char *)line, name, strlen(name)) == 0 &&
			line[strlen(name)] == ':')
			return true;
	}
	return false;
}

static void check_headers(const struct http_reply *reply, const uint8_t *data, size_t length)
{
	static const char *const names[] = { COVERAGE_HEADER, "Content-Length", "X" };
	static const size_t sizes[] = { 1, 2, 32, HTTP_HEAD_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(names) * ARRAY_SIZE(sizes); i++) {
		const char *name = names[i % ARRAY_SIZE(names)];
		const size_t size = sizes[i / ARRAY_SIZE(names)];
		_cleanup_free_ char *value = malloc(size);
		int r;

		if (!value)
			return;
		r = http_reply_header(reply, name, value, size);
		CHECK(r == (is_said(data, length, name) ? 0 : -ENOENT));
		if (r < 0)
			continue;
		CHECK(memchr(value, '\0', size) && !strpbrk(value, "\r\n"));
		CHECK(strstr(reply->head, value));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reply whole, part;
	ssize_t length;

	if (size > HTTP_HEAD_MAX)
		size = HTTP_HEAD_MAX;
	length = parse(data, size, &whole);
	if (length <= 0) {
		CHECK(length == 0 || length == -EBADMSG);
		CHECK(length < 0 || size < HTTP_HEAD_MAX);
		CHECK(whole.status == 0);
		return 0;
	}
	CHECK((size_t)length <= size && memcmp(data + length - 4, "\r\n\r\n", 4) == 0);
	CHECK(whole.status >= 100 && whole.status <= 999);
	/* What comes behind the end, or has not come yet, changes nothing. */
	for (size_t cut = 0; cut < (size_t)length; cut = cut < 32 ? cut + 1 : 2 * cut - 31)
		CHECK(parse(data, cut, &part) == 0);
	CHECK(parse(data, (size_t)length - 1, &part) == 0);
	CHECK(parse(data, (size_t)length, &part) == length && part.status == whole.status);
	CHECK(strcmp(part.head, whole.head) == 0 && strlen(whole.head) == (size_t)length - 2);
	check_headers(&whole, data, (size_t)length);
	return 0;
}
