/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libcurl, opened at run time by those who need it: it brings some thirty libraries, which a daemon
 * without the Kubernetes API would have mapped and relocated for nothing.
 */
#ifndef CAPAUDITD_CURL_LIBRARY_H
#define CAPAUDITD_CURL_LIBRARY_H

#include <capauditd/diag.h>

#include <curl/curl.h>

/* What is used of it, without "curl_". A new function is a name here. */
#define CURL_LIBRARY_FUNCTIONS(X) \
	X(easy_cleanup)           \
	X(easy_escape)            \
	X(easy_getinfo)           \
	X(easy_init)              \
	X(easy_setopt)            \
	X(easy_strerror)          \
	X(free)                   \
	X(global_cleanup)         \
	X(global_init)            \
	X(multi_add_handle)       \
	X(multi_assign)           \
	X(multi_cleanup)          \
	X(multi_info_read)        \
	X(multi_init)             \
	X(multi_remove_handle)    \
	X(multi_setopt)           \
	X(multi_socket_action)    \
	X(slist_append)           \
	X(slist_free_all)         \
	X(url)                    \
	X(url_cleanup)            \
	X(url_get)                \
	X(url_set)                \
	X(url_strerror)

/* Each with the type that curl.h gives it. */
struct curl_library {
#define X(name) __typeof__(curl_##name) *name;
	CURL_LIBRARY_FUNCTIONS(X)
#undef X
};

/* Fills *ret. 0; -ELIBACC with *diag filled where it cannot be opened or lacks a function; -ENOMEM.
 * There is nothing to close: what was opened stays until the program ends. */
int curl_library_open(struct curl_library *ret, struct diag *diag);

#endif
