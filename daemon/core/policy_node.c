/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the reading of single nodes: mappings by a table of keys, lists, texts, words out of a
 * choice. Every complaint is made here or through node_error(), with the place of the node. What
 * the keys mean is not known here.
 */
#include "policy_internal.h"

#include <capauditd/text.h>

#include <errno.h>
#include <string.h>
#include <strings.h>

static const yaml_node_t *node_at(const struct loader *loader, int index)
{
	return yaml_document_get_node(loader->document, index);
}

/* Plain `~`, `null` and nothing at all: what YAML calls null. */
static bool is_null(const yaml_node_t *node)
{
	const char *text;

	if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	text = (const char *)node->data.scalar.value;
	return *text == '\0' || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0;
}

const char *node_kind(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return "a list";
	case YAML_MAPPING_NODE:
		return "a mapping";
	default:
		return is_null(node) ? "nothing" : "a single value";
	}
}

int node_list_length(struct loader *loader, const char *name, const yaml_node_t *node, size_t max,
	enum empty_list empty, size_t *ret)
{
	size_t length;

	if (node->type != YAML_SEQUENCE_NODE)
		return node_error(loader, node, "%s must be a list, not %s", name, node_kind(node));
	length = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (length > max)
		return node_error(loader, node_list_item(loader, node, max),
			"%s has more than %zu items", name, max);
	if (length == 0 && empty == EMPTY_LIST_IS_ERROR)
		return node_error(loader, node, "%s is an empty list", name);
	*ret = length;
	return 0;
}

const yaml_node_t *node_list_item(const struct loader *loader, const yaml_node_t *node, size_t i)
{
	return node_at(loader, node->data.sequence.items.start[i]);
}

void node_mapping_pair(const struct loader *loader, const yaml_node_t *node, size_t i,
	const yaml_node_t **ret_key, const yaml_node_t **ret_value)
{
	const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];

	*ret_key = node_at(loader, pair->key);
	*ret_value = node_at(loader, pair->value);
}

const char *node_key_text(const yaml_node_t *key)
{
	return (const char *)key->data.scalar.value;
}

/* Whether the i-th key of a mapping is a text that no earlier key has. */
static int check_key(struct loader *loader, const yaml_node_t *node, size_t i)
{
	const yaml_node_t *key, *earlier, *value;

	node_mapping_pair(loader, node, i, &key, &value);
	if (key->type != YAML_SCALAR_NODE || is_null(key))
		return node_error(loader, key, "a key must be a name, not %s", node_kind(key));
	for (size_t j = 0; j < i; j++) {
		node_mapping_pair(loader, node, j, &earlier, &value);
		if (strcmp(node_key_text(earlier), node_key_text(key)) == 0)
			return node_error(loader, key,
				"key \"%s\" is there twice (first in line %u)", node_key_text(key),
				NODE_LINE(earlier));
	}
	return 0;
}

int node_mapping_length(
	struct loader *loader, const char *name, const yaml_node_t *node, size_t max, size_t *ret)
{
	size_t length;
	int r = 0;

	if (node->type != YAML_MAPPING_NODE)
		return node_error(
			loader, node, "%s must be a mapping, not %s", name, node_kind(node));
	length = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
	if (length > max) {
		const yaml_node_t *key, *value;

		node_mapping_pair(loader, node, max, &key, &value);
		return node_error(loader, key, "%s has more than %zu keys", name, max);
	}
	for (size_t i = 0; i < length && r == 0; i++)
		r = check_key(loader, node, i);
	if (r == 0)
		*ret = length;
	return r;
}

int node_unknown(struct loader *loader, const yaml_node_t *node, const char *what, const char *word,
	const char *const *choices, size_t count)
{
	const char *nearest = text_nearest(word, choices, count);
	char list[256] = "";
	size_t used = 0;

	if (nearest)
		return node_error(
			loader, node, "unknown %s \"%s\" (did you mean %s?)", what, word, nearest);
	for (size_t i = 0; i < count && used < sizeof(list); i++) {
		const char *separator = i == 0 ? "" : i + 1 == count ? " or " : ", ";
		int added =
			snprintf(list + used, sizeof(list) - used, "%s%s", separator, choices[i]);

		used += added > 0 ? (size_t)added : 0;
	}
	return node_error(loader, node, "unknown %s \"%s\" (there is %s)", what, word, list);
}

static int unknown_key(
	struct loader *loader, const struct key_row *rows, size_t count, const yaml_node_t *key)
{
	const char *names[KEY_ROWS_MAX];

