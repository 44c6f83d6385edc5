/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Too much of an answer, too little memory, and a name server that hangs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/fail_allocation.h"
#include "kube_fixture.h"

#include <curl/curl.h>
#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* This program links libcurl as well, and what glibc allocates where one opens what was loaded at
 * the start hangs on memory of the dynamic linker's own, where LeakSanitizer does not look. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:_dl_map_object_deps\n";
}

static long most_resident(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void assert_little_memory_since(long before)
{
#ifdef SANITIZE
	(void)before;
#else
	assert_true(most_resident() < before + 20 * 1024);
#endif
}

static void an_answer_without_end_is_given_up(void **state)
{
	static const char expired[] =
		"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n";
	struct fixture f;
	long before;

	(void)state;
	fixture_init(&f, NULL);
	f.settings.answer_max = 30u * 1024u * 1024u;
	fixture_list_pods(&f, "ab", 10);
	fixture_connect(&f);
	fixture_settle(&f);
	before = most_resident();
	kube_server_misbehave(f.server, SERVER_PODS, SERVER_LIST,
		&(struct kube_misbehaviour){ .body = "{\"kind\":\"PodList\",\"items\":[{\"a\":\"",
			.filler = 50u * 1024u * 1024u });
	kube_server_push(f.server, SERVER_PODS, 11, expired, strlen(expired));
	UNTIL(&f, kubernetes_failure(f.kubernetes) != NULL);
	assert_string_equal(kubernetes_failure(f.kubernetes), "the answer is too large");
	assert_int_equal(cluster_pod_count(f.cluster), 2);
	assert_little_memory_since(before);
	fixture_done(&f);
}

/* A pod with something in it of so many bytes. */
static char *large_pod(const char *type, const char *name, unsigned version, size_t size)
{
	char *pod = fixture_pod(type, name, version), *end = strrchr(pod, ']'), *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	assert_non_null(end);
	assert_non_null(to);
	(void)fprintf(to, "%.*s],\"x\":\"%*s\"%s", (int)(end - pod), pod, (int)size, "", end + 1);
	assert_int_equal(fclose(to), 0);
	free(pod);
	return text;
}

/* Pods a and c, and between them a large one. */
static void list_with_large_pod(struct fixture *f, size_t size, unsigned version)
{
	char *a = fixture_pod(NULL, "a", version), *b = large_pod(NULL, "b", version, size);
	char *c = fixture_pod(NULL, "c", version), *list;

	assert_true(asprintf(&list,
			    "{\"kind\":\"PodList\",\"items\":[%s,%s,%s],\"metadata\":"
			    "{\"resourceVersion\":\"%u\"}}",
			    a, b, c, version) > 0);
	kube_server_set_list(f->server, SERVER_PODS, list, strlen(list));
	free(list);
	free(c);
	free(b);
	free(a);
}

static void the_largest_pod_that_etcd_takes_is_read(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	list_with_large_pod(&f, 10u * 1024u * 1024u, 10);
	fixture_connect(&f);
	fixture_settle(&f);
	assert_int_equal(cluster_pod_count(f.cluster), 3);
	assert_false(cluster_lacks_pods(f.cluster));
	fixture_done(&f);
}

static void a_pod_that_is_too_large_is_left_out_and_the_list_goes_on(void **state)
{
	static const char expired[] =
		"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n";
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	list_with_large_pod(&f, 50u * 1024u * 1024u, 10);
	fixture_connect(&f);
	UNTIL(&f, f.said_down == 1 && kubernetes_is_up(f.kubernetes));
	assert_non_null(fixture_find(&f, "a"));
	assert_null(fixture_find(&f, "b"));
	assert_non_null(fixture_find(&f, "c"));
	assert_true(cluster_knows_pods(f.cluster));
	assert_true(cluster_lacks_pods(f.cluster));
	assert_false(cluster_lacks_namespaces(f.cluster));
	assert_non_null(strstr(f.sentence, "some pods of the Kubernetes API (https://127."));
	assert_non_null(strstr(f.sentence, "are left out, being too large"));
	assert_null(kubernetes_failure(f.kubernetes));
	/* A list without it ends that, and that is said as well. */
	fixture_list_pods(&f, "ac", 20);
	kube_server_push(f.server, SERVER_PODS, 11, expired, strlen(expired));
	UNTIL(&f, strstr(f.sentence, "nothing of the Kubernetes API"));
	assert_non_null(strstr(f.sentence, "is left out any more"));
	assert_false(cluster_lacks_pods(f.cluster));
	assert_int_equal(f.said_down, 1);
	fixture_done(&f);
}

static void an_event_that_is_too_large_is_left_out_and_the_watch_goes_on(void **state)
{
	struct fixture f;
	char *event;

	(void)state;
	fixture_init(&f, NULL);
	fixture_list_pods(&f, "a", 10);
	fixture_connect(&f);
	fixture_settle(&f);
	for (unsigned version = 11; version < 13; version++) {
		event = large_pod("ADDED", "b", version, KUBERNETES_ITEM_MAX);
		kube_server_push(f.server, SERVER_PODS, version, event, strlen(event));
		free(event);
	}
	fixture_push_pod(&f, "ADDED", "c", 13);
	UNTIL(&f, fixture_find(&f, "c") && f.said_down == 1);
	assert_null(fixture_find(&f, "b"));
	assert_true(cluster_lacks_pods(f.cluster));
	assert_non_null(strstr(f.sentence, "are left out"));
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_WATCH), 1);
	assert_int_equal(fixture_count(&f, SERVER_PODS, SERVER_LIST), 1);
	fixture_done(&f);
}

