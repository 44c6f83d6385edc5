/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers of pods, each by itself: what its manifest declares, what its process had or would
 * have had, what the Pod Security Standards say of the one and this program of the other.
 */
#ifndef CAPAUDITD_TEST_VERDICTS_FIXTURE_H
#define CAPAUDITD_TEST_VERDICTS_FIXTURE_H

#include "standards_fixture.h"

#include <capauditd/cluster.h>
#include <capauditd/judge.h>
#include <capauditd/status.h>

#include <errno.h>
#include <stdlib.h>

#define DEFAULT_SET UINT64_C(0xa80425fb)    /* containerd's */
#define ROOT_SET    UINT64_C(0x1fffeffffff) /* all that the recorded machine's root had */

/* ---- recorded ---- */

static char *read_text(const char *path, size_t *ret_length)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t space = 0;
	ssize_t length;

	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	length = getdelim(&text, &space, '\0', file);
	assert_true(length > 0);
	*ret_length = (size_t)length;
	return text;
}

/* The recorded processes of the pods in the list. The list is of another day: the same manifests,
 * and so the same names. */
static const struct recorded {
	const char *pod, *container, *status;
} recorded[] = {
	{ "a-restricted", "main", "a-restricted/main.8eb1cc424c58" },
	{ "a-restricted", "dbg-restricted", "a-restricted/dbg-restricted.5f0196f0f423" },
	{ "b-default", "main", "b-default/main.164c19e3379a" },
	{ "c-privileged", "main", "c-privileged/main.4688043f13a2" },
	{ "d-init", "setup", "d1-init-running/setup.9a39adf5e76a" },
	{ "d-init", "main", "d2-main-running/main.b896db15216f" },
	{ "e-target", "main", "e-ephemeral/main.3e5a2da58212" },
	{ "e-target", "dbg-general", "e-ephemeral/dbg-general.e96c4dd4a03d" },
	{ "e-target", "dbg-sysadmin", "e-ephemeral/dbg-sysadmin.e47cd0d4097b" },
	{ "f-guaranteed", "main", "f-guaranteed/main.b5796de9f09e" },
	{ "g-static-vm", "main", "g-static/main.0ef7e30be177" },
};

static struct task make_task(capability_mask held, capability_mask bounding)
{
	return (struct task){ .pid = 10,
		.tid = 10,
		.start_ticks = 10,
		.leader = true,
		.outside_parent = true,
		.controls_known = true,
		.user_namespace = USER_NAMESPACE_INITIAL,
		.user_namespace_key = 1,
		.sets.of = { [CAPABILITY_EFFECTIVE] = held,
			[CAPABILITY_PERMITTED] = held,
			[CAPABILITY_BOUNDING] = bounding } };
}

/* The process as the engine would give it. */
static void read_task(const char *folder, struct task *ret)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	struct status status;
	size_t length;

	assert_true(asprintf(&path, DATA "recorded/%s/status", folder) > 0);
	text = read_text(path, &length);
	assert_int_equal(status_parse(text, length, &status), 0);
	assert_true(status.has_sets);
	*ret = make_task(0, 0);
	ret->sets = status.sets;
	ret->seccomp = status.seccomp;
	ret->no_new_privs = status.no_new_privs;
}

static bool find_recorded(const char *pod, const char *container, struct task *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(recorded); i++) {
		if (strcmp(recorded[i].pod, pod) != 0 ||
			strcmp(recorded[i].container, container) != 0)
			continue;
		read_task(recorded[i].status, ret);
		return true;
	}
	return false;
}

/* ---- one container ---- */

struct subject {
	struct pod_record *record; /* of a pod with this container alone */
	bool permitted[2];	   /* by baseline, restricted: what the standard says */
	bool is_recorded;
	bool is_root;
	struct task task;
	capability_mask held, bounding;
};

static const char *const profiles[] = { "baseline", "restricted" };

/* What containerd 1.7 makes of a declaration, for those that were not recorded;
 * recorded_containers_have_what_containerd_makes_of_their_declaration proves it on those that were.
 */
static capability_mask granted_by_containerd(const struct declaration *declared)
{
	if (declared->privileged || declared->add_all)
		return ROOT_SET;
	return ((declared->drop_all ? 0 : DEFAULT_SET) | (declared->add & ~declared->prefixed)) &
	       ~declared->drop;
}