	for (size_t i = 0; i < count; i++)
		names[i] = rows[i].name;
	return node_unknown(loader, key, "key", node_key_text(key), names, count);
}

static int find_row(const struct key_row *rows, size_t count, const char *name, size_t *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -ENOENT;
}

int node_load_mapping(struct loader *loader, const char *what, const struct key_row *rows,
	size_t count, const yaml_node_t *node, void *into)
{
	const yaml_node_t *first = node, *key, *value;
	bool given[KEY_ROWS_MAX] = { false };
	size_t pairs;

	if (node->type != YAML_MAPPING_NODE)
		return node_error(
			loader, node, "%s must be a mapping, not %s", what, node_kind(node));
	pairs = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
	for (size_t i = 0; i < pairs; i++) {
		size_t row;
		int r = check_key(loader, node, i);

		if (r < 0)
			return r;
		node_mapping_pair(loader, node, i, &key, &value);
		if (i == 0)
			first = key;
		if (find_row(rows, count, node_key_text(key), &row) < 0)
			return unknown_key(loader, rows, count, key);
		given[row] = true;
		r = rows[row].load(loader, &rows[row], value, into);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < count; i++)
		if (rows[i].required && !given[i])
			return node_error(loader, first, "%s has no %s", what, rows[i].name);
	return 0;
}

int node_text(struct loader *loader, const char *name, const yaml_node_t *node, const char **ret)
{
	if (node->type != YAML_SCALAR_NODE)
		return node_error(
			loader, node, "%s must be a single value, not %s", name, node_kind(node));
	if (is_null(node))
		return node_error(loader, node, "%s has no value", name);
	if (node->data.scalar.length == 0)
		return node_error(loader, node, "%s is empty", name);
	*ret = (const char *)node->data.scalar.value;
	return 0;
}

int node_copy_text(
	struct loader *loader, const char *name, const yaml_node_t *node, const char **ret)
{
	const char *text, *copy;
	int r = node_text(loader, name, node, &text);

	if (r < 0)
		return r;
	copy = policy_copy_text(loader->policy, text);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

int node_choice(struct loader *loader, const char *name, const yaml_node_t *node,
	const char *const *choices, size_t count, unsigned *ret)
{
	const char *text;
	int r = node_text(loader, name, node, &text);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(choices[i], text) == 0) {
			*ret = i;
			return 0;
		}
	}
	return node_unknown(loader, node, name, text, choices, count);
}

int node_choices(struct loader *loader, const char *name, const char *item_name,
	const yaml_node_t *node, const char *const *choices, size_t count, unsigned *ret)
{
	unsigned bits = 0;
	size_t length = 0;
	int r = node_list_length(
		loader, name, node, POLICY_GLOBS_MAX, EMPTY_LIST_IS_ERROR, &length);

	for (size_t i = 0; i < length && r == 0; i++) {
		unsigned bit;

		r = node_choice(
			loader, item_name, node_list_item(loader, node, i), choices, count, &bit);
		if (r == 0)
			bits |= 1u << bit;
	}
	if (r == 0)
		*ret = bits;
	return r;
}

static int node_capability(struct loader *loader, const yaml_node_t *node, capability_mask *ret)
{
	const char *text, *nearest;
	unsigned number;
	int r = node_text(loader, "a capability", node, &text);

	if (r < 0)
		return r;
	if (strcasecmp(text, "ALL") == 0) {
		/* As the kernel understands it: also those that it will have one day. */
		*ret |= ~UINT64_C(0);
		return 0;
	}
	if (capability_from_name(text, &number) == 0) {
		*ret |= CAPABILITY_BIT(number);
		return 0;
	}
	nearest = capability_nearest(text);
	if (nearest)
		return node_error(loader, node, "unknown capability \"%s\" (did you mean %s?)",
			text, nearest);
	return node_error(loader, node, "unknown capability \"%s\"", text);
}

int node_capabilities(struct loader *loader, const char *name, const yaml_node_t *node,
	enum empty_list empty, capability_mask *ret)
{
	capability_mask mask = 0;
	size_t length = 0;
	int r = node_list_length(loader, name, node, POLICY_GLOBS_MAX, empty, &length);

	for (size_t i = 0; i < length && r == 0; i++)
		r = node_capability(loader, node_list_item(loader, node, i), &mask);
	if (r == 0)
		*ret = mask;
	return r;
}
