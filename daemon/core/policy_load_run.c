/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns `run:`, the settings of the daemon: which there are, and what each may be. What is done with
 * them is not known here.
 */
#include "policy_internal.h"
#include "policy_value.h"

#include <capauditd/address.h>

#include <errno.h>
#include <string.h>

#define SECOND_US	UINT64_C(1000000)
#define SOCKET_PATH_MAX 107u /* unix(7): sun_path holds 108 with the NUL */

/* The place in `struct run_settings` that a row is for. */
static void *setting(const struct key_row *row, void *into)
{
	return (char *)into + row->offset;
}

static int load_duration(struct loader *loader, const struct key_row *row, const yaml_node_t *node,
	void *into, uint64_t most_us, const char *range)
{
	const char *text;
	uint64_t us;
	int r = node_text(loader, row->name, node, &text);

	if (r < 0)
		return r;
	r = duration_from_text(text, &us);
	if (r == -EINVAL)
		return node_error(loader, node, "%s \"%s\" is not a duration like 30s, 5m or 1h",
			row->name, text);
	if (r < 0 || us < SECOND_US || us > most_us)
		return node_error(
			loader, node, "%s \"%s\" is not within %s", row->name, text, range);
	memcpy(setting(row, into), &us, sizeof(us));
	return 0;
}

static int load_interval(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	return load_duration(loader, row, node, into, 3600 * SECOND_US, "1s to 1h");
}

static int load_resolve_after(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	return load_duration(loader, row, node, into, 24 * 3600 * SECOND_US, "1s to 24h");
}

static int load_engine(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	static const char *const engines[] = { "auto", "procfs", "bpf" };
	struct run_settings *run = into;
	unsigned choice;
	int r = node_choice(loader, row->name, node, engines, ARRAY_SIZE(engines), &choice);

	if (r == 0)
		run->engine = engines[choice];
	return r;
}

static int load_outputs(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	/* In the order of enum outputs. */
	static const char *const outputs[] = { "journal", "stdout" };
	struct run_settings *run = into;

	return node_choices(
		loader, row->name, "output", node, outputs, ARRAY_SIZE(outputs), &run->outputs);
}

/* One of two words; the setting is whether it is the second. */
static int load_second(struct loader *loader, const struct key_row *row, const yaml_node_t *node,
	void *into, const char *const words[static 2])
{
	unsigned choice;
	int r = node_choice(loader, row->name, node, words, 2, &choice);

	if (r == 0)
		*(bool *)setting(row, into) = choice == 1;
	return r;
}

static int load_report(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	static const char *const words[] = { "violations", "all" };

	return load_second(loader, row, node, into, words);
}

static int load_cmdline(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	static const char *const words[] = { "first", "full" };

	return load_second(loader, row, node, into, words);
}

static int load_metrics(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct run_settings *run = into;
	struct listen_address address;
	const char *text;
	int r = node_copy_text(loader, row->name, node, &text);

	if (r < 0)
		return r;
	if (strcmp(text, "off") != 0 && listen_address_from_text(text, &address) < 0)
		return node_error(loader, node,
			"%s \"%s\" is neither an address with a port, like 127.0.0.1:9477, nor off",
			row->name, text);
	run->metrics = text;
	return 0;
}

/* An absolute path, without slashes at its end. */
static int copy_path(struct loader *loader, const char *name, const yaml_node_t *node,
	size_t longest, const char **ret)
{
	const char *text;
	char *path;
	size_t length;
	int r = node_text(loader, name, node, &text);

	if (r < 0)
		return r;
	if (text[0] != '/')
		return node_error(loader, node, "%s \"%s\" is not an absolute path", name, text);
	for (length = strlen(text); length > 1 && text[length - 1] == '/';)
		length--;
	if (length > longest)
		return node_error(loader, node, "%s is longer than %zu bytes", name, longest);
	path = policy_copy_text(loader->policy, text);
	if (!path)
		return -ENOMEM;
	path[length] = '\0';
	*ret = path;
	return 0;
}

static int load_path(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	return copy_path(loader, row->name, node, POLICY_PATH_MAX, setting(row, into));
}

static int load_socket(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct run_settings *run = into;
	const char *text;
	int r = node_text(loader, row->name, node, &text);

	if (r == 0 && strcmp(text, "off") == 0)
		return node_copy_text(loader, row->name, node, &run->socket);
	return r < 0 ? r : copy_path(loader, row->name, node, SOCKET_PATH_MAX, &run->socket);
}

static int load_paths(struct loader *loader, const struct key_row *row, const yaml_node_t *node,
	const char *const **ret)
{
	const char **paths;
	size_t count = 0;
	int r = node_list_length(
		loader, row->name, node, POLICY_PATHS_MAX, EMPTY_LIST_IS_ERROR, &count);

	if (r < 0)
		return r;
	paths = policy_alloc(loader->policy, count + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++)
		r = copy_path(loader, row->name, node_list_item(loader, node, i), POLICY_PATH_MAX,
			&paths[i]);
	*ret = paths;
	return r;
}

static int load_bundles(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	static const char *const words[] = { "auto", "off" };
	static const char *const none[] = { NULL };
	struct run_settings *run = into;
	unsigned choice;
	int r;

	if (node->type == YAML_SEQUENCE_NODE)
		return load_paths(loader, row, node, &run->bundles);
	if (node->type == YAML_MAPPING_NODE)
		return node_error(loader, node,
			"%s must be auto, off or a list of folders, not a mapping", row->name);
	r = node_choice(loader, row->name, node, words, ARRAY_SIZE(words), &choice);
	if (r == 0)
		run->bundles = choice == 0 ? NULL : none;
	return r;
}

/* A base is taken away from the front of every cgroup's path: "/" would say nothing. */
static int load_cgroup_bases(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct run_settings *run = into;
	int r = load_paths(loader, row, node, &run->cgroup_bases);

	for (size_t i = 0; r == 0 && run->cgroup_bases[i]; i++)
		if (strcmp(run->cgroup_bases[i], "/") == 0)
			r = node_error(loader, node_list_item(loader, node, i),
				"%s \"/\" is the base of everything, and says nothing", row->name);
	return r;
}

static const struct key_row run_keys[] = {
	{ .name = "interval",
		.load = load_interval,
		.offset = offsetof(struct run_settings, interval_us) },
	{ .name = "engine", .load = load_engine },
	{ .name = "outputs", .load = load_outputs },
	{ .name = "report",
		.load = load_report,
		.offset = offsetof(struct run_settings, report_all) },
	{ .name = "resolveAfter",
		.load = load_resolve_after,
		.offset = offsetof(struct run_settings, resolve_after_us) },
	{ .name = "cmdline",
		.load = load_cmdline,
		.offset = offsetof(struct run_settings, full_cmdline) },
	{ .name = "metrics", .load = load_metrics },
	{ .name = "socket", .load = load_socket },
	{ .name = "state", .load = load_path, .offset = offsetof(struct run_settings, state) },
	{ .name = "bundles", .load = load_bundles },
	{ .name = "hostRoot",
		.load = load_path,
		.offset = offsetof(struct run_settings, host_root) },
	{ .name = "cgroupBases", .load = load_cgroup_bases },
};

int load_run(struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	(void)into;
	return node_load_mapping(
		loader, row->name, run_keys, ARRAY_SIZE(run_keys), node, &loader->policy->run);
}
