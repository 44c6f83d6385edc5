/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ledger over a restart: saved entry by entry, and restored into a new one.
 */
#include "ledger_fixture.h"

#include <capauditd/finding_code.h>

#include <errno.h>

#define SYS_ADMIN CAPABILITY_BIT(21)
#define NET_ADMIN CAPABILITY_BIT(12)

static struct events events;

static void pass(struct ledger *ledger, uint64_t now, const struct spec *specs, size_t count)
{
	events.count = 0;
	ledger_begin(ledger, now);
	for (size_t i = 0; i < count; i++) {
		struct observation o = observe_spec(&specs[i]);

		assert_int_equal(ledger_observe(keep_event, &events, ledger, &o), 0);
		release_observation(&o);
	}
}

static void end_pass(struct ledger *ledger)
{
	ledger_end(keep_event, &events, ledger, true);
}

/* A new one with what is kept of the old one, which is freed. */
static struct ledger *restart(struct ledger *old)
{
	struct ledger *new = ledger_new(RESOLVE_TIME);
	const void *position = NULL;
	const char *id;

	while ((id = ledger_next_id(old, &position))) {
		struct bytes saved = { 0 };
		struct finding copy;

		ledger_save(old, id, &saved);
		assert_false(saved.failed);
		assert_int_equal(finding_copy(ledger_get(old, id), &copy), 0);
		assert_int_equal(ledger_restore(new, &copy,
					 (struct byte_reader){ .at = saved.data,
						 .end = saved.data + saved.length }),
			0);
		bytes_done(&saved);
	}
	assert_int_equal(ledger_count(new), ledger_count(old));
	ledger_free(old);
	return new;
}

static uint64_t count_of(const struct ledger *ledger)
{
	const void *position = NULL;

	return ledger_next(ledger, &position)->count;
}

static void processes_that_were_counted_are_not_counted_again(void **state)
{
	static const unsigned sizes[] = { 1, LEDGER_SAVED_MEMBERS, 5 * LEDGER_SAVED_MEMBERS };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct ledger *ledger = ledger_new(RESOLVE_TIME);
		struct spec spec = { "c", .effective = SYS_ADMIN, .start = 100 };

		spec.processes = sizes[i];
		pass(ledger, SECOND, &spec, 1);
		end_pass(ledger);
		for (int again = 0; again < 2; again++) {
			ledger = restart(ledger);
			pass(ledger, 2 * SECOND, &spec, 1);
			end_pass(ledger);
			assert_int_equal(events.count, 0);
			assert_int_equal(count_of(ledger), sizes[i]);
		}
		/* whoever has come since is */
		struct spec later = { "c", .effective = SYS_ADMIN, .start = 200, .first_pid = 9 };
		pass(ledger, 3 * SECOND, &later, 1);
		end_pass(ledger);
		assert_int_equal(count_of(ledger), sizes[i] + 1);
		ledger_free(ledger);
	}
}

static void what_nobody_looked_at_was_not_unseen(void **state)
{
	const struct spec spec = { "c", .effective = SYS_ADMIN };
	struct ledger *ledger = ledger_new(RESOLVE_TIME);
	const uint64_t later = 10 * RESOLVE_TIME;

	(void)state;
	pass(ledger, SECOND, &spec, 1);
	end_pass(ledger);
	ledger = restart(ledger);
	pass(ledger, later, NULL, 0);
	ledger_see_container(ledger, "c");
	end_pass(ledger);
	assert_int_equal(events.count, 0);
	pass(ledger, later + RESOLVE_TIME, NULL, 0);
	ledger_see_container(ledger, "c");
	end_pass(ledger);
	assert_int_equal(events.count, 1);
	assert_int_equal(events.at[0].reason, RESOLVED_DROPPED);
	ledger_free(ledger);
}

static void what_is_held_stays_held(void **state)
{
	struct observation o = observe_spec(&(struct spec){ "c", .effective = SYS_ADMIN });
	struct ledger *ledger = ledger_new(RESOLVE_TIME);

	(void)state;
	ledger_begin(ledger, SECOND);
	assert_int_equal(ledger_hold(ledger, &o), 0);
	release_observation(&o);
	ledger = restart(ledger);
	assert_int_equal(ledger_count(ledger), 0);
	pass(ledger, SECOND, NULL, 0);
	end_pass(ledger);
	assert_int_equal(events.count, 2);
	assert_int_equal(events.at[0].state, FINDING_OPENED);
	assert_int_equal(events.at[1].reason, RESOLVED_EXITED);
	ledger_free(ledger);
}

