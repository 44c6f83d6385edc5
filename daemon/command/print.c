/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wrapping of help and explanations. Knows columns, not what is written in them.
 */
#include "print.h"

#include <string.h>

/* Columns of UTF-8 text, one for each character: what is printed here is Latin script. */
static size_t columns_of(const char *text, size_t length)
{
	size_t columns = 0;

	for (size_t i = 0; i < length; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			columns++;
	}
	return columns;
}

static void begin_line(FILE *to, size_t indent)
{
	(void)fprintf(to, "\n%*s", (int)indent, "");
}

void print_wrapped(FILE *to, size_t column, size_t indent, const char *text)
{
	size_t start = column; /* of this line: no space goes before its first word */
	const char *p = text;

	while (*p) {
		size_t length = strcspn(p, " \n");
		size_t width = columns_of(p, length);
		size_t space = column > start ? 1 : 0;

		if (space > 0 && column + space + width > PRINT_WIDTH) {
			begin_line(to, indent);
			start = column = indent;
			space = 0;
		}
		(void)fprintf(to, "%*s%.*s", (int)space, "", (int)length, p);
		column += space + width;
		p += length;
		if (*p == '\n') {
			begin_line(to, indent);
			start = column = indent;
		}
		if (*p)
			p++;
	}
	(void)fputc('\n', to);
}

void print_field(FILE *to, const char *label, const char *text)
{
	(void)fprintf(to, "%-*s", PRINT_LABEL_WIDTH, label);
	print_wrapped(to, PRINT_LABEL_WIDTH, PRINT_LABEL_WIDTH, text);
}
