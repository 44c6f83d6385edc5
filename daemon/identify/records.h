/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files that make, keep and compare records of the Kubernetes API share.
 */
#ifndef CAPAUDITD_RECORDS_H
#define CAPAUDITD_RECORDS_H

#include <capauditd/cluster.h>

#include <jansson.h>

/* records.c: labels sorted by key, out of a JSON object of strings. 0; -EBADMSG; -ENOMEM. */
int labels_from_json(const json_t *object, struct label **ret, size_t *ret_count);
const char *labels_find(const struct label *labels, size_t count, const char *key);
/* True where nothing that a verdict or a name could depend on differs. */
bool pod_records_alike(const struct pod_record *a, const struct pod_record *b);
bool namespace_records_alike(const struct namespace_record *a, const struct namespace_record *b);

/* records.c: the value at `path` of the document; *ret is NULL where there is none, or null. 0;
 * -EBADMSG; -ENOMEM. */
int json_value_at(const char *text, size_t length, const char *const *path, json_t **ret);
/* A string at `path`, copied; NULL where there is none. The same errors. */
int json_text_at(const char *text, size_t length, const char *const *path, char **ret);

/* The string, or NULL where it is none or holds a zero byte: that is no name of anything. */
const char *json_text_of(const json_t *string);

/* pod_owner.c: "Deployment/web" for the controller among the owner references; *ret is NULL where
 * there is none. 0 or -ENOMEM. */
int pod_owner_find(
	const json_t *references, const struct label *labels, size_t label_count, char **ret);
/* The controller is a Node. */
bool pod_owner_is_node(const json_t *references);

#endif
