/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the built-in profiles, after the Pod Security Standards, and the names of what decides
 * between profiles. Knows nothing of policy files.
 */
#include "policy_internal.h"

#include <capauditd/policy.h>

#include <string.h>

#define BIT(name) CAPABILITY_BIT(CAPABILITY_##name)

/* The Pod Security Standards, "Baseline", "Capabilities": what may be added. */
#define BASELINE                                                                              \
	(BIT(AUDIT_WRITE) | BIT(CHOWN) | BIT(DAC_OVERRIDE) | BIT(FOWNER) | BIT(FSETID) |      \
		BIT(KILL) | BIT(MKNOD) | BIT(NET_BIND_SERVICE) | BIT(SETFCAP) | BIT(SETGID) | \
		BIT(SETPCAP) | BIT(SETUID) | BIT(SYS_CHROOT))

/* "baseline" tolerates NET_RAW since the standard restricts what a manifest adds, and NET_RAW comes
 * with the default set of most runtimes, without being added. "privileged" has the bits of
 * capabilities that this program does not know yet as well: a newer kernel makes no violation of
 * it. */
const struct profile profile_builtin[] = {
	{ .name = "restricted", .allow = BIT(NET_BIND_SERVICE) },
	{ .name = "baseline",
		.allow = BASELINE,
		.tolerate = BIT(NET_RAW),
		.tolerate_undeclared = BIT(NET_RAW) },
	{ .name = "baseline-strict", .allow = BASELINE },
	{ .name = "privileged", .allow = ~UINT64_C(0) },
};
const size_t profile_builtin_count = ARRAY_SIZE(profile_builtin);

const char *profile_source_name(enum profile_source source)
{
	static const char *const names[] = {
		[PROFILE_FROM_COMMAND_LINE] = "command-line",
		[PROFILE_FROM_RULE] = "rule",
		[PROFILE_FROM_NAMESPACE_LABEL] = "namespace-label",
		[PROFILE_FROM_DEFAULT] = "default",
	};

	return names[source];
}

const char *control_name(unsigned bit_index)
{
	static const char *const names[] = { "seccomp", "noNewPrivs", "userNamespace", "lsm" };

	return bit_index < ARRAY_SIZE(names) ? names[bit_index] : NULL;
}
