/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns what the Kubernetes API told of pods; namespaces are cluster_namespaces.c's. Asks nobody,
 * and does not know who asks. Nothing that a pod's author writes takes another pod's place here.
 */
#include "cluster_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "NAMESPACE/NAME" */
#define FULL_NAME_SIZE (2 * OBJECT_NAME_MAX + 2)

struct pod_entry {
	struct pod_record *record;
	/* The record's, which may be replaced by a newer one. */
	char uid[POD_UID_SIZE], hash[POD_HASH_SIZE];
	char *full_name;
	size_t size;
	uint64_t list;	/* the list that it was put by last */
	bool has_claim; /* its hash leads to it */
	bool lost;	/* out of memory while it was added */
	UT_hash_handle by_uid, by_name, by_hash;
};

struct cluster *cluster_new(void)
{
	return calloc(1, sizeof(struct cluster));
}

void cluster_free(struct cluster *cluster)
{
	struct pod_entry *entry, *next;

	if (!cluster)
		return;
	cluster_clear_namespaces(cluster);
	HASH_CLEAR(by_name, cluster->pods_by_name);
	HASH_CLEAR(by_hash, cluster->pods_by_hash);
	HASH_ITER (by_uid, cluster->pods, entry, next) {
		HASH_DELETE(by_uid, cluster->pods, entry);
		pod_record_unref(entry->record);
		free(entry->full_name);
		free(entry);
	}
	free(cluster);
}

/* ---- finding ---- */

static struct pod_entry *find_uid(const struct cluster *cluster, const char *uid)
{
	struct pod_entry *entry;

	HASH_FIND(by_uid, cluster->pods, uid, strlen(uid), entry);
	return entry;
}

static struct pod_entry *find_hash(const struct cluster *cluster, const char *hash)
{
	struct pod_entry *entry;

	HASH_FIND(by_hash, cluster->pods_by_hash, hash, strlen(hash), entry);
	return entry;
}

static struct pod_entry *find_name(
	const struct cluster *cluster, const char *namespace_name, const char *name)
{
	char full_name[FULL_NAME_SIZE];
	struct pod_entry *entry;
	int length = snprintf(full_name, sizeof(full_name), "%s/%s", namespace_name, name);

	if (length < 0 || (size_t)length >= sizeof(full_name))
		return NULL;
	HASH_FIND(by_name, cluster->pods_by_name, full_name, (size_t)length, entry);
	return entry;
}

/* ---- static pods ---- */

/* Of two pods that say they mirror the same manifest one lies, and which one cannot be seen. The
 * one that came first keeps the hash for as long as it is there, however it changes: the kubelet
 * writes its mirror as soon as it runs the manifest, and deletes others that it finds. Believing
 * neither would let anybody who may create a pod take a static pod's name away. */
static void claim_hash(struct cluster *cluster, struct pod_entry *entry)
{
	if (!entry->hash[0] || find_hash(cluster, entry->hash))
		return;
	HASH_ADD(by_hash, cluster->pods_by_hash, hash[0], strlen(entry->hash), entry);
	entry->has_claim = !entry->lost;
}

static void pass_claim_on(struct cluster *cluster, const char *hash)
{
	struct pod_entry *entry;

	for (entry = cluster->pods; entry; entry = entry->by_uid.next) {
		if (strcmp(entry->hash, hash) != 0)
			continue;
		claim_hash(cluster, entry);
		/* Without memory it is not found by its hash; nothing else is wrong with it. */
		entry->lost = false;
		return;
	}
}

/* ---- changing ---- */

static void drop_pod(struct cluster *cluster, struct pod_entry *entry)
{
	/* Every entry is in both tables, which an analyzer cannot see. */
	if (!cluster->pods || !cluster->pods_by_name)
		return;
	HASH_DELETE(by_uid, cluster->pods, entry);
	HASH_DELETE(by_name, cluster->pods_by_name, entry);
	if (entry->has_claim) {
		HASH_DELETE(by_hash, cluster->pods_by_hash, entry);
		pass_claim_on(cluster, entry->hash);
	}
	cluster->pod_size -= entry->size;
	cluster->version++;
	pod_record_unref(entry->record);
	free(entry->full_name);
	free(entry);
}

static bool has_run(const struct pod_record *record)
{
	for (size_t i = 0; i < record->container_count; i++)
		if (record->containers[i].id)
			return true;
	return false;
}

static bool has_room(const struct cluster *cluster, size_t size)
{
	return HASH_CNT(by_uid, cluster->pods) < CLUSTER_PODS_MAX &&
	       cluster->pod_size + size <= CLUSTER_BYTES_MAX;
}

/* Whoever may create pods may create thousands for this node, which the kubelet refuses and which
 * stay: a pod that has run takes the place of those that never did. */
static bool make_room(struct cluster *cluster, const struct pod_record *record, size_t size)
{
	struct pod_entry *entry, *next;

	if (has_room(cluster, size))
		return true;
	if (!has_run(record))
		return false;
	HASH_ITER (by_uid, cluster->pods, entry, next) {
		if (has_run(entry->record))
			continue;
		drop_pod(cluster, entry);
		cluster->dropped++;
		cluster_lose_pod(cluster);
		if (has_room(cluster, size))
			return true;
	}
	return false;
}

static char *make_full_name(const struct pod_record *record)
{
	size_t size = strlen(record->namespace_name) + strlen(record->name) + 2;
	char *full_name = malloc(size);

	if (full_name)
		(void)snprintf(full_name, size, "%s/%s", record->namespace_name, record->name);
	return full_name;
}

