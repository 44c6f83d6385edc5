/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines on standard output for a daemon that may not wait for whoever reads them.
 */
#include <capauditd/report.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct line_stream {
	int fd;
	bool own; /* a description of our own, so that O_NONBLOCK is nobody else's */
	char *waiting;
	size_t start, end, space; /* waiting[start..end) */
};

/* The same file opened again: flags belong to the open file description, which standard output
 * shares with whoever started us. Sockets cannot be opened so; they are left as they are, and
 * blocking. */
static int open_again(int fd)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(fd)];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int line_stream_new(int fd, struct line_stream **ret)
{
	struct line_stream *stream = calloc(1, sizeof(*stream));
	struct stat st;

	if (!stream)
		return -ENOMEM;
	if (fstat(fd, &st) < 0) {
		free(stream);
		return -errno;
	}
	stream->fd = fd;
	if (!S_ISREG(st.st_mode)) {
		int again = open_again(fd);

		if (again >= 0) {
			stream->fd = again;
			stream->own = true;
		}
	}
	*ret = stream;
	return 0;
}

void line_stream_free(struct line_stream *stream)
{
	if (!stream)
		return;
	if (stream->own)
		(void)close(stream->fd);
	free(stream->waiting);
	free(stream);
}

static int make_room(struct line_stream *stream, size_t length)
{
	size_t held = stream->end - stream->start, space;
	char *waiting;

	if (held + length > LINE_STREAM_WAITING_MAX)
		return -ENOBUFS;
	if (stream->start) {
		memmove(stream->waiting, stream->waiting + stream->start, held);
		stream->start = 0;
		stream->end = held;
	}
	if (held + length <= stream->space)
		return 0;
	space = (held + length) * 2;
	waiting = realloc(stream->waiting, space);
	if (!waiting)
		return -ENOMEM;
	stream->waiting = waiting;
	stream->space = space;
	return 0;
}

int line_stream_put(struct line_stream *stream, const char *line)
{
	size_t length = strlen(line);
	ssize_t n;
	int r = make_room(stream, length + 1);

	if (r < 0)
		return r;
	memcpy(stream->waiting + stream->end, line, length);
	stream->waiting[stream->end + length] = '\n';
	stream->end += length + 1;
	n = line_stream_flush(stream);
	return n < 0 ? (int)n : 0;
}

ssize_t line_stream_flush(struct line_stream *stream)
{
	while (stream->start < stream->end) {
		ssize_t n = write(
			stream->fd, stream->waiting + stream->start, stream->end - stream->start);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			if (errno == EAGAIN)
				break;
			return -errno;
		}
		stream->start += (size_t)n;
	}
	if (stream->start == stream->end) {
		stream->start = stream->end = 0;
		free(stream->waiting);
		stream->waiting = NULL;
		stream->space = 0;
	}
	return (ssize_t)(stream->end - stream->start);
}

size_t line_stream_waiting(const struct line_stream *stream)
{
	const char *p = stream->waiting, *end = p ? p + stream->end : NULL;
	size_t lines = 0;

	for (p = p ? p + stream->start : NULL; p && p < end; p++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			break;
		lines++;
	}
	return lines;
}

int line_stream_fd(const struct line_stream *stream)
{
	return stream->fd;
}
