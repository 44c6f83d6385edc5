/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prints a report, whichever it is. Formats nothing.
 */
#include "show.h"

#include "output_file.h"

#include <capauditd/command.h>
#include <capauditd/text.h>

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

int show_take_format(struct show_options *options, const char *value)
{
	static const char *const formats[] = { "table", "json", "jsonl" };
	int chosen = option_choose("format", value, formats, ARRAY_SIZE(formats));

	if (chosen >= 0)
		options->format = (enum show_format)chosen;
	return chosen < 0 ? -1 : 0;
}

int show_take_color(struct show_options *options, const char *value)
{
	static const char *const colors[] = { "auto", "always", "never" };
	int chosen = option_choose("color", value, colors, ARRAY_SIZE(colors));

	if (chosen >= 0)
		options->color = (enum show_color)chosen;
	return chosen < 0 ? -1 : 0;
}

int show_take_fail_on(struct show_options *options, const char *value)
{
	static const char *const fail_ons[] = { "violation", "drift", "tolerated", "none" };
	int chosen = option_choose("fail-on", value, fail_ons, ARRAY_SIZE(fail_ons));

	if (chosen >= 0)
		options->fail_on = (enum fail_on)chosen;
	return chosen < 0 ? -1 : 0;
}

int show_width(const struct show_options *options)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t width;

	if (options->output)
		return 0;
	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	if (columns && text_to_u64(columns, 20, 10000, &width) == 0)
		return (int)width;
	return 0;
}

bool show_in_color(const struct show_options *options)
{
	const char *no_color = getenv("NO_COLOR");

	if (options->color != COLOR_AUTO)
		return options->color == COLOR_ALWAYS;
	return !options->output && isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
}

int show(const struct show_options *options, show_report *report, const void *data)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *memory;
	int r;

	if (!options->output) {
		r = report(data, stdout);
		if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
			r = -EIO;
		return r;
	}
	memory = open_memstream(&text, &length);
	if (!memory)
		return -ENOMEM;
	r = report(data, memory);
	/* Out of memory at the last moment, fclose() says success and leaves no text (glibc). */
	if ((fclose(memory) != 0 || !text) && r == 0)
		r = -ENOMEM;
	return r < 0 ? r : output_file_write(options->output, text, length);
}

void show_complain(const struct show_options *options, int error)
{
	const bool is_led = options->output && error == -ELOOP;

	message("cannot write %s: %s", options->output ? options->output : "the report",
		is_led ? "a symbolic link leads to it that others may have put there"
		       : strerror(-error));
}

static bool fails(enum fail_on fail_on, const struct finding *f)
{
	const bool violation = f->verdict == VERDICT_VIOLATION;

	switch (fail_on) {
	case FAIL_ON_VIOLATION:
		return violation;
	case FAIL_ON_DRIFT:
		return violation && f->class == CLASS_DRIFT;
	case FAIL_ON_TOLERATED:
		return violation || f->verdict == VERDICT_TOLERATED;
	default:
		return false;
	}
}

bool show_fails(
	const struct show_options *options, const struct finding *const *findings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fails(options->fail_on, findings[i]))
			return true;
	return false;
}
