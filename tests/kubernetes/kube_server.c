/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An API server for tests: libmicrohttpd with a thread for each connection, so that an answer can
 * simply wait for its next event, or for ever. It is stopped by waking all that waits.
 */
#include "kube_server.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KINDS	      2
#define VERBS	      2
#define BLOCK	      32768u
#define REQUESTS_MAX  100000u
#define WATCH_SECONDS 3600u

struct event {
	uint64_t version;
	char *text;
	size_t length;
};

struct kube_server {
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct MHD_Daemon *daemon;
	struct kube_certificates certificates;
	bool wants_client_certificate;
	void (*log)(const struct kube_server_request *request);
	char url[64];
	unsigned port;

	/* Under the lock. */
	bool stopping;
	char *token;
	struct {
		char *list;
		size_t list_length;
		struct event *events;
		size_t event_count;
		unsigned ends; /* how often all watches were ended */
		bool abruptly;
		struct kube_misbehaviour misbehaviour[VERBS];
		bool misbehaves[VERBS];
	} kinds[KINDS];
	struct kube_server_request **requests;
	size_t request_count;
};

/* One request and the answer to it. */
struct exchange {
	struct kube_server *server;
	struct kube_server_request *request;
	struct kube_misbehaviour misbehaviour;
	bool is_whole; /* the request has been read */
	bool is_stream;
	char *text; /* of a list or of another complete answer */
	size_t length;
	/* Of a watch. */
	uint64_t version;
	size_t next_event, event_offset;
	unsigned ends;
	struct timespec deadline;
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static char *copy(const char *text)
{
	return text ? must(strdup(text)) : NULL;
}

static struct kube_misbehaviour take_misbehaviour(
	struct kube_server *server, const struct kube_server_request *request)
{
	struct kube_misbehaviour *now = &server->kinds[request->kind].misbehaviour[request->verb];
	bool *on = &server->kinds[request->kind].misbehaves[request->verb];
	struct kube_misbehaviour taken = { 0 };

	if (!*on)
		return taken;
	taken = *now;
	if (now->times > 0 && --now->times == 0)
		*on = false;
	return taken;
}

static char *status_text(unsigned code, const char *message)
{
	static const struct {
		unsigned code;
		const char *reason;
	} reasons[] = { { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "NotFound" },
		{ 410, "Expired" }, { 429, "TooManyRequests" }, { 503, "ServiceUnavailable" } };
	const char *reason = "InternalError";
	char *text;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].code == code)
			reason = reasons[i].reason;
	if (asprintf(&text,
		    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"
		    "\"Failure\",\"message\":\"%s\",\"reason\":\"%s\",\"code\":%u}\n",
		    message ? message : "no", reason, code) < 0)
		abort();
	return text;
}

/* Waits for news until `deadline` (NULL: for ever). False: the time is up. */
static bool wait_news(struct kube_server *server, const struct timespec *deadline)
{
	if (!deadline) {
		(void)pthread_cond_wait(&server->news, &server->lock);
		return true;
	}
	return pthread_cond_timedwait(&server->news, &server->lock, deadline) != ETIMEDOUT;
}

static void hang(struct kube_server *server)
{
	while (!server->stopping)
		(void)wait_news(server, NULL);
}

/* The next bytes of a watch, at most `max`; waits for them. */
static ssize_t next_of_watch(struct exchange *exchange, char *buffer, size_t max)
{
	struct kube_server *server = exchange->server;
	bool in_time = true;

	for (;;) {
		while (exchange->next_event < server->kinds[exchange->request->kind].event_count) {
			const struct event *event = &server->kinds[exchange->request->kind]
							     .events[exchange->next_event];
			size_t left = event->length - exchange->event_offset;

			if (event->version <= exchange->version || left == 0) {
				exchange->next_event++;
				exchange->event_offset = 0;
				continue;
			}
			left = left < max ? left : max;
			memcpy(buffer, event->text + exchange->event_offset, left);
			exchange->event_offset += left;
			return (ssize_t)left;
		}
		if (server->stopping)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		if (exchange->ends != server->kinds[exchange->request->kind].ends)
			return server->kinds[exchange->request->kind].abruptly
				       ? MHD_CONTENT_READER_END_WITH_ERROR
				       : MHD_CONTENT_READER_END_OF_STREAM;
		if (!in_time)
			return MHD_CONTENT_READER_END_OF_STREAM;
		in_time = wait_news(server, &exchange->deadline);
	}
}

