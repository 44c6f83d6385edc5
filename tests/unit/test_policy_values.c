/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a policy holds once it is read: profiles, settings, exceptions, and what is there without a
 * file.
 */
#include <capauditd/macros.h>
#include <capauditd/policy.h>

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BIT(name) CAPABILITY_BIT(CAPABILITY_##name)

static struct policy *load(const char *text)
{
	struct policy *policy = NULL;
	struct diag diag = { 0 };

	if (policy_load("policy.yaml", text, strlen(text), &policy, &diag) != 0)
		fail_msg("%u:%u: %s in:\n%s", diag.line, diag.column, diag.message, text);
	return policy;
}

static void assert_profile(const struct policy *policy, const char *name, capability_mask allow,
	capability_mask tolerate)
{
	const struct profile *profile = policy_profile(policy, name);

	assert_non_null(profile);
	assert_string_equal(profile->name, name);
	assert_int_equal(profile->allow, allow);
	assert_int_equal(profile->tolerate, tolerate);
}

static void the_built_in_profiles_are_those_of_the_standards(void **state)
{
	static const char *const order[] = { "restricted", "baseline", "baseline-strict",
		"privileged" };
	struct policy *policy = policy_new_default();

	(void)state;
	assert_profile(policy, "restricted", 0x400, 0);
	assert_profile(policy, "baseline", 0xa80405fb, BIT(NET_RAW));
	assert_profile(policy, "baseline-strict", 0xa80405fb, 0);
	assert_profile(policy, "privileged", UINT64_MAX, 0);
	assert_int_equal(policy_profile_count(policy), ARRAY_SIZE(order));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_string_equal(policy_profile_at(policy, i)->name, order[i]);
	assert_int_equal(policy_own_profile_count(policy), 0);
	assert_null(policy_profile(policy, "Baseline"));
	assert_string_equal(policy_profile_nearest(policy, "restrictd"), "restricted");
	assert_null(policy_profile_nearest(policy, "web"));
	policy_free(policy);
}

static void assert_is_default(const struct policy *policy)
{
	const struct run_settings *run = policy_run(policy);

	assert_string_equal(policy_default_profile(policy)->name, "baseline");
	assert_int_equal(policy_namespace_labels(policy), NAMESPACE_LABELS_ON);
	assert_int_equal(policy_rule_count(policy), 0);
	assert_int_equal(policy_exception_count(policy), 0);
	assert_false(policy_needs_controls(policy));
	assert_int_equal(run->interval_us, 30000000);
	assert_int_equal(run->resolve_after_us, 300000000);
	assert_int_equal(run->outputs, 0);
	assert_false(run->report_all);
	assert_false(run->full_cmdline);
	assert_null(run->engine);
	assert_null(run->metrics);
	assert_null(run->socket);
	assert_null(run->state);
	assert_null(run->host_root);
	assert_null(run->bundles);
	assert_null(run->cgroup_bases);
}

static void without_a_file_everything_is_the_default(void **state)
{
	struct policy *policy = policy_new_default();

	(void)state;
	assert_null(policy_file(policy));
	assert_is_default(policy);
	policy_free(policy);
}

static void the_least_file_is_the_default_too(void **state)
{
	struct policy *policy = load("version: 1\n");

	(void)state;
	assert_string_equal(policy_file(policy), "policy.yaml");
	assert_is_default(policy);
	policy_free(policy);
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	policy_free(NULL);
}

static void a_profile_adds_to_what_it_extends_wherever_that_stands(void **state)
{
	struct policy *policy = load("version: 1\n"
				     "profiles:\n"
				     "  c: { extends: b, allow: [KILL], tolerate: [SYSLOG] }\n"
				     "  b: { extends: a, tolerate: [NET_RAW, NET_ADMIN] }\n"
				     "  a: { extends: restricted, allow: [CHOWN] }\n"
				     "  d: { extends: b, allow: [NET_RAW] }\n"
				     "  e: { allow: [CAP_SETUID, setgid] }\n"
				     "  f: { allow: [] }\n"
				     "  g: { allow: [ALL], tolerate: [KILL] }\n"
				     "  h: { extends: baseline }\n");
	const capability_mask a = BIT(NET_BIND_SERVICE) | BIT(CHOWN);

	(void)state;
	assert_profile(policy, "a", a, 0);
	assert_profile(policy, "b", a, BIT(NET_RAW) | BIT(NET_ADMIN));
	assert_profile(policy, "c", a | BIT(KILL), BIT(NET_RAW) | BIT(NET_ADMIN) | BIT(SYSLOG));
	assert_profile(policy, "d", a | BIT(NET_RAW), BIT(NET_ADMIN));
	assert_profile(policy, "e", BIT(SETUID) | BIT(SETGID), 0);
	assert_profile(policy, "f", 0, 0);
	assert_profile(policy, "g", UINT64_MAX, 0);
	assert_profile(policy, "h", 0xa80405fb, BIT(NET_RAW));
	assert_int_equal(policy_own_profile_count(policy), 8);
	assert_string_equal(policy_profile_at(policy, 4)->name, "c");
	assert_string_equal(policy_profile_at(policy, 11)->name, "h");
	assert_string_equal(policy_profile_nearest(policy, "A"), "a");
	policy_free(policy);
}

static void the_settings_of_the_daemon_are_taken(void **state)
{
	struct policy *policy = load("version: 1\n"
				     "run:\n"
				     "  interval: 1h\n"
				     "  engine: procfs\n"
				     "  outputs: [stdout, journal, stdout]\n"
				     "  report: all\n"
				     "  resolveAfter: 1m30s\n"
				     "  cmdline: full\n"
				     "  metrics: off\n"
				     "  socket: /run/x.sock\n"
				     "  state: /var/lib/x/\n"
				     "  hostRoot: //\n"
				     "  bundles: [/run/a/, /run/b]\n"
				     "  cgroupBases: [/kind///, /docker/abc]\n");
	const struct run_settings *run = policy_run(policy);

	(void)state;
	assert_int_equal(run->interval_us, 3600000000);
	assert_string_equal(run->engine, "procfs");
	assert_int_equal(run->outputs, OUTPUT_JOURNAL | OUTPUT_STDOUT);
	assert_true(run->report_all);
	assert_int_equal(run->resolve_after_us, 90000000);
	assert_true(run->full_cmdline);
	assert_string_equal(run->metrics, "off");
	assert_string_equal(run->socket, "/run/x.sock");
	assert_string_equal(run->state, "/var/lib/x");
	assert_string_equal(run->host_root, "/");
	assert_string_equal(run->bundles[0], "/run/a");
	assert_string_equal(run->bundles[1], "/run/b");
	assert_null(run->bundles[2]);
	assert_string_equal(run->cgroup_bases[0], "/kind");
	assert_string_equal(run->cgroup_bases[1], "/docker/abc");
	assert_null(run->cgroup_bases[2]);
	policy_free(policy);
}

static void the_words_that_are_the_default_can_be_written(void **state)
{
	struct policy *policy = load("version: 1\n"
				     "defaultProfile: baseline\n"
				     "namespaceLabels: on\n"
				     "run: { interval: 30s, resolveAfter: 5m, report: violations,\n"
				     "  cmdline: first, bundles: auto }\n");

	(void)state;
	assert_is_default(policy);
	policy_free(policy);
}

static void bundles_that_are_off_are_an_empty_list(void **state)
{
	struct policy *policy = load("version: 1\nrun: { bundles: off }\n");

	(void)state;
	assert_non_null(policy_run(policy)->bundles);
	assert_null(policy_run(policy)->bundles[0]);
	policy_free(policy);
}

static void durations_are_added_up(void **state)
{
	static const struct {
		const char *text;
		uint64_t us;
	} rows[] = {
		{ "1s", 1000000 },
		{ "1000ms", 1000000 },
		{ "1500ms", 1500000 },
		{ "59m60s", 3600000000 },
		{ "0h0m1s500ms", 1500000 },
		{ "60m", 3600000000 },
		{ "007s", 7000000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[128];
		struct policy *policy;

		(void)snprintf(
			text, sizeof(text), "version: 1\nrun: { interval: %s }\n", rows[i].text);
		policy = load(text);
		assert_int_equal(policy_run(policy)->interval_us, rows[i].us);
		policy_free(policy);
	}
}

/* A setting that takes any of `values`, and none of `others`. */
static void assert_takes(const char *format, const char *const *values, const char *const *others)
{
	for (unsigned bad = 0; bad < 2; bad++) {
		for (const char *const *value = bad ? others : values; *value; value++) {
			struct policy *policy = NULL;
			struct diag diag = { 0 };
			char *text = NULL;
			int r;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			assert_true(asprintf(&text, format, *value) > 0);
#pragma GCC diagnostic pop
			r = policy_load("p", text, strlen(text), &policy, &diag);
			if (r != (bad ? -EINVAL : 0))
				fail_msg("%s: %d, %s", text, r, diag.message);
			policy_free(policy);
			free(text);
		}
	}
}

static void durations_have_a_strict_form(void **state)
{
	static const char *const good[] = { "1s", "1h", "3600s", NULL };
	static const char *const bad[] = { "s", "1", "1.5s", "1 s", "1d", "1S", "+1s", "1s5",
		"1msm", "1sm", "\"\"", "999ms", "3601s", "1h1ms", "18446744073709551616s",
		"18446744073709551615s", "5124095576h0s1s", "18446744073710552ms",
		"18446744073709551ms2s", NULL };

	(void)state;
	assert_takes("version: 1\nrun: { interval: %s }\n", good, bad);
}

static void listening_addresses_have_a_strict_form(void **state)
{
	static const char *const good[] = { "0.0.0.0:1", "255.255.255.255:65535", "127.0.0.1:9477",
		"\"[::1]:9477\"", "\"[::]:9477\"", "\"[fe80::1:2]:80\"", "\"off\"", NULL };
	static const char *const bad[] = { "on", "9477", "\":9477\"", "1.2.3:80", "1.2.3.4.5:80",
		"127.0.0.01:80", "256.0.0.1:80", "1.2.3.4:0", "1.2.3.4:", "1.2.3.4:80x",
		"1.2.3.4:080000", "\"[::1]\"", "\"[::1]9477\"", "\"[]:80\"", "\"[1]:80\"",
		"\"[::1:80\"", "\"::1:80\"", "\"[::::]:80\"", "\"[127.0.0.1]:80\"", "\"[g::]:80\"",
		"1..3.4:80", NULL };

	(void)state;
	assert_takes("version: 1\nrun: { metrics: %s }\n", good, bad);
}

static void the_socket_is_a_path_or_off(void **state)
{
	static const char *const good[] = { "/run/x", "\"off\"", NULL };
	static const char *const bad[] = { "on", "run/x", "\"\"", "[off]", "Off", NULL };

	(void)state;
	assert_takes("version: 1\nrun: { socket: %s }\n", good, bad);
}

static void label_keys_are_those_of_kubernetes(void **state)
{
	static const char *const good[] = { "a", "team", "app.kubernetes.io/name", "A_b-c.d", "9",
		"x-y.z/Name_1", NULL };
	static const char *const bad[] = { "/a", "a/", "-a", "a-", ".a", "_a", "a b", "a/b/c",
		"a_b/c", "A/b", "\"a*\"", "\"\"", "é",
		"a23456789b123456789c123456789d123456789e123456789f123456789g1234", NULL };

	(void)state;
	assert_takes("version: 1\nrules: [{match: {podSelector: {%s: x}}, profile: baseline}]\n",
		good, bad);
}

static void globs_that_something_can_match_are_taken(void **state)
{
	static const char *const good[] = { "namespace: a-1", "namespace: \"*\"",
		"namespace: '[!a]*'", "namespace: '[[:digit:]]'", "namespace: '[]a]'",
		"pod: '[!]]x'", "namespace: '[a\\]]'", "pod: a.b_C-1", "pod: '[^A-Z]'",
		"owner: '*node'", "owner: Foo/bar", "owner: 'Deployment/*'",
		"owner: '?eployment/x'", "container: 'a b'", "container: /", "image: a/b@sha256:0",
		"runtime: '*'", "runtime: host", "runtime: '[dp]o*'", "containerType: '*r*'",
		"containerId: pidns-12-3456", "containerId: '0123456789ab*'",
		"containerId: 0123456789", "containerId: my-box",
		"runtime: containerd, containerId: redis", "runtime: podman, containerId: '???*'",
		"runtime: [podman, lxc], containerId: my-box", "runtime: host, container: x",
		"runtime: '*', namespace: x", NULL };
	static const char *const bad[] = { "namespace: '[A-Z]'", "namespace: a.b", "namespace: a/b",
		"namespace: '[/]*'", "namespace: '[[:upper:]]*'", "namespace: 'a\\'",
		"namespace: '[a\\]'", "namespace: '[[:digit:]'", "pod: 'a b'", "pod: a:b",
		"owner: node", "owner: 'a b/c'", "owner: deployment/x", "image: 'a b'",
		"runtime: Docker", "runtime: '[x]*'", "containerType: '[x]*'",
		"containerId: 0123456789ab", "runtime: docker, containerId: 0123456789ab",
		"runtime: docker, containerId: ABC*", "runtime: docker, containerId: '[0-9]?\\a'",
		"runtime: docker, containerId: abc", "runtime: docker, containerId: '[x-z]*'",
		"runtime: host, pod: x", "runtime: h*t, image: x",
		"runtime: host, podSelector: { a: b }", NULL };

	(void)state;
	assert_takes("version: 1\nrules: [{match: {%s}, profile: baseline}]\n", good, bad);
}

static void exceptions_know_their_last_day(void **state)
{
	static const struct {
		const char *date;
		uint64_t day;
	} rows[] = {
		{ "1970-01-01", 0 },
		{ "1970-03-01", 59 },
		{ "1972-02-29", 789 },
		{ "2000-02-29", 11016 },
		{ "2027-01-31", 20849 },
		{ "9999-12-31", 2932896 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct policy_exception *exception;
		struct policy *policy;
		char text[256];

		(void)snprintf(text, sizeof(text),
			"version: 1\nexceptions: [{match: {pod: x}, allow: [KILL, BPF], reason: r, "
			"expires: %s}]\n",
			rows[i].date);
		policy = load(text);
		assert_int_equal(policy_exception_count(policy), 1);
		exception = policy_exception_at(policy, 0);
		assert_string_equal(exception->expires, rows[i].date);
		assert_int_equal(exception->expires_day, rows[i].day);
		assert_int_equal(exception->allow, BIT(KILL) | BIT(BPF));
		policy_free(policy);
	}
}

static void dates_have_a_strict_form(void **state)
{
	static const char *const good[] = { "2024-02-29", "2400-02-29", "\"2027-12-31\"", NULL };
	static const char *const bad[] = { "2023-02-29", "1900-02-29", "2027-04-31", "2027-00-01",
		"2027-01-00", "2027-01-32", "1969-12-31", "27-01-31", "2027-1-31", "2027/01/31",
		"20270131", "2027-01-31 ", "02027-01-31", "2027-01-311", "tomorrow", NULL };

	(void)state;
	assert_takes("version: 1\nexceptions: [{match: {pod: x}, allow: [KILL], reason: r, "
		     "expires: '%s'}]\n",
		(const char *const[]){ "2024-02-29", NULL }, bad);
	assert_takes("version: 1\nexceptions: [{match: {pod: x}, allow: [KILL], reason: r, "
		     "expires: %s}]\n",
		good, (const char *const[]){ "x", NULL });
}

static void an_exception_without_a_last_day_never_expires(void **state)
{
	struct policy *policy = load("version: 1\n"
				     "exceptions: [{match: {pod: x}, allow: [KILL], reason: r}]\n");

	(void)state;
	assert_null(policy_exception_at(policy, 0)->expires);
	assert_int_equal(policy_exception_at(policy, 0)->expires_day, UINT64_MAX);
	policy_free(policy);
}

static void a_reason_is_one_line(void **state)
{
	struct policy *policy = load("version: 1\n"
				     "exceptions:\n"
				     "  - match: { pod: x }\n"
				     "    allow: [KILL]\n"
				     "    reason: |\n"
				     "      asked for by the\n"
				     "      network team\n"
				     "\n");

	(void)state;
	assert_string_equal(
		policy_exception_at(policy, 0)->reason, "asked for by the network team");
	policy_free(policy);
}

static void controls_are_needed_where_something_requires_them(void **state)
{
	static const struct {
		const char *text;
		bool needed;
	} rows[] = {
		{ "rules: [{match: {pod: x}, profile: baseline}]", false },
		{ "rules: [{match: {pod: x}, profile: baseline, require: [lsm]}]", true },
		{ "exceptions: [{match: {pod: x}, allow: [KILL], reason: r}]", false },
		{ "exceptions: [{match: {pod: x}, allow: [KILL], reason: r, require: [seccomp]}]",
			true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct policy *policy;
		char text[256];

		(void)snprintf(text, sizeof(text), "version: 1\n%s\n", rows[i].text);
		policy = load(text);
		assert_int_equal(policy_needs_controls(policy), rows[i].needed);
		policy_free(policy);
	}
}

static void a_day_ends_at_midnight_in_utc(void **state)
{
	const uint64_t day_us = UINT64_C(86400000000);

	(void)state;
	assert_int_equal(policy_day(0), 0);
	assert_int_equal(policy_day(day_us - 1), 0);
	assert_int_equal(policy_day(day_us), 1);
	assert_int_equal(policy_day(20849 * day_us + day_us / 2), 20849);
}

static void names_are_those_of_the_interface(void **state)
{
	(void)state;
	assert_string_equal(profile_source_name(PROFILE_FROM_COMMAND_LINE), "command-line");
	assert_string_equal(profile_source_name(PROFILE_FROM_RULE), "rule");
	assert_string_equal(profile_source_name(PROFILE_FROM_NAMESPACE_LABEL), "namespace-label");
	assert_string_equal(profile_source_name(PROFILE_FROM_DEFAULT), "default");
	assert_string_equal(control_name(0), "seccomp");
	assert_string_equal(control_name(1), "noNewPrivs");
	assert_string_equal(control_name(2), "userNamespace");
	assert_string_equal(control_name(3), "lsm");
	assert_null(control_name(4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_built_in_profiles_are_those_of_the_standards),
		cmocka_unit_test(without_a_file_everything_is_the_default),
		cmocka_unit_test(the_least_file_is_the_default_too),
		cmocka_unit_test(freeing_nothing_is_fine),
		cmocka_unit_test(a_profile_adds_to_what_it_extends_wherever_that_stands),
		cmocka_unit_test(the_settings_of_the_daemon_are_taken),
		cmocka_unit_test(the_words_that_are_the_default_can_be_written),
		cmocka_unit_test(bundles_that_are_off_are_an_empty_list),
		cmocka_unit_test(durations_are_added_up),
		cmocka_unit_test(durations_have_a_strict_form),
		cmocka_unit_test(listening_addresses_have_a_strict_form),
		cmocka_unit_test(the_socket_is_a_path_or_off),
		cmocka_unit_test(label_keys_are_those_of_kubernetes),
		cmocka_unit_test(globs_that_something_can_match_are_taken),
		cmocka_unit_test(exceptions_know_their_last_day),
		cmocka_unit_test(dates_have_a_strict_form),
		cmocka_unit_test(an_exception_without_a_last_day_never_expires),
		cmocka_unit_test(a_reason_is_one_line),
		cmocka_unit_test(controls_are_needed_where_something_requires_them),
		cmocka_unit_test(a_day_ends_at_midnight_in_utc),
		cmocka_unit_test(names_are_those_of_the_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
