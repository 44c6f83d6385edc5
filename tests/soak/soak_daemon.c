/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `capauditd run` in a soak: in a service manager's place, which it notifies (sd_notify(3)), this
 * notes when it is fed and when a pass has ended, and looks at it then.
 */
#include "soak.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Right after it has told of a pass it gives memory back: of some looks the one that saw least saw
 * it at rest. */
#define LOOKS	       4
#define LOOK_MS	       15u
#define FINDINGS_EVERY 10u /* samples */
/* By itself it spaces passes by what they take, and this machine may be slow. */
#define PASSES_ASKED_FOR 40u
#define PATIENCE	 3u	      /* times as long as it should have taken */
#define LAST_PASS	 "last pass " /* in what it says of its state: milliseconds */
#define ENGINE_LABEL	 "capauditd_scans_total{engine=\"%s\"}"

struct soak_daemon {
	struct sys *sys;
	const char *engine;
	pid_t pid;
	int notify, errors;
	unsigned port;
	const char *notify_path, *socket, *state, *findings;
	uint64_t fed_ms;    /* last */
	uint64_t pass_ms;   /* what the last pass took */
	bool ready, passed; /* since that was asked for last */
};

const char *soak_daemon_errors(struct soak_daemon *daemon)
{
	char *text = sys_read_file(sys_print(daemon->sys, "/proc/self/fd/%d", daemon->errors));

	sys_own(daemon->sys, text, free);
	return text;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

static void note_feeding(struct soak_daemon *daemon, struct soak_record *record)
{
	const uint64_t now = sys_now_ms(), gap = daemon->fed_ms ? now - daemon->fed_ms : 0;

	daemon->fed_ms = now;
	record->feeds++;
	if (gap > record->longest_gap_ms)
		record->longest_gap_ms = gap;
}

/* Takes what it has said, waiting for some of it. */
static void listen_to(struct soak_daemon *daemon, struct soak_record *record, uint64_t until_ms)
{
	struct pollfd from = { .fd = daemon->notify, .events = POLLIN };
	const uint64_t now = sys_now_ms();
	char text[1024];
	ssize_t n;

	if (poll(&from, 1, until_ms > now ? (int)(until_ms - now) : 0) < 0 && errno != EINTR)
		fail_msg("poll: %s", strerror(errno));
	while (!daemon->passed &&
		(n = recv(daemon->notify, text, sizeof(text) - 1, MSG_DONTWAIT)) > 0) {
		text[n] = '\0';
		if (strstr(text, "WATCHDOG=1"))
			note_feeding(daemon, record);
		daemon->ready |= strstr(text, "READY=1") != NULL;
		if (strstr(text, "STATUS=")) {
			const char *took = strstr(text, LAST_PASS);

			daemon->passed = true;
			daemon->pass_ms = took ? strtoull(took + strlen(LAST_PASS), NULL, 10) : 0;
		}
	}
	if (sys_has_ended(daemon->sys, daemon->pid))
		fail_msg("the daemon has ended: %s", soak_daemon_errors(daemon));
}

static void spawn(struct soak_daemon *daemon, const char *policy)
{
	struct sys *sys = daemon->sys;
	const char *const argv[] = { sys->program, "run", "--policy", policy, "--engine",
		daemon->engine, "--host-root", sys->host_root, "--kubernetes", "off", "--metrics",
		sys_print(sys, "127.0.0.1:%u", daemon->port), "--socket", daemon->socket, NULL };
	const char *const environment[] = { sys_print(sys, "NOTIFY_SOCKET=%s", daemon->notify_path),
		sys_print(sys, "WATCHDOG_USEC=%u000", SOAK_WATCHDOG_MS), NULL };
	int output = open(daemon->findings, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (output < 0)
		fail_msg("%s: %s", daemon->findings, strerror(errno));
	daemon->pid = sys_spawn(sys, &(struct sys_command){ .argv = argv,
					     .output = output,
					     .errors = daemon->errors,
					     .environment = environment });
	(void)close(output);
}

static void await_ready(struct soak_daemon *daemon)
{
	const uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	struct soak_record unused = { 0 };

	while (!daemon->ready && sys_now_ms() < until) {
		daemon->passed = false;
		listen_to(daemon, &unused, until);
	}
	if (!daemon->ready)
		fail_msg("the daemon is not ready: %s", soak_daemon_errors(daemon));
}

struct soak_daemon *soak_daemon_start(
	struct sys *sys, const struct soak_sizes *sizes, const char *engine)
{
	struct soak_daemon *daemon = calloc(1, sizeof(*daemon));
	const char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);

	if (!daemon)
		fail_msg("out of memory");
	sys_own(sys, daemon, free);
	*daemon = (struct soak_daemon){ .sys = sys,
		.engine = engine,
		.port = http_free_port(),
		.errors = memfd_create("errors", MFD_CLOEXEC),
		.notify_path = sys_print(sys, "%s/notify", sys->directory),
		.socket = sys_print(sys, "%s/run/socket", sys->directory),
		.state = sys_print(sys, "%s/state", sys->directory),
		.findings = sys_print(sys, "%s/findings", sys->directory) };
	if (mkdir(daemon->state, 0700) != 0 || daemon->errors < 0)
		fail_msg("%s: %s", daemon->state, strerror(errno));
	soak_write_policy(sizes, policy, daemon->state);
	daemon->notify = listen_at(daemon->notify_path);
	spawn(daemon, policy);
	await_ready(daemon);
	return daemon;
}

/* The findings are asked for, and nobody looks at them: they cost the daemon as much. */
static void read_findings(const struct soak_daemon *daemon)
{
	static const char request[] = "GET /findings HTTP/1.0\r\n\r\n";
	char part[65536];
	int fd = http_connect_path(daemon->socket);
	ssize_t n;

	if (fd < 0)
		fail_msg("nobody listens at %s", daemon->socket);
	http_send(fd, request, strlen(request));
	while ((n = recv(fd, part, sizeof(part), 0)) > 0 || (n < 0 && errno == EAGAIN))
		;
	(void)close(fd);
}

static uint64_t metric(const char *text, const char *name)
{
	const double value = http_metric(text, name);

	if (value < 0)
		fail_msg("there is no metric %s in %s", name, text);
	return (uint64_t)value;
}

static void read_metrics(struct soak_daemon *daemon, struct soak_sample *sample)
{
	const char *text = http_body(http_get_tcp(daemon->sys, daemon->port, "/metrics"));

	sample->passes = metric(text, sys_print(daemon->sys, ENGINE_LABEL, daemon->engine));
	sample->execs = metric(text, "capauditd_events_total{kind=\"exec\"}");
	sample->lost = metric(text, "capauditd_events_lost_total");
	sample->processes = metric(text, "capauditd_container_processes");
}

static void add_sample(struct soak_daemon *daemon, struct soak_record *record)
{
	struct soak_sample sample = { .anonymous_kib = UINT64_MAX }, look = { 0 };

	for (int i = 0; i < LOOKS; i++) {
		sys_sleep_ms(LOOK_MS);
		soak_look_at(daemon->pid, &look);
		if (look.anonymous_kib < sample.anonymous_kib)
			sample = look;
	}
	sample.pass_ms = daemon->pass_ms;
	read_metrics(daemon, &sample);
	if (record->count == record->space) {
		record->space = record->space ? 2 * record->space : 256;
		record->samples = realloc(record->samples, record->space * sizeof(sample));
		if (!record->samples)
			fail_msg("out of memory");
	}
	record->samples[record->count++] = sample;
	if (record->count % FINDINGS_EVERY == 0)
		read_findings(daemon);
}

void soak_daemon_watch(struct soak_daemon *daemon, struct soak_record *record, uint64_t until_ms)
{
	const uint64_t apart = (until_ms - sys_now_ms()) / PASSES_ASKED_FOR;
	const uint64_t late = until_ms + PATIENCE * (until_ms - sys_now_ms());
	uint64_t next = sys_now_ms() + apart;

	while (sys_now_ms() < until_ms ||
		(record->count < SOAK_SAMPLES_MIN && sys_now_ms() < late)) {
		daemon->passed = false;
		listen_to(daemon, record, next);
		if (daemon->passed)
			add_sample(daemon, record);
		if (sys_now_ms() >= next) {
			/* Among them a new policy, which is the same. */
			(void)kill(daemon->pid,
				++record->asked == PASSES_ASKED_FOR / 4 ? SIGHUP : SIGUSR1);
			next += apart;
		}
	}
}

/* What is open of the containers that fork. */
static size_t count_open(struct soak_daemon *daemon)
{
	const char *text = http_body(http_get_path(daemon->sys, daemon->socket, "/findings"));
	json_t *findings = json_loads(text, 0, NULL), *finding;
	size_t i, count = 0;

	json_array_foreach(findings, i, finding)
	{
		count += soak_load_is_forks(
			daemon->sys, sys_get(daemon->sys, finding, "container.id"));
	}
	json_decref(findings);
	return count;
}

void soak_daemon_settle(struct soak_daemon *daemon, struct soak_record *record)
{
	const uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	unsigned settled = 0;

	/* Twice: what is still to be heard would open one again. */
	while (settled < 2 && sys_now_ms() < until) {
		daemon->passed = false;
		listen_to(daemon, record, sys_now_ms() + 1000);
		if (daemon->passed)
			settled = count_open(daemon) ? 0 : settled + 1;
	}
	if (settled < 2)
		fail_msg("findings of containers that are gone stay open: %s",
			soak_daemon_errors(daemon));
	read_metrics(daemon, &record->end);
}

/* Adds up how many programs were counted that held in effect what they may not. */
static void count_told(struct soak_daemon *daemon, struct soak_record *record)
{
	FILE *lines = fopen(daemon->findings, "re");
	char *line = NULL;
	size_t size = 0;

	while (lines && getline(&line, &size, lines) > 0) {
		json_t *finding = json_loads(line, 0, NULL);

		if (!finding)
			fail_msg("the daemon printed no JSON: %s", line);
		record->told++;
		if (strcmp(sys_get(daemon->sys, finding, "state"), "resolved") == 0 &&
			strcmp(sys_get(daemon->sys, finding, "reach"), "effective") == 0 &&
			soak_load_is_forks(
				daemon->sys, sys_get(daemon->sys, finding, "container.id")))
			record->counted += (uint64_t)sys_number(finding, "count");
		json_decref(finding);
	}
	free(line);
	if (lines)
		(void)fclose(lines);
}

void soak_daemon_stop(struct soak_daemon *daemon, struct soak_record *record)
{
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	struct stat st = { 0 };

	(void)stat(sys_print(daemon->sys, "%s/state", daemon->state), &st);
	record->state_bytes = (uint64_t)st.st_size;
	(void)kill(daemon->pid, SIGTERM);
	while (!sys_has_ended(daemon->sys, daemon->pid)) {
		char text[1024];

		if (sys_now_ms() > until)
			fail_msg("it does not end by SIGTERM: %s", soak_daemon_errors(daemon));
		while (recv(daemon->notify, text, sizeof(text), MSG_DONTWAIT) > 0)
			;
		sys_sleep_ms(10);
	}
	record->status = sys_wait(daemon->sys, daemon->pid);
	count_told(daemon, record);
	(void)close(daemon->notify);
}
