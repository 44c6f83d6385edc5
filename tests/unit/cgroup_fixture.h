/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of /proc/PID/cgroup share: made-up names, and what every answer obeys.
 */
#ifndef CAPAUDITD_TEST_CGROUP_FIXTURE_H
#define CAPAUDITD_TEST_CGROUP_FIXTURE_H

#include <capauditd/cgroup.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID_A	  "a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4"
#define ID_B	  "0badcafe0badcafe0badcafe0badcafe0badcafe0badcafe0badcafe0badcafe"
#define UID	  "11111111-1111-1111-1111-111111111111"
#define UID_	  "11111111_1111_1111_1111_111111111111"
#define POD_SLICE "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice"

static inline struct cgroup_identity parse(const char *text, size_t length)
{
	struct cgroup_identity identity;

	/* Every byte is to be set. */
	memset(&identity, 0xa5, sizeof(identity));
	cgroup_parse(text, length, NULL, &identity);
	return identity;
}

static inline struct cgroup_identity parse_string(const char *text)
{
	return parse(text, strlen(text));
}

static inline const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* What every answer to any text obeys. */
static inline void assert_sound(
	const char *text, size_t length, const struct cgroup_identity *identity)
{
	assert_non_null(cgroup_kind_name(identity->kind));
	assert_true(
		strnlen(identity->container_id, sizeof(identity->container_id)) <= CGROUP_NAME_MAX);
	assert_true(strnlen(identity->pod_uid, sizeof(identity->pod_uid)) < POD_UID_SIZE);
	assert_true(identity->container_length <= identity->path_length);
	if (identity->path) {
		assert_true(identity->path >= text && identity->path < text + length);
		assert_true(identity->path_length <= length - (size_t)(identity->path - text));
		assert_int_equal(identity->path[0], '/');
	} else {
		assert_int_equal(identity->path_length, 0);
		assert_true(identity->kind == CGROUP_HOST || identity->ambiguous);
	}
	if (identity->ambiguous) {
		assert_int_equal(identity->kind, CGROUP_CONTAINER);
		assert_string_equal(identity->container_id, "");
		assert_string_equal(identity->pod_uid, "");
		assert_int_equal(identity->qos, QOS_UNKNOWN);
	}
	if (identity->kind == CGROUP_HOST) {
		assert_null(identity->runtime);
		assert_string_equal(identity->container_id, "");
		assert_string_equal(identity->pod_uid, "");
	}
}

#endif
