/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What sd_notify(3) does, without waiting for a service manager that does not read.
 */
#ifndef CAPAUDITD_NOTIFY_H
#define CAPAUDITD_NOTIFY_H

/* One or several "NAME=value" lines. 0, also where nobody asked to be told; -EAGAIN while it is not
 * taken; another -errno. */
int notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
