/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose a task is: the registry of containers, and the sources that name them.
 *
 * A container is looked up in each source when it first appears and then stays in the registry for
 * as long as it has tasks; its reference (what drift is measured against) stays with it.
 */
#ifndef CAPAUDITD_IDENTIFY_H
#define CAPAUDITD_IDENTIFY_H

#include <capauditd/bundle.h>
#include <capauditd/cluster.h>
#include <capauditd/container.h>
#include <capauditd/judge.h>
#include <capauditd/macros.h>
#include <capauditd/task.h>

#define IDENTIFY_CONTAINERS_MAX 65536u

/* A container in the registry. Filled by registry_identify(). */
struct known_container {
	struct container container;
	struct reference reference;
	uint64_t first_seen_us; /* monotonic */
	uint64_t version;	/* changes whenever a source says something new of it */
	/* The caller's: by which version, and in which state of the API, it was judged last. */
	uint64_t judged_version;
	enum api_state judged_api;
	/* The caller's: since when, and in how many passes in a row, it has had tasks that look
	 * like its runtime's and hold what it was not given; and that the last pass found none. */
	uint64_t excused_since_us;
	unsigned excused_passes;
	bool excused_missed;
	/* The caller's: how many of its tasks look like its runtime's. */
	size_t stages;
	/* The caller's: what was said of it when it was judged last, by what, and whether that
	 * holds for as long as its tasks are the same: where they are not, registry_identify()
	 * clears `settled`. */
	struct assessment assessment;
	uint64_t settled_by;
	bool settled;
	/* The caller's: what its programs need not be told of, if anything. */
	struct permit permit;
	bool permit_known;
	uint64_t asked_us; /* the registry's: when an event made it ask the sources */
	bool looked_into;  /* the caller's: whether it is opaque has been found out */
	bool bundle_read;  /* its OCI bundle has been found and read */
	bool named_here;   /* its pod's name was this node's to say: a bundle's or a log folder's */
	/* What the Kubernetes API said of its pod and namespace last; NULL while unknown. The
	 * registry's: they stay while the container does, whatever becomes of the pod. */
	struct pod_record *pod_record;
	struct namespace_record *namespace_record;
	/* Its tasks in the snapshot that was identified last, ordered by pid. */
	const struct task **tasks;
	size_t task_count, task_space;
};

struct registry;

/* `host_root` is where the host's files are mounted ("" for /); copied. NULL when out of memory. */
struct registry *registry_new(const char *host_root);
void registry_free(struct registry *registry);
DEFINE_CLEANUP(struct registry, registry_free)

/* Further sources, borrowed; NULL: not in use. */
void registry_use(struct registry *registry, struct bundles *bundles, struct cluster *cluster);

/* Takes over what the cluster knows by now, between two passes. 0 or -ENOMEM. */
int registry_refresh(struct registry *registry);

/* The container of that id among those of the last snapshot, or NULL. */
struct known_container *registry_known(struct registry *registry, const char *id);

/* Gives every task of the snapshot its container, and every container its tasks and what the
 * sources know. Containers without tasks are forgotten. `previous` (or NULL) is the snapshot
 * identified before: a process that was in a container then stays with it. Fills the snapshot's
 * coverage of containers. 0 or -ENOMEM. */
int registry_identify(struct registry *registry, struct snapshot *snapshot,
	const struct snapshot *previous, uint64_t now_us);

/* The container of a task that an event told of, between two passes; one that is not known yet is
 * made, and the sources are asked about it. It is forgotten in the next pass if that finds no tasks
 * of it. Fills the task's container and whether it has moved. `last` is the snapshot that was
 * identified last; an empty one where the event is older than that. 0; -ENOENT where it is in no
 * container; -ENOSPC; -ENOMEM. */
int registry_take_event(struct registry *registry, struct task *task, struct placement *placement,
	const struct namespace_init *init, const struct snapshot *last, uint64_t now_us,
	struct known_container **ret);

/* Containers of the last identified snapshot, 0 <= i < count. The pointer is valid until the next
 * registry_identify(). */
size_t registry_count(const struct registry *registry);
struct known_container *registry_at(struct registry *registry, size_t i);

/* The container of that number (task.container) in the last snapshot, or NULL. */
struct known_container *registry_numbered(struct registry *registry, unsigned number);

/* Sources that could not be read, said once: calls `say` for each new one. */
void registry_complain(
	struct registry *registry, void (*say)(void *data, const char *sentence), void *data);

/* Whether the kubelet's log directories, and the OCI bundles, could be read when they were asked
 * last. 1; 0; -ENOENT where there are none, or they are not in use. */
int registry_logs_up(const struct registry *registry);
int registry_bundles_up(const struct registry *registry);

#define CONTAINER_LOG_ID_SIZE 65u

/* One name of /var/log/containers and the target of its link, parsed. Strings are owned by the
 * caller through container_log_done(). */
struct container_log {
	char *namespace_name, *pod, *container;
	char pod_uid[POD_UID_SIZE];	/* "" where the target does not say */
	char id[CONTAINER_LOG_ID_SIZE]; /* possibly cut: a prefix of the id */
};

/* `name` is POD_NS_CONTAINER-ID.log (cut to 255 bytes by the kubelet), `target` the link's, or
 * NULL. 0, -EBADMSG where they are not of that form or contradict each other, -ENOMEM. */
int container_log_parse(const char *name, const char *target, struct container_log *ret);
/* The id in a name that was not cut, without looking at its target: false where there is none, or
 * only the target can tell. */
bool container_log_find_id(const char *name, char ret[static CONTAINER_LOG_ID_SIZE]);
void container_log_done(struct container_log *log);

#endif
