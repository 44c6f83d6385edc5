/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prometheus' text format, 0.0.4: a metric's head, then its samples, each of its labels first.
 */
#ifndef CAPAUDITD_REPORT_METRICS_TEXT_H
#define CAPAUDITD_REPORT_METRICS_TEXT_H

#include <capauditd/metrics.h>

#include <errno.h>

/* Of a label's value when it is clean, and not yet escaped for Prometheus. */
#define METRICS_LABEL_SIZE 160u

struct metrics_text {
	FILE *to;
	int error;	  /* the first; nothing is written after it */
	const char *name; /* of the metric that was begun */
	unsigned labels;  /* of the sample that was begun */
};

void metrics_text_begin(
	struct metrics_text *text, const char *name, const char *type, const char *help);
/* A label of the next sample. The value may be anything, and is cut where it is long. */
void metrics_text_label(struct metrics_text *text, const char *name, const char *value);
/* End the sample. */
void metrics_text_count(struct metrics_text *text, uint64_t value);
void metrics_text_seconds(struct metrics_text *text, uint64_t us);
void metrics_text_histogram(struct metrics_text *text, const struct histogram *histogram);
int metrics_text_end(struct metrics_text *text); /* 0 or -errno */

#endif
