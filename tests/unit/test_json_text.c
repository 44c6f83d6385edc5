/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON text cut into pieces, however it arrives, and one member found in a document: small texts
 * whose pieces are known, and what a real API server sent, which a JSON library has to confirm.
 */
#include "../support/fail_allocation.h"

#include <capauditd/json_text.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define API "tests/data/api/"

/* What came out, one piece a line, a line for each that was too long, and the rest of a list. */
struct result {
	int error;
	char *pieces;
	size_t length;
	size_t count;
	char *rest;
	int stop_after; /* pieces; 0: never */
	int stop_with;
	bool out_of_memory;
};

static int collect(void *data, const char *text, size_t length)
{
	struct result *result = data;
	char *more = realloc(result->pieces, result->length + length + 2);

	if (!more) {
		result->out_of_memory = true;
		return -ENOMEM;
	}
	memcpy(more + result->length, text, length);
	result->length += length;
	more[result->length++] = '\n';
	more[result->length] = '\0';
	result->pieces = more;
	result->count++;
	return result->stop_after && (int)result->count == result->stop_after ? result->stop_with
									      : 0;
}

static void result_done(struct result *result)
{
	free(result->pieces);
	free(result->rest);
}

/* Cut after every `step` bytes; each part has an allocation of its own, so that a sanitizer sees
 * who reads beyond it. */
static void split_into(enum json_split_mode mode, size_t piece_max, const char *text, size_t length,
	size_t step, struct result *result)
{
	_cleanup_(json_splitter_freep) struct json_splitter *splitter =
		json_splitter_new(mode, piece_max);
	const char *rest;

	if (!splitter) {
		result->error = -ENOMEM;
		return;
	}
	for (size_t at = 0; at < length && result->error == 0; at += step) {
		size_t part = length - at < step ? length - at : step;
		_cleanup_free_ char *bytes = malloc(part);

		if (!bytes) {
			result->error = -ENOMEM;
			return;
		}
		memcpy(bytes, text + at, part);
		result->error = json_splitter_feed(splitter, bytes, part, collect, result);
	}
	if (result->error) {
		if (json_splitter_feed(splitter, "{}", 2, collect, result) != result->error ||
			json_splitter_end(splitter, collect, result) != result->error)
			result->error = -ENOTRECOVERABLE; /* it must stay what it was */
		return;
	}
	result->error = json_splitter_end(splitter, collect, result);
	if (result->error)
		return;
	for (size_t i = 0; i < json_splitter_passed_over(splitter); i++)
		(void)collect(result, "too long", strlen("too long"));
	rest = json_splitter_rest(splitter, &length);
	if (rest && !(result->rest = strndup(rest, length)))
		result->error = -ENOMEM;
}

struct row {
	const char *text;
	const char *pieces; /* one a line */
	int error;
	const char *rest;
};

static void check_rows(
	enum json_split_mode mode, size_t piece_max, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(rows[i].text);

		for (size_t step = 1; step <= length + 1; step++) {
			struct result result = { 0 };

			split_into(mode, piece_max, rows[i].text, length, step, &result);
			if (result.error != rows[i].error)
				fail_msg("%s by %zu: error %d", rows[i].text, step, result.error);
			if (strcmp(result.pieces ? result.pieces : "", rows[i].pieces) != 0)
				fail_msg("%s by %zu: pieces %s", rows[i].text, step, result.pieces);
			if (!result.rest != !rows[i].rest ||
				(result.rest && strcmp(result.rest, rows[i].rest) != 0))
				fail_msg("%s by %zu: rest %s", rows[i].text, step, result.rest);
			result_done(&result);
		}
	}
}

#define CHECK_ROWS(mode, piece_max, rows) check_rows(mode, piece_max, rows, ARRAY_SIZE(rows))

