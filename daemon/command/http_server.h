/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An HTTP server on the daemon's event loop, through libmicrohttpd: GET and HEAD of some paths, one
 * request a connection. Whoever talks to it is hostile: connections, their number and what they may
 * send are bounded, and each ends at its deadline whatever happens on it.
 */
#ifndef CAPAUDITD_HTTP_SERVER_H
#define CAPAUDITD_HTTP_SERVER_H

#include "http_library.h"

#include <capauditd/macros.h>

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

/* Beyond this the oldest connection makes way for a new one. */
#define HTTP_CONNECTIONS_MAX 16u
/* Bytes of memory for one connection: a request line with its headers must fit into it. */
#define HTTP_REQUEST_MAX 8192u

/* What is answered to a path. The body is a text, or what `next` gives. */
struct http_answer {
	unsigned status;  /* 200 */
	const char *type; /* static */
	char *text;	  /* owned; NULL: `next` tells */
	size_t length;
	/* Writes the next bytes into the buffer: their number, 0 at the end, -errno to break off.
	 */
	ssize_t (*next)(void *stream, char *buffer, size_t size);
	void (*free)(void *stream);
	void *stream;
	struct {
		const char *name, *value; /* one more header; static, or NULL */
	} header;
};

struct http_route {
	const char *path;
	/* Fills *ret, which is zeroed. 0, or -errno: then the answer is status 500. */
	int (*answer)(void *data, struct http_answer *ret);
};

struct http_settings {
	int fd; /* listens, does not block; it becomes the server's, also where it fails */
	const struct http_route *routes; /* ended by a row without a path */
	void *data;
	uint64_t lifetime_us; /* of a connection */
};

struct http_server;

/* `library` is copied. 0 or -errno. */
int http_server_new(const struct http_library *library, sd_event *event,
	const struct http_settings *settings, struct http_server **ret);
void http_server_free(struct http_server *server);
DEFINE_CLEANUP(struct http_server, http_server_free)

#endif
