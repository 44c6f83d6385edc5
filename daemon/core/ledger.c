/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the open findings from pass to pass, and says when one is over. It must not know how a
 * finding came about nor who is told: it gets observations and calls a report function.
 */
#include "ledger_internal.h"

#include <string.h>

struct ledger *ledger_new(uint64_t resolve_after_us)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (ledger)
		ledger->resolve_after_us = resolve_after_us;
	return ledger;
}

void ledger_free(struct ledger *ledger)
{
	struct ledger_entry *entry, *next;

	if (!ledger)
		return;
	for (entry = ledger->entries; entry; entry = next) {
		next = entry->hh.next;
		ledger_remove(ledger, entry);
	}
	free(ledger);
}

void ledger_set_resolve_after(struct ledger *ledger, uint64_t resolve_after_us)
{
	ledger->resolve_after_us = resolve_after_us;
}

void ledger_begin(struct ledger *ledger, uint64_t now_us)
{
	ledger->pass++;
	ledger->now_us = now_us;
	if (!ledger->begun_us)
		ledger->begun_us = now_us;
}

void ledger_resume(struct ledger *ledger, uint64_t now_us)
{
	ledger->now_us = now_us;
}

struct ledger_entry *ledger_find(const struct ledger *ledger, const char *id)
{
	struct ledger_entry *entry;

	HASH_FIND_STR(ledger->entries, id, entry);
	return entry;
}

struct ledger_container *ledger_find_container(const struct ledger *ledger, const char *id)
{
	struct ledger_container *container;

	HASH_FIND_STR(ledger->containers, id, container);
	return container;
}

void ledger_see_container(struct ledger *ledger, const char *id)
{
	/* Of a container without open findings nothing need be known: no record, no allocation. */
	struct ledger_container *container = ledger_find_container(ledger, id);

	if (container)
		container->pass = ledger->pass;
}

/* Is it over because nobody has it any more, and not because it is none? */
static bool has_ended(enum resolved_reason reason)
{
	return reason == RESOLVED_EXITED || reason == RESOLVED_DROPPED || reason == RESOLVED_REBOOT;
}

static void resolve(ledger_report *report, void *data, struct ledger *ledger,
	struct ledger_entry *entry, enum resolved_reason reason)
{
	if (has_ended(reason))
		ledger_tell_opened(report, data, ledger, entry);
	if (entry->telling != LEDGER_TOLD) {
		ledger_remove(ledger, entry);
		return;
	}
	entry->finding.state = FINDING_RESOLVED;
	entry->finding.resolved_reason = reason;
	entry->finding.time_us = ledger->now_us;
	report(data, &entry->finding);
	ledger_remove(ledger, entry);
}

static enum resolved_reason why_over(
	const struct ledger *ledger, const struct ledger_entry *entry, bool complete)
{
	uint64_t last_seen_us = entry->finding.last_seen_us;

	if (complete && entry->container->pass != ledger->pass)
		return RESOLVED_EXITED;
	/* While nobody looked it was not unseen. */
	if (last_seen_us < ledger->begun_us)
		last_seen_us = ledger->begun_us;
	/* Seen in this pass; or the clock was set back. */
	if (ledger->now_us <= last_seen_us)
		return RESOLVED_NOT;
	return ledger->now_us - last_seen_us >= ledger->resolve_after_us ? RESOLVED_DROPPED
									 : RESOLVED_NOT;
}

static void settle(
	ledger_report *report, void *data, struct ledger *ledger, struct ledger_entry *entry)
{
	bool changed;

	entry->finding.count += membership_settle(&entry->membership, ledger->pass);
	changed = ledger_entry_update(entry, ledger->pass);
	if (entry->telling == LEDGER_DUE) {
		ledger_tell_opened(report, data, ledger, entry);
	} else if (changed && entry->telling == LEDGER_TOLD) {
		entry->finding.state = FINDING_CHANGED;
		entry->finding.time_us = ledger->now_us;
		report(data, &entry->finding);
	}
}

void ledger_settle(ledger_report *report, void *data, struct ledger *ledger, const char *id)
{
	struct ledger_container *container = ledger_find_container(ledger, id);
	struct ledger_entry *entry;

	for (entry = container ? container->entries : NULL; entry; entry = entry->next)
		settle(report, data, ledger, entry);
}

void ledger_end(ledger_report *report, void *data, struct ledger *ledger, bool complete)
{
	struct ledger_entry *entry, *next;

	for (entry = ledger->entries; entry; entry = next) {
		next = entry->hh.next;
		settle(report, data, ledger, entry);
		enum resolved_reason reason = why_over(ledger, entry, complete);

		if (reason != RESOLVED_NOT)
			resolve(report, data, ledger, entry, reason);
	}
}

void ledger_tell_held(ledger_report *report, void *data, struct ledger *ledger)
{
	for (struct ledger_entry *entry = ledger->entries; entry; entry = entry->hh.next)
		ledger_tell_opened(report, data, ledger, entry);
}

void ledger_rejudge(ledger_still *still, void *still_data, ledger_report *report, void *report_data,
	struct ledger *ledger, const char *id)
{
	struct ledger_container *container = ledger_find_container(ledger, id);
	struct ledger_entry *entry, *next;

	/* The container goes with the last of its entries. */
	for (entry = container ? container->entries : NULL; entry; entry = next) {
		next = entry->next;
		/* One that only a part was observed of was not judged itself. */
		if (entry->observed_pass == ledger->pass)
			continue;
		enum resolved_reason reason = still(still_data, &entry->finding);

		if (reason != RESOLVED_NOT)
			resolve(report, report_data, ledger, entry, reason);
	}
}

const struct finding *ledger_next(const struct ledger *ledger, const void **position)
{
	const struct ledger_entry *last = *position;
	const struct ledger_entry *entry = last ? last->hh.next : ledger->entries;

	while (entry && entry->telling != LEDGER_TOLD)
		entry = entry->hh.next;
	if (entry)
		*position = entry;
	return entry ? &entry->finding : NULL;
}

const char *ledger_next_id(const struct ledger *ledger, const void **position)
{
	const struct ledger_entry *last = *position;
	const struct ledger_entry *entry = last ? last->hh.next : ledger->entries;

	if (entry)
		*position = entry;
	return entry ? entry->finding.id : NULL;
}

const struct finding *ledger_get(const struct ledger *ledger, const char *id)
{
	const struct ledger_entry *entry = ledger_find(ledger, id);

	return entry ? &entry->finding : NULL;
}

bool ledger_knows(const struct ledger *ledger, const char *id)
{
	return ledger_find(ledger, id) != NULL;
}

bool ledger_has(const struct ledger *ledger, const char *id)
{
	const struct ledger_entry *entry = ledger_find(ledger, id);

	return entry && entry->telling == LEDGER_TOLD;
}

size_t ledger_count(const struct ledger *ledger)
{
	return HASH_COUNT(ledger->entries) - ledger->untold;
}

void ledger_resolve_all(ledger_report *report, void *data, struct ledger *ledger, uint64_t now_us,
	enum resolved_reason reason)
{
	struct ledger_entry *entry, *next;

	ledger->now_us = now_us;
	for (entry = ledger->entries; entry; entry = next) {
		next = entry->hh.next;
		resolve(report, data, ledger, entry, reason);
	}
}

uint64_t ledger_dropped(const struct ledger *ledger)
{
	return ledger->dropped;
}
