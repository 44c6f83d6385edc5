/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kubeconfig's two files share. Nobody but daemon/core/kubeconfig*.c includes this.
 */
#ifndef CAPAUDITD_KUBECONFIG_INTERNAL_H
#define CAPAUDITD_KUBECONFIG_INTERNAL_H

#include <capauditd/kubeconfig.h>

#include "policy_internal.h"

#define KUBECONFIG_KEYS_MAX    256u  /* in one mapping */
#define KUBECONFIG_ENTRIES_MAX 4096u /* contexts, clusters, users */

/* While a kubeconfig is read. The nodes are those whose values depend on one another; NULL where
 * not given. */
struct kubeconfig {
	struct loader loader;
	const char *file;
	struct kube_access *access;
	const yaml_node_t *server, *insecure, *certificate, *key;
};

/* A value of null, or an empty text: kubectl writes both for what is not given. */
bool kubeconfig_is_absent(const yaml_node_t *node);

/* Finds a key in a mapping, whose keys are looked at all: none may be there twice. *ret_key and
 * *ret_value are NULL where it is missing or absent in the above sense. `name` is the mapping's in
 * errors. */
int kubeconfig_find(struct kubeconfig *kubeconfig, const char *name, const yaml_node_t *mapping,
	const char *key, const yaml_node_t **ret_key, const yaml_node_t **ret_value);

/* kubeconfig_access.c: what `cluster:` and `user:` hold, and whether both together make an access.
 */
int kubeconfig_take_cluster(struct kubeconfig *kubeconfig, const yaml_node_t *cluster);
int kubeconfig_take_user(struct kubeconfig *kubeconfig, const yaml_node_t *user);
int kubeconfig_check_access(struct kubeconfig *kubeconfig);

#endif
