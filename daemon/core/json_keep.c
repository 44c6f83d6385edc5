/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes a small document of a large one, by the keys that somebody wants: parsing is dear, passing
 * over is cheap. Knows nothing of what the members mean. Asks for no memory.
 */
#include "json_scan.h"

#include <errno.h>
#include <string.h>

/* A container of which not everything is kept, and that is open now. */
struct level {
	const struct json_keep *keep;
	bool is_object;
	bool any; /* something of it has been written */
};

struct keeper {
	const char *text;
	struct level levels[JSON_TEXT_DEPTH_MAX];
	unsigned open;
	const struct json_keep *keep; /* of the next value, or the one that is being read */
	bool wanted;		      /* that value */
	bool whole;		      /* that value is being read, to be kept as it is */
	bool document;		      /* there was one */
	size_t key, key_end, value;
	char *out;
	size_t written;
};

static void write_bytes(struct keeper *keeper, const char *bytes, size_t length)
{
	memcpy(keeper->out + keeper->written, bytes, length);
	keeper->written += length;
}

static void write_byte(struct keeper *keeper, char byte)
{
	keeper->out[keeper->written++] = byte;
}

/* What stands before a value that is kept. */
static void write_lead(struct keeper *keeper)
{
	struct level *level;

	if (!keeper->open)
		return;
	level = &keeper->levels[keeper->open - 1];
	if (level->any)
		write_byte(keeper, ',');
	level->any = true;
	if (!level->is_object)
		return;
	write_bytes(keeper, keeper->text + keeper->key, keeper->key_end - keeper->key);
	write_byte(keeper, ':');
}

static int begin_value(struct keeper *keeper, size_t at)
{
	char byte = keeper->text[at];

	if (!keeper->open) {
		if (keeper->document)
			return -EBADMSG;
		keeper->document = true;
	} else if (!keeper->levels[keeper->open - 1].is_object) {
		keeper->wanted = true;
		keeper->keep = keeper->levels[keeper->open - 1].keep;
	}
	if (!keeper->wanted)
		return 0;
	write_lead(keeper);
	if (keeper->keep && (byte == '{' || byte == '[')) {
		write_byte(keeper, byte);
		keeper->levels[keeper->open++] =
			(struct level){ .keep = keeper->keep, .is_object = byte == '{' };
		return 0;
	}
	keeper->whole = true;
	keeper->value = at;
	return 0;
}

static void end_value(struct keeper *keeper, unsigned depth, size_t end)
{
	if (depth < keeper->open) {
		write_byte(keeper, keeper->levels[--keeper->open].is_object ? '}' : ']');
	} else if (keeper->whole) {
		write_bytes(keeper, keeper->text + keeper->value, end - keeper->value);
		keeper->whole = false;
	}
}

static void end_key(struct keeper *keeper, size_t end)
{
	const struct json_keep *keep = keeper->levels[keeper->open - 1].keep;
	/* Without the quotation marks. */
	const char *key = keeper->text + keeper->key + 1;
	size_t length = end - keeper->key - 2;

	keeper->key_end = end;
	/* A container of which all is kept is never open: there is a table. */
	while (keep && keep->key &&
		(strlen(keep->key) != length || memcmp(keep->key, key, length) != 0))
		keep++;
	keeper->wanted = keep && keep->key;
	keeper->keep = keep ? keep->within : NULL;
}

static int take(struct keeper *keeper, enum json_token token, unsigned depth, size_t at)
{
	switch (token) {
	case JSON_TOKEN_NONE:
		break;
	case JSON_TOKEN_BROKEN:
		return -EBADMSG;
	case JSON_TOKEN_BEGIN:
		return begin_value(keeper, at - 1);
	case JSON_TOKEN_END:
		end_value(keeper, depth, at);
		break;
	case JSON_TOKEN_KEY_BEGIN:
		keeper->key = at - 1;
		break;
	case JSON_TOKEN_KEY_END:
		end_key(keeper, at);
		break;
	}
	return 0;
}

int json_text_keep(const char *text, size_t length, const struct json_keep *keep, char *buffer,
	size_t *ret_length)
{
	struct keeper keeper = { .text = text, .keep = keep, .wanted = true };
	struct json_scanner scanner = { 0 };
	enum json_token token;
	size_t at = 0;
	int r;

	keeper.out = buffer;
	do {
		/* What lies in values that are not kept, or are kept as they are, is no token. */
		token = json_scan(&scanner, text, length, &at, keeper.open);
		r = take(&keeper, token, scanner.token_depth, at);
	} while (r == 0 && token != JSON_TOKEN_NONE);
	if (r == 0)
		r = take(&keeper, json_scan_end(&scanner), 0, at);
	if (r < 0)
		return r;
	if (!keeper.document)
		return -EBADMSG;
	*ret_length = keeper.written;
	return 0;
}
