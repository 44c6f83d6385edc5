/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the policy's own files share: its representation, and what loading it needs.
 *
 * Everything that a policy points to stands in blocks of memory that belong to it and go with it.
 * Nobody but daemon/core/policy*.c includes this, and kubeconfig*.c for the reading of documents
 * and nodes (of a loader they fill the document and the diag alone).
 */
#ifndef CAPAUDITD_POLICY_INTERNAL_H
#define CAPAUDITD_POLICY_INTERNAL_H

#include <capauditd/policy.h>

#include "policy_glob.h"

#include <errno.h>
#include <yaml.h>

/* What a file may hold. A policy is written by people; these are far above what they write, and
 * keep the time and memory of a reload bounded. */
#define POLICY_NODES_MAX      65536u /* values, keys and collections of the whole document */
#define POLICY_PROFILES_MAX   1024u
#define POLICY_RULES_MAX      4096u
#define POLICY_EXCEPTIONS_MAX 4096u
#define POLICY_GLOBS_MAX      256u /* in one list */
#define POLICY_LABELS_MAX     64u  /* in one selector */
#define POLICY_PATHS_MAX      256u
#define POLICY_NAME_MAX	      63u /* a profile's name, bytes */
#define POLICY_REASON_MAX     1024u
#define POLICY_PATH_MAX	      4095u

/* The keys of `match` whose values are compared with one text of the subject. */
enum match_field {
	MATCH_NAMESPACE,
	MATCH_POD,
	MATCH_OWNER,
	MATCH_CONTAINER,
	MATCH_CONTAINER_TYPE,
	MATCH_IMAGE,
	MATCH_RUNTIME,
	MATCH_CONTAINER_ID,
	MATCH_FIELDS,
};

/* One key of a label selector: the label must exist and its value match. */
struct label_match {
	const char *key;
	struct globs values;
};

struct selector {
	struct label_match *labels;
	size_t count; /* 0: not given */
};

struct match {
	struct globs fields[MATCH_FIELDS];
	struct selector namespace_labels, pod_labels;
};

struct rule {
	struct match match;
	unsigned require; /* of enum control */
	const struct profile *profile;
};

struct exception {
	struct match match;
	unsigned require;
	enum violation_class class;
	struct policy_exception public;
};

struct policy {
	struct policy_block *blocks;
	const char *file;
	const struct profile **profiles; /* built-in ones first */
	const char **profile_names;	 /* the same, for suggestions */
	size_t profile_count;
	const struct profile *default_profile;
	enum namespace_labels namespace_labels;
	struct rule *rules;
	size_t rule_count;
	struct exception *exceptions;
	size_t exception_count;
	struct run_settings run;
};

/* Zeroed memory that lives as long as the policy; NULL when there is none. */
void *policy_alloc(struct policy *policy, size_t count, size_t size);
char *policy_copy_text(struct policy *policy, const char *text);
/* An empty policy, or NULL. */
struct policy *policy_new(void);
/* Room for the built-in profiles and `own` more, and the built-in ones in it. 0 or -ENOMEM. */
int policy_reserve_profiles(struct policy *policy, size_t own);

/* profile.c: the built-in ones. */
extern const struct profile profile_builtin[];
extern const size_t profile_builtin_count;

/* policy_cover.c: true where everything that `part` matches is certain to be matched by `whole`. */
bool match_covers(const struct match *whole, const struct match *part);

/* policy_document.c: reads the text as one YAML document without what a policy may not have
 * (anchors, aliases, tags, further documents, too deep nesting). `kind` is what errors call the
 * file. The caller deletes it. 0, -EINVAL with *diag filled, -ENOMEM. */
int policy_document_read(
	const char *kind, const char *text, size_t length, yaml_document_t *ret, struct diag *diag);

/* A profile while it is read. */
struct unresolved_profile {
	struct profile *profile;    /* the policy's; holds its own part alone until resolved */
	const yaml_node_t *extends; /* NULL: nothing */
	bool has_allow;
	struct unresolved_profile *extended_by; /* the one from which this was come upon */
	enum { PROFILE_UNSEEN, PROFILE_ACTIVE, PROFILE_RESOLVED } state;
};

