/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The options of `capauditd scan`.
 */
#ifndef CAPAUDITD_SCAN_H
#define CAPAUDITD_SCAN_H

#include "audit.h"
#include "filter.h"
#include "show.h"

#include <capauditd/command.h>
#include <capauditd/text.h>

/* Strings are borrowed from argv. */
struct scan_options {
	struct show_options show;
	const char *policy, *profile, *engine, *node, *host_root;
	const char *kubernetes, *kubeconfig;
	bool all, remedy, advice, include_host, nested;
	struct filter filter;
};

/* Fills *options (release its filter with filter_done(), whatever is returned). */
int scan_options_parse(struct scan_options *options, int argc, char **argv);

/* A report and what it borrows. */
struct scanned {
	struct scan_report report;
	struct scanned_container *containers;
	const struct finding **findings;
	char **reasons;
};

/* Everything of a pass, ordered. It borrows from the result, the audit and the node, which must
 * outlive it. Release it with scanned_done(), whatever is returned. 0 or -ENOMEM. */
int scanned_make(struct scanned *scanned, bool nested, const char *api_failure,
	const struct audit *audit, const struct node *node, const struct audit_result *result);
void scanned_done(struct scanned *scanned);

#endif
