/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the way through a kubeconfig: from the current context to its cluster and its user. What
 * these hold is read in kubeconfig_access.c. Opens no file; the documents and nodes are read by the
 * policy's helpers, but unknown keys are passed over, as kubectl and its plugins have many.
 */
#include "kubeconfig_internal.h"

#include <string.h>

static void free_secret(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void kube_access_done(struct kube_access *access)
{
	free(access->server);
	free(access->tls_server_name);
	free(access->ca_file);
	free(access->ca_data);
	free_secret(access->proxy_url); /* may hold a password */
	free(access->client_certificate_file);
	free(access->client_certificate_data);
	free(access->client_key_file);
	free_secret(access->client_key_data);
	free_secret(access->token);
	free(access->token_file);
	*access = (struct kube_access){ 0 };
}

bool kubeconfig_is_absent(const yaml_node_t *node)
{
	const char *text;

	if (node->type != YAML_SCALAR_NODE)
		return false;
	text = (const char *)node->data.scalar.value;
	if (*text == '\0')
		return true;
	return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0);
}

int kubeconfig_find(struct kubeconfig *kubeconfig, const char *name, const yaml_node_t *mapping,
	const char *key, const yaml_node_t **ret_key, const yaml_node_t **ret_value)
{
	size_t length = 0;
	int r = node_mapping_length(
		&kubeconfig->loader, name, mapping, KUBECONFIG_KEYS_MAX, &length);

	if (r < 0)
		return r;
	*ret_key = *ret_value = NULL;
	for (size_t i = 0; i < length; i++) {
		const yaml_node_t *one, *value;

		node_mapping_pair(&kubeconfig->loader, mapping, i, &one, &value);
		if (strcmp(node_key_text(one), key) != 0 || kubeconfig_is_absent(value))
			continue;
		*ret_key = one;
		*ret_value = value;
	}
	return 0;
}

/* Where a mapping that lacks something is complained about: at its first key. */
static const yaml_node_t *first_key(const struct kubeconfig *kubeconfig, const yaml_node_t *mapping)
{
	const yaml_node_t *key, *value;

	if (mapping->data.mapping.pairs.top == mapping->data.mapping.pairs.start)
		return mapping;
	node_mapping_pair(&kubeconfig->loader, mapping, 0, &key, &value);
	return key;
}

/* The name of an entry of a list; NULL where it has none. */
static int entry_name(
	struct kubeconfig *kubeconfig, const char *kind, const yaml_node_t *entry, const char **ret)
{
	const yaml_node_t *key, *value;
	int r = kubeconfig_find(kubeconfig, kind, entry, "name", &key, &value);

	if (r < 0)
		return r;
	*ret = NULL;
	return value ? node_text(&kubeconfig->loader, "name", value, ret) : 0;
}

/* One of the lists of names and what they stand for. */
struct section {
	const char *list, *kind, *entry; /* "clusters", "cluster", "an entry of clusters" */
	int (*take)(struct kubeconfig *kubeconfig, const yaml_node_t *content);
};

static const struct section contexts = { "contexts", "context", "an entry of contexts", NULL };
static const struct section clusters = { "clusters", "cluster", "an entry of clusters",
	kubeconfig_take_cluster };
static const struct section users = { "users", "user", "an entry of users", kubeconfig_take_user };

/* Finds the entry of that name; `reference` is the node that names it. As in client-go, a name that
 * is there twice is an error. */
static int find_entry(struct kubeconfig *kubeconfig, const struct section *section,
	const yaml_node_t *list, const yaml_node_t *reference, const yaml_node_t **ret)
{
	const yaml_node_t *found = NULL;
	const char *wanted = NULL;
	size_t length = 0;
	int r = node_text(&kubeconfig->loader, section->kind, reference, &wanted);

	if (r == 0 && list)
		r = node_list_length(&kubeconfig->loader, section->list, list,
			KUBECONFIG_ENTRIES_MAX, EMPTY_LIST_IS_FINE, &length);
	for (size_t i = 0; i < length && r == 0; i++) {
		const yaml_node_t *entry = node_list_item(&kubeconfig->loader, list, i);
		const char *name = NULL;

		r = entry_name(kubeconfig, section->entry, entry, &name);
		if (r < 0 || !name || strcmp(name, wanted) != 0)
			continue;
		if (found)
			return node_error(&kubeconfig->loader, entry,
				"%s \"%s\" is there twice (first in line %u)", section->kind,
				wanted, NODE_LINE(found));
		found = entry;
	}
	if (r < 0)
		return r;
	if (!found)
		return node_error(&kubeconfig->loader, reference, "%s has no %s \"%s\"",
			section->list, section->kind, wanted);
	*ret = found;
	return 0;
}

/* What an entry of a list stands for: the value under the key that is the section's kind. NULL
 * where the entry has nothing there. */
