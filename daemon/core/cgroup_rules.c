/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names that runtimes give to cgroups, as tables. Knows one name and where it stands, nothing
 * of lines or of whole paths. A row is added here and in tests/data/cgroup_more.tsv.
 */
#include "cgroup_internal.h"

#include <capauditd/macros.h>

#define ID_LENGTH	64 /* of Docker, containerd's CRI, CRI-O, Podman: SHA-256 in hex */
#define ID_LEAST	12 /* the short form that people see */
#define BUILD_ID_LENGTH 25 /* BuildKit: base 36 */
#define HASH_LENGTH	32 /* of a static pod's UID, of an ECS task */
#define UID_LENGTH	36 /* 8-4-4-4-12 */

/* What may stand in a rule's place of the id. */
enum id_form {
	ID_HEX,	    /* at least ID_LEAST hex digits */
	ID_WORD,    /* at least ID_LEAST letters and digits */
	ID_BUILD,   /* BUILD_ID_LENGTH lower-case letters and digits */
	ID_PLAIN,   /* anything but a systemd unit */
	ID_NAME,    /* anything */
	ID_ESCAPED, /* anything, as systemd escapes it */
	ID_PID,	    /* digits, which are no id */
	ID_HIDDEN,  /* anything, which is no id */
};

enum tail {
	TAIL_ANY,   /* with or without ".scope": cgroupfs driver or systemd */
	TAIL_SCOPE, /* only with it */
	TAIL_NONE,  /* systemd has no part in it: the name is the id's to its end */
};

/* Only root's own runtimes give this name. */
#define NAME_ROOT_ONLY (1u << 0)
/* A child "supervisor" holds the runtime's own process. */
#define NAME_SUPERVISED (1u << 1)

static const struct name_rule {
	const char *prefix;
	const char *runtime;
	enum cgroup_kind kind;
	enum tail tail;
	enum id_form id;
	unsigned flags;
} name_rules[] = {
	/* Longer prefixes before those that they begin with. */
	{ "cri-containerd-", "containerd", CGROUP_CONTAINER, TAIL_ANY, ID_HEX, NAME_ROOT_ONLY },
	{ "cri-containerd-", "containerd", CGROUP_CONTAINER, TAIL_SCOPE, ID_WORD, NAME_ROOT_ONLY },
	{ "crio-conmon-", "cri-o", CGROUP_HELPER, TAIL_ANY, ID_HEX, NAME_ROOT_ONLY },
	{ "crio-", "cri-o", CGROUP_CONTAINER, TAIL_ANY, ID_HEX, NAME_ROOT_ONLY },
	{ "crio-", "cri-o", CGROUP_CONTAINER, TAIL_SCOPE, ID_WORD, NAME_ROOT_ONLY },
	{ "docker-", "docker", CGROUP_CONTAINER, TAIL_ANY, ID_HEX, 0 },
	{ "docker-", "docker", CGROUP_CONTAINER, TAIL_SCOPE, ID_WORD, 0 },
	{ "nerdctl-", "containerd", CGROUP_CONTAINER, TAIL_ANY, ID_HEX, 0 },
	{ "nerdctl-", "containerd", CGROUP_CONTAINER, TAIL_SCOPE, ID_WORD, 0 },
	{ "libpod-conmon-", "podman", CGROUP_HELPER, TAIL_ANY, ID_HEX, 0 },
	{ "libpod-payload-", "podman", CGROUP_CONTAINER, TAIL_NONE, ID_HEX, 0 },
	{ "libpod-", "podman", CGROUP_CONTAINER, TAIL_ANY, ID_HEX, 0 },
	{ "libpod-", "podman", CGROUP_CONTAINER, TAIL_SCOPE, ID_WORD, 0 },
	{ "podman-pause-", "podman", CGROUP_HELPER, TAIL_SCOPE, ID_HIDDEN, 0 },
	/* Rootless with cgroupfs: Podman, its monitors and its containers share one scope. */
	{ "podman-", "podman", CGROUP_CONTAINER, TAIL_SCOPE, ID_PID, 0 },
	{ "lxc.payload.", "lxc", CGROUP_CONTAINER, TAIL_NONE, ID_NAME, 0 },
	{ "lxc.monitor.", "lxc", CGROUP_HELPER, TAIL_NONE, ID_NAME, 0 },
	/* machined's scopes: of virtual machines, of libvirt's LXC driver, and of nspawn. */
	{ "machine-qemu\\x2d", NULL, CGROUP_HOST, TAIL_SCOPE, ID_HIDDEN, 0 },
	{ "machine-qemu-", NULL, CGROUP_HOST, TAIL_SCOPE, ID_HIDDEN, 0 },
	{ "machine-lxc\\x2d", "libvirt-lxc", CGROUP_CONTAINER, TAIL_SCOPE, ID_ESCAPED, 0 },
	{ "machine-lxc-", "libvirt-lxc", CGROUP_CONTAINER, TAIL_SCOPE, ID_ESCAPED, 0 },
	{ "machine-", "nspawn", CGROUP_CONTAINER, TAIL_SCOPE, ID_ESCAPED, NAME_SUPERVISED },
	{ "kata_", "kata", CGROUP_CONTAINER, TAIL_ANY, ID_HEX, 0 },
	{ "runc-bpm-", "bpm", CGROUP_CONTAINER, TAIL_SCOPE, ID_NAME, 0 },
	{ "bpm-", "bpm", CGROUP_CONTAINER, TAIL_ANY, ID_PLAIN, 0 },
	{ "runc-", "runc", CGROUP_CONTAINER, TAIL_SCOPE, ID_NAME, 0 },
	{ "crun-", "crun", CGROUP_CONTAINER, TAIL_SCOPE, ID_NAME, 0 },
	{ "youki-", "youki", CGROUP_CONTAINER, TAIL_SCOPE, ID_NAME, 0 },
};

