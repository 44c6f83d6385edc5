/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Passes of the bpf engine over made-up iterations: what a snapshot has of them, and of what it
 * says that it is as it was.
 */
// wrap: bpf_walk bpf_iterator_open bpf_totals bpf_crowd_read bpf_check bpf_permit_rows proc_open
#include "bpf_fixture.h"

#include "../support/fail_allocation.h"

static void a_process_gives_its_leader_and_what_its_threads_hold_else(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	set_text(10, TEXT_A);
	add_record(10, 10, 1)->flags = BPF_TASK_FORKED | BPF_TASK_NO_NEW_PRIVS;
	add_record(10, 11, 1); /* as the leader: it has no task of its own */
	add_record(10, 12, 1)->sets[BPF_EFFECTIVE] = 7;
	fake.totals = (struct bpf_totals){ .threads = 3, .processes = 1, .kernel_threads = 5 };
	s = one_pass(engine, NULL, NULL);
	assert_int_equal(s.task_count, 2);
	assert_int_equal(s.tasks[0].tid, 10);
	assert_true(s.tasks[0].leader && s.tasks[0].forked && !s.tasks[0].same);
	assert_false(s.tasks[0].no_new_privs); /* the weaker of both */
	assert_int_equal(s.tasks[0].start_ticks, 10);
	assert_int_equal(s.tasks[1].tid, 12);
	assert_int_equal(s.tasks[1].sets.of[CAPABILITY_EFFECTIVE], 7);
	assert_true(!s.tasks[1].leader && s.tasks[1].forked); /* the leader's */
	assert_int_equal(s.placement_count, 1);
	assert_string_equal(s.placements[0].identity.container_id, ID_64("a"));
	assert_int_equal(s.coverage.tasks, 3);
	assert_int_equal(s.coverage.processes, 1);
	assert_false(s.coverage.not_host_pid_namespace);
	snapshot_done(&s);
	free_engine(engine);
}

static void a_process_whose_leader_is_gone_is_seen_by_its_threads(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	set_stat(10, 10);
	set_proc(10, 12, "cgroup", TEXT_A);
	add_record(10, 12, 1);
	s = one_pass(engine, NULL, NULL);
	assert_int_equal(s.task_count, 1);
	assert_int_equal(s.tasks[0].pid, 10);
	assert_int_equal(s.tasks[0].tid, 12);
	assert_true(s.tasks[0].leader);
	assert_true(s.coverage.not_host_pid_namespace); /* no kernel thread was seen */
	snapshot_done(&s);
	free_engine(engine);
}

static void the_host_is_seen_where_it_is_asked_for(void **state)
{
	const struct pass_options options = { .include_host = true };
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	set_text(10, TEXT_HOST);
	set_text(11, TEXT_HOST);
	add_record(10, 10, 1);
	add_record(11, 11, 1)->pid_namespace_level = 1; /* a container that names itself nothing */
	s = one_pass(engine, NULL, NULL);
	assert_int_equal(s.task_count, 1);
	assert_int_equal(s.tasks[0].pid, 11);
	snapshot_done(&s);
	s = one_pass(engine, NULL, &options);
	assert_int_equal(s.task_count, 2);
	snapshot_done(&s);
	free_engine(engine);
}

static void who_is_gone_or_refuses_is_counted_and_the_rest_is_seen(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	add_record(9, 9, 9); /* gone */
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	set_stat(11, 12); /* another process has its number now */
	set_proc(11, 0, "cgroup", TEXT_B);
	add_record(11, 11, 2);
	set_proc(12, 0, "stat", "nonsense");
	set_proc(12, 0, "cgroup", TEXT_B);
	add_record(12, 12, 3);
	s = one_pass(engine, NULL, NULL);
	assert_int_equal(s.task_count, 1);
	assert_int_equal(s.tasks[0].pid, 10);
	assert_int_equal(s.coverage.vanished, 2);
	assert_int_equal(s.coverage.unreadable, 1);
	snapshot_done(&s);
	free_engine(engine);
}

/* Two passes, so that its place is confirmed, and a third. */
static struct snapshot settle(struct bpf_engine *engine, const struct pass_options *how)
{
	struct snapshot first = one_pass(engine, NULL, how), second;

	second = one_pass(engine, &first, how);
	snapshot_done(&first);
	return second;
}

static struct snapshot next_pass(
	struct bpf_engine *engine, struct snapshot *before, const struct pass_options *how)
{
	struct snapshot s = one_pass(engine, before, how);

