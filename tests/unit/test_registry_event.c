/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose a task is that an event told of between two passes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "identify_fixture.h"

#include "../support/fail_allocation.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000)

static char root[] = "/tmp/capauditd-logs-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int set_root(void **state)
{
	static const char *const folders[] = { "/var", "/var/log", "/var/log/containers",
		"/var/log/pods" };
	char path[512];

	(void)state;
	memcpy(root + strlen(root) - 6, "XXXXXX", 6);
	if (!mkdtemp(root))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", root, folders[i]);
		if (mkdir(path, 0755) < 0)
			return -1;
	}
	return 0;
}

static int clear_root(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void name_container(const char *id)
{
	char path[1024];

	(void)snprintf(
		path, sizeof(path), "%s/var/log/containers/cart-7d4f_shop_web-%s.log", root, id);
	assert_int_equal(symlink("/var/log/pods/shop_cart-7d4f_" UID "/web/0.log", path), 0);
}

static const struct namespace_init no_init; /* it is not known */

/* An event's task and its placement, apart from any snapshot. */
static int take(struct registry *r, const struct snapshot *last, const struct made *made,
	uint64_t now_us, struct task *ret_task, struct known_container **ret)
{
	struct snapshot alone = make(made, 1);
	int result;

	*ret_task = alone.tasks[0];
	result =
		registry_take_event(r, ret_task, &alone.placements[0], &no_init, last, now_us, ret);
	snapshot_done(&alone);
	return result;
}

static void a_task_of_a_known_container_is_its(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) } }, event = { 20, 10, POD(ID_A) };
	struct registry *r = registry_new(root);
	struct snapshot s = make(made, 1);
	struct known_container *known = NULL;
	struct task task;

	(void)state;
	identify(r, &s, NULL);
	assert_int_equal(take(r, &s, &event, 2 * SECOND, &task, &known), 0);
	assert_ptr_equal(known, registry_known(r, ID_A));
	assert_int_equal(task.container, s.tasks[0].container);
	assert_false(task.moved);
	assert_int_equal(registry_count(r), 1);
	assert_int_equal(known->task_count, 1); /* of the snapshot, as before */
	snapshot_done(&s);
	registry_free(r);
}

static void a_new_container_is_named_at_once(void **state)
{
	const struct made event = { 20, 10, POD(ID_A) };
	struct registry *r = registry_new(root);
	struct snapshot s = make(NULL, 0);
	struct known_container *known;
	struct task task;

	(void)state;
	identify(r, &s, NULL);
	name_container(ID_A);
	assert_int_equal(take(r, &s, &event, 2 * SECOND, &task, &known), 0);
	assert_string_equal(known->container.id, ID_A);
	assert_string_equal(known->container.name, "web");
	assert_string_equal(known->container.pod.name, "cart-7d4f");
	assert_string_equal(known->container.pod.uid, UID);
	assert_int_equal(known->first_seen_us, 2 * SECOND);
	assert_ptr_equal(registry_numbered(r, task.container), known);
	snapshot_done(&s);
	registry_free(r);
}

static void a_storm_of_events_asks_the_sources_ten_times_a_second_at_most(void **state)
{
	const struct made event = { 20, 10, POD(ID_A) };
	struct registry *r = registry_new(root);
	struct snapshot s = make(NULL, 0);
	struct known_container *known;
	struct task task;

	(void)state;
	identify(r, &s, NULL);
	assert_int_equal(take(r, &s, &event, 2 * SECOND, &task, &known), 0);
	assert_null(known->container.name);
	name_container(ID_A);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(take(r, &s, &event, 2 * SECOND + i * 999, &task, &known), 0);
		assert_null(known->container.name);
	}
	assert_int_equal(take(r, &s, &event, 2 * SECOND + 100000, &task, &known), 0);
	assert_string_equal(known->container.name, "web");
	assert_int_equal(registry_count(r), 1); /* shown once */
	snapshot_done(&s);
	registry_free(r);
}

static void what_the_next_pass_does_not_see_is_forgotten(void **state)
{
	const struct made event = { 20, 10, POD(ID_A) };
	struct registry *r = registry_new(root);
	struct snapshot s = make(NULL, 0), next = make(NULL, 0);
	struct known_container *known;
	struct task task;

	(void)state;
	identify(r, &s, NULL);
	assert_int_equal(take(r, &s, &event, 2 * SECOND, &task, &known), 0);
	identify(r, &next, &s);
	assert_int_equal(registry_count(r), 0);
	assert_null(registry_numbered(r, task.container));
	assert_int_equal(next.coverage.containers, 0);
	assert_int_equal(next.coverage.pods, 0);
	snapshot_done(&s);
	snapshot_done(&next);
	registry_free(r);
}

static void what_the_next_pass_sees_keeps_what_was_learned_of_it(void **state)
{
	const struct made event = { 20, 10, POD(ID_A) }, later[] = { { 20, 10, POD(ID_A) } };
	struct registry *r = registry_new(root);
	struct snapshot s = make(NULL, 0), next = make(later, 1);
	struct known_container *known, *again;
	struct task task;

	(void)state;
	identify(r, &s, NULL);
	name_container(ID_A);
	assert_int_equal(take(r, &s, &event, 2 * SECOND, &task, &known), 0);
	known->reference = (struct reference){ .known = true, .granted = 5, .pid = 20 };
	identify(r, &next, &s);
	again = registry_known(r, ID_A);
	assert_ptr_equal(again, known);
	assert_true(again->reference.known);
	assert_int_equal(again->reference.granted, 5);
	assert_string_equal(again->container.name, "web");
	assert_int_equal(next.tasks[0].container, task.container);
	assert_int_equal(next.coverage.containers, 1);
	assert_int_equal(next.coverage.pods, 1);
	snapshot_done(&s);
	snapshot_done(&next);
	registry_free(r);
}

