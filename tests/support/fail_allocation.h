/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes the n-th allocation fail, for tests that prove what happens when memory runs out.
 *
 * It is linked into every unit test and takes the place of malloc() and its kin for the whole
 * program, libraries included (libyaml's, jansson's and libc's own allocations count and fail too),
 * with and without sanitizers. Nothing has to be wrapped by the linker. Until it is told otherwise
 *it does nothing. It counts the calling thread's allocations alone.
 *
 * A sweep tries every allocation of a scenario in turn, until one is never reached:
 *
 *	for (unsigned long n = 1;; n++) {
 *		fail_allocation_at(n);
 *		int r = scenario();
 *		bool fired = fail_allocation_fired();
 *		fail_allocation_at(0);        (before any assertion: cmocka allocates as well)
 *		if (!fired) {
 *			assert_int_equal(r, 0);
 *			break;
 *		}
 *		assert_int_equal(r, -ENOMEM);
 *	}
 */
#ifndef CAPAUDITD_TEST_FAIL_ALLOCATION_H
#define CAPAUDITD_TEST_FAIL_ALLOCATION_H

#include <stdbool.h>

/* The n-th allocation from now on fails, once, with ENOMEM; 1 is the very next. 0: none does.
 * A call to malloc, calloc, realloc (unless it frees), reallocarray, aligned_alloc, memalign,
 * posix_memalign, strdup or strndup is an allocation, and so is one made inside libc. */
void fail_allocation_at(unsigned long n);

/* True where an allocation was made to fail since the last fail_allocation_at(). */
bool fail_allocation_fired(void);

/* The same by another name. */
bool fail_allocation_done(void);

#endif
