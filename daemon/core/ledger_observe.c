/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Takes an observation into the ledger: finds the open finding that it belongs to, or opens one.
 * All that can fail comes first, so that an observation is taken whole or not at all.
 */
#include "ledger_internal.h"

#include <errno.h>
#include <string.h>

static unsigned bits(const struct capability_sets *sets)
{
	unsigned sum = 0;

	for (size_t i = 0; i < CAPABILITY_SETS; i++)
		sum += (unsigned)__builtin_popcountll(sets->of[i]);
	return sum;
}

/* The open finding that `part` is a part of: of several the tightest, of these the oldest. One that
 * is judged otherwise, or less severely, would hide it, and one without masks of its own in its
 * identity (nested) is only ever found by its id. */
static struct ledger_entry *find_whole(
	const struct ledger_container *container, const struct finding *part)
{
	/* Drift of these kinds may come without any excess, which is a part of everything. */
	const uint32_t kind = 1u << HINT_MOVED | 1u << HINT_LEFT_USER_NAMESPACE;
	struct ledger_entry *entry, *best = NULL;
	unsigned best_bits = 0;

	if (!container || part->relation == RELATION_NESTED)
		return NULL;
	for (entry = container->entries; entry; entry = entry->next) {
		const struct finding *whole = &entry->finding;

		if (whole->class != part->class || whole->relation != part->relation ||
			((whole->hints ^ part->hints) & kind) != 0 ||
			whole->verdict != part->verdict || whole->severity < part->severity ||
			!capability_sets_within(&part->excess, &whole->excess))
			continue;
		if (!best || bits(&whole->excess) <= best_bits) {
			best = entry;
			best_bits = bits(&whole->excess);
		}
	}
	return best;
}

/* Moves the executables that are new to `to`, as far as there is room, and releases the others. */
static void merge_executables(struct finding *from, struct finding *to)
{
	for (unsigned i = 0; i < from->executable_count; i++) {
		_cleanup_free_ char *executable = TAKE_PTR(from->executables[i]);
		bool known = to->executable_count == FINDING_EXECUTABLES_MAX;

		for (unsigned j = 0; j < to->executable_count && !known; j++)
			known = strcmp(to->executables[j], executable) == 0;
		if (!known)
			to->executables[to->executable_count++] = TAKE_PTR(executable);
	}
	from->executable_count = 0;
}

static void release_members(struct observation *observation)
{
	free(TAKE_PTR(observation->members));
	observation->member_count = 0;
}

static int join(struct ledger *ledger, struct ledger_entry *entry, struct observation *observation)
{
	int r = membership_reserve(
		&entry->membership, observation->members, observation->member_count);

	if (r == 0)
		r = ledger_entry_reserve(entry);
	if (r < 0)
		return r;
	membership_see(
		&entry->membership, observation->members, observation->member_count, ledger->pass);
	release_members(observation);
	merge_executables(&observation->finding, &entry->finding);
	/* What is said while the API is silent knows less than what it said before a restart. */
	bool knows_less = observation->finding.provisional && !entry->finding.provisional &&
			  entry->telling == LEDGER_TOLD;

	if (strcmp(entry->finding.id, observation->finding.id) == 0 && !knows_less) {
		entry->restored = false;
		ledger_entry_observe(entry, &observation->finding, ledger->pass);
	} else {
		ledger_entry_join(entry, &observation->finding, ledger->pass);
	}
	entry->finding.last_seen_us = ledger->now_us;
	entry->container->pass = ledger->pass;
	return 0;
}

static struct ledger_container *add_container(struct ledger *ledger, const char *id)
{
	struct ledger_container *container = calloc(1, sizeof(*container));

	if (!container)
		return NULL;
	container->id = strdup(id);
	if (container->id)
		HASH_ADD_KEYPTR(
			hh, ledger->containers, container->id, strlen(container->id), container);
	if (!container->id || !container->hh.tbl) {
		free(container->id);
		free(container);
		return NULL;
	}
	return container;
}

void ledger_entry_free(struct ledger_entry *entry)
{
	if (!entry)
		return;
	finding_done(&entry->finding);
	finding_free(entry->latest);
	membership_done(&entry->membership);
	free(entry);
}

/* Drops a container's record where nothing hangs on it. */
static void tidy_container(struct ledger *ledger, struct ledger_container *container)
{
	if (container->entries)
		return;
	HASH_DEL(ledger->containers, container);
	free(container->id);
	free(container);
}

static void link_entry(struct ledger_container *container, struct ledger_entry *entry)
{
	entry->container = container;
	entry->next = container->entries;
	if (entry->next)
		entry->next->prev = entry;
	container->entries = entry;
	container->entry_count++;
}

static void unlink_entry(struct ledger_entry *entry)
{
	struct ledger_container *container = entry->container;

	if (entry->next)
		entry->next->prev = entry->prev;
	if (entry->prev)
		entry->prev->next = entry->next;
	else
		container->entries = entry->next;
	container->entry_count--;
}

