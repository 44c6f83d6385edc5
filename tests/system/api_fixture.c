/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The API server of a system test, started and ended with it.
 */
#include "api_fixture.h"

#define TOKEN "a-token"

char *api_namespace(struct sys *sys, const char *labels)
{
	return sys_print(sys, "{\"metadata\":{\"name\":\"shop\",\"labels\":{%s}}}", labels);
}

void api_set_list(struct sys *sys, struct api *api, enum kube_server_kind kind, const char *object)
{
	const char *text = sys_print(sys,
		"{\"kind\":\"%s\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"%u\"},"
		"\"items\":[%s]}",
		kind == SERVER_PODS ? "PodList" : "NamespaceList", ++api->version, object);

	kube_server_set_list(api->server, kind, text, strlen(text));
}

void api_push(struct sys *sys, struct api *api, enum kube_server_kind kind, const char *type,
	const char *object)
{
	const char *text = sys_print(sys,
		"{\"type\":\"%s\",\"object\":{\"metadata\":{\"resourceVersion\":\"%u\",%s}\n", type,
		++api->version, object + strlen("{\"metadata\":{"));

	kube_server_push(api->server, kind, api->version, text, strlen(text));
}

static void end_server(void *server)
{
	kube_server_free(server);
}

struct api api_start(struct sys *sys, bool by_name)
{
	const struct kube_server_options options = { .token = TOKEN,
		.fault = by_name ? CERTIFICATE_OF_ANOTHER_NAME : CERTIFICATE_GOOD };
	struct api api = { .version = 1000, .folder = sys_print(sys, "%s/api", sys->directory) };

	assert_int_equal(kube_server_new(&options, &api.server), 0);
	sys_own(sys, api.server, end_server);
	const char *url = by_name ? sys_print(sys, "https://" API_HOST_NAME ":%u",
					    kube_server_port(api.server))
				  : kube_server_url(api.server);
	sys_make_directories(api.folder);
	sys_write_file(sys_print(sys, "%s/authority.pem", api.folder),
		kube_server_certificates(api.server)->authority);
	api.kubeconfig = sys_print(sys, "%s/kubeconfig", api.folder);
	sys_write_file(api.kubeconfig,
		sys_print(sys,
			"apiVersion: v1\nkind: Config\ncurrent-context: c\n"
			"contexts: [{ name: c, context: { cluster: k, user: u } }]\n"
			"clusters: [{ name: k, cluster: { server: \"%s\", "
			"certificate-authority: authority.pem } }]\n"
			"users: [{ name: u, user: { token: " TOKEN " } }]\n",
			url));
	api_set_list(sys, &api, SERVER_PODS, "");
	api_set_list(sys, &api, SERVER_NAMESPACES, api_namespace(sys, ""));
	return api;
}
