/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is found where several pods want to be: by a static pod's hash, by a name, and where there is
 * no room for all.
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
#include "../support/under_valgrind.h"

#define HASH "0a77940c6dfc1730d60de34c7cbd2995"
#define MIRROR(hash)                                                              \
	",\"annotations\":{\"kubernetes.io/config.hash\":\"" hash                 \
	"\",\"kubernetes.io/config.mirror\":\"" hash "\"},\"ownerReferences\":[{" \
	"\"kind\":\"Node\",\"name\":\"n\",\"controller\":true}]"
#define LABEL(value) ",\"labels\":{\"l\":\"" value "\"}"

static struct pod_record *make(
	const char *uid, const char *name, const char *metadata, const char *id)
{
	struct pod_record *pod = NULL;
	_cleanup_free_ char *text = NULL;

	assert_true(
		asprintf(&text,
			"{\"metadata\":{\"name\":\"%s\",\"namespace\":\"shop\",\"uid\":\"%s\"%s},"
			"\"spec\":{\"containers\":[{\"name\":\"c\"}]},\"status\":{"
			"\"containerStatuses\":[{\"name\":\"c\",\"containerID\":\"%s\"}]}}",
			name, uid, metadata, id) > 0);
	assert_int_equal(pod_record_parse(text, strlen(text), &pod), 0);
	return pod;
}

static void put(struct cluster *c, const char *uid, const char *name, const char *metadata)
{
	assert_int_equal(cluster_put_pod_take(c, make(uid, name, metadata, "")), 0);
}

static const char *holder(const struct cluster *c)
{
	const struct pod_record *pod = cluster_find_pod(c, HASH);

	return pod ? pod->uid : "nobody";
}

static void the_first_who_claims_a_hash_keeps_it_however_it_changes(void **state)
{
	_cleanup_(cluster_freep) struct cluster *c = cluster_new();

	(void)state;
	put(c, "true", "a", MIRROR(HASH));
	put(c, "forged", "b", MIRROR(HASH));
	assert_string_equal(holder(c), "true");
	put(c, "true", "a", MIRROR(HASH) LABEL("new"));
	put(c, "forged", "b", MIRROR(HASH) LABEL("new"));
	assert_string_equal(holder(c), "true");
	/* A list in which the other stands first. */
	cluster_begin_pods(c);
	put(c, "forged", "b", MIRROR(HASH) LABEL("newer"));
	put(c, "true", "a", MIRROR(HASH) LABEL("newer"));
	cluster_end_pods(c);
	assert_string_equal(holder(c), "true");
	assert_string_equal(cluster_find_pod(c, "forged")->name, "b");
}

static void a_hash_passes_on_when_its_holder_is_gone(void **state)
{
	_cleanup_(cluster_freep) struct cluster *c = cluster_new();

	(void)state;
	put(c, "forged", "b", MIRROR(HASH));
	put(c, "true", "a", MIRROR(HASH));
	put(c, "other", "c", MIRROR("1a77940c6dfc1730d60de34c7cbd2995"));
	assert_string_equal(holder(c), "forged");
	cluster_remove_pod(c, "forged"); /* the kubelet does that */
	assert_string_equal(holder(c), "true");
	/* The same where a list lacks it, */
	put(c, "second", "d", MIRROR(HASH));
	cluster_begin_pods(c);
	put(c, "second", "d", MIRROR(HASH));
	cluster_end_pods(c);
	assert_string_equal(holder(c), "second");
	/* where it is a mirror no more, and where its manifest changes. */
	put(c, "third", "e", MIRROR(HASH));
	put(c, "second", "d", "");
	assert_string_equal(holder(c), "third");
	put(c, "third", "e", MIRROR("2a77940c6dfc1730d60de34c7cbd2995"));
	assert_string_equal(holder(c), "nobody");
	assert_string_equal(cluster_find_pod(c, "2a77940c6dfc1730d60de34c7cbd2995")->uid, "third");
	cluster_remove_pod(c, "third");
	assert_null(cluster_find_pod(c, "2a77940c6dfc1730d60de34c7cbd2995"));
}

/* A mirror that was deleted and made again, seen by a list before anybody said that it was gone. */
static void a_name_is_one_pod_s_at_a_time(void **state)
{
	_cleanup_(cluster_freep) struct cluster *c = cluster_new();

	(void)state;
	put(c, "old", "a", MIRROR(HASH));
	put(c, "new", "a", MIRROR(HASH));
	assert_string_equal(holder(c), "new");
	assert_string_equal(cluster_find_pod_named(c, "shop", "a")->uid, "new");
	assert_null(cluster_find_pod(c, "old"));
	assert_int_equal(cluster_pod_count(c), 1);
	cluster_remove_pod(c, "old");
	assert_string_equal(cluster_find_pod_named(c, "shop", "a")->uid, "new");
}

