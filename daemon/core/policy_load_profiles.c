/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns `profiles:`: reads each, then adds to it what it extends. A profile may extend one that
 * stands further down, so the second is done when all have been read.
 */
#include "policy_internal.h"

#include <capauditd/text.h>

#include <errno.h>
#include <string.h>

static int load_extends(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct unresolved_profile *profile = into;
	const char *name;
	int r = node_text(loader, row->name, node, &name);

	if (r == 0)
		profile->extends = node;
	return r;
}

static int load_allow(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct unresolved_profile *profile = into;

	profile->has_allow = true;
	/* `allow: []` says something: a profile that permits nothing at all. */
	return node_capabilities(
		loader, row->name, node, EMPTY_LIST_IS_FINE, &profile->profile->allow);
}

static int load_tolerate(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	struct unresolved_profile *profile = into;

	if (node->type == YAML_SEQUENCE_NODE &&
		node->data.sequence.items.top == node->data.sequence.items.start)
		return node_error(loader, node,
			"tolerate is an empty list: it adds to what is extended and takes nothing "
			"away");
	return node_capabilities(
		loader, row->name, node, EMPTY_LIST_IS_ERROR, &profile->profile->tolerate);
}

static const struct key_row profile_keys[] = {
	{ .name = "extends", .load = load_extends },
	{ .name = "allow", .load = load_allow },
	{ .name = "tolerate", .load = load_tolerate },
};

/* Names go to the journal, to JSON and into tables: one word that can be read. */
static int check_name(struct loader *loader, const yaml_node_t *key, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < profile_builtin_count; i++)
		if (strcmp(profile_builtin[i].name, name) == 0)
			return node_error(loader, key,
				"profile \"%s\" is built in and cannot be defined anew", name);
	if (length == 0 || length > POLICY_NAME_MAX || strpbrk(name, " \t\r\n") ||
		!text_is_clean(name, length))
		return node_error(loader, key,
			"profile name \"%s\" is not one word of at most %u bytes", name,
			POLICY_NAME_MAX);
	return 0;
}

static int load_profile(struct loader *loader, const yaml_node_t *key, const yaml_node_t *value,
	struct unresolved_profile *profile)
{
	const char *name = node_key_text(key);
	int r = check_name(loader, key, name);

	if (r < 0)
		return r;
	profile->profile = policy_alloc(loader->policy, 1, sizeof(*profile->profile));
	if (!profile->profile)
		return -ENOMEM;
	profile->profile->name = policy_copy_text(loader->policy, name);
	if (!profile->profile->name)
		return -ENOMEM;
	r = node_load_mapping(
		loader, "a profile", profile_keys, ARRAY_SIZE(profile_keys), value, profile);
	if (r < 0)
		return r;
	if (!profile->extends && !profile->has_allow) {
		const yaml_node_t *first = value, *ignored;

		if (profile->profile->tolerate) /* the only key that can be there */
			node_mapping_pair(loader, value, 0, &first, &ignored);
		return node_error(loader, first, "a profile has neither extends nor allow");
	}
	return 0;
}

int load_profiles(
	struct loader *loader, const struct key_row *row, const yaml_node_t *node, void *into)
{
	size_t count;
	int r = node_mapping_length(loader, row->name, node, POLICY_PROFILES_MAX, &count);

	(void)into;
	if (r < 0)
		return r;
	loader->profiles = policy_alloc(loader->policy, count, sizeof(*loader->profiles));
	if (!loader->profiles)
		return -ENOMEM;
	loader->profile_count = count;
	for (size_t i = 0; i < count; i++) {
		const yaml_node_t *key, *value;

		node_mapping_pair(loader, node, i, &key, &value);
		r = load_profile(loader, key, value, &loader->profiles[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static struct unresolved_profile *find(const struct loader *loader, const char *name)
{
	for (size_t i = 0; i < loader->profile_count; i++)
		if (strcmp(loader->profiles[i].profile->name, name) == 0)
			return &loader->profiles[i];
	return NULL;
}

/* `extends` of `last` closes the circle: it names `first`, which extends `last` through others. */
static int cycle_error(struct loader *loader, const struct unresolved_profile *first,
	const struct unresolved_profile *last)
{
	char through[DIAG_MESSAGE_MAX] = "";
	size_t used = 0;

	if (first == last)
		return node_error(loader, last->extends, "profile \"%s\" extends itself",
			last->profile->name);
	for (const struct unresolved_profile *p = first; p && used < sizeof(through);
		p = p == last ? NULL : find(loader, node_key_text(p->extends))) {
		int added =
			snprintf(through + used, sizeof(through) - used, "%s > ", p->profile->name);

		used += added > 0 ? (size_t)added : 0;
	}
	return node_error(
		loader, last->extends, "profile cycle: %s%s", through, first->profile->name);
}

/* Follows `extends` from one profile to the first that is resolved already or extends nothing of
 * the file, then comes back the same way. So each is gone through once, however long the chain is.
 */
static int resolve(struct loader *loader, struct unresolved_profile *start)
{
	struct unresolved_profile *last = NULL;
	const struct profile *base = NULL;

	if (start->state == PROFILE_RESOLVED)
		return 0;
	for (struct unresolved_profile *profile = start; profile;) {
		profile->state = PROFILE_ACTIVE;
		profile->extended_by = last;
		last = profile;
		base = NULL;
		if (!last->extends)
			break;
		if (resolve_profile_name(loader, last->extends, &base) < 0)
			return -EINVAL;
		profile = find(loader, node_key_text(last->extends)); /* NULL: built in */
		if (profile && profile->state == PROFILE_ACTIVE)
			return cycle_error(loader, profile, last);
		if (profile && profile->state == PROFILE_RESOLVED)
			break;
	}
	for (; last; last = last->extended_by) {
		struct profile *own = last->profile;

		if (base) {
			own->allow |= base->allow;
			own->tolerate_undeclared = base->tolerate_undeclared & ~own->tolerate;
			own->tolerate |= base->tolerate;
		}
		own->tolerate &= ~own->allow; /* what is permitted need not be tolerated */
		own->tolerate_undeclared &= own->tolerate;
		last->state = PROFILE_RESOLVED;
		base = own;
	}
	return 0;
}

int resolve_profiles(struct loader *loader)
{
	struct policy *policy = loader->policy;
	int r = policy_reserve_profiles(policy, loader->profile_count);

	if (r < 0)
		return r;
	for (size_t i = 0; i < loader->profile_count; i++) {
		policy->profiles[policy->profile_count] = loader->profiles[i].profile;
		policy->profile_names[policy->profile_count] = loader->profiles[i].profile->name;
		policy->profile_count++;
	}
	for (size_t i = 0; i < loader->profile_count && r == 0; i++)
		r = resolve(loader, &loader->profiles[i]);
	return r;
}

int resolve_profile_name(struct loader *loader, const yaml_node_t *node, const struct profile **ret)
{
	const char *name = node_key_text(node);
	const struct profile *profile = policy_profile(loader->policy, name);
	const char *nearest;

	if (profile) {
		*ret = profile;
		return 0;
	}
	nearest = policy_profile_nearest(loader->policy, name);
	if (nearest)
		return node_error(
			loader, node, "unknown profile \"%s\" (did you mean %s?)", name, nearest);
	return node_error(loader, node, "unknown profile \"%s\"", name);
}
