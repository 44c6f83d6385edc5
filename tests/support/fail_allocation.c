/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the countdown to the allocation that fails, and the definitions of malloc() and its kin that
 * ask it. They stand in the test program itself, so that the dynamic linker prefers them to libc's
 * for everybody. free() stays whose it was, since the memory still comes from there.
 */
#include "fail_allocation.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The functions that allocate in truth. */
#ifdef SANITIZE
/* AddressSanitizer takes malloc() over in the same way as this file does; its functions have other
 * names besides, under which both gcc's and clang's are found. It also answers strdup() without
 * calling malloc(), where libc's own would. */
#define BENEATH(name) __interceptor_##name
void *BENEATH(malloc)(size_t size);
void *BENEATH(calloc)(size_t count, size_t size);
void *BENEATH(realloc)(void *old, size_t size);
void *BENEATH(memalign)(size_t alignment, size_t size);
char *BENEATH(strdup)(const char *text);
char *BENEATH(strndup)(const char *text, size_t length);
#else
/* libc's, by the names under which valgrind knows them. dlsym() allocates only where it fails. */
#define BENEATH(name)                                                 \
	({                                                            \
		static __typeof__(&name) beneath;                     \
		if (!beneath)                                         \
			*(void **)&beneath = dlsym(RTLD_NEXT, #name); \
		beneath;                                              \
	})
#endif

/* Mutable globals, for once: malloc() has no parameter to carry them. */
static _Thread_local unsigned long countdown;
static _Thread_local bool fired;

void fail_allocation_at(unsigned long n)
{
	countdown = n;
	fired = false;
}

bool fail_allocation_fired(void)
{
	return fired;
}

bool fail_allocation_done(void)
{
	return fired;
}

static bool must_fail(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	fired = true;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return must_fail() ? NULL : BENEATH(malloc)(size);
}

void *calloc(size_t count, size_t size)
{
	return must_fail() ? NULL : BENEATH(calloc)(count, size);
}

void *realloc(void *old, size_t size)
{
	if (old && size == 0)
		return BENEATH(realloc)(old, size); /* frees: cannot run out of memory */
	return must_fail() ? NULL : BENEATH(realloc)(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, bytes);
}

void *memalign(size_t alignment, size_t size)
{
	return must_fail() ? NULL : BENEATH(memalign)(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
		return EINVAL;

	int saved = errno; /* posix_memalign(3) leaves it alone */
	void *memory = memalign(alignment, size);
	int r = memory ? 0 : ENOMEM;

	errno = saved;
	if (memory)
		*ret = memory;
	return r;
}

#ifdef SANITIZE
char *strdup(const char *text)
{
	return must_fail() ? NULL : BENEATH(strdup)(text);
}

char *strndup(const char *text, size_t length)
{
	return must_fail() ? NULL : BENEATH(strndup)(text, length);
}
#endif