/* What a rule leaves for when the whole file was read. */
struct unresolved_rule {
	const yaml_node_t *match, *profile;
};

/* While a file is read. The arrays stand in the policy's memory. */
struct loader {
	struct policy *policy;
	yaml_document_t *document;
	struct diag *diag;
	struct unresolved_profile *profiles;
	size_t profile_count;
	struct unresolved_rule *rules; /* one for each of the policy's */
	const yaml_node_t *default_profile;
};

/* policy_node.c: reading nodes of a document. Those that return int return 0, -EINVAL with the
 * loader's diag filled, or -ENOMEM, and leave *ret alone then. */

#define NODE_LINE(node)	  ((unsigned)(node)->start_mark.line + 1)
#define NODE_COLUMN(node) ((unsigned)(node)->start_mark.column + 1)
#define node_error(loader, node, ...) \
	((void)diag_error((loader)->diag, NODE_LINE(node), NODE_COLUMN(node), __VA_ARGS__), -EINVAL)

/* A key that a mapping may have. */
struct key_row {
	const char *name;
	int (*load)(struct loader *loader, const struct key_row *row, const yaml_node_t *value,
		void *into);
	size_t offset; /* where in `into`, for loaders that serve several keys */
	bool required;
};
#define KEY_ROWS_MAX 16 /* in one table */

/* Calls the row's loader for every key, in the order of the file. Unknown, repeated and missing
 * keys are errors. `what` is the mapping's name in errors: "a rule". */
int node_load_mapping(struct loader *loader, const char *what, const struct key_row *rows,
	size_t count, const yaml_node_t *node, void *into);

/* A mapping whose keys are anybody's; each is a text and there once. */
int node_mapping_length(
	struct loader *loader, const char *name, const yaml_node_t *node, size_t max, size_t *ret);
void node_mapping_pair(const struct loader *loader, const yaml_node_t *node, size_t i,
	const yaml_node_t **ret_key, const yaml_node_t **ret_value);
const char *node_key_text(const yaml_node_t *key);

enum empty_list { EMPTY_LIST_IS_ERROR, EMPTY_LIST_IS_FINE };

int node_list_length(struct loader *loader, const char *name, const yaml_node_t *node, size_t max,
	enum empty_list empty, size_t *ret);
const yaml_node_t *node_list_item(const struct loader *loader, const yaml_node_t *node, size_t i);

/* The text of a single value that is not empty. It lives as long as the document. */
int node_text(struct loader *loader, const char *name, const yaml_node_t *node, const char **ret);
/* The same, copied into the policy. */
int node_copy_text(
	struct loader *loader, const char *name, const yaml_node_t *node, const char **ret);
/* Which of `choices` it is. */
int node_choice(struct loader *loader, const char *name, const yaml_node_t *node,
	const char *const *choices, size_t count, unsigned *ret);
/* A list of words out of `choices`, as bits. `item_name` is what errors call one of them. */
int node_choices(struct loader *loader, const char *name, const char *item_name,
	const yaml_node_t *node, const char *const *choices, size_t count, unsigned *ret);
int node_capabilities(struct loader *loader, const char *name, const yaml_node_t *node,
	enum empty_list empty, capability_mask *ret);
/* Says that a word is not among `choices`: what was probably meant, or else what there is. */
int node_unknown(struct loader *loader, const yaml_node_t *node, const char *what, const char *word,
	const char *const *choices, size_t count);
/* "a list", "a mapping", "a single value", "nothing". */
const char *node_kind(const yaml_node_t *node);

/* One section of the file each: loaders for the keys of the top-level mapping. */
int load_profiles(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into);
int load_rules(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into);
int load_exceptions(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into);
int load_run(struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into);
/* `match:` of a rule or an exception; the row's offset is that of the struct match. */
int load_match(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into);

/* After the whole file was read: profiles first. */
int resolve_profiles(struct loader *loader);
int resolve_rules(struct loader *loader);
/* The profile that a node names. */
int resolve_profile_name(
	struct loader *loader, const yaml_node_t *node, const struct profile **ret);

#endif
