/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counts open findings by namespace, and sees to it that there are not too many of these: who may
 * make namespaces, or names in a log folder, must not be able to fill a Prometheus.
 */
#include <capauditd/metrics.h>
#include <capauditd/text.h>

#include <string.h>

/* A DNS label has 63 bytes; what is longer is no namespace's name, and is cut. */
#define NAME_SIZE 128u

struct counted {
	char name[NAME_SIZE];
	uint64_t total;
	uint64_t of[METRICS_CLASSES][METRICS_VERDICTS][METRICS_SEVERITIES];
};

struct namespace_counts {
	struct counted shown[METRICS_NAMESPACES_MAX];
	size_t count;
	struct counted rest[2]; /* none, other */
};

struct namespace_counts *namespace_counts_new(void)
{
	struct namespace_counts *counts = calloc(1, sizeof(*counts));

	if (counts)
		(void)strcpy(counts->rest[1].name, METRICS_OTHER);
	return counts;
}

void namespace_counts_free(struct namespace_counts *counts)
{
	free(counts);
}

static void clear(struct counted *counted)
{
	counted->total = 0;
	memset(counted->of, 0, sizeof(counted->of));
}

void namespace_counts_begin(struct namespace_counts *counts)
{
	size_t kept = 0;

	for (size_t i = 0; i < counts->count; i++) {
		if (!counts->shown[i].total)
			continue;
		if (kept != i)
			counts->shown[kept] = counts->shown[i];
		clear(&counts->shown[kept++]);
	}
	counts->count = kept;
	clear(&counts->rest[0]);
	clear(&counts->rest[1]);
}

static struct counted *find(struct namespace_counts *counts, const char *namespace_name)
{
	char name[NAME_SIZE];
	struct counted *new;

	if (!namespace_name || !namespace_name[0])
		return &counts->rest[0];
	/* Names that are the same when cut are counted together: a series may be there only once.
	 */
	text_escape_into(name, sizeof(name), namespace_name, strlen(namespace_name));
	for (size_t i = 0; i < counts->count; i++)
		if (strcmp(counts->shown[i].name, name) == 0)
			return &counts->shown[i];
	if (counts->count == METRICS_NAMESPACES_MAX || strcmp(name, METRICS_OTHER) == 0)
		return &counts->rest[1];
	new = &counts->shown[counts->count++];
	memcpy(new->name, name, strlen(name) + 1);
	clear(new);
	return new;
}

void namespace_counts_add(struct namespace_counts *counts, const struct finding *finding)
{
	struct counted *counted = find(counts, finding->container.pod.namespace_name);
	const bool violation = finding->verdict == VERDICT_VIOLATION;

	counted->total++;
	counted->of[finding->class][finding->verdict][violation ? finding->severity : 0]++;
}

size_t namespace_counts_count(const struct namespace_counts *counts)
{
	return counts->count + ARRAY_SIZE(counts->rest);
}

static const struct counted *at(const struct namespace_counts *counts, size_t i)
{
	return i < counts->count ? &counts->shown[i] : &counts->rest[i - counts->count];
}

const char *namespace_counts_name(const struct namespace_counts *counts, size_t i)
{
	return at(counts, i)->name;
}

uint64_t namespace_counts_of(const struct namespace_counts *counts, size_t i,
	enum violation_class class, enum verdict verdict, enum severity severity)
{
	return at(counts, i)->of[class][verdict][severity];
}
