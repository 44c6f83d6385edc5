/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is in the state file: shared by who writes it and who reads it.
 */
#ifndef CAPAUDITD_RUN_STATE_H
#define CAPAUDITD_RUN_STATE_H

#include "run.h"

#define RUN_STATE_VERSION 1u

/* A record begins with its kind; the numbers are never used for anything else. */
enum record {
	RECORD_HEADER = 1, /* version, boot id */
	RECORD_TRANSITION =
		2,	    /* number, sinks, severity, item, ledger_save() of the finding in it */
	RECORD_OPEN = 3,    /* finding, ledger_save() */
	RECORD_WAITING = 4, /* number, sinks, severity, item */
	RECORD_SETTLED = 5, /* number, sinks */
	RECORD_NAMESPACE = 6, /* name, labels */
};

struct loading {
	struct run *run;
	char *boot_id;
	size_t unread; /* records that could not be understood, or for which there was no room */
};

/* *ret_damaged: how many bytes at the end are torn or damaged. 0, or -ENOMEM: what has not been
 * taken in may then not be written over. */
int run_state_load(struct loading *loading, const struct bytes *content, size_t *ret_damaged);

#endif
