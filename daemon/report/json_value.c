/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts that every JSON output shares: Jansson values made of ours, hostile text escaped, and
 * null for what is not known. docs/interface.md has the keys and their order.
 */
#include "json_value.h"

#include <capauditd/text.h>

#include <errno.h>
#include <string.h>

void object_begin(struct object *object)
{
	object->json = json_object();
}

void object_put(struct object *object, const char *key, json_t *value)
{
	/* With NULL for either it frees the other and fails. */
	if (json_object_set_new_nocheck(object->json, key, value) < 0) {
		json_decref(object->json);
		object->json = NULL;
	}
}

json_t *object_end(struct object *object)
{
	return TAKE_PTR(object->json);
}

bool array_add(json_t *array, json_t *value)
{
	return json_array_append_new(array, value) == 0;
}

json_t *text_value(const char *text)
{
	_cleanup_free_ char *escaped = NULL;

	if (!text)
		return json_null();
	if (text_is_clean(text, strlen(text)))
		return json_string_nocheck(text);
	escaped = text_escape(text, strlen(text));
	return escaped ? json_string_nocheck(escaped) : NULL;
}

json_t *time_value(uint64_t realtime_us)
{
	char text[TEXT_TIME_SIZE];

	text_time(text, realtime_us);
	return json_string_nocheck(text);
}

json_t *number_value(uint64_t number)
{
	return json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number);
}

json_t *capabilities_value(capability_mask mask)
{
	json_t *names = json_array();

	for (unsigned n = 0; n < CAPABILITY_MAX; n++) {
		char name[CAPABILITY_NAME_SIZE];

		if (!(mask & CAPABILITY_BIT(n)))
			continue;
		if (!array_add(names, json_string_nocheck(capability_name(n, name)))) {
			json_decref(names);
			return NULL;
		}
	}
	return names;
}

json_t *profile_value(const char *name, enum profile_source source)
{
	struct object o;

	if (!name)
		return json_null();
	object_begin(&o);
	object_put(&o, "name", text_value(name));
	object_put(&o, "source", text_value(profile_source_name(source)));
	return object_end(&o);
}

json_t *container_value(const struct container *container)
{
	struct object o;

	object_begin(&o);
	object_put(&o, "id", text_value(container->id));
	object_put(&o, "runtime", text_value(container->runtime ? container->runtime : "unknown"));
	object_put(&o, "name", text_value(container->name));
	object_put(&o, "type", text_value(container_type_name(container->type)));
	object_put(&o, "image", text_value(container->image));
	object_put(&o, "cgroup", text_value(container->cgroup));
	return object_end(&o);
}

json_t *pod_value(const struct container *container)
{
	const struct pod *pod = &container->pod;
	struct object o;

	if (!container->in_pod)
		return json_null();
	object_begin(&o);
	object_put(&o, "namespace", text_value(pod->namespace_name));
	object_put(&o, "name", text_value(pod->name));
	object_put(&o, "uid", text_value(pod->uid[0] ? pod->uid : NULL));
	object_put(&o, "qos", text_value(qos_class_name(pod->qos)));
	object_put(&o, "owner", text_value(pod->owner));
	return object_end(&o);
}

/* Jansson writes a few characters at a time: to a stream, which is locked for each, they go
 * together. */
struct sink {
	FILE *to;
	int error;
	size_t length;
	char buffer[4096];
};

static void write_through(struct sink *sink, const char *piece, size_t length)
{
	errno = 0;
	if (sink->error == 0 && fwrite(piece, 1, length, sink->to) != length)
		sink->error = errno ? -errno : -EIO;
}

static void flush_pieces(struct sink *sink)
{
	write_through(sink, sink->buffer, sink->length);
	sink->length = 0;
}

static int write_piece(const char *piece, size_t length, void *data)
{
	struct sink *sink = data;

	if (length > sizeof(sink->buffer) - sink->length)
		flush_pieces(sink);
	if (length > sizeof(sink->buffer)) {
		write_through(sink, piece, length);
	} else {
		memcpy(sink->buffer + sink->length, piece, length);
		sink->length += length;
	}
	return sink->error ? -1 : 0;
}

/* Jansson 2.14 goes on, and says that it succeeded, where a key could not be written: hence an
 * error of our own that lasts, and no json_dumps(). */
int value_write_take(json_t *value, size_t flags, FILE *to)
{
	struct sink sink = { .to = to };
	int r = value ? json_dump_callback(value, write_piece, &sink, JSON_COMPACT | flags) : -1;
	flush_pieces(&sink);
	json_decref(value);
	if (sink.error)
		return sink.error;
	return r < 0 ? -ENOMEM : 0;
}
