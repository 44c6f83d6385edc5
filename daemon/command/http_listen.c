/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes listening sockets. Knows nothing of what is served there.
 */
#include "http_listen.h"

#include <capauditd/address.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 64

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un path;
};

static int parse_address(const char *text, union address *ret, socklen_t *ret_size)
{
	struct listen_address address;
	int r = listen_address_from_text(text, &address);

	if (r < 0)
		return r;
	memset(ret, 0, sizeof(*ret));
	if (address.is_v6) {
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = htons(address.port);
		memcpy(&ret->v6.sin6_addr, address.bytes, sizeof(ret->v6.sin6_addr));
		*ret_size = sizeof(ret->v6);
	} else {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(address.port);
		memcpy(&ret->v4.sin_addr, address.bytes, sizeof(ret->v4.sin_addr));
		*ret_size = sizeof(ret->v4);
	}
	return 0;
}

int http_listen_tcp(const char *text)
{
	_cleanup_close_ int fd = -1;
	union address address;
	socklen_t size;
	int on = 1, r = parse_address(text, &address, &size);

	if (r < 0)
		return r;
	fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* A restart does not wait for the last scrape's connection to be forgotten. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (address.any.sa_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, &address.any, size) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int open_step(int directory, const char *name, bool make)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(directory, name, flags);

	if (fd < 0 && errno == ENOENT && make) {
		if (mkdirat(directory, name, 0755) < 0 && errno != EEXIST)
			return -errno;
		fd = openat(directory, name, flags);
	}
	return fd < 0 ? -errno : fd;
}

/* The folder that `path`, which is absolute, lies in; *ret_name points into it. */
static int open_folder(char *path, const char **ret_name)
{
	_cleanup_close_ int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *name = path + strspn(path, "/");

	if (fd < 0)
		return -errno;
	for (;;) {
		char *slash = strchr(name, '/');
		int next;

		if (!slash)
			break;
		*slash = '\0';
		slash += 1 + strspn(slash + 1, "/");
		next = open_step(fd, name, !strchr(slash, '/'));
		if (next < 0)
			return next;
		(void)close(fd);
		fd = next;
		name = slash;
	}
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	*ret_name = name;
	return TAKE_FD(fd);
}

static int check_folder(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return -EPERM;
	return st.st_mode & (S_IWGRP | S_IWOTH) && !(st.st_mode & S_ISVTX) ? -EPERM : 0;
}

/* By the folder's descriptor: who could exchange a part of the path cannot lead it elsewhere. */
static int make_address(int directory, const char *name, union address *ret)
{
	int n;

	memset(ret, 0, sizeof(*ret));
	ret->path.sun_family = AF_UNIX;
	n = snprintf(ret->path.sun_path, sizeof(ret->path.sun_path), "/proc/self/fd/%d/%s",
		directory, name);
	return n < 0 || (size_t)n >= sizeof(ret->path.sun_path) ? -ENAMETOOLONG : 0;
}

/* 0 where nothing lies there any more. */
static int remove_stale(int directory, const char *name, const union address *address)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* A full backlog (EAGAIN) is somebody's too. */
	if (connect(fd, &address->any, sizeof(address->path)) == 0 || errno != ECONNREFUSED)
		return -EADDRINUSE;
	return unlinkat(directory, name, 0) < 0 ? -errno : 0;
}

static int bind_private(int fd, const union address *address)
{
	/* Nobody else may connect, not even for a moment. There are no other threads yet. */
	mode_t before = umask(0177);
	int r = bind(fd, &address->any, sizeof(address->path)) < 0 ? -errno : 0;

	(void)umask(before);
	return r;
}

static int listen_in(struct http_path *path)
{
	union address address;
	struct stat st;
	int r = make_address(path->directory, path->name, &address);

	if (r == 0)
		r = check_folder(path->directory);
	if (r == 0)
		r = remove_stale(path->directory, path->name, &address);
	if (r < 0)
		return r;
	path->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (path->fd < 0)
		return -errno;
	r = bind_private(path->fd, &address);
	if (r < 0)
		return r;
	if (fstatat(path->directory, path->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	path->device = st.st_dev;
	path->inode = st.st_ino;
	return listen(path->fd, BACKLOG) < 0 ? -errno : 0;
}

int http_listen_path(const char *text, struct http_path *ret)
{
	struct http_path path = { .fd = -1, .directory = -1 };
	_cleanup_free_ char *copy = strdup(text);
	const char *name = NULL;
	int r;

	if (!copy)
		return -ENOMEM;
	if (text[0] != '/')
		return -EINVAL;
	path.directory = open_folder(copy, &name);
	if (path.directory < 0)
		return path.directory;
	path.name = name ? strdup(name) : NULL;
	r = path.name ? listen_in(&path) : -ENOMEM;
	if (r < 0) {
		http_path_done(&path);
		return r;
	}
	*ret = path;
	return 0;
}

void http_path_done(struct http_path *path)
{
	struct stat st;

	/* Another daemon may have taken the name meanwhile. */
	if (path->name && path->inode &&
		fstatat(path->directory, path->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		st.st_dev == path->device && st.st_ino == path->inode)
		(void)unlinkat(path->directory, path->name, 0);
	if (path->fd >= 0)
		(void)close(path->fd);
	if (path->directory >= 0)
		(void)close(path->directory);
	free(path->name);
	*path = (struct http_path){ .fd = -1, .directory = -1 };
}
