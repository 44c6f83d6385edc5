/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How bad an observation is, what a reader should know of it, and its cure. The second half of
 * judging: it needs what was read of the process that stands for the observation.
 */
#include <capauditd/judge.h>

#include "judge_internal.h"

#include <errno.h>
#include <string.h>

enum danger { DANGER_WITHIN_BASELINE, DANGER_OUTSIDE_BASELINE, DANGER_TAKEOVER, DANGERS };

/* docs/architecture.md, "Two classes of violation": by reach, then by the worst capability of the
 * excess. */
enum severity_row { ROW_HELD, ROW_BOUNDING, ROW_BOUNDING_NO_NEW_PRIVS, ROWS };

static const enum severity severities[ROWS][DANGERS] = {
	[ROW_HELD] = { SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL },
	[ROW_BOUNDING] = { SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH },
	[ROW_BOUNDING_NO_NEW_PRIVS] = { SEVERITY_LOW, SEVERITY_LOW, SEVERITY_MEDIUM },
};

/* What runtimes grant when nothing is said; their sources: containerd's oci/spec.go and Docker's
 * oci/caps/defaults.go; CRI-O's config.go; Podman's containers.conf. */
static const struct {
	capability_mask granted;
	const char *runtimes;
} runtime_defaults[] = {
	{ UINT64_C(0xa80425fb), "containerd and Docker" },
	{ UINT64_C(0x5fb), "CRI-O" },
	{ UINT64_C(0x800405fb), "Podman" },
};

const char *judge_runtime_default(capability_mask granted)
{
	for (size_t i = 0; i < ARRAY_SIZE(runtime_defaults); i++)
		if (runtime_defaults[i].granted == granted)
			return runtime_defaults[i].runtimes;
	return NULL;
}

enum level judge_level(capability_mask held, capability_mask tolerated)
{
	if ((held & ~PROFILE_RESTRICTED_ALLOW) == 0)
		return LEVEL_RESTRICTED;
	if ((held & ~(PROFILE_BASELINE_ALLOW | tolerated)) == 0)
		return LEVEL_BASELINE;
	return LEVEL_PRIVILEGED;
}

static enum danger find_danger(capability_mask excess, const struct process *process)
{
	capability_mask takeover = capability_takeover();

	if (process->host_namespaces & HOST_NAMESPACE_PID)
		takeover |= CAPABILITY_BIT(CAPABILITY_SYS_PTRACE);
	if (process->host_namespaces & HOST_NAMESPACE_NET)
		takeover |= CAPABILITY_BIT(CAPABILITY_NET_ADMIN);
	if (excess & takeover)
		return DANGER_TAKEOVER;
	if (excess & ~PROFILE_BASELINE_ALLOW)
		return DANGER_OUTSIDE_BASELINE;
	return DANGER_WITHIN_BASELINE;
}

static enum severity worse(enum severity a, enum severity b)
{
	return a > b ? a : b;
}

static enum severity find_severity(const struct finding *f, bool may_gain)
{
	capability_mask held = capability_sets_held(&f->excess);
	capability_mask bounding = f->excess.of[CAPABILITY_BOUNDING];
	enum severity severity = SEVERITY_LOW;

	if (f->relation == RELATION_NESTED && f->class == CLASS_POSTURE)
		return SEVERITY_LOW;
	if (held)
		severity = severities[ROW_HELD][find_danger(held, &f->process)];
	if (bounding) {
		enum severity_row row = may_gain ? ROW_BOUNDING : ROW_BOUNDING_NO_NEW_PRIVS;

		severity = worse(severity, severities[row][find_danger(bounding, &f->process)]);
	}
	/* Leaving one's container is an attack or its aftermath, whatever is held. */
	if (f->hints & (1u << HINT_MOVED))
		severity = worse(severity, SEVERITY_MEDIUM);
	if (f->class == CLASS_POSTURE && f->profile_source != PROFILE_FROM_NAMESPACE_LABEL &&
		severity > SEVERITY_LOW)
		severity--;
	if (f->relation == RELATION_OWN && severity > SEVERITY_MEDIUM)
		severity = SEVERITY_MEDIUM;
	return severity;
}

static enum reach find_reach(const struct capability_sets *excess)
{
	if (excess->of[CAPABILITY_EFFECTIVE])
		return REACH_EFFECTIVE;
	if (capability_sets_held(excess))
		return REACH_PERMITTED;
	return excess->of[CAPABILITY_BOUNDING] ? REACH_BOUNDING : REACH_NONE;
}

static bool has_narrower(capability_mask excess)
{
	for (unsigned n = 0; n < CAPABILITY_MAX; n++) {
		const struct capability_info *info = capability_info(n);

		if (info && (excess & CAPABILITY_BIT(n)) && (info->narrower || info->instead))
			return true;
	}
	return false;
}

