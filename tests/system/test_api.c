/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scan and run beside an API server: real containers, whose pods and namespaces a server on
 * loopback tells of. What the source does by itself is in tests/kubernetes.
 */
#include "api_fixture.h"

#include <capauditd/kubernetes.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

/* A pod of one container, as the API server would tell of it. */
struct told {
	const struct sys_container *container;
	const char *list;    /* "containers" */
	const char *status;  /* "containerStatuses" */
	const char *context; /* securityContext */
	const char *rest;    /* further metadata, after a comma */
};

static char *pod_text(struct sys *sys, const struct told *told)
{
	const struct sys_container *c = told->container;

	return sys_print(sys,
		"{\"metadata\":{\"name\":\"cart-7d4f\",\"namespace\":\"shop\",\"uid\":\"%s\"%s},"
		"\"spec\":{\"nodeName\":\"n1\",\"%s\":[{\"name\":\"web\",\"image\":"
		"\"registry.example/web:1\",\"restartPolicy\":\"Never\",\"securityContext\":%s}]},"
		"\"status\":{\"qosClass\":\"Burstable\",\"%s\":[{\"name\":\"web\",\"containerID\":"
		"\"containerd://%s\"}]}}",
		c->pod_uid, told->rest, told->list, told->context, told->status, c->id);
}

#define OWNED                                                                                \
	",\"labels\":{\"pod-template-hash\":\"7d4f\",\"tier\":\"web\"},\"ownerReferences\":" \
	"[{\"kind\":\"ReplicaSet\",\"name\":\"cart-7d4f\",\"controller\":true}]"
#define ENFORCE(level) "\"pod-security.kubernetes.io/enforce\":\"" level "\""

static void a_finding_names_pod_owner_level_declaration_origin_and_cure(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(
		sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN | SYS_NET_BIND_SERVICE });
	struct api api = api_start(sys, false);
	const struct told told = { container, "containers", "containerStatuses",
		"{\"capabilities\":{\"add\":[\"SYS_ADMIN\",\"NET_BIND_SERVICE\"],\"drop\":"
		"[\"ALL\"]}}",
		OWNED };

	api_set_list(sys, &api, SERVER_PODS, pod_text(sys, &told));
	api_set_list(sys, &api, SERVER_NAMESPACES, api_namespace(sys, ENFORCE("restricted")));
	for (int user = SYS_ROOT; user <= SYS_NOBODY; user++) {
		const struct sys_result *scan = sys_scan(sys, (enum sys_user)user, "--kubeconfig",
			api.kubeconfig, "--node", "n1", "--container", container->id, NULL);
		json_t *f = sys_finding(scan, container, "posture");
		static const char *const rows[][2] = {
			{ "pod.namespace", "shop" },
			{ "pod.name", "cart-7d4f" },
			{ "pod.owner", "Deployment/cart" },
			{ "container.name", "web" },
			{ "container.type", "regular" },
			{ "container.image", "registry.example/web:1" },
			{ "profile.name", "restricted" },
			{ "profile.source", "namespace-label" },
			{ "severity", "critical" }, /* its namespace's own label forbids it */
			{ "provisional", "false" },
			{ "declared.add", "NET_BIND_SERVICE SYS_ADMIN" },
			{ "declared.drop", "ALL" },
			{ "declared.privileged", "false" },
			{ "origin.SYS_ADMIN", "declared" },
			{ "remedy.field", "spec.template.spec.containers[name=web].securityContext."
					  "capabilities" },
			{ "remedy.of", "Deployment/cart" },
			{ "remedy.drop", "ALL" },
			{ "remedy.add", "NET_BIND_SERVICE" },
		};

		assert_int_equal(scan->status, 1);
		assert_non_null(f);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (strcmp(sys_get(sys, f, rows[i][0]), rows[i][1]) != 0)
				fail_msg("%s: %s", rows[i][0], sys_get(sys, f, rows[i][0]));
		assert_non_null(
			strstr(sys_get(sys, f, "message"), "Container web (shop/cart-7d4f"));
	}
}