static void a_list_of_50_megabytes_is_read(void **state)
{
	enum { PODS = 3000, FILL = 17000 };
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);
	struct fixture f;

	(void)state;
	assert_non_null(to);
	(void)fputs("{\"kind\":\"PodList\",\"items\":[", to);
	for (unsigned i = 0; i < PODS; i++) {
		char name[32];
		char *pod;

		(void)snprintf(name, sizeof(name), "pod-%u", i);
		pod = fixture_pod(NULL, name, 10);
		(void)fprintf(to, "%s%s%*s", i ? "," : "", pod, FILL, " ");
		free(pod);
	}
	(void)fputs("],\"metadata\":{\"resourceVersion\":\"10\"}}", to);
	assert_int_equal(fclose(to), 0);
	assert_true(length > 50u * 1000 * 1000);
	fixture_init(&f, NULL);
	kube_server_set_list(f.server, SERVER_PODS, text, length);
	free(text);
	fixture_connect(&f);
	fixture_settle(&f);
	assert_int_equal(cluster_pod_count(f.cluster), PODS);
	assert_non_null(fixture_find(&f, "pod-2999"));
	fixture_done(&f);
}

static void no_memory_to_begin_with_is_an_error(void **state)
{
	struct fixture f;
	bool fired = true;

	(void)state;
	fixture_init(&f, NULL);
	f.access.client_certificate_data = f.access.ca_data;
	f.access.client_key_data = f.access.ca_data;
	f.access.tls_server_name = (char *)"localhost";
	f.access.proxy_url = (char *)"http://127.0.0.1:1";
	for (unsigned long n = 1; fired; n++) {
		struct kubernetes *kubernetes = NULL;
		struct diag diag = { 0 };
		int r;

		fail_allocation_at(n);
		r = kubernetes_new(
			f.event, &f.settings, f.cluster, NULL, NULL, NULL, &kubernetes, &diag);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		/* Libraries may do without some of it. */
		if (r != 0)
			assert_int_equal(r, -ENOMEM);
		if (!fired)
			assert_int_equal(r, 0);
		assert_true((r == 0) == (kubernetes != NULL));
		kubernetes_free(kubernetes);
	}
	fixture_done(&f);
}

