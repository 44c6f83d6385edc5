/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One member of a document, whatever that holds: what a JSON library finds in the same place, and
 * nothing where that finds nothing.
 */
#include "check.h"

#include <capauditd/json_text.h>

#include <errno.h>
#include <jansson.h>
#include <string.h>

static const char *const paths[][4] = { { NULL }, { "a", NULL }, { "a", "b", NULL },
	{ "a", "b", "c", NULL }, { "metadata", "uid", NULL } };

/* Deeper text is refused. */
static bool is_deep(const char *text, size_t size)
{
	size_t open = 0;

	for (size_t i = 0; i < size; i++)
		open += text[i] == '{' || text[i] == '[';
	return open > JSON_TEXT_DEPTH_MAX;
}

static json_t *find_in(json_t *document, const char *const *path)
{
	while (*path && document)
		document = json_object_get(document, *path++);
	return document;
}

static void check_found(const char *text, size_t size, const char *const *path, json_t *document)
{
	const char *found = (const char *)&paths;
	size_t length = 4711;
	int r = json_text_find(text, size, path, &found, &length);
	json_t *value;

	CHECK(r == 0 || r == -ENOENT || r == -EBADMSG);
	if (r < 0) {
		CHECK(found == (const char *)&paths && length == 4711);
	} else {
		CHECK(found >= text && length > 0 && length <= size - (size_t)(found - text));
		/* No blank is a part of it. */
		CHECK(!strchr(" \t\r\n", found[0]) && !strchr(" \t\r\n", found[length - 1]));
	}
	if (!document)
		return;
	CHECK((r == 0) == (find_in(document, path) != NULL));
	if (r < 0)
		return;
	value = json_loadb(found, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	CHECK(value && json_equal(value, find_in(document, path)));
	json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of its own: there is no byte behind it. */
	char *text = malloc(size ? size : 1);
	json_t *document = NULL;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	/* A key with escapes is not found; that library takes a NUL behind a document for its end.
	 */
	if (!memchr(text, '\\', size) && !memchr(text, '\0', size) && !is_deep(text, size))
		document = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		check_found(text, size, paths[i], document);
	json_decref(document);
	free(text);
	return 0;
}
