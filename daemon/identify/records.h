/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files that make, keep and compare records of the Kubernetes API share.
 */
#ifndef CAPAUDITD_RECORDS_H
#define CAPAUDITD_RECORDS_H

#include <capauditd/cluster.h>

#include "json_piece.h"

/* records.c: labels sorted by key, out of a JSON object of strings. 0; -EBADMSG; -ENOMEM. */
int labels_from_json(const json_t *object, struct label **ret, size_t *ret_count);
/* True where nothing that a verdict or a name could depend on differs. */
bool pod_records_alike(const struct pod_record *a, const struct pod_record *b);
bool namespace_records_alike(const struct namespace_record *a, const struct namespace_record *b);

/* pod_owner.c: "Deployment/web" for the controller among the owner references; *ret is NULL where
 * there is none. 0 or -ENOMEM. */
int pod_owner_find(
	const json_t *references, const struct label *labels, size_t label_count, char **ret);
/* The controller is a Node. */
bool pod_owner_is_node(const json_t *references);

#endif
