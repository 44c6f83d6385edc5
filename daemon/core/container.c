/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the memory of a container's description and the names of container types. Who fills it in is
 * not known here.
 */
#include <capauditd/container.h>
#include <capauditd/macros.h>

#include <errno.h>
#include <string.h>

static const char *const type_names[CONTAINER_TYPES] = {
	[CONTAINER_UNKNOWN] = "unknown",
	[CONTAINER_INIT] = "init",
	[CONTAINER_SIDECAR] = "sidecar",
	[CONTAINER_REGULAR] = "regular",
	[CONTAINER_EPHEMERAL] = "ephemeral",
	[CONTAINER_SANDBOX] = "sandbox",
};

/* The strings that a container owns, its pod's included. */
static const size_t strings[] = {
	offsetof(struct container, id),
	offsetof(struct container, name),
	offsetof(struct container, image),
	offsetof(struct container, cgroup),
	offsetof(struct container, pod.namespace_name),
	offsetof(struct container, pod.name),
	offsetof(struct container, pod.owner),
};

bool pod_uid_is_valid(const char *text, size_t length)
{
	static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	static const char digits[] = "0123456789abcdef";
	bool is_hash = length == 32;

	if (!is_hash && length != sizeof(pattern) - 1)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_hash && pattern[i] == '-' ? text[i] != '-'
						  : !memchr(digits, text[i], sizeof(digits) - 1))
			return false;
	return true;
}

bool declaration_equal(const struct declaration *a, const struct declaration *b)
{
	return a->known == b->known && a->privileged == b->privileged && a->add_all == b->add_all &&
	       a->drop_all == b->drop_all && a->add == b->add && a->drop == b->drop &&
	       a->prefixed == b->prefixed && a->unknown == b->unknown;
}

static char **string_at(struct container *container, size_t offset)
{
	return (char **)(void *)((char *)container + offset);
}

void container_done(struct container *container)
{
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		free(*string_at(container, strings[i]));
	*container = (struct container){ .type = CONTAINER_UNKNOWN };
}

int container_copy(const struct container *from, struct container *ret)
{
	struct container copy = *from;

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		*string_at(&copy, strings[i]) = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		const char *text = *(char *const *)(const void *)((const char *)from + strings[i]);
		char **own = string_at(&copy, strings[i]);

		if (!text)
			continue;
		*own = strdup(text);
		if (!*own) {
			container_done(&copy);
			return -ENOMEM;
		}
	}
	*ret = copy;
	return 0;
}

const char *container_type_name(enum container_type type)
{
	return type_names[type];
}

int container_type_from_name(const char *name, enum container_type *ret)
{
	for (unsigned i = 0; i < CONTAINER_TYPES; i++) {
		if (strcmp(type_names[i], name) == 0) {
			*ret = (enum container_type)i;
			return 0;
		}
	}
	return -ENOENT;
}
