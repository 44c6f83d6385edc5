/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text that others chose, made fit for people and machines.
 *
 * Process names, command lines, paths, cgroup names and labels come from containers and are
 * hostile. They are kept as they were read and pass through text_escape() once, when they are
 * written: what comes out is valid UTF-8 without control characters, so that neither a terminal,
 * nor the journal, nor a JSON reader can be fooled.
 */
#ifndef CAPAUDITD_TEXT_H
#define CAPAUDITD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns a new string in which every C0 and C1 control character, DEL, Unicode line and paragraph
 * separator, bidirectional control and byte that is not part of valid UTF-8 stands as \xNN (each
 * byte of it). Backslashes stay. NULL when out of memory. */
char *text_escape(const char *text, size_t length);

/* The same into a buffer of a given size, cut at a character's end; always terminated. */
void text_escape_into(char *buffer, size_t size, const char *text, size_t length);

/* True where text_escape() would change nothing. */
bool text_is_clean(const char *text, size_t length);

/* The entry of `names` that is nearest to `word` (Damerau-Levenshtein, case ignored), or NULL where
 * none is near enough to be what was meant. */
const char *text_nearest(const char *word, const char *const *names, size_t count);

/* RFC 3339 in UTC with microseconds, e.g. 2026-11-24T09:41:05.000123Z. */
#define TEXT_TIME_SIZE 32
void text_time(char buffer[static TEXT_TIME_SIZE], uint64_t realtime_us);

/* Strict: all of `text` must be a decimal number within [low, high]. 0, -EINVAL or -ERANGE. */
int text_to_u64(const char *text, uint64_t low, uint64_t high, uint64_t *ret);

#endif
