/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How often the service manager hears that the loop turns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/command/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TURNS_MAX 50

struct fixture {
	struct run run;
	int manager;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char path[64];

	if (!f)
		return -1;
	(void)snprintf(path, sizeof(path), "@capauditd-run-notify-%d", getpid());
	memcpy(address.sun_path + 1, path + 1, strlen(path) - 1);
	f->manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	*state = f;
	return bind(f->manager, (struct sockaddr *)&address,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) == 0 &&
			       setenv("NOTIFY_SOCKET", path, 1) == 0 &&
			       sd_event_new(&f->run.event) >= 0
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)sd_event_source_disable_unref(f->run.notify_timer);
	(void)sd_event_unref(f->run.event);
	(void)close(f->manager);
	free(f);
	return 0;
}

/* Turns the loop until there is nothing to do at once; takes down how often it was fed meanwhile.
 */
static int turn(struct fixture *f)
{
	char text[64];
	ssize_t n;
	int fed = 0;

	for (int turns = 0; sd_event_run(f->run.event, 0) > 0; turns++) {
		assert_true(turns < TURNS_MAX);
		while ((n = recv(f->manager, text, sizeof(text), 0)) > 0)
			fed += n == 10 && memcmp(text, "WATCHDOG=1", 10) == 0;
	}
	return fed;
}

/* A machine may have been up for a year when the daemon begins, or have slept for a week. */
static void what_was_not_fed_in_time_is_fed_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(setenv("WATCHDOG_USEC", "3000000", 1), 0);
	assert_int_equal(run_open_notify(&f->run), 0);
	assert_int_equal(turn(f), 1);
	assert_int_equal(turn(f), 0);
	assert_true(sd_event_source_set_time(f->run.notify_timer, 1000000) >= 0);
	assert_int_equal(turn(f), 1);
}

static void where_there_is_no_watchdog_the_loop_is_left_alone(void **state)
{
	struct fixture *f = *state;
	int enabled;

	assert_int_equal(run_open_notify(&f->run), 0);
	assert_int_equal(turn(f), 0);
	assert_true(sd_event_source_get_enabled(f->run.notify_timer, &enabled) >= 0);
	assert_int_equal(enabled, SD_EVENT_OFF);
}

/* That we are ready is tried again, a while after, until it is taken. */
static void what_is_owed_is_not_told_in_a_rush(void **state)
{
	struct fixture *f = *state;
	char text[64];
	uint64_t due;

	assert_int_equal(run_open_notify(&f->run), 0);
	assert_int_equal(turn(f), 0);
	/* Nobody reads: its socket is full. */
	for (int i = 0; i < 1000 && !f->run.owes_ready; i++)
		run_notify_ready(&f->run);
	assert_true(f->run.owes_ready);
	assert_true(sd_event_source_set_time(f->run.notify_timer, 1000000) >= 0);
	for (int turns = 0; sd_event_run(f->run.event, 0) > 0; turns++)
		assert_true(turns < TURNS_MAX);
	assert_true(f->run.owes_ready);
	while (recv(f->manager, text, sizeof(text), 0) > 0)
		;
	assert_true(sd_event_source_get_time(f->run.notify_timer, &due) >= 0);
	assert_true(due > 1000000);
	assert_true(sd_event_source_set_time(f->run.notify_timer, 0) >= 0);
	for (int turns = 0; sd_event_run(f->run.event, 0) > 0; turns++)
		assert_true(turns < TURNS_MAX);
	assert_false(f->run.owes_ready);
	assert_int_equal(recv(f->manager, text, sizeof(text), 0), 7);
	assert_memory_equal(text, "READY=1", 7);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_not_fed_in_time_is_fed_once),
		TEST(where_there_is_no_watchdog_the_loop_is_left_alone),
		TEST(what_is_owed_is_not_told_in_a_rush),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
