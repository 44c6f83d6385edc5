/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One pass of the daemon: audit, remember, report; and when the next one comes.
 */
#include "run.h"

#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <syslog.h>

/* Passes that something sets off take at most about a tenth of the time. */
#define SPACING_FACTOR	 9u
#define SPACING_MIN_US	 100000u
#define STARTING_WAIT_US 250000u
#define CONFIRM_WAIT_US	 100000u
#define ROUNDS_MAX	 8u /* doubling: up to half a minute, then the interval alone */

void run_schedule(struct run *run, uint64_t delay_us)
{
	uint64_t now = clock_us(CLOCK_MONOTONIC), due = now + delay_us;
	uint64_t spacing = run->last_duration_us * SPACING_FACTOR;

	if (spacing < SPACING_MIN_US)
		spacing = SPACING_MIN_US;
	if (run->passed && delay_us && due < run->last_end_us + spacing)
		due = run->last_end_us + spacing;
	if (run->due_us > now && run->due_us <= due)
		return;
	run->due_us = due;
	(void)sd_event_source_set_time(run->timer, due);
	(void)sd_event_source_set_enabled(run->timer, SD_EVENT_ONESHOT);
}

static void report_coverage(struct run *run, const struct audit_result *result)
{
	char **reasons;
	size_t count;

	if (coverage_explain(&result->coverage, false, NULL, &reasons, &count) < 0)
		return;
	if (count && (run->complete || !run->passed))
		for (size_t i = 0; i < count; i++)
			run_say(run, JOURNAL_COVERAGE_LOST, LOG_WARNING,
				"What was seen is not everything: %s.", reasons[i]);
	else if (!count && run->passed && !run->complete)
		run_say(run, JOURNAL_COVERAGE_BACK, LOG_NOTICE, "Everything is seen again.");
	run->complete = count == 0;
	strings_free(reasons);
}

static void say_source(void *data, const char *sentence)
{
	run_say(data, JOURNAL_SOURCE, LOG_WARNING, "%s", sentence);
}

/* A name, and the labels that decide over the profile, may come a moment later: posture can wait
 * for them, drift cannot. What is reported stays so, and waits for nothing. */
#define NAME_WAIT_US 2000000u

/* How much longer it waits; 0: it does not. */
static uint64_t find_wait(const struct run *run, const struct known_container *known,
	const struct finding *finding, uint64_t now_us)
{
	const struct container *container = &known->container;
	uint64_t age = now_us - known->first_seen_us, wait = 0;

	if (finding->class != CLASS_POSTURE || !container->in_pod ||
		ledger_has(run->ledger, finding->id))
		return 0;
	if (finding->provisional)
		wait = AUDIT_API_GRACE_US;
	else if (!container->name && container->type != CONTAINER_SANDBOX)
		wait = NAME_WAIT_US;
	return age < wait ? wait - age : 0;
}

static void remember_one(struct run *run, const struct known_container *known,
	const struct audit_result *result, struct observation *o)
{
	uint64_t wait = find_wait(run, known, &o->finding, result->begin_us);
	int r;

	if (wait && wait < run->wait_us)
		run->wait_us = wait;
	if (result->event && !result->seen)
		r = ledger_event(run_deliver, run, run->ledger, o, wait > 0);
	else if (wait)
		r = ledger_hold(run->ledger, o);
	else
		r = ledger_observe(run_deliver, run, run->ledger, o);
	if (r == -ENOMEM)
		run->forgets = true;
}

/* Those that have a finding of their own id, or all that have not been taken yet. */
static void remember_those(
	struct run *run, const struct audit_result *result, struct audited *audited, bool known)
{
	for (size_t i = 0; i < audited->observation_count; i++) {
		struct observation *o = &audited->observations[i];
		bool is_taken = !o->members;

		if (!is_taken && (!known || ledger_knows(run->ledger, o->finding.id)))
			remember_one(run, audited->known, result, o);
	}
}

/* What it said before a restart holds until it says something. */
static void trust_the_api(struct run *run, struct known_container *known)
{
	struct judge_input input = { 0 };

	if (!run->audit.cluster)
		return;
	audit_input(&run->audit, known, &input);
	if (input.api == API_PENDING)
		ledger_trust(run->ledger, known->container.id);
}

void run_remember(void *data, const struct audit_result *result, struct audited *audited)
{
	struct run *run = data;
	const char *id = audited->known->container.id;

	if (!result->event)
		ledger_see_container(run->ledger, id);
	remember_those(run, result, audited, true);
	/* What is permitted now must not take in what is not. */
	if (!result->event && (audited->news || run->policy_is_new))
		ledger_rejudge(run_still, run, run_deliver, run, run->ledger, id);
	remember_those(run, result, audited, false);
	trust_the_api(run, audited->known);
	run_keep_labels(run, audited->known->namespace_record);
	ledger_settle(run_deliver, run, run->ledger, id);
}

static void begin_remembering(struct run *run)
{
	run->wait_us = UINT64_MAX;
	run->forgets = false;
	ledger_begin(run->ledger, clock_us(CLOCK_REALTIME));
}

static void end_remembering(struct run *run)
{
	/* In this pass, or by events since the one before. */
	uint64_t dropped = ledger_dropped(run->ledger) - run->dropped;

	run->dropped += dropped;
	if (run->forgets)
		run_say(run, JOURNAL_COVERAGE_LOST, LOG_ERR,
			"A finding could not be remembered: %s.", strerror(ENOMEM));
	if (dropped)
		run_say(run, JOURNAL_COVERAGE_LOST, LOG_WARNING,
			"%" PRIu64 " findings are beyond what the ledger holds.", dropped);
}

