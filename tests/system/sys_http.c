/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client that does only what it is told to, so that it can misbehave.
 */
#include "sys_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int new_socket(int family)
{
	const struct timeval patience = { .tv_usec = 100000 };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
		fail_msg("socket: %s", strerror(errno));
	return fd;
}

/* Below those that the kernel gives to whoever connects to somebody. */
#define PORTS_FROM 20000u
#define PORTS	   12000u

unsigned http_free_port(void)
{
	for (unsigned tries = 0; tries < PORTS; tries++) {
		const unsigned port = PORTS_FROM + arc4random_uniform(PORTS);
		const struct sockaddr_in address = { .sin_family = AF_INET,
			.sin_port = htons((uint16_t)port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		int fd = new_socket(AF_INET);
		bool free = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

		(void)close(fd);
		if (free)
			return port;
	}
	fail_msg("no free port");
	return 0;
}

static int open_to(int fd, const struct sockaddr *address, socklen_t size)
{
	if (connect(fd, address, size) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

int http_connect(unsigned port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return open_to(new_socket(AF_INET), (const struct sockaddr *)&address, sizeof(address));
}

int http_connect_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return open_to(new_socket(AF_UNIX), (const struct sockaddr *)&address, sizeof(address));
}

/* It may have hung up on us by then. */
void http_send(int fd, const void *bytes, size_t length)
{
	const char *p = bytes;

	while (length) {
		ssize_t n = send(fd, p, length, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		p += n;
		length -= (size_t)n;
	}
}

const char *http_rest(struct sys *sys, int fd)
{
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	size_t length = 0, space = 65536;
	char *text = malloc(space + 1);
	ssize_t n;

	while (text && (n = recv(fd, text + length, space - length, 0)) != 0) {
		/* Who does not take what the daemon says would stop it. */
		if (sys->daemon)
			(void)sys_daemon_lines(sys->daemon);
		if (n < 0 && errno != EAGAIN)
			break;
		if (sys_now_ms() > until)
			fail_msg("the connection does not end");
		length += n > 0 ? (size_t)n : 0;
		if (length == space)
			text = realloc(text, (space *= 2) + 1);
	}
	if (!text)
		fail_msg("out of memory");
	text[length] = '\0';
	(void)close(fd);
	sys_own(sys, text, free);
	return text;
}

static const char *ask(struct sys *sys, int fd, const char *path)
{
	char *request = sys_print(sys, "GET %s HTTP/1.0\r\n\r\n", path);

	if (fd < 0)
		fail_msg("nobody listens: %s", strerror(errno));
	http_send(fd, request, strlen(request));
	return http_rest(sys, fd);
}

const char *http_get_tcp(struct sys *sys, unsigned port, const char *path)
{
	return ask(sys, http_connect(port), path);
}

const char *http_get_path(struct sys *sys, const char *socket, const char *path)
{
	return ask(sys, http_connect_path(socket), path);
}

const char *http_body(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");

	return end ? end + 4 : "";
}

double http_metric(const char *text, const char *name)
{
	const size_t length = strlen(name);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ' ')
			return strtod(line + length, NULL);
	}
	return -1;
}
