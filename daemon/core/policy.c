/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns a policy's memory and answers what it holds. How one is read from a file is not known here,
 * nor how containers are matched.
 */
#include "policy_internal.h"

#include <capauditd/text.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define INTERVAL_DEFAULT_US	 (30u * UINT64_C(1000000))
#define RESOLVE_AFTER_DEFAULT_US (300u * UINT64_C(1000000))
#define DAY_US			 (86400u * UINT64_C(1000000))

/* The blocks of a policy form a list, so that one loop frees them, however far loading came. */
struct policy_block {
	struct policy_block *next;
	max_align_t memory[];
};

void *policy_alloc(struct policy *policy, size_t count, size_t size)
{
	struct policy_block *block;
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) ||
		__builtin_add_overflow(bytes, sizeof(*block), &bytes))
		return NULL;
	block = calloc(1, bytes);
	if (!block)
		return NULL;
	block->next = policy->blocks;
	policy->blocks = block;
	return block->memory;
}

char *policy_copy_text(struct policy *policy, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = policy_alloc(policy, size, 1);

	return copy ? memcpy(copy, text, size) : NULL;
}

struct policy *policy_new(void)
{
	struct policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return NULL;
	policy->run.interval_us = INTERVAL_DEFAULT_US;
	policy->run.resolve_after_us = RESOLVE_AFTER_DEFAULT_US;
	return policy;
}

int policy_reserve_profiles(struct policy *policy, size_t own)
{
	size_t space = profile_builtin_count + own;
	const struct profile **profiles = policy_alloc(policy, space, sizeof(*profiles));
	const char **names = policy_alloc(policy, space, sizeof(*names));

	if (!profiles || !names)
		return -ENOMEM;
	for (size_t i = 0; i < profile_builtin_count; i++) {
		profiles[i] = &profile_builtin[i];
		names[i] = profile_builtin[i].name;
	}
	policy->profiles = profiles;
	policy->profile_names = names;
	policy->profile_count = profile_builtin_count;
	return 0;
}

struct policy *policy_new_default(void)
{
	_cleanup_(policy_freep) struct policy *policy = policy_new();

	if (!policy || policy_reserve_profiles(policy, 0) < 0)
		return NULL;
	policy->default_profile = policy_profile(policy, "baseline");
	return TAKE_PTR(policy);
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (struct policy_block *block = policy->blocks; block;) {
		struct policy_block *next = block->next;

		free(block);
		block = next;
	}
	free(policy);
}

const struct profile *policy_profile(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->profile_count; i++)
		if (strcmp(policy->profiles[i]->name, name) == 0)
			return policy->profiles[i];
	return NULL;
}

const char *policy_profile_nearest(const struct policy *policy, const char *name)
{
	return text_nearest(name, policy->profile_names, policy->profile_count);
}

size_t policy_profile_count(const struct policy *policy)
{
	return policy->profile_count;
}

const struct profile *policy_profile_at(const struct policy *policy, size_t i)
{
	return policy->profiles[i];
}

size_t policy_own_profile_count(const struct policy *policy)
{
	return policy->profile_count - profile_builtin_count;
}

const struct profile *policy_default_profile(const struct policy *policy)
{
	return policy->default_profile;
}

const char *policy_file(const struct policy *policy)
{
	return policy->file;
}

const struct run_settings *policy_run(const struct policy *policy)
{
	return &policy->run;
}

enum namespace_labels policy_namespace_labels(const struct policy *policy)
{
	return policy->namespace_labels;
}

bool policy_needs_controls(const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].require != 0)
			return true;
	for (size_t i = 0; i < policy->exception_count; i++)
		if (policy->exceptions[i].require != 0)
			return true;
	return false;
}

size_t policy_exception_count(const struct policy *policy)
{
	return policy->exception_count;
}

const struct policy_exception *policy_exception_at(const struct policy *policy, size_t i)
{
	return &policy->exceptions[i].public;
}

size_t policy_rule_count(const struct policy *policy)
{
	return policy->rule_count;
}

uint64_t policy_day(uint64_t realtime_us)
{
	return realtime_us / DAY_US;
}
