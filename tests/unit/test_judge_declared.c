/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verdicts, origins and cures where it is known what a manifest declares and what a runtime
 * granted: each row is one container with one process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/judge.h>

#include <stdlib.h>
#include <string.h>

#define BIT(name)   CAPABILITY_BIT(CAPABILITY_##name)
#define DEFAULT_SET UINT64_C(0xa80425fb)
#define EVERYTHING  UINT64_C(0x1fffeffffff)

/* What a row does not mention is 0, on purpose. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct scene {
	struct task task;
	const struct task *pointer;
	struct container container;
	struct policy *policy;
	struct judge_input input;
	struct reference reference;
	struct assessment assessment;
	struct observation *observations;
	size_t count;
};

static void set_scene(struct scene *s, const char *profile, capability_mask held,
	capability_mask bounding, const struct declaration *declared)
{
	memset(s, 0, sizeof(*s));
	s->policy = policy_new_default();
	assert_non_null(s->policy);
	s->container = (struct container){ .id = (char *)"0123456789abcdef",
		.runtime = "containerd",
		.name = (char *)"web",
		.type = CONTAINER_REGULAR,
		.in_pod = true,
		.pod = { .namespace_name = (char *)"shop",
			.name = (char *)"cart-7d4f",
			.owner = (char *)"Deployment/cart",
			.known = true } };
	if (declared) {
		s->container.declared = *declared;
		s->container.declared.known = true;
	}
	s->task = (struct task){ .pid = 10,
		.tid = 10,
		.start_ticks = 10,
		.leader = true,
		.outside_parent = true,
		.controls_known = true,
		.user_namespace = USER_NAMESPACE_INITIAL,
		.user_namespace_key = 1 };
	s->task.sets.of[CAPABILITY_EFFECTIVE] = held;
	s->task.sets.of[CAPABILITY_PERMITTED] = held;
	s->task.sets.of[CAPABILITY_BOUNDING] = bounding;
	s->pointer = &s->task;
	s->input = (struct judge_input){ .policy = s->policy,
		.forced = profile ? policy_profile(s->policy, profile) : NULL,
		.container = &s->container,
		.tasks = &s->pointer,
		.task_count = 1,
		.reference = &s->reference,
		.api = API_KNOWS,
		.now_us = UINT64_C(1790000000000000),
		.now_ticks = 100000,
		.ticks_per_second = 100 };
}

static int judge(struct scene *s)
{
	int r = judge_container(&s->input, &s->assessment, &s->observations, &s->count);

	for (size_t i = 0; r == 0 && i < s->count; i++)
		r = judge_settle(&s->input, &s->observations[i], &s->assessment);
	return r;
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
	const char *what, *profile;
	capability_mask held, bounding;
	struct declaration declared;
	enum verdict verdict;
	enum level level;
	bool advice;
	unsigned capability; /* whose origin is looked at, where there is a finding */
	enum origin origin;
	capability_mask cure;
};

