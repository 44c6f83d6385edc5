/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * valgrind sees what sanitizers do not, the use of what was never written, and takes fifty times as
 * long. For that a part of what is tried in thousands of ways is enough.
 */
#ifndef CAPAUDITD_TEST_UNDER_VALGRIND_H
#define CAPAUDITD_TEST_UNDER_VALGRIND_H

/* `all`; but `some` where tests/tools/under-valgrind runs the program, which then says once that
 * something is left out. */
unsigned long under_valgrind(unsigned long all, unsigned long some);

#endif
