/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes of refusals, of answers that are not what they should be, and of those that never
 * end: what was known stays, it is tried again, and one sentence says why.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* For tests of servers that hang: longer than any answer takes here, however busy the machine is.
 */
#define STALL_US 2000000u

#define EXPIRED                                                                                  \
	"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\"" \
	":{},\"status\":\"Failure\",\"message\":\"too old resource version: 1 (2)\",\"reason\""  \
	":\"Expired\",\"code\":410}}\n"

static void settled_with_pods(struct fixture *f, const char *names)
{
	fixture_init(f, NULL);
	fixture_list_pods(f, names, 10);
	fixture_connect(f);
	fixture_settle(f);
}

/* Has the pods listed anew. */
static void expire(struct fixture *f)
{
	kube_server_push(f->server, SERVER_PODS, 11, EXPIRED, strlen(EXPIRED));
}

static void misbehave(struct fixture *f, enum kube_server_kind kind, enum kube_server_verb verb,
	struct kube_misbehaviour misbehaviour)
{
	kube_server_misbehave(f->server, kind, verb, &misbehaviour);
}

static void a_refusal_is_said_once_in_the_servers_words(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	misbehave(&f, SERVER_PODS, SERVER_LIST,
		(struct kube_misbehaviour){ .status = 403,
			.message = "pods is forbidden: User \\\"x\\\" cannot list \\u001b[31m" });
	fixture_connect(&f);
	UNTIL(&f, fixture_count(&f, SERVER_PODS, SERVER_LIST) >= 4);
	assert_int_equal(f.said, 1);
	assert_int_equal(f.said_down, 1);
	assert_non_null(
		strstr(f.sentence, "cannot get pods from the Kubernetes API (https://127."));
	assert_non_null(strstr(
		f.sentence, "403 Forbidden: pods is forbidden: User \"x\" cannot list \\x1b[31m"));
	assert_non_null(strstr(f.sentence, "posture waits"));
	assert_false(kubernetes_is_synced(f.kubernetes));
	assert_false(kubernetes_is_up(f.kubernetes));
	assert_non_null(strstr(kubernetes_failure(f.kubernetes), "403 Forbidden"));
	/* Namespaces are another matter. */
	assert_true(cluster_knows_namespaces(f.cluster));
	assert_false(cluster_knows_pods(f.cluster));
	kube_server_behave(f.server);
	UNTIL(&f, f.said == 2);
	assert_non_null(strstr(f.sentence, "answers again: 0 pods"));
	assert_true(kubernetes_is_synced(f.kubernetes) && kubernetes_is_up(f.kubernetes));
	fixture_done(&f);
}

static void what_a_refusal_says_is_bounded(void **state)
{
	static char message[8001];
	struct fixture f;

	(void)state;
	memset(message, 'm', sizeof(message) - 1);
	fixture_init(&f, NULL);
	misbehave(&f, SERVER_NAMESPACES, SERVER_LIST,
		(struct kube_misbehaviour){ .status = 503, .message = message });
	fixture_connect(&f);
	UNTIL(&f, f.said == 1);
	assert_non_null(strstr(f.sentence, "cannot get namespaces"));
	assert_non_null(strstr(f.sentence, "503 ServiceUnavailable: mmm"));
	assert_in_range(strlen(f.sentence), 300, 700);
	/* One that is no Status object, and goes on: its status is enough. */
	misbehave(&f, SERVER_NAMESPACES, SERVER_LIST,
		(struct kube_misbehaviour){ .status = 502, .body = "<html>", .filler = 1000000 });
	UNTIL(&f, strstr(kubernetes_failure(f.kubernetes), "502"));
	assert_string_equal(kubernetes_failure(f.kubernetes), "502");
	fixture_done(&f);
}

static void a_redirection_is_not_followed(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	misbehave(&f, SERVER_PODS, SERVER_LIST,
		(struct kube_misbehaviour){ .status = 302, .body = "elsewhere" });
	fixture_connect(&f);
	UNTIL(&f, f.said == 1);
	assert_string_equal(kubernetes_failure(f.kubernetes), "302");
	fixture_done(&f);
}

