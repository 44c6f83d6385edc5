/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns `match:`: its keys, what the texts that they are compared with look like, and the refusal of
 * globs that can match none of them.
 */
#include "policy_internal.h"
#include "policy_value.h"

#include <capauditd/cgroup.h>
#include <capauditd/text.h>

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define CONTAINER_ID_DIGITS 64u /* of Docker, Podman and CRI-O */
#define SHORT_ID_DIGITS	    12u /* the least that their tools print */
#define RUNTIMES_MAX	    64

static bool in_dns_label(unsigned char c)
{
	return islower(c) || isdigit(c) || c == '-';
}

static bool in_pod_name(unsigned char c) /* Podman's pods may have more than Kubernetes' */
{
	return isalnum(c) || c == '-' || c == '_' || c == '.';
}

static bool in_owner(unsigned char c)
{
	return in_pod_name(c) || c == '/' || c == ':';
}

/* Names of cgroups count where there are no others: anything may stand there. */
static bool in_any(unsigned char c)
{
	return c != '\0';
}

static bool in_id(unsigned char c)
{
	return isdigit(c) || (c >= 'a' && c <= 'f');
}

static bool in_image(unsigned char c)
{
	return c > ' ' && c != 0x7f;
}

/* The texts that a glob of each field is compared with. */
static const struct field_form {
	struct glob_form form;
	const char *texts; /* for people */
} field_forms[MATCH_FIELDS] = {
	[MATCH_NAMESPACE] = { { in_dns_label, 1, 63 },
		"names of namespaces have at most 63 lower-case letters, digits and -" },
	[MATCH_POD] = { { in_pod_name, 1, 253 },
		"names of pods have at most 253 letters, digits, -, _ and ." },
	[MATCH_OWNER] = { { in_owner, 1, 317 },
		"an owner is its kind and name, as in Deployment/web" },
	[MATCH_CONTAINER] = { { in_any, 1, CGROUP_NAME_MAX },
		"names of containers have at most 255 characters" },
	[MATCH_CONTAINER_TYPE] = { { in_any, 1, GLOB_MAX }, "" },
	[MATCH_IMAGE] = { { in_image, 1, 4096 }, "names of images have no spaces" },
	[MATCH_RUNTIME] = { { in_any, 1, GLOB_MAX }, "" },
	[MATCH_CONTAINER_ID] = { { in_any, 1, 4096 },
		"ids of containers have at most 4096 characters" },
};

static const struct field_form label_form = { { in_pod_name, 0, 63 },
	"values of labels have at most 63 letters, digits, -, _ and ." };

/* Of runtimes that make up the id themselves. */
static const struct field_form id_form = { { in_id, CONTAINER_ID_DIGITS, CONTAINER_ID_DIGITS },
	"ids of that runtime have 64 digits out of 0-9 and a-f" };

static int check_form(struct loader *loader, const char *name, const yaml_node_t *node,
	const char *glob, const struct field_form *form)
{
	switch (glob_check(glob, &form->form)) {
	case GLOB_GOOD:
		return 0;
	case GLOB_TOO_LONG:
		return node_error(loader, node, "%s is longer than %u bytes", name, GLOB_MAX);
	case GLOB_EMPTY:
		return node_error(loader, node, "%s is empty", name);
	case GLOB_UNCLOSED:
		return node_error(loader, node, "%s \"%s\" has a [ without its ]", name, glob);
	case GLOB_DANGLING:
		return node_error(loader, node, "%s \"%s\" ends in a backslash", name, glob);
	case GLOB_MATCHES_NOTHING:
		break;
	}
	return node_error(loader, node, "%s \"%s\" can never match: %s", name, glob, form->texts);
}

/* A glob over names of which all are known must match one of them. */
static int check_names(struct loader *loader, const char *name, const yaml_node_t *node,
	const char *glob, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (glob_matches(glob, names[i]))
			return 0;
	if (glob_is_literal(glob))
		return node_unknown(loader, node, name, glob, names, count);
	return node_error(loader, node, "%s \"%s\" can never match: there is none of such a name",
		name, glob);
}

static int check_type(
	struct loader *loader, const char *name, const yaml_node_t *node, const char *glob)
{
	const char *names[CONTAINER_TYPES];
	size_t count = 0;

	if (strcmp(glob, container_type_name(CONTAINER_UNKNOWN)) == 0)
		return node_error(loader, node,
			"%s \"%s\" can never match: what is unknown matches no key", name, glob);
	for (unsigned type = CONTAINER_UNKNOWN + 1; type < CONTAINER_TYPES; type++)
		names[count++] = container_type_name((enum container_type)type);
	return check_names(loader, name, node, glob, names, count);
}

/* Every runtime that a subject can have. */
static size_t runtime_names(const char *names[static RUNTIMES_MAX])
{
	size_t count = 0;

	names[count++] = "host";
	names[count++] = "unknown";
	for (const char *const *name = cgroup_runtimes(); *name && count < RUNTIMES_MAX; name++)
		names[count++] = *name;
	return count;
}

