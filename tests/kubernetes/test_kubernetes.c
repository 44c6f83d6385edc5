/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is asked of the API server, and what becomes of its answers when all goes well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube_fixture.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SELECTED "fieldSelector=spec.nodeName%3Dnode-1"

static void a_list_is_asked_for_from_the_servers_memory_and_whole(void **state)
{
	const struct kube_server_request *pods, *namespaces;
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	fixture_connect(&f);
	fixture_settle(&f);
	pods = kube_server_request(f.server, SERVER_PODS, SERVER_LIST, 0);
	assert_string_equal(pods->method, "GET");
	/* resourceVersion=0, and no limit: with one each node's list is read from etcd. */
	assert_string_equal(pods->url, "/api/v1/pods?" SELECTED "&resourceVersion=0");
	assert_string_equal(pods->accept, "application/json");
	assert_string_equal(pods->authorization, "Bearer " FIXTURE_TOKEN);
	assert_string_equal(pods->user_agent, "capauditd/" CAPAUDITD_VERSION);
	assert_null(pods->accept_encoding);
	namespaces = kube_server_request(f.server, SERVER_NAMESPACES, SERVER_LIST, 0);
	assert_string_equal(namespaces->url, "/api/v1/namespaces?resourceVersion=0");
	assert_string_equal(namespaces->accept,
		"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/"
		"json");
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_LIST), 1);
	assert_int_equal(fixture_count(&f, SERVER_NAMESPACES, SERVER_LIST), 1);
	fixture_done(&f);
}

static void a_watch_goes_on_from_the_list(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	fixture_list_pods(&f, "a", 577);
	f.settings.watch_seconds = 77;
	fixture_connect(&f);
	fixture_settle(&f);
	assert_string_equal(kube_server_request(f.server, SERVER_PODS, SERVER_WATCH, 0)->url,
		"/api/v1/pods?" SELECTED "&allowWatchBookmarks=true"
		"&resourceVersion=577&timeoutSeconds=77&watch=1");
	assert_string_equal(kube_server_request(f.server, SERVER_NAMESPACES, SERVER_WATCH, 0)->url,
		"/api/v1/namespaces?allowWatchBookmarks=true&resourceVersion=1&timeoutSeconds=77"
		"&watch=1");
	assert_string_equal(
		kube_server_request(f.server, SERVER_NAMESPACES, SERVER_WATCH, 0)->accept,
		"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
	fixture_done(&f);
}

static void a_watch_is_asked_to_end_after_about_five_minutes(void **state)
{
	const char *seconds;
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	f.settings.watch_seconds = 0;
	fixture_connect(&f);
	fixture_settle(&f);
	seconds = strstr(kube_server_request(f.server, SERVER_PODS, SERVER_WATCH, 0)->url,
		"timeoutSeconds=");
	assert_non_null(seconds);
	assert_in_range(strtoul(strchr(seconds, '=') + 1, NULL, 10), 270, 330);
	fixture_done(&f);
}

static void nothing_is_sent_before_the_loop_turns(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	f.settings.first_delay_us = 1;
	fixture_connect(&f);
	assert_false(kubernetes_is_synced(f.kubernetes));
	assert_false(kubernetes_is_up(f.kubernetes));
	assert_null(kubernetes_failure(f.kubernetes));
	kubernetes_free(f.kubernetes);
	f.kubernetes = NULL;
	fixture_turn(&f);
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_LIST), 0);
	fixture_done(&f);
}

static void the_first_list_can_wait(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	/* 10^13 s at most: that the random part of it is a second or less happens once in 10^13. */
	f.settings.first_delay_us = UINT64_C(10000000000000000000);
	fixture_connect(&f);
	for (unsigned i = 0; i < 20; i++)
		fixture_turn(&f);
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_LIST), 0);
	assert_int_equal(f.said, 0);
	fixture_done(&f);
}

