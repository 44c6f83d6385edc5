/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What waits for sinks: in order, each sink by itself, within a bound.
 */
#include "../support/fail_allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/outbox.h>

#include <errno.h>
#include <string.h>

#define A	 1u
#define B	 2u
#define NO_LIMIT (1u << 30)

static uint64_t put(struct outbox *outbox, unsigned sinks, enum severity severity)
{
	uint64_t number;

	assert_int_equal(outbox_put(outbox, sinks, severity, "x", 1, &number), 0);
	return number;
}

static void each_sink_gets_all_in_order_and_what_all_have_is_forgotten(void **state)
{
	struct outbox *outbox = outbox_new(NO_LIMIT);

	(void)state;
	assert_null(outbox_first(outbox, A));
	for (unsigned i = 1; i <= 100; i++)
		assert_int_equal(put(outbox, i % 3 ? A | B : B, SEVERITY_HIGH), i);
	assert_int_equal(outbox_waiting(outbox, A), 67);
	assert_int_equal(outbox_waiting(outbox, B), 100);
	assert_int_equal(outbox_count(outbox), 100); /* each once */
	for (unsigned i = 1; i <= 100; i++) {
		if (i % 3 == 0)
			continue;
		assert_int_equal(outbox_first(outbox, A)->number, i);
		outbox_settle(outbox, i, A);
	}
	assert_null(outbox_first(outbox, A));
	for (unsigned i = 1; i <= 100; i++) {
		assert_int_equal(outbox_first(outbox, B)->number, i);
		assert_memory_equal(outbox_first(outbox, B)->data, "x", 1);
		outbox_settle(outbox, i, B);
		outbox_settle(outbox, i, B);
	}
	assert_int_equal(outbox_count(outbox), 0);
	assert_int_equal(outbox_size(outbox), 0);
	assert_int_equal(outbox_dropped(outbox), 0);
	assert_int_equal(outbox_last(outbox), 100);
	outbox_free(outbox);
}

static void past_the_bound_the_oldest_of_the_least_severity_goes_first(void **state)
{
	struct outbox *outbox = outbox_new(NO_LIMIT);
	const struct outbox_item *item = NULL;
	size_t one;
	uint64_t number;

	(void)state;
	(void)put(outbox, A, SEVERITY_LOW);
	one = outbox_size(outbox);
	outbox_free(outbox);

	outbox = outbox_new(6 * one);
	(void)put(outbox, A, SEVERITY_CRITICAL); /* 1 */
	(void)put(outbox, A, SEVERITY_LOW);	 /* 2 */
	(void)put(outbox, A | B, SEVERITY_LOW);	 /* 3 */
	(void)put(outbox, A, SEVERITY_NONE);	 /* 4 */
	(void)put(outbox, A, SEVERITY_HIGH);	 /* 5 */
	(void)put(outbox, A, SEVERITY_LOW);	 /* 6 */
	assert_int_equal(outbox_dropped(outbox), 0);
	(void)put(outbox, A, SEVERITY_MEDIUM); /* 7: 4 goes */
	(void)put(outbox, A, SEVERITY_MEDIUM); /* 8: 2 goes */
	(void)put(outbox, A, SEVERITY_LOW);    /* 9: 3 goes */
	assert_int_equal(outbox_dropped(outbox), 3);
	assert_int_equal(outbox_waiting(outbox, B), 0);
	static const uint64_t left[] = { 1, 5, 6, 7, 8, 9 };
	for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
		item = outbox_next(outbox, item);
		assert_int_equal(item->number, left[i]);
	}
	assert_null(outbox_next(outbox, item));
	/* one that is less than all of them is the first to go itself */
	assert_int_equal(outbox_put(outbox, A, SEVERITY_NONE, "x", 1, &number), -ENOSPC);
	assert_int_equal(number, 10);
	assert_int_equal(outbox_dropped(outbox), 4);
	assert_int_equal(outbox_waiting(outbox, A), 6);
	assert_true(outbox_size(outbox) <= 6 * one);
	outbox_free(outbox);
}

static void a_sink_that_goes_takes_what_waited_for_it_alone(void **state)
{
	struct outbox *outbox = outbox_new(NO_LIMIT);

	(void)state;
	(void)put(outbox, B, SEVERITY_HIGH);
	(void)put(outbox, A | B, SEVERITY_HIGH);
	(void)put(outbox, A, SEVERITY_HIGH);
	outbox_forget_sinks(outbox, ~A);
	assert_null(outbox_first(outbox, B));
	assert_int_equal(outbox_first(outbox, A)->number, 2);
	assert_int_equal(outbox_waiting(outbox, A), 2);
	outbox_free(outbox);
}

static void what_was_there_before_a_restart_keeps_its_number(void **state)
{
	struct outbox *outbox = outbox_new(NO_LIMIT);

	(void)state;
	assert_int_equal(outbox_restore(outbox, 7, A, SEVERITY_LOW, "x", 1), 0);
	assert_int_equal(outbox_restore(outbox, 7, A, SEVERITY_LOW, "x", 1), -EINVAL);
	assert_int_equal(outbox_restore(outbox, 9, 0, SEVERITY_LOW, "x", 1), 0);
	assert_int_equal(outbox_restore(outbox, 10, 1u << 8, SEVERITY_LOW, "x", 1), -EINVAL);
	assert_int_equal(outbox_restore(outbox, 10, A, (enum severity)5, "x", 1), -EINVAL);
	assert_int_equal(
		outbox_restore(outbox, OUTBOX_NUMBER_MAX + 1, A, SEVERITY_LOW, "x", 1), -EINVAL);
	assert_int_equal(put(outbox, A, SEVERITY_LOW), 10);
	assert_int_equal(outbox_waiting(outbox, A), 2);
	outbox_free(outbox);
}

static void out_of_memory_leaves_it_as_it_was(void **state)
{
	struct outbox *outbox = outbox_new(NO_LIMIT);
	unsigned failed = 0;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		uint64_t number;
		bool fired = true;

		for (unsigned long n = 1; fired; n++) {
			int r;

			fail_allocation_at(n);
			r = outbox_put(outbox, A, SEVERITY_HIGH, "x", 1, &number);
			fired = fail_allocation_fired();
			fail_allocation_at(0);
			/* a table that cannot grow does without */
			assert_true(r == 0 || (fired && r == -ENOMEM));
			failed += r < 0;
			if (r == 0)
				break;
		}
	}
	assert_true(failed >= 2000);
	assert_int_equal(outbox_waiting(outbox, A), 2000);
	for (unsigned i = 0; i < 2000; i++)
		outbox_settle(outbox, outbox_first(outbox, A)->number, A);
	assert_int_equal(outbox_size(outbox), 0);
	outbox_free(outbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sink_gets_all_in_order_and_what_all_have_is_forgotten),
		cmocka_unit_test(past_the_bound_the_oldest_of_the_least_severity_goes_first),
		cmocka_unit_test(a_sink_that_goes_takes_what_waited_for_it_alone),
		cmocka_unit_test(what_was_there_before_a_restart_keeps_its_number),
		cmocka_unit_test(out_of_memory_leaves_it_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
