/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program in its image beside an API server: the image holds what TLS and name resolution need,
 * which no list of linked libraries proves.
 */
#include "api_fixture.h"

#include <unistd.h>

static const char *bind(struct sys *sys, const char *from, const char *to)
{
	return sys_print(sys, "type=bind,src=%s,dst=%s,options=rbind:ro", from, to);
}

/* In the tests' network namespace, where the server is. `hosts`: a file for /etc/hosts, or NULL. */
static struct sys_result *scan_inside(struct sys *sys, const struct api *api, const char *hosts)
{
	struct sys_container *own = sys_image_container(sys);
	const char *const options[] = { "--rm", "--with-ns",
		sys_print(sys, "network:/proc/%d/ns/net", (int)getpid()), "--mount",
		bind(sys, api->folder, "/access"), hosts ? "--mount" : NULL,
		hosts ? bind(sys, hosts, "/etc/hosts") : NULL, NULL };
	const char *const argv[] = { "/usr/bin/capauditd", "scan", "--format", "json", "--policy",
		"none", "--node", "n1", "--kubeconfig", "/access/kubeconfig", "--container",
		sys->token, sys->nested ? "--nested" : NULL, NULL };
	struct sys_result *scan = sys_image_run(sys, own, options, argv);
	json_error_t error;

	scan->json = json_loads(scan->out, JSON_REJECT_DUPLICATES, &error);
	if (!scan->json)
		fail_msg("status %d, no JSON: %s\n%s", scan->status, scan->out, scan->err);
	return scan;
}

static struct api start_server(struct sys *sys, const struct sys_container *container)
{
	struct api api = api_start(sys, true);

	api_set_list(sys, &api, SERVER_PODS,
		sys_print(sys,
			"{\"metadata\":{\"name\":\"cart-7d4f\",\"namespace\":\"shop\",\"uid\":"
			"\"%s\"},\"spec\":{\"nodeName\":\"n1\",\"initContainers\":[{\"name\":"
			"\"setup\",\"securityContext\":{\"capabilities\":{\"add\":[\"SYS_ADMIN\"]}"
			"}}]},\"status\":{\"initContainerStatuses\":[{\"name\":\"setup\","
			"\"containerID\":\"containerd://%s\"}]}}",
			container->pod_uid, container->id));
	return api;
}

static struct sys_container *start_container(struct sys *sys)
{
	static const char *const admin[] = { "--cap-add", "CAP_SYS_ADMIN", NULL };

	sys_need_image(sys);
	return sys_containerd_run(sys, admin, false);
}

static void the_image_reaches_an_api_server_by_its_host_name(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_container(sys);
	struct api api = start_server(sys, container);
	const char *hosts = sys_print(sys, "%s/hosts", sys->directory);

	sys_write_file(hosts, "127.0.0.1 " API_HOST_NAME "\n");
	const struct sys_result *scan = scan_inside(sys, &api, hosts);
	json_t *finding = sys_finding(scan, container, "posture");
	if (scan->status != 1 || !finding)
		fail_msg("status %d: %s\n%s", scan->status, scan->out, scan->err);
	assert_string_equal(sys_get(sys, finding, "pod.name"), "cart-7d4f");
	assert_string_equal(sys_get(sys, finding, "container.name"), "setup");
	assert_string_equal(sys_get(sys, finding, "container.type"), "init");
	assert_string_equal(sys_get(sys, finding, "origin.SYS_ADMIN"), "declared");
	assert_string_equal(sys_get(sys, scan->json, "coverage.complete"), "true");
	assert_true(kube_server_count(api.server, SERVER_PODS, SERVER_LIST) > 0);
}

/* All that the test before had but the file that says where the name is. */
static void a_name_that_nobody_knows_is_said_and_the_scan_goes_on(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_container(sys);
	struct api api = start_server(sys, container);
	const struct sys_result *scan = scan_inside(sys, &api, NULL);
	json_t *finding = sys_finding(scan, container, "posture");

	assert_non_null(strstr(scan->err, API_HOST_NAME));
	assert_non_null(finding);
	assert_string_equal(sys_get(sys, finding, "container.type"), "unknown");
	assert_string_equal(sys_get(sys, scan->json, "coverage.complete"), "false");
	assert_int_equal(kube_server_count(api.server, SERVER_PODS, SERVER_LIST), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(the_image_reaches_an_api_server_by_its_host_name),
		SYS_TEST(a_name_that_nobody_knows_is_said_and_the_scan_goes_on),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
