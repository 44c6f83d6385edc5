/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Kubernetes API source of a build without one (make KUBERNETES=0), so that its callers need no
 * #ifdef.
 */
#include <capauditd/kubernetes.h>

int kubernetes_new(sd_event *event, const struct kubernetes_settings *settings,
	struct cluster *cluster, kubernetes_changed *changed, kubernetes_say *say, void *data,
	struct kubernetes **ret, struct diag *diag)
{
	(void)event;
	(void)settings;
	(void)cluster;
	(void)changed;
	(void)say;
	(void)data;
	(void)ret;
	return diag_error(diag, 0, 0, "this build has no Kubernetes API source");
}

void kubernetes_free(struct kubernetes *kubernetes)
{
	(void)kubernetes;
}

bool kubernetes_is_synced(const struct kubernetes *kubernetes)
{
	(void)kubernetes;
	return false;
}

bool kubernetes_is_settled(const struct kubernetes *kubernetes)
{
	(void)kubernetes;
	return true;
}

bool kubernetes_is_up(const struct kubernetes *kubernetes)
{
	(void)kubernetes;
	return false;
}

int kubernetes_why_incomplete(const struct kubernetes *kubernetes, char **ret)
{
	(void)kubernetes;
	(void)ret;
	return 0;
}

const char *kubernetes_failure(const struct kubernetes *kubernetes)
{
	(void)kubernetes;
	return NULL;
}
