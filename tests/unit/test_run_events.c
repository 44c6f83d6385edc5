/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events between passes: the engine is made up, the loop is the daemon's own.
 */
// wrap: run_schedule run_say audit_event
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/command/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static unsigned scheduled, said, judged;
static uint64_t scheduled_us;
static char sentence[256];
static int judge_error;
static bool judge_forgets;

void __wrap_run_schedule(struct run *run, uint64_t delay_us);
void __wrap_run_schedule(struct run *run, uint64_t delay_us)
{
	(void)run;
	scheduled++;
	scheduled_us = delay_us;
}

void __wrap_run_say(struct run *run, enum journal_message id, int priority, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void __wrap_run_say(struct run *run, enum journal_message id, int priority, const char *format, ...)
{
	va_list arguments;

	(void)run;
	(void)priority;
	assert_int_equal(id, JOURNAL_COVERAGE_LOST);
	said++;
	va_start(arguments, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
}

int __wrap_audit_event(struct audit *audit, struct exec_event *event);
int __wrap_audit_event(struct audit *audit, struct exec_event *event)
{
	struct run *run = (struct run *)((char *)audit - offsetof(struct run, audit));

	(void)event;
	judged++;
	run->forgets |= judge_forgets;
	return judge_error;
}

/* ---- an engine: a number of programs, and cgroups by their paths ---- */

struct made_engine {
	struct engine engine;
	int fd, fd_error;
	unsigned programs, reads;
	const char *path;
	bool made;
	uint64_t wait_us; /* what one that is judged waits for */
	struct run *run;
	struct event_counts counts;
};

static int made_fd(struct engine *base)
{
	struct made_engine *engine = (struct made_engine *)base;

	return engine->fd_error ? engine->fd_error : engine->fd;
}

static int made_read(struct engine *base, const struct event_handler *handler)
{
	struct made_engine *engine = (struct made_engine *)base;
	struct exec_event event = { 0 };
	uint64_t value;

	engine->reads++;
	(void)!read(engine->fd, &value, sizeof(value));
	for (; engine->programs; engine->programs--)
		handler->exec(handler->data, &event);
	if (engine->wait_us)
		engine->run->wait_us = engine->wait_us;
	if (engine->path)
		handler->cgroup(handler->data, engine->path, engine->made);
	return 0;
}

static void made_count(const struct engine *base, struct event_counts *ret)
{
	*ret = ((const struct made_engine *)base)->counts;
}

static const struct engine_ops ops = {
	.event_fd = made_fd, .read_events = made_read, .count_events = made_count
};
static const struct engine_ops silent_ops = { 0 };

struct fixture {
	struct run run;
	struct made_engine engine;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	scheduled = said = judged = 0;
	judge_error = 0;
	judge_forgets = false;
	if (!f)
		return -1;
	f->engine.engine.ops = &ops;
	f->engine.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->engine.run = &f->run;
	f->run.audit.engine = &f->engine.engine;
	f->run.ledger = ledger_new(1);
	*state = f;
	return f->engine.fd >= 0 && f->run.ledger && sd_event_new(&f->run.event) >= 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	run_close_events(&f->run);
	(void)sd_event_unref(f->run.event);
	ledger_free(f->run.ledger);
	(void)close(f->engine.fd);
	free(f);
	return 0;
}

/* Something has come: the loop turns until there is nothing to do. */
static void turn(struct fixture *f)
{
	const uint64_t one = 1;

	assert_int_equal(write(f->engine.fd, &one, sizeof(one)), sizeof(one));
	while (sd_event_run(f->run.event, 0) > 0)
		;
}

static void listen(struct fixture *f)
{
	assert_int_equal(run_open_events(&f->run), 0);
	run_hear_events(&f->run);
}

static void what_comes_before_the_first_pass_waits_for_it(void **state)
{
	struct fixture *f = *state;

	f->engine.programs = 3;
	assert_int_equal(run_open_events(&f->run), 0);
	assert_non_null(f->run.events_source);
	turn(f);
	assert_int_equal(f->engine.reads, 0);
	run_hear_events(&f->run);
	while (sd_event_run(f->run.event, 0) > 0)
		;
	assert_int_equal(f->engine.reads, 1);
	assert_int_equal(judged, 3);
	assert_int_equal(scheduled, 0); /* a program alone is no reason for a pass */
	run_close_events(&f->run);
	f->engine.programs = 1;
	turn(f);
	assert_int_equal(judged, 3);
}

static void an_engine_without_events_is_no_error(void **state)
{
	struct fixture *f = *state;

	f->engine.engine.ops = &silent_ops;
	assert_int_equal(run_open_events(&f->run), 0);
	assert_null(f->run.events_source);
	run_hear_events(&f->run);
	f->engine.engine.ops = &ops;
	f->engine.fd_error = -EIO;
	assert_int_equal(run_open_events(&f->run), -EIO);
}

static void losses_set_a_pass_off_and_are_said_once_for_it(void **state)
{
	struct fixture *f = *state;

	listen(f);
	f->engine.counts.lost = 3;
	turn(f);
	assert_int_equal(scheduled, 1);
	f->engine.counts.lost = 7;
	turn(f);
	turn(f); /* nothing more is lost */
	assert_int_equal(scheduled, 2);
	assert_int_equal(said, 0);
	run_say_losses(&f->run);
	run_say_losses(&f->run);
	assert_int_equal(said, 1);
	assert_string_equal(
		sentence, "7 events were lost; a full pass has made up for what lives.");
	f->engine.counts.lost = 8;
	turn(f);
	run_say_losses(&f->run);
	assert_int_equal(said, 1); /* not so soon again */
	f->run.losses_said_us = 0; /* it was long ago */
	run_say_losses(&f->run);
	assert_int_equal(said, 2);
	assert_string_equal(
		sentence, "1 events were lost; a full pass has made up for what lives.");
}

static void what_could_not_be_judged_or_remembered_is_lost(void **state)
{
	struct fixture *f = *state;

	listen(f);
	f->engine.programs = 2;
	judge_error = -ENOMEM;
	turn(f);
	judge_error = 0;
	judge_forgets = true;
	f->engine.programs = 1;
	turn(f);
	judge_forgets = false;
	f->engine.programs = 5;
	turn(f);
	assert_int_equal(scheduled, 2);
	run_say_losses(&f->run);
	assert_string_equal(
		sentence, "3 events were lost; a full pass has made up for what lives.");
}

static void events_in_the_middle_of_a_pass_forget_nothing_of_it(void **state)
{
	struct fixture *f = *state;

	listen(f);
	f->run.forgets = true; /* in that pass memory was too scarce for something */
	f->engine.programs = 2;
	f->engine.counts.lost = 1;
	run_take_events(&f->run);
	assert_int_equal(judged, 2);
	assert_true(f->run.forgets);
	/* And what was lost is noticed, though no further event tells of it. */
	assert_int_equal(scheduled, 1);
	run_say_losses(&f->run);
	assert_string_equal(
		sentence, "1 events were lost; a full pass has made up for what lives.");
}

static void a_containers_cgroup_that_comes_or_goes_sets_a_pass_off(void **state)
{
	static const struct {
		const char *path;
		bool made;
		unsigned scheduled, rounds;
	} rows[] = {
		{ "/system.slice/docker-" ID ".scope", true, 1, 0 },
		{ "/system.slice/docker-" ID ".scope", false, 1, 5 },
		{ "/system.slice/sshd.service", true, 0, 5 },
		{ "", true, 0, 5 },
	};
	struct fixture *f = *state;

	listen(f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		scheduled = 0;
		f->run.starting_rounds = 5;
		f->engine.path = rows[i].path;
		f->engine.made = rows[i].made;
		turn(f);
		assert_int_equal(scheduled, rows[i].scheduled);
		assert_int_equal(f->run.starting_rounds, rows[i].rounds);
	}
}

static void a_finding_that_waits_for_a_name_sets_a_pass_off_when_it_has_waited(void **state)
{
	struct fixture *f = *state;

	listen(f);
	f->engine.wait_us = 1234567;
	turn(f);
	assert_int_equal(scheduled, 1);
	assert_int_equal(scheduled_us, 1234567);
	f->engine.wait_us = 0;
	turn(f);
	assert_int_equal(scheduled, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_comes_before_the_first_pass_waits_for_it),
		TEST(an_engine_without_events_is_no_error),
		TEST(losses_set_a_pass_off_and_are_said_once_for_it),
		TEST(what_could_not_be_judged_or_remembered_is_lost),
		TEST(events_in_the_middle_of_a_pass_forget_nothing_of_it),
		TEST(a_containers_cgroup_that_comes_or_goes_sets_a_pass_off),
		TEST(a_finding_that_waits_for_a_name_sets_a_pass_off_when_it_has_waited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
