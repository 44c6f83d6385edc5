/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counts a report's findings: for the JSON and for the table's summary alike.
 */
#include "totals.h"

struct totals totals_count(const struct finding *const *findings, size_t count)
{
	struct totals totals = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct finding *f = findings[i];

		switch (f->verdict) {
		case VERDICT_COMPLIANT:
			break;
		case VERDICT_TOLERATED:
			totals.tolerated++;
			break;
		case VERDICT_EXCEPTED:
			totals.excepted++;
			break;
		case VERDICT_VIOLATION:
			totals.violations++;
			totals.drift += f->class == CLASS_DRIFT;
			if ((size_t)f->severity < ARRAY_SIZE(totals.by_severity))
				totals.by_severity[f->severity]++;
			break;
		}
	}
	return totals;
}
