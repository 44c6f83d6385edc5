/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Judges one container after the other, and spares those of which nothing could be said that was
 * not said before. Knows no output, and not where tasks come from.
 */
#include "audit_internal.h"

#include <capauditd/pod_security.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Processes that run a whole machine of their own: what happens in there is invisible from here. */
static const struct {
	const char *name;
	bool on_host; /* it runs in the host's mount namespace, where no pod does */
} opaque_programs[] = {
	{ "runsc", false },
	{ "qemu-system", true },
	{ "cloud-hypervisor", true },
	{ "firecracker", true },
};

static bool is_opaque_program(const struct process *process)
{
	const char *base = process->exe ? strrchr(process->exe, '/') : NULL;

	if (!base || !process->exe_on_host)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(opaque_programs); i++)
		if (strncmp(base + 1, opaque_programs[i].name, strlen(opaque_programs[i].name)) ==
			0)
			return !opaque_programs[i].on_host ||
			       process->host_namespaces & HOST_NAMESPACE_MNT;
	return false;
}

/* Only a process that came from outside and runs the host's own program can be the container's
 * machine: a workload cannot claim to be one. */
static void look_into(struct audit *audit, struct known_container *known)
{
	const struct task *first = NULL;
	struct process process;

	for (size_t i = 0; i < known->task_count; i++) {
		const struct task *task = known->tasks[i];

		if (task->leader && task->outside_parent &&
			(!first || task->start_ticks < first->start_ticks))
			first = task;
	}
	if (!first || first->forked)
		return;
	known->looked_into = true;
	known->settled = false;
	if (audit->engine->ops->describe(audit->engine, first, &process) < 0)
		return;
	known->container.opaque = is_opaque_program(&process);
	process_done(&process);
}

void audit_look_into(struct known_container *known, const struct process *process)
{
	if (known->looked_into)
		return;
	known->looked_into = true;
	known->container.opaque = is_opaque_program(process);
}

static const struct task *find_task(const struct known_container *known, const struct member *m)
{
	for (size_t i = 0; i < known->task_count; i++)
		if (known->tasks[i]->pid == m->pid &&
			known->tasks[i]->start_ticks == m->start_ticks)
			return known->tasks[i];
	return NULL;
}

static int describe(struct audit *audit, const struct task *task, struct observation *o)
{
	struct process process;
	int r = audit->engine->ops->describe(audit->engine, task, &process);

	if (r < 0)
		return r;
	if (!policy_run(audit->policy)->full_cmdline)
		process_forget_arguments(&process);
	process_done(&o->finding.process);
	o->finding.process = process;
	return 0;
}

/* Where the process that stands for an observation has ended meanwhile, another of its members
 * does; where none is left, what was read is thrown away. 1: described; 0: nobody is left; -ENOMEM.
 */
#define SUBSTITUTES_MAX 16u

static int describe_one(struct audit *audit, const struct known_container *known,
	struct observation *o, struct coverage *coverage)
{
	int r = describe(audit, o->task, o);

	for (size_t i = 0; r < 0 && r != -ENOMEM && i < o->member_count && i < SUBSTITUTES_MAX;
		i++) {
		const struct task *task = find_task(known, &o->members[i]);

		if (task && task->pid != o->task->pid)
			r = describe(audit, task, o);
	}
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		coverage->vanished += o->member_count;
		return 0;
	}
	if (!o->finding.process.exe)
		coverage->unknown_executables++;
	return 1;
}

static void drop_observation(struct audited *audited, size_t i)
{
	struct observation *o = &audited->observations[i];

	finding_done(&o->finding);
	free(o->members);
	memmove(o, o + 1, (audited->observation_count - i - 1) * sizeof(*o));
	audited->observation_count--;
}

/* *ret_vanished: how many processes ended before they could be told about. */
static int settle(struct audit *audit, const struct judge_input *input, struct audited *audited,
	struct coverage *coverage, uint64_t *ret_vanished)
{
	*ret_vanished = 0;
	for (size_t i = 0; i < audited->observation_count;) {
		struct observation *o = &audited->observations[i];
		int r = describe_one(audit, audited->known, o, coverage);

		if (r < 0)
			return r;
		if (r == 0) {
			/* Drift and posture are of the same processes. */
			if (o->member_count > *ret_vanished)
				*ret_vanished = o->member_count;
			drop_observation(audited, i);
			continue;
		}
		r = judge_settle(input, o, &audited->assessment);
		if (r < 0)
			return r;
		i++;
	}
	return 0;
}

/* Does one of its tasks that look like the runtime's hold what it was not given? */
static bool has_stage_with_excess(const struct known_container *known)
{
	for (size_t i = 0; known->stages && i < known->task_count; i++)
		if (known->tasks[i]->runtime_stage &&
			capability_sets_all(&known->tasks[i]->sets) & ~known->reference.granted)
			return true;
	return false;
}