static void a_new_container_id_is_news_and_an_equal_record_is_none(void **state)
{
	_cleanup_(cluster_freep) struct cluster *c = cluster_new();
	const struct pod_record *kept;
	uint64_t version;

	(void)state;
	put(c, "u", "a", "");
	version = cluster_version(c);
	assert_int_equal(cluster_put_pod_take(c, make("u", "a", "", "containerd://1")), 0);
	assert_true(cluster_version(c) != version);
	version = cluster_version(c);
	kept = cluster_find_pod(c, "u");
	assert_int_equal(cluster_put_pod_take(c, make("u", "a", "", "containerd://1")), 0);
	assert_true(cluster_version(c) == version);
	assert_ptr_equal(cluster_find_pod(c, "u"), kept);
}

static void pods_that_never_ran_give_way_to_one_that_did(void **state)
{
	_cleanup_(cluster_freep) struct cluster *c = cluster_new();
	char uid[POD_UID_SIZE];

	(void)state;
	put(c, "first", "first", "");
	for (unsigned i = 1; i < CLUSTER_PODS_MAX; i++) {
		(void)snprintf(uid, sizeof(uid), "u%u", i);
		assert_int_equal(cluster_put_pod_take(c, make(uid, uid, "", "containerd://1")), 0);
	}
	assert_int_equal(cluster_put_pod_take(c, make("idle", "idle", "", "")), -ENOSPC);
	assert_int_equal(cluster_dropped(c), 1);
	assert_non_null(cluster_find_pod(c, "first"));
	assert_int_equal(cluster_put_pod_take(c, make("runs", "runs", "", "containerd://1")), 0);
	assert_int_equal(cluster_dropped(c), 2);
	assert_null(cluster_find_pod(c, "first"));
	assert_non_null(cluster_find_pod(c, "runs"));
	/* Nobody is left who never ran. */
	assert_int_equal(
		cluster_put_pod_take(c, make("more", "more", "", "containerd://1")), -ENOSPC);
	assert_int_equal(cluster_dropped(c), 3);
	assert_int_equal(cluster_pod_count(c), CLUSTER_PODS_MAX);
}

/* As large as an object may be that is parsed. */
static char *make_large(const char *name)
{
	static const char padding[1001] = { [0 ... 999] = 'x' };
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	(void)fprintf(to,
		"{\"metadata\":{\"name\":\"%s\",\"namespace\":\"n\",\"uid\":\"%s\",\"labels\":{",
		name, name);
	for (unsigned i = 0; i < 200; i++)
		(void)fprintf(to, "%s\"%u\":\"%s\"", i ? "," : "", i, padding);
	(void)fprintf(to, "}}}");
	assert_int_equal(fclose(to), 0);
	return text;
}

/* How many of them there is room for, up to 200. */
static unsigned put_large(struct cluster *c, bool pods)
{
	for (unsigned i = 0; i < 200; i++) {
		_cleanup_free_ char *text = NULL;
		struct namespace_record *namespace;
		struct pod_record *pod;
		char name[16];
		int r;

		(void)snprintf(name, sizeof(name), "n%u", i);
		text = make_large(name);
		if (pods) {
			assert_int_equal(pod_record_parse(text, strlen(text), &pod), 0);
			r = cluster_put_pod_take(c, pod);
		} else {
			assert_int_equal(namespace_record_parse(text, strlen(text), &namespace), 0);
			r = cluster_put_namespace_take(c, namespace);
		}
		if (r == -ENOSPC)
			return i;
		assert_int_equal(r, 0);
	}
	return 200;
}

static void the_memory_of_all_records_is_bounded(void **state)
{
	(void)state;
	/* Namespaces and pods. */
	for (unsigned pods = 0; pods < under_valgrind(2, 1); pods++) {
		_cleanup_(cluster_freep) struct cluster *c = cluster_new();
		unsigned first = put_large(c, pods);

		assert_in_range(first, CLUSTER_BYTES_MAX / 220000, CLUSTER_BYTES_MAX / 200000);
		assert_int_equal(cluster_dropped(c), 1);
		assert_int_equal(cluster_pod_count(c) + cluster_namespace_count(c), first);
		/* The same again needs no room, and what is removed gives its own back. */
		assert_int_equal(put_large(c, pods), first);
		cluster_begin_pods(c);
		cluster_end_pods(c);
		cluster_begin_namespaces(c);
		cluster_end_namespaces(c);
		assert_int_equal(put_large(c, pods), first);
		cluster_remove_pod(c, "n3");
		cluster_remove_namespace(c, "n3");
		assert_int_equal(put_large(c, pods), first);
	}
}