static const struct row rows[] = {
	{ "an untouched default is tolerated under baseline", "baseline", DEFAULT_SET, DEFAULT_SET,
		{ 0 }, VERDICT_TOLERATED, LEVEL_BASELINE, true, CAPABILITY_NET_RAW,
		ORIGIN_RUNTIME_DEFAULT, 0 },
	{ "NET_RAW that the manifest adds is a violation under baseline", "baseline", DEFAULT_SET,
		DEFAULT_SET, { .add = BIT(NET_RAW) }, VERDICT_VIOLATION, LEVEL_PRIVILEGED, true,
		CAPABILITY_NET_RAW, ORIGIN_DECLARED, 0 },
	{ "an untouched default violates restricted, by the runtime's doing", "restricted",
		DEFAULT_SET, DEFAULT_SET, { 0 }, VERDICT_VIOLATION, LEVEL_BASELINE, true,
		CAPABILITY_CHOWN, ORIGIN_RUNTIME_DEFAULT, 0 },
	{ "what is declared beside the default is told as declared", "restricted",
		DEFAULT_SET | BIT(SYS_ADMIN), DEFAULT_SET | BIT(SYS_ADMIN),
		{ .add = BIT(SYS_ADMIN) | BIT(NET_BIND_SERVICE) }, VERDICT_VIOLATION,
		LEVEL_PRIVILEGED, true, CAPABILITY_SYS_ADMIN, ORIGIN_DECLARED,
		BIT(NET_BIND_SERVICE) },
	{ "the default beside what is declared is the runtime's", "restricted",
		DEFAULT_SET | BIT(SYS_ADMIN), DEFAULT_SET | BIT(SYS_ADMIN),
		{ .add = BIT(SYS_ADMIN) }, VERDICT_VIOLATION, LEVEL_PRIVILEGED, true,
		CAPABILITY_SETUID, ORIGIN_RUNTIME_DEFAULT, 0 },
	{ "privileged is the origin of all that it gives", "baseline", EVERYTHING, EVERYTHING,
		{ .privileged = true }, VERDICT_VIOLATION, LEVEL_PRIVILEGED, true,
		CAPABILITY_SYS_MODULE, ORIGIN_PRIVILEGED, 0 },
	{ "add ALL declares everything, and is cured by what the profile permits", "baseline",
		EVERYTHING, EVERYTHING, { .add_all = true }, VERDICT_VIOLATION, LEVEL_PRIVILEGED,
		false, CAPABILITY_SYS_MODULE, ORIGIN_DECLARED, PROFILE_BASELINE_ALLOW },
	{ "what nobody declared and no runtime gives by itself is unknown", "baseline",
		DEFAULT_SET | BIT(SYS_TIME), DEFAULT_SET | BIT(SYS_TIME), { 0 }, VERDICT_VIOLATION,
		LEVEL_PRIVILEGED, true, CAPABILITY_SYS_TIME, ORIGIN_UNKNOWN, 0 },
	{ "what drop: ALL should have taken is no runtime's default", "restricted", BIT(CHOWN),
		BIT(CHOWN), { .drop_all = true }, VERDICT_VIOLATION, LEVEL_BASELINE, true,
		CAPABILITY_CHOWN, ORIGIN_UNKNOWN, 0 },
	{ "drop: ALL and what is added explains itself", "baseline", BIT(CHOWN), BIT(CHOWN),
		{ .drop_all = true, .add = BIT(CHOWN) }, VERDICT_COMPLIANT, LEVEL_BASELINE, false,
		0, 0, 0 },
};

static void what_was_declared_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		const struct finding *f;
		struct scene s;

		set_scene(&s, row->profile, row->held, row->bounding, &row->declared);
		assert_int_equal(judge(&s), 0);
		if (s.assessment.verdict != row->verdict || s.assessment.level != row->level ||
			s.assessment.advice_drop_all != row->advice)
			fail_msg("%s: verdict %s, level %s, advice %d", row->what,
				verdict_name(s.assessment.verdict), level_name(s.assessment.level),
				s.assessment.advice_drop_all);
		f = find(&s, CLASS_POSTURE);
		if (row->verdict == VERDICT_COMPLIANT) {
			assert_null(f);
		} else {
			assert_non_null(f);
			if (f->origin[row->capability] != row->origin)
				fail_msg("%s: origin %s", row->what,
					origin_name(f->origin[row->capability]));
		}
		if (row->verdict == VERDICT_VIOLATION && f->remedy.add != row->cure)
			fail_msg("%s: cure 0x%llx", row->what, (unsigned long long)f->remedy.add);
		clear_scene(&s);
	}
}

/* Whoever follows the cure must be rid of the finding. */
static void what_is_cured_satisfies_the_profile(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct declaration cured = { .drop_all = true };
		struct scene s, after;

		if (row->verdict != VERDICT_VIOLATION)
			continue;
		set_scene(&s, row->profile, row->held, row->bounding, &row->declared);
		assert_int_equal(judge(&s), 0);
		cured.add = find(&s, CLASS_POSTURE)->remedy.add;
		set_scene(&after, row->profile, cured.add, cured.add, &cured);
		assert_int_equal(judge(&after), 0);
		if (after.assessment.verdict != VERDICT_COMPLIANT)
			fail_msg("%s: the cure does not help", row->what);
		clear_scene(&after);
		clear_scene(&s);
	}
}

