/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What programs need not be told of: whoever holds no more than the permit, in the container's own
 * user namespace, is somebody of whom nothing is said. Policies, containers and tasks at random,
 * from a few capabilities each, so that they meet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/judge.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/under_valgrind.h"

#define ROUNDS	  20000u
#define TASKS	  4u
#define TICKS	  100u
#define NOW_TICKS 1000000u
#define TODAY_US  (UINT64_C(20700) * 24 * 3600 * 1000000) /* 2026-09-04 */

static const char *const names[] = { "CHOWN", "KILL", "NET_RAW", "NET_ADMIN", "SYS_ADMIN",
	"NET_BIND_SERVICE" };
static const unsigned bits[] = { 0, 5, 13, 12, 21, 10 };

static uint64_t seed = 88172645463325252u;

static unsigned any(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 11) % below);
}

static bool once_in(unsigned n)
{
	return any(n) == 0;
}

static capability_mask any_mask(void)
{
	capability_mask mask = 0;

	if (once_in(6))
		return UINT64_C(0xa80425fb);
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (once_in(2))
			mask |= CAPABILITY_BIT(bits[i]);
	return mask;
}

static void write_names(FILE *to)
{
	bool some = false;

	(void)fputc('[', to);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!once_in(2))
			continue;
		(void)fprintf(to, "%s%s", some ? ", " : "", names[i]);
		some = true;
	}
	(void)fputs(some ? "]" : "CHOWN]", to);
}

static const char *any_match(void)
{
	static const char *const matches[] = { "container: web", "namespace: shop",
		"containerType: sandbox", "namespace: other", "runtime: docker" };

	return matches[any(ARRAY_SIZE(matches))];
}

static void write_exception(FILE *to)
{
	static const char *const expires[] = { "1999-12-31", "2026-09-03", "2026-09-04",
		"2030-01-01" };

	(void)fprintf(to, "  - match: { %s }\n    allow: ", any_match());
	if (once_in(5))
		(void)fputs("[ALL]", to);
	else
		write_names(to);
	(void)fprintf(to, "\n    reason: r\n");
	if (once_in(3))
		(void)fputs("    class: drift\n", to);
	if (once_in(2))
		(void)fprintf(to, "    expires: %s\n", expires[any(ARRAY_SIZE(expires))]);
	if (once_in(20))
		(void)fputs("    require: [lsm]\n", to);
}

static void write_rule(FILE *to)
{
	static const char *const profiles[] = { "mine", "baseline", "restricted", "privileged" };

	(void)fprintf(to, "  - match: { %s }\n    profile: %s\n", any_match(),
		profiles[any(ARRAY_SIZE(profiles))]);
	if (once_in(20))
		(void)fputs("    require: [seccomp]\n", to);
}

static struct policy *any_policy(void)
{
	static const char *const defaults[] = { "mine", "baseline", "restricted" };
	struct policy *policy = NULL;
	struct diag diag = { 0 };
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);
	unsigned rules = any(3), exceptions = any(4);

	assert_non_null(to);
	(void)fprintf(to, "version: 1\ndefaultProfile: %s\nprofiles:\n  mine:\n",
		defaults[any(ARRAY_SIZE(defaults))]);
	if (once_in(3))
		(void)fputs("    extends: baseline\n", to);
	(void)fputs("    allow: ", to);
	write_names(to);
	if (once_in(2)) {
		(void)fputs("\n    tolerate: ", to);
		write_names(to);
	}
	(void)fputs("\n", to);
	if (rules)
		(void)fputs("rules:\n", to);
	for (unsigned i = 0; i < rules; i++)
		write_rule(to);
	if (exceptions)
		(void)fputs("exceptions:\n", to);
	for (unsigned i = 0; i < exceptions; i++)
		write_exception(to);
	assert_int_equal(fclose(to), 0);
	(void)policy_load("p", text, length, &policy, &diag);
	/* A rule that another one shadows, or a capability twice: not every text is a policy. */
	free(text);
	return policy;
}

struct scene {
	struct container container;
	struct reference reference;
	struct task tasks[TASKS];
	const struct task *pointers[TASKS];
	struct judge_input input;
};

