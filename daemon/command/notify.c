/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Datagrams for the service manager. sd_notify(3) waits where it does not read them, and it may
 * wait for us in turn.
 */
#include "notify.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int notify(const char *format, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	char text[512];
	va_list arguments;
	size_t length;
	int written;

	if (!path)
		return 0;
	length = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || length >= sizeof(address.sun_path))
		return -EAFNOSUPPORT;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@') /* no name in a file system */
		address.sun_path[0] = '\0';
	va_start(arguments, format);
	written = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (written < 0 || (size_t)written >= sizeof(text))
		return -EMSGSIZE;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	while (sendto(fd, text, (size_t)written, MSG_DONTWAIT | MSG_NOSIGNAL,
		       (const struct sockaddr *)&address,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}
