/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Prometheus is told: the text's form, that hostile names cannot break it, and that neither
 * namespaces nor exceptions can make it long.
 */
#include "../support/fail_allocation.h"
#include "report_fixture.h"

#include <capauditd/metrics.h>

#include <errno.h>

struct state {
	struct run_counts counts;
	struct namespace_counts *open;
	struct policy *policy;
	struct metrics metrics;
};

static int set_up(void **data)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return -1;
	state->open = namespace_counts_new();
	state->policy = policy_new_default();
	state->metrics = (struct metrics){ .version = "1.2.3",
		.engine = "bpf",
		.counts = &state->counts,
		.open = state->open,
		.policy = state->policy };
	*data = state;
	return state->open && state->policy ? 0 : -1;
}

static int tear_down(void **data)
{
	struct state *state = *data;

	namespace_counts_free(state->open);
	policy_free(state->policy);
	free(state);
	return 0;
}

static char *written(const struct metrics *metrics)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	if (!to || metrics_write(metrics, to) != 0 || fclose(to) != 0)
		fail_msg("the metrics cannot be written");
	return text;
}

static void assert_line(const char *text, const char *line)
{
	const size_t length = strlen(line);
	const char *found = text;

	while ((found = strstr(found, line))) {
		if ((found == text || found[-1] == '\n') && found[length] == '\n')
			return;
		found++;
	}
	fail_msg("no line \"%s\" in:\n%s", line, text);
}

static size_t count_lines(const char *text, const char *begin)
{
	size_t count = 0;

	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		count += strncmp(line, begin, strlen(begin)) == 0;
	return count;
}

static void add(struct namespace_counts *counts, const char *namespace_name)
{
	struct finding finding = { .verdict = VERDICT_VIOLATION,
		.class = CLASS_DRIFT,
		.severity = SEVERITY_HIGH,
		.container.pod.namespace_name = T(namespace_name) };

	namespace_counts_add(counts, &finding);
}

static void each_metric_has_its_help_and_type_before_its_samples(void **data)
{
	struct state *state = *data;
	char *text = written(&state->metrics), *line, *next;
	char name[128] = "";

	for (line = text; *line; line = next) {
		next = strchr(line, '\n');
		assert_non_null(next);
		*next++ = '\0';
		if (sscanf(line, "# HELP %127s", name) == 1) {
			char type[128], second[128];

			assert_int_equal(sscanf(next, "# TYPE %127s %127s", second, type), 2);
			assert_string_equal(second, name);
		} else if (line[0] != '#') {
			assert_true(strncmp(line, name, strlen(name)) == 0);
		}
	}
	free(text);
}

static void values_are_told_in_base_units(void **data)
{
	struct state *state = *data;
	char *text;

	state->counts.last_complete_us = 1795000000123456;
	state->counts.scans[1] = 7;
	state->counts.findings[CLASS_DRIFT][SEVERITY_CRITICAL] = 3;
	state->metrics.containers[LEVEL_BASELINE] = 12;
	state->metrics.coverage.tasks = 10073;
	state->metrics.sources[SOURCE_LOGS] = SOURCE_UP;
	state->metrics.sources[SOURCE_KUBERNETES] = SOURCE_DOWN;
	state->metrics.sink_failures[1] = 2;
	state->metrics.undelivered = 5;
	state->metrics.dropped = 4;
	state->metrics.process.cpu_us = 1500000;
	text = written(&state->metrics);
	assert_line(text, "capauditd_build_info{version=\"1.2.3\"} 1");
	assert_line(text, "capauditd_engine_info{engine=\"bpf\"} 1");
	assert_line(text, "capauditd_last_complete_pass_timestamp_seconds 1795000000.123456");
	assert_line(text, "capauditd_scans_total{engine=\"bpf\"} 7");
	assert_line(text, "capauditd_findings_total{class=\"drift\",severity=\"critical\"} 3");
	assert_line(text, "capauditd_containers{level=\"baseline\"} 12");
	assert_line(text, "capauditd_tasks 10073");
	assert_line(text, "capauditd_source_up{source=\"logs\"} 1");
	assert_line(text, "capauditd_source_up{source=\"kubernetes\"} 0");
	assert_null(strstr(text, "bundles")); /* not in use */
	assert_line(text, "capauditd_sink_failures_total{sink=\"journal\"} 0");
	assert_line(text, "capauditd_sink_failures_total{sink=\"stdout\"} 2");
	assert_line(text, "capauditd_undelivered_findings 5");
	assert_line(text, "capauditd_dropped_findings_total 4");
	assert_line(text, "process_cpu_seconds_total 1.5");
	free(text);
}

