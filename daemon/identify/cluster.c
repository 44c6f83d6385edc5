/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns what the Kubernetes API told: pods by UID, namespaces by name. Asks nobody, and does not
 * know who asks.
 */
#include "records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM      1
#define uthash_nonfatal_oom(e) ((e)->lost = true)
#include <uthash.h>

struct pod_entry {
	struct pod_record *record;
	uint64_t list; /* the list that it was put by last */
	bool lost;     /* out of memory while it was added */
	UT_hash_handle hh;
};

struct namespace_entry {
	struct namespace_record *record;
	uint64_t list;
	bool lost;
	UT_hash_handle hh;
};

struct cluster {
	struct pod_entry *pods;
	struct namespace_entry *namespaces;
	uint64_t pod_list, namespace_list; /* numbers of the current lists */
	bool knows_pods, knows_namespaces;
	uint64_t version, dropped;
};

struct cluster *cluster_new(void)
{
	return calloc(1, sizeof(struct cluster));
}

static void drop_pod(struct cluster *cluster, struct pod_entry *entry)
{
	HASH_DEL(cluster->pods, entry);
	pod_record_unref(entry->record);
	free(entry);
}

static void drop_namespace(struct cluster *cluster, struct namespace_entry *entry)
{
	HASH_DEL(cluster->namespaces, entry);
	namespace_record_unref(entry->record);
	free(entry);
}

void cluster_free(struct cluster *cluster)
{
	struct pod_entry *pod, *next_pod;
	struct namespace_entry *namespace, *next_namespace;

	if (!cluster)
		return;
	HASH_ITER (hh, cluster->pods, pod, next_pod) {
		drop_pod(cluster, pod);
	}
	HASH_ITER (hh, cluster->namespaces, namespace, next_namespace) {
		drop_namespace(cluster, namespace);
	}
	free(cluster);
}

static struct pod_entry *find_pod(const struct cluster *cluster, const char *uid)
{
	struct pod_entry *entry;

	HASH_FIND_STR(cluster->pods, uid, entry);
	return entry;
}

static struct namespace_entry *find_namespace(const struct cluster *cluster, const char *name)
{
	struct namespace_entry *entry;

	HASH_FIND_STR(cluster->namespaces, name, entry);
	return entry;
}

int cluster_put_pod_take(struct cluster *cluster, struct pod_record *record)
{
	struct pod_entry *entry = find_pod(cluster, record->uid);

	if (entry && pod_records_alike(entry->record, record)) {
		entry->list = cluster->pod_list;
		pod_record_unref(record);
		return 0;
	}
	if (entry) {
		drop_pod(cluster, entry);
		cluster->version++;
	} else if (HASH_COUNT(cluster->pods) >= CLUSTER_PODS_MAX) {
		cluster->dropped++;
		pod_record_unref(record);
		return -ENOSPC;
	}
	entry = calloc(1, sizeof(*entry));
	if (entry) {
		entry->record = record;
		entry->list = cluster->pod_list;
		/* The record is the entry's for as long as the entry is there, and does not change.
		 */
		HASH_ADD_KEYPTR(hh, cluster->pods, record->uid, strlen(record->uid), entry);
	}
	if (!entry || entry->lost) {
		free(entry);
		pod_record_unref(record);
		return -ENOMEM;
	}
	cluster->version++;
	return 0;
}

int cluster_put_namespace_take(struct cluster *cluster, struct namespace_record *record)
{
	struct namespace_entry *entry = find_namespace(cluster, record->name);

	if (entry && namespace_records_alike(entry->record, record)) {
		entry->list = cluster->namespace_list;
		namespace_record_unref(record);
		return 0;
	}
	if (entry) {
		drop_namespace(cluster, entry);
		cluster->version++;
	} else if (HASH_COUNT(cluster->namespaces) >= CLUSTER_NAMESPACES_MAX) {
		cluster->dropped++;
		namespace_record_unref(record);
		return -ENOSPC;
	}
	entry = calloc(1, sizeof(*entry));
	if (entry) {
		entry->record = record;
		entry->list = cluster->namespace_list;
		HASH_ADD_KEYPTR(hh, cluster->namespaces, record->name, strlen(record->name), entry);
	}
	if (!entry || entry->lost) {
		free(entry);
		namespace_record_unref(record);
		return -ENOMEM;
	}
	cluster->version++;
	return 0;
}

void cluster_remove_pod(struct cluster *cluster, const char *uid)
{
	struct pod_entry *entry = find_pod(cluster, uid);

	if (!entry)
		return;
	drop_pod(cluster, entry);
	cluster->version++;
}

void cluster_remove_namespace(struct cluster *cluster, const char *name)
{
	struct namespace_entry *entry = find_namespace(cluster, name);

	if (!entry)
		return;
	drop_namespace(cluster, entry);
	cluster->version++;
}

void cluster_begin_pods(struct cluster *cluster)
{
	cluster->pod_list++;
}

void cluster_end_pods(struct cluster *cluster)
{
	struct pod_entry *entry, *next;

	HASH_ITER (hh, cluster->pods, entry, next) {
		if (entry->list == cluster->pod_list)
			continue;
		drop_pod(cluster, entry);
		cluster->version++;
	}
	/* That a pod is in no list is news as well. */
	cluster->version += !cluster->knows_pods;
	cluster->knows_pods = true;
}

void cluster_begin_namespaces(struct cluster *cluster)
{
	cluster->namespace_list++;
}

void cluster_end_namespaces(struct cluster *cluster)
{
	struct namespace_entry *entry, *next;

	HASH_ITER (hh, cluster->namespaces, entry, next) {
		if (entry->list == cluster->namespace_list)
			continue;
		drop_namespace(cluster, entry);
		cluster->version++;
	}
	cluster->version += !cluster->knows_namespaces;
	cluster->knows_namespaces = true;
}

bool cluster_knows_pods(const struct cluster *cluster)
{
	return cluster->knows_pods;
}

bool cluster_knows_namespaces(const struct cluster *cluster)
{
	return cluster->knows_namespaces;
}

/* Of two that claim the same hash the first one stays: which is all that can be said. */
struct pod_record *cluster_find_pod(const struct cluster *cluster, const char *uid)
{
	struct pod_entry *entry = find_pod(cluster, uid);

	if (entry)
		return entry->record;
	if (strlen(uid) + 1 != POD_HASH_SIZE)
		return NULL;
	for (entry = cluster->pods; entry; entry = entry->hh.next)
		if (strcmp(entry->record->config_hash, uid) == 0)
			return entry->record;
	return NULL;
}

struct pod_record *cluster_find_pod_named(
	const struct cluster *cluster, const char *namespace_name, const char *name)
{
	for (struct pod_entry *entry = cluster->pods; entry; entry = entry->hh.next)
		if (strcmp(entry->record->name, name) == 0 &&
			strcmp(entry->record->namespace_name, namespace_name) == 0)
			return entry->record;
	return NULL;
}

struct namespace_record *cluster_find_namespace(const struct cluster *cluster, const char *name)
{
	struct namespace_entry *entry = find_namespace(cluster, name);

	return entry ? entry->record : NULL;
}

uint64_t cluster_version(const struct cluster *cluster)
{
	return cluster->version;
}

size_t cluster_pod_count(const struct cluster *cluster)
{
	return HASH_COUNT(cluster->pods);
}

size_t cluster_namespace_count(const struct cluster *cluster)
{
	return HASH_COUNT(cluster->namespaces);
}

uint64_t cluster_dropped(const struct cluster *cluster)
{
	return cluster->dropped;
}
