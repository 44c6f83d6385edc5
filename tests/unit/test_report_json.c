/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JSON that scan and every sink give: its keys and their order, what is null, and that no text
 * from a container can break it. The golden files show the whole of it.
 */
#include "../support/fail_allocation.h"
#include "../support/golden.h"
#include "scan_fixture.h"

#include <capauditd/text.h>

#include <errno.h>
#include <jansson.h>

typedef int report_function(const struct scan_report *report, FILE *to);

/* What the function writes; its answer in *ret. */
static char *written(
	report_function *function, const struct scan_report *report, size_t *ret_length, int *ret)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, ret_length);

	if (!to)
		abort();
	*ret = function(report, to);
	if (fclose(to) != 0)
		abort();
	return text;
}

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!value)
		fail_msg("not JSON: %s at %d of %s", error.text, error.position, text);
	return value;
}

static json_t *parsed_finding(const struct finding *finding)
{
	char *text = finding_to_json(&fixture_context, finding);
	json_t *value;

	assert_non_null(text);
	value = parse(text);
	free(text);
	return value;
}

/* The value at a path such as "process.user_namespace.initial". */
static json_t *at(json_t *value, const char *path)
{
	char copy[128], *state = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	for (char *key = strtok_r(copy, ".", &state); key; key = strtok_r(NULL, ".", &state))
		value = json_object_get(value, key);
	if (!value)
		fail_msg("nothing at %s", path);
	return value;
}

