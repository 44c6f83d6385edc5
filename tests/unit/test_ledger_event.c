/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What events bring to the ledger between passes: each program that begins counts, what is held is
 * told when its container ends, and memory that runs out loses nothing.
 */
#include "../../daemon/core/ledger_internal.h"
#include "../support/fail_allocation.h"
#include "ledger_fixture.h"

#include <errno.h>

#define SYS_ADMIN CAPABILITY_BIT(21)
#define NET_ADMIN CAPABILITY_BIT(12)

static struct events told;

static struct ledger *new_ledger(void)
{
	struct ledger *ledger = ledger_new(RESOLVE_TIME);

	assert_non_null(ledger);
	memset(&told, 0, sizeof(told));
	return ledger;
}

static int take_event(struct ledger *ledger, const struct spec *spec, bool hold)
{
	struct observation observation = observe_spec(spec);
	int r = ledger_event(keep_event, &told, ledger, &observation, hold);

	ledger_settle(keep_event, &told, ledger, spec->container ? spec->container : "c1");
	release_observation(&observation);
	return r;
}

#define EVENT(ledger, ...) \
	assert_int_equal(take_event(ledger, &(struct spec){ __VA_ARGS__ }, false), 0)
#define HELD(ledger, ...) \
	assert_int_equal(take_event(ledger, &(struct spec){ __VA_ARGS__ }, true), 0)

static void pass(struct ledger *ledger, uint64_t now_us, const struct spec *specs, size_t count)
{
	ledger_begin(ledger, now_us);
	for (size_t i = 0; i < count; i++) {
		struct observation observation = observe_spec(&specs[i]);

		assert_int_equal(ledger_observe(keep_event, &told, ledger, &observation), 0);
		release_observation(&observation);
	}
	ledger_end(keep_event, &told, ledger, true);
}

static const struct finding *only(const struct ledger *ledger)
{
	const void *position = NULL;
	const struct finding *finding = ledger_next(ledger, &position);

	assert_non_null(finding);
	assert_null(ledger_next(ledger, &position));
	return finding;
}

static void an_event_opens_a_finding_at_once(void **state)
{
	struct ledger *ledger = new_ledger();

	(void)state;
	pass(ledger, SECOND, NULL, 0);
	ledger_resume(ledger, 5 * SECOND);
	EVENT(ledger, .effective = SYS_ADMIN, .first_pid = 7);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.at[0].state, FINDING_OPENED);
	assert_int_equal(told.at[0].time_us, 5 * SECOND);
	assert_int_equal(told.at[0].count, 1);
	assert_int_equal(told.at[0].pid, 7);
	assert_int_equal(only(ledger)->last_seen_us, 5 * SECOND);
	/* The next pass has its process, which counts once. */
	pass(ledger, 9 * SECOND, &(struct spec){ .effective = SYS_ADMIN, .first_pid = 7 }, 1);
	assert_int_equal(only(ledger)->count, 1);
	assert_int_equal(told.count, 1);
	ledger_free(ledger);
}

static void each_program_that_begins_counts(void **state)
{
	const struct spec seen = { .effective = SYS_ADMIN, .first_pid = 7 };
	struct ledger *ledger = new_ledger();

	(void)state;
	pass(ledger, SECOND, &seen, 1);
	assert_int_equal(only(ledger)->count, 1);
	ledger_resume(ledger, 2 * SECOND);
	for (unsigned i = 0; i < 3; i++)
		EVENT(ledger, .effective = SYS_ADMIN, .first_pid = 7); /* it calls execve() */
	assert_int_equal(only(ledger)->count, 4);
	EVENT(ledger, .effective = SYS_ADMIN, .first_pid = 8); /* of another process */
	assert_int_equal(only(ledger)->count, 5);
	EVENT(ledger, .effective = SYS_ADMIN, .first_pid = 7, .start = 3); /* its number again */
	assert_int_equal(only(ledger)->count, 6);
	pass(ledger, 3 * SECOND, &seen, 1);
	assert_int_equal(only(ledger)->count, 6);
	assert_int_equal(told.count, 1); /* counts are no change */
	ledger_free(ledger);
}

