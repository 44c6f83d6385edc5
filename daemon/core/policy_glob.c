/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns what a glob means: fnmatch(3) without FNM_PATHNAME, so that * goes across slashes. Says also
 * which globs can match nothing that a field can hold, and which match all that another one does.
 */
#include "policy_glob.h"

#include <fnmatch.h>
#include <string.h>

#define WILDCARDS "*?[\\"

bool glob_is_literal(const char *glob)
{
	return glob[strcspn(glob, WILDCARDS)] == '\0';
}

/* In a multibyte locale glibc's fnmatch() allocates for texts of more than 256 characters; where
 * that fails they match nothing. */
bool glob_matches(const char *glob, const char *text)
{
	return fnmatch(glob, text, 0) == 0;
}

bool globs_match(const struct globs *globs, const char *text)
{
	if (globs->count == 0)
		return true;
	if (!text)
		return false;
	for (size_t i = 0; i < globs->count; i++)
		if (glob_matches(globs->items[i], text))
			return true;
	return false;
}

/* The end of the bracket expression that starts at `open`, behind its ]; NULL where it has none.
 * The first character in it may be a ], and classes as [:digit:] have one of their own. */
static const char *bracket_end(const char *open)
{
	const char *p = open + 1;

	if (*p == '!' || *p == '^')
		p++;
	for (bool first = true; *p && (first || *p != ']'); first = false) {
		if (*p == '[' && p[1] && strchr(":.=", p[1])) {
			const char close[] = { p[1], ']', '\0' };
			const char *end = strstr(p + 2, close);

			p = end ? end + 2 : p + 1;
		} else if (*p == '\\' && p[1]) {
			p += 2;
		} else {
			p++;
		}
	}
	return *p == ']' ? p + 1 : NULL;
}

/* Whether a bracket expression matches any character that may stand there. */
static bool bracket_matches_any(const char *open, size_t length, bool (*allowed)(unsigned char c))
{
	char bracket[GLOB_MAX + 1];

	memcpy(bracket, open, length);
	bracket[length] = '\0';
	for (unsigned c = 1; c < 256; c++) {
		const char text[] = { (char)c, '\0' };

		if (allowed((unsigned char)c) && glob_matches(bracket, text))
			return true;
	}
	return false;
}

enum glob_fault glob_check(const char *glob, const struct glob_form *form)
{
	size_t characters = 0, stars = 0;

	if (strlen(glob) > GLOB_MAX)
		return GLOB_TOO_LONG;
	if (*glob == '\0' && form->shortest > 0)
		return GLOB_EMPTY;
	for (const char *p = glob; *p;) {
		if (*p == '*') {
			stars++;
			p++;
			continue;
		}
		characters++;
		if (*p == '[') {
			const char *end = bracket_end(p);

			if (!end)
				return GLOB_UNCLOSED;
			if (!bracket_matches_any(p, (size_t)(end - p), form->allowed))
				return GLOB_MATCHES_NOTHING;
			p = end;
			continue;
		}
		if (*p == '\\' && p[1] == '\0')
			return GLOB_DANGLING;
		if (*p != '?') {
			p += *p == '\\';
			if (!form->allowed((unsigned char)*p))
				return GLOB_MATCHES_NOTHING;
		}
		p++;
	}
	/* A star makes texts longer, never shorter. */
	if (characters > form->longest || (stars == 0 && characters < form->shortest))
		return GLOB_MATCHES_NOTHING;
	return GLOB_GOOD;
}

/* True where every text that `part` matches is matched by `whole` for certain. */
static bool glob_covers(const char *whole, const char *part)
{
	if (strcmp(whole, part) == 0 || whole[strspn(whole, "*")] == '\0')
		return true;
	return !glob_is_literal(whole) && glob_is_literal(part) && glob_matches(whole, part);
}

bool globs_cover(const struct globs *whole, const struct globs *part)
{
	if (whole->count == 0)
		return true;
	if (part->count == 0)
		return false; /* `part` may apply while the field is unknown, `whole` may not */
	for (size_t i = 0; i < part->count; i++) {
		bool covered = false;

		for (size_t j = 0; j < whole->count && !covered; j++)
			covered = glob_covers(whole->items[j], part->items[i]);
		if (!covered)
			return false;
	}
	return true;
}
