/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which system calls the filter knows, as tables.
 */
#ifndef CAPAUDITD_SYSCALL_RULES_H
#define CAPAUDITD_SYSCALL_RULES_H

#include <seccomp.h>
#include <stddef.h>

/* A call of that name whose arguments are so. No two rules for one call with different answers
 * match the same arguments: libseccomp promises no order among them. */
struct syscall_rule {
	const char *name;
	int error; /* 0: it is allowed */
	unsigned conditions;
	struct scmp_arg_cmp condition[2];
};

/* Names, up to NULL. What this machine or libseccomp has no such call of stands for nothing. */
extern const char *const syscalls_allowed[];
extern const char *const syscalls_refused[];

/* Rules, up to one without a name. */
extern const struct syscall_rule syscalls_by_argument[];

/* What libraries try and do without. The other tables refuse it as well; from these rules it is not
 * worth a line in the log. */
extern const struct syscall_rule syscalls_tried[];

#endif
