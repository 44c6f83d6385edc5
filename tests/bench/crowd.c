/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A node's load for the benchmark: N processes with the default capability set in M containers, as
 * far as their cgroups and log directories say. Usage: crowd PROCESSES CONTAINERS HIERARCHY TOKEN
 * LOGS [PODS NAMESPACES]; otherwise each container has a pod of its own, all in one namespace.
 *
 * Says "ready" on standard output once all are there, and removes them all when its standard input
 * ends. HIERARCHY is where one is mounted, LOGS a folder to lay out like a node's /var/log.
 */
#include "crowd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_SET UINT64_C(0xa80425fb) /* containerd's and Docker's */
#define MEMBER	    "member"		 /* argv[1] of a process of the crowd */
#define PATH_SIZE   512

/* How containers share pods, and pods namespaces. */
struct shares {
	unsigned containers; /* of a pod */
	unsigned namespaces;
};

struct container {
	char id[CROWD_ID_SIZE];
	char pod_uid[CROWD_UID_SIZE];
	char pod[PATH_SIZE]; /* the cgroup directories of the pod and its container */
	char directory[PATH_SIZE];
};

static void die(const char *what)
{
	(void)fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	_exit(1);
}

__attribute__((format(printf, 2, 3))) static void print(char *buffer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(buffer, PATH_SIZE, format, arguments);
	va_end(arguments);
	if (length < 0 || length >= PATH_SIZE) {
		errno = ENAMETOOLONG;
		die(format);
	}
}

static void make_directory(const char *path)
{
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		die(path);
}

static void make_container(struct container *c, const char *hierarchy, const char *token,
	const char *logs, unsigned number, const struct shares *shares)
{
	unsigned pod = number / shares->containers, space = pod % shares->namespaces,
		 place = number % shares->containers;
	char path[PATH_SIZE], target[PATH_SIZE], of_pod[PATH_SIZE];

	crowd_container_id(c->id, token, number);
	crowd_pod_uid(c->pod_uid, token, pod);
	print(path, "%s/kubepods", hierarchy);
	make_directory(path);
	print(path, "%s/kubepods/burstable", hierarchy);
	make_directory(path);
	print(c->pod, "%s/kubepods/burstable/pod%s", hierarchy, c->pod_uid);
	make_directory(c->pod);
	print(c->directory, "%s/kubepods/burstable/pod%s/%s", hierarchy, c->pod_uid, c->id);
	make_directory(c->directory);

	print(of_pod, "pods/" CROWD_NAMESPACE "_" CROWD_POD "_%s", space, pod, c->pod_uid);
	print(path, "%s/%s", logs, of_pod);
	make_directory(path);
	print(path, "%s/%s/" CROWD_CONTAINER, logs, of_pod, place);
	make_directory(path);
	print(target, "/var/log/%s/" CROWD_CONTAINER "/0.log", of_pod, place);
	print(path, "%s/containers/" CROWD_POD "_" CROWD_NAMESPACE "_" CROWD_CONTAINER "-%s.log",
		logs, pod, space, place, c->id);
	if (symlink(target, path) != 0 && errno != EEXIST)
		die(path);
}

static void remove_container(const struct container *c)
{
	char path[PATH_SIZE + 16];
	unsigned pid;

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", c->directory);
	for (int tries = 0; rmdir(c->directory) != 0 && tries < 500; tries++) {
		FILE *members = fopen(path, "re");

		while (members && fscanf(members, "%u", &pid) == 1)
			(void)kill((pid_t)pid, SIGKILL);
		if (members)
			(void)fclose(members);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		(void)usleep(10000);
	}
	(void)rmdir(c->pod); /* goes with the last of its containers */
}

static void hold_default_set(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!(DEFAULT_SET >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
			die("PR_CAPBSET_DROP");
	data[0].effective = data[0].permitted = (uint32_t)DEFAULT_SET;
	if (syscall(SYS_capset, &header, data) != 0)
		die("capset");
}

/* A process of the crowd has exec'd like any program of a container's, else it would count as one
 * that is still being set up. */
_Noreturn static void become_member(void)
{
	(void)execl("/proc/self/exe", "crowd", MEMBER, (char *)NULL);
	die("/proc/self/exe");
	_exit(1);
}

_Noreturn static void be_member(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Standard output is a pipe of the crowd's: who closes it is there. */
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	for (;;)
		(void)pause();
}

/* The container's first process joins its cgroup and the others are born there: to move each of
 * them would take the kernel some 20 ms. */
static void populate(const struct container *c, unsigned processes)
{
	char path[PATH_SIZE + 16];
	pid_t first = fork();

	if (first < 0)
		die("fork");
	if (first > 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", c->directory);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
	(void)close(fd);
	hold_default_set();
	for (unsigned i = 1; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0)
			break;
	}
	become_member();
}

static unsigned number_of(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || number == 0 || number > 1000000) {
		(void)fprintf(stderr, "crowd: %s is no number\n", text);
		_exit(2);
	}
	return (unsigned)number;
}

int main(int argc, char **argv)
{
	char byte;
	int there[2];

	if (argc == 2 && strcmp(argv[1], MEMBER) == 0)
		be_member();
	if (argc != 6 && argc != 8) {
		(void)fprintf(stderr, "usage: crowd PROCESSES CONTAINERS HIERARCHY TOKEN LOGS "
				      "[PODS NAMESPACES]\n");
		return 2;
	}
	unsigned processes = number_of(argv[1]), containers = number_of(argv[2]);
	unsigned pods = argc == 8 ? number_of(argv[6]) : containers;
	const struct shares shares = { containers / pods, argc == 8 ? number_of(argv[7]) : 1 };

	if (containers % pods != 0) {
		(void)fprintf(stderr, "crowd: the containers cannot be shared out to the pods\n");
		return 2;
	}
	struct container *all = calloc(containers, sizeof(*all));
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	if (!all || out < 0 || pipe2(there, O_CLOEXEC) != 0)
		die("start");
	/* Whoever has exec'd closes it; it reads as ended once all have. */
	(void)dup2(there[1], STDOUT_FILENO);
	(void)close(there[1]);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)signal(SIGINT, SIG_IGN);
	for (unsigned i = 0; i < containers; i++) {
		make_container(&all[i], argv[3], argv[4], argv[5], i, &shares);
		/* What does not divide goes to the first ones. */
		populate(&all[i], processes / containers + (i < processes % containers));
	}
	(void)close(STDOUT_FILENO);
	while (read(there[0], &byte, 1) < 0 && errno == EINTR)
		;
	if (write(out, "ready\n", 6) != 6)
		die("standard output");
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	for (unsigned i = 0; i < containers; i++)
		remove_container(&all[i]);
	free(all);
	return 0;
}
