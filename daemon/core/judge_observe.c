/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Collects what the tasks of a container have too much of into observations: who shares one, who
 * stands for it, and how many there may be. Whether something is too much is judge.c's.
 */
#include "judge_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
		size_t space = j->space ? j->space * 2 : 1;

		o = reallocarray(j->observations, space, sizeof(*o));
		if (!o)
			return -ENOMEM;
		j->observations = o;
		j->space = space;
	}
	o = &j->observations[j->count];
	*o = (struct observation){
		.allow = decision->profile->allow |
			 (decision->profile->tolerate & ~decision->profile->tolerate_undeclared),
		.granted = j->input->reference->granted,
	};
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
	return judge_starts_before(b, a);
}

int judge_observe(struct judgement *j, const struct policy_decision *decision,
	const struct task *task, const struct excess *excess)
{
	struct observation *o;
	int r;

	if (excess->verdict != VERDICT_VIOLATION && j->input->violations_alone) {
		if (excess->verdict > j->assessment->verdict)
			j->assessment->verdict = excess->verdict;
		return 0;
	}
	o = find_observation(j, excess);
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
int judge_join_parts(struct judgement *j)
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

void observations_free(struct observation *observations, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		finding_done(&observations[i].finding);
		free(observations[i].members);
	}
	free(observations);
}
