/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verdicts on made-up tasks: each row is a container whose tasks are written down, and what must be
 * said of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/judge.h>

#include <string.h>

#define DEFAULT_SET UINT64_C(0xa80425fb)
#define NET_RAW	    CAPABILITY_BIT(CAPABILITY_NET_RAW)
#define SYS_ADMIN   CAPABILITY_BIT(CAPABILITY_SYS_ADMIN)
#define SYS_TIME    CAPABILITY_BIT(CAPABILITY_SYS_TIME)
#define CHOWN	    CAPABILITY_BIT(CAPABILITY_CHOWN)
#define NET_BIND    CAPABILITY_BIT(CAPABILITY_NET_BIND_SERVICE)
#define SYS_PTRACE  CAPABILITY_BIT(CAPABILITY_SYS_PTRACE)
#define NET_ADMIN   CAPABILITY_BIT(CAPABILITY_NET_ADMIN)
#define EVERYTHING  UINT64_C(0x1fffeffffff)
#define TASKS_MAX   8
#define TICKS	    100u
#define NOW_TICKS   100000u
#define INITIAL	    1u /* key of the host's user namespace */

/* One task: everything that is not written is 0. */
/* What a row does not mention is 0, on purpose. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct made {
	pid_t pid, tid;
	uint64_t start; /* default: pid */
	capability_mask held, bounding;
	uint64_t namespace_key; /* 0: the host's */
	bool forked, inside_parent, moved, no_new_privs, seccomp;
};

struct scene {
	struct task tasks[TASKS_MAX];
	const struct task *pointers[TASKS_MAX];
	struct container container;
	struct policy *policy;
	struct judge_input input;
	struct reference reference;
	struct assessment assessment;
	struct observation *observations;
	size_t count;
};

static char container_id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void set_scene(struct scene *s, const char *profile, const struct made *made, size_t count)
{
	memset(s, 0, sizeof(*s));
	s->policy = policy_new_default();
	assert_non_null(s->policy);
	s->container.id = container_id;
	s->container.runtime = "containerd";
	for (size_t i = 0; i < count; i++) {
		const struct made *m = &made[i];
		struct task *t = &s->tasks[i];

		t->pid = m->pid;
		t->tid = m->tid ? m->tid : m->pid;
		t->start_ticks = m->start ? m->start : (uint64_t)m->pid;
		t->sets.of[CAPABILITY_EFFECTIVE] = m->held;
		t->sets.of[CAPABILITY_PERMITTED] = m->held;
		t->sets.of[CAPABILITY_BOUNDING] = m->bounding;
		t->user_namespace =
			m->namespace_key ? USER_NAMESPACE_OTHER : USER_NAMESPACE_INITIAL;
		t->user_namespace_key = m->namespace_key ? m->namespace_key : INITIAL;
		t->leader = i == 0 || made[i - 1].pid != m->pid;
		t->forked = m->forked;
		t->outside_parent = !m->inside_parent;
		t->runtime_stage = m->forked && !m->inside_parent; /* as the caller finds out */
		t->moved = m->moved;
		t->controls_known = true;
		t->no_new_privs = m->no_new_privs;
		t->seccomp = m->seccomp ? SECCOMP_FILTER_MODE : SECCOMP_DISABLED_MODE;
		s->pointers[i] = t;
	}
	s->input = (struct judge_input){
		.policy = s->policy,
		.forced = profile ? policy_profile(s->policy, profile) : NULL,
		.container = &s->container,
		.tasks = s->pointers,
		.task_count = count,
		.reference = &s->reference,
		.now_us = UINT64_C(1790000000000000),
		.now_ticks = NOW_TICKS,
		.ticks_per_second = TICKS,
	};
}

static void judge(struct scene *s)
{
	assert_int_equal(
		judge_container(&s->input, &s->assessment, &s->observations, &s->count), 0);
	for (size_t i = 0; i < s->count; i++) {
		struct observation *o = &s->observations[i];

		o->finding.process.no_new_privs = o->task->no_new_privs;
		assert_int_equal(judge_settle(&s->input, o, &s->assessment), 0);
	}
}

