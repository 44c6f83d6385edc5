/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose a task is: by its cgroup path; where that says nothing, by its PID namespace; and by where
 * it was before, since what a process was attributed to sticks to it.
 */
#include "registry_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANCESTORS_MAX 256u /* further up nobody looks: a loop cannot be, a long chain can */

/* The init process of a PID namespace whose cgroup is a certain one; or several of them. */
struct init {
	const struct task *task;
	bool several;
};

struct attribution {
	struct registry *registry;
	struct snapshot *snapshot;
	const struct snapshot *previous;
	struct init *inits;	     /* by placement */
	struct entry **by_placement; /* NULL where the placement alone does not say */
};

static int copy_path(struct container *container, const struct cgroup_identity *identity)
{
	size_t length =
		identity->container_length ? identity->container_length : identity->path_length;

	free(container->cgroup);
	container->cgroup = identity->path ? strndup(identity->path, length) : strdup("/");
	return container->cgroup ? 0 : -ENOMEM;
}

/* What the path says of a container that was just made. */
static int fill(struct entry *entry, const struct placement *placement)
{
	struct container *c = &entry->known.container;
	const struct cgroup_identity *identity = &placement->identity;

	if (!c->runtime)
		c->runtime = identity->runtime ? identity->runtime : "unknown";
	c->pod.qos = identity->qos;
	(void)snprintf(c->pod.uid, sizeof(c->pod.uid), "%s", identity->pod_uid);
	c->in_pod = identity->pod_uid[0] != '\0';
	if (copy_path(c, identity) < 0)
		return -ENOMEM; /* still new: filled again in the next pass */
	entry->is_new = false;
	return 0;
}

/* Its lines contradict each other, or name a pod and no container, or a cgroup that several share.
 */
static int find_unattributed(
	struct attribution *a, const struct placement *placement, struct entry **ret)
{
	char id[CGROUP_TEXT_ID_SIZE];
	int r;

	cgroup_text_id(placement->text, placement->length, id);
	r = registry_find(a->registry, id, ret);
	if (r == 0 && (*ret)->is_new) {
		(*ret)->known.container.unattributed = true;
		r = fill(*ret, placement);
	}
	return r;
}

static int find_host(struct attribution *a, const struct placement *placement, struct entry **ret)
{
	_cleanup_free_ char *id = NULL;
	struct container *c;
	const char *base;
	int r;

	if (asprintf(&id, "host%.*s", (int)placement->identity.path_length,
		    placement->identity.path ? placement->identity.path : "") < 0)
		return -ENOMEM;
	r = registry_find(a->registry, id, ret);
	if (r < 0 || !(*ret)->is_new)
		return r;
	c = &(*ret)->known.container;
	c->host = true;
	c->runtime = "host";
	r = fill(*ret, placement);
	if (r < 0)
		return r;
	c->in_pod = false;
	base = strrchr(c->cgroup, '/');
	c->name = strdup(base && base[1] ? base + 1 : "/");
	return c->name ? 0 : -ENOMEM;
}

/* What the cgroup text alone decides. *ret is NULL where it does not. Below a user's manager the
 * user chooses the names: an id that is a container's elsewhere is not believed there. */
static int attribute_placement(
	struct attribution *a, const struct placement *placement, struct entry **ret)
{
	const struct cgroup_identity *identity = &placement->identity;
	int r;

	*ret = NULL;
	if (identity->kind != CGROUP_CONTAINER)
		return 0;
	if (identity->ambiguous)
		return find_unattributed(a, placement, ret);
	if (!identity->container_id[0])
		return 0;
	r = registry_find(a->registry, identity->container_id, ret);
	if (r < 0)
		return r;
	if (!(*ret)->is_new && (*ret)->users != identity->below_user_manager) {
		if (identity->below_user_manager)
			return find_unattributed(a, placement, ret);
		/* The user's was first: nothing that was learned of it counts. */
		(*ret)->is_new = true;
		(*ret)->told_anew_us = a->registry->now_us;
		(*ret)->known.reference = (struct reference){ 0 };
		(*ret)->known.looked_into = false;
		(*ret)->known.container.opaque = false;
	}
	if (!(*ret)->is_new)
		return 0;
	(*ret)->users = identity->below_user_manager;
	return fill(*ret, placement);
}

/* Those that are nobody's choice first. */
static int attribute_placements(struct attribution *a)
{
	const struct snapshot *s = a->snapshot;

	for (int users = 0; users <= 1; users++) {
		for (size_t i = 0; i < s->placement_count; i++) {
			int r;

			if (s->placements[i].identity.below_user_manager != (users == 1))
				continue;
			r = attribute_placement(a, &s->placements[i], &a->by_placement[i]);
			if (r < 0 && r != -ENOSPC)
				return r;
		}
	}
	return 0;
}

/* The init process of the outermost PID namespace that is not the reader's, among the process's
 * ancestors; or the topmost of them that is still in one; or one that is in a container by its
 * path. */
static const struct task *find_namespace_head(const struct attribution *a, const struct task *task)
{
	const struct task *head = task;

	for (unsigned i = 0; i < ANCESTORS_MAX && head->namespace_pid != 1; i++) {
		const struct task *parent = snapshot_find(a->snapshot, head->ppid);

		if (!parent)
			break;
		if (a->by_placement[parent->placement])
			return parent;
		if (!parent->namespace_level)
			break;
		head = parent;
	}
	return head;
}