/* Names that end in what tells them. */
static const struct name_suffix {
	const char *prefix, *suffix;
	enum id_form id;
	const char *runtime;
	unsigned flags;
} name_suffixes[] = {
	{ "systemd-nspawn@", ".service", ID_ESCAPED, "nspawn", NAME_SUPERVISED },
	{ "", ".libvirt-lxc", ID_NAME, "libvirt-lxc", 0 },
};

/* Names below a parent. `top`: only where nothing but systemd units stands above these parents,
 * since the names are free and the parents' are common words. */
static const struct parent_rule {
	const char *grandparent; /* NULL: any */
	const char *parent;
	enum id_form id;
	enum cgroup_kind kind;
	const char *runtime;
	bool top;
	const char *except[2]; /* names that are a level of their own */
} parent_rules[] = {
	{ "docker", "buildkit", ID_NAME, CGROUP_CONTAINER, "docker", false, { NULL } },
	{ NULL, "docker", ID_BUILD, CGROUP_CONTAINER, "docker", false, { NULL } },
	{ "libvirt", "lxc", ID_NAME, CGROUP_CONTAINER, "libvirt-lxc", true, { NULL } },
	{ NULL, "lxc", ID_NAME, CGROUP_CONTAINER, "lxc", true, { NULL } },
	{ NULL, "lxc.payload", ID_NAME, CGROUP_CONTAINER, "lxc", true, { NULL } },
	{ NULL, "lxc.monitor", ID_NAME, CGROUP_HELPER, "lxc", true, { NULL } },
	/* Cloud Foundry's CPU throttling sorts containers into two groups. */
	{ "garden", "good", ID_NAME, CGROUP_CONTAINER, "garden", true, { NULL } },
	{ "garden", "bad", ID_NAME, CGROUP_CONTAINER, "garden", true, { NULL } },
	{ NULL, "garden", ID_NAME, CGROUP_CONTAINER, "garden", true, { "good", "bad" } },
};

