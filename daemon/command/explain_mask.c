/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `capauditd explain mask`: the names in a mask, where such a mask is met, and which profiles a
 * container that holds it satisfies.
 */
#include <capauditd/command.h>
#include <capauditd/finding.h>
#include <capauditd/judge.h>
#include <capauditd/text.h>

#include "explain.h"
#include "print.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* What a privileged container holds: every capability of its kernel. */
static const struct {
	unsigned last;
	const char *kernels;
} full_sets[] = {
	{ CAPABILITY_AUDIT_READ, "Linux 3.16 to 5.7" },
	{ CAPABILITY_BPF, "Linux 5.8" },
	{ CAPABILITY_CHECKPOINT_RESTORE, "Linux 5.9 and later" },
};

/* A mask against a profile. */
struct standing {
	capability_mask excess;	   /* not permitted, and not tolerated either */
	capability_mask tolerated; /* not permitted, but tolerated */
};

static struct standing stand(capability_mask mask, const struct profile *profile)
{
	capability_mask outside = mask & ~profile->allow;

	return (struct standing){
		.excess = outside & ~profile->tolerate,
		.tolerated = outside & profile->tolerate,
	};
}

static const char *full_set_of(capability_mask mask)
{
	for (size_t i = 0; i < ARRAY_SIZE(full_sets); i++) {
		if (mask == CAPABILITY_BIT(full_sets[i].last + 1) - 1)
			return full_sets[i].kernels;
	}
	return NULL;
}

static enum level level_of(capability_mask mask, const struct policy *policy)
{
	const struct profile *baseline = policy_profile(policy, "baseline");

	return judge_level(mask, baseline ? baseline->tolerate : 0);
}

/* One member of each object, by the profile's name. */
static int add_standing(const struct profile *profile, capability_mask mask, json_t *profiles,
	json_t *tolerated, json_t *excess)
{
	struct standing standing = stand(mask, profile);
	_cleanup_free_ char *name = text_escape(profile->name, strlen(profile->name));

	if (!name || json_object_set_new(profiles, name, json_boolean(standing.excess == 0)) < 0 ||
		json_object_set_new(tolerated, name, explain_names_json(standing.tolerated)) < 0 ||
		json_object_set_new(excess, name, explain_names_json(standing.excess)) < 0)
		return -ENOMEM;
	return 0;
}

static json_t *to_json(capability_mask mask, const struct policy *policy)
{
	_cleanup_(json_decrefp) json_t *profiles = json_object();
	_cleanup_(json_decrefp) json_t *tolerated = json_object(), *excess = json_object();
	char hex[sizeof("0x") + 16];

	if (!profiles || !tolerated || !excess)
		return NULL;
	for (size_t i = 0; i < policy_profile_count(policy); i++) {
		if (add_standing(policy_profile_at(policy, i), mask, profiles, tolerated, excess) <
			0)
			return NULL;
	}
	(void)snprintf(hex, sizeof(hex), "0x%" PRIx64, mask);
	return json_pack("{s:s, s:o, s:o, s:o, s:s?, s:s?, s:s, s:O, s:O, s:O}", "mask", hex,
		"names", explain_names_json(mask), "unknown",
		explain_names_json(mask & ~explain_named()), "takeover",
		explain_names_json(mask & capability_takeover()), "runtime_default",
		judge_runtime_default(mask), "full_set_of", full_set_of(mask), "level",
		level_name(level_of(mask, policy)), "profiles", profiles, "tolerated", tolerated,
		"excess", excess);
}

