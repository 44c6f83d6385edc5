/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a process of a container may hold without anything being said of it: the question that an
 * engine asks for each program that begins, answered once for all of them.
 */
#include <capauditd/judge.h>

#include "judge_internal.h"

/* Would anything be said of a process that holds all that its container was given? */
static bool is_silent(const struct judge_input *input)
{
	const struct reference *reference = input->reference;
	struct reference unchanged = *reference;
	struct task task = {
		.pid = 1,
		.tid = 1,
		.leader = true,
		.start_ticks = input->now_ticks,
		.user_namespace = reference->user_namespace,
		.user_namespace_key = reference->user_namespace_key,
	};
	const struct task *tasks[] = { &task };
	struct judge_input asked = *input;
	struct observation *observations;
	struct assessment assessment;
	size_t count;

	for (unsigned i = 0; i < CAPABILITY_SETS; i++)
		task.sets.of[i] = reference->granted;
	asked.reference = &unchanged;
	asked.tasks = tasks;
	asked.task_count = 1;
	asked.only = NULL;
	if (judge_container(&asked, &assessment, &observations, &count) < 0)
		return false;
	observations_free(observations, count);
	return count == 0;
}

bool judge_permit(const struct judge_input *input, capability_mask *ret)
{
	const struct container *container = input->container;
	const struct reference *reference = input->reference;
	struct policy_subject subject;
	struct policy_decision decision;
	capability_mask permitted;

	if (!reference->known || reference->user_namespace == USER_NAMESPACE_UNKNOWN ||
		container->host || container->opaque || container->unattributed)
		return false;
	/* Controls are the process's own. */
	if (policy_needs_controls(input->policy))
		return false;
	judge_subject(input, NULL, &subject);
	decision = policy_decide(input->policy, &subject, input->forced, input->label);
	permitted = decision.profile->allow;
	if (input->violations_alone)
		permitted |= judge_tolerated(decision.profile, &container->declared);
	permitted &= reference->granted;
	*ret = permitted != reference->granted && is_silent(input) ? reference->granted : permitted;
	return true;
}