	snapshot_done(before);
	return s;
}

static void what_has_not_changed_is_the_same_from_the_second_look_at_its_place_on(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot first, second;

	(void)state;
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	add_record(10, 11, 1)->sets[BPF_EFFECTIVE] = 3;
	first = one_pass(engine, NULL, NULL);
	assert_false(first.tasks[0].same);
	first.tasks[0].no_stage = true;
	first.tasks[0].container = 4;
	first.tasks[0].moved = first.tasks[0].outside_parent = first.tasks[0].runtime_stage = true;
	second = one_pass(engine, &first, NULL);
	assert_int_equal(second.task_count, 2);
	assert_true(second.tasks[0].same && second.tasks[1].same);
	assert_true(second.tasks[0].no_stage);
	assert_int_equal(second.tasks[0].container, NO_CONTAINER);
	assert_false(second.tasks[0].moved || second.tasks[0].outside_parent ||
		     second.tasks[0].runtime_stage);
	snapshot_done(&first);
	snapshot_done(&second);
	free_engine(engine);
}

static void change_start(struct bpf_task_record *record)
{
	record->start_ns += FAKE_TICK_NS;
	set_stat((pid_t)record->pid, record->pid + 1);
}

static void change_sets(struct bpf_task_record *record)
{
	record->sets[BPF_BOUNDING] = 0;
}

static void change_place(struct bpf_task_record *record)
{
	record->placement = place_at(2);
}

static void change_program(struct bpf_task_record *record)
{
	record->exec_id++;
}

static void change_parent(struct bpf_task_record *record)
{
	record->ppid++;
}

static void change_namespace(struct bpf_task_record *record)
{
	record->user_namespace++;
}

static void change_privileges(struct bpf_task_record *record)
{
	record->flags ^= BPF_TASK_NO_NEW_PRIVS;
}

static void change_filter(struct bpf_task_record *record)
{
	record->seccomp = SECCOMP_FILTER_MODE;
}

static void change_name(struct bpf_task_record *record)
{
	record->comm[0] = 'y';
}

static void add_thread(struct bpf_task_record *record)
{
	add_record(record->pid, 30, 1);
}

static void what_has_changed_is_not_the_same(void **state)
{
	static void (*const changes[])(struct bpf_task_record *) = { change_start, change_sets,
		change_place, change_program, change_parent, change_namespace, change_privileges,
		change_filter, change_name, add_thread };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct bpf_engine *engine = new_engine();
		struct snapshot s;

		fake.count = 0;
		set_text(10, TEXT_A);
		set_text(20, TEXT_A);
		add_record(10, 10, 1);
		add_record(20, 20, 1);
		s = settle(engine, NULL);
		changes[i](find_record(20));
		s = next_pass(engine, &s, NULL);
		assert_true(snapshot_find(&s, 10)->same);
		assert_false(snapshot_find(&s, 20)->same);
		snapshot_done(&s);
		free_engine(engine);
	}
}

static void a_change_of_one_thread_is_one_of_all(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	add_record(10, 11, 1)->sets[BPF_EFFECTIVE] = 3;
	s = settle(engine, NULL);
	find_record(11)->sets[BPF_EFFECTIVE] = 2;
	s = next_pass(engine, &s, NULL);
	assert_int_equal(s.task_count, 2);
	assert_false(s.tasks[0].same || s.tasks[1].same);
	s = next_pass(engine, &s, NULL);
	assert_true(s.tasks[0].same && s.tasks[1].same);
	fake.count--; /* the thread ends */
	s = next_pass(engine, &s, NULL);
	assert_int_equal(s.task_count, 1);
	assert_false(s.tasks[0].same);
	snapshot_done(&s);
	free_engine(engine);
}

static void nothing_is_the_same_after_a_snapshot_that_is_not_the_last_one(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot old, last, s;

	(void)state;
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	old = settle(engine, NULL);
	last = one_pass(engine, &old, NULL);
	s = one_pass(engine, &old, NULL);
	assert_false(s.tasks[0].same);
	snapshot_done(&old);
	snapshot_done(&last);
	last = one_pass(engine, NULL, NULL);
	assert_false(last.tasks[0].same);
	snapshot_done(&s);
	snapshot_done(&last);
	free_engine(engine);
}

