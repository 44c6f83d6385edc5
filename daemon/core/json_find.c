/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds one member in a document of which the rest may not be looked at. Builds nothing, copies
 * nothing, asks for no memory; what the member says is for a JSON library.
 */
#include "json_scan.h"

#include <errno.h>
#include <string.h>

struct search {
	const char *text;
	const char *const *path;
	unsigned keys;	  /* of the path */
	unsigned objects; /* that are on the path and open now: the document, and so on */
	bool document;	  /* there was one */
	bool key_matches; /* the key before the next value */
	bool within;	  /* the value that is looked for */
	size_t key, value;
	const char *found;
	size_t found_length;
};

/* `key` with the quotation marks around it. */
static bool key_is(const char *key, size_t length, const char *wanted)
{
	return length == strlen(wanted) + 2 && memcmp(key + 1, wanted, length - 2) == 0;
}

static int begin_value(struct search *search, unsigned depth, size_t at)
{
	if (depth == 0) {
		if (search->document)
			return -EBADMSG;
		search->document = true;
	} else if (depth != search->objects || !search->key_matches) {
		return 0;
	}
	search->key_matches = false;
	if (depth == search->keys) {
		search->value = at;
		search->within = true;
	} else if (search->text[at] == '{') {
		search->objects++;
	}
	return 0;
}

static void end_value(struct search *search, unsigned depth, size_t end)
{
	if (search->within && depth == search->keys) {
		search->found = search->text + search->value;
		search->found_length = end - search->value;
		search->within = false;
	} else if (depth + 1 == search->objects) {
		search->objects--;
	}
}

static int take(struct search *search, enum json_token token, unsigned depth, size_t at)
{
	switch (token) {
	case JSON_TOKEN_NONE:
		break;
	case JSON_TOKEN_BROKEN:
		return -EBADMSG;
	case JSON_TOKEN_BEGIN:
		return begin_value(search, depth, at - 1);
	case JSON_TOKEN_END:
		end_value(search, depth, at);
		break;
	case JSON_TOKEN_KEY_BEGIN:
		search->key = at - 1;
		break;
	case JSON_TOKEN_KEY_END:
		if (depth != search->objects)
			break;
		search->key_matches = key_is(
			search->text + search->key, at - search->key, search->path[depth - 1]);
		/* What an earlier member of that name held counts no more. */
		if (search->key_matches)
			search->found = NULL;
		break;
	}
	return 0;
}

int json_text_find(const char *text, size_t length, const char *const *path, const char **ret,
	size_t *ret_length)
{
	struct search search = { .text = text, .path = path };
	struct json_scanner scanner = { 0 };
	enum json_token token;
	size_t at = 0;
	int r;

	while (path[search.keys])
		search.keys++;
	do {
		token = json_scan(&scanner, text, length, &at, search.keys);
		r = take(&search, token, scanner.token_depth, at);
	} while (r == 0 && token != JSON_TOKEN_NONE);
	if (r == 0)
		r = take(&search, json_scan_end(&scanner), 0, at);
	if (r < 0)
		return r;
	if (!search.document)
		return -EBADMSG;
	if (!search.found)
		return -ENOENT;
	*ret = search.found;
	*ret_length = search.found_length;
	return 0;
}
