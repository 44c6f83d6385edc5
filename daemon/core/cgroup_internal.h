/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between the files that read /proc/PID/cgroup: cgroup.c takes its lines, cgroup_walk.c walks one
 * path, cgroup_rules.c knows the names. Nothing here is copied: slices point into the text.
 */
#ifndef CAPAUDITD_CGROUP_INTERNAL_H
#define CAPAUDITD_CGROUP_INTERNAL_H

#include <capauditd/cgroup.h>

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *at; /* NULL: nothing */
	size_t length;
};

static inline struct slice slice_of(const char *literal)
{
	return (struct slice){ literal, strlen(literal) };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.length == b.length &&
	       (a.length == 0 || (a.at && b.at && memcmp(a.at, b.at, a.length) == 0));
}

/* `literal` is not empty. Tables are searched with this: most names differ in their first byte. */
static inline bool slice_is(struct slice s, const char *literal)
{
	return s.length > 0 && *s.at == *literal && slice_equal(s, slice_of(literal));
}

/* Whether `s` begins (ends) with `part`; if so, that part is removed from it. */
bool slice_take_prefix(struct slice *s, const char *part);
bool slice_take_suffix(struct slice *s, const char *part);

/* What names a container, or a helper, or says that there is none. */
struct marker {
	enum cgroup_kind kind;
	const char *runtime; /* static, or NULL */
	struct slice id;
	bool escaped;	 /* `id` is written as systemd writes unit names: \xNN */
	bool supervised; /* a child "supervisor" holds the runtime's own process */
	bool root_only;	 /* only root's own runtimes give this name */
};

/* Names that change what is looked for below them, wherever they stand before a container. */
enum context {
	CONTEXT_NONE,
	CONTEXT_DOCKER,	  /* a bare id is Docker's */
	CONTEXT_ECS,	  /* Amazon ECS: a bare id is Docker's; Fargate has ids of its own */
	CONTEXT_LIBPOD,	  /* Podman with cgroupfs: a bare id is a pod's */
	CONTEXT_OVERHEAD, /* Kata's own processes: everything below is a helper's */
};

/* Where in the path a name stands. */
struct position {
	struct slice parent, grandparent; /* nothing where there is none */
	unsigned plain; /* directories passed that are no systemd unit: who made them is unknown */
	enum context context;
	bool first; /* right below the root, or below what is trusted */
	bool last;
};

/* Names that speak for themselves ("docker-ID.scope"). */
bool marker_by_name(struct slice name, struct marker *ret);
/* Names that speak through their parents ("lxc/NAME") or their surroundings (a bare id). */
bool marker_by_position(struct slice name, const struct position *position, struct marker *ret);
/* The literal "SLICE:PREFIX:ID" of a runtime that was told a systemd path and took it for a plain
 * one; *ret_slice is its first part. */
bool marker_by_colons(struct slice name, struct marker *ret, struct slice *ret_slice);

enum context context_of(struct slice name, const struct position *position);

/* The levels of Kubernetes' hierarchy. */
enum kube_level {
	KUBE_NONE,
	KUBE_ROOT,
	KUBE_QOS,
	KUBE_POD,
};
struct kube_name {
	enum kube_level level;
	struct slice uid;   /* of a pod: nothing where it is no UID */
	enum qos_class qos; /* as far as this name says it */
	bool slice;	    /* a systemd slice, whose name holds all its parents */
};
struct kube_name kube_name_parse(struct slice name);

bool is_systemd_unit(struct slice name);
bool is_user_manager(struct slice name); /* user@UID.service */
bool is_id(struct slice name);		 /* 64 hex digits */

/* What one path says. */
struct path_identity {
	enum cgroup_kind kind;
	const char *runtime;
	struct slice id;
	bool id_escaped;
	struct slice pod; /* as written: with dashes or underscores, or 32 digits */
	enum qos_class qos;
	bool below_user_manager;
	bool cut; /* as long as the kernel can print, and nothing in it names anything */
	struct slice path;
	size_t container_length;
};

void cgroup_walk(struct slice path, const struct cgroup_base *base, struct path_identity *ret);

#endif
