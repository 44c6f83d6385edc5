/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Groups a container's tasks into observations: who holds what its container was not given (drift)
 * and what its profile does not permit (posture). Knows nothing of how tasks are read; severity,
 * hints and the cure are severity.c's.
 */
#include <capauditd/judge.h>

#include "judge_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void judge_subject(
	const struct judge_input *input, const struct task *task, struct policy_subject *ret)
{
	const struct container *container = input->container;

	*ret = (struct policy_subject){
		.namespace_name = container->pod.namespace_name,
		.pod = container->pod.name,
		.owner = container->pod.owner,
		.container = container->name,
		.image = container->image,
		.runtime = container->host ? "host" : container->runtime,
		.container_id = container->id,
		.type = container->type,
		.namespace_labels = input->namespace_labels,
		.namespace_label_count = input->namespace_label_count,
		.pod_labels = input->pod_labels,
		.pod_label_count = input->pod_label_count,
	};
	if (!task)
		return;
	if (task->user_namespace == USER_NAMESPACE_OTHER)
		ret->controls |= CONTROL_USER_NAMESPACE;
	if (!task->controls_known)
		return;
	if (task->seccomp == SECCOMP_FILTER_MODE)
		ret->controls |= CONTROL_SECCOMP;
	if (task->no_new_privs)
		ret->controls |= CONTROL_NO_NEW_PRIVS;
	if (task->confined)
		ret->controls |= CONTROL_LSM;
}

void judge_finding_subject(
	const struct judge_input *input, const struct finding *finding, struct policy_subject *ret)
{
	const struct process *process = &finding->process;

	judge_subject(input, NULL, ret);
	if (process->seccomp == SECCOMP_FILTER_MODE)
		ret->controls |= CONTROL_SECCOMP;
	if (process->no_new_privs)
		ret->controls |= CONTROL_NO_NEW_PRIVS;
	if (process->user_namespace == USER_NAMESPACE_OTHER)
		ret->controls |= CONTROL_USER_NAMESPACE;
	if (process->lsm && strcmp(process->lsm, "unconfined") != 0)
		ret->controls |= CONTROL_LSM;
}

static bool is_only(const struct judge_input *input, pid_t pid)
{
	if (!input->only)
		return true;
	for (size_t i = 0; i < input->only_count; i++)
		if (input->only[i] == pid)
			return true;
	return false;
}

static uint64_t age_seconds(const struct judge_input *input, const struct task *task)
{
	if (input->now_ticks <= task->start_ticks || !input->ticks_per_second)
		return 0;
	return (input->now_ticks - task->start_ticks) / input->ticks_per_second;
}

/* The runtime's own, which holds the host's sets while it sets the container up: whether a task is
 * that has been found out before judging. */
static bool is_starting(const struct judge_input *input, const struct task *task)
{
	return task->runtime_stage && !input->container->host && !input->impatient &&
	       age_seconds(input, task) < JUDGE_STARTING_LIMIT_S;
}

bool judge_starts_before(const struct task *a, const struct task *b)
{
	if (a->start_ticks != b->start_ticks)
		return a->start_ticks < b->start_ticks;
	return a->pid < b->pid;
}

/* Its earliest process that has been set up, or NULL. *ret_starting: whether the very earliest one
 * is still the runtime's: then whatever else runs there are the runtime's hooks. */
static const struct task *find_earliest(const struct judge_input *input, bool *ret_starting)
{
	const struct task *earliest = NULL, *settled = NULL;

	for (size_t i = 0; i < input->task_count; i++) {
		const struct task *task = input->tasks[i];

		if (!task->leader || task->moved)
			continue;
		if (!earliest || judge_starts_before(task, earliest))
			earliest = task;
		if (!is_starting(input, task) && (!settled || judge_starts_before(task, settled)))
			settled = task;
	}
	*ret_starting = earliest && is_starting(input, earliest);
	return settled;
}

static void make_reference(const struct judge_input *input, const struct task *earliest)
{
	struct reference *reference = input->reference;

	reference->known = true;
	reference->granted = 0;
	reference->user_namespace = earliest->user_namespace;
	reference->user_namespace_key = earliest->user_namespace_key;
	reference->pid = earliest->pid;
	reference->start_ticks = earliest->start_ticks;
	for (size_t i = 0; i < input->task_count; i++)
		if (input->tasks[i]->pid == earliest->pid)
			reference->granted |= input->tasks[i]->sets.of[CAPABILITY_BOUNDING];
}

