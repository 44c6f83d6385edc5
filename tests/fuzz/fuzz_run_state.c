/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state file, whatever is in it: taken as it is, and once more with the checksums of its
 * records put right, since nobody would guess these. What is loaded keeps the bounds of ledger,
 * outbox and namespaces, comes back the same when it is saved, and can be delivered and ended.
 */
#include "check.h"
#include "told.h"

#include "../../daemon/command/run_state.h"
#include "../../daemon/command/undelivered.h"

#include <capauditd/finding_code.h>

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTBOX_SIZE_MAX 8192u /* small, so that things are dropped */

/* -- a daemon -- */

static void begin(struct run *run, struct loading *loading, const struct bytes *content)
{
	size_t damaged = SIZE_MAX;

	*run = (struct run){ .outputs = OUTPUT_STDOUT, .context = told_context };
	*loading = (struct loading){ .run = run };
	run->ledger = ledger_new(1);
	run->outbox = outbox_new(OUTBOX_SIZE_MAX);
	CHECK(run->ledger && run->outbox);
	CHECK(run_state_load(loading, content, &damaged) == 0);
	CHECK(damaged <= content->length);
}

static void end(struct run *run, struct loading *loading)
{
	free(loading->boot_id);
	run_forget_namespaces(run);
	run_close_outputs(run);
	ledger_free(run->ledger);
}

/* -- what holds of what was loaded -- */

static void check_ledger(const struct ledger *ledger)
{
	const void *position = NULL;
	size_t count = 0;
	const char *id;

	while ((id = ledger_next_id(ledger, &position))) {
		const struct finding *finding = ledger_get(ledger, id);

		CHECK(finding && strlen(id) == FINDING_ID_SIZE - 1);
		CHECK(finding->state == FINDING_OPENED);
		CHECK(finding->resolved_reason == RESOLVED_NOT);
		CHECK(finding->container.id[0] && finding->container.runtime);
		count += ledger_has(ledger, id);
	}
	CHECK(count == ledger_count(ledger));
}

static void check_outbox(const struct outbox *outbox)
{
	const struct outbox_item *item = NULL;
	size_t count = 0, waiting = 0;
	uint64_t last = 0;

	while ((item = outbox_next(outbox, item))) {
		struct undelivered undelivered;
		int r = undelivered_decode(item->data, item->length, &undelivered);

		CHECK(r == 0 || r == -EBADMSG);
		if (r == 0)
			undelivered_done(&undelivered);
		CHECK(item->number > last && item->sinks && !(item->sinks >> OUTBOX_SINKS));
		CHECK(item->severity <= SEVERITY_CRITICAL);
		last = item->number;
		count++;
		waiting += (size_t)__builtin_popcount(item->sinks);
	}
	for (unsigned i = 0; i < OUTBOX_SINKS; i++)
		waiting -= outbox_waiting(outbox, 1u << i);
	CHECK(count == outbox_count(outbox) && waiting == 0 && last <= outbox_last(outbox));
	CHECK(outbox_size(outbox) <= OUTBOX_SIZE_MAX);
}

static void check_namespaces(const struct run *run)
{
	_cleanup_(bytes_done) struct bytes encoded = { 0 };
	const struct namespace_record *record;
	const void *position = NULL;

	while ((record = run_next_namespace(run, &position, &encoded))) {
		CHECK(record->name[0] && record->label_count <= RECORD_LABELS_MAX);
		for (size_t i = 1; i < record->label_count; i++)
			CHECK(strcmp(record->labels[i - 1].key, record->labels[i].key) < 0);
	}
}

/* -- saved, as the daemon does when it begins its file anew -- */

static void add(struct bytes *log, struct bytes *record)
{
	CHECK(!record->failed);
	if (record->length)
		record_add(log, record->data, record->length);
	record->length = 0;
}

static void save_ledger(const struct ledger *ledger, struct bytes *log, struct bytes *record)
{
	const void *position = NULL;
	const char *id;

	while ((id = ledger_next_id(ledger, &position))) {
		_cleanup_(bytes_done) struct bytes encoded = { 0 }, saved = { 0 };

		finding_encode(ledger_get(ledger, id), &encoded);
		ledger_save(ledger, id, &saved);
		bytes_add_number(record, RECORD_OPEN);
		bytes_add_block(record, encoded.data, encoded.length);
		bytes_add_block(record, saved.data, saved.length);
		add(log, record);
	}
}

static struct bytes save(const struct run *run, const struct loading *loading)
{
	_cleanup_(bytes_done) struct bytes record = { 0 };
	const struct outbox_item *item = NULL;
	const void *position = NULL;
	struct bytes log = { 0 };