/* What of `mask` a profile minds, in words; a new string. */
static char *standing_text(capability_mask mask, const struct profile *profile)
{
	struct standing standing = stand(mask, profile);
	capability_mask outside = explain_named() & ~(profile->allow | profile->tolerate);
	enum verdict verdict = standing.excess	    ? VERDICT_VIOLATION
			       : standing.tolerated ? VERDICT_TOLERATED
						    : VERDICT_COMPLIANT;
	_cleanup_free_ char *names = NULL;
	char *text = NULL;

	/* A privileged container's would be a page of names. */
	if (standing.excess && (standing.excess & explain_named()) == outside)
		names = strdup("all that it does not permit");
	else
		names = capability_mask_names(
			standing.excess ? standing.excess : standing.tolerated, " ");
	if (!names ||
		asprintf(&text, "%s%s%s", verdict_name(verdict), *names ? ": " : "", names) < 0)
		return NULL;
	return text;
}

/* "violation: NET_RAW SYS_ADMIN" beside the profile's name. */
static int print_standing(FILE *to, const char *label, const struct profile *profile, size_t column,
	capability_mask mask)
{
	_cleanup_free_ char *text = standing_text(mask, profile);
	char name[64];

	if (!text)
		return -ENOMEM;
	text_escape_into(name, sizeof(name), profile->name, strlen(profile->name));
	(void)fprintf(
		to, "%-*s%-*s", PRINT_LABEL_WIDTH, label, (int)(column - PRINT_LABEL_WIDTH), name);
	print_wrapped(to, column, column, text);
	return 0;
}

static int print_standings(FILE *to, capability_mask mask, const struct policy *policy)
{
	size_t count = policy_profile_count(policy);
	size_t widest = 0;

	for (size_t i = 0; i < count; i++) {
		size_t width = strlen(policy_profile_at(policy, i)->name);

		if (width > widest && width < 30)
			widest = width;
	}
	for (size_t i = 0; i < count; i++) {
		int r = print_standing(to, i == 0 ? "Profiles" : "", policy_profile_at(policy, i),
			PRINT_LABEL_WIDTH + widest + 2, mask);

		if (r < 0)
			return r;
	}
	return 0;
}

static int print(FILE *to, capability_mask mask, const struct policy *policy)
{
	const char *runtimes = judge_runtime_default(mask);
	const char *kernels = full_set_of(mask);
	capability_mask unknown = mask & ~explain_named();
	char text[128];
	int count = __builtin_popcountll(mask);

	(void)fprintf(to, "0x%" PRIx64 ": %d %s\n\n", mask, count,
		count == 1 ? "capability" : "capabilities");
	if (explain_print_names(to, "Names", mask) < 0)
		return -ENOMEM;
	if (unknown && explain_print_names(to, "Without name", unknown) < 0)
		return -ENOMEM;
	if (runtimes) {
		(void)snprintf(text, sizeof(text),
			"the default set of %s: what a container gets when its manifest says "
			"nothing",
			runtimes);
		print_field(to, "Known as", text);
	}
	if (kernels) {
		(void)snprintf(text, sizeof(text),
			"all that there are in %s: the set of a privileged container", kernels);
		print_field(to, "Known as", text);
	}
	if (explain_print_names(to, "Takeover", mask & capability_takeover()) < 0)
		return -ENOMEM;
	print_field(to, "Level", level_name(level_of(mask, policy)));
	return print_standings(to, mask, policy);
}

static int refuse(const char *text, int error)
{
	unsigned number;

	if (error == -ERANGE)
		return usage_error(
			"\"%s\" has more than 16 hex digits: no set of capabilities has", text);
	if (capability_from_name(text, &number) == 0)
		return usage_error(
			"\"%s\" is no mask (did you mean explain capability %s?)", text, text);
	return usage_error(
		"\"%s\" is no mask: hex digits are expected, as in 0xa80425fb or in CapEff "
		"of /proc/PID/status",
		text);
}

int explain_mask(const struct explain_request *request)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	capability_mask mask;
	int r = capability_mask_from_hex(request->operand, &mask);

	if (r < 0)
		return refuse(request->operand, r);
	r = explain_load_policy(request, &policy);
	if (r != 0)
		return r;
	if (request->json)
		return explain_print_json_take(request, to_json(mask, policy));
	return print(request->out, mask, policy);
}
