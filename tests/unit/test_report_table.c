/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scan's table: which rows, in what width, and what is said below it. The golden files show the
 * whole.
 */
#include "../support/fail_allocation.h"
#include "../support/golden.h"
#include "scan_fixture.h"

#include <capauditd/text.h>

#include <errno.h>
#include <locale.h>
#include <wchar.h>

struct table {
	char *text;
	size_t length;
};

static void table_done(struct table *table)
{
	free(table->text);
}

static struct table printed(const struct scan_report *report, const struct table_options *options)
{
	struct table table = { 0 };
	FILE *to = open_memstream(&table.text, &table.length);
	int r;

	if (!to)
		abort();
	r = report_scan_table(report, options, to);
	if (fclose(to) != 0)
		abort();
	assert_int_equal(r, 0);
	return table;
}

static size_t columns_of(const char *line, size_t length)
{
	wchar_t wide[4096];
	char copy[4096];
	size_t count;

	assert_true(length < sizeof(copy));
	memcpy(copy, line, length);
	copy[length] = '\0';
	count = mbstowcs(wide, copy, ARRAY_SIZE(wide));
	assert_true(count < ARRAY_SIZE(wide));
	assert_true(wcswidth(wide, count) >= 0);
	return (size_t)wcswidth(wide, count);
}

/* Of the table, which ends with an empty line: sentences below it wrap between words. */
static size_t widest_line(const char *text)
{
	size_t widest = 0;

	while (*text && *text != '\n') {
		const size_t length = strcspn(text, "\n");
		const size_t columns = columns_of(text, length);

		if (columns > widest)
			widest = columns;
		text += length + (text[length] == '\n');
	}
	return widest;
}

static void tables_are_the_golden_ones(void **state)
{
	static const struct {
		const char *file;
		const struct scan_report *report;
		struct table_options options;
	} rows[] = {
		{ "table-kubernetes-unlimited.txt", &kubernetes_scan, { .width = 0 } },
		{ "table-kubernetes-200.txt", &kubernetes_scan, { .width = 200, .all = true } },
		{ "table-kubernetes-120.txt", &kubernetes_scan, { .width = 120 } },
		{ "table-kubernetes-80.txt", &kubernetes_scan, { .width = 80 } },
		{ "table-kubernetes-remedy.txt", &kubernetes_scan,
			{ .width = 100, .remedy = true } },
		{ "table-kubernetes-color.txt", &kubernetes_scan, { .width = 120, .color = true } },
		{ "table-docker-100.txt", &docker_scan, { .width = 100 } },
		{ "table-docker-80.txt", &docker_scan, { .width = 80, .all = true } },
		{ "table-docker-advice.txt", &docker_scan,
			{ .width = 100, .remedy = true, .advice = true } },
		{ "table-host.txt", &host_scan, { .width = 100 } },
		{ "table-empty.txt", &empty_scan, { .width = 80, .remedy = true, .advice = true } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct table table = printed(rows[i].report, &rows[i].options);

		golden_check(rows[i].file, table.text, table.length);
		table_done(&table);
	}
}

static void a_table_fits_every_terminal_from_60_columns_on(void **state)
{
	const struct scan_report *const scans[] = { &kubernetes_scan, &docker_scan, &host_scan,
		&empty_scan };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scans); i++) {
		for (int width = 60; width <= 240; width++) {
			const struct table_options options = { .width = width, .all = true };
			struct table table = printed(scans[i], &options);

			if (widest_line(table.text) > (size_t)width)
				fail_msg("wider than %d:\n%s", width, table.text);
			table_done(&table);
		}
	}
}

static void a_wider_terminal_shows_no_less(void **state)
{
	size_t before = 0;

	(void)state;
	for (int width = 80; width <= 400; width += 20) {
		const struct table_options options = { .width = width };
		struct table table = printed(&kubernetes_scan, &options);
		const size_t widest = columns_of(table.text, strcspn(table.text, "\n"));

		assert_true(widest >= before);
		before = widest;
		table_done(&table);
	}
}

static void nothing_is_cut_where_the_width_is_unlimited(void **state)
{
	const struct table_options options = { .width = 0 };
	struct table table = printed(&kubernetes_scan, &options);

	(void)state;
	assert_null(strstr(table.text, "\xe2\x80\xa6"));
	assert_null(strstr(table.text, " +"));
	assert_non_null(strstr(table.text, "CHECKPOINT_RESTORE"));
	table_done(&table);
}

static void compliant_containers_are_listed_on_request_alone(void **state)
{
	for (int all = 0; all < 2; all++) {
		const struct table_options options = { .all = all };
		struct table table = printed(&kubernetes_scan, &options);

		assert_int_equal(strstr(table.text, "proxy-5b8d9f7c4-x2x4q") != NULL, all);
		/* Not compliant either: it was not judged. */
		assert_int_equal(strstr(table.text, "gvisor") != NULL, all);
		table_done(&table);
	}
	(void)state;
}