/* One exception and one tolerance of the policy's own beside what the profile permits. */
#define EXCEPTED_POLICY                                         \
	"version: 1\n"                                          \
	"defaultProfile: own\n"                                 \
	"profiles:\n"                                           \
	"  own: { extends: restricted, tolerate: [NET_RAW] }\n" \
	"exceptions:\n"                                         \
	"  - match: { namespace: shop }\n"                      \
	"    allow: [SYS_TIME, NET_BIND_SERVICE, MKNOD]\n"      \
	"    reason: keeps the clock\n"                         \
	"  - match: { namespace: elsewhere }\n"                 \
	"    allow: [SYS_ADMIN]\n"                              \
	"    reason: somebody else's\n"                         \
	"  - match: { namespace: shop }\n"                      \
	"    allow: [SYS_ADMIN]\n"                              \
	"    class: drift\n"                                    \
	"    reason: administrators look in\n"                  \
	"  - match: { namespace: shop }\n"                      \
	"    allow: [SYS_ADMIN]\n"                              \
	"    reason: was needed once\n"                         \
	"    expires: 2001-01-31\n"                             \
	"  - match: { namespace: shop }\n"                      \
	"    allow: [SYS_ADMIN]\n"                              \
	"    require: [seccomp]\n"                              \
	"    reason: confined\n"

static const struct excepted_row {
	const char *what;
	capability_mask granted;
	bool is_declared;
	struct declaration declared;
	capability_mask cure;
} excepted_rows[] = {
	{ "what was added and excepted stays", BIT(SYS_ADMIN) | BIT(SYS_TIME), true,
		{ .drop_all = true, .add = BIT(SYS_ADMIN) | BIT(SYS_TIME) }, BIT(SYS_TIME) },
	{ "what was added and is tolerated stays", BIT(SYS_ADMIN) | BIT(NET_RAW), true,
		{ .drop_all = true, .add = BIT(SYS_ADMIN) | BIT(NET_RAW) }, BIT(NET_RAW) },
	{ "an exception is for what a runtime gave as well", DEFAULT_SET, true, { 0 }, BIT(MKNOD) },
	{ "of privileged what is excepted is left", EVERYTHING, true, { .privileged = true },
		BIT(SYS_TIME) | BIT(MKNOD) },
	{ "of ALL what is permitted, tolerated or excepted", EVERYTHING, true, { .add_all = true },
		BIT(NET_BIND_SERVICE) | BIT(NET_RAW) | BIT(SYS_TIME) | BIT(MKNOD) },
	{ "of a set that was chosen likewise", BIT(SYS_ADMIN) | BIT(NET_RAW) | BIT(SYS_TIME), false,
		{ 0 }, BIT(NET_RAW) | BIT(SYS_TIME) },
	{ "of an undeclared default what is excepted", DEFAULT_SET | BIT(SYS_TIME), false, { 0 },
		BIT(MKNOD) | BIT(SYS_TIME) },
};

static void load(struct scene *s, const char *text)
{
	struct diag diag = { 0 };

	policy_free(s->policy);
	assert_int_equal(policy_load("p", text, strlen(text), &s->policy, &diag), 0);
	s->input.policy = s->policy;
}

static void a_cure_keeps_what_is_excepted_or_tolerated_and_satisfies_the_policy(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(excepted_rows); i++) {
		const struct excepted_row *row = &excepted_rows[i];
		struct declaration cured = { .drop_all = true };
		struct scene s, after;

		set_scene(&s, NULL, row->granted, row->granted,
			row->is_declared ? &row->declared : NULL);
		load(&s, EXCEPTED_POLICY);
		assert_int_equal(judge(&s), 0);
		cured.add = find(&s, CLASS_POSTURE)->remedy.add;
		if (cured.add != row->cure)
			fail_msg("%s: cure 0x%llx", row->what, (unsigned long long)cured.add);
		set_scene(&after, NULL, cured.add, cured.add, &cured);
		load(&after, EXCEPTED_POLICY);
		assert_int_equal(judge(&after), 0);
		if (after.assessment.verdict == VERDICT_VIOLATION)
			fail_msg("%s: the cure does not help", row->what);
		clear_scene(&after);
		clear_scene(&s);
	}
}

/* The standard tolerates it where a runtime gave it, and forbids adding it. */
static void a_cure_does_not_add_what_is_tolerated_undeclared_alone(void **state)
{
	struct scene s;

	(void)state;
	set_scene(
		&s, "baseline", BIT(SYS_ADMIN) | BIT(NET_RAW), BIT(SYS_ADMIN) | BIT(NET_RAW), NULL);
	assert_int_equal(judge(&s), 0);
	assert_true(find(&s, CLASS_POSTURE)->remedy.add == 0);
	clear_scene(&s);
}