/* A runtime's stages last for milliseconds. Where each of several passes within seconds finds one,
 * or a container has not begun for minutes, somebody hides in them. */
#define PATIENCE_US	3000000u
#define PATIENCE_PASSES 3u

static bool is_impatient(const struct known_container *known, uint64_t now_us)
{
	if (!known->reference.known)
		return now_us - known->first_seen_us >= JUDGE_STARTING_LIMIT_S * UINT64_C(1000000);
	return known->excused_passes >= PATIENCE_PASSES &&
	       now_us - known->excused_since_us >= PATIENCE_US;
}

/* After a pass has judged it: is somebody still passed over who should not be for long? One pass
 * may miss them: who goes from fork to fork can be between two of them. */
static void count_patience(struct known_container *known, struct audit_result *result)
{
	if (!known->reference.known)
		return;
	if (!has_stage_with_excess(known)) {
		known->excused_missed = known->excused_passes && !known->excused_missed;
		if (known->excused_missed)
			result->suspects++;
		else
			known->excused_passes = 0;
		return;
	}
	known->excused_missed = false;
	if (!known->excused_passes)
		known->excused_since_us = result->begin_us;
	if (is_impatient(known, result->begin_us))
		return;
	known->excused_passes++;
	result->suspects++;
}

static enum api_state find_api_state(
	const struct audit *audit, const struct known_container *known, uint64_t now_us)
{
	if (!audit->cluster || !known->container.in_pod)
		return API_NOT_ASKED;
	if (known->pod_record && known->namespace_record)
		return API_KNOWS;
	/* What is left out may be this one. */
	if (!cluster_knows_pods(audit->cluster) || !cluster_knows_namespaces(audit->cluster) ||
		(!known->pod_record && cluster_lacks_pods(audit->cluster)) ||
		(!known->namespace_record && cluster_lacks_namespaces(audit->cluster)) ||
		now_us - known->first_seen_us < AUDIT_API_GRACE_US)
		return API_PENDING;
	return API_KNOWS_NOT;
}

void audit_input(
	const struct audit *audit, struct known_container *known, struct judge_input *input)
{
	input->policy = audit->policy;
	input->forced = audit->forced;
	input->container = &known->container;
	input->reference = &known->reference;
	input->api = find_api_state(audit, known, audit->clock(CLOCK_MONOTONIC));
	input->label = NULL;
	if (known->pod_record) {
		input->pod_labels = known->pod_record->labels;
		input->pod_label_count = known->pod_record->label_count;
	}
	if (known->namespace_record) {
		input->namespace_labels = known->namespace_record->labels;
		input->namespace_label_count = known->namespace_record->label_count;
		input->label = pod_security_profile(
			audit->policy, input->namespace_labels, input->namespace_label_count);
	}
}

/* Is there anything that a verdict or a name could be another by than when it was judged last? */
static bool has_news(const struct known_container *known, const struct judge_input *input)
{
	return known->version != known->judged_version || input->api != known->judged_api;
}

/* Nothing was said of it that the same tasks could give cause to say otherwise a moment later:
 * nothing is observed that a ledger counts or that may vanish before it is described, nobody is
 * passed over, and what its drift is measured against is settled. */
static bool is_settled(const struct audit *audit, const struct known_container *known,
	const struct audited *audited)
{
	return !audit->only && known->reference.known && !known->stages && !known->excused_passes &&
	       !audited->observation_count;
}

static void note_judged(const struct audit *audit, struct known_container *known,
	const struct audited *audited, enum api_state api, bool settled)
{
	known->judged_version = known->version;
	known->judged_api = api;
	known->settled = settled;
	known->settled_by = audit->terms_number;
	known->assessment = audited->assessment;
}

/* Would it be judged as it was? registry_identify() has seen to its tasks. */
static bool stands(const struct audit *audit, const struct known_container *known,
	const struct audit_result *result)
{
	return known->settled && known->settled_by == audit->terms_number && !known->stages &&
	       !audit->only && known->version == known->judged_version &&
	       known->judged_api == find_api_state(audit, known, result->begin_us);
}

/* Nothing is left of it, and nothing can be said of it: least of all that it complied. */
static bool is_gone(const struct audited *audited, uint64_t vanished)
{
	return vanished && vanished >= audited->assessment.processes && !audited->observation_count;
}

/* Hands it to whoever takes it, or to the result. */
static void hand_over(struct audit *audit, struct audited *audited, struct audit_result *result)
{
	if (result->containers) {
		result->containers[result->container_count++] = *audited;
		return;
	}
	audit->take(audit->take_data, result, audited);
	observations_free(audited->observations, audited->observation_count);
}

