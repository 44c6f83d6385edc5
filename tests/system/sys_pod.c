/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pods in the tests' containerd: what its CRI plugin would write into their bundles (containerd's
 * pkg/cri/annotations), and the kubelet's log directories beside them.
 */
#include "sys.h"

#include <errno.h>
#include <unistd.h>

#define OPTIONS_MAX 64

struct options {
	const char *list[OPTIONS_MAX + 1];
	size_t count;
};

static void add(struct options *options, const char *option, const char *value)
{
	if (options->count + 2 > OPTIONS_MAX)
		fail_msg("too many options");
	options->list[options->count++] = option;
	options->list[options->count++] = value;
}

static void annotate(struct sys *sys, struct options *options, const char *key, const char *value)
{
	add(options, "--annotation", sys_print(sys, "io.kubernetes.cri.%s=%s", key, value));
}

/* In every bundle of a pod. */
static void annotate_pod(struct sys *sys, struct options *options, const char *type,
	const struct sys_container *sandbox)
{
	annotate(sys, options, "container-type", type);
	annotate(sys, options, "sandbox-id", sandbox->id);
	annotate(sys, options, "sandbox-name", sandbox->pod);
	annotate(sys, options, "sandbox-namespace", sandbox->namespace_name);
	annotate(sys, options, "sandbox-uid", sandbox->pod_uid);
}

static void set_names(struct sys_container *container, const char *name, const char *pod)
{
	(void)snprintf(container->name, sizeof(container->name), "%s", name);
	(void)snprintf(container->pod, sizeof(container->pod), "%s", pod);
	(void)snprintf(container->namespace_name, sizeof(container->namespace_name), "%s",
		SYS_POD_NAMESPACE);
}

/* containerd's folder is where it usually is, below the host's root. */
static void show_bundles(struct sys *sys)
{
	const char *state = sys_print(sys, "%s/containerd/state", sys->directory);
	const char *usual = sys_print(sys, "%s/run/containerd", sys->host_root);

	if (symlink(state, usual) != 0 && errno != EEXIST)
		fail_msg("%s: %s", usual, strerror(errno));
}

struct sys_container *sys_pod_start(struct sys *sys, const char *pod)
{
	struct options options = { 0 };

	sys_need_containerd(sys);
	show_bundles(sys);
	struct sys_container *sandbox = sys_containerd_new(sys);
	set_names(sandbox, "", pod);
	annotate_pod(sys, &options, "sandbox", sandbox);
	sys_container_logs(sys, sandbox, true);
	sys_containerd_start(sys, sandbox, options.list, sys_containerd_image(true));
	return sandbox;
}

/* Those that a pod's containers share. */
static void join_namespaces(
	struct sys *sys, struct options *options, const struct sys_container *sandbox)
{
	static const char *const shared[][2] = { { "network", "net" }, { "ipc", "ipc" },
		{ "uts", "uts" } };

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		add(options, "--with-ns",
			sys_print(sys, "%s:/proc/%d/ns/%s", shared[i][0], (int)sandbox->pid,
				shared[i][1]));
}

struct sys_container *sys_pod_add(
	struct sys *sys, const struct sys_container *sandbox, const struct sys_member *member)
{
	struct options options = { 0 };
	struct sys_container *container = sys_containerd_new(sys);

	set_names(container, member->logs ? member->logs : "", sandbox->pod);
	container->attempt = member->attempt;
	memcpy(container->pod_uid, sandbox->pod_uid, sizeof(container->pod_uid));
	(void)snprintf(container->cgroup, sizeof(container->cgroup), "/kubepods/burstable/pod%s/%s",
		container->pod_uid, container->id);
	sys_cgroup_remember(sys, container->cgroup);
	annotate_pod(sys, &options, member->claims_type ? member->claims_type : "container",
		member->claims ? member->claims : sandbox);
	annotate(sys, &options, "container-name", member->name);
	annotate(sys, &options, "image-name", SYS_POD_IMAGE);
	join_namespaces(sys, &options, sandbox);
	for (size_t i = 0; member->options && member->options[i]; i += 2)
		add(&options, member->options[i], member->options[i + 1]);
	if (member->logs)
		sys_container_logs(sys, container, false);
	sys_containerd_start(sys, container, options.list, sys_containerd_image(false));
	return container;
}