/* Somebody who entered from outside has no ancestor there: if one namespace's init shares its
 * cgroup, it is taken for that one's. */
static void find_inits(struct attribution *a)
{
	for (size_t i = 0; i < a->snapshot->task_count; i++) {
		const struct task *task = &a->snapshot->tasks[i];
		struct init *init = &a->inits[task->placement];

		if (!task->leader || task->namespace_pid != 1)
			continue;
		init->several = init->task != NULL;
		init->task = task;
	}
}

static const struct task *find_head_by_cgroup(const struct attribution *a, const struct task *task)
{
	const struct init *init = &a->inits[task->placement];

	return init->several ? NULL : init->task;
}

static int attribute_namespace(struct attribution *a, const struct task *task, struct entry **ret)
{
	const struct placement *placement = &a->snapshot->placements[task->placement];
	const struct task *head = find_namespace_head(a, task);
	char id[64];
	int r;

	if (a->by_placement[head->placement]) {
		*ret = a->by_placement[head->placement];
		return 0;
	}
	if (head->namespace_pid != 1) {
		const struct task *other = find_head_by_cgroup(a, head);

		head = other ? other : head;
	}
	(void)snprintf(id, sizeof(id), "pidns-%d-%llu", (int)head->pid,
		(unsigned long long)head->start_ticks);
	r = registry_find(a->registry, id, ret);
	if (r == 0 && (*ret)->is_new)
		r = fill(*ret, placement);
	return r;
}

static int attribute_task(struct attribution *a, const struct task *task, struct entry **ret)
{
	const struct placement *placement = &a->snapshot->placements[task->placement];

	*ret = a->by_placement[task->placement];
	if (*ret)
		return 0;
	if (task->namespace_level)
		return attribute_namespace(a, task, ret);
	/* Named as a container's, or a pod's, and nothing tells whose: audited all the same. */
	if (placement->identity.kind == CGROUP_CONTAINER ||
		(placement->identity.kind == CGROUP_HELPER && !placement->identity.runtime &&
			!task->shim))
		return find_unattributed(a, placement, ret);
	return find_host(a, placement, ret);
}

/* Made ids change when a process joins its cgroup late; a runtime's own stage moves on purpose. */
static bool sticks(const struct entry *before, const struct task *task, uint64_t now_us)
{
	const struct container *c = &before->known.container;

	return !c->host && !c->unattributed && strncmp(c->id, "pidns-", 6) != 0 &&
	       !task->runtime_stage && before->told_anew_us != now_us;
}

/* A process that was seen in a container, and in another place now, stays that container's. */
static struct entry *find_before(const struct attribution *a, const struct task *task)
{
	const struct task *before;
	struct entry *entry;

	if (!a->previous)
		return NULL;
	before = snapshot_find(a->previous, task->pid);
	if (!before || before->start_ticks != task->start_ticks ||
		before->container == NO_CONTAINER || before->container >= a->registry->slot_space)
		return NULL;
	entry = a->registry->slots[before->container];
	return entry && sticks(entry, before, a->registry->now_us) ? entry : NULL;
}

static int attribute_process(struct attribution *a, size_t first, size_t end)
{
	struct task *tasks = a->snapshot->tasks;
	struct entry *now, *before = find_before(a, &tasks[first]);
	bool moved = false;
	int r;

	r = attribute_task(a, &tasks[first], &now);
	if (r == -ENOSPC) {
		a->snapshot->coverage.over_limit += end - first;
		return 0;
	}
	if (r < 0)
		return r;
	if (before && before != now) {
		moved = true;
		now = before;
	}
	for (size_t i = first; r == 0 && i < end; i++) {
		tasks[i].moved = moved;
		r = registry_add_task(now, &tasks[i]);
	}
	return r;
}

static size_t end_of_process(const struct snapshot *s, size_t first)
{
	size_t end = first + 1;

	while (end < s->task_count && s->tasks[end].pid == s->tasks[first].pid)
		end++;
	return end;
}

static void find_outside_parents(const struct snapshot *s)
{
	for (size_t i = 0, end; i < s->task_count; i = end) {
		const struct task *parent = snapshot_find(s, s->tasks[i].ppid);
		bool outside = !parent || parent->container != s->tasks[i].container;

		end = end_of_process(s, i);
		for (size_t k = i; k < end; k++)
			s->tasks[k].outside_parent = outside;
	}
}

int attribute(struct registry *registry, struct snapshot *snapshot, const struct snapshot *previous)
{
	_cleanup_free_ struct entry **by_placement =
		calloc(snapshot->placement_count + 1, sizeof(struct entry *));
	_cleanup_free_ struct init *inits = calloc(snapshot->placement_count + 1, sizeof(*inits));
	struct attribution a = { .registry = registry,
		.snapshot = snapshot,
		.previous = previous,
		.inits = inits,
		.by_placement = by_placement };
	int r;

	if (!by_placement || !inits)
		return -ENOMEM;
	find_inits(&a);
	r = attribute_placements(&a);
	if (r < 0)
		return r;
	for (size_t i = 0, end; i < snapshot->task_count; i = end) {
		end = end_of_process(snapshot, i);
		r = attribute_process(&a, i, end);
		if (r < 0)
			return r;
	}
	find_outside_parents(snapshot);
	return 0;
}