	bytes_add_number(&record, RECORD_HEADER);
	bytes_add_number(&record, RUN_STATE_VERSION);
	bytes_add_text(&record, loading->boot_id ? loading->boot_id : "");
	add(&log, &record);
	save_ledger(run->ledger, &log, &record);
	while ((item = outbox_next(run->outbox, item))) {
		bytes_add_number(&record, RECORD_WAITING);
		bytes_add_number(&record, item->number);
		bytes_add_number(&record, item->sinks);
		bytes_add_number(&record, item->severity);
		bytes_add_block(&record, item->data, item->length);
		add(&log, &record);
	}
	bytes_add_number(&record, RECORD_NAMESPACE);
	while (run_next_namespace(run, &position, &record)) {
		add(&log, &record);
		bytes_add_number(&record, RECORD_NAMESPACE);
	}
	return log;
}

/* A number comes after all of those that were found, and is no trouble at the next start. */
static void check_goes_on(struct run *run, const struct loading *loading)
{
	const uint64_t last = outbox_last(run->outbox);
	struct loading next_loading;
	struct run next;
	struct bytes log;
	uint64_t number;

	CHECK(outbox_put(run->outbox, 1, SEVERITY_CRITICAL, "x", 1, &number) == 0);
	CHECK(number > last);
	log = save(run, loading);
	begin(&next, &next_loading, &log);
	CHECK(next_loading.unread == 0);
	CHECK(outbox_count(next.outbox) == outbox_count(run->outbox));
	end(&next, &next_loading);
	bytes_done(&log);
}

static void check_again(const struct run *run, const struct loading *loading)
{
	struct bytes once = save(run, loading), twice;
	struct loading again_loading;
	struct run again;

	begin(&again, &again_loading, &once);
	CHECK(again_loading.unread == 0);
	twice = save(&again, &again_loading);
	CHECK(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
	check_goes_on(&again, &again_loading);
	end(&again, &again_loading);
	bytes_done(&once);
	bytes_done(&twice);
}

/* -- delivered, and over -- */

/* Standard output, read back. */
static int output = -1;

static void check_output(void)
{
	struct stat st;
	char *text;

	CHECK(fstat(output, &st) == 0);
	text = malloc((size_t)st.st_size + 1);
	CHECK(text && pread(output, text, (size_t)st.st_size, 0) == st.st_size);
	check_lines(text, (size_t)st.st_size);
	free(text);
}

static void check_delivered(struct run *run)
{
	static sd_event *event;

	if (!event) {
		CHECK(sd_event_new(&event) >= 0);
		output = memfd_create("output", MFD_CLOEXEC);
		CHECK(output >= 0);
	}
	run->event = event;
	CHECK(ftruncate(output, 0) == 0 && lseek(output, 0, SEEK_SET) == 0);
	CHECK(line_stream_new(output, &run->out) == 0);
	CHECK(run_open_delivery(run) == 0);
	outbox_forget_sinks(run->outbox, ~run->outputs);
	while (outbox_count(run->outbox))
		run_flush_outputs(run);
	check_output();
}

static void ignore(void *data, const struct finding *finding)
{
	(void)data;
	(void)finding;
}

static void check_over(struct ledger *ledger)
{
	const void *position = NULL;

	ledger_begin(ledger, 1);
	ledger_end(ignore, NULL, ledger, true);
	CHECK(ledger_count(ledger) == 0 && !ledger_next_id(ledger, &position));
}

static void try(const struct bytes *content)
{
	struct loading loading;
	struct run run;

	begin(&run, &loading, content);
	check_ledger(run.ledger);
	check_outbox(run.outbox);
	check_namespaces(&run);
	check_again(&run, &loading);
	check_delivered(&run);
	check_over(run.ledger);
	end(&run, &loading);
}

/* Gives each record the checksum that it should have. */
static void put_right(struct bytes *content)
{
	for (size_t at = 0; content->length - at >= RECORD_OVERHEAD;) {
		_cleanup_(bytes_done) struct bytes record = { 0 };
		uint8_t *head = content->data + at;
		size_t length = 0;

		for (unsigned i = 0; i < 4; i++)
			length |= (size_t)head[i] << 8 * i;
		at += RECORD_OVERHEAD;
		if (!length || length > content->length - at)
			return;
		record_add(&record, head + RECORD_OVERHEAD, length);
		CHECK(!record.failed);
		memcpy(head, record.data, RECORD_OVERHEAD);
		at += length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes content = { 0 };

	bytes_add(&content, data, size);
	CHECK(!content.failed);
	try(&content);
	put_right(&content);
	try(&content);
	bytes_done(&content);
	return 0;
}