static void the_recorded_lists_are_taken(void **state)
{
	size_t pods_length, namespaces_length;
	char *pods = fixture_read("pods-list.json", &pods_length);
	char *namespaces = fixture_read("namespaces-list.json", &namespaces_length);
	struct pod_record *pod;
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	kube_server_set_list(f.server, SERVER_PODS, pods, pods_length);
	kube_server_set_list(f.server, SERVER_NAMESPACES, namespaces, namespaces_length);
	fixture_connect(&f);
	fixture_settle(&f);
	assert_int_equal(cluster_pod_count(f.cluster), 15);
	assert_int_equal(cluster_namespace_count(f.cluster), 8);
	assert_true(cluster_knows_pods(f.cluster) && cluster_knows_namespaces(f.cluster));
	pod = cluster_find_pod_named(f.cluster, "ns-baseline", "b-default");
	assert_non_null(pod);
	assert_non_null(cluster_find_namespace(f.cluster, "ns-restricted"));
	assert_non_null(strstr(kube_server_request(f.server, SERVER_PODS, SERVER_WATCH, 0)->url,
		"resourceVersion=577&"));
	assert_true(kubernetes_is_up(f.kubernetes));
	assert_non_null(strstr(f.sentence, "15 pods on node node-1, 8 namespaces"));
	assert_int_equal(f.said, 1);
	assert_int_equal(f.said_down, 0);
	/* Not for each of 23 objects. */
	assert_in_range(f.changes, 1, 12);
	fixture_done(&f);
	free(pods);
	free(namespaces);
}

static void the_recorded_streams_are_replayed(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	fixture_connect(&f);
	fixture_replay(&f, SERVER_PODS, "pods-watch.jsonl");
	fixture_replay(&f, SERVER_NAMESPACES, "namespaces-watch.jsonl");
	/* The last events' versions are what the next watch begins from. */
	kube_server_end_watches(f.server, SERVER_PODS, false);
	kube_server_end_watches(f.server, SERVER_NAMESPACES, false);
	UNTIL(&f, cluster_pod_count(f.cluster) == 15 && cluster_namespace_count(f.cluster) == 8);
	assert_non_null(cluster_find_pod_named(f.cluster, "ns-baseline", "g-static-vm"));
	fixture_done(&f);
}

static void a_watch_that_ended_is_resumed_from_the_last_version(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	fixture_list_pods(&f, "a", 10);
	fixture_connect(&f);
	fixture_settle(&f);
	fixture_push_pod(&f, "ADDED", "b", 20);
	UNTIL(&f, fixture_find(&f, "b"));
	kube_server_end_watches(f.server, SERVER_PODS, false);
	UNTIL(&f, fixture_count(&f, SERVER_PODS, SERVER_WATCH) == 2);
	assert_non_null(strstr(kube_server_request(f.server, SERVER_PODS, SERVER_WATCH, 1)->url,
		"resourceVersion=20&"));
	/* What came meanwhile is not lost, and nothing was listed for it. */
	fixture_push_pod(&f, "ADDED", "c", 21);
	UNTIL(&f, fixture_find(&f, "c"));
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_LIST), 1);
	assert_int_equal(f.said_down, 0);
	fixture_done(&f);
}

static void a_bookmark_is_where_a_watch_resumes(void **state)
{
	static const char bookmark[] =
		"{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\","
		"\"metadata\":{\"resourceVersion\":\"4711\"}}}\n";
	unsigned changes;
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	fixture_connect(&f);
	fixture_settle(&f);
	changes = f.changes; /* that both kinds are known is news */
	kube_server_push(f.server, SERVER_PODS, 4711, bookmark, strlen(bookmark));
	kube_server_end_watches(f.server, SERVER_PODS, false);
	UNTIL(&f, fixture_count(&f, SERVER_PODS, SERVER_WATCH) == 2);
	assert_non_null(strstr(kube_server_request(f.server, SERVER_PODS, SERVER_WATCH, 1)->url,
		"resourceVersion=4711&"));
	assert_int_equal(f.changes, changes);
	fixture_done(&f);
}

static void events_add_change_and_remove(void **state)
{
	char *namespace_event;
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	fixture_list_pods(&f, "a", 10);
	fixture_connect(&f);
	fixture_settle(&f);
	fixture_push_pod(&f, "MODIFIED", "a", 11);
	UNTIL(&f, strcmp(fixture_find(&f, "a")->labels[0].value, "11") == 0);
	fixture_push_pod(&f, "DELETED", "a", 12);
	UNTIL(&f, !fixture_find(&f, "a"));
	namespace_event = fixture_namespace("ADDED", "shop", "restricted", 13);
	kube_server_push(f.server, SERVER_NAMESPACES, 13, namespace_event, strlen(namespace_event));
	free(namespace_event);
	UNTIL(&f, cluster_find_namespace(f.cluster, "shop"));
	namespace_event = fixture_namespace("DELETED", "shop", "restricted", 14);
	kube_server_push(f.server, SERVER_NAMESPACES, 14, namespace_event, strlen(namespace_event));
	free(namespace_event);
	UNTIL(&f, !cluster_find_namespace(f.cluster, "shop"));
	fixture_done(&f);
}

