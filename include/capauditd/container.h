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

/* All strings are owned and NULL where unknown, and hostile (text_escape()) unless said otherwise.
 */
struct pod {
	char *namespace_name;
	char *name;
	char uid[POD_UID_SIZE]; /* "" where unknown */
	enum qos_class qos;
	char *owner; /* "Deployment/web" */
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
	bool unattributed; /* its lines contradict each other, or name a pod and no container */
	bool host;	   /* not a container: a group of host processes (--include-host) */
	bool opaque;	   /* its processes are invisible from the host (gVisor, Kata) */
};

void container_done(struct container *container);
int container_copy(const struct container *from, struct container *ret);

const char *container_type_name(enum container_type type); /* "init", ..., "unknown" */
int container_type_from_name(const char *name, enum container_type *ret);

#endif
