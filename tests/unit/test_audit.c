/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The whole pipeline on made-up tasks: an engine that is a table, a clock that stands still. What
 * scan would print is compared with a golden file, byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/command/scan.h"
#include "../support/fail_allocation.h"
#include "../support/under_valgrind.h"
#include "../support/golden.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_SET UINT64_C(0xa80425fb)
#define EVERYTHING  UINT64_C(0x1ffffffffff)
#define SYS_TIME    CAPABILITY_BIT(CAPABILITY_SYS_TIME)
#define NET_BIND    CAPABILITY_BIT(CAPABILITY_NET_BIND_SERVICE)
#define OTHER	    UINT64_C(4026532999)

#define POD_1 "0::/kubepods/besteffort/pod11111111-2222-3333-4444-555555555555/"
#define POD_2                                            \
	"0::/kubepods.slice/kubepods-burstable.slice/"   \
	"kubepods-burstable-pod22222222_2222_3333_4444_" \
	"555555555555.slice/cri-containerd-"
#define ID(c)	 c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define ID_64(c) ID(c) ID(c)

/* What a row does not mention is 0, on purpose. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct made {
	pid_t pid, tid, ppid;
	const char *cgroup;
	capability_mask held, bounding;
	uint64_t user_namespace; /* 0: the host's */
	unsigned level;		 /* PID namespaces below */
	pid_t inner;
	bool forked;
	bool vanishes; /* before it can be described */
	const char *exe, *comm;
};

static const struct made node[] = {
	/* the default set, and somebody exec'd in with everything */
	{ 100, 100, 50, POD_1 ID_64("a") "\n", DEFAULT_SET, DEFAULT_SET, .exe = "/bin/web",
		.comm = "web" },
	{ 101, 101, 100, POD_1 ID_64("a") "/worker\n", DEFAULT_SET, DEFAULT_SET, .exe = "/bin/web",
		.comm = "web" },
	{ 102, 102, 50, POD_1 ID_64("a") "\n", EVERYTHING, EVERYTHING, .exe = "/bin/sh",
		.comm = "\033[31msh\n" },
	/* drops everything, but one thread keeps what it had */
	{ 200, 200, 60, POD_2 ID_64("b") ".scope\n", NET_BIND, NET_BIND, .exe = "/bin/proxy",
		.comm = "proxy" },
	{ 201, 201, 60, POD_2 ID_64("c") ".scope\n", 0, 0, .exe = "/bin/quiet", .comm = "quiet" },
	{ 201, 209, 60, POD_2 ID_64("c") ".scope\n", SYS_TIME, 0, .exe = "/bin/quiet",
		.comm = "keeper" },
	/* a sandbox of its own making, as browsers have */
	{ 300, 300, 60, "0::/system.slice/docker-" ID_64("d") ".scope\n", 0, 0,
		.exe = "/opt/browser", .comm = "browser" },
	{ 301, 301, 300, "0::/system.slice/docker-" ID_64("d") ".scope\n", EVERYTHING, EVERYTHING,
		.user_namespace = OTHER, .exe = "/opt/browser", .comm = "zygote" },
	/* no path says so, but its PID namespace does */
	{ 400, 400, 1, "0::/user.slice/user-1000.slice/session-3.scope\n", SYS_TIME, SYS_TIME,
		.level = 1, .inner = 1, .exe = "/bin/x", .comm = "x" },
	/* still runc's */
	{ 500, 500, 70, "0::/docker/" ID_64("e") "\n", EVERYTHING, EVERYTHING, .forked = true,
		.exe = "/usr/bin/runc", .comm = "runc:[2:INIT]" },
	/* gone before it can be told about */
	{ 600, 600, 70, "0::/docker/" ID_64("f") "\n", EVERYTHING, EVERYTHING, .vanishes = true,
		.exe = "/bin/y", .comm = "y" },
};

static unsigned add_placement(struct snapshot *s, const char *text)
{
	struct placement *p;

	for (unsigned i = 0; i < s->placement_count; i++)
		if (s->placements[i].length == strlen(text) &&
			memcmp(s->placements[i].text, text, strlen(text)) == 0)
			return i;
	p = &s->placements[s->placement_count];
	p->text = strdup(text);
	p->length = strlen(text);
	cgroup_parse(text, p->length, NULL, &p->identity);
	if (p->text)
		cgroup_parse(p->text, p->length, NULL, &p->identity);
	return (unsigned)s->placement_count++;
}

static int made_pass(
	struct engine *engine, const struct pass_options *options, struct snapshot *ret)
{
	struct snapshot s = { .task_count = 0 };

