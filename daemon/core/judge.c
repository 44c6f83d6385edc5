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

void judge_subject(
	const struct container *container, const struct task *task, struct policy_subject *ret)
{
	*ret = (struct policy_subject){
		.namespace_name = container->pod.namespace_name,
		.pod = container->pod.name,
		.owner = container->pod.owner,
		.container = container->name,
		.image = container->image,
		.runtime = container->host ? "host" : container->runtime,
		.container_id = container->id,
		.type = container->type,
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

static bool starts_before(const struct task *a, const struct task *b)
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
		if (!earliest || starts_before(task, earliest))
			earliest = task;
		if (!is_starting(input, task) && (!settled || starts_before(task, settled)))
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

static struct observation *find_observation(struct judgement *j, const struct excess *excess)
{
	for (size_t i = 0; i < j->count; i++) {
		struct finding *f = &j->observations[i].finding;

		if (f->class == excess->class && f->relation == excess->relation &&
			f->verdict == excess->verdict &&
			((f->hints ^ excess->hints) & JUDGE_KEY_HINTS) == 0 &&
			(excess->relation == RELATION_NESTED ||
				capability_sets_equal(&f->excess, &excess->sets)))
			return &j->observations[i];
	}
	return NULL;
}

/* A container can give each of its processes masks of its own. Past this many observations they
 * are told together, with the union of what they have too much of. */
#define OBSERVATIONS_MAX 64u

static struct observation *find_crowd(struct judgement *j, const struct excess *excess)
{
	for (size_t i = j->count; i > 0; i--) {
		struct finding *f = &j->observations[i - 1].finding;

		if (f->class == excess->class && f->relation == excess->relation &&
			f->verdict == excess->verdict &&
			((f->hints ^ excess->hints) & JUDGE_KEY_HINTS) == 0)
			return &j->observations[i - 1];
	}
	return NULL;
}

static struct capability_sets union_of(
	const struct capability_sets *a, const struct capability_sets *b)
{
	struct capability_sets both;

	for (unsigned i = 0; i < CAPABILITY_SETS; i++)
		both.of[i] = a->of[i] | b->of[i];
	return both;
}

/* Tasks come ordered by pid, so that a process is the last member or none. */
static int add_member(struct observation *observation, const struct task *task)
{
	size_t count = observation->member_count;
	struct member *members = observation->members;

	if (count && members[count - 1].pid == task->pid)
		return 0;
	if ((count & (count - 1)) == 0) { /* full at every power of two */
		members = reallocarray(members, count ? count * 2 : 1, sizeof(*members));
		if (!members)
			return -ENOMEM;
		observation->members = members;
	}
	members[count] = (struct member){ .pid = task->pid, .start_ticks = task->start_ticks };
	observation->member_count++;
	return 0;
}

static void stand_for(struct observation *observation, const struct task *task)
{
	struct process *process = &observation->finding.process;

	observation->task = task;
	process->pid = task->pid;
	process->tid = task->tid;
	process->ppid = task->ppid;
	process->start_ticks = task->start_ticks;
	process->sets = task->sets;
	process->user_namespace = task->user_namespace;
}

static int new_observation(struct judgement *j, const struct policy_decision *decision,
	const struct excess *excess, struct observation **ret)
{
	_cleanup_free_ char *profile = strdup(decision->profile->name);
	_cleanup_free_ char *reason = NULL, *expires = NULL;
	struct observation *o;

	if (!profile)
		return -ENOMEM;
	if (excess->exception) {
		reason = strdup(excess->exception->reason);
		if (excess->exception->expires)
			expires = strdup(excess->exception->expires);
		if (!reason || (excess->exception->expires && !expires))
			return -ENOMEM;
	}
	if (j->count == j->space) {
		size_t space = j->space ? j->space * 2 : 4;

		o = reallocarray(j->observations, space, sizeof(*o));
		if (!o)
			return -ENOMEM;
		j->observations = o;
		j->space = space;
	}
	o = &j->observations[j->count];
	*o = (struct observation){ .allow = decision->profile->allow,
		.granted = j->input->reference->granted };
	if (container_copy(j->input->container, &o->finding.container) < 0)
		return -ENOMEM;
	o->finding.class = excess->class;
	o->finding.relation = excess->relation;
	o->finding.verdict = excess->verdict;
	o->finding.excess = excess->sets;
	o->finding.hints = excess->hints;
	o->finding.profile = TAKE_PTR(profile);
	o->finding.profile_source = decision->source;
	o->finding.unmet = decision->unmet;
	o->finding.exception.reason = TAKE_PTR(reason);
	o->finding.exception.expires = TAKE_PTR(expires);
	j->count++;
	*ret = o;
	return 0;
}

/* Of processes with the same excess the most privileged stands for all, and the latest among
 * equals; where the excess is in the bounding set alone, one that may gain it through exec goes
 * before those that may not. */
static bool stands_before(const struct task *a, const struct task *b, bool bounding_only)
{
	if (bounding_only && a->no_new_privs != b->no_new_privs)
		return b->no_new_privs;
	if (!capability_sets_equal(&a->sets, &b->sets)) {
		if (capability_sets_within(&b->sets, &a->sets))
			return true;
		if (capability_sets_within(&a->sets, &b->sets))
			return false;
	}
	return starts_before(b, a);
}

static int observe(struct judgement *j, const struct policy_decision *decision,
	const struct task *task, const struct excess *excess)
{
	struct observation *o = find_observation(j, excess);
	int r;

	if (!o && j->count >= OBSERVATIONS_MAX) {
		o = find_crowd(j, excess);
		if (o)
			o->finding.excess = union_of(&o->finding.excess, &excess->sets);
	}
	if (!o) {
		r = new_observation(j, decision, excess, &o);
		if (r < 0)
			return r;
		stand_for(o, task);
	} else if (excess->relation == RELATION_NESTED) {
		/* One for all of them: the one that holds most stands for the rest. */
		if (!capability_sets_within(&excess->sets, &o->finding.excess) &&
			capability_sets_within(&o->finding.excess, &excess->sets)) {
			o->finding.excess = excess->sets;
			stand_for(o, task);
		}
	} else if (stands_before(task, o->task, !capability_sets_held(&o->finding.excess))) {
		stand_for(o, task);
	}
	if (task->runtime_stage)
		o->still_runtime = true;
	if (!task->controls_known || !task->no_new_privs)
		o->may_gain = true;
	return add_member(o, task);
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

	judge_subject(j->input->container, task, &subject);
	covered =
		policy_except(policy, &subject, whole->class, outside, j->day, &excepted.exception);
	tolerate = whole->class == CLASS_POSTURE ? decision->profile->tolerate : 0;
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
		r = observe(j, &told, task, &rest);
	} else if (!any(&excepted.sets) && any(&tolerated.sets)) {
		r = observe(j, decision, task, &tolerated);
	}
	if (r == 0 && any(&excepted.sets))
		r = observe(j, decision, task, &excepted);
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

		judge_subject(container, task, &subject);
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

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->start_ticks > y->start_ticks) - (x->start_ticks < y->start_ticks);
}