static void without_a_declaration_origins_are_unknown(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, "restricted", DEFAULT_SET, DEFAULT_SET, NULL);
	assert_int_equal(judge(&s), 0);
	assert_int_equal(find(&s, CLASS_POSTURE)->origin[CAPABILITY_CHOWN], ORIGIN_UNKNOWN);
	clear_scene(&s);
}

/* A bundle says what was granted: the first process itself can have more. */
static void what_the_bundle_did_not_grant_is_drift(void **state)
{
	const struct declaration declared = { .drop_all = true };
	const struct finding *f;
	struct scene s;

	(void)state;
	set_scene(&s, "privileged", BIT(NET_ADMIN), BIT(NET_ADMIN) | BIT(CHOWN), &declared);
	s.container.granted_known = true;
	s.container.granted = BIT(CHOWN);
	assert_int_equal(judge(&s), 0);
	f = find(&s, CLASS_DRIFT);
	assert_non_null(f);
	assert_true(f->excess.of[CAPABILITY_EFFECTIVE] == BIT(NET_ADMIN));
	assert_true(f->excess.of[CAPABILITY_BOUNDING] == BIT(NET_ADMIN));
	assert_int_equal(f->origin[CAPABILITY_NET_ADMIN], ORIGIN_EXEC);
	assert_false(f->remedy.known);
	clear_scene(&s);
}

/* The bundle may be read after the first pass: then it counts from there on. */
static void a_bundle_that_comes_late_replaces_the_reference(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, "privileged", BIT(NET_ADMIN), BIT(NET_ADMIN), NULL);
	assert_int_equal(judge(&s), 0);
	assert_null(find(&s, CLASS_DRIFT));
	observations_free(s.observations, s.count);
	s.container.granted_known = true;
	assert_int_equal(judge(&s), 0);
	assert_non_null(find(&s, CLASS_DRIFT));
	clear_scene(&s);
}

static void a_prefix_that_the_runtime_does_not_know_is_a_hint(void **state)
{
	const struct declaration declared = { .add = BIT(SYS_ADMIN) | BIT(NET_ADMIN),
		.prefixed = BIT(NET_ADMIN) };
	const struct finding *f;
	struct scene s;
	char *text;

	(void)state;
	set_scene(&s, "baseline", DEFAULT_SET | BIT(SYS_ADMIN), DEFAULT_SET | BIT(SYS_ADMIN),
		&declared);
	assert_int_equal(judge(&s), 0);
	f = find(&s, CLASS_POSTURE);
	assert_true(f->hints & 1u << HINT_CAP_PREFIX);
	text = hint_text(HINT_CAP_PREFIX, f);
	assert_non_null(strstr(text, "CAP_NET_ADMIN, which the runtime did not grant"));
	free(text);
	clear_scene(&s);

	/* CRI-O takes it. */
	set_scene(&s, "baseline", BIT(NET_ADMIN), BIT(NET_ADMIN), &declared);
	assert_int_equal(judge(&s), 0);
	assert_false(find(&s, CLASS_POSTURE)->hints & 1u << HINT_CAP_PREFIX);
	clear_scene(&s);
}

/* A policy can name what a newer kernel has; a manifest cannot. */
static void what_has_no_name_is_not_cured_by_adding_it(void **state)
{
	const struct declaration declared = { .add = BIT(SYS_ADMIN), .unknown = true };
	const struct finding *f;
	struct scene s;

	(void)state;
	set_scene(&s, NULL, BIT(SYS_ADMIN) | CAPABILITY_BIT(62),
		BIT(SYS_ADMIN) | CAPABILITY_BIT(62), &declared);
	load(&s, "version: 1\nexceptions:\n  - match: { namespace: shop }\n"
		 "    allow: [CAP_62]\n    reason: a newer kernel\n");
	assert_int_equal(judge(&s), 0);
	f = find(&s, CLASS_POSTURE);
	assert_int_equal(f->verdict, VERDICT_VIOLATION);
	assert_true(f->remedy.add == 0);
	assert_true(f->hints & 1u << HINT_UNKNOWN_NAME);
	assert_string_equal(hint_code(HINT_UNKNOWN_NAME), "unknown-capability");
	clear_scene(&s);
}