static void the_cure_can_be_pasted(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_DEFAULT_SET });
	struct api api = api_start(sys, false);
	const struct told told = { container, "initContainers", "initContainerStatuses",
		"{\"privileged\":true}", OWNED };
	const struct sys_result *scan;

	api_set_list(sys, &api, SERVER_PODS, pod_text(sys, &told));
	scan = sys_capauditd(sys, SYS_ROOT, "scan", "--policy", "none", "--profile", "restricted",
		"--remedy", "--host-root", sys->host_root, "--kubeconfig", api.kubeconfig,
		"--container", container->id, NULL);
	assert_int_equal(scan->status, 1);
	assert_non_null(strstr(scan->out, "in Deployment/cart\n"
					  "spec:\n"
					  "  template:\n"
					  "    spec:\n"
					  "      initContainers:\n"
					  "      - name: \"web\"\n"
					  "        securityContext:\n"
					  "          privileged: false\n"
					  "          capabilities:\n"
					  "            drop: [\"ALL\"]\n"
					  "            add: []\n"));
}

static void net_raw_that_is_declared_is_not_tolerated(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_DEFAULT_SET });
	struct api api = api_start(sys, false);
	struct told told = { container, "containers", "containerStatuses", "null", OWNED };
	const struct sys_result *scan;

	api_set_list(sys, &api, SERVER_PODS, pod_text(sys, &told));
	scan = sys_scan(
		sys, SYS_ROOT, "--kubeconfig", api.kubeconfig, "--container", container->id, NULL);
	assert_string_equal(sys_get(sys, sys_seen(scan, container), "verdict"), "tolerated");
	assert_string_equal(sys_get(sys, sys_finding(scan, container, NULL), "origin.NET_RAW"),
		"runtime-default");
	assert_int_equal(scan->status, 0);

	told.context = "{\"capabilities\":{\"add\":[\"NET_RAW\"]}}";
	api_set_list(sys, &api, SERVER_PODS, pod_text(sys, &told));
	scan = sys_scan(
		sys, SYS_ROOT, "--kubeconfig", api.kubeconfig, "--container", container->id, NULL);
	assert_string_equal(sys_get(sys, sys_seen(scan, container), "verdict"), "violation");
	assert_string_equal(
		sys_get(sys, sys_finding(scan, container, NULL), "origin.NET_RAW"), "declared");
	assert_int_equal(scan->status, 1);
}

static void the_policy_may_ask_for_labels_and_owners(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_NET_ADMIN });
	struct api api = api_start(sys, false);
	const struct told told = { container, "containers", "containerStatuses", "null", OWNED };
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);
	const struct sys_result *scan;

	sys_write_file(policy,
		"version: 1\n"
		"profiles: { network: { extends: restricted, allow: [NET_ADMIN] } }\n"
		"rules:\n"
		"  - match: { namespaceSelector: { team: pay }, podSelector: { tier: db } }\n"
		"    profile: privileged\n"
		"  - match: { namespaceSelector: { team: p* }, podSelector: { tier: web },\n"
		"             owner: Deployment/cart, containerType: regular }\n"
		"    profile: network\n");
	api_set_list(sys, &api, SERVER_PODS, pod_text(sys, &told));
	api_set_list(sys, &api, SERVER_NAMESPACES, api_namespace(sys, "\"team\":\"pay\""));
	scan = sys_scan(sys, SYS_ROOT, "--policy", policy, "--kubeconfig", api.kubeconfig,
		"--container", container->id, NULL);
	assert_int_equal(scan->status, 0);
	assert_string_equal(sys_get(sys, sys_seen(scan, container), "profile.name"), "network");
	assert_string_equal(sys_get(sys, sys_seen(scan, container), "verdict"), "compliant");
}