static void a_server_that_asks_for_patience_gets_it(void **state)
{
	static const char *const when[] = { "300", "Fri, 31 Dec 2077 23:59:59 GMT" };
	static const unsigned statuses[] = { 429, 503 };
	struct fixture f;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		fixture_init(&f, NULL);
		misbehave(&f, SERVER_PODS, SERVER_LIST,
			(struct kube_misbehaviour){
				.status = statuses[i], .retry_after = when[i] });
		fixture_connect(&f);
		UNTIL(&f, f.said == 1);
		/* Many times the longest delay of its own. */
		for (unsigned turn = 0; turn < 20; turn++)
			fixture_turn(&f);
		assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_LIST), 1);
		fixture_done(&f);
	}
	fixture_init(&f, NULL);
	misbehave(&f, SERVER_PODS, SERVER_LIST,
		(struct kube_misbehaviour){ .times = 1, .status = 429, .retry_after = "1" });
	fixture_connect(&f);
	UNTIL(&f, kubernetes_is_synced(f.kubernetes));
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_LIST), 2);
	fixture_done(&f);
}

static void a_version_that_is_gone_is_listed_anew(void **state)
{
	size_t length;
	char *recorded = fixture_read("pods-watch-expired.jsonl", &length);
	struct fixture f;

	(void)state;
	/* Inside a 200, in the server's own bytes. */
	settled_with_pods(&f, "ab");
	fixture_list_pods(&f, "bc", 20);
	kube_server_push(f.server, SERVER_PODS, 11, recorded, length);
	/* Which of the two comes first is the list's affair: "a" goes when its end has been read.
	 */
	UNTIL(&f, fixture_find(&f, "c") && !fixture_find(&f, "a"));
	assert_non_null(fixture_find(&f, "b"));
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_LIST), 2);
	/* As a status. */
	fixture_list_pods(&f, "d", 30);
	misbehave(&f, SERVER_PODS, SERVER_WATCH,
		(struct kube_misbehaviour){ .times = 1, .status = 410 });
	kube_server_end_watches(f.server, SERVER_PODS, false);
	UNTIL(&f, fixture_find(&f, "d") && !fixture_find(&f, "c"));
	/* Which is a matter of course. */
	assert_int_equal(f.said_down, 0);
	free(recorded);
	fixture_done(&f);
}

static void an_error_in_a_watch_lists_anew_and_is_said(void **state)
{
	static const char error[] =
		"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"status\":\"Failure\","
		"\"message\":\"etcd is unwell\",\"reason\":\"InternalError\",\"code\":500}}\n";
	struct fixture f;

	(void)state;
	settled_with_pods(&f, "ab");
	fixture_list_pods(&f, "b", 20);
	kube_server_push(f.server, SERVER_PODS, 11, error, strlen(error));
	UNTIL(&f, !fixture_find(&f, "a"));
	assert_int_equal(f.said_down, 1);
	assert_non_null(
		strstr(kubernetes_failure(f.kubernetes), "500 InternalError: etcd is unwell"));
	UNTIL(&f, kubernetes_is_up(f.kubernetes));
	fixture_done(&f);
}

