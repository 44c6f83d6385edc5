/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pod as the API tells of it. Only the members that are needed are built into values:
 * managedFields alone can be half of an object. Whose it is says pod_owner.c.
 */
#include "records.h"

#include <capauditd/json_text.h>
#include <capauditd/text.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HASH_DIGITS 32u

/* Lists of a pod's spec, with the statuses that belong to them. */
static const struct {
	const char *spec, *status;
	enum container_type type;
} lists[] = {
	{ "initContainers", "initContainerStatuses", CONTAINER_INIT },
	{ "containers", "containerStatuses", CONTAINER_REGULAR },
	{ "ephemeralContainers", "ephemeralContainerStatuses", CONTAINER_EPHEMERAL },
};

static const char *text_of(const json_t *object, const char *key)
{
	return json_text_of(json_object_get(object, key));
}

/* ---- what a container declares ---- */

static void read_names(
	const json_t *names, bool *all, capability_mask *mask, capability_mask *prefixed)
{
	size_t i;
	json_t *name;

	json_array_foreach((json_t *)names, i, name)
	{
		const char *text = json_text_of(name);
		unsigned number;

		if (!text)
			continue;
		if (strcasecmp(text, "ALL") == 0) {
			*all = true;
			continue;
		}
		if (capability_from_name(text, &number) < 0)
			continue; /* no runtime knows it either */
		*mask |= CAPABILITY_BIT(number);
		if (prefixed && strncasecmp(text, "CAP_", 4) == 0)
			*prefixed |= CAPABILITY_BIT(number);
	}
}

static void read_declaration(const json_t *container, struct declaration *ret)
{
	const json_t *context = json_object_get(container, "securityContext");
	const json_t *capabilities = json_object_get(context, "capabilities");

	*ret = (struct declaration){ .known = true };
	ret->privileged = json_is_true(json_object_get(context, "privileged"));
	read_names(json_object_get(capabilities, "add"), &ret->add_all, &ret->add, &ret->prefixed);
	read_names(json_object_get(capabilities, "drop"), &ret->drop_all, &ret->drop, NULL);
}

/* ---- containers ---- */

/* "containerd://8eb1cc..." */
static const char *id_of(const json_t *status)
{
	const char *id = text_of(status, "containerID");
	const char *slashes = id ? strstr(id, "://") : NULL;

	return slashes && slashes[3] ? slashes + 3 : NULL;
}

static const char *find_id(const json_t *statuses, const char *name)
{
	size_t i;
	json_t *status;

	json_array_foreach((json_t *)statuses, i, status)
	{
		const char *other = text_of(status, "name");

		if (other && strcmp(other, name) == 0)
			return id_of(status);
	}
	return NULL;
}

static int read_container(struct pod_record *record, enum container_type type,
	const json_t *container, const json_t *statuses)
{
	struct pod_container *c = &record->containers[record->container_count];
	const char *name = text_of(container, "name"),
		   *restart = text_of(container, "restartPolicy");
	int r;

	if (!name || !name[0])
		return -EBADMSG;
	record->container_count++;
	c->type = type;
	if (type == CONTAINER_INIT && restart && strcmp(restart, "Always") == 0)
		c->type = CONTAINER_SIDECAR;
	read_declaration(container, &c->declared);
	r = json_text_copy(name, &c->name);
	if (r == 0)
		r = json_text_copy(text_of(container, "image"), &c->image);
	if (r == 0)
		r = json_text_copy(find_id(statuses, name), &c->id);
	return r;
}

static int read_list(struct pod_record *record, enum container_type type, const json_t *containers,
	const json_t *statuses)
{
	size_t room = POD_CONTAINERS_MAX - record->container_count, i;
	size_t count = json_array_size(containers);
	struct pod_container *all;
	json_t *container;
	int r = 0;

	if (containers && !json_is_array(containers))
		return -EBADMSG;
	count = count < room ? count : room;
	if (!count)
		return 0;
	all = reallocarray(record->containers, record->container_count + count, sizeof(*all));
	if (!all)
		return -ENOMEM;
	memset(all + record->container_count, 0, count * sizeof(*all));
	record->containers = all;
	json_array_foreach((json_t *)containers, i, container)
	{
		if (r < 0 || i == count)
			break;
		r = read_container(record, type, container, statuses);
	}
	return r;
}