/* An unknown namespace counts as the host's: the worse of the two. */
static enum namespace_relation find_relation(
	const struct reference *reference, const struct task *task, bool *ret_left)
{
	*ret_left = false;
	if (task->user_namespace != USER_NAMESPACE_OTHER) {
		*ret_left = task->user_namespace == USER_NAMESPACE_INITIAL &&
			    reference->user_namespace == USER_NAMESPACE_OTHER;
		return RELATION_INITIAL;
	}
	/* An inode and a hash of uid_map cannot be compared: then it is taken for the container's
	 * own, the worse of the two. */
	if (reference->user_namespace == USER_NAMESPACE_OTHER &&
		(reference->user_namespace_key == task->user_namespace_key ||
			(reference->user_namespace_key ^ task->user_namespace_key) >> 63))
		return RELATION_OWN;
	return RELATION_NESTED;
}

static bool any(const struct capability_sets *sets)
{
	return capability_sets_all(sets) != 0;
}

/* Tells what is outside the profile, or the reference, by what excuses it: what nothing excuses is
 * a violation; what an exception takes away is told with its reason, beside it; what the profile
 * tolerates is told where nothing else is. */
static int excuse_and_observe(struct judgement *j, const struct policy_decision *decision,
	const struct task *task, const struct excess *whole)
{
	const struct policy *policy = j->input->policy;
	const bool moved = whole->hints & (1u << HINT_MOVED);
	struct excess rest = *whole, excepted = *whole, tolerated = *whole;
	struct policy_decision told = *decision;
	capability_mask outside = capability_sets_all(&whole->sets), covered, tolerate;
	const struct policy_exception *expired;
	struct policy_subject subject;
	int r = 0;

	judge_subject(j->input, task, &subject);
	covered =
		policy_except(policy, &subject, whole->class, outside, j->day, &excepted.exception);
	tolerate = whole->class == CLASS_POSTURE
			   ? judge_tolerated(decision->profile, &j->input->container->declared)
			   : 0;
	rest.sets = capability_sets_minus(&whole->sets, covered | tolerate);
	excepted.sets = capability_sets_and(&whole->sets, covered & ~tolerate);
	tolerated.sets = capability_sets_and(&whole->sets, tolerate);
	rest.verdict = VERDICT_VIOLATION;
	excepted.verdict = VERDICT_EXCEPTED;
	tolerated.verdict = VERDICT_TOLERATED;
	if (any(&rest.sets) || (moved && !covered)) {
		capability_mask left = capability_sets_all(&rest.sets);

		if (policy_except(policy, &subject, whole->class, left, 0, &expired))
			rest.hints |= 1u << HINT_EXCEPTION_EXPIRED;
		told.unmet |= policy_except_unmet(policy, &subject, whole->class, left, j->day);
		r = judge_observe(j, &told, task, &rest);
	} else if (!any(&excepted.sets) && any(&tolerated.sets)) {
		r = judge_observe(j, decision, task, &tolerated);
	}
	if (r == 0 && any(&excepted.sets))
		r = judge_observe(j, decision, task, &excepted);
	return r;
}

static int judge_task(struct judgement *j, const struct task *task)
{
	const struct container *container = j->input->container;
	const struct reference *reference = j->input->reference;
	struct policy_decision decision = j->decision;
	struct capability_sets sets = task->sets;
	bool left = false, has_drift;
	struct excess drift = { .class = CLASS_DRIFT }, posture = { .class = CLASS_POSTURE };
	int r;

	/* Nobody can configure a sandbox's bounding set: only what it can use now counts. */
	if (container->type == CONTAINER_SANDBOX) {
		sets = (struct capability_sets){ 0 };
		sets.of[CAPABILITY_EFFECTIVE] = task->sets.of[CAPABILITY_EFFECTIVE];
		sets.of[CAPABILITY_PERMITTED] = task->sets.of[CAPABILITY_PERMITTED];
	}
	if (j->decide_each) {
		struct policy_subject subject;

		judge_subject(j->input, task, &subject);
		decision = policy_decide(
			j->input->policy, &subject, j->input->forced, j->input->label);
		/* The container is shown with its earliest process's. */
		if (task->pid == reference->pid && task->leader) {
			j->assessment->profile = decision.profile;
			j->assessment->profile_source = decision.source;
		}
	}
	posture.relation = find_relation(reference, task, &left);
	if (posture.relation != RELATION_NESTED) {
		j->level_mask |= capability_sets_all(&sets);
		j->assessment->held |=
			task->sets.of[CAPABILITY_EFFECTIVE] | task->sets.of[CAPABILITY_PERMITTED];
		j->assessment->bounding |= task->sets.of[CAPABILITY_BOUNDING];
	}
	if (task->sets_differ)
		drift.hints |= 1u << HINT_SETS_DIFFER;
	if (task->tid != task->pid)
		drift.hints |= 1u << HINT_NOT_LEADER;
	posture.hints = drift.hints;

	if (container->host) {
		has_drift = false;
	} else if (posture.relation == RELATION_NESTED) {
		has_drift = task->moved;
	} else {
		drift.sets = left ? sets : capability_sets_minus(&sets, reference->granted);
		has_drift = any(&drift.sets) || task->moved;
	}
	if (has_drift) {
		drift.relation = posture.relation;
		if (task->moved)
			drift.hints |= 1u << HINT_MOVED;
		if (left)
			drift.hints |= 1u << HINT_LEFT_USER_NAMESPACE;
		r = excuse_and_observe(j, &decision, task, &drift);
		if (r < 0)
			return r;
	}
	if (left)
		return 0;
	posture.sets = container->host || posture.relation == RELATION_NESTED
			       ? sets
			       : capability_sets_and(&sets, reference->granted);
	posture.sets = capability_sets_minus(&posture.sets, decision.profile->allow);
	if (!any(&posture.sets))
		return 0;
	if (posture.relation == RELATION_NESTED)
		posture.hints |= 1u << HINT_NESTED_USER_NAMESPACE;
	return excuse_and_observe(j, &decision, task, &posture);
}

