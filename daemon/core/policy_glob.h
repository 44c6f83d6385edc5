/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Globs of a policy: fnmatch(3) without FNM_PATHNAME, so that * goes across slashes. They are
 * case-sensitive.
 */
#ifndef CAPAUDITD_POLICY_GLOB_H
#define CAPAUDITD_POLICY_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#define GLOB_MAX 1024u /* bytes */

/* A list of globs, one of which must match. */
struct globs {
	const char *const *items;
	size_t count; /* 0: the key was not given, and everything matches */
};

bool glob_matches(const char *glob, const char *text);
/* NULL is unknown: no glob matches it. */
bool globs_match(const struct globs *globs, const char *text);
/* True for a text without wildcards, brackets and escapes. */
bool glob_is_literal(const char *glob);
/* True where every text that `part` matches is certain to be matched by `whole`. */
bool globs_cover(const struct globs *whole, const struct globs *part);

/* What the texts of a field look like. */
struct glob_form {
	bool (*allowed)(unsigned char c);
	size_t shortest, longest; /* bytes */
};

enum glob_fault {
	GLOB_GOOD,
	GLOB_TOO_LONG,	      /* itself */
	GLOB_EMPTY,	      /* matches the empty text alone */
	GLOB_UNCLOSED,	      /* a bracket; fnmatch(3) would take it for the character [ */
	GLOB_DANGLING,	      /* a backslash at the end */
	GLOB_MATCHES_NOTHING, /* of that form */
};
enum glob_fault glob_check(const char *glob, const struct glob_form *form);

#endif
