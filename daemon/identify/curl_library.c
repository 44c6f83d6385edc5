/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which functions of libcurl are needed, and by which names it is looked for.
 *
 * The Makefile says the latter (CURL_SONAMES): first the one that this build's -lcurl stands for,
 * then that of Debian's other flavour, which differs in its TLS library alone.
 */
#include "curl_library.h"

#include <capauditd/library.h>
#include <capauditd/macros.h>

#include <stddef.h>

LIBRARY_NOTE(note, "kubernetes", "Names and declarations from the Kubernetes API", CURL_SONAMES);

static const char *const sonames[] = { CURL_SONAMES };

static const struct library_function functions[] = {
#define X(name) { "curl_" #name, offsetof(struct curl_library, name) },
	CURL_LIBRARY_FUNCTIONS(X)
#undef X
};

static const struct library library = {
	.name = "libcurl",
	.purpose = "the Kubernetes API source is",
	.sonames = sonames,
	.soname_count = ARRAY_SIZE(sonames),
	.functions = functions,
	.function_count = ARRAY_SIZE(functions),
};

int curl_library_open(struct curl_library *ret, struct diag *diag)
{
	struct curl_library opened;
	int r = library_open(&library, &opened, diag);

	if (r == 0)
		*ret = opened;
	return r;
}
