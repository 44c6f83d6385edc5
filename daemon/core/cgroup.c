/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /proc/PID/cgroup as a whole: takes its lines apart and makes one answer of what they say. What a
 * path means is cgroup_walk.c's; this file knows lines, and what it is when they disagree.
 */
#include <capauditd/cgroup.h>

#include "cgroup_internal.h"

#include <capauditd/macros.h>

#include <stdint.h>

/* The kernel has some fifteen controllers, and named hierarchies are rare: a text with more lines
 * than this is not its own. */
#define LINES_MAX 64

/* One line: "HIERARCHY:CONTROLLERS:PATH". The path may contain colons. */
struct line {
	uint64_t hierarchy; /* 0: version 2 */
	struct slice path;
};

/* Everything that was read of one text. */
struct reading {
	const struct cgroup_base *base;
	struct path_identity of[CGROUP_HELPER + 1]; /* by kind: what the lines of it say together */
	bool seen[CGROUP_HELPER + 1];
	bool differ[CGROUP_HELPER + 1]; /* they contradict each other */
	bool runtimes_differ;		/* of containers, to the letter */
	bool cut;
	/* The kernel prints each hierarchy once, the youngest first, and ids grow. A name with a
	 * newline in it (possible on v1 before 5.13) forges lines, which can hardly avoid an id
	 * that is printed elsewhere, or that is out of order. */
	bool forged;
	bool unreadable; /* a whole line that is none */
	bool disordered;
	uint64_t hierarchies[LINES_MAX];
	size_t lines;
	uint64_t last_informative;
	bool any_informative;
	struct path_identity last; /* most lines say the same */
};

static const char *const runtimes[] = {
	"docker",
	"containerd",
	"cri-o",
	"podman",
	"unknown-cri",
	"lxc",
	"libvirt-lxc",
	"nspawn",
	"kata",
	"garden",
	"bpm",
	"ecs-fargate",
	"runc",
	"crun",
	"youki",
	NULL,
};

const char *const *cgroup_runtimes(void)
{
	return runtimes;
}

const char *qos_class_name(enum qos_class qos)
{
	static const char *const names[] = {
		[QOS_GUARANTEED] = "Guaranteed",
		[QOS_BURSTABLE] = "Burstable",
		[QOS_BEST_EFFORT] = "BestEffort",
	};

	return (size_t)qos < ARRAY_SIZE(names) ? names[qos] : NULL;
}

const char *cgroup_kind_name(enum cgroup_kind kind)
{
	static const char *const names[] = {
		[CGROUP_HOST] = "host",
		[CGROUP_CONTAINER] = "container",
		[CGROUP_HELPER] = "helper",
	};

	return (size_t)kind < ARRAY_SIZE(names) ? names[kind] : NULL;
}

