/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns what waits for sinks: one list in order of time, a list for each severity to drop from, and
 * for each sink the place from which it goes on.
 */
#include <capauditd/outbox.h>

#define HASH_NONFATAL_OOM 1
#include <errno.h>
#include <string.h>
#include <uthash.h>

#define RANKS ((size_t)SEVERITY_CRITICAL + 1)

struct entry {
	struct entry *prev, *next;   /* by time */
	struct entry *older, *newer; /* of the same severity: before and after it */
	UT_hash_handle hh;
	struct outbox_item item;
};

struct rank {
	struct entry *oldest, *newest;
};

struct outbox {
	size_t size, size_max;
	uint64_t last, dropped;
	struct entry *oldest, *newest, *by_number;
	struct rank rank[RANKS];
	struct {
		struct entry *first;
		size_t waiting;
	} sink[OUTBOX_SINKS];
};

static const struct entry *entry_of(const struct outbox_item *item)
{
	return (const void *)((const char *)item - offsetof(struct entry, item));
}

static size_t size_of(size_t length)
{
	return sizeof(struct entry) + length;
}

struct outbox *outbox_new(size_t size_max)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));

	if (outbox)
		outbox->size_max = size_max;
	return outbox;
}

void outbox_free(struct outbox *outbox)
{
	struct entry *entry, *next;

	if (!outbox)
		return;
	HASH_CLEAR(hh, outbox->by_number);
	for (entry = outbox->oldest; entry; entry = next) {
		next = entry->next;
		free(entry);
	}
	free(outbox);
}

static void unlink_entry(struct outbox *outbox, struct entry *entry)
{
	struct rank *rank = &outbox->rank[entry->item.severity];

	*(entry->prev ? &entry->prev->next : &outbox->oldest) = entry->next;
	*(entry->next ? &entry->next->prev : &outbox->newest) = entry->prev;
	*(entry->older ? &entry->older->newer : &rank->oldest) = entry->newer;
	*(entry->newer ? &entry->newer->older : &rank->newest) = entry->older;
	HASH_DEL(outbox->by_number, entry);
	outbox->size -= size_of(entry->item.length);
	free(entry);
}

static void link_entry(struct outbox *outbox, struct entry *entry)
{
	struct rank *rank = &outbox->rank[entry->item.severity];

	entry->prev = outbox->newest;
	*(entry->prev ? &entry->prev->next : &outbox->oldest) = entry;
	outbox->newest = entry;
	entry->older = rank->newest;
	*(entry->older ? &entry->older->newer : &rank->oldest) = entry;
	rank->newest = entry;
	outbox->size += size_of(entry->item.length);
	for (unsigned i = 0; i < OUTBOX_SINKS; i++) {
		if (!(entry->item.sinks & 1u << i))
			continue;
		outbox->sink[i].waiting++;
		if (!outbox->sink[i].first)
			outbox->sink[i].first = entry;
	}
}

static void settle(struct outbox *outbox, struct entry *entry, unsigned sinks)
{
	sinks &= entry->item.sinks;
	entry->item.sinks &= ~sinks;
	for (unsigned i = 0; i < OUTBOX_SINKS; i++) {
		struct entry *first = outbox->sink[i].first;

		if (!(sinks & 1u << i))
			continue;
		outbox->sink[i].waiting--;
		if (first != entry)
			continue;
		while (first && !(first->item.sinks & 1u << i))
			first = first->next;
		outbox->sink[i].first = first;
	}
	if (!entry->item.sinks)
		unlink_entry(outbox, entry);
}

/* Drops the oldest of the least severity until `size` more fits. */
static bool make_room(struct outbox *outbox, enum severity severity, size_t size)
{
	if (size > outbox->size_max)
		return false;
	for (size_t rank = 0; outbox->size + size > outbox->size_max;) {
		if (rank > (size_t)severity)
			return false;
		if (!outbox->rank[rank].oldest) {
			rank++;
			continue;
		}
		outbox->dropped++;
		settle(outbox, outbox->rank[rank].oldest, ~0u);
	}
	return true;
}

static int put(struct outbox *outbox, uint64_t number, unsigned sinks, enum severity severity,
	const void *data, size_t length)
{
	struct entry *entry = NULL;
	int r = make_room(outbox, severity, size_of(length)) ? 0 : -ENOSPC;

	if (r == 0) {
		entry = calloc(1, size_of(length));
		r = entry ? 0 : -ENOMEM;
	}
	if (r == 0) {
		entry->item.number = number;
		entry->item.sinks = sinks;
		entry->item.severity = severity;
		entry->item.length = length;
		memcpy(entry->item.data, data, length);
		HASH_ADD(hh, outbox->by_number, item.number, sizeof(number), entry);
		r = entry->hh.tbl ? 0 : -ENOMEM;
	}
	if (r < 0) {
		free(entry);
		outbox->dropped += r == -ENOSPC;
		return r;
	}
	link_entry(outbox, entry);
	return 0;
}

int outbox_put(struct outbox *outbox, unsigned sinks, enum severity severity, const void *data,
	size_t length, uint64_t *ret_number)
{
	*ret_number = ++outbox->last;
	if (!sinks)
		return 0;
	return put(outbox, *ret_number, sinks, severity, data, length);
}

int outbox_restore(struct outbox *outbox, uint64_t number, unsigned sinks, enum severity severity,
	const void *data, size_t length)
{
	const unsigned all = (1u << OUTBOX_SINKS) - 1;

	if (number <= outbox->last || number > OUTBOX_NUMBER_MAX || (size_t)severity >= RANKS ||
		sinks & ~all)
		return -EINVAL;
	outbox->last = number;
	return sinks ? put(outbox, number, sinks, severity, data, length) : 0;
}

const struct outbox_item *outbox_first(const struct outbox *outbox, unsigned sink)
{
	const struct entry *first = outbox->sink[__builtin_ctz(sink)].first;

	return first ? &first->item : NULL;
}

const struct outbox_item *outbox_next(const struct outbox *outbox, const struct outbox_item *item)
{
	const struct entry *next = item ? entry_of(item)->next : outbox->oldest;

	return next ? &next->item : NULL;
}

void outbox_settle(struct outbox *outbox, uint64_t number, unsigned sinks)
{
	struct entry *entry;

	HASH_FIND(hh, outbox->by_number, &number, sizeof(number), entry);
	if (entry)
		settle(outbox, entry, sinks);
}

void outbox_forget_sinks(struct outbox *outbox, unsigned sinks)
{
	struct entry *entry, *next;

	for (entry = outbox->oldest; entry; entry = next) {
		next = entry->next;
		settle(outbox, entry, sinks);
	}
}

size_t outbox_waiting(const struct outbox *outbox, unsigned sink)
{
	return outbox->sink[__builtin_ctz(sink)].waiting;
}

size_t outbox_count(const struct outbox *outbox)
{
	return HASH_COUNT(outbox->by_number);
}

size_t outbox_size(const struct outbox *outbox)
{
	return outbox->size;
}

uint64_t outbox_dropped(const struct outbox *outbox)
{
	return outbox->dropped;
}

void outbox_count_dropped(struct outbox *outbox)
{
	outbox->dropped++;
}

uint64_t outbox_last(const struct outbox *outbox)
{
	return outbox->last;
}
