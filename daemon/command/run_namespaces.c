/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The labels of the namespaces that this node's containers are in, as the API told them last: kept
 * over a restart, so that it judges by them until the API tells again.
 */
#include "run.h"

#define HASH_NONFATAL_OOM 1
#include <errno.h>
#include <string.h>
#include <uthash.h>

#define NAMES_MAX 4096u
#define ROOM	  (2u << 20) /* of all records in the file */
#define TEXT_MAX  1024u	     /* a name, a key or a value; Kubernetes' own limits are lower */

struct kept_namespace {
	struct namespace_record *record;
	size_t size;
	UT_hash_handle hh; /* by the record's name */
};

static void forget(struct run *run, struct kept_namespace *kept)
{
	HASH_DEL(run->namespaces, kept);
	run->namespaces_size -= kept->size;
	namespace_record_unref(kept->record);
	free(kept);
}

/* Takes the reference in every case. 0, -ENOSPC or -ENOMEM. */
static int keep_take(struct run *run, struct namespace_record *record, size_t size)
{
	struct kept_namespace *kept;

	HASH_FIND_STR(run->namespaces, record->name, kept);
	if (kept)
		forget(run, kept);
	if (HASH_COUNT(run->namespaces) >= NAMES_MAX || run->namespaces_size + size > ROOM) {
		namespace_record_unref(record);
		return -ENOSPC;
	}
	kept = calloc(1, sizeof(*kept));
	if (kept) {
		kept->record = record;
		kept->size = size;
		HASH_ADD_KEYPTR(hh, run->namespaces, record->name, strlen(record->name), kept);
	}
	if (!kept || !kept->hh.tbl) {
		namespace_record_unref(record);
		free(kept);
		return -ENOMEM;
	}
	run->namespaces_size += size;
	return 0;
}

static void encode(const struct namespace_record *record, struct bytes *to)
{
	bytes_add_text(to, record->name);
	bytes_add_number(to, record->label_count);
	for (size_t i = 0; i < record->label_count; i++) {
		bytes_add_text(to, record->labels[i].key);
		bytes_add_text(to, record->labels[i].value);
	}
}

static int decode(struct byte_reader *from, struct namespace_record *record)
{
	uint64_t count;

	record->name = bytes_take_text(from, TEXT_MAX);
	count = bytes_take_number(from);
	if (from->failed || count > RECORD_LABELS_MAX)
		return -EBADMSG;
	record->labels = calloc(count ? count : 1, sizeof(*record->labels));
	if (!record->name || !record->labels)
		return -ENOMEM;
	while (record->label_count < count) {
		struct label *label = &record->labels[record->label_count++];

		label->key = bytes_take_text(from, TEXT_MAX);
		label->value = bytes_take_text(from, TEXT_MAX);
		if (from->failed)
			return -EBADMSG;
		if (!label->key || !label->value)
			return -ENOMEM;
		/* They are looked for in order. */
		if (record->label_count > 1 && strcmp(label[-1].key, label->key) >= 0)
			return -EBADMSG;
	}
	return record->name[0] ? 0 : -EBADMSG;
}

int run_load_namespace(struct run *run, struct byte_reader *from)
{
	_cleanup_(namespace_record_unrefp) struct namespace_record *record =
		calloc(1, sizeof(*record));
	size_t size = (size_t)(from->end - from->at);
	int r;

	if (!record)
		return -ENOMEM;
	record->references = 1;
	r = decode(from, record);
	return r < 0 ? r : keep_take(run, TAKE_PTR(record), size);
}

/* Before the API tells; what it does not list it removes. */
void run_seed_namespaces(struct run *run)
{
	const struct kept_namespace *kept;

	for (kept = run->namespaces; kept && run->sources.cluster; kept = kept->hh.next)
		(void)cluster_put_namespace_take(
			run->sources.cluster, namespace_record_ref(kept->record));
}

bool run_keep_namespace(struct run *run, struct namespace_record *record, struct bytes *to)
{
	struct kept_namespace *kept;

	HASH_FIND_STR(run->namespaces, record->name, kept);
	if (kept && kept->record == record)
		return false;
	encode(record, to);
	return !to->failed && keep_take(run, namespace_record_ref(record), to->length) == 0;
}

const struct namespace_record *run_next_namespace(
	const struct run *run, const void **position, struct bytes *to)
{
	const struct kept_namespace *last = *position;
	const struct kept_namespace *kept = last ? last->hh.next : run->namespaces;

	if (!kept)
		return NULL;
	*position = kept;
	encode(kept->record, to);
	return kept->record;
}

void run_forget_namespaces(struct run *run)
{
	while (run->namespaces)
		forget(run, run->namespaces);
}
