/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two steps of a pass that are more than a call: audit_stages.c and audit_judge.c, for audit.c
 * alone.
 */
#ifndef CAPAUDITD_AUDIT_INTERNAL_H
#define CAPAUDITD_AUDIT_INTERNAL_H

#include "audit.h"

/* Now, in the unit of start times. */
uint64_t audit_now_ticks(const struct audit *audit, unsigned ticks_per_second);

/* Marks the tasks of the last snapshot that are the runtime's own, and their containers. 0 or
 * -ENOMEM. */
int audit_find_stages(struct audit *audit, struct audit_result *result);

/* Judges the registry's containers, and hands each over. 0 or -errno. */
int audit_judge_all(struct audit *audit, struct audit_result *result);

/* Finds out, once, whether a container is opaque: by a process that came into it from outside and
 * runs its program. */
void audit_look_into(struct known_container *known, const struct process *process);

/* Fills what is the same for all containers that are judged. */
void audit_judge_input(const struct audit *audit, uint64_t realtime_us, struct judge_input *input);

/* What programs of that container need not be told of. False: all are. */
bool audit_find_permit(const struct judge_input *input, struct permit *ret);

/* Is whoever is in that place in one container? Where the path names none, several PID namespaces
 * can share it: what one of them is permitted says nothing of the others. */
bool audit_is_one_container(const struct cgroup_identity *identity);

#endif
