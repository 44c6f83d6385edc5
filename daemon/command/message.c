/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a command says about itself: one escaped line on standard error.
 */
#include <capauditd/command.h>

#include <capauditd/text.h>

#include <stdarg.h>
#include <string.h>

void message(const char *format, ...)
{
	char text[DIAG_MESSAGE_MAX * 2];
	char clean[4 * sizeof(text)]; /* a byte becomes at most "\xNN" */
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	text_escape_into(clean, sizeof(clean), text, strlen(text));
	(void)fprintf(stderr, "capauditd: %s\n", clean);
}
