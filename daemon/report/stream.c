/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines on standard output for a daemon that may not wait for whoever reads them.
 */
#include <capauditd/report.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct line_stream {
	int fd;
	bool own;   /* a description of our own, so that O_NONBLOCK is nobody else's */
	char *rest; /* of a line that was begun */
	size_t start, end;
};

/* A pipe that can be written to has room for a page, and that much is written whole. */
#define PIPE_ROOM 4096u

ssize_t write_without_waiting(int fd, const void *data, size_t length)
{
	struct pollfd writable = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	do
		n = send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0 || errno != ENOTSOCK)
		return n < 0 ? -errno : n;
	if (poll(&writable, 1, 0) <= 0)
		return -EAGAIN;
	do
		n = write(fd, data, length < PIPE_ROOM ? length : PIPE_ROOM);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* The same file opened again: flags belong to the open file description, which standard output
 * shares with whoever started us. Sockets cannot be opened so, nor can what is somebody else's. */
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
	free(stream->rest);
	free(stream);
}

static ssize_t write_some(const struct line_stream *stream, const char *data, size_t length)
{
	ssize_t n;

	if (!stream->own)
		return write_without_waiting(stream->fd, data, length);
	do
		n = write(stream->fd, data, length);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static void forget_rest(struct line_stream *stream)
{
	free(TAKE_PTR(stream->rest));
	stream->start = stream->end = 0;
}

int line_stream_put(struct line_stream *stream, const char *line)
{
	size_t length = strlen(line);
	ssize_t n;

	if (stream->rest)
		return -EAGAIN;
	stream->rest = malloc(length + 1);
	if (!stream->rest)
		return -ENOMEM;
	memcpy(stream->rest, line, length);
	stream->rest[length] = '\n';
	stream->end = length + 1;
	n = line_stream_flush(stream);
	if (stream->start == 0 && n != 0) {
		forget_rest(stream);
		return n < 0 ? (int)n : -EAGAIN;
	}
	/* Of a line that was begun the rest is to follow, whatever is wrong now. */
	return stream->rest ? 1 : n < 0 ? (int)n : 0;
}

ssize_t line_stream_flush(struct line_stream *stream)
{
	while (stream->start < stream->end) {
		ssize_t n = write_some(
			stream, stream->rest + stream->start, stream->end - stream->start);

		if (n == -EAGAIN)
			return (ssize_t)(stream->end - stream->start);
		if (n == -EPIPE)
			forget_rest(stream);
		if (n < 0)
			return n;
		stream->start += (size_t)n;
	}
	forget_rest(stream);
	return 0;
}

bool line_stream_waits(const struct line_stream *stream)
{
	return stream->rest != NULL;
}

int line_stream_fd(const struct line_stream *stream)
{
	return stream->fd;
}