static void each_value_of_a_stream_is_a_piece(void **state)
{
	static const struct row rows[] = {
		{ "", "", 0, NULL },
		{ " \t\r\n", "", 0, NULL },
		{ "{}", "{}\n", 0, NULL },
		{ "{}{}\n[]", "{}\n{}\n[]\n", 0, NULL },
		{ " {\"a\": [1, {\"b\":null}] }\n{}", "{\"a\": [1, {\"b\":null}] }\n{}\n", 0,
			NULL },
		{ "1 -2.5e+3\ttrue", "1\n-2.5e+3\ntrue\n", 0, NULL },
		{ "12", "12\n", 0, NULL },
		{ "\"a\"\"b\"1{}null[]", "\"a\"\n\"b\"\n1\n{}\nnull\n[]\n", 0, NULL },
		{ "[\"}\", \"]\", \"{\"]", "[\"}\", \"]\", \"{\"]\n", 0, NULL },
		{ "[\"\\\"]\"]", "[\"\\\"]\"]\n", 0, NULL },
		{ "[\"\\\\\"][\"\\\\\\\"\"]", "[\"\\\\\"]\n[\"\\\\\\\"\"]\n", 0, NULL },
		{ "{\"\\u00e9\xc3\xa9\":\"\xff\x7f\"}", "{\"\\u00e9\xc3\xa9\":\"\xff\x7f\"}\n", 0,
			NULL },
		{ "{\"items\":[1,2]}", "{\"items\":[1,2]}\n", 0, NULL },
	};

	(void)state;
	CHECK_ROWS(JSON_SPLIT_STREAM, 64, rows);
}

static void a_stream_whose_structure_is_broken_is_refused(void **state)
{
	static const struct row rows[] = {
		{ "{", "", -EBADMSG, NULL },
		{ "{}[", "{}\n", -EBADMSG, NULL },
		{ "\"a", "", -EBADMSG, NULL },
		{ "\"a\\", "", -EBADMSG, NULL },
		{ "{}}", "{}\n", -EBADMSG, NULL },
		{ "]", "", -EBADMSG, NULL },
		{ "{]", "", -EBADMSG, NULL },
		{ "[}", "", -EBADMSG, NULL },
		{ "[1}", "", -EBADMSG, NULL },
		{ "{\"a\":1]", "", -EBADMSG, NULL },
		{ "{} , {}", "{}\n", -EBADMSG, NULL },
		{ "[,]", "", -EBADMSG, NULL },
		{ "[1,]", "", -EBADMSG, NULL },
		{ "[1 2]", "", -EBADMSG, NULL },
		{ "[1:2]", "", -EBADMSG, NULL },
		{ "{\"a\"}", "", -EBADMSG, NULL },
		{ "{\"a\",1}", "", -EBADMSG, NULL },
		{ "{\"a\"::1}", "", -EBADMSG, NULL },
		{ "{\"a\":}", "", -EBADMSG, NULL },
		{ "{\"a\":1,}", "", -EBADMSG, NULL },
		{ "{\"a\":1 \"b\":2}", "", -EBADMSG, NULL },
		{ "{1:2}", "", -EBADMSG, NULL },
		{ "{a:2}", "", -EBADMSG, NULL },
		{ "{[]:2}", "", -EBADMSG, NULL },
		{ "[\"\n\"]", "", -EBADMSG, NULL },
		{ "[\"\\\n\"]", "", -EBADMSG, NULL },
		{ "['a']", "", -EBADMSG, NULL },
		{ "\xef\xbb\xbf{}", "", -EBADMSG, NULL },
		{ "{}\v{}", "{}\n", -EBADMSG, NULL },
		{ "// c\n{}", "", -EBADMSG, NULL },
		/* A word is not looked at: that is for who parses the piece. */
		{ "HTTP/1.1 200 OK", "HTTP\n", -EBADMSG, NULL },
	};

	(void)state;
	CHECK_ROWS(JSON_SPLIT_STREAM, 64, rows);
}

static void each_item_of_a_list_is_a_piece_and_the_rest_is_kept(void **state)
{
	static const struct row rows[] = {
		{ "{\"items\":[]}", "", 0, "{\"items\":[]}" },
		{ "{\"items\":[{}]}\n", "{}\n", 0, "{\"items\":[]}" },
		{ " {\"kind\":\"PodList\",\"items\" : [ {\"a\":[1]} , 2, \"x\" ] , \"b\":{}} ",
			"{\"a\":[1]}\n2\n\"x\"\n", 0,
			"{\"kind\":\"PodList\",\"items\" : [] , \"b\":{}}" },
		/* Only the document's own member counts. */
		{ "{\"metadata\":{\"items\":[1,2]},\"items\":[{\"items\":[3]}]}",
			"{\"items\":[3]}\n", 0, "{\"metadata\":{\"items\":[1,2]},\"items\":[]}" },
		{ "{\"a\":[[1],[2]],\"items\":[3]}", "3\n", 0, "{\"a\":[[1],[2]],\"items\":[]}" },
		{ "{\"items\":[1],\"a\":[[2],[3]]}", "1\n", 0, "{\"items\":[],\"a\":[[2],[3]]}" },
		{ "{\"a\":\"items\",\"b\":[1]}", "", 0, "{\"a\":\"items\",\"b\":[1]}" },
		{ "{\"itemsx\":[1],\"xitems\":[2],\"item\":[3]}", "", 0,
			"{\"itemsx\":[1],\"xitems\":[2],\"item\":[3]}" },
		{ "{\"kind\":\"Status\",\"code\":410}\n", "", 0,
			"{\"kind\":\"Status\",\"code\":410}" },
		{ "{}", "", 0, "{}" },
		{ "{\"items\":null}", "", 0, "{\"items\":null}" },
	};

	(void)state;
	CHECK_ROWS(JSON_SPLIT_LIST, 64, rows);
}