static const struct field_row {
	const char *owner;
	enum container_type type;
	const char *of, *field;
	bool is_static;
} field_rows[] = {
	{ NULL, CONTAINER_REGULAR, "Pod/cart-7d4f",
		"spec.containers[name=web].securityContext.capabilities" },
	{ "Deployment/cart", CONTAINER_REGULAR, "Deployment/cart",
		"spec.template.spec.containers[name=web].securityContext.capabilities" },
	{ "StatefulSet/db", CONTAINER_INIT, "StatefulSet/db",
		"spec.template.spec.initContainers[name=web].securityContext.capabilities" },
	{ "DaemonSet/agent", CONTAINER_SIDECAR, "DaemonSet/agent",
		"spec.template.spec.initContainers[name=web].securityContext.capabilities" },
	{ "CronJob/backup", CONTAINER_REGULAR, "CronJob/backup",
		"spec.jobTemplate.spec.template.spec.containers[name=web].securityContext."
		"capabilities" },
	{ "Job/once", CONTAINER_REGULAR, "Job/once",
		"spec.template.spec.containers[name=web].securityContext.capabilities" },
	{ "Node/n1", CONTAINER_REGULAR, "Node/n1",
		"spec.containers[name=web].securityContext.capabilities", true },
	/* What its author claims: no mirror's annotations. */
	{ "Node/n1", CONTAINER_REGULAR, "Pod/cart-7d4f",
		"spec.containers[name=web].securityContext.capabilities" },
	{ "Rollout/cart", CONTAINER_REGULAR, "Rollout/cart", NULL },
	{ "Deployments/cart", CONTAINER_REGULAR, "Deployments/cart", NULL },
	{ "Deployment/cart", CONTAINER_EPHEMERAL, NULL, NULL },
	{ "Deployment/cart", CONTAINER_UNKNOWN, "Deployment/cart", NULL },
};

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void the_cure_names_the_field_of_the_owner(void **state)
{
	const struct declaration declared = { .add = BIT(SYS_ADMIN) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(field_rows); i++) {
		const struct field_row *row = &field_rows[i];
		const struct finding *f;
		struct scene s;

		set_scene(&s, "baseline", BIT(SYS_ADMIN), BIT(SYS_ADMIN), &declared);
		s.container.type = row->type;
		s.container.pod.owner = (char *)row->owner;
		s.container.pod.is_static = row->is_static;
		assert_int_equal(judge(&s), 0);
		f = find(&s, CLASS_POSTURE);
		assert_true(f->remedy.known && f->remedy.drop_all);
		if (!is_same(f->remedy.of, row->of) || !is_same(f->remedy.field, row->field))
			fail_msg("row %zu: of %s, field %s", i, f->remedy.of, f->remedy.field);
		clear_scene(&s);
	}
}

static const struct api_row {
	enum api_state api;
	const char *profile;
	bool provisional, pending, not_in_api;
} api_rows[] = {
	{ API_KNOWS, NULL, false, false, false },
	{ API_NOT_ASKED, NULL, false, false, false },
	{ API_PENDING, NULL, true, true, false },
	{ API_PENDING, "baseline", false, false, false }, /* the command line decides for good */
	{ API_KNOWS_NOT, NULL, false, false, true },
};

static void posture_is_provisional_while_the_api_has_not_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(api_rows); i++) {
		const struct api_row *row = &api_rows[i];
		const struct finding *f;
		struct scene s;

		set_scene(&s, row->profile, BIT(SYS_ADMIN), BIT(SYS_ADMIN), NULL);
		s.input.api = row->api;
		assert_int_equal(judge(&s), 0);
		f = find(&s, CLASS_POSTURE);
		assert_int_equal(f->provisional, row->provisional);
		assert_int_equal((f->hints & 1u << HINT_PENDING) != 0, row->pending);
		assert_int_equal((f->hints & 1u << HINT_NOT_IN_API) != 0, row->not_in_api);
		clear_scene(&s);
	}
}

static void drift_is_never_provisional(void **state)
{
	struct scene s;

	(void)state;
	set_scene(&s, NULL, BIT(SYS_ADMIN), BIT(SYS_ADMIN), NULL);
	s.container.granted_known = true;
	s.input.api = API_PENDING;
	assert_int_equal(judge(&s), 0);
	assert_false(find(&s, CLASS_DRIFT)->provisional);
	clear_scene(&s);
}

