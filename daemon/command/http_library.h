/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libmicrohttpd, opened at run time where metrics or the socket are served: it brings GnuTLS, which
 * scan, and a daemon without them, would have mapped and relocated for nothing.
 */
#ifndef CAPAUDITD_HTTP_LIBRARY_H
#define CAPAUDITD_HTTP_LIBRARY_H

#include <capauditd/diag.h>

#include <microhttpd.h>

/* What is used of it, without "MHD_". A new function is a name here. */
#define HTTP_LIBRARY_FUNCTIONS(X)        \
	X(add_response_header)           \
	X(create_response_from_buffer)   \
	X(create_response_from_callback) \
	X(destroy_response)              \
	X(get_connection_info)           \
	X(get_daemon_info)               \
	X(get_timeout)                   \
	X(queue_response)                \
	X(run)                           \
	X(start_daemon)                  \
	X(stop_daemon)

/* Each with the type that microhttpd.h gives it. */
struct http_library {
#define X(name) __typeof__(MHD_##name) *name;
	HTTP_LIBRARY_FUNCTIONS(X)
#undef X
};

/* As library_open(). */
int http_library_open(struct http_library *ret, struct diag *diag);

#endif
