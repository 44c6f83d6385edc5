/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the two files of the journal sink share.
 */
#ifndef CAPAUDITD_REPORT_JOURNAL_H
#define CAPAUDITD_REPORT_JOURNAL_H

#define JOURNAL_IDENTIFIER "capauditd"

/* Journald's socket; a namespaced journal's is mounted in the same place. */
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

#endif
