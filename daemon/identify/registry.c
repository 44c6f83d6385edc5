/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registry of containers: keeps each for as long as it has tasks, with what its sources said
 * and what its drift is measured against. Who belongs to whom is attribution.c's.
 */
#include "registry_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct registry *registry_new(const char *host_root)
{
	struct registry *registry = calloc(1, sizeof(*registry));

	if (registry && log_directories_init(&registry->logs, host_root ? host_root : "") < 0) {
		registry_free(registry);
		return NULL;
	}
	return registry;
}

static void forget(struct registry *registry, struct entry *entry)
{
	HASH_DEL(registry->by_id, entry);
	registry->slots[entry->slot] = NULL;
	registry->pods_counted = registry->refreshed = false;
	container_done(&entry->known.container);
	pod_record_unref(entry->known.pod_record);
	namespace_record_unref(entry->known.namespace_record);
	free(entry->known.tasks);
	free(entry);
}

void registry_free(struct registry *registry)
{
	struct entry *entry, *next;

	if (!registry)
		return;
	HASH_ITER (hh, registry->by_id, entry, next) {
		forget(registry, entry);
	}
	free(registry->slots);
	free(registry->shown);
	log_directories_done(&registry->logs);
	free(registry);
}

static int take_slot(struct registry *registry, unsigned *ret)
{
	struct entry **slots;
	size_t space;

	for (; registry->first_free < registry->slot_space; registry->first_free++) {
		if (!registry->slots[registry->first_free]) {
			*ret = (unsigned)registry->first_free;
			return 0;
		}
	}
	if (registry->slot_space >= IDENTIFY_CONTAINERS_MAX)
		return -ENOSPC;
	space = registry->slot_space ? registry->slot_space * 2 : 64;
	slots = reallocarray(registry->slots, space, sizeof(struct entry *));
	if (!slots)
		return -ENOMEM;
	memset(slots + registry->slot_space, 0,
		(space - registry->slot_space) * sizeof(struct entry *));
	registry->slots = slots;
	registry->slot_space = space;
	*ret = (unsigned)registry->first_free;
	return 0;
}

