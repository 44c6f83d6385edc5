/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What differs between pods and namespaces: how they are asked for, and where in a cluster they go.
 */
#ifndef CAPAUDITD_KUBE_KIND_H
#define CAPAUDITD_KUBE_KIND_H

#include "kube_reflector.h"
#include "kube_transfer.h"

#include <stddef.h>

struct kube_kind_ops {
	const char *noun; /* "pods" */
	const char *list_accept, *watch_accept;
	const char *const *list_kinds; /* what a list may say that it is; NULL-terminated */
	void (*begin)(struct cluster *cluster);
	void (*end)(struct cluster *cluster);
	/* 0; -EBADMSG where the text is no such object; -ENOSPC; -ENOMEM. */
	int (*put)(struct cluster *cluster, const char *text, size_t length);
	void (*lose)(struct cluster *cluster); /* what cannot be put */
	int (*remove)(struct cluster *cluster, const char *text, size_t length);
};

const struct kube_kind_ops *kube_kind_ops(enum kube_kind kind);

/* Paths and queries, as client-go makes them. NULL when out of memory. */
char *kube_list_path(const struct kube_transport *transport, enum kube_kind kind, const char *node);
char *kube_watch_path(const struct kube_transport *transport, enum kube_kind kind, const char *node,
	const char *resource_version, unsigned timeout_seconds);

/* The string at `path` in a JSON document of `length` bytes (json_text_find()'s paths), decoded.
 * 0; -ENOENT where there is none, or no string, or an empty or overlong one; -EBADMSG; -ENOMEM. */
int kube_find_string(const char *text, size_t length, const char *const *path, char **ret);

#endif