static void a_label_s_profile_is_used_and_named(void **state)
{
	const struct declaration declared = { .drop_all = true, .add = BIT(CHOWN) };
	const struct finding *f;
	struct scene s;

	(void)state;
	set_scene(&s, NULL, BIT(CHOWN), BIT(CHOWN), &declared);
	s.input.label = policy_profile(s.policy, "restricted");
	assert_int_equal(judge(&s), 0);
	f = find(&s, CLASS_POSTURE);
	assert_non_null(f);
	assert_string_equal(f->profile, "restricted");
	assert_int_equal(f->profile_source, PROFILE_FROM_NAMESPACE_LABEL);
	/* Its own namespace forbids it: admission was passed by, and it is no step lower. */
	assert_int_equal(f->severity, SEVERITY_MEDIUM);
	clear_scene(&s);
}

static void selectors_and_owners_match_what_the_api_told(void **state)
{
	static const char text[] =
		"version: 1\n"
		"rules:\n"
		"  - match: { namespaceSelector: { team: \"pay*\" }, podSelector: { tier: web } }\n"
		"    profile: restricted\n"
		"  - match: { owner: \"Deployment/c*\" }\n"
		"    profile: privileged\n";
	const struct label namespace_labels[] = { { "team", "payments" } };
	const struct label pod_labels[] = { { "app", "cart" }, { "tier", "web" } };
	struct scene s;

	(void)state;
	set_scene(&s, NULL, BIT(CHOWN), BIT(CHOWN), NULL);
	load(&s, text);
	assert_int_equal(judge(&s), 0);
	assert_string_equal(s.assessment.profile->name, "privileged");
	observations_free(s.observations, s.count);

	s.input.namespace_labels = namespace_labels;
	s.input.namespace_label_count = ARRAY_SIZE(namespace_labels);
	s.input.pod_labels = pod_labels;
	s.input.pod_label_count = ARRAY_SIZE(pod_labels);
	assert_int_equal(judge(&s), 0);
	assert_string_equal(s.assessment.profile->name, "restricted");
	observations_free(s.observations, s.count);

	s.container.pod.owner = NULL;
	s.input.pod_labels = NULL;
	s.input.pod_label_count = 0;
	assert_int_equal(judge(&s), 0);
	assert_string_equal(s.assessment.profile->name, "baseline");
	clear_scene(&s);
}

static void a_tolerance_of_the_policy_s_own_holds_whoever_added_it(void **state)
{
	static const char text[] = "version: 1\n"
				   "profiles:\n"
				   "  own: { extends: baseline, tolerate: [NET_RAW] }\n"
				   "  plain: { extends: baseline, allow: [SYS_TIME] }\n"
				   "  over: { extends: own }\n";
	static const struct {
		const char *profile;
		enum verdict verdict;
	} profiles[] = { { "own", VERDICT_TOLERATED }, { "plain", VERDICT_VIOLATION },
		{ "over", VERDICT_TOLERATED } };
	const struct declaration declared = { .add = BIT(NET_RAW) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		struct scene s;

		set_scene(&s, NULL, DEFAULT_SET, DEFAULT_SET, &declared);
		load(&s, text);
		s.input.forced = policy_profile(s.policy, profiles[i].profile);
		assert_non_null(s.input.forced);
		assert_int_equal(judge(&s), 0);
		if (s.assessment.verdict != profiles[i].verdict)
			fail_msg("%s: %s", profiles[i].profile, verdict_name(s.assessment.verdict));
		clear_scene(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_declared_decides),
		cmocka_unit_test(what_is_cured_satisfies_the_profile),
		cmocka_unit_test(
			a_cure_keeps_what_is_excepted_or_tolerated_and_satisfies_the_policy),
		cmocka_unit_test(a_cure_does_not_add_what_is_tolerated_undeclared_alone),
		cmocka_unit_test(without_a_declaration_origins_are_unknown),
		cmocka_unit_test(what_the_bundle_did_not_grant_is_drift),
		cmocka_unit_test(a_bundle_that_comes_late_replaces_the_reference),
		cmocka_unit_test(a_prefix_that_the_runtime_does_not_know_is_a_hint),
		cmocka_unit_test(what_has_no_name_is_not_cured_by_adding_it),
		cmocka_unit_test(the_cure_names_the_field_of_the_owner),
		cmocka_unit_test(posture_is_provisional_while_the_api_has_not_told),
		cmocka_unit_test(drift_is_never_provisional),
		cmocka_unit_test(a_label_s_profile_is_used_and_named),
		cmocka_unit_test(selectors_and_owners_match_what_the_api_told),
		cmocka_unit_test(a_tolerance_of_the_policy_s_own_holds_whoever_added_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
