/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whom each process of a snapshot succeeds in the snapshot before, and which pids are another's, or
 * in another place, than they were then.
 */
#ifndef CAPAUDITD_SUCCESSION_H
#define CAPAUDITD_SUCCESSION_H

#include <capauditd/task.h>

/* Pids share a bit: a few that have not changed are taken for changed, and looked at. */
#define SUCCESSION_BITS 8192u

struct succession {
	const struct snapshot *previous; /* NULL: nobody succeeds anybody */
	size_t position;
	bool any_changed;
	uint64_t changed[SUCCESSION_BITS / 64u];
};

/* The leader's task of that same process in the snapshot before, or NULL. To be asked once of each
 * process, in the order of pids; whoever was passed over is gone, and marked as changed. */
const struct task *succession_find(struct succession *succession, const struct task *leader);
/* After the last one: whoever was not asked for is gone. */
void succession_end(struct succession *succession);

void succession_mark(struct succession *succession, pid_t pid);
bool succession_may_have_changed(const struct succession *succession, pid_t pid);

#endif
