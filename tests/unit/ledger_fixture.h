/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of the ledger share: observations made from a short description, and a report
 * function that keeps what it is told in an array, without allocating anything.
 */
#ifndef CAPAUDITD_TEST_LEDGER_FIXTURE_H
#define CAPAUDITD_TEST_LEDGER_FIXTURE_H

#include <capauditd/ledger.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND	     UINT64_C(1000000)
#define RESOLVE_TIME (300 * SECOND)

/* An observation; what is not said is of no interest to the test. */
struct spec {
	const char *container; /* its id; "c1" where NULL */
	enum violation_class class;
	enum namespace_relation relation;
	enum verdict verdict;	/* 0: violation */
	enum severity severity; /* 0: high for violations */
	capability_mask effective, bounding;
	const char *profile; /* "baseline" where NULL */
	bool provisional;
	uint32_t hints;
	const char *namespace_name, *pod, *owner, *name, *image;
	enum container_type type;
	const char *exe;
	capability_mask holds; /* the process's effective set */
	pid_t first_pid;       /* 0: 1 */
	unsigned processes;    /* 0: 1; they have consecutive pids */
	uint64_t start;	       /* their start time */
};

static inline char *copy_or_null(const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	assert_true(!text || copy);
	return copy;
}

static inline struct observation observe_spec(const struct spec *spec)
{
	struct observation observation = { 0 };
	struct finding *finding = &observation.finding;

	finding->class = spec->class;
	finding->relation = spec->relation;
	finding->verdict = spec->verdict ? spec->verdict : VERDICT_VIOLATION;
	if (finding->verdict == VERDICT_VIOLATION)
		finding->severity = spec->severity ? spec->severity : SEVERITY_HIGH;
	finding->excess.of[CAPABILITY_EFFECTIVE] = spec->effective;
	finding->excess.of[CAPABILITY_BOUNDING] = spec->bounding;
	finding->profile = copy_or_null(spec->profile ? spec->profile : "baseline");
	finding->provisional = spec->provisional;
	finding->hints = spec->hints;
	finding->container.id = copy_or_null(spec->container ? spec->container : "c1");
	finding->container.runtime = "containerd";
	finding->container.name = copy_or_null(spec->name);
	finding->container.image = copy_or_null(spec->image);
	finding->container.type = spec->type;
	finding->container.in_pod = spec->namespace_name || spec->pod;
	finding->container.pod.namespace_name = copy_or_null(spec->namespace_name);
	finding->container.pod.name = copy_or_null(spec->pod);
	finding->container.pod.owner = copy_or_null(spec->owner);
	finding->process.pid = spec->first_pid ? spec->first_pid : 1;
	finding->process.start_ticks = spec->start;
	finding->process.sets.of[CAPABILITY_EFFECTIVE] = spec->holds;
	finding->process.exe = copy_or_null(spec->exe);
	if (spec->exe)
		assert_int_equal(finding_add_executable(finding, spec->exe), 0);
	finding_identify(finding);

	observation.member_count = spec->processes ? spec->processes : 1;
	observation.members = calloc(observation.member_count, sizeof(*observation.members));
	assert_non_null(observation.members);
	for (size_t i = 0; i < observation.member_count; i++) {
		observation.members[i].pid = finding->process.pid + (pid_t)i;
		observation.members[i].start_ticks = spec->start;
	}
	return observation;
}

static inline void release_observation(struct observation *observation)
{
	finding_done(&observation->finding);
	free(observation->members);
	*observation = (struct observation){ 0 };
}

#define EVENTS_MAX 4096

struct event {
	enum finding_state state;
	enum resolved_reason reason;
	enum verdict verdict;
	enum severity severity;
	uint64_t count, time_us, first_seen_us, last_seen_us;
	pid_t pid;
	char id[FINDING_ID_SIZE];
	char pod[32]; /* "" where unknown */
};

struct events {
	size_t count;
	struct event at[EVENTS_MAX];
};

static inline void keep_event(void *data, const struct finding *finding)
{
	struct events *events = data;

	assert_true(events->count < EVENTS_MAX);
	struct event *event = &events->at[events->count++];

	memset(event, 0, sizeof(*event)); /* padding too: events are compared as bytes */
	event->state = finding->state;
	event->reason = finding->resolved_reason;
	event->verdict = finding->verdict;
	event->severity = finding->severity;
	event->count = finding->count;
	event->time_us = finding->time_us;
	event->first_seen_us = finding->first_seen_us;
	event->last_seen_us = finding->last_seen_us;
	event->pid = finding->process.pid;
	memcpy(event->id, finding->id, sizeof(event->id));
	if (finding->container.pod.name)
		(void)snprintf(event->pod, sizeof(event->pod), "%s", finding->container.pod.name);
}

#endif
