/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the head of an answer. Knows nothing of how it came, nor of what was asked.
 */
#include "http_reply.h"

#include <capauditd/text.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* "HTTP/1.1 200 OK" */
static int parse_status(struct http_reply *reply)
{
	const char *head = reply->head;
	char digits[4];
	uint64_t status;

	if (strncmp(head, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)head[7]) || head[8] != ' ')
		return -EBADMSG;
	(void)snprintf(digits, sizeof(digits), "%.3s", head + 9);
	if (text_to_u64(digits, 100, 999, &status) < 0 || isdigit((unsigned char)head[12]))
		return -EBADMSG;
	reply->status = (unsigned)status;
	return 0;
}

ssize_t http_reply_parse(struct http_reply *reply, size_t length)
{
	static const char end[] = "\r\n\r\n";
	char *found = memmem(reply->head, length, end, strlen(end));
	ssize_t head_length;
	int r;

	if (!found)
		return length < HTTP_HEAD_MAX ? 0 : -EBADMSG;
	head_length = found + strlen(end) - reply->head;
	/* Headers behind a NUL would look as if they were not there. */
	if (memchr(reply->head, '\0', (size_t)head_length))
		return -EBADMSG;
	found[2] = '\0';
	r = parse_status(reply);
	return r < 0 ? r : head_length;
}

int http_reply_header(const struct http_reply *reply, const char *name, char *buffer, size_t size)
{
	const size_t length = strlen(name);

	for (const char *line = strchr(reply->head, '\n'); line; line = strchr(line, '\n')) {
		const char *value;

		line++;
		if (strncasecmp(line, name, length) != 0 || line[length] != ':')
			continue;
		value = line + length + 1;
		value += strspn(value, " \t");
		(void)snprintf(buffer, size, "%.*s", (int)strcspn(value, "\r\n"), value);
		return 0;
	}
	return -ENOENT;
}