static void a_list_that_fails_removes_nothing(void **state)
{
	static const struct kube_misbehaviour bad[] = {
		{ .body = "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"20\"},"
			  "\"items\":[" },
		{ .body = "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"20\"},"
			  "\"items\":[]" },
		{ .body = "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"20\"},"
			  "\"items\":[]}",
			.cut = true,
			.after = 40 },
		{ .body = "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"20\"},"
			  "\"items\":[]}",
			.hang = true,
			.after = 40 },
		{ .body = "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"20\"},"
			  "\"items\":[]}",
			.status = 500 },
		{ .body = "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"20\"},"
			  "\"items\":[]}",
			.status = 206 },
		{ .body = "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"20\","
			  "\"continue\":\"x\"},\"items\":[]}" },
		{ .body = "{\"kind\":\"PodList\",\"metadata\":{},\"items\":[]}" },
		{ .body = "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":20},\"items\":[]"
			  "}" },
		{ .body = "{\"kind\":\"NodeList\",\"metadata\":{\"resourceVersion\":\"20\"},"
			  "\"items\":[]}" },
		{ .body = "{\"metadata\":{\"resourceVersion\":\"20\"},\"items\":[]}" },
		{ .body = "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"20\"},"
			  "\"items\":{}}" },
		{ .body = "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"20\"}}" },
		{ .body = "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"20\"},"
			  "\"items\":[]}x" },
		{ .body = "<html>sign in</html>" },
		{ .body = "[]" },
		{ .body = "null" },
		{ .body = "" },
		{ .body = "{\"kind\":\"Status\",\"code\":200,\"metadata\":{\"resourceVersion\":"
			  "\"1\"}}" },
		{ .body = "\x16\x03\x01" },
		{ .hang = true },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fixture_init(&f, NULL);
		fixture_list_pods(&f, "ab", 10);
		if (bad[i].hang)
			f.settings.stall_us = STALL_US;
		fixture_connect(&f);
		fixture_settle(&f);
		misbehave(&f, SERVER_PODS, SERVER_LIST, bad[i]);
		expire(&f);
		UNTIL(&f, f.said_down > 0 && fixture_count(&f, SERVER_PODS, SERVER_LIST) >= 3);
		assert_int_equal(cluster_pod_count(f.cluster), 2);
		assert_true(kubernetes_is_synced(f.kubernetes));
		assert_false(kubernetes_is_up(f.kubernetes));
		assert_non_null(strstr(f.sentence, "what was known stays"));
		/* A good one does, afterwards. */
		fixture_list_pods(&f, "b", 20);
		kube_server_behave(f.server);
		UNTIL(&f, kubernetes_is_up(f.kubernetes) && !fixture_find(&f, "a"));
		assert_non_null(fixture_find(&f, "b"));
		assert_int_equal(f.said_down, 1);
		fixture_done(&f);
	}
}

static void an_odd_pod_blinds_nobody(void **state)
{
	char *pod = fixture_pod(NULL, "a", 10), *list;
	struct fixture f;

	(void)state;
	assert_true(asprintf(&list,
			    "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"10\"},"
			    "\"items\":[{\"metadata\":{\"name\":[]}},%s,7]}",
			    pod) > 0);
	fixture_init(&f, NULL);
	kube_server_set_list(f.server, SERVER_PODS, list, strlen(list));
	fixture_connect(&f);
	fixture_settle(&f);
	assert_int_equal(cluster_pod_count(f.cluster), 1);
	/* Which is said. */
	UNTIL(&f, f.said_down == 1);
	assert_non_null(strstr(f.sentence, "some pods"));
	assert_true(cluster_lacks_pods(f.cluster));
	free(pod);
	free(list);
	fixture_done(&f);
}

static void a_slow_answer_is_an_answer(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	fixture_list_pods(&f, "a", 10);
	misbehave(&f, SERVER_PODS, SERVER_LIST, (struct kube_misbehaviour){ .trickle_us = 200 });
	fixture_connect(&f);
	fixture_settle(&f);
	assert_non_null(fixture_find(&f, "a"));
	assert_int_equal(f.said_down, 0);
	fixture_done(&f);
}

static void a_watch_that_cannot_be_read_lists_anew(void **state)
{
	static const char *const garbage[] = { "]", "{\"type\":\"ADDED\"}", "7", "<html>",
		"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{}}}" };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
		settled_with_pods(&f, "ab");
		fixture_list_pods(&f, "b", 20);
		kube_server_push(f.server, SERVER_PODS, 11, garbage[i], strlen(garbage[i]));
		kube_server_push(f.server, SERVER_PODS, 12, "\n", 1);
		UNTIL(&f, !fixture_find(&f, "a"));
		assert_int_equal(f.said_down, 1);
		fixture_done(&f);
	}
}