static char id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void any_scene(struct scene *s, const struct policy *policy)
{
	static const enum user_namespace namespaces[] = { USER_NAMESPACE_INITIAL,
		USER_NAMESPACE_INITIAL, USER_NAMESPACE_OTHER, USER_NAMESPACE_UNKNOWN };

	memset(s, 0, sizeof(*s));
	s->container.id = id;
	s->container.runtime = "docker";
	s->container.name = once_in(2) ? (char *)"web" : NULL;
	s->container.pod.namespace_name = once_in(2) ? (char *)"shop" : NULL;
	s->container.in_pod = s->container.pod.namespace_name;
	s->container.type = once_in(4) ? CONTAINER_SANDBOX : CONTAINER_REGULAR;
	s->container.unattributed = once_in(20);
	s->container.opaque = once_in(20);
	s->container.host = once_in(20);
	if (once_in(2)) {
		s->container.declared.known = true;
		s->container.declared.add = any_mask();
		s->container.declared.privileged = once_in(6);
	}
	s->reference.known = !once_in(10);
	s->reference.granted = any_mask();
	s->reference.user_namespace = namespaces[any(ARRAY_SIZE(namespaces))];
	s->reference.user_namespace_key = 1 + any(2);
	s->reference.pid = 1;
	s->reference.start_ticks = 1;
	for (size_t i = 0; i < TASKS; i++)
		s->pointers[i] = &s->tasks[i];
	s->input = (struct judge_input){
		.policy = policy,
		.forced = once_in(6) ? policy_profile(policy, "restricted") : NULL,
		.label = once_in(4) ? policy_profile(policy, "privileged") : NULL,
		.container = &s->container,
		.tasks = s->pointers,
		.task_count = 1 + any(TASKS),
		.reference = &s->reference,
		.now_us = TODAY_US + any(1000000),
		.now_ticks = NOW_TICKS,
		.ticks_per_second = TICKS,
		.violations_alone = once_in(2),
		.impatient = once_in(2),
	};
}

static capability_mask part_of(capability_mask mask)
{
	return mask & (once_in(3) ? UINT64_MAX : (uint64_t)any(UINT32_MAX) << 20 | any(1u << 20));
}

/* As the engine takes it: all five sets within, and the namespace's number the same. */
static void any_task_within(struct scene *s, size_t i, capability_mask permitted)
{
	struct task *task = &s->tasks[i];

	*task = (struct task){
		.pid = (pid_t)(10 + i / 2),
		.tid = (pid_t)(10 + i),
		.start_ticks = any(2) ? 10 : NOW_TICKS - 1,
		.user_namespace = s->reference.user_namespace,
		.user_namespace_key = s->reference.user_namespace_key,
		.leader = i % 2 == 0,
		.forked = once_in(2),
		.outside_parent = once_in(2),
		.runtime_stage = once_in(4),
		.controls_known = once_in(2),
		.no_new_privs = once_in(2),
		.confined = once_in(2),
		.sets_differ = once_in(4),
	};
	for (unsigned k = 0; k < CAPABILITY_SETS; k++)
		task->sets.of[k] = part_of(permitted);
}

static size_t observe(const struct scene *s)
{
	struct reference reference = s->reference;
	struct judge_input input = s->input;
	struct observation *observations;
	struct assessment assessment;
	size_t count;

	input.reference = &reference;
	assert_int_equal(judge_container(&input, &assessment, &observations, &count), 0);
	observations_free(observations, count);
	return count;
}

static void nothing_is_said_of_whoever_is_within_the_permit(void **state)
{
	const unsigned long rounds = under_valgrind(ROUNDS, ROUNDS / 20);
	unsigned policies = 0, permits = 0, wide = 0, excused = 0;

	(void)state;
	for (unsigned long round = 0; round < rounds; round++) {
		_cleanup_(policy_freep) struct policy *policy = any_policy();
		struct scene s;
		capability_mask permitted;

		if (!policy)
			continue;
		policies++;
		any_scene(&s, policy);
		if (!judge_permit(&s.input, &permitted))
			continue;
		permits++;
		wide += permitted == s.reference.granted;
		assert_int_equal(permitted & ~s.reference.granted, 0);
		for (size_t i = 0; i < s.input.task_count; i++)
			any_task_within(&s, i, permitted);
		assert_int_equal(observe(&s), 0);
		/* And it is not so because nobody is looked at. */
		s.tasks[0].runtime_stage = false;
		s.tasks[0].sets.of[CAPABILITY_EFFECTIVE] = s.reference.granted | UINT64_C(1) << 40;
		s.input.impatient = true;
		excused += observe(&s) == 0;
	}
	/* What was tried is worth something. */
	assert_true(policies > rounds / 2 && permits > policies / 3);
	assert_true(wide > permits / 10 && wide < permits);
	assert_true(excused < permits / 2);
}

