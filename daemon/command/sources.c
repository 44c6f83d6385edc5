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
	sources->host_root = strdup(host_root);
	if (!sources->bundles || !sources->host_root || (r > 0 && !sources->cluster)) {
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

void sources_take_bundles(struct sources *sources, const struct policy *policy, struct audit *audit)
{
	struct bundles *bundles = bundles_new(sources->host_root, policy_run(policy)->bundles);

	if (!bundles)
		return;
	registry_use(audit->registry, bundles, sources->cluster);
	bundles_free(sources->bundles);
	sources->bundles = bundles;
}

void sources_done(struct sources *sources)
{
	bundles_free(sources->bundles);
	cluster_free(sources->cluster);
	kube_access_done(&sources->access);
	free(sources->own_cgroup);
	free(sources->host_root);
	*sources = (struct sources){ 0 };
}

static int on_deadline(sd_event_source *source, uint64_t now, void *data)
{
	(void)now;
	(void)data;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

/* Until each list has been read or has failed: looked at after each turn, since lists may be empty
 * and change nothing. A scan does not try again what failed, since whoever
 * runs it is waiting; but one that failed is no reason to do without the other. */
static int turn(sd_event *event, const struct kubernetes *kubernetes)
{
	int r = 0;

	while (r >= 0 && !kubernetes_is_settled(kubernetes) &&
		sd_event_get_state(event) != SD_EVENT_FINISHED)
		r = sd_event_run(event, UINT64_MAX);
	return r < 0 ? r : 0;
}

int sources_fetch(struct sources *sources, const char *node, char **ret)
{
	const struct kubernetes_settings settings = { .access = &sources->access, .node = node };
	struct kubernetes *kubernetes = NULL;
	struct diag diag = { 0 };
	sd_event *event;
	int r = sd_event_new(&event);

	*ret = NULL;
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(
		event, NULL, CLOCK_MONOTONIC, SOURCES_WAIT_US, 0, on_deadline, NULL);
	if (r >= 0)
		r = kubernetes_new(
			event, &settings, sources->cluster, NULL, NULL, NULL, &kubernetes, &diag);
	if (r >= 0)
		r = turn(event, kubernetes);
	if (r >= 0) {
		r = kubernetes_why_incomplete(kubernetes, ret);
	} else if ((r == -EINVAL || r == -ELIBACC) && diag.message[0]) {
		*ret = strdup(diag.message);
		r = *ret ? 0 : -ENOMEM;
	}
	kubernetes_free(kubernetes);
	(void)sd_event_unref(event);
	return r < 0 ? r : 0;
}