/* Silence must never look like an all-clear: its label could be stricter than the default. */
static void a_server_that_does_not_answer_makes_a_scan_incomplete(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ .capabilities = 0 });
	struct sys_container *violating =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	struct api api = api_start(sys, false);
	const struct kube_misbehaviour forbidden = { .status = 403,
		.message = "pods is forbidden" };
	const struct sys_result *scan;
	json_t *f;

	kube_server_misbehave(api.server, SERVER_PODS, SERVER_LIST, &forbidden);
	scan = sys_scan(
		sys, SYS_ROOT, "--kubeconfig", api.kubeconfig, "--container", container->id, NULL);
	assert_int_equal(scan->status, 3);
	assert_string_equal(sys_get(sys, scan->json, "coverage.complete"), "false");
	assert_non_null(strstr(sys_get(sys, scan->json, "coverage.why_incomplete"), "403"));
	assert_non_null(strstr(scan->err, "pods is forbidden"));

	scan = sys_scan(
		sys, SYS_ROOT, "--kubeconfig", api.kubeconfig, "--container", violating->id, NULL);
	assert_int_equal(scan->status, 1);
	f = sys_finding(scan, violating, "posture");
	assert_string_equal(sys_get(sys, f, "provisional"), "true");
	assert_string_equal(sys_get(sys, f, "declared"), "null");
	assert_true(sys_has_hint(f, "api-pending"));
}

static void a_scan_goes_on_with_the_other_list_and_tells_of_each_failure(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	struct api api = api_start(sys, false);
	const struct told told = { container, "containers", "containerStatuses",
		"{\"capabilities\":{\"add\":[\"SYS_ADMIN\"]}}", OWNED };
	const struct kube_misbehaviour forbidden = { .status = 403, .message = "no watching" };
	const struct kube_misbehaviour unwell = { .status = 500, .message = "etcd is unwell" };
	const struct sys_result *scan;
	const char *why;
	json_t *f;

	api_set_list(sys, &api, SERVER_PODS, pod_text(sys, &told));
	api_set_list(sys, &api, SERVER_NAMESPACES, api_namespace(sys, ENFORCE("restricted")));
	/* What fails at once does not keep the slower list from being read, ... */
	kube_server_misbehave(api.server, SERVER_NAMESPACES, SERVER_LIST, &forbidden);
	kube_server_misbehave(api.server, SERVER_PODS, SERVER_LIST,
		&(struct kube_misbehaviour){ .trickle_us = 500 });
	scan = sys_scan(sys, SYS_ROOT, "--kubeconfig", api.kubeconfig, "--node", "n1",
		"--container", container->id, NULL);
	f = sys_finding(scan, container, "posture");
	assert_string_equal(sys_get(sys, f, "pod.owner"), "Deployment/cart");
	assert_string_equal(sys_get(sys, f, "declared.add"), "SYS_ADMIN");
	why = sys_get(sys, scan->json, "coverage.why_incomplete");
	assert_non_null(strstr(why, "cannot get namespaces"));
	assert_null(strstr(why, "pods"));

	/* ... and where both fail both are told. */
	kube_server_misbehave(api.server, SERVER_PODS, SERVER_LIST, &unwell);
	scan = sys_scan(sys, SYS_ROOT, "--kubeconfig", api.kubeconfig, "--node", "n1", "--fail-on",
		"none", "--container", container->id, NULL);
	assert_int_equal(scan->status, 3);
	why = sys_get(sys, scan->json, "coverage.why_incomplete");
	assert_non_null(strstr(why, "etcd is unwell"));
	assert_non_null(strstr(why, "cannot get namespaces: 403"));
	assert_non_null(strstr(scan->err, "etcd is unwell"));
	assert_non_null(strstr(scan->err, "no watching"));
}

static void a_pod_that_the_api_does_not_know_is_told_as_such(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	struct api api = api_start(sys, false);
	const struct sys_result *scan = sys_scan(
		sys, SYS_ROOT, "--kubeconfig", api.kubeconfig, "--container", container->id, NULL);

	/* It may only just have been made: a scan cannot tell. */
	assert_int_equal(scan->status, 1);
	assert_string_equal(
		sys_get(sys, sys_finding(scan, container, "posture"), "provisional"), "true");
}