static void who_was_in_a_container_stays_its_wherever_it_is_now(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) }, { 20, 1, POD(ID_B) } };
	const struct made out = { 10, 1, HOST_TEXT }, over = { 10, 1, POD(ID_B) };
	const struct made reused = { 10, 1, HOST_TEXT, .start = 77 };
	struct registry *r = registry_new(root);
	struct snapshot s = make(made, 2);
	struct known_container *known;
	struct task task;

	(void)state;
	identify(r, &s, NULL);
	assert_int_equal(take(r, &s, &out, 2 * SECOND, &task, &known), 0);
	assert_string_equal(known->container.id, ID_A);
	assert_true(task.moved);
	assert_int_equal(take(r, &s, &over, 2 * SECOND, &task, &known), 0);
	assert_string_equal(known->container.id, ID_A);
	assert_true(task.moved);
	/* Another process with its number is nobody's. */
	assert_int_equal(take(r, &s, &reused, 2 * SECOND, &task, &known), -ENOENT);
	snapshot_done(&s);
	registry_free(r);
}

static void the_hosts_programs_are_nobodys(void **state)
{
	const struct made made[] = { { 10, 1, HOST_TEXT } }, event = { 20, 10, HOST_TEXT };
	struct registry *r = registry_new(root);
	struct snapshot s = make(made, 1);
	struct known_container *known = NULL;
	struct task task;

	(void)state;
	identify(r, &s, NULL);
	assert_int_equal(take(r, &s, &event, 2 * SECOND, &task, &known), -ENOENT);
	assert_null(known);
	assert_int_equal(task.container, NO_CONTAINER);
	snapshot_done(&s);
	registry_free(r);
}

static void a_pid_namespace_without_a_name_is_its_parents_or_begins_one(void **state)
{
	const struct made made[] = { { 10, 1, HOST_TEXT, 1, 1 }, { 30, 1, HOST_TEXT } };
	const struct made child = { 11, 10, HOST_TEXT, 1, 2 };
	const struct made first = { 31, 30, HOST_TEXT, 1, 1 };
	struct registry *r = registry_new(root);
	struct snapshot s = make(made, 2), next;
	struct known_container *known, *mine;
	const struct made later[] = { made[0], made[1], first };
	struct task task;

	(void)state;
	identify(r, &s, NULL);
	assert_int_equal(take(r, &s, &child, 2 * SECOND, &task, &known), 0);
	assert_string_equal(known->container.id, "pidns-10-10");
	assert_int_equal(take(r, &s, &first, 2 * SECOND, &task, &mine), 0);
	assert_string_equal(mine->container.id, "pidns-31-31");
	mine->reference.known = true;
	/* As the next pass has it. */
	next = make(later, 3);
	identify(r, &next, &s);
	assert_true(registry_known(r, "pidns-31-31")->reference.known);
	assert_int_equal(snapshot_find(&next, 31)->container, task.container);
	snapshot_done(&s);
	snapshot_done(&next);
	registry_free(r);
}

static void what_contradicts_itself_is_audited_as_nobodys(void **state)
{
	const struct made event = { 20, 10, "2:a:/docker/" ID_A "\n0::/docker/" ID_B "\n" };
	const struct made unreadable = { 21, 10, "unreadable\n" };
	struct registry *r = registry_new(root);
	struct snapshot s = make(NULL, 0);
	struct known_container *known;
	struct task task;

	(void)state;
	identify(r, &s, NULL);
	assert_int_equal(take(r, &s, &event, 2 * SECOND, &task, &known), 0);
	assert_true(known->container.unattributed);
	assert_int_equal(take(r, &s, &unreadable, 2 * SECOND, &task, &known), 0);
	assert_true(known->container.unattributed);
	snapshot_done(&s);
	registry_free(r);
}

static void out_of_memory_leaves_the_registry_usable(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) } }, event = { 20, 10, POD(ID_B) };

	(void)state;
	name_container(ID_B);
	for (unsigned long n = 1;; n++) {
		struct registry *r = registry_new(root);
		struct snapshot s = make(made, 1), alone = make(&event, 1);
		struct known_container *known;
		bool fired;
		int result;

		identify(r, &s, NULL);
		fail_allocation_at(n);
		result = registry_take_event(
			r, &alone.tasks[0], &alone.placements[0], &no_init, &s, 2 * SECOND, &known);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		assert_true(result == 0 || (fired && result == -ENOMEM));
		assert_int_equal(registry_take_event(r, &alone.tasks[0], &alone.placements[0],
					 &no_init, &s, 3 * SECOND, &known),
			0);
		assert_string_equal(known->container.id, ID_B);
		assert_string_equal(
			known->container.cgroup, "/kubepods/burstable/pod" UID "/" ID_B);
		assert_string_equal(known->container.name, "web");
		snapshot_done(&alone);
		snapshot_done(&s);
		registry_free(r);
		if (!fired)
			break;
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_root, clear_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_task_of_a_known_container_is_its),
		TEST(a_new_container_is_named_at_once),
		TEST(a_storm_of_events_asks_the_sources_ten_times_a_second_at_most),
		TEST(what_the_next_pass_does_not_see_is_forgotten),
		TEST(what_the_next_pass_sees_keeps_what_was_learned_of_it),
		TEST(who_was_in_a_container_stays_its_wherever_it_is_now),
		TEST(the_hosts_programs_are_nobodys),
		TEST(a_pid_namespace_without_a_name_is_its_parents_or_begins_one),
		TEST(what_contradicts_itself_is_audited_as_nobodys),
		TEST(out_of_memory_leaves_the_registry_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
