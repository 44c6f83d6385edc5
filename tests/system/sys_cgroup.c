/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cgroups in every hierarchy of the machine, be it one (v2) or a dozen (v1 and hybrid).
 */
#include "sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMOVAL_TRIES 1000 /* of 10 ms */

static bool known_device(const char *device, char known[][32], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(known[i], device) == 0)
			return true;
	return false;
}

static void find_old_cgroup(struct sys *sys)
{
	char *text = sys_read_file("/proc/self/cgroup");
	char *line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");

	free(sys->old_cgroup);
	sys->old_cgroup = NULL;
	if (line) {
		line += *line == '\n' ? 4 : 3;
		line[strcspn(line, "\n")] = '\0';
		sys->old_cgroup = strdup(line);
	}
	free(text);
}

/* From /proc/self/mountinfo (proc(5)): each hierarchy once, where its root is mounted. */
void sys_find_hierarchies(struct sys *sys)
{
	char *text = sys_read_file("/proc/self/mountinfo");
	char known[SYS_HIERARCHIES][32];
	bool home_is_v2 = false;

	for (char *line = text, *next; *line && sys->hierarchies < SYS_HIERARCHIES; line = next) {
		char device[32], root[PATH_MAX], point[PATH_MAX], type[32];

		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		const char *dash = strstr(line, " - ");
		if (!dash || sscanf(dash, " - %31s", type) != 1 ||
			strncmp(type, "cgroup", 6) != 0 ||
			sscanf(line, "%*s %*s %31s %4095s %4095s", device, root, point) != 3 ||
			strcmp(root, "/") != 0 || access(point, W_OK) != 0 ||
			known_device(device, known, sys->hierarchies))
			continue;
		memcpy(known[sys->hierarchies], device, sizeof(device));
		sys->hierarchy[sys->hierarchies] = strdup(point);
		if (!sys->home || (!home_is_v2 && strcmp(type, "cgroup2") == 0)) {
			sys->home = sys->hierarchy[sys->hierarchies];
			home_is_v2 = strcmp(type, "cgroup2") == 0;
		}
		sys->hierarchies++;
	}
	free(text);
	if (home_is_v2)
		find_old_cgroup(sys);
}

void sys_cgroup_remember(struct sys *sys, const char *path)
{
	char file[PATH_MAX];

	(void)snprintf(file, sizeof(file), "%s/cgroups", sys->directory);
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || dprintf(fd, "%s\n", path) < 0)
		fail_msg("%s: %s", file, strerror(errno));
	(void)close(fd);
}

/* A new cpuset of v1 takes no process before it has processors and memory: those of its parent. */
static void inherit(const char *directory, const char *file)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, file);
	if (access(path, F_OK) != 0)
		return;
	char *own = sys_read_file(path);
	(void)snprintf(path, sizeof(path), "%s/../%s", directory, file);
	char *parents = sys_read_file(path);

	(void)snprintf(path, sizeof(path), "%s/%s", directory, file);
	if (strspn(own, "\n") == strlen(own) && *parents)
		sys_write_file(path, parents);
	free(own);
	free(parents);
}

static bool make_one(const char *directory)
{
	if (mkdir(directory, 0755) != 0)
		return errno == EEXIST;
	inherit(directory, "cpuset.cpus");
	inherit(directory, "cpuset.mems");
	return true;
}

size_t sys_cgroup_make(struct sys *sys, const char *path)
{
	size_t made = 0;

	for (size_t i = 0; i < sys->hierarchies; i++) {
		char directory[PATH_MAX];

		(void)snprintf(directory, sizeof(directory), "%s%s", sys->hierarchy[i], path);
		for (char *slash = directory + strlen(sys->hierarchy[i]) + 1;
			(slash = strchr(slash, '/')); slash++) {
			*slash = '\0';
			(void)make_one(directory);
			*slash = '/';
		}
		made += make_one(directory);
	}
	return made;
}

static bool write_pid(const char *hierarchy, const char *path, pid_t pid)
{
	char file[PATH_MAX], text[16];
	int length = snprintf(text, sizeof(text), "%d", (int)pid);

	(void)snprintf(file, sizeof(file), "%s%s/cgroup.procs", hierarchy, path);
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, (size_t)length) == length;
	if (fd >= 0)
		(void)close(fd);
	return written;
}

size_t sys_cgroup_move(struct sys *sys, const char *path, pid_t pid)
{
	size_t moved = 0;

	for (size_t i = 0; i < sys->hierarchies; i++)
		moved += write_pid(sys->hierarchy[i], path, pid);
	return moved;
}

/* Kills the members of one cgroup directory and of those below it; true once all are removed. */
static bool remove_tree(const char *directory)
{
	char path[PATH_MAX];
	DIR *entries = opendir(directory);
	struct dirent *entry;

	if (!entries)
		return errno == ENOENT;
	while ((entry = readdir(entries))) {
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		(void)remove_tree(path);
	}
	(void)closedir(entries);
	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	char *members = sys_read_file(path);
	char *at = members;
	for (pid_t pid; (pid = (pid_t)strtol(at, &at, 10)) > 0;)
		if (pid > 1 && pid != getpid())
			(void)kill(pid, SIGKILL);
	free(members);
	return rmdir(directory) == 0 || errno == ENOENT;
}

void sys_cgroup_remove(struct sys *sys, const char *path)
{
	char directory[PATH_MAX];

	/* Never anybody else's. */
	if (!strstr(path, sys->token) && !strstr(path, sys->pod_token))
		return;
	for (size_t i = 0; i < sys->hierarchies; i++) {
		(void)snprintf(directory, sizeof(directory), "%s%s", sys->hierarchy[i], path);
		for (int tries = 0; tries < REMOVAL_TRIES && !remove_tree(directory); tries++) {
			sys_reap(sys);
			sys_sleep_ms(10);
		}
	}
}
