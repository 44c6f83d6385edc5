/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which containers a command is asked about: --namespace, --pod, --container, --pid.
 */
#ifndef CAPAUDITD_FILTER_H
#define CAPAUDITD_FILTER_H

#include <capauditd/container.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Globs of one kind: one of them must match. Borrowed strings. */
struct globs {
	const char **glob;
	size_t count;
};

struct filter {
	struct globs namespaces, pods, containers;
	pid_t *pids;
	size_t pid_count;
};

int filter_add_glob(struct globs *globs, const char *glob);  /* 0 or -ENOMEM */
int filter_add_pid(struct filter *filter, const char *text); /* 0, -EINVAL, -ERANGE, -ENOMEM */

/* The options by which a command takes one, and what they take it as: OPTIONS_GO or an exit status,
 * said. */
enum filter_kind { FILTER_NAMESPACE, FILTER_POD, FILTER_CONTAINER, FILTER_PID };
int filter_take(struct filter *filter, enum filter_kind kind, const char *value);
void filter_done(struct filter *filter);

bool filter_is_empty(const struct filter *filter);

/* By names (what is unknown matches nothing) and ids; pids are the audit's. */
bool filter_matches(const struct filter *filter, const struct container *container);

#endif
