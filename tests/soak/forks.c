/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs that begin and end, at a steady rate, in containers that come and go. Usage: forks
 * CONTAINERS RATE LIFETIME TOKEN
 *
 * Says "ready" once a process waits in each container. From a line on standard input on they fork
 * and exec RATE programs a second in all, which end at once. In one container of VIOLATING_EVERY
 * these hold what they may not; the others comply. Each container is replaced by a new one after
 * LIFETIME seconds, one after the other. A second line ends all that; then this prints how many
 * programs have run, how many of them violated, for how many seconds, and in how many containers.
 * At the end of standard input the containers go.
 *
 * As in the benchmark's storm, who starts the violating ones is permitted what they hold and has
 * nothing of it in effect: what counts effective sets counts these programs and nothing else.
 */
#include "../bench/container.h"
#include "forks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SET	    (CONTAINER_DEFAULT_SET | UINT64_C(1) << 21) /* and SYS_ADMIN */
#define STARTER	    "starter"	  /* argv[1]: starts the others in its container, argv[2]'s */
#define SHORT_LIVED "short-lived" /* argv[1]: ends at once */
#define SHARED	    10		  /* descriptor of what all share */
#define SLOTS_MAX   1024u
#define SECOND_NS   UINT64_C(1000000000)
#define GATE_MS	    10 /* how often those who wait look */

struct shared {
	unsigned slots, rate;
	unsigned begun, ended;
	unsigned leave[SLOTS_MAX]; /* whoever is there is to end */
	uint64_t programs, violating;
};

/* A place in which one container follows another. */
struct slot {
	struct container container;
	pid_t starter;
};

struct forks {
	struct slot slots[SLOTS_MAX];
	struct shared *shared;
	const char *token;
	unsigned made; /* containers so far */
	uint64_t lifetime_ns;
};

static unsigned look(const unsigned *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void raise_flag(unsigned *flag, unsigned value)
{
	__atomic_store_n(flag, value, __ATOMIC_RELEASE);
}

static bool is_violating(unsigned slot)
{
	return slot % VIOLATING_EVERY == 0;
}

static void sleep_until(uint64_t ns)
{
	const struct timespec time = { .tv_sec = (time_t)(ns / SECOND_NS),
		.tv_nsec = (long)(ns % SECOND_NS) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
		;
}

static void count_one(struct shared *shared, bool violating)
{
	__atomic_fetch_add(&shared->programs, 1, __ATOMIC_RELAXED);
	if (violating)
		__atomic_fetch_add(&shared->violating, 1, __ATOMIC_RELAXED);
}

static void start_one(struct shared *shared, bool violating)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		become(SHORT_LIVED);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die("a program did not run: %s", strerror(errno));
	count_one(shared, violating);
}

/* A second that it is behind is not made up for: the others' rate would suffer. */
_Noreturn static void be_starter(unsigned slot)
{
	struct shared *shared = map_shared(SHARED, sizeof(struct shared));
	const bool violating = is_violating(slot);
	const uint64_t period = SECOND_NS * shared->slots / shared->rate;
	uint64_t next;

	/* An exec gives uid 0 all that it is permitted: this one was such a program itself. */
	if (violating)
		hold(SET, SET, 0);
	if (look(&shared->begun))
		count_one(shared, violating);
	(void)close(STDOUT_FILENO); /* which says that this one is there */
	while (!look(&shared->begun) && !look(&shared->leave[slot]))
		(void)usleep(GATE_MS * 1000);
	next = now_ns(CLOCK_MONOTONIC) + period * slot / shared->slots;
	for (;;) {
		sleep_until(next);
		if (look(&shared->leave[slot]) || look(&shared->ended))
			_exit(0);
		start_one(shared, violating);
		next += period;
		if (next + SECOND_NS < now_ns(CLOCK_MONOTONIC))
			next = now_ns(CLOCK_MONOTONIC);
	}
}

_Noreturn static void become_starter(unsigned slot)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%u", slot);
	(void)execl("/proc/self/exe", "forks", STARTER, number, (char *)NULL);
	die("/proc/self/exe: %s", strerror(errno));
}