static void processes_count_once_in_whatever_order_their_events_come(void **state)
{
	struct ledger *ledger = new_ledger();
	uint64_t seed = 88172645463325252u;
	bool seen[600] = { false };
	size_t count = 0, again = 0;

	(void)state;
	pass(ledger, SECOND, NULL, 0);
	for (unsigned i = 0; i < 1500; i++) {
		pid_t pid;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		pid = (pid_t)((seed >> 11) % 600);
		again += seen[pid];
		count += !seen[pid];
		seen[pid] = true;
		EVENT(ledger, .effective = SYS_ADMIN, .first_pid = pid + 1);
		assert_int_equal(only(ledger)->count, count + again);
	}
	for (size_t i = 1; i < ledger->entries->membership.sorted; i++)
		assert_true(ledger->entries->membership.members[i - 1].pid <
			    ledger->entries->membership.members[i].pid);
	assert_int_equal(ledger->entries->membership.sorted, count);
	pass(ledger, 2 * SECOND, &(struct spec){ .effective = SYS_ADMIN, .processes = 600 }, 1);
	assert_int_equal(only(ledger)->count, 600 + again);
	ledger_free(ledger);
}

static void a_part_joins_the_whole(void **state)
{
	struct ledger *ledger = new_ledger();

	(void)state;
	pass(ledger, SECOND, &(struct spec){ .effective = SYS_ADMIN | NET_ADMIN }, 1);
	EVENT(ledger, .effective = NET_ADMIN, .first_pid = 9, .exe = "/bin/part");
	assert_int_equal(ledger_count(ledger), 1);
	assert_int_equal(only(ledger)->count, 2);
	assert_int_equal(only(ledger)->executable_count, 1);
	EVENT(ledger, .effective = NET_ADMIN, .first_pid = 9); /* once more */
	assert_int_equal(only(ledger)->count, 3);
	/* What is judged otherwise is a finding of its own. */
	EVENT(ledger, .effective = NET_ADMIN, .first_pid = 9, .severity = SEVERITY_CRITICAL);
	assert_int_equal(ledger_count(ledger), 2);
	ledger_free(ledger);
}

static void what_an_event_finds_worse_is_told_as_a_change(void **state)
{
	struct ledger *ledger = new_ledger();

	(void)state;
	pass(ledger, SECOND, &(struct spec){ .effective = SYS_ADMIN }, 1);
	EVENT(ledger, .effective = SYS_ADMIN, .severity = SEVERITY_CRITICAL, .first_pid = 2);
	assert_int_equal(told.count, 2);
	assert_int_equal(told.at[1].state, FINDING_CHANGED);
	assert_int_equal(told.at[1].severity, SEVERITY_CRITICAL);
	/* A weaker one after it changes nothing: it is the same pass's. */
	EVENT(ledger, .effective = SYS_ADMIN, .first_pid = 3);
	assert_int_equal(told.count, 2);
	ledger_free(ledger);
}

static void what_is_held_is_told_when_its_container_ends(void **state)
{
	struct ledger *ledger = new_ledger();

	(void)state;
	pass(ledger, SECOND, NULL, 0);
	HELD(ledger, .effective = SYS_ADMIN);
	HELD(ledger, .effective = SYS_ADMIN);
	assert_int_equal(told.count, 0);
	assert_int_equal(ledger_count(ledger), 0);
	pass(ledger, 2 * SECOND, NULL, 0);
	assert_int_equal(told.count, 2);
	assert_int_equal(told.at[0].state, FINDING_OPENED);
	assert_int_equal(told.at[0].count, 2);
	assert_int_equal(told.at[1].state, FINDING_RESOLVED);
	assert_int_equal(told.at[1].reason, RESOLVED_EXITED);
	ledger_free(ledger);
}

static void what_is_held_is_told_when_nobody_will_be_there_later(void **state)
{
	struct ledger *ledger = new_ledger();

	(void)state;
	pass(ledger, SECOND, NULL, 0);
	HELD(ledger, .effective = SYS_ADMIN, .first_pid = 7);
	assert_int_equal(told.count, 0);
	ledger_tell_held(keep_event, &told, ledger);
	ledger_tell_held(keep_event, &told, ledger);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.at[0].state, FINDING_OPENED);
	ledger_free(ledger);
}

static void what_is_held_is_told_when_it_need_not_wait_any_more(void **state)
{
	struct ledger *ledger = new_ledger();

	(void)state;
	pass(ledger, SECOND, NULL, 0);
	HELD(ledger, .effective = SYS_ADMIN);
	EVENT(ledger, .effective = SYS_ADMIN, .first_pid = 2, .pod = "cart");
	assert_int_equal(told.count, 1);
	assert_int_equal(told.at[0].state, FINDING_OPENED);
	assert_int_equal(told.at[0].count, 2);
	assert_string_equal(told.at[0].pod, "cart");
	HELD(ledger, .effective = SYS_ADMIN); /* what was told stays so */
	assert_int_equal(ledger_count(ledger), 1);
	ledger_free(ledger);
}

