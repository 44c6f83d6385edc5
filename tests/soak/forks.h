/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What those who start forks.c must know of its containers.
 */
#ifndef CAPAUDITD_SOAK_FORKS_H
#define CAPAUDITD_SOAK_FORKS_H

/* Their numbers, which end their ids, go on from there: the crowd's begin at 0. */
#define FORKS_FIRST_CONTAINER 0x1000000u

/* In every so many-th of them programs hold what they may not. */
#define VIOLATING_EVERY 4u

#endif