	(void)engine;
	(void)options;
	s.tasks = calloc(ARRAY_SIZE(node), sizeof(*s.tasks));
	s.placements = calloc(ARRAY_SIZE(node), sizeof(*s.placements));
	if (!s.tasks || !s.placements) {
		free(s.tasks);
		free(s.placements);
		return -ENOMEM;
	}
	for (size_t i = 0; i < ARRAY_SIZE(node); i++) {
		const struct made *m = &node[i];
		struct task *t = &s.tasks[s.task_count++];

		t->pid = m->pid;
		t->tid = m->tid;
		t->ppid = m->ppid;
		t->start_ticks = (uint64_t)m->pid;
		t->sets.of[CAPABILITY_EFFECTIVE] = m->held;
		t->sets.of[CAPABILITY_PERMITTED] = m->held;
		t->sets.of[CAPABILITY_BOUNDING] = m->bounding;
		t->user_namespace_key = m->user_namespace ? m->user_namespace : 4026531837u;
		t->user_namespace =
			m->user_namespace ? USER_NAMESPACE_OTHER : USER_NAMESPACE_INITIAL;
		t->leader = m->tid == m->pid;
		t->forked = m->forked;
		t->namespace_level = m->level & 0xff;
		t->namespace_pid = m->inner;
		t->container = NO_CONTAINER;
		t->placement = add_placement(&s, m->cgroup);
		if (!s.placements[t->placement].text) {
			snapshot_done(&s);
			return -ENOMEM;
		}
		s.coverage.tasks++;
		s.coverage.processes += t->leader;
	}
	*ret = s;
	return 0;
}

static int made_describe(struct engine *engine, const struct task *task, struct process *ret)
{
	const struct made *m = NULL;
	struct process p = { .pid = task->pid,
		.tid = task->tid,
		.ppid = task->ppid,
		.start_ticks = task->start_ticks,
		.start_us = UINT64_C(1790000000000000) + task->start_ticks * 10000,
		.sets = task->sets,
		.user_namespace = task->user_namespace,
		.user_namespace_inode = task->user_namespace_key,
		.host_namespaces_known = HOST_NAMESPACE_PID | HOST_NAMESPACE_NET };

	(void)engine;
	for (size_t i = 0; i < ARRAY_SIZE(node); i++)
		if (node[i].pid == task->pid && node[i].tid == task->tid)
			m = &node[i];
	assert_non_null(m);
	if (m->vanishes)
		return -ESRCH;
	p.exe_is_runtime = m->forked;
	memcpy(p.comm, m->comm, strlen(m->comm) + 1);
	p.exe = strdup(m->exe);
	p.cmdline = calloc(3, sizeof(char *));
	if (p.cmdline)
		p.cmdline[0] = strdup(m->exe);
	if (p.cmdline && p.cmdline[0])
		p.cmdline[1] = strdup("--password=secret");
	if (!p.exe || !p.cmdline || !p.cmdline[0] || !p.cmdline[1]) {
		process_done(&p);
		return -ENOMEM;
	}
	*ret = p;
	return 0;
}

static void made_free(struct engine *engine)
{
	(void)engine;
}

static const struct engine_ops made_ops = {
	.pass = made_pass, .describe = made_describe, .free = made_free
};
static struct engine made_engine = { .ops = &made_ops, .name = "procfs" };

static uint64_t still_clock(int clock_id)
{
	/* boot was so short ago that all are young, and their executables decide: tick 800 */
	return clock_id == CLOCK_REALTIME ? UINT64_C(1795000000000000) : UINT64_C(8000000);
}

/* ---- containers as they are judged ---- */

struct taken {
	size_t count, observations, arguments, news;
	unsigned verdicts; /* their sum */
	char last[65];	   /* the id of the last one */
};

static void keep_taken(void *data, const struct audit_result *result, struct audited *audited)
{
	struct taken *taken = data;

	(void)result;
	taken->count++;
	taken->news += audited->news;
	taken->verdicts += audited->assessment.verdict;
	(void)snprintf(taken->last, sizeof(taken->last), "%s", audited->known->container.id);
	for (size_t i = 0; i < audited->observation_count; i++) {
		char *const *cmdline = audited->observations[i].finding.process.cmdline;

		taken->observations++;
		assert_non_null(cmdline[0]);
		taken->arguments += cmdline[1] != NULL;
	}
}

static void put_pod(struct cluster *cluster, const char *labels)
{
	struct pod_record *record;
	char text[512];

	(void)snprintf(text, sizeof(text),
		"{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\",\"uid\":"
		"\"11111111-2222-3333-4444-555555555555\",\"labels\":{%s}}}",
		labels);
	assert_int_equal(pod_record_parse(text, strlen(text), &record), 0);
	assert_int_equal(cluster_put_pod_take(cluster, record), 0);
}

