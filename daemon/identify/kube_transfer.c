/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libcurl's multi interface on sd-event: libcurl says which sockets it waits for and until when,
 * and is called when that has come. Knows nothing of lists and watches.
 *
 * Each transfer has a watchdog of its own, since libcurl's limits in time do not know of an answer
 * that may pause.
 */
#include "kube_transfer.h"
#include "kube_connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define ACCURACY_US 1000u
#define HEADERS_MAX 65536u /* bytes */
#define CONNECTIONS 4L	   /* kept open */

struct watched_socket {
	struct watched_socket *previous, *next;
	struct kube_transport *transport;
	sd_event_source *source;
};

struct kube_transport {
	const struct curl_library *curl;
	sd_event *event;
	CURLM *multi;
	bool initialised;	/* libcurl */
	sd_event_source *timer; /* libcurl's */
	struct watched_socket *sockets;
	struct kube_connection connection;
};

struct kube_transfer {
	struct kube_transport *transport;
	CURL *easy;
	bool added;
	struct kube_headers headers;
	struct kube_request request;
	sd_event_source *watchdog;
	uint64_t last_us, limit_us; /* on the loop's clock */
	bool begun;
	int taken;	     /* what `take` returned */
	size_t header_bytes; /* so far */
	char why[CURL_ERROR_SIZE];
	char *refusal;
	size_t refusal_length;
};

static uint64_t now_us(sd_event *event)
{
	uint64_t now = 0;

	(void)sd_event_now(event, CLOCK_MONOTONIC, &now);
	return now;
}

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void transfer_free(struct kube_transfer *transfer)
{
	const struct curl_library *curl;

	if (!transfer)
		return;
	curl = transfer->transport->curl;
	(void)sd_event_source_disable_unref(transfer->watchdog);
	if (transfer->added)
		(void)curl->multi_remove_handle(transfer->transport->multi, transfer->easy);
	curl->easy_cleanup(transfer->easy);
	kube_headers_done(&transfer->headers);
	free(transfer->refusal);
	free(transfer);
}
DEFINE_CLEANUP(struct kube_transfer, transfer_free)

void kube_transfer_cancel(struct kube_transfer *transfer)
{
	transfer_free(transfer);
}

/* The transfer is gone when done() is called, which may start the next one. */
static void finish(struct kube_transfer *transfer, int error, const char *why)
{
	_cleanup_(transfer_freep) struct kube_transfer *ended = transfer;
	const struct curl_library *curl = ended->transport->curl;
	struct kube_answer answer = { .error = error, .why = why };
	curl_off_t retry_after = 0;

	(void)curl->easy_getinfo(ended->easy, CURLINFO_RESPONSE_CODE, &answer.status);
	(void)curl->easy_getinfo(ended->easy, CURLINFO_RETRY_AFTER, &retry_after);
	if (retry_after > 0)
		answer.retry_after_us = (uint64_t)retry_after > UINT64_MAX / 1000000u
						? UINT64_MAX
						: (uint64_t)retry_after * 1000000u;
	answer.refusal = ended->refusal;
	answer.refusal_length = ended->refusal_length;
	(void)sd_event_source_set_enabled(ended->watchdog, SD_EVENT_OFF);
	(void)curl->multi_remove_handle(ended->transport->multi, ended->easy);
	ended->added = false;
	ended->request.done(ended->request.data, &answer);
}

static void finish_by_code(struct kube_transfer *transfer, CURLcode code)
{
	const struct curl_library *curl = transfer->transport->curl;
	const char *why = transfer->why[0] ? transfer->why : curl->easy_strerror(code);

	if (transfer->taken != 0)
		finish(transfer, transfer->taken, "");
	else if (code == CURLE_OK)
		finish(transfer, 0, "");
	else
		finish(transfer,
			code == CURLE_OUT_OF_MEMORY	   ? -ENOMEM
			: code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT
							   : -EIO,
			why);
}

