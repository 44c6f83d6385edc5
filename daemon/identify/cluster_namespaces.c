/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns what the Kubernetes API told of namespaces, by name. The cluster's other half is cluster.c.
 */
#include "cluster_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct namespace_entry {
	struct namespace_record *record;
	char *name; /* the record's, which may be replaced by a newer one */
	size_t size;
	uint64_t list; /* the list that it was put by last */
	bool lost;     /* out of memory while it was added */
	UT_hash_handle hh;
};

static struct namespace_entry *find(const struct cluster *cluster, const char *name)
{
	struct namespace_entry *entry;

	HASH_FIND_STR(cluster->namespaces, name, entry);
	return entry;
}

static void drop(struct cluster *cluster, struct namespace_entry *entry)
{
	HASH_DEL(cluster->namespaces, entry);
	cluster->namespace_size -= entry->size;
	cluster->version++;
	namespace_record_unref(entry->record);
	free(entry->name);
	free(entry);
}

void cluster_clear_namespaces(struct cluster *cluster)
{
	struct namespace_entry *entry, *next;

	HASH_ITER (hh, cluster->namespaces, entry, next) {
		drop(cluster, entry);
	}
}

static int add(struct cluster *cluster, struct namespace_record *record, size_t size)
{
	struct namespace_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	entry->name = strdup(record->name);
	if (entry->name)
		HASH_ADD_KEYPTR(hh, cluster->namespaces, entry->name, strlen(entry->name), entry);
	if (!entry->name || entry->lost) {
		free(entry->name);
		free(entry);
		return -ENOMEM;
	}
	entry->record = namespace_record_ref(record);
	entry->size = size;
	entry->list = cluster->namespace_list;
	cluster->namespace_size += size;
	cluster->version++;
	return 0;
}

int cluster_put_namespace_take(struct cluster *cluster, struct namespace_record *record)
{
	_cleanup_(namespace_record_unrefp) struct namespace_record *owned = record;
	struct namespace_entry *entry = find(cluster, record->name);
	size_t old_size = entry ? entry->size : 0, size = namespace_record_size(record);

	if (entry)
		entry->list = cluster->namespace_list;
	if (entry && namespace_records_alike(entry->record, record))
		return 0;
	if (cluster->namespace_size - old_size + size > CLUSTER_BYTES_MAX ||
		(!entry && HASH_COUNT(cluster->namespaces) >= CLUSTER_NAMESPACES_MAX)) {
		/* Better no labels than those that it had once. */
		if (entry)
			drop(cluster, entry);
		cluster->dropped++;
		return -ENOSPC;
	}
	if (!entry)
		return add(cluster, record, size);
	namespace_record_unref(entry->record);
	entry->record = TAKE_PTR(owned);
	entry->size = size;
	cluster->namespace_size += size - old_size;
	cluster->version++;
	return 0;
}

void cluster_remove_namespace(struct cluster *cluster, const char *name)
{
	struct namespace_entry *entry = find(cluster, name);

	if (entry)
		drop(cluster, entry);
}

void cluster_begin_namespaces(struct cluster *cluster)
{
	cluster->namespace_list++;
	cluster->namespace_loss.in_list = false;
}

void cluster_end_namespaces(struct cluster *cluster)
{
	struct namespace_entry *entry, *next;

	HASH_ITER (hh, cluster->namespaces, entry, next) {
		if (entry->list != cluster->namespace_list)
			drop(cluster, entry);
	}
	cluster_settle_loss(cluster, &cluster->namespace_loss);
	cluster->version += !cluster->knows_namespaces;
	cluster->knows_namespaces = true;
}

void cluster_lose_namespace(struct cluster *cluster)
{
	cluster_note_loss(cluster, &cluster->namespace_loss);
}

bool cluster_lacks_namespaces(const struct cluster *cluster)
{
	return cluster->namespace_loss.now;
}

bool cluster_knows_namespaces(const struct cluster *cluster)
{
	return cluster->knows_namespaces;
}

struct namespace_record *cluster_find_namespace(const struct cluster *cluster, const char *name)
{
	struct namespace_entry *entry = find(cluster, name);

	return entry ? entry->record : NULL;
}

size_t cluster_namespace_count(const struct cluster *cluster)
{
	return HASH_COUNT(cluster->namespaces);
}