/* `there`: what ends once the starter is there. */
static void populate(struct forks *forks, unsigned number, int there)
{
	struct slot *slot = &forks->slots[number];
	const uint64_t set = is_violating(number) ? SET : CONTAINER_DEFAULT_SET;

	container_make(&slot->container, forks->token, FORKS_FIRST_CONTAINER + forks->made++);
	raise_flag(&forks->shared->leave[number], 0);
	slot->starter = fork();
	if (slot->starter < 0)
		die("fork: %s", strerror(errno));
	if (slot->starter > 0)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(there, STDOUT_FILENO);
	(void)fcntl(SHARED, F_SETFD, 0);
	container_enter(&slot->container);
	hold(set, set, set);
	become_starter(number);
}

static void await_end(struct slot *slot)
{
	int status = 0;

	if (slot->starter > 0 && waitpid(slot->starter, &status, 0) == slot->starter && status != 0)
		die("a starter ended with status %d", status);
	slot->starter = 0;
}

static void replace(struct forks *forks, unsigned number)
{
	struct slot *slot = &forks->slots[number];

	raise_flag(&forks->shared->leave[number], 1);
	await_end(slot);
	container_remove(&slot->container);
	populate(forks, number, STDERR_FILENO);
}

static void fill(struct forks *forks)
{
	int there[2];
	char byte;

	if (pipe2(there, O_CLOEXEC) != 0)
		die("pipe: %s", strerror(errno));
	for (unsigned i = 0; i < forks->shared->slots; i++)
		populate(forks, i, there[1]);
	(void)close(there[1]);
	while (read(there[0], &byte, 1) < 0 && errno == EINTR)
		;
	(void)close(there[0]);
}

/* Whether a line came, or standard input ended, until then. */
static bool is_told(uint64_t until_ns)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	uint64_t now = now_ns(CLOCK_MONOTONIC);

	return poll(&in, 1, until_ns > now ? (int)((until_ns - now) / 1000000u) + 1 : 0) > 0;
}

static void await_line(void)
{
	char line[16];

	(void)!read(STDIN_FILENO, line, sizeof(line));
}

static void run(struct forks *forks)
{
	struct shared *shared = forks->shared;
	const uint64_t begun = now_ns(CLOCK_MONOTONIC);
	uint64_t next = forks->lifetime_ns / shared->slots, took;

	raise_flag(&shared->begun, 1);
	for (unsigned i = 0; !is_told(begun + next); i++) {
		replace(forks, i % shared->slots);
		next += forks->lifetime_ns / shared->slots;
	}
	await_line();
	raise_flag(&shared->ended, 1);
	took = now_ns(CLOCK_MONOTONIC) - begun;
	for (unsigned i = 0; i < shared->slots; i++)
		await_end(&forks->slots[i]);
	(void)printf("%lu %lu %.3f %u\n", shared->programs, shared->violating, (double)took / 1e9,
		forks->made);
	(void)fflush(stdout);
}

static void share(struct forks *forks)
{
	int fd = memfd_create("forks", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, sizeof(struct shared)) != 0 ||
		(fd != SHARED && dup3(fd, SHARED, O_CLOEXEC) != SHARED))
		die("start: %s", strerror(errno));
	if (fd != SHARED)
		(void)close(fd);
	forks->shared = map_shared(SHARED, sizeof(struct shared));
}

int main(int argc, char **argv)
{
	static struct forks forks;

	if (argc == 2 && strcmp(argv[1], SHORT_LIVED) == 0)
		return 0;
	if (argc == 3 && strcmp(argv[1], STARTER) == 0)
		be_starter((unsigned)strtoul(argv[2], NULL, 10));
	if (argc != 5) {
		(void)fprintf(stderr, "usage: forks CONTAINERS RATE LIFETIME TOKEN\n");
		return 2;
	}
	share(&forks);
	forks.shared->slots = number_of(argv[1]);
	forks.shared->rate = number_of(argv[2]);
	forks.lifetime_ns = number_of(argv[3]) * SECOND_NS;
	forks.token = argv[4];
	if (forks.shared->slots > SLOTS_MAX)
		die("%u containers are too many", forks.shared->slots);
	fill(&forks);
	(void)printf("ready\n");
	(void)fflush(stdout);
	await_line();
	run(&forks);
	await_line();
	for (unsigned i = 0; i < forks.shared->slots; i++)
		container_remove(&forks.slots[i].container);
	return 0;
}