static void expect_at(json_t *value, const char *path, const char *expected)
{
	char *text = json_dumps(at(value, path), JSON_COMPACT | JSON_ENCODE_ANY);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

/* The keys of the object at `path`, in order, are the words of `expected`. */
static void expect_keys(json_t *value, const char *path, const char *expected)
{
	json_t *object = *path ? at(value, path) : value;
	char keys[1024] = "";
	const char *key;
	json_t *ignored;

	json_object_foreach(object, key, ignored)
	{
		if (*keys)
			strcat(keys, " ");
		strcat(keys, key);
	}
	assert_string_equal(keys, expected);
}

static void a_finding_has_the_keys_of_interface_md_in_their_order(void **state)
{
	static const struct {
		const char *path, *keys;
	} rows[] = {
		{ "", "schema id workload_id time node boot_id engine message state first_seen "
		      "last_seen count "
		      "executables resolved_reason verdict class severity provisional reach "
		      "profile excess "
		      "origin hints process controls host_namespaces container pod declared "
		      "exception remedy" },
		{ "profile", "name source" },
		{ "excess", "effective permitted inheritable ambient bounding" },
		{ "origin", "NET_ADMIN SYS_ADMIN" },
		{ "process", "pid tid ppid start_time start_ticks comm exe cmdline uid gid "
			     "user_namespace "
			     "capabilities" },
		{ "process.user_namespace", "initial inode" },
		{ "process.capabilities", "effective permitted inheritable ambient bounding" },
		{ "controls", "seccomp no_new_privs user_namespace lsm" },
		{ "container", "id runtime name type image cgroup" },
		{ "pod", "namespace name uid qos owner" },
		{ "declared", "add drop privileged" },
		{ "remedy", "field of drop add privileged" },
	};
	json_t *finding = parsed_finding(&fixtures[F_PLAIN]), *excepted;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_keys(finding, rows[i].path, rows[i].keys);
	excepted = parsed_finding(&fixtures[F_EXCEPTED]);
	expect_keys(excepted, "exception", "reason expires");
	json_decref(finding);
	json_decref(excepted);
}

static void a_finding_says_what_is_known(void **state)
{
	static const struct {
		const char *path, *value;
	} rows[] = {
		{ "schema", "\"capauditd.finding/v1\"" },
		{ "time", "\"2026-11-18T11:06:40.123456Z\"" },
		{ "state", "\"observed\"" },
		{ "count", "3" },
		{ "executables", "[\"/usr/bin/web\",\"/bin/busybox\"]" },
		{ "severity", "\"critical\"" },
		{ "provisional", "false" },
		{ "reach", "\"effective\"" },
		{ "profile.source", "\"namespace-label\"" },
		{ "excess.effective", "[\"SYS_ADMIN\"]" },
		{ "excess.inheritable", "[]" },
		{ "excess.bounding", "[\"NET_ADMIN\",\"SYS_ADMIN\"]" },
		{ "origin.SYS_ADMIN", "\"declared\"" },
		{ "origin.NET_ADMIN", "\"runtime-default\"" },
		{ "process.start_ticks", "123456" },
		{ "process.gid", "4294967294" },
		{ "process.user_namespace.initial", "true" },
		{ "process.user_namespace.inode", "4026531837" },
		{ "process.capabilities.effective", "\"0x200400\"" },
		{ "process.capabilities.ambient", "\"0x0\"" },
		{ "controls.seccomp", "\"filter\"" },
		{ "controls.user_namespace", "false" },
		/* Of the three that are shared, one is not known to be. */
		{ "host_namespaces", "[\"pid\",\"net\"]" },
		{ "container.type", "\"init\"" },
		{ "pod.qos", "\"BestEffort\"" },
		{ "declared.drop", "[\"ALL\"]" },
		{ "declared.add", "[\"NET_BIND_SERVICE\",\"SYS_ADMIN\"]" },
		{ "declared.privileged", "true" },
		{ "remedy.of", "\"Deployment/web\"" },
		{ "remedy.drop", "[\"ALL\"]" },
		{ "remedy.add", "[\"NET_BIND_SERVICE\"]" },
	};
	json_t *finding = parsed_finding(&fixtures[F_PLAIN]);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_at(finding, rows[i].path, rows[i].value);
	json_decref(finding);
}

static void what_is_unknown_is_null(void **state)
{
	static const struct {
		enum fixture fixture;
		const char *path, *value;
	} rows[] = {
		{ F_PLAIN, "resolved_reason", "null" },
		{ F_PLAIN, "exception", "null" },
		{ F_OWN, "resolved_reason", "\"exited\"" },
		{ F_TOLERATED, "severity", "null" },
		{ F_EXCEPTED, "severity", "null" },
		{ F_MOVED, "reach", "null" },
		{ F_DOCKER, "pod", "null" },
		{ F_DOCKER, "declared", "null" },
		/* The cure is known, and no field of anything. */
		{ F_DOCKER, "remedy", "null" },
		{ F_DOCKER, "container.name", "null" },
		{ F_DOCKER, "container.image", "null" },
		{ F_DOCKER, "process.exe", "null" },
		{ F_DOCKER, "process.cmdline", "[]" },
		{ F_DOCKER, "process.start_time", "null" },
		{ F_DOCKER, "process.user_namespace.inode", "null" },
		{ F_DOCKER, "controls.lsm", "null" },
		{ F_TOLERATED, "pod.namespace", "null" },
		{ F_TOLERATED, "pod.name", "null" },
		{ F_TOLERATED, "pod.owner", "null" },
		{ F_DRIFT, "pod.uid", "null" },
		{ F_THREAD, "pod.qos", "null" },
		/* Neither true nor false would be true; a control that is not known is not in
		   force. */
		{ F_EXCEPTED, "process.user_namespace.initial", "null" },
		{ F_EXCEPTED, "controls.user_namespace", "false" },
		{ F_NESTED, "process.user_namespace.initial", "false" },
		{ F_NESTED, "controls.user_namespace", "true" },
		{ F_DRIFT, "count", "9223372036854775807" },
		{ F_UNKNOWN, "excess.effective", "[\"SYSLOG\",\"CAP_45\",\"CAP_63\"]" },
		{ F_UNKNOWN, "origin.CAP_63", "\"unknown\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *finding = parsed_finding(&fixtures[rows[i].fixture]);

		expect_at(finding, rows[i].path, rows[i].value);
		json_decref(finding);
	}
}

static void severity_is_told_of_violations_alone(void **state)
{
	struct finding finding = fixtures[F_PLAIN];
	json_t *value;

	(void)state;
	finding.verdict = VERDICT_TOLERATED; /* what is left of an earlier one does not count */
	value = parsed_finding(&finding);
	expect_at(value, "severity", "null");
	json_decref(value);
}

static void arguments_are_shown_only_when_asked_for(void **state)
{
	struct report_context full = fixture_context;
	json_t *finding = parsed_finding(&fixtures[F_PLAIN]);
	char *text;

	(void)state;
	/* A first word with a space in it is one word. */
	expect_at(finding, "process.cmdline", "[\"/usr/bin/my web\"]");
	json_decref(finding);
	full.full_cmdline = true;
	text = finding_to_json(&full, &fixtures[F_PLAIN]);
	assert_non_null(text);
	finding = parse(text);
	free(text);
	expect_at(finding, "process.cmdline", "[\"/usr/bin/my web\",\"--password\",\"secret\"]");
	json_decref(finding);
}

static void expect_clean_strings(json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(value)) {
		assert_true(text_is_clean(json_string_value(value), json_string_length(value)));
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, item) expect_clean_strings(item);
	} else if (json_is_object(value)) {
		json_object_foreach(value, key, item)
		{
			assert_true(text_is_clean(key, strlen(key)));
			expect_clean_strings(item);
		}
	}
}

