/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What loading any of the BPF programs has in common: which of the kernel's types they need, where
 * they are attached, libbpf's voice, and reasons in words.
 */
#include "bpf_program.h"
#include "bpf_section.h"
#include "kernel_btf.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Those of bpf/kernel.h that a program begins to read at. */
static const char *const types[] = { "bpf_iter__task", "bpf_iter_meta", "cgroup",
	"cgroup_namespace", "cgroup_root", "cgroup_subsys_id", "cgroup_subsys_state", "cred",
	"css_set", "dentry", "file", "inode", "ipc_namespace", "kernfs_node", "linux_binprm",
	"mm_struct", "mnt_namespace", "mount", "net", "nsproxy", "pid", "pid_namespace",
	"super_block", "task_struct", "upid", "user_namespace", "uts_namespace", "vfsmount" };

static const struct kernel_btf_point points[BPF_POINTS] = {
	[BPF_POINT_TASKS] = { KERNEL_BTF_FUNCTION, "bpf_iter_task" },
	[BPF_POINT_EXEC] = { KERNEL_BTF_TYPEDEF, "btf_trace_sched_process_exec" },
	[BPF_POINT_CGROUP_MADE] = { KERNEL_BTF_TYPEDEF, "btf_trace_cgroup_mkdir" },
	[BPF_POINT_CGROUP_GONE] = { KERNEL_BTF_TYPEDEF, "btf_trace_cgroup_rmdir" },
	[BPF_POINT_CREDENTIALS] = { KERNEL_BTF_FUNCTION, "commit_creds" },
#define NAMED(name) [BPF_POINT_NAMED + BPF_NAMED_##name]
	NAMED(RDONLY_CAST) = { KERNEL_BTF_FUNCTION, "bpf_rdonly_cast" },
	NAMED(TASK_STRUCT) = { KERNEL_BTF_STRUCT, "task_struct" },
	NAMED(CRED) = { KERNEL_BTF_STRUCT, "cred" },
	NAMED(RCU_READ_LOCK) = { KERNEL_BTF_FUNCTION, "bpf_rcu_read_lock" },
	NAMED(RCU_READ_UNLOCK) = { KERNEL_BTF_FUNCTION, "bpf_rcu_read_unlock" },
	NAMED(ITER_TASK_NEW) = { KERNEL_BTF_FUNCTION, "bpf_iter_task_new" },
	NAMED(ITER_TASK_NEXT) = { KERNEL_BTF_FUNCTION, "bpf_iter_task_next" },
	NAMED(ITER_TASK_DESTROY) = { KERNEL_BTF_FUNCTION, "bpf_iter_task_destroy" },
#undef NAMED
};

static int refuse_types(int error, struct diag *diag)
{
	if (error == -ENOENT)
		(void)diag_error(diag, 0, 0,
			"this kernel does not tell its types (" KERNEL_BTF_PATH
			" is not there: CONFIG_DEBUG_INFO_BTF)");
	else
		(void)diag_error(
			diag, 0, 0, "cannot read " KERNEL_BTF_PATH ": %s", strerror(-error));
	return error;
}

int bpf_kernel_init(struct bpf_kernel *kernel, struct diag *diag)
{
	const struct kernel_btf_wanted wanted = { types, ARRAY_SIZE(types), points, BPF_POINTS };
	int r;

	*kernel = (struct bpf_kernel){ .types = -1 };
	/* What it has to say is for programmers; why it does not work is said here. */
	(void)libbpf_set_print(NULL);
	r = kernel_btf_slice(KERNEL_BTF_PATH, &wanted, &kernel->types, kernel->points);
	if (r < 0)
		return refuse_types(r, diag);
	r = bpf_section_register(&kernel->points[BPF_POINT_NAMED]);
	if (r < 0)
		return bpf_program_refused("libbpf", r, diag);
	(void)snprintf(
		kernel->types_path, sizeof(kernel->types_path), "/proc/self/fd/%d", kernel->types);
	return 0;
}

void bpf_kernel_done(struct bpf_kernel *kernel)
{
	if (kernel->types >= 0)
		(void)close(kernel->types);
	kernel->types = -1;
}

/* Lockdown's last level forbids programs that read the kernel's memory (kernel_lockdown(7)): the
 * verifier does not know the function then. */
static bool is_locked_down(void)
{
	_cleanup_fclose_ FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char line[128];

	return file && fgets(line, sizeof(line), file) && strstr(line, "[confidentiality]");
}

int bpf_program_refused(const char *what, int error, struct diag *diag)
{
	static const struct {
		int error;
		const char *why;
	} reasons[] = {
		{ EPERM, "not permitted: it takes CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, and "
			 "a seccomp filter that lets bpf(2) through; before Linux 5.11 also a few "
			 "megabytes of RLIMIT_MEMLOCK" },
		{ EACCES, "this kernel's verifier refuses it" },
		{ ENOSYS, "this kernel has no bpf(2)" },
		{ ENOENT, "this kernel has no such hook" },
		{ ESRCH, "this kernel has no such hook" },
		{ EINVAL, "this kernel does not know it, or lacks what it needs" },
	};

	if (error != -EPERM && is_locked_down()) {
		(void)diag_error(diag, 0, 0,
			"cannot load %s: this kernel is locked down (confidentiality)", what);
		return error;
	}
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (error == -reasons[i].error) {
			(void)diag_error(diag, 0, 0, "cannot load %s: %s", what, reasons[i].why);
			return error;
		}
	}
	(void)diag_error(diag, 0, 0, "cannot load %s: %s", what, strerror(-error));
	return error;
}
