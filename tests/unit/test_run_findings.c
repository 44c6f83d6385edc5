/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of open findings as it is read, piece by piece, while the ledger lives on.
 */
#include "../support/fail_allocation.h"
#include "ledger_fixture.h"

#include "../../daemon/command/run.h"

#include <errno.h>
#include <jansson.h>

static struct events events;

static void open_one(struct run *run, const char *container)
{
	struct observation observation =
		observe_spec(&(struct spec){ .container = container, .effective = 1 });

	assert_int_equal(ledger_observe(keep_event, &events, run->ledger, &observation), 0);
}

static void set_up(struct run *run, unsigned count)
{
	char id[16];

	events.count = 0;
	*run = (struct run){ .context = { "node", "boot", "6.1", "procfs", false } };
	run->ledger = ledger_new(RESOLVE_TIME);
	assert_non_null(run->ledger);
	ledger_begin(run->ledger, SECOND);
	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(id, sizeof(id), "c%u", i);
		open_one(run, id);
	}
	ledger_end(keep_event, &events, run->ledger, true);
	assert_int_equal(ledger_count(run->ledger), count);
}

static void tear_down(struct run *run)
{
	ledger_free(run->ledger);
}

static void end_all(struct run *run)
{
	ledger_begin(run->ledger, 2 * SECOND);
	ledger_end(keep_event, &events, run->ledger, true);
	assert_int_equal(ledger_count(run->ledger), 0);
}

struct read {
	char text[65536];
	size_t length;
};

/* Up to the end, or `most` pieces of `size` bytes. */
static void take(void *stream, struct read *read, size_t size, unsigned most)
{
	ssize_t n;

	while (most-- && (n = finding_stream_next(stream, read->text + read->length, size)) != 0) {
		assert_true(n > 0 && (size_t)n <= size);
		read->length += (size_t)n;
		assert_true(read->length + size < sizeof(read->text));
	}
}

static size_t parsed(const struct read *read)
{
	json_t *list = json_loadb(read->text, read->length, JSON_REJECT_DUPLICATES, NULL);
	size_t count = json_array_size(list);

	if (!json_is_array(list))
		fail_msg("no array: %.*s", (int)read->length, read->text);
	json_decref(list);
	return count;
}

static void the_list_is_an_array_however_it_is_cut(void **state)
{
	static const size_t sizes[] = { 4, 5, 100, 4096, 30000 };

	(void)state;
	for (unsigned count = 0; count < 4; count++) {
		struct run run;

		set_up(&run, count);
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			struct finding_stream *stream = finding_stream_new(&run);
			struct read read = { .length = 0 };

			assert_non_null(stream);
			take(stream, &read, sizes[i], UINT32_MAX);
			assert_int_equal(parsed(&read), count);
			finding_stream_free(stream);
		}
		tear_down(&run);
	}
}

static void what_ends_while_it_is_read_is_left_out(void **state)
{
	struct read read = { .length = 0 };
	struct finding_stream *stream;
	struct run run;

	(void)state;
	set_up(&run, 3);
	stream = finding_stream_new(&run);
	assert_non_null(stream);
	take(stream, &read, 64, 1); /* the first is begun */
	end_all(&run);
	take(stream, &read, 64, UINT32_MAX);
	assert_int_equal(parsed(&read), 1);
	finding_stream_free(stream);
	tear_down(&run);
}

static void what_opens_while_it_is_read_is_told_next_time(void **state)
{
	struct read read = { .length = 0 };
	struct finding_stream *stream;
	struct run run;

	(void)state;
	set_up(&run, 1);
	stream = finding_stream_new(&run);
	assert_non_null(stream);
	ledger_begin(run.ledger, 2 * SECOND);
	open_one(&run, "c0");
	open_one(&run, "later");
	ledger_end(keep_event, &events, run.ledger, true);
	take(stream, &read, 4096, UINT32_MAX);
	assert_int_equal(parsed(&read), 1);
	finding_stream_free(stream);
	tear_down(&run);
}

static void what_has_ended_and_is_held_again_is_left_out(void **state)
{
	struct observation observation =
		observe_spec(&(struct spec){ .container = "c0", .effective = 1 });
	struct read read = { .length = 0 };
	struct finding_stream *stream;
	struct run run;

	(void)state;
	set_up(&run, 1);
	stream = finding_stream_new(&run);
	assert_non_null(stream);
	end_all(&run);
	assert_int_equal(ledger_hold(run.ledger, &observation), 0);
	take(stream, &read, 4096, UINT32_MAX);
	assert_int_equal(parsed(&read), 0);
	finding_stream_free(stream);
	release_observation(&observation);
	tear_down(&run);
}

static void a_list_that_nobody_reads_to_its_end_is_released(void **state)
{
	struct read read = { .length = 0 };
	struct finding_stream *stream;
	struct run run;

	(void)state;
	set_up(&run, 2);
	stream = finding_stream_new(&run);
	assert_non_null(stream);
	take(stream, &read, 64, 2);
	finding_stream_free(stream);
	tear_down(&run);
}

static ssize_t read_all(const struct run *run)
{
	struct finding_stream *stream = finding_stream_new(run);
	char buffer[4096];
	ssize_t n;

	if (!stream)
		return -ENOMEM;
	while ((n = finding_stream_next(stream, buffer, sizeof(buffer))) > 0)
		;
	finding_stream_free(stream);
	return n;
}

static void out_of_memory_breaks_it_off(void **state)
{
	struct run run;

	(void)state;
	set_up(&run, 2);
	for (unsigned long n = 1;; n++) {
		ssize_t r;
		bool fired;

		fail_allocation_at(n);
		r = read_all(&run);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
	tear_down(&run);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_is_an_array_however_it_is_cut),
		cmocka_unit_test(what_ends_while_it_is_read_is_left_out),
		cmocka_unit_test(what_opens_while_it_is_read_is_told_next_time),
		cmocka_unit_test(what_has_ended_and_is_held_again_is_left_out),
		cmocka_unit_test(a_list_that_nobody_reads_to_its_end_is_released),
		cmocka_unit_test(out_of_memory_breaks_it_off),
	};

	return cmocka_run_group_tests_name("run_findings", tests, NULL, NULL);
}
