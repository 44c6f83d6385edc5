/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose a task is: made-up snapshots given to the registry, one after another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "identify_fixture.h"

#include <stdio.h>

static void a_path_names_the_container_and_its_pod(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) }, { 11, 10, POD(ID_A "/sub") } };
	struct registry *r = registry_new("/nonexistent");
	struct snapshot s = make(made, 2);
	const struct container *c;

	(void)state;
	identify(r, &s, NULL);
	assert_int_equal(registry_count(r), 1);
	c = container_of(r, &s, 11);
	assert_string_equal(c->id, ID_A);
	assert_string_equal(c->pod.uid, UID);
	assert_int_equal(c->pod.qos, QOS_BURSTABLE);
	assert_string_equal(c->cgroup, "/kubepods/burstable/pod" UID "/" ID_A);
	assert_true(snapshot_find(&s, 10)->outside_parent);
	assert_false(snapshot_find(&s, 11)->outside_parent);
	assert_int_equal(s.coverage.containers, 1);
	assert_int_equal(s.coverage.pods, 1);
	assert_int_equal(s.coverage.container_processes, 2);
	snapshot_done(&s);
	registry_free(r);
}

static void a_pid_namespace_without_a_path_is_a_container(void **state)
{
	const struct made made[] = { { 10, 1, HOST_TEXT, 1, 1 }, { 11, 10, HOST_TEXT, 1, 2 },
		{ 12, 11, HOST_TEXT, 2, 3 }, /* a namespace that it made inside */
		{ 20, 1, HOST_TEXT, 1, 1 } };
	struct registry *r = registry_new("/nonexistent");
	struct snapshot s = make(made, 4);

	(void)state;
	identify(r, &s, NULL);
	assert_int_equal(registry_count(r), 2);
	assert_string_equal(container_of(r, &s, 10)->id, "pidns-10-10");
	assert_string_equal(container_of(r, &s, 11)->id, "pidns-10-10");
	assert_string_equal(container_of(r, &s, 12)->id, "pidns-10-10");
	assert_string_equal(container_of(r, &s, 20)->id, "pidns-20-20");
	assert_string_equal(container_of(r, &s, 20)->runtime, "unknown");
	snapshot_done(&s);
	registry_free(r);
}

static void who_enters_a_namespace_from_outside_is_its_containers(void **state)
{
	/* 30 came by nsenter: its parent is the host's */
	const struct made made[] = { { 10, 1, "0::/user.slice/a.scope\n", 1, 1 },
		{ 20, 1, "0::/user.slice/b.scope\n", 1, 1 },
		{ 30, 5, "0::/user.slice/b.scope\n", 1, 7 } };
	struct registry *r = registry_new("/nonexistent");
	struct snapshot s = make(made, 3);

	(void)state;
	identify(r, &s, NULL);
	assert_int_equal(registry_count(r), 2);
	assert_string_equal(container_of(r, &s, 30)->id, "pidns-20-20");
	snapshot_done(&s);
	registry_free(r);
}

static void a_child_that_hides_in_a_host_cgroup_stays_its_parents(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) }, { 11, 10, HOST_TEXT, 1, 5 } };
	struct registry *r = registry_new("/nonexistent");
	struct snapshot s = make(made, 2);

	(void)state;
	identify(r, &s, NULL);
	assert_int_equal(registry_count(r), 1);
	assert_string_equal(container_of(r, &s, 11)->id, ID_A);
	snapshot_done(&s);
	registry_free(r);
}

static void contradicting_lines_are_unattributed_and_audited(void **state)
{
	const struct made made[] = { { 10, 1,
		"5:memory:/kubepods/burstable/pod" UID "/" ID_A "\n"
		"4:pids:/kubepods/burstable/pod66666666-2222-3333-4444-555555555555/" ID_B "\n" } };
	struct registry *r = registry_new("/nonexistent");
	struct snapshot s = make(made, 1);
	const struct container *c;

	(void)state;
	identify(r, &s, NULL);
	assert_int_equal(registry_count(r), 1);
	c = container_of(r, &s, 10);
	assert_true(c->unattributed);
	assert_int_equal(strncmp(c->id, "cgroup-", 7), 0);
	assert_int_equal(s.coverage.unattributed, 1);
	snapshot_done(&s);
	registry_free(r);
}

static void a_user_cannot_join_another_containers_entry(void **state)
{
#define USERS(id) \
	"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" id ".scope\n"
	const struct made first[] = { { 5, 1, USERS(ID_A) }, { 10, 1, POD(ID_A) },
		{ 20, 1, USERS(ID_B) } };
	struct registry *r = registry_new("/nonexistent");
	struct snapshot s = make(first, 3), again = make(first, 3);

	(void)state;
	for (int round = 0; round < 2; round++) {
		struct snapshot *now = round ? &again : &s;

		identify(r, now, round ? &s : NULL);
		assert_int_equal(registry_count(r), 3);
		assert_string_equal(container_of(r, now, 10)->id, ID_A);
		assert_string_equal(container_of(r, now, 10)->pod.uid, UID);
		assert_true(container_of(r, now, 5)->unattributed);
		assert_string_equal(container_of(r, now, 20)->id, ID_B);
		assert_false(snapshot_find(now, 10)->moved);
	}
	snapshot_done(&s);
	snapshot_done(&again);
	registry_free(r);
}

