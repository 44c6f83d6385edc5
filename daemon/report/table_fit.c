/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fits a table to a terminal's width and has libsmartcols draw it. What is given up first is the
 * view's choice; libsmartcols' own truncation knows no order among columns, so it is given cells
 * that fit.
 */
#include "table.h"
#include "display.h"
#include "output.h"

#include <errno.h>
#include <libsmartcols.h>
#include <string.h>

struct fit {
	const struct view *view;
	const struct row *rows;
	size_t row_count;
	size_t natural[COLUMNS];
	size_t width[COLUMNS]; /* 0: left out */
};

/* 0 or -ENOMEM. */
static int measure_column(struct fit *fit, enum column_id id)
{
	const struct column *column = &table_columns[id];
	size_t width = strlen(column->name);
	bool empty = true;

	for (size_t i = 0; i < fit->row_count; i++) {
		_cleanup_free_ char *text = column->text(&fit->rows[i], DISPLAY_WHOLE);
		size_t columns_of_text;

		if (!text)
			return -ENOMEM;
		columns_of_text = display_width(text);
		if (columns_of_text > width)
			width = columns_of_text;
		if (strcmp(text, "-") != 0)
			empty = false;
	}
	fit->natural[id] = fit->width[id] = column->optional && empty ? 0 : width;
	return 0;
}

static size_t total_width(const struct fit *fit)
{
	size_t total = 0;

	for (size_t i = 0; i < fit->view->column_count; i++) {
		const size_t width = fit->width[fit->view->columns[i]];

		if (width)
			total += width + (total > 0);
	}
	return total;
}

static void apply_step(struct fit *fit, const struct fit_step *step, size_t limit)
{
	const size_t total = total_width(fit), width = fit->width[step->column];
	size_t least = step->to;

	if (total <= limit || width == 0)
		return;
	if (step->to == 0) {
		fit->width[step->column] = 0;
		return;
	}
	/* Headings are not cut. */
	if (least < strlen(table_columns[step->column].name))
		least = strlen(table_columns[step->column].name);
	if (width <= least)
		return;
	fit->width[step->column] = width - least > total - limit ? width - (total - limit) : least;
}

/* A column that was left out may have made more room than was needed: it goes to those that were
 * shortened last. */
static void give_back(struct fit *fit, const struct fit_step *step, size_t limit)
{
	const size_t total = total_width(fit), width = fit->width[step->column];
	const size_t wanted = fit->natural[step->column] - width;

	if (width && total < limit)
		fit->width[step->column] += wanted < limit - total ? wanted : limit - total;
}

static int set_cell(struct libscols_line *line, size_t position, const struct column *column,
	const struct row *row, size_t width, bool color)
{
	char *text = column->text(row, width);
	const char *sequence = color && column->color ? column->color(row) : NULL;
	int r;

	if (!text)
		return -ENOMEM;
	r = scols_line_refer_data(line, position, text); /* takes it, unless it fails */
	if (r) {
		free(text);
		return r;
	}
	return sequence ? scols_cell_set_color(scols_line_get_cell(line, position), sequence) : 0;
}

/* The columns first: a line has a cell for each column there is when it is made. */
static int fill(const struct fit *fit, struct libscols_table *table, bool color)
{
	const struct view *view = fit->view;

	for (size_t i = 0; i < view->column_count; i++) {
		const struct column *column = &table_columns[view->columns[i]];

		if (fit->width[view->columns[i]] && !scols_table_new_column(table, column->name, 0,
							    column->right ? SCOLS_FL_RIGHT : 0))
			return -ENOMEM;
	}
	for (size_t n = 0; n < fit->row_count; n++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);
		size_t position = 0;

		if (!line)
			return -ENOMEM;
		for (size_t i = 0; i < view->column_count; i++) {
			const enum column_id id = view->columns[i];
			int r;

			if (!fit->width[id])
				continue;
			r = set_cell(line, position++, &table_columns[id], &fit->rows[n],
				fit->width[id], color);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Wide enough for libsmartcols to leave every cell as it is. */
#define UNLIMITED 1000000u

/* Without its own encoding: cells are printable, and their \xNN must not be escaped once more. */
static int set_up(struct libscols_table *table, bool color, FILE *to)
{
	int r = scols_table_set_stream(table, to);

	if (r == 0)
		r = scols_table_enable_noencoding(table, 1);
	if (r == 0)
		r = scols_table_enable_colors(table, color);
	if (r == 0)
		r = scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	if (r == 0)
		r = scols_table_set_termwidth(table, UNLIMITED);
	return r;
}

static int draw(const struct fit *fit, bool color, FILE *to)
{
	struct libscols_table *table = scols_new_table();
	int r;

	if (!table)
		return -ENOMEM;
	r = set_up(table, color, to);
	if (r == 0)
		r = fill(fit, table, color);
	if (r == 0)
		r = scols_print_table(table);
	scols_unref_table(table);
	return r;
}

int table_print(const struct view *view, const struct row *rows, size_t row_count, int width,
	bool color, FILE *to)
{
	struct fit fit = { .view = view, .rows = rows, .row_count = row_count };

	for (size_t i = 0; i < view->column_count; i++)
		if (measure_column(&fit, view->columns[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; width > 0 && i < view->step_count; i++)
		apply_step(&fit, &view->steps[i], (size_t)width);
	for (size_t i = view->step_count; width > 0 && i > 0; i--)
		give_back(&fit, &view->steps[i - 1], (size_t)width);
	return draw(&fit, color, to);
}
