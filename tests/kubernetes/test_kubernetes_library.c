/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libcurl is opened at run time: what becomes of a machine without it, with its other flavour, or
 * with one that lacks something.
 */
// wrap: dlopen dlsym
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube_fixture.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

static char *asked[4]; /* by what names */
static size_t asked_count, refused_count;
static const char *lacking; /* a function */

void *__real_dlopen(const char *name, int flags);
void *__wrap_dlopen(const char *name, int flags);
void *__real_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name);

/* The first so many are not there; whatever is asked for after them is what the first one names. */
void *__wrap_dlopen(const char *name, int flags)
{
	char missing[256];

	if (strncmp(name, "libcurl", strlen("libcurl")) != 0)
		return __real_dlopen(name, flags);
	assert_true(asked_count < sizeof(asked) / sizeof(asked[0]));
	assert_non_null(asked[asked_count] = strdup(name));
	if (asked_count++ >= refused_count)
		return __real_dlopen(asked[0], flags);
	(void)snprintf(missing, sizeof(missing), "/nowhere/%s", name);
	return __real_dlopen(missing, flags);
}

void *__wrap_dlsym(void *handle, const char *name)
{
	return lacking && strcmp(name, lacking) == 0 ? NULL : __real_dlsym(handle, name);
}

static void forget(void)
{
	while (asked_count > 0)
		free(asked[--asked_count]);
	refused_count = 0;
	lacking = NULL;
}

/* What is said where it cannot be had. */
static void assert_unavailable(struct diag *diag)
{
	struct kubernetes *kubernetes = NULL;
	struct fixture f;

	fixture_init(&f, NULL);
	assert_int_equal(kubernetes_new(f.event, &f.settings, f.cluster, NULL, NULL, NULL,
				 &kubernetes, diag),
		-ELIBACC);
	assert_null(kubernetes);
	assert_non_null(strstr(diag->message, "the Kubernetes API source is not available"));
	fixture_done(&f);
}

static void a_libcurl_that_is_missing_is_named(void **state)
{
	struct diag diag = { 0 };

	(void)state;
	refused_count = 2;
	assert_unavailable(&diag);
	assert_int_equal(asked_count, 2);
	assert_string_not_equal(asked[0], asked[1]);
	for (size_t i = 0; i < asked_count; i++)
		assert_non_null(strstr(diag.message, asked[i]));
	assert_non_null(strstr(diag.message, strerror(ENOENT)));
	forget();
}

static void debians_other_flavour_will_do(void **state)
{
	struct fixture f;

	(void)state;
	refused_count = 1;
	fixture_init(&f, NULL);
	fixture_list_pods(&f, "ab", 10);
	fixture_connect(&f);
	fixture_settle(&f);
	assert_int_equal(asked_count, 2);
	assert_int_equal(cluster_pod_count(f.cluster), 2);
	fixture_done(&f);
	forget();
}

static void a_libcurl_that_lacks_a_function_is_too_old(void **state)
{
	struct diag diag = { 0 };

	(void)state;
	lacking = "curl_url_strerror";
	assert_unavailable(&diag);
	assert_non_null(strstr(diag.message, "too old: it has no curl_url_strerror()"));
	forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_libcurl_that_is_missing_is_named),
		cmocka_unit_test(debians_other_flavour_will_do),
		cmocka_unit_test(a_libcurl_that_lacks_a_function_is_too_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
