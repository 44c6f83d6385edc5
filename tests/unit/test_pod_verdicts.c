/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the Pod Security Standards say of a manifest, and what this program says of the process that
 * came of it: for every container of the recorded pods, and for some that no recorded pod has.
 * Where the two say different things a table names the case and its reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verdicts_fixture.h"

#define BIT(name) CAPABILITY_BIT(CAPABILITY_##name)

/* What a row does not mention is 0, on purpose. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* What the manifest asks for by name; where it says nothing, nothing. */
static capability_mask declared_mask(const struct declaration *declared)
{
	return declared->privileged || declared->add_all ? (CAPABILITY_BIT(41) - 1) : declared->add;
}

static void check_grant(const json_t *pod, const char *list, const json_t *container)
{
	struct subject s;

	set_subject(&s, pod, list, container);
	if (s.is_recorded) {
		const capability_mask granted =
			granted_by_containerd(&s.record->containers[0].declared);

		if (s.bounding != granted || s.held != (s.is_root ? granted : 0))
			fail_msg("%s: 0x%llx", s.record->containers[0].name,
				(unsigned long long)s.bounding);
	}
	pod_record_unref(s.record);
}

static void recorded_containers_have_what_containerd_makes_of_their_declaration(void **state)
{
	(void)state;
	visit_containers(check_grant);
}

#define UNTOUCHED "the runtime's untouched default: NET_RAW is tolerated while nobody added it"
#define BESIDE	  "the default stays beside what was added, without drop: [\"ALL\"]"
#define ROOT	  "everything is what the machine's root had: it lacks SYS_RESOURCE"

/* Every container of the list that has something else than its manifest asks for by name. */
static const struct difference {
	const char *pod, *container;
	capability_mask declared, held, bounding;
	enum verdict verdict[2]; /* under baseline, restricted */
	const char *reason;
} differences[] = {
	{ "a-restricted", "main", BIT(NET_BIND_SERVICE), 0, BIT(NET_BIND_SERVICE), { 0, 0 },
		"uid 1000: added is what it may have, and without ambient capabilities holds not" },
	{ "b-default", "main", 0, DEFAULT_SET, DEFAULT_SET,
		{ VERDICT_TOLERATED, VERDICT_VIOLATION }, UNTOUCHED },
	{ "f-besteffort", "main", 0, DEFAULT_SET, DEFAULT_SET,
		{ VERDICT_TOLERATED, VERDICT_VIOLATION }, UNTOUCHED },
	{ "f-burstable", "main", 0, DEFAULT_SET, DEFAULT_SET,
		{ VERDICT_TOLERATED, VERDICT_VIOLATION }, UNTOUCHED },
	{ "f-guaranteed", "main", 0, DEFAULT_SET, DEFAULT_SET,
		{ VERDICT_TOLERATED, VERDICT_VIOLATION }, UNTOUCHED },
	{ "g-static-vm", "main", 0, DEFAULT_SET, DEFAULT_SET,
		{ VERDICT_TOLERATED, VERDICT_VIOLATION }, UNTOUCHED },
	{ "h-crash", "main", 0, DEFAULT_SET, DEFAULT_SET, { VERDICT_TOLERATED, VERDICT_VIOLATION },
		UNTOUCHED },
	{ "h-deploy-6c4566dfff-pwp7w", "main", 0, DEFAULT_SET, DEFAULT_SET,
		{ VERDICT_TOLERATED, VERDICT_VIOLATION }, UNTOUCHED },
	{ "h-hostns", "main", 0, DEFAULT_SET, DEFAULT_SET, { VERDICT_TOLERATED, VERDICT_VIOLATION },
		UNTOUCHED },
	{ "h-sharepid", "main", 0, DEFAULT_SET, DEFAULT_SET,
		{ VERDICT_TOLERATED, VERDICT_VIOLATION }, UNTOUCHED },
	{ "c-privileged", "main", UINT64_C(0x1ffffffffff), ROOT_SET, ROOT_SET,
		{ VERDICT_VIOLATION, VERDICT_VIOLATION }, ROOT },
	{ "e-target", "dbg-sysadmin", UINT64_C(0x1ffffffffff), ROOT_SET, ROOT_SET,
		{ VERDICT_VIOLATION, VERDICT_VIOLATION }, ROOT },
	{ "h-sidecar", "two", UINT64_C(0x1ffffffffff), ROOT_SET, ROOT_SET,
		{ VERDICT_VIOLATION, VERDICT_VIOLATION }, ROOT },
	{ "d-init", "setup", BIT(SYS_ADMIN), UINT64_C(0xa82425fb), UINT64_C(0xa82425fb),
		{ VERDICT_VIOLATION, VERDICT_VIOLATION }, BESIDE },
	{ "e-target", "dbg-general", BIT(SYS_PTRACE), UINT64_C(0xa80c25fb), UINT64_C(0xa80c25fb),
		{ VERDICT_VIOLATION, VERDICT_VIOLATION }, BESIDE },
	{ "h-sidecar", "sidecar", BIT(NET_ADMIN), UINT64_C(0xa80435fb), UINT64_C(0xa80435fb),
		{ VERDICT_VIOLATION, VERDICT_VIOLATION }, BESIDE },
	{ "h-sidecar", "one", BIT(SYS_PTRACE) | BIT(NET_RAW), 0, UINT64_C(0xa80c25fb),
		{ VERDICT_VIOLATION, VERDICT_VIOLATION }, BESIDE ", and uid 1234 holds nothing" },
	{ "h-nolabel-sysadmin", "main", BIT(SYS_ADMIN) | BIT(NET_ADMIN), UINT64_C(0xa82425fb),
		UINT64_C(0xa82425fb), { VERDICT_VIOLATION, VERDICT_VIOLATION },
		BESIDE "; containerd does not grant CAP_NET_ADMIN" },
};

