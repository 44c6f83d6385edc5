/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A cure in the words of whatever starts the container: what remedy_to_text() and scan's advice
 * share.
 */
#ifndef CAPAUDITD_REPORT_REMEDY_H
#define CAPAUDITD_REPORT_REMEDY_H

#include <capauditd/finding.h>
#include <capauditd/sentence.h>

struct cure {
	const struct container *container;
	const struct remedy *remedy;
	capability_mask excess;	 /* what is to go, for runtimes that can only be told that */
	bool privileged;	 /* its manifest says privileged: true */
	bool perhaps_privileged; /* it has everything, and what its manifest says is unknown */
};

/* Adds the lines of the cure, comments first, each with its newline. */
void cure_add(struct sentence *sentence, const struct cure *cure);

#endif