static void clear_scene(struct scene *s)
{
	observations_free(s->observations, s->count);
	policy_free(s->policy);
}

static const struct finding *find(const struct scene *s, enum violation_class class)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->observations[i].finding.class == class)
			return &s->observations[i].finding;
	return NULL;
}

struct row {
	const char *what;
	const char *profile;
	struct made made[TASKS_MAX];
	size_t count;
	enum verdict verdict;
	enum violation_class class;
	enum severity severity;
	enum level level;
	size_t observations;
};

static const struct row rows[] = {
	{ "the default set under baseline is tolerated for NET_RAW", "baseline",
		{ { 1, .held = DEFAULT_SET, .bounding = DEFAULT_SET } }, 1, VERDICT_TOLERATED, 0,
		SEVERITY_NONE, LEVEL_BASELINE, 1 },
	{ "the default set under baseline-strict is a violation outside baseline, one step lower",
		"baseline-strict", { { 1, .held = DEFAULT_SET, .bounding = DEFAULT_SET } }, 1,
		VERDICT_VIOLATION, CLASS_POSTURE, SEVERITY_MEDIUM, LEVEL_BASELINE, 1 },
	{ "the default set under restricted is outside baseline for NET_RAW", "restricted",
		{ { 1, .held = DEFAULT_SET, .bounding = DEFAULT_SET } }, 1, VERDICT_VIOLATION,
		CLASS_POSTURE, SEVERITY_MEDIUM, LEVEL_BASELINE, 1 },
	{ "nothing at all complies with restricted", "restricted", { { 1 } }, 1, VERDICT_COMPLIANT,
		0, SEVERITY_NONE, LEVEL_RESTRICTED, 0 },
	{ "NET_BIND_SERVICE complies with restricted", "restricted",
		{ { 1, .held = NET_BIND, .bounding = NET_BIND } }, 1, VERDICT_COMPLIANT, 0,
		SEVERITY_NONE, LEVEL_RESTRICTED, 0 },
	{ "SYS_ADMIN held is a takeover, as posture one step lower than critical", "baseline",
		{ { 1, .held = SYS_ADMIN, .bounding = SYS_ADMIN } }, 1, VERDICT_VIOLATION,
		CLASS_POSTURE, SEVERITY_HIGH, LEVEL_PRIVILEGED, 1 },
	{ "SYS_TIME held is outside baseline", "baseline",
		{ { 1, .held = SYS_TIME, .bounding = SYS_TIME } }, 1, VERDICT_VIOLATION,
		CLASS_POSTURE, SEVERITY_MEDIUM, LEVEL_PRIVILEGED, 1 },
	{ "CHOWN held is within baseline", "restricted",
		{ { 1, .held = CHOWN, .bounding = CHOWN } }, 1, VERDICT_VIOLATION, CLASS_POSTURE,
		SEVERITY_LOW, LEVEL_BASELINE, 1 },
	{ "SYS_ADMIN in the bounding set alone", "baseline", { { 1, .bounding = SYS_ADMIN } }, 1,
		VERDICT_VIOLATION, CLASS_POSTURE, SEVERITY_MEDIUM, LEVEL_PRIVILEGED, 1 },
	{ "SYS_ADMIN in the bounding set alone, out of reach by no_new_privs", "baseline",
		{ { 1, .bounding = SYS_ADMIN, .no_new_privs = true } }, 1, VERDICT_VIOLATION,
		CLASS_POSTURE, SEVERITY_LOW, LEVEL_PRIVILEGED, 1 },
	{ "of two with the same bounding excess the one that may gain stands for both", "baseline",
		{ { 1, .bounding = SYS_ADMIN, .no_new_privs = true },
			{ 2, .bounding = SYS_ADMIN } },
		2, VERDICT_VIOLATION, CLASS_POSTURE, SEVERITY_MEDIUM, LEVEL_PRIVILEGED, 1 },
	{ "everything complies with privileged", "privileged",
		{ { 1, .held = EVERYTHING, .bounding = EVERYTHING } }, 1, VERDICT_COMPLIANT, 0,
		SEVERITY_NONE, LEVEL_PRIVILEGED, 0 },
	{ "what the container was not given is drift under privileged too", "privileged",
		{ { 1, .held = DEFAULT_SET, .bounding = DEFAULT_SET },
			{ 2, .held = EVERYTHING, .bounding = EVERYTHING } },
		2, VERDICT_VIOLATION, CLASS_DRIFT, SEVERITY_CRITICAL, LEVEL_PRIVILEGED, 1 },
	{ "drift within what the profile permits is drift", "baseline",
		{ { 1 }, { 2, .held = CHOWN, .bounding = CHOWN } }, 2, VERDICT_VIOLATION,
		CLASS_DRIFT, SEVERITY_MEDIUM, LEVEL_BASELINE, 1 },
	{ "the reference is the earliest process and not the lowest pid", "baseline",
		{ { 10, .start = 500, .held = SYS_ADMIN, .bounding = SYS_ADMIN },
			{ 20, .start = 100 } },
		2, VERDICT_VIOLATION, CLASS_DRIFT, SEVERITY_CRITICAL, LEVEL_PRIVILEGED, 1 },
	{ "a thread that kept more than its leader is found", "baseline",
		{ { 1, .bounding = SYS_ADMIN },
			{ 1, .tid = 7, .held = SYS_ADMIN, .bounding = SYS_ADMIN } },
		2, VERDICT_VIOLATION, CLASS_POSTURE, SEVERITY_HIGH, LEVEL_PRIVILEGED, 1 },
	{ "a container that is being set up has no verdict", "restricted",
		{ { 1, .start = NOW_TICKS - 10, .held = EVERYTHING, .bounding = EVERYTHING,
			.forked = true } },
		1, VERDICT_COMPLIANT, 0, SEVERITY_NONE, LEVEL_UNKNOWN, 0 },
	{ "a hook of a container that is being set up has none either", "restricted",
		{ { 1, .start = NOW_TICKS - 10, .held = EVERYTHING, .bounding = EVERYTHING,
			  .forked = true },
			{ 2, .start = NOW_TICKS - 5, .held = EVERYTHING, .bounding = EVERYTHING,
				.inside_parent = true } },
		2, VERDICT_COMPLIANT, 0, SEVERITY_NONE, LEVEL_UNKNOWN, 0 },
	{ "who enters a running container is not judged before its program runs", "restricted",
		{ { 1, .start = 5 }, { 2, .start = NOW_TICKS - 1, .held = EVERYTHING,
					     .bounding = EVERYTHING, .forked = true } },
		2, VERDICT_COMPLIANT, 0, SEVERITY_NONE, LEVEL_RESTRICTED, 0 },
	{ "a child that was forked inside is no runtime's stage", "privileged",
		{ { 1, .start = 5 },
			{ 2, .start = NOW_TICKS - 1, .held = SYS_ADMIN, .bounding = SYS_ADMIN,
				.forked = true, .inside_parent = true } },
		2, VERDICT_VIOLATION, CLASS_DRIFT, SEVERITY_CRITICAL, LEVEL_PRIVILEGED, 1 },
	{ "what is still the runtime's after five minutes is judged", "restricted",
		{ { 1, .start = NOW_TICKS - (JUDGE_STARTING_LIMIT_S + 1) * TICKS, .held = SYS_ADMIN,
			.bounding = SYS_ADMIN, .forked = true } },
		1, VERDICT_VIOLATION, CLASS_POSTURE, SEVERITY_HIGH, LEVEL_PRIVILEGED, 1 },
	{ "a user namespace made inside is low and no drift, and does not lower the level",
		"baseline",
		{ { 1 }, { 2, .held = EVERYTHING, .bounding = EVERYTHING, .namespace_key = 9 } }, 2,
		VERDICT_VIOLATION, CLASS_POSTURE, SEVERITY_LOW, LEVEL_RESTRICTED, 1 },
	{ "many namespaces made inside are one finding", "baseline",
		{ { 1 }, { 2, .held = SYS_TIME, .bounding = EVERYTHING, .namespace_key = 9 },
			{ 3, .held = EVERYTHING, .bounding = EVERYTHING, .namespace_key = 8 } },
		3, VERDICT_VIOLATION, CLASS_POSTURE, SEVERITY_LOW, LEVEL_RESTRICTED, 1 },
	{ "a container in a user namespace of its own is at most medium", "baseline",
		{ { 1, .held = EVERYTHING, .bounding = EVERYTHING, .namespace_key = 9 } }, 1,
		VERDICT_VIOLATION, CLASS_POSTURE, SEVERITY_MEDIUM, LEVEL_PRIVILEGED, 1 },
	{ "drift in a container with its own user namespace is at most medium", "baseline",
		{ { 1, .namespace_key = 9 },
			{ 2, .held = SYS_ADMIN, .bounding = SYS_ADMIN, .namespace_key = 9 } },
		2, VERDICT_VIOLATION, CLASS_DRIFT, SEVERITY_MEDIUM, LEVEL_PRIVILEGED, 1 },
	{ "who enters the host's user namespace from a container's own drifts", "privileged",
		{ { 1, .held = EVERYTHING, .bounding = EVERYTHING, .namespace_key = 9 },
			{ 2, .held = SYS_ADMIN, .bounding = SYS_ADMIN } },
		2, VERDICT_VIOLATION, CLASS_DRIFT, SEVERITY_CRITICAL, LEVEL_PRIVILEGED, 1 },
	{ "a process that moved drifts though it holds nothing", "privileged",
		{ { 1 }, { 2, .moved = true } }, 2, VERDICT_VIOLATION, CLASS_DRIFT, SEVERITY_MEDIUM,
		LEVEL_RESTRICTED, 1 },
	{ "a part of what another has too much of joins that one", "restricted",
		{ { 1, .held = DEFAULT_SET, .bounding = DEFAULT_SET },
			{ 2, .held = 0, .bounding = DEFAULT_SET } },
		2, VERDICT_VIOLATION, CLASS_POSTURE, SEVERITY_MEDIUM, LEVEL_BASELINE, 1 },
};