static void a_watch_that_breaks_is_resumed_and_not_mentioned(void **state)
{
	struct fixture f;

	(void)state;
	settled_with_pods(&f, "a");
	fixture_push_pod(&f, "ADDED", "b", 20);
	UNTIL(&f, fixture_find(&f, "b"));
	kube_server_end_watches(f.server, SERVER_PODS, true);
	UNTIL(&f, fixture_count(&f, SERVER_PODS, SERVER_WATCH) == 2);
	fixture_push_pod(&f, "ADDED", "c", 21);
	UNTIL(&f, fixture_find(&f, "c"));
	assert_non_null(strstr(kube_server_request(f.server, SERVER_PODS, SERVER_WATCH, 1)->url,
		"resourceVersion=20&"));
	/* In the middle of an event. */
	misbehave(&f, SERVER_PODS, SERVER_WATCH,
		(struct kube_misbehaviour){ .times = 1, .cut = true, .after = 100 });
	kube_server_end_watches(f.server, SERVER_PODS, true);
	UNTIL(&f, fixture_count(&f, SERVER_PODS, SERVER_WATCH) == 3);
	fixture_push_pod(&f, "ADDED", "d", 22);
	UNTIL(&f, fixture_find(&f, "d"));
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_WATCH), 4);
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_LIST), 1);
	assert_int_equal(f.said_down, 0);
	fixture_done(&f);
}

static void a_watch_that_is_refused_again_and_again_lists_anew(void **state)
{
	struct fixture f;

	(void)state;
	settled_with_pods(&f, "a");
	fixture_list_pods(&f, "b", 5); /* the server's store was restored from a copy */
	misbehave(&f, SERVER_PODS, SERVER_WATCH,
		(struct kube_misbehaviour){
			.times = 3, .status = 504, .message = "Too large resource version" });
	kube_server_end_watches(f.server, SERVER_PODS, false);
	UNTIL(&f, fixture_find(&f, "b") && kubernetes_is_up(f.kubernetes));
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_LIST), 2);
	fixture_done(&f);
}

static uint64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void a_silent_watch_is_up(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	fixture_list_pods(&f, "a", 10);
	f.settings.stall_us = STALL_US;
	fixture_connect(&f);
	fixture_settle(&f);
	misbehave(&f, SERVER_PODS, SERVER_WATCH,
		(struct kube_misbehaviour){ .times = 1, .status = 503 });
	kube_server_end_watches(f.server, SERVER_PODS, false);
	UNTIL(&f, f.said_down == 1);
	UNTIL(&f, kubernetes_is_up(f.kubernetes));
	/* For longer than any other answer may be. */
	const uint64_t until = now_us() + 2 * STALL_US;
	while (now_us() < until)
		fixture_turn(&f);
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_LIST), 1);
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_WATCH), 3);
	assert_int_equal(fixture_count(&f, SERVER_NAMESPACES, SERVER_WATCH), 1);
	fixture_done(&f);
}

static void a_server_that_does_not_end_its_watch_is_left(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	f.settings.watch_seconds = 1;
	f.settings.stall_us = STALL_US;
	misbehave(&f, SERVER_PODS, SERVER_WATCH,
		(struct kube_misbehaviour){ .times = 1, .body = "\n", .hang = true, .after = 1 });
	fixture_connect(&f);
	UNTIL(&f, fixture_count(&f, SERVER_PODS, SERVER_WATCH) == 2);
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_LIST), 1);
	assert_int_equal(f.said_down, 0);
	fixture_done(&f);
}

