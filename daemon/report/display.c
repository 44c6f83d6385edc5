/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much room text takes on a terminal, and cutting it. Goes by the locale's character set, like
 * the library that draws the table.
 */
#include "display.h"

#include <capauditd/macros.h>
#include <capauditd/text.h>

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#define ESCAPED_COLUMNS 4 /* \xNN */

/* The next character: its bytes, and the columns it takes; -1 where it cannot be printed. */
static size_t next_character(const char *text, size_t length, mbstate_t *state, int *ret_columns)
{
	wchar_t character;
	const size_t bytes = mbrtowc(&character, text, length, state);

	if (bytes == 0 || bytes > length) {
		memset(state, 0, sizeof(*state));
		*ret_columns = -1;
		return 1;
	}
	*ret_columns = iswprint((wint_t)character) ? wcwidth(character) : -1;
	return bytes;
}

static const char *ellipsis(void)
{
	static const char dots[] = "\xe2\x80\xa6";
	mbstate_t state = { 0 };
	int columns;

	if (next_character(dots, strlen(dots), &state, &columns) == strlen(dots) && columns == 1)
		return dots;
	return "~";
}

size_t display_width(const char *text)
{
	size_t length = strlen(text), width = 0;
	mbstate_t state = { 0 };

	while (length) {
		int columns;
		const size_t bytes = next_character(text, length, &state, &columns);

		width += columns < 0 ? 1 : (size_t)columns;
		text += bytes;
		length -= bytes;
	}
	return width;
}

/* Escapes what the locale cannot print; a new string. */
static char *printable(const char *text)
{
	size_t length = strlen(text);
	char *copy = malloc(length * ESCAPED_COLUMNS + 1), *end = copy;
	mbstate_t state = { 0 };

	if (!copy)
		return NULL;
	while (length) {
		int columns;
		const size_t bytes = next_character(text, length, &state, &columns);

		for (size_t i = 0; i < bytes; i++) {
			if (columns < 0)
				end += sprintf(end, "\\x%02x", (unsigned char)text[i]);
			else
				*end++ = text[i];
		}
		text += bytes;
		length -= bytes;
	}
	*end = '\0';
	return copy;
}

/* An escape is kept or cut as a whole: half of one says something else. */
static size_t next_unit(const char *text, size_t length, mbstate_t *state, int *ret_columns)
{
	if (length >= ESCAPED_COLUMNS && text[0] == '\\' && text[1] == 'x' &&
		isxdigit((unsigned char)text[2]) && isxdigit((unsigned char)text[3])) {
		*ret_columns = ESCAPED_COLUMNS;
		return ESCAPED_COLUMNS;
	}
	return next_character(text, length, state, ret_columns);
}

/* Cuts `text`, which is printable, to `width` columns. The buffer has room for an ellipsis. */
static void cut(char *text, size_t width)
{
	size_t length = strlen(text), used = 0;
	char *end = text;
	mbstate_t state = { 0 };

	while (length) {
		int columns;
		const size_t bytes = next_unit(end, length, &state, &columns);

		if (used + (size_t)columns > width - 1)
			break;
		used += (size_t)columns;
		end += bytes;
		length -= bytes;
	}
	(void)stpcpy(end, ellipsis());
}

char *display_text(const char *text, size_t length, size_t width)
{
	_cleanup_free_ char *escaped = text_escape(text, length);
	_cleanup_free_ char *whole = escaped ? printable(escaped) : NULL;
	char *copy;

	if (!whole || width == 0 || display_width(whole) <= width)
		return TAKE_PTR(whole);
	copy = malloc(strlen(whole) + MB_LEN_MAX);
	if (!copy)
		return NULL;
	(void)stpcpy(copy, whole);
	cut(copy, width);
	return copy;
}
