/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The few macros that every file may use: scoped ownership and array sizes.
 *
 * A variable marked _cleanup_(f) is released by f when it goes out of scope; TAKE_PTR() passes its
 * value on and leaves NULL behind, so that ownership moves in one expression. (After systemd's
 * macros of the same names.)
 */
#ifndef CAPAUDITD_MACROS_H
#define CAPAUDITD_MACROS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)	 __attribute__((cleanup(f)))
#define _cleanup_free_	 _cleanup_(cleanup_free)
#define _cleanup_close_	 _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

#define TAKE_PTR(p)                          \
	({                                   \
		__auto_type take_ptr_ = (p); \
		(p) = NULL;                  \
		take_ptr_;                   \
	})
#define TAKE_FD(fd)                  \
	({                           \
		int take_fd_ = (fd); \
		(fd) = -1;           \
		take_fd_;            \
	})
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Defines the cleanup function NAMEp(T **), for _cleanup_(NAMEp), from `void NAME(T *)`. */
#define DEFINE_CLEANUP(T, NAME)           \
	static inline void NAME##p(T **p) \
	{                                 \
		NAME(*p);                 \
	}

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

#endif
