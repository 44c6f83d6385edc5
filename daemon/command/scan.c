/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * capauditd scan: one pass, printed. What the options say is scan_options.c's.
 */
#include "scan.h"

#include "sources.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static bool is_wanted(void *data, const struct known_container *known)
{
	const struct scan_options *options = data;

	return filter_matches(&options->filter, &known->container);
}

struct printed {
	const struct scan_options *options;
	const struct scan_report *report;
};

static int write_report(const void *data, FILE *to)
{
	const struct printed *printed = data;
	const struct scan_options *options = printed->options;
	const struct table_options table = {
		.all = options->all,
		.remedy = options->remedy,
		.advice = options->advice,
		.color = show_in_color(&options->show),
		.width = show_width(&options->show),
	};

	switch (options->show.format) {
	case FORMAT_JSON:
		return report_scan_json(printed->report, to);
	case FORMAT_JSONL:
		return report_scan_jsonl(printed->report, to);
	default:
		return report_scan_table(printed->report, &table, to);
	}
}

static int print_report(const struct scan_options *options, const struct scan_report *report)
{
	const struct printed printed = { options, report };

	return show(&options->show, write_report, &printed);
}

static void say(void *data, const char *sentence)
{
	(void)data;
	message("%s", sentence);
}

static int finish(const struct scan_options *options, const char *api_failure, struct audit *audit,
	const struct node *node, const struct audit_result *result)
{
	struct scanned scanned = { 0 };
	int status, r;

	registry_complain(audit->registry, say, NULL);
	r = scanned_make(&scanned, options->nested, api_failure, audit, node, result);
	scanned.report.filtered = !filter_is_empty(&options->filter);
	if (r == 0)
		r = print_report(options, &scanned.report);
	if (r < 0) {
		show_complain(&options->show, r);
		status = EXIT_STATUS_INTERNAL;
	} else if (!filter_is_empty(&options->filter) && !result->container_count) {
		message("no container matches the filter");
		status = EXIT_STATUS_USAGE;
	} else if (show_fails(
			   &options->show, scanned.report.findings, scanned.report.finding_count)) {
		status = EXIT_STATUS_FINDINGS;
	} else {
		status = scanned.report.why_incomplete_count ? EXIT_STATUS_INCOMPLETE
							     : EXIT_STATUS_OK;
	}
	scanned_done(&scanned);
	return status;
}

static int prepare(const struct scan_options *options, const struct policy *policy,
	struct audit *audit, struct sources *sources)
{
	const char *host_root = find_host_root(options->host_root, policy);
	struct diag diag = { 0 };

	audit->clock = clock_us;
	audit->policy = policy;
	audit->bases = policy_run(policy)->cgroup_bases;
	audit->include_host = options->include_host;
	audit->report_tolerated = true;
	audit->only = options->filter.pid_count ? options->filter.pids : NULL;
	audit->only_count = options->filter.pid_count;
	audit->wanted = is_wanted;
	audit->wanted_data = (void *)options;
	if (options->profile) {
		audit->forced = policy_profile(policy, options->profile);
		if (!audit->forced) {
			const char *near = policy_profile_nearest(policy, options->profile);

			return near ? usage_error("unknown profile \"%s\" (did you mean %s?)",
					      options->profile, near)
				    : usage_error("unknown profile \"%s\"", options->profile);
		}
	}
	if (engine_choose(options->engine, false, &audit->engine, &diag) < 0)
		return usage_error("%s", diag.message);
	audit->registry = registry_new(host_root);
	if (!audit->registry)
		return EXIT_STATUS_INTERNAL;
	return sources_open(sources, host_root, options->kubernetes, options->kubeconfig, audit);
}

/* One pass; and further ones where it came too early to judge by, somebody may hide among the
 * runtime's own, or those of whom something was to be said had ended before it could be. */
#define PASSES_MAX 7u

static int take_pass(struct audit *audit, struct audit_result *ret)
{
	int r = audit_pass(audit, ret);

	for (unsigned i = 1;
		r == 0 && (ret->unsettled || ret->suspects || ret->missed) && i < PASSES_MAX; i++) {
		audit_result_done(ret);
		(void)usleep(AUDIT_SETTLE_US);
		r = audit_pass(audit, ret);
	}
	return r;
}

/* Which engine looked, where it is not the one that was wished for. */
static void say_engine(struct engine *engine)
{
	_cleanup_free_ char *notice = engine_take_notice(engine);

	if (notice)
		message("%s", notice);
}

/* Asks the Kubernetes API, where there is a way to it, before the pass: who it knows is named. */
static int ask_and_pass(const struct scan_options *options, const struct node *node,
	struct sources *sources, struct audit *audit)
{
	_cleanup_free_ char *failure = NULL;
	struct audit_result result;
	int status, r = 0;

	if (sources->cluster)
		r = sources_fetch(sources, node->name, &failure);
	if (r == 0 && failure)
		message("%s", failure);
	if (r == 0)
		r = take_pass(audit, &result);
	say_engine(audit->engine);
	if (r < 0) {
		message("the pass failed: %s", strerror(-r));
		return EXIT_STATUS_INTERNAL;
	}
	status = finish(options, failure, audit, node, &result);
	audit_result_done(&result);
	return status;
}

static int scan(const struct scan_options *options)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	struct sources sources = { 0 };
	struct audit audit = { 0 };
	struct diag diag = { 0 };
	struct node node;
	int status, r;

	r = command_load_policy(options->policy, &policy, &diag);
	if (r < 0) {
		diag_print(&diag, stderr);
		return r == -ENOMEM ? EXIT_STATUS_INTERNAL : EXIT_STATUS_USAGE;
	}
	r = node_init(&node, options->node);
	if (r < 0)
		return EXIT_STATUS_INTERNAL;
	status = prepare(options, policy, &audit, &sources);
	if (status == EXIT_STATUS_OK)
		status = ask_and_pass(options, &node, &sources, &audit);
	audit_done(&audit);
	sources_done(&sources);
	node_done(&node);
	return status;
}

int command_scan(int argc, char **argv)
{
	struct scan_options options;
	int status = scan_options_parse(&options, argc, argv);

	if (status == OPTIONS_GO)
		status = scan(&options);
	filter_done(&options.filter);
	return status;
}