static void what_is_no_list_is_refused(void **state)
{
	static const struct row rows[] = {
		{ "", "", -EBADMSG, NULL },
		{ " ", "", -EBADMSG, NULL },
		{ "[]", "", -EBADMSG, NULL },
		{ "1", "", -EBADMSG, NULL },
		{ "\"items\"", "", -EBADMSG, NULL },
		{ "{}{}", "", -EBADMSG, NULL },
		{ "{\"items\":[1]}{\"items\":[2]}", "1\n", -EBADMSG, NULL },
		{ "{\"items\":[1]", "1\n", -EBADMSG, NULL },
		{ "{\"items\":[1", "", -EBADMSG, NULL },
		{ "{\"items\":{}}", "", -EBADMSG, NULL },
		{ "{\"items\":1}", "", -EBADMSG, NULL },
		{ "{\"items\":\"[]\"}", "", -EBADMSG, NULL },
		/* Two of that name: which one would the server have meant? */
		{ "{\"items\":[1],\"items\":[2]}", "1\n", -EBADMSG, NULL },
		{ "{\"items\":null,\"items\":[2]}", "", -EBADMSG, NULL },
		{ "{\"items\":[1,]}", "1\n", -EBADMSG, NULL },
		{ "{\"items\":[1}]", "1\n", -EBADMSG, NULL },
	};

	(void)state;
	CHECK_ROWS(JSON_SPLIT_LIST, 64, rows);
}

static void the_longest_piece_passes_and_a_longer_one_is_passed_over(void **state)
{
	static const struct row stream[] = {
		{ "[12345] 1234567", "[12345]\n1234567\n", 0, NULL },
		{ "1234567", "1234567\n", 0, NULL },
		{ "1 [123456]", "1\ntoo long\n", 0, NULL },
		{ "12345678", "too long\n", 0, NULL },
		{ "\"123456\"", "too long\n", 0, NULL },
		{ "         [1]         ", "[1]\n", 0, NULL },
		/* What comes after it passes, and what is in it is no piece. */
		{ "[1,[2],{\"a\":[3]}]{}[123456789][4] 12345678 5",
			"{}\n[4]\n5\ntoo long\ntoo long\ntoo long\n", 0, NULL },
		{ "{\"]}\":\"\\\"}\"}{}", "{}\ntoo long\n", 0, NULL },
		/* It has to be JSON all the same, to its end. */
		{ "[123456,,", "", -EBADMSG, NULL },
		{ "[1234,,", "", -EBADMSG, NULL },
		{ "[1234567", "", -EBADMSG, NULL },
	};
	static const struct row list[] = {
		{ "{\"items\":[123456789,123456789012]}", "123456789\n123456789012\n", 0,
			"{\"items\":[]}" },
		{ "{\"items\":[1,1234567890123]}", "1\ntoo long\n", 0, "{\"items\":[]}" },
		{ "{\"items\":[1234567890123]}", "too long\n", 0, "{\"items\":[]}" },
		{ "{\"items\":[{\"a\":[1,2,{}]},[2],{\"items\":[3]},4]}",
			"[2]\n4\ntoo long\ntoo long\n", 0, "{\"items\":[]}" },
		{ "  {\"items\":[ ]}       ", "", 0, "{\"items\":[]}" },
		/* The rest says what they are: without it there is no list. */
		{ "{ \"items\":[1]}", "1\n", -EMSGSIZE, NULL },
		{ "{\"items\":[1] }", "1\n", -EMSGSIZE, NULL },
		{ "{\"a\":\"12345678", "", -EMSGSIZE, NULL },
	};

	(void)state;
	CHECK_ROWS(JSON_SPLIT_STREAM, 7, stream);
	CHECK_ROWS(JSON_SPLIT_LIST, 12, list);
}

