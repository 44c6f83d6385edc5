/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of the daemon outlives it: which records the state file holds, and when it is shortened. A
 * state that cannot be kept is said once; all else goes on.
 *
 * A transition is written before it is delivered, and that it was delivered after that: whoever is
 * killed in between delivers that one again, with the same id and time, and loses none.
 */
#include "run.h"

#include "run_state.h"
#include "state_file.h"

#include <capauditd/finding_code.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <syslog.h>

#define SHORTEN_MIN    (1u << 20)  /* below that it is not worth it */
#define LEDGER_MAX     (12u << 20) /* bytes of open findings; the others' room is the outbox's */
#define PART_SIZE      65536u
#define SYNC_AFTER_US  1000000u
#define RETRY_AFTER_US 10000000u

/* -- writing ------------------------------------------------------------------------------------
 */

static int add_record(struct run *run, struct bytes *part, const struct bytes *record, bool last)
{
	int r = 0;

	if (record->failed)
		return -ENOMEM;
	if (record->length > RECORD_SIZE_MAX) {
		run->state_left_out++;
		return 0;
	}
	if (record->length)
		record_add(part, record->data, record->length);
	if (part->length >= PART_SIZE || last || part->failed) {
		r = state_file_add(run->state, part);
		part->length = 0;
	}
	return r;
}

static void make_header(const struct run *run, struct bytes *record)
{
	bytes_add_number(record, RECORD_HEADER);
	bytes_add_number(record, RUN_STATE_VERSION);
	bytes_add_text(record, run->node.boot_id ? run->node.boot_id : "");
}

static void make_open(const struct run *run, const struct finding *finding, struct bytes *record)
{
	_cleanup_(bytes_done) struct bytes encoded = { 0 }, saved = { 0 };

	finding_encode(finding, &encoded);
	ledger_save(run->ledger, finding->id, &saved);
	bytes_add_number(record, RECORD_OPEN);
	bytes_add_block(record, encoded.data, encoded.length);
	bytes_add_block(record, saved.data, saved.length);
	record->failed |= encoded.failed || saved.failed;
}

static void make_waiting(enum record kind, uint64_t number, unsigned sinks, enum severity severity,
	const void *data, size_t length, struct bytes *record)
{
	bytes_add_number(record, kind);
	bytes_add_number(record, number);
	bytes_add_number(record, sinks);
	bytes_add_number(record, (uint64_t)severity);
	bytes_add_block(record, data, length);
}

/* Grave ones first: there may be more than there is room for. What is held was not told, and may be
 * forgotten without a word at any time: it is kept only where nothing follows. */
static int add_ledger(struct run *run, struct bytes *part, bool grave, bool held, size_t *room)
{
	_cleanup_(bytes_done) struct bytes record = { 0 };
	const void *position = NULL;
	const char *id;
	int r = 0;

	while (r == 0 && (id = ledger_next_id(run->ledger, &position))) {
		const struct finding *finding = ledger_get(run->ledger, id);

		if ((finding->severity > SEVERITY_LOW) != grave ||
			(!held && !ledger_has(run->ledger, id)))
			continue;
		record.length = 0;
		make_open(run, finding, &record);
		if (record.length > *room) {
			run->state_left_out++;
			continue;
		}
		*room -= record.length;
		r = add_record(run, part, &record, false);
	}
	return r;
}

static int add_outbox(struct run *run, struct bytes *part)
{
	_cleanup_(bytes_done) struct bytes record = { 0 };
	const struct outbox_item *item = NULL;
	int r = 0;

	while (r == 0 && (item = outbox_next(run->outbox, item))) {
		record.length = 0;
		make_waiting(RECORD_WAITING, item->number, item->sinks, item->severity, item->data,
			item->length, &record);
		r = add_record(run, part, &record, false);
	}
	return r;
}

static int add_namespaces(struct run *run, struct bytes *part)
{
	_cleanup_(bytes_done) struct bytes record = { 0 };
	const void *position = NULL;
	int r = 0;

	while (r == 0) {
		record.length = 0;
		bytes_add_number(&record, RECORD_NAMESPACE);
		if (!run_next_namespace(run, &position, &record))
			break;
		r = add_record(run, part, &record, false);
	}
	return r;
}

