/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers by runc, and processes put into them, from their start to their removal.
 */
#include "sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

struct sys_container *sys_container_new(struct sys *sys)
{
	for (size_t i = 0; i < SYS_CONTAINERS_MAX; i++)
		if (!sys->containers[i].used) {
			sys->containers[i] = (struct sys_container){ .used = true };
			return &sys->containers[i];
		}
	fail_msg("too many containers at once");
	return NULL;
}

void sys_make_id(struct sys *sys, struct sys_container *container)
{
	unsigned number = ++sys->made;

	/* The first 20 digits tell all of them apart. */
	(void)snprintf(container->id, sizeof(container->id), "%s%04x%044x", sys->token,
		number & 0xffff, number);
	(void)snprintf(container->pod_uid, sizeof(container->pod_uid), "%s-8000-%012x",
		sys->pod_token, number);
}

static void place(struct sys_container *container, const char *prefix)
{
	(void)snprintf(container->cgroup, sizeof(container->cgroup),
		"/kubepods/burstable/pod%s/%s%s", container->pod_uid, prefix ? prefix : "",
		container->id);
}

static char *write_bundle(
	struct sys *sys, const struct sys_spec *spec, const char *id, const char *cgroup)
{
	char *directory = sys_print(sys, "%s/bundle/%s", sys->directory, id);
	json_t *config = sys_bundle(sys, spec, cgroup);

	sys_make_directories(directory);
	if (!config || json_dump_file(config, sys_print(sys, "%s/config.json", directory), 0) != 0)
		fail_msg("cannot write the bundle of %s", id);
	json_decref(config);
	return directory;
}

char *sys_bundle_file(struct sys *sys, const struct sys_container *container)
{
	return sys_print(sys,
		container->by == SYS_BY_CONTAINERD ? "%s/containerd/state/io.containerd.runtime.v2."
						     "task/k8s.io/%s/config.json"
						   : "%s/bundle/%s/config.json",
		sys->directory, container->id);
}

/* Where the container's runc keeps its state; containerd gives it a folder a namespace. */
static char *runc_root(struct sys *sys, const struct sys_container *container)
{
	return sys_print(sys,
		container->by == SYS_BY_CONTAINERD ? "%s/containerd/runc/k8s.io" : "%s/runc",
		sys->directory);
}

/* Reads until the program inside says that it is ready. */
static void wait_ready(int fd, const char *of)
{
	char said[16] = "";
	size_t length = 0;
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	while (!strstr(said, "ready\n")) {
		if (poll(&wait, 1, SYS_PATIENCE_MS) <= 0)
			fail_msg("the program in %s is not ready", of);
		ssize_t got = read(fd, said + length, sizeof(said) - 1 - length);
		if (got <= 0)
			fail_msg("the program in %s ended, having said \"%s\"", of, said);
		length += (size_t)got;
	}
	(void)close(fd);
}

static pid_t read_pid(const char *path)
{
	char *text = sys_read_file(path);
	pid_t pid = (pid_t)strtol(text, NULL, 10);

	free(text);
	if (pid <= 0)
		fail_msg("%s: no pid in it", path);
	return pid;
}

/* `runc VERB ... ID`, whose program says that it is ready into a pipe. Standard error of the
 * container goes to a file, since a detached container keeps it open. */
static void runc(struct sys *sys, const char *const *argv, int *ret_ready)
{
	int ends[2];
	char *log = sys_print(sys, "%s/runc.log", sys->directory);
	int errors = open(log, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);

	if (errors < 0 || pipe2(ends, O_CLOEXEC) != 0)
		fail_msg("%s: %s", log, strerror(errno));
	struct sys_result *result = sys_command(
		sys, &(struct sys_command){ .argv = argv, .output = ends[1], .errors = errors });
	(void)close(ends[1]);
	(void)close(errors);
	if (result->status != 0) {
		char *said = sys_read_file(log);

		(void)close(ends[0]);
		sys_own(sys, said, free);
		fail_msg("runc: status %d: %s", result->status, said);
	}
	if (ret_ready)
		*ret_ready = ends[0];
	else
		(void)close(ends[0]);
}

static struct sys_container *make(
	struct sys *sys, const struct sys_spec *spec, const char *verb, int *ret_ready)
{
	sys_need_containers(sys);
	struct sys_container *container = sys_container_new(sys);
	char *root = runc_root(sys, container);

