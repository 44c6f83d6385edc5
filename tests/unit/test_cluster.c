/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is kept of the Kubernetes API's answers: lists that replace, events that change, and what a
 * reader holds meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/cluster.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/fail_allocation.h"

static struct pod_record *make_pod(const char *uid, const char *name, const char *rest)
{
	struct pod_record *pod;
	char text[1024];

	(void)snprintf(text, sizeof(text),
		"{\"metadata\":{\"name\":\"%s\",\"namespace\":\"shop\",\"uid\":\"%s\"%s}}", name,
		uid, rest);
	assert_int_equal(pod_record_parse(text, strlen(text), &pod), 0);
	return pod;
}

static struct namespace_record *make_namespace(const char *name, const char *label)
{
	struct namespace_record *record;
	char text[256];

	(void)snprintf(text, sizeof(text),
		"{\"metadata\":{\"name\":\"%s\",\"labels\":{\"l\":\"%s\"}}}", name, label);
	assert_int_equal(namespace_record_parse(text, strlen(text), &record), 0);
	return record;
}

static void a_list_replaces_what_was_known(void **state)
{
	struct cluster *c = cluster_new();

	(void)state;
	assert_false(cluster_knows_pods(c));
	cluster_begin_pods(c);
	assert_int_equal(cluster_put_pod_take(c, make_pod("u1", "a", "")), 0);
	assert_int_equal(cluster_put_pod_take(c, make_pod("u2", "b", "")), 0);
	assert_false(cluster_knows_pods(c));
	cluster_end_pods(c);
	assert_true(cluster_knows_pods(c));
	assert_false(cluster_knows_namespaces(c));
	cluster_begin_pods(c);
	assert_int_equal(cluster_put_pod_take(c, make_pod("u2", "b", "")), 0);
	assert_int_equal(cluster_put_pod_take(c, make_pod("u3", "c", "")), 0);
	cluster_end_pods(c);
	assert_int_equal(cluster_pod_count(c), 2);
	assert_null(cluster_find_pod(c, "u1"));
	assert_non_null(cluster_find_pod(c, "u2"));
	assert_non_null(cluster_find_pod_named(c, "shop", "c"));
	assert_null(cluster_find_pod_named(c, "shop", "a"));
	assert_null(cluster_find_pod_named(c, "other", "c"));
	cluster_free(c);
}

/* The server's answer broke off: the next list is begun anew. */
static void a_list_that_failed_removes_nothing(void **state)
{
	struct cluster *c = cluster_new();

	(void)state;
	cluster_begin_pods(c);
	assert_int_equal(cluster_put_pod_take(c, make_pod("u1", "a", "")), 0);
	assert_int_equal(cluster_put_pod_take(c, make_pod("u2", "b", "")), 0);
	cluster_end_pods(c);
	cluster_begin_pods(c);
	assert_int_equal(cluster_put_pod_take(c, make_pod("u1", "a", "")), 0);
	cluster_begin_pods(c);
	assert_int_equal(cluster_pod_count(c), 2);
	assert_int_equal(cluster_put_pod_take(c, make_pod("u2", "b", "")), 0);
	cluster_end_pods(c);
	assert_int_equal(cluster_pod_count(c), 1);
	assert_non_null(cluster_find_pod(c, "u2"));
	cluster_free(c);
}

static const struct {
	const char *rest;
	bool changes;
} versions[] = {
	{ "", false },
	{ ",\"resourceVersion\":\"77\"", false },
	{ ",\"annotations\":{\"seen\":\"now\"}", false },
	{ ",\"labels\":{\"app\":\"web\"}", true },
	{ ",\"labels\":{\"app\":\"web\"}", false },
	{ ",\"labels\":{\"app\":\"db\"}", true },
	{ ",\"ownerReferences\":[{\"kind\":\"Job\",\"name\":\"j\",\"controller\":true}]", true },
};

