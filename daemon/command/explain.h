/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the subjects of `capauditd explain` share. Each subject answers one request, in prose or as
 * one JSON object.
 */
#ifndef CAPAUDITD_EXPLAIN_H
#define CAPAUDITD_EXPLAIN_H

#include <capauditd/capability.h>
#include <capauditd/macros.h>
#include <capauditd/policy.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct explain_request {
	const char *operand; /* what to explain; NULL: not named */
	bool json;
	const char *policy; /* --policy, or NULL */
	FILE *in, *out;
};

/* Each returns an exit status, having said on standard error what was wrong with the request; or
 * -errno, which nobody has told yet. */
int explain_capability(const struct explain_request *request);
int explain_mask(const struct explain_request *request);
int explain_profile(const struct explain_request *request);
int explain_cgroup(const struct explain_request *request);

/* The policy whose profiles a capability or a mask is held against: that of --policy, otherwise the
 * built-in one, so that nothing on the machine can keep it from being explained. An exit status,
 * or -errno; *ret is set where it is EXIT_STATUS_OK. */
int explain_load_policy(const struct explain_request *request, struct policy **ret);

/* Writes one object, which it takes (NULL: out of memory). 0 or -errno. */
int explain_print_json_take(const struct explain_request *request, json_t *object);

/* The names in `mask` as an array of strings, or NULL. */
json_t *explain_names_json(capability_mask mask);

/* A field with the names in `mask`, "none" for 0. 0 or -ENOMEM. */
int explain_print_names(FILE *to, const char *label, capability_mask mask);

/* The bits that the table of capabilities has names for. */
capability_mask explain_named(void);

#endif
