/* SPDX-License-Identifier: LGPL-2.1-or-later */
// wrap: capng_get_caps_process
/*
 * Reading another's sets through libcap-ng: what is read of a process that vanished in the middle
 * must be thrown away, though the library says success.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/discover.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

int __real_capng_get_caps_process(void);
int __wrap_capng_get_caps_process(void);

static pid_t victim;  /* killed and reaped before the library looks */
static pid_t refused; /* the library cannot open its file, though the process lives on */
static bool between;  /* or between its two looks: when capget(2) has answered */
static int library_said = -2;

static void end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void end_victim(void)
{
	pid_t pid = victim;

	victim = 0;
	end(pid);
}

int __wrap_capng_get_caps_process(void)
{
	if (victim && !between)
		end_victim();
	library_said = __real_capng_get_caps_process();
	return library_said;
}

/* The library's own look at the status file comes through here: a function of the program goes
 * before one of the C library. */
FILE *fopen(const char *path, const char *mode)
{
	FILE *(*next)(const char *, const char *);
	char wanted[64];

	*(void **)&next = dlsym(RTLD_NEXT, "fopen");
	(void)snprintf(
		wanted, sizeof(wanted), "/proc/%d/status", (int)(refused ? refused : victim));
	if (refused && strcmp(path, wanted) == 0) {
		errno = EMFILE;
		return NULL;
	}
	if (victim && between && strcmp(path, wanted) == 0)
		end_victim();
	return next(path, mode);
}

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	return pid;
}

static int open_process(pid_t pid)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static capability_mask own_bounding(void)
{
	capability_mask mask = 0;

	for (int n = 0; n < 64 && prctl(PR_CAPBSET_READ, n, 0, 0, 0) >= 0; n++)
		if (prctl(PR_CAPBSET_READ, n, 0, 0, 0) == 1)
			mask |= CAPABILITY_BIT(n);
	return mask;
}

static void a_living_process_gives_what_proc_says(void **state)
{
	pid_t pid = start_sleeper();
	_cleanup_close_ int proc = open_process(pid);
	struct capability_sets sets, own;
	unsigned long long effective = 1, bounding = 1;
	char line[256];
	FILE *status;

	(void)state;
	(void)snprintf(line, sizeof(line), "/proc/%d/status", (int)pid);
	status = fopen(line, "re");
	assert_non_null(status);
	while (fgets(line, sizeof(line), status)) {
		(void)sscanf(line, "CapEff: %llx", &effective);
		(void)sscanf(line, "CapBnd: %llx", &bounding);
	}
	(void)fclose(status);
	assert_int_equal(read_capability_sets(proc, pid, pid, own_bounding(), &sets), 0);
	assert_int_equal(sets.of[CAPABILITY_EFFECTIVE], effective);
	assert_int_equal(sets.of[CAPABILITY_BOUNDING], bounding);
	own = sets;
	end(pid);
	assert_int_equal(read_capability_sets(proc, pid, pid, own_bounding(), &sets), -ESRCH);
	assert_memory_equal(&sets, &own, sizeof(sets)); /* untouched */
}

static void a_target_that_vanishes_before_the_library_looks_gives_nothing(void **state)
{
	struct capability_sets sets = { { 1, 2, 3, 4, 5 } }, before = sets;
	pid_t pid = start_sleeper();
	_cleanup_close_ int proc = open_process(pid);

	(void)state;
	victim = pid;
	between = false;
	assert_int_equal(read_capability_sets(proc, pid, pid, own_bounding(), &sets), -ESRCH);
	assert_memory_equal(&sets, &before, sizeof(sets));
}

static void a_target_that_vanishes_while_the_library_looks_gives_nothing(void **state)
{
	struct capability_sets sets = { { 1, 2, 3, 4, 5 } }, before = sets;
	pid_t pid = start_sleeper();
	_cleanup_close_ int proc = open_process(pid);

	(void)state;
	victim = pid;
	between = true;
	assert_int_equal(read_capability_sets(proc, pid, pid, own_bounding(), &sets), -ESRCH);
	assert_int_equal(victim, 0);
	/* The library was content: it had taken our own bounding set. */
	assert_int_equal(library_said, 0);
	assert_memory_equal(&sets, &before, sizeof(sets));
}

static void the_librarys_error_does_not_stick(void **state)
{
	struct capability_sets sets;
	pid_t gone = start_sleeper(), there = start_sleeper();
	_cleanup_close_ int gone_proc = open_process(gone), there_proc = open_process(there);

	(void)state;
	victim = gone;
	between = false;
	assert_int_equal(
		read_capability_sets(gone_proc, gone, gone, own_bounding(), &sets), -ESRCH);
	assert_int_equal(read_capability_sets(there_proc, there, there, own_bounding(), &sets), 0);
	end(there);
}

static void a_thread_that_is_not_there_gives_nothing(void **state)
{
	struct capability_sets sets;
	pid_t pid = start_sleeper();
	_cleanup_close_ int proc = open_process(pid);

	(void)state;
	/* our own tid is alive, and no thread of that process */
	assert_int_equal(read_capability_sets(proc, pid, getpid(), own_bounding(), &sets), -ESRCH);
	end(pid);
}

/* Descriptors ran out for a moment, say: the library answers with our own set. The sleeper has
 * less, so that the difference shows. */
static void an_answer_that_could_be_our_own_is_read_again(void **state)
{
	struct capability_sets sets;
	pid_t pid = fork();
	int proc;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		if (prctl(PR_CAPBSET_DROP, CAPABILITY_SYS_TIME, 0, 0, 0) < 0)
			_exit(1);
		for (;;)
			(void)pause();
	}
	proc = open_process(pid);
	if (!(own_bounding() & CAPABILITY_BIT(CAPABILITY_SYS_TIME)) || geteuid() != 0) {
		end(pid);
		(void)close(proc);
		print_message("needs root with SYS_TIME, to take it from the target\n");
		skip();
	}
	for (unsigned i = 0; i < 1000; i++) { /* until it has dropped it */
		assert_int_equal(read_capability_sets(proc, pid, pid, own_bounding(), &sets), 0);
		if (!(sets.of[CAPABILITY_BOUNDING] & CAPABILITY_BIT(CAPABILITY_SYS_TIME)))
			break;
		(void)usleep(1000);
	}
	refused = pid;
	assert_int_equal(read_capability_sets(proc, pid, pid, own_bounding(), &sets), 0);
	refused = 0;
	assert_int_equal(library_said, 0);
	assert_int_equal(sets.of[CAPABILITY_BOUNDING],
		own_bounding() & ~CAPABILITY_BIT(CAPABILITY_SYS_TIME));
	end(pid);
	(void)close(proc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_living_process_gives_what_proc_says),
		cmocka_unit_test(a_target_that_vanishes_before_the_library_looks_gives_nothing),
		cmocka_unit_test(a_target_that_vanishes_while_the_library_looks_gives_nothing),
		cmocka_unit_test(the_librarys_error_does_not_stick),
		cmocka_unit_test(an_answer_that_could_be_our_own_is_read_again),
		cmocka_unit_test(a_thread_that_is_not_there_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
