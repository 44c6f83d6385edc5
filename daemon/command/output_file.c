/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replaces a file in one step.
 */
#include "output_file.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

static int fill(int fd, const char *text, size_t length)
{
	mode_t mask = umask(0);
	int r;

	(void)umask(mask);
	r = write_all(fd, text, length);
	if (r < 0)
		return r;
	/* mkostemp(3) makes it for its owner alone; give it what open(2) would have given. */
	if (fchmod(fd, 0666 & ~mask) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* A device or a pipe is written to: it is nobody's file to be replaced. */
static int write_through(const char *path, const char *text, size_t length)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : write_all(fd, text, length);
}

static int replace(const char *path, const char *text, size_t length)
{
	_cleanup_free_ char *beside = NULL;
	int fd, r;

	if (asprintf(&beside, "%s.XXXXXX", path) < 0) {
		beside = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fill(fd, text, length);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(beside, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(beside);
	return r;
}

int output_file_write(const char *path, const char *text, size_t length)
{
	_cleanup_free_ char *real = NULL;
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? replace(path, text, length) : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return write_through(path, text, length);
	/* What a symbolic link leads to is replaced, and not the link. */
	real = realpath(path, NULL);
	return real ? replace(real, text, length) : -errno;
}
