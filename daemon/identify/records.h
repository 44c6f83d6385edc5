/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files that make, keep and compare records of the Kubernetes API share.
 */
#ifndef CAPAUDITD_RECORDS_H
#define CAPAUDITD_RECORDS_H

#include <capauditd/cluster.h>
#include <capauditd/json_text.h>

#include "json_piece.h"

#define OBJECT_NAME_MAX 253u /* of a name in Kubernetes; what is longer is none */
#define OBJECT_KEPT_MAX                                                           \
	(256u * 1024u) /* bytes of what is parsed; a thousand containers are less \
			*/

/* ---- api_object.c ---- */

/* What `keep` names of an object, parsed. 0; -EBADMSG where it is no JSON or its "kind", which an
 * item of a list lacks, is none of `kinds` (ended by NULL); -ENOSPC where that is more than
 * OBJECT_KEPT_MAX; -ENOMEM. */
int object_load(const char *text, size_t length, const struct json_keep *keep,
	const char *const *kinds, json_t **ret);
/* Borrowed; NULL where that member is missing or no string, or where a NUL within would make it
 * another. */
const char *object_text(const json_t *object, const char *key);
/* The same where it can be the name of an object of Kubernetes. */
const char *object_name(const json_t *object, const char *key);
/* Labels sorted by key, out of a JSON object of strings (NULL: none). 0; -EBADMSG; -ENOMEM. */
int labels_from_json(const json_t *object, struct label **ret, size_t *ret_count);

/* ---- records.c ---- */

void labels_free(struct label *labels, size_t count);
/* True where nothing that a verdict or a name could depend on differs. */
bool pod_records_alike(const struct pod_record *a, const struct pod_record *b);
bool namespace_records_alike(const struct namespace_record *a, const struct namespace_record *b);
/* The memory that a record takes, about. */
size_t pod_record_size(const struct pod_record *record);
size_t namespace_record_size(const struct namespace_record *record);

/* ---- pod_owner.c ---- */

/* The owner reference whose object controls the pod, or NULL. */
const json_t *pod_controller(const json_t *references);
/* It is a Node. */
bool pod_controller_is_node(const json_t *controller);
/* "Deployment/web" for a controller; *ret is NULL where there is none (NULL), or none that could
 * be. 0 or -ENOMEM. */
int pod_owner_name(
	const json_t *controller, const struct label *labels, size_t label_count, char **ret);

#endif