static struct namespace_record *make_namespace(const char *label)
{
	struct namespace_record *record = NULL;
	_cleanup_free_ char *text = NULL;

	assert_true(asprintf(&text, "{\"metadata\":{\"name\":\"shop\",\"labels\":{\"l\":\"%s\"}}}",
			    label) > 0);
	assert_int_equal(namespace_record_parse(text, strlen(text), &record), 0);
	return record;
}

/* One that is there and changes: the old one is there until the new one is. */
static void a_put_that_fails_takes_nothing_away(void **state)
{
	unsigned long failed = 0;

	(void)state;
	for (unsigned long n = 1;; n++) {
		_cleanup_(cluster_freep) struct cluster *c = cluster_new();
		struct pod_record *changed = make("u1", "a", MIRROR(HASH) LABEL("2"), "");
		struct pod_record *added = make("u2", "b", MIRROR(HASH), "");
		struct namespace_record *namespace = make_namespace("2");
		int of_changed, of_added, of_namespace;
		bool fired;

		put(c, "u1", "a", MIRROR(HASH) LABEL("1"));
		assert_int_equal(cluster_put_namespace_take(c, make_namespace("1")), 0);
		fail_allocation_at(n);
		of_changed = cluster_put_pod_take(c, changed);
		of_added = cluster_put_pod_take(c, added);
		of_namespace = cluster_put_namespace_take(c, namespace);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		assert_int_equal(of_changed, 0);
		assert_int_equal(of_namespace, 0);
		assert_true(of_added == 0 || of_added == -ENOMEM);
		assert_int_equal(cluster_pod_count(c), of_added == 0 ? 2 : 1);
		assert_true((cluster_find_pod(c, "u2") != NULL) == (of_added == 0));
		assert_true((cluster_find_pod_named(c, "shop", "b") != NULL) == (of_added == 0));
		assert_string_equal(holder(c), "u1");
		assert_string_equal(cluster_find_pod(c, "u1")->labels[0].value, "2");
		assert_string_equal(cluster_find_namespace(c, "shop")->labels[0].value, "2");
		failed += of_added < 0;
		if (!fired)
			break;
	}
	assert_true(failed > 1);
}

/* With nothing there yet every part of adding can fail, and leaves nothing behind. */
static void a_first_pod_is_added_whole_or_not_at_all(void **state)
{
	unsigned long failed = 0;

	(void)state;
	for (unsigned long n = 1;; n++) {
		_cleanup_(cluster_freep) struct cluster *c = cluster_new();
		struct pod_record *pod = make("u1", "a", MIRROR(HASH), "");
		bool fired;
		int r;

		fail_allocation_at(n);
		r = cluster_put_pod_take(c, pod);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		assert_true(r == 0 || r == -ENOMEM);
		assert_int_equal(cluster_pod_count(c), r == 0);
		assert_true((cluster_find_pod(c, "u1") != NULL) == (r == 0));
		assert_true((cluster_find_pod(c, HASH) != NULL) == (r == 0));
		assert_true((cluster_find_pod_named(c, "shop", "a") != NULL) == (r == 0));
		failed += r < 0;
		/* And is added when it is tried again. */
		put(c, "u1", "a", MIRROR(HASH));
		assert_string_equal(holder(c), "u1");
		if (!fired)
			break;
	}
	assert_true(failed >= 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_who_claims_a_hash_keeps_it_however_it_changes),
		cmocka_unit_test(a_hash_passes_on_when_its_holder_is_gone),
		cmocka_unit_test(a_name_is_one_pod_s_at_a_time),
		cmocka_unit_test(a_new_container_id_is_news_and_an_equal_record_is_none),
		cmocka_unit_test(pods_that_never_ran_give_way_to_one_that_did),
		cmocka_unit_test(the_memory_of_all_records_is_bounded),
		cmocka_unit_test(a_put_that_fails_takes_nothing_away),
		cmocka_unit_test(a_first_pod_is_added_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