static void nothing_is_the_same_under_other_prefixes(void **state)
{
	const char *const prefixes[] = { "/trusted", "/other" };
	const struct cgroup_base bases[] = { { NULL, 0, NULL }, { prefixes, 1, NULL },
		{ prefixes, 2, NULL }, { prefixes + 1, 1, NULL }, { prefixes, 1, "/own" } };
	struct pass_options options = { 0 };
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	set_text(10, "0::/../../docker/" ID_64("a") "\n");
	add_record(10, 10, 1);
	s = settle(engine, NULL);
	for (size_t i = 1; i < ARRAY_SIZE(bases); i++) {
		options.base = &bases[i];
		s = next_pass(engine, &s, &options);
		assert_false(s.tasks[0].same);
		s = next_pass(engine, &s, &options);
		assert_true(s.tasks[0].same);
	}
	options.base = NULL;
	s = next_pass(engine, &s, &options);
	assert_false(s.tasks[0].same);
	snapshot_done(&s);
	free_engine(engine);
}

static void who_was_in_a_container_is_followed_out_of_it(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	set_text(10, TEXT_A);
	set_text(20, TEXT_HOST);
	add_record(10, 10, 1);
	add_record(20, 20, 2);
	s = settle(engine, NULL);
	assert_int_equal(s.task_count, 1);
	s.tasks[0].container = 0;
	*find_record(10) = record_of(10, 10, 2);
	set_text(10, TEXT_HOST);
	s = next_pass(engine, &s, NULL);
	assert_int_equal(s.task_count, 1);
	assert_int_equal(s.tasks[0].pid, 10);
	snapshot_done(&s);
	free_engine(engine);
}

static void labels_are_read_of_each_thread_and_the_weaker_counts(void **state)
{
	const struct pass_options options = { .controls = true };
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	set_text(10, TEXT_A);
	set_proc(10, 10, "attr/current", "docker-default (enforce)\n");
	set_proc(10, 11, "attr/current", "unconfined\n");
	add_record(10, 10, 1);
	add_record(10, 11, 1);
	s = settle(engine, &options);
	assert_int_equal(s.task_count, 1);
	for (int i = 0; i < 2; i++) {
		assert_true(s.tasks[0].controls_known);
		assert_false(s.tasks[0].confined);
		assert_true(s.tasks[0].same);
		s = next_pass(engine, &s, &options);
	}
	set_proc(10, 11, "attr/current", "docker-default (enforce)\n");
	s = next_pass(engine, &s, &options);
	assert_true(s.tasks[0].confined);
	assert_false(s.tasks[0].same);
	s = next_pass(engine, &s, &options);
	assert_true(s.tasks[0].confined && s.tasks[0].same);
	set_proc(10, 10, "attr/current", "unconfined\n");
	s = next_pass(engine, &s, &options);
	assert_false(s.tasks[0].confined);
	assert_false(s.tasks[0].same);
	snapshot_done(&s);
	free_engine(engine);
}

static void what_is_not_believed_ends_the_pass_and_says_why(void **state)
{
	const struct pass_options options = { 0 };
	struct bpf_engine *engine = new_engine();
	struct snapshot s = { .task_count = 4711 }, before;
	char *notice;

	(void)state;
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	before = settle(engine, NULL);
	fake.check_error = -EUCLEAN;
	assert_int_equal(bpf_pass(&engine->engine, &options, &s), -EUCLEAN);
	assert_int_equal(s.task_count, 4711);
	notice = engine_take_notice(&engine->engine);
	assert_string_equal(notice, "it is a lie");
	free(notice);
	assert_null(engine_take_notice(&engine->engine));
	fake.check_error = 0;
	fake.open_error = -EPERM;
	assert_int_equal(bpf_pass(&engine->engine, &options, &s), -EPERM);
	assert_non_null(engine->engine.notice);
	assert_int_equal(bpf_pass(&engine->engine, &options, &s), -EPERM);
	fake.open_error = 0;
	s = next_pass(engine, &before, NULL);
	assert_true(s.tasks[0].same);
	snapshot_done(&s);
	free_engine(engine);
}

/* What is borrowed of the snapshot before the last one is not what the last one is in. */
static void the_room_of_a_snapshot_that_is_not_needed_is_used_again(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct task_space space = { 0 };
	const struct pass_options options = { .space = &space };
	struct snapshot first, second, third;
	const struct task *room;

	(void)state;
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	first = one_pass(engine, NULL, &options);
	second = one_pass(engine, &first, &options);
	space = (struct task_space){ first.tasks, first.task_space };
	room = TAKE_PTR(first.tasks);
	snapshot_done(&first);
	third = one_pass(engine, &second, &options);
	assert_null(space.tasks);
	assert_ptr_equal(third.tasks, room);
	assert_true(third.tasks[0].same);
	assert_int_equal(third.tasks[0].pid, 10);
	assert_int_equal(second.tasks[0].pid, 10);
	snapshot_done(&second);
	snapshot_done(&third);
	free_engine(engine);
}

