/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose a task is: by its cgroup path; where that says nothing, by its PID namespace; and by where
 * it was before, since what a process was attributed to sticks to it.
 */
#include "registry_internal.h"
#include "succession.h"

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
	struct succession succession;
	bool trusted;
	struct init *inits;	     /* by placement; NULL: nobody has asked for them */
	struct entry **by_placement; /* NULL where the placement alone does not say */
	/* A placement is perhaps another's than it was in the snapshot before. */
	bool placements_changed;
	enum { QUIET_UNKNOWN, QUIET, NOT_QUIET } quiet; /* see is_quiet() */
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
		a->placements_changed = true;
		if (identity->below_user_manager)
			return find_unattributed(a, placement, ret);
		/* The user's was first: nothing that was learned of it counts. */
		(*ret)->is_new = true;
		(*ret)->told_anew_us = a->registry->now_us;
		(*ret)->known.reference = (struct reference){ 0 };
		(*ret)->known.looked_into = false;
		(*ret)->known.settled = false;
		a->registry->pods_counted = a->registry->refreshed = false;
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
	uint64_t made = a->registry->made;

	for (int users = 0; users <= 1; users++) {
		for (size_t i = 0; i < s->placement_count; i++) {
			int r;

			if (s->placements[i].identity.below_user_manager != (users == 1))
				continue;
			r = attribute_placement(a, &s->placements[i], &a->by_placement[i]);
			if (r < 0 && r != -ENOSPC)
				return r;
			a->placements_changed |= r < 0;
		}
	}
	a->placements_changed |= made != a->registry->made;
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
static int find_inits(struct attribution *a)
{
	if (a->inits)
		return 0;
	a->inits = calloc(a->snapshot->placement_count + 1, sizeof(*a->inits));
	if (!a->inits)
		return -ENOMEM;
	for (size_t i = 0; i < a->snapshot->task_count; i++) {
		const struct task *task = &a->snapshot->tasks[i];
		struct init *init = &a->inits[task->placement];

		if (!task->leader || task->namespace_pid != 1)
			continue;
		init->several = init->task != NULL;
		init->task = task;
	}
	return 0;
}

/* *ret stays as it is where there is none. */
static int find_head_by_cgroup(
	struct attribution *a, const struct task *task, const struct task **ret)
{
	const struct init *init;
	int r = find_inits(a);

	if (r < 0)
		return r;
	init = &a->inits[task->placement];
	if (init->task && !init->several)
		*ret = init->task;
	return 0;
}

/* A PID namespace that no path names is told by its init process. */
static int find_namespace(struct attribution *a, const struct placement *placement, pid_t pid,
	uint64_t start_ticks, struct entry **ret)
{
	char id[64];
	int r;

	(void)snprintf(id, sizeof(id), "pidns-%d-%llu", (int)pid, (unsigned long long)start_ticks);
	r = registry_find(a->registry, id, ret);
	if (r == 0 && (*ret)->is_new)
		r = fill(*ret, placement);
	return r;
}

