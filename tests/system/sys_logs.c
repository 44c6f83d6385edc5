/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log directories of a node, as a kubelet and a CRI runtime lay them out, below the fixture's
 * host root.
 */
#include "sys.h"

#include <errno.h>
#include <unistd.h>

static char *pod_folder(struct sys *sys, const struct sys_container *container, const char *root)
{
	return sys_print(sys, "%s/var/log/pods/%s_%s_%s", root, container->namespace_name,
		container->pod, container->pod_uid);
}

static char *log_file(struct sys *sys, const struct sys_container *container, const char *root)
{
	return sys_print(sys, "%s/%s/%u.log", pod_folder(sys, container, root), container->name,
		container->attempt);
}

/* As the kubelet cuts it: what does not fit into a file's name is lost before the ending. */
static char *link_name(struct sys *sys, const struct sys_container *container)
{
	char *name = sys_print(sys, "%s_%s_%s-%s", container->pod, container->namespace_name,
		container->name, container->id);

	return sys_print(sys, "%s/var/log/containers/%.251s.log", sys->host_root, name);
}

void sys_container_logs(struct sys *sys, struct sys_container *container, bool sandbox)
{
	char *folder = pod_folder(sys, container, sys->host_root);

	sys_make_directories(folder);
	/* A sandbox has a pod's folder and nothing in it. */
	if (sandbox)
		return;
	sys_make_directories(sys_print(sys, "%s/%s", folder, container->name));
	sys_write_file(log_file(sys, container, sys->host_root), "");
	/* The target is the host's path, as kubelets write it. */
	char *target = log_file(sys, container, "");
	char *name = link_name(sys, container);
	if (symlink(target, name) != 0)
		fail_msg("%s: %s", name, strerror(errno));
	container->logs = true;
}

void sys_container_logs_remove(struct sys *sys, struct sys_container *container)
{
	char *folder = pod_folder(sys, container, sys->host_root);

	(void)unlink(link_name(sys, container));
	(void)unlink(log_file(sys, container, sys->host_root));
	(void)rmdir(sys_print(sys, "%s/%s", folder, container->name));
	(void)rmdir(folder);
	container->logs = false;
}
