/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whoever does what a finding's cure says has a manifest that the Pod Security Standards admit, and
 * that asks for everything which it asked for before and may have: for every container of the
 * recorded pods, and for each capability in each way of declaring it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verdicts_fixture.h"

/* What the manifest becomes: its capabilities are replaced, and it is not privileged. */
static json_t *make_cured(const struct judged *judged)
{
	json_t *add = json_array(), *cured;

	for (unsigned n = 0; n < CAPABILITY_MAX; n++)
		if (capability_info(n) && (judged->add & CAPABILITY_BIT(n)))
			json_array_append_new(add, json_string(capability_info(n)->name));
	cured = json_pack("{s:s,s:{s:{s:[s],s:o}}}", "name", "c", "securityContext", "capabilities",
		"drop", "ALL", "add", add);
	assert_non_null(cured);
	return cured;
}

static bool lists_name(const json_t *names, const char *name)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *other = json_string_value(json_array_get(names, i));

		if (strcmp(other, name) == 0 || strcmp(other, "ALL") == 0)
			return true;
	}
	return false;
}

/* Of a manifest whose names are written as the standard has them. */
static bool should_be_added(const json_t *container, size_t profile, const char *name)
{
	return !standard_is_privileged(container) &&
	       standard_has(profile == 0 ? baseline_names : restricted_names, name) &&
	       lists_name(standard_capabilities(container, "add"), name);
}

static size_t cures_seen;

static void check_cure(const json_t *container, const char *list, size_t profile,
	const struct judged *judged, bool is_root)
{
	_cleanup_(json_decrefp) json_t *pod = json_object(), *cured = make_cured(judged);
	struct judged after;
	struct subject s;

	for (unsigned n = 0; n < CAPABILITY_MAX; n++) {
		bool is_added = judged->add & CAPABILITY_BIT(n);
		const char *name = capability_info(n) ? capability_info(n)->name : "";

		if (is_added != should_be_added(container, profile, name))
			fail_msg("%s under %s: %s%s",
				json_string_value(json_object_get(container, "name")),
				profiles[profile], is_added ? "adds " : "leaves out ", name);
	}
	json_object_set_new(pod, "metadata", json_pack("{s:s}", "name", "cured"));
	if (!is_root)
		json_object_set_new(
			json_object_get(cured, "securityContext"), "runAsUser", json_integer(1000));
	set_subject(&s, pod, list, cured);
	assert_true(s.permitted[profile]);
	after = judge(&s, profile);
	assert_int_equal(after.verdict, VERDICT_COMPLIANT);
	assert_int_equal(after.cures, 0);
	pod_record_unref(s.record);
	cures_seen++;
}

static void check_container(const json_t *pod, const char *list, const json_t *container)
{
	struct subject s;

	set_subject(&s, pod, list, container);
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		const struct judged judged = judge(&s, i);

		/* One cure for each violation, and none without. */
		assert_int_equal(judged.cures, judged.verdict == VERDICT_VIOLATION);
		if (!judged.cures)
			continue;
		assert_true(judged.drop_all);
		check_cure(container, list, i, &judged, s.is_root);
	}
	pod_record_unref(s.record);
}

static void every_cure_of_the_recorded_pods_is_admitted(void **state)
{
	(void)state;
	cures_seen = 0;
	visit_containers(check_container);
	/* 17 containers have more than `restricted` permits, 8 of them more than `baseline`. */
	assert_int_equal(cures_seen, 17 + 8);
}

/* What stands beside the capability's name: %s is `"NAME"`. */
static const char *const contexts[] = {
	"{\"capabilities\":{\"add\":[%s]}}",
	"{\"capabilities\":{\"drop\":[\"ALL\"],\"add\":[%s]}}",
	"{\"capabilities\":{\"add\":[%s,\"SYS_ADMIN\",\"NET_BIND_SERVICE\"]}}",
	"{\"capabilities\":{\"add\":[%s,\"ALL\"]}}",
	"{\"capabilities\":{\"drop\":[%s]}}",
	"{\"capabilities\":{\"drop\":[\"ALL\"],\"add\":[%s,\"SYS_TIME\"]},\"runAsUser\":1000}",
	"{\"privileged\":true,\"capabilities\":{\"add\":[%s]}}",
};

static void every_cure_of_each_way_to_declare_each_capability_is_admitted(void **state)
{
	static const char *const lists[] = { "initContainers", "containers",
		"ephemeralContainers" };
	_cleanup_(json_decrefp) json_t *pod = json_pack("{s:{s:s}}", "metadata", "name", "made");

	(void)state;
	assert_non_null(pod);
	cures_seen = 0;
	for (unsigned n = 0; n < CAPABILITY_MAX; n++) {
		for (size_t i = 0; capability_info(n) && i < ARRAY_SIZE(contexts); i++) {
			_cleanup_(json_decrefp) json_t *container = NULL;
			_cleanup_free_ char *name = NULL, *context = NULL;
			const char *mark = strstr(contexts[i], "%s");

			assert_true(asprintf(&name, "\"%s\"", capability_info(n)->name) > 0);
			assert_true(asprintf(&context, "%.*s%s%s", (int)(mark - contexts[i]),
					    contexts[i], name, mark + 2) > 0);
			container = json_pack("{s:s,s:o}", "name", "c", "securityContext",
				json_loads(context, 0, NULL));
			assert_non_null(container);
			check_container(pod, lists[n % ARRAY_SIZE(lists)], container);
		}
	}
	assert_true(cures_seen > capability_count() * ARRAY_SIZE(contexts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cure_of_the_recorded_pods_is_admitted),
		cmocka_unit_test(every_cure_of_each_way_to_declare_each_capability_is_admitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
