/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An API server on loopback: lists and watches of pods and namespaces, as JSON texts that the test
 * gives; it keeps what was asked of it, and misbehaves when told to.
 *
 * It runs in threads of its own, one for each connection. Every function may be called at any time.
 */
#ifndef CAPAUDITD_TEST_KUBE_SERVER_H
#define CAPAUDITD_TEST_KUBE_SERVER_H

#include "kube_certificates.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kube_server_kind {
	SERVER_PODS,
	SERVER_NAMESPACES,
};
enum kube_server_verb {
	SERVER_LIST,
	SERVER_WATCH,
};

struct kube_server_request {
	enum kube_server_kind kind;
	enum kube_server_verb verb;
	char *method, *url; /* path and query, as they were sent */
	/* Headers; NULL where missing. */
	char *accept, *accept_encoding, *authorization, *host, *user_agent;
	unsigned answer; /* status */
};

struct kube_server_options {
	bool plain; /* http */
	enum kube_certificate_fault fault;
	bool wants_client_certificate;
	const char *token;	/* who has another gets 401; NULL: nobody does. Copied */
	const char *priorities; /* GnuTLS's; NULL: its defaults */
	void (*log)(const struct kube_server_request *request); /* may be NULL; from any thread */
};

/* How a request is answered instead. What is 0 or NULL is as usual. Texts must outlive the server.
 */
struct kube_misbehaviour {
	unsigned times;	     /* so many requests; 0: all from now on */
	unsigned status;     /* without `body`, the answer is a Status object with this code */
	const char *message; /* of it */
	const char *body;
	size_t filler;		 /* so many x after the body */
	const char *retry_after; /* the header */
	bool cut;		 /* the connection is closed after `after` bytes of the body */
	bool hang;		 /* nothing is sent after them; with `after` 0 no header either */
	size_t after;
	unsigned trickle_us; /* between one byte and the next */
};

struct kube_server;

/* 0 or -errno. */
int kube_server_new(const struct kube_server_options *options, struct kube_server **ret);
void kube_server_free(struct kube_server *server);

const char *kube_server_url(const struct kube_server *server); /* https://127.0.0.1:PORT */
unsigned kube_server_port(const struct kube_server *server);
const struct kube_certificates *kube_server_certificates(const struct kube_server *server);

void kube_server_set_token(struct kube_server *server, const char *token);
/* What a list is answered with, from now on. */
void kube_server_set_list(
	struct kube_server *server, enum kube_server_kind kind, const char *text, size_t length);
/* An event: sent to every watch that is open or opened from a resourceVersion below `version`. */
void kube_server_push(struct kube_server *server, enum kube_server_kind kind, uint64_t version,
	const char *text, size_t length);
void kube_server_end_watches(struct kube_server *server, enum kube_server_kind kind, bool abruptly);
void kube_server_misbehave(struct kube_server *server, enum kube_server_kind kind,
	enum kube_server_verb verb, const struct kube_misbehaviour *misbehaviour);
void kube_server_behave(struct kube_server *server);

/* Requests of a kind so far; the n-th of them, from 0 (NULL: there was none), valid as long as the
 * server. */
size_t kube_server_count(
	struct kube_server *server, enum kube_server_kind kind, enum kube_server_verb verb);
const struct kube_server_request *kube_server_request(struct kube_server *server,
	enum kube_server_kind kind, enum kube_server_verb verb, size_t n);

#endif
