/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A node's containers without its API server: real ones of containerd whose bundles say what its
 * CRI plugin writes, of CRI-O's layout, and the kubelet's links to their logs.
 */
#include "sys.h"

#include <sys/stat.h>

static const char *const admin[] = { "--cap-add", "CAP_SYS_ADMIN", NULL };

/* Of all that this test program started. */
static struct sys_result *scan_policy(struct sys *sys, enum sys_user user, const char *policy)
{
	char *file = sys_print(sys, "%s/policy.yaml", sys->directory);

	sys_write_file(file, policy);
	return sys_scan(sys, user, "--policy", file, "--kubernetes", "off", "--container",
		sys->token, NULL);
}

static struct sys_result *scan_all(struct sys *sys, enum sys_user user)
{
	return scan_policy(sys, user, "version: 1\n");
}

static void assert_says(struct sys *sys, json_t *object, const char *path, const char *expected)
{
	const char *said = sys_get(sys, object, path);

	if (strcmp(said, expected) != 0)
		fail_msg("%s is \"%s\" and not \"%s\"", path, said, expected);
}

/* `name`: the container's. */
static void assert_names(
	struct sys *sys, json_t *object, const struct sys_container *container, const char *name)
{
	assert_non_null(object);
	assert_says(sys, object, "pod.namespace", SYS_POD_NAMESPACE);
	assert_says(sys, object, "pod.name", container->pod);
	assert_says(sys, object, "pod.uid", container->pod_uid);
	assert_says(sys, object, "pod.qos", "Burstable");
	assert_says(sys, object, "container.name", name);
}

static json_t *read_bundle(struct sys *sys, const struct sys_container *container)
{
	json_error_t error;
	const char *file = sys_bundle_file(sys, container);
	json_t *bundle = json_load_file(file, JSON_REJECT_DUPLICATES, &error);

	if (!bundle)
		fail_msg("%s: %s", file, error.text);
	sys_own(sys, bundle, (void (*)(void *))json_decref);
	return bundle;
}

static void write_bundle(const char *file, json_t *bundle)
{
	if (json_dump_file(bundle, file, 0) != 0)
		fail_msg("%s cannot be written", file);
}

static void set_bounding(json_t *bundle, uint64_t mask)
{
	json_t *sets = json_object_get(json_object_get(bundle, "process"), "capabilities");

	assert_int_equal(json_object_set_new(sets, "bounding", sys_capability_names(mask)), 0);
}

/* ---- names ---- */