static int check_runtime(
	struct loader *loader, const char *name, const yaml_node_t *node, const char *glob)
{
	const char *names[RUNTIMES_MAX];

	return check_names(loader, name, node, glob, names, runtime_names(names));
}

/* Owners are kinds of Kubernetes, whose names are spelled in one way. */
static int check_owner(
	struct loader *loader, const char *name, const yaml_node_t *node, const char *glob)
{
	static const char *const kinds[] = { "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet",
		"ReplicationController", "Job", "CronJob", "Node" };
	const char *slash = strchr(glob, '/');
	size_t length = slash ? (size_t)(slash - glob) : 0;

	if (!slash && glob_is_literal(glob))
		return node_error(loader, node, "%s \"%s\" can never match: %s", name, glob,
			field_forms[MATCH_OWNER].texts);
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && slash; i++)
		if (strlen(kinds[i]) == length && strncasecmp(glob, kinds[i], length) == 0 &&
			strncmp(glob, kinds[i], length) != 0)
			return node_error(loader, node,
				"%s \"%s\" can never match (did you mean %s%s?)", name, glob,
				kinds[i], slash);
	return 0;
}

static int check_glob(struct loader *loader, const char *name, const yaml_node_t *node,
	const char *glob, enum match_field field)
{
	int r = check_form(loader, name, node, glob, &field_forms[field]);

	if (r < 0)
		return r;
	switch (field) {
	case MATCH_CONTAINER_TYPE:
		return check_type(loader, name, node, glob);
	case MATCH_RUNTIME:
		return check_runtime(loader, name, node, glob);
	case MATCH_OWNER:
		return check_owner(loader, name, node, glob);
	default:
		return 0;
	}
}

/* Reads a glob or a list of them, asking `check` about each. */
typedef int glob_checker(struct loader *loader, const char *name, const yaml_node_t *node,
	const char *glob, enum match_field field);

static int load_glob(struct loader *loader, const char *name, const yaml_node_t *node,
	glob_checker *check, enum match_field field, const char **ret)
{
	const char *glob;
	int r;

	/* The empty text is the checker's: a label may have it as its value. */
	if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0 &&
		node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
		r = check(loader, name, node, "", field);
		if (r < 0)
			return r;
		*ret = "";
		return 0;
	}
	r = node_copy_text(loader, name, node, &glob);
	if (r < 0)
		return r;
	r = check(loader, name, node, glob, field);
	if (r < 0)
		return r;
	*ret = glob;
	return 0;
}

static int load_globs(struct loader *loader, const char *name, const yaml_node_t *node,
	glob_checker *check, enum match_field field, struct globs *ret)
{
	bool is_list = node->type == YAML_SEQUENCE_NODE;
	const char **items;
	size_t count = 1;
	int r = 0;

	if (node->type == YAML_MAPPING_NODE)
		return node_error(loader, node, "%s must be a glob or a list of globs, not %s",
			name, node_kind(node));
	if (is_list)
		r = node_list_length(
			loader, name, node, POLICY_GLOBS_MAX, EMPTY_LIST_IS_ERROR, &count);
	if (r < 0)
		return r;
	items = policy_alloc(loader->policy, count, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++)
		r = load_glob(loader, name, is_list ? node_list_item(loader, node, i) : node, check,
			field, &items[i]);
	*ret = (struct globs){ .items = items, .count = count };
	return r;
}

/* The row's offset is the field. */
static int load_field(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct match *match = into;
	enum match_field field = (enum match_field)row->offset;

	return load_globs(loader, row->name, node, check_glob, field, &match->fields[field]);
}

static int check_label_value(struct loader *loader, const char *name, const yaml_node_t *node,
	const char *glob, enum match_field field)
{
	(void)field;
	return check_form(loader, name, node, glob, &label_form);
}

