/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an API server, or whoever stands in its place, answers one request after the other: however
 * it is cut, the cluster comes to know the same, and what is said of failures is fit to print. The
 * requests are made here, in place of libcurl.
 *
 * The first byte: bit 0 the kind. Each answer ends with the byte 0x1e, and begins with a letter
 * that says how it ends (table).
 */
#include "check.h"

#include "../../daemon/identify/kube_failure.h"
#include "../../daemon/identify/kube_reflector.h"

#include <capauditd/text.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_END  0x1e
#define ANSWERS_MAX 16u
#define CUT_MAX	    SIZE_MAX

static const struct ending {
	char letter;
	long status;
	int error;
} endings[] = {
	{ 'o', 200, 0 }, /* also what has another letter */
	{ 'b', 200, -EIO },
	{ 't', 200, -ETIMEDOUT },
	{ 'g', 410, 0 },
	{ 'f', 403, 0 },
	{ 's', 500, 0 },
	{ 'n', 0, -EIO },
};

/* ---- in place of kube_transfer.c ---- */

/* The request that waits for its answer; `data` NULL: none. */
static struct kube_request asked;

char *kube_transport_escape(const struct kube_transport *transport, const char *text)
{
	char *escaped = malloc(3 * strlen(text) + 1), *end = escaped;

	(void)transport;
	if (!escaped)
		return NULL;
	for (; *text; text++)
		end += sprintf(end, "%%%02X", (unsigned char)*text);
	*end = '\0';
	return escaped;
}

int kube_transfer_start(struct kube_transport *transport, const struct kube_request *request,
	struct kube_transfer **ret, struct diag *diag)
{
	(void)transport;
	(void)diag;
	CHECK(!asked.data && request->data);
	/* Nothing that a server said is more than a value in a query. */
	CHECK(strncmp(request->path, "/api/v1/", 8) == 0);
	for (const char *p = request->path; *p; p++)
		CHECK(*p > ' ' && *p < 0x7f && *p != '#');
	asked = *request;
	*ret = (void *)&asked;
	return 0;
}

void kube_transfer_cancel(struct kube_transfer *transfer)
{
	if (transfer)
		asked.data = NULL;
}

/* ---- a server ---- */

/* In parts of `cut` bytes, each a copy of its own. What `take` returned. */
static int give(const struct kube_request *request, const uint8_t *body, size_t length, size_t cut)
{
	int r = 0;

	while (r == 0 && length) {
		size_t part = length < cut ? length : cut;
		char *copy = malloc(part);

		CHECK(copy);
		memcpy(copy, body, part);
		r = request->take(request->data, copy, part);
		free(copy);
		body += part;
		length -= part;
	}
	return r;
}

static void answer(const uint8_t *body, size_t length, size_t cut)
{
	const struct kube_request request = asked;
	const struct ending *ending = &endings[0];
	char *refusal = calloc(1, length + 1);
	struct kube_answer answer;

	CHECK(refusal);
	for (size_t i = 0; length && i < ARRAY_SIZE(endings); i++)
		if (endings[i].letter == (char)body[0])
			ending = &endings[i];
	if (length) {
		length--;
		memcpy(refusal, body + 1, length);
	}
	answer =
		(struct kube_answer){ .error = ending->error, .status = ending->status, .why = "" };
	if (ending->status == 200) {
		int r;

		request.begun(request.data);
		r = give(&request, (const uint8_t *)refusal, length, cut);
		answer.error = r ? r : answer.error;
	} else if (ending->status) {
		answer.refusal = refusal;
		answer.refusal_length = length < KUBE_REFUSAL_MAX ? length : KUBE_REFUSAL_MAX;
	} else {
		answer.why = refusal;
	}
	asked.data = NULL;
	request.done(request.data, &answer);
	free(refusal);
}

/* ---- what came of it ---- */

struct outcome {
	uint64_t version;
	size_t pods, namespaces;
	bool synced, lacks_pods, lacks_namespaces;
	enum kube_health health;
	char *failure;
};

static void check_sound(const struct kube_reflector *reflector, const struct cluster *cluster)
{
	const char *failure = kube_reflector_failure(reflector);

	CHECK(cluster_pod_count(cluster) <= CLUSTER_PODS_MAX);
	CHECK(cluster_namespace_count(cluster) <= CLUSTER_NAMESPACES_MAX);
	CHECK(kube_reflector_health(reflector) != KUBE_DOWN || failure);
	CHECK(!failure || (text_is_clean(failure, strlen(failure)) && strlen(failure) < 2048));
	CHECK(kube_reflector_is_synced(reflector) ==
		(cluster_knows_pods(cluster) || cluster_knows_namespaces(cluster)));
}

static void note(void *data)
{
	(void)data;
}

/* The next request: at once, or when its time has come. */
static bool wait_for_request(sd_event *event)
{
	for (unsigned turns = 0; !asked.data && turns < 4; turns++)
		CHECK(sd_event_run(event, 0) >= 0);
	return asked.data != NULL;
}

static struct outcome serve(enum kube_kind kind, const uint8_t *data, size_t size, size_t cut)
{
	static sd_event *event;
	_cleanup_(cluster_freep) struct cluster *cluster = cluster_new();
	struct kube_reflector_settings settings = { .cluster = cluster,
		.kind = kind,
		.node = "node 1",
		.stall_us = 1000000,
		.answer_max = UINT32_MAX,
		.watch_seconds = 1,
		.noted = note };
	struct kube_reflector *reflector;
	struct outcome outcome;

	CHECK(cluster && (event || sd_event_new(&event) >= 0));
	settings.event = event;
	CHECK(kube_reflector_new(&settings, &reflector) >= 0);
	for (unsigned i = 0; i < ANSWERS_MAX && size; i++) {
		const uint8_t *end = memchr(data, ANSWER_END, size);
		size_t length = end ? (size_t)(end - data) : size;

		if (!wait_for_request(event))
			break;
		answer(data, length, cut);
		check_sound(reflector, cluster);
		length += end != NULL;
		data += length;
		size -= length;
	}
	outcome = (struct outcome){
		.version = cluster_version(cluster),
		.pods = cluster_pod_count(cluster),
		.namespaces = cluster_namespace_count(cluster),
		.synced = kube_reflector_is_synced(reflector),
		.lacks_pods = cluster_lacks_pods(cluster),
		.lacks_namespaces = cluster_lacks_namespaces(cluster),
		.health = kube_reflector_health(reflector),
	};
	if (kube_reflector_failure(reflector))
		outcome.failure = strdup(kube_reflector_failure(reflector));
	kube_reflector_free(reflector);
	CHECK(!asked.data);
	return outcome;
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
	CHECK(a->version == b->version && a->pods == b->pods && a->namespaces == b->namespaces);
	CHECK(a->synced == b->synced && a->health == b->health);
	CHECK(a->lacks_pods == b->lacks_pods && a->lacks_namespaces == b->lacks_namespaces);
	CHECK(!a->failure == !b->failure && (!a->failure || strcmp(a->failure, b->failure) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t cuts[] = { 1, 7, 61 };
	struct outcome once, again;
	enum kube_kind kind;

	if (size == 0)
		return 0;
	kind = data[0] & 1 ? KUBE_NAMESPACES : KUBE_PODS;
	once = serve(kind, data + 1, size - 1, CUT_MAX);
	again = serve(kind, data + 1, size - 1, cuts[(data[0] >> 1) % ARRAY_SIZE(cuts)]);
	check_same(&once, &again);
	free(once.failure);
	free(again.failure);
	return 0;
}