static bool parse_number(struct slice digits, uint64_t *ret)
{
	uint64_t value = 0;

	if (digits.length == 0 || digits.length > 10) /* the kernel's is an int */
		return false;
	for (size_t i = 0; i < digits.length; i++) {
		if (digits.at[i] < '0' || digits.at[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(digits.at[i] - '0');
	}
	*ret = value;
	return true;
}

static bool parse_line(struct slice text, struct line *ret)
{
	const char *end = text.at + text.length;
	const char *first = memchr(text.at, ':', text.length);
	const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;

	if (!second || second + 1 == end || second[1] != '/' || memchr(text.at, 0, text.length))
		return false;
	ret->path = (struct slice){ second + 1, (size_t)(end - second - 1) };
	return parse_number((struct slice){ text.at, (size_t)(first - text.at) }, &ret->hierarchy);
}

static void note_hierarchy(struct reading *reading, uint64_t hierarchy, bool informative)
{
	for (size_t i = 0; i < reading->lines; i++)
		reading->forged |= reading->hierarchies[i] == hierarchy;
	if (reading->lines < LINES_MAX)
		reading->hierarchies[reading->lines++] = hierarchy;
	else
		reading->forged = true;
	/* The order of lines that say nothing is nobody's concern. */
	if (!informative)
		return;
	reading->disordered |= reading->any_informative && hierarchy >= reading->last_informative;
	reading->last_informative = hierarchy;
	reading->any_informative = true;
}

/* Pod UIDs are the same with dashes and with underscores. */
static char pod_character(char c)
{
	if (c == '_')
		return '-';
	return c;
}

static bool pods_equal(struct slice a, struct slice b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++) {
		if (pod_character(a.at[i]) != pod_character(b.at[i]))
			return false;
	}
	return true;
}

/* Two runtimes do not contradict each other where one is only not known. */
static bool merge_runtime(const char **into, const char *runtime)
{
	bool vague = !*into || strcmp(*into, "unknown-cri") == 0;

	if (!runtime || (*into && strcmp(*into, runtime) == 0))
		return true;
	if (vague) {
		*into = runtime;
		return true;
	}
	return strcmp(runtime, "unknown-cri") == 0;
}

static bool merge_pod(struct path_identity *into, const struct path_identity *from)
{
	bool agree = true;

	if (!into->pod.at)
		into->pod = from->pod;
	else if (from->pod.at)
		agree = pods_equal(into->pod, from->pod);
	if (into->qos == QOS_UNKNOWN)
		into->qos = from->qos;
	else if (from->qos != QOS_UNKNOWN)
		agree &= into->qos == from->qos;
	return agree;
}

/* Adds what a further line of the same kind says; false where it contradicts. */
static bool merge(struct path_identity *into, const struct path_identity *from)
{
	bool agree = merge_pod(into, from);

	agree &= merge_runtime(&into->runtime, from->runtime);
	if (into->id.at && from->id.at)
		agree &= slice_equal(into->id, from->id);
	else if (from->id.at) {
		/* The line that names the container decides. */
		into->id = from->id;
		into->id_escaped = from->id_escaped;
		into->path = from->path;
		into->container_length = from->container_length;
	}
	into->below_user_manager &= from->below_user_manager;
	return agree;
}

static void take(struct reading *reading, const struct path_identity *identity)
{
	enum cgroup_kind kind = identity->kind;
	struct path_identity *into = &reading->of[kind];

	reading->cut |= identity->cut;
	if (!reading->seen[kind]) {
		reading->seen[kind] = true;
		*into = *identity;
		return;
	}
	if (kind == CGROUP_HOST)
		return; /* the first is as good as any */
	if (kind == CGROUP_CONTAINER && into->runtime && identity->runtime)
		reading->runtimes_differ |= strcmp(into->runtime, identity->runtime) != 0;
	reading->differ[kind] |= !merge(into, identity);
}

static void read_line(struct reading *reading, struct slice text, bool terminated)
{
	struct line line;

	if (text.length == 0)
		return;
	if (!parse_line(text, &line)) {
		/* The last line may have been cut by whoever read it. */
		reading->forged |= terminated;
		reading->unreadable |= terminated;
		return;
	}
	/* Of a process whose cgroup was removed; the kernel says so on version 2 only. */
	if (line.hierarchy == 0)
		(void)slice_take_suffix(&line.path, " (deleted)");
	note_hierarchy(reading, line.hierarchy, line.path.length > 1);
	if (line.path.length <= 1)
		return;
	if (!slice_equal(line.path, reading->last.path))
		cgroup_walk(line.path, reading->base, &reading->last);
	take(reading, &reading->last);
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Undoes systemd's \xNN; a NUL, which it cannot have meant, stays as it stands. */
static void copy_id(char to[static CGROUP_NAME_MAX + 1], struct slice id, bool escaped)
{
	size_t used = 0;

	for (size_t i = 0; i < id.length && used < CGROUP_NAME_MAX; i++) {
		char c = id.at[i];

		if (escaped && i + 3 < id.length && c == '\\' && id.at[i + 1] == 'x') {
			int high = hex_value(id.at[i + 2]), low = hex_value(id.at[i + 3]);

			if (high >= 0 && low >= 0 && (high | low)) {
				c = (char)(high << 4 | low);
				i += 3;
			}
		}
		to[used++] = c;
	}
	to[used] = '\0';
}

static void copy_pod(char to[static POD_UID_SIZE], struct slice pod)
{
	size_t used = 0;

	for (; used < pod.length && used < POD_UID_SIZE - 1; used++)
		to[used] = pod_character(pod.at[used]);
	to[used] = '\0';
}

static void answer(const struct path_identity *from, struct cgroup_identity *ret)
{
	*ret = (struct cgroup_identity){
		.kind = from->kind,
		.runtime = from->runtime,
		.qos = from->qos,
		.below_user_manager = from->below_user_manager,
		.path = from->path.at,
		.path_length = from->path.length,
		.container_length = from->container_length,
	};
	copy_id(ret->container_id, from->id, from->id_escaped);
	copy_pod(ret->pod_uid, from->pod);
}

/* A container, but whose is unknown. */
static void answer_ambiguous(
	const struct path_identity *from, bool runtime_known, struct cgroup_identity *ret)
{
	struct path_identity vague = *from;

	vague.kind = CGROUP_CONTAINER;
	vague.id = vague.pod = (struct slice){ NULL, 0 };
	vague.qos = QOS_UNKNOWN;
	if (!runtime_known)
		vague.runtime = NULL;
	answer(&vague, ret);
	ret->ambiguous = true;
}

/* A container is what any line says, since a process changes its cgroup in one hierarchy after the
 * other, and a helper only what no line denies: otherwise a container could hide as one. */
static void conclude(struct reading *reading, struct cgroup_identity *ret)
{
	struct path_identity *container = &reading->of[CGROUP_CONTAINER];
	struct path_identity *helper = &reading->of[CGROUP_HELPER];
	bool helped = reading->seen[CGROUP_HELPER];
	bool forged = reading->forged;

	/* Lines that all say the same may stand in any order: nobody gains by that. */
	if (reading->seen[CGROUP_HOST] || (helped && reading->seen[CGROUP_CONTAINER]))
		forged |= reading->disordered;
	if (reading->seen[CGROUP_CONTAINER]) {
		bool differ = reading->differ[CGROUP_CONTAINER];

		if (helped) {
			differ |= reading->differ[CGROUP_HELPER];
			differ |= !merge_pod(container, helper);
			differ |= container->id.at && helper->id.at &&
				  !slice_equal(container->id, helper->id);
		}
		if (differ || forged)
			answer_ambiguous(container, !reading->runtimes_differ, ret);
		else
			answer(container, ret);
	} else if (helped && (reading->differ[CGROUP_HELPER] || forged || reading->cut)) {
		answer_ambiguous(helper, !reading->differ[CGROUP_HELPER], ret);
	} else if (helped) {
		answer(helper, ret);
	} else if (reading->cut || reading->unreadable) {
		answer_ambiguous(&reading->of[CGROUP_HOST], false, ret);
	} else {
		answer(&reading->of[CGROUP_HOST], ret);
	}
}

void cgroup_parse(const char *text, size_t length, const struct cgroup_base *base,
	struct cgroup_identity *ret)
{
	struct reading reading = { .base = base };
	size_t at = 0;

	while (at < length) {
		const char *newline = memchr(text + at, '\n', length - at);
		struct slice line = { text + at,
			newline ? (size_t)(newline - text) - at : length - at };

		read_line(&reading, line, newline != NULL);
		at += line.length + (newline ? 1 : 0);
	}
	conclude(&reading, ret);
}

void cgroup_parse_path(const char *path, size_t length, const struct cgroup_base *base,
	struct cgroup_identity *ret)
{
	struct reading reading = { .base = base };
	struct slice whole = { path, length };
	struct path_identity identity;

	(void)slice_take_suffix(&whole, " (deleted)");
	if (whole.length > 1) {
		cgroup_walk(whole, base, &identity);
		take(&reading, &identity);
	}
	conclude(&reading, ret);
}