static void put_namespace(struct cluster *cluster, const char *name)
{
	struct namespace_record *record;
	char text[128];

	(void)snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"%s\"}}", name);
	assert_int_equal(namespace_record_parse(text, strlen(text), &record), 0);
	assert_int_equal(cluster_put_namespace_take(cluster, record), 0);
}

static struct audit make_audit(const struct policy *policy, struct taken *taken)
{
	struct audit audit = { .engine = &made_engine,
		.registry = registry_new("/nonexistent"),
		.policy = policy,
		.clock = still_clock,
		.take = keep_taken,
		.take_data = taken };

	assert_non_null(audit.registry);
	*taken = (struct taken){ 0 };
	return audit;
}

static void pass(struct audit *audit)
{
	struct audit_result result;

	assert_int_equal(audit_pass(audit, &result), 0);
	assert_int_equal(result.container_count, 0);
	audit_result_done(&result);
}

/* How many containers were judged. */
static size_t judge_again(struct audit *audit, struct taken *taken)
{
	struct audit_result result;

	*taken = (struct taken){ 0 };
	assert_int_equal(audit_again(audit, &result), 0);
	assert_int_equal(result.container_count, 0);
	assert_int_equal(taken->news, taken->count);
	audit_result_done(&result);
	return taken->count;
}

static void only_what_a_source_told_of_is_judged_again(void **state)
{
	_cleanup_(policy_freep) struct policy *policy = policy_new_default();
	_cleanup_(cluster_freep) struct cluster *cluster = cluster_new();
	struct taken taken;
	struct audit audit = make_audit(policy, &taken);

	(void)state;
	audit.cluster = cluster;
	registry_use(audit.registry, NULL, cluster);
	pass(&audit);
	assert_true(taken.count > 3);
	assert_true(taken.observations > 1);

	assert_int_equal(judge_again(&audit, &taken), 0);
	put_namespace(cluster, "elsewhere");
	assert_int_equal(judge_again(&audit, &taken), 0);
	put_pod(cluster, "\"a\":\"b\"");
	assert_int_equal(judge_again(&audit, &taken), 1);
	assert_string_equal(taken.last, ID_64("a"));
	/* A label that no name shows may decide over a rule. */
	put_pod(cluster, "\"a\":\"c\"");
	assert_int_equal(judge_again(&audit, &taken), 1);
	put_namespace(cluster, "n");
	assert_int_equal(judge_again(&audit, &taken), 1);
	assert_true(taken.observations > 0);
	assert_int_equal(judge_again(&audit, &taken), 0);
	audit_done(&audit);
}

static void arguments_are_not_kept_where_nobody_is_told_of_them(void **state)
{
	static const char *const texts[] = { "version: 1\n",
		"version: 1\nrun: { cmdline: full }\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(policy_freep) struct policy *policy = NULL;
		struct taken taken;
		struct audit audit;
		struct diag diag;

		assert_int_equal(policy_load("p", texts[i], strlen(texts[i]), &policy, &diag), 0);
		audit = make_audit(policy, &taken);
		pass(&audit);
		assert_true(taken.observations > 1);
		assert_int_equal(taken.arguments, i ? taken.observations : 0);
		audit_done(&audit);
	}
}

static void what_nobody_is_told_of_is_not_made_and_counts_all_the_same(void **state)
{
	_cleanup_(policy_freep) struct policy *policy = policy_new_default();
	struct taken some, all;
	struct audit audit = make_audit(policy, &some);

	(void)state;
	pass(&audit);
	audit_done(&audit);
	audit = make_audit(policy, &all);
	audit.report_tolerated = true;
	pass(&audit);
	audit_done(&audit);
	assert_int_equal(some.count, all.count);
	assert_int_equal(some.verdicts, all.verdicts);
	assert_true(some.observations < all.observations);
}

/* Prints a scan of the node as JSON into *text. 0 or -ENOMEM. */
static int scan_node(char **text, size_t *length)
{
	const struct node where = { (char *)"node-1",
		(char *)"0c3d7f1e-5a55-4f3b-9d39-6f8f3a4c2b10", (char *)"6.18.44" };
	_cleanup_(policy_freep) struct policy *policy = policy_new_default();
	struct audit audit = { .engine = &made_engine,
		.registry = registry_new("/nonexistent"),
		.policy = policy,
		.clock = still_clock,
		.report_tolerated = true };
	struct audit_result result;
	struct scanned scanned = { .containers = NULL };
	FILE *memory;
	int r = policy && audit.registry ? audit_pass(&audit, &result) : -ENOMEM;

	if (r < 0) {
		audit_done(&audit);
		return r;
	}
	r = scanned_make(&scanned, false, NULL, &audit, &where, &result);
	if (r == 0) {
		memory = open_memstream(text, length);
		r = memory ? report_scan_json(&scanned.report, memory) : -ENOMEM;
		if (memory && (fclose(memory) != 0 || !*text))
			r = -ENOMEM;
	}
	scanned_done(&scanned);
	audit_result_done(&result);
	audit_done(&audit);
	return r;
}