static void the_histogram_sums_up(void **data)
{
	struct state *state = *data;
	char *text;

	histogram_add(&state->counts.scan_duration, 0);
	histogram_add(&state->counts.scan_duration, 1000); /* a bound belongs to its bucket */
	histogram_add(&state->counts.scan_duration, 1001);
	histogram_add(&state->counts.scan_duration, 60000000);
	text = written(&state->metrics);
	assert_line(text, "capauditd_scan_duration_seconds_bucket{le=\"0.001\"} 2");
	assert_line(text, "capauditd_scan_duration_seconds_bucket{le=\"0.0025\"} 3");
	assert_line(text, "capauditd_scan_duration_seconds_bucket{le=\"10\"} 3");
	assert_line(text, "capauditd_scan_duration_seconds_bucket{le=\"+Inf\"} 4");
	assert_line(text, "capauditd_scan_duration_seconds_sum 60.002001");
	assert_line(text, "capauditd_scan_duration_seconds_count 4");
	free(text);
}

static void open_findings_are_counted_by_kind_and_namespace(void **data)
{
	struct state *state = *data;
	struct finding tolerated = { .verdict = VERDICT_TOLERATED };
	char *text;

	namespace_counts_begin(state->open);
	add(state->open, "shop");
	add(state->open, "shop");
	add(state->open, NULL);
	namespace_counts_add(state->open, &tolerated);
	text = written(&state->metrics);
	assert_line(text, "capauditd_open_findings{class=\"drift\",severity=\"high\",verdict="
			  "\"violation\",workload_namespace=\"shop\"} 2");
	assert_line(text, "capauditd_open_findings{class=\"drift\",severity=\"high\",verdict="
			  "\"violation\",workload_namespace=\"\"} 1");
	assert_line(text, "capauditd_open_findings{class=\"posture\",severity=\"\",verdict="
			  "\"tolerated\",workload_namespace=\"\"} 1");
	assert_int_equal(count_lines(text, "capauditd_open_findings{"), 3);
	free(text);
}

static void namespaces_beyond_the_cap_are_told_as_other(void **data)
{
	struct state *state = *data;
	char name[32], *text;

	namespace_counts_begin(state->open);
	for (unsigned i = 0; i < METRICS_NAMESPACES_MAX + 36u; i++) {
		(void)snprintf(name, sizeof(name), "namespace-%u", i);
		add(state->open, name);
	}
	text = written(&state->metrics);
	assert_int_equal(count_lines(text, "capauditd_open_findings{"), METRICS_NAMESPACES_MAX + 1);
	assert_line(text, "capauditd_open_findings{class=\"drift\",severity=\"high\",verdict="
			  "\"violation\",workload_namespace=\"_other\"} 36");
	free(text);
}

static void a_namespace_stays_shown_while_it_has_something_open(void **data)
{
	struct state *state = *data;
	char name[32];
	size_t last = METRICS_NAMESPACES_MAX - 1;

	namespace_counts_begin(state->open);
	for (unsigned i = 0; i < METRICS_NAMESPACES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "namespace-%u", i);
		add(state->open, name);
	}
	/* The newcomer is counted first, and takes nobody's place. */
	namespace_counts_begin(state->open);
	add(state->open, "newcomer");
	add(state->open, "namespace-63");
	assert_string_equal(namespace_counts_name(state->open, last), "namespace-63");
	assert_int_equal(namespace_counts_of(
				 state->open, last, CLASS_DRIFT, VERDICT_VIOLATION, SEVERITY_HIGH),
		1);
	assert_int_equal(namespace_counts_of(state->open, METRICS_NAMESPACES_MAX + 1, CLASS_DRIFT,
				 VERDICT_VIOLATION, SEVERITY_HIGH),
		1);
	/* The places of those that have nothing open any more are free. */
	namespace_counts_begin(state->open);
	namespace_counts_begin(state->open);
	add(state->open, "newcomer");
	assert_int_equal(namespace_counts_count(state->open), 3);
	assert_string_equal(namespace_counts_name(state->open, 0), "newcomer");
}

static void a_namespace_that_is_called_like_the_rest_is_counted_there(void **data)
{
	struct state *state = *data;

	namespace_counts_begin(state->open);
	add(state->open, METRICS_OTHER);
	assert_int_equal(namespace_counts_count(state->open), 2);
	assert_int_equal(
		namespace_counts_of(state->open, 1, CLASS_DRIFT, VERDICT_VIOLATION, SEVERITY_HIGH),
		1);
}

