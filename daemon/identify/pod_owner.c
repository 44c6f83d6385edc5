/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose a pod is: the object that a person would change. Two controllers stand between it and the
 * pod, and their names tell whose they are; asking the API for them would need more rights.
 *
 * Whoever may create a pod may write owner references (until the garbage collector finds that there
 * is no such owner): what comes out is a claim, and a rule of the policy that trusts an owner
 * should name its namespace too.
 */
#include "records.h"

#include <capauditd/text.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWNER_KIND_MAX 63u

/* A CronJob's controller names its Jobs after the scheduled time: in minutes since 1970, before
 * Kubernetes 1.21 in seconds. Of the years 2014 (there was no Kubernetes before) to 2099: dates
 * that people write behind a name (20261124) are none of them. */
static const struct {
	size_t digits;
	uint64_t low, high;
} schedules[] = {
	{ 8, 23142240, 68374079 },
	{ 10, 1388534400, 4102444799 },
};

const json_t *pod_controller(const json_t *references)
{
	size_t i;
	json_t *reference;

	json_array_foreach((json_t *)references, i, reference)
	{
		if (json_is_true(json_object_get(reference, "controller")))
			return reference;
	}
	return NULL;
}

bool pod_controller_is_node(const json_t *controller)
{
	const char *kind = object_name(controller, "kind");

	return kind && strcmp(kind, "Node") == 0;
}

/* "web-6c4566dfff" with "6c4566dfff" is "web". The length, or 0. */
static size_t without_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name), suffix_length = suffix ? strlen(suffix) : 0;

	if (!suffix_length || length < suffix_length + 2)
		return 0;
	length -= suffix_length + 1;
	return name[length] == '-' && strcmp(name + length + 1, suffix) == 0 ? length : 0;
}

static size_t without_schedule(const char *name)
{
	const char *dash = strrchr(name, '-');
	uint64_t time;

	if (!dash || dash == name)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(schedules); i++)
		if (strlen(dash + 1) == schedules[i].digits &&
			text_to_u64(dash + 1, schedules[i].low, schedules[i].high, &time) == 0)
			return (size_t)(dash - name);
	return 0;
}

int pod_owner_name(
	const json_t *controller, const struct label *labels, size_t label_count, char **ret)
{
	const char *kind = object_name(controller, "kind");
	const char *name = object_name(controller, "name");
	size_t length = 0, size;

	*ret = NULL;
	/* What can be no object's kind or name is nobody's. */
	if (!kind || !name || strlen(kind) > OWNER_KIND_MAX)
		return 0;
	if (strcmp(kind, "ReplicaSet") == 0) {
		length = without_suffix(name, label_find(labels, label_count, "pod-template-hash"));
		kind = length ? "Deployment" : kind;
	} else if (strcmp(kind, "Job") == 0) {
		length = without_schedule(name);
		kind = length ? "CronJob" : kind;
	}
	if (!length)
		length = strlen(name);
	size = strlen(kind) + length + 2;
	*ret = malloc(size);
	if (!*ret)
		return -ENOMEM;
	(void)snprintf(*ret, size, "%s/%.*s", kind, (int)length, name);
	return 0;
}
