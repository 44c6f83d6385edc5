/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the API server's refusals mean, and what people are told of them.
 */
#ifndef CAPAUDITD_KUBE_FAILURE_H
#define CAPAUDITD_KUBE_FAILURE_H

#include "kube_transfer.h"

/* A Status object (of a refusal, or of a watch's ERROR event) as far as it concerns us: its code,
 * 0 where `text` is no such object, and "Forbidden: pods is forbidden: ...", escaped and bounded,
 * "" where it says nothing. 0; -ENOMEM. */
int kube_status_read(const char *text, size_t length, long *ret_code, char **ret_words);

/* "403 Forbidden: pods is forbidden: ..." of a request that failed; NULL when out of memory. */
char *kube_failure_words(const struct kube_answer *answer);

#endif