static void what_nobody_knows_yet_is_passed_over(void **state)
{
	static const char odd[] =
		"{\"type\":\"RENAMED\",\"object\":{\"metadata\":{\"resourceVersion\":\"20\"}}}\n"
		"{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"metadata\":"
		"{\"resourceVersion\":\"21\",\"name\":7}}}\n";
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	fixture_connect(&f);
	fixture_settle(&f);
	kube_server_push(f.server, SERVER_PODS, 21, odd, strlen(odd));
	fixture_push_pod(&f, "ADDED", "a", 22);
	/* A pod that is none is left out, and that is said. */
	UNTIL(&f, fixture_find(&f, "a") && f.said_down == 1);
	assert_non_null(strstr(f.sentence, "some pods"));
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_LIST), 1);
	assert_null(kubernetes_failure(f.kubernetes));
	fixture_done(&f);
}

static void a_change_of_status_alone_is_no_news(void **state)
{
	char *same = fixture_pod("MODIFIED", "a", 10);
	unsigned changes;
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	fixture_list_pods(&f, "a", 10);
	fixture_connect(&f);
	fixture_settle(&f);
	changes = f.changes;
	kube_server_push(f.server, SERVER_PODS, 11, same, strlen(same));
	fixture_push_pod(&f, "ADDED", "b", 12);
	UNTIL(&f, fixture_find(&f, "b"));
	fixture_turn(&f);
	assert_in_range(f.changes, changes, changes + 1);
	free(same);
	fixture_done(&f);
}

static void a_thousand_events_take_no_memory(void **state)
{
	struct fixture f;
	size_t before;

	(void)state;
#ifdef SANITIZE
	skip(); /* its allocator keeps what was freed */
#endif
	fixture_init(&f, NULL);
	fixture_list_pods(&f, "a", 10);
	fixture_connect(&f);
	fixture_settle(&f);
	for (unsigned version = 11; version < 111; version++)
		fixture_push_pod(&f, "MODIFIED", "a", version);
	UNTIL(&f, strcmp(fixture_find(&f, "a")->labels[0].value, "110") == 0);
	/* The server holds its events in the same memory: they are all made before it is measured.
	 */
	for (unsigned version = 1111; version < 2111; version++)
		fixture_push_pod(&f, "MODIFIED", "a", version);
	before = mallinfo2().uordblks;
	UNTIL(&f, strcmp(fixture_find(&f, "a")->labels[0].value, "2110") == 0);
	assert_true(mallinfo2().uordblks < before + 64 * 1024);
	fixture_done(&f);
}

static void the_caller_may_free_it_when_told(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		fixture_init(&f, NULL);
		fixture_list_pods(&f, "abc", 10);
		f.frees_when_changed = i == 0;
		f.frees_when_said = i == 1;
		fixture_connect(&f);
		UNTIL(&f, !f.kubernetes);
		for (unsigned k = 0; k < 3; k++)
			fixture_turn(&f);
		fixture_done(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_asked_for_from_the_servers_memory_and_whole),
		cmocka_unit_test(a_watch_goes_on_from_the_list),
		cmocka_unit_test(a_watch_is_asked_to_end_after_about_five_minutes),
		cmocka_unit_test(nothing_is_sent_before_the_loop_turns),
		cmocka_unit_test(the_first_list_can_wait),
		cmocka_unit_test(the_recorded_lists_are_taken),
		cmocka_unit_test(the_recorded_streams_are_replayed),
		cmocka_unit_test(a_watch_that_ended_is_resumed_from_the_last_version),
		cmocka_unit_test(a_bookmark_is_where_a_watch_resumes),
		cmocka_unit_test(events_add_change_and_remove),
		cmocka_unit_test(what_nobody_knows_yet_is_passed_over),
		cmocka_unit_test(a_change_of_status_alone_is_no_news),
		cmocka_unit_test(a_thousand_events_take_no_memory),
		cmocka_unit_test(the_caller_may_free_it_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
