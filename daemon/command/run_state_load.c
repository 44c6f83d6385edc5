/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the state of the daemon before this one into an empty ledger and outbox. What is in the
 * file is believed as far as its checksums go, and never more than its fields may hold.
 */
#include "run_state.h"

#include "undelivered.h"

#include <capauditd/finding_code.h>

#include <errno.h>
#include <string.h>

static int load_header(struct loading *loading, struct byte_reader *record)
{
	uint64_t version = bytes_take_number(record);

	free(TAKE_PTR(loading->boot_id));
	loading->boot_id = bytes_take_text(record, 64);
	if (record->failed || version != RUN_STATE_VERSION)
		return -EBADMSG;
	return loading->boot_id ? 0 : -ENOMEM;
}

/* The item's number, sinks and severity, and itself, into the outbox. */
static int load_waiting(
	struct loading *loading, struct byte_reader *record, struct byte_reader *ret_item)
{
	uint64_t number = bytes_take_number(record), sinks = bytes_take_number(record);
	uint64_t severity = bytes_take_number(record);

	*ret_item = bytes_take_block(record);
	if (record->failed || sinks > UINT32_MAX || severity > SEVERITY_CRITICAL)
		return -EBADMSG;
	return outbox_restore(loading->run->outbox, number, (unsigned)sinks,
		(enum severity)severity, ret_item->at, (size_t)(ret_item->end - ret_item->at));
}

static int load_transition(struct loading *loading, struct byte_reader *record)
{
	struct undelivered undelivered;
	struct byte_reader item, saved;
	int kept = load_waiting(loading, record, &item), r;

	if (kept < 0 && kept != -ENOSPC)
		return kept;
	saved = bytes_take_block(record);
	if (record->failed)
		return -EBADMSG;
	r = undelivered_decode(item.at, (size_t)(item.end - item.at), &undelivered);
	if (r < 0)
		return r;
	if (!undelivered.is_finding)
		r = -EBADMSG;
	else if (undelivered.finding.state == FINDING_RESOLVED)
		ledger_forget(loading->run->ledger, undelivered.finding.id);
	else
		r = ledger_restore(loading->run->ledger, &undelivered.finding, saved);
	undelivered_done(&undelivered);
	return r < 0 ? r : kept;
}

static int load_open(struct loading *loading, struct byte_reader *record)
{
	struct byte_reader encoded = bytes_take_block(record), saved = bytes_take_block(record);
	struct finding finding;
	int r = record->failed ? -EBADMSG : finding_decode(encoded, &finding);

	return r < 0 ? r : ledger_restore(loading->run->ledger, &finding, saved);
}

static int load_settled(struct loading *loading, struct byte_reader *record)
{
	uint64_t number = bytes_take_number(record), sinks = bytes_take_number(record);

	if (record->failed)
		return -EBADMSG;
	outbox_settle(loading->run->outbox, number, (unsigned)sinks);
	return 0;
}

static int load_record(struct loading *loading, struct byte_reader record)
{
	struct byte_reader item;

	switch (bytes_take_number(&record)) {
	case RECORD_HEADER:
		return load_header(loading, &record);
	case RECORD_TRANSITION:
		return load_transition(loading, &record);
	case RECORD_OPEN:
		return load_open(loading, &record);
	case RECORD_WAITING:
		return load_waiting(loading, &record, &item);
	case RECORD_SETTLED:
		return load_settled(loading, &record);
	case RECORD_NAMESPACE:
		return run_load_namespace(loading->run, &record);
	default:
		return 0; /* another version's */
	}
}

int run_state_load(struct loading *loading, const struct bytes *content, size_t *ret_damaged)
{
	struct byte_reader log = bytes_reader(content), record;
	int r;

	while ((r = record_next(&log, &record)) == 0) {
		int taken = load_record(loading, record);

		if (taken == -ENOMEM)
			return taken;
		loading->unread += taken < 0;
	}
	*ret_damaged = r == -ENODATA ? 0 : (size_t)(log.end - log.at);
	return 0;
}