static void finish_ended(struct kube_transport *transport)
{
	const struct curl_library *curl = transport->curl;
	const CURLMsg *message;
	int left;

	while ((message = curl->multi_info_read(transport->multi, &left))) {
		CURLcode code = message->data.result;
		char *data = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &data);
		finish_by_code((struct kube_transfer *)(void *)data, code);
	}
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct watched_socket *watched = data;
	struct kube_transport *transport = watched->transport;
	int mask = 0, running;

	(void)source;
	if (revents & EPOLLIN)
		mask |= CURL_CSELECT_IN;
	if (revents & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (revents & (EPOLLERR | EPOLLHUP))
		mask |= CURL_CSELECT_ERR;
	/* `watched` may be gone after this. */
	(void)transport->curl->multi_socket_action(transport->multi, fd, mask, &running);
	finish_ended(transport);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct kube_transport *transport = data;
	int running;

	(void)source;
	(void)usec;
	(void)transport->curl->multi_socket_action(
		transport->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_ended(transport);
	return 0;
}

static void forget_socket(struct watched_socket *watched)
{
	if (watched->previous)
		watched->previous->next = watched->next;
	else
		watched->transport->sockets = watched->next;
	if (watched->next)
		watched->next->previous = watched->previous;
	(void)sd_event_source_disable_unref(watched->source);
	free(watched);
}

static int watch_socket(struct kube_transport *transport, curl_socket_t fd, uint32_t events)
{
	struct watched_socket *watched = calloc(1, sizeof(*watched));

	if (!watched)
		return -1;
	watched->transport = transport;
	watched->next = transport->sockets;
	if (watched->next)
		watched->next->previous = watched;
	transport->sockets = watched;
	if (sd_event_add_io(transport->event, &watched->source, fd, events, on_io, watched) < 0 ||
		transport->curl->multi_assign(transport->multi, fd, watched) != CURLM_OK) {
		forget_socket(watched);
		return -1;
	}
	return 0;
}

/* Where a socket cannot be watched (out of memory), nothing happens on it any more and the watchdog
 * ends the transfer: an error returned from here would end libcurl's whole multi handle. */
static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *data, void *assigned)
{
	static const uint32_t events_of[] = {
		[CURL_POLL_NONE] = 0,
		[CURL_POLL_IN] = EPOLLIN,
		[CURL_POLL_OUT] = EPOLLOUT,
		[CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT,
	};
	struct kube_transport *transport = data;
	struct watched_socket *watched = assigned;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watched) {
			(void)transport->curl->multi_assign(transport->multi, fd, NULL);
			forget_socket(watched);
		}
	} else if ((size_t)what < ARRAY_SIZE(events_of)) {
		if (watched)
			(void)sd_event_source_set_io_events(watched->source, events_of[what]);
		else
			(void)watch_socket(transport, fd, events_of[what]);
	}
	return 0;
}

static int on_timer_wanted(CURLM *multi, long milliseconds, void *data)
{
	struct kube_transport *transport = data;

	(void)multi;
	if (milliseconds < 0) {
		(void)sd_event_source_set_enabled(transport->timer, SD_EVENT_OFF);
		return 0;
	}
	(void)sd_event_source_set_time(
		transport->timer, now_us(transport->event) + (uint64_t)milliseconds * 1000u);
	(void)sd_event_source_set_enabled(transport->timer, SD_EVENT_ONESHOT);
	return 0;
}

static int set_up_multi(struct kube_transport *transport)
{
	const struct curl_library *curl = transport->curl;
	CURLM *multi = curl->multi_init();

	transport->multi = multi;
	if (!multi || curl->multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted) ||
		curl->multi_setopt(multi, CURLMOPT_SOCKETDATA, transport) ||
		curl->multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted) ||
		curl->multi_setopt(multi, CURLMOPT_TIMERDATA, transport) ||
		curl->multi_setopt(multi, CURLMOPT_MAXCONNECTS, CONNECTIONS))
		return -ENOMEM;
	return 0;
}

int kube_transport_new(sd_event *event, const struct curl_library *curl,
	const struct kube_access *access, struct kube_transport **ret, struct diag *diag)
{
	_cleanup_(kube_transport_freep) struct kube_transport *transport =
		calloc(1, sizeof(*transport));
	int r;

	if (!transport)
		return -ENOMEM;
	transport->curl = curl;
	transport->event = sd_event_ref(event);
	for (size_t i = 0; i < ARRAY_SIZE(transport->connection.files); i++)
		transport->connection.files[i] = -1;
	transport->initialised = curl->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	if (!transport->initialised)
		return -ENOMEM;
	r = kube_connection_init(&transport->connection, curl, access, diag);
	if (r < 0)
		return r;
	r = sd_event_add_time(event, &transport->timer, CLOCK_MONOTONIC, UINT64_MAX, ACCURACY_US,
		on_timer, transport);
	if (r >= 0)
		r = sd_event_source_set_enabled(transport->timer, SD_EVENT_OFF);
	if (r >= 0)
		r = set_up_multi(transport);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(transport);
	return 0;
}

char *kube_transport_escape(const struct kube_transport *transport, const char *text)
{
	char *escaped = transport->curl->easy_escape(NULL, text, 0);
	char *own = escaped ? strdup(escaped) : NULL;

	transport->curl->free(escaped);
	return own;
}

void kube_transport_free(struct kube_transport *transport)
{
	if (!transport)
		return;
	if (transport->multi)
		(void)transport->curl->multi_cleanup(transport->multi);
	while (transport->sockets)
		forget_socket(transport->sockets);
	(void)sd_event_source_disable_unref(transport->timer);
	kube_connection_done(&transport->connection);
	(void)sd_event_unref(transport->event);
	if (transport->initialised)
		transport->curl->global_cleanup();
	free(transport);
}

static uint64_t next_look(const struct kube_transfer *transfer)
{
	uint64_t silent = add_saturating(transfer->last_us, transfer->request.silence_us);

	if (transfer->begun && transfer->request.may_fall_silent)
		return transfer->limit_us;
	return silent < transfer->limit_us ? silent : transfer->limit_us;
}

