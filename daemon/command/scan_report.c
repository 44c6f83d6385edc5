/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Puts what a pass found in the order in which it is shown. Formats nothing.
 */
#include "scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_findings(const void *a, const void *b)
{
	const struct finding *const *x = a, *const *y = b;

	return finding_compare(*x, *y);
}

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* The order of findings, for containers: worst first, then by name. */
static int compare_containers(const void *a, const void *b)
{
	const struct scanned_container *x = a, *y = b;
	const struct assessment *v = x->assessment, *w = y->assessment;
	int r;

	if (v->verdict != w->verdict)
		return v->verdict > w->verdict ? -1 : 1;
	if (v->verdict == VERDICT_VIOLATION && v->severity != w->severity)
		return v->severity > w->severity ? -1 : 1;
	if (v->verdict == VERDICT_VIOLATION && v->class != w->class)
		return v->class > w->class ? -1 : 1;
	r = compare_text(x->container->pod.namespace_name, y->container->pod.namespace_name);
	if (r == 0)
		r = compare_text(x->container->pod.name, y->container->pod.name);
	if (r == 0)
		r = compare_text(x->container->name, y->container->name);
	return r ? r : strcmp(x->container->id, y->container->id);
}

static int collect(struct scanned *scanned, const struct audit_result *result)
{
	size_t findings = 0, k = 0;

	for (size_t i = 0; i < result->container_count; i++)
		findings += result->containers[i].observation_count;
	scanned->containers = calloc(result->container_count + 1, sizeof(*scanned->containers));
	scanned->findings = calloc(findings + 1, sizeof(const struct finding *));
	if (!scanned->containers || !scanned->findings)
		return -ENOMEM;
	for (size_t i = 0; i < result->container_count; i++) {
		const struct audited *audited = &result->containers[i];

		scanned->containers[i].container = &audited->known->container;
		scanned->containers[i].assessment = &audited->assessment;
		for (size_t n = 0; n < audited->observation_count; n++)
			scanned->findings[k++] = &audited->observations[n].finding;
	}
	qsort(scanned->containers, result->container_count, sizeof(*scanned->containers),
		compare_containers);
	qsort(scanned->findings, findings, sizeof(*scanned->findings), compare_findings);
	scanned->report.containers = scanned->containers;
	scanned->report.container_count = result->container_count;
	scanned->report.findings = scanned->findings;
	scanned->report.finding_count = findings;
	return 0;
}

int scanned_make(struct scanned *scanned, bool nested, const char *api_failure,
	const struct audit *audit, const struct node *node, const struct audit_result *result)
{
	int r;

	scanned->report = (struct scan_report){
		.context = { .node = node->name,
			.boot_id = node->boot_id,
			.kernel = node->kernel,
			.engine = audit->engine->name,
			.full_cmdline = policy_run(audit->policy)->full_cmdline },
		.started_us = result->started_us,
		.duration_us = result->duration_us,
		.policy_file = policy_file(audit->policy),
		.default_profile = policy_default_profile(audit->policy)->name,
		.coverage = result->coverage,
	};
	r = coverage_explain(&result->coverage, nested, api_failure, &scanned->reasons,
		&scanned->report.why_incomplete_count);
	if (r < 0)
		return r;
	scanned->report.why_incomplete = (const char *const *)scanned->reasons;
	return collect(scanned, result);
}

void scanned_done(struct scanned *scanned)
{
	free(scanned->containers);
	free(scanned->findings);
	strings_free(scanned->reasons);
}
