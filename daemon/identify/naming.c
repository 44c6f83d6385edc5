/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the sources say of the registry's containers: the OCI bundle, the kubelet's log directories,
 * the Kubernetes API. Each adds what it knows; where they differ the API's word goes before the
 * bundle's, and that before a file name's. Whose a task is has been decided before.
 */
#include "registry_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The kubelet makes its links a moment after a container starts, and a runtime its bundle a moment
 * before; afterwards there will be none. */
#define NAME_GRACE_US 60000000u

static uint64_t find_start(const struct known_container *known)
{
	uint64_t start = UINT64_MAX;

	for (size_t i = 0; i < known->task_count; i++)
		if (known->tasks[i]->start_ticks < start)
			start = known->tasks[i]->start_ticks;
	return start;
}

static bool is_young(const struct registry *registry, const struct known_container *known)
{
	return registry->now_us - known->first_seen_us <= NAME_GRACE_US;
}

/* Takes `text` over, where there is one that differs. */
static bool replace(char **old, char *text)
{
	if (!text || (*old && strcmp(*old, text) == 0)) {
		free(text);
		return false;
	}
	free(*old);
	*old = text;
	return true;
}

/* Makes it a copy of `text`, or NULL as that is. 1: it differs; 0; -ENOMEM. */
static int copy(char **old, const char *text)
{
	char *own;

	if (*old && text ? strcmp(*old, text) == 0 : *old == text)
		return 0;
	own = text ? strdup(text) : NULL;
	if (text && !own)
		return -ENOMEM;
	free(*old);
	*old = own;
	return 1;
}

/* ---- the bundle ---- */

static bool wants_bundle(const struct registry *registry, const struct entry *entry)
{
	const struct container *c = &entry->known.container;

	return !c->host && !c->unattributed && !entry->users && !entry->known.bundle_read &&
	       strncmp(c->id, "pidns-", 6) != 0 && is_young(registry, &entry->known);
}

static void take_bundle(struct known_container *known, struct bundle *bundle)
{
	struct container *c = &known->container;

	known->bundle_read = true;
	c->granted_known = bundle->granted_known;
	c->granted = bundle->granted;
	(void)replace(&c->image, TAKE_PTR(bundle->image));
	/* One that names another pod than the cgroup does is not about this container's pod. */
	if (bundle->pod_uid[0] && c->pod.uid[0] && strcmp(bundle->pod_uid, c->pod.uid) != 0)
		return;
	(void)replace(&c->name, TAKE_PTR(bundle->container));
	if (bundle->namespace_name && bundle->pod) {
		c->in_pod = true;
		known->named_here = true;
		(void)replace(&c->pod.namespace_name, TAKE_PTR(bundle->namespace_name));
		(void)replace(&c->pod.name, TAKE_PTR(bundle->pod));
		if (!c->pod.uid[0])
			memcpy(c->pod.uid, bundle->pod_uid, sizeof(c->pod.uid));
	}
	if (bundle->is_sandbox)
		c->type = CONTAINER_SANDBOX;
	else if (bundle->is_container && c->type == CONTAINER_SANDBOX)
		c->type = CONTAINER_UNKNOWN;
}

static int look_up_bundles(struct registry *registry)
{
	if (registry->bundles)
		bundles_begin(registry->bundles);
	for (size_t i = 0; registry->bundles && i < registry->shown_count; i++) {
		struct entry *entry = registry->shown[i];
		struct bundle bundle;
		int r;

		if (!wants_bundle(registry, entry))
			continue;
		r = bundles_look_up(registry->bundles, &entry->known.container, &bundle);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			continue;
		take_bundle(&entry->known, &bundle);
		bundle_done(&bundle);
		entry->known.version++;
		registry->pods_counted = registry->refreshed = false;
	}
	return 0;
}

/* ---- the log directories ---- */

static bool wants_name(const struct registry *registry, const struct known_container *known)
{
	const struct container *c = &known->container;

	/* A container whose id is not the runtime's has no log, nor has a sandbox. */
	return !c->host && !c->unattributed && !c->name && strlen(c->id) == 64 &&
	       !(c->type == CONTAINER_SANDBOX && c->pod.name) && is_young(registry, known);
}

