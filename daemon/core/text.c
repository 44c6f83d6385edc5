/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text that others chose, made fit for people and machines; and the few conversions that every
 * stage needs. Owns the only escaping there is, so that no two outputs differ in it.
 */
#include <capauditd/text.h>

#include <capauditd/macros.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ESCAPE_SIZE 4 /* \xNN */

/* Code points that are valid UTF-8 and yet not shown as they are: what moves a cursor, ends a line
 * or turns the direction of writing. */
static const struct {
	uint32_t first, last;
} unsafe[] = {
	{ 0x0000, 0x001f }, /* C0 */
	{ 0x007f, 0x009f }, /* DEL, C1 */
	{ 0x061c, 0x061c }, /* Arabic letter mark */
	{ 0x200e, 0x200f }, /* left-to-right and right-to-left marks */
	{ 0x2028, 0x202e }, /* line and paragraph separators, embeddings and overrides */
	{ 0x2066, 0x2069 }, /* isolates */
};

/* What the first byte of a UTF-8 sequence promises (RFC 3629, table 3-7 of Unicode): its length,
 * and the range of its second byte, which alone excludes overlong forms, surrogates and all beyond
 * U+10FFFF. */
static const struct utf8_lead {
	unsigned char first, last;
	unsigned char length;
	unsigned char second_low, second_high;
} utf8_leads[] = {
	{ 0xc2, 0xdf, 2, 0x80, 0xbf },
	{ 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf },
	{ 0xed, 0xed, 3, 0x80, 0x9f },
	{ 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf },
	{ 0xf1, 0xf3, 4, 0x80, 0xbf },
	{ 0xf4, 0xf4, 4, 0x80, 0x8f },
};

static bool is_unsafe(uint32_t point)
{
	for (size_t i = 0; i < ARRAY_SIZE(unsafe); i++) {
		if (point >= unsafe[i].first && point <= unsafe[i].last)
			return true;
	}
	return false;
}

/* The length of the character at `text`, or of the one byte that is not part of any; *ret_clean
 * tells whether it may be shown. `length` is at least 1. */
static size_t next_character(const char *text, size_t length, bool *ret_clean)
{
	const unsigned char *byte = (const unsigned char *)text;

	*ret_clean = false;
	if (byte[0] < 0x80) {
		*ret_clean = byte[0] >= 0x20 && byte[0] != 0x7f;
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(utf8_leads); i++) {
		const struct utf8_lead *lead = &utf8_leads[i];
		uint32_t point;

		if (byte[0] < lead->first || byte[0] > lead->last)
			continue;
		if (length < lead->length || byte[1] < lead->second_low ||
			byte[1] > lead->second_high)
			return 1;
		point = byte[0] & (0x7fu >> lead->length);
		for (size_t n = 1; n < lead->length; n++) {
			if ((byte[n] & 0xc0) != 0x80)
				return 1;
			point = point << 6 | (byte[n] & 0x3fu);
		}
		*ret_clean = !is_unsafe(point);
		return lead->length;
	}
	return 1;
}

static void escape_bytes(char *to, const char *text, size_t count)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++, to += ESCAPE_SIZE) {
		unsigned char byte = (unsigned char)text[i];

		to[0] = '\\';
		to[1] = 'x';
		to[2] = digits[byte >> 4];
		to[3] = digits[byte & 0xf];
	}
}

/* Writes as many whole characters as fit into `size` bytes; returns the bytes that were written. */
static size_t escape(char *buffer, size_t size, const char *text, size_t length)
{
	size_t used = 0;

	while (length > 0) {
		bool clean;
		size_t count = next_character(text, length, &clean);
		size_t need = clean ? count : count * ESCAPE_SIZE;

		if (need > size - used)
			break;
		if (clean)
			memcpy(buffer + used, text, count);
		else
			escape_bytes(buffer + used, text, count);
		used += need;
		text += count;
		length -= count;
	}
	return used;
}

