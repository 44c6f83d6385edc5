/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sources that name what an engine finds, as scan and run open them.
 */
#ifndef CAPAUDITD_SOURCES_H
#define CAPAUDITD_SOURCES_H

#include "audit.h"

#include <capauditd/kubernetes.h>

struct sources {
	struct bundles *bundles;
	struct cluster *cluster; /* NULL: the Kubernetes API is not asked */
	struct kube_access access;
	bool in_cluster;  /* access is a service account's */
	char *own_cgroup; /* NULL: the program is in the host's cgroup namespace, or not known */
	char *host_root;
};

/* Opens what the command line and the policy say, and gives it to the audit, whose registry must be
 * there. `kubernetes` is "auto", "off" or NULL, `kubeconfig` a file or NULL. EXIT_STATUS_OK, or
 * another exit status, said. */
int sources_open(struct sources *sources, const char *host_root, const char *kubernetes,
	const char *kubeconfig, struct audit *audit);
/* Looks for bundles where another policy says, from now on. Out of memory, where the one before
 * said. */
void sources_take_bundles(
	struct sources *sources, const struct policy *policy, struct audit *audit);

/* own_cgroup.c: the path of the program's own container in the host's cgroup tree, where it is in a
 * cgroup namespace of its own and that tree is mounted below `host_root`: *ret is a new string, or
 * NULL. 0 or -ENOMEM. */
int find_own_cgroup(const char *host_root, const struct cgroup_base *base, char **ret);

/* After audit_done(). */
void sources_done(struct sources *sources);

/* Reads pods and namespaces once, for at most SOURCES_WAIT_US; then the cluster is what it is. *ret
 * is why they are not known, a new string, or NULL. 0 or -errno. */
#define SOURCES_WAIT_US 15000000u
int sources_fetch(struct sources *sources, const char *node, char **ret);

#endif
