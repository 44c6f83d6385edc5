/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values out of a piece of JSON text: what stands at a path, built by jansson without the rest.
 */
#ifndef CAPAUDITD_JSON_PIECE_H
#define CAPAUDITD_JSON_PIECE_H

#include <jansson.h>
#include <stddef.h>

/* The value that the whole piece is. Zero bytes in strings are let in (json_text_of() tells):
 * whoever writes one into an annotation or an argument must not hide the rest by it. 0; -EBADMSG;
 * -ENOMEM. */
int json_piece_load(const char *text, size_t length, json_t **ret);

/* The value at `path` of the document; *ret is NULL where there is none, or null. 0; -EBADMSG;
 * -ENOMEM. */
int json_value_at(const char *text, size_t length, const char *const *path, json_t **ret);

/* The string, or NULL where it is none or holds a zero byte: that is no name of anything. */
const char *json_text_of(const json_t *string);
/* A copy of it; NULL stays NULL. 0 or -ENOMEM. */
int json_text_copy(const char *text, char **ret);

#endif