/* Moves the members of `part` into `whole`: both are ordered, and a process may be in both. */
static int join_members(struct observation *whole, struct observation *part)
{
	size_t total = whole->member_count + part->member_count, kept = 0;
	struct member *all;

	all = calloc(total ? total : 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	memcpy(all, whole->members, whole->member_count * sizeof(*all));
	memcpy(all + whole->member_count, part->members, part->member_count * sizeof(*all));
	qsort(all, total, sizeof(*all), compare_members);
	for (size_t i = 0; i < total; i++)
		if (!kept || compare_members(&all[kept - 1], &all[i]) != 0)
			all[kept++] = all[i];
	/* add_member() is not called any more: the power-of-two rule may be broken now. */
	whole->may_gain |= part->may_gain;
	whole->still_runtime |= part->still_runtime;
	free(whole->members);
	whole->members = all;
	whole->member_count = kept;
	return 0;
}

static bool is_part_of(const struct finding *part, const struct finding *whole)
{
	return part->class == whole->class && part->relation == whole->relation &&
	       part->verdict == whole->verdict &&
	       ((part->hints ^ whole->hints) & JUDGE_KEY_HINTS) == 0 &&
	       capability_sets_within(&part->excess, &whole->excess);
}

/* A process that has a part of what another has too much of joins that one's finding. */
static int join_parts(struct judgement *j)
{
	for (size_t i = 0; i < j->count;) {
		struct observation *part = &j->observations[i];
		size_t whole;
		int r;

		for (whole = 0; whole < j->count; whole++)
			if (whole != i &&
				is_part_of(&part->finding, &j->observations[whole].finding))
				break;
		if (whole == j->count) {
			i++;
			continue;
		}
		r = join_members(&j->observations[whole], part);
		if (r < 0)
			return r;
		finding_done(&part->finding);
		free(part->members);
		memmove(part, part + 1, (j->count - i - 1) * sizeof(*part));
		j->count--;
	}
	return 0;
}

static bool is_untouched_default(capability_mask granted)
{
	return judge_runtime_default(granted) ||
	       (granted & JUDGE_COMMON_DEFAULT) == JUDGE_COMMON_DEFAULT;
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
	return join_parts(j);
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
	judge_subject(input->container, NULL, &j.subject);
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
	r = judge_settled(&j);
	if (r < 0) {
		observations_free(j.observations, j.count);
		return r;
	}
	baseline = policy_profile(input->policy, "baseline");
	assessment->level = judge_level(j.level_mask, baseline ? baseline->tolerate : 0);
	assessment->advice_drop_all = !input->container->host &&
				      input->container->type != CONTAINER_SANDBOX &&
				      is_untouched_default(input->reference->granted);
	*ret = j.observations;
	*ret_count = j.count;
	return 0;
}

void observations_free(struct observation *observations, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		finding_done(&observations[i].finding);
		free(observations[i].members);
	}
	free(observations);
}
