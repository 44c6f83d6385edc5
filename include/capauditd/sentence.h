/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sentences for people, built piece by piece.
 *
 * Words of our own are added as they are; whatever others chose goes through text_escape(). A piece
 * that cannot be added (out of memory) spoils the whole sentence, which sentence_end() tells, so
 * that nothing in between needs a check.
 */
#ifndef CAPAUDITD_SENTENCE_H
#define CAPAUDITD_SENTENCE_H

#include <capauditd/capability.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct sentence {
	FILE *to; /* NULL once something failed */
	char *text;
	size_t length;
};

void sentence_begin(struct sentence *sentence);

/* Our own words. */
void sentence_add(struct sentence *sentence, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What others chose, escaped; at most `limit` bytes of it are looked at. NULL adds nothing. */
void sentence_add_text(struct sentence *sentence, const char *text, size_t limit);

/* "SYS_ADMIN", "NET_ADMIN and SYS_ADMIN", "SYS_ADMIN, SYS_MODULE, NET_RAW and 5 more": at most
 * `limit` names, worst first; "all capabilities" where the mask has every one that has a name. */
void sentence_add_capabilities(struct sentence *sentence, capability_mask mask, size_t limit);

/* The sentence, a new string; NULL when out of memory. To be called exactly once. */
char *sentence_end(struct sentence *sentence);

/* Every capability that has a name. */
capability_mask sentence_all_capabilities(void);

/* Calls `add` for each number of the mask, in the order in which people need them: SYS_ADMIN, then
 * the others with which a holder takes over the host, then the rest. */
void sentence_worst_first(
	capability_mask mask, void (*add)(void *data, unsigned number), void *data);

/* How much of a container's id people are shown: 12 bytes of one that starts with 32 hex digits,
 * the whole of any other. */
size_t sentence_short_id(const char *id);

#endif
