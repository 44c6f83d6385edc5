/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How scan and status print, and what their exit status depends on.
 */
#ifndef CAPAUDITD_SHOW_H
#define CAPAUDITD_SHOW_H

#include <capauditd/report.h>

enum show_format { FORMAT_TABLE, FORMAT_JSON, FORMAT_JSONL };
enum show_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum fail_on { FAIL_ON_VIOLATION, FAIL_ON_DRIFT, FAIL_ON_TOLERATED, FAIL_ON_NONE };

struct show_options {
	enum show_format format;
	enum show_color color;
	enum fail_on fail_on;
	const char *output; /* a file; NULL: standard output */
};

/* Reads the value of --format, --color or --fail-on. 0, or -1, said. */
int show_take_format(struct show_options *options, const char *value);
int show_take_color(struct show_options *options, const char *value);
int show_take_fail_on(struct show_options *options, const char *value);

/* The terminal's width, or that of COLUMNS; 0: unlimited, as for a file. */
int show_width(const struct show_options *options);
bool show_in_color(const struct show_options *options);

/* Writes a report where it belongs: a file is there whole or not at all. 0 or -errno. */
typedef int show_report(const void *data, FILE *to);
int show(const struct show_options *options, show_report *report, const void *data);
/* Says in one line why it could not. */
void show_complain(const struct show_options *options, int error);

/* Is one of them what --fail-on asks for? */
bool show_fails(
	const struct show_options *options, const struct finding *const *findings, size_t count);

#endif
