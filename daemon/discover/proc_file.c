/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the files of one process. Knows nothing of what is in them.
 */
#include "proc_file.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

int proc_errno(int error)
{
	return error == ENOENT ? -ESRCH : -error;
}

int proc_open(pid_t pid)
{
	char path[sizeof("/proc/") + 3 * sizeof(pid)];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? proc_errno(errno) : fd;
}

static ssize_t read_file(int proc, const char *name, char *buffer, size_t size, bool record)
{
	_cleanup_close_ int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	size_t length = 0;

	if (fd < 0)
		return proc_errno(errno);
	while (length < size) {
		ssize_t n = read(fd, buffer + length, size - length);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return proc_errno(errno);
		}
		if (n == 0)
			return (ssize_t)length;
		length += (size_t)n;
		if (record && length < size)
			return (ssize_t)length;
	}
	return -EFBIG;
}

ssize_t proc_read(int proc, const char *name, char *buffer, size_t size)
{
	return read_file(proc, name, buffer, size, false);
}

ssize_t proc_read_record(int proc, const char *name, char *buffer, size_t size)
{
	return read_file(proc, name, buffer, size, true);
}

ssize_t proc_link(int proc, const char *name, char *buffer, size_t size)
{
	ssize_t n = readlinkat(proc, name, buffer, size);

	if (n < 0)
		return proc_errno(errno);
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	buffer[n] = '\0';
	return n;
}

int proc_alive(int proc)
{
	struct stat st;

	return fstatat(proc, "stat", &st, 0) < 0 ? proc_errno(errno) : 0;
}
