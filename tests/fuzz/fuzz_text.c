/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container chose (a name, a command line, a path), made fit for people and machines: clean,
 * the same when it is made so again, cut where a place is small, and no more than a name in a
 * metric.
 */
#include "check.h"

#include "../../daemon/report/display.h"
#include "../../daemon/report/metrics_text.h"

#include <capauditd/macros.h>
#include <capauditd/text.h>

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* -- escaped -- */

/* By the C library's own decoder, in a UTF-8 locale. */
static void check_harmless(const char *text)
{
	size_t length = strlen(text);
	mbstate_t state = { 0 };

	while (length) {
		wchar_t character;
		size_t bytes = mbrtowc(&character, text, length, &state);

		CHECK(bytes > 0 && bytes <= length);
		CHECK(!iswcntrl((wint_t)character));
		/* what turns the direction of writing */
		CHECK(character != 0x61c && (character < 0x200e || character > 0x200f));
		CHECK(character < 0x2028 || character > 0x202e);
		CHECK(character < 0x2066 || character > 0x2069);
		text += bytes;
		length -= bytes;
	}
}

static char *check_escaped(const char *text, size_t length)
{
	char *escaped = text_escape(text, length);
	_cleanup_free_ char *again = escaped ? text_escape(escaped, strlen(escaped)) : NULL;
	bool same;

	CHECK(escaped && again && strcmp(escaped, again) == 0);
	same = strlen(escaped) == length && memcmp(escaped, text, length) == 0;
	CHECK(text_is_clean(text, length) == same);
	CHECK(text_is_clean(escaped, strlen(escaped)) && strlen(escaped) <= 4 * length);
	return escaped;
}

/* Nothing but the end is missing, of whole characters. */
static void check_cut(const char *text, size_t length, const char *escaped)
{
	static const size_t sizes[] = { 1, 2, 4, 5, 6, 17, 40 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const size_t size = sizes[i];
		_cleanup_free_ char *buffer = malloc(size);
		size_t used;

		if (!buffer)
			return;
		text_escape_into(buffer, size, text, length);
		CHECK(memchr(buffer, '\0', size));
		used = strlen(buffer);
		CHECK(strncmp(buffer, escaped, used) == 0 && text_is_clean(buffer, used));
		/* The longest that is left out as a whole is a character of four escaped bytes. */
		CHECK(!escaped[used] || used + 16 > size - 1);
	}
}

/* -- on a terminal -- */

static void check_displayed(const char *text, size_t length)
{
	static const size_t widths[] = { 1, 2, 5, 20 };
	_cleanup_free_ char *whole = display_text(text, length, DISPLAY_WHOLE);

	CHECK(whole);
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		_cleanup_free_ char *shown = display_text(text, length, widths[i]);

		CHECK(shown && text_is_clean(shown, strlen(shown)));
		CHECK(display_width(shown) <= widths[i]);
		CHECK((strcmp(shown, whole) == 0) == (display_width(whole) <= widths[i]));
	}
}

/* -- in a metric -- */

/* Reads a label's value as Prometheus does; false where it does not end. */
static bool read_value(const char **text, char *to)
{
	for (; **text != '"'; (*text)++) {
		if (**text == '\0' || **text == '\n')
			return false;
		if (**text == '\\' && !strchr("\\\"", *++*text))
			return false;
		*to++ = **text;
	}
	*to = '\0';
	(*text)++;
	return true;
}

static void check_label(const char *name)
{
	char clean[METRICS_LABEL_SIZE], read[METRICS_LABEL_SIZE], *written = NULL;
	struct metrics_text text = { 0 };
	const char *value;
	size_t length;

	text.to = open_memstream(&written, &length);
	CHECK(text.to);
	metrics_text_begin(&text, "m", "gauge", "Help.");
	metrics_text_label(&text, "a", name);
	metrics_text_label(&text, "b", "x");
	metrics_text_count(&text, 7);
	CHECK(metrics_text_end(&text) == 0 && fclose(text.to) == 0);
	text_escape_into(clean, sizeof(clean), name, strlen(name));
	value = strstr(written, "m{a=\"");
	CHECK(value);
	value += strlen("m{a=\"");
	CHECK(read_value(&value, read) && strcmp(read, clean) == 0);
	CHECK(strcmp(value, ",b=\"x\"} 7\n") == 0);
	free(written);
}

/* -- numbers, and words that were meant -- */

static void check_number(const char *text)
{
	uint64_t number = 4711;
	int r = text_to_u64(text, 1, UINT64_MAX, &number);
	bool digits = text[0] && text[strspn(text, "0123456789")] == '\0';

	CHECK((r == -EINVAL) == !digits && (r == 0 || number == 4711));
	if (!digits)
		return;
	errno = 0;
	unsigned long long theirs = strtoull(text, NULL, 10);
	CHECK((r == -ERANGE) == (errno == ERANGE || theirs == 0));
	CHECK(r < 0 || number == theirs);
}

static void check_nearest(const char *text)
{
	static const char *const names[] = { "NET_RAW", "NET_ADMIN", "SYS_ADMIN", "KILL", "" };
	const char *nearest = text_nearest(text, names, ARRAY_SIZE(names));

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (nearest == names[i])
			return;
		/* itself, but for one or two letters */
		CHECK(strcmp(text, names[i]) != 0 || strlen(text) < 3);
	}
	CHECK(!nearest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static locale_t locales[2];
	const char *text = (const char *)data;
	_cleanup_free_ char *name = size ? strndup(text, size) : strdup("");
	_cleanup_free_ char *escaped = NULL;

	if (!locales[0]) {
		locales[0] = newlocale(LC_ALL_MASK, "C", NULL);
		locales[1] = newlocale(LC_ALL_MASK, "C.UTF-8", NULL);
		CHECK(locales[0] && locales[1]);
	}
	if (!name)
		return 0;
	escaped = check_escaped(text, size);
	check_cut(text, size, escaped);
	for (size_t i = 0; i < ARRAY_SIZE(locales); i++) {
		(void)uselocale(locales[i]);
		check_displayed(text, size);
	}
	check_harmless(escaped);
	check_label(name);
	check_number(name);
	check_nearest(name);
	return 0;
}
