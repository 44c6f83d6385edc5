/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the policy file as a whole: its top-level keys, and the order in which its parts are put
 * together. What a section holds is in policy_load_*.c. Opens no file.
 */
#include "policy_internal.h"

#include <errno.h>
#include <string.h>

static int load_version(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	const char *text;
	int r = node_text(loader, row->name, node, &text);

	(void)into;
	if (r < 0)
		return r;
	if (strcmp(text, "1") != 0)
		return node_error(
			loader, node, "version \"%s\" is not supported (there is 1)", text);
	return 0;
}

static int load_default_profile(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	const char *name;
	int r = node_text(loader, row->name, node, &name);

	(void)into;
	loader->default_profile = node;
	return r;
}

static int load_namespace_labels(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	static const char *const choices[] = {
		[NAMESPACE_LABELS_ON] = "on",
		[NAMESPACE_LABELS_OFF] = "off",
		[NAMESPACE_LABELS_STRICTER] = "stricter",
	};
	unsigned choice;
	int r = node_choice(loader, row->name, node, choices, ARRAY_SIZE(choices), &choice);

	(void)into;
	if (r == 0)
		loader->policy->namespace_labels = (enum namespace_labels)choice;
	return r;
}

static const struct key_row top_level[] = {
	{ .name = "version", .load = load_version, .required = true },
	{ .name = "defaultProfile", .load = load_default_profile },
	{ .name = "namespaceLabels", .load = load_namespace_labels },
	{ .name = "profiles", .load = load_profiles },
	{ .name = "rules", .load = load_rules },
	{ .name = "exceptions", .load = load_exceptions },
	{ .name = "run", .load = load_run },
};

/* Comments alone, or a `---` with nothing behind it. */
static bool is_empty(const yaml_node_t *root)
{
	return !root || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0 &&
				root->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
}

static int load_root(struct loader *loader)
{
	struct policy *policy = loader->policy;
	const yaml_node_t *root = yaml_document_get_root_node(loader->document);
	int r;

	if (is_empty(root))
		return diag_error(loader->diag, 1, 1,
			"the file holds no policy (the least is \"version: 1\")");
	r = node_load_mapping(loader, "a policy", top_level, ARRAY_SIZE(top_level), root, NULL);
	if (r < 0)
		return r;
	r = resolve_profiles(loader);
	if (r < 0)
		return r;
	policy->default_profile = policy_profile(policy, "baseline");
	if (loader->default_profile)
		r = resolve_profile_name(loader, loader->default_profile, &policy->default_profile);
	return r < 0 ? r : resolve_rules(loader);
}

static int load(struct policy *policy, const char *text, size_t length, struct diag *diag)
{
	_cleanup_(yaml_document_delete) yaml_document_t document = { 0 };
	struct loader loader = { .policy = policy, .document = &document, .diag = diag };
	int r = policy_document_read("policy file", text, length, &document, diag);

	return r < 0 ? r : load_root(&loader);
}

int policy_load(
	const char *file, const char *text, size_t length, struct policy **ret, struct diag *diag)
{
	_cleanup_(policy_freep) struct policy *policy = policy_new();
	int r;

	if (diag)
		diag->file = file;
	if (!policy)
		return -ENOMEM;
	policy->file = policy_copy_text(policy, file);
	if (!policy->file)
		return -ENOMEM;
	r = load(policy, text, length, diag);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(policy);
	return 0;
}
