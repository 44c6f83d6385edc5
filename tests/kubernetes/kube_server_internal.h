/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the server and its exchanges share.
 */
#ifndef CAPAUDITD_TEST_KUBE_SERVER_INTERNAL_H
#define CAPAUDITD_TEST_KUBE_SERVER_INTERNAL_H

#include "kube_server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KINDS 2
#define VERBS 2

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

/* A test that has no memory has failed. */
static inline void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static inline char *copy(const char *text)
{
	return text ? must(strdup(text)) : NULL;
}

/* libmicrohttpd's callbacks: the query as it was sent, which begins an exchange; the request; its
 * end. */
void *exchange_begin(void *data, const char *uri, struct MHD_Connection *connection);
enum MHD_Result exchange_answer(void *data, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_length,
	void **context);
void exchange_end(void *data, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode code);

#endif
