/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How requests to one API server are made: its address, what it is trusted by, who we are.
 */
#ifndef CAPAUDITD_KUBE_CONNECTION_H
#define CAPAUDITD_KUBE_CONNECTION_H

#include <capauditd/diag.h>
#include <capauditd/kubeconfig.h>
#include <capauditd/macros.h>

#include "curl_library.h"

#include <stdbool.h>

#define KUBE_TOKEN_MAX 16384u /* bytes of a bearer token */

/* Strings are owned, and NULL where not given. */
struct kube_connection {
	const struct curl_library *curl;
	char *base; /* what every URL begins with; no slash at the end */
	struct curl_slist
		*connect_to; /* where that host is, if tls-server-name took the real one's place */
	char *host_header;   /* and the header that names the real one */
	char *ca;	     /* paths */
	char *certificate, *key;
	int files[3]; /* memory files behind those paths; -1 */
	bool insecure;
	bool encrypted; /* https */
	char *proxy;
	char *token, *token_file;
};

/* `curl` is borrowed. 0; -EINVAL with *diag filled (an address that is none, a certificate that
 * cannot be read, credentials over plain http); -ENOMEM; -errno. To be released in every case. */
int kube_connection_init(struct kube_connection *connection, const struct curl_library *curl,
	const struct kube_access *access, struct diag *diag);
void kube_connection_done(struct kube_connection *connection);

/* A request's. */
struct kube_headers {
	const struct curl_library *curl; /* whose they are */
	struct curl_slist *first;
};
void kube_headers_done(struct kube_headers *headers); /* wipes the token among them */

/* Sets up `easy` for a GET of base + path. *ret_headers is to be kept for as long as the request
 * takes and released with kube_headers_done(). 0; -errno with a sentence in `why` (the token cannot
 * be read); -ENOMEM. */
int kube_connection_apply(const struct kube_connection *connection, CURL *easy, const char *path,
	const char *accept, struct kube_headers *ret_headers, char why[static CURL_ERROR_SIZE]);

#endif
