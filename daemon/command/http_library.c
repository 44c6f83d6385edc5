/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which functions of libmicrohttpd are needed. By which name it is looked for the Makefile says:
 * the one that this build's -lmicrohttpd stands for.
 */
#include "http_library.h"

#include <capauditd/library.h>
#include <capauditd/macros.h>

#include <stddef.h>

LIBRARY_NOTE(note, "metrics", "Metrics and the socket of capauditd status", MICROHTTPD_SONAMES);

static const char *const sonames[] = { MICROHTTPD_SONAMES };

static const struct library_function functions[] = {
#define X(name) { "MHD_" #name, offsetof(struct http_library, name) },
	HTTP_LIBRARY_FUNCTIONS(X)
#undef X
};

static const struct library library = {
	.name = "libmicrohttpd",
	.purpose = "metrics and the socket are",
	.sonames = sonames,
	.soname_count = ARRAY_SIZE(sonames),
	.functions = functions,
	.function_count = ARRAY_SIZE(functions),
};

int http_library_open(struct http_library *ret, struct diag *diag)
{
	struct http_library opened;
	int r = library_open(&library, &opened, diag);

	if (r == 0)
		*ret = opened;
	return r;
}