char *text_escape(const char *text, size_t length)
{
	size_t size = 0;
	char *result;

	for (size_t at = 0; at < length;) {
		bool clean;
		size_t count = next_character(text + at, length - at, &clean);

		size += clean ? count : count * ESCAPE_SIZE;
		at += count;
	}
	result = malloc(size + 1);
	if (!result)
		return NULL;
	result[escape(result, size, text, length)] = '\0';
	return result;
}

void text_escape_into(char *buffer, size_t size, const char *text, size_t length)
{
	if (size > 0)
		buffer[escape(buffer, size - 1, text, length)] = '\0';
}

/* How much of it, from its beginning, is printable ASCII: nearly all that there is. */
static size_t plain_length(const char *text, size_t length)
{
	size_t count = 0;

	while (count < length && text[count] >= ' ' && text[count] <= '~')
		count++;
	return count;
}

bool text_is_clean(const char *text, size_t length)
{
	size_t plain = plain_length(text, length);

	text += plain;
	length -= plain;
	while (length > 0) {
		bool clean;
		size_t count = next_character(text, length, &clean);

		if (!clean)
			return false;
		text += count;
		length -= count;
	}
	return true;
}

#define WORD_MAX 64 /* longer ones are no misspelling of a name of ours */

static char lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

static unsigned min_of(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* How many insertions, deletions, substitutions and swaps of neighbours make one of the other (no
 * part is edited twice: the restricted form). Both at most WORD_MAX long. */
static unsigned edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	for (unsigned j = 0; j <= b_length; j++)
		last[j] = j;
	for (unsigned i = 1; i <= a_length; i++) {
		unsigned *spare = before;

		now[0] = i;
		for (unsigned j = 1; j <= b_length; j++) {
			char from = lower(a[i - 1]), to = lower(b[j - 1]);

			now[j] =
				min_of(min_of(last[j], now[j - 1]) + 1, last[j - 1] + (from != to));
			if (i > 1 && j > 1 && from == lower(b[j - 2]) && lower(a[i - 2]) == to)
				now[j] = min_of(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b_length];
}

/* One slip in a short word, three in a long one; nothing is near to a word of one or two letters
 * but itself. */
static unsigned slips_allowed(size_t length)
{
	return length < 3 ? 0 : length < 6 ? 1 : length < 9 ? 2 : 3;
}

const char *text_nearest(const char *word, const char *const *names, size_t count)
{
	size_t length = strlen(word);
	unsigned best = slips_allowed(length) + 1;
	const char *nearest = NULL;

	if (length == 0 || length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t name_length = strlen(names[i]);
		unsigned distance;

		if (name_length > WORD_MAX)
			continue;
		distance = edit_distance(word, length, names[i], name_length);
		/* More than half of a name has to be there to be recognised. */
		if (distance < best && distance < (name_length + 1) / 2) {
			best = distance;
			nearest = names[i];
		}
	}
	return nearest;
}

void text_time(char buffer[static TEXT_TIME_SIZE], uint64_t realtime_us)
{
	time_t seconds = (time_t)(realtime_us / 1000000);
	unsigned fraction = (unsigned)(realtime_us % 1000000);
	struct tm tm;
	size_t used;

	if (!gmtime_r(&seconds, &tm)) /* cannot be: 2^64 microseconds end in the year 586524 */
		memset(&tm, 0, sizeof(tm));
	used = strftime(buffer, TEXT_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buffer + used, TEXT_TIME_SIZE - used, ".%06uZ", fraction);
}

int text_to_u64(const char *text, uint64_t low, uint64_t high, uint64_t *ret)
{
	uint64_t value = 0;
	bool overflow = false;

	if (text[0] == '\0')
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		overflow |= __builtin_mul_overflow(value, UINT64_C(10), &value);
		overflow |= __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value);
	}
	if (overflow || value < low || value > high)
		return -ERANGE;
	*ret = value;
	return 0;
}
