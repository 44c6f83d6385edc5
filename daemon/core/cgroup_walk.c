/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One path of /proc/PID/cgroup, from its root to its leaf: the first marker at a trusted position
 * decides, and nothing below it is looked at, for there a container may have chosen the names.
 */
#include "cgroup_internal.h"

/* The kernel prints a path through a page of PATH_MAX bytes: one of this length was cut. */
#define PATH_LENGTH_MAX 4095

struct walk {
	struct path_identity *out;
	struct position position;
	bool kubepods; /* the root of Kubernetes' hierarchy was passed: what has no QoS level is
			* Guaranteed */
	bool kube;     /* that, or one of its QoS levels */
	bool in_pod;   /* the last part was a pod */
	bool level;    /* the last part was one of Kubernetes' levels */
};

static struct slice rest_of(struct slice path, const char *from)
{
	return (struct slice){ from, path.length - (size_t)(from - path.at) };
}

/* "/../../x" is how the kernel shows what is outside the reader's cgroup namespace. The run at the
 * start is its own; "..." is a name like any other. */
static struct slice strip_parents(struct slice path)
{
	while (path.length >= 3 && memcmp(path.at, "/..", 3) == 0 &&
		(path.length == 3 || path.at[3] == '/'))
		path = rest_of(path, path.at + 3);
	return path;
}

static struct slice strip_base(struct slice path, const struct cgroup_base *base)
{
	size_t longest = 0;

	for (size_t i = 0; base && i < base->count; i++) {
		struct slice prefix = strip_parents(slice_of(base->prefixes[i]));
		struct slice head = { path.at, prefix.length };

		if (prefix.length > longest && prefix.length <= path.length &&
			slice_equal(head, prefix) &&
			(prefix.length == path.length || path.at[prefix.length] == '/'))
			longest = prefix.length;
	}
	return rest_of(path, path.at + longest);
}

static void decide(struct walk *walk, const struct marker *marker, struct slice part)
{
	struct path_identity *out = walk->out;

	out->kind = marker->kind;
	out->runtime = marker->runtime;
	out->id = marker->id;
	out->id_escaped = marker->escaped;
	out->container_length = (size_t)(part.at + part.length - out->path.at);
	if (walk->position.context == CONTEXT_OVERHEAD && marker->kind != CGROUP_HOST) {
		out->kind = CGROUP_HELPER;
		out->runtime = "kata";
	}
}

/* What a user can have made is not believed as far as it claims to be root's: neither that it is a
 * Kubernetes runtime's, nor that it is a helper. A container it may be all the same. */
static bool believe(const struct walk *walk, struct marker *marker)
{
	if (marker->kind == CGROUP_HOST)
		return !walk->in_pod;
	if (marker->kind == CGROUP_HELPER && walk->position.plain > 0 && !walk->in_pod &&
		walk->position.context == CONTEXT_NONE &&
		!slice_is(walk->position.parent, "lxc.monitor"))
		return false;
	if (!walk->out->below_user_manager || !marker->root_only)
		return true;
	marker->runtime = "unknown-cri";
	return marker->kind == CGROUP_CONTAINER;
}

static void enter_pod(struct walk *walk, const struct kube_name *kube, struct slice part)
{
	struct path_identity *out = walk->out;

	walk->in_pod = true;
	out->pod = kube->uid;
	if (kube->slice)
		out->qos = kube->qos;
	else if (out->qos == QOS_UNKNOWN && walk->kubepods)
		out->qos = QOS_GUARANTEED;
	/* In case that nothing follows. */
	out->container_length = (size_t)(part.at + part.length - out->path.at);
}

/* Whether `part` is a level of Kubernetes' hierarchy. Seen from a cgroup namespace, the levels
 * above may be missing; elsewhere "burstable" and "pod..." are words like others. */
