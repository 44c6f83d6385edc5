/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What follows scan's table: the sums, what coverage was reached, cures and advice.
 */
#ifndef CAPAUDITD_REPORT_SUMMARY_H
#define CAPAUDITD_REPORT_SUMMARY_H

#include <capauditd/report.h>

/* Each returns 0 or -errno. */
int summary_print(const struct scan_report *report, int width, FILE *to);
int open_summary_print(const struct open_report *report, int width, FILE *to);
int cures_print(const struct finding *const *findings, size_t count, FILE *to);
/* What the parentheses of a table mean. */
int parentheses_explain(int width, FILE *to);
int advice_print(const struct scan_report *report, FILE *to);

#endif
