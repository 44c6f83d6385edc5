/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state machine under everything that looks at JSON text without parsing it. Knows brackets,
 * strings and what may follow what; numbers, words and escapes are passed over, not checked.
 */
#include "json_scan.h"

#include <errno.h>
#include <string.h>

enum byte_class {
	STRING_STOP = 1, /* not passed over within a string; control bytes must not be there */
	SCALAR = 2,	 /* of a number, or of true, false, null */
	BLANK = 4,
};

static const uint8_t classes[256] = {
	[0x00 ... 0x08] = STRING_STOP,
	['\t' ... '\n'] = STRING_STOP | BLANK,
	[0x0b ... 0x0c] = STRING_STOP,
	['\r'] = STRING_STOP | BLANK,
	[0x0e ... 0x1f] = STRING_STOP,
	[' '] = BLANK,
	['"'] = STRING_STOP,
	['\\'] = STRING_STOP,
	['+'] = SCALAR,
	['-' ... '.'] = SCALAR,
	['0' ... '9'] = SCALAR,
	['A' ... 'Z'] = SCALAR,
	['a' ... 'z'] = SCALAR,
};

static bool is_of(char byte, enum byte_class class)
{
	return classes[(unsigned char)byte] & class;
}

static enum json_scan_state after_value(const struct json_scanner *scanner)
{
	return scanner->depth ? JSON_SCAN_COMMA_OR_END : JSON_SCAN_VALUE;
}

static bool in_object(const struct json_scanner *scanner)
{
	return scanner->objects >> (scanner->depth - 1) & 1;
}

static enum json_token open_container(struct json_scanner *scanner, bool object)
{
	uint64_t bit;

	if (scanner->depth == JSON_TEXT_DEPTH_MAX)
		return JSON_TOKEN_BROKEN;
	bit = UINT64_C(1) << scanner->depth;
	scanner->objects = object ? scanner->objects | bit : scanner->objects & ~bit;
	scanner->token_depth = scanner->depth++;
	scanner->state = object ? JSON_SCAN_KEY_OR_END : JSON_SCAN_VALUE_OR_END;
	return JSON_TOKEN_BEGIN;
}

static enum json_token close_container(struct json_scanner *scanner, bool object)
{
	if (scanner->depth == 0 || in_object(scanner) != object)
		return JSON_TOKEN_BROKEN;
	scanner->token_depth = --scanner->depth;
	scanner->state = after_value(scanner);
	return JSON_TOKEN_END;
}

static enum json_token begin_value(struct json_scanner *scanner, char byte)
{
	scanner->token_depth = scanner->depth;
	switch (byte) {
	case '{':
	case '[':
		return open_container(scanner, byte == '{');
	case '"':
		scanner->is_key = false;
		scanner->state = JSON_SCAN_STRING;
		return JSON_TOKEN_BEGIN;
	default:
		scanner->state = JSON_SCAN_SCALAR;
		return is_of(byte, SCALAR) ? JSON_TOKEN_BEGIN : JSON_TOKEN_BROKEN;
	}
}

static enum json_token end_string(struct json_scanner *scanner)
{
	scanner->token_depth = scanner->depth;
	scanner->state = scanner->is_key ? JSON_SCAN_COLON : after_value(scanner);
	return scanner->is_key ? JSON_TOKEN_KEY_END : JSON_TOKEN_END;
}

/* Within a string or a number: passes over what does not end it. */
static enum json_token scan_within(
	struct json_scanner *scanner, const char *bytes, size_t length, size_t *at)
{
	size_t i = *at;
	enum json_token token = JSON_TOKEN_NONE;

	if (scanner->state == JSON_SCAN_SCALAR) {
		while (i < length && is_of(bytes[i], SCALAR))
			i++;
		if (i < length) {
			/* The byte that ends it is not part of it, and is looked at next. */
			scanner->token_depth = scanner->depth;
			scanner->state = after_value(scanner);
			token = JSON_TOKEN_END;
		}
		*at = i;
		return token;
	}
	if (scanner->state == JSON_SCAN_STRING) {
		while (i < length && !is_of(bytes[i], STRING_STOP))
			i++;
		if (i < length && bytes[i] == '"') {
			i++;
			token = end_string(scanner);
		} else if (i < length && bytes[i] == '\\') {
			i++;
			scanner->state = JSON_SCAN_ESCAPE;
		} else if (i < length) {
			token = JSON_TOKEN_BROKEN;
		}
		*at = i;
		return token;
	}
	if ((unsigned char)bytes[i] < ' ')
		return JSON_TOKEN_BROKEN;
	scanner->state = JSON_SCAN_STRING;
	*at = i + 1;
	return JSON_TOKEN_NONE;
}