bool audit_find_permit(const struct judge_input *input, struct permit *ret)
{
	ret->user_namespace = input->reference->user_namespace_key;
	return !(ret->user_namespace >> 63) && ret->user_namespace &&
	       judge_permit(input, &ret->permitted);
}

bool audit_is_one_container(const struct cgroup_identity *identity)
{
	return identity->kind == CGROUP_CONTAINER && identity->container_id[0] &&
	       !identity->ambiguous;
}

/* Tells the engine, for each of its placements, what it need not tell of; where that is not known
 * (any more), all is. */
static void permit(struct audit *audit, const struct known_container *known)
{
	const struct snapshot *s = &audit->snapshot;
	unsigned last = UINT_MAX;

	for (size_t i = 0; i < known->task_count; i++) {
		if (known->tasks[i]->placement == last || known->tasks[i]->moved)
			continue;
		last = known->tasks[i]->placement;
		if (audit_is_one_container(&s->placements[last].identity))
			engine_permit(
				audit->engine, last, known->permit_known ? &known->permit : NULL);
	}
}

static void note_permit(
	struct audit *audit, struct known_container *known, const struct judge_input *input)
{
	known->permit_known = audit_find_permit(input, &known->permit);
	permit(audit, known);
}

static int judge_one(struct audit *audit, const struct judge_input *shared,
	struct known_container *known, struct audit_result *result)
{
	struct audited audited = { .known = known };
	struct judge_input input = *shared;
	uint64_t vanished;
	bool settled;
	int r;

	if (!known->looked_into && !known->container.host)
		look_into(audit, known);
	if (!result->again && stands(audit, known, result)) {
		audited.assessment = known->assessment;
		permit(audit, known);
		result->coverage.opaque += known->container.opaque;
		hand_over(audit, &audited, result);
		return 0;
	}
	audit_input(audit, known, &input);
	audited.news = has_news(known, &input);
	if (result->again && !audited.news)
		return 0;
	known->settled = false;
	input.tasks = known->tasks;
	input.task_count = known->task_count;
	input.impatient = is_impatient(known, result->begin_us);
	r = judge_container(
		&input, &audited.assessment, &audited.observations, &audited.observation_count);
	if (r < 0)
		return r;
	if (!result->again)
		count_patience(known, result);
	result->coverage.opaque += known->container.opaque;
	result->coverage.starting += audited.assessment.starting || audited.assessment.excused;
	settled = is_settled(audit, known, &audited);
	r = settle(audit, &input, &audited, &result->coverage, &vanished);
	result->missed += vanished > 0;
	if (r < 0 || is_gone(&audited, vanished)) {
		observations_free(audited.observations, audited.observation_count);
		return r;
	}
	note_judged(audit, known, &audited, input.api, settled);
	note_permit(audit, known, &input);
	hand_over(audit, &audited, result);
	return 0;
}

static bool has_only(const struct audit *audit, const struct known_container *known)
{
	if (!audit->only)
		return true;
	for (size_t i = 0; i < known->task_count; i++)
		for (size_t k = 0; k < audit->only_count; k++)
			if (known->tasks[i]->pid == audit->only[k])
				return true;
	return false;
}

void audit_judge_input(const struct audit *audit, uint64_t realtime_us, struct judge_input *input)
{
	*input = (struct judge_input){
		.ticks_per_second = (unsigned)sysconf(_SC_CLK_TCK),
		.now_us = realtime_us,
		.only = audit->only,
		.only_count = audit->only_count,
		.violations_alone = !audit->report_tolerated,
	};
	input->now_ticks = audit_now_ticks(audit, input->ticks_per_second);
}

#define QUESTION_US 100000u /* between two questions whether to go on */

/* By the clock: who is asked tells the service manager that the daemon lives, whose socket holds
 * few such messages. */
static bool is_cancelled(const struct audit *audit, uint64_t *asked_us)
{
	uint64_t now;

	if (!audit->cancelled)
		return false;
	now = audit->clock(CLOCK_MONOTONIC);
	if (*asked_us && now - *asked_us < QUESTION_US)
		return false;
	*asked_us = now;
	return audit->cancelled();
}

int audit_judge_all(struct audit *audit, struct audit_result *result)
{
	size_t count = registry_count(audit->registry);
	struct judge_input input;
	uint64_t asked_us = 0;
	int r = 0;

	audit_judge_input(audit, result->started_us, &input);
	if (!audit->take) {
		result->containers = calloc(count + 1, sizeof(*result->containers));
		if (!result->containers)
			return -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct known_container *known = registry_at(audit->registry, i);

		if (is_cancelled(audit, &asked_us))
			r = -ECANCELED;
		else if ((!audit->wanted || audit->wanted(audit->wanted_data, known)) &&
			 has_only(audit, known))
			r = judge_one(audit, &input, known, result);
	}
	return r;
}