static void no_string_of_a_hostile_finding_has_a_control_character(void **state)
{
	struct report_context context = fixture_context;
	json_t *finding;
	char *text;

	(void)state;
	context.full_cmdline = true;
	text = finding_to_json(&context, &fixtures[F_HOSTILE]);
	assert_non_null(text);
	assert_null(strpbrk(text, "\n\r\033\177"));
	finding = parse(text);
	free(text);
	expect_clean_strings(finding);
	/* Escaped, and still told apart from what it would be without. */
	expect_at(finding, "process.comm", "\"\\\\x1b\\\\x0a\\\\xffxxxxxxxxxxxx\\\\xc2\"");
	json_decref(finding);
}

static void a_name_of_255_bytes_stays_whole(void **state)
{
	struct finding finding = fixtures[F_DOCKER];
	char name[256];
	json_t *value;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	finding.container.name = name;
	value = parsed_finding(&finding);
	assert_string_equal(json_string_value(at(value, "container.name")), name);
	json_decref(value);
}

static void scan_s_document_has_its_keys_in_order(void **state)
{
	static const struct {
		const char *path, *keys;
	} rows[] = {
		{ "", "schema node boot_id kernel engine started duration_us policy coverage "
		      "totals containers "
		      "findings" },
		{ "policy", "file default_profile" },
		{ "coverage",
			"tasks processes container_processes containers pods vanished unreadable "
			"unattributed starting opaque unknown_executables over_limit complete "
			"why_incomplete" },
		{ "totals", "violations drift tolerated excepted by_severity" },
		{ "totals.by_severity", "critical high medium low" },
	};
	const struct scan_report *const scans[] = { &kubernetes_scan, &docker_scan, &host_scan,
		&empty_scan };

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(scans); s++) {
		size_t length, i;
		int r;
		char *text = written(report_scan_json, scans[s], &length, &r);
		json_t *scan = parse(text), *container;

		assert_int_equal(r, 0);
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
			expect_keys(scan, rows[k].path, rows[k].keys);
		assert_int_equal(
			json_array_size(at(scan, "containers")), scans[s]->container_count);
		assert_int_equal(json_array_size(at(scan, "findings")), scans[s]->finding_count);
		json_array_foreach(at(scan, "containers"), i, container) expect_keys(container, "",
			"container pod profile level verdict class severity processes held "
			"bounding advice");
		expect_clean_strings(scan);
		json_decref(scan);
		free(text);
	}
}

static json_t *parsed_scan(const struct scan_report *report)
{
	size_t length;
	int r;
	char *text = written(report_scan_json, report, &length, &r);
	json_t *scan;

	assert_int_equal(r, 0);
	scan = parse(text);
	free(text);
	return scan;
}

static void totals_are_those_of_the_findings(void **state)
{
	json_t *scan = parsed_scan(&kubernetes_scan);

	(void)state;
	expect_at(scan, "totals",
		"{\"violations\":4,\"drift\":3,\"tolerated\":1,\"excepted\":1,"
		"\"by_severity\":{\"critical\":2,\"high\":1,\"medium\":1,\"low\":0}}");
	expect_at(scan, "coverage.complete", "true");
	expect_at(scan, "coverage.why_incomplete", "[]");
	json_decref(scan);
	scan = parsed_scan(&docker_scan);
	expect_at(scan, "coverage.complete", "false");
	expect_at(scan, "policy.file", "null");
	assert_int_equal(json_array_size(at(scan, "coverage.why_incomplete")), 2);
	json_decref(scan);
}

/* The container at `position` of a scan. */
static json_t *scanned(json_t *scan, size_t position)
{
	return json_array_get(at(scan, "containers"), position);
}