static void every_row_gets_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct scene s;

		print_message("         - %s\n", row->what);
		set_scene(&s, row->profile, row->made, row->count);
		judge(&s);
		assert_int_equal(s.count, row->observations);
		assert_int_equal(s.assessment.verdict, row->verdict);
		assert_int_equal(s.assessment.level, row->level);
		if (row->verdict == VERDICT_VIOLATION) {
			assert_int_equal(s.assessment.class, row->class);
			assert_int_equal(s.assessment.severity, row->severity);
		}
		clear_scene(&s);
	}
}

static void only_what_a_sandbox_can_use_counts(void **state)
{
	const struct made made[] = { { 1, .bounding = DEFAULT_SET, .no_new_privs = true } };
	struct scene s;

	(void)state;
	set_scene(&s, "restricted", made, 1);
	s.container.type = CONTAINER_SANDBOX;
	judge(&s);
	assert_int_equal(s.count, 0);
	assert_int_equal(s.assessment.level, LEVEL_RESTRICTED);
	assert_false(s.assessment.advice_drop_all);
	clear_scene(&s);
}

static void a_sandbox_that_holds_something_is_a_violation(void **state)
{
	const struct made made[] = { { 1, .held = CHOWN, .bounding = DEFAULT_SET } };
	struct scene s;

	(void)state;
	set_scene(&s, "restricted", made, 1);
	s.container.type = CONTAINER_SANDBOX;
	judge(&s);
	assert_int_equal(s.assessment.verdict, VERDICT_VIOLATION);
	assert_int_equal(s.observations[0].finding.excess.of[CAPABILITY_BOUNDING], 0);
	clear_scene(&s);
}

