/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the crowd's pods and containers are called, for those who lay them out (crowd.c) and those
 * who tell of them (api_text.c).
 */
#ifndef CAPAUDITD_BENCH_CROWD_H
#define CAPAUDITD_BENCH_CROWD_H

#include <stdio.h>

#define CROWD_ID_SIZE  65
#define CROWD_UID_SIZE 37

/* Of a container's and of a pod's number, from 0 on the whole node. */
static inline void crowd_container_id(char id[CROWD_ID_SIZE], const char *token, unsigned number)
{
	(void)snprintf(id, CROWD_ID_SIZE, "%.16s%048x", token, number);
}

static inline void crowd_pod_uid(char uid[CROWD_UID_SIZE], const char *token, unsigned pod)
{
	(void)snprintf(uid, CROWD_UID_SIZE, "%.8s-%.4s-%.4s-8000-%012x", token, token + 8,
		token + 12, pod);
}

#define CROWD_NAMESPACE "bench-%u" /* the pod's number modulo how many there are */
#define CROWD_POD	"crowd-%u" /* the pod's number */
#define CROWD_CONTAINER "main-%u"  /* from 0 in each pod */

#endif
