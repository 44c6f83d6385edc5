/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `capauditd explain profile`: what a profile permits and tolerates, and how the sets that runtimes
 * grant by default stand to it; without a name, which profiles there are.
 */
#include <capauditd/command.h>
#include <capauditd/text.h>

#include "explain.h"
#include "print.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define STANDARDS "https://kubernetes.io/docs/concepts/security/pod-security-standards/"

static const struct {
	const char *name;
	const char *text;
	const char *see;
} built_in[] = {
	{ "restricted",
		"The Pod Security Standards' restricted: a container drops ALL and may add "
		"NET_BIND_SERVICE.",
		STANDARDS },
	{ "baseline",
		"The Pod Security Standards' baseline. The standard restricts what a manifest "
		"adds, and "
		"containerd and Docker grant NET_RAW unasked: so that is tolerated, until a "
		"manifest is "
		"known to have added it.",
		STANDARDS },
	{ "baseline-strict",
		"The capabilities of baseline, and nothing is tolerated: NET_RAW is a violation, "
		"whoever "
		"granted it.",
		STANDARDS },
	{ "privileged",
		"Permits everything. Drift is reported all the same: a process with what its "
		"container "
		"was not given.",
		STANDARDS },
};

static const char *describe(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++) {
		if (strcmp(built_in[i].name, name) == 0)
			return built_in[i].text;
	}
	return NULL;
}

static const char *see(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++) {
		if (strcmp(built_in[i].name, name) == 0)
			return built_in[i].see;
	}
	return "capauditd-policy(5)";
}

static bool permits_all(const struct profile *profile)
{
	return (explain_named() & ~profile->allow) == 0;
}

/* Bits without a name are told in the mask alone: privileged has all 64. */
static json_t *to_json(const struct profile *profile, const struct policy *policy)
{
	_cleanup_free_ char *name = text_escape(profile->name, strlen(profile->name));
	const char *file = describe(profile->name) ? NULL : policy_file(policy);
	_cleanup_free_ char *from = file ? text_escape(file, strlen(file)) : NULL;
	char mask[sizeof("0x") + 16];

	if (!name || (file && !from))
		return NULL;
	(void)snprintf(mask, sizeof(mask), "0x%" PRIx64, profile->allow);
	return json_pack("{s:s, s:b, s:s?, s:s?, s:s, s:b, s:o, s:o, s:s}", "name", name,
		"built_in", describe(profile->name) != NULL, "file", from, "text",
		describe(profile->name), "mask", mask, "all", permits_all(profile), "allow",
		explain_names_json(profile->allow & explain_named()), "tolerate",
		explain_names_json(profile->tolerate & explain_named()), "see", see(profile->name));
}

static int print(FILE *to, const struct profile *profile, const struct policy *policy)
{
	_cleanup_free_ char *name = text_escape(profile->name, strlen(profile->name));
	const char *text = describe(profile->name), *file = policy_file(policy);

	if (!name)
		return -ENOMEM;
	(void)fprintf(to, "%s: mask 0x%" PRIx64 "\n\n", name, profile->allow);
	if (text) {
		print_field(to, "Meaning", text);
	} else if (file) {
		_cleanup_free_ char *from = text_escape(file, strlen(file));

		if (!from)
			return -ENOMEM;
		print_field(to, "From", from);
	}
	if (permits_all(profile))
		print_field(to, "Permits", "all");
	else if (explain_print_names(to, "Permits", profile->allow) < 0)
		return -ENOMEM;
	if (explain_print_names(to, "Tolerates", profile->tolerate) < 0)
		return -ENOMEM;
	print_field(to, "See", see(profile->name));
	return 0;
}

static int print_all(const struct explain_request *request, const struct policy *policy)
{
	_cleanup_(json_decrefp) json_t *list = json_array();

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < policy_profile_count(policy); i++) {
		const struct profile *profile = policy_profile_at(policy, i);
		_cleanup_free_ char *name = NULL;
		_cleanup_free_ char *names = NULL;

		if (request->json) {
			if (json_array_append_new(list, to_json(profile, policy)) < 0)
				return -ENOMEM;
			continue;
		}
		name = text_escape(profile->name, strlen(profile->name));
		names = capability_mask_names(profile->allow, " ");
		if (!name || !names)
			return -ENOMEM;
		(void)fprintf(request->out, "%-16s  ", name);
		print_wrapped(request->out, strlen(name) > 16 ? strlen(name) + 2 : 18, 18,
			permits_all(profile) ? "all"
			: profile->allow     ? names
					     : "none");
	}
	if (!request->json)
		return 0;
	return explain_print_json_take(request, json_pack("{s:O}", "profiles", list));
}

/* A built-in profile can be explained whatever state the machine's policy is in; any other is
 * looked for where `scan` would find it. */
static int load_policy(const struct explain_request *request, struct policy **ret)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	struct diag diag = { 0 };
	int r;

	if (!request->policy && request->operand && describe(request->operand))
		return explain_load_policy(request, ret);
	r = command_load_policy(request->policy, &policy, &diag);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		diag_print(&diag, stderr);
		return EXIT_STATUS_USAGE;
	}
	*ret = TAKE_PTR(policy);
	return EXIT_STATUS_OK;
}

int explain_profile(const struct explain_request *request)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	const struct profile *profile;
	const char *nearest;
	int r = load_policy(request, &policy);

	if (r != 0)
		return r;
	if (!request->operand)
		return print_all(request, policy);
	profile = policy_profile(policy, request->operand);
	if (profile && request->json)
		return explain_print_json_take(request, to_json(profile, policy));
	if (profile)
		return print(request->out, profile, policy);
	nearest = policy_profile_nearest(policy, request->operand);
	if (nearest)
		return usage_error(
			"unknown profile \"%s\" (did you mean %s?)", request->operand, nearest);
	return usage_error(
		"unknown profile \"%s\" (capauditd explain profile lists them; those of a "
		"policy with --policy FILE)",
		request->operand);
}
