/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scan's document (capauditd.scan/v1). Its two lists are written an item a line as they are made,
 * so that memory does not grow with the node.
 */
#include "json_value.h"
#include "output.h"
#include "totals.h"

static json_t *policy_value(const struct scan_report *report)
{
	struct object o;

	object_begin(&o);
	object_put(&o, "file", text_value(report->policy_file));
	object_put(&o, "default_profile", text_value(report->default_profile));
	return object_end(&o);
}

static json_t *coverage_value(const struct scan_report *report)
{
	const struct coverage *c = &report->coverage;
	const struct {
		const char *key;
		uint64_t value;
	} counts[] = {
		{ "tasks", c->tasks },
		{ "processes", c->processes },
		{ "container_processes", c->container_processes },
		{ "containers", c->containers },
		{ "pods", c->pods },
		{ "vanished", c->vanished },
		{ "unreadable", c->unreadable },
		{ "unattributed", c->unattributed },
		{ "starting", c->starting },
		{ "opaque", c->opaque },
		{ "unknown_executables", c->unknown_executables },
		{ "over_limit", c->over_limit },
	};
	json_t *why = json_array();
	struct object o;

	for (size_t i = 0; i < report->why_incomplete_count; i++) {
		if (!array_add(why, text_value(report->why_incomplete[i]))) {
			json_decref(why);
			return NULL;
		}
	}
	object_begin(&o);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		object_put(&o, counts[i].key, number_value(counts[i].value));
	object_put(&o, "complete", json_boolean(report->why_incomplete_count == 0));
	object_put(&o, "why_incomplete", why);
	return object_end(&o);
}

json_t *totals_value(const struct finding *const *findings, size_t count)
{
	const struct totals totals = totals_count(findings, count);
	struct object o, severities;

	object_begin(&severities);
	for (int s = SEVERITY_CRITICAL; s > SEVERITY_NONE; s--)
		object_put(&severities, severity_name((enum severity)s),
			number_value(totals.by_severity[s]));
	object_begin(&o);
	object_put(&o, "violations", number_value(totals.violations));
	object_put(&o, "drift", number_value(totals.drift));
	object_put(&o, "tolerated", number_value(totals.tolerated));
	object_put(&o, "excepted", number_value(totals.excepted));
	object_put(&o, "by_severity", object_end(&severities));
	return object_end(&o);
}

/* Everything before the two lists. */
static json_t *head_value(const struct scan_report *report)
{
	const struct report_context *context = &report->context;
	struct object o;

	object_begin(&o);
	object_put(&o, "schema", text_value("capauditd.scan/v1"));
	object_put(&o, "node", text_value(context->node));
	object_put(&o, "boot_id", text_value(context->boot_id));
	object_put(&o, "kernel", text_value(context->kernel));
	object_put(&o, "engine", text_value(context->engine));
	object_put(&o, "started", time_value(report->started_us));
	object_put(&o, "duration_us", number_value(report->duration_us));
	object_put(&o, "policy", policy_value(report));
	object_put(&o, "coverage", coverage_value(report));
	object_put(&o, "totals", totals_value(report->findings, report->finding_count));
	return object_end(&o);
}

static json_t *advice_value(const struct assessment *assessment)
{
	json_t *advice = json_array();

	if (assessment->advice_drop_all && !array_add(advice, json_string_nocheck("drop-all"))) {
		json_decref(advice);
		return NULL;
	}
	return advice;
}

/* Of a container into which nobody can see, and of one whose program does not run yet, neither
 * verdict nor level is told: null, since "compliant" would claim what was not judged. */
static json_t *scanned_value(const struct scanned_container *scanned)
{
	const struct assessment *a = scanned->assessment;
	const bool judged = !scanned->container->opaque && !a->starting;
	const bool violation = judged && a->verdict == VERDICT_VIOLATION;
	struct object o;

	object_begin(&o);
	object_put(&o, "container", container_value(scanned->container));
	object_put(&o, "pod", pod_value(scanned->container));
	object_put(&o, "profile",
		profile_value(a->profile ? a->profile->name : NULL, a->profile_source));
	object_put(&o, "level", text_value(judged ? level_name(a->level) : NULL));
	object_put(&o, "verdict", text_value(judged ? verdict_name(a->verdict) : NULL));
	object_put(&o, "class", text_value(violation ? violation_class_name(a->class) : NULL));
	object_put(&o, "severity", text_value(violation ? severity_name(a->severity) : NULL));
	object_put(&o, "processes", number_value(a->processes));
	object_put(&o, "held", capabilities_value(a->held));
	object_put(&o, "bounding", capabilities_value(a->bounding));
	object_put(&o, "advice", advice_value(a));
	return object_end(&o);
}

static int write_item(json_t *value, size_t position, FILE *to)
{
	int r = output_text(to, position ? ",\n" : "\n");

	if (r == 0)
		return value_write_take(value, 0, to);
	json_decref(value);
	return r;
}

int report_scan_json(const struct scan_report *report, FILE *to)
{
	int r = output_text(to, "{");

	if (r == 0)
		r = value_write_take(head_value(report), JSON_EMBED, to);
	if (r == 0)
		r = output_text(to, ",\n\"containers\":[");
	for (size_t i = 0; r == 0 && i < report->container_count; i++)
		r = write_item(scanned_value(&report->containers[i]), i, to);
	if (r == 0)
		r = output_text(to, "],\n\"findings\":[");
	for (size_t i = 0; r == 0 && i < report->finding_count; i++)
		r = write_item(finding_value(&report->context, report->findings[i]), i, to);
	if (r == 0)
		r = output_text(to, "]}\n");
	return r == 0 ? output_finish(to) : r;
}