/* libcurl divides by zero where memory runs out (7.88), which is not what is tested: it gets its
 * own memory, from a function that tests do not let fail. */
static unsigned long spared;

static void *spare_malloc(size_t size)
{
	spared++;
	return valloc(size ? size : 1);
}

static void *spare_calloc(size_t count, size_t size)
{
	void *memory = spare_malloc(count * size);

	return memory ? memset(memory, 0, count * size) : NULL;
}

static void *spare_realloc(void *old, size_t size)
{
	size_t had = old ? malloc_usable_size(old) : 0;
	void *memory = spare_malloc(size);

	if (!memory)
		return NULL;
	if (old)
		memcpy(memory, old, had < size ? had : size);
	free(old);
	return memory;
}

static char *spare_strdup(const char *text)
{
	char *memory = spare_malloc(strlen(text) + 1);

	return memory ? strcpy(memory, text) : NULL;
}

static void no_memory_on_the_way_is_got_over(void **state)
{
	bool fired = true;

	(void)state;
	assert_int_equal(curl_global_init_mem(CURL_GLOBAL_DEFAULT, spare_malloc, free,
				 spare_realloc, spare_strdup, spare_calloc),
		CURLE_OK);
	for (unsigned long n = 1; fired; n++) {
		struct fixture f;

		/* Without TLS: its arithmetic (GMP) ends the program where memory runs out. */
		fixture_init(&f, &(struct kube_server_options){ .plain = true });
		fixture_list_pods(&f, "ab", 10);
		f.access.token = f.access.ca_data = NULL;
		f.settings.stall_us = 50000;
		fixture_connect(&f);
		fixture_push_pod(&f, "ADDED", "c", 20);
		fail_allocation_at(n);
		while (!fail_allocation_fired() &&
			!(cluster_pod_count(f.cluster) == 3 && kubernetes_is_up(f.kubernetes)))
			(void)sd_event_run(f.event, 10000);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		UNTIL(&f, cluster_pod_count(f.cluster) == 3 && kubernetes_is_up(f.kubernetes));
		fixture_done(&f);
	}
	curl_global_cleanup();
	assert_true(spared > 0);
}

/* In the place of libc's, for libcurl as well: what it is asked for takes until the test is over.
 */
static sem_t asked, over;

int getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	(void)node;
	(void)service;
	(void)hints;
	(void)ret;
	(void)sem_post(&asked);
	while (sem_wait(&over) < 0)
		;
	(void)sem_post(&over);
	return EAI_AGAIN;
}

static void a_name_server_that_hangs_blocks_nobody(void **state)
{
	struct fixture f;

	(void)state;
	(void)sem_init(&asked, 0, 0);
	(void)sem_init(&over, 0, 0);
	fixture_init(&f, NULL);
	f.access.server = (char *)"https://kubernetes.example:6443";
	f.settings.stall_us = 50000;
	fixture_connect(&f);
	UNTIL(&f, f.said_down == 1);
	assert_non_null(strstr(f.sentence, "nothing came for 0.05 seconds"));
	while (sem_wait(&asked) < 0) /* its thread may not have had its turn yet */
		;
	/* Nor does the end, with a question on its way. */
	kubernetes_free(f.kubernetes);
	f.kubernetes = NULL;
	fixture_done(&f);
	(void)sem_post(&over);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_without_end_is_given_up),
		cmocka_unit_test(the_largest_pod_that_etcd_takes_is_read),
		cmocka_unit_test(a_pod_that_is_too_large_is_left_out_and_the_list_goes_on),
		cmocka_unit_test(an_event_that_is_too_large_is_left_out_and_the_watch_goes_on),
		cmocka_unit_test(a_list_of_50_megabytes_is_read),
		cmocka_unit_test(no_memory_to_begin_with_is_an_error),
		cmocka_unit_test(no_memory_on_the_way_is_got_over),
		cmocka_unit_test(a_name_server_that_hangs_blocks_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
