/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Says in sentences why a pass did not see everything. Silence must never look like an all-clear.
 */
#include "audit.h"

#include <errno.h>
#include <stdlib.h>

#define REASONS_MAX 8u

void strings_free(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

int coverage_explain(const struct coverage *coverage, bool nested, const char *api_failure,
	char ***ret, size_t *ret_count)
{
	const struct {
		bool applies;
		unsigned long long count; /* 0: the sentence has none */
		const char *text;
	} rows[] = {
		{ coverage->not_host_pid_namespace && !nested, 0,
			"not in the host's PID namespace: only this namespace's processes were "
			"seen "
			"(--nested says that this is meant)" },
		{ coverage->hidden_processes, 0,
			"/proc is mounted with hidepid and hides other users' processes" },
		{ coverage->unreadable > 0, coverage->unreadable,
			"living processes refused to be read" },
		{ coverage->over_limit > 0, coverage->over_limit,
			"tasks or containers exceeded what a table may hold" },
		{ api_failure != NULL, 0, api_failure },
	};
	char **reasons = calloc(REASONS_MAX + 1, sizeof(*reasons));
	size_t count = 0;

	if (!reasons)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int n;

		if (!rows[i].applies)
			continue;
		if (rows[i].count)
			n = asprintf(&reasons[count], "%llu %s", rows[i].count, rows[i].text);
		else
			n = asprintf(&reasons[count], "%s", rows[i].text);
		if (n < 0) {
			reasons[count] = NULL;
			strings_free(reasons);
			return -ENOMEM;
		}
		count++;
	}
	*ret = reasons;
	*ret_count = count;
	return 0;
}
