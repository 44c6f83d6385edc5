/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The load: starts the programs that are one, and talks to them through pipes.
 */
#include "soak.h"

#include "forks.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define PODS_SHARE   4u	 /* containers of a pod */
#define NAMESPACES   25u /* of all pods */
#define GATHERING_MS 600000
#define LIFETIMES    6u /* that a container which forks has in a run */
#define ANSWER_MAX   128

struct helper {
	const char *name;
	pid_t pid; /* 0: has ended */
	int to, from;
};

struct soak_load {
	struct sys *sys;
	const struct soak_sizes *sizes;
	struct helper crowd, forks;
	bool own_docker; /* there was no cgroup /docker before */
};

/* Beside the test program. */
static const char *program_path(struct sys *sys, const char *name)
{
	char self[PATH_MAX] = "";

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		fail_msg("/proc/self/exe: %s", strerror(errno));
	return sys_print(sys, "%s/%s", dirname(self), name);
}

static void start(struct sys *sys, struct helper *helper, const char *const *argv)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		fail_msg("pipe: %s", strerror(errno));
	helper->pid = sys_spawn(
		sys, &(struct sys_command){ .argv = argv, .input = in[0], .output = out[1] });
	(void)close(in[0]);
	(void)close(out[1]);
	helper->to = in[1];
	helper->from = out[0];
}

static void ask(const struct helper *helper, const char *line)
{
	if (dprintf(helper->to, "%s\n", line) < 0)
		fail_msg("%s is gone", helper->name);
}

static void hear(const struct helper *helper, char answer[ANSWER_MAX])
{
	struct pollfd from = { .fd = helper->from, .events = POLLIN };
	ssize_t n = 0;

	if (poll(&from, 1, GATHERING_MS) == 1)
		n = read(helper->from, answer, ANSWER_MAX - 1);
	if (n <= 0)
		fail_msg("%s did not come to answer; what it said is above", helper->name);
	answer[n] = '\0';
}

static void await_ready(const struct helper *helper)
{
	char answer[ANSWER_MAX];

	hear(helper, answer);
	if (strcmp(answer, "ready\n") != 0)
		fail_msg("%s is not ready: %s", helper->name, answer);
}

static void end(struct sys *sys, struct helper *helper)
{
	int status;

	if (helper->pid == 0)
		return;
	(void)close(helper->to);
	status = sys_wait(sys, helper->pid);
	(void)close(helper->from);
	helper->pid = 0;
	if (status != 0)
		fail_msg("%s ended with status %d; what it said is above", helper->name, status);
}

/* For whoever cleans up after a test that was killed. */
static void remember_cgroups(struct sys *sys, const struct soak_sizes *sizes, unsigned pods)
{
	const unsigned places = sizes->forkers * (LIFETIMES + 2);

	for (unsigned i = 0; i < pods; i++)
		sys_cgroup_remember(sys,
			sys_print(sys, "/kubepods/burstable/pod%s-8000-%012x", sys->pod_token, i));
	for (unsigned i = 0; i < places; i++)
		sys_cgroup_remember(sys,
			sys_print(sys, "/docker/%s%048x", sys->token, FORKS_FIRST_CONTAINER + i));
}

static void start_crowd(struct soak_load *load, unsigned pods)
{
	struct sys *sys = load->sys;
	const struct soak_sizes *sizes = load->sizes;
	const char *const argv[] = { program_path(sys, "crowd"),
		sys_print(sys, "%u", sizes->processes), sys_print(sys, "%u", sizes->containers),
		sys->home, sys->token, sys_print(sys, "%s/var/log", sys->host_root),
		sys_print(sys, "%u", pods),
		sys_print(sys, "%u", pods < NAMESPACES ? pods : NAMESPACES), NULL };

	load->crowd.name = "the crowd";
	start(sys, &load->crowd, argv);
	await_ready(&load->crowd);
}

static void start_forks(struct soak_load *load)
{
	struct sys *sys = load->sys;
	const struct soak_sizes *sizes = load->sizes;
	const unsigned lifetime = sizes->seconds / LIFETIMES ? sizes->seconds / LIFETIMES : 1;
	const char *const argv[] = { program_path(sys, "forks"),
		sys_print(sys, "%u", sizes->forkers), sys_print(sys, "%u", sizes->forks),
		sys_print(sys, "%u", lifetime), sys->token, NULL };

	load->forks.name = "what forks";
	start(sys, &load->forks, argv);
	await_ready(&load->forks);
}

struct soak_load *soak_load_start(struct sys *sys, const struct soak_sizes *sizes)
{
	struct soak_load *load = calloc(1, sizeof(*load));
	const unsigned pods =
		sizes->containers % PODS_SHARE ? sizes->containers : sizes->containers / PODS_SHARE;

	if (!load)
		fail_msg("out of memory");
	sys_own(sys, load, free);
	load->sys = sys;
	load->sizes = sizes;
	load->own_docker = access(sys_print(sys, "%s/docker", sys->home), F_OK) != 0;
	remember_cgroups(sys, sizes, pods);
	start_crowd(load, pods);
	start_forks(load);
	return load;
}

void soak_load_go(struct soak_load *load)
{
	ask(&load->forks, "go");
}

void soak_load_stop(struct soak_load *load, struct soak_record *record)
{
	char answer[ANSWER_MAX];

	ask(&load->forks, "stop");
	hear(&load->forks, answer);
	if (sscanf(answer, "%lu %lu %lf %lu", &record->programs, &record->violating,
		    &record->took_s, &record->places) != 4)
		fail_msg("what forks says \"%s\"", answer);
}

void soak_load_leave(struct soak_load *load)
{
	end(load->sys, &load->forks);
	for (size_t i = 0; load->own_docker && i < load->sys->hierarchies; i++)
		(void)rmdir(sys_print(load->sys, "%s/docker", load->sys->hierarchy[i]));
}

void soak_load_end(struct soak_load *load)
{
	end(load->sys, &load->crowd);
}

bool soak_load_is_forks(struct sys *sys, const char *container_id)
{
	return strncmp(container_id, sys->token, strlen(sys->token)) == 0 &&
	       strtoull(container_id + strlen(sys->token), NULL, 16) >= FORKS_FIRST_CONTAINER;
}