static void a_process_that_leaves_its_container_stays_with_it_as_moved(void **state)
{
	const struct made before[] = { { 10, 1, POD(ID_A) }, { 11, 10, POD(ID_A) },
		{ 12, 10, POD(ID_A) }, { 20, 1, POD(ID_B) } };
	const struct made after[] = { { 10, 1, POD(ID_A) }, { 11, 10, HOST_TEXT },
		{ 12, 10, POD(ID_B) }, { 20, 1, POD(ID_B) } };
	struct registry *r = registry_new("/nonexistent");
	struct snapshot one = make(before, 4), two = make(after, 4), three;

	(void)state;
	identify(r, &one, NULL);
	identify(r, &two, &one);
	assert_string_equal(container_of(r, &two, 11)->id, ID_A);
	assert_true(snapshot_find(&two, 11)->moved);
	assert_string_equal(container_of(r, &two, 12)->id, ID_A);
	assert_true(snapshot_find(&two, 12)->moved);
	assert_false(snapshot_find(&two, 10)->moved);

	/* and for as long as it is away */
	three = make(after, 4);
	identify(r, &three, &two);
	assert_string_equal(container_of(r, &three, 12)->id, ID_A);
	assert_true(snapshot_find(&three, 12)->moved);
	snapshot_done(&one);
	snapshot_done(&two);
	snapshot_done(&three);
	registry_free(r);
}

static void a_pid_that_is_used_again_has_not_moved(void **state)
{
	const struct made before[] = { { 11, 10, POD(ID_A) } };
	const struct made after[] = { { 11, 10, POD(ID_B), .start = 999 } };
	struct registry *r = registry_new("/nonexistent");
	struct snapshot one = make(before, 1), two = make(after, 1);

	(void)state;
	identify(r, &one, NULL);
	identify(r, &two, &one);
	assert_string_equal(container_of(r, &two, 11)->id, ID_B);
	assert_false(snapshot_find(&two, 11)->moved);
	assert_int_equal(registry_count(r), 1); /* the other is forgotten */
	snapshot_done(&one);
	snapshot_done(&two);
	registry_free(r);
}

static void a_runtimes_own_stage_may_move(void **state)
{
	const struct made before[] = { { 11, 5, POD(ID_A), .forked = true } };
	const struct made after[] = { { 11, 5, POD(ID_B), .forked = true } };
	struct registry *r = registry_new("/nonexistent");
	struct snapshot one = make(before, 1), two = make(after, 1);

	(void)state;
	identify(r, &one, NULL);
	identify(r, &two, &one);
	assert_false(snapshot_find(&two, 11)->moved);
	assert_string_equal(container_of(r, &two, 11)->id, ID_B);
	snapshot_done(&one);
	snapshot_done(&two);
	registry_free(r);
}

static void a_process_that_joins_its_cgroup_late_has_not_moved(void **state)
{
	const struct made before[] = { { 11, 5, HOST_TEXT, 1, 1 } };
	const struct made after[] = { { 11, 5, POD(ID_A) } };
	struct registry *r = registry_new("/nonexistent");
	struct snapshot one = make(before, 1), two = make(after, 1);

	(void)state;
	identify(r, &one, NULL);
	assert_string_equal(container_of(r, &one, 11)->id, "pidns-11-11");
	identify(r, &two, &one);
	assert_false(snapshot_find(&two, 11)->moved);
	assert_string_equal(container_of(r, &two, 11)->id, ID_A);
	snapshot_done(&one);
	snapshot_done(&two);
	registry_free(r);
}

static void containers_come_and_go_without_end(void **state)
{
	struct registry *r = registry_new("/nonexistent");
	struct snapshot previous = { 0 };

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		char text[2][256];
		struct made made[2] = { { 10, 1, text[0], .start = round + 1 },
			{ 11, 1, text[1], .start = round + 1 } };
		struct snapshot s;

		for (unsigned i = 0; i < 2; i++)
			(void)snprintf(text[i], sizeof(text[i]),
				"0::/kubepods/besteffort/pod" UID "/%064u\n", round * 2 + i);
		s = make(made, 2);
		identify(r, &s, &previous);
		assert_int_equal(registry_count(r), 2);
		snapshot_done(&previous);
		previous = s;
	}
	snapshot_done(&previous);
	registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_names_the_container_and_its_pod),
		cmocka_unit_test(a_pid_namespace_without_a_path_is_a_container),
		cmocka_unit_test(who_enters_a_namespace_from_outside_is_its_containers),
		cmocka_unit_test(a_child_that_hides_in_a_host_cgroup_stays_its_parents),
		cmocka_unit_test(contradicting_lines_are_unattributed_and_audited),
		cmocka_unit_test(a_user_cannot_join_another_containers_entry),
		cmocka_unit_test(a_process_that_leaves_its_container_stays_with_it_as_moved),
		cmocka_unit_test(a_pid_that_is_used_again_has_not_moved),
		cmocka_unit_test(a_runtimes_own_stage_may_move),
		cmocka_unit_test(a_process_that_joins_its_cgroup_late_has_not_moved),
		cmocka_unit_test(containers_come_and_go_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
