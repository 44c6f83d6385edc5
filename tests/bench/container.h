/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container as far as its cgroups and its processes' sets say, for the benchmark's programs: what
 * a runtime does besides is none of their business.
 */
#ifndef CAPAUDITD_BENCH_CONTAINER_H
#define CAPAUDITD_BENCH_CONTAINER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTAINER_DEFAULT_SET UINT64_C(0xa80425fb) /* containerd's and Docker's */
#define CONTAINER_ID_SIZE     65

/* Docker's: no pod, so that its findings wait for no name. It is in the default hierarchy and in
 * that of the pids controller, as far as these are mounted; with cgroup v2 alone they are one. */
struct container {
	char id[CONTAINER_ID_SIZE];
	char directory[2][512];
	unsigned directories;
};

/* All of these end the program where they fail. */
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);
unsigned number_of(const char *text);

/* TOKEN begins its id, NUMBER ends it. */
void container_make(struct container *container, const char *token, unsigned number);
/* The calling process, which does better to have one thread. */
void container_enter(const struct container *container);
/* Kills who is still there. */
void container_remove(const struct container *container);

void hold(uint64_t bounding, uint64_t permitted, uint64_t effective);
/* This program again, with another first argument: whoever has not exec'd in a container counts as
 * one that is still being set up. */
_Noreturn void become(const char *role);

/* What a descriptor of a memory file stands for, for all that inherit it. */
void *map_shared(int fd, size_t size);

uint64_t now_ns(int clock);
int compare_numbers(const void *a, const void *b); /* of uint64_t, for qsort() */

#endif
