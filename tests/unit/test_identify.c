/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose a task is: made-up snapshots given to the registry, one after another; log directories laid
 * out in a temporary root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/identify.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ID_A	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B	  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define UID	  "11111111-2222-3333-4444-555555555555"
#define POD(id)	  "0::/kubepods/burstable/pod" UID "/" id "\n"
#define HOST_TEXT "0::/system.slice/sshd.service\n"

/* What a row does not mention is 0, on purpose. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct made {
	pid_t pid, ppid;
	const char *text;
	unsigned level; /* PID namespaces below the reader's */
	pid_t inner;	/* its pid there */
	bool forked;
	uint64_t start; /* default: pid */
};

static unsigned placement(struct snapshot *s, const char *text)
{
	struct placement *p;

	for (unsigned i = 0; i < s->placement_count; i++)
		if (s->placements[i].length == strlen(text) &&
			memcmp(s->placements[i].text, text, strlen(text)) == 0)
			return i;
	p = reallocarray(s->placements, s->placement_count + 1, sizeof(*p));
	assert_non_null(p);
	s->placements = p;
	p = &s->placements[s->placement_count];
	p->text = strdup(text);
	p->length = strlen(text);
	cgroup_parse(p->text, p->length, NULL, &p->identity);
	return (unsigned)s->placement_count++;
}

static struct snapshot make(const struct made *made, size_t count)
{
	struct snapshot s = { 0 };

	s.tasks = calloc(count + 1, sizeof(*s.tasks));
	assert_non_null(s.tasks);
	for (size_t i = 0; i < count; i++) {
		struct task *t = &s.tasks[s.task_count++];

		t->pid = t->tid = made[i].pid;
		t->ppid = made[i].ppid;
		t->start_ticks = made[i].start ? made[i].start : (uint64_t)made[i].pid;
		t->leader = true;
		t->forked = made[i].forked;
		t->runtime_stage = made[i].forked;
		t->namespace_level = made[i].level & 0xff;
		t->namespace_pid = made[i].inner;
		t->container = NO_CONTAINER;
		t->placement = placement(&s, made[i].text);
	}
	return s;
}

static const struct container *container_of(struct registry *r, const struct snapshot *s, pid_t pid)
{
	const struct task *t = snapshot_find(s, pid);

	assert_non_null(t);
	for (size_t i = 0; i < registry_count(r); i++) {
		const struct known_container *known = registry_at(r, i);

		for (size_t k = 0; k < known->task_count; k++)
			if (known->tasks[k] == t)
				return &known->container;
	}
	return NULL;
}

static void identify(struct registry *r, struct snapshot *s, const struct snapshot *previous)
{
	assert_int_equal(registry_identify(r, s, previous, 1000000), 0);
}

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

/* A root with the kubelet's log directories. */
static char root[] = "/tmp/capauditd-logs-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void make_folder(const char *path)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	assert_int_equal(mkdir(full, 0755), 0);
}

static int set_root(void **state)
{
	(void)state;
	memcpy(root + strlen(root) - 6, "XXXXXX", 6);
	assert_non_null(mkdtemp(root));
	make_folder("/var");
	make_folder("/var/log");
	make_folder("/var/log/containers");
	make_folder("/var/log/pods");
	return 0;
}

static int clear_root(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_link(const char *container, const char *id, const char *uid)
{
	char path[1024], target[1024];

	(void)snprintf(path, sizeof(path), "%s/var/log/containers/cart-7d4f_shop_%s-%s.log", root,
		container, id);
	(void)snprintf(
		target, sizeof(target), "/var/log/pods/shop_cart-7d4f_%s/%s/0.log", uid, container);
	assert_int_equal(symlink(target, path), 0);
}

static void log_directories_name_containers_and_tell_the_sandbox(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) }, { 20, 1, POD(ID_B) } };
	struct registry *r = registry_new(root);
	struct snapshot s = make(made, 2);
	const struct container *sandbox, *web;

	(void)state;
	make_folder("/var/log/pods/shop_cart-7d4f_" UID);
	make_link("web", ID_B, UID);
	identify(r, &s, NULL);
	web = container_of(r, &s, 20);
	assert_string_equal(web->name, "web");
	assert_string_equal(web->pod.namespace_name, "shop");
	assert_string_equal(web->pod.name, "cart-7d4f");
	assert_int_equal(web->type, CONTAINER_UNKNOWN);
	sandbox = container_of(r, &s, 10);
	assert_null(sandbox->name);
	assert_string_equal(sandbox->pod.name, "cart-7d4f");
	assert_int_equal(sandbox->type, CONTAINER_SANDBOX);
	snapshot_done(&s);
	registry_free(r);
}

static void who_comes_later_without_a_log_is_no_sandbox(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) }, { 20, 1, POD(ID_B) } };
	struct registry *r = registry_new(root);
	struct snapshot s = make(made, 2);

	(void)state;
	make_folder("/var/log/pods/shop_cart-7d4f_" UID);
	make_link("web", ID_A, UID); /* the earlier one has a log */
	identify(r, &s, NULL);
	assert_int_equal(container_of(r, &s, 20)->type, CONTAINER_UNKNOWN);
	snapshot_done(&s);
	registry_free(r);
}

static void a_link_that_names_another_pod_is_not_believed(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) } };
	struct registry *r = registry_new(root);
	struct snapshot s = make(made, 1);

	(void)state;
	make_link("web", ID_A, "99999999-2222-3333-4444-555555555555");
	identify(r, &s, NULL);
	assert_null(container_of(r, &s, 10)->name);
	snapshot_done(&s);
	registry_free(r);
}

static void a_name_that_comes_later_is_taken(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) } };
	struct registry *r = registry_new(root);
	struct snapshot one = make(made, 1), two = make(made, 1);

	(void)state;
	identify(r, &one, NULL);
	assert_null(container_of(r, &one, 10)->name);
	make_link("web", ID_A, UID);
	identify(r, &two, &one);
	assert_string_equal(container_of(r, &two, 10)->name, "web");
	snapshot_done(&one);
	snapshot_done(&two);
	registry_free(r);
}

static unsigned complaints;

static void count_complaint(void *data, const char *sentence)
{
	(void)data;
	(void)sentence;
	complaints++;
}

static void a_source_that_cannot_be_read_is_said_once(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) } };
	struct registry *r = registry_new("/nonexistent");
	struct snapshot s = make(made, 1);

	(void)state;
	complaints = 0;
	identify(r, &s, NULL);
	registry_complain(r, count_complaint, NULL);
	registry_complain(r, count_complaint, NULL);
	assert_int_equal(complaints, 1);
	snapshot_done(&s);
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
		cmocka_unit_test_setup_teardown(
			log_directories_name_containers_and_tell_the_sandbox, set_root, clear_root),
		cmocka_unit_test_setup_teardown(
			who_comes_later_without_a_log_is_no_sandbox, set_root, clear_root),
		cmocka_unit_test_setup_teardown(
			a_link_that_names_another_pod_is_not_believed, set_root, clear_root),
		cmocka_unit_test_setup_teardown(
			a_name_that_comes_later_is_taken, set_root, clear_root),
		cmocka_unit_test(a_source_that_cannot_be_read_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
