/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pods and namespaces as the API has them: a table of their requests and of where their objects go.
 * Knows nothing of when anything is asked.
 */
#include "kube_kind.h"

#include "json_piece.h"

#include <capauditd/json_text.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRING_MAX 1024u /* bytes as written; names, UIDs and versions are shorter */

int kube_find_string(const char *text, size_t length, const char *const *path, char **ret)
{
	_cleanup_(json_decrefp) json_t *value = NULL;
	const char *found;
	size_t found_length;
	int r = json_text_find(text, length, path, &found, &found_length);

	if (r < 0)
		return r;
	if (found_length < 3 || found_length > STRING_MAX || found[0] != '"')
		return -ENOENT;
	r = json_piece_load(found, found_length, &value);
	if (r < 0)
		return r;
	return json_text_of(value) ? json_text_copy(json_text_of(value), ret) : -EBADMSG;
}

static int put_pod(struct cluster *cluster, const char *text, size_t length)
{
	struct pod_record *record;
	int r = pod_record_parse(text, length, &record);

	return r < 0 ? r : cluster_put_pod_take(cluster, record);
}

static int put_namespace(struct cluster *cluster, const char *text, size_t length)
{
	struct namespace_record *record;
	int r = namespace_record_parse(text, length, &record);

	return r < 0 ? r : cluster_put_namespace_take(cluster, record);
}

/* What is removed need not be understood otherwise. */
static int remove_pod(struct cluster *cluster, const char *text, size_t length)
{
	static const char *const path[] = { "metadata", "uid", NULL };
	_cleanup_free_ char *uid = NULL;
	int r = kube_find_string(text, length, path, &uid);

	if (r >= 0)
		cluster_remove_pod(cluster, uid);
	return r == -ENOENT ? -EBADMSG : r;
}

static int remove_namespace(struct cluster *cluster, const char *text, size_t length)
{
	static const char *const path[] = { "metadata", "name", NULL };
	_cleanup_free_ char *name = NULL;
	int r = kube_find_string(text, length, path, &name);

	if (r >= 0)
		cluster_remove_namespace(cluster, name);
	return r == -ENOENT ? -EBADMSG : r;
}

/* Of namespaces the metadata are enough; a server that does not know how to leave out the rest may
 * send it. */
#define METADATA_ONLY(what) "application/json;as=" what ";g=meta.k8s.io;v=v1,application/json"

static const char *const pod_lists[] = { "PodList", NULL };
static const char *const namespace_lists[] = { "PartialObjectMetadataList", "NamespaceList", NULL };

static const struct kube_kind_ops kinds[] = {
	[KUBE_PODS] = {
		.noun = "pods",
		.list_accept = "application/json",
		.watch_accept = "application/json",
		.list_kinds = pod_lists,
		.begin = cluster_begin_pods,
		.end = cluster_end_pods,
		.put = put_pod,
		.lose = cluster_lose_pod,
		.remove = remove_pod,
	},
	[KUBE_NAMESPACES] = {
		.noun = "namespaces",
		.list_accept = METADATA_ONLY("PartialObjectMetadataList"),
		.watch_accept = METADATA_ONLY("PartialObjectMetadata"),
		.list_kinds = namespace_lists,
		.begin = cluster_begin_namespaces,
		.end = cluster_end_namespaces,
		.put = put_namespace,
		.lose = cluster_lose_namespace,
		.remove = remove_namespace,
	},
};

const struct kube_kind_ops *kube_kind_ops(enum kube_kind kind)
{
	return &kinds[kind];
}

/* "/api/v1/pods?fieldSelector=spec.nodeName%3DNODE&", "/api/v1/namespaces?". Pods that have failed
 * are not left out: an evicted one is called so while its processes still end. */
static char *path_of(const struct kube_transport *transport, enum kube_kind kind, const char *node)
{
	_cleanup_free_ char *escaped = NULL, *selector = NULL;
	char *path;

	if (kind == KUBE_PODS) {
		if (asprintf(&selector, "spec.nodeName=%s", node) < 0) {
			selector = NULL;
			return NULL;
		}
		escaped = kube_transport_escape(transport, selector);
		if (!escaped)
			return NULL;
	}
	if (asprintf(&path, "/api/v1/%s?%s%s%s", kinds[kind].noun, escaped ? "fieldSelector=" : "",
		    escaped ? escaped : "", escaped ? "&" : "") < 0)
		return NULL;
	return path;
}

/* resourceVersion=0 and no limit: answered from the API server's memory. A limit would have every
 * node's pods read from etcd, for each node. */
char *kube_list_path(const struct kube_transport *transport, enum kube_kind kind, const char *node)
{
	_cleanup_free_ char *path = path_of(transport, kind, node);
	char *whole;

	if (!path || asprintf(&whole, "%sresourceVersion=0", path) < 0)
		return NULL;
	return whole;
}

char *kube_watch_path(const struct kube_transport *transport, enum kube_kind kind, const char *node,
	const char *resource_version, unsigned timeout_seconds)
{
	_cleanup_free_ char *version = kube_transport_escape(transport, resource_version);
	_cleanup_free_ char *path = path_of(transport, kind, node);
	char *whole;

	if (!path || !version ||
		asprintf(&whole,
			"%sallowWatchBookmarks=true&resourceVersion=%s&timeoutSeconds=%u&watch=1",
			path, version, timeout_seconds) < 0)
		return NULL;
	return whole;
}