/* Replaces the file by one that says what is true now, and nothing else. */
static int rewrite(struct run *run, bool held)
{
	_cleanup_(bytes_done) struct bytes part = { 0 }, header = { 0 }, nothing = { 0 };
	size_t room = LEDGER_MAX;
	int r = state_file_begin(run->state);

	run->state_left_out = 0;
	if (r < 0)
		return r;
	make_header(run, &header);
	r = add_record(run, &part, &header, false);
	if (r == 0)
		r = add_ledger(run, &part, true, held, &room);
	if (r == 0)
		r = add_ledger(run, &part, false, held, &room);
	if (r == 0)
		r = add_outbox(run, &part);
	if (r == 0)
		r = add_namespaces(run, &part);
	if (r == 0)
		r = add_record(run, &part, &nothing, true);
	if (r == 0)
		r = state_file_commit(run->state);
	return r;
}

/* -- as time goes by ----------------------------------------------------------------------------
 */

static void wake(struct run *run, uint64_t delay_us)
{
	int enabled = SD_EVENT_OFF;

	if (!run->state_timer || (sd_event_source_get_enabled(run->state_timer, &enabled) >= 0 &&
					 enabled != SD_EVENT_OFF))
		return;
	(void)sd_event_source_set_time(run->state_timer, clock_us(CLOCK_MONOTONIC) + delay_us);
	(void)sd_event_source_set_enabled(run->state_timer, SD_EVENT_ONESHOT);
}

static void note(struct run *run, int r)
{
	if (r < 0) {
		run->state_failures++;
		wake(run, RETRY_AFTER_US);
	}
	if ((r < 0) == run->state_failing)
		return;
	run->state_failing = r < 0;
	if (r < 0)
		run_say(run, JOURNAL_DELIVERY, LOG_ERR,
			"The state cannot be kept: %s. A restart would forget what comes.",
			strerror(-r));
	else
		run_say(run, JOURNAL_DELIVERY, LOG_NOTICE, "The state is kept again.");
}

static void shorten(struct run *run)
{
	int r = rewrite(run, false);

	run->state_dirty = run->state_is_long = false;
	if (r == 0)
		run->state_shortest = state_file_size(run->state);
	note(run, r);
}

static int on_time(sd_event_source *source, uint64_t now, void *data)
{
	struct run *run = data;
	int r;

	(void)source;
	(void)now;
	if (run->state_failing || run->state_is_long) {
		shorten(run);
	} else if (run->state_dirty) {
		run->state_dirty = false;
		r = state_file_sync(run->state);
		if (r < 0)
			note(run, r);
	}
	return 0;
}

static void append(struct run *run, const struct bytes *record)
{
	_cleanup_(bytes_done) struct bytes framed = { 0 };
	uint64_t limit = 2 * run->state_shortest + SHORTEN_MIN;
	int r = record->failed ? -ENOMEM : 0;

	/* While it fails nothing is added that would look as if nothing were missing. */
	if (run->state_failing)
		return;
	if (r == 0 && record->length > RECORD_SIZE_MAX)
		r = -EFBIG;
	if (r == 0) {
		record_add(&framed, record->data, record->length);
		r = state_file_append(run->state, &framed);
	}
	run->state_dirty = true;
	if (r < 0 || state_file_size(run->state) > limit)
		run->state_is_long = true;
	wake(run, SYNC_AFTER_US);
}

void run_keep_transition(struct run *run, uint64_t number, unsigned sinks, enum severity severity,
	const struct bytes *item, const struct finding *finding)
{
	_cleanup_(bytes_done) struct bytes record = { 0 }, saved = { 0 };

	if (!run->state)
		return;
	/* What cannot be said of it a new file makes up for. */
	record.failed = item->failed;
	make_waiting(finding ? RECORD_TRANSITION : RECORD_WAITING, number, sinks, severity,
		item->data, item->length, &record);
	if (finding) {
		if (finding->state != FINDING_RESOLVED)
			ledger_save(run->ledger, finding->id, &saved);
		bytes_add_block(&record, saved.data, saved.length);
		record.failed |= saved.failed;
	}
	append(run, &record);
}