static bool yes(void)
{
	return true;
}

static void a_pass_that_is_to_end_ends_and_the_next_one_sees_everything(void **state)
{
	const struct pass_options options = { .cancelled = yes };
	struct bpf_engine *engine = new_engine();
	struct snapshot s, none;

	(void)state;
	set_text(10, TEXT_A);
	add_record(10, 10, 1);
	s = settle(engine, NULL);
	assert_int_equal(bpf_pass(&engine->engine, &options, &none), -ECANCELED);
	s = next_pass(engine, &s, NULL);
	assert_int_equal(s.task_count, 1);
	snapshot_done(&s);
	free_engine(engine);
}

static void fill_for_memory(void)
{
	fake.count = 0;
	for (uint32_t pid = 10; pid < 16; pid++) {
		char text[256];

		(void)snprintf(text, sizeof(text), "0::/docker/%064u\n", pid);
		set_text((pid_t)pid, text);
		add_record(pid, pid, pid);
		add_record(pid, pid + 100, pid)->sets[BPF_EFFECTIVE] = 3;
	}
}

/* First passes and later ones; afterwards the engine works as if nothing had been. */
static void out_of_memory_at_any_point_leaves_the_engine_usable(void **state)
{
	const bool follow[] = { false, true };

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(follow); k++) {
		for (unsigned long n = 1;; n++) {
			struct bpf_engine *engine = new_engine();
			struct pass_options options = { 0 };
			struct snapshot before = { 0 }, s;
			bool fired;
			int r;

			fill_for_memory();
			if (follow[k]) {
				before = settle(engine, NULL);
				options.previous = &before;
				find_record(12)->placement = place_at(99);
				find_record(14)->exec_id++;
			}
			fail_allocation_at(n);
			r = bpf_pass(&engine->engine, &options, &s);
			fired = fail_allocation_fired();
			fail_allocation_at(0);
			/* What looks for hidepid does without. */
			assert_true(r == 0 || (fired && r == -ENOMEM));
			if (r == 0) {
				assert_int_equal(s.task_count, 12);
				snapshot_done(&s);
			}
			s = next_pass(engine, &before, NULL);
			assert_int_equal(s.task_count, 12);
			assert_int_equal(s.coverage.vanished + s.coverage.unreadable, 0);
			s = next_pass(engine, &s, NULL);
			assert_int_equal(s.task_count, 12);
			s = next_pass(engine, &s, NULL);
			for (size_t i = 0; i < s.task_count; i++)
				assert_true(s.tasks[i].same);
			snapshot_done(&s);
			free_engine(engine);
			if (!fired)
				break;
		}
	}
}

/* By the iterator, and by the walk. */
#define TEST(f)                                                             \
	cmocka_unit_test_setup_teardown(f, set_up_fake, tear_down_fake),    \
	{                                                                   \
		"by a walk: " #f, f, set_up_fake_walk, tear_down_fake, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_process_gives_its_leader_and_what_its_threads_hold_else),
		TEST(a_process_whose_leader_is_gone_is_seen_by_its_threads),
		TEST(the_host_is_seen_where_it_is_asked_for),
		TEST(who_is_gone_or_refuses_is_counted_and_the_rest_is_seen),
		TEST(what_has_not_changed_is_the_same_from_the_second_look_at_its_place_on),
		TEST(what_has_changed_is_not_the_same),
		TEST(a_change_of_one_thread_is_one_of_all),
		TEST(nothing_is_the_same_after_a_snapshot_that_is_not_the_last_one),
		TEST(nothing_is_the_same_under_other_prefixes),
		TEST(who_was_in_a_container_is_followed_out_of_it),
		TEST(labels_are_read_of_each_thread_and_the_weaker_counts),
		TEST(what_is_not_believed_ends_the_pass_and_says_why),
		TEST(the_room_of_a_snapshot_that_is_not_needed_is_used_again),
		TEST(a_pass_that_is_to_end_ends_and_the_next_one_sees_everything),
		TEST(out_of_memory_at_any_point_leaves_the_engine_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
