/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON text, whatever it holds: however it is cut, the same pieces come out and the same result.
 * What the splitter takes whole a search takes, too, and a member that is found lies in the text.
 *
 * The first byte: bit 0 the mode, bits 1 to 3 the longest piece, the others how the text is cut.
 */
#include "check.h"

#include <capauditd/json_text.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* The whole text at once; the length of each part otherwise comes from the text itself. */
#define IN_ONE_GO 0u

struct outcome {
	int result;
	size_t count, space, length;
	char *pieces; /* each behind its length */
	char *rest;
	size_t rest_length;
	size_t piece_max, passed_over;
};

static int keep(void *data, const char *text, size_t length)
{
	struct outcome *outcome = data;
	size_t wanted = outcome->length + sizeof(length) + length;

	CHECK(length > 0 && length <= outcome->piece_max);
	if (wanted > outcome->space) {
		outcome->space = 2 * wanted;
		outcome->pieces = realloc(outcome->pieces, outcome->space);
		CHECK(outcome->pieces);
	}
	memcpy(outcome->pieces + outcome->length, &length, sizeof(length));
	memcpy(outcome->pieces + outcome->length + sizeof(length), text, length);
	outcome->length = wanted;
	outcome->count++;
	return 0;
}

/* A copy of the part alone, so that reading beyond it is seen. */
static int feed_copy(
	struct json_splitter *splitter, const char *text, size_t length, struct outcome *outcome)
{
	_cleanup_free_ char *copy = malloc(length ? length : 1);

	CHECK(copy);
	if (length)
		memcpy(copy, text, length);
	return json_splitter_feed(splitter, copy, length, keep, outcome);
}

static size_t part_length(unsigned how, const char *text, size_t at, size_t size)
{
	size_t length = how == IN_ONE_GO ? size - at : 1 + ((unsigned char)text[at] ^ how) % how;

	return length < size - at ? length : size - at;
}

static void split(enum json_split_mode mode, size_t piece_max, unsigned how, const char *text,
	size_t size, struct outcome *ret)
{
	_cleanup_(json_splitter_freep) struct json_splitter *splitter =
		json_splitter_new(mode, piece_max);
	const char *rest;

	CHECK(splitter);
	*ret = (struct outcome){ .piece_max = piece_max };
	for (size_t at = 0; at < size && ret->result == 0;) {
		size_t length = part_length(how, text, at, size);

		ret->result = feed_copy(splitter, text + at, length, ret);
		at += length;
	}
	if (ret->result == 0)
		ret->result = json_splitter_end(splitter, keep, ret);
	CHECK(ret->result == 0 || ret->result == -EBADMSG ||
		(ret->result == -EMSGSIZE && mode == JSON_SPLIT_LIST));
	ret->passed_over = json_splitter_passed_over(splitter);
	if (ret->result < 0) {
		size_t count = ret->count;

		CHECK(feed_copy(splitter, "{}", 2, ret) == ret->result && ret->count == count);
		return;
	}
	rest = json_splitter_rest(splitter, &ret->rest_length);
	CHECK(!rest == (mode == JSON_SPLIT_STREAM) && ret->rest_length <= piece_max);
	if (rest) {
		ret->rest = malloc(ret->rest_length);
		CHECK(ret->rest);
		memcpy(ret->rest, rest, ret->rest_length);
	}
}

static void outcome_done(struct outcome *outcome)
{
	free(outcome->pieces);
	free(outcome->rest);
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
	CHECK(a->result == b->result && a->count == b->count && a->length == b->length);
	CHECK(a->passed_over == b->passed_over);
	CHECK(a->length == 0 || memcmp(a->pieces, b->pieces, a->length) == 0);
	CHECK(!a->rest == !b->rest && a->rest_length == b->rest_length);
	CHECK(!a->rest || memcmp(a->rest, b->rest, a->rest_length) == 0);
}

/* A document is one value: what a stream of one piece is. The rest of a list is one, too. */
static void check_find(const char *text, size_t size, const struct outcome *outcome)
{
	static const char *const whole[] = { NULL };
	static const char *const items[] = { "items", NULL };
	static const char *const deep[] = { "a", "items", NULL };
	const char *const *const paths[] = { whole, items, deep };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const char *found = NULL;
		size_t length = 0;
		int r = json_text_find(text, size, paths[i], &found, &length);

		CHECK(r == 0 || r == -ENOENT || r == -EBADMSG);
		CHECK((r == -EBADMSG) == !(outcome->result == 0 && outcome->count == 1));
		if (r == 0) {
			CHECK(found >= text && length > 0);
			CHECK(length <= size - (size_t)(found - text));
			CHECK(json_text_find(found, length, whole, &found, &length) == 0);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t longest[] = { 1u << 20, SIZE_MAX, 1, 7, 8, 16, 64, 256 };
	static const unsigned cuts[] = { 1, 2, 3, 5, 16 };
	const char *text = (const char *)data + 1;
	enum json_split_mode mode;
	struct outcome once, again;
	size_t piece_max;

	if (size == 0)
		return 0;
	size--;
	mode = data[0] & 1 ? JSON_SPLIT_LIST : JSON_SPLIT_STREAM;
	piece_max = longest[data[0] >> 1 & 7];
	split(mode, piece_max, IN_ONE_GO, text, size, &once);
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		split(mode, piece_max, cuts[i] + (data[0] >> 4), text, size, &again);
		check_same(&once, &again);
		outcome_done(&again);
	}
	split(mode, piece_max, 1, text, size, &again);
	check_same(&once, &again);
	outcome_done(&again);
	if (mode == JSON_SPLIT_STREAM && piece_max >= size)
		check_find(text, size, &once);
	outcome_done(&once);
	return 0;
}
