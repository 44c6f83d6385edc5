/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The options of `capauditd status`.
 */
#ifndef CAPAUDITD_STATUS_COMMAND_H
#define CAPAUDITD_STATUS_COMMAND_H

#include "filter.h"
#include "show.h"

/* Strings are borrowed from argv. */
struct status_options {
	struct show_options show;
	const char *policy, *socket;
	bool remedy;
	struct filter filter;
};

/* Fills *options (release its filter with filter_done(), whatever is returned). */
int status_options_parse(struct status_options *options, int argc, char **argv);

#endif