static void an_events_container_has_ended_where_the_next_pass_does_not_see_it(void **state)
{
	struct ledger *ledger = new_ledger();

	(void)state;
	pass(ledger, SECOND, NULL, 0);
	EVENT(ledger, .container = "short", .effective = SYS_ADMIN);
	ledger_begin(ledger, 2 * SECOND);
	ledger_end(keep_event, &told, ledger, false); /* it may only not have been seen */
	assert_int_equal(told.count, 1);
	ledger_begin(ledger, 3 * SECOND);
	ledger_see_container(ledger, "short");
	ledger_end(keep_event, &told, ledger, true);
	assert_int_equal(told.count, 1);
	pass(ledger, 4 * SECOND, NULL, 0);
	assert_int_equal(told.count, 2);
	assert_int_equal(told.at[1].reason, RESOLVED_EXITED);
	ledger_free(ledger);
}

static void what_exceeds_a_containers_share_is_counted_as_dropped(void **state)
{
	struct ledger *ledger = new_ledger();

	(void)state;
	pass(ledger, SECOND, NULL, 0);
	for (unsigned i = 0; i <= LEDGER_CONTAINER_FINDINGS_MAX; i++) {
		const struct spec spec = { .effective = (uint64_t)i << 20 | ~i % 0x100000 };
		int r = take_event(ledger, &spec, i % 2);

		assert_int_equal(r, i < LEDGER_CONTAINER_FINDINGS_MAX ? 0 : -ENOSPC);
	}
	assert_int_equal(ledger_dropped(ledger), 1);
	ledger_free(ledger);
}

#define STEPS 5u

/* Opens, counts again, joins, holds, while the n-th allocation of one step fails. True where it was
 * reached. */
static bool play(struct ledger *ledger, size_t step, unsigned long n)
{
	static const struct spec specs[STEPS] = {
		{ .effective = SYS_ADMIN | NET_ADMIN, .exe = "/bin/a" },
		{ .effective = SYS_ADMIN | NET_ADMIN },
		{ .effective = NET_ADMIN, .first_pid = 9, .processes = 20, .exe = "/bin/b" },
		{ .container = "c2", .effective = NET_ADMIN },
		{ .container = "c2", .effective = NET_ADMIN, .severity = SEVERITY_CRITICAL },
	};
	bool failed = false;

	pass(ledger, SECOND, NULL, 0);
	for (size_t i = 0; i < STEPS; i++) {
		const struct spec *spec = &specs[i];
		struct observation observation = observe_spec(spec);
		bool fired;
		int r;

		fail_allocation_at(i == step ? n : 0);
		r = ledger_event(keep_event, &told, ledger, &observation, i >= 3);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		assert_int_equal(r, fired ? -ENOMEM : 0);
		failed |= fired;
		if (fired) {
			assert_non_null(observation.members);
			assert_int_equal(
				ledger_event(keep_event, &told, ledger, &observation, i >= 3), 0);
		}
		ledger_settle(keep_event, &told, ledger, spec->container ? spec->container : "c1");
		release_observation(&observation);
	}
	pass(ledger, 2 * SECOND, NULL, 0);
	return failed;
}

static void out_of_memory_loses_nothing_that_is_tried_again(void **state)
{
	static struct events expected;
	struct ledger *ledger = new_ledger();

	(void)state;
	assert_false(play(ledger, 0, 0));
	assert_int_equal(ledger_count(ledger), 0);
	ledger_free(ledger);
	expected = told;
	for (size_t step = 0; step < STEPS; step++) {
		bool failed = true;

		for (unsigned long n = 1; failed; n++) {
			ledger = new_ledger();
			failed = play(ledger, step, n);
			ledger_free(ledger);
			assert_int_equal(told.count, expected.count);
			assert_memory_equal(told.at, expected.at, sizeof(told.at[0]) * told.count);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_opens_a_finding_at_once),
		cmocka_unit_test(each_program_that_begins_counts),
		cmocka_unit_test(processes_count_once_in_whatever_order_their_events_come),
		cmocka_unit_test(a_part_joins_the_whole),
		cmocka_unit_test(what_an_event_finds_worse_is_told_as_a_change),
		cmocka_unit_test(what_is_held_is_told_when_its_container_ends),
		cmocka_unit_test(what_is_held_is_told_when_nobody_will_be_there_later),
		cmocka_unit_test(what_is_held_is_told_when_it_need_not_wait_any_more),
		cmocka_unit_test(an_events_container_has_ended_where_the_next_pass_does_not_see_it),
		cmocka_unit_test(what_exceeds_a_containers_share_is_counted_as_dropped),
		cmocka_unit_test(out_of_memory_loses_nothing_that_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
