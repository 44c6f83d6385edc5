/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is wrong with something that a person wrote, and where. Owns the wording "file:line:column:
 * sentence"; knows nothing of what is being read.
 */
#include <capauditd/diag.h>

#include <capauditd/text.h>

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

int diag_error(struct diag *diag, unsigned line, unsigned column, const char *format, ...)
{
	/* Larger than what is kept, so that the cut is made by text_escape_into(), which knows
	 * where a character ends. */
	char sentence[DIAG_MESSAGE_MAX * 2];
	va_list arguments;

	if (!diag)
		return -EINVAL;
	va_start(arguments, format);
	if (vsnprintf(sentence, sizeof(sentence), format, arguments) < 0)
		sentence[0] = '\0';
	va_end(arguments);
	diag->line = line;
	diag->column = column;
	text_escape_into(diag->message, sizeof(diag->message), sentence, strlen(sentence));
	return -EINVAL;
}

void diag_print(const struct diag *diag, FILE *to)
{
	if (diag->file) {
		char file[PATH_MAX];

		text_escape_into(file, sizeof(file), diag->file, strlen(diag->file));
		(void)fprintf(to, "%s:", file);
	}
	if (diag->line > 0) {
		(void)fprintf(to, "%u:", diag->line);
		if (diag->column > 0)
			(void)fprintf(to, "%u:", diag->column);
	}
	(void)fprintf(to, "%s%s\n", diag->file || diag->line > 0 ? " " : "", diag->message);
}
