/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How to reach a Kubernetes API server: a kubeconfig file, or a pod's service account.
 */
#ifndef CAPAUDITD_KUBECONFIG_H
#define CAPAUDITD_KUBECONFIG_H

#include <capauditd/diag.h>
#include <capauditd/macros.h>

#include <stdbool.h>
#include <stddef.h>

#define KUBECONFIG_TEXT_MAX (1024u * 1024u)

/* Strings are owned, and NULL where not given. Of a file and data for the same thing data wins, as
 * in client-go; data are PEM text, decoded from base64. */
struct kube_access {
	char *server; /* "https://10.96.0.1:443", without a slash at the end */
	char *tls_server_name;
	char *ca_file, *ca_data; /* neither: the system's */
	bool insecure;		 /* insecure-skip-tls-verify */
	char *proxy_url;
	char *client_certificate_file, *client_certificate_data;
	char *client_key_file, *client_key_data;
	char *token;
	char *token_file; /* read again whenever a request is made: it rotates */
};
void kube_access_done(struct kube_access *access); /* wipes the secrets */

/* Reads the current context of a kubeconfig (YAML or JSON) of `length` bytes. `file` names it in
 * errors, and relative paths in it are relative to its folder. 0; -EINVAL with *diag filled (also
 * for what is not supported: exec and auth-provider plugins, user name and password, plain http
 * with credentials); -ENOMEM. */
int kubeconfig_load(const char *file, const char *text, size_t length, struct kube_access *ret,
	struct diag *diag);

#endif
