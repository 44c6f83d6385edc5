/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The structure of JSON text, byte by byte, however it is cut: where values and keys begin and end.
 * What cuts text into pieces, what finds a member and what keeps some stand on it. Asks for no
 * memory.
 */
#ifndef CAPAUDITD_JSON_SCAN_H
#define CAPAUDITD_JSON_SCAN_H

#include <capauditd/json_text.h>

#include <stdint.h>

enum json_scan_state {
	JSON_SCAN_VALUE,	/* a value is next */
	JSON_SCAN_VALUE_OR_END, /* the same, or ] */
	JSON_SCAN_KEY,
	JSON_SCAN_KEY_OR_END,
	JSON_SCAN_COLON,
	JSON_SCAN_COMMA_OR_END,
	JSON_SCAN_SCALAR, /* within a number, or true, false, null */
	JSON_SCAN_STRING,
	JSON_SCAN_ESCAPE, /* within a string, behind a backslash */
};

/* All zero: nothing was read. */
struct json_scanner {
	enum json_scan_state state;
	bool is_key; /* the string that is being read */
	unsigned depth;
	uint64_t objects; /* bit n: the container of depth n + 1 is an object, not an array */
	/* Of the last token: how many containers are around it. */
	unsigned token_depth;
};

_Static_assert(JSON_TEXT_DEPTH_MAX <= 64, "containers are bits of a uint64_t");

enum json_token {
	JSON_TOKEN_NONE,  /* all bytes are read */
	JSON_TOKEN_BEGIN, /* a value has begun with the byte before *at */
	JSON_TOKEN_END,	  /* a value ends before *at */
	JSON_TOKEN_KEY_BEGIN,
	JSON_TOKEN_KEY_END,
	JSON_TOKEN_BROKEN, /* bytes[*at] cannot stand there */
};

/* Reads from bytes[*at] on, up to the next token that has at most `depth` containers around it. */
enum json_token json_scan(
	struct json_scanner *scanner, const char *bytes, size_t length, size_t *at, unsigned depth);

/* The text has ended: JSON_TOKEN_END where that ends a number (or such), _BROKEN within a value. */
enum json_token json_scan_end(struct json_scanner *scanner);

/* Reads a whole document, and hands on where its values and keys begin and end, with how many
 * containers are around them: of those with at most *depth, which `take` may change. 0, or -EBADMSG
 * where it is not one document. */
typedef void json_take(void *data, enum json_token token, unsigned depth, size_t at);
int json_scan_document(
	const char *text, size_t length, const unsigned *depth, json_take *take, void *data);

/* Is `key`, as it is written and with the quotation marks around it, that one? */
bool json_key_is(const char *key, size_t length, const char *wanted);

#endif
