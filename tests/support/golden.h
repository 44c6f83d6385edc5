/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compares what a test made with a file of tests/data/golden, byte for byte.
 *
 * After a change that is meant: CAPAUDITD_WRITE_GOLDEN=1 build/tests/unit/test_report_json writes
 * the files anew (each such test fails then, so that nobody leaves the variable set); read the
 * difference before keeping it.
 */
#ifndef CAPAUDITD_TEST_GOLDEN_H
#define CAPAUDITD_TEST_GOLDEN_H

#include <stddef.h>

/* Fails the running test, with the first line that differs, unless `text` is what the file holds.
 */
void golden_check(const char *file, const char *text, size_t length);

#endif
