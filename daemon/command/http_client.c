/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asks, and passes the answer on as it comes. Knows nothing of what is asked.
 */
#include "http_client.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

static int last_error(void)
{
	return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

/* The folder is that user's, and nobody else can put a socket there. */
static bool has_folder(const char *path, uid_t user)
{
	_cleanup_free_ char *copy = strdup(path);
	struct stat st;

	return copy && stat(dirname(copy), &st) == 0 && st.st_uid == user &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* Who else listens in our place could give an all-clear. The daemon is root, or (as a service) the
 * user whom its folder was made for. */
static int check_peer(int fd, const char *path)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	return peer.uid == 0 || peer.uid == geteuid() || has_folder(path, peer.uid) ? 0 : -EPERM;
}

static int open_connection(const char *path, uint64_t timeout_us)
{
	const struct timeval timeout = { .tv_sec = (time_t)(timeout_us / 1000000u),
		.tv_usec = (suseconds_t)(timeout_us % 1000000u) };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return last_error();
	r = check_peer(fd, path);
	return r < 0 ? r : TAKE_FD(fd);
}

static int send_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return last_error();
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

/* The number of bytes, 0 at the end. */
static ssize_t receive(int fd, char *buffer, size_t size)
{
	ssize_t n;

	do
		n = recv(fd, buffer, size, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? last_error() : n;
}

/* Reads the head; what came of the body is left in `rest`. Its length, or -errno. */
static ssize_t receive_head(int fd, struct http_reply *reply, char rest[static HTTP_HEAD_MAX])
{
	size_t length = 0, left;
	ssize_t head = 0;

	while (head == 0) {
		ssize_t n = receive(fd, reply->head + length, HTTP_HEAD_MAX - length);

		if (n <= 0)
			return n < 0 ? n : -EBADMSG;
		length += (size_t)n;
		head = http_reply_parse(reply, length);
	}
	if (head < 0)
		return head;
	left = length - (size_t)head;
	memcpy(rest, reply->head + head, left);
	return (ssize_t)left;
}

int http_get(const char *path, const char *target, uint64_t timeout_us, struct http_reply *ret,
	http_take *take, void *data)
{
	_cleanup_free_ char *request = NULL;
	_cleanup_close_ int fd = open_connection(path, timeout_us);
	char buffer[16384];
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	if (asprintf(&request, "GET %s HTTP/1.0\r\n\r\n", target) < 0) {
		request = NULL;
		return -ENOMEM;
	}
	r = send_all(fd, request, strlen(request));
	if (r < 0)
		return r;
	*ret = (struct http_reply){ 0 };
	n = receive_head(fd, ret, buffer);
	if (n < 0)
		return (int)n;
	if (ret->status != 200)
		return 0;
	/* With the head there may have come nothing of the body. */
	do {
		r = n ? take(data, buffer, (size_t)n) : 0;
		if (r != 0)
			return r;
		n = receive(fd, buffer, sizeof(buffer));
	} while (n > 0);
	return (int)n;
}
