/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The head of an HTTP/1 answer: its status and its headers. Pure; whoever answers may not be whom
 * we meant to ask.
 */
#ifndef CAPAUDITD_HTTP_REPLY_H
#define CAPAUDITD_HTTP_REPLY_H

#include <stddef.h>
#include <sys/types.h>

#define HTTP_HEAD_MAX 4096u /* bytes of an answer's head */

struct http_reply {
	unsigned status;
	char head[HTTP_HEAD_MAX + 1]; /* status line and headers */
};

/* `length` bytes of the answer have come into reply->head, no more than HTTP_HEAD_MAX. 0: the head
 * has not ended yet; otherwise how long it is, with the empty line that ends it (the body begins
 * behind it): the status is known then, and reply->head ends before that line. -EBADMSG where it is
 * no head of HTTP/1, or a longer one than any of ours. */
ssize_t http_reply_parse(struct http_reply *reply, size_t length);

/* The value of a header up to its line's end, copied, and cut where the buffer is smaller. 0, or
 * -ENOENT where there is none. */
int http_reply_header(const struct http_reply *reply, const char *name, char *buffer, size_t size);

#endif
