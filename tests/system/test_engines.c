/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whoever looks, and with whatever privilege: the same findings. Hundreds of containers with sets
 * of all kinds, scanned with either engine, whose whole documents are compared but for what tells
 * when, how and how long they looked.
 */
#include "sys.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COPIES 12 /* of each kind */
#define TRIES  40

/* What a process changes of itself once it runs: what is to be different in it. */
struct kind {
	const char *cgroup; /* below the hierarchy; %s: pod's UID, id. NULL: a pod's, by cgroupfs */
	struct sys_inhabitant is;
	const char *role[6];
};

#define POD  "/kubepods/burstable/pod%s/%s"
#define DEEP "/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d"

static const struct kind kinds[] = {
	{ .is = { .bounding = 0 } },
	{ .is = { .bounding = SYS_NET_BIND_SERVICE, .no_new_privs = true, .seccomp = true } },
	{ .is = { .bounding = SYS_DEFAULT_SET } },
	{ .is = { .bounding = SYS_SYS_ADMIN, .pid_namespace = true } },
	{ .is = { .bounding = SYS_SYS_ADMIN, .no_new_privs = true } },
	{ .is = { .bounding = SYS_SYS_ADMIN | SYS_NET_ADMIN, .uid = 1000 } },
	{ .is = { .bounding = SYS_SYS_ADMIN, .uid = 1000, .no_new_privs = true, .seccomp = true } },
	{ .is = { .bounding = SYS_NET_ADMIN, .ambient = SYS_NET_ADMIN, .uid = 1000 } },
	{ .is = { .bounding = SYS_NET_ADMIN }, .role = { "hold", "0", "1000", "0" } },
	{ .is = { .bounding = SYS_NET_ADMIN }, .role = { "hold", "1000", "1000", "1000" } },
	{ .is = { .bounding = SYS_NET_ADMIN, .inheritable = SYS_NET_ADMIN, .uid = 1000 } },
	{ .is = { .bounding = SYS_SYS_ADMIN }, .role = { "thread" } },
	{ .is = { .bounding = SYS_SYS_ADMIN }, .role = { "zombie" } },
	{ .is = { .bounding = SYS_SYS_ADMIN }, .role = { "halfway" } },
	{ .is = { .bounding = SYS_DEFAULT_SET | SYS_SYS_ADMIN }, .role = { "family", "3" } },
	{ .is = { .uid = 1000 }, .role = { "nested", "2" } },
	{ .is = { .bounding = SYS_NET_ADMIN, .ambient = SYS_NET_ADMIN, .uid = 1000 },
		.role = { "nested", "2" } },
	{ .is = { .bounding = SYS_SYS_ADMIN, .user_namespace = true, .pid_namespace = true } },
	{ .is = { .bounding = SYS_SYS_ADMIN }, .role = { "hostile" } },
	{ .cgroup = "/capauditd-test-%.16s/odd-%.0s%s",
		.is = { .bounding = SYS_NET_ADMIN, .pid_namespace = true } },
	{ .cgroup = POD "/kubepods/pod11111111-2222-4333-8444-555555555555/"
			"0000000000000000000000000000000000000000000000000000000000000001",
		.is = { .bounding = SYS_SYS_ADMIN } },
	{ .cgroup = POD "/a\tb\x1b[2J\xff (deleted)", .is = { .bounding = SYS_NET_ADMIN } },
	{ .cgroup = POD DEEP DEEP DEEP, .is = { .bounding = SYS_SYS_ADMIN } },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void settle_one(struct sys *sys, const struct kind *kind)
{
	struct sys_container *container = sys_bare(sys);
	struct sys_inhabitant inhabitant = kind->is;
	const char *argv[8] = { sys_inside(sys, "inside") };

	if (kind->cgroup && strncmp(kind->cgroup, POD, sizeof(POD) - 1) == 0)
		(void)snprintf(container->cgroup + strlen(container->cgroup),
			sizeof(container->cgroup) - strlen(container->cgroup), "%s",
			kind->cgroup + sizeof(POD) - 1);
	else if (kind->cgroup)
		(void)snprintf(container->cgroup, sizeof(container->cgroup), "%s/odd-%s",
			sys->harness_cgroup, container->id);
	sys_bare_make(sys, container, false);
	for (size_t i = 0; kind->role[0] && i < 6; i++)
		argv[1 + i] = kind->role[i];
	if (kind->role[0])
		inhabitant.argv = argv;
	inhabitant.cgroup = container->cgroup;
	container->pid = sys_inhabit(sys, &inhabitant);
}

static void settle_many(struct sys *sys)
{
	for (size_t i = 0; i < KINDS; i++)
		for (int copy = 0; copy < COPIES; copy++)
			settle_one(sys, &kinds[i]);
	/* And what runc makes, for all hierarchies at once. */
	(void)sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN,
				     .name = "web",
				     .pod = "cart",
				     .namespace_name = "shop" });
	(void)sys_start(sys, &(struct sys_spec){ .capabilities = SYS_DEFAULT_SET,
				     .name = "pause",
				     .pod = "cart",
				     .namespace_name = "shop",
				     .sandbox = true });
	struct sys_container *moved = sys_start(sys, &(struct sys_spec){ .capabilities = 0 });
	(void)sys_exec(sys, moved, sys->all, NULL);
	(void)sys_start(
		sys, &(struct sys_spec){ .capabilities = sys->all, .user_namespace = true });
	(void)sys_start_by_hand(sys);
}