static void a_pod_that_is_left_out_makes_a_scan_incomplete_and_hides_no_other(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	struct sys_container *complying = sys_start(sys, &(struct sys_spec){ .capabilities = 0 });
	struct api api = api_start(sys, false);
	const struct told told = { container, "containers", "containerStatuses", "{}", OWNED };
	char *large = sys_print(sys, "{\"metadata\":{\"x\":\"%*s\"}},%s", (int)KUBERNETES_ITEM_MAX,
		"", pod_text(sys, &told));
	const struct sys_result *scan;
	json_t *f;

	api_set_list(sys, &api, SERVER_PODS, large);
	scan = sys_scan(sys, SYS_ROOT, "--kubeconfig", api.kubeconfig, "--node", "n1",
		"--container", container->id, NULL);
	assert_int_equal(scan->status, 1);
	assert_non_null(strstr(sys_get(sys, scan->json, "coverage.why_incomplete"),
		"some pods of the Kubernetes API"));
	assert_non_null(strstr(scan->err, "are left out, being too large"));
	f = sys_finding(scan, container, "posture");
	assert_string_equal(sys_get(sys, f, "pod.owner"), "Deployment/cart");
	assert_string_equal(sys_get(sys, f, "provisional"), "false");
	scan = sys_scan(sys, SYS_ROOT, "--kubeconfig", api.kubeconfig, "--node", "n1",
		"--container", complying->id, NULL);
	assert_int_equal(scan->status, 3);
}

/* ---- run ---- */

static struct sys_daemon *run_with(struct sys *sys, const struct api *api)
{
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);
	const char *const argv[] = { "--kubeconfig", api->kubeconfig, "--node", "n1", NULL };

	sys_write_file(policy, "version: 1\nrun: { outputs: [stdout], interval: 1h }\n");
	return sys_run(sys, &(struct sys_daemon_options){ .policy = policy, .argv = argv });
}

static void a_changed_label_opens_and_resolves_findings_at_once(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	struct api api = api_start(sys, false);
	const struct told told = { container, "containers", "containerStatuses",
		"{\"capabilities\":{\"add\":[\"SYS_ADMIN\"],\"drop\":[\"ALL\"]}}", OWNED };
	struct sys_daemon *daemon;
	json_t *f;
	size_t from = 0;

	api_set_list(sys, &api, SERVER_PODS, pod_text(sys, &told));
	api_set_list(sys, &api, SERVER_NAMESPACES, api_namespace(sys, ENFORCE("baseline")));
	daemon = run_with(sys, &api);
	f = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, f, "profile.name"), "baseline");
	assert_string_equal(sys_get(sys, f, "pod.owner"), "Deployment/cart");
	assert_string_equal(sys_get(sys, f, "provisional"), "false");

	api_push(sys, &api, SERVER_NAMESPACES, "MODIFIED",
		api_namespace(sys, ENFORCE("privileged")));
	f = sys_daemon_wait(daemon, &from, container, "resolved");
	assert_string_equal(sys_get(sys, f, "resolved_reason"), "level");

	api_push(sys, &api, SERVER_NAMESPACES, "MODIFIED",
		api_namespace(sys, ENFORCE("restricted")));
	f = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, f, "profile.name"), "restricted");
	assert_string_equal(sys_get(sys, f, "profile.source"), "namespace-label");

	/* Without the label the default counts again, and permits it no more. */
	api_push(sys, &api, SERVER_NAMESPACES, "MODIFIED", api_namespace(sys, ""));
	f = sys_daemon_wait(daemon, &from, container, "changed");
	assert_string_equal(sys_get(sys, f, "profile.source"), "default");
}

/* A part of what a new label permits can be too much still: it must not have joined the rest. */
static void what_a_new_label_leaves_of_a_finding_opens_at_once(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(
		sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN | SYS_DEFAULT_SET });
	struct api api = api_start(sys, false);
	const struct told told = { container, "containers", "containerStatuses",
		"{\"capabilities\":{\"add\":[\"SYS_ADMIN\"]}}", OWNED };
	struct sys_daemon *daemon;
	size_t from = 0;
	json_t *f;

	api_set_list(sys, &api, SERVER_PODS, pod_text(sys, &told));
	api_set_list(sys, &api, SERVER_NAMESPACES, api_namespace(sys, ENFORCE("restricted")));
	daemon = run_with(sys, &api);
	f = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, f, "profile.name"), "restricted");
	api_push(sys, &api, SERVER_NAMESPACES, "MODIFIED", api_namespace(sys, ENFORCE("baseline")));
	f = sys_daemon_wait(daemon, &from, container, "resolved");
	assert_string_equal(sys_get(sys, f, "resolved_reason"), "level");
	f = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, f, "excess.effective"), "SYS_ADMIN");
	assert_int_equal(sys_daemon_said(daemon, container), 3);
}

