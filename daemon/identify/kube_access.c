/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds out how to reach the API server: from a kubeconfig file, or from what the kubelet gives a
 * pod. What a kubeconfig says is core's business, what is sent with it kube_connection.c's.
 */
#include <capauditd/kubernetes.h>

#include "read_fully.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_PORT "443"

/* A link (the kubelet's is one) counts as what it leads to. */
static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int fill(struct kube_access *access, const char *folder, const char *host, const char *port)
{
	bool is_bare_ipv6 = strchr(host, ':') && host[0] != '[';

	if (asprintf(&access->token_file, "%s/token", folder) < 0) {
		access->token_file = NULL;
		return -ENOMEM;
	}
	if (!is_file(access->token_file))
		return -ENOENT;
	/* Whether or not it is there: the token goes to nobody whom the cluster's own authority did
	 * not sign. */
	if (asprintf(&access->ca_file, "%s/ca.crt", folder) < 0) {
		access->ca_file = NULL;
		return -ENOMEM;
	}
	if (asprintf(&access->server, "https://%s%s%s:%s", is_bare_ipv6 ? "[" : "", host,
		    is_bare_ipv6 ? "]" : "", port) < 0) {
		access->server = NULL;
		return -ENOMEM;
	}
	return 0;
}

int kube_access_from_service_account(
	const char *folder, const char *host, const char *port, struct kube_access *ret)
{
	_cleanup_(kube_access_done) struct kube_access access = { 0 };
	int r;

	if (!host || !host[0])
		return -ENOENT;
	r = fill(&access, folder, host, port && port[0] ? port : DEFAULT_PORT);
	if (r < 0)
		return r;
	*ret = access;
	memset(&access, 0, sizeof(access)); /* they are the caller's now */
	return 0;
}

static int open_error(const char *path, int r, struct diag *diag)
{
	if (diag)
		diag->file = path;
	return diag_error(diag, 0, 0, "cannot be read: %s", strerror(-r));
}

int kube_access_from_file(const char *path, struct kube_access *ret, struct diag *diag)
{
	/* One byte more, by which a larger file is found out. */
	const size_t size = KUBECONFIG_TEXT_MAX + 1u;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	int r;

	if (fd < 0)
		return open_error(path, -errno, diag);
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	r = read_fully(fd, text, size, &length); /* or from a pipe: --kubeconfig <(...) */
	if (r < 0)
		r = open_error(path, r, diag);
	else
		r = kubeconfig_load(path, text, length, ret, diag);
	explicit_bzero(text, length);
	return r;
}
