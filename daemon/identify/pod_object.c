/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pod as the API tells of it. Knows where in the object each fact stands, and which facts its
 * author could have made up. Whose it is says pod_owner.c.
 */
#include "records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HASH_ANNOTATION	  "kubernetes.io/config.hash"
#define MIRROR_ANNOTATION "kubernetes.io/config.mirror"

#define IMAGE_MAX      1024u /* a reference's name, tag and digest are shorter together */
#define RUNTIME_ID_MAX CGROUP_NAME_MAX

static const struct json_keep capabilities_keep[] = { { "add", NULL }, { "drop", NULL }, { 0 } };
static const struct json_keep context_keep[] = { { "privileged", NULL },
	{ "capabilities", capabilities_keep }, { 0 } };
static const struct json_keep container_keep[] = { { "name", NULL }, { "image", NULL },
	{ "restartPolicy", NULL }, { "securityContext", context_keep }, { 0 } };
static const struct json_keep status_keep[] = { { "name", NULL }, { "containerID", NULL }, { 0 } };
static const struct json_keep owner_keep[] = { { "kind", NULL }, { "name", NULL },
	{ "controller", NULL }, { 0 } };
static const struct json_keep annotations_keep[] = { { HASH_ANNOTATION, NULL },
	{ MIRROR_ANNOTATION, NULL }, { 0 } };

static const struct json_keep pod_keep[] = {
	{ "kind", NULL },
	{ "metadata",
		(const struct json_keep[]){
			{ "name", NULL },
			{ "namespace", NULL },
			{ "uid", NULL },
			{ "labels", NULL },
			{ "annotations", annotations_keep },
			{ "ownerReferences", owner_keep },
			{ 0 },
		} },
	{ "spec",
		(const struct json_keep[]){
			{ "initContainers", container_keep },
			{ "containers", container_keep },
			{ "ephemeralContainers", container_keep },
			{ 0 },
		} },
	{ "status",
		(const struct json_keep[]){
			{ "initContainerStatuses", status_keep },
			{ "containerStatuses", status_keep },
			{ "ephemeralContainerStatuses", status_keep },
			{ "qosClass", NULL },
			{ 0 },
		} },
	{ 0 },
};

/* Lists of a pod's spec, with the statuses that belong to them. A sidecar is an init container that
 * is restarted, and its status is among theirs. */
static const struct {
	const char *spec, *status;
	enum container_type type;
} lists[] = {
	{ "initContainers", "initContainerStatuses", CONTAINER_INIT },
	{ "containers", "containerStatuses", CONTAINER_REGULAR },
	{ "ephemeralContainers", "ephemeralContainerStatuses", CONTAINER_EPHEMERAL },
};

/* ---- what a container declares ---- */

static void read_names(const json_t *names, bool *all, capability_mask *mask,
	capability_mask *prefixed_only, bool *unknown)
{
	capability_mask plain = 0, prefixed = 0;
	size_t i;
	json_t *name;

	json_array_foreach((json_t *)names, i, name)
	{
		const char *text = json_text_of(name);
		unsigned number;

		if (text && strcasecmp(text, "ALL") == 0)
			*all = true;
		else if (!text || capability_from_known_name(text, &number) < 0)
			*unknown = true;
		else
			*(strncasecmp(text, "CAP_", 4) == 0 ? &prefixed : &plain) |=
				CAPABILITY_BIT(number);
	}
	*mask = plain | prefixed;
	/* What is also spelt as it should be is granted. */
	*prefixed_only = prefixed & ~plain;
}

static void read_declaration(const json_t *container, struct declaration *ret)
{
	const json_t *context = json_object_get(container, "securityContext");
	const json_t *capabilities = json_object_get(context, "capabilities");
	capability_mask unused;

	*ret = (struct declaration){ .known = true };
	ret->privileged = json_is_true(json_object_get(context, "privileged"));
	read_names(json_object_get(capabilities, "add"), &ret->add_all, &ret->add, &ret->prefixed,
		&ret->unknown);
	read_names(json_object_get(capabilities, "drop"), &ret->drop_all, &ret->drop, &unused,
		&ret->unknown);
}

/* ---- containers ---- */

static bool is_named(const json_t *status, const char *name)
{
	const char *other = object_text(status, "name");

	return other && strcmp(other, name) == 0;
}

/* The kubelet sorts statuses as the spec has them or by name: `position` is where to look first. */
static const json_t *find_status(const json_t *statuses, size_t position, const char *name)
{
	const json_t *likely = json_array_get(statuses, position);
	size_t i;
	json_t *status;

	if (is_named(likely, name))
		return likely;
	json_array_foreach((json_t *)statuses, i, status)
	{
		if (is_named(status, name))
			return status;
	}
	return NULL;
}

/* "containerd://8eb1cc..." */
static const char *id_of(const json_t *status)
{
	const char *id = object_text(status, "containerID");
	const char *slashes = id ? strstr(id, "://") : NULL;

	if (!slashes || !slashes[3] || strlen(slashes + 3) > RUNTIME_ID_MAX)
		return NULL;
	return slashes + 3;
}

