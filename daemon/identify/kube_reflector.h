/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeps one kind of object in a cluster true: list, watch, and again.
 */
#ifndef CAPAUDITD_KUBE_REFLECTOR_H
#define CAPAUDITD_KUBE_REFLECTOR_H

#include "kube_transfer.h"

#include <capauditd/cluster.h>

enum kube_kind {
	KUBE_PODS,
	KUBE_NAMESPACES,
};

enum kube_health {
	KUBE_STARTING, /* no request has ended yet */
	KUBE_UP,       /* the last one succeeded: a list was read, a watch is or was open */
	KUBE_DOWN,
};

struct kube_reflector_settings {
	sd_event *event;
	struct kube_transport *transport; /* borrowed, as is the cluster */
	struct cluster *cluster;
	enum kube_kind kind;
	const char *node;  /* copied; for pods */
	uint64_t start_us; /* the first list is asked for after that */
	uint64_t stall_us, backoff_min_us, backoff_max_us; /* as in kubernetes.h */
	uint64_t answer_max;
	unsigned watch_seconds; /* 0: the default */
	/* The reflector's state or the cluster may have changed. It may be called from within
	 * libcurl, and so is to note it and do nothing else. */
	void (*noted)(void *data);
	void *data;
};

struct kube_reflector;

/* 0; -ENOMEM; -errno. */
int kube_reflector_new(const struct kube_reflector_settings *settings, struct kube_reflector **ret);
void kube_reflector_free(struct kube_reflector *reflector);

bool kube_reflector_is_synced(const struct kube_reflector *reflector); /* one list was read */
enum kube_health kube_reflector_health(const struct kube_reflector *reflector);
const char *kube_reflector_failure(const struct kube_reflector *reflector); /* last; NULL: none */

/* A random number below `bound`, or 0 where that is 0. */
uint64_t kube_random(uint64_t bound);

#endif