static const struct {
	const char *name;
	enum context context;
	bool top;
} contexts[] = {
	{ "docker", CONTEXT_DOCKER, false },
	{ "docker.service", CONTEXT_DOCKER, false },
	{ "snap.docker.dockerd.service", CONTEXT_DOCKER, false },
	{ "actions_job", CONTEXT_DOCKER, false }, /* GitHub's runner: --cgroup-parent */
	{ "ecs", CONTEXT_ECS, true },
	{ "libpod_parent", CONTEXT_LIBPOD, false },
	{ "kata_overhead", CONTEXT_OVERHEAD, true },
};

static const struct {
	const char *name;
	enum kube_level level;
	enum qos_class qos;
} kube_names[] = {
	{ "kubepods", KUBE_ROOT, QOS_UNKNOWN },
	{ "burstable", KUBE_QOS, QOS_BURSTABLE },
	{ "besteffort", KUBE_QOS, QOS_BEST_EFFORT },
	/* Kubernetes 1.5 */
	{ "Burstable", KUBE_QOS, QOS_BURSTABLE },
	{ "BestEffort", KUBE_QOS, QOS_BEST_EFFORT },
};

/* systemd slices carry their parents in their names, from the kubelet's cgroup root on. */
static const struct {
	const char *stem;
	enum kube_level level;
	enum qos_class qos;
} kube_slices[] = {
	{ "kubepods-burstable-pod", KUBE_POD, QOS_BURSTABLE },
	{ "kubepods-besteffort-pod", KUBE_POD, QOS_BEST_EFFORT },
	{ "kubepods-pod", KUBE_POD, QOS_GUARANTEED },
	{ "Burstable-pod", KUBE_POD, QOS_BURSTABLE },
	{ "BestEffort-pod", KUBE_POD, QOS_BEST_EFFORT },
	{ "kubepods-burstable", KUBE_QOS, QOS_BURSTABLE },
	{ "kubepods-besteffort", KUBE_QOS, QOS_BEST_EFFORT },
	{ "Burstable", KUBE_QOS, QOS_BURSTABLE },
	{ "BestEffort", KUBE_QOS, QOS_BEST_EFFORT },
	{ "kubepods", KUBE_ROOT, QOS_UNKNOWN },
};

bool slice_take_prefix(struct slice *s, const char *part)
{
	size_t length;

	if (*part && (s->length == 0 || *s->at != *part))
		return false; /* most, without a further look */
	length = strlen(part);
	if (s->length < length || memcmp(s->at, part, length) != 0)
		return false;
	s->at += length;
	s->length -= length;
	return true;
}

bool slice_take_suffix(struct slice *s, const char *part)
{
	size_t length = strlen(part);

	if (s->length < length || memcmp(s->at + s->length - length, part, length) != 0)
		return false;
	s->length -= length;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_base36(char c)
{
	return is_digit(c) || is_lower(c);
}

static bool is_alphanumeric(char c)
{
	return is_base36(c) || (c >= 'A' && c <= 'Z');
}

static bool all(struct slice s, bool (*is)(char))
{
	for (size_t i = 0; i < s.length; i++) {
		if (!is(s.at[i]))
			return false;
	}
	return true;
}

bool is_systemd_unit(struct slice name)
{
	static const char *const suffixes[] = { ".slice", ".service", ".scope" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		struct slice stem = name;

		if (slice_take_suffix(&stem, suffixes[i]) && stem.length > 0)
			return true;
	}
	return false;
}

static bool fits(struct slice id, enum id_form form)
{
	switch (form) {
	case ID_HEX:
		return id.length >= ID_LEAST && all(id, is_hex);
	case ID_WORD:
		return id.length >= ID_LEAST && all(id, is_alphanumeric);
	case ID_BUILD:
		return id.length == BUILD_ID_LENGTH && all(id, is_base36);
	case ID_PID:
		return id.length > 0 && all(id, is_digit);
	case ID_PLAIN:
		return id.length > 0 && !is_systemd_unit(id);
	case ID_NAME:
	case ID_ESCAPED:
	case ID_HIDDEN:
		break;
	}
	return id.length > 0;
}

bool is_id(struct slice name)
{
	return name.length == ID_LENGTH && all(name, is_hex);
}

static bool is_hash(struct slice name)
{
	return name.length == HASH_LENGTH && all(name, is_hex);
}

/* 8-4-4-4-12, with dashes as the API writes it or with underscores as in a slice. */
static bool is_uid(struct slice name)
{
	if (name.length != UID_LENGTH)
		return false;
	for (size_t i = 0; i < UID_LENGTH; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? name.at[i] != '-' && name.at[i] != '_' : !is_hex(name.at[i]))
			return false;
	}
	return true;
}