static void a_pod_that_comes_late_names_its_finding(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	struct api api = api_start(sys, false);
	const struct told told = { container, "containers", "containerStatuses", "null", OWNED };
	struct sys_daemon *daemon = run_with(sys, &api);
	size_t from = 0;
	json_t *f;

	assert_int_equal(sys_daemon_said(daemon, container), 0);
	api_push(sys, &api, SERVER_PODS, "ADDED", pod_text(sys, &told));
	f = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, f, "pod.name"), "cart-7d4f");
	assert_string_equal(sys_get(sys, f, "provisional"), "false");
}

static void drift_waits_for_nobody_and_a_lost_server_changes_no_verdict(void **state)
{
	struct sys *sys = *state;
	static const char *const argv[] = { "/bin/inside", "pause", NULL };
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	struct api api = api_start(sys, false);
	const struct told told = { container, "containers", "containerStatuses", "null", OWNED };
	const struct kube_misbehaviour broken = { .status = 500 };
	struct sys_daemon *daemon;
	size_t from = 0, before;
	json_t *f;

	api_set_list(sys, &api, SERVER_PODS, pod_text(sys, &told));
	daemon = run_with(sys, &api);
	(void)sys_daemon_wait(daemon, &from, container, "opened");
	before = sys_daemon_said(daemon, container);
	kube_server_misbehave(api.server, SERVER_PODS, SERVER_LIST, &broken);
	kube_server_misbehave(api.server, SERVER_PODS, SERVER_WATCH, &broken);
	kube_server_end_watches(api.server, SERVER_PODS, true);
	(void)sys_exec(sys, container, sys->all, argv);
	sys_daemon_signal(daemon, SIGUSR1);
	f = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, f, "class"), "drift");
	assert_string_equal(sys_get(sys, f, "provisional"), "false");
	assert_string_equal(sys_get(sys, f, "pod.owner"), "Deployment/cart");
	assert_int_equal(sys_daemon_said(daemon, container), before + 1);
}

static void without_any_answer_drift_is_told_and_posture_waits(void **state)
{
	struct sys *sys = *state;
	static const char *const argv[] = { "/bin/inside", "pause", NULL };
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	struct api api = api_start(sys, false);
	const struct kube_misbehaviour hanging = { .hang = true };
	struct sys_daemon *daemon;
	size_t from = 0;
	json_t *f;

	kube_server_misbehave(api.server, SERVER_PODS, SERVER_LIST, &hanging);
	kube_server_misbehave(api.server, SERVER_NAMESPACES, SERVER_LIST, &hanging);
	daemon = run_with(sys, &api);
	(void)sys_exec(sys, container, sys->all, argv);
	sys_daemon_signal(daemon, SIGUSR1);
	f = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, f, "class"), "drift");
	/* Its time comes without the API as well: half a minute later. */
	f = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, f, "class"), "posture");
	assert_string_equal(sys_get(sys, f, "provisional"), "true");
	assert_true(sys_has_hint(f, "api-pending"));
}

static void posture_that_ends_while_it_waits_is_told_when_it_ends(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	struct api api = api_start(sys, false);
	const struct kube_misbehaviour hanging = { .hang = true };
	struct sys_daemon *daemon;
	struct sys_container known;
	size_t from = 0;
	json_t *f;

	kube_server_misbehave(api.server, SERVER_PODS, SERVER_LIST, &hanging);
	kube_server_misbehave(api.server, SERVER_NAMESPACES, SERVER_LIST, &hanging);
	/* Its first pass is to judge it: for that its program has to be a second old. */
	sys_sleep_ms(1200);
	daemon = run_with(sys, &api);
	assert_int_equal(sys_daemon_said(daemon, container), 0);
	known = *container;
	sys_stop(sys, container);
	sys_daemon_signal(daemon, SIGUSR1);
	f = sys_daemon_wait(daemon, &from, &known, "opened");
	assert_string_equal(sys_get(sys, f, "class"), "posture");
	assert_string_equal(sys_get(sys, f, "provisional"), "true");
	f = sys_daemon_wait(daemon, &from, &known, "resolved");
	assert_string_equal(sys_get(sys, f, "resolved_reason"), "exited");
}

