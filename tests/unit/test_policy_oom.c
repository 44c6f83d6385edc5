/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a policy when memory runs out: every allocation fails once, in turn. It says -ENOMEM,
 * gives nothing and, as the sanitizers see it, leaks nothing; what it says of a bad policy is not
 * made up.
 */
#include "../support/fail_allocation.h"

#include <capauditd/command.h>
#include <capauditd/macros.h>
#include <capauditd/policy.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Everything that a policy can hold, with profiles that stand before what they extend. */
static const char rich[] =
	"version: 1\n"
	"defaultProfile: api\n"
	"namespaceLabels: stricter\n"
	"profiles:\n"
	"  api: { extends: web, tolerate: [NET_RAW] }\n"
	"  web: { extends: restricted, allow: [CHOWN, SETUID] }\n"
	"rules:\n"
	"  - match: { namespace: [kube-system, 'cni-*'], owner: DaemonSet/aws-node }\n"
	"    profile: privileged\n"
	"  - match: { namespaceSelector: { team: '*', tier: [a, b] }, containerType: [init] }\n"
	"    profile: web\n"
	"  - match: { podSelector: { app: '' }, pod: 'x-[0-9]', image: registry.example/* }\n"
	"    require: [seccomp, noNewPrivs]\n"
	"    profile: api\n"
	"  - match: { runtime: podman, container: ci-*, containerId: '0123*' }\n"
	"    profile: baseline\n"
	"exceptions:\n"
	"  - match: { namespace: cni }\n"
	"    allow: [NET_ADMIN, ALL]\n"
	"    class: drift\n"
	"    require: [lsm]\n"
	"    reason: the CNI plugin\n"
	"    expires: 2027-01-31\n"
	"run:\n"
	"  { interval: 30s, engine: auto, outputs: [journal], report: all, resolveAfter: 5m,\n"
	"    cmdline: full, metrics: '127.0.0.1:9477', socket: /run/s, state: /var/lib/s,\n"
	"    bundles: [/run/a, /run/b], hostRoot: /host, cgroupBases: [/kind/] }\n";

/* Fails each allocation in turn; returns how many there are. `expected` is the answer when none
 * does, and also a fair one where the failure came after the answer was known. */
static unsigned long sweep(const char *text, size_t length, int expected, bool may_say_expected)
{
	for (unsigned long n = 1;; n++) {
		struct policy *const untouched = (struct policy *)(void *)&n;
		struct policy *policy = untouched;
		struct diag diag = { 0 };
		bool fired;
		int r;

		fail_allocation_at(n);
		r = policy_load("policy.yaml", text, length, &policy, &diag);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		if (r == 0)
			policy_free(policy);
		else
			assert_ptr_equal(policy, untouched);
		if (!fired) {
			assert_int_equal(r, expected);
			return n - 1;
		}
		if (!(may_say_expected && r == expected))
			assert_int_equal(r, -ENOMEM);
	}
}

static void a_rich_policy_is_read_or_there_is_no_memory(void **state)
{
	unsigned long allocations = sweep(rich, sizeof(rich) - 1, 0, false);

	(void)state;
	assert_true(allocations > 100);
}

static void what_was_read_after_a_failure_is_complete(void **state)
{
	struct policy *policy = NULL;

	(void)state;
	(void)sweep(rich, sizeof(rich) - 1, 0, false);
	assert_int_equal(policy_load("p", rich, sizeof(rich) - 1, &policy, NULL), 0);
	assert_int_equal(policy_rule_count(policy), 4);
	assert_int_equal(policy_exception_count(policy), 1);
	assert_int_equal(policy_own_profile_count(policy), 2);
	policy_free(policy);
}

static void a_bad_policy_is_never_taken_for_a_good_one(void **state)
{
	static const char *const bad[] = {
		"",
		"version: 2\n",
		"version: 1\nrules: [a",
		"version: 1\nprofiles: { a: { extends: b }, b: { extends: a } }\n",
		"version: 1\nprofiles: { a: { allow: [NET_RAWW] } }\n",
		"version: 1\ndefaultProfile: baselin\n",
		"version: 1\nrules: [{ match: { pod: x }, profile: y }]\n",
		"version: 1\nrules: &a [*a]\n",
		"version: 1\n---\nversion: 1\n",
		"\xff",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		(void)sweep(bad[i], strlen(bad[i]), -EINVAL, true);
}

static void the_built_in_policy_is_there_or_not(void **state)
{
	unsigned long n = 0;
	bool fired;

	(void)state;
	do {
		struct policy *policy;

		fail_allocation_at(++n);
		policy = policy_new_default();
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		if (fired)
			assert_null(policy);
		else
			assert_non_null(policy);
		policy_free(policy);
	} while (fired);
	assert_true(n > 1);
}

static void a_command_says_that_there_is_no_memory(void **state)
{
	static const char *const paths[] = { "none", "tests/data/policy/good/everything.yaml" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		bool fired = true;

		for (unsigned long n = 1; fired; n++) {
			struct policy *policy = NULL;
			struct diag diag = { 0 };
			int r;

			fail_allocation_at(n);
			r = command_load_policy(paths[i], &policy, &diag);
			fired = fail_allocation_fired();
			fail_allocation_at(0);
			assert_int_equal(r, fired ? -ENOMEM : 0);
			if (fired)
				assert_non_null(strstr(diag.message, "Cannot allocate memory"));
			policy_free(policy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rich_policy_is_read_or_there_is_no_memory),
		cmocka_unit_test(what_was_read_after_a_failure_is_complete),
		cmocka_unit_test(a_bad_policy_is_never_taken_for_a_good_one),
		cmocka_unit_test(the_built_in_policy_is_there_or_not),
		cmocka_unit_test(a_command_says_that_there_is_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
