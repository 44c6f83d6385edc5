/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Delivers what the outbox holds, in order, to each sink as it takes it, without waiting for any of
 * them; and tries again later with those that do not.
 */
#include "run.h"

#include "undelivered.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#define RETRY_MIN_US 10000u
#define RETRY_MAX_US 5000000u
#define STUCK_US     3000000u /* a burst fills journald's socket for a moment */
#define TURN_ITEMS   256u     /* then others have their turn */

static const char *const words[RUN_SINKS] = { "The journal", "Standard output" };

static void try_later(struct run *run, unsigned sink, uint64_t delay_us)
{
	struct sink *s = &run->sinks[sink];

	s->resting = true;
	(void)sd_event_source_set_time(s->timer, clock_us(CLOCK_MONOTONIC) + delay_us);
	(void)sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

static void note_failure(struct run *run, unsigned sink, int error)
{
	struct sink *s = &run->sinks[sink];
	uint64_t now = clock_us(CLOCK_MONOTONIC);

	if (!s->delay_us)
		s->since_us = now;
	s->delay_us = s->delay_us ? 2 * s->delay_us : RETRY_MIN_US;
	if (s->delay_us > RETRY_MAX_US)
		s->delay_us = RETRY_MAX_US;
	try_later(run, sink, s->delay_us);
	if (error == -EAGAIN && now - s->since_us < STUCK_US)
		return;
	s->failures++;
	if (s->failing)
		return;
	s->failing = true;
	run_say(run, JOURNAL_DELIVERY, LOG_ERR, "%s does not take findings, which wait for it: %s.",
		words[sink], strerror(-error));
}

static void note_success(struct run *run, unsigned sink, uint64_t number)
{
	struct sink *s = &run->sinks[sink];

	outbox_settle(run->outbox, number, 1u << sink);
	run_keep_settled(run, number, 1u << sink);
	s->delay_us = 0;
	if (!s->failing || outbox_waiting(run->outbox, 1u << sink))
		return;
	s->failing = false;
	run_say(run, JOURNAL_DELIVERY, LOG_NOTICE, "%s has taken all that waited for it.",
		words[sink]);
}

static bool lives(const struct run *run, const struct finding *finding)
{
	const struct task *task = snapshot_find(&run->audit.snapshot, finding->process.pid);

	return finding->state != FINDING_RESOLVED && task &&
	       task->start_ticks == finding->process.start_ticks;
}

static int send_finding(struct run *run, unsigned sink, const struct report_context *context,
	const struct finding *finding, bool fresh)
{
	_cleanup_free_ char *json = NULL;

	if (sink == RUN_SINK_JOURNAL)
		return journal_send_finding(
			run->journal, context, finding, fresh && lives(run, finding));
	if (!run->out)
		return -EBADF;
	json = finding_to_json(context, finding);
	return json ? line_stream_put(run->out, json) : -ENOMEM;
}

/* 0; 1: taken, but a part of it is still to be written; -errno. */
static int send_item(struct run *run, unsigned sink, const struct outbox_item *item)
{
	struct report_context context = run->context;
	struct undelivered undelivered;
	int r = undelivered_decode(item->data, item->length, &undelivered);

	if (r < 0)
		return r;
	if (undelivered.is_finding) {
		context.boot_id = undelivered.boot_id;
		context.engine = undelivered.engine;
		r = send_finding(run, sink, &context, &undelivered.finding, false);
	} else if (sink == RUN_SINK_JOURNAL) {
		r = journal_send_message(run->journal, undelivered.message, undelivered.priority,
			"%s", undelivered.text);
	} else {
		r = -EBADMSG; /* the state file was not ours: messages are the journal's alone */
	}
	undelivered_done(&undelivered);
	return r;
}

/* Until it can be written to; what cannot be polled is asked again. */
static void wait_for_reader(struct run *run)
{
	run->sinks[RUN_SINK_STDOUT].resting = true;
	if (run->stdout_source)
		(void)sd_event_source_set_enabled(run->stdout_source, SD_EVENT_ON);
	else
		try_later(run, RUN_SINK_STDOUT, RETRY_MIN_US);
}

/* What to do with the answer to item `number`. */
static void take_answer(struct run *run, unsigned sink, uint64_t number, int r)
{
	if (r > 0)
		run->begun_number = number;
	if (r > 0 || (r == -EAGAIN && sink == RUN_SINK_STDOUT))
		wait_for_reader(run);
	/* What cannot be read any more would stand in the way of all that follows. */
	else if (r < 0 && r != -EBADMSG)
		note_failure(run, sink, r);
	else
		note_success(run, sink, number);
}

/* The rest of a line that was begun. */
static void finish_line(struct run *run)
{
	ssize_t waiting = line_stream_flush(run->out);

	if (waiting > 0)
		wait_for_reader(run);
	else if (waiting < 0)
		note_failure(run, RUN_SINK_STDOUT, (int)waiting);
	else
		note_success(run, RUN_SINK_STDOUT, run->begun_number);
}

/* `fresh`, where not NULL, is the finding of item `number`, which need not be read again. */
static void flush_sink(struct run *run, unsigned sink, const struct finding *fresh, uint64_t number)
{
	for (unsigned sent = 0; !run->sinks[sink].resting; sent++) {
		const struct outbox_item *item = outbox_first(run->outbox, 1u << sink);

		if (sink == RUN_SINK_STDOUT && run->out && line_stream_waits(run->out)) {
			finish_line(run);
		} else if (!item) {
			break;
		} else if (sent == TURN_ITEMS) {
			try_later(run, sink, 0);
		} else {
			uint64_t this = item->number;
			int r = fresh && this == number
					? send_finding(run, sink, &run->context, fresh, true)
					: send_item(run, sink, item);

			take_answer(run, sink, this, r);
		}
	}
}

/* There is no memory for it to wait in: it may be taken at once all the same. Whether all took it.
 */
static bool send_at_once(struct run *run, unsigned sinks, const struct finding *fresh)
{
	bool taken = fresh != NULL;

	for (unsigned sink = 0; fresh && sink < RUN_SINKS; sink++) {
		int r = -EAGAIN;

		if (!(sinks & 1u << sink))
			continue;
		if (!run->sinks[sink].resting && !outbox_first(run->outbox, 1u << sink)) {
			r = send_finding(run, sink, &run->context, fresh, true);
			take_answer(run, sink, 0, r);
		}
		taken &= r >= 0;
	}
	return taken;
}

bool run_send(struct run *run, unsigned sinks, enum severity severity, const struct bytes *bytes,
	const struct finding *fresh)
{
	uint64_t number = 0;
	bool fine = true;
	int r = bytes->failed ? -ENOMEM
			      : outbox_put(run->outbox, sinks, severity, bytes->data, bytes->length,
					&number);

	/* What is not kept was told all the same, or is counted. */
	if (number || bytes->failed)
		run_keep_transition(run, number, r == 0 ? sinks : 0, severity, bytes, fresh);
	if (r == -ENOMEM) {
		fine = send_at_once(run, sinks, fresh);
		if (!fine && fresh)
			outbox_count_dropped(run->outbox);
		return fine;
	}
	for (unsigned sink = 0; sink < RUN_SINKS; sink++) {
		if (!(sinks & 1u << sink))
			continue;
		flush_sink(run, sink, fresh, number);
		fine &= !run->sinks[sink].failing;
	}
	return fine;
}

int run_on_stdout_writable(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct run *run = data;

	(void)fd;
	(void)events;
	(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	run->sinks[RUN_SINK_STDOUT].resting = false;
	flush_sink(run, RUN_SINK_STDOUT, NULL, 0);
	return 0;
}

static int on_time(sd_event_source *source, uint64_t now, void *data)
{
	struct sink *s = data;

	(void)source;
	(void)now;
	s->resting = false;
	flush_sink(s->run, (unsigned)(s - s->run->sinks), NULL, 0);
	return 0;
}

int run_open_delivery(struct run *run)
{
	for (unsigned i = 0; i < RUN_SINKS; i++) {
		struct sink *s = &run->sinks[i];
		int r;

		if (s->timer)
			continue;
		s->run = run;
		r = sd_event_add_time(
			run->event, &s->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_time, s);
		if (r >= 0)
			r = sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
		if (r < 0)
			return r;
	}
	return 0;
}

uint64_t run_dropped(const struct run *run)
{
	return outbox_dropped(run->outbox) - run->dropped_before;
}

void run_flush_outputs(struct run *run)
{
	for (unsigned i = 0; i < RUN_SINKS; i++) {
		run->sinks[i].resting = false;
		flush_sink(run, i, NULL, 0);
	}
}

void run_close_delivery(struct run *run)
{
	for (unsigned i = 0; i < RUN_SINKS; i++)
		run->sinks[i].timer = sd_event_source_disable_unref(run->sinks[i].timer);
}