static void the_version_changes_with_what_matters_alone(void **state)
{
	struct cluster *c = cluster_new();
	uint64_t version;

	(void)state;
	cluster_begin_pods(c);
	assert_int_equal(cluster_put_pod_take(c, make_pod("u1", "a", "")), 0);
	cluster_end_pods(c);
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		version = cluster_version(c);
		assert_int_equal(cluster_put_pod_take(c, make_pod("u1", "a", versions[i].rest)), 0);
		if ((cluster_version(c) != version) != versions[i].changes)
			fail_msg("row %zu", i);
	}
	version = cluster_version(c);
	cluster_remove_pod(c, "nobody");
	cluster_remove_namespace(c, "nobody");
	assert_true(cluster_version(c) == version);
	cluster_remove_pod(c, "u1");
	assert_true(cluster_version(c) != version);

	assert_int_equal(cluster_put_namespace_take(c, make_namespace("shop", "1")), 0);
	version = cluster_version(c);
	assert_int_equal(cluster_put_namespace_take(c, make_namespace("shop", "1")), 0);
	assert_true(cluster_version(c) == version);
	assert_int_equal(cluster_put_namespace_take(c, make_namespace("shop", "2")), 0);
	assert_true(cluster_version(c) != version);
	cluster_free(c);
}

static void who_holds_a_record_keeps_it(void **state)
{
	struct cluster *c = cluster_new();
	struct pod_record *pod;
	struct namespace_record *namespace;

	(void)state;
	assert_int_equal(cluster_put_pod_take(c, make_pod("u1", "a", "")), 0);
	assert_int_equal(cluster_put_namespace_take(c, make_namespace("shop", "1")), 0);
	pod = pod_record_ref(cluster_find_pod(c, "u1"));
	namespace = namespace_record_ref(cluster_find_namespace(c, "shop"));
	cluster_remove_pod(c, "u1");
	cluster_remove_namespace(c, "shop");
	cluster_free(c);
	assert_string_equal(pod->name, "a");
	assert_string_equal(namespace->labels[0].value, "1");
	pod_record_unref(pod);
	namespace_record_unref(namespace);
}

#define HASH "0a77940c6dfc1730d60de34c7cbd2995"

static void a_static_pod_is_found_by_its_hash(void **state)
{
	static const char mirror[] =
		",\"annotations\":{\"kubernetes.io/config.hash\":\"" HASH
		"\",\"kubernetes.io/config.mirror\":\"" HASH "\"},\"ownerReferences\":"
		"[{\"kind\":\"Node\",\"name\":\"n\",\"controller\":true}]";
	struct cluster *c = cluster_new();

	(void)state;
	assert_int_equal(cluster_put_pod_take(c, make_pod("u1", "first", mirror)), 0);
	assert_int_equal(cluster_put_pod_take(c, make_pod("u2", "second", mirror)), 0);
	assert_string_equal(cluster_find_pod(c, HASH)->name, "first");
	assert_string_equal(cluster_find_pod(c, "u2")->name, "second");
	assert_null(cluster_find_pod(c, "1a77940c6dfc1730d60de34c7cbd2995"));
	assert_null(cluster_find_pod(c, ""));
	cluster_free(c);
}

static void what_exceeds_the_cap_is_counted(void **state)
{
	struct cluster *c = cluster_new();
	char name[32];

	(void)state;
	for (unsigned i = 0; i < CLUSTER_PODS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "u%u", i);
		assert_int_equal(cluster_put_pod_take(c, make_pod(name, name, "")), 0);
	}
	assert_int_equal(cluster_put_pod_take(c, make_pod("more", "more", "")), -ENOSPC);
	assert_int_equal(cluster_dropped(c), 1);
	/* One that is there already may still change. */
	assert_int_equal(
		cluster_put_pod_take(c, make_pod("u7", "u7", ",\"labels\":{\"a\":\"b\"}")), 0);
	assert_int_equal(cluster_pod_count(c), CLUSTER_PODS_MAX);
	cluster_free(c);
}

