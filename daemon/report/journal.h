/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the journal sink share.
 */
#ifndef CAPAUDITD_REPORT_JOURNAL_H
#define CAPAUDITD_REPORT_JOURNAL_H

#define JOURNAL_IDENTIFIER "capauditd"

#include <stddef.h>

struct journal_link;

/* Sends one entry of "NAME=value" fields, of which none is empty. 0; -EAGAIN while journald is
 * stuck; -ENOENT or -ECONNREFUSED where there is none; -ENOMEM or another -errno. What failed may
 * be tried again at any time. */
int journal_link_send(
	const struct journal_link *link, char *const *field, const size_t *length, size_t count);

#endif
