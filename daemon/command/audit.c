/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wires discover, identify and judge into a pass. Knows no output and keeps nothing but the last
 * snapshot, which the next pass follows.
 */
#include "audit_internal.h"

#include <stdlib.h>
#include <string.h>

uint64_t audit_now_ticks(const struct audit *audit, unsigned ticks_per_second)
{
	/* start times are counted on CLOCK_BOOTTIME (proc(5), starttime) */
	return audit->clock(CLOCK_BOOTTIME) * ticks_per_second / 1000000u;
}

void audit_take_policy(struct audit *audit, const struct policy *policy)
{
	audit->policy = policy;
	audit->terms_number++;
}

static void note_terms(struct audit *audit, uint64_t now_us)
{
	const struct audit_terms now = { .policy = audit->policy,
		.forced = audit->forced,
		.day = policy_day(now_us),
		.report_tolerated = audit->report_tolerated };
	const struct audit_terms *last = &audit->terms;

	if (now.policy != last->policy || now.forced != last->forced || now.day != last->day ||
		now.report_tolerated != last->report_tolerated)
		audit->terms_number++;
	audit->terms = now;
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
	int r;

	note_terms(audit, result->started_us);
	r = audit_judge_all(audit, result);
	if (r < 0) {
		audit_result_done(result);
		return r;
	}
	result->duration_us = audit->clock(CLOCK_MONOTONIC) - result->begin_us;
	*ret = *result;
	return 0;
}

/* The last snapshot gives its room to the one after the next, unless that is far too much: what is
 * given back to the kernel is paid for again when it is touched. */
static void keep_snapshot(struct audit *audit, struct snapshot *snapshot)
{
	free(audit->space.tasks);
	audit->space = (struct task_space){ audit->snapshot.tasks, audit->snapshot.task_space };
	audit->snapshot.tasks = NULL;
	if (audit->space.count / 4 > snapshot->task_count + 1024)
		free(TAKE_PTR(audit->space.tasks));
	snapshot_done(&audit->snapshot);
	audit->snapshot = *snapshot;
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
		.space = &audit->space,
		.cancelled = audit->cancelled,
	};
	struct snapshot snapshot;
	uint64_t taken;
	int r = audit->engine->ops->pass(audit->engine, &options, &snapshot);

	if (r < 0)
		return r;
	taken = audit->clock(CLOCK_MONOTONIC);
	r = registry_identify(audit->registry, &snapshot, &audit->snapshot, begin);
	keep_snapshot(audit, &snapshot);
	audit->snapshot_us = taken;
	if (r < 0)
		return r;
	result.coverage = snapshot.coverage;
	r = audit_find_stages(audit, &result);
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
	free(audit->space.tasks);
	registry_free(audit->registry);
	engine_free(audit->engine);
}
