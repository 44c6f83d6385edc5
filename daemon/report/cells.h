/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands in the columns of scan's table.
 */
#ifndef CAPAUDITD_REPORT_CELLS_H
#define CAPAUDITD_REPORT_CELLS_H

#include <capauditd/report.h>

struct row {
	const struct scanned_container *scanned;
	/* Of its findings that have its verdict: what is held, and what only the bounding set has.
	 */
	capability_mask held, bounding;
	bool moved;
	uint64_t since_us; /* realtime: a finding's first sight */
};

/* The order is that of docs/interface.md; the last ones are for host processes. */
enum column_id {
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
	COLUMN_HOST,
	COLUMN_HOLDS,
	COLUMN_SINCE, /* of what is open */
	COLUMNS,
};

struct column {
	const char *name;
	bool right;    /* aligned so */
	bool optional; /* left out where no row has anything in it */
	/* The cell in at most `width` columns; "-" where there is nothing to say. A new string,
	 * NULL when out of memory. */
	char *(*text)(const struct row *row, size_t width);
	const char *(*color)(const struct row *row); /* as libsmartcols has it; NULL: none */
};

extern const struct column table_columns[COLUMNS];

/* False for one into which nobody can see, or whose program does not run yet. */
bool is_judged(const struct scanned_container *scanned);

#endif