static int find_content(struct kubeconfig *kubeconfig, const struct section *section,
	const yaml_node_t *root, const yaml_node_t *reference, const yaml_node_t **ret)
{
	const yaml_node_t *key, *list, *entry = NULL;
	int r = kubeconfig_find(kubeconfig, "a kubeconfig", root, section->list, &key, &list);

	if (r == 0)
		r = find_entry(kubeconfig, section, list, reference, &entry);
	return r < 0 ? r
		     : kubeconfig_find(kubeconfig, section->entry, entry, section->kind, &key, ret);
}

static int load_part(struct kubeconfig *kubeconfig, const struct section *section,
	const yaml_node_t *root, const yaml_node_t *context, const char *name)
{
	const yaml_node_t *key, *reference, *content = NULL;
	int r = kubeconfig_find(kubeconfig, "a context", context, section->kind, &key, &reference);

	if (r < 0)
		return r;
	if (!reference)
		return node_error(&kubeconfig->loader, first_key(kubeconfig, context),
			"context \"%s\" has no %s", name, section->kind);
	r = find_content(kubeconfig, section, root, reference, &content);
	if (r < 0)
		return r;
	return content ? section->take(kubeconfig, content) : 0;
}

static int load_context(
	struct kubeconfig *kubeconfig, const yaml_node_t *root, const yaml_node_t *current)
{
	const yaml_node_t *context = NULL;
	const char *name;
	int r = node_text(&kubeconfig->loader, "current-context", current, &name);

	if (r == 0)
		r = find_content(kubeconfig, &contexts, root, current, &context);
	if (r < 0)
		return r;
	if (!context)
		return node_error(&kubeconfig->loader, current,
			"context \"%s\" has neither cluster nor user", name);
	r = load_part(kubeconfig, &clusters, root, context, name);
	if (r == 0 && !kubeconfig->access->server)
		r = node_error(&kubeconfig->loader, current,
			"the cluster of context \"%s\" has no server", name);
	if (r == 0)
		r = load_part(kubeconfig, &users, root, context, name);
	return r < 0 ? r : kubeconfig_check_access(kubeconfig);
}

/* A manifest that was given by mistake is called one. */
static int check_header(struct kubeconfig *kubeconfig, const yaml_node_t *root)
{
	static const char *const wanted[][2] = { { "kind", "Config" }, { "apiVersion", "v1" } };

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const yaml_node_t *key, *value = NULL;
		const char *text = NULL;
		int r = kubeconfig_find(
			kubeconfig, "a kubeconfig", root, wanted[i][0], &key, &value);

		if (r == 0 && value)
			r = node_text(&kubeconfig->loader, wanted[i][0], value, &text);
		if (r < 0)
			return r;
		if (text && strcmp(text, wanted[i][1]) != 0)
			return node_error(&kubeconfig->loader, value,
				"not a kubeconfig: %s is \"%s\", not %s", wanted[i][0], text,
				wanted[i][1]);
	}
	return 0;
}

static int load_root(struct kubeconfig *kubeconfig)
{
	const yaml_node_t *root = yaml_document_get_root_node(kubeconfig->loader.document);
	const yaml_node_t *key, *current;
	int r;

	if (!root || kubeconfig_is_absent(root))
		return diag_error(kubeconfig->loader.diag, 1, 1, "the file holds no kubeconfig");
	r = kubeconfig_find(kubeconfig, "a kubeconfig", root, "current-context", &key, &current);
	if (r == 0)
		r = check_header(kubeconfig, root);
	if (r < 0)
		return r;
	if (!current)
		return node_error(&kubeconfig->loader, first_key(kubeconfig, root),
			"the kubeconfig has no current-context (kubectl config use-context NAME "
			"sets it)");
	return load_context(kubeconfig, root, current);
}

/* The document has the secrets as they stand in the file. What libyaml copied and gave back while
 * it was reading is out of reach. */
static void wipe_document(yaml_document_t *document)
{
	for (yaml_node_t *node = document->nodes.start; node < document->nodes.top; node++)
		if (node->type == YAML_SCALAR_NODE)
			explicit_bzero(node->data.scalar.value, node->data.scalar.length);
	yaml_document_delete(document);
}

int kubeconfig_load(const char *file, const char *text, size_t length, struct kube_access *ret,
	struct diag *diag)
{
	_cleanup_(wipe_document) yaml_document_t document = { 0 };
	_cleanup_(kube_access_done) struct kube_access access = { 0 };
	struct kubeconfig kubeconfig = {
		.loader = { .document = &document, .diag = diag },
		.file = file,
		.access = &access,
	};
	int r;

	if (diag)
		diag->file = file;
	r = policy_document_read("kubeconfig", text, length, &document, diag);
	if (r == 0)
		r = load_root(&kubeconfig);
	if (r < 0)
		return r;
	*ret = access;
	memset(&access, 0, sizeof(access)); /* they are the caller's now */
	return 0;
}