/* What the other tests rest on: the runtime was told what a node's is told. */
static void containerd_keeps_annotations_and_grants_in_the_bundle(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *web =
		sys_pod_add(sys, sandbox, &(struct sys_member){ .name = "web", .options = admin });
	const struct {
		const struct sys_container *container;
		const char *key, *value;
	} rows[] = {
		{ sandbox, "container-type", "sandbox" },
		{ sandbox, "sandbox-id", sandbox->id },
		{ sandbox, "container-name", NULL },
		{ web, "container-type", "container" },
		{ web, "sandbox-id", sandbox->id },
		{ web, "sandbox-name", "cart-7d4f" },
		{ web, "sandbox-namespace", SYS_POD_NAMESPACE },
		{ web, "sandbox-uid", sandbox->pod_uid },
		{ web, "container-name", "web" },
		{ web, "image-name", SYS_POD_IMAGE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *bundle = read_bundle(sys, rows[i].container);
		const char *said =
			json_string_value(json_object_get(json_object_get(bundle, "annotations"),
				sys_print(sys, "io.kubernetes.cri.%s", rows[i].key)));

		if (rows[i].value ? !said || strcmp(said, rows[i].value) != 0 : said != NULL)
			fail_msg("%s is %s", rows[i].key, said ? said : "missing");
		assert_says(sys, bundle, "linux.cgroupsPath", rows[i].container->cgroup);
	}
	assert_non_null(strstr(
		sys_get(sys, read_bundle(sys, web), "process.capabilities.bounding"), "SYS_ADMIN"));
}

static void the_bundle_alone_names_pod_container_and_image(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *web =
		sys_pod_add(sys, sandbox, &(struct sys_member){ .name = "web", .options = admin });
	const struct sys_result *scan = scan_all(sys, SYS_ROOT);
	json_t *finding = sys_finding(scan, web, "posture");

	assert_names(sys, sys_seen(scan, web), web, "web");
	assert_names(sys, finding, web, "web");
	assert_says(sys, finding, "container.image", SYS_POD_IMAGE);
	/* Which of its pod's lists it is in, and what was declared, the API server alone knows. */
	assert_says(sys, finding, "container.type", "unknown");
	assert_says(sys, finding, "declared", "null");
	assert_non_null(strstr(sys_get(sys, finding, "message"), "web (shop/cart-7d4f"));
}

/* Bundles are root's alone; the kubelet's links are everybody's to read. */
static void links_name_what_bundles_may_not_be_asked_for(void **state)
{
	static const struct {
		enum sys_user user;
		const char *policy;
		bool complains;
	} rows[] = {
		{ SYS_NOBODY, "version: 1\n", true },
		{ SYS_NOBODY, "version: 1\nrun: { bundles: off }\n", false },
		{ SYS_ROOT, "version: 1\nrun: { bundles: off }\n", false },
	};
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *web = sys_pod_add(sys, sandbox,
		&(struct sys_member){ .name = "web", .logs = "web", .options = admin });

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sys_result *scan = scan_policy(sys, rows[i].user, rows[i].policy);
		const char *said = strstr(scan->err, "cannot read the OCI bundles");

		assert_names(sys, sys_seen(scan, web), web, "web");
		assert_names(sys, sys_finding(scan, web, "posture"), web, "web");
		assert_says(sys, sys_seen(scan, web), "container.image", "null");
		assert_says(sys, sys_seen(scan, sandbox), "container.type", "sandbox");
		/* Once, however many containers there are; the audit itself lacks nothing. */
		assert_int_equal(said != NULL, rows[i].complains);
		assert_null(said ? strstr(said + 1, "cannot read the OCI") : NULL);
		assert_int_equal(scan->status, 1);
		assert_says(sys, scan->json, "coverage.complete", "true");
	}
}

static void the_bundles_name_goes_before_the_links(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *web = sys_pod_add(sys, sandbox,
		&(struct sys_member){ .name = "web", .logs = "old-name", .options = admin });

	assert_names(sys, sys_seen(scan_all(sys, SYS_ROOT), web), web, "web");
	assert_names(sys, sys_seen(scan_all(sys, SYS_NOBODY), web), web, "old-name");
}

/* The cgroup is the kernel's word: names of another pod's are not this container's, nor is it its
 * sandbox, nor does it get that pod's rule. */
static void a_bundle_that_names_another_pod_is_not_believed(void **state)
{
	static const char policy[] =
		"version: 1\n"
		"rules: [{ match: { pod: \"cart-*\" }, profile: privileged }]\n";
	struct sys *sys = *state;
	struct sys_container *cart = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *bill = sys_pod_start(sys, "bill-55c8");
	struct sys_member member = { .name = "web", .options = admin, .claims = cart };
	struct sys_container *liar = sys_pod_add(sys, bill, &member);
	member.claims_type = "sandbox";
	struct sys_container *false_sandbox = sys_pod_add(sys, bill, &member);
	member.logs = "clerk";
	struct sys_container *linked = sys_pod_add(sys, bill, &member);
	member = (struct sys_member){ .name = "web", .options = admin };
	struct sys_container *honest = sys_pod_add(sys, cart, &member);
	const struct sys_container *const unnamed[] = { liar, false_sandbox };
	const struct sys_result *scan = scan_policy(sys, SYS_ROOT, policy);

	/* The rule does count for whom it is meant. */
	assert_says(sys, sys_seen(scan, honest), "verdict", "compliant");
	for (size_t i = 0; i < sizeof(unnamed) / sizeof(unnamed[0]); i++) {
		json_t *seen = sys_seen(scan, unnamed[i]);

		assert_says(sys, seen, "pod.uid", bill->pod_uid);
		assert_says(sys, seen, "container.name", "null");
		assert_says(sys, seen, "container.type", "unknown");
		assert_says(sys, seen, "verdict", "violation");
	}
	assert_names(sys, sys_seen(scan, linked), linked, "clerk");
	assert_says(sys, sys_seen(scan, linked), "container.type", "unknown");
	assert_says(sys, sys_seen(scan, linked), "verdict", "violation");
}

