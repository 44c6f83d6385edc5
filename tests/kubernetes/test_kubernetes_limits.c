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

static void an_answer_without_end_is_given_up(void **state)
{
	static const char expired[] =
		"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n";
	struct rusage before, after;
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	fixture_list_pods(&f, "ab", 10);
	fixture_connect(&f);
	fixture_settle(&f);
	(void)getrusage(RUSAGE_SELF, &before);
	kube_server_misbehave(f.server, SERVER_PODS, SERVER_LIST,
		&(struct kube_misbehaviour){ .body = "{\"kind\":\"PodList\",\"items\":[{\"a\":\"",
			.filler = 50u * 1024u * 1024u });
	kube_server_push(f.server, SERVER_PODS, 11, expired, strlen(expired));
	UNTIL(&f, f.said_down == 1);
	assert_string_equal(kubernetes_failure(f.kubernetes), "the answer is too large");
	assert_int_equal(cluster_pod_count(f.cluster), 2);
	(void)getrusage(RUSAGE_SELF, &after);
#ifndef SANITIZE
	assert_true(after.ru_maxrss < before.ru_maxrss + 20 * 1024);
#endif
	/* The same in a watch: it would begin with that event again, so the pods are listed. */
	kube_server_behave(f.server);
	UNTIL(&f, kubernetes_is_up(f.kubernetes));
	kube_server_misbehave(f.server, SERVER_PODS, SERVER_WATCH,
		&(struct kube_misbehaviour){ .times = 1,
			.body = "{\"type\":\"ADDED\",\"object\":{\"a\":\"",
			.filler = 50u * 1024u * 1024u });
	fixture_list_pods(&f, "abc", 20);
	kube_server_end_watches(f.server, SERVER_PODS, false);
	UNTIL(&f, fixture_find(&f, "c"));
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

static void ignore_changed(void *data)
{
	(void)data;
}

static void ignore_said(void *data, bool is_up, const char *sentence)
{
	(void)data;
	(void)is_up;
	(void)sentence;
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
		r = kubernetes_new(f.event, &f.settings, f.cluster, ignore_changed, ignore_said,
			NULL, &kubernetes, &diag);
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
	assert_int_equal(sem_trywait(&asked), 0);
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
		cmocka_unit_test(a_list_of_50_megabytes_is_read),
		cmocka_unit_test(no_memory_to_begin_with_is_an_error),
		cmocka_unit_test(no_memory_on_the_way_is_got_over),
		cmocka_unit_test(a_name_server_that_hangs_blocks_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
