/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a namespace's labels stand for, as the API server reads them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/pod_security.h>

#include <string.h>

static const struct row {
	const char *level, *version; /* NULL: no such label */
	const char *profile;	     /* NULL: the cluster's default */
} rows[] = {
	{ NULL, NULL, NULL },
	{ NULL, "v1.25", NULL },
	{ "restricted", NULL, "restricted" },
	{ "baseline", NULL, "baseline" },
	{ "privileged", NULL, "privileged" },
	{ "restricted", "latest", "restricted" },
	{ "restricted", "v1.22", "restricted" },
	{ "restricted", "v1.21", "baseline" },
	{ "restricted", "v1.0", "baseline" },
	{ "restricted", "v1.100", "restricted" },
	{ "baseline", "v1.0", "baseline" },
	{ "privileged", "v1.0", "privileged" },
	/* Levels that the API server does not know mean restricted, */
	{ "strict", NULL, "restricted" },
	{ "", NULL, "restricted" },
	{ "Restricted", NULL, "restricted" },
	{ "baseline-strict", NULL, "restricted" },
	{ "strict", "v1.0", "restricted" },
	/* and versions that it cannot read the latest. */
	{ "restricted", "", "restricted" },
	{ "restricted", "1.21", "restricted" },
	{ "restricted", "v1.021", "restricted" },
	{ "restricted", "v1.", "restricted" },
	{ "restricted", "v1.-1", "restricted" },
	{ "restricted", "v1.21.0", "restricted" },
	{ "restricted", "v2.0", "restricted" },
	{ "restricted", "v1.99999999999999999999", "restricted" },
};

static void labels_are_read_as_the_api_server_reads_them(void **state)
{
	struct policy *policy = policy_new_default();

	(void)state;
	assert_non_null(policy);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct label labels[4] = { { "app", "restricted" },
			{ "pod-security.kubernetes.io/warn", "privileged" } };
		const struct profile *profile;
		size_t count = 2;

		if (rows[i].version)
			labels[count++] =
				(struct label){ POD_SECURITY_ENFORCE_VERSION, rows[i].version };
		if (rows[i].level)
			labels[count++] = (struct label){ POD_SECURITY_ENFORCE, rows[i].level };
		profile = pod_security_profile(policy, labels, count);
		if (!profile != !rows[i].profile ||
			(profile && strcmp(profile->name, rows[i].profile) != 0))
			fail_msg("row %zu: %s", i, profile ? profile->name : "none");
	}
	policy_free(policy);
}

/* A policy may define a profile of any other name, but not exchange the standard's. */
static void the_profile_is_the_standard_s(void **state)
{
	static const char text[] = "version: 1\n"
				   "profiles:\n"
				   "  strict: { extends: restricted, allow: [CHOWN] }\n";
	const struct label label = { POD_SECURITY_ENFORCE, "restricted" };
	struct diag diag = { 0 };
	struct policy *policy;

	(void)state;
	assert_int_equal(policy_load("p", text, strlen(text), &policy, &diag), 0);
	assert_true(pod_security_profile(policy, &label, 1)->allow == PROFILE_RESTRICTED_ALLOW);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_read_as_the_api_server_reads_them),
		cmocka_unit_test(the_profile_is_the_standard_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