static void a_rule_matches_the_image_that_the_bundle_names(void **state)
{
	static const char policy[] =
		"version: 1\n"
		"rules:\n"
		"  - match: { namespace: shop, image: \"registry.example/*\" }\n"
		"    profile: privileged\n";
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *web = sys_pod_add(sys, sandbox,
		&(struct sys_member){ .name = "web", .logs = "web", .options = admin });
	const struct sys_result *scan = scan_policy(sys, SYS_ROOT, policy);

	assert_says(sys, sys_seen(scan, web), "verdict", "compliant");
	assert_says(sys, sys_seen(scan, web), "profile.source", "rule");
	/* An unknown image matches nothing. */
	scan = scan_policy(sys, SYS_NOBODY, policy);
	assert_says(sys, sys_seen(scan, web), "verdict", "violation");
}

/* As for a moment when the kubelet restarts one: the same name, pod and sets. */
static void two_of_one_name_are_two_containers(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_member member = { .name = "web", .logs = "web", .options = admin };
	struct sys_container *first = sys_pod_add(sys, sandbox, &member);
	member.attempt = 1;
	struct sys_container *second = sys_pod_add(sys, sandbox, &member);

	for (int user = SYS_ROOT; user <= SYS_NOBODY; user++) {
		const struct sys_result *scan = scan_all(sys, (enum sys_user)user);
		json_t *one = sys_finding(scan, first, "posture"),
		       *other = sys_finding(scan, second, "posture");

		assert_names(sys, one, first, "web");
		assert_names(sys, other, second, "web");
		assert_int_equal(sys_number(one, "process.pid"), first->pid);
		assert_int_equal(sys_number(other, "process.pid"), second->pid);
		assert_string_not_equal(sys_get(sys, one, "id"), sys_get(sys, other, "id"));
		assert_says(sys, one, "workload_id", sys_get(sys, other, "workload_id"));
	}
}

/* ---- the sandbox ---- */

/* NET_RAW in its bounding set is what nobody can configure; the same set in a container counts. */
static void a_sandbox_is_known_and_its_bounding_set_is_nobodys_fault(void **state)
{
	static const char restricted[] = "version: 1\ndefaultProfile: restricted\n";
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *web =
		sys_pod_add(sys, sandbox, &(struct sys_member){ .name = "web", .logs = "web" });

	for (int user = SYS_ROOT; user <= SYS_NOBODY; user++) {
		const struct sys_result *scan = scan_policy(sys, (enum sys_user)user, restricted);
		json_t *seen = sys_seen(scan, sandbox);

		assert_names(sys, seen, sandbox, "null");
		assert_says(sys, seen, "container.type", "sandbox");
		assert_says(sys, seen, "verdict", "compliant");
		assert_says(sys, seen, "level", "restricted");
		assert_says(sys, seen, "advice", "");
		assert_says(sys, seen, "bounding", sys_names(sys, SYS_DEFAULT_SET));
		assert_says(sys, sys_seen(scan, web), "container.type", "unknown");
		assert_says(sys, sys_seen(scan, web), "verdict", "violation");
	}
}

static void what_somebody_put_into_a_sandbox_counts(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	pid_t pid = sys_exec(sys, sandbox, SYS_DEFAULT_SET | SYS_SYS_ADMIN, NULL);
	const struct sys_result *scan = scan_all(sys, SYS_ROOT);
	json_t *finding = sys_finding(scan, sandbox, "drift");

	assert_names(sys, finding, sandbox, "null");
	assert_says(sys, finding, "container.type", "sandbox");
	assert_says(sys, finding, "origin.SYS_ADMIN", "exec");
	assert_int_equal(sys_number(finding, "process.pid"), pid);
}