static void what_was_not_judged_is_never_called_compliant(void **state)
{
	json_t *scan = parsed_scan(&docker_scan),
	       *container = scanned(scan, 3); /* it is starting */
	static const char *const paths[] = { "verdict", "level", "class", "severity" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		expect_at(container, paths[i], "null");
	expect_at(container, "profile.name", "\"baseline\"");
	json_decref(scan);
	scan = parsed_scan(&kubernetes_scan);
	container = scanned(scan, 5); /* nobody can see into it */
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		expect_at(container, paths[i], "null");
	expect_at(container, "profile", "null");
	container = scanned(scan, 6);
	expect_at(container, "verdict", "\"compliant\"");
	expect_at(container, "level", "\"restricted\"");
	expect_at(container, "class", "null");
	json_decref(scan);
}

static void jsonl_has_a_finding_a_line_and_nothing_else(void **state)
{
	size_t length, count = 0;
	int r;
	char *text = written(report_scan_jsonl, &kubernetes_scan, &length, &r), *position = NULL;

	(void)state;
	assert_int_equal(r, 0);
	assert_int_equal(text[length - 1], '\n');
	for (char *line = strtok_r(text, "\n", &position); line;
		line = strtok_r(NULL, "\n", &position)) {
		json_t *finding = parse(line);

		expect_at(finding, "schema", "\"capauditd.finding/v1\"");
		assert_string_equal(
			json_string_value(at(finding, "id")), kubernetes_findings[count++]->id);
		json_decref(finding);
	}
	assert_int_equal(count, kubernetes_scan.finding_count);
	free(text);
	text = written(report_scan_jsonl, &empty_scan, &length, &r);
	assert_int_equal(r, 0);
	assert_int_equal(length, 0);
	free(text);
}

static void documents_are_the_golden_ones(void **state)
{
	static const struct {
		report_function *function;
		const struct scan_report *report;
		const char *file;
	} rows[] = {
		{ report_scan_json, &kubernetes_scan, "scan-kubernetes.json" },
		{ report_scan_json, &docker_scan, "scan-docker.json" },
		{ report_scan_json, &empty_scan, "scan-empty.json" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t length;
		int r;
		char *text = written(rows[i].function, rows[i].report, &length, &r);

		assert_int_equal(r, 0);
		golden_check(rows[i].file, text, length);
		free(text);
	}
}

static void every_finding_is_the_golden_one(void **state)
{
	const struct finding *all[FIXTURES];
	struct scan_report report = { HEAD, .findings = all, .finding_count = FIXTURES };
	size_t length;
	int r;
	char *text;

	(void)state;
	for (size_t i = 0; i < FIXTURES; i++)
		all[i] = &fixtures[i];
	text = written(report_scan_jsonl, &report, &length, &r);
	assert_int_equal(r, 0);
	golden_check("findings.jsonl", text, length);
	free(text);
}

static void a_full_disk_is_an_error(void **state)
{
	report_function *const functions[] = { report_scan_json, report_scan_jsonl };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		FILE *to = fopen("/dev/full", "we");

		assert_non_null(to);
		assert_int_equal(functions[i](&kubernetes_scan, to), -ENOSPC);
		(void)fclose(to);
	}
}

static void running_out_of_memory_is_an_error_wherever_it_happens(void **state)
{
	report_function *const functions[] = { report_scan_json, report_scan_jsonl };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		FILE *to = fopen("/dev/null", "we");
		unsigned long n;

		assert_non_null(to);
		(void)setvbuf(to, NULL, _IONBF, 0);
		for (n = 1;; n++) {
			bool fired;
			int r;

			fail_allocation_at(n);
			r = functions[i](&docker_scan, to);
			fired = fail_allocation_fired();
			fail_allocation_at(0);
			assert_int_equal(r, fired ? -ENOMEM : 0);
			if (!fired)
				break;
		}
		assert_true(n > 100);
		(void)fclose(to);
	}
}

static int set_up(void **state)
{
	(void)state;
	identify_fixtures();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_finding_has_the_keys_of_interface_md_in_their_order),
		cmocka_unit_test(a_finding_says_what_is_known),
		cmocka_unit_test(what_is_unknown_is_null),
		cmocka_unit_test(severity_is_told_of_violations_alone),
		cmocka_unit_test(arguments_are_shown_only_when_asked_for),
		cmocka_unit_test(no_string_of_a_hostile_finding_has_a_control_character),
		cmocka_unit_test(a_name_of_255_bytes_stays_whole),
		cmocka_unit_test(scan_s_document_has_its_keys_in_order),
		cmocka_unit_test(totals_are_those_of_the_findings),
		cmocka_unit_test(what_was_not_judged_is_never_called_compliant),
		cmocka_unit_test(jsonl_has_a_finding_a_line_and_nothing_else),
		cmocka_unit_test(documents_are_the_golden_ones),
		cmocka_unit_test(every_finding_is_the_golden_one),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(running_out_of_memory_is_an_error_wherever_it_happens),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