	sys_make_id(sys, container);
	if (spec->pod_uid)
		(void)snprintf(container->pod_uid, sizeof(container->pod_uid), "%s", spec->pod_uid);
	place(container, spec->cgroup_prefix);
	sys_cgroup_remember(sys, container->cgroup);
	sys_cgroup_remember(sys, sys_print(sys, "/kubepods/burstable/pod%s", container->pod_uid));
	container->capabilities = spec->capabilities;
	(void)snprintf(
		container->name, sizeof(container->name), "%s", spec->name ? spec->name : "");
	(void)snprintf(container->pod, sizeof(container->pod), "%s", spec->pod ? spec->pod : "");
	(void)snprintf(container->namespace_name, sizeof(container->namespace_name), "%s",
		spec->namespace_name ? spec->namespace_name : "");
	if (spec->name)
		sys_container_logs(sys, container, spec->sandbox);

	char *bundle = write_bundle(sys, spec, container->id, container->cgroup);
	char *pid_file = sys_print(sys, "%s/pid", bundle);
	const char *const run[] = { "runc", "--root", root, "run", "--detach", "--bundle", bundle,
		"--pid-file", pid_file, container->id, NULL };
	const char *const create[] = { "runc", "--root", root, "create", "--bundle", bundle,
		"--pid-file", pid_file, container->id, NULL };
	runc(sys, strcmp(verb, "run") == 0 ? run : create, ret_ready);
	container->pid = read_pid(pid_file);
	return container;
}

struct sys_container *sys_start(struct sys *sys, const struct sys_spec *spec)
{
	int ready = -1;
	struct sys_container *container = make(sys, spec, "run", &ready);

	wait_ready(ready, container->id);
	return container;
}

struct sys_container *sys_create(struct sys *sys, const struct sys_spec *spec)
{
	/* The program keeps the pipe as its standard output, and nobody reads it. */
	int ready = -1;
	struct sys_container *container = make(sys, spec, "create", &ready);

	container->ready = ready;
	return container;
}

void sys_start_created(struct sys *sys, struct sys_container *container)
{
	const char *const start[] = { "runc", "--root", runc_root(sys, container), "start",
		container->id, NULL };

	runc(sys, start, NULL);
	wait_ready(container->ready, container->id);
	container->ready = 0;
}

static int run_quietly(struct sys *sys, const char *const *argv)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct sys_result *result = sys_command(
		sys, &(struct sys_command){ .argv = argv, .output = null, .errors = null });

	(void)close(null);
	return result->status;
}

int sys_start_and_stop(struct sys *sys, const struct sys_spec *spec, unsigned number, bool exec)
{
	struct sys_container container = { 0 };
	char *root = runc_root(sys, &container);
	int status = 0;

	sys->made = number;
	sys_make_id(sys, &container);
	place(&container, spec->cgroup_prefix);
	sys_cgroup_remember(sys, container.cgroup);
	sys_cgroup_remember(sys, sys_print(sys, "/kubepods/burstable/pod%s", container.pod_uid));
	char *bundle = write_bundle(sys, spec, container.id, container.cgroup);
	const char *const run[] = { "runc", "--root", root, "run", "--detach", "--bundle", bundle,
		container.id, NULL };
	const char *const enter[] = { "runc", "--root", root, "exec", "--detach", container.id,
		"/bin/inside", "pause", NULL };
	const char *const remove[] = { "runc", "--root", root, "delete", "--force", container.id,
		NULL };

	status = run_quietly(sys, run);
	if (status == 0 && exec)
		status = run_quietly(sys, enter);
	int removed = run_quietly(sys, remove);
	sys_cgroup_remove(sys, sys_print(sys, "/kubepods/burstable/pod%s", container.pod_uid));
	return status != 0 ? status : removed;
}

void sys_stop(struct sys *sys, struct sys_container *container)
{
	if (container->by == SYS_BY_CONTAINERD)
		sys_containerd_remove(sys, container);
	if (container->by == SYS_BY_RUNC) {
		const char *const remove[] = { "runc", "--root", runc_root(sys, container),
			"delete", "--force", container->id, NULL };

		(void)run_quietly(sys, remove);
	}
	if (container->by == SYS_BY_HAND && container->pid > 0)
		(void)kill(container->pid, SIGKILL);
	if (container->ready > 0)
		(void)close(container->ready);
	if (container->cgroup[0]) {
		sys_cgroup_remove(sys, container->cgroup);
		for (size_t i = 0; i < sys->hierarchies; i++)
			(void)rmdir(sys_print(sys, "%s/kubepods/burstable/pod%s", sys->hierarchy[i],
				container->pod_uid));
	}
	if (container->logs)
		sys_container_logs_remove(sys, container);
	sys_reap(sys);
	container->used = false;
}