/* Alone in its pod, with no annotation, the same process is like any other. */
static void what_no_source_calls_a_sandbox_is_judged_whole(void **state)
{
	struct sys *sys = *state;

	sys_need_containerd(sys);
	struct sys_container *plain = sys_containerd_run(sys, NULL, true);
	const struct sys_result *scan =
		scan_policy(sys, SYS_ROOT, "version: 1\ndefaultProfile: restricted\n");

	assert_says(sys, sys_seen(scan, plain), "verdict", "violation");
	assert_says(sys, sys_seen(scan, plain), "container.type", "unknown");
}

/* ---- what was granted ---- */

/* A manifest could have asked for the same: what the bundle grants is no origin, but a hint where
 * it is to the letter what the runtime grants by itself. */
static void what_was_granted_is_no_declaration(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *web =
		sys_pod_add(sys, sandbox, &(struct sys_member){ .name = "web" });
	struct sys_container *tool =
		sys_pod_add(sys, sandbox, &(struct sys_member){ .name = "tool", .options = admin });
	const struct sys_result *scan =
		scan_policy(sys, SYS_ROOT, "version: 1\ndefaultProfile: restricted\n");
	json_t *finding = sys_finding(scan, web, "posture");

	assert_says(sys, finding, "origin.NET_RAW", "unknown");
	assert_true(sys_has_hint(finding, "runtime-default-set"));
	finding = sys_finding(scan, tool, "posture");
	assert_says(sys, finding, "origin.SYS_ADMIN", "unknown");
	assert_false(sys_has_hint(finding, "runtime-default-set"));
}

static void what_the_bundle_did_not_grant_came_by_exec(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *web =
		sys_pod_add(sys, sandbox, &(struct sys_member){ .name = "web" });
	struct sys_container *tool =
		sys_pod_add(sys, sandbox, &(struct sys_member){ .name = "tool" });
	/* By the runtime, and past it as nsenter(1) does. */
	pid_t executed = sys_exec(sys, web, SYS_DEFAULT_SET | SYS_SYS_ADMIN, NULL);
	pid_t entered = sys_enter(sys, tool);
	const struct sys_result *scan = scan_all(sys, SYS_ROOT);
	json_t *finding = sys_finding(scan, web, "drift");

	assert_names(sys, finding, web, "web");
	assert_int_equal(sys_number(finding, "process.pid"), executed);
	assert_says(sys, finding, "excess.effective", "SYS_ADMIN");
	assert_says(sys, finding, "origin.SYS_ADMIN", "exec");
	assert_says(sys, finding, "severity", "critical");
	assert_says(sys, finding, "container.image", SYS_POD_IMAGE);
	finding = sys_finding(scan, tool, "drift");
	assert_names(sys, finding, tool, "tool");
	assert_int_equal(sys_number(finding, "process.pid"), entered);
	assert_says(sys, finding, "excess.effective", sys_names(sys, sys->all & ~SYS_DEFAULT_SET));
	assert_says(sys, finding, "origin.SYS_ADMIN", "exec");
}

/* A runtime that was tampered with, or an NRI plugin: all processes have it, and only the bundle
 * tells that nobody was to. Whoever cannot read it takes the first process for the grant. */
static void a_first_process_with_more_than_the_bundle_grants_is_drift_too(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *web = sys_pod_add(sys, sandbox,
		&(struct sys_member){ .name = "web", .logs = "web", .options = admin });
	json_t *bundle = read_bundle(sys, web);

	set_bounding(bundle, SYS_DEFAULT_SET);
	write_bundle(sys_bundle_file(sys, web), bundle);
	json_t *seen = sys_seen(scan_all(sys, SYS_ROOT), web);
	assert_says(sys, seen, "class", "drift");
	assert_says(sys, seen, "severity", "critical");
	seen = sys_seen(scan_all(sys, SYS_NOBODY), web);
	assert_says(sys, seen, "class", "posture");
	assert_says(sys, seen, "severity", "high");
}

