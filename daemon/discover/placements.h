/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The distinct texts of /proc/PID/cgroup in a snapshot: each is kept and parsed once, since all
 * processes of a container mostly have the same.
 */
#ifndef CAPAUDITD_PLACEMENTS_H
#define CAPAUDITD_PLACEMENTS_H

#include <capauditd/task.h>

struct placement_entry;

/* Zeroed at first; needed only while a snapshot is filled. */
struct placements {
	struct placement_entry *by_text;
	unsigned last; /* neighbours mostly share one */
	size_t bytes;  /* of all texts */
};

/* The number of the snapshot's placement with that text, made where there is none. `known` is one
 * of another snapshot that was made under the same base, or NULL: where its text is the same, it is
 * not parsed again. 0; -ENOSPC where there are too many; -ENOMEM. */
int placements_find(struct placements *placements, struct snapshot *snapshot,
	const struct cgroup_base *base, const struct placement *known, const char *text,
	size_t length, unsigned *ret);
void placements_done(struct placements *placements);

#endif
