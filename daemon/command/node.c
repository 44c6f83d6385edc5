/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Facts about this node that every report carries, and where its files are.
 */
#include "audit.h"

#include <capauditd/command.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

int node_init(struct node *node, const char *name)
{
	_cleanup_free_ char *boot_id = NULL;
	char host[HOST_NAME_MAX + 1] = "";
	struct utsname system;
	size_t length;

	*node = (struct node){ 0 };
	if (!name || !name[0])
		name = getenv("NODE_NAME");
	if (!name || !name[0]) {
		if (gethostname(host, sizeof(host) - 1) < 0)
			host[0] = '\0';
		name = host;
	}
	if (read_whole_file("/proc/sys/kernel/random/boot_id", 64, &boot_id, &length) == 0)
		boot_id[strcspn(boot_id, "\n")] = '\0';
	if (uname(&system) < 0)
		system.release[0] = '\0';
	node->name = strdup(name);
	node->boot_id = boot_id ? TAKE_PTR(boot_id) : strdup("");
	node->kernel = strdup(system.release);
	if (node->name && node->boot_id && node->kernel)
		return 0;
	node_done(node);
	return -ENOMEM;
}

void node_done(struct node *node)
{
	free(node->name);
	free(node->boot_id);
	free(node->kernel);
	*node = (struct node){ 0 };
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

const char *find_host_root(const char *option, const struct policy *policy)
{
	if (option)
		return option;
	if (policy_run(policy)->host_root)
		return policy_run(policy)->host_root;
	if (!is_folder("/var/log/pods") && is_folder("/host/var/log/pods"))
		return "/host";
	return "";
}

int engine_choose(const char *name, bool lasting, struct engine **ret, struct diag *diag)
{
	int r;

	if (strcmp(name, "auto") == 0)
		r = engine_auto_new(lasting, ret);
	else if (strcmp(name, "bpf") == 0)
		r = engine_bpf_new(lasting, ret, diag);
	else if (strcmp(name, "procfs") == 0)
		r = engine_procfs_new(ret);
	else
		return diag_error(diag, 0, 0, "unknown engine \"%s\" (auto, procfs, bpf)", name);
	if (r < 0 && !diag->message[0])
		(void)diag_error(
			diag, 0, 0, "the %s engine does not start: %s", name, strerror(-r));
	return r;
}
