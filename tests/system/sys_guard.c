/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard: a process in a session of its own that waits for its test program to end, however it
 * ends, and then removes what that left: processes (by their cgroups), cgroups, mounts, files.
 */
#include "sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *where)
{
	(void)stat;
	(void)type;
	(void)where;
	(void)remove(path);
	return 0;
}

/* Later mounts are inside earlier ones, so from the end. */
static void unmount_below(const char *directory)
{
	char *text = sys_read_file("/proc/self/mountinfo");
	size_t length = strlen(directory);
	char *end = text + strlen(text);

	while (end > text) {
		char point[PATH_MAX];

		*--end = '\0';
		while (end > text && end[-1] != '\n')
			end--;
		if (sscanf(end, "%*s %*s %*s %*s %4095s", point) == 1 &&
			strncmp(point, directory, length) == 0 && point[length] == '/')
			(void)umount2(point, MNT_DETACH);
	}
	free(text);
}

static void remove_remembered(struct sys *sys)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/cgroups", sys->directory);
	char *text = sys_read_file(path);

	/* Pods stand in it before their containers; removing a pod removes what is below it. */
	for (char *line = text, *next; *line; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		sys_cgroup_remove(sys, line);
	}
	free(text);
}

/* Folders that containerd insists on, and sockets in them that nobody listens to any more. */
static void clean_run_containerd(void)
{
	static const char *const insisted[] = { "/run/containerd/s", "/run/containerd/fifo",
		"/run/containerd/runc/k8s.io", "/run/containerd/runc", "/run/containerd" };
	DIR *sockets = opendir(insisted[0]);

	for (struct dirent *entry; sockets && (entry = readdir(sockets));) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		int fd = entry->d_type == DT_SOCK ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)
						  : -1;

		(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%.80s", insisted[0],
			entry->d_name);
		if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 &&
			errno == ECONNREFUSED)
			(void)unlink(address.sun_path);
		if (fd >= 0)
			(void)close(fd);
	}
	if (sockets)
		(void)closedir(sockets);
	for (size_t i = 0; i < sizeof(insisted) / sizeof(insisted[0]); i++)
		(void)rmdir(insisted[i]);
}

static void clean_kubepods(const struct sys *sys)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < sys->hierarchies; i++) {
		(void)snprintf(path, sizeof(path), "%s/kubepods/burstable", sys->hierarchy[i]);
		(void)rmdir(path);
		(void)snprintf(path, sizeof(path), "%s/kubepods", sys->hierarchy[i]);
		(void)rmdir(path);
	}
}

/* Has each test program that is still there a cgroup? Ours is gone. */
static bool others_are_there(const struct sys *sys)
{
	DIR *home = opendir(sys->home);
	const struct dirent *entry;
	bool found = false;

	while (home && !found && (entry = readdir(home)))
		found = strncmp(entry->d_name, &SYS_HARNESS[1], sizeof(SYS_HARNESS) - 2) == 0;
	if (home)
		(void)closedir(home);
	return found;
}

/* True, once, where a cgroup of that name says that it was made by the tests. */
static bool take_note(const struct sys *sys, const char *name)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s%s", sys->home, name);
	return rmdir(path) == 0;
}

static void clean_shared(const struct sys *sys)
{
	if (!sys->home || !sys->root || others_are_there(sys))
		return;
	if (take_note(sys, SYS_MADE_KUBEPODS))
		clean_kubepods(sys);
	if (take_note(sys, SYS_MADE_CONTAINERD))
		clean_run_containerd();
}

/* Shims die with their containers' processes, and the cgroup of the harness holds the rest. */
static void clean(struct sys *sys)
{
	remove_remembered(sys);
	sys_cgroup_remove(sys, sys->harness_cgroup);
	clean_shared(sys);
	unmount_below(sys->directory);
	(void)nftw(sys->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void sys_guard(struct sys *sys)
{
	static const int deaf[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char byte;

	(void)setsid();
	for (size_t i = 0; i < sizeof(deaf) / sizeof(deaf[0]); i++)
		(void)signal(deaf[i], SIG_IGN);
	/* A reader of the test program's output must not wait for us. */
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		(void)dup2(null, fd);
	while (read(sys->guard, &byte, 1) > 0 || errno == EINTR)
		errno = 0;
	clean(sys);
	_exit(0);
}
