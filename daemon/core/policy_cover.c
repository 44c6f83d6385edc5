/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the question whether one `match` takes all that another one could, so that a rule which can
 * never apply is found when the policy is read. It answers yes only where that is certain.
 */
#include "policy_internal.h"

#include <string.h>

static bool selector_covers(const struct selector *whole, const struct selector *part)
{
	for (size_t i = 0; i < whole->count; i++) {
		const struct globs *values = NULL;

		for (size_t j = 0; j < part->count && !values; j++)
			if (strcmp(whole->labels[i].key, part->labels[j].key) == 0)
				values = &part->labels[j].values;
		if (!values || !globs_cover(&whole->labels[i].values, values))
			return false;
	}
	return true;
}

bool match_covers(const struct match *whole, const struct match *part)
{
	for (unsigned field = 0; field < MATCH_FIELDS; field++)
		if (!globs_cover(&whole->fields[field], &part->fields[field]))
			return false;
	return selector_covers(&whole->namespace_labels, &part->namespace_labels) &&
	       selector_covers(&whole->pod_labels, &part->pod_labels);
}
