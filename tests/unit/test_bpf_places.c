/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose text stands for a combination of cgroups, when that is believed, and what is permitted
 * there: tasks may change places on purpose, between the kernel's word and the reading of theirs.
 */
// wrap: bpf_walk bpf_iterator_open bpf_totals bpf_crowd_read bpf_check bpf_permit_rows proc_open
#include "bpf_fixture.h"

static const struct permit permit_5 = { .permitted = 5, .user_namespace = 7 };

static const struct bpf_permit *row_of(uint64_t css_set)
{
	const struct bpf_placement placement = place_at(css_set);

	return find_permit(&placement);
}

static const char *text_of(struct bpf_engine *engine, uint64_t css_set)
{
	static char copy[256];
	const struct bpf_placement placement = place_at(css_set);
	const char *text;
	size_t length;

	if (bpf_places_text(&engine->places, &placement, &text, &length) < 0)
		return "none";
	assert_true(length < sizeof(copy));
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

static struct snapshot next_pass(struct bpf_engine *engine, struct snapshot *before)
{
	struct snapshot s = one_pass(engine, before, NULL);

	snapshot_done(before);
	return s;
}

static struct exec_event event_in(uint64_t css_set)
{
	const struct bpf_placement placement = place_at(css_set);
	struct exec_event event = { 0 };

	memcpy(event.place, &placement, sizeof(event.place));
	return event;
}

static void a_text_is_read_once_for_all_who_share_a_place(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	add_record(11, 11, 1); /* nothing can be read of it, and nothing need be */
	s = one_pass(engine, NULL, NULL);
	assert_int_equal(s.task_count, 2);
	assert_int_equal(s.tasks[1].placement, s.tasks[0].placement);
	end_process(10);
	s = next_pass(engine, &s);
	assert_int_equal(s.task_count, 2);
	snapshot_done(&s);
	free_engine(engine);
}

static void nothing_is_permitted_in_a_place_before_a_second_look_at_it(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot s;
	capability_mask permitted;
	const struct bpf_placement placement = place_at(1);

	(void)state;
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	s = one_pass(engine, NULL, NULL);
	bpf_permit(&engine->engine, 0, &permit_5);
	assert_null(row_of(1));
	assert_int_equal(s.unconfirmed, 1);
	assert_false(bpf_places_permit(&engine->places, &placement, &permitted));
	s = next_pass(engine, &s);
	assert_int_equal(s.unconfirmed, 0);
	assert_null(row_of(1));
	bpf_permit(&engine->engine, 0, &permit_5);
	bpf_permit(&engine->engine, 1, &permit_5); /* there is no such placement */
	assert_non_null(row_of(1));
	assert_int_equal(row_of(1)->permitted, 5);
	assert_int_equal(row_of(1)->user_namespace, 7);
	assert_false(row_of(1)->host);
	assert_int_equal(count_permits(), 1);
	assert_true(bpf_places_permit(&engine->places, &placement, &permitted));
	assert_int_equal(permitted, 5);
	bpf_forget_permits(&engine->engine);
	assert_null(row_of(1));
	assert_false(bpf_places_permit(&engine->places, &placement, &permitted));
	snapshot_done(&s);
	free_engine(engine);
}

static void what_is_not_permitted_any_more_is_told_again(void **state)
{
	const struct exec_event event = event_in(1);
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	s = one_pass(engine, NULL, NULL);
	s = next_pass(engine, &s);
	bpf_permit(&engine->engine, 0, NULL); /* of what was never permitted */
	bpf_permit(&engine->engine, 0, &permit_5);
	assert_non_null(row_of(1));
	bpf_permit(&engine->engine, 0, NULL);
	assert_null(row_of(1));
	bpf_permit_event(&engine->engine, &event, &permit_5);
	assert_non_null(row_of(1));
	bpf_permit_event(&engine->engine, &event, NULL);
	assert_null(row_of(1));
	snapshot_done(&s);
	free_engine(engine);
}

/* The kernel gives the address of what is gone to what comes later, but no id. */
static void another_place_at_the_same_address_is_another(void **state)
{
	struct bpf_placement later = place_at(1);
	struct bpf_engine *engine = new_engine();
	capability_mask permitted;
	const char *text;
	size_t length;
	struct snapshot s;

	(void)state;
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	s = one_pass(engine, NULL, NULL);
	s = next_pass(engine, &s);
	bpf_permit(&engine->engine, 0, &permit_5);
	assert_true(bpf_places_permit(&engine->places, &later, &permitted));
	later.unified++;
	assert_false(bpf_places_permit(&engine->places, &later, &permitted));
	assert_int_equal(bpf_places_text(&engine->places, &later, &text, &length), -ENOENT);
	later = place_at(1);
	later.legacy++;
	assert_false(bpf_places_permit(&engine->places, &later, &permitted));
	assert_int_equal(bpf_places_text(&engine->places, &later, &text, &length), -ENOENT);
	snapshot_done(&s);
	free_engine(engine);
}

/* Its text was read when it was elsewhere for a moment. */
static void whoever_went_elsewhere_between_two_passes_is_not_believed(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	set_text(10, TEXT_B); /* it is in A, says the kernel */
	set_text(11, TEXT_A);
	add_record(10, 10, 1);
	add_record(11, 11, 1);
	s = one_pass(engine, NULL, NULL);
	assert_string_equal(text_of(engine, 1), TEXT_B);
	find_record(10)->placement = place_at(2);
	s = next_pass(engine, &s);
	assert_string_equal(text_of(engine, 1), TEXT_A);
	bpf_permit(&engine->engine, snapshot_find(&s, 11)->placement, &permit_5);
	assert_null(row_of(1)); /* once more, by 11 */
	assert_int_equal(s.unconfirmed, 2);
	s = next_pass(engine, &s);
	assert_int_equal(s.unconfirmed, 0);
	bpf_permit(&engine->engine, snapshot_find(&s, 11)->placement, &permit_5);
	assert_non_null(row_of(1));
	snapshot_done(&s);
	free_engine(engine);
}

static void a_placement_of_several_places_permits_in_each_that_is_confirmed(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	for (uint32_t pid = 10; pid < 13; pid++) {
		set_text((pid_t)pid, TEXT_A);
		if (pid < 12)
			add_record(pid, pid, pid);
	}
	s = one_pass(engine, NULL, NULL);
	add_record(12, 12, 12);
	s = next_pass(engine, &s);
	assert_int_equal(s.placement_count, 1);
	bpf_permit(&engine->engine, 0, &permit_5);
	assert_true(row_of(10) && row_of(11) && !row_of(12));
	snapshot_done(&s);
	free_engine(engine);
}

static void what_is_not_permitted_any_more_is_taken_back(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	s = one_pass(engine, NULL, NULL);
	s = next_pass(engine, &s);
	bpf_permit(&engine->engine, 0, &permit_5);
	assert_non_null(row_of(1));
	bpf_permit(&engine->engine, 0, NULL);
	assert_null(row_of(1));
	snapshot_done(&s);
	free_engine(engine);
}

static void what_a_pass_does_not_see_is_forgotten_with_its_permit(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	set_text(10, TEXT_A);
	set_text(11, TEXT_B);
	add_record(10, 10, 1);
	add_record(11, 11, 2);
	s = one_pass(engine, NULL, NULL);
	s = next_pass(engine, &s);
	bpf_permit(&engine->engine, 0, &permit_5);
	bpf_permit(&engine->engine, 1, &permit_5);
	assert_int_equal(count_permits(), 2);
	fake.count--;
	s = next_pass(engine, &s);
	assert_string_equal(text_of(engine, 2), "none");
	assert_non_null(row_of(1));
	assert_int_equal(count_permits(), 1);
	snapshot_done(&s);
	free_engine(engine);
	assert_int_equal(count_permits(), 0); /* nor does an engine leave any */
}

/* The kernel's memory is used again; its cgroups' ids are not. */
static void the_same_address_with_other_ids_is_another_place(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct bpf_placement other = place_at(1);
	struct snapshot s;

	(void)state;
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	s = one_pass(engine, NULL, NULL);
	s = next_pass(engine, &s);
	bpf_permit(&engine->engine, 0, &permit_5);
	other.unified++;
	fake.count = 0;
	set_text(20, TEXT_B);
	add_record(20, 20, 1)->placement = other;
	assert_null(find_permit(&other));
	s = next_pass(engine, &s);
	assert_string_equal(s.placements[0].identity.container_id, ID_64("b"));
	assert_null(row_of(1));
	snapshot_done(&s);
	free_engine(engine);
}

static void the_hosts_places_are_permitted_once_they_are_confirmed(void **state)
{
	const struct bpf_placement placement = place_at(1);
	struct bpf_engine *engine = new_engine();
	capability_mask permitted;
	struct snapshot s;

	(void)state;
	set_text(10, TEXT_HOST);
	add_record(10, 10, 1);
	s = one_pass(engine, NULL, NULL);
	assert_null(row_of(1));
	s = next_pass(engine, &s);
	assert_non_null(row_of(1));
	assert_true(row_of(1)->host);
	assert_false(bpf_places_permit(&engine->places, &placement, &permitted));
	bpf_forget_permits(&engine->engine); /* a policy says nothing of the host's */
	assert_non_null(row_of(1));
	snapshot_done(&s);
	free_engine(engine);
}

static void what_was_the_hosts_is_heard_of_where_it_is_a_containers_now(void **state)
{
	const char *const prefixes[] = { "/nested" };
	const struct cgroup_base base = { prefixes, 1, NULL };
	const struct pass_options options = { .base = &base };
	struct bpf_engine *engine = new_engine();
	struct snapshot s, next;

	(void)state;
	set_text(10, "0::/nested/lxc/web\n");
	add_record(10, 10, 1);
	s = one_pass(engine, NULL, NULL);
	s = next_pass(engine, &s);
	assert_true(row_of(1) && row_of(1)->host);
	bpf_forget_permits(&engine->engine);
	next = one_pass(engine, &s, &options);
	snapshot_done(&s);
	assert_int_equal(next.placements[0].identity.kind, CGROUP_CONTAINER);
	assert_null(row_of(1));
	snapshot_done(&next);
	free_engine(engine);
}

static void note(struct bpf_engine *engine, uint32_t pid, uint64_t css_set, const char *text)
{
	const struct bpf_task_record record = record_of(pid, pid, css_set);

	assert_int_equal(bpf_places_note(&engine->places, &record, text, strlen(text)), 0);
}

static void what_an_event_told_of_a_place_counts_until_the_next_pass(void **state)
{
	const struct exec_event event = event_in(1), elsewhere = event_in(2);
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	note(engine, 10, 1, TEXT_A);
	assert_string_equal(text_of(engine, 1), TEXT_A);
	bpf_permit_event(&engine->engine, &event, &permit_5);
	bpf_permit_event(&engine->engine, &elsewhere, &permit_5);
	assert_non_null(row_of(1));
	assert_int_equal(count_permits(), 1);
	s = one_pass(engine, NULL, NULL); /* nobody is there */
	assert_string_equal(text_of(engine, 1), "none");
	assert_int_equal(count_permits(), 0);
	snapshot_done(&s);
	free_engine(engine);
}

static void a_pass_reads_what_an_event_told_and_believes_both_where_they_agree(void **state)
{
	const struct exec_event event = event_in(1);
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	note(engine, 10, 1, TEXT_A);
	bpf_permit_event(&engine->engine, &event, &permit_5);
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	s = one_pass(engine, NULL, NULL);
	assert_int_equal(s.unconfirmed, 0);
	assert_non_null(row_of(1));
	bpf_permit(&engine->engine, 0, &(struct permit){ 6, 7 });
	assert_int_equal(row_of(1)->permitted, 6);
	snapshot_done(&s);
	free_engine(engine);
}

/* With several hierarchies /proc says more than an event; one of them may be in another container.
 */
static void what_proc_says_goes_before_what_an_event_told(void **state)
{
	const struct exec_event event = event_in(1);
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	note(engine, 10, 1, TEXT_A);
	bpf_permit_event(&engine->engine, &event, &permit_5);
	set_text(10, "2:memory:/docker/" ID_64("b") "\n" TEXT_A);
	add_record(10, 10, 1);
	s = one_pass(engine, NULL, NULL);
	assert_true(s.placements[0].identity.ambiguous);
	assert_null(row_of(1));
	bpf_permit_event(&engine->engine, &event, &permit_5); /* read once, not confirmed */
	assert_null(row_of(1));
	s = next_pass(engine, &s);
	bpf_permit_event(&engine->engine, &event, &permit_5);
	assert_non_null(row_of(1));
	snapshot_done(&s);
	free_engine(engine);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_fake, tear_down_fake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_text_is_read_once_for_all_who_share_a_place),
		TEST(nothing_is_permitted_in_a_place_before_a_second_look_at_it),
		TEST(what_is_not_permitted_any_more_is_told_again),
		TEST(another_place_at_the_same_address_is_another),
		TEST(whoever_went_elsewhere_between_two_passes_is_not_believed),
		TEST(a_placement_of_several_places_permits_in_each_that_is_confirmed),
		TEST(what_is_not_permitted_any_more_is_taken_back),
		TEST(what_a_pass_does_not_see_is_forgotten_with_its_permit),
		TEST(the_same_address_with_other_ids_is_another_place),
		TEST(the_hosts_places_are_permitted_once_they_are_confirmed),
		TEST(what_was_the_hosts_is_heard_of_where_it_is_a_containers_now),
		TEST(what_an_event_told_of_a_place_counts_until_the_next_pass),
		TEST(a_pass_reads_what_an_event_told_and_believes_both_where_they_agree),
		TEST(what_proc_says_goes_before_what_an_event_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
