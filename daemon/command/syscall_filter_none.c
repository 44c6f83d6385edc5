/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands for syscall_filter.c in a build without libseccomp, and in one with sanitizers, which do
 * more than the program does: they write memory that they run, and look for leaks by ptrace(2).
 */
#include "syscall_filter.h"

#include <errno.h>

int syscall_filter_install(void)
{
	return -ELIBACC;
}
