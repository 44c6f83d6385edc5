/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * containerd's pods beside an API server that says something else than their bundles and links:
 * whose word counts for what.
 */
#include "api_fixture.h"

#include <signal.h>

static const char *const admin[] = { "--cap-add", "CAP_SYS_ADMIN", NULL };

/* What the API server tells of a pod with one container. */
struct told {
	const struct sys_container *sandbox;
	const char *container;			  /* its name there */
	const struct sys_container *now, *before; /* what ran or ran last under it; may be NULL */
};

static const char *state_of(
	struct sys *sys, const char *state, const struct sys_container *container)
{
	return container ? sys_print(sys,
				   ",\"%s\":{\"terminated\":{\"exitCode\":137,\"containerID\":"
				   "\"containerd://%s\"}}",
				   state, container->id)
			 : "";
}

static char *pod_text(struct sys *sys, const struct told *told)
{
	return sys_print(sys,
		"{\"metadata\":{\"name\":\"%s\",\"namespace\":\"" SYS_POD_NAMESPACE
		"\",\"uid\":\"%s\"},\"spec\":{\"nodeName\":\"n1\",\"initContainers\":[{\"name\":"
		"\"%s\",\"image\":\"registry.example/declared:2\",\"securityContext\":"
		"{\"capabilities\":{\"add\":[\"SYS_ADMIN\"]}}}]},\"status\":{\"qosClass\":"
		"\"BestEffort\",\"initContainerStatuses\":[{\"name\":\"%s\",\"containerID\":"
		"\"containerd://%s\"%s}]}}",
		told->sandbox->pod, told->sandbox->pod_uid, told->container, told->container,
		told->now->id, state_of(sys, "lastState", told->before));
}

static struct sys_result *scan_with(struct sys *sys, enum sys_user user, const struct api *api)
{
	return sys_scan(sys, user, "--kubeconfig", api->kubeconfig, "--node", "n1", "--container",
		sys->token, NULL);
}

static void assert_says(struct sys *sys, json_t *object, const char *path, const char *expected)
{
	const char *said = sys_get(sys, object, path);

	if (strcmp(said, expected) != 0)
		fail_msg("%s is \"%s\" and not \"%s\"", path, said, expected);
}

/* Three sources, three names. */
static void the_servers_name_goes_before_the_bundles_and_that_before_the_links(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *web = sys_pod_add(sys, sandbox,
		&(struct sys_member){ .name = "by-bundle", .logs = "by-link", .options = admin });
	struct api api = api_start(sys, false);
	const struct told told = { sandbox, "by-server", web, NULL };

	/* A server that has no such pod gainsays nobody. */
	assert_says(
		sys, sys_seen(scan_with(sys, SYS_ROOT, &api), web), "container.name", "by-bundle");
	assert_says(
		sys, sys_seen(scan_with(sys, SYS_NOBODY, &api), web), "container.name", "by-link");
	api_set_list(sys, &api, SERVER_PODS, pod_text(sys, &told));
	for (int user = SYS_ROOT; user <= SYS_NOBODY; user++) {
		json_t *finding =
			sys_finding(scan_with(sys, (enum sys_user)user, &api), web, "posture");

		assert_says(sys, finding, "container.name", "by-server");
		assert_says(sys, finding, "container.type", "init");
		assert_says(sys, finding, "origin.SYS_ADMIN", "declared");
		assert_says(sys, finding, "pod.qos", "BestEffort");
		/* What was run is the runtime's to say; a template's words stand in for it. */
		assert_says(sys, finding, "container.image",
			user == SYS_ROOT ? SYS_POD_IMAGE : "registry.example/declared:2");
	}
}

static void a_sandbox_stays_one_beside_the_pods_declared_containers(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *web =
		sys_pod_add(sys, sandbox, &(struct sys_member){ .name = "web", .options = admin });
	struct api api = api_start(sys, false);
	const struct told told = { sandbox, "web", web, NULL };

	api_set_list(sys, &api, SERVER_PODS, pod_text(sys, &told));
	api_set_list(sys, &api, SERVER_NAMESPACES,
		api_namespace(sys, "\"pod-security.kubernetes.io/enforce\":\"restricted\""));
	/* As nobody neither bundle nor link tells: it is the first of its pod, and no container. */
	for (int user = SYS_ROOT; user <= SYS_NOBODY; user++) {
		const struct sys_result *scan = scan_with(sys, (enum sys_user)user, &api);

		assert_says(sys, sys_seen(scan, sandbox), "container.type", "sandbox");
		assert_says(sys, sys_seen(scan, sandbox), "container.name", "null");
		assert_says(sys, sys_seen(scan, sandbox), "pod.name", "cart-7d4f");
		assert_says(sys, sys_seen(scan, sandbox), "profile.source", "namespace-label");
		assert_says(sys, sys_seen(scan, sandbox), "verdict", "compliant");
		assert_says(sys, sys_seen(scan, web), "verdict", "violation");
	}
}