/* One byte between keys and values. */
static enum json_token scan_between(struct json_scanner *scanner, char byte)
{
	switch (scanner->state) {
	case JSON_SCAN_VALUE_OR_END:
		if (byte == ']')
			return close_container(scanner, false);
		return begin_value(scanner, byte);
	case JSON_SCAN_VALUE:
		return begin_value(scanner, byte);
	case JSON_SCAN_KEY_OR_END:
		if (byte == '}')
			return close_container(scanner, true);
		__attribute__((fallthrough));
	case JSON_SCAN_KEY:
		if (byte != '"')
			return JSON_TOKEN_BROKEN;
		scanner->is_key = true;
		scanner->state = JSON_SCAN_STRING;
		scanner->token_depth = scanner->depth;
		return JSON_TOKEN_KEY_BEGIN;
	case JSON_SCAN_COLON:
		scanner->state = JSON_SCAN_VALUE;
		return byte == ':' ? JSON_TOKEN_NONE : JSON_TOKEN_BROKEN;
	case JSON_SCAN_COMMA_OR_END:
		if (byte == '}' || byte == ']')
			return close_container(scanner, byte == '}');
		scanner->state = in_object(scanner) ? JSON_SCAN_KEY : JSON_SCAN_VALUE;
		return byte == ',' ? JSON_TOKEN_NONE : JSON_TOKEN_BROKEN;
	case JSON_SCAN_SCALAR:
	case JSON_SCAN_STRING:
	case JSON_SCAN_ESCAPE:
		break;
	}
	return JSON_TOKEN_BROKEN;
}

enum json_token json_scan(
	struct json_scanner *scanner, const char *bytes, size_t length, size_t *at, unsigned depth)
{
	while (*at < length) {
		enum json_token token;

		if (scanner->state >= JSON_SCAN_SCALAR) {
			token = scan_within(scanner, bytes, length, at);
		} else {
			if (is_of(bytes[*at], BLANK)) {
				(*at)++;
				continue;
			}
			token = scan_between(scanner, bytes[*at]);
			if (token != JSON_TOKEN_BROKEN)
				(*at)++;
		}
		if (token == JSON_TOKEN_BROKEN)
			return token;
		if (token != JSON_TOKEN_NONE && scanner->token_depth <= depth)
			return token;
	}
	return JSON_TOKEN_NONE;
}

enum json_token json_scan_end(struct json_scanner *scanner)
{
	if (scanner->depth > 0 || scanner->state == JSON_SCAN_STRING ||
		scanner->state == JSON_SCAN_ESCAPE)
		return JSON_TOKEN_BROKEN;
	if (scanner->state != JSON_SCAN_SCALAR)
		return JSON_TOKEN_NONE;
	scanner->state = JSON_SCAN_VALUE;
	scanner->token_depth = 0;
	return JSON_TOKEN_END;
}

int json_scan_document(
	const char *text, size_t length, const unsigned *depth, json_take *take, void *data)
{
	struct json_scanner scanner = { 0 };
	bool begun = false, last;
	size_t at = 0;

	do {
		enum json_token token = json_scan(&scanner, text, length, &at, *depth);

		last = token == JSON_TOKEN_NONE;
		if (last)
			token = json_scan_end(&scanner);
		if (token == JSON_TOKEN_BROKEN)
			return -EBADMSG;
		if (token == JSON_TOKEN_BEGIN && scanner.token_depth == 0) {
			if (begun)
				return -EBADMSG;
			begun = true;
		}
		if (token != JSON_TOKEN_NONE)
			take(data, token, scanner.token_depth, at);
	} while (!last);
	return begun ? 0 : -EBADMSG;
}

bool json_key_is(const char *key, size_t length, const char *wanted)
{
	return length == strlen(wanted) + 2 && memcmp(key + 1, wanted, length - 2) == 0;
}
