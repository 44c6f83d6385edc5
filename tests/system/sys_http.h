/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes to and from what the daemon serves, well-formed or not.
 */
#ifndef CAPAUDITD_TESTS_SYS_HTTP_H
#define CAPAUDITD_TESTS_SYS_HTTP_H

#include "sys.h"

/* A port of loopback that nobody listens on. */
unsigned http_free_port(void);
/* Connects; -1 where nobody listens. */
int http_connect(unsigned port);
int http_connect_path(const char *path);
void http_send(int fd, const void *bytes, size_t length);
/* Everything until the other end closes, which must happen; closes. The fixture's. */
const char *http_rest(struct sys *sys, int fd);
/* The whole answer to a GET of `path`. */
const char *http_get_tcp(struct sys *sys, unsigned port, const char *path);
const char *http_get_path(struct sys *sys, const char *socket, const char *path);
/* The body of an answer. */
const char *http_body(const char *answer);
/* The value of the metric (with its labels) in a text of metrics; -1 where it is not there. */
double http_metric(const char *text, const char *name);

#endif
