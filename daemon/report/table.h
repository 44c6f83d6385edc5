/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table of some columns and rows, fitted to a width.
 */
#ifndef CAPAUDITD_REPORT_TABLE_H
#define CAPAUDITD_REPORT_TABLE_H

#include "cells.h"

/* What to give up next where the table is too wide: shorten the column, down to `to` columns, or
 * leave it out (0). */
struct fit_step {
	enum column_id column;
	size_t to;
};

struct view {
	const enum column_id *columns;
	size_t column_count;
	const struct fit_step *steps; /* in this order, each as far as needed */
	size_t step_count;
};

/* table.c: what a table of containers gives up, scan's as well as status's. A step of a column that
 * a view does not have is passed over. */
#define CONTAINER_STEPS 24
extern const struct fit_step container_steps[CONTAINER_STEPS];

/* Prints the rows; `width` 0 is unlimited. 0 or -errno. */
int table_print(const struct view *view, const struct row *rows, size_t row_count, int width,
	bool color, FILE *to);

#endif
