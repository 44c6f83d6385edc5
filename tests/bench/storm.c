/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs that violate and are gone within a millisecond, as many as the processors can start.
 * Usage: storm CONTAINERS EXECS TOKEN
 *
 * Says "ready" once a process waits in each container. At a line on standard input these begin:
 * each forks and execs EXECS / CONTAINERS programs, one after the other, and at most as many are at
 * it at once as there are processors. Then it prints how many programs have run, how many seconds
 * all took, and how long one lives, from its execve() to when its parent knows of its end: median
 * and 99th percentile in microseconds. At the end of standard input the containers go.
 *
 * Who starts them is permitted what they hold and has nothing of it in effect. So what holds it
 * effectively are those programs alone, and what counts them counts nothing else.
 */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SET	    (CONTAINER_DEFAULT_SET | UINT64_C(1) << 21) /* and SYS_ADMIN */
#define STARTER	    "starter"	  /* argv[1]: starts the others in its container */
#define SHORT_LIVED "short-lived" /* argv[1]: ends at once */
#define AT_A_TURN   5u
#define EXECS_MAX   100000u

enum { /* descriptors of a starter */
	SHARED = 10,
	GATE,	  /* a pipe that ends when they are to begin */
	TURNS_IN, /* a pipe with a byte for each processor */
	TURNS_OUT,
	FINISHED, /* a pipe that ends when all are through */
};

struct shared {
	unsigned execs; /* of each container */
	unsigned lived; /* of all */
	uint64_t lives_ns[EXECS_MAX];
	uint64_t begun_ns[256]; /* of whoever has that turn */
};

static void start_one(struct shared *shared, unsigned char turn)
{
	uint64_t *begun = &shared->begun_ns[turn];
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		*begun = now_ns(CLOCK_MONOTONIC);
		become(SHORT_LIVED);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die("a program did not run");
	shared->lives_ns[__atomic_fetch_add(&shared->lived, 1, __ATOMIC_RELAXED)] =
		now_ns(CLOCK_MONOTONIC) - *begun;
}

/* An exec gives uid 0 all that it is permitted: that is how the programs get it, and why a starter,
 * which is one as well, gives it up here. */
_Noreturn static void be_starter(void)
{
	struct shared *shared = map_shared(SHARED, sizeof(struct shared));
	unsigned char turn = 0;

	hold(SET, SET, 0);
	(void)close(STDOUT_FILENO); /* which says that this one is there */
	while (read(GATE, &turn, 1) < 0 && errno == EINTR)
		;
	for (unsigned i = 0; i < shared->execs; i++) {
		if (i % AT_A_TURN == 0 && read(TURNS_IN, &turn, 1) != 1)
			die("no turn: %s", strerror(errno));
		start_one(shared, turn);
		if ((i % AT_A_TURN == AT_A_TURN - 1 || i + 1 == shared->execs) &&
			write(TURNS_OUT, &turn, 1) != 1)
			die("no turn to give back: %s", strerror(errno));
	}
	(void)close(FINISHED);
	for (;;) /* its container is to outlive what happened in it */
		(void)pause();
}

static void populate(const struct container *container, int there)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid > 0)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(there, STDOUT_FILENO);
	for (int fd = SHARED; fd <= FINISHED; fd++)
		(void)fcntl(fd, F_SETFD, 0);
	container_enter(container);
	hold(SET, SET, SET);
	become(STARTER);
}

static void open_at(int fd, int number)
{
	if (fd < 0 || dup3(fd, number, O_CLOEXEC) != number)
		die("descriptor %d: %s", number, strerror(errno));
	(void)close(fd);
}

/* What the starters inherit goes to its number; what this program keeps is returned. */
static struct shared *open_shared(int *ret_gate, int *ret_finished)
{
	int turns[2], gate[2], finished[2], memory = memfd_create("storm", MFD_CLOEXEC);

	if (memory < 0 || ftruncate(memory, sizeof(struct shared)) != 0 ||
		pipe2(turns, O_CLOEXEC) != 0 || pipe2(gate, O_CLOEXEC) != 0 ||
		pipe2(finished, O_CLOEXEC) != 0)
		die("start: %s", strerror(errno));
	*ret_gate = fcntl(gate[1], F_DUPFD_CLOEXEC, FINISHED + 1);
	*ret_finished = fcntl(finished[0], F_DUPFD_CLOEXEC, FINISHED + 1);
	(void)close(gate[1]);
	open_at(memory, SHARED);
	open_at(gate[0], GATE);
	open_at(turns[0], TURNS_IN);
	open_at(turns[1], TURNS_OUT);
	open_at(finished[1], FINISHED);
	return map_shared(SHARED, sizeof(struct shared));
}

static void wait_for_end(int fd)
{
	char byte;

	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
}

static void print_result(struct shared *shared, uint64_t took_ns)
{
	const unsigned middle = shared->lived / 2, late = shared->lived - 1 - shared->lived / 100;

	qsort(shared->lives_ns, shared->lived, sizeof(shared->lives_ns[0]), compare_numbers);
	(void)printf("%u %.3f %.0f %.0f\n", shared->lived, (double)took_ns / 1e9,
		(double)shared->lives_ns[middle] / 1e3, (double)shared->lives_ns[late] / 1e3);
	(void)fflush(stdout);
}

static void blow(struct shared *shared, int gate, int finished)
{
	unsigned char processors = (unsigned char)sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t begin = now_ns(CLOCK_MONOTONIC);

	for (unsigned char turn = 0; turn < processors; turn++)
		if (write(TURNS_OUT, &turn, 1) != 1)
			die("no turns");
	(void)close(FINISHED);
	(void)close(gate);
	wait_for_end(finished);
	print_result(shared, now_ns(CLOCK_MONOTONIC) - begin);
}

static void fill(struct container *all, unsigned containers, const char *token)
{
	int there[2];

	if (pipe2(there, O_CLOEXEC) != 0)
		die("pipe: %s", strerror(errno));
	for (unsigned i = 0; i < containers; i++) {
		container_make(&all[i], token, i);
		populate(&all[i], there[1]);
	}
	(void)close(there[1]);
	wait_for_end(there[0]);
	(void)close(there[0]);
	(void)printf("ready\n");
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	char byte;
	int gate, finished;

	if (argc == 2 && strcmp(argv[1], SHORT_LIVED) == 0)
		return 0;
	if (argc == 2 && strcmp(argv[1], STARTER) == 0)
		be_starter();
	if (argc != 4) {
		(void)fprintf(stderr, "usage: storm CONTAINERS EXECS TOKEN\n");
		return 2;
	}
	unsigned containers = number_of(argv[1]), execs = number_of(argv[2]);
	struct container *all = calloc(containers, sizeof(*all));
	struct shared *shared = open_shared(&gate, &finished);

	if (!all || execs > EXECS_MAX || execs % containers != 0)
		die("so many execs cannot be shared out to the containers");
	shared->execs = execs / containers;
	fill(all, containers, argv[3]);
	if (read(STDIN_FILENO, &byte, 1) == 1)
		blow(shared, gate, finished);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	for (unsigned i = 0; i < containers; i++)
		container_remove(&all[i]);
	free(all);
	return 0;
}
