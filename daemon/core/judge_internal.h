/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What judge.c and severity.c share.
 */
#ifndef CAPAUDITD_JUDGE_INTERNAL_H
#define CAPAUDITD_JUDGE_INTERNAL_H

#include <capauditd/judge.h>

/* Hints that make a finding another finding. */
#define JUDGE_KEY_HINTS ((1u << HINT_MOVED) | (1u << HINT_LEFT_USER_NAMESPACE))

/* What the default sets of containerd, Docker, Podman and CRI-O have in common: CHOWN DAC_OVERRIDE
 * FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE. A bounding set that has all of it was
 * not made by `drop: ["ALL"]`. */
#define JUDGE_COMMON_DEFAULT UINT64_C(0x5fb)

/* What the policy is asked with; `task` adds the controls in force, and may be NULL. */
void judge_subject(
	const struct container *container, const struct task *task, struct policy_subject *ret);

#endif
