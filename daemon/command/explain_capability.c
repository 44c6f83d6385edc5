/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `capauditd explain capability`: a row of the table of capabilities, in words; without a name, all
 * of them in a line each.
 */
#include <capauditd/command.h>
#include <capauditd/text.h>

#include "explain.h"
#include "print.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SEE "capabilities(7)"

/* Not in themselves a way to the host, but with what a container may share with it
 * (docs/architecture.md; the judge looks at the process). */
static const struct {
	unsigned number;
	const char *where;
} conditional_takeovers[] = {
	{ CAPABILITY_SYS_PTRACE, "in the host's PID namespace" },
	{ CAPABILITY_NET_ADMIN, "in the host's network namespace" },
};

static const char *takeover_where(const struct capability_info *info)
{
	for (size_t i = 0; i < ARRAY_SIZE(conditional_takeovers); i++) {
		if (conditional_takeovers[i].number == info->number)
			return conditional_takeovers[i].where;
	}
	return NULL;
}

/* How the profiles of `policy` stand to it. */
static int sort_profiles(
	const struct policy *policy, capability_mask bit, json_t *permitted, json_t *tolerated)
{
	for (size_t i = 0; i < policy_profile_count(policy); i++) {
		const struct profile *profile = policy_profile_at(policy, i);
		json_t *list = NULL;
		_cleanup_free_ char *name = text_escape(profile->name, strlen(profile->name));

		if (profile->allow & bit)
			list = permitted;
		else if (profile->tolerate & bit)
			list = tolerated;
		if (!name || (list && json_array_append_new(list, json_string(name)) < 0))
			return -ENOMEM;
	}
	return 0;
}

static json_t *to_json(const struct capability_info *info, const struct policy *policy)
{
	_cleanup_(json_decrefp) json_t *permitted = json_array(), *tolerated = json_array();
	char mask[sizeof("0x") + 16];

	if (!permitted || !tolerated ||
		sort_profiles(policy, CAPABILITY_BIT(info->number), permitted, tolerated) < 0)
		return NULL;
	(void)snprintf(mask, sizeof(mask), "0x%" PRIx64, CAPABILITY_BIT(info->number));
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:b, s:s?, s:o, s:s?, s:O, s:O, s:s}", "name",
		info->name, "number", (int)info->number, "mask", mask, "allows", info->allows,
		"danger", info->danger, "takeover", info->takeover, "takeover_where",
		takeover_where(info), "narrower", explain_names_json(info->narrower), "instead",
		info->instead, "permitted_by", permitted, "tolerated_by", tolerated, "see", SEE);
}

static void print_takeover(FILE *to, const struct capability_info *info)
{
	char text[128];
	const char *where = takeover_where(info);

	if (info->takeover) {
		print_field(to, "Takeover", "It alone suffices to take over the host.");
	} else if (where) {
		(void)snprintf(text, sizeof(text),
			"It suffices to take over the host when held %s.", where);
		print_field(to, "Takeover", text);
	}
}

static void print_narrower(FILE *to, const struct capability_info *info)
{
	const char *label = "Narrower";

	for (unsigned number = 0; number < CAPABILITY_MAX; number++) {
		const struct capability_info *other = capability_info(number);
		char text[512];

		if (!(info->narrower & CAPABILITY_BIT(number)) || !other)
			continue;
		(void)snprintf(text, sizeof(text), "%s: %s", other->name, other->allows);
		print_field(to, label, text);
		label = "";
	}
}

/* "baseline (tolerated), web, privileged" */
static int print_profiles(FILE *to, const struct capability_info *info, const struct policy *policy)
{
	_cleanup_free_ char *text = strdup("");
	capability_mask bit = CAPABILITY_BIT(info->number);

	for (size_t i = 0; i < policy_profile_count(policy); i++) {
		const struct profile *profile = policy_profile_at(policy, i);
		_cleanup_free_ char *name = text_escape(profile->name, strlen(profile->name));
		char *longer = NULL;

		if (!((profile->allow | profile->tolerate) & bit))
			continue;
		if (!text || !name ||
			asprintf(&longer, "%s%s%s%s", text, *text ? ", " : "", name,
				profile->allow & bit ? "" : " (tolerated)") < 0)
			return -ENOMEM;
		free(text);
		text = longer;
	}
	if (!text)
		return -ENOMEM;
	print_field(to, "Profiles", *text ? text : "none permits it");
	return 0;
}

static int print(FILE *to, const struct capability_info *info, const struct policy *policy)
{
	(void)fprintf(to, "%s: capability %u, mask 0x%" PRIx64 "\n\n", info->name, info->number,
		CAPABILITY_BIT(info->number));
	print_field(to, "Allows", info->allows);
	print_field(to, "Danger", info->danger);
	print_takeover(to, info);
	print_narrower(to, info);
	if (info->instead)
		print_field(to, "Instead", info->instead);
	if (print_profiles(to, info, policy) < 0)
		return -ENOMEM;
	print_field(to, "See", SEE);
	return 0;
}

static int print_all(const struct explain_request *request)
{
	const size_t column = CAPABILITY_NAME_SIZE - 12; /* the longest name, and two spaces */

	for (unsigned number = 0; number < CAPABILITY_MAX; number++) {
		const struct capability_info *info = capability_info(number);

		if (!info)
			continue;
		(void)fprintf(request->out, "%-*s", (int)column, info->name);
		print_wrapped(request->out, column, column, info->allows);
	}
	(void)fprintf(request->out, "\n");
	return explain_print_names(request->out, "Takeover", capability_takeover());
}

static int print_all_json(const struct explain_request *request, const struct policy *policy)
{
	_cleanup_(json_decrefp) json_t *list = json_array();

	if (!list)
		return -ENOMEM;
	for (unsigned number = 0; number < CAPABILITY_MAX; number++) {
		const struct capability_info *info = capability_info(number);

		if (info && json_array_append_new(list, to_json(info, policy)) < 0)
			return -ENOMEM;
	}
	return explain_print_json_take(request, json_pack("{s:O}", "capabilities", list));
}

static int unknown(const char *name)
{
	const char *nearest = capability_nearest(name);

	if (nearest)
		return usage_error("unknown capability \"%s\" (did you mean %s?)", name, nearest);
	return usage_error(
		"unknown capability \"%s\" (capauditd explain capability lists them)", name);
}

int explain_capability(const struct explain_request *request)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	const struct capability_info *info;
	unsigned number;
	int r = explain_load_policy(request, &policy);

	if (r != 0)
		return r;
	if (!request->operand)
		return request->json ? print_all_json(request, policy) : print_all(request);
	if (capability_from_name(request->operand, &number) < 0)
		return unknown(request->operand);
	info = capability_info(number);
	if (!info)
		return usage_error("capability %u has no name: no kernel that this version knows "
				   "has it",
			number);
	if (request->json)
		return explain_print_json_take(request, to_json(info, policy));
	return print(request->out, info, policy);
}