pid_t sys_exec(struct sys *sys, struct sys_container *container, uint64_t capabilities,
	const char *const *argv)
{
	int ready = -1;
	char *process = sys_print(sys, "%s/process.json", sys->directory);
	char *pid_file = sys_print(sys, "%s/process.pid", sys->directory);
	json_t *config = sys_bundle_process(
		&(struct sys_spec){ .capabilities = capabilities, .argv = argv });
	const char *const exec[] = { "runc", "--root", runc_root(sys, container), "exec",
		"--detach", "--process", process, "--pid-file", pid_file, container->id, NULL };

	if (!config || json_dump_file(config, process, 0) != 0)
		fail_msg("cannot write %s", process);
	json_decref(config);
	runc(sys, exec, &ready);
	wait_ready(ready, container->id);
	return read_pid(pid_file);
}

struct entry {
	struct sys *sys;
	struct sys_container *container;
};

/* In the child: the container's cgroups, then its PID namespace, which the next fork is born in. */
static int prepare_entry(void *data)
{
	const struct entry *entry = data;
	int container = (int)syscall(SYS_pidfd_open, entry->container->pid, 0);

	if (container < 0 || setns(container, CLONE_NEWPID) != 0)
		return -errno;
	if (sys_cgroup_move(entry->sys, entry->container->cgroup, getpid()) == 0)
		return -EIO;
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	/* Adopted by the test program, and in the container's cgroup, which is killed with it. */
	if (pid > 0)
		_exit(0);
	return 0;
}

pid_t sys_enter(struct sys *sys, struct sys_container *container)
{
	int ends[2];
	char *program = sys_print(sys, "%s/bin/inside", sys->rootfs);
	const char *const argv[] = { program, "pause", NULL };
	struct entry entry = { .sys = sys, .container = container };

	if (pipe2(ends, O_CLOEXEC) != 0)
		fail_msg("pipe: %s", strerror(errno));
	(void)sys_command(sys, &(struct sys_command){ .argv = argv,
				       .output = ends[1],
				       .prepare = prepare_entry,
				       .data = &entry });
	(void)close(ends[1]);
	wait_ready(ends[0], container->id);

	/* The one of the container's processes that runs that very file. */
	char *members =
		sys_read_file(sys_print(sys, "%s%s/cgroup.procs", sys->home, container->cgroup));
	pid_t found = 0;
	char *at = members;
	for (pid_t pid; found == 0 && (pid = (pid_t)strtol(at, &at, 10)) > 0;) {
		char exe[PATH_MAX] = "";

		if (readlink(sys_print(sys, "/proc/%d/exe", (int)pid), exe, sizeof(exe) - 1) > 0 &&
			strcmp(exe, program) == 0)
			found = pid;
	}
	free(members);
	if (found == 0)
		fail_msg("cannot find what entered %s", container->id);
	return found;
}

struct sys_container *sys_start_by_hand(struct sys *sys)
{
	int ends[2];
	char *program = sys_print(sys, "%s/bin/inside", sys->rootfs);
	char *argv[] = { program, (char[]){ "pause" }, NULL };

	sys_need_containers(sys);
	struct sys_container *container = sys_container_new(sys);
	container->by = SYS_BY_HAND;
	if (pipe2(ends, O_CLOEXEC) != 0)
		fail_msg("pipe: %s", strerror(errno));
	container->pid = (pid_t)syscall(
		SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, 0UL);
	if (container->pid < 0)
		fail_msg("clone: %s", strerror(errno));
	if (container->pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execv(program, argv);
		_exit(126);
	}
	(void)close(ends[1]);
	wait_ready(ends[0], "a PID namespace");
	return container;
}

pid_t sys_other_thread(pid_t pid)
{
	char path[64];
	pid_t found = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *tasks = opendir(path);
	if (!tasks)
		fail_msg("%s: %s", path, strerror(errno));
	for (struct dirent *entry; (entry = readdir(tasks));) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0 && tid != pid)
			found = tid;
	}
	(void)closedir(tasks);
	if (found == 0)
		fail_msg("process %d has no other thread", (int)pid);
	return found;
}
