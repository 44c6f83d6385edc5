/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read(2) until there is no more. Which file it is, and whether it may be read, is the caller's.
 */
#include "read_fully.h"

#include <errno.h>
#include <unistd.h>

int read_fully(int fd, char *text, size_t size, size_t *ret_length)
{
	*ret_length = 0;
	while (*ret_length < size) {
		ssize_t n = read(fd, text + *ret_length, size - *ret_length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		*ret_length += (size_t)n;
	}
	return 0;
}
