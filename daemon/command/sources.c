/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opens the sources that name what an engine finds: OCI bundles, and the Kubernetes API where a
 * kubeconfig or a service account leads to it.
 */
#include "sources.h"

#include <capauditd/command.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* 1: there is a way to the API; 0: there is none, and none is asked for; or -errno, with *diag. */
static int find_access(const char *kubernetes, const char *kubeconfig, struct kube_access *ret,
	bool *ret_in_cluster, struct diag *diag)
{
	int r;

	*ret_in_cluster = false;
	if (kubernetes && strcmp(kubernetes, "off") == 0)
		return kubeconfig ? diag_error(diag, 0, 0,
					    "--kubernetes off and --kubeconfig exclude each other")
				  : 0;
	if (kubeconfig) {
		r = kube_access_from_file(kubeconfig, ret, diag);
		return r < 0 ? r : 1;
	}
	r = kube_access_from_service_account(SERVICE_ACCOUNT_FOLDER,
		getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT"), ret);
	if (r == -ENOENT)
		return 0;
	*ret_in_cluster = true;
	return r < 0 ? r : 1;
}

int sources_open(struct sources *sources, const char *host_root, const char *kubernetes,
	const char *kubeconfig, struct audit *audit)
{
	const struct cgroup_base base = audit_base(audit);
	struct diag diag = { 0 };
	int r;

	*sources = (struct sources){ 0 };
	r = find_access(kubernetes, kubeconfig, &sources->access, &sources->in_cluster, &diag);
	if (r == -EINVAL) {
		if (diag.file)
			diag_print(&diag, stderr);
		else
			(void)usage_error("%s", diag.message);
		return EXIT_STATUS_USAGE;
	}
	if (r < 0) {
		message("cannot prepare the Kubernetes API source: %s", strerror(-r));
		return EXIT_STATUS_INTERNAL;
	}
	if (r > 0)
		sources->cluster = cluster_new();
	sources->bundles = bundles_new(host_root, policy_run(audit->policy)->bundles);
	if (!sources->bundles || (r > 0 && !sources->cluster)) {
		message("cannot open the sources: %s", strerror(ENOMEM));
		sources_done(sources);
		return EXIT_STATUS_INTERNAL;
	}
	r = find_own_cgroup(host_root, &base, &sources->own_cgroup);
	if (r < 0) {
		message("cannot find the program's own cgroup: %s", strerror(-r));
		sources_done(sources);
		return EXIT_STATUS_INTERNAL;
	}
	audit->own_cgroup = sources->own_cgroup;
	registry_use(audit->registry, sources->bundles, sources->cluster);
	audit->cluster = sources->cluster;
	return EXIT_STATUS_OK;
}

void sources_done(struct sources *sources)
{
	bundles_free(sources->bundles);
	cluster_free(sources->cluster);
	kube_access_done(&sources->access);
	free(sources->own_cgroup);
	*sources = (struct sources){ 0 };
}

struct fetch {
	sd_event *event;
	struct kubernetes *kubernetes;
	char *failure; /* the last one */
};

static void on_changed(void *data)
{
	struct fetch *fetch = data;

	if (kubernetes_is_synced(fetch->kubernetes))
		(void)sd_event_exit(fetch->event, 0);
}

/* A scan does not try again: whoever runs it is waiting. */
static void on_said(void *data, bool is_up, const char *sentence)
{
	struct fetch *fetch = data;

	if (is_up)
		return;
	free(fetch->failure);
	fetch->failure = strdup(sentence);
	(void)sd_event_exit(fetch->event, 0);
}

static int on_deadline(sd_event_source *source, uint64_t now, void *data)
{
	(void)source;
	(void)now;
	return sd_event_exit(((struct fetch *)data)->event, 0);
}

/* Both lists may be empty, and then nothing changes: so the state is looked at after each turn. */
static int turn(struct fetch *fetch)
{
	int r = 0;

	while (r >= 0 && !kubernetes_is_synced(fetch->kubernetes) &&
		sd_event_get_state(fetch->event) != SD_EVENT_FINISHED)
		r = sd_event_run(fetch->event, UINT64_MAX);
	return r < 0 ? r : 0;
}

int sources_fetch(struct sources *sources, const char *node, char **ret)
{
	const struct kubernetes_settings settings = { .access = &sources->access, .node = node };
	struct fetch fetch = { 0 };
	struct diag diag = { 0 };
	int r = sd_event_new(&fetch.event);

	*ret = NULL;
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(
		fetch.event, NULL, CLOCK_MONOTONIC, SOURCES_WAIT_US, 0, on_deadline, &fetch);
	if (r >= 0)
		r = kubernetes_new(fetch.event, &settings, sources->cluster, on_changed, on_said,
			&fetch, &fetch.kubernetes, &diag);
	if (r == -EINVAL || r == -ELIBACC) {
		fetch.failure = strdup(diag.message);
		r = 0;
	} else if (r >= 0) {
		r = turn(&fetch);
	}
	if (r >= 0 && fetch.kubernetes && !kubernetes_is_synced(fetch.kubernetes) &&
		!fetch.failure) {
		const char *failure = kubernetes_failure(fetch.kubernetes);

		fetch.failure = strdup(failure ? failure : "the Kubernetes API does not answer");
	}
	kubernetes_free(fetch.kubernetes);
	(void)sd_event_unref(fetch.event);
	*ret = fetch.failure;
	return r < 0 ? r : 0;
}
