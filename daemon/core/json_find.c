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
	bool key_matches; /* the key before the next value */
	bool within;	  /* the value that is looked for */
	size_t key, value;
	const char *found;
	size_t found_length;
};

static void begin_value(struct search *search, unsigned depth, size_t at)
{
	if (depth > 0 && (depth != search->objects || !search->key_matches))
		return;
	search->key_matches = false;
	if (depth == search->keys) {
		search->value = at;
		search->within = true;
	} else if (search->text[at] == '{') {
		search->objects++;
	}
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

static void take(void *data, enum json_token token, unsigned depth, size_t at)
{
	struct search *search = data;

	switch (token) {
	case JSON_TOKEN_BEGIN:
		begin_value(search, depth, at - 1);
		break;
	case JSON_TOKEN_END:
		end_value(search, depth, at);
		break;
	case JSON_TOKEN_KEY_BEGIN:
		search->key = at - 1;
		break;
	case JSON_TOKEN_KEY_END:
		if (depth != search->objects)
			break;
		search->key_matches = json_key_is(
			search->text + search->key, at - search->key, search->path[depth - 1]);
		/* What an earlier member of that name held counts no more. */
		if (search->key_matches)
			search->found = NULL;
		break;
	case JSON_TOKEN_NONE:
	case JSON_TOKEN_BROKEN:
		break;
	}
}

int json_text_find(const char *text, size_t length, const char *const *path, const char **ret,
	size_t *ret_length)
{
	struct search search = { .text = text, .path = path };
	int r;

	while (path[search.keys])
		search.keys++;
	r = json_scan_document(text, length, &search.keys, take, &search);
	if (r < 0)
		return r;
	if (!search.found)
		return -ENOENT;
	*ret = search.found;
	*ret_length = search.found_length;
	return 0;
}
