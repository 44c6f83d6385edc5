/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose a process is: names from the log directories, sandboxes, and cgroups that a container made
 * below its own in order to be taken for another.
 */
#include "sys.h"

#include <errno.h>
#include <sys/stat.h>

static void names_come_from_the_log_directories(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN,
				       .name = "web",
				       .pod = "cart-7d4f",
				       .namespace_name = "shop" });
	const struct sys_result *scan = sys_judged(
		sys, container, &(struct sys_expected){ .verdict = "violation", .findings = 1 });
	json_t *finding = sys_finding(scan, container, NULL);

	assert_string_equal(sys_get(sys, finding, "container.name"), "web");
	assert_string_equal(sys_get(sys, finding, "container.runtime"), "unknown-cri");
	assert_string_equal(sys_get(sys, finding, "container.cgroup"), container->cgroup);
	assert_string_equal(sys_get(sys, finding, "pod.name"), "cart-7d4f");
	assert_string_equal(sys_get(sys, finding, "pod.namespace"), "shop");
	assert_string_equal(sys_get(sys, finding, "pod.uid"), container->pod_uid);
	assert_string_equal(sys_get(sys, finding, "pod.qos"), "Burstable");
	assert_non_null(strstr(sys_get(sys, finding, "message"), "shop/cart-7d4f"));
	assert_string_equal(sys_get(sys, sys_seen(scan, container), "container.name"), "web");
}

static void without_log_directories_the_cgroup_still_names_the_pod(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	const struct sys_result *scan = sys_judged(
		sys, container, &(struct sys_expected){ .verdict = "violation", .findings = 1 });
	json_t *finding = sys_finding(scan, container, NULL);

	assert_string_equal(sys_get(sys, finding, "container.name"), "null");
	assert_string_equal(sys_get(sys, finding, "pod.name"), "null");
	assert_string_equal(sys_get(sys, finding, "pod.uid"), container->pod_uid);
}

#define TEN "0123456789"

/* The link's name is cut to 255 bytes and loses the end of the id; its target tells. */
static void a_name_that_was_cut_is_read_from_the_target_of_its_link(void **state)
{
	static const char pod[] = "a" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN;
	static const char name[] = "c" TEN TEN TEN;
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN,
				       .name = name,
				       .pod = pod,
				       .namespace_name = "a-namespace-with-a-long-name" });
	const struct sys_result *scan = sys_judged(
		sys, container, &(struct sys_expected){ .verdict = "violation", .findings = 1 });
	json_t *finding = sys_finding(scan, container, NULL);

	assert_string_equal(sys_get(sys, finding, "container.name"), name);
	assert_string_equal(sys_get(sys, finding, "pod.name"), pod);
	assert_string_equal(sys_get(sys, finding, "pod.namespace"), "a-namespace-with-a-long-name");
}

/* A pod of two containers: the pause-like one has a folder of its pod and is in no log. */
static struct sys_container *start_sandbox(struct sys *sys, const struct sys_spec *spec)
{
	struct sys_container *sandbox = sys_start(sys, spec);

	(void)sys_start(sys, &(struct sys_spec){ .pod_uid = sandbox->pod_uid,
				     .name = "web",
				     .pod = "cart",
				     .namespace_name = "shop" });
	return sandbox;
}

static void a_sandbox_is_not_blamed_for_its_bounding_set(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox = start_sandbox(
		sys, &(struct sys_spec){ .bounding_only = SYS_DEFAULT_SET | SYS_SYS_ADMIN,
			     .uid = 65535,
			     .no_new_privs = true,
			     .name = "",
			     .pod = "cart",
			     .namespace_name = "shop",
			     .sandbox = true });
	const struct sys_result *scan = sys_judged(sys, sandbox,
		&(struct sys_expected){
			.level = "restricted", .verdict = "compliant", .held = "", .findings = 0 });

	assert_string_equal(sys_get(sys, sys_seen(scan, sandbox), "container.type"), "sandbox");
	assert_string_equal(sys_get(sys, sys_seen(scan, sandbox), "pod.name"), "cart");
	assert_string_equal(sys_get(sys, sys_seen(scan, sandbox), "advice"), "");
}