static int load_selector(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct selector *selector = (void *)((char *)into + row->offset);
	size_t count;
	int r = node_mapping_length(loader, row->name, node, POLICY_LABELS_MAX, &count);

	if (r < 0)
		return r;
	if (count == 0)
		return node_error(loader, node, "%s is empty", row->name);
	selector->labels = policy_alloc(loader->policy, count, sizeof(*selector->labels));
	if (!selector->labels)
		return -ENOMEM;
	selector->count = count;
	for (size_t i = 0; i < count; i++) {
		struct label_match *label = &selector->labels[i];
		const yaml_node_t *key, *value;

		node_mapping_pair(loader, node, i, &key, &value);
		if (label_key_check(node_key_text(key)) < 0)
			return node_error(
				loader, key, "\"%s\" is no label's key", node_key_text(key));
		label->key = policy_copy_text(loader->policy, node_key_text(key));
		if (!label->key)
			return -ENOMEM;
		r = load_globs(
			loader, label->key, value, check_label_value, MATCH_FIELDS, &label->values);
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct key_row match_keys[] = {
	{ .name = "namespace", .load = load_field, .offset = MATCH_NAMESPACE },
	{ .name = "namespaceSelector",
		.load = load_selector,
		.offset = offsetof(struct match, namespace_labels) },
	{ .name = "pod", .load = load_field, .offset = MATCH_POD },
	{ .name = "podSelector",
		.load = load_selector,
		.offset = offsetof(struct match, pod_labels) },
	{ .name = "owner", .load = load_field, .offset = MATCH_OWNER },
	{ .name = "container", .load = load_field, .offset = MATCH_CONTAINER },
	{ .name = "containerType", .load = load_field, .offset = MATCH_CONTAINER_TYPE },
	{ .name = "image", .load = load_field, .offset = MATCH_IMAGE },
	{ .name = "runtime", .load = load_field, .offset = MATCH_RUNTIME },
	{ .name = "containerId", .load = load_field, .offset = MATCH_CONTAINER_ID },
};

/* True where `runtime` is given and matches none but the first `count` of `among`. */
static bool runtime_is_among(const struct match *match, const char *const *among, size_t count)
{
	const struct globs *globs = &match->fields[MATCH_RUNTIME];
	const char *names[RUNTIMES_MAX];
	size_t name_count = runtime_names(names);

	for (size_t i = 0; i < name_count; i++) {
		bool found = false;

		for (size_t j = 0; j < count; j++)
			found |= strcmp(names[i], among[j]) == 0;
		if (!found && globs_match(globs, names[i]))
			return false;
	}
	return globs->count > 0;
}

/* What stands behind a key; NULL where it is not given. */
static const yaml_node_t *value_of(
	const struct loader *loader, const yaml_node_t *mapping, const char *name)
{
	size_t count =
		(size_t)(mapping->data.mapping.pairs.top - mapping->data.mapping.pairs.start);

	for (size_t i = 0; i < count; i++) {
		const yaml_node_t *key, *value;

		node_mapping_pair(loader, mapping, i, &key, &value);
		if (strcmp(node_key_text(key), name) == 0)
			return value;
	}
	return NULL;
}

/* Host processes are in no pod. */
static int check_host_keys(
	struct loader *loader, const yaml_node_t *node, const struct match *match)
{
	static const char *const host[] = { "host" };
	static const char *const keys[] = { "namespace", "namespaceSelector", "pod", "podSelector",
		"owner", "containerType", "image" };

	if (!runtime_is_among(match, host, ARRAY_SIZE(host)))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const yaml_node_t *value = value_of(loader, node, keys[i]);

		if (value)
			return node_error(loader, value,
				"%s can never match: processes of the host have none", keys[i]);
	}
	return 0;
}

static bool is_short_id(const char *glob)
{
	size_t length = strlen(glob);

	return length >= SHORT_ID_DIGITS && length < CONTAINER_ID_DIGITS &&
	       strspn(glob, "0123456789abcdef") == length;
}

/* Ids are compared whole. A shortened one, as `docker ps` prints it, would match nothing, and
 * nobody would notice; only a runtime whose ids are anybody's choice can have such a one. */
static int check_id(
	struct loader *loader, const yaml_node_t *node, const char *glob, const struct match *match)
{
	/* The first three have such ids alone; the others have them nearly always. */
	static const char *const digits[] = { "docker", "podman", "cri-o", "containerd",
		"unknown-cri" };

	if (is_short_id(glob) && (match->fields[MATCH_RUNTIME].count == 0 ||
					 runtime_is_among(match, digits, ARRAY_SIZE(digits))))
		return node_error(loader, node,
			"containerId \"%s\" can never match: ids are compared whole (did you mean "
			"%s*?)",
			glob, glob);
	if (runtime_is_among(match, digits, 3))
		return check_form(loader, "containerId", node, glob, &id_form);
	return 0;
}

static int check_ids(struct loader *loader, const yaml_node_t *node, const struct match *match)
{
	const struct globs *ids = &match->fields[MATCH_CONTAINER_ID];
	const yaml_node_t *value = value_of(loader, node, "containerId");
	int r = 0;

	for (size_t i = 0; i < ids->count && r == 0; i++)
		r = check_id(loader,
			value->type == YAML_SEQUENCE_NODE ? node_list_item(loader, value, i)
							  : value,
			ids->items[i], match);
	return r;
}

int load_match(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct match *match = (void *)((char *)into + row->offset);
	int r = node_load_mapping(
		loader, row->name, match_keys, ARRAY_SIZE(match_keys), node, match);

	if (r < 0)
		return r;
	if (node->data.mapping.pairs.top == node->data.mapping.pairs.start)
		return node_error(loader, node, "match is empty: it needs a key at least");
	r = check_host_keys(loader, node, match);
	return r < 0 ? r : check_ids(loader, node, match);
}
