/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libmicrohttpd polls its connections through an epoll descriptor, which is a source of our loop;
 * no thread is started. Knows nothing of what is served.
 */
#include "http_server.h"

#include <capauditd/clock.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define IDLE_SECONDS 5u
#define STREAM_BLOCK 4096u /* bytes asked of a stream at a time */
#define TEXT_PLAIN   "text/plain; charset=utf-8"

struct connection {
	struct connection *previous, *next; /* ordered by deadline, as they all live as long */
	struct http_server *server;
	int fd;
	uint64_t deadline_us; /* monotonic */
	bool ended;	      /* by us: it is gone as soon as the library has seen it */
};

struct http_server {
	struct http_library library;
	struct MHD_Daemon *daemon;
	sd_event *event;
	sd_event_source *source, *timer;
	const struct http_route *routes;
	void *data;
	uint64_t lifetime_us;
	struct connection *first, *last;
	size_t count;
};

/* libmicrohttpd sees that it ended, and tells us. */
static void hang_up(struct connection *connection)
{
	connection->ended = true;
	(void)shutdown(connection->fd, SHUT_RDWR);
}

static struct connection *find_first(const struct http_server *server)
{
	struct connection *c = server->first;

	while (c && c->ended)
		c = c->next;
	return c;
}

static void add_connection(
	struct http_server *server, struct MHD_Connection *connection, void **ret)
{
	const union MHD_ConnectionInfo *info =
		server->library.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct connection *new = calloc(1, sizeof(*new));

	*ret = new;
	if (!info || !new) {
		/* Without a deadline none is served. */
		if (info)
			(void)shutdown(info->connect_fd, SHUT_RDWR);
		free(new);
		*ret = NULL;
		return;
	}
	new->server = server;
	new->fd = info->connect_fd;
	new->deadline_us = clock_us(CLOCK_MONOTONIC) + server->lifetime_us;
	new->previous = server->last;
	if (server->last)
		server->last->next = new;
	else
		server->first = new;
	server->last = new;
	/* Who holds connections open must not keep others out. */
	if (++server->count > HTTP_CONNECTIONS_MAX)
		hang_up(find_first(server));
}

static void remove_connection(struct http_server *server, struct connection *connection)
{
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		server->first = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	else
		server->last = connection->previous;
	server->count--;
	free(connection);
}

static void on_connection(void *data, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = data;

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		add_connection(server, connection, context);
	else if (*context)
		remove_connection(server, *context);
}

/* -- answers -- */

struct stream {
	ssize_t (*next)(void *stream, char *buffer, size_t size);
	void (*free)(void *stream);
	void *stream;
};