static bool expires_soon(const struct judge_input *input, const struct finding *f)
{
	uint64_t today = policy_day(input->now_us);

	for (size_t i = 0; i < policy_exception_count(input->policy); i++) {
		const struct policy_exception *e = policy_exception_at(input->policy, i);

		if (e->expires && f->exception.expires &&
			strcmp(e->expires, f->exception.expires) == 0 &&
			strcmp(e->reason, f->exception.reason) == 0)
			return e->expires_day >= today &&
			       e->expires_day - today <= POLICY_EXPIRY_WARNING_DAYS;
	}
	return false;
}

static void add_hints(
	const struct judge_input *input, const struct observation *o, struct finding *f)
{
	capability_mask all = capability_sets_all(&f->excess);
	const struct {
		bool applies;
		enum hint hint;
	} rows[] = {
		{ all & CAPABILITY_BIT(CAPABILITY_SYS_ADMIN), HINT_APE_HAS_NO_EFFECT },
		{ has_narrower(all), HINT_NARROWER },
		{ f->class == CLASS_POSTURE && judge_runtime_default(o->granted),
			HINT_RUNTIME_DEFAULT },
		{ f->unmet != 0, HINT_REQUIRE_UNMET },
		{ o->still_runtime, HINT_STILL_RUNTIME },
		{ f->exception.expires && expires_soon(input, f), HINT_EXCEPTION_EXPIRES },
		{ f->container.unattributed, HINT_UNATTRIBUTED },
		{ (f->container.declared.prefixed & ~o->granted) != 0, HINT_CAP_PREFIX },
		{ f->container.declared.unknown, HINT_UNKNOWN_NAME },
		{ f->provisional, HINT_PENDING },
		{ input->api == API_KNOWS_NOT, HINT_NOT_IN_API },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].applies)
			f->hints |= 1u << rows[i].hint;
	/* The thread that stands for it may not be the one that was seen first. */
	if (f->process.tid == f->process.pid)
		f->hints &= ~(1u << HINT_NOT_LEADER);
	else
		f->hints |= 1u << HINT_NOT_LEADER;
}

capability_mask judge_declared(const struct declaration *declared)
{
	if (!declared->known)
		return 0;
	return declared->add_all || declared->privileged ? ~UINT64_C(0) : declared->add;
}

capability_mask judge_tolerated(const struct profile *profile, const struct declaration *declared)
{
	return profile->tolerate & ~(profile->tolerate_undeclared & judge_declared(declared));
}

/* What every untouched default set may hold: the largest is that of containerd and Docker. */
#define DEFAULT_SETS (PROFILE_BASELINE_ALLOW | CAPABILITY_BIT(CAPABILITY_NET_RAW))

/* Where one capability that is too much came from. */
static enum origin find_origin(const struct finding *f, capability_mask bit)
{
	const struct declaration *declared = &f->container.declared;

	if (f->class == CLASS_DRIFT)
		return ORIGIN_EXEC;
	if (!declared->known)
		return ORIGIN_UNKNOWN;
	if (declared->privileged)
		return ORIGIN_PRIVILEGED;
	if (declared->add_all || (declared->add & bit))
		return ORIGIN_DECLARED;
	return !declared->drop_all && !(declared->drop & bit) && (DEFAULT_SETS & bit)
		       ? ORIGIN_RUNTIME_DEFAULT
		       : ORIGIN_UNKNOWN;
}

static void find_origins(struct finding *f)
{
	for (unsigned n = 0; n < CAPABILITY_MAX; n++)
		f->origin[n] = (uint8_t)find_origin(f, CAPABILITY_BIT(n));
}

static bool is_worse(const struct finding *f, const struct assessment *a)
{
	if (f->verdict != a->verdict)
		return f->verdict > a->verdict;
	if (f->verdict != VERDICT_VIOLATION)
		return false;
	if (f->severity != a->severity)
		return f->severity > a->severity;
	return f->class == CLASS_DRIFT && a->class != CLASS_DRIFT;
}

int judge_settle(const struct judge_input *input, struct observation *observation,
	struct assessment *assessment)
{
	struct finding *f = &observation->finding;

	f->count = observation->member_count;
	f->time_us = f->first_seen_us = f->last_seen_us = input->now_us;
	f->state = FINDING_OBSERVED;
	f->reach = find_reach(&f->excess);
	f->severity = f->verdict == VERDICT_VIOLATION ? find_severity(f, observation->may_gain)
						      : SEVERITY_NONE;
	f->provisional = input->api == API_PENDING && f->class == CLASS_POSTURE &&
			 f->profile_source != PROFILE_FROM_COMMAND_LINE;
	find_origins(f);
	add_hints(input, observation, f);
	if (judge_cure(input, observation, f) < 0)
		return -ENOMEM;
	finding_identify(f);
	if (f->process.exe && finding_add_executable(f, f->process.exe) < 0)
		return -ENOMEM;
	if (is_worse(f, assessment)) {
		assessment->verdict = f->verdict;
		assessment->class = f->class;
		assessment->severity = f->severity;
	}
	return 0;
}
