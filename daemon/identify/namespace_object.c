/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A namespace as the API tells of it: its metadata, of which the labels count.
 */
#include "records.h"

#include <errno.h>
#include <stdlib.h>

static const struct json_keep metadata_keep[] = { { "name", NULL }, { "labels", NULL }, { 0 } };
static const struct json_keep namespace_keep[] = { { "kind", NULL }, { "metadata", metadata_keep },
	{ 0 } };
static const char *const kinds[] = { "Namespace", "PartialObjectMetadata", NULL };

int namespace_record_parse(const char *text, size_t length, struct namespace_record **ret)
{
	_cleanup_(namespace_record_unrefp) struct namespace_record *record = NULL;
	_cleanup_(json_decrefp) json_t *object = NULL;
	const json_t *metadata;
	const char *name;
	int r;

	r = object_load(text, length, namespace_keep, kinds, &object);
	if (r < 0)
		return r;
	metadata = json_object_get(object, "metadata");
	name = object_name(metadata, "name");
	if (!name)
		return -EBADMSG;
	record = calloc(1, sizeof(*record));
	if (!record)
		return -ENOMEM;
	record->references = 1;
	r = json_text_copy(name, &record->name);
	if (r == 0)
		r = labels_from_json(
			json_object_get(metadata, "labels"), &record->labels, &record->label_count);
	if (r == 0)
		*ret = TAKE_PTR(record);
	return r;
}
