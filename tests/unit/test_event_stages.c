/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs that an event tells of: a container runtime's own, told from a container's that looks
 * like it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/command/audit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVERYTHING UINT64_C(0x1ffffffffff)
#define HOSTS	   (HOST_NAMESPACE_PID | HOST_NAMESPACE_MNT)
#define CGROUP                                                  \
	"0::/kubepods/pod11111111-2222-3333-4444-555555555555/" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"

static const struct engine_ops no_ops = { 0 };
static size_t observations;

static uint64_t some_clock(int clock_id)
{
	return clock_id == CLOCK_REALTIME ? UINT64_C(1795000000000000) : 1000000u;
}

static void count_observations(
	void *data, const struct audit_result *result, struct audited *audited)
{
	(void)data;
	(void)result;
	observations += audited->observation_count;
}

static void fill(struct exec_event *event, bool runtime, unsigned namespaces)
{
	*event = (struct exec_event){
		.task = { .pid = 10,
			.tid = 10,
			.ppid = 1,
			.start_ticks = 10,
			.leader = true,
			.user_namespace = USER_NAMESPACE_INITIAL,
			.user_namespace_key = 4026531837u,
			.container = NO_CONTAINER },
		.placement = { .text = (char *)CGROUP, .length = strlen(CGROUP) },
		.process = { .pid = 10,
			.tid = 10,
			.ppid = 1,
			.start_ticks = 10,
			.comm = "runc",
			.exe = strdup("/"),
			.exe_is_runtime = runtime,
			.host_namespaces_known = HOSTS,
			.host_namespaces = namespaces },
	};
	for (unsigned i = 0; i < CAPABILITY_SETS; i++)
		event->task.sets.of[i] = EVERYTHING;
	event->process.sets = event->task.sets;
}

/* How many things are said of a program that holds everything. */
static size_t judge(bool runtime, unsigned namespaces)
{
	_cleanup_(policy_freep) struct policy *policy = policy_new_default();
	struct engine engine = { .ops = &no_ops, .name = "bpf" };
	struct audit audit = { .engine = &engine,
		.registry = registry_new("/nonexistent"),
		.policy = policy,
		.clock = some_clock,
		.take = count_observations };
	struct exec_event event;

	assert_non_null(audit.registry);
	fill(&event, runtime, namespaces);
	observations = 0;
	assert_int_equal(audit_event(&audit, &event), 0);
	process_done(&event.process);
	registry_free(audit.registry);
	snapshot_done(&audit.snapshot);
	return observations;
}

static void a_runtimes_copy_of_itself_in_the_hosts_namespaces_is_no_program_of_the_container(
	void **state)
{
	(void)state;
	assert_int_equal(judge(true, HOSTS), 0);
}

static void who_imitates_it_in_the_containers_namespaces_is_judged(void **state)
{
	(void)state;
	assert_true(judge(true, 0) > 0);
	assert_true(judge(true, HOST_NAMESPACE_PID) > 0);
	assert_true(judge(true, HOST_NAMESPACE_MNT) > 0);
}

static void any_other_program_in_the_hosts_namespaces_is_judged(void **state)
{
	(void)state;
	assert_true(judge(false, HOSTS) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_runtimes_copy_of_itself_in_the_hosts_namespaces_is_no_program_of_the_container),
		cmocka_unit_test(who_imitates_it_in_the_containers_namespaces_is_judged),
		cmocka_unit_test(any_other_program_in_the_hosts_namespaces_is_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
