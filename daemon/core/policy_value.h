/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts of a policy that have a form of their own. Each function returns 0, -EINVAL where the text
 * is not of that form, or -ERANGE where it is and says something impossible; *ret is then
 * untouched.
 */
#ifndef CAPAUDITD_POLICY_VALUE_H
#define CAPAUDITD_POLICY_VALUE_H

#include <stdint.h>

/* "30s", "1m30s", "500ms": numbers with h, m, s or ms. In microseconds. */
int duration_from_text(const char *text, uint64_t *ret_us);

/* "2027-01-31", from 1970 on: days since 1970-01-01. */
int date_from_text(const char *text, uint64_t *ret_day);

/* A label's key: NAME or PREFIX/NAME, as in Kubernetes ("Labels and Selectors", "Syntax"). */
int label_key_check(const char *key);

#endif
