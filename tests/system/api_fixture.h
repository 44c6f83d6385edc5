/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An API server beside real containers, and a kubeconfig that leads to it. Of the programs called
 * test_api*.c alone, which a build without the API source leaves out.
 */
#ifndef CAPAUDITD_TESTS_API_FIXTURE_H
#define CAPAUDITD_TESTS_API_FIXTURE_H

#include "sys.h"

#include "../kubernetes/kube_server.h"

/* What a server that is called by a name has in its certificate. */
#define API_HOST_NAME "kubernetes.example"

struct api {
	struct kube_server *server;
	const char *folder; /* the kubeconfig's, and that of the files which it names */
	char *kubeconfig;
	unsigned version; /* resourceVersion of what was told last */
};

/* Starts one, whose pods are none and whose namespace is `shop`. `by_name`: the kubeconfig calls it
 * API_HOST_NAME, not by its address. It lives until the test ends. */
struct api api_start(struct sys *sys, bool by_name);

/* A list of that one object, or of none (""). */
void api_set_list(struct sys *sys, struct api *api, enum kube_server_kind kind, const char *object);
/* An event about an object that begins with its metadata. */
void api_push(struct sys *sys, struct api *api, enum kube_server_kind kind, const char *type,
	const char *object);
/* The namespace `shop`; labels as members of a JSON object. */
char *api_namespace(struct sys *sys, const char *labels);

#endif
