/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon and who shares a machine with it: what he can read of it, change, or reach. That it
 * holds nothing and filters its own system calls is in test_run.c, whom its socket answers in
 * test_serve.c.
 */
#include "sys.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/capability.h>
#include <unistd.h>

static char *make_policy(struct sys *sys, const char *run)
{
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);

	sys_write_file(policy,
		sys_print(sys, "version: 1\nrun: { outputs: [stdout], interval: 1h%s }\n", run));
	return policy;
}

/* -- who has its user -- */

static int drop_all_capabilities(void *data)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	(void)data;
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
			return -errno;
	return syscall(SYS_capset, &header, none) == 0 ? 0 : -errno;
}

/* Reading the environment takes what reading the memory takes, and tracing little more. */
static int read_environment(struct sys *sys, enum sys_user user, pid_t pid)
{
	const char *const argv[] = { "cat", sys_print(sys, "/proc/%d/environ", (int)pid), NULL };

	return sys_command(
		sys, &(struct sys_command){ .argv = argv,
			     .nobody = user == SYS_NOBODY,
			     .prepare = user == SYS_NOBODY ? NULL : drop_all_capabilities })
		->status;
}

/* Another root without capabilities in the host's PID namespace; for the service, a user's other
 * processes. */
static void who_has_its_user_and_no_capability_cannot_read_its_memory(void **state)
{
	static const char *const sleep_argv[] = { "sleep", "1000", NULL };
	struct sys *sys = *state;

	sys_need_containers(sys);
	for (int user = SYS_ROOT; user <= SYS_NOBODY; user++) {
		const struct sys_command other = { .argv = sleep_argv,
			.nobody = user == SYS_NOBODY,
			.prepare = user == SYS_NOBODY ? NULL : drop_all_capabilities };
		pid_t pid = sys_spawn(sys, &other);
		struct sys_daemon *daemon =
			sys_run(sys, &(struct sys_daemon_options){ .policy = make_policy(sys, ""),
					     .user = (enum sys_user)user });

		/* The same of an ordinary process can be read. */
		assert_int_equal(read_environment(sys, (enum sys_user)user, pid), 0);
		assert_int_not_equal(
			read_environment(sys, (enum sys_user)user, sys_daemon_pid(daemon)), 0);
		(void)kill(pid, SIGKILL);
		assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
		sys_daemon_free(daemon);
	}
}

/* Capabilities reach as far as the namespaces that they are used in. */
static void a_container_with_sys_ptrace_does_not_see_it_from_its_pid_namespace(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon;
	struct sys_container *container;
	const char *proc;
	size_t processes = 0;
	struct dirent *entry;
	DIR *folder;

	sys_need_containers(sys);
	daemon = sys_run(sys, &(struct sys_daemon_options){ .policy = make_policy(sys, "") });
	container =
		sys_start(sys, &(struct sys_spec){ .capabilities = UINT64_C(1) << CAP_SYS_PTRACE });
	proc = sys_print(sys, "/proc/%d/root/proc", (int)container->pid);
	folder = opendir(proc);
	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		char *name = sys_read_file(sys_print(sys, "%s/%s/comm", proc, entry->d_name));

		processes += *name != '\0';
		assert_string_not_equal(name, "capauditd\n");
		free(name);
	}
	(void)closedir(folder);
	assert_int_equal(processes, 1); /* its own */
	/* The host sees it by that name. */
	char *name = sys_read_file(sys_print(sys, "/proc/%d/comm", (int)sys_daemon_pid(daemon)));
	assert_string_equal(name, "capauditd\n");
	free(name);
}

/* -- what it writes -- */

static int forget_the_umask(void *data)
{
	(void)data;
	(void)umask(0);
	return 0;
}

static size_t seen, others_may;

static int look(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	if (type == FTW_D) /* the socket's folder is made by it, the state's by the test */
		others_may += (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;
	else if (st->st_mode & (S_IRWXG | S_IRWXO))
		others_may++;
	if (others_may)
		print_error("%s: %o\n", path, (unsigned)st->st_mode);
	seen += type != FTW_D;
	return 0;
}

static void what_it_writes_is_its_own_alone_whatever_the_umask(void **state)
{
	struct sys *sys = *state;
	char *folder = sys_print(sys, "%s/written", sys->directory);
	char *kept = sys_print(sys, "%s/state", folder);
	const char *const argv[] = { "--socket", sys_print(sys, "%s/run/socket", folder), NULL };
	struct sys_daemon *daemon;

	sys_need_containers(sys);
	sys_make_directories(kept);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(chmod(kept, 0755), 0);
	daemon = sys_run(
		sys, &(struct sys_daemon_options){
			     .policy = make_policy(sys, sys_print(sys, ", state: %s", kept)),
			     .argv = argv,
			     .prepare = forget_the_umask });
	seen = others_may = 0;
	assert_int_equal(nftw(folder, look, 8, FTW_PHYS), 0);
	assert_int_equal(seen, 2); /* the state and the socket */
	assert_int_equal(others_may, 0);
	assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
	assert_int_equal(nftw(folder, look, 8, FTW_PHYS), 0);
	assert_int_equal(others_may, 0);
}

/* -- whom its metrics answer -- */

/* A network of its own, in which the default port is free. */
static int enter_a_network(void *data)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	(void)data;
	if (unshare(CLONE_NEWNET) != 0)
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0)
		return -errno;
	(void)close(fd);
	return 0;
}

/* Lines of sockets that listen (state 0A); *ret is the first one's local address. */
static size_t listening(struct sys *sys, pid_t pid, const char *table, char ret[40])
{
	char *text = sys_read_file(sys_print(sys, "/proc/%d/net/%s", (int)pid, table));
	size_t count = 0;

	sys_own(sys, text, free);
	for (const char *line = text; line && *line;) {
		char local[40], remote[40], is[3];

		if (sscanf(line, " %*d: %39s %39s %2s", local, remote, is) == 3 &&
			strcmp(is, "0A") == 0 && count++ == 0)
			memcpy(ret, local, sizeof(local));
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return count;
}

static void metrics_are_on_loopback_where_nobody_says_otherwise(void **state)
{
	struct sys *sys = *state;
	const char *const argv[] = { sys->program, "run", "--policy", make_policy(sys, ""),
		"--socket", "off", NULL };
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	char address[40] = "";
	size_t count;
	pid_t pid;

	sys_need_containers(sys);
	pid = sys_spawn(sys, &(struct sys_command){ .argv = argv, .prepare = enter_a_network });
	do {
		sys_sleep_ms(20);
		count = listening(sys, pid, "tcp", address);
	} while (count == 0 && sys_now_ms() < until);
	assert_int_equal(count, 1);
	assert_string_equal(address, "0100007F:2505"); /* 127.0.0.1:9477 */
	assert_int_equal(listening(sys, pid, "tcp6", address), 0);
	(void)kill(pid, SIGTERM);
	assert_int_equal(sys_wait(sys, pid), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(who_has_its_user_and_no_capability_cannot_read_its_memory),
		SYS_TEST(a_container_with_sys_ptrace_does_not_see_it_from_its_pid_namespace),
		SYS_TEST(what_it_writes_is_its_own_alone_whatever_the_umask),
		SYS_TEST(metrics_are_on_loopback_where_nobody_says_otherwise),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
