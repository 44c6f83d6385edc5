/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Findings and what is in them as Jansson values. Every function returns a new reference, or NULL
 * when out of memory; object_put() takes NULL for a value and remembers it, so that only
 * object_end() needs a check. Objects keep the order in which their keys were put.
 */
#ifndef CAPAUDITD_REPORT_JSON_VALUE_H
#define CAPAUDITD_REPORT_JSON_VALUE_H

#include <capauditd/report.h>

#include <jansson.h>

struct object {
	json_t *json; /* NULL once something failed */
};

void object_begin(struct object *object);
void object_put(struct object *object, const char *key, json_t *value); /* steals `value` */
json_t *object_end(struct object *object);

/* What others chose, escaped; null for NULL. */
json_t *text_value(const char *text);
json_t *time_value(uint64_t realtime_us);
json_t *number_value(uint64_t number);
/* Names in the order of their numbers. */
json_t *capabilities_value(capability_mask mask);

json_t *profile_value(const char *name, enum profile_source source);
json_t *container_value(const struct container *container);
json_t *pod_value(const struct container *container); /* null outside of a pod */
json_t *finding_value(const struct report_context *context, const struct finding *finding);

json_t *totals_value(const struct finding *const *findings, size_t count);

/* Appends `value` to `array`, both of which may be NULL; steals `value`. False when out of memory.
 */
bool array_add(json_t *array, json_t *value);

/* Writes `value` on one line, without a newline, and frees it; JSON_EMBED leaves the outer braces
 * out. 0, -ENOMEM (also where `value` is NULL), or another -errno. */
int value_write_take(json_t *value, size_t flags, FILE *to);

#endif