static void nesting_has_a_bound(void **state)
{
	char text[2 * (JSON_TEXT_DEPTH_MAX + 1) + 1] = { 0 };

	(void)state;
	for (unsigned depth = JSON_TEXT_DEPTH_MAX; depth <= JSON_TEXT_DEPTH_MAX + 1; depth++) {
		struct result result = { 0 };

		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		split_into(JSON_SPLIT_STREAM, 1024, text, 2 * (size_t)depth, 3, &result);
		assert_int_equal(result.error, depth <= JSON_TEXT_DEPTH_MAX ? 0 : -EBADMSG);
		assert_int_equal(result.count, depth <= JSON_TEXT_DEPTH_MAX ? 1 : 0);
		result_done(&result);
	}
}

static void a_zero_byte_is_no_white_space_and_not_in_a_string(void **state)
{
	static const struct {
		const char *text;
		size_t length;
	} rows[] = { { "{}\0", 3 }, { "\"\0\"", 3 }, { "[\0]", 3 }, { "\"\\\0\"", 4 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct result result = { 0 };

		split_into(JSON_SPLIT_STREAM, 64, rows[i].text, rows[i].length, 1, &result);
		assert_int_equal(result.error, -EBADMSG);
		result_done(&result);
	}
}

static void who_takes_the_pieces_can_stop_it(void **state)
{
	static const int answers[] = { -ECANCELED, 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		for (size_t step = 1; step < 12; step++) {
			struct result result = { .stop_after = 2, .stop_with = answers[i] };

			split_into(JSON_SPLIT_STREAM, 64, "{} [] {} []", 11, step, &result);
			assert_int_equal(result.error, answers[i]);
			assert_string_equal(result.pieces, "{}\n[]\n");
			result_done(&result);
		}
	}
}

static void the_last_piece_of_a_stream_can_stop_it_too(void **state)
{
	struct result result = { .stop_after = 2, .stop_with = -ECANCELED };

	(void)state;
	split_into(JSON_SPLIT_STREAM, 64, "1 2", 3, 3, &result);
	assert_int_equal(result.error, -ECANCELED);
	assert_string_equal(result.pieces, "1\n2\n");
	result_done(&result);
}

static void the_rest_is_there_when_the_list_has_ended(void **state)
{
	_cleanup_(json_splitter_freep) struct json_splitter *splitter =
		json_splitter_new(JSON_SPLIT_LIST, 64);
	struct result result = { 0 };
	size_t length = 1;

	(void)state;
	assert_non_null(splitter);
	assert_int_equal(json_splitter_feed(splitter, "{\"a\":1", 6, collect, &result), 0);
	assert_null(json_splitter_rest(splitter, &length));
	assert_int_equal(length, 0);
	assert_int_equal(json_splitter_feed(splitter, NULL, 0, collect, &result), 0);
	assert_int_equal(json_splitter_feed(splitter, "}", 1, collect, &result), 0);
	assert_int_equal(json_splitter_end(splitter, collect, &result), 0);
	assert_non_null(json_splitter_rest(splitter, &length));
	assert_int_equal(length, 7);
	assert_int_equal(result.count, 0);
}

static char *read_file(const char *path, size_t *ret_length)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t space = 0;
	ssize_t n;

	if (!file)
		fail_msg("%s: %s (tests run in the project's folder)", path, strerror(errno));
	n = getdelim(&text, &space, EOF, file);
	assert_true(n > 0);
	*ret_length = (size_t)n;
	return text;
}

/* Compares the pieces with what a JSON library makes of the whole document. */
static void check_list(const char *path, size_t step)
{
	size_t length;
	_cleanup_free_ char *text = read_file(path, &length);
	struct result result = { 0 };
	json_t *document = json_loadb(text, length, 0, NULL), *rest;
	json_t *items = json_object_get(document, "items");
	char *piece;

	assert_non_null(document);
	split_into(JSON_SPLIT_LIST, 1 << 20, text, length, step, &result);
	assert_int_equal(result.error, 0);
	assert_int_equal(result.count, json_array_size(items));
	piece = result.pieces;
	for (size_t i = 0; i < result.count; i++) {
		json_t *item = json_loads(strsep(&piece, "\n"), 0, NULL);

		assert_true(json_equal(item, json_array_get(items, i)));
		json_decref(item);
	}
	rest = json_loads(result.rest, 0, NULL);
	json_array_clear(items);
	assert_true(json_equal(rest, document));
	json_decref(rest);
	json_decref(document);
	result_done(&result);
}