/* ---- CRI-O ---- */

/* The bundle that runc runs from, with CRI-O's annotations, where CRI-O keeps it. */
static void keep_as_cri_o(struct sys *sys, const struct sys_container *container)
{
	const char *storage =
		sys_print(sys, "%s/var/lib/containers/storage/overlay-containers", sys->host_root);
	const char *folder = sys_print(sys, "%s/%s/userdata", storage, container->id);
	json_t *bundle = read_bundle(sys, container);
	json_t *annotations = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
		"io.container.manager", "cri-o", "io.kubernetes.cri-o.ContainerType", "container",
		"io.kubernetes.cri-o.SandboxID", "another", "io.kubernetes.pod.namespace",
		SYS_POD_NAMESPACE, "io.kubernetes.pod.name", "cart-7d4f", "io.kubernetes.pod.uid",
		container->pod_uid, "io.kubernetes.container.name", "web",
		"io.kubernetes.cri-o.ImageName", SYS_POD_IMAGE);

	assert_int_equal(json_object_set_new(bundle, "annotations", annotations), 0);
	sys_make_directories(folder);
	assert_int_equal(chmod(storage, 0700), 0);
	write_bundle(sys_print(sys, "%s/config.json", folder), bundle);
}

/* Its cgroups say whose they are (crio-ID), unless conmon was told otherwise. */
static void bundles_of_cri_o_name_and_tell_grants_as_well(void **state)
{
	static const struct {
		const char *prefix, *runtime;
	} rows[] = { { "crio-", "cri-o" }, { NULL, "unknown-cri" } };
	struct sys *sys = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sys_container *container =
			sys_start(sys, &(struct sys_spec){ .cgroup_prefix = rows[i].prefix,
					       .pod = "cart-7d4f",
					       .capabilities = SYS_DEFAULT_SET });
		pid_t pid = sys_exec(sys, container, SYS_DEFAULT_SET | SYS_SYS_ADMIN, NULL);

		keep_as_cri_o(sys, container);
		const struct sys_result *scan = scan_all(sys, SYS_ROOT);
		json_t *finding = sys_finding(scan, container, "drift");
		assert_names(sys, finding, container, "web");
		assert_says(sys, finding, "container.runtime", rows[i].runtime);
		assert_says(sys, finding, "container.image", SYS_POD_IMAGE);
		assert_says(sys, finding, "origin.SYS_ADMIN", "exec");
		assert_int_equal(sys_number(finding, "process.pid"), pid);

		/* No other folder can be what it complains of. */
		scan = scan_policy(sys, SYS_NOBODY,
			"version: 1\n"
			"run: { bundles: [/var/lib/containers/storage/overlay-containers] }\n");
		assert_says(sys, sys_seen(scan, container), "container.name", "null");
		assert_non_null(strstr(scan->err, "overlay-containers"));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(containerd_keeps_annotations_and_grants_in_the_bundle),
		SYS_TEST(the_bundle_alone_names_pod_container_and_image),
		SYS_TEST(links_name_what_bundles_may_not_be_asked_for),
		SYS_TEST(the_bundles_name_goes_before_the_links),
		SYS_TEST(a_bundle_that_names_another_pod_is_not_believed),
		SYS_TEST(a_rule_matches_the_image_that_the_bundle_names),
		SYS_TEST(two_of_one_name_are_two_containers),
		SYS_TEST(a_sandbox_is_known_and_its_bounding_set_is_nobodys_fault),
		SYS_TEST(what_somebody_put_into_a_sandbox_counts),
		SYS_TEST(what_no_source_calls_a_sandbox_is_judged_whole),
		SYS_TEST(what_was_granted_is_no_declaration),
		SYS_TEST(what_the_bundle_did_not_grant_came_by_exec),
		SYS_TEST(a_first_process_with_more_than_the_bundle_grants_is_drift_too),
		SYS_TEST(bundles_of_cri_o_name_and_tell_grants_as_well),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
