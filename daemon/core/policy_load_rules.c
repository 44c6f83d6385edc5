/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns `rules:` and `exceptions:`, all but what is in their `match`. Refuses a rule that an earlier
 * one always comes before.
 */
#include "policy_internal.h"
#include "policy_value.h"

#include <errno.h>
#include <string.h>

static int load_require(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	unsigned *require = (void *)((char *)into + row->offset);
	const char *names[KEY_ROWS_MAX];
	unsigned count = 0;

	while (control_name(count) && count < ARRAY_SIZE(names)) {
		names[count] = control_name(count);
		count++;
	}
	return node_choices(loader, row->name, "control", node, names, count, require);
}

/* While a rule is read. */
struct open_rule {
	struct rule rule;
	struct unresolved_rule nodes;
};

static int load_rule_match(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct open_rule *open = into;

	open->nodes.match = node;
	return load_match(loader, row, node, into);
}

static int load_rule_profile(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct open_rule *open = into;
	const char *name;

	open->nodes.profile = node;
	return node_text(loader, row->name, node, &name);
}

static const struct key_row rule_keys[] = {
	{ .name = "match",
		.load = load_rule_match,
		.offset = offsetof(struct open_rule, rule.match),
		.required = true },
	{ .name = "require",
		.load = load_require,
		.offset = offsetof(struct open_rule, rule.require) },
	{ .name = "profile", .load = load_rule_profile, .required = true },
};

int load_rules(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct policy *policy = loader->policy;
	size_t count;
	int r = node_list_length(
		loader, row->name, node, POLICY_RULES_MAX, EMPTY_LIST_IS_FINE, &count);

	(void)into;
	if (r < 0)
		return r;
	policy->rules = policy_alloc(policy, count, sizeof(*policy->rules));
	loader->rules = policy_alloc(policy, count, sizeof(*loader->rules));
	if (!policy->rules || !loader->rules)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct open_rule open = { .rule.require = 0 };

		r = node_load_mapping(loader, "a rule", rule_keys, ARRAY_SIZE(rule_keys),
			node_list_item(loader, node, i), &open);
		if (r < 0)
			return r;
		policy->rules[i] = open.rule;
		loader->rules[i] = open.nodes;
	}
	policy->rule_count = count;
	return 0;
}

/* Whether one of the rules before the i-th applies wherever that one could. */
static int check_reachable(struct loader *loader, size_t i)
{
	const struct rule *rules = loader->policy->rules;

	for (size_t j = 0; j < i; j++)
		if ((rules[j].require & ~rules[i].require) == 0 &&
			match_covers(&rules[j].match, &rules[i].match))
			return node_error(loader, loader->rules[i].match,
				"match can never match: the rule in line %u takes all of it",
				NODE_LINE(loader->rules[j].match));
	return 0;
}

int resolve_rules(struct loader *loader)
{
	struct policy *policy = loader->policy;
	int r = 0;

	for (size_t i = 0; i < policy->rule_count && r == 0; i++) {
		r = resolve_profile_name(
			loader, loader->rules[i].profile, &policy->rules[i].profile);
		if (r == 0)
			r = check_reachable(loader, i);
	}
	return r;
}

static int load_exception_allow(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct exception *exception = into;

	return node_capabilities(
		loader, row->name, node, EMPTY_LIST_IS_ERROR, &exception->public.allow);
}

static int load_class(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	static const char *const classes[] = {
		[CLASS_POSTURE] = "posture",
		[CLASS_DRIFT] = "drift",
	};
	struct exception *exception = into;
	unsigned class;
	int r = node_choice(loader, row->name, node, classes, ARRAY_SIZE(classes), &class);

	if (r == 0)
		exception->class = (enum violation_class) class;
	return r;
}

/* A reason is shown in one line, however it is written in the file. */
static int load_reason(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct exception *exception = into;
	const char *text;
	char *line;
	size_t length;
	int r = node_text(loader, row->name, node, &text);

	if (r < 0)
		return r;
	text += strspn(text, " \t\r\n");
	if (strlen(text) > POLICY_REASON_MAX)
		return node_error(
			loader, node, "%s is longer than %u bytes", row->name, POLICY_REASON_MAX);
	line = policy_copy_text(loader->policy, text);
	if (!line)
		return -ENOMEM;
	for (length = strlen(line); length > 0 && strchr(" \t\r\n", line[length - 1]); length--)
		line[length - 1] = '\0';
	if (length == 0)
		return node_error(loader, node, "%s is empty", row->name);
	for (char *p = line; *p; p++)
		if (strchr("\t\r\n", *p))
			*p = ' ';
	exception->public.reason = line;
	return 0;
}

static int load_expires(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct exception *exception = into;
	const char *text;
	int r = node_copy_text(loader, row->name, node, &text);

	if (r < 0)
		return r;
	r = date_from_text(text, &exception->public.expires_day);
	if (r == -ERANGE)
		return node_error(
			loader, node, "%s \"%s\" is no day of any calendar", row->name, text);
	if (r < 0)
		return node_error(
			loader, node, "%s \"%s\" is not a date like 2027-01-31", row->name, text);
	exception->public.expires = text;
	return 0;
}

static const struct key_row exception_keys[] = {
	{ .name = "match",
		.load = load_match,
		.offset = offsetof(struct exception, match),
		.required = true },
	{ .name = "allow", .load = load_exception_allow, .required = true },
	{ .name = "class", .load = load_class },
	{ .name = "require", .load = load_require, .offset = offsetof(struct exception, require) },
	{ .name = "reason", .load = load_reason, .required = true },
	{ .name = "expires", .load = load_expires },
};

int load_exceptions(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct policy *policy = loader->policy;
	size_t count;
	int r = node_list_length(
		loader, row->name, node, POLICY_EXCEPTIONS_MAX, EMPTY_LIST_IS_FINE, &count);

	(void)into;
	if (r < 0)
		return r;
	policy->exceptions = policy_alloc(policy, count, sizeof(*policy->exceptions));
	if (!policy->exceptions)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		policy->exceptions[i].public.expires_day = UINT64_MAX;
		r = node_load_mapping(loader, "an exception", exception_keys,
			ARRAY_SIZE(exception_keys), node_list_item(loader, node, i),
			&policy->exceptions[i]);
		if (r < 0)
			return r;
	}
	policy->exception_count = count;
	return 0;
}