static void drift_and_posture_are_told_apart_in_one_process(void **state)
{
	const struct made made[] = { { 1, .held = DEFAULT_SET, .bounding = DEFAULT_SET },
		{ 2, .held = EVERYTHING, .bounding = EVERYTHING } };
	const struct finding *drift, *posture;
	struct scene s;

	(void)state;
	set_scene(&s, "baseline", made, 2);
	judge(&s);
	assert_int_equal(s.count, 2);
	drift = find(&s, CLASS_DRIFT);
	posture = find(&s, CLASS_POSTURE);
	assert_int_equal(drift->excess.of[CAPABILITY_EFFECTIVE], EVERYTHING & ~DEFAULT_SET);
	assert_int_equal(drift->process.pid, 2);
	assert_int_equal(drift->origin[CAPABILITY_SYS_ADMIN], ORIGIN_EXEC);
	assert_int_equal(posture->excess.of[CAPABILITY_EFFECTIVE], NET_RAW);
	assert_int_equal(posture->verdict, VERDICT_TOLERATED);
	assert_int_equal(posture->count, 2);
	clear_scene(&s);
}

static void a_thread_is_named_by_its_tid(void **state)
{
	const struct made made[] = { { 4 },
		{ 4, .tid = 6, .held = SYS_ADMIN, .bounding = SYS_ADMIN } };
	struct scene s;

	(void)state;
	set_scene(&s, "baseline", made, 2);
	judge(&s);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.observations[0].finding.process.pid, 4);
	assert_int_equal(s.observations[0].finding.process.tid, 6);
	assert_true(s.observations[0].finding.hints & (1u << HINT_NOT_LEADER));
	assert_int_equal(s.observations[0].finding.count, 1);
	clear_scene(&s);
}