static void a_sandbox_is_blamed_for_what_it_can_use(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox =
		start_sandbox(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN,
					   .name = "",
					   .pod = "cart",
					   .namespace_name = "shop",
					   .sandbox = true });
	const struct sys_result *scan = sys_judged(sys, sandbox,
		&(struct sys_expected){
			.level = "privileged", .verdict = "violation", .findings = 1 });

	assert_string_equal(
		sys_get(sys, sys_finding(scan, sandbox, NULL), "container.type"), "sandbox");
}

/* What a container may make below its own cgroup, if it can write there. %s: another's id. */
static const char *const forged[] = {
	"cri-containerd-%s.scope",
	"crio-%s.scope",
	"crio-conmon-%s.scope",
	"libpod-conmon-%s.scope",
	"libpod-%s.scope",
	"docker-%s.scope",
	"lxc.monitor.%s",
	"supervisor",
	"init.scope",
	"system.slice/containerd.service",
	"kubepods/burstable/pod00000000-0000-4000-8000-000000000000/%s",
	"..not-above",
	"...",
	"container (deleted)",
	"with a:colon::in it",
	"tab\there",
	"\x1b[31mred\x1b[0m",
	"\xff\xfe\xc3(",
	"\x01\x02\x7f",
	"\xe2\x80\xae"
	"desrever",
	TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
		TEN TEN "01234",
	"line\nline",
};

static void what_a_container_makes_below_its_cgroup_changes_nothing(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN,
				       .name = "web",
				       .pod = "cart",
				       .namespace_name = "shop" });
	const struct sys_expected expected = {
		.verdict = "violation", .severity = "high", .processes = 1, .findings = 1
	};
	const char *id = sys_get(
		sys, sys_finding(sys_judged(sys, container, &expected), container, NULL), "id");
	static const char other[] =
		"00000000000000000000000000000000000000000000000000000000000000aa";
	size_t tried = 0;

	for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
		char name[512];
		const char *at = strstr(forged[i], "%s");

		(void)snprintf(name, sizeof(name), "%.*s%s%s",
			at ? (int)(at - forged[i]) : (int)strlen(forged[i]), forged[i],
			at ? other : "", at ? at + 2 : "");
		char *path = sys_print(sys, "%s/%s", container->cgroup, name);
		/* A newline is refused since Linux 5.13. */
		if (sys_cgroup_make(sys, path) == 0 ||
			sys_cgroup_move(sys, path, container->pid) == 0)
			continue;
		tried++;
		const struct sys_result *scan = sys_judged(sys, container, &expected);
		json_t *finding = sys_finding(scan, container, NULL);

		assert_string_equal(sys_get(sys, finding, "id"), id);
		assert_string_equal(sys_get(sys, finding, "container.cgroup"), container->cgroup);
		assert_string_equal(sys_get(sys, finding, "pod.name"), "cart");
		assert_true(sys_cgroup_move(sys, container->cgroup, container->pid) > 0);
	}
	assert_true(tried >= sizeof(forged) / sizeof(forged[0]) - 2);
}

/* In one hierarchy alone, as a container with one writable cgroup mount can. */
static void a_forged_cgroup_in_one_hierarchy_changes_nothing(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	const struct sys_expected expected = { .verdict = "violation", .findings = 1 };

	for (size_t i = 0; i < sys->hierarchies; i++) {
		char *path = sys_print(sys, "%s%s/crio-conmon-%s.scope", sys->hierarchy[i],
			container->cgroup, container->id);
		char *members = sys_print(sys, "%s/cgroup.procs", path);

		if (mkdir(path, 0755) != 0)
			fail_msg("%s: %s", path, strerror(errno));
		FILE *file = fopen(members, "we");
		if (!file)
			fail_msg("%s: %s", members, strerror(errno));
		(void)fprintf(file, "%d", (int)container->pid);
		/* cpuset on v1 takes nobody before it is configured. */
		if (fclose(file) != 0)
			continue;
		(void)sys_judged(sys, container, &expected);
		assert_true(sys_cgroup_move(sys, container->cgroup, container->pid) > 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(names_come_from_the_log_directories),
		SYS_TEST(without_log_directories_the_cgroup_still_names_the_pod),
		SYS_TEST(a_name_that_was_cut_is_read_from_the_target_of_its_link),
		SYS_TEST(a_sandbox_is_not_blamed_for_its_bounding_set),
		SYS_TEST(a_sandbox_is_blamed_for_what_it_can_use),
		SYS_TEST(what_a_container_makes_below_its_cgroup_changes_nothing),
		SYS_TEST(a_forged_cgroup_in_one_hierarchy_changes_nothing),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
