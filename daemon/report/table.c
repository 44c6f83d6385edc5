/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scan's report for people: a row a container, then what follows the table. Decides which rows are
 * shown and what the table gives up in a narrow terminal; knows nothing of how cells are drawn.
 */
#include "table.h"
#include "output.h"
#include "summary.h"

#include <errno.h>
#include <string.h>

static const enum column_id container_columns[] = {
	COLUMN_NAMESPACE,
	COLUMN_POD,
	COLUMN_CONTAINER,
	COLUMN_TYPE,
	COLUMN_PROFILE,
	COLUMN_LEVEL,
	COLUMN_VERDICT,
	COLUMN_CLASS,
	COLUMN_SEVERITY,
	COLUMN_PROCESSES,
	COLUMN_EXCESS,
};

/* Names stay recognisable for as long as possible, and the excess is the last to become short; a
 * privileged container's fills two lines by itself, so that its far end goes early. */
const struct fit_step container_steps[CONTAINER_STEPS] = {
	{ COLUMN_EXCESS, 80 },
	{ COLUMN_POD, 32 },
	{ COLUMN_CONTAINER, 32 },
	{ COLUMN_NAMESPACE, 20 },
	{ COLUMN_PROFILE, 16 },
	{ COLUMN_EXCESS, 48 },
	{ COLUMN_SINCE, 10 },
	{ COLUMN_POD, 20 },
	{ COLUMN_CONTAINER, 20 },
	{ COLUMN_NAMESPACE, 12 },
	{ COLUMN_PROFILE, 10 },
	{ COLUMN_POD, 12 },
	{ COLUMN_CONTAINER, 12 },
	{ COLUMN_EXCESS, 16 },
	{ COLUMN_LEVEL, 0 },
	{ COLUMN_TYPE, 0 },
	{ COLUMN_PROFILE, 0 },
	{ COLUMN_SINCE, 0 },
	{ COLUMN_NAMESPACE, 9 },
	{ COLUMN_POD, 8 },
	{ COLUMN_CONTAINER, 9 },
	{ COLUMN_EXCESS, 12 },
	{ COLUMN_CLASS, 0 },
	{ COLUMN_PROCESSES, 0 },
};

static const struct view container_view = {
	.columns = container_columns,
	.column_count = ARRAY_SIZE(container_columns),
	.steps = container_steps,
	.step_count = CONTAINER_STEPS,
};

static const enum column_id host_columns[] = {
	COLUMN_HOST,
	COLUMN_PROFILE,
	COLUMN_PROCESSES,
	COLUMN_HOLDS,
};

static const struct fit_step host_steps[] = {
	{ COLUMN_HOLDS, 60 },
	{ COLUMN_HOST, 24 },
	{ COLUMN_PROFILE, 10 },
	{ COLUMN_HOLDS, 20 },
};

static const struct view host_view = {
	.columns = host_columns,
	.column_count = ARRAY_SIZE(host_columns),
	.steps = host_steps,
	.step_count = ARRAY_SIZE(host_steps),
};

static int compare_by_container(const void *a, const void *b)
{
	const struct finding *const *x = a, *const *y = b;

	return strcmp((*x)->container.id, (*y)->container.id);
}

/* Ordered by container, so that a row's findings stand together. NULL when out of memory. */
static const struct finding **order_findings(const struct scan_report *report)
{
	const struct finding **ordered =
		calloc(report->finding_count + 1, sizeof(const struct finding *));

	if (!ordered)
		return NULL;
	for (size_t i = 0; i < report->finding_count; i++)
		ordered[i] = report->findings[i];
	qsort(ordered, report->finding_count, sizeof(const struct finding *), compare_by_container);
	return ordered;
}