static void what_is_said_provisionally_changes_nothing_of_what_was_known(void **state)
{
	const struct spec known = { "c", .effective = SYS_ADMIN, .profile = "restricted",
		.severity = SEVERITY_CRITICAL };
	const struct spec less = { "c", .effective = SYS_ADMIN, .provisional = true,
		.severity = SEVERITY_MEDIUM };
	struct ledger *ledger = ledger_new(RESOLVE_TIME);
	const void *position = NULL;

	(void)state;
	pass(ledger, SECOND, &known, 1);
	end_pass(ledger);
	ledger = restart(ledger);
	pass(ledger, 2 * SECOND, &less, 1);
	end_pass(ledger);
	assert_int_equal(events.count, 0);
	assert_string_equal(ledger_next(ledger, &position)->profile, "restricted");
	/* what is certain does */
	pass(ledger, 3 * SECOND, &(struct spec){ "c", .effective = SYS_ADMIN }, 1);
	end_pass(ledger);
	assert_int_equal(events.count, 1);
	assert_int_equal(events.at[0].state, FINDING_CHANGED);
	ledger_free(ledger);
}

static void what_cannot_be_judged_now_is_trusted_until_it_is_observed(void **state)
{
	const struct spec specs[] = {
		{ "c", .effective = SYS_ADMIN },
		{ "c", .effective = NET_ADMIN },
		{ "c", .effective = NET_ADMIN, .class = CLASS_DRIFT },
	};
	struct ledger *ledger = ledger_new(RESOLVE_TIME);
	uint64_t now = SECOND;

	(void)state;
	pass(ledger, now, specs, 3);
	end_pass(ledger);
	ledger = restart(ledger);
	/* the first is observed again, and then no more */
	pass(ledger, now, specs, 1);
	end_pass(ledger);
	for (int i = 0; i < 2; i++) {
		now += RESOLVE_TIME;
		pass(ledger, now, NULL, 0);
		ledger_see_container(ledger, "c");
		ledger_trust(ledger, "c");
		end_pass(ledger);
		assert_int_equal(events.count, i ? 0 : 2);
	}
	assert_int_equal(ledger_count(ledger), 1);
	pass(ledger, now + RESOLVE_TIME, NULL, 0);
	ledger_see_container(ledger, "c");
	end_pass(ledger);
	assert_int_equal(events.count, 1);
	ledger_free(ledger);
}

static void nonsense_is_refused_and_released(void **state)
{
	/* another word for telling; a process of two; a number without an end; too many; a pid that
	 * no kernel gives */
	static const uint8_t rows[][9] = { { 1 }, { 3 }, { 2, 0, 2, 1, 1, 1, 1 },
		{ 2, 0, 1, 1, 0x80, 0x80, 0x80, 0x80, 0x80 }, { 2, 0, 0xff, 0xff, 0xff, 1 },
		{ 2, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x08, 1 } };
	struct ledger *ledger = ledger_new(RESOLVE_TIME);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct observation o = observe_spec(&(struct spec){ "c", .effective = 1 });

		assert_int_equal(ledger_restore(ledger, &o.finding,
					 (struct byte_reader){
						 .at = rows[i], .end = rows[i] + sizeof(rows[i]) }),
			-EBADMSG);
		assert_null(o.finding.container.id);
		release_observation(&o);
	}
	assert_int_equal(ledger_count(ledger), 0);
	ledger_free(ledger);
}

/* What is kept of `id` in `from`, with a copy of its finding, into `to`. */
static int restore_one(struct ledger *to, const struct ledger *from, const char *id,
	void (*change)(struct finding *finding))
{
	struct bytes saved = { 0 };
	struct finding copy;
	int r;

	ledger_save(from, id, &saved);
	assert_false(saved.failed);
	assert_int_equal(finding_copy(ledger_get(from, id), &copy), 0);
	if (change)
		change(&copy);
	r = ledger_restore(to, &copy,
		(struct byte_reader){ .at = saved.data, .end = saved.data + saved.length });
	bytes_done(&saved);
	return r;
}

static void make_critical(struct finding *finding)
{
	finding->severity = SEVERITY_CRITICAL;
}

