/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tests' API server as a program, for tests of commands and for trying things by hand.
 *
 *   api_server FOLDER
 *
 * serves FOLDER/pods.json and FOLDER/namespaces.json (lists, as the API has them; a file that is
 * not there is an empty list) on a free port of 127.0.0.1, writes FOLDER/kubeconfig, and says
 * "ready PORT". On SIGHUP it reads the lists again, sends what differs to the watches and says
 * "reloaded". Each request is a line: "METHOD STATUS URL". It ends on SIGTERM or SIGINT, or when
 * its parent does.
 */
#include "kube_server.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define KINDS 2
#define TOKEN "a-test-s-token"

static const struct {
	const char *file, *kind, *item;
	bool namespaced;
} kinds[KINDS] = {
	[SERVER_PODS] = { "pods.json", "PodList", "Pod", true },
	[SERVER_NAMESPACES] = { "namespaces.json", "NamespaceList", "Namespace", false },
};

struct api {
	struct kube_server *server;
	const char *folder;
	json_t *objects[KINDS]; /* by "NAMESPACE/NAME" */
	uint64_t version;	/* the last one given out */
};

static int complain(const char *what, const char *name)
{
	(void)fprintf(stderr, "api_server: %s %s\n", what, name);
	return -EINVAL;
}

/* The objects of a list, by name. */
static int load(const struct api *api, size_t kind, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *list = NULL, *objects = json_object();
	_cleanup_free_ char *path = NULL;
	json_error_t error;
	json_t *item;
	size_t i;

	if (asprintf(&path, "%s/%s", api->folder, kinds[kind].file) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	list = access(path, F_OK) < 0 ? json_pack("{s:[]}", "items")
				      : json_load_file(path, 0, &error);
	if (!list || !objects || !json_is_array(json_object_get(list, "items")))
		return complain("is not a list:", path);
	json_array_foreach(json_object_get(list, "items"), i, item)
	{
		const json_t *metadata = json_object_get(item, "metadata");
		const char *name = json_string_value(json_object_get(metadata, "name"));
		const char *space = json_string_value(json_object_get(metadata, "namespace"));
		_cleanup_free_ char *key = NULL;

		if (!name || asprintf(&key, "%s/%s", space ? space : "", name) < 0) {
			key = NULL;
			return complain("holds an object without a name:", path);
		}
		if (json_object_set(objects, key, item) < 0)
			return -ENOMEM;
	}
	*ret = TAKE_PTR(objects);
	return 0;
}

static int stamp(json_t *object, uint64_t version)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)version);
	return json_object_set_new(
		json_object_get(object, "metadata"), "resourceVersion", json_string(text));
}

