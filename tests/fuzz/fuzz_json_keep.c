/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is kept of a document, whatever it holds: what a JSON library would have found in the whole
 * under the same keys, in no more room; and keeping the same of it again changes nothing.
 */
#include "check.h"

#include <capauditd/json_text.h>
#include <capauditd/macros.h>

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct json_keep inner_keep[] = { { "name", NULL }, { "labels", NULL }, { 0 } };
static const struct json_keep outer_keep[] = { { "kind", NULL }, { "metadata", inner_keep },
	{ "items", inner_keep }, { 0 } };

static const struct json_keep *find_keep(const struct json_keep *keep, const char *key)
{
	while (keep->key && strcmp(keep->key, key) != 0)
		keep++;
	return keep->key ? keep : NULL;
}

/* Takes out of a parsed document what `keep` does not name. */
static void filter(json_t *value, const struct json_keep *keep)
{
	const struct json_keep *found;
	json_t *item;
	const char *key;
	void *next;
	size_t i;

	if (!keep)
		return;
	json_array_foreach(value, i, item)
	{
		filter(item, keep);
	}
	json_object_foreach_safe(value, next, key, item)
	{
		found = find_keep(keep, key);
		if (found)
			filter(item, found->within);
		else
			(void)json_object_del(value, key);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* No byte more than it may use. */
	_cleanup_free_ char *text = malloc(size ? size : 1), *kept = malloc(size ? size : 1),
			    *again = malloc(size ? size : 1);
	_cleanup_(json_decrefp) json_t *whole = NULL, *part = NULL;
	size_t length, again_length;
	int r;

	CHECK(text && kept && again);
	if (size)
		memcpy(text, data, size);
	r = json_text_keep(text, size, outer_keep, kept, &length);
	CHECK(r == 0 || r == -EBADMSG);
	if (r < 0)
		return 0;
	CHECK(length <= size);
	CHECK(json_text_keep(kept, length, outer_keep, again, &again_length) == 0);
	CHECK(length == again_length && memcmp(kept, again, length) == 0);
	/* A key with escapes is not compared as what it stands for. */
	if (memchr(text, '\\', size))
		return 0;
	whole = json_loadb(text, size, JSON_DECODE_ANY, NULL);
	if (!whole)
		return 0;
	part = json_loadb(kept, length, JSON_DECODE_ANY, NULL);
	filter(whole, outer_keep);
	CHECK(part && json_equal(whole, part));
	return 0;
}
