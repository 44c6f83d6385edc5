/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the Kubernetes API has told of this node: its pods and the namespaces. Filled by the API
 * source (kubernetes.h), read by the registry (identify.h). No I/O.
 *
 * Records are immutable once they are in the cluster, and counted: whoever still needs one that has
 * been removed or replaced (a container that outlives its pod's deletion) holds it.
 */
#ifndef CAPAUDITD_CLUSTER_H
#define CAPAUDITD_CLUSTER_H

#include <capauditd/container.h>
#include <capauditd/macros.h>
#include <capauditd/policy.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLUSTER_PODS_MAX       4096u /* of one node; the kubelet's own limit is 110 by default */
#define CLUSTER_NAMESPACES_MAX 65536u
#define CLUSTER_BYTES_MAX      (32u * 1024u * 1024u) /* of all pods' records; of all namespaces' */
#define POD_CONTAINERS_MAX     1024u		     /* of one pod; what exceeds it is left out */
#define RECORD_LABELS_MAX      256u /* of one object; what exceeds it is left out */
#define POD_HASH_SIZE	       33   /* 32 digits of a static pod's configuration hash, and NUL */

/* One container of a pod's spec, with what its status says. */
struct pod_container {
	char *name;
	char *image; /* as the manifest names it; NULL where missing */
	/* The runtime's id of the one that runs or ran last, without "containerd://"; NULL before
	 * that. */
	char *id;
	enum container_type type;    /* init, sidecar, regular or ephemeral */
	struct declaration declared; /* always known */
};

struct pod_record {
	unsigned references;
	char *namespace_name, *name;
	char uid[POD_UID_SIZE];
	/* Of a static pod's mirror: what the kubelet uses as its UID. "" for all others. An
	 * annotation that others could write is believed only where the pod is a mirror of that
	 * very hash and its controller is a Node. */
	char config_hash[POD_HASH_SIZE];
	/* "Deployment/web": the controller among ownerReferences. A ReplicaSet whose name ends in
	 * the pod's pod-template-hash label is shown as its Deployment, a Job whose name ends in a
	 * schedule's digits as its CronJob. NULL: nobody owns it. "Node/NAME": a static pod. */
	char *owner;
	enum qos_class qos;
	struct label *labels; /* owned; sorted by key */
	size_t label_count;
	struct pod_container *containers;
	size_t container_count;
};

struct namespace_record {
	unsigned references;
	char *name;
	struct label *labels; /* owned; sorted by key */
	size_t label_count;
};

/* Parse one object of the API (a Pod; a Namespace or its PartialObjectMetadata), as it stands in a
 * list or in a watch event. *ret has one reference. 0; -EBADMSG where it is not such an object (no
 * name, no UID, wrong types where a fact is needed); -ENOSPC where what is needed of it is more
 * than any honest object has (a megabyte of capabilities' names); -ENOMEM. What other programs
 * wrote into it and is odd elsewhere (a capability nobody knows) is passed over. */
int pod_record_parse(const char *text, size_t length, struct pod_record **ret);
int namespace_record_parse(const char *text, size_t length, struct namespace_record **ret);

struct pod_record *pod_record_ref(struct pod_record *record);
void pod_record_unref(struct pod_record *record); /* NULL is fine */
DEFINE_CLEANUP(struct pod_record, pod_record_unref)
struct namespace_record *namespace_record_ref(struct namespace_record *record);
void namespace_record_unref(struct namespace_record *record);
DEFINE_CLEANUP(struct namespace_record, namespace_record_unref)

/* The container of that runtime id, or, where no status has it (yet), of that name; NULL. Either
 * may be NULL. */
const struct pod_container *pod_record_find(
	const struct pod_record *record, const char *id, const char *name);

/* True where every container that the spec names has a status with an id, so that one which is not
 * among them is none of the spec's (a sandbox). */
bool pod_record_all_ids_known(const struct pod_record *record);

struct cluster;

struct cluster *cluster_new(void);
void cluster_free(struct cluster *cluster);
DEFINE_CLEANUP(struct cluster, cluster_free)

/* Take the caller's reference in every case. 0; -ENOMEM; -ENOSPC beyond a cap (counted). Of pods
 * beyond the cap one that has run takes the place of those that never did. */
int cluster_put_pod_take(struct cluster *cluster, struct pod_record *record);
int cluster_put_namespace_take(struct cluster *cluster, struct namespace_record *record);
void cluster_remove_pod(struct cluster *cluster, const char *uid);
void cluster_remove_namespace(struct cluster *cluster, const char *name);

/* A list: between begin and end everything that exists is put; end removes what was not, and notes
 * that this kind is known from now on. A list that failed is begun anew. */
void cluster_begin_pods(struct cluster *cluster);
void cluster_end_pods(struct cluster *cluster);
void cluster_begin_namespaces(struct cluster *cluster);
void cluster_end_namespaces(struct cluster *cluster);
bool cluster_knows_pods(const struct cluster *cluster); /* one list has ended */
bool cluster_knows_namespaces(const struct cluster *cluster);

/* The API told of one that is not in the cluster: too large, too many, not understood. From then
 * on, until a list has ended that had none, one that is not found may be among them. */
void cluster_lose_pod(struct cluster *cluster);
void cluster_lose_namespace(struct cluster *cluster);
bool cluster_lacks_pods(const struct cluster *cluster);
bool cluster_lacks_namespaces(const struct cluster *cluster);

/* By the UID that the kubelet uses (its cgroup's): the API's, or a static pod's hash. NULL where
 * unknown. Borrowed: take a reference to keep it. */
struct pod_record *cluster_find_pod(const struct cluster *cluster, const char *uid);
/* By namespace and name, for a container whose path names no pod. */
struct pod_record *cluster_find_pod_named(
	const struct cluster *cluster, const char *namespace_name, const char *name);
struct namespace_record *cluster_find_namespace(const struct cluster *cluster, const char *name);

/* Changes with everything that a verdict or a name could depend on, and with nothing else: a pod's
 * new status alone does not. */
uint64_t cluster_version(const struct cluster *cluster);
size_t cluster_pod_count(const struct cluster *cluster);
size_t cluster_namespace_count(const struct cluster *cluster);
uint64_t cluster_dropped(const struct cluster *cluster); /* records beyond a cap */

#endif