void ledger_remove(struct ledger *ledger, struct ledger_entry *entry)
{
	struct ledger_container *container = entry->container;

	ledger->untold -= entry->telling != LEDGER_TOLD;
	HASH_DEL(ledger->entries, entry);
	unlink_entry(entry);
	tidy_container(ledger, container);
	ledger_entry_free(entry);
}

int ledger_insert(struct ledger *ledger, struct ledger_entry *entry, const char *container_id)
{
	struct ledger_container *container = ledger_find_container(ledger, container_id);

	if (!container)
		container = add_container(ledger, container_id);
	if (!container)
		return -ENOMEM;
	HASH_ADD_STR(ledger->entries, finding.id, entry);
	if (!entry->hh.tbl) {
		tidy_container(ledger, container);
		return -ENOMEM;
	}
	link_entry(container, entry);
	ledger->untold += entry->telling != LEDGER_TOLD;
	return 0;
}

static int open_entry(
	struct ledger *ledger, struct observation *observation, struct ledger_entry **ret)
{
	_cleanup_(ledger_entry_freep) struct ledger_entry *entry = calloc(1, sizeof(*entry));
	int r;

	if (!entry)
		return -ENOMEM;
	r = membership_reserve(&entry->membership, observation->members, observation->member_count);
	if (r < 0)
		return r;
	memcpy(entry->finding.id, observation->finding.id, sizeof(entry->finding.id));
	r = ledger_insert(ledger, entry, observation->finding.container.id);
	if (r < 0)
		return r;
	entry->container->pass = ledger->pass;
	entry->finding = observation->finding;
	observation->finding = (struct finding){ 0 };
	entry->finding.state = FINDING_OPENED;
	entry->finding.resolved_reason = RESOLVED_NOT;
	entry->finding.time_us = ledger->now_us;
	entry->finding.first_seen_us = ledger->now_us;
	entry->finding.last_seen_us = ledger->now_us;
	entry->observed_pass = ledger->pass;
	membership_see(
		&entry->membership, observation->members, observation->member_count, ledger->pass);
	entry->finding.count = membership_settle(&entry->membership, ledger->pass);
	release_members(observation);
	*ret = TAKE_PTR(entry);
	return 0;
}

void ledger_tell_opened(
	ledger_report *report, void *data, struct ledger *ledger, struct ledger_entry *entry)
{
	if (entry->telling == LEDGER_TOLD)
		return;
	entry->telling = LEDGER_TOLD;
	ledger->untold--;
	entry->finding.time_us = ledger->now_us;
	report(data, &entry->finding);
}

static struct ledger_entry *find_open(struct ledger *ledger, const struct finding *finding)
{
	struct ledger_entry *entry = ledger_find(ledger, finding->id);

	return entry ? entry
		     : find_whole(ledger_find_container(ledger, finding->container.id), finding);
}

/* *ret is the entry that it joined, or that is new. */
static int take(struct ledger *ledger, struct observation *observation, struct ledger_entry **ret,
	bool *ret_is_new)
{
	struct ledger_container *container =
		ledger_find_container(ledger, observation->finding.container.id);
	struct ledger_entry *entry = find_open(ledger, &observation->finding);

	*ret_is_new = !entry;
	*ret = entry;
	if (entry)
		return join(ledger, entry, observation);

	size_t share = observation->finding.class == CLASS_DRIFT ? LEDGER_CONTAINER_ENTRIES_MAX
								 : LEDGER_CONTAINER_FINDINGS_MAX;

	if (HASH_COUNT(ledger->entries) >= LEDGER_FINDINGS_MAX ||
		(container && container->entry_count >= share)) {
		ledger->dropped++;
		return -ENOSPC;
	}
	return open_entry(ledger, observation, ret);
}

int ledger_observe(
	ledger_report *report, void *data, struct ledger *ledger, struct observation *observation)
{
	struct ledger_entry *entry;
	bool is_new;
	int r = take(ledger, observation, &entry, &is_new);

	if (r < 0)
		return r;
	if (is_new)
		ledger_tell_opened(report, data, ledger, entry);
	else if (entry->telling == LEDGER_HELD)
		entry->telling = LEDGER_DUE; /* with what the whole pass says of it */
	return 0;
}

int ledger_hold(struct ledger *ledger, struct observation *observation)
{
	struct ledger_entry *entry;
	bool is_new;

	return take(ledger, observation, &entry, &is_new);
}

int ledger_event(ledger_report *report, void *data, struct ledger *ledger,
	struct observation *observation, bool hold)
{
	struct ledger_entry *open = find_open(ledger, &observation->finding);
	bool counted = open && observation->member_count &&
		       membership_has(&open->membership, &observation->members[0]);
	int r = hold ? ledger_hold(ledger, observation)
		     : ledger_observe(report, data, ledger, observation);

	if (r == 0 && counted)
		open->finding.count++;
	return r;
}
