/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the memory of records: references, comparison, sizes, and finding a container in a pod's.
 * What an object of the API looks like is known to pod_object.c and namespace_object.c.
 */
#include "records.h"

#include <stdlib.h>
#include <string.h>

struct pod_record *pod_record_ref(struct pod_record *record)
{
	record->references++;
	return record;
}

void labels_free(struct label *labels, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((char *)labels[i].key);
		free((char *)labels[i].value);
	}
	free(labels);
}

void pod_record_unref(struct pod_record *record)
{
	if (!record || --record->references)
		return;
	for (size_t i = 0; i < record->container_count; i++) {
		free(record->containers[i].name);
		free(record->containers[i].image);
		free(record->containers[i].id);
	}
	free(record->containers);
	labels_free(record->labels, record->label_count);
	free(record->namespace_name);
	free(record->name);
	free(record->owner);
	free(record);
}

struct namespace_record *namespace_record_ref(struct namespace_record *record)
{
	record->references++;
	return record;
}

void namespace_record_unref(struct namespace_record *record)
{
	if (!record || --record->references)
		return;
	labels_free(record->labels, record->label_count);
	free(record->name);
	free(record);
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool labels_alike(const struct label *a, size_t a_count, const struct label *b, size_t count)
{
	if (a_count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!same(a[i].key, b[i].key) || !same(a[i].value, b[i].value))
			return false;
	return true;
}

bool namespace_records_alike(const struct namespace_record *a, const struct namespace_record *b)
{
	return labels_alike(a->labels, a->label_count, b->labels, b->label_count);
}

static bool containers_alike(const struct pod_container *a, const struct pod_container *b)
{
	return a->type == b->type && same(a->name, b->name) && same(a->image, b->image) &&
	       same(a->id, b->id) && declaration_equal(&a->declared, &b->declared);
}

bool pod_records_alike(const struct pod_record *a, const struct pod_record *b)
{
	if (!same(a->namespace_name, b->namespace_name) || !same(a->name, b->name) ||
		!same(a->owner, b->owner) || strcmp(a->uid, b->uid) != 0 ||
		strcmp(a->config_hash, b->config_hash) != 0 || a->qos != b->qos ||
		a->container_count != b->container_count ||
		!labels_alike(a->labels, a->label_count, b->labels, b->label_count))
		return false;
	for (size_t i = 0; i < a->container_count; i++)
		if (!containers_alike(&a->containers[i], &b->containers[i]))
			return false;
	return true;
}

static size_t text_size(const char *text)
{
	/* About what malloc() takes for itself. */
	return text ? strlen(text) + 1 + 2 * sizeof(size_t) : 0;
}

static size_t labels_size(const struct label *labels, size_t count)
{
	size_t size = count * sizeof(*labels);

	for (size_t i = 0; i < count; i++)
		size += text_size(labels[i].key) + text_size(labels[i].value);
	return size;
}

size_t pod_record_size(const struct pod_record *record)
{
	size_t size = sizeof(*record) + record->container_count * sizeof(*record->containers) +
		      labels_size(record->labels, record->label_count) +
		      text_size(record->namespace_name) + text_size(record->name) +
		      text_size(record->owner);

	for (size_t i = 0; i < record->container_count; i++)
		size += text_size(record->containers[i].name) +
			text_size(record->containers[i].image) +
			text_size(record->containers[i].id);
	return size;
}

size_t namespace_record_size(const struct namespace_record *record)
{
	return sizeof(*record) + text_size(record->name) +
	       labels_size(record->labels, record->label_count);
}

const struct pod_container *pod_record_find(
	const struct pod_record *record, const char *id, const char *name)
{
	for (size_t i = 0; id && i < record->container_count; i++)
		if (same(record->containers[i].id, id))
			return &record->containers[i];
	for (size_t i = 0; name && i < record->container_count; i++)
		if (same(record->containers[i].name, name))
			return &record->containers[i];
	return NULL;
}

bool pod_record_all_ids_known(const struct pod_record *record)
{
	for (size_t i = 0; i < record->container_count; i++)
		if (!record->containers[i].id)
			return false;
	/* Of a pod that fills the cap some may have been left out. */
	return record->container_count > 0 && record->container_count < POD_CONTAINERS_MAX;
}
