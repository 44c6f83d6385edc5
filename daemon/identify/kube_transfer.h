/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests to the API server, run by libcurl's multi interface on the caller's event loop.
 */
#ifndef CAPAUDITD_KUBE_TRANSFER_H
#define CAPAUDITD_KUBE_TRANSFER_H

#include <capauditd/diag.h>
#include <capauditd/kubeconfig.h>
#include <capauditd/macros.h>

#include "curl_library.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define KUBE_REFUSAL_MAX 16384u /* bytes kept of what explains a status other than 200 */

struct kube_transport;

/* Also initialises libcurl (`curl`, borrowed), and kube_transport_free() undoes that: libcurl
 * counts. Nothing is sent and no thread is started before the loop turns. 0; -EINVAL with *diag;
 * -ENOMEM; -errno. */
int kube_transport_new(sd_event *event, const struct curl_library *curl,
	const struct kube_access *access, struct kube_transport **ret, struct diag *diag);
void kube_transport_free(struct kube_transport *transport); /* all transfers must have ended */
DEFINE_CLEANUP(struct kube_transport, kube_transport_free)

/* For a query: all but RFC 3986's unreserved characters. A new string, NULL when out of memory. */
char *kube_transport_escape(const struct kube_transport *transport, const char *text);

/* How a request ended. Valid during the call. */
struct kube_answer {
	int error; /* 0: the answer is complete; what `take` returned; -ETIMEDOUT, -ENOMEM,
		      -EIO */
	const char
		*why; /* in words; "" where `error` says it all. May hold what the server chose */
	long status;  /* 0: none came */
	uint64_t retry_after_us; /* 0: not said */
	const char *refusal;	 /* the beginning of an answer that is not 200's */
	size_t refusal_length;
};

struct kube_request {
	const char *path; /* and query; this and `accept` are read by kube_transfer_start() alone */
	const char *accept;
	uint64_t silence_us;  /* it has failed when nothing came for so long, */
	bool may_fall_silent; /* once it has begun: also then (false), or no more (true) */
	uint64_t limit_us;    /* and when it has not ended after so long */
	bool on_new_connection;
	/* A status of 200 has come. From here and from `take` no transfer may be started or
	 * cancelled. */
	void (*begun)(void *data);
	/* A piece of 200's answer. Anything but 0 ends the request. */
	int (*take)(void *data, const char *bytes, size_t length);
	/* Called once, when the transfer is over and gone, unless it was cancelled. */
	void (*done)(void *data, const struct kube_answer *answer);
	void *data;
};

struct kube_transfer;

/* 0; or -errno, where done() is not called, with a sentence in *diag. */
int kube_transfer_start(struct kube_transport *transport, const struct kube_request *request,
	struct kube_transfer **ret, struct diag *diag);
void kube_transfer_cancel(struct kube_transfer *transfer); /* NULL is fine */

#endif