static int on_tick(sd_event_source *source, uint64_t usec, void *data)
{
	(void)usec;
	++*(unsigned *)data;
	(void)sd_event_source_set_time_relative(source, 1000);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static void a_server_that_hangs_blocks_nobody(void **state)
{
	sd_event_source *ticker = NULL;
	unsigned ticks = 0;
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	f.settings.stall_us = STALL_US;
	misbehave(&f, SERVER_PODS, SERVER_LIST, (struct kube_misbehaviour){ .hang = true });
	assert_true(sd_event_add_time_relative(
			    f.event, &ticker, CLOCK_MONOTONIC, 1000, 1, on_tick, &ticks) >= 0);
	fixture_connect(&f);
	UNTIL(&f, fixture_count(&f, SERVER_PODS, SERVER_LIST) == 1);
	ticks = 0;
	/* While it hangs, and the answer is waited for. */
	UNTIL(&f, ticks >= 10);
	UNTIL(&f, f.said_down == 1);
	assert_non_null(strstr(f.sentence, "nothing came for 2 seconds"));
	UNTIL(&f, fixture_count(&f, SERVER_PODS, SERVER_LIST) >= 3);
	assert_int_equal(f.said_down, 1);
	assert_true(cluster_knows_namespaces(f.cluster));
	(void)sd_event_source_disable_unref(ticker);
	fixture_done(&f);
}

static void it_can_be_freed_in_the_middle_of_anything(void **state)
{
	static const struct kube_misbehaviour middles[] = {
		{ .hang = true },
		{ .body = "{\"kind\":\"PodList\",\"items\":[{\"a\":", .hang = true, .after = 20 },
		{ .status = 403, .hang = true, .after = 20 },
		{ .status = 503, .retry_after = "100" },
		{ .trickle_us = 10000 },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(middles); i++) {
		fixture_init(&f, NULL);
		misbehave(&f, SERVER_PODS, SERVER_LIST, middles[i]);
		fixture_connect(&f);
		UNTIL(&f, fixture_count(&f, SERVER_PODS, SERVER_LIST) == 1);
		for (unsigned turn = 0; turn < 5; turn++)
			fixture_turn(&f);
		fixture_done(&f);
	}
	/* After each of its first turns: connecting, shaking hands, asking, reading. */
	for (unsigned turns = 0; turns < 25; turns++) {
		fixture_init(&f, NULL);
		fixture_list_pods(&f, "abc", 10);
		fixture_connect(&f);
		for (unsigned turn = 0; turn < turns; turn++)
			fixture_turn(&f);
		kubernetes_free(f.kubernetes);
		f.kubernetes = NULL;
		fixture_turn(&f);
		fixture_done(&f);
	}
}

static void without_its_server_what_was_known_stays(void **state)
{
	struct fixture f;

	(void)state;
	settled_with_pods(&f, "ab");
	kube_server_free(f.server);
	f.server = NULL;
	UNTIL(&f, f.said_down == 1);
	for (unsigned turn = 0; turn < 20; turn++)
		fixture_turn(&f);
	assert_int_equal(f.said_down, 1);
	assert_int_equal(cluster_pod_count(f.cluster), 2);
	assert_true(kubernetes_is_synced(f.kubernetes));
	assert_false(kubernetes_is_up(f.kubernetes));
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_is_said_once_in_the_servers_words),
		cmocka_unit_test(what_a_refusal_says_is_bounded),
		cmocka_unit_test(a_redirection_is_not_followed),
		cmocka_unit_test(a_server_that_asks_for_patience_gets_it),
		cmocka_unit_test(a_version_that_is_gone_is_listed_anew),
		cmocka_unit_test(an_error_in_a_watch_lists_anew_and_is_said),
		cmocka_unit_test(a_list_that_fails_removes_nothing),
		cmocka_unit_test(an_odd_pod_blinds_nobody),
		cmocka_unit_test(a_slow_answer_is_an_answer),
		cmocka_unit_test(a_watch_that_cannot_be_read_lists_anew),
		cmocka_unit_test(a_watch_that_breaks_is_resumed_and_not_mentioned),
		cmocka_unit_test(a_watch_that_is_refused_again_and_again_lists_anew),
		cmocka_unit_test(a_silent_watch_is_up),
		cmocka_unit_test(a_server_that_does_not_end_its_watch_is_left),
		cmocka_unit_test(a_server_that_hangs_blocks_nobody),
		cmocka_unit_test(it_can_be_freed_in_the_middle_of_anything),
		cmocka_unit_test(without_its_server_what_was_known_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
