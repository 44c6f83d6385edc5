/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers that are cgroups, in the hierarchies that the program looks at, and nothing else.
 */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <mntent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REMOVAL_TRIES 1000 /* of 10 ms */

void die(const char *format, ...)
{
	va_list arguments;

	(void)fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fprintf(stderr, "\n");
	_exit(1);
}

unsigned number_of(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || number == 0 || number > 1000000)
		die("%s is no number", text);
	return (unsigned)number;
}

static void make_in(struct container *container, const char *hierarchy)
{
	char path[sizeof(container->directory[0])];

	(void)snprintf(path, sizeof(path), "%s/docker", hierarchy);
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		die("%s: %s", path, strerror(errno));
	(void)snprintf(path, sizeof(path), "%s/docker/%s", hierarchy, container->id);
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		die("%s: %s", path, strerror(errno));
	(void)strcpy(container->directory[container->directories++], path);
}

void container_make(struct container *container, const char *token, unsigned number)
{
	FILE *mounts = setmntent("/proc/mounts", "re");
	bool unified = false, legacy = false;
	struct mntent *mount;

	*container = (struct container){ 0 };
	(void)snprintf(container->id, sizeof(container->id), "%.16s%048x", token, number);
	while (mounts && (mount = getmntent(mounts))) {
		if (!unified && strcmp(mount->mnt_type, "cgroup2") == 0) {
			unified = true;
			make_in(container, mount->mnt_dir);
		} else if (!legacy && strcmp(mount->mnt_type, "cgroup") == 0 &&
			   hasmntopt(mount, "pids")) {
			legacy = true;
			make_in(container, mount->mnt_dir);
		}
	}
	if (mounts)
		(void)endmntent(mounts);
	if (container->directories == 0)
		die("no cgroup hierarchy is mounted");
}

void container_enter(const struct container *container)
{
	char path[600];

	for (unsigned i = 0; i < container->directories; i++) {
		(void)snprintf(path, sizeof(path), "%s/cgroup.procs", container->directory[i]);
		int fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0", 1) != 1)
			die("%s: %s", path, strerror(errno));
		(void)close(fd);
	}
}

static void kill_members(const char *directory)
{
	char path[600];
	unsigned pid;

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	FILE *members = fopen(path, "re");
	while (members && fscanf(members, "%u", &pid) == 1)
		(void)kill((pid_t)pid, SIGKILL);
	if (members)
		(void)fclose(members);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

void container_remove(const struct container *container)
{
	for (unsigned i = 0; i < container->directories; i++) {
		const char *directory = container->directory[i];

		for (int tries = 0; rmdir(directory) != 0 && tries < REMOVAL_TRIES; tries++) {
			kill_members(directory);
			(void)usleep(10000);
		}
	}
}

void hold(uint64_t bounding, uint64_t permitted, uint64_t effective)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!(bounding >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
			die("PR_CAPBSET_DROP: %s", strerror(errno));
	for (unsigned i = 0; i < 2; i++) {
		data[i].permitted = (uint32_t)(permitted >> 32 * i);
		data[i].effective = (uint32_t)(effective >> 32 * i);
	}
	if (syscall(SYS_capset, &header, data) != 0)
		die("capset: %s", strerror(errno));
}

void become(const char *role)
{
	(void)execl("/proc/self/exe", program_invocation_short_name, role, (char *)NULL);
	die("/proc/self/exe: %s", strerror(errno));
}

void *map_shared(int fd, size_t size)
{
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (shared == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return shared;
}

uint64_t now_ns(int clock)
{
	struct timespec time;

	(void)clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}
