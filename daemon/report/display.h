/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text for a terminal: escaped, counted in columns, and cut where there is no room.
 */
#ifndef CAPAUDITD_REPORT_DISPLAY_H
#define CAPAUDITD_REPORT_DISPLAY_H

#include <stddef.h>

#define DISPLAY_WHOLE ((size_t)-1)

/* `length` bytes of what others chose, in at most `width` columns, a cut one ending in an ellipsis;
 * a new string, NULL when out of memory. Besides what text_escape() escapes, each byte of a
 * character that the locale cannot print stands as \xNN. */
char *display_text(const char *text, size_t length, size_t width);

/* Columns of a text from display_text(). */
size_t display_width(const char *text);

#endif