static ssize_t next_of_text(const struct exchange *exchange, uint64_t at, char *buffer, size_t max)
{
	size_t n;

	if (at < exchange->length) {
		n = exchange->length - (size_t)at;
		n = n < max ? n : max;
		memcpy(buffer, exchange->text + at, n);
		return (ssize_t)n;
	}
	at -= exchange->length;
	if (at >= exchange->misbehaviour.filler)
		return MHD_CONTENT_READER_END_OF_STREAM;
	n = exchange->misbehaviour.filler - (size_t)at;
	n = n < max ? n : max;
	memset(buffer, 'x', n);
	return (ssize_t)n;
}

static ssize_t on_more(void *data, uint64_t at, char *buffer, size_t max)
{
	struct exchange *exchange = data;
	const struct kube_misbehaviour *misbehaviour = &exchange->misbehaviour;
	struct kube_server *server = exchange->server;
	ssize_t n;

	(void)pthread_mutex_lock(&server->lock);
	if ((misbehaviour->cut || misbehaviour->hang) && at + max > misbehaviour->after)
		max = at < misbehaviour->after ? misbehaviour->after - (size_t)at : 0;
	if (misbehaviour->trickle_us) {
		struct timespec until;

		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += (long)misbehaviour->trickle_us * 1000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		while (!server->stopping && wait_news(server, &until))
			;
		max = max < 1 ? max : 1;
	}
	if (max == 0 && misbehaviour->hang)
		hang(server);
	if (server->stopping || max == 0)
		n = MHD_CONTENT_READER_END_WITH_ERROR;
	else if (exchange->is_stream)
		n = next_of_watch(exchange, buffer, max);
	else
		n = next_of_text(exchange, at, buffer, max);
	(void)pthread_mutex_unlock(&server->lock);
	return n;
}

static void exchange_free(struct exchange *exchange)
{
	if (!exchange)
		return;
	free(exchange->text);
	free(exchange);
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode code)
{
	(void)data;
	(void)connection;
	(void)code;
	exchange_free(*context);
	*context = NULL;
}

/* The only one that is told the query as it was sent. */
static void *on_uri(void *data, const char *uri, struct MHD_Connection *connection)
{
	struct exchange *exchange = must(calloc(1, sizeof(*exchange)));

	(void)connection;
	exchange->server = data;
	exchange->request = must(calloc(1, sizeof(*exchange->request)));
	exchange->request->url = copy(uri);
	return exchange;
}

static char *header(struct MHD_Connection *connection, const char *name)
{
	return copy(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

static void note_request(
	struct exchange *exchange, struct MHD_Connection *connection, const char *method)
{
	struct kube_server *server = exchange->server;
	struct kube_server_request *request = exchange->request;

	request->method = copy(method);
	request->accept = header(connection, "Accept");
	request->accept_encoding = header(connection, "Accept-Encoding");
	request->authorization = header(connection, "Authorization");
	request->host = header(connection, "Host");
	request->user_agent = header(connection, "User-Agent");
	if (server->request_count >= REQUESTS_MAX)
		abort(); /* a loop */
	server->requests = must(reallocarray(
		server->requests, server->request_count + 1, sizeof(*server->requests)));
	server->requests[server->request_count++] = request;
}

static bool is_allowed(const struct kube_server *server, const char *authorization)
{
	static const char bearer[] = "Bearer ";

	if (!server->token)
		return true;
	return authorization && strncmp(authorization, bearer, strlen(bearer)) == 0 &&
	       strcmp(authorization + strlen(bearer), server->token) == 0;
}

static bool has_certificate(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	unsigned status = 1;

	return info && gnutls_certificate_verify_peers2(info->tls_session, &status) == 0 &&
	       status == 0;
}

static void begin_watch(struct exchange *exchange, struct MHD_Connection *connection)
{
	const char *version =
		MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "resourceVersion");
	const char *seconds =
		MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "timeoutSeconds");

	exchange->is_stream = true;
	exchange->ends = exchange->server->kinds[exchange->request->kind].ends;
	exchange->version = version ? strtoull(version, NULL, 10) : 0;
	(void)clock_gettime(CLOCK_REALTIME, &exchange->deadline);
	exchange->deadline.tv_sec += (time_t)(seconds ? strtoul(seconds, NULL, 10) : WATCH_SECONDS);
}

