/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container and the pod around it, as far as the sources know them.
 */
#ifndef CAPAUDITD_CONTAINER_H
#define CAPAUDITD_CONTAINER_H

#include <capauditd/capability.h>
#include <capauditd/cgroup.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum container_type {
	CONTAINER_UNKNOWN,
	CONTAINER_INIT,
	CONTAINER_SIDECAR,
	CONTAINER_REGULAR,
	CONTAINER_EPHEMERAL,
	CONTAINER_SANDBOX,
	CONTAINER_TYPES,
};

/* What a manifest asks for, for one container: `securityContext` of its spec (Kubernetes API). As
 * written, and so not what was granted. */
struct declaration {
	bool known;
	bool privileged;
	bool add_all, drop_all;	   /* the word ALL, which runtimes accept in any case */
	capability_mask add, drop; /* names that this program knows */
	/* Of `add`: spelt with CAP_ before the name. containerd turns CAP_NET_ADMIN into
	 * CAP_CAP_NET_ADMIN, knows none of that name, and grants nothing, without a word. */
	capability_mask prefixed;
	/* `add` or `drop` has what is no capability's name: misspelt, or a number ("CAP_21", which
	 * is not read as SYS_ADMIN). Runtimes pass it over, without a word. */
	bool unknown;
};

/* All strings are owned and NULL where unknown, and hostile (text_escape()) unless said otherwise.
 */
struct pod {
	char *namespace_name;
	char *name;
	char uid[POD_UID_SIZE]; /* "" where unknown */
	enum qos_class qos;
	char *owner; /* "Deployment/web", "Node/NAME" of a static pod (and of one whose
			author says so); NULL while unknown, and of a pod that nobody owns */
	/* The Kubernetes API has told of it: a missing owner is none. */
	bool known;
	bool is_static; /* from a manifest on the node */
};

struct container {
	/* What tells it from every other on this node; never empty. For a recognised container that
	 * is its id; otherwise a name made from what it has (its PID namespace's init process and
	 * that one's start time, or its cgroup). */
	char *id;
	const char *runtime; /* static: a name of cgroup_vectors.tsv, or "unknown", or "host" */
	char *name;
	char *image;
	char *cgroup; /* the path that decided, down to the container's own part */
	enum container_type type;
	bool in_pod; /* `pod` says something */
	struct pod pod;
	struct declaration declared;
	/* What the runtime was told to grant: the bounding set of its OCI bundle. */
	bool granted_known;
	capability_mask granted;
	bool unattributed; /* its lines contradict each other, or name a pod and no container */
	bool host;	   /* not a container: a group of host processes (--include-host) */
	bool opaque;	   /* its processes are invisible from the host (gVisor, Kata) */
};

/* 36 with dashes, or the 32 hex digits of a static pod's hash; lower case, as the kubelet writes
 * them.
 */
bool pod_uid_is_valid(const char *text, size_t length);

bool declaration_equal(const struct declaration *a, const struct declaration *b);

void container_done(struct container *container);
int container_copy(const struct container *from, struct container *ret);

const char *container_type_name(enum container_type type); /* "init", ..., "unknown" */
int container_type_from_name(const char *name, enum container_type *ret);

#endif