/* What is no image's name (the API takes any text) cannot have been pulled, nor run. */
static const char *image_of(const json_t *container)
{
	const char *image = object_text(container, "image");

	return image && image[0] && strlen(image) <= IMAGE_MAX ? image : NULL;
}

static int read_container(struct pod_record *record, enum container_type type,
	const json_t *container, const json_t *statuses, size_t position)
{
	struct pod_container *c = &record->containers[record->container_count];
	const char *name = object_name(container, "name");
	const char *restart = object_text(container, "restartPolicy");
	int r;

	if (!name)
		return -EBADMSG;
	record->container_count++;
	c->type = type;
	if (type == CONTAINER_INIT && restart && strcmp(restart, "Always") == 0)
		c->type = CONTAINER_SIDECAR;
	read_declaration(container, &c->declared);
	r = json_text_copy(name, &c->name);
	if (r == 0)
		r = json_text_copy(image_of(container), &c->image);
	if (r == 0)
		r = json_text_copy(id_of(find_status(statuses, position, name)), &c->id);
	return r;
}

static int read_containers(struct pod_record *record, const json_t *spec, const json_t *status)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const json_t *containers = json_object_get(spec, lists[i].spec);

		if (containers && !json_is_array(containers) && !json_is_null(containers))
			return -EBADMSG;
		count += json_array_size(containers);
	}
	if (!count)
		return 0;
	if (count > POD_CONTAINERS_MAX)
		count = POD_CONTAINERS_MAX;
	record->containers = calloc(count, sizeof(*record->containers));
	if (!record->containers)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const json_t *containers = json_object_get(spec, lists[i].spec);
		const json_t *statuses = json_object_get(status, lists[i].status);

		for (size_t j = 0; j < json_array_size(containers); j++) {
			int r;

			if (record->container_count == count)
				return 0;
			r = read_container(
				record, lists[i].type, json_array_get(containers, j), statuses, j);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* ---- the pod ---- */

static bool is_hash(const char *text)
{
	return text && strlen(text) == POD_HASH_SIZE - 1 &&
	       strspn(text, "0123456789abcdef") == POD_HASH_SIZE - 1;
}

/* Anybody who may create a pod may write annotations. A mirror pod is one whose two annotations
 * agree and whose controller is a Node. Who forges all three still has not what came first
 * (cluster.c), and the kubelet deletes a mirror that is none of its own. */
static void read_hash(
	struct pod_record *record, const json_t *annotations, const json_t *controller)
{
	const char *hash = object_text(annotations, HASH_ANNOTATION);
	const char *mirror = object_text(annotations, MIRROR_ANNOTATION);

	if (is_hash(hash) && mirror && strcmp(hash, mirror) == 0 &&
		pod_controller_is_node(controller))
		memcpy(record->config_hash, hash, POD_HASH_SIZE);
}

static int read_metadata(struct pod_record *record, const json_t *metadata)
{
	const json_t *controller = pod_controller(json_object_get(metadata, "ownerReferences"));
	const char *name = object_name(metadata, "name");
	const char *namespace_name = object_name(metadata, "namespace");
	const char *uid = object_name(metadata, "uid");
	int r;

	if (!name || !namespace_name || !uid || strlen(uid) >= sizeof(record->uid))
		return -EBADMSG;
	memcpy(record->uid, uid, strlen(uid) + 1);
	r = json_text_copy(name, &record->name);
	if (r == 0)
		r = json_text_copy(namespace_name, &record->namespace_name);
	if (r == 0)
		r = labels_from_json(
			json_object_get(metadata, "labels"), &record->labels, &record->label_count);
	if (r < 0)
		return r;
	read_hash(record, json_object_get(metadata, "annotations"), controller);
	/* Of a pod that is no mirror a Node is no owner, but what its author would like us to
	 * think. */
	if (pod_controller_is_node(controller) && !record->config_hash[0])
		return 0;
	return pod_owner_name(controller, record->labels, record->label_count, &record->owner);
}

static enum qos_class read_qos(const json_t *status)
{
	static const enum qos_class classes[] = { QOS_GUARANTEED, QOS_BURSTABLE, QOS_BEST_EFFORT };
	const char *name = object_text(status, "qosClass");

	for (size_t i = 0; name && i < ARRAY_SIZE(classes); i++)
		if (strcmp(name, qos_class_name(classes[i])) == 0)
			return classes[i];
	return QOS_UNKNOWN;
}

int pod_record_parse(const char *text, size_t length, struct pod_record **ret)
{
	static const char *const kinds[] = { "Pod", NULL };
	_cleanup_(pod_record_unrefp) struct pod_record *record = NULL;
	_cleanup_(json_decrefp) json_t *object = NULL;
	int r;

	r = object_load(text, length, pod_keep, kinds, &object);
	if (r < 0)
		return r;
	record = calloc(1, sizeof(*record));
	if (!record)
		return -ENOMEM;
	record->references = 1;
	r = read_metadata(record, json_object_get(object, "metadata"));
	if (r == 0)
		r = read_containers(
			record, json_object_get(object, "spec"), json_object_get(object, "status"));
	if (r < 0)
		return r;
	record->qos = read_qos(json_object_get(object, "status"));
	*ret = TAKE_PTR(record);
	return 0;
}
