/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Kubernetes API source: keeps a cluster (cluster.h) true by list and watch of this node's pods
 * and of all namespaces' metadata. libcurl's multi interface on the caller's event loop: nothing
 * here blocks.
 *
 * The requests are client-go's reflector's: a list with resourceVersion=0 and without limit (served
 * from the API server's cache), then a watch with bookmarks from the list's resourceVersion. 410
 * Gone (as a status, or as an ERROR event inside a 200) lists anew. Failures are tried again with a
 * growing, random delay; Retry-After is heeded. What is known stays known meanwhile.
 */
#ifndef CAPAUDITD_KUBERNETES_H
#define CAPAUDITD_KUBERNETES_H

#include <capauditd/cluster.h>
#include <capauditd/diag.h>
#include <capauditd/kubeconfig.h>
#include <capauditd/macros.h>

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* Bytes of one object or event; a longer one is left out. etcd takes 1.5 MiB, and as JSON each byte
 * of it may be six ("\\u003c"). */
#define KUBERNETES_ITEM_MAX (12u * 1024u * 1024u)
/* Bytes of one list, of which no more than an item is in memory: as many as the kubelet runs pods,
 * of the longest. */
#define KUBERNETES_ANSWER_MAX (1280u * 1024u * 1024u)
#define KUBERNETES_FIRST_DELAY_US \
	28000000u /* in the DaemonSet the first list comes after up to this */

/* Where a pod finds its service account. */
#define SERVICE_ACCOUNT_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"

/* The access of the service account in `folder` (token, ca.crt), server from
 * KUBERNETES_SERVICE_HOST and _PORT as given. 0; -ENOENT where there is none (no token, or no
 * host); -ENOMEM. The token is read when a request is made. */
int kube_access_from_service_account(
	const char *folder, const char *host, const char *port, struct kube_access *ret);

/* Reads a kubeconfig file. 0, -EINVAL with *diag filled (also where it cannot be read), -ENOMEM. */
int kube_access_from_file(const char *path, struct kube_access *ret, struct diag *diag);

struct kubernetes_settings {
	const struct kube_access *access; /* copied */
	const char *node;		  /* pods with spec.nodeName of this; copied */
	uint64_t first_delay_us; /* the first list comes at a random time before that; 0: at once */
	/* 0: the defaults. For tests. */
	uint64_t stall_us; /* an answer that sends nothing for so long has failed: 30 s. A watch
			      may be silent, and has failed that long after it should have ended */
	uint64_t backoff_min_us; /* 1 s */
	uint64_t backoff_max_us; /* 60 s */
	uint64_t answer_max;	 /* KUBERNETES_ANSWER_MAX */
	unsigned watch_seconds;	 /* a watch is asked to end after that: 270 to 330 s, at random */
};

/* Something that a verdict or a name could depend on has changed (cluster_version()); called once
 * for each piece of an answer that was read, not for each event. The source may be freed from here
 * and from what follows. */
typedef void kubernetes_changed(void *data);
/* One sentence for people, when the state of the source changes (lost, and why; back; something
 * left out; no more): not for each failed try, nor for each object. */
typedef void kubernetes_say(void *data, bool is_up, const char *sentence);

struct kubernetes;

/* `cluster` is borrowed; `changed` and `say` may be NULL. Nothing is sent, no thread started and
 * nothing called before the loop turns. libcurl is loaded and initialised here and released by
 * kubernetes_free(). 0; -EINVAL with *diag filled (a certificate that cannot be read, a build
 * without this source); -ELIBACC with *diag filled (no libcurl here); -ENOMEM; -errno. */
int kubernetes_new(sd_event *event, const struct kubernetes_settings *settings,
	struct cluster *cluster, kubernetes_changed *changed, kubernetes_say *say, void *data,
	struct kubernetes **ret, struct diag *diag);
void kubernetes_free(struct kubernetes *kubernetes);
DEFINE_CLEANUP(struct kubernetes, kubernetes_free)

/* Both lists have been read once. */
bool kubernetes_is_synced(const struct kubernetes *kubernetes);
/* Each list has been read, or has failed: who asks once need not wait for more. */
bool kubernetes_is_settled(const struct kubernetes *kubernetes);
/* What is missing or left out of what the cluster holds by now, and why, as a sentence: 1 with *ret
 * a new string; 0: nothing; -ENOMEM. */
int kubernetes_why_incomplete(const struct kubernetes *kubernetes, char **ret);
/* The last request of each kind succeeded: a list was read, or a watch is open. */
bool kubernetes_is_up(const struct kubernetes *kubernetes);
/* Why not, the last failure; NULL where nothing failed yet. Borrowed until the loop turns. */
const char *kubernetes_failure(const struct kubernetes *kubernetes);

#endif