static void a_namespaces_own_label_takes_the_lowering_away(void **state)
{
	const struct made made[] = { { 1, .held = SYS_ADMIN, .bounding = SYS_ADMIN } };
	struct scene s;

	(void)state;
	set_scene(&s, NULL, made, 1);
	s.input.label = policy_profile(s.policy, "restricted");
	judge(&s);
	assert_int_equal(s.assessment.profile_source, PROFILE_FROM_NAMESPACE_LABEL);
	assert_int_equal(s.assessment.severity, SEVERITY_CRITICAL);
	clear_scene(&s);
}

/* The process's host namespaces decide whether these two take over the host. */
static void ptrace_and_net_admin_take_over_only_in_the_hosts_namespaces(void **state)
{
	static const struct {
		capability_mask held;
		unsigned host_namespaces;
		enum severity severity;
	} cases[] = {
		{ SYS_PTRACE, 0, SEVERITY_MEDIUM },
		{ SYS_PTRACE, HOST_NAMESPACE_NET, SEVERITY_MEDIUM },
		{ SYS_PTRACE, HOST_NAMESPACE_PID, SEVERITY_HIGH },
		{ NET_ADMIN, 0, SEVERITY_MEDIUM },
		{ NET_ADMIN, HOST_NAMESPACE_PID, SEVERITY_MEDIUM },
		{ NET_ADMIN, HOST_NAMESPACE_NET, SEVERITY_HIGH },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct made made[] = { { 1, .held = cases[i].held,
			.bounding = cases[i].held } };
		struct scene s;

		set_scene(&s, "baseline", made, 1);
		assert_int_equal(
			judge_container(&s.input, &s.assessment, &s.observations, &s.count), 0);
		assert_int_equal(s.count, 1);
		s.observations[0].finding.process.host_namespaces = cases[i].host_namespaces;
		assert_int_equal(judge_settle(&s.input, &s.observations[0], &s.assessment), 0);
		assert_int_equal(s.assessment.severity, cases[i].severity);
		clear_scene(&s);
	}
}

