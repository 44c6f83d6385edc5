/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the question which rule and which exceptions are meant for a container. Pure: it knows
 * neither where the policy came from nor what is done with the answer.
 */
#include "policy_internal.h"

#include <string.h>

/* The text that a field's globs are compared with; NULL while unknown. */
static const char *subject_text(const struct policy_subject *subject, enum match_field field)
{
	switch (field) {
	case MATCH_NAMESPACE:
		return subject->namespace_name;
	case MATCH_POD:
		return subject->pod;
	case MATCH_OWNER:
		return subject->owner;
	case MATCH_CONTAINER:
		return subject->container;
	case MATCH_CONTAINER_TYPE:
		return subject->type == CONTAINER_UNKNOWN ? NULL
							  : container_type_name(subject->type);
	case MATCH_IMAGE:
		return subject->image;
	case MATCH_RUNTIME:
		return subject->runtime;
	case MATCH_CONTAINER_ID:
		return subject->container_id;
	case MATCH_FIELDS:
		break;
	}
	return NULL;
}

const char *label_find(const struct label *labels, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(labels[i].key, key) == 0)
			return labels[i].value;
	return NULL;
}

static bool selector_matches(
	const struct selector *selector, const struct label *labels, size_t count)
{
	for (size_t i = 0; i < selector->count; i++) {
		const char *value =
			labels ? label_find(labels, count, selector->labels[i].key) : NULL;

		if (!globs_match(&selector->labels[i].values, value))
			return false;
	}
	return true;
}

static bool matches(const struct match *match, const struct policy_subject *subject)
{
	for (unsigned field = 0; field < MATCH_FIELDS; field++)
		if (!globs_match(&match->fields[field], subject_text(subject, field)))
			return false;
	return selector_matches(&match->namespace_labels, subject->namespace_labels,
		       subject->namespace_label_count) &&
	       selector_matches(&match->pod_labels, subject->pod_labels, subject->pod_label_count);
}

/* True where the label's profile permits and tolerates nothing that the default does not. */
static bool is_stricter(const struct profile *label, const struct profile *otherwise)
{
	return (label->allow & ~otherwise->allow) == 0 &&
	       ((label->allow | label->tolerate) & ~(otherwise->allow | otherwise->tolerate)) == 0;
}

static bool label_applies(const struct policy *policy, const struct profile *label)
{
	switch (policy->namespace_labels) {
	case NAMESPACE_LABELS_ON:
		return true;
	case NAMESPACE_LABELS_OFF:
		return false;
	case NAMESPACE_LABELS_STRICTER:
		return is_stricter(label, policy->default_profile);
	}
	return false;
}

struct policy_decision policy_decide(const struct policy *policy,
	const struct policy_subject *subject, const struct profile *forced,
	const struct profile *label)
{
	struct policy_decision decision = { .source = PROFILE_FROM_DEFAULT };

	if (forced)
		return (struct policy_decision){ .profile = forced,
			.source = PROFILE_FROM_COMMAND_LINE };

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!matches(&rule->match, subject))
			continue;
		if ((rule->require & ~subject->controls) == 0) {
			decision.profile = rule->profile;
			decision.source = PROFILE_FROM_RULE;
			return decision;
		}
		/* Only the first would have applied: what it lacks is what a person can mend. */
		if (decision.unmet == 0)
			decision.unmet = rule->require & ~subject->controls;
	}

	if (label && label_applies(policy, label)) {
		decision.profile = label;
		decision.source = PROFILE_FROM_NAMESPACE_LABEL;
	} else if (subject->runtime && strcmp(subject->runtime, "host") == 0) {
		decision.profile = policy_profile(policy, "privileged");
	} else {
		decision.profile = policy->default_profile;
	}
	return decision;
}

capability_mask policy_except(const struct policy *policy, const struct policy_subject *subject,
	enum violation_class class, capability_mask excess, uint64_t day,
	const struct policy_exception **ret_first)
{
	const struct policy_exception *first = NULL;
	capability_mask covered = 0;

	for (size_t i = 0; i < policy->exception_count; i++) {
		const struct exception *exception = &policy->exceptions[i];
		capability_mask part = excess & exception->public.allow;

		/* The cheap questions first: most exceptions are for somebody else. */
		if (part == 0 || exception->class != class || day > exception->public.expires_day ||
			(exception->require & ~subject->controls) != 0 ||
			!matches(&exception->match, subject))
			continue;
		covered |= part;
		if (!first)
			first = &exception->public;
	}
	if (ret_first)
		*ret_first = first;
	return covered;
}

unsigned policy_except_unmet(const struct policy *policy, const struct policy_subject *subject,
	enum violation_class class, capability_mask excess, uint64_t day)
{
	unsigned unmet = 0;

	for (size_t i = 0; i < policy->exception_count; i++) {
		const struct exception *exception = &policy->exceptions[i];

		if ((excess & exception->public.allow) != 0 && exception->class == class &&
			day <= exception->public.expires_day && matches(&exception->match, subject))
			unmet |= exception->require & ~subject->controls;
	}
	return unmet;
}
