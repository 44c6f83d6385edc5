/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Entries to journald without ever waiting for it: its native protocol on a socket of our own
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/). sd_journal_sendv(3) blocks while journald is
 * stuck, and says that all is well where there is none. It knows nothing of what it sends.
 */
#include "journal.h"

#include <capauditd/report.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

/* What sd_journal_sendv(3) asks for; an ordinary user gets less, and larger entries go as files. */
#define SEND_BUFFER (8 * 1024 * 1024)

struct journal_link {
	int fd;
	struct sockaddr_un address;
};

int journal_link_new(const char *path, struct journal_link **ret)
{
	struct journal_link *link;
	const int size = SEND_BUFFER;

	if (strlen(path) >= sizeof(link->address.sun_path))
		return -ENAMETOOLONG;
	link = calloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	link->address.sun_family = AF_UNIX;
	memcpy(link->address.sun_path, path, strlen(path) + 1);
	link->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (link->fd < 0) {
		free(link);
		return -errno;
	}
	(void)setsockopt(link->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	*ret = link;
	return 0;
}

void journal_link_free(struct journal_link *link)
{
	if (!link)
		return;
	(void)close(link->fd);
	free(link);
}

/* A value with a newline cannot stand behind "="; its length comes first, then. */
static size_t entry_size(char *const *field, const size_t *length, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += length[i] + 1 + (memchr(field[i], '\n', length[i]) ? 8 : 0);
	return size;
}

static char *put_field(char *to, const char *field, size_t length)
{
	const char *equals = memchr(field, '=', length);

	if (equals && memchr(field, '\n', length)) {
		size_t name = (size_t)(equals - field);
		uint64_t rest = length - name - 1;

		memcpy(to, field, name);
		to += name;
		*to++ = '\n';
		for (unsigned i = 0; i < 8; i++)
			*to++ = (char)(rest >> (8 * i));
		memcpy(to, equals + 1, rest);
		to += rest;
	} else {
		memcpy(to, field, length);
		to += length;
	}
	*to++ = '\n';
	return to;
}

/* 0; -EAGAIN while journald is stuck; -ENOENT and -ECONNREFUSED where there is none. */
static int send_message(const struct journal_link *link, const struct msghdr *message)
{
	struct sockaddr_un address = link->address;
	struct msghdr addressed = *message;

	addressed.msg_name = &address;
	addressed.msg_namelen = sizeof(address);
	while (sendmsg(link->fd, &addressed, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* One that is too large for a datagram: in a file that nobody can change any more. */
static int send_as_file(const struct journal_link *link, const char *entry, size_t size)
{
	_cleanup_close_ int fd = memfd_create("capauditd-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control.room) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, entry + done, size - done);

		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return send_message(link, &message);
}

int journal_link_send(
	const struct journal_link *link, char *const *field, const size_t *length, size_t count)
{
	size_t size = entry_size(field, length, count);
	_cleanup_free_ char *entry = malloc(size + 1);
	struct iovec part = { .iov_base = entry, .iov_len = size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	char *end = entry;
	int r;

	if (!entry)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		end = put_field(end, field[i], length[i]);
	part.iov_len = (size_t)(end - entry);
	r = send_message(link, &message);
	/* The kernel says the one for what can never be sent, the other for want of a piece of
	 * memory of that size. */
	return r == -EMSGSIZE || r == -ENOBUFS ? send_as_file(link, entry, part.iov_len) : r;
}