/* Bytes only note when they came; whether too long ago is asked when the time is up. */
static int on_watchdog(sd_event_source *source, uint64_t usec, void *data)
{
	struct kube_transfer *transfer = data;
	uint64_t now = now_us(transfer->transport->event), next = next_look(transfer);
	char why[128];

	(void)usec;
	if (next > now) {
		(void)sd_event_source_set_time(source, next);
		(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
		return 0;
	}
	if (now >= transfer->limit_us)
		(void)snprintf(why, sizeof(why), "the answer had not ended when its time was up");
	else
		(void)snprintf(why, sizeof(why), "nothing came for %.3g seconds",
			(double)transfer->request.silence_us / 1e6);
	finish(transfer, -ETIMEDOUT, why);
	return 0;
}

static long status_of(struct kube_transfer *transfer)
{
	long status = 0;

	(void)transfer->transport->curl->easy_getinfo(
		transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t on_header(const char *bytes, size_t size, size_t count, void *data)
{
	struct kube_transfer *transfer = data;
	size_t length = size * count;

	transfer->last_us = now_us(transfer->transport->event);
	transfer->header_bytes += length;
	if (transfer->header_bytes > HEADERS_MAX) {
		transfer->taken = -EMSGSIZE;
		return 0;
	}
	/* The empty line ends them. (A status of 1xx has one of its own.) */
	if (length > 0 && (bytes[0] == '\r' || bytes[0] == '\n') && !transfer->begun &&
		status_of(transfer) == 200) {
		transfer->begun = true;
		if (transfer->request.begun)
			transfer->request.begun(transfer->request.data);
	}
	return length;
}

static int keep_refusal(struct kube_transfer *transfer, const char *bytes, size_t length)
{
	size_t room = KUBE_REFUSAL_MAX - transfer->refusal_length;

	if (!transfer->refusal)
		transfer->refusal = malloc(KUBE_REFUSAL_MAX);
	if (!transfer->refusal)
		return -ENOMEM;
	memcpy(transfer->refusal + transfer->refusal_length, bytes, length < room ? length : room);
	transfer->refusal_length += length < room ? length : room;
	return length <= room ? 0 : -EMSGSIZE; /* enough of it */
}

static size_t on_body(const char *bytes, size_t size, size_t count, void *data)
{
	struct kube_transfer *transfer = data;
	size_t length = size * count;

	transfer->last_us = now_us(transfer->transport->event);
	if (length == 0)
		return 0;
	if (transfer->begun)
		transfer->taken = transfer->request.take(transfer->request.data, bytes, length);
	else
		transfer->taken = keep_refusal(transfer, bytes, length);
	return transfer->taken == 0 ? length : 0;
}

#define SET(option, value)                                                           \
	do {                                                                         \
		if (code == CURLE_OK)                                                \
			code = curl->easy_setopt(transfer->easy, (option), (value)); \
	} while (0)

static int set_up_easy(struct kube_transfer *transfer, const struct kube_request *request)
{
	const struct kube_connection *connection = &transfer->transport->connection;
	const struct curl_library *curl = transfer->transport->curl;
	CURLcode code = CURLE_OK;
	int r = kube_connection_apply(connection, transfer->easy, request->path, request->accept,
		&transfer->headers, transfer->why);

	if (r < 0)
		return r;
	SET(CURLOPT_PRIVATE, transfer);
	SET(CURLOPT_ERRORBUFFER, transfer->why);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_FRESH_CONNECT, request->on_new_connection ? 1L : 0L);
	return code == CURLE_OK ? 0 : -ENOMEM;
}

static int start(struct kube_transfer *transfer, const struct kube_request *request)
{
	struct kube_transport *transport = transfer->transport;
	int r;

	transfer->last_us = now_us(transport->event);
	transfer->limit_us = add_saturating(transfer->last_us, request->limit_us);
	transfer->request = *request;
	transfer->request.path = transfer->request.accept = NULL;
	transfer->easy = transport->curl->easy_init();
	if (!transfer->easy)
		return -ENOMEM;
	r = set_up_easy(transfer, request);
	if (r < 0)
		return r;
	r = sd_event_add_time(transport->event, &transfer->watchdog, CLOCK_MONOTONIC,
		next_look(transfer), ACCURACY_US, on_watchdog, transfer);
	if (r < 0)
		return r;
	if (transport->curl->multi_add_handle(transport->multi, transfer->easy) != CURLM_OK)
		return -ENOMEM;
	transfer->added = true;
	return 0;
}

int kube_transfer_start(struct kube_transport *transport, const struct kube_request *request,
	struct kube_transfer **ret, struct diag *diag)
{
	_cleanup_(transfer_freep) struct kube_transfer *transfer = calloc(1, sizeof(*transfer));
	int r = -ENOMEM;

	if (transfer) {
		transfer->transport = transport;
		r = start(transfer, request);
	}
	if (r < 0) {
		(void)diag_error(diag, 0, 0, "%s",
			transfer && transfer->why[0] ? transfer->why : strerror(-r));
		return r;
	}
	*ret = TAKE_PTR(transfer);
	return 0;
}