static void the_reference_stays_when_its_process_has_gone(void **state)
{
	const struct made first[] = { { 1, .held = CHOWN, .bounding = CHOWN },
		{ 2, .held = CHOWN, .bounding = CHOWN } };
	const struct made later[] = { { 2, .held = SYS_ADMIN, .bounding = SYS_ADMIN } };
	struct reference kept;
	struct scene s;

	(void)state;
	set_scene(&s, "privileged", first, 2);
	judge(&s);
	kept = s.reference;
	clear_scene(&s);
	assert_true(kept.known);
	assert_int_equal(kept.granted, CHOWN);

	set_scene(&s, "privileged", later, 1);
	s.reference = kept;
	judge(&s);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.observations[0].finding.class, CLASS_DRIFT);
	assert_int_equal(s.observations[0].finding.excess.of[CAPABILITY_EFFECTIVE], SYS_ADMIN);
	clear_scene(&s);
}

static void drop_all_is_advised_where_the_default_set_was_left(void **state)
{
	static const struct {
		capability_mask granted;
		bool advice;
	} cases[] = {
		{ 0, false }, { NET_BIND, false }, { SYS_ADMIN, false },
		{ 0x5fb, true },       /* CRI-O */
		{ DEFAULT_SET, true }, /* containerd, Docker */
		{ 0x800405fb, true },  /* Podman */
		{ EVERYTHING, true }, { DEFAULT_SET | SYS_ADMIN, true },
		{ DEFAULT_SET & ~CHOWN, false }, /* somebody has chosen */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct made made[] = { { 1, .bounding = cases[i].granted } };
		struct scene s;

		set_scene(&s, "privileged", made, 1);
		judge(&s);
		assert_int_equal(s.assessment.advice_drop_all, cases[i].advice);
		clear_scene(&s);
	}
}

static struct policy *load(const char *text)
{
	struct policy *policy = NULL;
	struct diag diag = { 0 };

	if (policy_load("test.yaml", text, strlen(text), &policy, &diag) < 0)
		fail_msg("%u:%u: %s", diag.line, diag.column, diag.message);
	return policy;
}

static void replace_policy(struct scene *s, const char *text)
{
	policy_free(s->policy);
	s->policy = load(text);
	s->input.policy = s->policy;
}

static void exceptions_take_away_what_they_allow_and_the_rest_stays(void **state)
{
	const struct made made[] = { { 1, .held = SYS_ADMIN | SYS_TIME,
		.bounding = SYS_ADMIN | SYS_TIME } };
	struct scene s;

	(void)state;
	set_scene(&s, NULL, made, 1);
	replace_policy(&s, "version: 1\ndefaultProfile: restricted\nexceptions:\n"
			   "  - match: {runtime: containerd}\n    allow: [SYS_TIME]\n"
			   "    reason: keeps the clock\n");
	judge(&s);
	assert_int_equal(s.count, 2);
	assert_int_equal(s.observations[0].finding.verdict, VERDICT_VIOLATION);
	assert_int_equal(s.observations[0].finding.excess.of[CAPABILITY_EFFECTIVE], SYS_ADMIN);
	assert_null(s.observations[0].finding.exception.reason);
	assert_int_equal(s.assessment.verdict, VERDICT_VIOLATION);
	/* and what was taken away is told with its reason */
	assert_int_equal(s.observations[1].finding.verdict, VERDICT_EXCEPTED);
	assert_int_equal(s.observations[1].finding.excess.of[CAPABILITY_EFFECTIVE], SYS_TIME);
	assert_string_equal(s.observations[1].finding.exception.reason, "keeps the clock");
	clear_scene(&s);
}

static void what_is_wholly_excepted_is_shown_with_its_reason(void **state)
{
	const struct made made[] = { { 1, .held = SYS_TIME, .bounding = SYS_TIME } };
	struct scene s;

	(void)state;
	set_scene(&s, NULL, made, 1);
	replace_policy(&s, "version: 1\ndefaultProfile: restricted\nexceptions:\n"
			   "  - match: {runtime: containerd}\n    allow: [SYS_TIME]\n"
			   "    reason: keeps the clock\n    expires: 2037-01-31\n");
	judge(&s);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.assessment.verdict, VERDICT_EXCEPTED);
	assert_string_equal(s.observations[0].finding.exception.reason, "keeps the clock");
	assert_string_equal(s.observations[0].finding.exception.expires, "2037-01-31");
	clear_scene(&s);
}