static int read_containers(struct pod_record *record, const char *text, size_t length)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++) {
		const char *const spec_path[] = { "spec", lists[i].spec, NULL };
		const char *const status_path[] = { "status", lists[i].status, NULL };
		_cleanup_(json_decrefp) json_t *containers = NULL, *statuses = NULL;

		r = json_value_at(text, length, spec_path, &containers);
		if (r == 0 && containers)
			r = json_value_at(text, length, status_path, &statuses);
		if (r == 0)
			r = read_list(record, lists[i].type, containers, statuses);
	}
	return r;
}

/* ---- the pod ---- */

static bool is_hash(const char *text)
{
	return text && strlen(text) == HASH_DIGITS &&
	       strspn(text, "0123456789abcdef") == HASH_DIGITS;
}

/* Anybody who may create a pod may write annotations. A mirror pod is one whose two annotations
 * agree and whose controller is a Node; who forges all three gains little: names that the kubelet
 * wrote into the log directories must agree as well (naming.c). */
static void read_hash(
	struct pod_record *record, const json_t *annotations, const json_t *references)
{
	const char *hash = text_of(annotations, "kubernetes.io/config.hash");
	const char *mirror = text_of(annotations, "kubernetes.io/config.mirror");

	if (is_hash(hash) && mirror && strcmp(hash, mirror) == 0 && pod_owner_is_node(references))
		memcpy(record->config_hash, hash, HASH_DIGITS + 1);
}

static int read_metadata(struct pod_record *record, const char *text, size_t length)
{
	static const char *const path[] = { "metadata", NULL };
	static const char *const labels_path[] = { "labels", NULL };
	static const char *const annotations_path[] = { "annotations", NULL };
	static const char *const references_path[] = { "ownerReferences", NULL };
	static const char *const name_path[] = { "name", NULL };
	static const char *const namespace_path[] = { "namespace", NULL };
	static const char *const uid_path[] = { "uid", NULL };
	_cleanup_(json_decrefp) json_t *labels = NULL, *annotations = NULL, *references = NULL;
	_cleanup_free_ char *uid = NULL;
	const char *metadata;
	size_t size;
	int r = json_text_find(text, length, path, &metadata, &size);

	if (r == 0)
		r = json_text_at(metadata, size, name_path, &record->name);
	if (r == 0)
		r = json_text_at(metadata, size, namespace_path, &record->namespace_name);
	if (r == 0)
		r = json_text_at(metadata, size, uid_path, &uid);
	if (r == 0)
		r = json_value_at(metadata, size, labels_path, &labels);
	if (r == 0)
		r = json_value_at(metadata, size, annotations_path, &annotations);
	if (r == 0)
		r = json_value_at(metadata, size, references_path, &references);
	if (r < 0)
		return r == -ENOENT ? -EBADMSG : r;
	if (!record->name || !record->name[0] || !record->namespace_name || !uid || !uid[0] ||
		strlen(uid) >= sizeof(record->uid))
		return -EBADMSG;
	memcpy(record->uid, uid, strlen(uid) + 1);
	r = labels_from_json(labels, &record->labels, &record->label_count);
	if (r == 0)
		r = pod_owner_find(references, record->labels, record->label_count, &record->owner);
	read_hash(record, annotations, references);
	return r;
}

static int read_qos(struct pod_record *record, const char *text, size_t length)
{
	static const char *const path[] = { "status", "qosClass", NULL };
	static const enum qos_class classes[] = { QOS_GUARANTEED, QOS_BURSTABLE, QOS_BEST_EFFORT };
	_cleanup_free_ char *name = NULL;
	int r = json_text_at(text, length, path, &name);

	for (size_t i = 0; name && i < ARRAY_SIZE(classes); i++)
		if (strcmp(name, qos_class_name(classes[i])) == 0)
			record->qos = classes[i];
	return r;
}

int pod_record_parse(const char *text, size_t length, struct pod_record **ret)
{
	_cleanup_(pod_record_unrefp) struct pod_record *record = calloc(1, sizeof(*record));
	int r;

	if (!record)
		return -ENOMEM;
	record->references = 1;
	r = read_metadata(record, text, length);
	if (r == 0)
		r = read_containers(record, text, length);
	if (r == 0)
		r = read_qos(record, text, length);
	if (r == 0)
		*ret = TAKE_PTR(record);
	return r;
}
