/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cuts JSON text into pieces as it arrives, so that a long list is never in memory as a whole. A
 * piece that arrives in one go is handed on where it lies; one that was cut is put together first;
 * one that is too long is read on and not kept.
 */
#include "json_scan.h"

#include <errno.h>
#include <string.h>

#define FIRST_SPACE 4096u
#define SPACE_KEPT  65536u /* from one piece to the next */

/* Bytes that are kept: those of a piece that was cut, and of a list without its items. */
struct gathering {
	char *bytes;
	size_t length, space;
};

struct json_splitter {
	enum json_split_mode mode;
	size_t piece_max;
	int error;
	struct json_scanner scanner;
	struct gathering piece, rest;
	struct gathering *open; /* the one that goes on with the next bytes */
	bool passing_over;	/* the piece that is being read is too long */
	size_t passed_over;
	/* Of a list. */
	size_t key;	   /* where the last key begins in `rest` */
	bool key_is_items; /* that key's value is next */
	bool had_items, in_items;
	bool finished;
};

/* What is being fed. */
struct feed {
	const char *bytes;
	size_t at;   /* up to here it is read */
	size_t from; /* from here on it belongs to what is open */
	json_split_emit *emit;
	void *data;
};

struct json_splitter *json_splitter_new(enum json_split_mode mode, size_t piece_max)
{
	struct json_splitter *splitter = calloc(1, sizeof(*splitter));

	if (!splitter)
		return NULL;
	splitter->mode = mode;
	splitter->piece_max = piece_max;
	return splitter;
}

void json_splitter_free(struct json_splitter *splitter)
{
	if (!splitter)
		return;
	free(splitter->piece.bytes);
	free(splitter->rest.bytes);
	free(splitter);
}

/* How long it gets was checked before. */
static int append(struct gathering *to, size_t max, const char *bytes, size_t length)
{
	size_t wanted;

	if (length == 0)
		return 0;
	if (__builtin_add_overflow(to->length, length, &wanted))
		return -ENOMEM;
	if (wanted > to->space) {
		size_t space = to->space ? to->space : FIRST_SPACE;
		char *more;

		while (space < wanted)
			if (__builtin_mul_overflow(space, 2, &space))
				return -ENOMEM;
		if (space > max)
			space = max;
		more = realloc(to->bytes, space);
		if (!more)
			return -ENOMEM;
		to->bytes = more;
		to->space = space;
	}
	memcpy(to->bytes + to->length, bytes, length);
	to->length = wanted;
	return 0;
}

static void start(struct json_splitter *splitter, struct gathering *what, struct feed *feed)
{
	splitter->open = what;
	feed->from = feed->at - 1;
}

/* Keeps what was read of the open gathering. */
static int keep(struct json_splitter *splitter, struct feed *feed)
{
	int r = append(splitter->open, splitter->piece_max, feed->bytes + feed->from,
		feed->at - feed->from);

	feed->from = feed->at;
	return r;
}

static void drop(struct gathering *gathering)
{
	free(gathering->bytes);
	*gathering = (struct gathering){ 0 };
}

static void pass_over(struct json_splitter *splitter)
{
	drop(&splitter->piece);
	splitter->open = NULL;
	splitter->passing_over = true;
	splitter->passed_over++;
}

static int hand_on(struct json_splitter *splitter, struct feed *feed)
{
	struct gathering *piece = &splitter->piece;
	int r;

	splitter->open = NULL;
	if (splitter->passing_over) {
		splitter->passing_over = false;
		return 0;
	}
	if (piece->length == 0)
		return feed->emit(feed->data, feed->bytes + feed->from, feed->at - feed->from);
	r = append(piece, splitter->piece_max, feed->bytes + feed->from, feed->at - feed->from);
	if (r == 0)
		r = feed->emit(feed->data, piece->bytes, piece->length);
	piece->length = 0;
	/* A watch lasts, and one large piece must not be what it costs from then on. */
	if (piece->space > SPACE_KEPT)
		drop(piece);
	return r;
}

static int stream_token(struct json_splitter *splitter, enum json_token token, struct feed *feed)
{
	if (token == JSON_TOKEN_BEGIN)
		start(splitter, &splitter->piece, feed);
	else if (token == JSON_TOKEN_END)
		return hand_on(splitter, feed);
	return 0;
}

static int begin_document(struct json_splitter *splitter, struct feed *feed)
{
	if (splitter->finished || feed->bytes[feed->at - 1] != '{')
		return -EBADMSG;
	start(splitter, &splitter->rest, feed);
	return 0;
}

static int begin_items(struct json_splitter *splitter, struct feed *feed)
{
	splitter->key_is_items = false;
	if (splitter->had_items)
		return -EBADMSG;
	splitter->had_items = true;
	switch (feed->bytes[feed->at - 1]) {
	case '[': {
		int r = keep(splitter, feed);

		splitter->open = NULL;
		splitter->in_items = true;
		return r;
	}
	case 'n': /* null: how Go writes a list that was never made. It stays where it is. */
		return 0;
	default:
		return -EBADMSG;
	}
}

