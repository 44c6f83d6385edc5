/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One request to the tests' API server and its answer: a list, a watch that waits for events, or
 * what the test wants to go wrong. It runs in its connection's thread, which may wait.
 */
#include "kube_server_internal.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <time.h>

#define BLOCK	      32768u
#define REQUESTS_MAX  100000u
#define WATCH_SECONDS 3600u

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

void exchange_end(void *data, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode code)
{
	(void)data;
	(void)connection;
	(void)code;
	exchange_free(*context);
	*context = NULL;
}

/* The only one that is told the query as it was sent. */
void *exchange_begin(void *data, const char *uri, struct MHD_Connection *connection)
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

enum MHD_Result exchange_answer(void *data, struct MHD_Connection *connection, const char *path,
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
