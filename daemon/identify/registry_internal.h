/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What registry.c and attribution.c share.
 */
#ifndef CAPAUDITD_REGISTRY_INTERNAL_H
#define CAPAUDITD_REGISTRY_INTERNAL_H

#include <capauditd/identify.h>

#include "log_directories.h"

#define HASH_NONFATAL_OOM      1
#define uthash_nonfatal_oom(e) ((e)->lost = true)
#include <uthash.h>

struct entry {
	struct known_container known;
	unsigned slot;	       /* its number in tasks, the same for as long as it lives */
	bool is_new;	       /* made in this call: what its path says is still to be filled in */
	uint64_t told_anew_us; /* when an entry that had been a user's became another's */
	bool users;	       /* it is below a user's manager: as trustworthy as that user */
	bool lost;	       /* out of memory while it was added */
	size_t processes;      /* in the snapshot that is being identified */
	size_t kept_tasks;     /* of these, the `same` ones which it had before as well */
	size_t tasks_before;   /* how many it had in the snapshot before */
	UT_hash_handle hh;
};

struct registry {
	struct entry *by_id;
	struct entry **slots; /* by number; NULL where free */
	size_t slot_space, first_free;
	struct entry **shown; /* those with tasks in the last snapshot */
	size_t shown_count;
	struct log_directories logs;
	struct bundles *bundles; /* borrowed, or NULL */
	struct cluster *cluster; /* borrowed, or NULL */
	bool bundles_complained;
	uint64_t now_us;
	uint64_t asked_us; /* when an event made it ask the sources */
	uint64_t made;	   /* entries that were ever made */
	uint64_t pods;	   /* of the shown containers, where `pods_counted` */
	bool pods_counted;
	/* Of the snapshot that was identified last, if that was done to its end: what was found of
	 * its tasks still stands. */
	bool identified;
	const struct task *identified_tasks;
	/* The cluster's version that all containers were refreshed by, where `refreshed`. */
	bool refreshed;
	uint64_t refreshed_version;
};

/* The entry of that id, made where there is none. 0, -ENOMEM, -ENOSPC. */
int registry_find(struct registry *registry, const char *id, struct entry **ret);

int registry_add_task(struct entry *entry, struct task *task);

/* naming.c: asks the sources about the shown containers that they have not told of yet. 0 or
 * -ENOMEM. */
int registry_name(struct registry *registry);

/* Gives every task of the snapshot to a container. `previous` may be NULL; `trusted` says that it
 * is the snapshot that was identified before, so that `same` tasks can be spared the look-ups;
 * where it is false none stays `same`. 0 or -ENOMEM. */
int attribute(struct registry *registry, struct snapshot *snapshot, const struct snapshot *previous,
	bool trusted);

/* The entry of a task that an event told of. 0; -ENOENT: it is in no container; -ENOSPC; -ENOMEM.
 */
int attribute_one(struct registry *registry, struct task *task, struct placement *placement,
	const struct namespace_init *init, const struct snapshot *last, struct entry **ret);

#endif