static bool take_kube_level(struct walk *walk, struct slice part)
{
	struct kube_name kube = kube_name_parse(part);
	bool placed = kube.slice || walk->kube || walk->position.first;

	switch (kube.level) {
	case KUBE_NONE:
		return false;
	case KUBE_ROOT:
		walk->kubepods = walk->kube = true;
		walk->out->qos = QOS_UNKNOWN;
		return true;
	case KUBE_QOS:
		if (!placed)
			return false;
		walk->kube = true;
		walk->out->qos = kube.qos;
		return true;
	case KUBE_POD:
		if (!placed || (!kube.uid.at && !kube.slice && !walk->kube))
			return false;
		enter_pod(walk, &kube, part);
		return true;
	}
	return false;
}

static bool find_marker(struct walk *walk, struct slice part, struct marker *ret)
{
	struct slice slice;

	if (marker_by_name(part, ret) || marker_by_position(part, &walk->position, ret))
		return true;
	if (!marker_by_colons(part, ret, &slice))
		return false;
	if (!walk->in_pod && !walk->out->below_user_manager) {
		struct kube_name kube = kube_name_parse(slice);

		if (kube.level == KUBE_POD && kube.slice)
			enter_pod(walk, &kube, part);
	}
	return true;
}

/* What a runtime made in a pod's own cgroup is a container, whatever its name is. */
static struct marker unknown_in_pod(struct slice part)
{
	struct marker marker = { .kind = CGROUP_CONTAINER, .runtime = "unknown-cri", .id = part };

	(void)slice_take_suffix(&marker.id, ".scope");
	return marker;
}

/* Takes one part of the path; true where it decides. */
static bool step(struct walk *walk, struct slice part, struct slice below)
{
	struct marker marker;
	enum context context;

	walk->level = false;
	walk->position.last = below.length == 0;
	if (part.length > CGROUP_NAME_MAX) /* no cgroup has such a name */
		return false;
	if (!walk->in_pod && is_user_manager(part))
		walk->out->below_user_manager = true;
	walk->level =
		!walk->in_pod && !walk->out->below_user_manager && take_kube_level(walk, part);
	if (walk->level)
		return false;
	if (find_marker(walk, part, &marker) && believe(walk, &marker)) {
		if (marker.supervised && slice_is(below, "/supervisor"))
			marker.kind = CGROUP_HELPER;
		decide(walk, &marker, part);
		return true;
	}
	if (walk->in_pod) {
		marker = unknown_in_pod(part);
		decide(walk, &marker, part);
		return true;
	}
	context = context_of(part, &walk->position);
	if (context != CONTEXT_NONE && walk->position.context != CONTEXT_OVERHEAD)
		walk->position.context = context;
	return false;
}

static void pass(struct walk *walk, struct slice part)
{
	struct position *position = &walk->position;

	position->grandparent = position->parent;
	position->parent = part;
	position->first = false;
	if (!walk->level && !is_systemd_unit(part))
		position->plain++;
}

static void finish(struct walk *walk)
{
	struct path_identity *out = walk->out;

	if (walk->position.context == CONTEXT_OVERHEAD) {
		out->kind = CGROUP_HELPER;
		out->runtime = "kata";
		out->container_length = out->path.length;
	} else if (walk->in_pod) {
		out->kind = CGROUP_HELPER; /* container_length is the pod's */
	} else {
		out->qos = QOS_UNKNOWN;
		out->cut = out->path.length >= PATH_LENGTH_MAX;
		out->container_length = out->path.length;
	}
}

void cgroup_walk(struct slice path, const struct cgroup_base *base, struct path_identity *ret)
{
	struct walk walk = { .out = ret, .position.first = true };
	struct slice rest;

	*ret = (struct path_identity){ .kind = CGROUP_HOST, .path = path };
	rest = strip_base(strip_parents(path), base);
	while (rest.at && rest.length > 0) {
		const char *slash;
		struct slice part;

		if (*rest.at == '/') {
			rest = rest_of(rest, rest.at + 1);
			continue;
		}
		slash = memchr(rest.at, '/', rest.length);
		part = (struct slice){ rest.at, slash ? (size_t)(slash - rest.at) : rest.length };
		rest = rest_of(rest, rest.at + part.length);
		if (step(&walk, part, rest))
			return;
		pass(&walk, part);
	}
	finish(&walk);
}