static bool is_root(const json_t *pod, const json_t *container)
{
	const json_t *user =
		json_object_get(json_object_get(container, "securityContext"), "runAsUser");

	if (!user)
		user = json_object_get(
			json_object_get(json_object_get(pod, "spec"), "securityContext"),
			"runAsUser");
	return json_integer_value(user) == 0;
}

/* A pod with one container of the given list. */
static json_t *make_pod(const char *list, const json_t *container)
{
	json_t *pod = json_pack("{s:{s:s,s:s,s:s},s:{s:[O]}}", "metadata", "name", "p", "namespace",
		"n", "uid", "u", "spec", list, (json_t *)container);

	assert_non_null(pod);
	return pod;
}

static void set_subject(
	struct subject *s, const json_t *pod, const char *list, const json_t *container)
{
	_cleanup_(json_decrefp) json_t *alone = make_pod(list, container);
	_cleanup_free_ char *text = json_dumps(alone, 0);

	*s = (struct subject){ .is_root = is_root(pod, container) };
	assert_non_null(text);
	assert_int_equal(pod_record_parse(text, strlen(text), &s->record), 0);
	assert_int_equal(s->record->container_count, 1);
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		_cleanup_free_ char *complaint = standard_complaint(alone, i == 1);

		s->permitted[i] = !complaint[0];
	}
	s->bounding = granted_by_containerd(&s->record->containers[0].declared);
	s->task = make_task(s->is_root ? s->bounding : 0, s->bounding);
	s->is_recorded = find_recorded(
		json_string_value(json_object_get(json_object_get(pod, "metadata"), "name")),
		s->record->containers[0].name, &s->task);
	s->held = capability_sets_held(&s->task.sets);
	s->bounding = s->task.sets.of[CAPABILITY_BOUNDING];
}

/* What is made of it: the verdict, and the cure where there is one. */
struct judged {
	enum verdict verdict;
	size_t cures;
	bool drop_all;
	capability_mask add;
};

static struct judged judge_task_alone(const char *profile, enum container_type type,
	const struct declaration *declared, const struct task *task)
{
	_cleanup_(policy_freep) struct policy *policy = policy_new_default();
	struct container container = { .id = (char *)"0123456789abcdef",
		.runtime = "containerd",
		.name = (char *)"c",
		.type = type,
		.in_pod = true,
		.pod = { .namespace_name = (char *)"n", .name = (char *)"p", .known = true } };
	struct reference reference = { 0 };
	struct assessment assessment;
	struct observation *observations = NULL;
	size_t count = 0;
	struct judged judged = { 0 };
	struct judge_input input = { .policy = policy,
		.container = &container,
		.tasks = &task,
		.task_count = 1,
		.reference = &reference,
		.api = API_KNOWS,
		.now_us = UINT64_C(1790000000000000),
		.now_ticks = 100000,
		.ticks_per_second = 100 };

	assert_non_null(policy);
	if (declared)
		container.declared = *declared;
	input.forced = policy_profile(policy, profile);
	assert_non_null(input.forced);
	assert_int_equal(judge_container(&input, &assessment, &observations, &count), 0);
	for (size_t i = 0; i < count; i++) {
		const struct remedy *remedy = &observations[i].finding.remedy;

		assert_int_equal(judge_settle(&input, &observations[i], &assessment), 0);
		if (!remedy->known)
			continue;
		judged.cures++;
		judged.drop_all = remedy->drop_all;
		judged.add = remedy->add;
	}
	observations_free(observations, count);
	judged.verdict = assessment.verdict;
	return judged;
}

static struct judged judge(const struct subject *s, size_t profile)
{
	const struct pod_container *c = &s->record->containers[0];

	return judge_task_alone(profiles[profile], c->type, &c->declared, &s->task);
}

/* Calls `visit` for every container of every pod in the list. */
static void visit_containers(
	void (*visit)(const json_t *pod, const char *list, const json_t *container))
{
	_cleanup_(json_decrefp) json_t *pods = read_json(DATA "api/pods-list.json");
	const json_t *items = json_object_get(pods, "items");

	assert_true(json_array_size(items) > 10);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *pod = json_array_get(items, i);

		for (size_t l = 0; l < ARRAY_SIZE(standard_lists); l++) {
			const json_t *list =
				json_object_get(json_object_get(pod, "spec"), standard_lists[l]);

			for (size_t j = 0; j < json_array_size(list); j++)
				visit(pod, standard_lists[l], json_array_get(list, j));
		}
	}
}

#endif