static int add_pod(struct cluster *cluster, struct pod_record *record, size_t size)
{
	struct pod_entry *entry = calloc(1, sizeof(*entry));
	bool has_uid = false, has_name = false;

	if (!entry)
		return -ENOMEM;
	memcpy(entry->uid, record->uid, sizeof(entry->uid));
	memcpy(entry->hash, record->config_hash, sizeof(entry->hash));
	entry->size = size;
	entry->list = cluster->pod_list;
	entry->full_name = make_full_name(record);
	entry->lost = !entry->full_name;
	if (!entry->lost) {
		HASH_ADD(by_uid, cluster->pods, uid[0], strlen(entry->uid), entry);
		has_uid = !entry->lost;
	}
	if (!entry->lost) {
		HASH_ADD_KEYPTR(by_name, cluster->pods_by_name, entry->full_name,
			strlen(entry->full_name), entry);
		has_name = !entry->lost;
	}
	if (!entry->lost)
		claim_hash(cluster, entry);
	if (!entry->lost) {
		entry->record = pod_record_ref(record);
		cluster->pod_size += size;
		cluster->version++;
		return 0;
	}
	if (has_name)
		HASH_DELETE(by_name, cluster->pods_by_name, entry);
	if (has_uid)
		HASH_DELETE(by_uid, cluster->pods, entry);
	free(entry->full_name);
	free(entry);
	return -ENOMEM;
}

static bool has_same_keys(const struct pod_entry *entry, const struct pod_record *record)
{
	return strcmp(entry->record->name, record->name) == 0 &&
	       strcmp(entry->record->namespace_name, record->namespace_name) == 0 &&
	       strcmp(entry->hash, record->config_hash) == 0;
}

int cluster_put_pod_take(struct cluster *cluster, struct pod_record *record)
{
	_cleanup_(pod_record_unrefp) struct pod_record *owned = record;
	struct pod_entry *entry = find_uid(cluster, record->uid);
	struct pod_entry *namesake = find_name(cluster, record->namespace_name, record->name);
	size_t size = pod_record_size(record);

	if (entry)
		entry->list = cluster->pod_list;
	if (entry && pod_records_alike(entry->record, record))
		return 0;
	if (entry && has_same_keys(entry, record) &&
		cluster->pod_size - entry->size + size <= CLUSTER_BYTES_MAX) {
		cluster->pod_size += size - entry->size;
		entry->size = size;
		pod_record_unref(entry->record);
		entry->record = TAKE_PTR(owned);
		cluster->version++;
		return 0;
	}
	if (entry)
		drop_pod(cluster, entry);
	/* A name is one pod's at a time: that one is gone, though nobody has said so yet. */
	if (namesake && namesake != entry)
		drop_pod(cluster, namesake);
	if (!make_room(cluster, record, size)) {
		cluster->dropped++;
		return -ENOSPC;
	}
	return add_pod(cluster, record, size);
}

void cluster_remove_pod(struct cluster *cluster, const char *uid)
{
	struct pod_entry *entry = find_uid(cluster, uid);

	if (entry)
		drop_pod(cluster, entry);
}

void cluster_begin_pods(struct cluster *cluster)
{
	cluster->pod_list++;
	cluster->pod_loss.in_list = false;
}

void cluster_end_pods(struct cluster *cluster)
{
	struct pod_entry *entry, *next;

	HASH_ITER (by_uid, cluster->pods, entry, next) {
		if (entry->list != cluster->pod_list)
			drop_pod(cluster, entry);
	}
	cluster_settle_loss(cluster, &cluster->pod_loss);
	/* That a pod is in no list is news as well. */
	cluster->version += !cluster->knows_pods;
	cluster->knows_pods = true;
}

/* ---- what is left out ---- */

void cluster_note_loss(struct cluster *cluster, struct cluster_loss *loss)
{
	/* Of what is not found nothing is known from now on. */
	cluster->version += !loss->now;
	loss->now = loss->in_list = true;
}

void cluster_settle_loss(struct cluster *cluster, struct cluster_loss *loss)
{
	cluster->version += loss->now != loss->in_list;
	loss->now = loss->in_list;
}

void cluster_lose_pod(struct cluster *cluster)
{
	cluster_note_loss(cluster, &cluster->pod_loss);
}

bool cluster_lacks_pods(const struct cluster *cluster)
{
	return cluster->pod_loss.now;
}

/* ---- asking ---- */

bool cluster_knows_pods(const struct cluster *cluster)
{
	return cluster->knows_pods;
}

struct pod_record *cluster_find_pod(const struct cluster *cluster, const char *uid)
{
	const struct pod_entry *entry = find_uid(cluster, uid);

	if (!entry)
		entry = find_hash(cluster, uid);
	return entry ? entry->record : NULL;
}

struct pod_record *cluster_find_pod_named(
	const struct cluster *cluster, const char *namespace_name, const char *name)
{
	const struct pod_entry *entry = find_name(cluster, namespace_name, name);

	return entry ? entry->record : NULL;
}

uint64_t cluster_version(const struct cluster *cluster)
{
	return cluster->version;
}

size_t cluster_pod_count(const struct cluster *cluster)
{
	return HASH_CNT(by_uid, cluster->pods);
}

uint64_t cluster_dropped(const struct cluster *cluster)
{
	return cluster->dropped;
}