static void an_exception_covers_drift_only_where_it_says_so(void **state)
{
	const struct made made[] = { { 1 }, { 2, .held = SYS_TIME, .bounding = SYS_TIME } };
	static const char *const texts[] = {
		"version: 1\nexceptions:\n  - match: {runtime: containerd}\n"
		"    allow: [SYS_TIME]\n    reason: x\n",
		"version: 1\nexceptions:\n  - match: {runtime: containerd}\n"
		"    allow: [SYS_TIME]\n    class: drift\n    reason: x\n",
	};
	static const enum verdict verdicts[] = { VERDICT_VIOLATION, VERDICT_EXCEPTED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct scene s;

		set_scene(&s, NULL, made, 2);
		replace_policy(&s, texts[i]);
		judge(&s);
		assert_non_null(find(&s, CLASS_DRIFT));
		assert_int_equal(find(&s, CLASS_DRIFT)->verdict, verdicts[i]);
		clear_scene(&s);
	}
}

static void an_expired_exception_is_a_hint(void **state)
{
	const struct made made[] = { { 1, .held = SYS_TIME, .bounding = SYS_TIME } };
	struct scene s;

	(void)state;
	set_scene(&s, NULL, made, 1);
	replace_policy(&s, "version: 1\nexceptions:\n  - match: {runtime: containerd}\n"
			   "    allow: [SYS_TIME]\n    reason: x\n    expires: 2020-01-31\n");
	judge(&s);
	assert_int_equal(s.assessment.verdict, VERDICT_VIOLATION);
	assert_true(s.observations[0].finding.hints & (1u << HINT_EXCEPTION_EXPIRED));
	clear_scene(&s);
}

static void a_rule_whose_controls_are_missing_does_not_apply_and_is_told(void **state)
{
	static const char text[] = "version: 1\ndefaultProfile: restricted\nrules:\n"
				   "  - match: {runtime: containerd}\n    require: [seccomp]\n"
				   "    profile: privileged\n";
	const struct made without[] = { { 1, .held = SYS_TIME, .bounding = SYS_TIME } };
	const struct made with[] = { { 1, .held = SYS_TIME, .bounding = SYS_TIME,
		.seccomp = true } };
	struct scene s;

	(void)state;
	set_scene(&s, NULL, without, 1);
	replace_policy(&s, text);
	judge(&s);
	assert_int_equal(s.assessment.verdict, VERDICT_VIOLATION);
	assert_int_equal(s.observations[0].finding.unmet, CONTROL_SECCOMP);
	assert_true(s.observations[0].finding.hints & (1u << HINT_REQUIRE_UNMET));
	clear_scene(&s);

	set_scene(&s, NULL, with, 1);
	replace_policy(&s, text);
	judge(&s);
	assert_int_equal(s.assessment.verdict, VERDICT_COMPLIANT);
	assert_string_equal(s.assessment.profile->name, "privileged");
	assert_int_equal(s.assessment.profile_source, PROFILE_FROM_RULE);
	clear_scene(&s);
}

static void a_crowd_of_different_excesses_is_bounded(void **state)
{
	enum { CROWD = 2000 };
	struct task *tasks = calloc(CROWD, sizeof(*tasks));
	const struct task **pointers = calloc(CROWD, sizeof(*pointers));
	const struct made first[] = { { 1 } };
	uint64_t members = 0;
	struct scene s;

	(void)state;
	assert_non_null(tasks);
	assert_non_null(pointers);
	set_scene(&s, "privileged", first, 1);
	tasks[0] = s.tasks[0];
	pointers[0] = &tasks[0];
	for (size_t i = 1; i < CROWD; i++) {
		tasks[i] = s.tasks[0];
		tasks[i].pid = tasks[i].tid = (pid_t)(i + 1);
		tasks[i].start_ticks = i + 1;
		/* no two comparable: a number and its complement */
		tasks[i].sets.of[CAPABILITY_EFFECTIVE] = i | ((~(uint64_t)i & 0xffff) << 16);
		pointers[i] = &tasks[i];
	}
	s.input.tasks = pointers;
	s.input.task_count = CROWD;
	judge(&s);
	assert_true(s.count <= 64);
	for (size_t i = 0; i < s.count; i++)
		members += s.observations[i].member_count;
	assert_int_equal(members, CROWD - 1); /* nobody is lost */
	clear_scene(&s);
	free(tasks);
	free(pointers);
}

