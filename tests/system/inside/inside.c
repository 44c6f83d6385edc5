/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program that runs inside the tests' containers. Each role brings its process into a state
 * that an auditor must tell right, says "ready" on standard output, and waits to be killed.
 * Compiled statically at test time, since a container's root has no libraries.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
	(void)fprintf(stderr, "inside: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void say_ready(void)
{
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		_exit(1);
	/* Whoever listens must not be held by a container that lives on. */
	(void)close(STDOUT_FILENO);
}

static void wait_for_ever(void)
{
	for (;;)
		(void)pause();
}

/* Of the calling thread alone: capset(2) knows no other. */
static void hold(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(effective >> 32 * i);
		data[i].permitted = (uint32_t)(permitted >> 32 * i);
		data[i].inheritable = (uint32_t)(inheritable >> 32 * i);
	}
	if (syscall(SYS_capset, &header, data) != 0)
		die("capset");
}

static void set_capabilities(uint64_t mask)
{
	hold(mask, mask, 0);
}

static int role_pause(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	say_ready();
	wait_for_ever();
	return 0;
}

static void *wait_in_thread(void *unused)
{
	(void)unused;
	wait_for_ever();
	return NULL;
}

/* The leader drops everything; its thread keeps what it was born with. */
static int role_thread(int argc, char **argv)
{
	pthread_t thread;

	(void)argc;
	(void)argv;
	if (pthread_create(&thread, NULL, wait_in_thread, NULL) != 0)
		die("pthread_create");
	set_capabilities(0);
	say_ready();
	wait_for_ever();
	return 0;
}

static void *outlive_leader(void *unused)
{
	char state = 0;

	(void)unused;
	while (state != 'Z') {
		char text[512];
		int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
		ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		if (length <= 0)
			die("/proc/self/stat");
		(void)close(fd);
		text[length] = '\0';
		const char *name_end = strrchr(text, ')');
		state = name_end ? name_end[2] : 0;
		(void)usleep(1000);
	}
	say_ready();
	wait_for_ever();
	return NULL;
}

/* The leader is a zombie; its thread lives. */
static int role_zombie(int argc, char **argv)
{
	pthread_t thread;

	(void)argc;
	(void)argv;
	if (pthread_create(&thread, NULL, outlive_leader, NULL) != 0)
		die("pthread_create");
	(void)syscall(SYS_exit, 0);
	return 0;
}

/* Children, each in a user namespace of its own; every second one never writes its map. */
static int role_nested(int argc, char **argv)
{
	int count = argc > 0 ? atoi(argv[0]) : 1;

	for (int i = 0; i < count; i++) {
		int said[2];
		char byte;

		if (pipe(said) != 0)
			die("pipe");
		pid_t child = fork();
		if (child < 0)
			die("fork");
		if (child == 0) {
			unsigned user = getuid();

			(void)close(STDOUT_FILENO);
			if (unshare(CLONE_NEWUSER) != 0)
				die("unshare");
			if (i % 2 == 0) {
				int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);

				if (fd < 0 || dprintf(fd, "0 %u 1\n", user) < 0)
					die("uid_map");
				(void)close(fd);
			}
			if (write(said[1], "y", 1) != 1)
				_exit(1);
			wait_for_ever();
		}
		(void)close(said[1]);
		if (read(said[0], &byte, 1) != 1)
			die("the child");
		(void)close(said[0]);
	}
	say_ready();
	wait_for_ever();
	return 0;
}

#define LONG_ARGUMENT 4096

/* Starts itself again with arguments that no container specification can carry. */
static int role_hostile(int argc, char **argv)
{
	static char longest[LONG_ARGUMENT + 1];
	char program[] = "/bin/in\x1b[2J\nside\xff";
	char role[] = "named";
	char lines[] = "first\nsecond\r\x1b]0;title\x07";
	char invalid[] = "\xff\xfe\xc3(\xe2\x80\xae";
	char quotes[] = "\"}]\\u0000\t'";
	char *arguments[] = { program, role, lines, invalid, quotes, longest, NULL };

	(void)argc;
	(void)argv;
	memset(longest, 'A', LONG_ARGUMENT);
	(void)execv("/proc/self/exe", arguments);
	die("execv");
	return 1;
}

static int role_named(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	/* 15 bytes: what looks like the end of a name in /proc/PID/stat, a line, ESC, not UTF-8. */
	if (prctl(PR_SET_NAME, "x) Z 1\n\x1b[31m\xff\"") != 0)
		die("prctl");
	return role_pause(0, NULL);
}

/* Processes that live for a moment, as many as can be had. */
static int role_storm(int argc, char **argv)
{
	unsigned alive = 0;

	(void)argc;
	(void)argv;
	say_ready();
	for (;;) {
		if (alive < 40) {
			pid_t child = fork();

			if (child == 0)
				_exit(0);
			if (child > 0)
				alive++;
		}
		while (waitpid(-1, NULL, alive < 40 ? WNOHANG : 0) > 0)
			alive--;
	}
}

/* Children that hold what their parent holds. */
static int role_family(int argc, char **argv)
{
	int count = argc > 0 ? atoi(argv[0]) : 1;

	for (int i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (child == 0) {
			(void)close(STDOUT_FILENO);
			wait_for_ever();
		}
	}
	say_ready();
	wait_for_ever();
	return 0;
}

/* Forks with CLONE_PARENT and ends, again every second: an unexec'd child whose parent is outside,
 * as a runtime's own stage has, and never an old one. */