static void no_capability_is_left_with_the_api_source_either(void **state)
{
	struct sys *sys = *state;
	struct api api = api_start(sys, false);
	struct sys_daemon *daemon = run_with(sys, &api);
	char *status =
		sys_read_file(sys_print(sys, "/proc/%d/status", (int)sys_daemon_pid(daemon)));

	assert_non_null(strstr(status, "CapEff:\t0000000000000000"));
	assert_non_null(strstr(status, "CapPrm:\t0000000000000000"));
	free(status);
}

/* data: a file. */
static int prepare_hosts(void *data)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount(data, "/etc/hosts", NULL, MS_BIND, NULL) != 0)
		return -errno;
	return 0;
}

/* A name is resolved by a thread that libcurl starts, with modules that libc opens then: the filter
 * of system calls lets them, and that it refused nothing is looked at when the daemon has ended. */
static void a_server_is_found_by_its_name_from_behind_the_filter(void **state)
{
	struct sys *sys = *state;
	struct api api = api_start(sys, true);
	const char *const argv[] = { "--kubeconfig", api.kubeconfig, "--node", "n1", NULL };
	char *hosts = sys_print(sys, "%s/hosts", sys->directory);
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	struct sys_daemon *daemon;

	sys_need_containers(sys);
	sys_write_file(hosts, "127.0.0.1 " API_HOST_NAME "\n");
	daemon = sys_run(sys,
		&(struct sys_daemon_options){
			.policy = "none", .argv = argv, .prepare = prepare_hosts, .data = hosts });
	while (kube_server_count(api.server, SERVER_NAMESPACES, SERVER_WATCH) == 0 &&
		sys_now_ms() < until)
		sys_sleep_ms(20);
	assert_true(kube_server_count(api.server, SERVER_PODS, SERVER_LIST) > 0);
	assert_true(kube_server_count(api.server, SERVER_NAMESPACES, SERVER_WATCH) > 0);
	assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
}

static void what_cannot_be_is_a_usage_error(void **state)
{
	struct sys *sys = *state;
	struct api api = api_start(sys, false);
	const struct sys_result *r = sys_capauditd(
		sys, SYS_ROOT, "scan", "--kubernetes", "off", "--kubeconfig", api.kubeconfig, NULL);

	assert_int_equal(r->status, 2);
	assert_non_null(strstr(r->err, "exclude each other"));
	sys_write_file(api.kubeconfig, "apiVersion: v1\nkind: Config\ncurrent-context: [x]\n");
	r = sys_capauditd(sys, SYS_ROOT, "scan", "--kubeconfig", api.kubeconfig, NULL);
	assert_int_equal(r->status, 2);
	assert_non_null(strstr(r->err, "kubeconfig:3:18:"));
}

/* -- libcurl, which is opened when the API is to be asked -- */

static void end_hiding(void *unused)
{
	(void)unused;
	(void)unsetenv("LD_LIBRARY_PATH");
}

/* Files of its names that are no libraries, which the loader finds before any other. */
static void hide_libcurl(struct sys *sys)
{
	static const char *const names[] = { "libcurl-gnutls.so.4", "libcurl.so.4" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		sys_write_file(sys_print(sys, "%s/%s", sys->directory, names[i]), "");
	assert_int_equal(setenv("LD_LIBRARY_PATH", sys->directory, 1), 0);
	sys_own(sys, sys, end_hiding);
}

static void a_scan_without_libcurl_says_so_and_is_incomplete(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ .capabilities = 0 });
	struct api api = api_start(sys, false);
	const struct sys_result *scan;

	hide_libcurl(sys);
	scan = sys_scan(
		sys, SYS_ROOT, "--kubeconfig", api.kubeconfig, "--container", container->id, NULL);
	assert_int_equal(scan->status, 3);
	assert_non_null(strstr(sys_get(sys, scan->json, "coverage.why_incomplete"),
		"the Kubernetes API source is not available, since libcurl cannot be loaded"));
	assert_non_null(strstr(scan->err, "libcurl.so.4"));
	assert_non_null(sys_seen(scan, container));
	/* Where the API is not to be asked nothing is missing. */
	scan = sys_scan(sys, SYS_ROOT, "--kubernetes", "off", "--container", container->id, NULL);
	assert_int_equal(scan->status, 0);
	assert_null(strstr(scan->err, "libcurl"));
}

