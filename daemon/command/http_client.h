/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One question to the daemon, through its socket: HTTP/1.0, whose answer ends with the connection.
 */
#ifndef CAPAUDITD_HTTP_CLIENT_H
#define CAPAUDITD_HTTP_CLIENT_H

#include "http_reply.h"

#include <stddef.h>
#include <stdint.h>

/* Takes a piece of the body; anything but 0 ends it and is returned. */
typedef int http_take(void *data, const char *bytes, size_t length);

/* Asks for `target` at the socket `path`, and waits for at most `timeout_us` for each step. The
 * body is taken only of status 200. 0, or -errno: -ENOENT, -ECONNREFUSED and -EACCES where there is
 * nobody to talk to, -EPERM where who listens is neither root, nor we, nor whose folder it is,
 * -ETIMEDOUT, -EBADMSG where the answer is no HTTP. */
int http_get(const char *path, const char *target, uint64_t timeout_us, struct http_reply *ret,
	http_take *take, void *data);

#endif
