/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Pod Security Standards' capability rules, as standards_fixture.h has them, beside what a real
 * API server said of the recorded pods: it refused some in its own words, and let all others in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/cluster.h>
#include <capauditd/pod_security.h>

#include <stdlib.h>

#include "standards_fixture.h"

static json_t *find_pod(const char *name)
{
	_cleanup_(json_decrefp) json_t *pods = read_json(DATA "api/pods-list.json");
	const json_t *items = json_object_get(pods, "items");

	for (size_t i = 0; i < json_array_size(items); i++) {
		json_t *pod = json_array_get(items, i);
		const char *other = json_string_value(
			json_object_get(json_object_get(pod, "metadata"), "name"));

		if (strcmp(other, name) == 0)
			return json_incref(pod);
	}
	fail_msg("no pod %s", name);
	return NULL;
}

/* The container that the server refused to a-restricted, so that the list lacks it: kubectl's
 * "general" debugging profile. */
static void add_refused_container(json_t *pod)
{
	json_t *container = json_pack("{s:s,s:{s:{s:[s]}}}", "name", "dbg-refused",
		"securityContext", "capabilities", "add", "SYS_PTRACE");

	assert_int_equal(json_array_append_new(json_object_get(json_object_get(pod, "spec"),
						       "ephemeralContainers"),
				 container),
		0);
}

static const char *const headings[] = { "privileged (", "non-default capabilities (",
	"unrestricted capabilities (" };

static void assert_same_words(const char *line, char *complaint)
{
	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		if (!strstr(line, headings[i]) != !strstr(complaint, headings[i]))
			fail_msg("%s\nbut: %s", line, complaint);
	for (char *rest = complaint, *words; (words = strsep(&rest, "\n"));)
		if (!strstr(line, words))
			fail_msg("%s\nbut: %s", line, words);
}

static void the_rules_speak_the_server_s_own_words(void **state)
{
	_cleanup_fclose_ FILE *file = fopen(DATA "recorded/psa-rejections.txt", "re");
	_cleanup_free_ char *line = NULL;
	size_t space = 0, lines = 0;

	(void)state;
	assert_non_null(file);
	while (getline(&line, &space, file) > 0) {
		_cleanup_(json_decrefp) json_t *pod = NULL;
		_cleanup_free_ char *name = NULL, *level = NULL, *complaint = NULL;
		const char *at = strstr(line, "pods \"");

		if (!at)
			continue; /* a warning */
		assert_int_equal(sscanf(at,
					 "pods \"%m[^\"]\" is forbidden: violates PodSecurity "
					 "\"%m[^:]:latest\"",
					 &name, &level),
			2);
		pod = find_pod(name);
		if (strstr(line, "dbg-refused"))
			add_refused_container(pod);
		complaint = standard_complaint(pod, strcmp(level, "restricted") == 0);
		assert_true(complaint[0]);
		assert_same_words(line, complaint);
		lines++;
	}
	assert_int_equal(lines, 4);
}

static int label_of(const json_t *namespace, const struct policy *policy, const char **ret)
{
	_cleanup_free_ char *text = json_dumps(namespace, 0);
	_cleanup_(namespace_record_unrefp) struct namespace_record *record = NULL;
	const struct profile *profile;
	int r;

	assert_non_null(text);
	r = namespace_record_parse(text, strlen(text), &record);
	if (r < 0)
		return r;
	profile = pod_security_profile(policy, record->labels, record->label_count);
	*ret = profile ? profile->name : "privileged"; /* the cluster's default */
	return 0;
}

/* The server let all of them in: so must the rules, under what this program takes for the level. */
static void every_recorded_pod_was_admitted_under_its_namespace_s_level(void **state)
{
	_cleanup_(json_decrefp) json_t *pods = read_json(DATA "api/pods-list.json");
	_cleanup_(json_decrefp) json_t *namespaces = read_json(DATA "api/namespaces-list.json");
	_cleanup_(policy_freep) struct policy *policy = policy_new_default();
	const json_t *items = json_object_get(pods, "items");
	size_t judged = 0;

	(void)state;
	assert_non_null(policy);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *pod = json_array_get(items, i);
		const char *name = json_string_value(
			json_object_get(json_object_get(pod, "metadata"), "namespace"));
		const json_t *all = json_object_get(namespaces, "items");
		const char *level = NULL;

		for (size_t n = 0; n < json_array_size(all); n++) {
			const json_t *namespace = json_array_get(all, n);

			if (strcmp(json_string_value(json_object_get(
					   json_object_get(namespace, "metadata"), "name")),
				    name) == 0)
				assert_int_equal(label_of(namespace, policy, &level), 0);
		}
		assert_non_null(level);
		if (strcmp(level, "privileged") != 0) {
			_cleanup_free_ char *complaint =
				standard_complaint(pod, strcmp(level, "restricted") == 0);

			assert_string_equal(complaint, "");
			judged++;
		}
	}
	/* 7 under baseline, 1 under restricted. */
	assert_int_equal(judged, 7 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rules_speak_the_server_s_own_words),
		cmocka_unit_test(every_recorded_pod_was_admitted_under_its_namespace_s_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
