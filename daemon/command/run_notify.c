/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the service manager is told: that the daemon is ready, that the loop turns, how things
 * stand. Of what it does not take at once only that we are ready is owed to it: it waits for that.
 */
#include "run.h"

#include "notify.h"

#include <errno.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define OWED_AGAIN_US 200000u

/* From now on, and not from when it was due: that was the beginning of the clock at first, and may
 * be long ago where the machine slept. What was missed is not to be made up for. */
static int on_time(sd_event_source *source, uint64_t due, void *data)
{
	struct run *run = data;
	uint64_t next = run->watchdog_us;

	(void)due;
	if (run->watchdog_us)
		(void)notify("WATCHDOG=1");
	if (run->owes_ready)
		run_notify_ready(run);
	if (run->owes_ready)
		next = OWED_AGAIN_US;
	if (!next)
		return sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return sd_event_source_set_time(source, clock_us(CLOCK_MONOTONIC) + next);
}

int run_open_notify(struct run *run)
{
	uint64_t limit = 0;
	int r = sd_watchdog_enabled(false, &limit);

	run->watchdog_us = r > 0 ? limit / 3u : 0;
	r = sd_event_add_time(run->event, &run->notify_timer, CLOCK_MONOTONIC, 0,
		run->watchdog_us ? run->watchdog_us / 4u : OWED_AGAIN_US, on_time, run);
	if (r >= 0)
		r = sd_event_source_set_enabled(run->notify_timer, SD_EVENT_ON);
	return r < 0 ? r : 0;
}

void run_notify_ready(struct run *run)
{
	run->owes_ready = notify("READY=1") == -EAGAIN;
	if (run->owes_ready && run->notify_timer) {
		(void)sd_event_source_set_time(
			run->notify_timer, clock_us(CLOCK_MONOTONIC) + OWED_AGAIN_US);
		(void)sd_event_source_set_enabled(run->notify_timer, SD_EVENT_ON);
	}
}