/* By its cgroup; or it is named after its first process. */
static bool is_ours(struct sys *sys, json_t *container)
{
	const char *cgroup = json_string_value(json_object_get(container, "cgroup"));
	const char *id = json_string_value(json_object_get(container, "id"));
	int pid;

	if (cgroup && (strstr(cgroup, sys->token) || strstr(cgroup, sys->pod_token)))
		return true;
	if (!id || sscanf(id, "pidns-%d-", &pid) != 1)
		return false;
	for (size_t i = 0; i < SYS_CONTAINERS_MAX; i++)
		if (sys->containers[i].used && sys->containers[i].pid == pid)
			return true;
	return false;
}

/* Of a list of findings or containers: those that are ours. How many others there were. */
static size_t keep_ours(struct sys *sys, json_t *list)
{
	size_t others = 0;

	for (size_t i = json_array_size(list); i-- > 0;) {
		if (is_ours(sys, json_object_get(json_array_get(list, i), "container")))
			continue;
		(void)json_array_remove(list, i);
		others++;
	}
	return others;
}

/* What may differ. Where others have containers here, which do as they like, that is all of what is
 * not about ours. */
static json_t *without_circumstances(struct sys *sys, const struct sys_result *scan)
{
	static const char *const of_scan[] = { "started", "duration_us", "engine" };
	static const char *const of_finding[] = { "time", "first_seen", "last_seen", "engine" };
	json_t *copy = json_deep_copy(scan->json), *item;
	size_t i;

	for (i = 0; i < sizeof(of_scan) / sizeof(of_scan[0]); i++)
		(void)json_object_del(copy, of_scan[i]);
	/* A sandbox may hide tasks from iterators, and both scans are a task themselves. */
	(void)json_object_del(json_object_get(copy, "coverage"), "tasks");
	(void)json_object_del(json_object_get(copy, "coverage"), "processes");
	(void)json_object_del(json_object_get(copy, "coverage"), "vanished");
	const size_t others = keep_ours(sys, json_object_get(copy, "findings")) +
			      keep_ours(sys, json_object_get(copy, "containers"));
	if (others) {
		(void)json_object_del(copy, "coverage");
		(void)json_object_del(copy, "totals");
	}
	json_array_foreach(json_object_get(copy, "findings"), i, item)
	{
		/* Of its ticks since the boot, whose time is rounded anew by each scan. */
		(void)json_object_del(json_object_get(item, "process"), "start_time");
		for (size_t k = 0; k < sizeof(of_finding) / sizeof(of_finding[0]); k++)
			(void)json_object_del(item, of_finding[k]);
	}
	sys_own(sys, copy, (void (*)(void *))json_decref);
	return copy;
}

static const char *dump(struct sys *sys, json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : strdup("nothing");

	if (!text)
		fail_msg("out of memory");
	sys_own(sys, text, free);
	return text;
}

/* The first place where they differ: "findings.3.process.exe: A, and not B". */
static const char *find_difference(struct sys *sys, json_t *a, json_t *b, const char *where)
{
	const char *key;
	json_t *value;

	if (json_is_object(a) && json_is_object(b)) {
		json_object_foreach(a, key, value)
		{
			if (!json_equal(value, json_object_get(b, key)))
				return find_difference(sys, value, json_object_get(b, key),
					sys_print(sys, "%s.%s", where, key));
		}
	}
	for (size_t i = 0; json_is_array(a) && json_is_array(b) && i < json_array_size(a); i++)
		if (!json_equal(json_array_get(a, i), json_array_get(b, i)))
			return sys_print(sys, "%s\n%s",
				find_difference(sys, json_array_get(a, i), json_array_get(b, i),
					sys_print(sys, "%s.%zu", where, i)),
				dump(sys, json_array_get(a, i)));
	return sys_print(sys, "%s: %s, and not %s", where, dump(sys, a), dump(sys, b));
}

