/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pieces of JSON text (RFC 8259) found without building the rest: a list is cut into its items as
 * it arrives, a stream into its values, and one member is found in a document that holds more than
 * may be looked at. Pure; what a piece says is for a JSON library.
 *
 * Only the structure is understood here (strings, escapes, nesting). A piece that is cut out is not
 * yet known to be valid JSON; text whose structure is broken is refused.
 */
#ifndef CAPAUDITD_JSON_TEXT_H
#define CAPAUDITD_JSON_TEXT_H

#include <capauditd/macros.h>

#include <stdbool.h>
#include <stddef.h>

#define JSON_TEXT_DEPTH_MAX 64u /* nesting; deeper text is refused */

enum json_split_mode {
	/* One value after another, with any white space between them (a Kubernetes watch): each
	 * top-level value is a piece. */
	JSON_SPLIT_STREAM,
	/* One object whose member "items" is an array (a Kubernetes list): each of its elements is
	 * a piece. The document without them ("items":[]) is kept. A document without "items" (a
	 * Status) is kept whole. */
	JSON_SPLIT_LIST,
};

/* Called for each piece, which is valid during the call. Anything but 0 stops the splitter and is
 * returned by what was called. */
typedef int json_split_emit(void *data, const char *text, size_t length);

struct json_splitter;

/* `piece_max`: bytes of the longest piece, and of the rest of a list. A longer piece is passed over
 * and counted. NULL when out of memory. */
struct json_splitter *json_splitter_new(enum json_split_mode mode, size_t piece_max);
void json_splitter_free(struct json_splitter *splitter);
DEFINE_CLEANUP(struct json_splitter, json_splitter_free)

/* Takes the next bytes, however they are cut. 0; -EBADMSG where the text is not of the mode's form;
 * -EMSGSIZE where the rest of a list is longer than `piece_max`; -ENOMEM; or what `emit` returned.
 * After an error every further call returns it again. */
int json_splitter_feed(struct json_splitter *splitter, const char *bytes, size_t length,
	json_split_emit *emit, void *data);

/* The text has ended. 0; -EBADMSG where it ended within a value. */
int json_splitter_end(struct json_splitter *splitter, json_split_emit *emit, void *data);

/* How many pieces were passed over so far, the one that is just being so included. */
size_t json_splitter_passed_over(const struct json_splitter *splitter);

/* After json_splitter_end() of a list: the document without its items. Belongs to the splitter. */
const char *json_splitter_rest(const struct json_splitter *splitter, size_t *ret_length);

/* Finds the value at `path` (keys of nested objects, NULL-terminated) in a whole document. 0 with
 * *ret inside `text`; -ENOENT where there is none, or something on the way is no object; -EBADMSG.
 * Of a key that stands there twice the last counts, as with most parsers. Keys are compared as they
 * are written: one with escapes is not found. */
int json_text_find(const char *text, size_t length, const char *const *path, const char **ret,
	size_t *ret_length);

/* What is kept of a document: members by their keys, ended by a row without one. `within` says what
 * is kept of the value, NULL: all of it. An array stands for each of its elements. */
struct json_keep {
	const char *key;
	const struct json_keep *within;
};

/* Writes the document without the members that `keep` does not name: what stands in the rest (of a
 * pod's object nine parts in ten) costs no more than being passed over, and may be anything.
 * `buffer` has room for `length` bytes, which always suffice. 0; -EBADMSG. Keys are compared as
 * they are written; of one that stands there twice both are kept. */
int json_text_keep(const char *text, size_t length, const struct json_keep *keep, char *buffer,
	size_t *ret_length);

#endif