static int list_begin(struct json_splitter *splitter, struct feed *feed)
{
	switch (splitter->scanner.token_depth) {
	case 0:
		return begin_document(splitter, feed);
	case 1:
		return splitter->key_is_items ? begin_items(splitter, feed) : 0;
	default:
		if (splitter->in_items)
			start(splitter, &splitter->piece, feed);
		return 0;
	}
}

static int list_end(struct json_splitter *splitter, struct feed *feed)
{
	switch (splitter->scanner.token_depth) {
	case 0: {
		int r = keep(splitter, feed);

		splitter->open = NULL;
		splitter->finished = true;
		return r;
	}
	case 1:
		if (splitter->in_items)
			start(splitter, &splitter->rest, feed); /* with the ] that ended them */
		splitter->in_items = false;
		return 0;
	default:
		return splitter->in_items ? hand_on(splitter, feed) : 0;
	}
}

static int list_token(struct json_splitter *splitter, enum json_token token, struct feed *feed)
{
	static const char items[] = "\"items\"";
	struct gathering *rest = &splitter->rest;
	int r;

	switch (token) {
	case JSON_TOKEN_BEGIN:
		return list_begin(splitter, feed);
	case JSON_TOKEN_END:
		return list_end(splitter, feed);
	case JSON_TOKEN_KEY_BEGIN:
		if (splitter->scanner.token_depth == 1)
			splitter->key = rest->length + (feed->at - 1 - feed->from);
		return 0;
	case JSON_TOKEN_KEY_END:
		if (splitter->scanner.token_depth != 1)
			return 0;
		/* It may have begun in bytes that are gone: `rest` has all of it. */
		r = keep(splitter, feed);
		splitter->key_is_items =
			r == 0 && rest->length - splitter->key == sizeof(items) - 1 &&
			memcmp(rest->bytes + splitter->key, items, sizeof(items) - 1) == 0;
		return r;
	case JSON_TOKEN_NONE:
	case JSON_TOKEN_BROKEN:
		break;
	}
	return 0;
}

/* Reads one token further, but no more than one byte beyond the longest piece: so what is wrong
 * with a text does not depend on how it was cut. */
static int feed_token(
	struct json_splitter *splitter, struct feed *feed, size_t length, bool *ret_more)
{
	const struct gathering *open = splitter->open;
	size_t end = length, space = open ? splitter->piece_max - open->length : 0;
	enum json_token token;

	if (open && length - feed->from > space && length - feed->from - space > 1)
		end = feed->from + space + 1;
	token = json_scan(&splitter->scanner, feed->bytes, end, &feed->at,
		splitter->mode == JSON_SPLIT_LIST ? 2 : 0);
	if (token == JSON_TOKEN_BROKEN)
		return -EBADMSG;
	if (open && feed->at - feed->from > space) {
		if (open == &splitter->rest)
			return -EMSGSIZE;
		pass_over(splitter);
	}
	*ret_more = token != JSON_TOKEN_NONE || feed->at < length;
	if (token == JSON_TOKEN_NONE)
		return splitter->open ? keep(splitter, feed) : 0;
	return splitter->mode == JSON_SPLIT_LIST ? list_token(splitter, token, feed)
						 : stream_token(splitter, token, feed);
}

int json_splitter_feed(struct json_splitter *splitter, const char *bytes, size_t length,
	json_split_emit *emit, void *data)
{
	struct feed feed = { .bytes = bytes, .emit = emit, .data = data };
	bool more = length > 0;

	while (splitter->error == 0 && more)
		splitter->error = feed_token(splitter, &feed, length, &more);
	return splitter->error;
}

int json_splitter_end(struct json_splitter *splitter, json_split_emit *emit, void *data)
{
	struct feed feed = { .bytes = "", .emit = emit, .data = data };

	if (splitter->error)
		return splitter->error;
	switch (json_scan_end(&splitter->scanner)) {
	case JSON_TOKEN_END: /* a stream's: a list begins with a bracket */
		splitter->error = hand_on(splitter, &feed);
		break;
	case JSON_TOKEN_BROKEN:
		splitter->error = -EBADMSG;
		break;
	default:
		if (splitter->mode == JSON_SPLIT_LIST && !splitter->finished)
			splitter->error = -EBADMSG;
	}
	return splitter->error;
}

size_t json_splitter_passed_over(const struct json_splitter *splitter)
{
	return splitter->passed_over;
}

const char *json_splitter_rest(const struct json_splitter *splitter, size_t *ret_length)
{
	if (!splitter->finished) {
		*ret_length = 0;
		return NULL;
	}
	*ret_length = splitter->rest.length;
	return splitter->rest.bytes;
}
