/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wires discover, identify and judge into a pass. Knows no output and keeps nothing but the last
 * snapshot, which the next pass follows.
 */
#include "audit.h"

#include <capauditd/pod_security.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t clock_us(int clock_id)
{
	struct timespec now;

	(void)clock_gettime(clock_id, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static uint64_t now_ticks(const struct audit *audit, unsigned ticks_per_second)
{
	/* start times are counted on CLOCK_BOOTTIME (proc(5), starttime) */
	return audit->clock(CLOCK_BOOTTIME) * ticks_per_second / 1000000u;
}

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
	if (audit->engine->ops->describe(audit->engine, first, &process) < 0)
		return;
	known->container.opaque = is_opaque_program(&process);
	process_done(&process);
}

/* A runtime enters the container's cgroup with the host's capabilities, in two kinds of stage: some
 * have not exec'd since they were forked and will become the container's program; one, runc's, has
 * been exec'd and ends after milliseconds. Both came from outside. Neither fact is proof: a process
 * that was exec'd into a container can fork with CLONE_PARENT. So the executable is looked at where
 * it can be read, and patience has an end (is_impatient()). */
#define YOUNG_S	  1u /* what is told by nothing else has to be so old */
#define RUNTIME_S 5u /* so long a runtime's exec'd stage may take */

static bool is_candidate(const struct task *task, uint64_t age_s)
{
	return task->leader && task->outside_parent && (task->forked || age_s < RUNTIME_S);
}

/* 1 or 0; -ESRCH where it is gone: nothing will be said of it; -ENOMEM. */
static int is_stage(
	struct audit *audit, const struct task *task, uint64_t age_s, uint64_t *unsettled)
{
	struct process process;
	bool stage, young = age_s < YOUNG_S;
	int r = audit->engine->ops->describe(audit->engine, task, &process);

	if (r < 0)
		return r == -ENOMEM ? r : -ESRCH;
	if (process.exe && process.exe_is_runtime)
		stage = true;
	else if (process.exe)
		stage = task->forked && young; /* a runtime that has no row */
	else
		/* runc's names for its stages, which anybody may take: good for the patience that
		 * an exec'd stage gets, on a node that is slow. */
		stage = task->forked || young || strncmp(process.comm, "runc:[", 6) == 0;
	*unsettled += stage && young && !(process.exe && process.exe_is_runtime);
	process_done(&process);
	return stage;
}

/* Whoever holds what another of its container holds, of whom it is known that it is no stage, need
 * not be asked: nothing would be said of it that is not said of that one. */
#define SETTLED_MAX 256u

struct settled {
	unsigned container; /* plus one; 0: nobody yet */
	struct capability_sets sets;
};

/* A process whose threads differ is none of these: what they hold is not looked at here. */
static bool is_settled(const struct settled *settled, const struct snapshot *s, size_t i)
{
	const struct task *task = &s->tasks[i];

	if (i + 1 < s->task_count && s->tasks[i + 1].pid == task->pid)
		return false;
	return settled->container == task->container + 1 &&
	       capability_sets_equal(&settled->sets, &task->sets);
}

static int find_stages(struct audit *audit, struct audit_result *result)
{
	struct snapshot *s = &audit->snapshot;
	unsigned per_second = (unsigned)sysconf(_SC_CLK_TCK);
	uint64_t now = now_ticks(audit, per_second);
	struct settled settled[SETTLED_MAX] = { { 0 } };

	for (size_t i = 0; i < s->task_count; i++) {
		struct task *task = &s->tasks[i];
		uint64_t age_s =
			now > task->start_ticks ? (now - task->start_ticks) / per_second : 0;
		struct settled *memory = &settled[task->container % SETTLED_MAX];
		int r;

		if (!is_candidate(task, age_s))
			continue;
		if (is_settled(memory, s, i))
			continue;
		r = is_stage(audit, task, age_s, &result->unsettled);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			continue;
		if (r == 0)
			*memory = (struct settled){ task->container + 1, task->sets };
		for (size_t k = i; r && k < s->task_count && s->tasks[k].pid == task->pid; k++)
			s->tasks[k].runtime_stage = true;
	}
	return 0;
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
	for (size_t i = 0; i < known->task_count; i++)
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

/* After a pass has judged it: is somebody still passed over who should not be for long? */
static void count_patience(struct known_container *known, struct audit_result *result)
{
	if (!known->reference.known)
		return;
	if (!has_stage_with_excess(known)) {
		known->excused_passes = 0;
		return;
	}
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

static int judge_one(struct audit *audit, const struct judge_input *shared,
	struct known_container *known, struct audit_result *result)
{
	struct audited audited = { .known = known };
	struct judge_input input = *shared;
	uint64_t vanished;
	int r;

	if (!known->looked_into && !known->container.host)
		look_into(audit, known);
	audit_input(audit, known, &input);
	audited.news = has_news(known, &input);
	if (result->again && !audited.news)
		return 0;
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
	r = settle(audit, &input, &audited, &result->coverage, &vanished);
	if (r < 0 || is_gone(&audited, vanished)) {
		observations_free(audited.observations, audited.observation_count);
		return r;
	}
	known->judged_version = known->version;
	known->judged_api = input.api;
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

#define CONTAINERS_PER_QUESTION 64u /* between two questions whether to go on */

static int judge_all(struct audit *audit, struct audit_result *result)
{
	size_t count = registry_count(audit->registry);
	struct judge_input input = {
		.ticks_per_second = (unsigned)sysconf(_SC_CLK_TCK),
		.now_us = result->started_us,
		.only = audit->only,
		.only_count = audit->only_count,
		.violations_alone = !audit->report_tolerated,
	};
	int r = 0;

	input.now_ticks = now_ticks(audit, input.ticks_per_second);
	if (!audit->take) {
		result->containers = calloc(count + 1, sizeof(*result->containers));
		if (!result->containers)
			return -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct known_container *known = registry_at(audit->registry, i);

		if (i % CONTAINERS_PER_QUESTION == 0 && audit->cancelled && audit->cancelled())
			r = -ECANCELED;
		else if ((!audit->wanted || audit->wanted(audit->wanted_data, known)) &&
			 has_only(audit, known))
			r = judge_one(audit, &input, known, result);
	}
	return r;
}

struct cgroup_base audit_base(const struct audit *audit)
{
	struct cgroup_base base = { .prefixes = audit->bases, .own = audit->own_cgroup };

	while (base.prefixes && base.prefixes[base.count])
		base.count++;
	return base;
}

/* Judges all, and hands the result over. 0 or -errno, and then nothing of it is left. */
static int judge_into(struct audit *audit, struct audit_result *result, struct audit_result *ret)
{
	int r = judge_all(audit, result);

	if (r < 0) {
		audit_result_done(result);
		return r;
	}
	result->duration_us = audit->clock(CLOCK_MONOTONIC) - result->begin_us;
	*ret = *result;
	return 0;
}

int audit_pass(struct audit *audit, struct audit_result *ret)
{
	uint64_t begin = audit->clock(CLOCK_MONOTONIC);
	struct audit_result result = { .started_us = audit->clock(CLOCK_REALTIME),
		.begin_us = begin };
	const struct cgroup_base base = audit_base(audit);
	const struct pass_options options = {
		.include_host = audit->include_host,
		.controls = policy_needs_controls(audit->policy),
		.base = &base,
		.previous = &audit->snapshot,
		.cancelled = audit->cancelled,
	};
	struct snapshot snapshot;
	int r = audit->engine->ops->pass(audit->engine, &options, &snapshot);

	if (r < 0)
		return r;
	r = registry_identify(audit->registry, &snapshot, &audit->snapshot, begin);
	snapshot_done(&audit->snapshot);
	audit->snapshot = snapshot;
	if (r < 0)
		return r;
	result.coverage = snapshot.coverage;
	r = find_stages(audit, &result);
	return r < 0 ? r : judge_into(audit, &result, ret);
}

int audit_again(struct audit *audit, struct audit_result *ret)
{
	struct audit_result result = { .begin_us = audit->clock(CLOCK_MONOTONIC),
		.started_us = audit->clock(CLOCK_REALTIME),
		.again = true,
		.coverage = audit->snapshot.coverage };
	int r = registry_refresh(audit->registry);

	return r < 0 ? r : judge_into(audit, &result, ret);
}

void audit_result_done(struct audit_result *result)
{
	for (size_t i = 0; i < result->container_count; i++)
		observations_free(result->containers[i].observations,
			result->containers[i].observation_count);
	free(result->containers);
	*result = (struct audit_result){ 0 };
}

void audit_done(struct audit *audit)
{
	snapshot_done(&audit->snapshot);
	registry_free(audit->registry);
	engine_free(audit->engine);
}