/* HASH-DIGITS */
static bool is_fargate_id(struct slice name)
{
	struct slice hash, number;

	if (name.length <= HASH_LENGTH + 1 || name.at[HASH_LENGTH] != '-')
		return false;
	hash = (struct slice){ name.at, HASH_LENGTH };
	number = (struct slice){ name.at + HASH_LENGTH + 1, name.length - HASH_LENGTH - 1 };
	return is_hash(hash) && all(number, is_digit);
}

bool is_user_manager(struct slice name)
{
	return slice_take_prefix(&name, "user@") && slice_take_suffix(&name, ".service") &&
	       fits(name, ID_PID);
}

static void set_marker(struct marker *marker, enum cgroup_kind kind, const char *runtime,
	struct slice id, enum id_form form)
{
	*marker = (struct marker){ .kind = kind, .runtime = runtime };
	if (form != ID_PID && form != ID_HIDDEN)
		marker->id = id;
	marker->escaped = form == ID_ESCAPED;
}

static void set_flags(struct marker *marker, unsigned flags)
{
	marker->root_only = flags & NAME_ROOT_ONLY;
	marker->supervised = flags & NAME_SUPERVISED;
}

bool marker_by_name(struct slice name, struct marker *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(name_rules); i++) {
		const struct name_rule *rule = &name_rules[i];
		struct slice id = name;

		if (!slice_take_prefix(&id, rule->prefix))
			continue;
		if (rule->tail != TAIL_NONE && !slice_take_suffix(&id, ".scope") &&
			rule->tail == TAIL_SCOPE)
			continue;
		if (!fits(id, rule->id))
			continue;
		set_marker(ret, rule->kind, rule->runtime, id, rule->id);
		set_flags(ret, rule->flags);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(name_suffixes); i++) {
		const struct name_suffix *rule = &name_suffixes[i];
		struct slice id = name;

		if (!slice_take_suffix(&id, rule->suffix) ||
			!slice_take_prefix(&id, rule->prefix) || !fits(id, rule->id))
			continue;
		set_marker(ret, CGROUP_CONTAINER, rule->runtime, id, rule->id);
		set_flags(ret, rule->flags);
		return true;
	}
	return false;
}

static bool parent_rule_fits(
	const struct parent_rule *rule, struct slice name, const struct position *position)
{
	if (!slice_is(position->parent, rule->parent) || !fits(name, rule->id))
		return false;
	if (rule->grandparent && !slice_is(position->grandparent, rule->grandparent))
		return false;
	if (rule->top && position->plain != (rule->grandparent ? 2 : 1))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(rule->except) && rule->except[i]; i++) {
		if (slice_is(name, rule->except[i]))
			return false;
	}
	return true;
}

/* Podman's monitors where they have no scope of their own. */
static bool is_monitor(struct slice name, const struct position *position)
{
	struct slice service = position->parent;

	if (position->context == CONTEXT_LIBPOD && slice_is(name, "conmon"))
		return true;
	/* `podman run --cgroups=split` in a unit; indistinguishable from any unit that has such a
	 * group, which is the host's as well. */
	return position->last && position->plain == 0 && slice_is(name, "runtime") &&
	       slice_take_suffix(&service, ".service") && service.length > 0;
}

