/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one way from a piece of JSON text to jansson's values, for bundles and for what the
 * Kubernetes API says. What a value means is not known here.
 */
#include "json_piece.h"

#include <capauditd/json_text.h>
#include <capauditd/macros.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int json_piece_load(const char *text, size_t length, json_t **ret)
{
	/* Of memory jansson 2.14 does not tell: json_error_code() may be anything then, and a text
	 * for which its buffer could not grow loses a character and is a success. malloc() tells
	 * (where no number follows: reading one resets errno). */
	errno = 0;
	*ret = json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (errno != ENOMEM)
		return *ret ? 0 : -EBADMSG;
	json_decref(*ret);
	*ret = NULL;
	return -ENOMEM;
}

const char *json_text_of(const json_t *string)
{
	const char *text = json_string_value(string);

	return text && strlen(text) == json_string_length(string) ? text : NULL;
}

int json_text_copy(const char *text, char **ret)
{
	*ret = NULL;
	if (!text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

int json_value_at(const char *text, size_t length, const char *const *path, json_t **ret)
{
	const char *found;
	size_t found_length;
	int r = json_text_find(text, length, path, &found, &found_length);

	*ret = NULL;
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = json_piece_load(found, found_length, ret);
	if (r == 0 && json_is_null(*ret)) {
		json_decref(*ret);
		*ret = NULL;
	}
	return r;
}