static void load(struct policy **ret, const char *text)
{
	struct diag diag = { 0 };

	assert_int_equal(policy_load("p", text, strlen(text), ret, &diag), 0);
}

static void set_plain(struct scene *s, const struct policy *policy)
{
	memset(s, 0, sizeof(*s));
	s->container.id = id;
	s->container.runtime = "docker";
	s->reference = (struct reference){ .known = true,
		.granted = CAPABILITY_BIT(12) | CAPABILITY_BIT(10) | CAPABILITY_BIT(21),
		.user_namespace = USER_NAMESPACE_INITIAL,
		.user_namespace_key = 1 };
	s->input = (struct judge_input){ .policy = policy,
		.container = &s->container,
		.reference = &s->reference,
		.now_us = TODAY_US,
		.now_ticks = NOW_TICKS,
		.ticks_per_second = TICKS,
		.violations_alone = true };
}

static void a_permit_is_what_the_profile_allows_of_what_was_granted(void **state)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	capability_mask permitted;
	struct scene s;

	(void)state;
	load(&policy, "version: 1\ndefaultProfile: restricted\n");
	set_plain(&s, policy);
	assert_true(judge_permit(&s.input, &permitted));
	assert_int_equal(permitted, CAPABILITY_BIT(10));
	s.input.forced = policy_profile(policy, "privileged");
	assert_true(judge_permit(&s.input, &permitted));
	assert_int_equal(permitted, s.reference.granted);
}

static void exceptions_count_where_they_cover_all_and_have_not_expired(void **state)
{
	static const char rules[] = "version: 1\ndefaultProfile: restricted\nexceptions:\n"
				    "  - match: { runtime: docker }\n    reason: r\n"
				    "    expires: 2026-09-04\n    allow: ";
	static const struct {
		const char *allow;
		uint64_t later_us;
		bool all;
	} rows[] = { { "[NET_ADMIN, SYS_ADMIN]\n", 0, true }, { "[ALL]\n", 0, true },
		{ "[NET_ADMIN]\n", 0, false },
		{ "[NET_ADMIN, SYS_ADMIN]\n", UINT64_C(24) * 3600 * 1000000, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(policy_freep) struct policy *policy = NULL;
		capability_mask permitted;
		struct scene s;
		char text[512];

		(void)snprintf(text, sizeof(text), "%s%s", rules, rows[i].allow);
		load(&policy, text);
		set_plain(&s, policy);
		s.input.now_us += rows[i].later_us;
		assert_true(judge_permit(&s.input, &permitted));
		assert_int_equal(permitted, rows[i].all ? s.reference.granted : CAPABILITY_BIT(10));
		s.input.violations_alone = false; /* then what is excepted is told */
		assert_true(judge_permit(&s.input, &permitted));
		assert_int_equal(permitted, CAPABILITY_BIT(10));
	}
}

static void nothing_is_permitted_where_a_process_decides_or_too_little_is_known(void **state)
{
	_cleanup_(policy_freep) struct policy *policy = NULL, *plain = NULL;
	capability_mask permitted;
	struct scene s;

	(void)state;
	load(&policy, "version: 1\nrules:\n  - match: { namespace: x }\n    profile: privileged\n"
		      "    require: [seccomp]\n");
	load(&plain, "version: 1\n");
	set_plain(&s, policy);
	assert_false(judge_permit(&s.input, &permitted));
	set_plain(&s, plain);
	assert_true(judge_permit(&s.input, &permitted));
	s.reference.known = false;
	assert_false(judge_permit(&s.input, &permitted));
	s.reference.known = true;
	s.reference.user_namespace = USER_NAMESPACE_UNKNOWN;
	assert_false(judge_permit(&s.input, &permitted));
	s.reference.user_namespace = USER_NAMESPACE_OTHER;
	assert_true(judge_permit(&s.input, &permitted));
	s.container.host = true;
	assert_false(judge_permit(&s.input, &permitted));
	s.container.host = false;
	s.container.opaque = true;
	assert_false(judge_permit(&s.input, &permitted));
	s.container.opaque = false;
	s.container.unattributed = true;
	assert_false(judge_permit(&s.input, &permitted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_of_whoever_is_within_the_permit),
		cmocka_unit_test(a_permit_is_what_the_profile_allows_of_what_was_granted),
		cmocka_unit_test(exceptions_count_where_they_cover_all_and_have_not_expired),
		cmocka_unit_test(
			nothing_is_permitted_where_a_process_decides_or_too_little_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
