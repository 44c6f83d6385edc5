/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the labels of Pod Security admission as the API server does. Knows their words, and of
 * profiles no more than the names of the built-in ones.
 */
#include <capauditd/pod_security.h>

#include <capauditd/text.h>

#include <string.h>

#define RESTRICTED_RULE_MINOR                                              \
	22u /* the release in which `restricted` came to rule capabilities \
	     */

/* "v1.22". True where it is a version, and one below that. What is none means the latest. */
static bool is_before_rule(const char *version)
{
	uint64_t minor;

	/* The API server's own expression is ^v1\.([0-9]|[1-9][0-9]*)$: no zero before it. */
	if (!version || strncmp(version, "v1.", 3) != 0)
		return false;
	version += 3;
	if (version[0] == '0' && version[1])
		return false;
	return text_to_u64(version, 0, UINT32_MAX, &minor) == 0 && minor < RESTRICTED_RULE_MINOR;
}

const struct profile *pod_security_profile(
	const struct policy *policy, const struct label *labels, size_t count)
{
	const char *level = label_find(labels, count, POD_SECURITY_ENFORCE);
	const char *version = label_find(labels, count, POD_SECURITY_ENFORCE_VERSION);

	if (!level)
		return NULL;
	if (strcmp(level, "privileged") == 0 || strcmp(level, "baseline") == 0)
		return policy_profile(policy, level);
	if (strcmp(level, "restricted") == 0 && is_before_rule(version))
		return policy_profile(policy, "baseline");
	return policy_profile(policy, "restricted");
}
