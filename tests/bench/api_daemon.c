/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One thread: whoever waits for one thing takes everything else meanwhile, so that no daemon ever
 * waits for a full pipe or socket.
 */
#include "api_daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS    60000u
#define REST_MS	       300u
#define LINE_MAX_BYTES (1024u * 1024u)

void api_die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)fputs("bench: ", stderr);
	(void)vfprintf(stderr, format, arguments);
	(void)fputs("\n", stderr);
	va_end(arguments);
	/* The daemons end with this program: see start_child(). */
	_exit(1);
}

uint64_t api_now_ns(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void api_sleep_ms(unsigned ms)
{
	(void)usleep(ms * 1000u);
}

static int listen_notify(const char path[API_SOCKET_BYTES])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)memcpy(address.sun_path, path, API_SOCKET_BYTES);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		api_die("%s: %s", path, strerror(errno));
	return fd;
}

_Noreturn static void start_child(const char *socket_path, int out, const char *const *argv)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(out, STDOUT_FILENO);
	(void)setenv("NOTIFY_SOCKET", socket_path, 1);
	(void)execv(argv[0], (char *const *)argv);
	(void)fprintf(stderr, "bench: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

void api_daemon_start(
	struct api_daemon *daemon, const char *work, const char *name, const char *const *argv)
{
	int ends[2];

	*daemon = (struct api_daemon){ .other = daemon->other, .pending = malloc(LINE_MAX_BYTES) };
	if (snprintf(daemon->socket, sizeof(daemon->socket), "%s/%s", work, name) >=
		(int)sizeof(daemon->socket))
		api_die("%s is too long", work);
	if (!daemon->pending || pipe2(ends, O_CLOEXEC) != 0)
		api_die("%s", strerror(errno));
	daemon->notify = listen_notify(daemon->socket);
	daemon->out = ends[0];
	(void)fcntl(daemon->out, F_SETFL, O_NONBLOCK);
	daemon->pid = fork();
	if (daemon->pid < 0)
		api_die("%s", strerror(errno));
	if (daemon->pid == 0)
		start_child(daemon->socket, ends[1], argv);
	(void)close(ends[1]);
}

static void take_line(struct api_awaited *awaited, const char *line, size_t length, uint64_t now)
{
	json_t *finding = json_loadb(line, length, 0, NULL);
	const char *state = json_string_value(json_object_get(finding, "state"));
	const char *name =
		json_string_value(json_object_get(json_object_get(finding, "pod"), "namespace"));

	if (!finding || !state)
		api_die("run printed: %.*s", (int)length, line);
	if (name && strcmp(name, awaited->namespace_name) == 0 &&
		strcmp(state, awaited->state) == 0) {
		if (awaited->count++ == 0)
			awaited->first_ns = now;
		awaited->last_ns = now;
	}
	json_decref(finding);
}

static void take_output(struct api_daemon *daemon)
{
	ssize_t got = read(daemon->out, daemon->pending + daemon->pending_length,
		LINE_MAX_BYTES - daemon->pending_length);
	uint64_t now = api_now_ns();
	char *from = daemon->pending, *end;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		api_die("run ended");
	daemon->pending_length += (size_t)got;
	while ((end = memchr(
			from, '\n', daemon->pending_length - (size_t)(from - daemon->pending)))) {
		if (daemon->awaited)
			take_line(daemon->awaited, from, (size_t)(end - from), now);
		from = end + 1;
	}
	daemon->pending_length -= (size_t)(from - daemon->pending);
	memmove(daemon->pending, from, daemon->pending_length);
}

static void take_notification(struct api_daemon *daemon)
{
	static const char status[] = "STATUS=";
	char text[4096];
	ssize_t got = recv(daemon->notify, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (got <= 0)
		return;
	text[got] = '\0';
	if (strncmp(text, status, strlen(status)) != 0)
		return;
	daemon->passes++;
	daemon->open = strtoul(text + strlen(status), NULL, 10);
}

static void take_ready(struct api_daemon *daemon, const struct pollfd fds[2])
{
	if (fds[0].revents)
		take_output(daemon);
	if (fds[1].revents)
		take_notification(daemon);
}

/* Takes what comes within `ms`; returns once something did. */
static void take(struct api_daemon *daemon, unsigned ms)
{
	struct api_daemon *other = daemon->other && daemon->other->pid ? daemon->other : NULL;
	struct pollfd fds[] = { { .fd = daemon->out, .events = POLLIN },
		{ .fd = daemon->notify, .events = POLLIN },
		{ .fd = other ? other->out : -1, .events = POLLIN },
		{ .fd = other ? other->notify : -1, .events = POLLIN } };

	if (poll(fds, 4, (int)ms) <= 0)
		return;
	take_ready(daemon, fds);
	if (other)
		take_ready(other, fds + 2);
}

static uint64_t deadline(unsigned ms)
{
	return api_now_ns() + (uint64_t)ms * 1000000u;
}

/* At least 1, so that whoever is late takes something still. */
static unsigned left_ms(uint64_t until)
{
	uint64_t now = api_now_ns();

	return now < until ? (unsigned)((until - now) / 1000000u) + 1 : 0;
}

void api_daemon_listen(struct api_daemon *daemon, unsigned ms)
{
	uint64_t until = deadline(ms);
	unsigned left;

	while ((left = left_ms(until)) > 0)
		take(daemon, left);
}

static void take_until(struct api_daemon *daemon, uint64_t until, const char *what)
{
	unsigned left = left_ms(until);

	if (!left)
		api_die("run did not come to %s", what);
	take(daemon, left);
}

void api_daemon_wait_open(struct api_daemon *daemon, unsigned long violations)
{
	uint64_t until = deadline(PATIENCE_MS);

	while (daemon->passes == 0 || daemon->open < violations)
		take_until(daemon, until, "all findings");
}

void api_daemon_wait_rest(struct api_daemon *daemon)
{
	uint64_t until = deadline(PATIENCE_MS), before, after = api_daemon_cpu_ns(daemon);

	do {
		if (!left_ms(until))
			api_die("run did not come to rest");
		before = after;
		api_daemon_listen(daemon, REST_MS);
		after = api_daemon_cpu_ns(daemon);
	} while (after != before);
}

void api_daemon_wait_findings(struct api_daemon *daemon, struct api_awaited *awaited, size_t count)
{
	uint64_t until = deadline(PATIENCE_MS);

	daemon->awaited = awaited;
	while (awaited->count < count)
		take_until(daemon, until, "the findings of a changed label");
	daemon->awaited = NULL;
}

void api_daemon_pass(struct api_daemon *daemon)
{
	uint64_t until = deadline(PATIENCE_MS);
	unsigned passes = daemon->passes;

	if (kill(daemon->pid, SIGUSR1) != 0)
		api_die("run ended");
	while (daemon->passes == passes)
		take_until(daemon, until, "the end of a pass");
}

void api_daemon_stop(struct api_daemon *daemon)
{
	uint64_t until = deadline(PATIENCE_MS);
	int status;
	pid_t r;

	(void)kill(daemon->pid, SIGTERM);
	while ((r = waitpid(daemon->pid, &status, WNOHANG)) == 0 && left_ms(until)) {
		char rest[65536];

		while (read(daemon->out, rest, sizeof(rest)) > 0)
			;
		while (recv(daemon->notify, rest, sizeof(rest), MSG_DONTWAIT) > 0)
			;
		api_sleep_ms(5);
	}
	if (r != daemon->pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		api_die("run did not end as it should");
	(void)close(daemon->out);
	(void)close(daemon->notify);
	(void)unlink(daemon->socket);
	free(daemon->pending);
	daemon->pid = 0;
}

uint64_t api_daemon_cpu_ns(const struct api_daemon *daemon)
{
	struct timespec time;
	clockid_t clock;

	if (clock_getcpuclockid(daemon->pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
		api_die("the processor time of run cannot be read");
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

unsigned long api_daemon_memory(const struct api_daemon *daemon, const char *field)
{
	char path[64], line[256];
	unsigned long found = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)daemon->pid);
	f = fopen(path, "re");
	if (!f)
		api_die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':')
			found = strtoul(line + strlen(field) + 1, NULL, 10);
	(void)fclose(f);
	return found;
}
