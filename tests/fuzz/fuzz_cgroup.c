/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text of /proc/PID/cgroup, whatever it holds: the answer is sound, and a container stays whose
 * it is when something is created below it.
 */
#include "check.h"

#include <capauditd/cgroup.h>
#include <capauditd/macros.h>

#include <stdint.h>
#include <string.h>

static void check_sound(const char *text, size_t size, const struct cgroup_identity *identity)
{
	CHECK(cgroup_kind_name(identity->kind));
	CHECK(strnlen(identity->container_id, sizeof(identity->container_id)) <= CGROUP_NAME_MAX);
	CHECK(strnlen(identity->pod_uid, sizeof(identity->pod_uid)) < POD_UID_SIZE);
	CHECK(identity->container_length <= identity->path_length);
	if (identity->path) {
		CHECK(identity->path >= text && identity->path < text + size);
		CHECK(identity->path_length <= size - (size_t)(identity->path - text));
		CHECK(identity->path[0] == '/');
	} else {
		CHECK(identity->kind == CGROUP_HOST || identity->ambiguous);
		CHECK(identity->path_length == 0);
	}
	if (identity->ambiguous)
		CHECK(identity->kind == CGROUP_CONTAINER && !*identity->container_id);
	if (identity->kind == CGROUP_HOST)
		CHECK(!identity->runtime && !*identity->container_id && !*identity->pod_uid);
}

/* The container's line, with names below it that are a helper's. */
static void check_below(const struct cgroup_identity *identity)
{
	static const char head[] = "1:x:";
	static const char below[] = "/lxc.monitor.x/x.service/runtime";
	size_t head_length = sizeof(head) - 1;
	size_t length = head_length + identity->path_length + sizeof(below) - 1;
	_cleanup_free_ char *text = malloc(length);
	struct cgroup_identity after;

	if (!text)
		return;
	memcpy(text, head, head_length);
	memcpy(text + head_length, identity->path, identity->path_length);
	memcpy(text + head_length + identity->path_length, below, sizeof(below) - 1);
	cgroup_parse(text, length, NULL, &after);
	CHECK(after.kind == CGROUP_CONTAINER);
	CHECK(strcmp(after.container_id, identity->container_id) == 0);
	CHECK(after.container_length == identity->container_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const prefixes[] = { "/docker/x", "/../a", "/" };
	static const struct cgroup_base base = { .prefixes = prefixes,
		.count = ARRAY_SIZE(prefixes) };
	const char *text = (const char *)data;
	struct cgroup_identity identity;

	cgroup_parse(text, size, &base, &identity);
	check_sound(text, size, &identity);
	cgroup_parse(text, size, NULL, &identity);
	check_sound(text, size, &identity);
	if (identity.kind == CGROUP_CONTAINER && !identity.ambiguous)
		check_below(&identity);
	cgroup_parse_path(text, size, NULL, &identity);
	CHECK(identity.container_length <= identity.path_length && identity.path_length <= size);
	return 0;
}