static void asked_for_one_process_only_that_one_is_judged(void **state)
{
	const struct made made[] = { { 1 }, { 2, .held = SYS_TIME, .bounding = SYS_TIME },
		{ 3, .held = SYS_ADMIN, .bounding = SYS_ADMIN } };
	const pid_t only[] = { 2 };
	struct scene s;

	(void)state;
	set_scene(&s, "privileged", made, 3);
	s.input.only = only;
	s.input.only_count = 1;
	judge(&s);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.observations[0].finding.process.pid, 2);
	assert_int_equal(s.assessment.processes, 1);
	clear_scene(&s);
}

static void an_opaque_container_is_never_called_compliant(void **state)
{
	const struct made made[] = { { 1 } };
	struct scene s;

	(void)state;
	set_scene(&s, "restricted", made, 1);
	s.container.opaque = true;
	judge(&s);
	assert_int_equal(s.assessment.level, LEVEL_UNKNOWN);
	assert_int_equal(s.count, 0);
	clear_scene(&s);
}

static void host_processes_are_privileged_unless_a_rule_says_otherwise(void **state)
{
	const struct made made[] = { { 1, .held = EVERYTHING, .bounding = EVERYTHING },
		{ 2, .held = 0, .bounding = EVERYTHING } };
	struct scene s;

	(void)state;
	set_scene(&s, NULL, made, 2);
	s.container.host = true;
	s.container.runtime = "host";
	judge(&s);
	assert_int_equal(s.count, 0);
	assert_string_equal(s.assessment.profile->name, "privileged");
	clear_scene(&s);

	set_scene(&s, NULL, made, 2);
	replace_policy(&s, "version: 1\nrules:\n  - match: {runtime: host}\n"
			   "    profile: restricted\n");
	s.container.host = true;
	s.container.runtime = "host";
	judge(&s);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.observations[0].finding.class, CLASS_POSTURE);
	clear_scene(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_gets_its_verdict),
		cmocka_unit_test(only_what_a_sandbox_can_use_counts),
		cmocka_unit_test(a_sandbox_that_holds_something_is_a_violation),
		cmocka_unit_test(drift_and_posture_are_told_apart_in_one_process),
		cmocka_unit_test(a_thread_is_named_by_its_tid),
		cmocka_unit_test(a_namespaces_own_label_takes_the_lowering_away),
		cmocka_unit_test(ptrace_and_net_admin_take_over_only_in_the_hosts_namespaces),
		cmocka_unit_test(the_reference_stays_when_its_process_has_gone),
		cmocka_unit_test(drop_all_is_advised_where_the_default_set_was_left),
		cmocka_unit_test(exceptions_take_away_what_they_allow_and_the_rest_stays),
		cmocka_unit_test(what_is_wholly_excepted_is_shown_with_its_reason),
		cmocka_unit_test(an_exception_covers_drift_only_where_it_says_so),
		cmocka_unit_test(an_expired_exception_is_a_hint),
		cmocka_unit_test(a_rule_whose_controls_are_missing_does_not_apply_and_is_told),
		cmocka_unit_test(a_crowd_of_different_excesses_is_bounded),
		cmocka_unit_test(asked_for_one_process_only_that_one_is_judged),
		cmocka_unit_test(an_opaque_container_is_never_called_compliant),
		cmocka_unit_test(host_processes_are_privileged_unless_a_rule_says_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
