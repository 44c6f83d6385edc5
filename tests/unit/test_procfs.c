/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The procfs engine on real processes that the test makes: a PID namespace of their own makes them
 * a container's. Needs root; says so where it has to skip.
 */
// wrap: procps_pids_reap
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/discover.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libproc2/pids.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define GROUPS_MAX 65536

static int ready[2]; /* the child says when it has become what the test wants */

static void say_ready(void)
{
	if (write(ready[1], "x", 1) != 1)
		_exit(2);
}

static void rest(void)
{
	for (;;)
		(void)pause();
}

/* Starts a child in a PID namespace of its own that does `what`, and waits until it is done. */
static pid_t start(void (*what)(void))
{
	char byte;
	pid_t middle, pid = 0;
	int ends[2];

	if (geteuid() != 0) {
		print_message("needs root, to make a PID namespace\n");
		skip();
	}
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	middle = fork();
	assert_true(middle >= 0);
	if (middle == 0) {
		pid_t child;

		if (unshare(CLONE_NEWPID) < 0)
			_exit(1);
		child = fork();
		if (child == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			what();
			_exit(0);
		}
		if (write(ends[1], &child, sizeof(child)) != sizeof(child))
			_exit(1);
		rest();
	}
	assert_int_equal(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)close(ready[0]);
	(void)close(ready[1]);
	return pid;
}

static void stop(pid_t pid)
{
	char path[64], line[256];
	pid_t parent = 0;
	FILE *status;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "PPid: %d", &parent) == 1)
			break;
	if (status)
		(void)fclose(status);
	assert_true(parent > 1);
	(void)kill(pid, SIGKILL);
	(void)kill(parent, SIGKILL);
	(void)waitpid(parent, NULL, 0);
}

static void look(struct engine **engine, struct snapshot *snapshot)
{
	const struct pass_options options = { 0 };

	assert_int_equal(engine_procfs_new(engine), 0);
	assert_int_equal((*engine)->ops->pass(*engine, &options, snapshot), 0);
}

static void just_rest(void)
{
	(void)prctl(PR_SET_NAME, "(rest) er");
	say_ready();
	rest();
}

static void a_process_in_its_own_pid_namespace_is_seen_and_described(void **state)
{
	pid_t pid = start(just_rest);
	struct snapshot snapshot;
	struct process process;
	struct engine *engine;
	const struct task *task;

	(void)state;
	look(&engine, &snapshot);
	task = snapshot_find(&snapshot, pid);
	assert_non_null(task);
	assert_int_equal(task->namespace_level, 1);
	assert_int_equal(task->namespace_pid, 1);
	assert_true(task->forked);
	assert_int_equal(task->user_namespace, USER_NAMESPACE_INITIAL);
	assert_null(snapshot_find(&snapshot, getpid())); /* the host's are not looked at */
	assert_int_equal(engine->ops->describe(engine, task, &process), 0);
	assert_string_equal(process.comm, "(rest) er");
	assert_int_equal(process.uid, 0);
	assert_int_equal(process.host_namespaces & HOST_NAMESPACE_PID, 0);
	assert_true(process.host_namespaces & HOST_NAMESPACE_NET);
	assert_non_null(process.exe);
	assert_non_null(process.cmdline);
	process_done(&process);
	snapshot_done(&snapshot);
	engine_free(engine);
	stop(pid);
}

static void take_groups(void)
{
	gid_t *groups = calloc(GROUPS_MAX, sizeof(*groups));

	for (gid_t i = 0; groups && i < GROUPS_MAX; i++)
		groups[i] = 4000000000u + i;
	if (!groups || setgroups(GROUPS_MAX, groups) < 0)
		_exit(3);
	just_rest();
}

static void a_status_file_of_a_megabyte_hides_nothing(void **state)
{
	pid_t pid = start(take_groups);
	struct snapshot snapshot;
	struct process process;
	struct engine *engine;
	const struct task *task;

	(void)state;
	look(&engine, &snapshot);
	task = snapshot_find(&snapshot, pid);
	assert_non_null(task);
	assert_int_equal(snapshot.coverage.unreadable, 0);
	assert_int_equal(engine->ops->describe(engine, task, &process), 0);
	process_done(&process);
	snapshot_done(&snapshot);
	engine_free(engine);
	stop(pid);
}