void run_judge_again(struct run *run)
{
	struct audit_result result;
	int r;

	if (!run->passed)
		return;
	begin_remembering(run);
	r = audit_again(&run->audit, &result);
	if (r == -ECANCELED)
		return;
	if (r < 0) {
		run_say(run, JOURNAL_COVERAGE_LOST, LOG_ERR, "Judging failed: %s.", strerror(-r));
		return;
	}
	end_remembering(run);
	if (run->wait_us != UINT64_MAX)
		run_schedule(run, run->wait_us);
	audit_result_done(&result);
	run_status(run);
}

void run_status(struct run *run)
{
	size_t violations = 0, drift = 0;
	const void *position = NULL;
	const struct finding *f;

	while ((f = ledger_next(run->ledger, &position))) {
		violations += f->verdict == VERDICT_VIOLATION;
		drift += f->verdict == VERDICT_VIOLATION && f->class == CLASS_DRIFT;
	}
	(void)notify("STATUS=%zu violations open (%zu drift); %" PRIu64 " processes in %" PRIu64
		     " containers%s; last pass %" PRIu64 " ms",
		violations, drift, run->audit.snapshot.coverage.container_processes,
		run->audit.snapshot.coverage.containers,
		run->complete ? "" : "; not everything is seen", run->last_duration_us / 1000u);
}

/* What a pass soon can tell, and one in a moment perhaps not yet: how long until the next. */
static uint64_t next_round(unsigned *rounds, bool needed, uint64_t first_us, uint64_t delay_us)
{
	uint64_t wait;

	if (!needed)
		*rounds = 0;
	if (!needed || *rounds >= ROUNDS_MAX)
		return delay_us;
	wait = first_us << *rounds;
	++*rounds;
	return wait < delay_us ? wait : delay_us;
}

static void schedule_next(struct run *run, const struct audit_result *result)
{
	uint64_t delay = policy_run(run->policy)->interval_us;

	/* A container that is being set up is looked at again as soon as its program may run. */
	delay = next_round(
		&run->starting_rounds, result->coverage.starting, STARTING_WAIT_US, delay);
	/* Until then each program of there wakes us, however well it complies. */
	delay = next_round(&run->confirm_rounds,
		run->events_source && run->audit.snapshot.unconfirmed, CONFIRM_WAIT_US, delay);
	if ((result->unsettled || result->suspects) && delay > AUDIT_SETTLE_US)
		delay = AUDIT_SETTLE_US;
	if (run->wait_us < delay)
		delay = run->wait_us;
	run_schedule(run, delay);
}

void run_say_engine(struct run *run)
{
	const struct engine *engine = run->audit.engine;
	_cleanup_free_ char *notice = engine_take_notice(run->audit.engine);

	if (notice)
		run_say(run, JOURNAL_ENGINE, LOG_NOTICE, "Which engine: %s.", notice);
	if (run->context.engine == engine->name && run->engine_said)
		return;
	if (run->engine_said && run->events_source) { /* it fell back */
		run_close_events(run);
		(void)run_watch_cgroups(run);
	}
	run->context.engine = engine->name;
	run->engine_said = true;
	run_say(run, JOURNAL_ENGINE, LOG_INFO, "The %s engine looks at this node's tasks.",
		engine->name);
}

static void count_pass(struct run *run, const struct audit_result *result)
{
	struct run_counts *counts = &run->counts;

	counts->scans[strcmp(run->audit.engine->name, "bpf") == 0]++;
	histogram_add(&counts->scan_duration, run->last_duration_us);
	run->coverage = result->coverage;
	if (run->complete)
		counts->last_complete_us = clock_us(CLOCK_REALTIME);
}

void run_pass(struct run *run)
{
	struct audit_result result;
	uint64_t begin = clock_us(CLOCK_MONOTONIC);
	int r;

	begin_remembering(run);
	r = audit_pass(&run->audit, &result);
	run_say_engine(run);
	run->due_us = 0;
	run->last_end_us = clock_us(CLOCK_MONOTONIC);
	run->last_duration_us = run->last_end_us - begin;
	if (r == -ECANCELED)
		return; /* we are to end: the loop will say so */
	if (r < 0) {
		run->counts.scan_failures++;
		run_say(run, JOURNAL_COVERAGE_LOST, LOG_ERR, "A pass failed: %s.", strerror(-r));
		run_schedule(run, policy_run(run->policy)->interval_us);
		return;
	}
	report_coverage(run, &result);
	count_pass(run, &result);
	run_say_losses(run);
	registry_complain(run->audit.registry, say_source, run);
	/* A container that this pass has not seen any more may have had its last programs told. */
	run_take_events(run);
	/* What could not be taken in must not look as if it had ended. */
	ledger_end(run_deliver, run, run->ledger, run->complete && !run->forgets);
	end_remembering(run);
	run->policy_is_new = false;
	if (policy_day(result.started_us) != run->warned_day) {
		run->warned_day = policy_day(result.started_us);
		run_warn_of_expiry(run);
	}
	schedule_next(run, &result);
	audit_result_done(&result);
	if (!run->passed) {
		run->passed = true;
		run_hear_events(run);
		run_notify_ready(run);
	}
	run_status(run);
	release_memory(run->last_end_us, &run->trimmed_us);
}
