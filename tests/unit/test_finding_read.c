/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A finding read back from its JSON: what a report for people shows is what it was, and what is no
 * finding is refused.
 */
#include "../support/fail_allocation.h"
#include "report_fixture.h"

#include <capauditd/text.h>

#include <errno.h>

static struct finding read_back(const struct finding *finding)
{
	char *text = finding_to_json(&fixture_context, finding);
	struct finding ret;

	assert_non_null(text);
	assert_int_equal(finding_from_json(text, strlen(text), &ret), 0);
	free(text);
	return ret;
}

static void expect_text(const char *is, const char *was)
{
	char *clean = was ? text_escape(was, strlen(was)) : NULL;

	if (was)
		assert_string_equal(is, clean);
	else
		assert_null(is);
	free(clean);
}

static void what_people_are_shown_is_what_it_was(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FIXTURES; i++) {
		const struct finding *was = &fixtures[i];
		const bool violation = was->verdict == VERDICT_VIOLATION;
		struct finding is = read_back(was);

		assert_string_equal(is.id, was->id);
		assert_int_equal(is.verdict, was->verdict);
		assert_int_equal(is.class, was->class);
		assert_int_equal(is.severity, violation ? was->severity : SEVERITY_NONE);
		assert_int_equal(is.reach, was->reach);
		assert_int_equal(is.count, was->count > INT64_MAX ? INT64_MAX : was->count);
		assert_int_equal(is.first_seen_us, was->first_seen_us);
		assert_int_equal(is.last_seen_us, was->last_seen_us);
		assert_int_equal(is.hints, was->hints);
		assert_true(capability_sets_equal(&is.excess, &was->excess));
		assert_true(capability_sets_equal(&is.process.sets, &was->process.sets));
		assert_int_equal(is.process.pid, was->process.pid);
		expect_text(is.profile, was->profile);
		expect_text(is.container.id, was->container.id);
		expect_text(is.container.name, was->container.name);
		assert_int_equal(is.container.type, was->container.type);
		assert_int_equal(is.container.in_pod, was->container.in_pod);
		if (was->container.in_pod) {
			expect_text(
				is.container.pod.namespace_name, was->container.pod.namespace_name);
			expect_text(is.container.pod.name, was->container.pod.name);
		}
		finding_done(&is);
	}
}

static void a_cure_in_kubernetes_is_told_as_before(void **state)
{
	struct finding is = read_back(&fixtures[F_PLAIN]);
	char *was_cure = remedy_to_text(&fixtures[F_PLAIN]), *is_cure = remedy_to_text(&is);

	(void)state;
	assert_string_equal(is_cure, was_cure);
	free(was_cure);
	free(is_cure);
	finding_done(&is);
}

static void what_is_no_finding_is_refused(void **state)
{
	static const char *const texts[] = { "", "null", "[]", "{}", "{\"id\": 1}",
		"{\"id\": \"0123456789abcdef\"}",
		"{\"id\": \"0123456789abcdef\", \"verdict\": \"violation\", \"class\": \"drift\"}",
		"{\"id\": \"0123456789abcdef\", \"verdict\": \"violation\", \"class\": \"new\", "
		"\"container\": {\"id\": \"x\"}}",
		"{\"id\": \"longer than any id of ours\", \"verdict\": \"violation\", "
		"\"class\": \"drift\", \"container\": {\"id\": \"x\"}}",
		"{\"id\": \"0123456789abcdef\", \"id\": \"0123456789abcdef\"}" };
	struct finding finding;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(finding_from_json(texts[i], strlen(texts[i]), &finding), -EBADMSG);
}

static void what_is_missing_or_of_another_type_is_unknown(void **state)
{
	static const char text[] =
		"{\"id\": \"0123456789abcdef\", \"verdict\": \"violation\", \"class\": \"drift\", "
		"\"container\": {\"id\": \"x\", \"runtime\": \"new\", \"type\": 5}, \"count\": -1, "
		"\"severity\": [], \"excess\": {\"effective\": [1, \"NEW\", \"CHOWN\"]}, "
		"\"hints\": [{\"code\": \"new\"}, 7], \"process\": {\"pid\": \"1\", "
		"\"tid\": 4294967297, \"comm\": "
		"\"longer than sixteen bytes\", \"capabilities\": {\"effective\": \"1\"}}, "
		"\"first_seen\": \"yesterday\", \"pod\": null}";
	struct finding f;

	(void)state;
	assert_int_equal(finding_from_json(text, strlen(text), &f), 0);
	assert_string_equal(f.container.runtime, "unknown");
	assert_int_equal(f.container.type, CONTAINER_UNKNOWN);
	assert_false(f.container.in_pod);
	assert_int_equal(f.count, 0);
	assert_int_equal(f.severity, SEVERITY_NONE);
	assert_int_equal(f.excess.of[CAPABILITY_EFFECTIVE], BIT(CHOWN));
	assert_int_equal(f.hints, 0);
	assert_int_equal(f.process.tid, 0);
	assert_int_equal(f.process.sets.of[CAPABILITY_EFFECTIVE], 0);
	assert_int_equal(f.first_seen_us, 0);
	finding_done(&f);
}

static void out_of_memory_leaves_nothing_behind(void **state)
{
	char *text = finding_to_json(&fixture_context, &fixtures[F_PLAIN]);

	(void)state;
	assert_non_null(text);
	for (unsigned long n = 1;; n++) {
		struct finding finding = { 0 };
		bool fired;
		int r;

		fail_allocation_at(n);
		r = finding_from_json(text, strlen(text), &finding);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		/* Where jansson does not notice, it has lost a character. */
		if (r == 0)
			finding_done(&finding);
		else
			assert_true(r == -ENOMEM || r == -EBADMSG);
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
	}
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_people_are_shown_is_what_it_was),
		cmocka_unit_test(a_cure_in_kubernetes_is_told_as_before),
		cmocka_unit_test(what_is_no_finding_is_refused),
		cmocka_unit_test(what_is_missing_or_of_another_type_is_unknown),
		cmocka_unit_test(out_of_memory_leaves_nothing_behind),
	};

	return cmocka_run_group_tests_name("finding_read", tests, NULL, NULL);
}
