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
	const struct judge_input *input, const struct task *task, struct policy_subject *ret);

/* What the manifest is known to add: everything where it says ALL or privileged. */
capability_mask judge_declared(const struct declaration *declared);

/* What one task has too much of, and how it is to be seen. */
struct excess {
	enum violation_class class;
	enum namespace_relation relation;
	enum verdict verdict;
	struct capability_sets sets;
	const struct policy_exception *exception;
	unsigned hints;
};

struct judgement {
	const struct judge_input *input;
	struct assessment *assessment;
	struct policy_subject subject;
	uint64_t day;
	struct policy_decision decision; /* where it does not depend on the task */
	bool decide_each;		 /* the policy requires controls, which differ by task */
	struct observation *observations;
	size_t count, space;
	capability_mask level_mask;
};

/* judge_observe.c: adds the task to the observation that has this excess, or makes one. 0 or
 * -ENOMEM. */
int judge_observe(struct judgement *j, const struct policy_decision *decision,
	const struct task *task, const struct excess *excess);
/* A process that has a part of what another has too much of joins that one's finding. 0 or -ENOMEM.
 */
int judge_join_parts(struct judgement *j);
bool judge_starts_before(const struct task *a, const struct task *b);

/* cure.c: fills finding.remedy. 0 or -ENOMEM. */
int judge_cure(const struct judge_input *input, const struct observation *observation,
	struct finding *finding);

#endif