bool marker_by_position(struct slice name, const struct position *position, struct marker *ret)
{
	struct slice bare = name;

	(void)slice_take_suffix(&bare, ".scope");
	if (is_id(bare) && position->context != CONTEXT_LIBPOD) {
		bool docker =
			position->context == CONTEXT_DOCKER || position->context == CONTEXT_ECS;

		set_marker(ret, CGROUP_CONTAINER, docker ? "docker" : "unknown-cri", bare, ID_HEX);
		return true;
	}
	if (position->context == CONTEXT_ECS && is_fargate_id(name)) {
		set_marker(ret, CGROUP_CONTAINER, "ecs-fargate", name, ID_NAME);
		return true;
	}
	if (is_monitor(name, position)) {
		set_marker(ret, CGROUP_HELPER, "podman", name, ID_HIDDEN);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parent_rules); i++) {
		const struct parent_rule *rule = &parent_rules[i];

		if (parent_rule_fits(rule, name, position)) {
			set_marker(ret, rule->kind, rule->runtime, name, rule->id);
			return true;
		}
	}
	return false;
}

bool marker_by_colons(struct slice name, struct marker *ret, struct slice *ret_slice)
{
	const char *first = memchr(name.at, ':', name.length);
	const char *end = name.at + name.length;
	const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;
	struct slice prefix, id;

	if (!second)
		return false;
	prefix = (struct slice){ first + 1, (size_t)(second - first - 1) };
	id = (struct slice){ second + 1, (size_t)(end - second - 1) };
	*ret_slice = (struct slice){ name.at, (size_t)(first - name.at) };
	if (id.length == 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(name_rules); i++) {
		const struct name_rule *rule = &name_rules[i];
		struct slice word = slice_of(rule->prefix);

		if (!slice_take_suffix(&word, "-") || !slice_equal(word, prefix))
			continue;
		set_marker(ret, rule->kind, rule->runtime, id, ID_NAME);
		set_flags(ret, rule->flags);
		return true;
	}
	if (!is_id(id))
		return false;
	set_marker(ret, CGROUP_CONTAINER, "unknown-cri", id, ID_HEX);
	return true;
}

enum context context_of(struct slice name, const struct position *position)
{
	for (size_t i = 0; i < ARRAY_SIZE(contexts); i++) {
		if (slice_is(name, contexts[i].name) && (!contexts[i].top || position->plain == 0))
			return contexts[i].context;
	}
	return CONTEXT_NONE;
}

/* Where `stem` begins in `name`: at its start or after a dash. */
static bool take_stem(struct slice *name, const char *stem)
{
	size_t length = strlen(stem);

	for (size_t at = 0; at + length <= name->length; at++) {
		if (name->at[at] == *stem && (at == 0 || name->at[at - 1] == '-') &&
			memcmp(name->at + at, stem, length) == 0) {
			name->at += at + length;
			name->length -= at + length;
			return true;
		}
	}
	return false;
}

static struct slice uid_or_nothing(struct slice name)
{
	return is_uid(name) || is_hash(name) ? name : (struct slice){ NULL, 0 };
}

struct kube_name kube_name_parse(struct slice name)
{
	struct slice rest = name;

	if (slice_take_suffix(&rest, ".slice")) {
		for (size_t i = 0; i < ARRAY_SIZE(kube_slices); i++) {
			struct slice uid = rest;

			/* All but a pod's name end with the stem. */
			if (!take_stem(&uid, kube_slices[i].stem) ||
				(uid.length > 0) != (kube_slices[i].level == KUBE_POD))
				continue;
			return (struct kube_name){ kube_slices[i].level, uid_or_nothing(uid),
				kube_slices[i].qos, true };
		}
		return (struct kube_name){ .level = KUBE_NONE };
	}
	if (slice_take_prefix(&rest, "pod") && rest.length > 0)
		return (struct kube_name){ KUBE_POD, uid_or_nothing(rest), QOS_UNKNOWN, false };
	for (size_t i = 0; i < ARRAY_SIZE(kube_names); i++) {
		if (slice_is(name, kube_names[i].name))
			return (struct kube_name){ kube_names[i].level, { NULL, 0 },
				kube_names[i].qos, false };
	}
	return (struct kube_name){ .level = KUBE_NONE };
}
