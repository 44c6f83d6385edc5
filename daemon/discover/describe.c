/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads what a report shows of one process: its program, controls, namespaces. Done only for those
 * that are reported, and thrown away if they turn out to be another process.
 */
#include "procfs_internal.h"
#include "proc_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CMDLINE_MAX 4096u /* of a command line, that much is kept */
#define LABEL_MAX   512u

static int read_facts(struct procfs *procfs, int proc, pid_t tid, struct process *process)
{
	char path[64];
	struct status status;
	ssize_t n;
	int r;

	(void)snprintf(path, sizeof(path), "task/%d/status", (int)tid);
	n = procfs_read(procfs, proc, path, true);
	if (n == -ESRCH) { /* the thread alone may have ended: what it held is told all the same */
		tid = process->pid;
		n = procfs_read(procfs, proc, "status", true);
	}
	if (n < 0)
		return (int)n;
	r = status_parse(procfs->buffer, (size_t)n, &status);
	if (r < 0)
		return r;
	process->uid = status.uid;
	process->gid = status.gid;
	process->ppid = status.ppid;
	process->no_new_privs = status.no_new_privs;
	process->seccomp = status.seccomp;
	if (status.nspid_count == 1)
		process->host_namespaces |= HOST_NAMESPACE_PID;
	process->host_namespaces_known |= HOST_NAMESPACE_PID;
	(void)snprintf(path, sizeof(path), "task/%d/comm", (int)tid);
	n = procfs_read(procfs, proc, path, true);
	if (n == -ESRCH)
		n = procfs_read(procfs, proc, "comm", true);
	if (n < 0)
		return (int)n;
	/* One newline is the kernel's; others may be the process's own. */
	if (n > 0 && procfs->buffer[n - 1] == '\n')
		n--;
	if (n >= (ssize_t)sizeof(process->comm))
		n = sizeof(process->comm) - 1;
	memcpy(process->comm, procfs->buffer, (size_t)n);
	process->comm[n] = '\0';
	return 0;
}

static int read_cmdline(struct procfs *procfs, int proc, struct process *process)
{
	ssize_t n = procfs_read(procfs, proc, "cmdline", true);

	if (n == -EFBIG)
		n = CMDLINE_MAX; /* the buffer is full of its beginning */
	if (n <= 0)
		return 0; /* a refusal costs the report its command line and no more */
	return process_set_cmdline(
		process, procfs->buffer, (size_t)n < CMDLINE_MAX ? (size_t)n : CMDLINE_MAX);
}

/* Programs of container runtimes: those that set a container up, and those that stand beside one.
 * Names may go on ("containerd-shim-runc-v2"). */
static const struct runtime {
	const char *name;
	bool sets_up; /* it runs in the container's cgroup before the container's program does */
} runtimes[] = {
	{ "runc", true },
	{ "crun", true },
	{ "youki", true },
	{ "lxc-start", true },
	{ "lxc-attach", true },
	{ "systemd-nspawn", true },
	{ "containerd-shim", true },
	{ "conmon", true },
	{ "crio", true },
	{ "kata", true },
	{ "runsc", false },
	{ "qemu-system", false },
	{ "cloud-hypervisor", false },
	{ "firecracker", false },
};

/* Is that file the host's own? Asked only of names that matter and of folders where a look-up
 * cannot be made to hang: the path is the container's choice. */
static bool is_on_host(const char *path, dev_t device, ino_t inode)
{
	static const char *const folders[] = { "/usr/", "/opt/", "/bin/", "/sbin/",
		"/var/lib/rancher/", "/var/lib/k0s/", "/snap/", "/nix/store/" };
	bool known_folder = false;
	struct stat ours;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		known_folder |= strncmp(path, folders[i], strlen(folders[i])) == 0;
	return known_folder && stat(path, &ours) == 0 && device == ours.st_dev &&
	       inode == ours.st_ino;
}

/* runc runs from a sealed copy of itself (CVE-2019-5736): in memory, which a workload can imitate,
 * or in a mount that is attached nowhere and so has the path "/". That is good for a few seconds'
 * patience and no more. */
static bool is_sealed_copy(const char *path)
{
	static const char copy[] = "/memfd:runc_cloned:";

	return strncmp(path, copy, sizeof(copy) - 1) == 0 || strcmp(path, "/") == 0;
}

static const struct runtime *find_runtime(const char *path)
{
	const char *base = strrchr(path, '/');

	for (size_t i = 0; base && i < ARRAY_SIZE(runtimes); i++)
		if (strncmp(base + 1, runtimes[i].name, strlen(runtimes[i].name)) == 0)
			return &runtimes[i];
	return NULL;
}

void procfs_recognise(const char *path, dev_t device, ino_t inode, struct process *process)
{
	const struct runtime *runtime = find_runtime(path);

	if (is_sealed_copy(path)) {
		process->exe_is_runtime = true;
	} else if (runtime) {
		process->exe_on_host = is_on_host(path, device, inode);
		process->exe_is_runtime = process->exe_on_host && runtime->sets_up;
	}
}

