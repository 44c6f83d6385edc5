/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of the Kubernetes API source share. Times stand here once, and no test asks for
 * them: a test waits for what must come, and an alarm ends one that waits in vain.
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
#include <unistd.h>

static void on_changed(void *data)
{
	struct fixture *fixture = data;

	/* Never called in vain. */
	assert_true(cluster_version(fixture->cluster) != fixture->version);
	fixture->version = cluster_version(fixture->cluster);
	fixture->changes++;
	if (fixture->frees_when_changed) {
		kubernetes_free(fixture->kubernetes);
		fixture->kubernetes = NULL;
	}
}

static void on_said(void *data, bool is_up, const char *sentence)
{
	struct fixture *fixture = data;

	fixture->said++;
	fixture->said_down += !is_up;
	(void)snprintf(fixture->sentence, sizeof(fixture->sentence), "%s", sentence);
	if (fixture->frees_when_said) {
		kubernetes_free(fixture->kubernetes);
		fixture->kubernetes = NULL;
	}
}

void fixture_init(struct fixture *fixture, const struct kube_server_options *options)
{
	static const struct kube_server_options usual = { .token = FIXTURE_TOKEN };
	const struct kube_certificates *certificates;

	*fixture = (struct fixture){ 0 };
	(void)alarm(FIXTURE_SECONDS);
	assert_int_equal(kube_server_new(options ? options : &usual, &fixture->server), 0);
	assert_true(sd_event_new(&fixture->event) >= 0);
	fixture->cluster = cluster_new();
	assert_non_null(fixture->cluster);
	fixture->version = cluster_version(fixture->cluster);
	certificates = kube_server_certificates(fixture->server);
	fixture->access = (struct kube_access){
		.server = (char *)kube_server_url(fixture->server),
		.ca_data = certificates->authority,
		.token = (char *)FIXTURE_TOKEN,
	};
	fixture->settings = (struct kubernetes_settings){
		.access = &fixture->access,
		.node = FIXTURE_NODE,
		.stall_us = 20000000,
		.backoff_min_us = 1000,
		.backoff_max_us = 4000,
		.watch_seconds = 3600,
	};
}

void fixture_done(struct fixture *fixture)
{
	kubernetes_free(fixture->kubernetes);
	cluster_free(fixture->cluster);
	(void)sd_event_unref(fixture->event);
	kube_server_free(fixture->server);
	(void)alarm(0);
}

void fixture_connect(struct fixture *fixture)
{
	struct diag diag = { 0 };
	int r = kubernetes_new(fixture->event, &fixture->settings, fixture->cluster, on_changed,
		on_said, fixture, &fixture->kubernetes, &diag);

	if (r < 0)
		fail_msg("kubernetes_new: %d (%s)", r, diag.message);
}

void fixture_turn(struct fixture *fixture)
{
	assert_true(sd_event_run(fixture->event, 10000) >= 0);
}

size_t fixture_count(
	struct fixture *fixture, enum kube_server_kind kind, enum kube_server_verb verb)
{
	return kube_server_count(fixture->server, kind, verb);
}

void fixture_settle(struct fixture *fixture)
{
	UNTIL(fixture, kubernetes_is_synced(fixture->kubernetes) &&
			       fixture_count(fixture, SERVER_PODS, SERVER_WATCH) > 0 &&
			       fixture_count(fixture, SERVER_NAMESPACES, SERVER_WATCH) > 0 &&
			       fixture->said > 0);
}

/* One name is used at a time. */
const char *fixture_uid(const char *name)
{
	static char uid[POD_UID_SIZE];
	unsigned long number = 5381;

	for (const char *p = name; *p; p++)
		number = number * 33 + (unsigned char)*p;
	(void)snprintf(uid, sizeof(uid), "%08lx-0000-4000-8000-%012lx", number & 0xffffffff,
		number & 0xffffffffffff);
	return uid;
}

static char *event_of(const char *type, char *object)
{
	char *text;

	if (!type)
		return object;
	assert_true(asprintf(&text, "{\"type\":\"%s\",\"object\":%s}\n", type, object) > 0);
	free(object);
	return text;
}

char *fixture_pod(const char *type, const char *name, unsigned version)
{
	char *text;

	assert_true(
		asprintf(&text,
			"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"%s\","
			"\"namespace\":\"default\",\"uid\":\"%s\",\"resourceVersion\":\"%u\","
			"\"labels\":{\"version\":\"%u\"}},\"spec\":{\"nodeName\":\"" FIXTURE_NODE
			"\",\"containers\":[{\"name\":\"main\",\"image\":\"busybox\"}]},"
			"\"status\":{\"qosClass\":\"BestEffort\"}}",
			name, fixture_uid(name), version, version) > 0);
	return event_of(type, text);
}

char *fixture_namespace(const char *type, const char *name, const char *level, unsigned version)
{
	char *text;

	assert_true(asprintf(&text,
			    "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":"
			    "\"meta.k8s.io/v1\",\"metadata\":{\"name\":\"%s\",\"uid\":\"%s\","
			    "\"resourceVersion\":\"%u\",\"labels\":"
			    "{\"pod-security.kubernetes.io/enforce\":\"%s\"}}}",
			    name, fixture_uid(name), version, level) > 0);
	return event_of(type, text);
}

struct pod_record *fixture_find(struct fixture *fixture, const char *name)
{
	return cluster_find_pod(fixture->cluster, fixture_uid(name));
}

void fixture_push_pod(struct fixture *fixture, const char *type, const char *name, unsigned version)
{
	char *text = fixture_pod(type, name, version);

	kube_server_push(fixture->server, SERVER_PODS, version, text, strlen(text));
	free(text);
}

void fixture_list_pods(struct fixture *fixture, const char *names, unsigned version)
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	assert_non_null(to);
	(void)fprintf(to,
		"{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":"
		"{\"resourceVersion\":\"%u\"},\"items\":[",
		version);
	for (const char *p = names; *p; p++) {
		const char name[] = { *p, '\0' };
		char *pod = fixture_pod(NULL, name, version);

		(void)fprintf(to, "%s%s", p == names ? "" : ",", pod);
		free(pod);
	}
	(void)fputs("]}\n", to);
	assert_int_equal(fclose(to), 0);
	kube_server_set_list(fixture->server, SERVER_PODS, text, length);
	free(text);
}

char *fixture_read(const char *file, size_t *ret_length)
{
	char path[256], *text = NULL;
	size_t size = 0;
	FILE *from;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "tests/data/api/%s", file);
	from = fopen(path, "re");
	assert_non_null(from);
	n = getdelim(&text, &size, '\0', from);
	assert_true(n > 0);
	(void)fclose(from);
	*ret_length = (size_t)n;
	return text;
}

void fixture_replay(struct fixture *fixture, enum kube_server_kind kind, const char *file)
{
	size_t length;
	char *text = fixture_read(file, &length), *rest = NULL;

	/* Each later than the one before, whatever their own versions: the stream is played as it
	 * was recorded. */
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		kube_server_push(fixture->server, kind, UINT64_MAX, line, strlen(line));
	free(text);
}
