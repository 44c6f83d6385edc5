/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many findings of each kind a report has.
 */
#ifndef CAPAUDITD_REPORT_TOTALS_H
#define CAPAUDITD_REPORT_TOTALS_H

#include <capauditd/report.h>

struct totals {
	uint64_t violations; /* of both classes */
	uint64_t drift;	     /* those of them that are drift */
	uint64_t tolerated, excepted;
	uint64_t by_severity[SEVERITY_CRITICAL + 1]; /* of the violations */
};

struct totals totals_count(const struct finding *const *findings, size_t count);

#endif
