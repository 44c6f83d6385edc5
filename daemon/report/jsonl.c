/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A finding a line: the form that log shippers take. Lines hold what finding_to_json() gives,
 * nothing before or after.
 */
#include <capauditd/report.h>

#include "output.h"

#include <errno.h>

int report_scan_jsonl(const struct scan_report *report, FILE *to)
{
	for (size_t i = 0; i < report->finding_count; i++) {
		_cleanup_free_ char *line = finding_to_json(&report->context, report->findings[i]);
		int r;

		if (!line)
			return -ENOMEM;
		r = output_text(to, line);
		if (r == 0)
			r = output_text(to, "\n");
		if (r < 0)
			return r;
	}
	return output_finish(to);
}