static const struct difference *find_difference(const json_t *pod, const char *container)
{
	const char *name =
		json_string_value(json_object_get(json_object_get(pod, "metadata"), "name"));

	for (size_t i = 0; i < ARRAY_SIZE(differences); i++)
		if (strcmp(differences[i].pod, name) == 0 &&
			strcmp(differences[i].container, container) == 0)
			return &differences[i];
	return NULL;
}

static size_t differences_seen;

static void check_verdicts(const json_t *pod, const char *list, const json_t *container)
{
	const struct difference *row;
	const struct pod_container *c;
	capability_mask declared;
	struct subject s;

	set_subject(&s, pod, list, container);
	c = &s.record->containers[0];
	declared = declared_mask(&c->declared);
	row = find_difference(pod, c->name);
	if (declared != s.held || declared != s.bounding) {
		if (!row || row->declared != declared || row->held != s.held ||
			row->bounding != s.bounding)
			fail_msg("%s: declared 0x%llx, held 0x%llx, bounding 0x%llx: no such row",
				c->name, (unsigned long long)declared, (unsigned long long)s.held,
				(unsigned long long)s.bounding);
		differences_seen++;
	} else if (row) {
		fail_msg("%s: no difference: %s", c->name, row->reason);
	}
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		enum verdict verdict = judge(&s, i).verdict;
		enum verdict expected = row ? row->verdict[i] : VERDICT_COMPLIANT;

		/* The standard's answer and ours agree, whatever differs. */
		if ((verdict != VERDICT_VIOLATION) != s.permitted[i] ||
			(verdict != expected && (row || s.permitted[i])))
			fail_msg("%s under %s: %s, and the standard %s", c->name, profiles[i],
				verdict_name(verdict), s.permitted[i] ? "admits it" : "does not");
	}
	pod_record_unref(s.record);
}

static void verdicts_agree_with_the_standard_where_a_manifest_and_its_process_differ(void **state)
{
	(void)state;
	differences_seen = 0;
	visit_containers(check_verdicts);
	assert_int_equal(differences_seen, ARRAY_SIZE(differences));
}

/* Manifests that no recorded pod has. The standard reads names as they are written; a verdict is
 * about what came of them. */
static const struct made {
	const char *context; /* securityContext */
	bool permitted[2];   /* under baseline, restricted: the standard */
	enum verdict verdict[2];
	const char *disagrees; /* why the two say different things, where they do */
} made[] = {
	{ "{\"capabilities\":{\"drop\":[\"ALL\"]}}", { true, true }, { 0, 0 }, NULL },
	{ "{\"privileged\":false,\"capabilities\":{\"drop\":[\"ALL\"]}}", { true, true }, { 0, 0 },
		NULL },
	{ "{\"capabilities\":{\"drop\":[\"ALL\"],\"add\":[\"CHOWN\"]}}", { true, false },
		{ 0, VERDICT_VIOLATION }, NULL },
	{ "{\"capabilities\":{\"drop\":[\"NET_RAW\"]}}", { true, false }, { 0, VERDICT_VIOLATION },
		NULL },
	/* Held is the same as of an untouched pod, and the standard refuses it. */
	{ "{\"capabilities\":{\"add\":[\"NET_RAW\"]}}", { false, false },
		{ VERDICT_VIOLATION, VERDICT_VIOLATION }, NULL },
	/* Nothing is granted for that, but the default is. */
	{ "{\"capabilities\":{\"add\":[\"CAP_NET_RAW\"]}}", { false, false },
		{ VERDICT_VIOLATION, VERDICT_VIOLATION }, NULL },
	{ "{\"capabilities\":{\"add\":[\"all\"]}}", { false, false },
		{ VERDICT_VIOLATION, VERDICT_VIOLATION }, NULL },
	{ "{\"capabilities\":{\"drop\":[\"all\"]}}", { true, false }, { 0, 0 },
		"the server wants ALL in capitals, runtimes do not" },
	{ "{\"capabilities\":{\"drop\":[\"ALL\"],\"add\":[\"net_bind_service\"]}}",
		{ false, false }, { 0, 0 }, "the server wants names in capitals, runtimes do not" },
	{ "{\"capabilities\":{\"drop\":[\"ALL\"],\"add\":[\"CAP_SYS_ADMIN\"]}}", { false, false },
		{ 0, 0 }, "containerd grants nothing that is spelt with CAP_" },
	{ "{\"capabilities\":{\"add\":[\"CAP_SYS_ADMIN\"]}}", { false, false },
		{ VERDICT_TOLERATED, VERDICT_VIOLATION },
		"containerd grants nothing that is spelt with CAP_" },
	{ "{\"capabilities\":{\"drop\":[\"ALL\"],\"add\":[\"NO_SUCH\"]}}", { false, false },
		{ 0, 0 }, "nobody grants what there is not" },
};

