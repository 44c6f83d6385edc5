/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What cluster.c and cluster_namespaces.c share.
 */
#ifndef CAPAUDITD_CLUSTER_INTERNAL_H
#define CAPAUDITD_CLUSTER_INTERNAL_H

#include "records.h"

#define HASH_NONFATAL_OOM      1
#define uthash_nonfatal_oom(e) ((e)->lost = true)
#include <uthash.h>

struct pod_entry;
struct namespace_entry;

/* Of one kind: of what there is now, and of the list that is being read. */
struct cluster_loss {
	bool now, in_list;
};

struct cluster {
	struct pod_entry *pods, *pods_by_name, *pods_by_hash;
	struct namespace_entry *namespaces;
	size_t pod_size, namespace_size;   /* of all records, about */
	uint64_t pod_list, namespace_list; /* numbers of the current lists */
	bool knows_pods, knows_namespaces;
	struct cluster_loss pod_loss, namespace_loss;
	uint64_t version, dropped;
};

void cluster_clear_namespaces(struct cluster *cluster);

void cluster_note_loss(struct cluster *cluster, struct cluster_loss *loss);
/* At the end of a list. */
void cluster_settle_loss(struct cluster *cluster, struct cluster_loss *loss);

#endif
