/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The system's clocks (clock_gettime(2)), which core never asks.
 */
#ifndef CAPAUDITD_CLOCK_H
#define CAPAUDITD_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds. `clock_id`: CLOCK_REALTIME, CLOCK_MONOTONIC, ... of time.h. */
static inline uint64_t clock_us(int clock_id)
{
	struct timespec now;

	(void)clock_gettime(clock_id, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

#endif
