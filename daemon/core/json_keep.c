/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes a small document of a large one, by the keys that somebody wants: parsing is dear, passing
 * over is cheap. Knows nothing of what the members mean. Asks for no memory.
 */
#include "json_scan.h"

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

static void begin_value(struct keeper *keeper, size_t at)
{
	char byte = keeper->text[at];

	if (keeper->open && !keeper->levels[keeper->open - 1].is_object) {
		keeper->wanted = true;
		keeper->keep = keeper->levels[keeper->open - 1].keep;
	}
	if (!keeper->wanted)
		return;
	write_lead(keeper);
	if (keeper->keep && (byte == '{' || byte == '[')) {
		write_byte(keeper, byte);
		keeper->levels[keeper->open++] =
			(struct level){ .keep = keeper->keep, .is_object = byte == '{' };
		return;
	}
	keeper->whole = true;
	keeper->value = at;
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

	keeper->key_end = end;
	/* A container of which all is kept is never open: there is a table. */
	while (keep && keep->key &&
		!json_key_is(keeper->text + keeper->key, end - keeper->key, keep->key))
		keep++;
	keeper->wanted = keep && keep->key;
	keeper->keep = keep ? keep->within : NULL;
}

static void take(void *data, enum json_token token, unsigned depth, size_t at)
{
	struct keeper *keeper = data;

	switch (token) {
	case JSON_TOKEN_BEGIN:
		begin_value(keeper, at - 1);
		break;
	case JSON_TOKEN_END:
		end_value(keeper, depth, at);
		break;
	case JSON_TOKEN_KEY_BEGIN:
		keeper->key = at - 1;
		break;
	case JSON_TOKEN_KEY_END:
		end_key(keeper, at);
		break;
	case JSON_TOKEN_NONE:
	case JSON_TOKEN_BROKEN:
		break;
	}
}

int json_text_keep(const char *text, size_t length, const struct json_keep *keep, char *buffer,
	size_t *ret_length)
{
	struct keeper keeper = { .text = text, .keep = keep, .wanted = true };
	int r;

	keeper.out = buffer;
	/* What lies in values that are not kept, or are kept as they are, is no token. */
	r = json_scan_document(text, length, &keeper.open, take, &keeper);
	if (r == 0)
		*ret_length = keeper.written;
	return r;
}