static void give_to_another_container(struct finding *finding)
{
	finding->container.id[0] = 'd';
}

/* A log has what was so at first, and what has changed since. */
static void of_two_records_of_a_finding_the_later_counts(void **state)
{
	const struct spec specs[] = { { "c", .effective = SYS_ADMIN, .processes = 3 } };
	struct ledger *ledger = ledger_new(RESOLVE_TIME), *new = ledger_new(RESOLVE_TIME);
	const void *position = NULL;
	const struct finding *finding;

	(void)state;
	pass(ledger, SECOND, specs, 1);
	end_pass(ledger);
	const char *id = ledger_next_id(ledger, &position);

	assert_int_equal(restore_one(new, ledger, id, NULL), 0);
	assert_int_equal(restore_one(new, ledger, id, make_critical), 0);
	assert_int_equal(ledger_count(new), 1);
	finding = ledger_get(new, id);
	assert_int_equal(finding->severity, SEVERITY_CRITICAL);
	assert_int_equal(finding->count, 3);
	/* Its processes were counted, and it is the container's still. */
	pass(new, 2 * SECOND, specs, 1);
	end_pass(new);
	assert_int_equal(events.count, 1);
	assert_int_equal(events.at[0].state, FINDING_CHANGED);
	assert_int_equal(events.at[0].count, 3);
	ledger_free(ledger);
	ledger_free(new);
}

static void a_record_that_gives_an_id_to_another_container_is_refused(void **state)
{
	const struct spec spec = { "c", .effective = SYS_ADMIN };
	struct ledger *ledger = ledger_new(RESOLVE_TIME), *new = ledger_new(RESOLVE_TIME);
	const void *position = NULL;

	(void)state;
	pass(ledger, SECOND, &spec, 1);
	end_pass(ledger);
	const char *id = ledger_next_id(ledger, &position);

	assert_int_equal(restore_one(new, ledger, id, NULL), 0);
	assert_int_equal(restore_one(new, ledger, id, give_to_another_container), -EBADMSG);
	assert_string_equal(ledger_get(new, id)->container.id, "c");
	/* What nobody has cannot be kept, or forgotten. */
	struct bytes nothing = { 0 };
	ledger_save(new, "ffffffffffffffff", &nothing);
	assert_int_equal(nothing.length, 0);
	ledger_forget(new, "ffffffffffffffff");
	assert_int_equal(ledger_count(new), 1);
	ledger_forget(new, id);
	assert_int_equal(ledger_count(new), 0);
	ledger_free(ledger);
	ledger_free(new);
}

/* As many as one container may have, and not one more, whatever the file says. */
static void a_container_gets_no_more_room_than_it_had(void **state)
{
	static const uint8_t told[] = { 2, 0, 0 };
	const unsigned most = 2 * LEDGER_CONTAINER_FINDINGS_MAX;
	struct ledger *ledger = ledger_new(RESOLVE_TIME);

	(void)state;
	for (unsigned i = 0; i <= most + 1; i++) {
		const bool other = i == most + 1;
		struct observation o = observe_spec(&(struct spec){ other ? "d" : "c",
			.class = i % 2 ? CLASS_DRIFT : CLASS_POSTURE, .effective = i + 1 });

		assert_int_equal(
			ledger_restore(ledger, &o.finding,
				(struct byte_reader){ .at = told, .end = told + sizeof(told) }),
			i == most ? -ENOSPC : 0);
		assert_null(o.finding.container.id);
		release_observation(&o);
	}
	assert_int_equal(ledger_count(ledger), most + 1);
	assert_int_equal(ledger_dropped(ledger), 1);
	ledger_free(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes_that_were_counted_are_not_counted_again),
		cmocka_unit_test(what_nobody_looked_at_was_not_unseen),
		cmocka_unit_test(what_is_held_stays_held),
		cmocka_unit_test(what_is_said_provisionally_changes_nothing_of_what_was_known),
		cmocka_unit_test(what_cannot_be_judged_now_is_trusted_until_it_is_observed),
		cmocka_unit_test(nonsense_is_refused_and_released),
		cmocka_unit_test(of_two_records_of_a_finding_the_later_counts),
		cmocka_unit_test(a_record_that_gives_an_id_to_another_container_is_refused),
		cmocka_unit_test(a_container_gets_no_more_room_than_it_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
