/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A namespace as the API tells of it: its metadata, of which the labels count.
 */
#include "records.h"

#include <errno.h>
#include <stdlib.h>

int namespace_record_parse(const char *text, size_t length, struct namespace_record **ret)
{
	static const char *const name_path[] = { "metadata", "name", NULL };
	static const char *const labels_path[] = { "metadata", "labels", NULL };
	_cleanup_(namespace_record_unrefp) struct namespace_record *record =
		calloc(1, sizeof(*record));
	_cleanup_(json_decrefp) json_t *labels = NULL;
	int r;

	if (!record)
		return -ENOMEM;
	record->references = 1;
	r = json_text_at(text, length, name_path, &record->name);
	if (r == 0 && (!record->name || !record->name[0]))
		r = -EBADMSG;
	if (r == 0)
		r = json_value_at(text, length, labels_path, &labels);
	if (r == 0)
		r = labels_from_json(labels, &record->labels, &record->label_count);
	if (r == 0)
		*ret = TAKE_PTR(record);
	return r;
}