static void a_real_servers_lists_are_cut_into_their_items(void **state)
{
	static const size_t steps[] = { 1, 7, 1000, 16384, SIZE_MAX / 2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		check_list(API "pods-list.json", steps[i]);
		check_list(API "namespaces-list.json", steps[i]);
	}
}

static void a_real_servers_watches_are_cut_into_their_lines(void **state)
{
	static const char *const files[] = { API "pods-watch.jsonl", API "namespaces-watch.jsonl",
		API "pods-watch-expired.jsonl" };
	static const size_t steps[] = { 1, 13, 1448, SIZE_MAX / 2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		size_t length;
		_cleanup_free_ char *text = read_file(files[i], &length);

		for (size_t j = 0; j < ARRAY_SIZE(steps); j++) {
			struct result result = { 0 };

			split_into(JSON_SPLIT_STREAM, 1 << 20, text, length, steps[j], &result);
			assert_int_equal(result.error, 0);
			assert_int_equal(result.length, length);
			assert_memory_equal(result.pieces, text, length);
			result_done(&result);
		}
	}
}

static void running_out_of_memory_is_an_error_wherever_it_happens(void **state)
{
	static char text[20000];
	size_t length = 0;

	(void)state;
	length += (size_t)sprintf(text, "{\"kind\":\"");
	memset(text + length, 'k', 5000);
	length += 5000;
	length += (size_t)sprintf(text + length, "\",\"items\":[\"");
	memset(text + length, 'x', 10000);
	length += 10000;
	length += (size_t)sprintf(text + length, "\"]}");
	for (unsigned long n = 1;; n++) {
		struct result result = { 0 };
		bool fired;

		fail_allocation_at(n);
		split_into(JSON_SPLIT_LIST, sizeof(text), text, length, 1000, &result);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		assert_int_equal(result.error, fired ? -ENOMEM : 0);
		result_done(&result);
		if (!fired) {
			assert_true(n > 20);
			break;
		}
	}
}

struct find_row {
	const char *text;
	const char *path[4];
	int error;
	const char *found;
};