static void verdicts_of_made_manifests_disagree_for_a_reason_alone(void **state)
{
	_cleanup_(json_decrefp) json_t *nothing = json_object();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		_cleanup_(json_decrefp) json_t *container = NULL;
		bool disagrees = false;
		struct subject s;

		container = json_pack("{s:s,s:o}", "name", "c", "securityContext",
			json_loads(made[i].context, 0, NULL));
		assert_non_null(container);
		json_object_set_new(nothing, "metadata", json_pack("{s:s}", "name", "made"));
		set_subject(&s, nothing, "containers", container);
		for (size_t p = 0; p < ARRAY_SIZE(profiles); p++) {
			enum verdict verdict = judge(&s, p).verdict;

			if (s.permitted[p] != made[i].permitted[p] || verdict != made[i].verdict[p])
				fail_msg("%s under %s: %s, standard %d", made[i].context,
					profiles[p], verdict_name(verdict), s.permitted[p]);
			disagrees |= s.permitted[p] != (verdict != VERDICT_VIOLATION);
		}
		assert_int_equal(disagrees, made[i].disagrees != NULL);
		pod_record_unref(s.record);
	}
}

/* Every capability there is, added by itself. */
static void each_capability_is_judged_as_the_standard_has_it(void **state)
{
	_cleanup_(json_decrefp) json_t *pod = json_pack("{s:{s:s}}", "metadata", "name", "made");
	size_t admitted = 0;

	(void)state;
	for (unsigned n = 0; n < CAPABILITY_MAX; n++) {
		_cleanup_(json_decrefp) json_t *container = NULL;
		struct subject s;

		if (!capability_info(n))
			continue;
		container = json_pack("{s:s,s:{s:{s:[s],s:[s]}}}", "name", "c", "securityContext",
			"capabilities", "drop", "ALL", "add", capability_info(n)->name);
		assert_non_null(container);
		set_subject(&s, pod, "initContainers", container);
		assert_true(s.bounding == CAPABILITY_BIT(n));
		for (size_t p = 0; p < ARRAY_SIZE(profiles); p++) {
			if ((judge(&s, p).verdict != VERDICT_VIOLATION) != s.permitted[p])
				fail_msg("%s under %s", capability_info(n)->name, profiles[p]);
			admitted += s.permitted[p];
		}
		pod_record_unref(s.record);
	}
	assert_int_equal(admitted, 13 + 1);
}

/* The standard knows no sandboxes; nobody can configure theirs. */
static void a_recorded_sandbox_complies_though_its_bounding_set_is_the_default(void **state)
{
	struct task task;

	(void)state;
	read_task("b-default/pause.0e7a8024cb74", &task);
	assert_true(task.sets.of[CAPABILITY_BOUNDING] == DEFAULT_SET);
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		assert_int_equal(
			judge_task_alone(profiles[i], CONTAINER_SANDBOX, NULL, &task).verdict,
			VERDICT_COMPLIANT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			recorded_containers_have_what_containerd_makes_of_their_declaration),
		cmocka_unit_test(
			verdicts_agree_with_the_standard_where_a_manifest_and_its_process_differ),
		cmocka_unit_test(verdicts_of_made_manifests_disagree_for_a_reason_alone),
		cmocka_unit_test(each_capability_is_judged_as_the_standard_has_it),
		cmocka_unit_test(
			a_recorded_sandbox_complies_though_its_bounding_set_is_the_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