static bool is_untouched_default(capability_mask granted)
{
	return judge_runtime_default(granted) ||
	       (granted & JUDGE_COMMON_DEFAULT) == JUDGE_COMMON_DEFAULT;
}

/* `drop: ["ALL"]` and what is declared to be added give no more than what is declared. */
static bool should_drop_all(const struct judge_input *input)
{
	const struct declaration *declared = &input->container->declared;
	capability_mask granted = input->reference->granted;

	if (!declared->known)
		return is_untouched_default(granted);
	return declared->privileged || (granted & ~judge_declared(declared)) != 0;
}

static int judge_settled(struct judgement *j)
{
	const struct judge_input *input = j->input;
	pid_t last = 0;
	int r;

	for (size_t i = 0; i < input->task_count; i++) {
		const struct task *task = input->tasks[i];

		if (is_starting(input, task)) {
			j->assessment->excused++;
			continue;
		}
		if (!is_only(input, task->pid))
			continue;
		if (task->pid != last) {
			j->assessment->processes++;
			last = task->pid;
		}
		r = judge_task(j, task);
		if (r < 0)
			return r;
	}
	return judge_join_parts(j);
}

int judge_container(const struct judge_input *input, struct assessment *assessment,
	struct observation **ret, size_t *ret_count)
{
	struct judgement j = { .input = input, .assessment = assessment };
	const struct task *earliest;
	const struct profile *baseline;
	bool starting;
	int r;

	*assessment = (struct assessment){ 0 };
	*ret = NULL;
	*ret_count = 0;
	j.day = policy_day(input->now_us);
	j.decide_each = policy_needs_controls(input->policy);
	judge_subject(input, NULL, &j.subject);
	j.decision = policy_decide(input->policy, &j.subject, input->forced, input->label);
	assessment->profile = j.decision.profile;
	assessment->profile_source = j.decision.source;

	earliest = find_earliest(input, &starting);
	if (input->container->opaque)
		return 0;
	if (!input->reference->known) {
		if (starting || !earliest) {
			assessment->starting = true;
			return 0;
		}
		make_reference(input, earliest);
	} else if (input->reference->user_namespace == USER_NAMESPACE_UNKNOWN && earliest &&
		   earliest->pid == input->reference->pid &&
		   earliest->start_ticks == input->reference->start_ticks) {
		input->reference->user_namespace = earliest->user_namespace;
		input->reference->user_namespace_key = earliest->user_namespace_key;
	}
	if (input->container->granted_known)
		input->reference->granted = input->container->granted;
	r = judge_settled(&j);
	if (r < 0) {
		observations_free(j.observations, j.count);
		return r;
	}
	baseline = policy_profile(input->policy, "baseline");
	assessment->level = judge_level(j.level_mask,
		baseline ? judge_tolerated(baseline, &input->container->declared) : 0);
	assessment->advice_drop_all = !input->container->host &&
				      input->container->type != CONTAINER_SANDBOX &&
				      should_drop_all(input);
	*ret = j.observations;
	*ret_count = j.count;
	return 0;
}