static void putting_fails_for_want_of_memory_and_keeps_the_rest(void **state)
{
	(void)state;
	for (unsigned long n = 1;; n++) {
		struct cluster *c = cluster_new();
		struct pod_record *one = make_pod("u1", "a", ""), *two = make_pod("u2", "b", "");
		struct namespace_record *namespace = make_namespace("shop", "1");
		bool fired;
		int r;

		assert_non_null(c);
		fail_allocation_at(n);
		r = cluster_put_pod_take(c, one);
		if (r == 0)
			r = cluster_put_pod_take(c, two);
		else
			pod_record_unref(two);
		if (r == 0)
			r = cluster_put_namespace_take(c, namespace);
		else
			namespace_record_unref(namespace);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		cluster_free(c);
		if (!fired) {
			assert_int_equal(r, 0);
			return;
		}
		assert_int_equal(r, -ENOMEM);
	}
}

/* Whatever is not found may be among what is left out; a verdict depends on that. */
static void what_is_left_out_is_remembered_until_a_whole_list(void **state)
{
	_cleanup_(cluster_freep) struct cluster *c = cluster_new();
	uint64_t version;

	(void)state;
	assert_non_null(c);
	cluster_begin_pods(c);
	cluster_lose_pod(c);
	cluster_end_pods(c);
	assert_true(cluster_lacks_pods(c));
	assert_false(cluster_lacks_namespaces(c));
	version = cluster_version(c);
	cluster_lose_pod(c);
	assert_int_equal(cluster_version(c), version);
	/* A list that fails proves nothing; one that is read does. */
	cluster_begin_pods(c);
	assert_true(cluster_lacks_pods(c));
	cluster_begin_pods(c);
	cluster_end_pods(c);
	assert_false(cluster_lacks_pods(c));
	assert_true(cluster_version(c) != version);
	version = cluster_version(c);
	cluster_begin_namespaces(c);
	cluster_end_namespaces(c);
	cluster_lose_namespace(c);
	assert_true(cluster_lacks_namespaces(c));
	assert_false(cluster_lacks_pods(c));
	assert_true(cluster_version(c) != version);
	cluster_begin_namespaces(c);
	cluster_end_namespaces(c);
	assert_false(cluster_lacks_namespaces(c));
}

static void a_pod_that_has_run_takes_the_place_of_one_that_has_not_which_is_left_out(void **state)
{
	static const char ran[] =
		"{\"metadata\":{\"name\":\"r\",\"namespace\":\"shop\",\"uid\":\"r\"},\"spec\":"
		"{\"containers\":[{\"name\":\"c\"}]},\"status\":{\"containerStatuses\":[{\"name\":"
		"\"c\",\"containerID\":\"containerd://1\"}]}}";
	_cleanup_(cluster_freep) struct cluster *c = cluster_new();
	struct pod_record *pod;
	char name[32];

	(void)state;
	for (unsigned i = 0; i < CLUSTER_PODS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "u%u", i);
		assert_int_equal(cluster_put_pod_take(c, make_pod(name, name, "")), 0);
	}
	assert_false(cluster_lacks_pods(c));
	assert_int_equal(pod_record_parse(ran, strlen(ran), &pod), 0);
	assert_int_equal(cluster_put_pod_take(c, pod), 0);
	assert_non_null(cluster_find_pod(c, "r"));
	assert_int_equal(cluster_pod_count(c), CLUSTER_PODS_MAX);
	assert_true(cluster_lacks_pods(c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_replaces_what_was_known),
		cmocka_unit_test(a_list_that_failed_removes_nothing),
		cmocka_unit_test(the_version_changes_with_what_matters_alone),
		cmocka_unit_test(who_holds_a_record_keeps_it),
		cmocka_unit_test(a_static_pod_is_found_by_its_hash),
		cmocka_unit_test(what_exceeds_the_cap_is_counted),
		cmocka_unit_test(putting_fails_for_want_of_memory_and_keeps_the_rest),
		cmocka_unit_test(what_is_left_out_is_remembered_until_a_whole_list),
		cmocka_unit_test(
			a_pod_that_has_run_takes_the_place_of_one_that_has_not_which_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