/* The first that is not before `id`. */
static size_t find_first(const struct finding *const *ordered, size_t count, const char *id)
{
	size_t low = 0, high = count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(ordered[middle]->container.id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Its excess is that of the findings that gave the container its verdict. */
static void sum_row(struct row *row, const struct finding *const *ordered, size_t count)
{
	const char *id = row->scanned->container->id;

	if (!is_judged(row->scanned))
		return;
	for (size_t i = find_first(ordered, count, id);
		i < count && strcmp(ordered[i]->container.id, id) == 0; i++) {
		const struct finding *finding = ordered[i];

		if (finding->verdict != row->scanned->assessment->verdict)
			continue;
		row->held |= capability_sets_held(&finding->excess);
		row->bounding |= finding->excess.of[CAPABILITY_BOUNDING];
		row->moved |= (finding->hints & (1u << HINT_MOVED)) != 0;
	}
}

/* Containers that hold too much, and with `all` every one; host processes stand in a table of their
 * own unless they hold too much. */
static bool is_shown(const struct scanned_container *scanned, bool all)
{
	if (is_judged(scanned) && scanned->assessment->verdict != VERDICT_COMPLIANT)
		return true;
	return all && !scanned->container->host;
}

struct selection {
	struct row *rows; /* the shown, then the host's */
	size_t shown, host;
};

static int select_rows(const struct scan_report *report, bool all, struct selection *ret)
{
	_cleanup_free_ const struct finding **ordered = order_findings(report);
	struct row *rows = calloc(2 * report->container_count + 1, sizeof(*rows)), *next = rows;

	if (!ordered || !rows) {
		free(rows);
		return -ENOMEM;
	}
	*ret = (struct selection){ .rows = rows };
	for (size_t i = 0; i < report->container_count; i++) {
		if (!is_shown(&report->containers[i], all))
			continue;
		next->scanned = &report->containers[i];
		sum_row(next++, ordered, report->finding_count);
		ret->shown++;
	}
	for (size_t i = 0; i < report->container_count; i++) {
		if (!report->containers[i].container->host)
			continue;
		(next++)->scanned = &report->containers[i];
		ret->host++;
	}
	return 0;
}

/* An all-clear is given for what was judged, and for nothing else. */
static const char *nothing_to_show(const struct scan_report *report)
{
	size_t containers = 0, unjudged = 0;

	for (size_t i = 0; i < report->container_count; i++) {
		containers += !report->containers[i].container->host;
		unjudged += !is_judged(&report->containers[i]);
	}
	if (!containers)
		return "No container was found.";
	if (unjudged || report->why_incomplete_count)
		return "No container that was judged holds more than its profile permits.";
	return "No container holds more than its profile permits.";
}

static int print_containers(const struct scan_report *report, const struct selection *selection,
	const struct table_options *options, FILE *to)
{
	bool parentheses = false;
	int r;

	if (!selection->shown)
		return output_wrapped(to, nothing_to_show(report), options->width, 0);
	r = table_print(&container_view, selection->rows, selection->shown, options->width,
		options->color, to);
	for (size_t i = 0; i < selection->shown; i++)
		parentheses |= (selection->rows[i].bounding & ~selection->rows[i].held) != 0;
	if (r == 0 && parentheses)
		r = parentheses_explain(options->width, to);
	return r;
}

static int print_host(
	const struct selection *selection, const struct table_options *options, FILE *to)
{
	int r;

	if (!selection->host)
		return 0;
	r = output_text(to, "\n");
	return r < 0 ? r
		     : table_print(&host_view, selection->rows + selection->shown, selection->host,
			       options->width, options->color, to);
}

int report_scan_table(
	const struct scan_report *report, const struct table_options *options, FILE *to)
{
	struct selection selection;
	int r = select_rows(report, options->all, &selection);

	if (r < 0)
		return r;
	r = print_containers(report, &selection, options, to);
	if (r == 0)
		r = print_host(&selection, options, to);
	free(selection.rows);
	if (r == 0)
		r = output_text(to, "\n");
	if (r == 0)
		r = summary_print(report, options->width, to);
	if (r == 0 && options->remedy)
		r = cures_print(report->findings, report->finding_count, to);
	if (r == 0 && options->advice)
		r = advice_print(report, to);
	return r == 0 ? output_finish(to) : r;
}