static int attribute_namespace(struct attribution *a, const struct task *task, struct entry **ret)
{
	const struct placement *placement = &a->snapshot->placements[task->placement];
	const struct task *head = find_namespace_head(a, task);
	int r;

	if (a->by_placement[head->placement]) {
		*ret = a->by_placement[head->placement];
		return 0;
	}
	if (head->namespace_pid != 1) {
		r = find_head_by_cgroup(a, head, &head);
		if (r < 0)
			return r;
	}
	return find_namespace(a, placement, head->pid, head->start_ticks, ret);
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

/* The container that a process was in, if its slot still stands. */
static struct entry *find_entry(const struct attribution *a, const struct task *before)
{
	if (!before || before->container == NO_CONTAINER ||
		before->container >= a->registry->slot_space)
		return NULL;
	return a->registry->slots[before->container];
}

/* Nobody came, went or changed since the snapshot before, and no placement is another's: then
 * neither has anybody's ancestor, nor any PID namespace's init. */
static bool is_quiet(struct attribution *a)
{
	const struct snapshot *s = a->snapshot;

	if (a->quiet == QUIET_UNKNOWN) {
		a->quiet = !a->placements_changed && a->succession.previous &&
					   a->succession.previous->task_count == s->task_count
				   ? QUIET
				   : NOT_QUIET;
		for (size_t i = 0; a->quiet == QUIET && i < s->task_count; i++)
			if (!s->tasks[i].same)
				a->quiet = NOT_QUIET;
	}
	return a->quiet == QUIET;
}

/* Where a `same` process was found to be, if attribute_task() would find it there again and nothing
 * sticks to it from a place before; else NULL. */
static struct entry *find_again(
	struct attribution *a, const struct task *task, const struct task *before)
{
	struct entry *placed = a->by_placement[task->placement], *entry = find_entry(a, before);

	if (!entry || before->moved)
		return NULL;
	if (placed)
		return placed == entry ? entry : NULL;
	if (task->namespace_level)
		return is_quiet(a) ? entry : NULL;
	/* Its id was made of its text alone. */
	return entry->known.container.unattributed || entry->known.container.host ? entry : NULL;
}

/* A process that was seen in a container, and in another place now, stays that container's. */
static int find_anew(struct attribution *a, const struct task *task, const struct task *before,
	struct entry **ret, bool *ret_moved)
{
	struct entry *old = find_entry(a, before);
	int r = attribute_task(a, task, ret);

	if (r == 0 && old && old != *ret && sticks(old, before, a->registry->now_us)) {
		*ret_moved = true;
		*ret = old;
	}
	return r;
}

static int attribute_process(struct attribution *a, size_t first, size_t end)
{
	struct task *tasks = a->snapshot->tasks, *leader = &tasks[first];
	const struct task *before = succession_find(&a->succession, leader);
	bool moved = false, same = a->trusted && before && leader->same, stays;
	struct entry *now = same ? find_again(a, leader, before) : NULL;
	int r = now ? 0 : find_anew(a, leader, before, &now, &moved);

	if (r < 0 && r != -ENOSPC)
		return r;
	leader->container = r < 0 ? NO_CONTAINER : now->slot;
	stays = same && before->container == leader->container;
	/* find_outside_parents() looks at it again where its parent has changed. */
	leader->outside_parent = stays && before->outside_parent;
	leader->no_stage = same && before->no_stage;
	if (!stays)
		succession_mark(&a->succession, leader->pid);
	for (size_t i = first; i < end; i++) {
		tasks[i].same = same;
		tasks[i].container = leader->container;
		tasks[i].outside_parent = leader->outside_parent;
		tasks[i].moved = moved;
	}
	if (r < 0) {
		a->snapshot->coverage.over_limit += end - first;
		return 0;
	}
	for (size_t i = first; r == 0 && i < end; i++)
		r = registry_add_task(now, &tasks[i]);
	now->processes++;
	if (stays && before->moved == moved)
		now->kept_tasks += end - first;
	return r;
}

static size_t end_of_process(const struct snapshot *s, size_t first)
{
	size_t end = first + 1;

	while (end < s->task_count && s->tasks[end].pid == s->tasks[first].pid)
		end++;
	return end;
}

static void find_outside_parents(const struct attribution *a)
{
	const struct snapshot *s = a->snapshot;

	if (!a->succession.any_changed)
		return;
	for (size_t i = 0, end; i < s->task_count; i = end) {
		const struct task *parent;
		bool outside;

		end = end_of_process(s, i);
		if (!succession_may_have_changed(&a->succession, s->tasks[i].pid) &&
			!succession_may_have_changed(&a->succession, s->tasks[i].ppid))
			continue;
		parent = snapshot_find(s, s->tasks[i].ppid);
		outside = !parent || parent->container != s->tasks[i].container;
		for (size_t k = i; k < end; k++)
			s->tasks[k].outside_parent = outside;
	}
}

static int attribute_all(struct attribution *a)
{
	const struct snapshot *s = a->snapshot;
	int r = attribute_placements(a);

	for (size_t i = 0, end; r == 0 && i < s->task_count; i = end) {
		end = end_of_process(s, i);
		r = attribute_process(a, i, end);
	}
	if (r == 0) {
		succession_end(&a->succession);
		find_outside_parents(a);
	}
	return r;
}

int attribute(struct registry *registry, struct snapshot *snapshot, const struct snapshot *previous,
	bool trusted)
{
	_cleanup_free_ struct entry **by_placement =
		calloc(snapshot->placement_count + 1, sizeof(struct entry *));
	struct attribution a = { .registry = registry,
		.snapshot = snapshot,
		.succession = { .previous = previous },
		.trusted = trusted,
		.by_placement = by_placement };
	int r = by_placement ? attribute_all(&a) : -ENOMEM;

	free(a.inits);
	return r;
}

/* Where the path says nothing, an event's task belongs to whom its parent, or its namespace's init
 * process, did in the last pass. Most of its ancestors can be younger than that: then its
 * namespace's init stands for the container, as it would in a pass. */
static int attribute_event_namespace(struct attribution *a, const struct namespace_init *init,
	const struct snapshot *last, const struct task *task, struct entry **ret)
{
	/* A namespace's own init says nothing of itself: it may be that which has moved. */
	const struct task *head = init->pid != task->pid ? snapshot_find(last, init->pid) : NULL;
	struct entry *known = find_entry(a, snapshot_find(last, task->ppid));

	if (!known || known->known.container.host)
		known = head && head->start_ticks == init->start_ticks ? find_entry(a, head) : NULL;
	if (known && !known->known.container.host) {
		*ret = known;
		return 0;
	}
	return init->pid ? find_namespace(a, &a->snapshot->placements[0], init->pid,
				   init->start_ticks, ret)
			 : attribute_namespace(a, task, ret);
}

static int attribute_event(struct attribution *a, const struct namespace_init *init,
	const struct snapshot *last, const struct task *task, struct entry **ret)
{
	const struct placement *placement = &a->snapshot->placements[0];
	int r = attribute_placement(a, placement, ret);

	a->by_placement[0] = *ret;
	if (r < 0 || *ret)
		return r;
	if (task->namespace_level)
		return attribute_event_namespace(a, init, last, task, ret);
	/* A runtime's helper beside a container is the next pass's to recognise. */
	return placement->identity.kind == CGROUP_CONTAINER ? find_unattributed(a, placement, ret)
							    : 0;
}

int attribute_one(struct registry *registry, struct task *task, struct placement *placement,
	const struct namespace_init *init, const struct snapshot *last, struct entry **ret)
{
	struct snapshot alone = {
		.tasks = task, .task_count = 1, .placements = placement, .placement_count = 1
	};
	struct entry *by_placement[1] = { NULL }, *now = NULL, *old;
	struct attribution a = {
		.registry = registry, .snapshot = &alone, .by_placement = by_placement
	};
	const struct task *before = snapshot_find(last, task->pid);
	int r;

	if (before && before->start_ticks != task->start_ticks)
		before = NULL;
	task->placement = 0;
	r = attribute_event(&a, init, last, task, &now);
	free(a.inits);
	if (r < 0)
		return r;
	old = find_entry(&a, before);
	if (old && old != now && sticks(old, before, registry->now_us)) {
		task->moved = true;
		now = old;
	}
	if (!now)
		return -ENOENT;
	task->container = now->slot;
	*ret = now;
	return 0;
}