int registry_find(struct registry *registry, const char *id, struct entry **ret)
{
	struct entry *entry;
	int r;

	HASH_FIND_STR(registry->by_id, id, entry);
	if (entry) {
		*ret = entry;
		return 0;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	r = take_slot(registry, &entry->slot);
	if (r < 0) {
		free(entry);
		return r;
	}
	entry->known.container.id = strdup(id);
	if (entry->known.container.id)
		HASH_ADD_KEYPTR(hh, registry->by_id, entry->known.container.id, strlen(id), entry);
	if (!entry->known.container.id || entry->lost) {
		free(entry->known.container.id);
		free(entry);
		return -ENOMEM;
	}
	registry->slots[entry->slot] = entry;
	registry->made++;
	registry->pods_counted = registry->refreshed = false;
	entry->is_new = true;
	entry->known.first_seen_us = registry->now_us;
	entry->known.version = 1; /* and it has not been judged */
	*ret = entry;
	return 0;
}

int registry_add_task(struct entry *entry, struct task *task)
{
	struct known_container *known = &entry->known;

	if (known->task_count == known->task_space) {
		size_t space = known->task_space ? known->task_space * 2 : 8;
		const struct task **tasks =
			reallocarray(known->tasks, space, sizeof(struct task *));

		if (!tasks)
			return -ENOMEM;
		known->tasks = tasks;
		known->task_space = space;
	}
	known->tasks[known->task_count++] = task;
	task->container = entry->slot;
	return 0;
}

static int compare_uids(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int count_pods(struct registry *registry)
{
	_cleanup_free_ const char **uids = NULL;
	size_t count = 0;

	if (registry->pods_counted)
		return 0;
	uids = calloc(registry->shown_count + 1, sizeof(const char *));
	if (!uids)
		return -ENOMEM;
	for (size_t i = 0; i < registry->shown_count; i++)
		if (registry->shown[i]->known.container.pod.uid[0])
			uids[count++] = registry->shown[i]->known.container.pod.uid;
	qsort(uids, count, sizeof(*uids), compare_uids);
	registry->pods = 0;
	for (size_t i = 0; i < count; i++)
		registry->pods += i == 0 || strcmp(uids[i - 1], uids[i]) != 0;
	registry->pods_counted = true;
	return 0;
}

/* What was said of it while its tasks were others does not hold without being said again. */
static void note_change(struct registry *registry, struct entry *entry)
{
	size_t count = entry->known.task_count;

	if (entry->kept_tasks == count && entry->tasks_before == count)
		return;
	entry->known.settled = false;
	registry->refreshed = false;
}

/* Lists what has tasks, forgets the rest. */
static int sweep(struct registry *registry, struct coverage *coverage)
{
	struct entry *entry, *next, **shown;
	int r;

	shown = reallocarray(
		registry->shown, HASH_COUNT(registry->by_id) + 1u, sizeof(struct entry *));
	if (!shown)
		return -ENOMEM;
	registry->shown = shown;
	registry->shown_count = 0;
	HASH_ITER (hh, registry->by_id, entry, next) {
		if (!entry->known.task_count) {
			forget(registry, entry);
			continue;
		}
		registry->shown[registry->shown_count++] = entry;
		note_change(registry, entry);
		if (entry->known.container.host)
			continue;
		coverage->containers++;
		coverage->container_processes += entry->processes;
		if (entry->known.container.unattributed)
			coverage->unattributed += entry->processes;
	}
	registry->first_free = 0;
	r = count_pods(registry);
	coverage->pods = registry->pods;
	return r;
}

int registry_identify(struct registry *registry, struct snapshot *snapshot,
	const struct snapshot *previous, uint64_t now_us)
{
	bool trusted =
		registry->identified && previous && previous->tasks == registry->identified_tasks;
	struct entry *entry, *next;
	int r;

	registry->now_us = now_us;
	registry->identified = false;
	HASH_ITER (hh, registry->by_id, entry, next) {
		entry->tasks_before = entry->known.task_count;
		entry->known.task_count = entry->processes = entry->kept_tasks = 0;
	}
	r = attribute(registry, snapshot, previous, trusted);
	if (r == 0)
		r = sweep(registry, &snapshot->coverage);
	if (r == 0)
		r = registry_name(registry);
	registry->identified = r == 0;
	registry->identified_tasks = snapshot->tasks;
	return r;
}

/* The sources are asked about what is shown. */
static int show(struct registry *registry, struct entry *entry)
{
	struct entry **shown;

	for (size_t i = 0; i < registry->shown_count; i++)
		if (registry->shown[i] == entry)
			return 0;
	shown = reallocarray(registry->shown, registry->shown_count + 1, sizeof(struct entry *));
	if (!shown)
		return -ENOMEM;
	registry->shown = shown;
	registry->shown[registry->shown_count++] = entry;
	registry->pods_counted = false;
	return 0;
}

/* A storm of events must not make a storm of questions, neither from one container nor from many:
 * each question looks at all that have no name. Who was passed over is asked about by the next
 * pass, if he lives that long. */
#define ASK_AGAIN_US	      100000u
#define ASK_PER_SECOND	      32u
#define MICROSECONDS_A_SECOND 1000000u

static bool may_ask(struct registry *registry, struct known_container *known)
{
	uint64_t now = registry->now_us;

	if (known->asked_us && now - known->asked_us < ASK_AGAIN_US)
		return false;
	if (!registry->asked || now - registry->asked_since_us >= MICROSECONDS_A_SECOND) {
		registry->asked = 0;
		registry->asked_since_us = now;
	}
	if (registry->asked >= ASK_PER_SECOND)
		return false;
	registry->asked++;
	known->asked_us = now;
	return true;
}

int registry_take_event(struct registry *registry, struct task *task, struct placement *placement,
	const struct namespace_init *init, const struct snapshot *last, uint64_t now_us,
	struct known_container **ret)
{
	struct entry *entry;
	int r;

	registry->now_us = now_us;
	r = attribute_one(registry, task, placement, init, last, &entry);
	if (r < 0)
		return r;
	*ret = &entry->known;
	if (entry->known.container.name || entry->known.container.host ||
		!may_ask(registry, &entry->known))
		return 0;
	r = show(registry, entry);
	return r < 0 ? r : registry_name(registry);
}

size_t registry_count(const struct registry *registry)
{
	return registry->shown_count;
}

void registry_use(struct registry *registry, struct bundles *bundles, struct cluster *cluster)
{
	registry->bundles = bundles;
	registry->cluster = cluster;
	registry->bundles_complained = false;
	registry->refreshed = false;
}

struct known_container *registry_known(struct registry *registry, const char *id)
{
	struct entry *entry;

	HASH_FIND_STR(registry->by_id, id, entry);
	return entry && entry->known.task_count ? &entry->known : NULL;
}

struct known_container *registry_numbered(struct registry *registry, unsigned number)
{
	struct entry *entry = number < registry->slot_space ? registry->slots[number] : NULL;

	return entry ? &entry->known : NULL;
}

struct known_container *registry_at(struct registry *registry, size_t i)
{
	return &registry->shown[i]->known;
}
