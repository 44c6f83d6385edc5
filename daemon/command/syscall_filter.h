/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's filter of system calls (seccomp(2)): what it does once it has started, and nothing
 * else. It stands on its own, whatever the service manager or a container runtime filters besides.
 */
#ifndef CAPAUDITD_SYSCALL_FILTER_H
#define CAPAUDITD_SYSCALL_FILTER_H

/* Confines this process for good, threads that it has or starts included. What is not allowed fails
 * and is noted in the kernel's log (or the audit log); nobody is killed: with EPERM where it is
 * known to be dangerous, else with ENOSYS, at which the C library does without what is newer than
 * these rules.
 *
 * no_new_privs is set by it where it was not. 0; -ELIBACC where the build has no libseccomp
 * (syscall_filter_none.c); -errno of what the kernel or an outer filter refused: nothing is
 * confined, then. */
int syscall_filter_install(void);

#endif
