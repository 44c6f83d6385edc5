/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A node for a whole daemon in the test's own process: who lives on it, what its kernel tells
 * between passes, its journal, and who reads its standard output.
 */
#ifndef CAPAUDITD_TEST_RUN_LOOP_FIXTURE_H
#define CAPAUDITD_TEST_RUN_LOOP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/command/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* -- who lives there ----------------------------------------------------------------------------
 */

#define DEFAULT_SET UINT64_C(0xa80425fb)
#define SYS_ADMIN   CAPABILITY_BIT(CAPABILITY_SYS_ADMIN)
#define NET_ADMIN   CAPABILITY_BIT(CAPABILITY_NET_ADMIN)
#define ID(c)	    c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define POD	    "11111111-2222-3333-4444-555555555555"
#define IN_DOCKER   "0::/docker/" ID("ab") "\n"
#define IN_ANOTHER  "0::/docker/" ID("cd") "\n"
#define IN_A_POD    "0::/kubepods/burstable/pod" POD "/" ID("ef") "\n"
#define IN_A_NEW    "0::/docker/" ID("01") "\n"
#define ON_HOST	    "0::/system.slice/sshd.service\n"

struct inhabitant {
	pid_t pid, ppid;
	capability_mask held;
	const char *cgroup;
};

#define INHABITANTS_MAX 8

/* A stage of the node's life; pids ascend. */
struct world {
	struct inhabitant inhabitants[INHABITANTS_MAX]; /* up to pid 0 */
	struct inhabitant events[INHABITANTS_MAX];	/* programs that begin, up to pid 0 */
};

static const struct world *world;

static void made_sets(struct capability_sets *sets, capability_mask held)
{
	for (unsigned i = 0; i < CAPABILITY_SETS; i++)
		sets->of[i] = i == CAPABILITY_INHERITABLE || i == CAPABILITY_AMBIENT ? 0 : held;
}

static struct task made_task(const struct inhabitant *who)
{
	struct task task = { .pid = who->pid,
		.tid = who->pid,
		.ppid = who->ppid,
		.start_ticks = (uint64_t)who->pid,
		.container = NO_CONTAINER,
		.user_namespace = USER_NAMESPACE_INITIAL,
		.user_namespace_key = UINT64_C(4026531837),
		.leader = true,
		.controls_known = true };

	made_sets(&task.sets, who->held);
	return task;
}

/* -- an engine that looks at it -----------------------------------------------------------------
 */

struct made_engine {
	struct engine engine;
	int fd;
	struct event_counts counts;
};

static int find_placement(struct snapshot *s, const char *text)
{
	struct placement *placement;

	for (size_t i = 0; i < s->placement_count; i++)
		if (strncmp(s->placements[i].text, text, s->placements[i].length) == 0)
			return (int)i;
	placement = &s->placements[s->placement_count];
	placement->text = strdup(text);
	if (!placement->text)
		return -ENOMEM;
	placement->length = strlen(text);
	cgroup_parse(placement->text, placement->length, NULL, &placement->identity);
	return (int)s->placement_count++;
}

static int made_pass(
	struct engine *engine, const struct pass_options *options, struct snapshot *ret)
{
	struct snapshot s = { .tasks = calloc(INHABITANTS_MAX, sizeof(*s.tasks)),
		.placements = calloc(INHABITANTS_MAX, sizeof(*s.placements)) };