static void hostile_names_reach_the_terminal_escaped(void **state)
{
	for (int width = 0; width <= 120; width += 40) {
		const struct table_options options = {
			.width = width, .remedy = true, .advice = true
		};
		struct table table = printed(&kubernetes_scan, &options);

		for (char *line = strtok(table.text, "\n"); line; line = strtok(NULL, "\n"))
			assert_true(text_is_clean(line, strlen(line)));
		table_done(&table);
	}
	(void)state;
}

static void colour_is_the_only_thing_that_needs_an_escape_sequence(void **state)
{
	const struct table_options plain = { .width = 120 },
				   color = { .width = 120, .color = true };
	struct table a = printed(&kubernetes_scan, &plain), b = printed(&kubernetes_scan, &color);
	char *to = b.text;

	(void)state;
	assert_string_not_equal(a.text, b.text);
	/* Without its sequences, the coloured table is the plain one. */
	for (const char *from = b.text; *from; from++) {
		if (*from == '\033')
			from = strchr(from, 'm');
		else
			*to++ = *from;
	}
	*to = '\0';
	assert_string_equal(a.text, b.text);
	table_done(&a);
	table_done(&b);
}

static void an_ascii_terminal_gets_ascii(void **state)
{
	static char name[] =
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e-a-rather-long-name-for-a-container";
	const struct table_options options = { .width = 80 };
	struct container container = { .id = T(ID_A), .runtime = "docker", .name = name };
	struct finding finding = fixtures[F_DOCKER];
	const struct finding *const findings[] = { &finding };
	const struct scanned_container containers[] = { { &container, &assess_docker } };
	const struct scan_report report = { HEAD, .containers = containers, .container_count = 1,
		.findings = findings, .finding_count = 1 };
	struct table table;

	(void)state;
	finding.container = container;
	assert_non_null(setlocale(LC_CTYPE, "C"));
	table = printed(&report, &options);
	for (size_t i = 0; i < table.length; i++)
		assert_true((unsigned char)table.text[i] < 0x80);
	assert_true(widest_line(table.text) <= 80);
	assert_non_null(strstr(table.text, "\\xe6\\x97"));
	assert_non_null(strstr(table.text, "~"));
	table_done(&table);
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	table = printed(&report, &options);
	assert_non_null(strstr(table.text, "\xe6\x97\xa5\xe6\x9c\xac"));
	assert_non_null(strstr(table.text, "\xe2\x80\xa6"));
	assert_true(widest_line(table.text) <= 80);
	table_done(&table);
}

static void odd_characters_do_not_upset_the_layout(void **state)
{
	/* Combining, wide, zero-width, unassigned, private, an emoji with a joiner, a lone NUL's
	 * overlong. */
	static const char *const names[] = { "e\xcc\x81\xcc\x81\xcc\x81",
		"\xef\xbc\xa1\xef\xbc\xa2", "a\xe2\x80\x8b\xe2\x80\x8c\xe2\x80\x8d-",
		"\xf3\xb0\x80\x80", "\xee\x80\x80", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
		"\xc0\x80", "\xf4\x90\x80\x80", "\xed\xa0\x80", "", "\xcc\x81", "%s%n", "a\\x1b" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char name[256] = "";
		struct container container = { .id = T(ID_A), .runtime = "docker", .name = name };
		const struct scanned_container containers[] = { { &container, &assess_tolerated } };
		const struct scan_report report = { HEAD, .containers = containers,
			.container_count = 1 };

		for (int repeat = 0; repeat < 12; repeat++)
			strcat(name, names[i]);
		for (int width = 60; width < 80; width++) {
			const struct table_options options = { .width = width };
			struct table table = printed(&report, &options);

			assert_true(columns_of(table.text, strcspn(table.text, "\n")) > 0);
			table_done(&table);
		}
	}
}

static void expect_line(const struct scan_report *report, const char *line)
{
	const struct table_options options = { .width = 0 };
	struct table table = printed(report, &options);
	char *found = strstr(table.text, line);

	if (!found || (found != table.text && found[-1] != '\n') || found[strlen(line)] != '\n')
		fail_msg("no line \"%s\" in\n%s", line, table.text);
	table_done(&table);
}