static int role_hopper(int argc, char **argv)
{
	bool said = false;

	(void)argc;
	(void)argv;
	for (;;) {
		long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

		if (child < 0)
			die("clone");
		if (child > 0)
			_exit(0);
		if (!said)
			say_ready();
		said = true;
		(void)sleep(1);
	}
}

static void *keep_a_set(void *mask)
{
	set_capabilities(*(const uint64_t *)mask);
	wait_for_ever();
	return NULL;
}

/* Threads with many sets of their own, all harmless, stand before the one that keeps everything. */
static int role_crowd(int argc, char **argv)
{
	static uint64_t masks[127];
	static const unsigned bits[] = { 0, 1, 3, 4, 5, 6, 7 };
	pthread_attr_t small;
	pthread_t thread;

	(void)argc;
	(void)argv;
	if (pthread_attr_init(&small) != 0 || pthread_attr_setstacksize(&small, 65536) != 0)
		die("pthread_attr");
	for (unsigned i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		for (unsigned k = 0; k < sizeof(bits) / sizeof(bits[0]); k++)
			if (i >> k & 1)
				masks[i] |= UINT64_C(1) << bits[k];
		if (pthread_create(&thread, &small, keep_a_set, &masks[i]) != 0)
			die("pthread_create");
	}
	if (pthread_create(&thread, &small, wait_in_thread, NULL) != 0)
		die("pthread_create");
	(void)usleep(200000);
	set_capabilities(0);
	say_ready();
	wait_for_ever();
	return 0;
}

/* The leader sets no_new_privs for itself alone; a thread keeps the way through exec open. */
static int role_halfway(int argc, char **argv)
{
	pthread_t thread;

	(void)argc;
	(void)argv;
	if (pthread_create(&thread, NULL, wait_in_thread, NULL) != 0)
		die("pthread_create");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		die("no_new_privs");
	say_ready();
	wait_for_ever();
	return 0;
}

static pthread_attr_t relay_attributes;

static void *hand_over(void *data)
{
	pthread_t thread;

	(void)data;
	(void)usleep(20000);
	while (pthread_create(&thread, &relay_attributes, hand_over, NULL) != 0)
		(void)usleep(100);
	return NULL;
}

/* Threads keep everything, each for a moment; the leader holds nothing. */
static int role_relay(int argc, char **argv)
{
	pthread_t thread;

	(void)argc;
	(void)argv;
	if (pthread_attr_init(&relay_attributes) != 0 ||
		pthread_attr_setdetachstate(&relay_attributes, PTHREAD_CREATE_DETACHED) != 0 ||
		pthread_attr_setstacksize(&relay_attributes, 65536) != 0 ||
		pthread_create(&thread, &relay_attributes, hand_over, NULL) != 0)
		die("pthread");
	set_capabilities(0);
	say_ready();
	wait_for_ever();
	return 0;
}

/* Ends at once. */
static int role_brief(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static uint64_t mask_of(int argc, char **argv, int i)
{
	return i < argc ? strtoull(argv[i], NULL, 16) : 0;
}

/* hold EFFECTIVE PERMITTED INHERITABLE: changes its own sets to these. */
static int role_hold(int argc, char **argv)
{
	hold(mask_of(argc, argv, 0), mask_of(argc, argv, 1), mask_of(argc, argv, 2));
	return role_pause(0, NULL);
}

static void *execute(void *argv)
{
	char **arguments = argv;

	(void)execv(arguments[0], arguments);
	die(arguments[0]);
	return NULL;
}

/* threadexec PROGRAM ARGUMENT...: the leader gives up what it holds, and another thread executes
 * the program. */
static int role_threadexec(int argc, char **argv)
{
	pthread_t thread;

	(void)argc;
	set_capabilities(0);
	if (pthread_create(&thread, NULL, execute, argv) != 0)
		die("pthread_create");
	wait_for_ever();
	return 0;
}

static void run_once(char **argv)
{
	pid_t child = vfork();

	if (child == 0) {
		(void)execv(argv[0], argv);
		_exit(126);
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

/* onward PROGRAM ARGUMENT...: becomes the program with SIGUSR1. */
static int role_onward(int argc, char **argv)
{
	sigset_t set;
	int signal;

	(void)argc;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	say_ready();
	(void)sigwait(&set, &signal);
	(void)execute(argv);
	return 1;
}

/* launcher N PROGRAM ARGUMENT...: with each SIGUSR1 executes the program N times, one after
 * another, and then says how often it was told to, as its name. */
static int role_launcher(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[0]) : 0;
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	say_ready();
	for (int round = 1;; round++) {
		char name[32]; /* of which the kernel takes what has room */
		int signal;

		(void)sigwait(&set, &signal);
		for (int i = 0; i < count; i++)
			run_once(argv + 1);
		(void)snprintf(name, sizeof(name), "round-%d", round);
		(void)prctl(PR_SET_NAME, name);
	}
	return 0;
}

static const struct role {
	const char *name;
	int (*play)(int argc, char **argv);
} roles[] = {
	{ "pause", role_pause },
	{ "thread", role_thread },
	{ "zombie", role_zombie },
	{ "nested", role_nested },
	{ "hostile", role_hostile },
	{ "named", role_named },
	{ "storm", role_storm },
	{ "family", role_family },
	{ "hopper", role_hopper },
	{ "crowd", role_crowd },
	{ "halfway", role_halfway },
	{ "relay", role_relay },
	{ "brief", role_brief },
	{ "hold", role_hold },
	{ "threadexec", role_threadexec },
	{ "onward", role_onward },
	{ "launcher", role_launcher },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(argv[1], roles[i].name) == 0)
			return roles[i].play(argc - 2, argv + 2);
	(void)fprintf(stderr, "inside: unknown role\n");
	return 2;
}