static void *drop_and_rest(void *data)
{
	/* of this thread alone: the bounding set is a thread's */
	(void)data;
	if (prctl(PR_CAPBSET_DROP, CAPABILITY_SYS_TIME, 0, 0, 0) < 0)
		_exit(4);
	say_ready();
	rest();
	return NULL;
}

static void make_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, drop_and_rest, NULL) != 0)
		_exit(5);
	rest();
}

static void a_thread_with_other_sets_than_its_leader_is_a_task_of_its_own(void **state)
{
	pid_t pid = start(make_thread);
	const struct task *task;
	struct snapshot snapshot;
	struct engine *engine;

	(void)state;
	look(&engine, &snapshot);
	task = snapshot_find(&snapshot, pid);
	assert_non_null(task);
	assert_true(task + 1 < snapshot.tasks + snapshot.task_count);
	assert_int_equal(task[1].pid, pid);
	assert_int_not_equal(task[1].tid, pid);
	assert_false(task[1].leader);
	assert_true(task[0].sets.of[CAPABILITY_BOUNDING] & CAPABILITY_BIT(CAPABILITY_SYS_TIME));
	assert_false(task[1].sets.of[CAPABILITY_BOUNDING] & CAPABILITY_BIT(CAPABILITY_SYS_TIME));
	snapshot_done(&snapshot);
	engine_free(engine);
	stop(pid);
}

/* Of a PID namespace's first process, whose own /proc may be another's. */
static bool has_ended_leader(void)
{
	char text[64] = "";
	int fd = open("/proc/thread-self/../../stat", O_RDONLY | O_CLOEXEC);
	bool ended = fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strstr(text, ") Z ");

	if (fd >= 0)
		(void)close(fd);
	return ended;
}

static void *rest_later(void *data)
{
	(void)data;
	while (!has_ended_leader())
		(void)usleep(1000);
	say_ready();
	rest();
	return NULL;
}

static void end_leader(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, rest_later, NULL) != 0)
		_exit(5);
	(void)syscall(SYS_exit, 0); /* the leader alone */
}

static void a_leader_that_has_ended_does_not_hide_its_threads(void **state)
{
	pid_t pid = start(end_leader);
	const struct task *task;
	struct snapshot snapshot;
	struct process process;
	struct engine *engine;

	(void)state;
	look(&engine, &snapshot);
	task = snapshot_find(&snapshot, pid);
	assert_non_null(task);
	assert_int_not_equal(task->tid, pid);
	assert_true(task->leader); /* the first of its process */
	assert_true(capability_sets_held(&task->sets));
	assert_int_equal(engine->ops->describe(engine, task, &process), 0);
	assert_int_equal(process.tid, task->tid);
	process_done(&process);
	snapshot_done(&snapshot);
	engine_free(engine);
	stop(pid);
}

static void enter_user_namespace(void)
{
	if (unshare(CLONE_NEWUSER) < 0)
		_exit(6);
	just_rest();
}

static void another_user_namespace_is_told(void **state)
{
	pid_t pid = start(enter_user_namespace);
	const struct task *task;
	struct snapshot snapshot;
	struct engine *engine;

	(void)state;
	look(&engine, &snapshot);
	task = snapshot_find(&snapshot, pid);
	assert_non_null(task);
	assert_int_equal(task->user_namespace, USER_NAMESPACE_OTHER);
	assert_int_not_equal(task->user_namespace_key, 0);
	snapshot_done(&snapshot);
	engine_free(engine);
	stop(pid);
}

static void a_process_that_is_another_now_is_not_described(void **state)
{
	pid_t pid = start(just_rest);
	struct snapshot snapshot;
	struct process process;
	struct engine *engine;
	struct task task;

	(void)state;
	look(&engine, &snapshot);
	task = *snapshot_find(&snapshot, pid);
	task.start_ticks--; /* the one that had the pid before */
	assert_int_equal(engine->ops->describe(engine, &task, &process), -ESRCH);
	stop(pid);
	snapshot_done(&snapshot);
	engine_free(engine);
}

static void on_signal(int number)
{
	(void)number;
}

