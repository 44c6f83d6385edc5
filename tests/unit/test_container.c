/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's description is copied whole or not at all, and its types have the names of the
 * interface.
 */
#include "../support/fail_allocation.h"

#include <capauditd/container.h>
#include <capauditd/macros.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char id[] = "73051af2", name[] = "web", image[] = "registry.example/web", cgroup[] = "/a/b",
	    namespace_name[] = "shop", pod_name[] = "cart-7d4f", owner[] = "Deployment/cart";

/* Borrows its strings: it is not for container_done(). */
static const struct container full = {
	.id = id,
	.runtime = "containerd",
	.name = name,
	.image = image,
	.cgroup = cgroup,
	.type = CONTAINER_INIT,
	.in_pod = true,
	.pod = { .namespace_name = namespace_name,
		.name = pod_name,
		.uid = "8712f785-1a3e-41ec-a00b-e2dcc77431cb",
		.qos = QOS_BURSTABLE,
		.owner = owner },
	.unattributed = true,
	.opaque = true,
};

static void a_copy_has_everything_and_shares_nothing(void **state)
{
	struct container copy;

	(void)state;
	assert_int_equal(container_copy(&full, &copy), 0);
	assert_string_equal(copy.id, full.id);
	assert_ptr_not_equal(copy.id, full.id);
	assert_ptr_equal(copy.runtime, full.runtime);
	assert_string_equal(copy.name, full.name);
	assert_ptr_not_equal(copy.name, full.name);
	assert_string_equal(copy.image, full.image);
	assert_ptr_not_equal(copy.image, full.image);
	assert_string_equal(copy.cgroup, full.cgroup);
	assert_ptr_not_equal(copy.cgroup, full.cgroup);
	assert_int_equal(copy.type, full.type);
	assert_true(copy.in_pod);
	assert_string_equal(copy.pod.namespace_name, full.pod.namespace_name);
	assert_ptr_not_equal(copy.pod.namespace_name, full.pod.namespace_name);
	assert_string_equal(copy.pod.name, full.pod.name);
	assert_ptr_not_equal(copy.pod.name, full.pod.name);
	assert_string_equal(copy.pod.uid, full.pod.uid);
	assert_int_equal(copy.pod.qos, full.pod.qos);
	assert_string_equal(copy.pod.owner, full.pod.owner);
	assert_ptr_not_equal(copy.pod.owner, full.pod.owner);
	assert_true(copy.unattributed);
	assert_true(copy.opaque);
	assert_false(copy.host);
	container_done(&copy);
}

static void what_is_unknown_stays_unknown_in_a_copy(void **state)
{
	const struct container little = { .id = id, .runtime = "unknown" };
	struct container copy;

	(void)state;
	assert_int_equal(container_copy(&little, &copy), 0);
	assert_string_equal(copy.id, id);
	assert_null(copy.name);
	assert_null(copy.image);
	assert_null(copy.cgroup);
	assert_null(copy.pod.namespace_name);
	assert_null(copy.pod.name);
	assert_null(copy.pod.owner);
	container_done(&copy);
}

static void a_copy_that_fails_leaves_the_target_alone(void **state)
{
	(void)state;
	for (unsigned long n = 1;; n++) {
		struct container copy = { .id = id };
		bool fired;
		int r;

		fail_allocation_at(n);
		r = container_copy(&full, &copy);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		if (!fired) {
			assert_int_equal(r, 0);
			assert_int_equal(n, 8);
			container_done(&copy);
			return;
		}
		assert_int_equal(r, -ENOMEM);
		assert_ptr_equal(copy.id, id);
		assert_null(copy.name);
	}
}

static void what_is_done_can_be_done_again(void **state)
{
	struct container copy;

	(void)state;
	assert_int_equal(container_copy(&full, &copy), 0);
	container_done(&copy);
	assert_null(copy.id);
	assert_null(copy.pod.owner);
	container_done(&copy);
}

static void every_type_has_a_name_of_its_own(void **state)
{
	static const char *const names[CONTAINER_TYPES] = { "unknown", "init", "sidecar", "regular",
		"ephemeral", "sandbox" };

	(void)state;
	for (unsigned type = 0; type < CONTAINER_TYPES; type++) {
		enum container_type back = CONTAINER_TYPES;

		assert_string_equal(container_type_name((enum container_type)type), names[type]);
		assert_int_equal(container_type_from_name(names[type], &back), 0);
		assert_int_equal(back, type);
	}
}

static void a_name_of_no_type_is_refused(void **state)
{
	static const char *const names[] = { "", "Init", "job", "init ", "in" };
	enum container_type type = CONTAINER_SANDBOX;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(container_type_from_name(names[i], &type), -ENOENT);
	assert_int_equal(type, CONTAINER_SANDBOX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_has_everything_and_shares_nothing),
		cmocka_unit_test(what_is_unknown_stays_unknown_in_a_copy),
		cmocka_unit_test(a_copy_that_fails_leaves_the_target_alone),
		cmocka_unit_test(what_is_done_can_be_done_again),
		cmocka_unit_test(every_type_has_a_name_of_its_own),
		cmocka_unit_test(a_name_of_no_type_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
