/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Giving up every capability, for good.
 */
#ifndef CAPAUDITD_PRIVILEGE_H
#define CAPAUDITD_PRIVILEGE_H

/* Empties the effective, permitted, inheritable and ambient sets, and the bounding set where that
 * may be done; sets no_new_privs; lets nobody trace this process who has but its uid; then reads
 * /proc/self/status back. 0; -EPERM where anything is left that could be used; -errno. */
int drop_privileges(void);

#endif
