/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How objects of the Kubernetes API are read, whatever their kind. Of an object only the members
 * that somebody names are parsed: the rest is most of it, and full of text that its author chose.
 */
#include "records.h"

#include <capauditd/pod_security.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

int object_load(const char *text, size_t length, const struct json_keep *keep,
	const char *const *kinds, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *object = NULL;
	_cleanup_free_ char *kept = malloc(length + 1);
	const json_t *kind;
	size_t kept_length;
	int r;

	if (!kept)
		return -ENOMEM;
	r = json_text_keep(text, length, keep, kept, &kept_length);
	if (r < 0)
		return r;
	/* A value of jansson's takes more than twenty times the text of a small string. */
	if (kept_length > OBJECT_KEPT_MAX)
		return -ENOSPC;
	r = json_piece_load(kept, kept_length, &object);
	if (r < 0)
		return r;
	kind = json_object_get(object, "kind");
	if (kind && (!json_is_string(kind) || !is_one_of(json_string_value(kind), kinds)))
		return -EBADMSG;
	*ret = TAKE_PTR(object);
	return 0;
}

const char *object_text(const json_t *object, const char *key)
{
	return json_text_of(json_object_get(object, key));
}

const char *object_name(const json_t *object, const char *key)
{
	const char *name = object_text(object, key);

	/* Path segments: what holds a slash would make "KIND/NAME" and the like ambiguous. */
	return name && name[0] && strlen(name) <= OBJECT_NAME_MAX && !strchr(name, '/') ? name
											: NULL;
}

static int compare_labels(const void *a, const void *b)
{
	const struct label *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static bool is_admission(const char *key)
{
	return strcmp(key, POD_SECURITY_ENFORCE) == 0 ||
	       strcmp(key, POD_SECURITY_ENFORCE_VERSION) == 0;
}

/* Those of admission, or all others. */
static int add_labels(const json_t *object, bool admission, struct label *labels, size_t *count)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		struct label *label = &labels[*count];
		const char *text = json_text_of(value);

		if (!text)
			return -EBADMSG;
		if (is_admission(key) != admission || *count == RECORD_LABELS_MAX)
			continue;
		label->key = strdup(key);
		label->value = strdup(text);
		(*count)++;
		if (!label->key || !label->value)
			return -ENOMEM;
	}
	return 0;
}

int labels_from_json(const json_t *object, struct label **ret, size_t *ret_count)
{
	size_t space = json_object_size(object), count = 0;
	struct label *labels;
	int r;

	if (object && !json_is_object(object) && !json_is_null(object))
		return -EBADMSG;
	if (!space)
		return 0;
	if (space > RECORD_LABELS_MAX)
		space = RECORD_LABELS_MAX;
	labels = calloc(space, sizeof(*labels));
	if (!labels)
		return -ENOMEM;
	/* Whoever writes more labels than there is room for must not push out those that say what
	 * is enforced. */
	r = add_labels(object, true, labels, &count);
	if (r == 0)
		r = add_labels(object, false, labels, &count);
	if (r < 0) {
		labels_free(labels, count);
		return r;
	}
	qsort(labels, count, sizeof(*labels), compare_labels);
	*ret = labels;
	*ret_count = count;
	return 0;
}
