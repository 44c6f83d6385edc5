/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What status says for people: a row an open finding, in the columns of scan's table.
 */
#include "output.h"
#include "summary.h"
#include "table.h"

#include <errno.h>

static const enum column_id columns[] = {
	COLUMN_NAMESPACE,
	COLUMN_POD,
	COLUMN_CONTAINER,
	COLUMN_TYPE,
	COLUMN_PROFILE,
	COLUMN_VERDICT,
	COLUMN_CLASS,
	COLUMN_SEVERITY,
	COLUMN_PROCESSES,
	COLUMN_SINCE,
	COLUMN_EXCESS,
};

static const struct view view = {
	.columns = columns,
	.column_count = ARRAY_SIZE(columns),
	.steps = container_steps,
	.step_count = CONTAINER_STEPS,
};

/* A finding as the container that it would be scanned as. */
struct shown {
	struct profile profile;
	struct assessment assessment;
	struct scanned_container scanned;
};

static void show(const struct finding *f, struct shown *shown, struct row *row)
{
	shown->profile.name = f->profile;
	shown->assessment = (struct assessment){
		.profile = f->profile ? &shown->profile : NULL,
		.verdict = f->verdict,
		.class = f->class,
		.severity = f->severity,
		.processes = f->count,
	};
	shown->scanned = (struct scanned_container){ &f->container, &shown->assessment };
	*row = (struct row){
		.scanned = &shown->scanned,
		.held = capability_sets_held(&f->excess),
		.bounding = f->excess.of[CAPABILITY_BOUNDING],
		.moved = (f->hints & (1u << HINT_MOVED)) != 0,
		.since_us = f->first_seen_us,
	};
}

static int print_rows(
	const struct open_report *report, const struct table_options *options, FILE *to)
{
	_cleanup_free_ struct shown *shown = calloc(report->count + 1, sizeof(*shown));
	_cleanup_free_ struct row *rows = calloc(report->count + 1, sizeof(*rows));
	bool parentheses = false;
	int r;

	if (!shown || !rows)
		return -ENOMEM;
	for (size_t i = 0; i < report->count; i++) {
		show(report->findings[i], &shown[i], &rows[i]);
		parentheses |= (rows[i].bounding & ~rows[i].held) != 0;
	}
	r = table_print(&view, rows, report->count, options->width, options->color, to);
	if (r == 0 && parentheses)
		r = parentheses_explain(options->width, to);
	return r;
}

/* The JSON has a cure only where there is a field to change: it is null outside of Kubernetes. */
static int print_cures(const struct open_report *report, FILE *to)
{
	size_t untold = 0;
	int r = 0;

	for (size_t i = 0; i < report->count; i++)
		untold += report->findings[i]->class == CLASS_POSTURE &&
			  !report->findings[i]->remedy.known;
	if (untold < report->count || !untold)
		r = cures_print(report->findings, report->count, to);
	if (r == 0 && untold)
		r = output_format(to,
			"\n# The daemon does not tell the cures of %zu; scan does: capauditd scan "
			"--remedy\n",
			untold);
	return r;
}

int report_open_table(
	const struct open_report *report, const struct table_options *options, FILE *to)
{
	int r = 0;

	if (report->count)
		r = print_rows(report, options, to);
	if (r == 0 && report->count)
		r = output_text(to, "\n");
	if (r == 0)
		r = open_summary_print(report, options->width, to);
	if (r == 0 && options->remedy)
		r = print_cures(report, to);
	return r == 0 ? output_finish(to) : r;
}
