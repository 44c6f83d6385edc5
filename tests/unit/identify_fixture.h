/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Made-up snapshots for the registry.
 */
#ifndef CAPAUDITD_TEST_IDENTIFY_FIXTURE_H
#define CAPAUDITD_TEST_IDENTIFY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/identify.h>

#include <stdlib.h>
#include <string.h>

#define ID_A	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B	  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define UID	  "11111111-2222-3333-4444-555555555555"
#define POD(id)	  "0::/kubepods/burstable/pod" UID "/" id "\n"
#define HOST_TEXT "0::/system.slice/sshd.service\n"

/* What a row does not mention is 0, on purpose. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct made {
	pid_t pid, ppid;
	const char *text;
	unsigned level; /* PID namespaces below the reader's */
	pid_t inner;	/* its pid there */
	bool forked;
	uint64_t start; /* default: pid */
};

static unsigned placement(struct snapshot *s, const char *text)
{
	struct placement *p;

	for (unsigned i = 0; i < s->placement_count; i++)
		if (s->placements[i].length == strlen(text) &&
			memcmp(s->placements[i].text, text, strlen(text)) == 0)
			return i;
	p = reallocarray(s->placements, s->placement_count + 1, sizeof(*p));
	assert_non_null(p);
	s->placements = p;
	p = &s->placements[s->placement_count];
	p->text = strdup(text);
	p->length = strlen(text);
	cgroup_parse(p->text, p->length, NULL, &p->identity);
	return (unsigned)s->placement_count++;
}

static struct snapshot make(const struct made *made, size_t count)
{
	struct snapshot s = { 0 };

	s.tasks = calloc(count + 1, sizeof(*s.tasks));
	assert_non_null(s.tasks);
	for (size_t i = 0; i < count; i++) {
		struct task *t = &s.tasks[s.task_count++];

		t->pid = t->tid = made[i].pid;
		t->ppid = made[i].ppid;
		t->start_ticks = made[i].start ? made[i].start : (uint64_t)made[i].pid;
		t->leader = true;
		t->forked = made[i].forked;
		t->runtime_stage = made[i].forked;
		t->namespace_level = made[i].level & 0xff;
		t->namespace_pid = made[i].inner;
		t->container = NO_CONTAINER;
		t->placement = placement(&s, made[i].text);
	}
	return s;
}

static inline const struct container *container_of(
	struct registry *r, const struct snapshot *s, pid_t pid)
{
	const struct task *t = snapshot_find(s, pid);

	assert_non_null(t);
	for (size_t i = 0; i < registry_count(r); i++) {
		const struct known_container *known = registry_at(r, i);

		for (size_t k = 0; k < known->task_count; k++)
			if (known->tasks[k] == t)
				return &known->container;
	}
	return NULL;
}

static void identify(struct registry *r, struct snapshot *s, const struct snapshot *previous)
{
	assert_int_equal(registry_identify(r, s, previous, 1000000), 0);
}

#endif