static int serve_list(struct api *api, size_t kind)
{
	_cleanup_(json_decrefp) json_t *items = json_array(), *list = NULL;
	_cleanup_free_ char *text = NULL;
	char version[32];
	const char *key;
	json_t *object;

	json_object_foreach(api->objects[kind], key, object)(void) json_array_append(items, object);
	(void)snprintf(version, sizeof(version), "%llu", (unsigned long long)api->version);
	list = json_pack("{s:s, s:s, s:{s:s}, s:O}", "kind", kinds[kind].kind, "apiVersion", "v1",
		"metadata", "resourceVersion", version, "items", items);
	text = json_dumps(list, JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	kube_server_set_list(api->server, (enum kube_server_kind)kind, text, strlen(text));
	return 0;
}

static int send_event(struct api *api, size_t kind, const char *type, json_t *object)
{
	_cleanup_(json_decrefp) json_t *event = NULL;
	_cleanup_free_ char *text = NULL;
	size_t length;

	if (stamp(object, ++api->version) < 0 ||
		json_object_set_new(object, "kind", json_string(kinds[kind].item)) < 0 ||
		json_object_set_new(object, "apiVersion", json_string("v1")) < 0)
		return -ENOMEM;
	event = json_pack("{s:s, s:O}", "type", type, "object", object);
	text = json_dumps(event, JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	length = strlen(text);
	text[length] = '\n'; /* in the place of the NUL: one line for each event */
	kube_server_push(api->server, (enum kube_server_kind)kind, api->version, text, length + 1);
	return 0;
}

/* Equal but for the version that was given to the old one. */
static bool is_same(const json_t *old, json_t *new)
{
	json_t *version = json_object_get(json_object_get(old, "metadata"), "resourceVersion");

	if (json_object_get(old, "kind") && !json_object_get(new, "kind")) {
		(void)json_object_set(new, "kind", json_object_get(old, "kind"));
		(void)json_object_set(new, "apiVersion", json_object_get(old, "apiVersion"));
	}
	(void)json_object_set(json_object_get(new, "metadata"), "resourceVersion", version);
	return json_equal(old, new) != 0;
}

static int send_differences(struct api *api, size_t kind, json_t *new)
{
	json_t *old = api->objects[kind], *object;
	const char *key;
	int r = 0;

	json_object_foreach(old, key, object)
	{
		if (r == 0 && !json_object_get(new, key))
			r = send_event(api, kind, "DELETED", object);
	}
	json_object_foreach(new, key, object)
	{
		const json_t *before = json_object_get(old, key);

		if (r < 0 || (before && is_same(before, object)))
			continue;
		r = send_event(api, kind, before ? "MODIFIED" : "ADDED", object);
	}
	return r;
}

/* The list is replaced after the events: who lists in between gets some of them twice. */
static int reload(struct api *api)
{
	for (size_t kind = 0; kind < KINDS; kind++) {
		_cleanup_(json_decrefp) json_t *new = NULL;
		int r = load(api, kind, &new);

		if (r >= 0)
			r = send_differences(api, kind, new);
		if (r < 0)
			return r;
		json_decref(api->objects[kind]);
		api->objects[kind] = TAKE_PTR(new);
		r = serve_list(api, kind);
		if (r < 0)
			return r;
	}
	return 0;
}

static int begin(struct api *api)
{
	for (size_t kind = 0; kind < KINDS; kind++) {
		const char *key;
		json_t *object;
		int r = load(api, kind, &api->objects[kind]);

		if (r < 0)
			return r;
		json_object_foreach(api->objects[kind], key,
			object) if (stamp(object, ++api->version) < 0) return -ENOMEM;
	}
	for (size_t kind = 0; kind < KINDS; kind++)
		if (serve_list(api, kind) < 0)
			return -ENOMEM;
	return 0;
}

static void print_base64(FILE *to, const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)text;

	for (size_t left = strlen(text); left > 0; p += 3, left -= left < 3 ? left : 3) {
		unsigned bits =
			p[0] * 65536u + (left > 1 ? p[1] * 256u : 0) + (left > 2 ? p[2] : 0);

		(void)fputc(digits[bits >> 18], to);
		(void)fputc(digits[bits >> 12 & 63], to);
		(void)fputc(left > 1 ? digits[bits >> 6 & 63] : '=', to);
		(void)fputc(left > 2 ? digits[bits & 63] : '=', to);
	}
}

static int write_kubeconfig(const struct api *api)
{
	_cleanup_free_ char *path = NULL;
	FILE *to;

	if (asprintf(&path, "%s/kubeconfig", api->folder) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	to = fopen(path, "we");
	if (!to)
		return complain("cannot write", path);
	(void)fprintf(to,
		"apiVersion: v1\nkind: Config\ncurrent-context: test\n"
		"contexts:\n- name: test\n  context: {cluster: test, user: test}\n"
		"users:\n- name: test\n  user: {token: " TOKEN "}\n"
		"clusters:\n- name: test\n  cluster:\n    server: %s\n"
		"    certificate-authority-data: ",
		kube_server_url(api->server));
	print_base64(to, kube_server_certificates(api->server)->authority);
	(void)fputc('\n', to);
	return fclose(to) == 0 ? 0 : -EIO;
}

static void print_request(const struct kube_server_request *request)
{
	(void)printf("%s %u %s\n", request->method, request->answer, request->url);
}

static int run(struct api *api)
{
	sigset_t signals;
	int signal_number, r;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	/* Before the server's threads begin: they inherit it. */
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	r = kube_server_new(&(struct kube_server_options){ .token = TOKEN, .log = print_request },
		&api->server);
	if (r >= 0)
		r = begin(api);
	if (r >= 0)
		r = write_kubeconfig(api);
	if (r < 0)
		return r;
	(void)printf("ready %u\n", kube_server_port(api->server));
	while (sigwait(&signals, &signal_number) == 0 && signal_number == SIGHUP) {
		/* A bad file is complained about, and the old objects stay. */
		if (reload(api) >= 0)
			(void)printf("reloaded\n");
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct api api = { 0 };
	int r;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: api_server FOLDER\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	api.folder = argv[1];
	r = run(&api);
	kube_server_free(api.server);
	for (size_t kind = 0; kind < KINDS; kind++)
		json_decref(api.objects[kind]);
	if (r < 0)
		(void)fprintf(stderr, "api_server: %s\n", strerror(-r));
	return r < 0 ? 1 : 0;
}
