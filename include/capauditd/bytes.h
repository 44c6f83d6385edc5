/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values as bytes and back: what is kept in memory for sinks that cannot be reached, and on disk.
 *
 * Numbers take as many bytes as they need (LEB128); a block is its length and its bytes. A writer
 * that ran out of memory, and a reader that came to the end or to nonsense, remember it, so that
 * only the last step needs a check. Nothing read is believed: every length is compared with what is
 * there.
 */
#ifndef CAPAUDITD_BYTES_H
#define CAPAUDITD_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t *data;
	size_t length, space;
	bool failed; /* out of memory: `data` is not whole */
};

void bytes_done(struct bytes *bytes);
void bytes_add(struct bytes *bytes, const void *data, size_t length);
void bytes_add_number(struct bytes *bytes, uint64_t number);
void bytes_add_block(struct bytes *bytes, const void *data, size_t length);
void bytes_add_text(struct bytes *bytes, const char *text); /* a block without the NUL */

struct byte_reader {
	const uint8_t *at, *end;
	bool failed;
};

struct byte_reader bytes_reader(const struct bytes *bytes); /* of all of them */
uint64_t bytes_take_number(struct byte_reader *reader);	    /* 0 once it has failed */
/* A reader of the block alone; an empty one once it has failed. */
struct byte_reader bytes_take_block(struct byte_reader *reader);
/* A block as a new string. NULL where it has a NUL in it or is longer than `longest` (failed), or
 * when out of memory (not failed). */
char *bytes_take_text(struct byte_reader *reader, size_t longest);

/* Records of a log: length, checksum (the start of SHA-256), and then what was given. */
#define RECORD_SIZE_MAX (4u * 1024u * 1024u)
#define RECORD_OVERHEAD 12u

void record_add(struct bytes *log, const void *data, size_t length);
/* The next record. 0; -ENODATA at the end; -EBADMSG where what follows is torn or damaged (the
 * reader is not moved): what comes after it is not looked for, since a record holds what others
 * chose, which could be made to look like one. */
int record_next(struct byte_reader *log, struct byte_reader *ret);

#endif