static bool wants_any_name(const struct registry *registry)
{
	for (size_t i = 0; i < registry->shown_count; i++)
		if (wants_name(registry, &registry->shown[i]->known))
			return true;
	return false;
}

static int look_up_names(struct registry *registry)
{
	_cleanup_free_ struct log_wanted *all = NULL, *wanted = NULL;
	size_t wanted_count = 0;
	int r;

	if (!wants_any_name(registry))
		return 0;
	registry->refreshed = false;
	all = calloc(registry->shown_count + 1, sizeof(*all));
	wanted = calloc(registry->shown_count + 1, sizeof(*wanted));
	if (!all || !wanted)
		return -ENOMEM;
	for (size_t i = 0; i < registry->shown_count; i++) {
		struct known_container *known = &registry->shown[i]->known;

		all[i].container = &known->container;
		all[i].started = find_start(known);
		if (!wants_name(registry, known))
			continue;
		wanted[wanted_count++] = all[i];
		known->version++; /* a name, a pod's name or a type may come now */
	}
	r = log_directories_look_up(
		&registry->logs, wanted, wanted_count, all, registry->shown_count);
	for (size_t i = 0; i < registry->shown_count; i++) {
		struct known_container *known = &registry->shown[i]->known;

		/* The API's own word sets `known` of the pod. */
		known->named_here |= known->container.pod.name && !known->container.pod.known;
	}
	return r;
}

/* ---- the Kubernetes API ---- */

/* Of a pod whose containers are all known to the API the one that started first and is none of them
 * is the sandbox. */
static bool is_first_of_pod(const struct registry *registry, const struct known_container *known)
{
	uint64_t start = find_start(known);

	for (size_t i = 0; i < registry->shown_count; i++) {
		const struct known_container *other = &registry->shown[i]->known;

		if (other != known && !other->container.host &&
			strcmp(other->container.pod.uid, known->container.pod.uid) == 0 &&
			find_start(other) < start)
			return false;
	}
	return true;
}

/* 1: something is new; 0; -ENOMEM. */
static int take_pod(const struct registry *registry, struct known_container *known)
{
	const struct pod_record *record = known->pod_record;
	struct container *c = &known->container;
	const struct pod_container *spec;
	enum container_type type = c->type;
	int changed = 0, r;

	const struct {
		char **to;
		const char *from;
	} texts[] = {
		{ &c->pod.namespace_name, record->namespace_name }, { &c->pod.name, record->name },
		{ &c->pod.owner, record->owner }, /* also that it has none any more */
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		r = copy(texts[i].to, texts[i].from);
		if (r < 0)
			return r;
		changed |= r;
	}
	c->in_pod = true;
	c->pod.known = true;
	c->pod.is_static = record->config_hash[0] != '\0';
	if (record->qos != QOS_UNKNOWN)
		c->pod.qos = record->qos;
	spec = c->type == CONTAINER_SANDBOX && known->bundle_read
		       ? NULL
		       : pod_record_find(record, c->id, c->name);
	if (!spec) {
		if (!c->name && pod_record_all_ids_known(record) &&
			is_first_of_pod(registry, known))
			c->type = CONTAINER_SANDBOX;
		return changed | (c->type != type);
	}
	r = copy(&c->name, spec->name);
	if (r < 0)
		return r;
	changed |= r;
	if (!c->image) {
		r = copy(&c->image, spec->image);
		if (r < 0)
			return r;
		changed |= r;
	}
	c->type = spec->type;
	changed |= c->type != type;
	changed |= !declaration_equal(&c->declared, &spec->declared);
	c->declared = spec->declared;
	return changed;
}

static bool differ(const char *a, const char *b)
{
	return a && b && strcmp(a, b) != 0;
}

