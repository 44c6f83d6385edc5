/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replaces an open finding by what the latest pass says of it, and decides whether that is worth a
 * report. What was once known (a name, the most privileged process) is not lost when a pass knows
 * less. What it needs memory for is
 * reserved when the observation comes, so that the end of a pass cannot fail.
 */
#include "ledger_internal.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* The names whose change is reported; what is unknown is NULL. */
static const size_t names[] = {
	offsetof(struct container, name),
	offsetof(struct container, image),
	offsetof(struct container, pod.namespace_name),
	offsetof(struct container, pod.name),
	offsetof(struct container, pod.owner),
};

/* Hints that tell of the process shown and go with it. */
static const uint32_t process_hints =
	1u << HINT_NOT_LEADER | 1u << HINT_SETS_DIFFER | 1u << HINT_STILL_RUNTIME;

/* How much stands behind a finding: its verdict and severity, then what its process holds, the sets
 * that reach farthest first. Positive where `a` weighs more. */
static int strength_compare(const struct finding *a, const struct finding *b)
{
	static const enum capability_set order[] = { CAPABILITY_EFFECTIVE, CAPABILITY_PERMITTED,
		CAPABILITY_AMBIENT, CAPABILITY_INHERITABLE, CAPABILITY_BOUNDING };

	if (a->verdict != b->verdict)
		return a->verdict > b->verdict ? 1 : -1;
	if (a->severity != b->severity)
		return a->severity > b->severity ? 1 : -1;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		int more = __builtin_popcountll(a->process.sets.of[order[i]]) -
			   __builtin_popcountll(b->process.sets.of[order[i]]);

		if (more != 0)
			return more;
	}
	return 0;
}

static char **name_at(struct container *container, size_t offset)
{
	return (char **)(void *)((char *)container + offset);
}

static bool differ(const char *a, const char *b)
{
	return a != b && (!a || !b || strcmp(a, b) != 0);
}

static bool judged_alike(const struct finding *a, const struct finding *b)
{
	/* Provisional counts although no list of changes names it: what was held back as
	 * provisional would otherwise never be told at its full weight. */
	return a->verdict == b->verdict && a->severity == b->severity && a->class == b->class &&
	       a->provisional == b->provisional && !differ(a->profile, b->profile);
}

int ledger_entry_reserve(struct ledger_entry *entry)
{
	if (!entry->latest)
		entry->latest = calloc(1, sizeof(*entry->latest));
	return entry->latest ? 0 : -ENOMEM;
}

/* True where `finding` is to stand for the pass, and not what already does. */
static bool prevails(const struct ledger_entry *entry, const struct finding *finding, uint32_t pass)
{
	if (entry->observed_pass != pass)
		return true;

	/* The pass that opened it has it in the finding itself. */
	const struct finding *open = &entry->finding;
	const struct finding *strongest = entry->latest->container.id ? entry->latest : open;
	int more = strength_compare(finding, strongest);

	/* The latest among equals, but not one that would make for a change alone. */
	return more > 0 ||
	       (more == 0 && (judged_alike(finding, open) || !judged_alike(strongest, open)));
}

void ledger_entry_observe(struct ledger_entry *entry, struct finding *finding, uint32_t pass)
{
	if (prevails(entry, finding, pass)) {
		finding_done(entry->latest);
		*entry->latest = *finding;
		*finding = (struct finding){ 0 };
	} else {
		finding_done(finding);
	}
	entry->observed_pass = pass;
}

void ledger_entry_join(struct ledger_entry *entry, struct finding *finding, uint32_t pass)
{
	if (entry->observed_pass != pass) {
		finding_done(entry->latest);
		entry->latest->container = finding->container;
		finding->container = (struct container){ 0 };
	}
	finding_done(finding);
	entry->joined_pass = pass;
}

/* Moves what only `old` knows to `new`. True where a name differs then. */
static bool keep_what_is_known(struct container *old, struct container *new)
{
	bool changed = false;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char **known = name_at(old, names[i]), **latest = name_at(new, names[i]);

		if (!*latest)
			*latest = TAKE_PTR(*known);
		else
			changed |= differ(*known, *latest);
	}
	if (new->type == CONTAINER_UNKNOWN)
		new->type = old->type;
	else
		changed |= new->type != old->type;
	if (!new->cgroup)
		new->cgroup = TAKE_PTR(old->cgroup);
	if (new->pod.uid[0] == '\0')
		memcpy(new->pod.uid, old->pod.uid, sizeof(new->pod.uid));
	if (new->pod.qos == QOS_UNKNOWN)
		new->pod.qos = old->pod.qos;
	new->in_pod |= old->in_pod;
	new->pod.known |= old->pod.known;
	new->pod.is_static |= old->pod.is_static;
	if (!new->declared.known)
		new->declared = old->declared;
	if (!new->granted_known) {
		new->granted_known = old->granted_known;
		new->granted = old->granted;
	}
	return changed;
}

static bool update_container(struct ledger_entry *entry)
{
	bool changed = keep_what_is_known(&entry->finding.container, &entry->latest->container);

	container_done(&entry->finding.container);
	entry->finding.container = entry->latest->container;
	entry->latest->container = (struct container){ 0 };
	return changed;
}

static bool update_finding(struct ledger_entry *entry)
{
	struct finding *old = &entry->finding, *new = entry->latest;
	bool changed = !judged_alike(old, new);

	changed |= keep_what_is_known(&old->container, &new->container);
	/* The most privileged process ever seen stays, unless the verdict or the severity is
	 * another now: these must be those of the process that is shown. */
	if (old->verdict == new->verdict &&
		old->severity == new->severity &&strength_compare(old, new) > 0) {
		struct process weaker = new->process;

		new->process = old->process;
		old->process = weaker;
		new->hints = (new->hints & ~process_hints) | (old->hints & process_hints);
	}
	memcpy(new->executables, old->executables, sizeof(new->executables));
	new->executable_count = old->executable_count;
	old->executable_count = 0;
	new->count = old->count;
	new->state = old->state;
	new->time_us = old->time_us;
	new->first_seen_us = old->first_seen_us;
	new->last_seen_us = old->last_seen_us;
	new->resolved_reason = RESOLVED_NOT;
	finding_done(old);
	*old = *new;
	*new = (struct finding){ 0 };
	return changed;
}

bool ledger_entry_update(struct ledger_entry *entry, uint32_t pass)
{
	bool changed = false;

	if (entry->latest && entry->latest->container.id) {
		if (entry->observed_pass == pass)
			changed = update_finding(entry);
		else if (entry->joined_pass == pass)
			changed = update_container(entry);
	}
	finding_free(TAKE_PTR(entry->latest));
	return changed;
}