static void hostile_names_cannot_break_the_text(void **data)
{
	struct state *state = *data;
	char *text, longest[4096];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	namespace_counts_begin(state->open);
	add(state->open, HOSTILE);
	add(state->open, "\"} 1\ncapauditd_tasks{a=\"\\");
	add(state->open, longest);
	longest[4000] = 'y'; /* another, and the same when cut: a series is there only once */
	add(state->open, longest);
	text = written(&state->metrics);
	assert_int_equal(count_lines(text, "capauditd_open_findings{"), 3);
	assert_int_equal(count_lines(text, "capauditd_tasks"), 1);
	assert_non_null(strstr(text, "workload_namespace=\"\\\"} 1\\\\x0acapauditd_tasks{a=\\\""
				     "\\\\\"} 1\n"));
	for (const char *p = text; *p; p++)
		assert_true(*p == '\n' || (unsigned char)*p >= ' ');
	free(text);
}

static struct policy *load(const char *text)
{
	struct policy *policy;
	struct diag diag = { 0 };

	if (policy_load("test", text, strlen(text), &policy, &diag) != 0)
		fail_msg("%s", diag.message);
	return policy;
}

static void exceptions_are_told_by_their_reason_and_last_day(void **data)
{
	struct state *state = *data;
	struct policy *policy =
		load("version: 1\nexceptions:\n"
		     "  - { match: { namespace: a }, allow: [CHOWN], reason: later, "
		     "expires: 2027-01-31 }\n"
		     "  - { match: { namespace: b }, allow: [CHOWN], reason: later, "
		     "expires: 2026-12-31 }\n"
		     "  - { match: { namespace: c }, allow: [CHOWN], reason: ever }\n");
	char *text;

	state->metrics.policy = policy;
	text = written(&state->metrics);
	assert_line(text, "capauditd_policy_exception_expiry_timestamp_seconds{exception="
			  "\"later\"} 1798761600");
	assert_int_equal(
		count_lines(text, "capauditd_policy_exception_expiry_timestamp_seconds{"), 1);
	free(text);
	policy_free(policy);
}

static void of_many_exceptions_those_that_end_first_are_told(void **data)
{
	struct state *state = *data;
	struct policy *policy;
	char *text, *yaml = NULL;
	size_t length;
	FILE *to = open_memstream(&yaml, &length);

	assert_non_null(to);
	(void)fprintf(to, "version: 1\nexceptions:\n");
	for (unsigned i = 0; i < METRICS_EXCEPTIONS_MAX + 10u; i++)
		(void)fprintf(to,
			"  - { match: { namespace: n%u }, allow: [CHOWN], reason: reason-%u, "
			"expires: 20%02u-01-31 }\n",
			i, i, 99 - i);
	(void)fclose(to);
	policy = load(yaml);
	state->metrics.policy = policy;
	text = written(&state->metrics);
	assert_int_equal(count_lines(text, "capauditd_policy_exception_expiry_timestamp_seconds{"),
		METRICS_EXCEPTIONS_MAX);
	assert_null(strstr(text, "\"reason-0\""));
	assert_non_null(strstr(text, "\"reason-73\""));
	free(text);
	free(yaml);
	policy_free(policy);
}

static void out_of_memory_is_an_error_and_no_short_text(void **data)
{
	struct state *state = *data;
	struct policy *policy = load("version: 1\nexceptions:\n"
				     "  - { match: { namespace: a }, allow: [CHOWN], reason: r, "
				     "expires: 2027-01-31 }\n");

	state->metrics.policy = policy;
	namespace_counts_begin(state->open);
	add(state->open, "shop");
	for (unsigned long n = 1;; n++) {
		char *text = NULL;
		size_t length = 0;
		FILE *to;
		bool fired;
		int r;

		fail_allocation_at(n);
		to = open_memstream(&text, &length);
		r = to ? metrics_write(&state->metrics, to) : -ENOMEM;
		if (to && (fclose(to) != 0 || !text) && r == 0)
			r = -ENOMEM;
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		free(text);
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
	policy_free(policy);
}

#define METRICS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		METRICS_TEST(each_metric_has_its_help_and_type_before_its_samples),
		METRICS_TEST(values_are_told_in_base_units),
		METRICS_TEST(the_histogram_sums_up),
		METRICS_TEST(open_findings_are_counted_by_kind_and_namespace),
		METRICS_TEST(namespaces_beyond_the_cap_are_told_as_other),
		METRICS_TEST(a_namespace_stays_shown_while_it_has_something_open),
		METRICS_TEST(a_namespace_that_is_called_like_the_rest_is_counted_there),
		METRICS_TEST(hostile_names_cannot_break_the_text),
		METRICS_TEST(exceptions_are_told_by_their_reason_and_last_day),
		METRICS_TEST(of_many_exceptions_those_that_end_first_are_told),
		METRICS_TEST(out_of_memory_is_an_error_and_no_short_text),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
