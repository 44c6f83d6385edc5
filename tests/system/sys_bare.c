/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a runtime does at the least: a cgroup, and a process in it with other capabilities. Takes a
 * hundredth of runc's time, so that hundreds can be had, and some that are over in a moment.
 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <unistd.h>

struct sys_container *sys_bare(struct sys *sys)
{
	sys_need_containers(sys);
	struct sys_container *container = sys_container_new(sys);

	container->by = SYS_BARE;
	sys_make_id(sys, container);
	(void)snprintf(container->cgroup, sizeof(container->cgroup), "/kubepods/burstable/pod%s/%s",
		container->pod_uid, container->id);
	return container;
}

static void make_at_home(struct sys *sys, const char *path)
{
	char directory[PATH_MAX];

	(void)snprintf(directory, sizeof(directory), "%s%s", sys->home, path);
	sys_make_directories(directory);
}

void sys_bare_make(struct sys *sys, const struct sys_container *container, bool everywhere)
{
	sys_cgroup_remember(sys, container->cgroup);
	sys_cgroup_remember(sys, sys_print(sys, "/kubepods/burstable/pod%s", container->pod_uid));
	if (everywhere)
		(void)sys_cgroup_make(sys, container->cgroup);
	else
		make_at_home(sys, container->cgroup);
}

const char *sys_inside(struct sys *sys, const char *program)
{
	return sys_print(sys, "%s/bin/%s", sys->rootfs, program);
}

static int set_capabilities(uint64_t held, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted = (uint32_t)(held >> 32 * i);
		data[i].inheritable = (uint32_t)(inheritable >> 32 * i);
	}
	return (int)syscall(SYS_capset, &header, data);
}

static int limit_bounding(uint64_t mask)
{
	for (unsigned long i = 0; i < 64 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!(mask >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
			return -1;
	return 0;
}

static int raise_ambient(uint64_t mask)
{
	for (unsigned long i = 0; i < 64; i++)
		if ((mask >> i & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) != 0)
			return -1;
	return 0;
}

/* A filter that lets everything pass. */
static int filter_calls(void)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = { .len = 1, .filter = &all };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static int become(unsigned uid)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setgroups(0, NULL) != 0 ||
		setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0)
		return -1;
	return 0;
}

static int prepare(const struct sys_inhabitant *i)
{
	uint64_t held = i->uid || i->user_namespace ? i->ambient : i->bounding;

	if (i->seccomp && filter_calls() != 0)
		return -1;
	if (limit_bounding(i->bounding) != 0)
		return -1;
	if ((i->uid || i->user_namespace) && become(i->uid) != 0)
		return -1;
	if (set_capabilities(held | i->ambient, i->inheritable | i->ambient) != 0 ||
		raise_ambient(i->ambient) != 0)
		return -1;
	return i->no_new_privs ? prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) : 0;
}

/* In the child. Its parent moves it and writes its maps before it says anything. */
static void live(const struct sys_inhabitant *inhabitant, const char *const *argv, int in, int out)
{
	char byte;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(in, &byte, 1) == 1 && prepare(inhabitant) == 0) {
		(void)dup2(out, STDOUT_FILENO);
		(void)execv(argv[0], (char *const *)(uintptr_t)argv);
	}
	(void)dprintf(out, "%s", strerror(errno));
	_exit(126);
}

static int open_cgroup(struct sys *sys, const struct sys_inhabitant *inhabitant)
{
	char path[PATH_MAX];
	struct statfs statfs;

	if (!inhabitant->cgroup)
		return -1;
	(void)snprintf(path, sizeof(path), "%s%s", sys->home, inhabitant->cgroup);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	if (fstatfs(fd, &statfs) == 0 && statfs.f_type == CGROUP2_SUPER_MAGIC)
		return fd;
	(void)close(fd);
	return -1;
}

static pid_t beget(const struct sys_inhabitant *inhabitant, int cgroup)
{
	const pid_t ids[] = { inhabitant->pid };
	struct clone_args arguments = { .exit_signal = SIGCHLD };

	if (cgroup >= 0) {
		arguments.flags |= CLONE_INTO_CGROUP;
		arguments.cgroup = (unsigned)cgroup;
	}
	if (inhabitant->pid_namespace)
		arguments.flags |= CLONE_NEWPID;
	if (inhabitant->user_namespace)
		arguments.flags |= CLONE_NEWUSER;
	const pid_t in_namespaces[] = { 1, inhabitant->pid };
	if (inhabitant->pid) {
		bool nested = inhabitant->pid_namespace;

		arguments.set_tid = (uint64_t)(uintptr_t)(nested ? in_namespaces : ids);
		arguments.set_tid_size = nested ? 2 : 1;
	}
	pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	return pid < 0 ? -errno : pid;
}

static void write_maps(struct sys *sys, pid_t pid)
{
	sys_write_file(sys_print(sys, "/proc/%d/uid_map", (int)pid), "0 100000 65536\n");
	sys_write_file(sys_print(sys, "/proc/%d/gid_map", (int)pid), "0 100000 65536\n");
}

static void wait_end(int fd, const char *of)
{
	char said[256];
	size_t length = 0;
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	for (ssize_t got = 1; got > 0 && length < sizeof(said) - 1; length += (size_t)got) {
		if (poll(&wait, 1, SYS_PATIENCE_MS) <= 0)
			fail_msg("%s is not ready", of);
		got = read(fd, said + length, sizeof(said) - 1 - length);
		if (got < 0)
			fail_msg("%s: %s", of, strerror(errno));
	}
	said[length] = '\0';
	if (length > 0 && strcmp(said, "ready\n") != 0)
		fail_msg("%s says \"%s\"", of, said);
}

pid_t sys_inhabit(struct sys *sys, const struct sys_inhabitant *inhabitant)
{
	const char *const pause[] = { sys_inside(sys, "inside"), "pause", NULL };
	const char *const *argv = inhabitant->argv ? inhabitant->argv : pause;
	int cgroup = open_cgroup(sys, inhabitant), in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		fail_msg("pipe: %s", strerror(errno));
	pid_t pid = beget(inhabitant, cgroup);
	if (pid == 0)
		live(inhabitant, argv, in[0], out[1]);
	(void)close(in[0]);
	(void)close(out[1]);
	if (pid > 0 && inhabitant->cgroup && (cgroup < 0 || inhabitant->everywhere))
		(void)sys_cgroup_move(sys, inhabitant->cgroup, pid);
	if (pid > 0 && inhabitant->user_namespace)
		write_maps(sys, pid);
	if (cgroup >= 0)
		(void)close(cgroup);
	if (pid > 0 && write(in[1], "g", 1) == 1)
		wait_end(out[0], argv[0]);
	(void)close(in[1]);
	(void)close(out[0]);
	if (pid < 0 && !inhabitant->pid)
		fail_msg("clone: %s", strerror(-pid));
	return pid;
}
