/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replaces a file in one step.
 */
#include "output_file.h"

#include "safe_folder.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define LINKS_MAX 16u

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
static int write_through(int folder, const char *name, int flags, const char *text, size_t length)
{
	_cleanup_close_ int fd = openat(folder, name, O_WRONLY | O_CLOEXEC | O_NOCTTY | flags);

	return fd < 0 ? -errno : write_all(fd, text, length);
}

static int replace(int folder, const char *name, const char *text, size_t length)
{
	_cleanup_free_ char *beside = NULL;
	int fd, r;

	/* mkostemp(3) knows no folders by their descriptors. */
	if (asprintf(&beside, "/proc/self/fd/%d/%s.XXXXXX", folder, name) < 0) {
		beside = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fill(fd, text, length);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && renameat(AT_FDCWD, beside, folder, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(beside);
	return r;
}

static int write_at(const char *path, unsigned links, const char *text, size_t length);

/* The link's text is a path again, but in /proc, whose links to descriptors have none. */
static int write_to_target(
	int folder, const char *name, unsigned links, const char *text, size_t length)
{
	char target[PATH_MAX], path[PATH_MAX + 64];
	struct statfs fs;
	struct stat st;
	ssize_t n;

	if (!safe_folder_is_ours(folder) || links == 0)
		return -ELOOP;
	if (fstatfs(folder, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
		fstatat(folder, name, &st, 0) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return write_through(folder, name, 0, text, length);
	n = readlinkat(folder, name, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (target[0] == '/')
		(void)snprintf(path, sizeof(path), "%s", target);
	else
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", folder, target);
	return write_at(path, links - 1, text, length);
}

static int write_at(const char *path, unsigned links, const char *text, size_t length)
{
	const char *name;
	_cleanup_close_ int folder = safe_folder_of(path, &name);
	struct stat st;

	if (folder < 0)
		return folder;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? replace(folder, name, text, length) : -errno;
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return -EISDIR;
	case S_IFREG:
		return replace(folder, name, text, length);
	case S_IFLNK:
		return write_to_target(folder, name, links, text, length);
	default:
		if (!safe_folder_is_ours(folder) && st.st_uid != 0 && st.st_uid != geteuid())
			return -EPERM;
		return write_through(folder, name, O_NOFOLLOW, text, length);
	}
}

int output_file_write(const char *path, const char *text, size_t length)
{
	return write_at(path, LINKS_MAX, text, length);
}
