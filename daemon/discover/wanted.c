/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which processes are audited at all, by where they are. The same for every engine.
 */
#include "procfs_internal.h"

#include <string.h>

bool wanted_by_name(const struct cgroup_identity *identity)
{
	return identity->kind == CGROUP_CONTAINER && identity->container_id[0];
}

/* In a pod's cgroup and no container's: only a known helper of a runtime is none of ours. */
static bool is_shim(struct procfs *procfs, const struct task *task)
{
	static const char *const shims[] = { "containerd-shim", "conmon", "kata", "crio" };
	struct process process;
	bool shim = false;

	if (procfs_describe(&procfs->engine, task, &process) < 0)
		return false;
	if (process.exe && process.exe_on_host) {
		const char *base = strrchr(process.exe, '/');

		base = base ? base + 1 : process.exe;
		for (size_t i = 0; i < ARRAY_SIZE(shims); i++)
			shim |= strncmp(base, shims[i], strlen(shims[i])) == 0;
	}
	process_done(&process);
	return shim;
}

bool wanted_otherwise(struct procfs *procfs, const struct cgroup_identity *identity,
	bool include_host, bool followed, struct task *task)
{
	if (identity->kind == CGROUP_CONTAINER || include_host || followed)
		return true;
	if (identity->kind == CGROUP_HELPER) {
		if (identity->runtime)
			return task->namespace_level > 0;
		task->shim = is_shim(procfs, task);
		return !task->shim;
	}
	return task->namespace_level > 0;
}