static struct pod_record *find_pod(
	const struct registry *registry, const struct known_container *known)
{
	const struct container *c = &known->container;
	struct pod_record *record;

	if (c->pod.uid[0]) {
		record = cluster_find_pod(registry->cluster, c->pod.uid);
		/* A hash is an annotation's word: names from this node must not gainsay it, nor
		 * those that it has confirmed. */
		if (record && record->config_hash[0] && known->named_here &&
			(differ(c->pod.namespace_name, record->namespace_name) ||
				differ(c->pod.name, record->name)))
			return NULL;
		return record;
	}
	if (c->in_pod && c->pod.namespace_name && c->pod.name)
		return cluster_find_pod_named(
			registry->cluster, c->pod.namespace_name, c->pod.name);
	return NULL;
}

static int ask_cluster(const struct registry *registry, struct known_container *known)
{
	struct container *c = &known->container;
	struct pod_record *pod = find_pod(registry, known);
	struct namespace_record *namespace_record;
	int changed = 0;

	/* What was known stays known, also when the pod is gone and its container is not yet. */
	if (pod && pod != known->pod_record) {
		pod_record_unref(known->pod_record);
		known->pod_record = pod_record_ref(pod);
		changed = 1; /* its labels may have, which no name shows */
	}
	if (known->pod_record) {
		int r = take_pod(registry, known);

		if (r < 0)
			return r;
		changed |= r;
	}
	if (!c->pod.namespace_name)
		return changed;
	namespace_record = cluster_find_namespace(registry->cluster, c->pod.namespace_name);
	if (namespace_record && namespace_record != known->namespace_record) {
		namespace_record_unref(known->namespace_record);
		known->namespace_record = namespace_record_ref(namespace_record);
		changed = 1;
	}
	return changed;
}

/* Where the last time brought nothing new and nothing has changed since, neither does this one. */
int registry_refresh(struct registry *registry)
{
	uint64_t version = registry->cluster ? cluster_version(registry->cluster) : 0;
	bool settled = true;

	if (registry->refreshed && registry->refreshed_version == version)
		return 0;
	registry->refreshed = false;
	for (size_t i = 0; registry->cluster && i < registry->shown_count; i++) {
		struct known_container *known = &registry->shown[i]->known;
		int r;

		if (known->container.host || !known->container.in_pod || registry->shown[i]->users)
			continue;
		r = ask_cluster(registry, known);
		if (r < 0)
			return r;
		known->version += (uint64_t)r;
		settled &= r == 0;
	}
	registry->refreshed = settled;
	registry->refreshed_version = version;
	return 0;
}

int registry_name(struct registry *registry)
{
	int r = look_up_bundles(registry);

	if (r == 0)
		r = look_up_names(registry);
	return r == 0 ? registry_refresh(registry) : r;
}

static bool has_pods(const struct registry *registry)
{
	for (size_t i = 0; i < registry->shown_count; i++)
		if (registry->shown[i]->known.container.in_pod)
			return true;
	return false;
}

void registry_complain(
	struct registry *registry, void (*say)(void *data, const char *sentence), void *data)
{
	const char *refused = registry->bundles ? bundles_refused(registry->bundles) : NULL;
	_cleanup_free_ char *logs = NULL, *bundles = NULL;

	if (registry->logs.error && !registry->logs.complained && !registry->cluster &&
		has_pods(registry)) {
		registry->logs.complained = true;
		if (asprintf(&logs, "cannot read %s: %s; pods and containers have no names",
			    registry->logs.containers, strerror(-registry->logs.error)) < 0)
			logs = NULL;
		else
			say(data, logs);
	}
	if (!refused || registry->bundles_complained)
		return;
	registry->bundles_complained = true;
	if (asprintf(&bundles,
		    "cannot read the OCI bundles in %s: what was granted is taken from "
		    "each container's first process",
		    refused) < 0)
		bundles = NULL;
	else
		say(data, bundles);
}

int registry_logs_up(const struct registry *registry)
{
	if (!registry->logs.asked || registry->logs.error == -ENOENT)
		return -ENOENT;
	return registry->logs.error == 0;
}

int registry_bundles_up(const struct registry *registry)
{
	return registry->bundles ? bundles_up(registry->bundles) : -ENOENT;
}