void run_keep_settled(struct run *run, uint64_t number, unsigned sinks)
{
	_cleanup_(bytes_done) struct bytes record = { 0 };

	if (!run->state)
		return;
	bytes_add_number(&record, RECORD_SETTLED);
	bytes_add_number(&record, number);
	bytes_add_number(&record, sinks);
	append(run, &record);
}

void run_keep_labels(struct run *run, struct namespace_record *record)
{
	_cleanup_(bytes_done) struct bytes kept = { 0 };

	if (!run->state || !record)
		return;
	bytes_add_number(&kept, RECORD_NAMESPACE);
	if (run_keep_namespace(run, record, &kept))
		append(run, &kept);
}

/* -- start and end ------------------------------------------------------------------------------
 */

static int add_timer(struct run *run)
{
	int r = sd_event_add_time(
		run->event, &run->state_timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_time, run);

	return r < 0 ? r : sd_event_source_set_enabled(run->state_timer, SD_EVENT_OFF);
}

static const char *why_not(int error)
{
	switch (error) {
	case -EBUSY:
		return "another process uses it";
	case -ELOOP:
		return "a symbolic link stands where others may put one";
	case -EPERM:
		return "others than we can write there";
	default:
		return strerror(-error);
	}
}

static size_t count_waiting(const struct run *run)
{
	size_t waiting = 0;

	for (unsigned i = 0; i < RUN_SINKS; i++)
		waiting += outbox_waiting(run->outbox, 1u << i);
	return waiting;
}

static void say_loaded(struct run *run, const struct loading *loading, size_t damaged)
{
	size_t waiting = count_waiting(run);

	if (damaged)
		run_say(run, JOURNAL_DELIVERY, LOG_WARNING,
			"The last %zu bytes of the state are torn or damaged, and left out.",
			damaged);
	if (loading->unread)
		run_say(run, JOURNAL_DELIVERY, LOG_WARNING,
			"%zu records of the state could not be taken in.", loading->unread);
	if (ledger_count(run->ledger) || waiting)
		run_say(run, JOURNAL_DELIVERY, LOG_INFO,
			"From before: %zu open findings, and %zu entries that wait for a sink.",
			ledger_count(run->ledger), waiting);
}

static int take_over(struct run *run, const struct bytes *content)
{
	struct loading loading = { .run = run };
	size_t damaged;
	int r = run_state_load(&loading, content, &damaged);

	if (r < 0) {
		free(loading.boot_id);
		state_file_close(TAKE_PTR(run->state));
		return r;
	}
	/* These were counted when it happened. */
	run->dropped_before = outbox_dropped(run->outbox);
	outbox_forget_sinks(run->outbox, ~run->outputs);
	say_loaded(run, &loading, damaged);
	shorten(run);
	if (loading.boot_id && run->node.boot_id && strcmp(loading.boot_id, run->node.boot_id) != 0)
		ledger_resolve_all(
			run_deliver, run, run->ledger, clock_us(CLOCK_REALTIME), RESOLVED_REBOOT);
	/* The policy may be another one than then. */
	run->policy_is_new = true;
	free(loading.boot_id);
	return 0;
}

int run_open_state(struct run *run)
{
	const char *given = policy_run(run->policy)->state;
	const char *folder = given ? given : RUN_STATE_FOLDER;
	_cleanup_(bytes_done) struct bytes content = { 0 };
	int r = state_file_open(folder, &run->state, &content);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		run_say(run, JOURNAL_DELIVERY, given ? LOG_WARNING : LOG_NOTICE,
			"A restart will forget what is open and undelivered: %s: %s.", folder,
			why_not(r));
		return 0;
	}
	r = add_timer(run);
	return r < 0 ? r : take_over(run, &content);
}

void run_close_state(struct run *run)
{
	int r = run->state ? rewrite(run, true) : -ENOENT;

	/* Whoever takes no findings is told nothing else either. */
	if (r < 0 && run->outbox && count_waiting(run)) {
		run->outputs = 0;
		run_say(run, JOURNAL_DELIVERY, LOG_ERR,
			"%zu entries were not delivered, and cannot be kept: %s.",
			count_waiting(run), strerror(-r));
	}
	run_forget_namespaces(run);
	state_file_close(TAKE_PTR(run->state));
	run->state_timer = sd_event_source_disable_unref(run->state_timer);
}