static void without_libcurl_the_daemon_says_so_and_does_all_else(void **state)
{
	struct sys *sys = *state;
	static const char *const argv[] = { "/bin/inside", "pause", NULL };
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ .capabilities = 0 });
	struct api api = api_start(sys, false);
	struct sys_daemon *daemon;
	size_t from = 0;

	hide_libcurl(sys);
	daemon = run_with(sys, &api);
	(void)sys_exec(sys, container, sys->all, argv);
	sys_daemon_signal(daemon, SIGUSR1);
	(void)sys_daemon_wait(daemon, &from, container, "opened");
	assert_non_null(strstr(sys_daemon_errors(daemon),
		"the Kubernetes API source is not available, since libcurl cannot be loaded"));
	assert_int_equal(kube_server_count(api.server, SERVER_PODS, SERVER_LIST), 0);
}

static bool has_libcurl(struct sys *sys, const struct sys_daemon *daemon)
{
	char *maps = sys_read_file(sys_print(sys, "/proc/%d/maps", (int)sys_daemon_pid(daemon)));
	bool has = strstr(maps, "libcurl") != NULL;

	assert_non_null(strstr(maps, "libc.so"));
	free(maps);
	return has;
}

static void libcurl_is_loaded_where_the_api_is_asked_and_nowhere_else(void **state)
{
	struct sys *sys = *state;
	static const char *const off[] = { "--kubernetes", "off", NULL };
	struct sys_daemon *daemon =
		sys_run(sys, &(struct sys_daemon_options){ .policy = "none", .argv = off });
	struct api api;

	assert_false(has_libcurl(sys, daemon));
	assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
	sys_daemon_free(daemon);
	api = api_start(sys, false);
	assert_true(has_libcurl(sys, run_with(sys, &api)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYS_TEST(a_finding_names_pod_owner_level_declaration_origin_and_cure),
		SYS_TEST(the_cure_can_be_pasted),
		SYS_TEST(net_raw_that_is_declared_is_not_tolerated),
		SYS_TEST(the_policy_may_ask_for_labels_and_owners),
		SYS_TEST(a_server_that_does_not_answer_makes_a_scan_incomplete),
		SYS_TEST(a_scan_goes_on_with_the_other_list_and_tells_of_each_failure),
		SYS_TEST(a_pod_that_the_api_does_not_know_is_told_as_such),
		SYS_TEST(a_pod_that_is_left_out_makes_a_scan_incomplete_and_hides_no_other),
		SYS_TEST(a_changed_label_opens_and_resolves_findings_at_once),
		SYS_TEST(what_a_new_label_leaves_of_a_finding_opens_at_once),
		SYS_TEST(a_pod_that_comes_late_names_its_finding),
		SYS_TEST(drift_waits_for_nobody_and_a_lost_server_changes_no_verdict),
		SYS_TEST(without_any_answer_drift_is_told_and_posture_waits),
		SYS_TEST(posture_that_ends_while_it_waits_is_told_when_it_ends),
		SYS_TEST(no_capability_is_left_with_the_api_source_either),
		SYS_TEST(a_server_is_found_by_its_name_from_behind_the_filter),
		SYS_TEST(what_cannot_be_is_a_usage_error),
		SYS_TEST(a_scan_without_libcurl_says_so_and_is_incomplete),
		SYS_TEST(without_libcurl_the_daemon_says_so_and_does_all_else),
		SYS_TEST(libcurl_is_loaded_where_the_api_is_asked_and_nowhere_else),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
