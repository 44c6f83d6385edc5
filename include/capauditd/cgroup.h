/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /proc/PID/cgroup: which container a process belongs to, as far as its path says.
 *
 * The rules are in docs/architecture.md ("Whose cgroup it is"). In short: every line is evaluated;
 * trusted prefixes are stripped; from root to leaf the first container marker at a trusted position
 * decides; what stands below it may have been chosen by the container.
 */
#ifndef CAPAUDITD_CGROUP_H
#define CAPAUDITD_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

enum cgroup_kind {
	CGROUP_HOST,	  /* nothing in the text names a container */
	CGROUP_CONTAINER, /* a container's process */
	CGROUP_HELPER,	  /* a runtime's process beside a container (conmon, monitor, supervisor) */
};

enum qos_class {
	QOS_UNKNOWN,
	QOS_GUARANTEED,
	QOS_BURSTABLE,
	QOS_BEST_EFFORT,
};

#define CGROUP_NAME_MAX 255 /* NAME_MAX of cgroupfs */
#define POD_UID_SIZE	37  /* 36 with dashes, or 32 digits of a static pod's hash, and NUL */

struct cgroup_identity {
	enum cgroup_kind kind;
	const char *runtime; /* static, one of cgroup_runtimes(); NULL: not said */
	char container_id[CGROUP_NAME_MAX + 1]; /* "" where the path does not say */
	char pod_uid[POD_UID_SIZE];		/* "" where the path does not say */
	enum qos_class qos;
	bool ambiguous; /* lines contradict each other: a container, but whose is unknown */
	bool below_user_manager; /* below user@UID.service: as trustworthy as that user */
	/* The path that decided (the first informative one), inside the text that was parsed: from
	 * `path` for `path_length` bytes; NULL where all lines say "/", or none can be read. */
	const char *path;
	size_t path_length;
	/* How much of `path`, from its start, names the container: what follows is below it. */
	size_t container_length;
};

/* What an operator declares as trusted (FACTS: the daemon's own base, a cgroup root, a node that
 * runs in a container). Paths without a trailing slash; a path that starts with one of them has it
 * removed before markers are looked for. */
struct cgroup_base {
	const char *const *prefixes;
	size_t count;
	/* Where the reader is in a cgroup namespace of its own: the path of its container's cgroup
	 * in the host's tree. What the kernel shows as "/" there, and all that is not above it
	 * ("/.."), is that container's. NULL: not so, or not known. For who reads the texts; the
	 * parser does not look at it. */
	const char *own;
};

/* Parses the whole text of /proc/PID/cgroup (need not be terminated). `base` may be NULL.
 * Never fails: what cannot be understood is CGROUP_HOST where it names nothing and ambiguous where
 * it contradicts itself. Allocates nothing. */
void cgroup_parse(const char *text, size_t length, const struct cgroup_base *base,
	struct cgroup_identity *ret);

/* Parses one path, as cgroup_parse() would parse a line with it. */
void cgroup_parse_path(const char *path, size_t length, const struct cgroup_base *base,
	struct cgroup_identity *ret);

/* Every name that `runtime` may be, ended by NULL. */
const char *const *cgroup_runtimes(void);

/* A name for what a whole text of /proc/PID/cgroup stands for, where it names no container:
 * "cgroup-" and the first 16 hex digits of its SHA-256. */
#define CGROUP_TEXT_ID_SIZE 24
void cgroup_text_id(const char *text, size_t length, char id[static CGROUP_TEXT_ID_SIZE]);

/* "Guaranteed", "Burstable", "BestEffort"; NULL for unknown. */
const char *qos_class_name(enum qos_class qos);
const char *cgroup_kind_name(enum cgroup_kind kind);

#endif