/* The kernel's suffix, and not a part of the name; a file's name may end like that as well. */
static size_t without_suffix(int proc, const char *path, size_t length)
{
	static const char deleted[] = " (deleted)";
	const size_t suffix = sizeof(deleted) - 1;
	struct stat file;

	if (length <= suffix || strcmp(path + length - suffix, deleted) != 0)
		return length;
	return fstatat(proc, "exe", &file, 0) == 0 && file.st_nlink == 0 ? length - suffix : length;
}

static int read_executable(struct procfs *procfs, int proc, struct process *process)
{
	ssize_t n = proc_link(proc, "exe", procfs->buffer, PATH_MAX);
	struct stat file;

	if (n <= 0)
		return 0; /* refused to the unprivileged; a kernel thread has none */
	/* Of others it is not asked which file that is. */
	if ((is_sealed_copy(procfs->buffer) || find_runtime(procfs->buffer)) &&
		fstatat(proc, "exe", &file, 0) == 0)
		procfs_recognise(procfs->buffer, file.st_dev, file.st_ino, process);
	process->exe = strndup(procfs->buffer, without_suffix(proc, procfs->buffer, (size_t)n));
	return process->exe ? 0 : -ENOMEM;
}

static int read_label(const struct procfs *procfs, int proc, struct process *process)
{
	char label[LABEL_MAX];
	ssize_t n = procfs->labels ? proc_read(proc, "attr/current", label, sizeof(label)) : 0;

	while (n > 0 && (label[n - 1] == '\n' || label[n - 1] == '\0'))
		n--;
	if (n <= 0)
		return 0;
	process->lsm = strndup(label, (size_t)n);
	return process->lsm ? 0 : -ENOMEM;
}

/* From the link's text, "mnt:[4026531841]": to follow it would make an inode each time. 0: refused.
 */
static uint64_t read_namespace(int proc, const char *name)
{
	char path[32], text[64];
	const char *number;

	(void)snprintf(path, sizeof(path), "ns/%s", name);
	if (proc_link(proc, path, text, sizeof(text)) < 0)
		return 0;
	number = strchr(text, '[');
	return number ? strtoull(number + 1, NULL, 10) : 0;
}

static void note_namespace(struct process *process, unsigned bit, bool is_host)
{
	process->host_namespaces_known |= bit;
	if (is_host)
		process->host_namespaces |= bit;
}

static void read_namespaces(struct procfs *procfs, int proc, struct process *process)
{
	struct stat st;

	for (unsigned i = 0; i < HOST_NAMESPACES; i++) {
		uint64_t inode = 0;

		if (procfs->host_inode[i] && !(process->host_namespaces_known & 1u << i))
			inode = read_namespace(proc, host_namespace_name(i));
		if (inode)
			note_namespace(process, 1u << i, inode == procfs->host_inode[i]);
	}
	/* Each network namespace has files of its own below /proc/PID/net, which everyone may see.
	 */
	if (!(process->host_namespaces_known & HOST_NAMESPACE_NET) && procfs->host_network_file &&
		fstatat(proc, "net/dev", &st, 0) == 0)
		note_namespace(process, HOST_NAMESPACE_NET, st.st_ino == procfs->host_network_file);
}

static int check_start(struct procfs *procfs, int proc, uint64_t start_ticks)
{
	struct stat_facts facts;
	ssize_t n = procfs_read(procfs, proc, "stat", true);
	int r;

	if (n < 0)
		return (int)n;
	r = stat_parse(procfs->buffer, (size_t)n, &facts);
	if (r < 0)
		return r;
	return facts.start_ticks == start_ticks ? 0 : -ESRCH;
}

/* What its status says is in `process` already, or must be read. */
static int read_all(struct procfs *procfs, int proc, const struct task *task, bool facts_known,
	struct process *process)
{
	int r = facts_known ? 0 : read_facts(procfs, proc, task->tid, process);

	if (r == 0)
		r = read_cmdline(procfs, proc, process);
	if (r == 0)
		r = read_executable(procfs, proc, process);
	if (r == 0)
		r = read_label(procfs, proc, process);
	if (r == 0) {
		read_namespaces(procfs, proc, process);
		r = check_start(procfs, proc, task->start_ticks);
	}
	return r;
}

struct process procfs_process_of(const struct procfs *procfs, const struct task *task)
{
	return (struct process){
		.pid = task->pid,
		.tid = task->tid,
		.ppid = task->ppid,
		.start_ticks = task->start_ticks,
		.start_us = procfs->boot_us +
			    task->start_ticks * 1000000u / (uint64_t)procfs->ticks_per_second,
		.sets = task->sets,
		.user_namespace = task->user_namespace,
		/* The key is an inode unless bit 63 says that it is a hash of uid_map. */
		.user_namespace_inode =
			task->user_namespace_key >> 63 ? 0 : task->user_namespace_key,
	};
}

int procfs_describe_with(struct procfs *procfs, const struct task *task,
	const struct process *facts, struct process *ret)
{
	struct process process = facts ? *facts : procfs_process_of(procfs, task);
	_cleanup_close_ int proc = proc_open(task->pid);
	int r;

	if (proc < 0)
		return proc;
	r = read_all(procfs, proc, task, facts, &process);
	if (r < 0) {
		process_done(&process);
		return r;
	}
	*ret = process;
	return 0;
}

int procfs_describe(struct engine *engine, const struct task *task, struct process *ret)
{
	return procfs_describe_with((struct procfs *)engine, task, NULL, ret);
}
