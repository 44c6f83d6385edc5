/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The harness itself: what the kernel says of the containers that the other tests start is what
 * those tests believe of them, and nothing of it stays behind. Reads /proc alone.
 */
#include "sys.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t set_of(struct sys *sys, pid_t pid, pid_t tid, const char *name)
{
	char *text = sys_read_file(sys_print(sys, "/proc/%d/task/%d/status", (int)pid, (int)tid));
	char *line = strstr(text, name);
	uint64_t mask = line ? strtoull(line + strlen(name) + 1, NULL, 16) : UINT64_MAX;

	free(text);
	return mask;
}

static void assert_sets(struct sys *sys, pid_t pid, uint64_t held, uint64_t bounding)
{
	assert_int_equal(set_of(sys, pid, pid, "CapEff"), held);
	assert_int_equal(set_of(sys, pid, pid, "CapPrm"), held);
	assert_int_equal(set_of(sys, pid, pid, "CapBnd"), bounding);
}

static void assert_in_cgroup(struct sys *sys, pid_t pid, const char *cgroup)
{
	char *text = sys_read_file(sys_print(sys, "/proc/%d/cgroup", (int)pid));
	bool found = strstr(text, cgroup) != NULL;

	free(text);
	assert_true(found);
}

static void a_container_holds_what_its_specification_grants(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_DEFAULT_SET,

				       .name = "web",
				       .pod = "cart",
				       .namespace_name = "shop" });

	assert_sets(sys, container->pid, SYS_DEFAULT_SET, SYS_DEFAULT_SET);
	assert_in_cgroup(sys, container->pid, container->cgroup);
}

static void a_container_can_be_bounded_by_more_than_it_holds(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .bounding_only = SYS_SYS_ADMIN, .uid = 1000 });

	assert_sets(sys, container->pid, 0, SYS_SYS_ADMIN);
}

static void what_is_executed_in_it_holds_what_was_asked_for(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ 0 });
	pid_t pid = sys_exec(sys, container, sys->all, NULL);

	assert_sets(sys, container->pid, 0, 0);
	assert_sets(sys, pid, sys->all, sys->all);
	assert_in_cgroup(sys, pid, container->cgroup);
}

static void what_enters_it_keeps_the_capabilities_of_the_host(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .user_namespace = true });
	pid_t pid = sys_enter(sys, container);

	assert_sets(sys, pid, sys->all, sys->all);
	assert_in_cgroup(sys, pid, container->cgroup);
}

static void a_leader_can_hold_less_than_its_thread(void **state)
{
	static const char *const argv[] = { "/bin/inside", "thread", NULL };
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN, .argv = argv });
	pid_t thread = sys_other_thread(container->pid);

	assert_sets(sys, container->pid, 0, SYS_SYS_ADMIN);
	assert_int_equal(set_of(sys, container->pid, thread, "CapEff"), SYS_SYS_ADMIN);
}

static void containerd_runs_the_image_with_the_default_set(void **state)
{
	static const char *const options[] = { "--allow-new-privs", "--cap-drop", "CAP_NET_RAW",
		NULL };
	struct sys *sys = *state;

	sys_need_containerd(sys);
	struct sys_container *container = sys_containerd_run(sys, NULL, false);
	struct sys_container *other = sys_containerd_run(sys, options, false);

	assert_sets(sys, container->pid, SYS_DEFAULT_SET, SYS_DEFAULT_SET);
	assert_sets(
		sys, other->pid, SYS_DEFAULT_SET & ~SYS_NET_RAW, SYS_DEFAULT_SET & ~SYS_NET_RAW);
	assert_in_cgroup(sys, container->pid, container->cgroup);
	pid_t pid = sys_exec(sys, container, sys->all, NULL);
	assert_sets(sys, pid, sys->all, sys->all);
}

/* A second fixture in a child that is killed with a container running. */
static void all_is_removed_when_the_test_program_is_killed(void **state)
{
	struct sys *sys = *state;
	int ends[2];
	struct {
		char directory[64], cgroup[256];
		pid_t guard, container;
	} told = { 0 };

	sys_need_containers(sys);
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		void *inner = NULL;

		if (sys_setup(&inner) != 0)
			_exit(1);
		struct sys *other = inner;
		struct sys_container *container = sys_start(other, &(struct sys_spec){ 0 });

		memcpy(told.directory, other->directory, sizeof(told.directory));
		memcpy(told.cgroup, container->cgroup, sizeof(told.cgroup));
		told.guard = other->guard_pid;
		told.container = container->pid;
		if (write(ends[1], &told, sizeof(told)) != sizeof(told))
			_exit(1);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(read(ends[0], &told, sizeof(told)), sizeof(told));
	(void)close(ends[0]);
	(void)close(ends[1]);
	assert_int_equal(kill(told.container, 0), 0);
	/* We are the subreaper, so the guard is ours now. */
	assert_int_equal(waitpid(told.guard, NULL, 0), told.guard);
	sys_reap(sys);
	assert_int_not_equal(kill(told.container, 0), 0);
	assert_int_not_equal(access(told.directory, F_OK), 0);
	assert_int_not_equal(access(sys_print(sys, "%s%s", sys->home, told.cgroup), F_OK), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(a_container_holds_what_its_specification_grants),
		SYS_TEST(a_container_can_be_bounded_by_more_than_it_holds),
		SYS_TEST(what_is_executed_in_it_holds_what_was_asked_for),
		SYS_TEST(what_enters_it_keeps_the_capabilities_of_the_host),
		SYS_TEST(a_leader_can_hold_less_than_its_thread),
		SYS_TEST(containerd_runs_the_image_with_the_default_set),
		SYS_TEST(all_is_removed_when_the_test_program_is_killed),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
