/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `capauditd run` under the tests' eyes: its findings come as JSON lines on standard output, its
 * state as the notifications that systemd would get (sd_notify(3)).
 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_BYTES (1024 * 1024)

struct sys_daemon {
	struct sys *sys;
	pid_t pid;   /* 0: has ended */
	pid_t begun; /* its pid, also after that */
	int out, errors, notify;
	int log;       /* the kernel's, from its start on; -1: it is not ours to read */
	char *pending; /* what was read and is not a whole line yet */
	size_t pending_length;
	json_t *lines;	      /* an array of everything it said */
	char notified[65536]; /* notifications not yet waited for, one line each */
	char socket[100];
};

pid_t sys_daemon_pid(const struct sys_daemon *daemon)
{
	return daemon->pid;
}

static void take_lines(struct sys_daemon *daemon)
{
	char *end;

	while ((end = memchr(daemon->pending, '\n', daemon->pending_length))) {
		size_t length = (size_t)(end - daemon->pending);
		json_error_t error;
		json_t *line = json_loadb(daemon->pending, length, JSON_REJECT_DUPLICATES, &error);

		if (!line)
			fail_msg("run printed no JSON (%s): %.*s", error.text, (int)length,
				daemon->pending);
		(void)json_array_append_new(daemon->lines, line);
		daemon->pending_length -= length + 1;
		memmove(daemon->pending, end + 1, daemon->pending_length);
	}
}

/* Takes what is there now; false once it has closed its standard output. */
static bool take(struct sys_daemon *daemon)
{
	char text[4096];
	ssize_t got;

	while ((got = recv(daemon->notify, text, sizeof(text) - 1, MSG_DONTWAIT)) > 0) {
		size_t length = strlen(daemon->notified);

		(void)snprintf(daemon->notified + length, sizeof(daemon->notified) - length,
			"%.*s\n", (int)got, text);
	}
	while (daemon->out >= 0 && daemon->pending_length < LINE_MAX_BYTES) {
		got = read(daemon->out, daemon->pending + daemon->pending_length,
			LINE_MAX_BYTES - daemon->pending_length);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (got <= 0)
			return false;
		daemon->pending_length += (size_t)got;
		take_lines(daemon);
	}
	return true;
}

/* Waits for something to be said. */
static void wait_more(struct sys_daemon *daemon, uint64_t until, const char *what)
{
	struct pollfd fds[] = { { .fd = daemon->out, .events = POLLIN },
		{ .fd = daemon->notify, .events = POLLIN } };
	uint64_t now = sys_now_ms();

	if (now >= until || poll(fds, 2, (int)(until - now)) <= 0)
		fail_msg("run did not come to %s; its errors: %s", what, sys_daemon_errors(daemon));
}

static int listen_notify(struct sys_daemon *daemon)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(daemon->socket, sizeof(daemon->socket), "%s/notify", daemon->sys->directory);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", daemon->socket);
	(void)unlink(daemon->socket);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		chmod(daemon->socket, 0777) != 0)
		fail_msg("%s: %s", daemon->socket, strerror(errno));
	return fd;
}

static int open_kernel_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		(void)lseek(fd, 0, SEEK_END);
	return fd;
}

/* What its filter of system calls refused it: nothing that it does may be in there. Where an audit
 * daemon takes what the kernel has to say of that, nothing is seen. *ret is the first of them. */
static bool was_refused(const struct sys_daemon *daemon, char *ret, size_t size)
{
	char record[8192], ours[32];
	ssize_t got;

	(void)snprintf(ours, sizeof(ours), " pid=%d ", (int)daemon->begun);
	while (daemon->log >= 0 && ((got = read(daemon->log, record, sizeof(record) - 1)) > 0 ||
					   (got < 0 && errno == EPIPE))) { /* overwritten */
		record[got > 0 ? got : 0] = '\0';
		if (!strstr(record, "type=1326") || !strstr(record, ours))
			continue;
		(void)snprintf(ret, size, "%.*s", (int)size - 1, record);
		return true;
	}
	return false;
}

struct sys_daemon *sys_run(struct sys *sys, const struct sys_daemon_options *options)
{
	const char *argv[32] = { sys->program, "run", "--policy", options->policy, "--host-root",
		sys->host_root, "--metrics", "off", "--socket", "off" };
	const bool chooses = sys->engine && options->user == SYS_ROOT;
	const size_t count = chooses ? 12 : 10;
	struct sys_daemon *daemon = calloc(1, sizeof(*daemon));
	int ends[2];

