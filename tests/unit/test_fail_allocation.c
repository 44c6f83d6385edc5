/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The instrument that the out-of-memory tests rely on does fail what it should, and only that.
 */
#include "../support/fail_allocation.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <yaml.h>

/* Hides from the compiler that an allocation is not used, lest it be optimised away. */
static void *opaque(void *pointer)
{
	__asm__ volatile("" : "+r"(pointer) : : "memory");
	return pointer;
}

static char text[] = "a string";

static void *by_malloc(void)
{
	return malloc(10);
}

static void *by_calloc(void)
{
	return calloc(3, 10);
}

static void *by_realloc(void)
{
	return realloc(NULL, 10);
}

static void *by_reallocarray(void)
{
	return reallocarray(NULL, 3, 10);
}

static void *by_aligned_alloc(void)
{
	return aligned_alloc(64, 64);
}

static void *by_posix_memalign(void)
{
	void *memory = NULL;

	return posix_memalign(&memory, 64, 64) == 0 ? memory : NULL;
}

static void *by_strdup(void)
{
	return strdup(text);
}

static void *by_strndup(void)
{
	return strndup(text, 3);
}

static void *by_asprintf(void)
{
	char *copy;

	return asprintf(&copy, "%s", text) < 0 ? NULL : copy;
}

static const struct {
	const char *name;
	void *(*allocate)(void);
	bool once; /* makes a single allocation */
} allocators[] = {
	{ "malloc", by_malloc, true },
	{ "calloc", by_calloc, true },
	{ "realloc", by_realloc, true },
	{ "reallocarray", by_reallocarray, true },
	{ "aligned_alloc", by_aligned_alloc, true },
	{ "posix_memalign", by_posix_memalign, true },
	{ "strdup", by_strdup, true },
	{ "strndup", by_strndup, true },
	{ "asprintf", by_asprintf, false },
};

static void every_allocating_function_fails_when_told_and_only_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(allocators) / sizeof(allocators[0]); i++) {
		fail_allocation_at(1);
		void *first = opaque(allocators[i].allocate());
		bool fired = fail_allocation_fired(), alias = fail_allocation_done();
		void *second = opaque(allocators[i].allocate());
		bool kept = fail_allocation_fired();

		fail_allocation_at(0);
		if (first || !second || !fired || !alias || !kept)
			fail_msg("%s: first %p, second %p, fired %d, alias %d, kept %d",
				allocators[i].name, first, second, fired, alias, kept);
		free(second);
	}
}

static void each_call_counts_as_one_allocation(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(allocators) / sizeof(allocators[0]); i++) {
		if (!allocators[i].once)
			continue;
		fail_allocation_at(2);
		void *first = opaque(allocators[i].allocate());
		bool early = fail_allocation_fired();
		void *second = opaque(malloc(1));
		bool fired = fail_allocation_fired();

		fail_allocation_at(0);
		if (!first || second || early || !fired)
			fail_msg("%s: first %p, second %p, early %d, fired %d", allocators[i].name,
				first, second, early, fired);
		free(first);
	}
}

static void nothing_fails_unless_told(void **state)
{
	(void)state;
	fail_allocation_at(0);
	for (int i = 0; i < 1000; i++) {
		void *memory = opaque(malloc(1));

		assert_non_null(memory);
		free(memory);
	}
	assert_false(fail_allocation_fired());
}

static void a_failed_realloc_leaves_the_old_memory_alone(void **state)
{
	(void)state;
	char *old = strdup(text);

	assert_non_null(old);
	errno = 0;
	fail_allocation_at(1);
	char *new = realloc(old, 1000);
	int error = errno;

	fail_allocation_at(0);
	if (!new) {
		assert_int_equal(error, ENOMEM);
		assert_string_equal(old, text);
		free(old);
	}
	assert_null(new);
}

static void a_product_that_overflows_is_refused(void **state)
{
	(void)state;
	size_t *huge = opaque(&(size_t){ SIZE_MAX / 2 });

	assert_null(reallocarray(NULL, *huge, 3));
}

static void libraries_run_out_of_memory_as_well(void **state)
{
	yaml_parser_t parser;

	(void)state;
	fail_allocation_at(1);
	int r = yaml_parser_initialize(&parser);
	bool fired = fail_allocation_fired();

	fail_allocation_at(1);
	json_t *json = json_object();
	bool fired_again = fail_allocation_fired();

	fail_allocation_at(0);
	assert_int_equal(r, 0);
	assert_true(fired);
	assert_null(json);
	assert_true(fired_again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocating_function_fails_when_told_and_only_once),
		cmocka_unit_test(each_call_counts_as_one_allocation),
		cmocka_unit_test(nothing_fails_unless_told),
		cmocka_unit_test(a_failed_realloc_leaves_the_old_memory_alone),
		cmocka_unit_test(a_product_that_overflows_is_refused),
		cmocka_unit_test(libraries_run_out_of_memory_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