static void the_summary_counts_what_there_is(void **state)
{
	(void)state;
	expect_line(&kubernetes_scan,
		"4 violations (2 critical, 1 high, 1 medium; 3 drift), 1 tolerated, 1 "
		"excepted; 200 containers, 10000 processes in 4.1 ms by procfs");
	expect_line(&docker_scan,
		"2 violations (1 high, 1 low), 1 excepted; 1 container, 1 process in 12.3 s "
		"by procfs");
	expect_line(
		&host_scan, "1 violation (1 high); 0 containers, 0 processes in 0.0 ms by procfs");
	expect_line(&empty_scan, "No violation; 0 containers, 0 processes in 0.0 ms by procfs");

	struct scan_report filtered = empty_scan;

	filtered.filtered = true;
	filtered.coverage.containers = 6;
	expect_line(&filtered, "No violation; 0 of 6 containers, 0 processes in 0.0 ms by procfs");
	expect_line(&kubernetes_scan,
		"Coverage: complete; 10083 tasks of 10070 processes, 3 ended while they "
		"were read");
	expect_line(&docker_scan,
		"Coverage: NOT complete; 1 task of 1 process, 1 ended while it was read");
	expect_line(&docker_scan,
		"- not in the host's PID namespace: only this namespace's processes were "
		"seen");
	expect_line(&docker_scan, "- 1 container was not judged: its program does not run yet");
}

static void an_all_clear_is_given_for_what_was_judged_alone(void **state)
{
	const struct scanned_container compliant[] = { { &compliant_container, &assess_compliant },
		{ &opaque_container, &assess_opaque } };
	struct scan_report report = { HEAD, .containers = compliant, .container_count = 1 };

	(void)state;
	expect_line(&empty_scan, "No container was found.");
	expect_line(&report, "No container holds more than its profile permits.");
	report.container_count = 2;
	expect_line(&report, "No container that was judged holds more than its profile permits.");
	report.container_count = 1;
	report.why_incomplete = reasons;
	report.why_incomplete_count = 1;
	expect_line(&report, "No container that was judged holds more than its profile permits.");
}

static void the_same_cure_is_printed_once(void **state)
{
	const struct finding *const findings[] = { &fixtures[F_PLAIN], &fixtures[F_PLAIN] };
	const struct scan_report report = { HEAD, .findings = findings, .finding_count = 2 };
	const struct table_options options = { .remedy = true };
	struct table table = printed(&report, &options);
	const char *first = strstr(table.text, "initContainers:");

	(void)state;
	assert_non_null(first);
	assert_null(strstr(first + 1, "initContainers:"));
	table_done(&table);
}

static void a_full_disk_is_an_error(void **state)
{
	const struct table_options options = { .all = true, .remedy = true, .advice = true };
	FILE *to = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(to);
	assert_true(report_scan_table(&kubernetes_scan, &options, to) < 0);
	(void)fclose(to);
}

/* Prints into `buffer` without an allocation of the test's own. */
static int print_into(char *buffer, size_t size, const struct scan_report *report,
	const struct table_options *options, unsigned long failing)
{
	FILE *to;
	int r;

	memset(buffer, 0, size);
	to = fmemopen(buffer, size, "w");
	if (!to)
		abort();
	(void)setvbuf(to, NULL, _IONBF, 0);
	fail_allocation_at(failing);
	r = report_scan_table(report, options, to);
	return fclose(to) == 0 ? r : -errno;
}

static void running_out_of_memory_never_leaves_half_a_report(void **state)
{
	static char whole[32768], text[32768];
	const struct table_options options = {
		.all = true, .remedy = true, .advice = true, .color = true, .width = 80
	};
	unsigned long n, failed = 0;

	(void)state;
	assert_int_equal(print_into(whole, sizeof(whole), &docker_scan, &options, 0), 0);
	for (n = 1;; n++) {
		const int r = print_into(text, sizeof(text), &docker_scan, &options, n);
		const bool fired = fail_allocation_fired();

		fail_allocation_at(0);
		/* libsmartcols can do without some of its memory: then nothing may be missing. */
		if (r == 0)
			assert_string_equal(text, whole);
		else
			assert_int_equal(r, -ENOMEM);
		failed += r < 0;
		if (!fired)
			break;
	}
	assert_true(failed > 100);
}

static int set_up(void **state)
{
	(void)state;
	identify_fixtures();
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_the_golden_ones),
		cmocka_unit_test(a_table_fits_every_terminal_from_60_columns_on),
		cmocka_unit_test(a_wider_terminal_shows_no_less),
		cmocka_unit_test(nothing_is_cut_where_the_width_is_unlimited),
		cmocka_unit_test(compliant_containers_are_listed_on_request_alone),
		cmocka_unit_test(hostile_names_reach_the_terminal_escaped),
		cmocka_unit_test(colour_is_the_only_thing_that_needs_an_escape_sequence),
		cmocka_unit_test(an_ascii_terminal_gets_ascii),
		cmocka_unit_test(odd_characters_do_not_upset_the_layout),
		cmocka_unit_test(the_summary_counts_what_there_is),
		cmocka_unit_test(an_all_clear_is_given_for_what_was_judged_alone),
		cmocka_unit_test(the_same_cure_is_printed_once),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(running_out_of_memory_never_leaves_half_a_report),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
