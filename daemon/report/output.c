/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checked writing to a stream. Knows nothing of what is written.
 */
#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static int last_error(void)
{
	return errno ? -errno : -EIO;
}

int output_text(FILE *to, const char *text)
{
	errno = 0;
	return fputs(text, to) < 0 ? last_error() : 0;
}

int output_format(FILE *to, const char *format, ...)
{
	va_list arguments;
	int written;

	errno = 0;
	va_start(arguments, format);
	written = vfprintf(to, format, arguments);
	va_end(arguments);
	return written < 0 ? last_error() : 0;
}

int output_finish(FILE *to)
{
	errno = 0;
	if (fflush(to) != 0)
		return last_error();
	return ferror(to) ? -EIO : 0;
}

/* Columns of the word, one for each character: our sentences are short on wide ones. */
static int columns(const char *word, size_t length)
{
	int count = 0;

	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)word[i] & 0xc0) != 0x80;
	return count;
}

int output_wrapped(FILE *to, const char *text, int width, int indent)
{
	int column = 0, r = 0;

	while (r == 0 && *text) {
		const size_t length = strcspn(text, " ");
		const int word = columns(text, length);

		if (column > 0 && width > 0 && column + 1 + word > width) {
			r = output_format(to, "\n%*s", indent, "");
			column = indent;
		} else if (column > 0) {
			r = output_text(to, " ");
			column++;
		}
		if (r == 0)
			r = output_format(to, "%.*s", (int)length, text);
		column += word;
		text += length;
		text += strspn(text, " ");
	}
	return r == 0 ? output_text(to, "\n") : r;
}