/* Decides what is answered; returns the status. */
static unsigned begin_answer(struct exchange *exchange, struct MHD_Connection *connection)
{
	struct kube_server *server = exchange->server;
	const struct kube_server_request *request = exchange->request;
	unsigned status = 200;

	if (!is_allowed(server, request->authorization) ||
		(server->wants_client_certificate && !has_certificate(connection))) {
		exchange->text = status_text(401, "Unauthorized");
		exchange->length = strlen(exchange->text);
		return 401;
	}
	exchange->misbehaviour = take_misbehaviour(server, request);
	if (exchange->misbehaviour.status)
		status = exchange->misbehaviour.status;
	if (exchange->misbehaviour.body) {
		exchange->text = copy(exchange->misbehaviour.body);
		exchange->length = strlen(exchange->text);
	} else if (status != 200) {
		exchange->text = status_text(status, exchange->misbehaviour.message);
		exchange->length = strlen(exchange->text);
	} else if (request->verb == SERVER_WATCH) {
		begin_watch(exchange, connection);
	} else {
		exchange->length = server->kinds[request->kind].list_length;
		exchange->text = must(malloc(exchange->length + 1));
		if (exchange->length > 0)
			memcpy(exchange->text, server->kinds[request->kind].list, exchange->length);
	}
	return status;
}

static enum MHD_Result answer(
	struct exchange *exchange, struct MHD_Connection *connection, unsigned status)
{
	struct MHD_Response *response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_more, exchange, NULL);
	enum MHD_Result r;

	if (!response)
		return MHD_NO;
	(void)MHD_add_response_header(response, "Content-Type", "application/json");
	if (exchange->misbehaviour.retry_after)
		(void)MHD_add_response_header(
			response, "Retry-After", exchange->misbehaviour.retry_after);
	r = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_length,
	void **context)
{
	static const char *const paths[KINDS] = { "/api/v1/pods", "/api/v1/namespaces" };
	struct kube_server *server = data;
	struct exchange *exchange = *context;
	struct kube_server_request *request = exchange->request;
	bool is_hanging;

	(void)version;
	(void)upload;
	(void)upload_length;
	/* An answer to the first call would end the connection. */
	if (!exchange->is_whole) {
		exchange->is_whole = true;
		return MHD_YES;
	}
	request->kind = strstr(path, paths[SERVER_NAMESPACES]) ? SERVER_NAMESPACES : SERVER_PODS;
	request->verb = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "watch")
				? SERVER_WATCH
				: SERVER_LIST;
	(void)pthread_mutex_lock(&server->lock);
	note_request(exchange, connection, method);
	request->answer = begin_answer(exchange, connection);
	if (strcmp(path, paths[request->kind]) != 0)
		request->answer = 404;
	is_hanging = exchange->misbehaviour.hang && exchange->misbehaviour.after == 0;
	if (server->log)
		server->log(request);
	if (is_hanging)
		hang(server);
	(void)pthread_mutex_unlock(&server->lock);
	return is_hanging ? MHD_NO : answer(exchange, connection, request->answer);
}

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
	server->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, server,
		MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_URI_LOG_CALLBACK, on_uri, server,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_ARRAY, more,
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
