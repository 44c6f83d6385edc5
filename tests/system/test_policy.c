/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Policy files over real containers: rules, profiles, exceptions and what they require.
 */
#include "sys.h"

#include <time.h>

static struct sys_container *start_named(struct sys *sys, uint64_t capabilities, bool seccomp)
{
	return sys_start(sys, &(struct sys_spec){ .capabilities = capabilities,
				      .seccomp = seccomp,
				      .name = "agent",
				      .pod = "calico-x2k",
				      .namespace_name = "cni" });
}

static struct sys_result *scan_with(struct sys *sys, enum sys_user user,
	const struct sys_container *container, const char *text)
{
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);

	sys_write_file(policy, text);
	return sys_scan(sys, user, "--policy", policy, "--container", container->id, NULL);
}

static void the_first_rule_that_matches_chooses_the_profile(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, SYS_NET_ADMIN, false);
	const struct sys_result *scan = scan_with(sys, SYS_ROOT, container,
		"version: 1\n"
		"defaultProfile: restricted\n"
		"profiles:\n"
		"  network: { extends: restricted, allow: [NET_ADMIN] }\n"
		"rules:\n"
		"  - match: { namespace: other }\n"
		"    profile: privileged\n"
		"  - match: { namespace: c*, pod: [x-*, calico-*], container: agent }\n"
		"    profile: network\n"
		"  - match: { namespace: cni }\n"
		"    profile: restricted\n");
	json_t *seen = sys_seen(scan, container);

	assert_int_equal(scan->status, 0);
	assert_string_equal(sys_get(sys, seen, "verdict"), "compliant");
	assert_string_equal(sys_get(sys, seen, "profile.name"), "network");
	assert_string_equal(sys_get(sys, seen, "profile.source"), "rule");
	assert_string_equal(sys_get(sys, scan->json, "policy.default_profile"), "restricted");
	assert_non_null(strstr(sys_get(sys, scan->json, "policy.file"), "policy.yaml"));
}

static void the_command_line_wins_over_rules(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, SYS_NET_ADMIN, false);
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);

	sys_write_file(policy,
		"version: 1\nrules:\n  - { match: { namespace: cni }, profile: privileged }\n");
	const struct sys_result *scan = sys_scan(sys, SYS_ROOT, "--policy", policy, "--profile",
		"restricted", "--container", container->id, NULL);

	assert_int_equal(scan->status, 1);
	assert_string_equal(
		sys_get(sys, sys_seen(scan, container), "profile.source"), "command-line");
}

/* Of the key and the value of a rule that needs the API: unknown matches nothing. */
static void a_key_that_nothing_is_known_of_matches_nothing(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, SYS_NET_ADMIN, false);
	const struct sys_result *scan = scan_with(sys, SYS_ROOT, container,
		"version: 1\n"
		"rules:\n"
		"  - { match: { owner: \"*\" }, profile: privileged }\n"
		"  - { match: { namespaceSelector: { team: \"*\" } }, profile: privileged }\n"
		"  - { match: { image: \"*\" }, profile: privileged }\n");

	assert_int_equal(scan->status, 1);
	assert_string_equal(sys_get(sys, sys_seen(scan, container), "profile.source"), "default");
}

static void an_unmet_requirement_keeps_the_rule_from_applying(void **state)
{
	static const char policy[] = "version: 1\n"
				     "rules:\n"
				     "  - match: { runtime: unknown-cri }\n"
				     "    require: [seccomp]\n"
				     "    profile: privileged\n";
	struct sys *sys = *state;
	struct sys_container *without = start_named(sys, SYS_SYS_ADMIN, false);
	struct sys_container *with = start_named(sys, SYS_SYS_ADMIN, true);

	for (int user = SYS_ROOT; user <= SYS_NOBODY; user++) {
		const struct sys_result *scan =
			scan_with(sys, (enum sys_user)user, without, policy);

		assert_int_equal(scan->status, 1);
		assert_true(sys_has_hint(sys_finding(scan, without, NULL), "require-unmet"));
		scan = scan_with(sys, (enum sys_user)user, with, policy);
		assert_int_equal(scan->status, 0);
		assert_string_equal(
			sys_get(sys, sys_seen(scan, with), "profile.name"), "privileged");
	}
}

static void an_exception_takes_away_what_it_allows(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, SYS_NET_ADMIN | SYS_SYS_ADMIN, false);
	const struct sys_result *scan = scan_with(sys, SYS_ROOT, container,
		"version: 1\n"
		"exceptions:\n"
		"  - match: { namespace: cni, pod: \"calico-*\", container: agent }\n"
		"    allow: [NET_ADMIN]\n"
		"    reason: the CNI plugin sets up interfaces\n");
	json_t *finding = sys_finding(scan, container, "posture");

	assert_int_equal(scan->status, 1);
	assert_string_equal(sys_get(sys, finding, "verdict"), "violation");
	assert_string_equal(sys_get(sys, finding, "excess.effective"), "SYS_ADMIN");
}

