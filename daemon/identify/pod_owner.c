/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose a pod is: the object that a person would change. Two controllers stand between it and the
 * pod, and their names tell whose they are; asking the API for them would need more rights.
 */
#include "records.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A CronJob's controller names its Jobs after the scheduled time: in minutes since 1970 (eight
 * digits until 2160), before Kubernetes 1.21 in seconds (ten digits until 2286). */
#define MINUTE_DIGITS 8u
#define SECOND_DIGITS 10u

static const json_t *find_controller(const json_t *references)
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
	size_t digits = dash ? strspn(dash + 1, "0123456789") : 0;

	if (!dash || dash == name || dash[1 + digits] || dash[1] == '0')
		return 0;
	return digits == MINUTE_DIGITS || digits == SECOND_DIGITS ? (size_t)(dash - name) : 0;
}

bool pod_owner_is_node(const json_t *references)
{
	const json_t *controller = references ? find_controller(references) : NULL;
	const char *kind = json_text_of(json_object_get(controller, "kind"));

	return kind && strcmp(kind, "Node") == 0;
}

int pod_owner_find(
	const json_t *references, const struct label *labels, size_t label_count, char **ret)
{
	const json_t *controller = references ? find_controller(references) : NULL;
	const char *kind = json_text_of(json_object_get(controller, "kind"));
	const char *name = json_text_of(json_object_get(controller, "name"));
	size_t length = 0;

	*ret = NULL;
	if (!kind || !name || !kind[0] || !name[0])
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
	if (asprintf(ret, "%s/%.*s", kind, (int)length, name) < 0) {
		*ret = NULL;
		return -ENOMEM;
	}
	return 0;
}
