/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The procfs engine's making: what it learns of itself and of the host before the first pass. The
 * pass is procfs.c's.
 */
#include "proc_file.h"
#include "procfs_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* /proc is mounted with hidepid, and it hides from us: pid 1's status tells. */
bool procfs_is_hidden(struct procfs *procfs)
{
	_cleanup_fclose_ FILE *mounts = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t space = 0;
	bool hidepid = false;
	ssize_t n;
	int proc;

	while (mounts && getline(&line, &space, mounts) > 0) {
		const char *options = strstr(line, " - proc ");

		if (options && strstr(line, " /proc ") && (options = strstr(options, "hidepid=")))
			hidepid |= strncmp(options, "hidepid=0", 9) != 0 &&
				   strncmp(options, "hidepid=off", 11) != 0;
	}
	if (!hidepid)
		return false;
	proc = proc_open(1);
	if (proc < 0)
		return true;
	n = procfs_read(procfs, proc, "status", true);
	(void)close(proc);
	return n < 0;
}

ssize_t procfs_read(struct procfs *procfs, int proc, const char *name, bool record)
{
	for (;;) {
		size_t room = procfs->buffer_size - 1, size = procfs->buffer_size * 2;
		ssize_t n = record ? proc_read_record(proc, name, procfs->buffer, room)
				   : proc_read(proc, name, procfs->buffer, room);
		char *buffer;

		if (n >= 0)
			procfs->buffer[n] = '\0';
		if (n != -EFBIG || size > PROCFS_BUFFER_SIZE_MAX)
			return n;
		buffer = realloc(procfs->buffer, size);
		if (!buffer)
			return -ENOMEM;
		procfs->buffer = buffer;
		procfs->buffer_size = size;
	}
}

static const char too_long[] = PROCFS_UNREADABLE_CGROUP;

ssize_t procfs_read_cgroup(struct procfs *procfs, int proc, const char *name)
{
	ssize_t n = procfs_read(procfs, proc, name, true);

	if (n != -ENAMETOOLONG)
		return n;
	memcpy(procfs->buffer, too_long, sizeof(too_long));
	return sizeof(too_long) - 1;
}

int procfs_learn_own(struct procfs *procfs)
{
	_cleanup_close_ int proc = proc_open(getpid());
	struct status status;
	ssize_t n;
	int r;

	if (proc < 0)
		return proc;
	n = procfs_read(procfs, proc, "status", true);
	if (n < 0)
		return (int)n;
	r = status_parse(procfs->buffer, (size_t)n, &status);
	if (r < 0)
		return r;
	procfs->own_bounding = status.sets.of[CAPABILITY_BOUNDING];
	return 0;
}

static void procfs_free(struct engine *engine)
{
	struct procfs *procfs = (struct procfs *)engine;

	free(procfs->buffer);
	free(procfs);
}

/* include/linux/proc_ns.h: the initial namespaces' inodes that are the same on every kernel. */
static const uint64_t initial_inodes[HOST_NAMESPACES] = {
	4026531836u, /* pid */
	0,	     /* net */
	4026531839u, /* ipc */
	0,	     /* mnt */
	4026531838u, /* uts */
	4026531835u, /* cgroup */
};

static void learn_host(struct procfs *procfs)
{
	struct stat st;

	for (unsigned i = 0; i < HOST_NAMESPACES; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/proc/1/ns/%s", host_namespace_name(i));
		procfs->host_inode[i] = initial_inodes[i];
		if (!procfs->host_inode[i] && stat(path, &st) == 0)
			procfs->host_inode[i] = st.st_ino;
	}
	if (stat("/proc/1/net/dev", &st) == 0)
		procfs->host_network_file = st.st_ino;
}

/* Where no LSM gives labels the kernel says EINVAL. */
static bool has_labels(void)
{
	_cleanup_close_ int fd = open("/proc/self/attr/current", O_RDONLY | O_CLOEXEC);
	char byte;

	return fd >= 0 && !(read(fd, &byte, 1) < 0 && errno == EINVAL);
}

static bool is_apparmor_enabled(void)
{
	_cleanup_close_ int fd =
		open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
	char answer;

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

static uint64_t boot_time_us(void)
{
	struct timespec real, boot;

	(void)clock_gettime(CLOCK_REALTIME, &real);
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	return (uint64_t)(real.tv_sec - boot.tv_sec) * 1000000u +
	       (uint64_t)((real.tv_nsec - boot.tv_nsec) / 1000);
}

static const struct engine_ops procfs_ops = {
	.pass = procfs_pass,
	.describe = procfs_describe,
	.free = procfs_free,
};

int engine_procfs_new(struct engine **ret)
{
	struct procfs *procfs = calloc(1, sizeof(*procfs));
	struct stat st;
	int proc;

	if (!procfs)
		return -ENOMEM;
	procfs->engine.ops = &procfs_ops;
	procfs->engine.name = "procfs";
	procfs->buffer_size = PROCFS_BUFFER_SIZE;
	procfs->buffer = malloc(procfs->buffer_size);
	if (!procfs->buffer) {
		procfs_free(&procfs->engine);
		return -ENOMEM;
	}
	proc = proc_open(getpid());
	if (proc >= 0) {
		char map[4096];
		ssize_t n;

		(void)procfs_user_namespace(procfs, proc, &procfs->own_user_namespace);
		n = proc_read(proc, "uid_map", map, sizeof(map));
		if (n >= 0)
			procfs->own_uid_map = procfs_hash(map, (size_t)n) | (UINT64_C(1) << 63);
		(void)close(proc);
	}
	procfs->in_initial_pid_namespace =
		stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == initial_inodes[0];
	procfs->apparmor = is_apparmor_enabled();
	procfs->labels = has_labels();
	procfs->ticks_per_second = sysconf(_SC_CLK_TCK);
	procfs->boot_us = boot_time_us();
	learn_host(procfs);
	*ret = &procfs->engine;
	return 0;
}