static void made_up_tasks_give_the_golden_scan(void **state)
{
	char *text = NULL;
	size_t length = 0;

	(void)state;
	assert_int_equal(scan_node(&text, &length), 0);
	golden_check("scan-tasks.json", text, length);
	free(text);
}

static void two_scans_of_the_same_node_are_equal(void **state)
{
	char *one = NULL, *two = NULL;
	size_t length_one = 0, length_two = 0;

	(void)state;
	assert_int_equal(scan_node(&one, &length_one), 0);
	assert_int_equal(scan_node(&two, &length_two), 0);
	assert_int_equal(length_one, length_two);
	assert_memory_equal(one, two, length_one);
	free(one);
	free(two);
}

/* libc does without some of them (a buffer that it wanted to shrink): then the report is whole. */
static void whichever_allocation_fails_a_scan_is_whole_or_ends_with_an_error(void **state)
{
	const unsigned long step = under_valgrind(1, 11);
	unsigned long failed = 0;
	char *expected = NULL;
	size_t expected_length = 0;

	(void)state;
	assert_int_equal(scan_node(&expected, &expected_length), 0);
	for (unsigned long n = 1;; n += step) {
		char *text = NULL;
		size_t length = 0;
		bool fired;
		int r;

		fail_allocation_at(n);
		r = scan_node(&text, &length);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		if (r != 0) {
			assert_int_equal(r, -ENOMEM);
			failed++;
		} else {
			assert_int_equal(length, expected_length);
			assert_memory_equal(text, expected, length);
		}
		free(text);
		if (!fired)
			break;
	}
	assert_true(failed > 100 / step); /* or nothing was swept */
	free(expected);
}

/* ---- what the API is taken to say of a container's pod ---- */

static uint64_t late_clock(int clock_id)
{
	(void)clock_id;
	return 10 * AUDIT_API_GRACE_US;
}

static enum api_state api_state_of(
	const struct cluster *cluster, struct pod_record *pod, struct namespace_record *namespace)
{
	_cleanup_(policy_freep) struct policy *policy = policy_new_default();
	const struct audit audit = { .policy = policy, .cluster = cluster, .clock = late_clock };
	struct known_container known = { .container = { .in_pod = true },
		.first_seen_us = 1,
		.pod_record = pod,
		.namespace_record = namespace };
	struct judge_input input = { 0 };

	assert_non_null(policy);
	audit_input(&audit, &known, &input);
	return input.api;
}

static void a_pod_that_may_have_been_left_out_is_not_one_that_the_api_does_not_know(void **state)
{
	_cleanup_(cluster_freep) struct cluster *cluster = cluster_new();
	struct pod_record pod = { .name = (char *)"a" };
	struct namespace_record namespace = { .name = (char *)"shop" };

	(void)state;
	assert_non_null(cluster);
	assert_int_equal(api_state_of(cluster, NULL, NULL), API_PENDING);
	cluster_begin_pods(cluster);
	cluster_end_pods(cluster);
	cluster_begin_namespaces(cluster);
	cluster_end_namespaces(cluster);
	assert_int_equal(api_state_of(cluster, NULL, &namespace), API_KNOWS_NOT);
	assert_int_equal(api_state_of(cluster, &pod, NULL), API_KNOWS_NOT);
	cluster_lose_pod(cluster);
	assert_int_equal(api_state_of(cluster, NULL, &namespace), API_PENDING);
	assert_int_equal(api_state_of(cluster, &pod, NULL), API_KNOWS_NOT);
	cluster_lose_namespace(cluster);
	assert_int_equal(api_state_of(cluster, &pod, NULL), API_PENDING);
	assert_int_equal(api_state_of(cluster, &pod, &namespace), API_KNOWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_up_tasks_give_the_golden_scan),
		cmocka_unit_test(
			a_pod_that_may_have_been_left_out_is_not_one_that_the_api_does_not_know),
		cmocka_unit_test(two_scans_of_the_same_node_are_equal),
		cmocka_unit_test(only_what_a_source_told_of_is_judged_again),
		cmocka_unit_test(arguments_are_not_kept_where_nobody_is_told_of_them),
		cmocka_unit_test(what_nobody_is_told_of_is_not_made_and_counts_all_the_same),
		cmocka_unit_test(whichever_allocation_fails_a_scan_is_whole_or_ends_with_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
