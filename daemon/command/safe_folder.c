/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks a path part by part, and looks at each symbolic link before it follows it.
 */
#include "safe_folder.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define LINKS_MAX 16u

/* Only root and we can put something there, or take it away. */
static bool is_ours(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* What is left to walk becomes the link's text with the old rest behind it. */
static int follow(int folder, int link, char rest[static PATH_MAX])
{
	char text[PATH_MAX], joined[PATH_MAX];
	struct stat st;
	ssize_t length;
	int n;

	if (fstat(folder, &st) < 0)
		return -errno;
	if (!is_ours(&st))
		return -ELOOP;
	length = readlinkat(link, "", text, sizeof(text) - 1);
	if (length < 0)
		return -errno;
	text[length] = '\0';
	n = snprintf(joined, sizeof(joined), "%s/%s", text, rest);
	if (n < 0 || (size_t)n >= sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(rest, joined, (size_t)n + 1);
	return 0;
}

/* The next part of `rest`, which is moved on. False at the end. */
static bool take_part(char rest[static PATH_MAX], char part[static NAME_MAX + 1], int *error)
{
	size_t skip = strspn(rest, "/"), length = strcspn(rest + skip, "/");

	*error = 0;
	if (!length)
		return false;
	if (length > NAME_MAX) {
		*error = -ENAMETOOLONG;
		return false;
	}
	memcpy(part, rest + skip, length);
	part[length] = '\0';
	memmove(rest, rest + skip + length, strlen(rest + skip + length) + 1);
	return true;
}

/* Where the next part leads to: a descriptor of its own, or -errno. */
static int step(int at, const char *part, char rest[static PATH_MAX], unsigned *links)
{
	int next = openat(at, part, O_PATH | O_NOFOLLOW | O_CLOEXEC), r;
	struct stat st;

	if (next < 0)
		return -errno;
	r = fstat(next, &st) < 0 ? -errno : 0;
	if (r == 0 && !S_ISLNK(st.st_mode))
		return next;
	if (r == 0)
		r = ++*links > LINKS_MAX ? -ELOOP : follow(at, next, rest);
	(void)close(next);
	if (r < 0)
		return r;
	next = openat(at, rest[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return next < 0 ? -errno : next;
}

static int walk(char rest[static PATH_MAX])
{
	char part[NAME_MAX + 1];
	unsigned links = 0;
	int at = open(rest[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error = at < 0 ? -errno : 0;

	while (error == 0 && take_part(rest, part, &error)) {
		int next = step(at, part, rest, &links);

		(void)close(at);
		if (next < 0)
			return next;
		at = next;
	}
	if (error < 0 && at >= 0)
		(void)close(at);
	return error < 0 ? error : at;
}

int safe_folder_open(const char *path)
{
	_cleanup_close_ int found = -1;
	char rest[PATH_MAX];
	struct stat st;
	int folder, r;

	if (path[0] != '/' || strlen(path) >= sizeof(rest))
		return path[0] != '/' ? -EINVAL : -ENAMETOOLONG;
	memcpy(rest, path, strlen(path) + 1);
	found = walk(rest);
	if (found < 0)
		return found;
	folder = openat(found, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	r = fstat(folder, &st) < 0 ? -errno : is_ours(&st) ? 0 : -EPERM;
	if (r < 0)
		(void)close(folder);
	return r < 0 ? r : folder;
}

int safe_folder_of(const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char rest[PATH_MAX];
	size_t length = (size_t)(name - path);
	int folder;

	if (!*name)
		return *path ? -EISDIR : -ENOENT;
	if (length >= sizeof(rest))
		return -ENAMETOOLONG;
	memcpy(rest, path, length);
	rest[length] = '\0';
	folder = walk(rest);
	if (folder >= 0)
		*ret_name = name;
	return folder;
}

bool safe_folder_is_ours(int folder)
{
	struct stat st;

	return fstat(folder, &st) == 0 && is_ours(&st);
}
