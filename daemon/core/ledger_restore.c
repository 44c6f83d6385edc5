/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Brings the ledger over a restart: what is to be kept of an entry beside its finding, and the way
 * back. Where it is kept is not known here.
 */
#include "ledger_internal.h"

#include <errno.h>
#include <string.h>

void ledger_save(const struct ledger *ledger, const char *id, struct bytes *to)
{
	const struct ledger_entry *entry = ledger_find(ledger, id);

	if (!entry)
		return;
	/* What is due is told when its pass ends: if that never comes, it is not told. */
	bytes_add_number(to, entry->telling == LEDGER_TOLD ? LEDGER_TOLD : LEDGER_HELD);
	membership_save(&entry->membership, to);
}

static void replace(struct ledger *ledger, struct ledger_entry *old, struct ledger_entry *new)
{
	ledger->untold -= old->telling != LEDGER_TOLD;
	ledger->untold += new->telling != LEDGER_TOLD;
	finding_done(&old->finding);
	membership_done(&old->membership);
	old->finding = new->finding;
	old->membership = new->membership;
	old->telling = new->telling;
	new->finding = (struct finding){ 0 };
	new->membership = (struct membership){ 0 };
}

/* The file has posture and drift in any order: what was taken in once fits again. */
static bool has_room(const struct ledger *ledger, const char *container_id)
{
	const struct ledger_container *container = ledger_find_container(ledger, container_id);

	return HASH_COUNT(ledger->entries) < LEDGER_FINDINGS_MAX &&
	       (!container || container->entry_count < LEDGER_CONTAINER_ENTRIES_MAX);
}

int ledger_restore(struct ledger *ledger, struct finding *finding, struct byte_reader saved)
{
	_cleanup_(ledger_entry_freep) struct ledger_entry *entry = calloc(1, sizeof(*entry));
	struct ledger_entry *old;
	uint64_t telling;
	int r;

	if (!entry) {
		finding_done(finding);
		return -ENOMEM;
	}
	entry->finding = *finding;
	*finding = (struct finding){ 0 };
	telling = bytes_take_number(&saved);
	if (saved.failed || (telling != LEDGER_TOLD && telling != LEDGER_HELD))
		return -EBADMSG;
	entry->telling = (enum ledger_telling)telling;
	entry->restored = true;
	r = membership_load(&entry->membership, &saved);
	if (r < 0)
		return r;
	entry->finding.state = FINDING_OPENED;
	entry->finding.resolved_reason = RESOLVED_NOT;
	old = ledger_find(ledger, entry->finding.id);
	if (old && strcmp(old->finding.container.id, entry->finding.container.id) != 0)
		return -EBADMSG;
	if (old) {
		replace(ledger, old, entry);
		return 0;
	}
	if (!has_room(ledger, entry->finding.container.id)) {
		ledger->dropped++;
		return -ENOSPC;
	}
	r = ledger_insert(ledger, entry, entry->finding.container.id);
	if (r == 0)
		(void)TAKE_PTR(entry);
	return r;
}

void ledger_trust(struct ledger *ledger, const char *id)
{
	struct ledger_container *container = ledger_find_container(ledger, id);
	struct ledger_entry *entry;

	for (entry = container ? container->entries : NULL; entry; entry = entry->next)
		if (entry->restored && entry->finding.class == CLASS_POSTURE &&
			!entry->finding.provisional)
			entry->finding.last_seen_us = ledger->now_us;
}

void ledger_forget(struct ledger *ledger, const char *id)
{
	struct ledger_entry *entry = ledger_find(ledger, id);

	if (entry)
		ledger_remove(ledger, entry);
}
