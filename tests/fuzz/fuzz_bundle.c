/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A config.json, whatever it holds, read as each runtime's: what comes out is sound, nothing of a
 * process's environment among it, and it does not depend on what stands outside the annotations.
 */
#include "check.h"

#include <capauditd/bundle.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define ID     "8eb1cc424c5897732da50e6a511c007c54a2bc2358e0f45ad4c0a46beeffc0a4"
#define SECRET "TOKEN=do-not-read"

static const char *const runtimes[] = { "containerd", "cri-o", "podman", "docker", "unknown-cri",
	NULL };

static void check_text(const char *text)
{
	CHECK(!text || text[0]);
}

static void check_sound(const struct bundle *bundle, const char *runtime, bool in_pod)
{
	const bool says = bundle->namespace_name || bundle->pod || bundle->container ||
			  bundle->image || bundle->pod_uid[0] || bundle->is_sandbox ||
			  bundle->is_container;
	const size_t uid = strnlen(bundle->pod_uid, sizeof(bundle->pod_uid));

	check_text(bundle->namespace_name);
	check_text(bundle->pod);
	check_text(bundle->container);
	check_text(bundle->image);
	CHECK(uid == 0 || uid == 32 || uid == 36);
	CHECK(strspn(bundle->pod_uid, "0123456789abcdef-") == uid);
	CHECK(!(bundle->is_sandbox && bundle->is_container));
	CHECK(!(bundle->is_sandbox && bundle->container));
	CHECK(bundle->granted_known || bundle->granted == 0);
	/* What an image can claim is not believed. */
	if (runtime && strcmp(runtime, "docker") == 0 && !in_pod)
		CHECK(!says);
	if (runtime && strcmp(runtime, "podman") == 0)
		CHECK(!bundle->pod && !bundle->namespace_name && !bundle->pod_uid[0]);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same(const struct bundle *a, const struct bundle *b)
{
	return same_text(a->namespace_name, b->namespace_name) && same_text(a->pod, b->pod) &&
	       same_text(a->container, b->container) && same_text(a->image, b->image) &&
	       strcmp(a->pod_uid, b->pod_uid) == 0 && a->is_sandbox == b->is_sandbox &&
	       a->is_container == b->is_container && a->granted_known == b->granted_known &&
	       a->granted == b->granted;
}

/* The same document with one more member, which says nothing that is asked for. */
static void check_with_more(const char *text, size_t size, const char *runtime, bool in_pod,
	const struct bundle *bundle)
{
	static const char more[] = "\"hostname\":{\"env\":[\"" SECRET "\"],\"annotations\":"
				   "{\"io.kubernetes.cri.sandbox-name\":\"x\"}}";
	const char *open = memchr(text, '{', size);
	size_t before = open ? (size_t)(open - text) + 1 : 0, behind = size - before;
	const char *next = text + before;
	_cleanup_free_ char *longer = malloc(size + sizeof(more));
	struct bundle again;

	while (behind && memchr(" \t\r\n", *next, 4)) {
		next++;
		behind--;
	}
	/* An empty object has no member to come behind the comma. */
	if (!open || !longer || !behind || *next != '"')
		return;
	for (size_t i = 0; i + 1 < before; i++)
		if (!memchr(" \t\r\n", text[i], 4))
			return; /* no object */
	memcpy(longer, text, before);
	memcpy(longer + before, more, sizeof(more) - 1);
	longer[before + sizeof(more) - 1] = ',';
	memcpy(longer + before + sizeof(more), next, behind);
	CHECK(bundle_parse(longer, before + sizeof(more) + behind, runtime, ID, in_pod, &again) ==
		0);
	CHECK(same(bundle, &again));
	bundle_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of its own: there is no byte behind it. */
	_cleanup_free_ char *text = malloc(size ? size : 1);
	int first = 0;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(runtimes); i++) {
		const char *runtime = runtimes[i / 2];
		bool in_pod = i & 1;
		struct bundle bundle = { .granted = 4711 };
		int r = bundle_parse(text, size, runtime, ID, in_pod, &bundle);

		CHECK(r == 0 || r == -EBADMSG);
		/* Whether it is a bundle is no matter of whose. */
		if (i == 0)
			first = r;
		CHECK(r == first);
		if (r < 0) {
			CHECK(bundle.granted == 4711 && !bundle.pod);
			continue;
		}
		check_sound(&bundle, runtime, in_pod);
		check_with_more(text, size, runtime, in_pod, &bundle);
		bundle_done(&bundle);
		CHECK(!bundle.pod && !bundle.granted_known);
	}
	return 0;
}