static ssize_t read_stream(void *data, uint64_t position, char *buffer, size_t size)
{
	struct stream *stream = data;
	ssize_t n = stream->next(stream->stream, buffer, size);

	(void)position;
	if (n < 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return n ? n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void free_stream(void *data)
{
	struct stream *stream = data;

	stream->free(stream->stream);
	free(stream);
}

static struct MHD_Response *make_stream_response(
	struct http_server *server, const struct http_answer *answer)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	struct MHD_Response *response = NULL;

	if (stream) {
		*stream = (struct stream){ answer->next, answer->free, answer->stream };
		response = server->library.create_response_from_callback(
			MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, stream, free_stream);
	}
	if (!response) {
		answer->free(answer->stream);
		free(stream);
	}
	return response;
}

/* Takes what the answer owns. NULL when out of memory. */
static struct MHD_Response *make_response(
	struct http_server *server, const struct http_answer *answer)
{
	struct MHD_Response *response;

	if (!answer->text)
		return make_stream_response(server, answer);
	response = server->library.create_response_from_buffer(
		answer->length, answer->text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(answer->text);
	return response;
}

static enum MHD_Result send_answer(struct http_server *server, struct MHD_Connection *connection,
	const struct http_answer *answer)
{
	const struct {
		const char *name, *value;
	} headers[] = {
		{ MHD_HTTP_HEADER_CONTENT_TYPE, answer->type },
		{ MHD_HTTP_HEADER_CONNECTION, "close" },
		{ MHD_HTTP_HEADER_CACHE_CONTROL, "no-store" },
		{ answer->header.name, answer->header.value },
	};
	struct MHD_Response *response = make_response(server, answer);
	enum MHD_Result sent = MHD_YES;

	if (!response)
		return MHD_NO; /* the connection is closed */
	for (size_t i = 0; sent == MHD_YES && i < ARRAY_SIZE(headers); i++)
		if (headers[i].name)
			sent = server->library.add_response_header(
				response, headers[i].name, headers[i].value);
	if (sent == MHD_YES)
		sent = server->library.queue_response(connection, answer->status, response);
	server->library.destroy_response(response);
	return sent;
}

static enum MHD_Result send_status(struct http_server *server, struct MHD_Connection *connection,
	unsigned status, const char *sentence)
{
	struct http_answer answer = { .status = status,
		.type = TEXT_PLAIN,
		.text = strdup(sentence),
		.length = strlen(sentence) };

	if (!answer.text)
		return MHD_NO;
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
		answer.header.name = MHD_HTTP_HEADER_ALLOW;
		answer.header.value = "GET, HEAD";
	}
	return send_answer(server, connection, &answer);
}

static const struct http_route *find_route(const struct http_server *server, const char *path)
{
	for (const struct http_route *route = server->routes; route->path; route++)
		if (strcmp(route->path, path) == 0)
			return route;
	return NULL;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **context)
{
	struct http_server *server = data;
	const struct http_route *route = find_route(server, path);
	struct http_answer answer = { 0 };

	(void)version;
	(void)upload;
	*upload_size = 0; /* a body is read by nobody */
	(void)context;
	if (!route)
		return send_status(server, connection, MHD_HTTP_NOT_FOUND, "not found\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return send_status(
			server, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (route->answer(server->data, &answer) < 0)
		return send_status(
			server, connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
	if (!answer.type)
		answer.type = TEXT_PLAIN;
	return send_answer(server, connection, &answer);
}

/* Paths are compared as they were sent: "/metrics%00" is none of ours. */
static size_t leave_escapes(void *data, struct MHD_Connection *connection, char *text)
{
	(void)data;
	(void)connection;
	return strlen(text);
}

/* -- the loop -- */

static void arm(struct http_server *server)
{
	const struct connection *first = find_first(server);
	uint64_t now = clock_us(CLOCK_MONOTONIC), due = first ? first->deadline_us : UINT64_MAX;
	MHD_UNSIGNED_LONG_LONG milliseconds;

	if (server->library.get_timeout(server->daemon, &milliseconds) == MHD_YES &&
		now + milliseconds * 1000u < due)
		due = now + milliseconds * 1000u;
	if (due == UINT64_MAX) {
		(void)sd_event_source_set_enabled(server->timer, SD_EVENT_OFF);
		return;
	}
	(void)sd_event_source_set_time(server->timer, due);
	(void)sd_event_source_set_enabled(server->timer, SD_EVENT_ONESHOT);
}

static void turn(struct http_server *server)
{
	const uint64_t now = clock_us(CLOCK_MONOTONIC);

	for (struct connection *c = server->first; c && c->deadline_us <= now; c = c->next)
		hang_up(c);
	(void)server->library.run(server->daemon);
	arm(server);
}

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *data)
{
	(void)source;
	(void)fd;
	(void)events;
	turn(data);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t now, void *data)
{
	(void)source;
	(void)now;
	turn(data);
	return 0;
}

/* What is to end the daemon, or to set its policy, goes first. */
#define PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

static int add_sources(struct http_server *server)
{
	const union MHD_DaemonInfo *info =
		server->library.get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int r;

	if (!info)
		return -EIO;
	r = sd_event_add_io(
		server->event, &server->source, info->epoll_fd, EPOLLIN, on_ready, server);
	if (r >= 0)
		r = sd_event_add_time(server->event, &server->timer, CLOCK_MONOTONIC, UINT64_MAX,
			1000, on_timer, server);
	if (r >= 0)
		r = sd_event_source_set_enabled(server->timer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_priority(server->source, PRIORITY);
	if (r >= 0)
		r = sd_event_source_set_priority(server->timer, PRIORITY);
	return r < 0 ? r : 0;
}

static struct MHD_Daemon *start(struct http_server *server, int fd)
{
	/* Twice as many as there may be, since those that make way take a turn of the loop to go.
	 */
	const struct MHD_OptionItem options[] = {
		{ MHD_OPTION_LISTEN_SOCKET, fd, NULL },
		{ MHD_OPTION_CONNECTION_LIMIT, 2 * HTTP_CONNECTIONS_MAX, NULL },
		{ MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_REQUEST_MAX, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_INCREMENT, 1024, NULL },
		{ MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, server },
		{ MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escapes, NULL },
		{ MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
		{ MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};

	return server->library.start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, server,
		MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

int http_server_new(const struct http_library *library, sd_event *event,
	const struct http_settings *settings, struct http_server **ret)
{
	_cleanup_(http_server_freep) struct http_server *server = calloc(1, sizeof(*server));
	_cleanup_close_ int fd = settings->fd;
	int r;

	if (!server)
		return -ENOMEM;
	server->library = *library;
	server->event = sd_event_ref(event);
	server->routes = settings->routes;
	server->data = settings->data;
	server->lifetime_us = settings->lifetime_us;
	errno = 0;
	server->daemon = start(server, fd);
	if (!server->daemon)
		return errno ? -errno : -EIO;
	(void)TAKE_FD(fd); /* MHD_stop_daemon() closes it */
	r = add_sources(server);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(server);
	return 0;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	(void)sd_event_source_disable_unref(server->source);
	(void)sd_event_source_disable_unref(server->timer);
	if (server->daemon)
		server->library.stop_daemon(server->daemon);
	(void)sd_event_unref(server->event);
	free(server);
}
