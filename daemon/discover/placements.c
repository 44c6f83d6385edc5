/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeps each cgroup text of a snapshot once. Knows no process.
 */
#include "placements.h"

#include <capauditd/discover.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM      1
#define uthash_nonfatal_oom(e) ((e)->lost = true)
#include <uthash.h>

struct placement_entry {
	UT_hash_handle hh;
	bool lost; /* out of memory while it was added */
	unsigned index;
};

static bool same_text(const struct placement *placement, const char *text, size_t length)
{
	return placement->length == length && memcmp(placement->text, text, length) == 0;
}

static int make_room(struct snapshot *snapshot)
{
	struct placement *all;
	size_t space;

	if (snapshot->placement_count >= DISCOVER_PLACEMENTS_MAX)
		return -ENOSPC;
	if (snapshot->placement_count < snapshot->placement_space)
		return 0;
	space = snapshot->placement_space ? snapshot->placement_space * 2 : 64;
	all = reallocarray(snapshot->placements, space, sizeof(*all));
	if (!all)
		return -ENOMEM;
	snapshot->placements = all;
	snapshot->placement_space = space;
	return 0;
}

static void identify(
	struct placement *p, const struct cgroup_base *base, const struct placement *known)
{
	if (!known || !same_text(known, p->text, p->length)) {
		cgroup_parse(p->text, p->length, base, &p->identity);
		return;
	}
	p->identity = known->identity;
	if (p->identity.path)
		p->identity.path = p->text + (known->identity.path - known->text);
}

static int add(struct placements *placements, struct snapshot *snapshot,
	const struct cgroup_base *base, const struct placement *known, const char *text,
	size_t length, unsigned *ret)
{
	struct placement_entry *entry;
	struct placement *p;
	int r = make_room(snapshot);

	if (r < 0)
		return r;
	p = &snapshot->placements[snapshot->placement_count];
	*p = (struct placement){ .text = malloc(length ? length : 1), .length = length };
	if (!p->text)
		return -ENOMEM;
	memcpy(p->text, text, length);
	entry = calloc(1, sizeof(*entry));
	if (entry) {
		entry->index = (unsigned)snapshot->placement_count;
		HASH_ADD_KEYPTR(hh, placements->by_text, p->text, length, entry);
	}
	if (!entry || entry->lost) {
		free(entry);
		free(p->text);
		return -ENOMEM;
	}
	identify(p, base, known);
	placements->bytes += length;
	*ret = placements->last = (unsigned)snapshot->placement_count++;
	return 0;
}

/* What stands below a container's own part counts for nothing, and can be long, and different for
 * each of its processes: a text of that length is kept as the container's part alone, where that
 * says the same. The length of what is in `head`, or 0. */
#define TEXT_USUAL 4096u

static size_t shorten(const char *text, size_t length, const struct cgroup_base *base,
	char head[static TEXT_USUAL])
{
	struct cgroup_identity whole, part;
	int n;

	cgroup_parse(text, length, base, &whole);
	if (whole.kind != CGROUP_CONTAINER || whole.ambiguous || !whole.container_id[0] ||
		!whole.path || !whole.container_length)
		return 0;
	n = snprintf(head, TEXT_USUAL, "0::%.*s\n", (int)whole.container_length, whole.path);
	if (n <= 0 || (size_t)n >= TEXT_USUAL)
		return 0;
	cgroup_parse(head, (size_t)n, base, &part);
	if (part.kind != whole.kind || part.runtime != whole.runtime || part.qos != whole.qos ||
		part.below_user_manager != whole.below_user_manager ||
		strcmp(part.container_id, whole.container_id) != 0 ||
		strcmp(part.pod_uid, whole.pod_uid) != 0)
		return 0;
	return (size_t)n;
}

/* In a cgroup namespace of the reader's own no line of its container's begins with "/..". */
static bool is_own(const struct cgroup_base *base, const char *text, size_t length)
{
	static const char path[] = ":/", above[] = ":/..";

	return base && base->own && memmem(text, length, path, strlen(path)) &&
	       !memmem(text, length, above, strlen(above));
}

int placements_find(struct placements *placements, struct snapshot *snapshot,
	const struct cgroup_base *base, const struct placement *known, const char *text,
	size_t length, unsigned *ret)
{
	struct placement_entry *found;
	char head[TEXT_USUAL], own[TEXT_USUAL];

	if (is_own(base, text, length)) {
		int n = snprintf(own, sizeof(own), "0::%s\n", base->own);

		if (n > 0 && (size_t)n < sizeof(own)) {
			text = own;
			length = (size_t)n;
		}
	}
	if (length > TEXT_USUAL) {
		size_t short_length = shorten(text, length, base, head);

		if (short_length) {
			text = head;
			length = short_length;
		}
		if (placements->bytes + length > DISCOVER_PLACEMENT_BYTES_MAX)
			return -ENOSPC;
	}
	if (snapshot->placement_count &&
		same_text(&snapshot->placements[placements->last], text, length)) {
		*ret = placements->last;
		return 0;
	}
	HASH_FIND(hh, placements->by_text, text, length, found);
	if (!found)
		return add(placements, snapshot, base, known, text, length, ret);
	*ret = placements->last = found->index;
	return 0;
}

void placements_done(struct placements *placements)
{
	struct placement_entry *entry, *next;

	HASH_ITER (hh, placements->by_text, entry, next) {
		HASH_DEL(placements->by_text, entry);
		free(entry);
	}
}
