/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An API server for tests: libmicrohttpd with a thread for each connection, so that an answer can
 * simply wait for its next event, or for ever. It is stopped by waking all that waits.
 */
#include "kube_server_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

static void request_free(struct kube_server_request *request)
{
	free(request->method);
	free(request->url);
	free(request->accept);
	free(request->accept_encoding);
	free(request->authorization);
	free(request->host);
	free(request->user_agent);
	free(request);
}

static int start(struct kube_server *server, const struct kube_server_options *options)
{
	const struct sockaddr_in loopback = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const union MHD_DaemonInfo *info;
	struct MHD_OptionItem more[8];
	size_t n = 0;
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
			 (options->plain ? 0u : MHD_USE_TLS);

	if (!options->plain) {
		more[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0,
			server->certificates.server_certificate };
		more[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0,
			server->certificates.server_key };
		if (options->wants_client_certificate)
			more[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_TRUST, 0,
				server->certificates.authority };
		if (options->priorities)
			more[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
				(void *)options->priorities };
	}
	more[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	server->daemon = MHD_start_daemon(flags, 0, NULL, NULL, exchange_answer, server,
		MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_URI_LOG_CALLBACK, exchange_begin,
		server, MHD_OPTION_NOTIFY_COMPLETED, exchange_end, NULL, MHD_OPTION_ARRAY, more,
		MHD_OPTION_END);
	if (!server->daemon)
		return -EIO;
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
	if (!info)
		return -EIO;
	server->port = info->port;
	(void)snprintf(server->url, sizeof(server->url), "%s://127.0.0.1:%u",
		options->plain ? "http" : "https", server->port);
	return 0;
}

int kube_server_new(const struct kube_server_options *options, struct kube_server **ret)
{
	static const char empty_pods[] = "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":"
					 "{\"resourceVersion\":\"1\"},\"items\":[]}";
	static const char empty_namespaces[] =
		"{\"kind\":\"NamespaceList\",\"apiVersion\":\"v1\",\"metadata\":"
		"{\"resourceVersion\":\"1\"},\"items\":[]}";
	struct kube_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	(void)pthread_mutex_init(&server->lock, NULL);
	(void)pthread_cond_init(&server->news, NULL);
	server->wants_client_certificate = options->wants_client_certificate;
	server->log = options->log;
	kube_server_set_token(server, options->token);
	kube_server_set_list(server, SERVER_PODS, empty_pods, strlen(empty_pods));
	kube_server_set_list(server, SERVER_NAMESPACES, empty_namespaces, strlen(empty_namespaces));
	r = kube_certificates_make(options->fault, &server->certificates);
	if (r >= 0)
		r = start(server, options);
	if (r < 0) {
		kube_server_free(server);
		return r;
	}
	*ret = server;
	return 0;
}

void kube_server_free(struct kube_server *server)
{
	if (!server)
		return;
	(void)pthread_mutex_lock(&server->lock);
	server->stopping = true;
	(void)pthread_cond_broadcast(&server->news);
	(void)pthread_mutex_unlock(&server->lock);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	for (size_t k = 0; k < KINDS; k++) {
		for (size_t i = 0; i < server->kinds[k].event_count; i++)
			free(server->kinds[k].events[i].text);
		free(server->kinds[k].events);
		free(server->kinds[k].list);
	}
	for (size_t i = 0; i < server->request_count; i++)
		request_free(server->requests[i]);
	free(server->requests);
	free(server->token);
	kube_certificates_done(&server->certificates);
	(void)pthread_cond_destroy(&server->news);
	(void)pthread_mutex_destroy(&server->lock);
	free(server);
}

const char *kube_server_url(const struct kube_server *server)
{
	return server->url;
}

unsigned kube_server_port(const struct kube_server *server)
{
	return server->port;
}

const struct kube_certificates *kube_server_certificates(const struct kube_server *server)
{
	return &server->certificates;
}

void kube_server_set_token(struct kube_server *server, const char *token)
{
	(void)pthread_mutex_lock(&server->lock);
	free(server->token);
	server->token = copy(token);
	(void)pthread_mutex_unlock(&server->lock);
}

void kube_server_set_list(
	struct kube_server *server, enum kube_server_kind kind, const char *text, size_t length)
{
	(void)pthread_mutex_lock(&server->lock);
	free(server->kinds[kind].list);
	server->kinds[kind].list = must(malloc(length + 1));
	memcpy(server->kinds[kind].list, text, length);
	server->kinds[kind].list_length = length;
	(void)pthread_mutex_unlock(&server->lock);
}

void kube_server_push(struct kube_server *server, enum kube_server_kind kind, uint64_t version,
	const char *text, size_t length)
{
	struct event event = {
		.version = version, .text = must(malloc(length + 1)), .length = length
	};

	memcpy(event.text, text, length);
	(void)pthread_mutex_lock(&server->lock);
	server->kinds[kind].events = must(reallocarray(
		server->kinds[kind].events, server->kinds[kind].event_count + 1, sizeof(event)));
	server->kinds[kind].events[server->kinds[kind].event_count++] = event;
	(void)pthread_cond_broadcast(&server->news);
	(void)pthread_mutex_unlock(&server->lock);
}

void kube_server_end_watches(struct kube_server *server, enum kube_server_kind kind, bool abruptly)
{
	(void)pthread_mutex_lock(&server->lock);
	server->kinds[kind].ends++;
	server->kinds[kind].abruptly = abruptly;
	(void)pthread_cond_broadcast(&server->news);
	(void)pthread_mutex_unlock(&server->lock);
}

void kube_server_misbehave(struct kube_server *server, enum kube_server_kind kind,
	enum kube_server_verb verb, const struct kube_misbehaviour *misbehaviour)
{
	(void)pthread_mutex_lock(&server->lock);
	server->kinds[kind].misbehaviour[verb] = *misbehaviour;
	server->kinds[kind].misbehaves[verb] = true;
	(void)pthread_mutex_unlock(&server->lock);
}

void kube_server_behave(struct kube_server *server)
{
	(void)pthread_mutex_lock(&server->lock);
	for (size_t k = 0; k < KINDS; k++)
		for (size_t v = 0; v < VERBS; v++)
			server->kinds[k].misbehaves[v] = false;
	(void)pthread_mutex_unlock(&server->lock);
}

size_t kube_server_count(
	struct kube_server *server, enum kube_server_kind kind, enum kube_server_verb verb)
{
	size_t count = 0;

	(void)pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < server->request_count; i++)
		count += server->requests[i]->kind == kind && server->requests[i]->verb == verb;
	(void)pthread_mutex_unlock(&server->lock);
	return count;
}

const struct kube_server_request *kube_server_request(struct kube_server *server,
	enum kube_server_kind kind, enum kube_server_verb verb, size_t n)
{
	const struct kube_server_request *found = NULL;

	(void)pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < server->request_count && !found; i++)
		if (server->requests[i]->kind == kind && server->requests[i]->verb == verb &&
			n-- == 0)
			found = server->requests[i];
	(void)pthread_mutex_unlock(&server->lock);
	return found;
}