	(void)engine;
	(void)options;
	for (const struct inhabitant *who = world->inhabitants; s.tasks && s.placements && who->pid;
		who++) {
		int placement = find_placement(&s, who->cgroup);

		if (placement < 0) {
			snapshot_done(&s);
			return placement;
		}
		s.tasks[s.task_count] = made_task(who);
		s.tasks[s.task_count++].placement = (unsigned)placement;
	}
	if (!s.tasks || !s.placements) {
		snapshot_done(&s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

static int made_describe(struct engine *engine, const struct task *task, struct process *ret)
{
	(void)engine;
	*ret = (struct process){ .pid = task->pid,
		.tid = task->tid,
		.ppid = task->ppid,
		.start_ticks = task->start_ticks,
		.sets = task->sets,
		.user_namespace = task->user_namespace,
		.comm = "web",
		.host_namespaces_known = HOST_NAMESPACE_MNT,
		.exe = strdup("/bin/web") };
	return ret->exe ? 0 : -ENOMEM;
}

static void made_free(struct engine *engine)
{
	(void)close(((struct made_engine *)engine)->fd);
	free(engine);
}

static int made_fd(struct engine *engine)
{
	return ((struct made_engine *)engine)->fd;
}

static void hand_over(struct made_engine *engine, const struct event_handler *handler,
	const struct inhabitant *who)
{
	struct task task = made_task(who);
	struct exec_event event = { .task = task, .time_us = clock_us(CLOCK_MONOTONIC) };

	event.placement =
		(struct placement){ .text = (char *)who->cgroup, .length = strlen(who->cgroup) };
	engine->counts.execs++;
	if (made_describe(&engine->engine, &task, &event.process) < 0) {
		engine->counts.lost++;
		return;
	}
	handler->exec(handler->data, &event);
	process_done(&event.process);
}

static int made_read(struct engine *base, const struct event_handler *handler)
{
	struct made_engine *engine = (struct made_engine *)base;
	uint64_t value;
	int count = 0;

	if (read(engine->fd, &value, sizeof(value)) != sizeof(value))
		return 0;
	handler->cgroup(handler->data, "/docker/" ID("01"), true);
	for (const struct inhabitant *who = world->events; who->pid; who++, count++)
		hand_over(engine, handler, who);
	return count;
}

static void made_count(const struct engine *base, struct event_counts *ret)
{
	*ret = ((const struct made_engine *)base)->counts;
}

static const struct engine_ops made_ops = { .pass = made_pass,
	.describe = made_describe,
	.free = made_free,
	.event_fd = made_fd,
	.read_events = made_read,
	.count_events = made_count };

static int made_engine_new(struct engine **ret)
{
	struct made_engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return -ENOMEM;
	engine->engine = (struct engine){ .ops = &made_ops, .name = "bpf" };
	engine->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	*ret = &engine->engine;
	return 0;
}

/* What the world has for it is there to be read. */
static void tell_events(const struct run *run)
{
	const uint64_t one = 1;

	assert_int_equal(write(((struct made_engine *)run->audit.engine)->fd, &one, sizeof(one)),
		sizeof(one));
}

/* -- what was told ------------------------------------------------------------------------------
 */

enum told_to { TOLD_STDOUT, TOLD_JOURNAL };

struct told {
	enum told_to to;
	char id[FINDING_ID_SIZE];
	char state; /* 'o'pened, 'c'hanged, 'r'esolved */
};

#define TOLD_MAX 512

struct log {
	struct told told[TOLD_MAX];
	size_t count;
};

static void note_told(struct log *log, enum told_to to, const char *id, const char *state)
{
	struct told *told = &log->told[log->count++];

	assert_true(log->count <= TOLD_MAX);
	told->to = to;
	(void)snprintf(told->id, sizeof(told->id), "%.16s", id);
	told->state = *state;
}

static size_t times_told(const struct log *log, const struct told *what)
{
	size_t times = 0;

	for (size_t i = 0; i < log->count; i++)
		times += log->told[i].to == what->to && log->told[i].state == what->state &&
			 strcmp(log->told[i].id, what->id) == 0;
	return times;
}

/* Behind `name` in the text. */
static const char *value_in(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	assert_non_null(at);
	return at + strlen(name);
}

/* -- where it is told ---------------------------------------------------------------------------
 */

struct readers {
	char folder[64];
	char journal_path[96], notify_path[96];
	int journal, notify;
	int output[2]; /* a pipe with little room */
	char line[65536];
	size_t length; /* of what was read of a line */
};

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void take_lines(struct readers *readers, struct log *log)
{
	char *end;

	while ((end = memchr(readers->line, '\n', readers->length))) {
		*end++ = '\0';
		note_told(log, TOLD_STDOUT, value_in(readers->line, "\"id\":\""),
			value_in(readers->line, "\"state\":\""));
		readers->length -= (size_t)(end - readers->line);
		memmove(readers->line, end, readers->length);
	}
}

/* Everything that standard output and the journal have by now. */
static void read_told(struct readers *readers, struct log *log)
{
	static char entry[256 * 1024];
	ssize_t n;

	while ((n = read(readers->output[0], readers->line + readers->length,
			sizeof(readers->line) - readers->length)) > 0) {
		readers->length += (size_t)n;
		take_lines(readers, log);
	}
	while ((n = recv(readers->journal, entry, sizeof(entry) - 1, 0)) > 0) {
		entry[n] = '\0';
		if (strstr(entry, "\nCAPAUDIT_ID="))
			note_told(log, TOLD_JOURNAL, value_in(entry, "\nCAPAUDIT_ID="),
				value_in(entry, "\nCAPAUDIT_STATE="));
	}
	while (recv(readers->notify, entry, sizeof(entry), 0) > 0)
		;
}

static void readers_init(struct readers *readers)
{
	*readers = (struct readers){ .folder = "/tmp/capauditd-loop-XXXXXX" };
	assert_non_null(mkdtemp(readers->folder));
	(void)snprintf(readers->journal_path, sizeof(readers->journal_path), "%s/journal",
		readers->folder);
	(void)snprintf(
		readers->notify_path, sizeof(readers->notify_path), "%s/notify", readers->folder);
	readers->journal = listen_at(readers->journal_path);
	readers->notify = listen_at(readers->notify_path);
	assert_int_equal(pipe2(readers->output, O_CLOEXEC | O_NONBLOCK), 0);
	assert_true(fcntl(readers->output[1], F_SETPIPE_SZ, 4096) > 0);
}

static void readers_done(struct readers *readers)
{
	(void)close(readers->journal);
	(void)close(readers->notify);
	(void)close(readers->output[0]);
	(void)close(readers->output[1]);
}

#endif