/* With nothing but what the bpf engine needs. */
static int keep_bpf_and_perfmon(void *data)
{
	const uint64_t kept = UINT64_C(1) << CAP_BPF | UINT64_C(1) << CAP_PERFMON;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { 0 };

	(void)data;
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!(kept >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
			return -errno;
	for (unsigned i = 0; i < 2; i++)
		sets[i].effective = sets[i].permitted = (uint32_t)(kept >> 32 * i);
	return syscall(SYS_capset, &header, sets) == 0 ? 0 : -errno;
}

static const struct sys_result *scan_by(
	struct sys *sys, const char *engine, int (*prepare)(void *data))
{
	const char *argv[] = { sys->program, "scan", "--format", "json", "--host-root",
		sys->host_root, "--policy", "none", "--engine", engine,
		sys->nested ? "--nested" : NULL, NULL };
	struct sys_result *result =
		sys_command(sys, &(struct sys_command){ .argv = argv, .prepare = prepare });
	json_error_t error;

	result->json = json_loadb(result->out, result->out_length, JSON_REJECT_DUPLICATES, &error);
	if (!result->json)
		fail_msg("status %d: %s", result->status, result->err);
	assert_string_equal(sys_get(sys, result->json, "engine"), engine);
	return result;
}

/* Whoever else lives on this machine may do something between two scans: where two of the same
 * engine, one before and one after, do not agree, or there was something in between that is not
 * there the next time, it is tried again. */
static void compare(struct sys *sys, int (*prepare_bpf)(void *))
{
	const char *difference = "this machine never stood still";

	for (int i = 0; i < TRIES; i++) {
		json_t *before = without_circumstances(sys, scan_by(sys, "procfs", NULL));
		json_t *bpf = without_circumstances(sys, scan_by(sys, "bpf", prepare_bpf));
		json_t *after = without_circumstances(sys, scan_by(sys, "procfs", NULL));

		if (!json_equal(before, after))
			continue;
		const size_t containers = json_array_size(json_object_get(bpf, "containers"));

		assert_true(containers >= KINDS * COPIES);
		if (json_equal(before, bpf)) {
			print_message("%zu findings in %zu containers%s, try %d\n",
				json_array_size(json_object_get(bpf, "findings")), containers,
				json_object_get(bpf, "coverage") ? "" : " beside those of others",
				i + 1);
			return;
		}
		difference = find_difference(sys, before, bpf, "");
	}
	fail_msg("procfs and bpf differ: %s", difference);
}

static void both_engines_say_the_same_of_hundreds_of_containers(void **state)
{
	struct sys *sys = *state;

	sys_need_bpf(sys);
	settle_many(sys);
	compare(sys, NULL);
	/* And as the DaemonSet and the unit let it: what /proc refuses then is asked of the kernel.
	 */
	compare(sys, keep_bpf_and_perfmon);
}

/* "auto", or an engine by its name, as somebody who may not load it. */
static struct sys_result *look(struct sys *sys, enum sys_user user, const char *engine)
{
	const char *const argv[] = { sys->program, "scan", "--format", "json", "--host-root",
		sys->host_root, "--policy", "none", "--engine", engine,
		sys->nested ? "--nested" : NULL, NULL };

	return sys_capauditd_argv(sys, user, argv);
}

static void auto_falls_back_for_an_ordinary_user_and_says_why(void **state)
{
	struct sys *sys = *state;

	sys_need_bpf(sys);
	struct sys_result *scan = look(sys, SYS_NOBODY, "auto");
	scan->json = json_loadb(scan->out, scan->out_length, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(scan->json);
	assert_string_equal(sys_get(sys, scan->json, "engine"), "procfs");
	assert_non_null(strstr(scan->err, "CAP_BPF and CAP_PERFMON"));
	/* One line. */
	assert_ptr_equal(strchr(scan->err, '\n'), scan->err + strlen(scan->err) - 1);
	scan = look(sys, SYS_ROOT, "auto");
	scan->json = json_loadb(scan->out, scan->out_length, JSON_REJECT_DUPLICATES, NULL);
	assert_string_equal(sys_get(sys, scan->json, "engine"), "bpf");
	assert_string_equal(scan->err, "");
}

static void an_ordinary_user_who_wants_bpf_gets_status_2_and_the_reason(void **state)
{
	struct sys *sys = *state;
	const struct sys_result *scan = look(sys, SYS_NOBODY, "bpf");

	sys_need_bpf(sys);
	assert_int_equal(scan->status, 2);
	assert_string_equal(scan->out, "");
	assert_non_null(strstr(scan->err, "CAP_BPF and CAP_PERFMON"));
	const struct sys_result *run =
		sys_capauditd(sys, SYS_NOBODY, "run", "--engine", "bpf", "--policy", "none", NULL);
	assert_int_equal(run->status, 2);
	assert_non_null(strstr(run->err, "CAP_BPF and CAP_PERFMON"));
}

/* Only where there is nothing else to test: a build without it. */
static void a_build_without_bpf_says_so(void **state)
{
	struct sys *sys = *state;
	const struct sys_result *scan = look(sys, SYS_ROOT, "bpf");

	if (!strstr(scan->err, "this build has no bpf engine")) {
		print_message("skipped: this build has the bpf engine\n");
		skip();
	}
	assert_int_equal(scan->status, 2);
	scan = look(sys, SYS_ROOT, "auto");
	assert_non_null(strstr(scan->out, "\"engine\":\"procfs\""));
	assert_non_null(strstr(scan->err, "this build has no bpf engine"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(both_engines_say_the_same_of_hundreds_of_containers),
		SYS_TEST(auto_falls_back_for_an_ordinary_user_and_says_why),
		SYS_TEST(an_ordinary_user_who_wants_bpf_gets_status_2_and_the_reason),
		SYS_TEST(a_build_without_bpf_says_so),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
