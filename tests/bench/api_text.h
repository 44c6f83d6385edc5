/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an API server would tell of the crowd: lists and events of its pods and namespaces, as large
 * and with the same members as those that a real one sends.
 */
#ifndef CAPAUDITD_BENCH_API_TEXT_H
#define CAPAUDITD_BENCH_API_TEXT_H

#include <stddef.h>

struct api_crowd {
	const char *token;
	unsigned pods, containers /* of each */, namespaces;
	unsigned other_namespaces; /* of the cluster, without a pod here */
};

/* All return a text that the caller frees; a failure ends the program. */

/* A list with that resourceVersion. Every `every`-th pod has `generation` in a label (0: none). */
char *api_pod_list(const struct api_crowd *crowd, unsigned version, unsigned every,
	unsigned generation, size_t *length);
/* Metadata only. All namespaces enforce `level`. */
char *api_namespace_list(
	const struct api_crowd *crowd, unsigned version, const char *level, size_t *length);
char *api_namespace_event(unsigned number, unsigned version, const char *level, size_t *length);
char *api_expired_event(size_t *length);

#endif
