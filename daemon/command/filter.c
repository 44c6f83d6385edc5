/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Matches containers against what was asked for. Unknown names match nothing.
 */
#include "filter.h"

#include <capauditd/command.h>
#include <capauditd/text.h>

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

int filter_add_glob(struct globs *globs, const char *glob)
{
	const char **all = reallocarray(globs->glob, globs->count + 1, sizeof(const char *));

	if (!all)
		return -ENOMEM;
	globs->glob = all;
	globs->glob[globs->count++] = glob;
	return 0;
}

int filter_add_pid(struct filter *filter, const char *text)
{
	uint64_t pid;
	pid_t *all;
	int r = text_to_u64(text, 1, INT32_MAX, &pid);

	if (r < 0)
		return r;
	all = reallocarray(filter->pids, filter->pid_count + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	filter->pids = all;
	filter->pids[filter->pid_count++] = (pid_t)pid;
	return 0;
}

static int add(struct filter *filter, enum filter_kind kind, const char *value)
{
	switch (kind) {
	case FILTER_NAMESPACE:
		return filter_add_glob(&filter->namespaces, value);
	case FILTER_POD:
		return filter_add_glob(&filter->pods, value);
	case FILTER_CONTAINER:
		return filter_add_glob(&filter->containers, value);
	default:
		return filter_add_pid(filter, value);
	}
}

int filter_take(struct filter *filter, enum filter_kind kind, const char *value)
{
	int r = add(filter, kind, value);

	if (r == -ENOMEM)
		return EXIT_STATUS_INTERNAL;
	return r < 0 ? usage_error("--pid: \"%s\" is no process id", value) : OPTIONS_GO;
}

void filter_done(struct filter *filter)
{
	free(filter->namespaces.glob);
	free(filter->pods.glob);
	free(filter->containers.glob);
	free(filter->pids);
	*filter = (struct filter){ 0 };
}

bool filter_is_empty(const struct filter *filter)
{
	return !filter->namespaces.count && !filter->pods.count && !filter->containers.count &&
	       !filter->pid_count;
}

static bool matches(const struct globs *globs, const char *text)
{
	if (!globs->count)
		return true;
	for (size_t i = 0; text && i < globs->count; i++)
		if (fnmatch(globs->glob[i], text, 0) == 0)
			return true;
	return false;
}

static bool matches_id(const struct globs *globs, const char *id)
{
	for (size_t i = 0; i < globs->count; i++)
		if (globs->glob[i][0] &&
			(strncmp(id, globs->glob[i], strlen(globs->glob[i])) == 0 ||
				fnmatch(globs->glob[i], id, 0) == 0))
			return true;
	return false;
}

bool filter_matches(const struct filter *filter, const struct container *container)
{
	return matches(&filter->namespaces, container->pod.namespace_name) &&
	       matches(&filter->pods, container->pod.name) &&
	       (matches(&filter->containers, container->name) ||
		       matches_id(&filter->containers, container->id));
}
