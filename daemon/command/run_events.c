/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an engine tells between passes: programs that begin are judged at once, cgroups that come
 * and go set a pass off, and what was lost is made up for by a pass.
 */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <time.h>

static void take_exec(void *data, struct exec_event *event)
{
	struct run *run = data;
	const bool forgot = run->forgets; /* the pass in the middle of which it is taken, if any */
	int r;

	run->forgets = false;
	r = audit_event(&run->audit, event);
	if (r < 0 || run->forgets)
		run->events_failed++; /* a pass makes up for it */
	run->forgets = forgot;
}

/* A container's process follows its cgroup in a moment. */
static void take_cgroup(void *data, const char *path, bool made)
{
	struct run *run = data;
	struct cgroup_identity identity;

	cgroup_parse_path(path, strlen(path), &run->base, &identity);
	if (identity.kind != CGROUP_CONTAINER)
		return;
	if (made)
		run->starting_rounds = run->confirm_rounds = 0;
	run_schedule(run, RUN_NOTICE_DELAY_US);
}

static void make_up_for_losses(struct run *run)
{
	struct event_counts counts;
	uint64_t lost;

	engine_count_events(run->audit.engine, &counts);
	lost = counts.lost + run->events_failed;
	if (lost <= run->events_lost)
		return;
	run->lost_since_said += lost - run->events_lost;
	run->events_lost = lost;
	run_schedule(run, RUN_NOTICE_DELAY_US);
}

#define LOSSES_SAID_US 60000000u

/* Said at once, and then once a minute: a container that makes them for as long as it likes must
 * not fill the journal. */
void run_say_losses(struct run *run)
{
	uint64_t now = clock_us(CLOCK_MONOTONIC);

	if (!run->lost_since_said ||
		(run->losses_said_us && now - run->losses_said_us < LOSSES_SAID_US))
		return;
	run_say(run, JOURNAL_COVERAGE_LOST, LOG_WARNING,
		"%" PRIu64 " events were lost; a full pass has made up for what lives.",
		run->lost_since_said);
	run->lost_since_said = 0;
	run->losses_said_us = now;
}

void run_take_events(struct run *run)
{
	const struct event_handler handler = { take_exec, take_cgroup, run };

	if (run->events_source && sd_event_source_get_enabled(run->events_source, NULL) > 0)
		(void)engine_read_events(run->audit.engine, &handler);
	make_up_for_losses(run);
}

static int on_events(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct run *run = data;

	(void)source;
	(void)fd;
	(void)events;
	ledger_resume(run->ledger, clock_us(CLOCK_REALTIME));
	run->wait_us = UINT64_MAX;
	run_take_events(run);
	if (run->wait_us != UINT64_MAX)
		run_schedule(run, run->wait_us);
	return 0;
}

/* Until the first pass is done the events wait: who was there before is to be known before them. */
int run_open_events(struct run *run)
{
	int fd = engine_event_fd(run->audit.engine), r;

	if (fd < 0)
		return fd == -ENOTSUP ? 0 : fd;
	r = sd_event_add_io(run->event, &run->events_source, fd, EPOLLIN, on_events, run);
	if (r >= 0)
		r = sd_event_source_set_enabled(run->events_source, SD_EVENT_OFF);
	/* What is to end the daemon, or to set its policy, goes first. */
	if (r >= 0)
		r = sd_event_source_set_priority(run->events_source, SD_EVENT_PRIORITY_NORMAL + 10);
	return r < 0 ? r : 0;
}

void run_hear_events(struct run *run)
{
	if (run->events_source)
		(void)sd_event_source_set_enabled(run->events_source, SD_EVENT_ON);
}

void run_close_events(struct run *run)
{
	run->events_source = sd_event_source_disable_unref(run->events_source);
}
