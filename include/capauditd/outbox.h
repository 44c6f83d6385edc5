/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What could not be delivered yet, for every sink, in the order in which it came.
 *
 * An item is kept until each of its sinks has got it. The outbox is bounded: where an item finds no
 * room, the oldest of those of the least severity goes first, which may be the new one itself.
 * What is in an item is nobody's business here.
 */
#ifndef CAPAUDITD_OUTBOX_H
#define CAPAUDITD_OUTBOX_H

#include <capauditd/finding.h>
#include <capauditd/macros.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTBOX_SINKS 8u /* a sink is a bit of a mask: 1u << 0 to 1u << 7 */

struct outbox;

struct outbox_item {
	uint64_t number; /* grows */
	unsigned sinks;	 /* those that have not got it yet */
	enum severity severity;
	size_t length;
	uint8_t data[];
};

/* `size_max`: of all items together, in bytes of memory. */
struct outbox *outbox_new(size_t size_max);
void outbox_free(struct outbox *outbox);
DEFINE_CLEANUP(struct outbox, outbox_free)

/* Adds a copy under the next number, which it returns in *ret_number: also where it is not kept, so
 * that a number never comes twice. 0; -ENOMEM; -ENOSPC: it would have been the first to go, and is
 * counted as dropped. */
int outbox_put(struct outbox *outbox, unsigned sinks, enum severity severity, const void *data,
	size_t length, uint64_t *ret_number);
/* The same under a number from before; -EINVAL where that is not above all others, or so high that
 * no daemon came to it: those to come need higher ones. */
#define OUTBOX_NUMBER_MAX (UINT64_MAX / 2)
int outbox_restore(struct outbox *outbox, uint64_t number, unsigned sinks, enum severity severity,
	const void *data, size_t length);

/* The oldest that `sink` (one bit) has not got, or NULL. */
const struct outbox_item *outbox_first(const struct outbox *outbox, unsigned sink);
/* The one after it, of whatever sink; the oldest for NULL; NULL at the end. */
const struct outbox_item *outbox_next(const struct outbox *outbox, const struct outbox_item *item);
/* `sinks` have got that item, or are not to get it; nothing happens where there is no such item. */
void outbox_settle(struct outbox *outbox, uint64_t number, unsigned sinks);
/* Nobody is to deliver to `sinks` any more. */
void outbox_forget_sinks(struct outbox *outbox, unsigned sinks);

size_t outbox_waiting(const struct outbox *outbox, unsigned sink); /* items */
size_t outbox_count(const struct outbox *outbox); /* items, whoever they wait for */
size_t outbox_size(const struct outbox *outbox);  /* bytes of memory */
uint64_t outbox_dropped(const struct outbox *outbox);
void outbox_count_dropped(struct outbox *outbox);  /* one that was lost elsewhere */
uint64_t outbox_last(const struct outbox *outbox); /* the highest number so far */

#endif
