/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A finding as a value: its memory, its identity and its order among others. Knows neither how it
 * was judged nor where it is reported.
 */
#include <capauditd/finding.h>

#include <errno.h>
#include <nettle/sha2.h>
#include <string.h>

void finding_done(struct finding *finding)
{
	for (unsigned i = 0; i < finding->executable_count; i++)
		free(finding->executables[i]);
	free(finding->profile);
	process_done(&finding->process);
	container_done(&finding->container);
	free(finding->exception.reason);
	free(finding->exception.expires);
	free(finding->remedy.field);
	free(finding->remedy.of);
	*finding = (struct finding){ 0 };
}

void finding_free(struct finding *finding)
{
	if (!finding)
		return;
	finding_done(finding);
	free(finding);
}

/* 0, also where there is nothing to copy. */
static int copy_string(const char *from, char **ret)
{
	*ret = from ? strdup(from) : NULL;
	return from && !*ret ? -ENOMEM : 0;
}

/* Copies all that `to`, a bit copy of `from` without its pointers, must own by itself. */
static int copy_owned(const struct finding *from, struct finding *to)
{
	const struct {
		const char *from;
		char **to;
	} strings[] = {
		{ from->profile, &to->profile },
		{ from->exception.reason, &to->exception.reason },
		{ from->exception.expires, &to->exception.expires },
		{ from->remedy.field, &to->remedy.field },
		{ from->remedy.of, &to->remedy.of },
	};

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		if (copy_string(strings[i].from, strings[i].to) < 0)
			return -ENOMEM;
	for (unsigned i = 0; i < from->executable_count; i++) {
		if (copy_string(from->executables[i], &to->executables[i]) < 0)
			return -ENOMEM;
		to->executable_count++;
	}
	if (process_copy(&from->process, &to->process) < 0)
		return -ENOMEM;
	return container_copy(&from->container, &to->container);
}

int finding_copy(const struct finding *from, struct finding *ret)
{
	struct finding copy = *from;

	memset(copy.executables, 0, sizeof(copy.executables));
	copy.executable_count = 0;
	copy.profile = NULL;
	copy.process = (struct process){ 0 };
	copy.container = (struct container){ 0 };
	copy.exception.reason = copy.exception.expires = NULL;
	copy.remedy.field = copy.remedy.of = NULL;
	if (copy_owned(from, &copy) < 0) {
		finding_done(&copy);
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

int finding_add_executable(struct finding *finding, const char *exe)
{
	char *copy;

	for (unsigned i = 0; i < finding->executable_count; i++)
		if (strcmp(finding->executables[i], exe) == 0)
			return 0;
	if (finding->executable_count == ARRAY_SIZE(finding->executables))
		return 0;
	copy = strdup(exe);
	if (!copy)
		return -ENOMEM;
	finding->executables[finding->executable_count++] = copy;
	return 0;
}

/* Every part of a key is preceded by its length, and one that is unknown by a length that none has,
 * so that no two keys give the same bytes. */
static void hash_bytes(struct sha256_ctx *hash, const void *bytes, size_t length)
{
	uint8_t prefix[8];

	for (unsigned i = 0; i < sizeof(prefix); i++)
		prefix[i] = (uint8_t)((uint64_t)length >> (56 - 8 * i));
	sha256_update(hash, sizeof(prefix), prefix);
	sha256_update(hash, length, bytes);
}

static void hash_string(struct sha256_ctx *hash, const char *string)
{
	static const uint8_t unknown[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (string)
		hash_bytes(hash, string, strlen(string));
	else
		sha256_update(hash, sizeof(unknown), unknown);
}

static void hash_mask(struct sha256_ctx *hash, capability_mask mask)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(mask >> (56 - 8 * i));
	hash_bytes(hash, bytes, sizeof(bytes));
}

static const char *relation_key(enum namespace_relation relation)
{
	switch (relation) {
	case RELATION_INITIAL:
		return "initial";
	case RELATION_OWN:
		return "other";
	case RELATION_NESTED:
		return "nested";
	}
	return "unknown";
}

/* What is the same in both ids: what is wrong, whoever has it. */
static void hash_matter(struct sha256_ctx *hash, const struct finding *finding)
{
	const bool nested = finding->relation == RELATION_NESTED;

	hash_string(hash, violation_class_name(finding->class));
	hash_string(hash, relation_key(finding->relation));
	hash_string(hash, finding->hints & (1u << HINT_MOVED) ? "moved" : "");
	hash_string(hash, finding->hints & (1u << HINT_LEFT_USER_NAMESPACE) ? "left" : "");
	for (unsigned i = 0; i < CAPABILITY_SETS; i++)
		hash_mask(hash, nested ? 0 : finding->excess.of[i]);
}

static void finish_id(struct sha256_ctx *hash, char id[static FINDING_ID_SIZE])
{
	uint8_t digest[(FINDING_ID_SIZE - 1) / 2];

	sha256_digest(hash, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(id + 2 * i, 3, "%02x", digest[i]);
}

void finding_identify(struct finding *finding)
{
	const struct container *container = &finding->container;
	const char *name = container->name ? container->name : container->image;
	struct sha256_ctx hash;

	sha256_init(&hash);
	hash_string(&hash, "capauditd.finding/v1");
	hash_string(&hash, container->id);
	hash_matter(&hash, finding);
	finish_id(&hash, finding->id);

	sha256_init(&hash);
	hash_string(&hash, "capauditd.workload/v1");
	hash_string(&hash, container->pod.namespace_name);
	hash_string(&hash, container->pod.owner);
	hash_string(&hash, container->name ? "name" : container->image ? "image" : "id");
	hash_string(&hash, name ? name : container->id);
	hash_matter(&hash, finding);
	finish_id(&hash, finding->workload_id);
}

/* Unknown names come first, as empty ones do. */
static int compare_names(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

int finding_compare(const struct finding *a, const struct finding *b)
{
	const struct container *c = &a->container, *d = &b->container;
	const int orders[] = {
		(int)b->verdict - (int)a->verdict,
		(int)b->class - (int)a->class,
		(int)b->severity - (int)a->severity,
		compare_names(c->pod.namespace_name, d->pod.namespace_name),
		compare_names(c->pod.name, d->pod.name),
		compare_names(c->name, d->name),
		compare_names(c->id, d->id),
		strcmp(a->id, b->id),
	};

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		if (orders[i])
			return orders[i];
	return 0;
}
