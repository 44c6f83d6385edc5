/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a command costs. Usage: measure COMMAND [ARGUMENT...]
 *
 * Runs it with its standard output thrown away and prints one line: user and system time,
 * wall-clock time (all in microseconds), the largest resident size (KiB), the exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long microseconds(struct timeval time)
{
	return time.tv_sec * 1000000LL + time.tv_usec;
}

static long long now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	long long begin = now();
	int status;

	if (argc < 2) {
		(void)fprintf(stderr, "usage: measure COMMAND [ARGUMENT...]\n");
		return 2;
	}
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		(void)dup2(null, STDOUT_FILENO);
		(void)execvp(argv[1], argv + 1);
		(void)fprintf(stderr, "measure: %s: %s\n", argv[1], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 1;
	(void)printf("%lld %lld %lld %ld %d\n", microseconds(usage.ru_utime),
		microseconds(usage.ru_stime), now() - begin, usage.ru_maxrss,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
