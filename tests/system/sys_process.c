/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Other programs: run to their end with what they wrote kept, or started and left running. All of
 * them die with the test program.
 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534

void sys_sleep_ms(unsigned ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&time, &time) != 0 && errno == EINTR)
		;
}

uint64_t sys_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int sys_become_nobody(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	/* Whoever is not root has nothing to give up. */
	if (geteuid() != 0)
		return 0;
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
			return -errno;
	if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
		setresuid(NOBODY, NOBODY, NOBODY) != 0 || syscall(SYS_capset, &header, data) != 0)
		return -errno;
	return 0;
}

int sys_prepare_proc(void *data)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, data) != 0)
		return -errno;
	return 0;
}

int sys_prepare_pid_namespace(void *data)
{
	int status;

	(void)data;
	if (unshare(CLONE_NEWPID) != 0)
		return -errno;
	/* Only children are in it. */
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return sys_prepare_proc(NULL);
}

static void run_child(const struct sys_command *command, pid_t parent, const int fds[3])
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(125);
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(fds[fd], fd);
	for (size_t i = 0; command->environment && command->environment[i]; i++)
		(void)putenv((char *)(uintptr_t)command->environment[i]);
	int error = command->prepare ? command->prepare(command->data) : 0;
	if (error == 0 && command->nobody) {
		error = sys_become_nobody();
		/* Again: a change of user takes it back. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
	if (error == 0) {
		(void)execvp(command->argv[0], (char *const *)(uintptr_t)command->argv);
		error = -errno;
	}
	(void)dprintf(STDERR_FILENO, "%s: %s\n", command->argv[0], strerror(-error));
	_exit(126);
}

static pid_t fork_command(const struct sys_command *command, int out, int err)
{
	pid_t parent = getpid();
	int input = command->input ? command->input : open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int fds[3] = { input, out, err };
	pid_t pid = fork();

	if (pid < 0 || input < 0)
		fail_msg("cannot start %s: %s", command->argv[0], strerror(errno));
	if (pid == 0)
		run_child(command, parent, fds);
	if (!command->input)
		(void)close(input);
	return pid;
}

static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static char *read_all(int fd, size_t *ret_length)
{
	struct stat stat;

	if (fstat(fd, &stat) != 0)
		fail_msg("fstat: %s", strerror(errno));
	char *text = calloc(1, (size_t)stat.st_size + 1);
	if (!text)
		fail_msg("out of memory");
	ssize_t length = pread(fd, text, (size_t)stat.st_size, 0);
	if (ret_length)
		*ret_length = length > 0 ? (size_t)length : 0;
	return text;
}

static void kill_later(pid_t pid, int ms)
{
	struct pollfd wait = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };

	if (wait.fd < 0)
		fail_msg("pidfd_open: %s", strerror(errno));
	if (poll(&wait, 1, ms) == 0)
		(void)kill(pid, SIGKILL);
	(void)close(wait.fd);
}

static void free_result(void *object)
{
	struct sys_result *result = object;

	json_decref(result->json);
	free(result->out);
	free(result->err);
	free(result);
}

static void note_end(struct sys *sys, pid_t pid, int status)
{
	for (size_t i = 0; i < SYS_SPAWNED_MAX; i++)
		if (sys->spawned[i].pid == pid) {
			sys->spawned[i].ended = true;
			sys->spawned[i].status = status;
		}
}

void sys_reap(struct sys *sys)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		note_end(sys, pid, status);
}

/* Reaps all others meanwhile: the init of a PID namespace cannot end before those in it that were
 * started from outside, which are ours, are reaped; and runc waits for it. */
static int wait_for(struct sys *sys, pid_t pid)
{
	int status;
	pid_t ended;

	while ((ended = waitpid(-1, &status, 0)) != pid) {
		if (ended < 0 && errno != EINTR)
			fail_msg("waitpid: %s", strerror(errno));
		if (ended > 0)
			note_end(sys, ended, status);
	}
	return status;
}

struct sys_result *sys_command(struct sys *sys, const struct sys_command *command)
{
	struct sys_result *result = calloc(1, sizeof(*result));
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);

	if (!result || out < 0 || err < 0)
		fail_msg("memfd_create: %s", strerror(errno));
	pid_t pid = fork_command(command, command->output ? command->output : out,
		command->errors ? command->errors : err);
	if (command->kill_after_ms > 0)
		kill_later(pid, command->kill_after_ms);
	result->status = status_of(wait_for(sys, pid));
	result->out = read_all(out, &result->out_length);
	result->err = read_all(err, NULL);
	(void)close(out);
	(void)close(err);
	sys_own(sys, result, free_result);
	return result;
}

#define ARGUMENTS_MAX 64

struct sys_result *sys_command_line(struct sys *sys, const char *program, ...)
{
	const char *argv[ARGUMENTS_MAX + 1] = { program };
	va_list more;

	va_start(more, program);
	for (size_t i = 1; i < ARGUMENTS_MAX && (argv[i] = va_arg(more, const char *)); i++)
		;
	va_end(more);
	return sys_command(sys, &(struct sys_command){ .argv = argv });
}

pid_t sys_adopt(struct sys *sys, pid_t pid)
{
	if (pid < 0)
		fail_msg("fork: %s", strerror(errno));
	for (size_t i = 0; i < SYS_SPAWNED_MAX; i++)
		if (sys->spawned[i].pid == 0) {
			sys->spawned[i] = (struct sys_spawned){ .pid = pid };
			return pid;
		}
	(void)kill(pid, SIGKILL);
	fail_msg("too many processes at once");
	return -1;
}

pid_t sys_spawn(struct sys *sys, const struct sys_command *command)
{
	return sys_adopt(
		sys, fork_command(command, command->output ? command->output : STDERR_FILENO,
			     command->errors ? command->errors : STDERR_FILENO));
}

bool sys_has_ended(struct sys *sys, pid_t pid)
{
	sys_reap(sys);
	for (size_t i = 0; i < SYS_SPAWNED_MAX; i++)
		if (sys->spawned[i].pid == pid)
			return sys->spawned[i].ended;
	return true;
}

int sys_wait(struct sys *sys, pid_t pid)
{
	for (size_t i = 0; i < SYS_SPAWNED_MAX; i++) {
		struct sys_spawned *spawned = &sys->spawned[i];

		if (spawned->pid != pid)
			continue;
		int status = spawned->ended ? spawned->status : wait_for(sys, pid);
		spawned->pid = 0;
		return status_of(status);
	}
	fail_msg("process %d was not started here", (int)pid);
	return -1;
}

void sys_kill_spawned(struct sys *sys)
{
	for (size_t i = 0; i < SYS_SPAWNED_MAX; i++) {
		struct sys_spawned *spawned = &sys->spawned[i];

		if (spawned->pid > 0 && !spawned->ended) {
			(void)kill(spawned->pid, SIGKILL);
			(void)wait_for(sys, spawned->pid);
		}
		spawned->pid = 0;
	}
}

bool sys_have_program(const char *name)
{
	const char *path = getenv("PATH") ? getenv("PATH") : "/usr/sbin:/usr/bin:/sbin:/bin";

	while (*path) {
		size_t length = strcspn(path, ":");
		char file[PATH_MAX];

		(void)snprintf(file, sizeof(file), "%.*s/%s", (int)length, path, name);
		if (access(file, X_OK) == 0)
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}