/* Drops SYS_TIME from its bounding set when it is told to. */
static void change_when_told(void)
{
	const struct sigaction action = { .sa_handler = on_signal };

	if (sigaction(SIGUSR1, &action, NULL) < 0)
		_exit(7);
	say_ready();
	(void)pause();
	if (prctl(PR_CAPBSET_DROP, CAPABILITY_SYS_TIME, 0, 0, 0) < 0)
		_exit(8);
	rest();
}

static void what_has_changed_since_the_pass_before_is_seen(void **state)
{
	pid_t pid = start(change_when_told);
	struct snapshot first, same, changed;
	struct engine *engine;
	struct pass_options options = { .previous = &first };
	bool seen = false;

	(void)state;
	look(&engine, &first);
	assert_int_equal(engine->ops->pass(engine, &options, &same), 0);
	assert_memory_equal(&snapshot_find(&first, pid)->sets, &snapshot_find(&same, pid)->sets,
		sizeof(struct capability_sets));
	assert_int_equal(snapshot_find(&same, pid)->user_namespace, USER_NAMESPACE_INITIAL);
	assert_int_equal(snapshot_find(&same, pid)->namespace_pid, 1);
	assert_int_equal(kill(pid, SIGUSR1), 0);
	for (unsigned i = 0; i < 1000 && !seen; i++) {
		assert_int_equal(engine->ops->pass(engine, &options, &changed), 0);
		seen = !(snapshot_find(&changed, pid)->sets.of[CAPABILITY_BOUNDING] &
			 CAPABILITY_BIT(CAPABILITY_SYS_TIME));
		snapshot_done(&changed);
		(void)usleep(1000);
	}
	assert_true(seen);
	snapshot_done(&first);
	snapshot_done(&same);
	engine_free(engine);
	stop(pid);
}

/* What happens between the listing of all and the look at each. */
static struct {
	pid_t goes, comes;
} meanwhile;

struct pids_fetch *__real_procps_pids_reap(struct pids_info *info, enum pids_fetch_type which);
struct pids_fetch *__wrap_procps_pids_reap(struct pids_info *info, enum pids_fetch_type which);
struct pids_fetch *__wrap_procps_pids_reap(struct pids_info *info, enum pids_fetch_type which)
{
	struct pids_fetch *fetched = __real_procps_pids_reap(info, which);

	if (meanwhile.goes) {
		meanwhile.comes = start(just_rest);
		stop(meanwhile.goes);
		meanwhile.goes = 0;
	}
	return fetched;
}

static void who_comes_as_another_goes_is_seen_by_the_same_pass(void **state)
{
	const struct task *task;
	struct snapshot snapshot;
	struct engine *engine;

	(void)state;
	meanwhile.goes = start(just_rest);
	look(&engine, &snapshot);
	task = snapshot_find(&snapshot, meanwhile.comes);
	assert_non_null(task);
	assert_int_equal(task->namespace_pid, 1);
	for (size_t i = 1; i < snapshot.task_count; i++)
		assert_true(snapshot.tasks[i - 1].pid <= snapshot.tasks[i].pid);
	snapshot_done(&snapshot);
	engine_free(engine);
	stop(meanwhile.comes);
}

static bool yes(void)
{
	return true;
}

static void a_pass_can_be_ended(void **state)
{
	const struct pass_options options = { .cancelled = yes };
	struct snapshot snapshot;
	struct engine *engine;

	(void)state;
	assert_int_equal(engine_procfs_new(&engine), 0);
	assert_int_equal(engine->ops->pass(engine, &options, &snapshot), -ECANCELED);
	engine_free(engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_in_its_own_pid_namespace_is_seen_and_described),
		cmocka_unit_test(a_status_file_of_a_megabyte_hides_nothing),
		cmocka_unit_test(a_thread_with_other_sets_than_its_leader_is_a_task_of_its_own),
		cmocka_unit_test(a_leader_that_has_ended_does_not_hide_its_threads),
		cmocka_unit_test(another_user_namespace_is_told),
		cmocka_unit_test(a_process_that_is_another_now_is_not_described),
		cmocka_unit_test(what_has_changed_since_the_pass_before_is_seen),
		cmocka_unit_test(who_comes_as_another_goes_is_seen_by_the_same_pass),
		cmocka_unit_test(a_pass_can_be_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