	if (chooses) {
		if (strcmp(sys->engine, "bpf") == 0)
			sys_need_bpf(sys);
		argv[10] = "--engine";
		argv[11] = sys->engine;
	}
	for (size_t i = 0; options->argv && options->argv[i] && i < 19; i++)
		argv[count + i] = options->argv[i];
	if (!daemon || !(daemon->pending = malloc(LINE_MAX_BYTES)) || pipe2(ends, O_CLOEXEC) != 0)
		fail_msg("run: %s", strerror(errno));
	daemon->sys = sys;
	daemon->lines = json_array();
	daemon->errors = memfd_create("errors", MFD_CLOEXEC);
	daemon->notify = listen_notify(daemon);
	daemon->log = open_kernel_log();
	daemon->out = ends[0];
	(void)fcntl(daemon->out, F_SETFL, O_NONBLOCK);
	sys->daemon = daemon;
	const char *const environment[] = { sys_print(sys, "NOTIFY_SOCKET=%s", daemon->socket),
		NULL };
	daemon->pid = sys_spawn(sys, &(struct sys_command){ .argv = argv,
					     .output = ends[1],
					     .errors = daemon->errors,
					     .nobody = options->user == SYS_NOBODY,
					     .prepare = options->prepare,
					     .data = options->data,
					     .environment = environment });
	daemon->begun = daemon->pid;
	(void)close(ends[1]);
	sys_daemon_notified(daemon, "READY=1");
	return daemon;
}

void sys_daemon_signal(struct sys_daemon *daemon, int signal)
{
	if (kill(daemon->pid, signal) != 0)
		fail_msg("kill: %s", strerror(errno));
}

json_t *sys_daemon_wait(struct sys_daemon *daemon, size_t *from,
	const struct sys_container *container, const char *state)
{
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;

	for (;;) {
		bool more = take(daemon);

		for (; *from < json_array_size(daemon->lines); ++*from) {
			json_t *line = json_array_get(daemon->lines, *from);
			const char *is = json_string_value(json_object_get(line, "state"));

			if (is && strcmp(is, state) == 0 &&
				sys_is_of(line, "container", container)) {
				++*from;
				return line;
			}
		}
		if (!more)
			fail_msg("run ended: %s", sys_daemon_errors(daemon));
		wait_more(daemon, until, state);
	}
}

size_t sys_daemon_said(struct sys_daemon *daemon, const struct sys_container *container)
{
	json_t *line;
	size_t i, count = 0;

	(void)take(daemon);
	json_array_foreach(daemon->lines, i, line)
	{
		count += sys_is_of(line, "container", container);
	}
	return count;
}

json_t *sys_daemon_lines(struct sys_daemon *daemon)
{
	(void)take(daemon);
	return daemon->lines;
}

void sys_daemon_notified(struct sys_daemon *daemon, const char *text)
{
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	char *found;

	for (;;) {
		bool more = take(daemon);

		found = strstr(daemon->notified, text);
		if (found)
			break;
		if (!more)
			fail_msg("run ended before %s: %s", text, sys_daemon_errors(daemon));
		wait_more(daemon, until, text);
	}
	found += strlen(text);
	memmove(daemon->notified, found, strlen(found) + 1);
}

const char *sys_daemon_errors(struct sys_daemon *daemon)
{
	struct stat stat = { 0 };
	char *text = fstat(daemon->errors, &stat) == 0 ? calloc(1, (size_t)stat.st_size + 1) : NULL;

	if (!text || pread(daemon->errors, text, (size_t)stat.st_size, 0) < 0)
		fail_msg("cannot read what run wrote to standard error");
	sys_own(daemon->sys, text, free);
	return text;
}

void sys_daemon_close_output(struct sys_daemon *daemon)
{
	(void)close(daemon->out);
	daemon->out = -1;
}

int sys_daemon_stop(struct sys_daemon *daemon, int signal)
{
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;

	sys_daemon_signal(daemon, signal);
	/* Taking what it says meanwhile: a full pipe is no reason for it not to end. */
	while (!sys_has_ended(daemon->sys, daemon->pid)) {
		if (sys_now_ms() > until)
			fail_msg("run does not end by signal %d: %s", signal,
				sys_daemon_errors(daemon));
		(void)take(daemon);
		sys_sleep_ms(10);
	}
	int status = sys_wait(daemon->sys, daemon->pid);

	daemon->pid = 0;
	(void)take(daemon);
	return status;
}

/* Whoever is killed leaves no counts of the lines that it ran (make coverage). */
static void end_by_itself(struct sys_daemon *daemon)
{
	const uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;

	if (!getenv("SYS_DAEMONS_END"))
		return;
	(void)kill(daemon->pid, SIGTERM);
	while (!sys_has_ended(daemon->sys, daemon->pid) && sys_now_ms() < until)
		sys_sleep_ms(10);
}

void sys_daemon_free(struct sys_daemon *daemon)
{
	char refused[512];
	bool was;

	if (daemon->pid > 0) {
		end_by_itself(daemon);
		(void)kill(daemon->pid, SIGKILL);
		(void)sys_wait(daemon->sys, daemon->pid);
	}
	was = was_refused(daemon, refused, sizeof(refused));
	if (daemon->log >= 0)
		(void)close(daemon->log);
	if (daemon->out >= 0)
		(void)close(daemon->out);
	(void)close(daemon->errors);
	(void)close(daemon->notify);
	(void)unlink(daemon->socket);
	daemon->sys->daemon = NULL;
	json_decref(daemon->lines);
	free(daemon->pending);
	free(daemon);
	if (was)
		fail_msg("run was refused a system call: %s", refused);
}