static void a_member_is_found_by_its_path(void **state)
{
	static const struct find_row rows[] = {
		{ "{\"a\":1}", { "a" }, 0, "1" },
		{ " { \"a\" : {\"b\" : [1, 2] , \"c\":3} } ", { "a", "b" }, 0, "[1, 2]" },
		{ "{\"a\":{\"b\":{\"c\":\"}\"}}}", { "a", "b", "c" }, 0, "\"}\"" },
		{ "{\"a\":{}}", { "a" }, 0, "{}" },
		{ "{\"x\":{\"a\":1},\"a\":2}", { "a" }, 0, "2" },
		{ "{\"x\":[{\"a\":1}],\"a\":{\"y\":{\"b\":3},\"b\":4}}", { "a", "b" }, 0, "4" },
		{ "{\"a\":{\"b\":1},\"b\":2}", { "a", "b" }, 0, "1" },
		{ "{\"b\":{\"a\":1}}", { "b", "a" }, 0, "1" },
		{ "{\"\":1}", { "" }, 0, "1" },
		{ "{\"a\":null}", { "a" }, 0, "null" },
		{ " [1] ", { NULL }, 0, "[1]" },
		{ "12", { NULL }, 0, "12" },
		/* None. */
		{ "{}", { "a" }, -ENOENT, NULL },
		{ "[]", { "a" }, -ENOENT, NULL },
		{ "1", { "a" }, -ENOENT, NULL },
		{ "[{\"a\":1}]", { "a" }, -ENOENT, NULL },
		{ "{\"a\":[{\"b\":1}]}", { "a", "b" }, -ENOENT, NULL },
		{ "{\"a\":\"b\"}", { "a", "b" }, -ENOENT, NULL },
		{ "{\"a\":\"{\\\"b\\\":1}\"}", { "a", "b" }, -ENOENT, NULL },
		{ "{\"a\":{\"x\":{\"b\":1}}}", { "a", "b" }, -ENOENT, NULL },
		{ "{\"x\":{\"b\":1},\"a\":{}}", { "a", "b" }, -ENOENT, NULL },
		{ "{\"x\":\"a\",\"y\":1}", { "a" }, -ENOENT, NULL },
		{ "{\"aa\":1,\"A\":2,\"\":3}", { "a" }, -ENOENT, NULL },
		{ "{\"\\u0061\":1}", { "a" }, -ENOENT, NULL },
		/* The last one counts, on every level. */
		{ "{\"a\":1,\"a\":2}", { "a" }, 0, "2" },
		{ "{\"a\":{\"b\":1},\"a\":{\"b\":2}}", { "a", "b" }, 0, "2" },
		{ "{\"a\":{\"b\":1,\"b\":2}}", { "a", "b" }, 0, "2" },
		{ "{\"a\":{\"b\":1},\"a\":{}}", { "a", "b" }, -ENOENT, NULL },
		{ "{\"a\":{\"b\":1},\"a\":3}", { "a", "b" }, -ENOENT, NULL },
		{ "{\"a\":3,\"a\":{\"b\":1}}", { "a", "b" }, 0, "1" },
		/* The whole document counts. */
		{ "", { "a" }, -EBADMSG, NULL },
		{ " ", { NULL }, -EBADMSG, NULL },
		{ "{\"a\":1", { "a" }, -EBADMSG, NULL },
		{ "{\"a\":1}}", { "a" }, -EBADMSG, NULL },
		{ "{\"a\":1}{}", { "a" }, -EBADMSG, NULL },
		{ "{\"a\":1} 2", { "a" }, -EBADMSG, NULL },
		{ "{\"a\":1,}", { "a" }, -EBADMSG, NULL },
		{ "{\"a\":1,\"b\":[}", { "a" }, -EBADMSG, NULL },
		{ "{\"a", { "a" }, -EBADMSG, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t length = strlen(rows[i].text), found_length = 4711;
		_cleanup_free_ char *text = malloc(length ? length : 1);
		const char *found = "untouched";
		int r;

		assert_non_null(text);
		memcpy(text, rows[i].text, length); /* no byte behind it */
		r = json_text_find(text, length, rows[i].path, &found, &found_length);
		if (r != rows[i].error)
			fail_msg("%s: %d", rows[i].text, r);
		if (r < 0) {
			assert_string_equal(found, "untouched");
			assert_int_equal(found_length, 4711);
			continue;
		}
		assert_true(found >= text && found + found_length <= text + length);
		if (found_length != strlen(rows[i].found) ||
			memcmp(found, rows[i].found, found_length) != 0)
			fail_msg("%s: found %.*s", rows[i].text, (int)found_length, found);
	}
}

static void members_of_a_real_servers_answer_are_found(void **state)
{
	static const char *const path[] = { "metadata", "resourceVersion", NULL };
	size_t length, found_length;
	_cleanup_free_ char *text = read_file(API "pods-list.json", &length);
	const char *found;

	(void)state;
	assert_int_equal(json_text_find(text, length, path, &found, &found_length), 0);
	assert_int_equal(found_length, 5);
	assert_memory_equal(found, "\"577\"", 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_value_of_a_stream_is_a_piece),
		cmocka_unit_test(a_stream_whose_structure_is_broken_is_refused),
		cmocka_unit_test(each_item_of_a_list_is_a_piece_and_the_rest_is_kept),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(the_longest_piece_passes_and_a_longer_one_is_passed_over),
		cmocka_unit_test(nesting_has_a_bound),
		cmocka_unit_test(a_zero_byte_is_no_white_space_and_not_in_a_string),
		cmocka_unit_test(who_takes_the_pieces_can_stop_it),
		cmocka_unit_test(the_last_piece_of_a_stream_can_stop_it_too),
		cmocka_unit_test(the_rest_is_there_when_the_list_has_ended),
		cmocka_unit_test(a_real_servers_lists_are_cut_into_their_items),
		cmocka_unit_test(a_real_servers_watches_are_cut_into_their_lines),
		cmocka_unit_test(running_out_of_memory_is_an_error_wherever_it_happens),
		cmocka_unit_test(a_member_is_found_by_its_path),
		cmocka_unit_test(members_of_a_real_servers_answer_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
