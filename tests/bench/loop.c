/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What it takes to start a program that complies. Usage: loop TOKEN PROCESSOR
 *
 * Says "ready" once a process is in a container, on that processor alone. For each line on standard
 * input, a number, this forks and execs so many programs, one after the other, and prints what one
 * took from fork() to its end, in nanoseconds: the quarter of them that took least, its mean. What
 * comes in between (interrupts, other processes, another machine's turn) only ever adds to some of
 * them, and what each has to pay is in the least as well. At the end of standard input the
 * container goes.
 */
#include "container.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STARTER	    "starter"
#define SHORT_LIVED "short-lived"
#define EXECS_MAX   100000u

static uint64_t start_one(void)
{
	static char *const argv[] = { (char *)"loop", (char *)SHORT_LIVED, NULL };
	static char *const envp[] = { NULL };
	uint64_t begin = now_ns(CLOCK_MONOTONIC);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execve("/proc/self/exe", argv, envp);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die("a program did not run");
	return now_ns(CLOCK_MONOTONIC) - begin;
}

static void be_starter(void)
{
	static uint64_t took_ns[EXECS_MAX];
	char line[32];

	(void)setvbuf(stdin, NULL, _IONBF, 0);
	(void)printf("ready\n");
	(void)fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		unsigned execs = number_of(line), least = execs / 4 ? execs / 4 : 1;
		uint64_t sum = 0;

		if (execs > EXECS_MAX)
			die("%u are too many", execs);
		for (unsigned i = 0; i < execs; i++)
			took_ns[i] = start_one();
		qsort(took_ns, execs, sizeof(took_ns[0]), compare_numbers);
		for (unsigned i = 0; i < least; i++)
			sum += took_ns[i];
		(void)printf("%lu\n", sum / least);
		(void)fflush(stdout);
	}
}

static void stay_on(unsigned processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		die("processor %u: %s", processor, strerror(errno));
}

int main(int argc, char **argv)
{
	struct container container;

	if (argc == 2 && strcmp(argv[1], SHORT_LIVED) == 0)
		return 0;
	if (argc == 2 && strcmp(argv[1], STARTER) == 0) {
		be_starter();
		return 0;
	}
	if (argc != 3) {
		(void)fprintf(stderr, "usage: loop TOKEN PROCESSOR\n");
		return 2;
	}
	container_make(&container, argv[1], 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		container_enter(&container);
		hold(CONTAINER_DEFAULT_SET, CONTAINER_DEFAULT_SET, CONTAINER_DEFAULT_SET);
		stay_on((unsigned)strtoul(argv[2], NULL, 10));
		become(STARTER);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		die("the loop did not run");
	container_remove(&container);
	return 0;
}
