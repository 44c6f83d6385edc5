/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sums of a scan and the coverage that it reached, in sentences. It must never sound like an
 * all-clear where something was not seen.
 */
#include "summary.h"
#include "output.h"
#include "totals.h"

#include <capauditd/sentence.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define REASON_LIMIT 1024u

/* "1 container", "2 containers" */
static void add_count(struct sentence *s, uint64_t count, const char *one, const char *many)
{
	sentence_add(s, "%" PRIu64 " %s", count, count == 1 ? one : many);
}

/* " (1 critical, 2 medium; 1 of them drift)" */
static void add_severities(struct sentence *s, const struct totals *totals)
{
	const char *separator = " (";

	for (int severity = SEVERITY_CRITICAL; severity > SEVERITY_NONE; severity--) {
		if (!totals->by_severity[severity])
			continue;
		sentence_add(s, "%s%" PRIu64 " %s", separator, totals->by_severity[severity],
			severity_name((enum severity)severity));
		separator = ", ";
	}
	if (totals->drift)
		sentence_add(s, "; %" PRIu64 " drift", totals->drift);
	sentence_add(s, ")");
}

static void add_duration(struct sentence *s, uint64_t us)
{
	const uint64_t second = 1000000, tenths_of_ms = us / 100;

	if (us >= 10 * second)
		sentence_add(s, "%" PRIu64 ".%" PRIu64 " s", us / second, us / (second / 10) % 10);
	else
		sentence_add(s, "%" PRIu64 ".%" PRIu64 " ms", tenths_of_ms / 10, tenths_of_ms % 10);
}

/* "2 violations (1 critical, 1 low), 3 tolerated" */
static void add_verdicts(
	struct sentence *s, const struct finding *const *findings, size_t count, const char *none)
{
	const struct totals totals = totals_count(findings, count);

	if (totals.violations) {
		add_count(s, totals.violations, "violation", "violations");
		add_severities(s, &totals);
	} else {
		sentence_add(s, "%s", none);
	}
	if (totals.tolerated)
		sentence_add(s, ", %" PRIu64 " tolerated", totals.tolerated);
	if (totals.excepted)
		sentence_add(s, ", %" PRIu64 " excepted", totals.excepted);
}

static void add_totals(struct sentence *s, const struct scan_report *report)
{
	add_verdicts(s, report->findings, report->finding_count, "No violation");
	sentence_add(s, "; ");
	if (report->filtered)
		sentence_add(s, "%zu of ", report->container_count);
	add_count(s, report->coverage.containers, "container", "containers");
	sentence_add(s, ", ");
	add_count(s, report->coverage.container_processes, "process", "processes");
	sentence_add(s, " in ");
	add_duration(s, report->duration_us);
	sentence_add(s, " by ");
	sentence_add_text(s, report->context.engine ? report->context.engine : "?", REASON_LIMIT);
}

static void add_coverage(struct sentence *s, const struct scan_report *report)
{
	const struct coverage *c = &report->coverage;

	sentence_add(
		s, "Coverage: %s; ", report->why_incomplete_count ? "NOT complete" : "complete");
	add_count(s, c->tasks, "task", "tasks");
	sentence_add(s, " of ");
	add_count(s, c->processes, "process", "processes");
	if (c->vanished) {
		sentence_add(s, ", ");
		add_count(s, c->vanished, "ended while it was read", "ended while they were read");
	}
}

/* Prints the sentence that was built, on lines of its own; frees it. */
static int print_sentence(struct sentence *s, int width, int indent, FILE *to)
{
	_cleanup_free_ char *text = sentence_end(s);

	return text ? output_wrapped(to, text, width, indent) : -ENOMEM;
}

/* What a reader should know of the coverage even where it is complete. */
static int print_notes(const struct coverage *c, int width, FILE *to)
{
	const struct {
		uint64_t count;
		const char *one, *many;
	} notes[] = {
		{ c->starting, "container was not judged: its program does not run yet",
			"containers were not judged: their programs do not run yet" },
		{ c->opaque,
			"container was not judged: nobody can see into it from the host (gVisor, "
			"Kata)",
			"containers were not judged: nobody can see into them from the host "
			"(gVisor, Kata)" },
		{ c->unattributed, "container process was judged without knowing whose it is",
			"container processes were judged without knowing whose they are" },
		{ c->unknown_executables, "executable could not be read, for want of privilege",
			"executables could not be read, for want of privilege" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		struct sentence s;
		int r;

		if (!notes[i].count)
			continue;
		sentence_begin(&s);
		sentence_add(&s, "- ");
		add_count(&s, notes[i].count, notes[i].one, notes[i].many);
		r = print_sentence(&s, width, 2, to);
		if (r < 0)
			return r;
	}
	return 0;
}

int summary_print(const struct scan_report *report, int width, FILE *to)
{
	struct sentence s;
	int r;

	sentence_begin(&s);
	add_totals(&s, report);
	r = print_sentence(&s, width, 0, to);
	if (r < 0)
		return r;
	sentence_begin(&s);
	add_coverage(&s, report);
	r = print_sentence(&s, width, 0, to);
	for (size_t i = 0; r == 0 && i < report->why_incomplete_count; i++) {
		sentence_begin(&s);
		sentence_add(&s, "- ");
		sentence_add_text(&s, report->why_incomplete[i], REASON_LIMIT);
		r = print_sentence(&s, width, 2, to);
	}
	return r < 0 ? r : print_notes(&report->coverage, width, to);
}

int open_summary_print(const struct open_report *report, int width, FILE *to)
{
	struct sentence s;

	sentence_begin(&s);
	add_verdicts(&s, report->findings, report->count, "No violation is open");
	if (report->filtered)
		sentence_add(&s, ", of those asked for");
	if (!report->complete)
		sentence_add(&s, "; the daemon does NOT see everything (its messages say why)");
	return print_sentence(&s, width, 0, to);
}

int parentheses_explain(int width, FILE *to)
{
	return output_wrapped(to,
		"In parentheses: in the bounding set alone, to be had only through an exec "
		"that grants it.",
		width, 0);
}