static void what_is_excepted_whole_is_shown_with_its_reason(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, SYS_NET_ADMIN, false);
	const struct sys_result *scan = scan_with(sys, SYS_ROOT, container,
		"version: 1\n"
		"exceptions:\n"
		"  - match: { namespace: cni, pod: \"calico-*\", container: agent }\n"
		"    allow: [NET_ADMIN]\n"
		"    reason: the CNI plugin sets up interfaces\n"
		"    expires: 2999-12-31\n");
	json_t *finding = sys_finding(scan, container, "posture");

	assert_int_equal(scan->status, 0);
	assert_string_equal(sys_get(sys, sys_seen(scan, container), "verdict"), "excepted");
	assert_string_equal(sys_get(sys, finding, "verdict"), "excepted");
	assert_string_equal(sys_get(sys, finding, "severity"), "null");
	assert_string_equal(
		sys_get(sys, finding, "exception.reason"), "the CNI plugin sets up interfaces");
	assert_string_equal(sys_get(sys, finding, "exception.expires"), "2999-12-31");
	assert_string_equal(sys_get(sys, scan->json, "totals.excepted"), "1");
	assert_string_equal(sys_get(sys, scan->json, "totals.violations"), "0");
}

static void an_expired_exception_counts_no_more(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, SYS_NET_ADMIN, false);
	const struct sys_result *scan = scan_with(sys, SYS_ROOT, container,
		"version: 1\n"
		"exceptions:\n"
		"  - match: { namespace: cni }\n"
		"    allow: [NET_ADMIN]\n"
		"    reason: it did once\n"
		"    expires: 2020-02-29\n");
	json_t *finding = sys_finding(scan, container, "posture");

	assert_int_equal(scan->status, 1);
	assert_string_equal(sys_get(sys, finding, "verdict"), "violation");
	assert_true(sys_has_hint(finding, "exception-expired"));
}

static void the_last_day_of_an_exception_counts(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, SYS_NET_ADMIN, false);
	time_t now = time(NULL);
	struct tm day;
	char today[32];

	(void)gmtime_r(&now, &day);
	(void)strftime(today, sizeof(today), "%Y-%m-%d", &day);
	const struct sys_result *scan = scan_with(sys, SYS_ROOT, container,
		sys_print(sys,
			"version: 1\n"
			"exceptions:\n"
			"  - match: { namespace: cni }\n"
			"    allow: [NET_ADMIN]\n"
			"    reason: until tonight\n"
			"    expires: %s\n",
			today));

	/* Unless the day ended meanwhile. */
	if (time(NULL) / 86400 != now / 86400)
		skip();
	assert_int_equal(scan->status, 0);
	assert_true(sys_has_hint(sys_finding(scan, container, NULL), "exception-expires"));
}

static void drift_is_excepted_only_where_the_exception_says_drift(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, 0, false);

	(void)sys_exec(sys, container, SYS_SYS_ADMIN, NULL);
	const struct sys_result *posture = scan_with(sys, SYS_ROOT, container,
		"version: 1\nexceptions:\n  - match: { namespace: cni }\n    allow: [SYS_ADMIN]\n"
		"    reason: maintenance\n");
	const struct sys_result *drift = scan_with(sys, SYS_ROOT, container,
		"version: 1\nexceptions:\n  - match: { namespace: cni }\n    allow: [SYS_ADMIN]\n"
		"    class: drift\n    reason: maintenance\n");

	assert_int_equal(posture->status, 1);
	assert_string_equal(
		sys_get(sys, sys_finding(posture, container, "drift"), "verdict"), "violation");
	assert_int_equal(drift->status, 0);
	assert_string_equal(
		sys_get(sys, sys_finding(drift, container, "drift"), "verdict"), "excepted");
}

static void a_profile_can_tolerate(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, SYS_NET_ADMIN, false);
	const struct sys_result *scan = scan_with(sys, SYS_ROOT, container,
		"version: 1\n"
		"profiles:\n"
		"  lenient: { extends: restricted, tolerate: [NET_ADMIN] }\n"
		"defaultProfile: lenient\n");

	assert_int_equal(scan->status, 0);
	assert_string_equal(sys_get(sys, sys_seen(scan, container), "verdict"), "tolerated");
	assert_string_equal(sys_get(sys, scan->json, "totals.tolerated"), "1");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(the_first_rule_that_matches_chooses_the_profile),
		SYS_TEST(the_command_line_wins_over_rules),
		SYS_TEST(a_key_that_nothing_is_known_of_matches_nothing),
		SYS_TEST(an_unmet_requirement_keeps_the_rule_from_applying),
		SYS_TEST(an_exception_takes_away_what_it_allows),
		SYS_TEST(what_is_excepted_whole_is_shown_with_its_reason),
		SYS_TEST(an_expired_exception_counts_no_more),
		SYS_TEST(the_last_day_of_an_exception_counts),
		SYS_TEST(drift_is_excepted_only_where_the_exception_says_drift),
		SYS_TEST(a_profile_can_tolerate),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