/* By the cgroup's UID: what the annotations say of another pod is not even asked after. */
static void a_bundle_that_names_another_pod_does_not_borrow_its_declaration(void **state)
{
	struct sys *sys = *state;
	struct sys_container *cart = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *bill = sys_pod_start(sys, "bill-55c8");
	struct sys_container *web =
		sys_pod_add(sys, cart, &(struct sys_member){ .name = "web", .options = admin });
	struct sys_container *liar = sys_pod_add(
		sys, bill, &(struct sys_member){ .name = "web", .options = admin, .claims = cart });
	struct api api = api_start(sys, false);
	const struct told told = { cart, "web", web, NULL };

	api_set_list(sys, &api, SERVER_PODS, pod_text(sys, &told));
	const struct sys_result *scan = scan_with(sys, SYS_ROOT, &api);
	json_t *finding = sys_finding(scan, liar, "posture");
	assert_says(sys, finding, "pod.uid", bill->pod_uid);
	assert_says(sys, finding, "container.name", "null");
	assert_says(sys, finding, "declared", "null");
	assert_says(sys, finding, "origin.SYS_ADMIN", "unknown");
	assert_says(sys, sys_finding(scan, web, "posture"), "origin.SYS_ADMIN", "declared");
}

/* The server knows of the second attempt only by and by; until then the first one's id stands
 * there, and the name is the bundle's. */
static void a_restarted_container_is_found_by_its_name_until_its_id_is_told(void **state)
{
	struct sys *sys = *state;
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_member member = { .name = "web", .logs = "web", .options = admin };
	struct sys_container *first = sys_pod_add(sys, sandbox, &member);
	struct api api = api_start(sys, false);
	struct told told = { sandbox, "web", first, NULL };
	const char *const argv[] = { "--kubeconfig", api.kubeconfig, "--node", "n1", NULL };
	size_t from = 0;

	api_set_list(sys, &api, SERVER_PODS, pod_text(sys, &told));
	sys_write_file(policy, "version: 1\nrun: { outputs: [stdout], interval: 1h }\n");
	struct sys_daemon *daemon =
		sys_run(sys, &(struct sys_daemon_options){ .policy = policy, .argv = argv });
	json_t *before = sys_daemon_wait(daemon, &from, first, "opened");
	assert_says(sys, before, "container.type", "init");

	sys_containerd_remove(sys, first);
	sys_daemon_signal(daemon, SIGUSR1);
	(void)sys_daemon_wait(daemon, &from, first, "resolved");
	member.attempt = 1;
	struct sys_container *second = sys_pod_add(sys, sandbox, &member);
	json_t *after = sys_daemon_wait(daemon, &from, second, "opened");
	assert_says(sys, after, "container.name", "web");
	assert_says(sys, after, "container.type", "init");
	assert_says(sys, after, "origin.SYS_ADMIN", "declared");
	assert_says(sys, after, "workload_id", sys_get(sys, before, "workload_id"));

	told.now = second;
	told.before = first;
	api_push(sys, &api, SERVER_PODS, "MODIFIED", pod_text(sys, &told));
	const struct sys_result *scan = scan_with(sys, SYS_NOBODY, &api);
	assert_says(sys, sys_seen(scan, second), "container.name", "web");
	assert_null(sys_seen(scan, first));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(the_servers_name_goes_before_the_bundles_and_that_before_the_links),
		SYS_TEST(a_sandbox_stays_one_beside_the_pods_declared_containers),
		SYS_TEST(a_bundle_that_names_another_pod_does_not_borrow_its_declaration),
		SYS_TEST(a_restarted_container_is_found_by_its_name_until_its_id_is_told),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
