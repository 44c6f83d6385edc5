/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads a command's options from its table, prints its help, and says what is wrong with arguments.
 * Knows no command: what an option means is decided by who asked for it.
 */
#include <capauditd/command.h>

#include <capauditd/text.h>

#include "print.h"

#include <stdarg.h>
#include <string.h>

#define OPTIONS_MAX 62 /* rows a command may have; --help and the terminator come on top */

/* What getopt_long() returns for row i: above every character, so that it is never taken for one
 * of its own answers ('?', ':') or for a short option. */
#define ROW_VALUE  0x100
#define HELP_VALUE (ROW_VALUE + OPTIONS_MAX)

#define HELP_COLUMN	30
#define HELP_COLUMN_MIN 12

int usage_error(const char *format, ...)
{
	char line[1024];
	char clean[4 * sizeof(line)]; /* a byte becomes at most "\xNN" */
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	text_escape_into(clean, sizeof(clean), line, strlen(line));
	(void)fprintf(stderr, "capauditd: %s\n", clean);
	return EXIT_STATUS_USAGE;
}

/* Where the help texts begin: after the widest option that leaves room for them. */
static size_t help_column(const struct options *options)
{
	size_t column = HELP_COLUMN_MIN;

	for (size_t i = 0; i < options->count; i++) {
		const struct option_row *row = &options->rows[i];
		size_t width = strlen("  --") + strlen(row->name) + strlen("  ") +
			       (row->argument ? strlen(row->argument) + 1 : 0);

		if (width > column && width <= HELP_COLUMN)
			column = width;
	}
	return column;
}

static void print_option(const struct option_row *row, size_t column)
{
	size_t width = strlen("  --") + strlen(row->name);

	(void)printf("  --%s", row->name);
	if (row->argument) {
		(void)printf(" %s", row->argument);
		width += strlen(row->argument) + 1;
	}
	if (width + 2 > column) {
		(void)putchar('\n');
		width = 0;
	}
	(void)printf("%*s", (int)(column - width), "");
	print_wrapped(stdout, column, column, row->help);
}

static void print_help(const struct options *options)
{
	static const struct option_row help = { "help", 0, NULL, "say this" };
	size_t column = help_column(options);

	(void)printf("Usage: capauditd %s %s\n\n", options->command, options->synopsis);
	print_wrapped(stdout, 0, 0, options->purpose);
	(void)printf("\nOptions:\n");
	for (size_t i = 0; i < options->count; i++)
		print_option(&options->rows[i], column);
	print_option(&help, column);
	(void)printf("\nExit status: 0 all is well, 1 findings, 2 usage or policy error, 3 not\n"
		     "everything was seen, 4 internal failure. More in capauditd(8).\n");
}

/* Of all options, --help, which is not in the table, being the last. */
static const char *option_name(const struct options *options, size_t i)
{
	return i < options->count ? options->rows[i].name : "help";
}

/* How many options begin with these `length` characters; `list` gets their names. */
static size_t find_abbreviated(
	const struct options *options, const char *name, size_t length, char *list, size_t size)
{
	size_t matches = 0, used = 0;

	list[0] = '\0';
	for (size_t i = 0; i <= options->count; i++) {
		if (strncmp(option_name(options, i), name, length) != 0)
			continue;
		if (used < size)
			used += (size_t)snprintf(list + used, size - used, "%s--%s",
				matches > 0 ? ", " : "", option_name(options, i));
		matches++;
	}
	return matches;
}

static const char *nearest_option(const struct options *options, const char *name)
{
	const char *names[OPTIONS_MAX + 1];
	size_t count = 0;

	for (; count <= options->count; count++)
		names[count] = option_name(options, count);
	return text_nearest(name, names, count);
}

/* `argument` as it was given, of which `name` is the part after the dashes and before "=". */
static void unknown_option(const struct options *options, const char *argument, const char *name)
{
	size_t length = strcspn(name, "=");
	int shown = (int)((size_t)(name - argument) + length);
	char word[64]; /* more than any option has */
	const char *nearest;

	(void)snprintf(word, sizeof(word), "%.*s", (int)length, name);
	nearest = nearest_option(options, word);
	if (nearest)
		(void)usage_error(
			"unknown option %.*s (did you mean --%s?)", shown, argument, nearest);
	else
		(void)usage_error("unknown option %.*s (capauditd %s --help lists them)", shown,
			argument, options->command);
}

/* An unknown or ambiguous one; "--" itself ends the options and never comes here. */
static void refuse_long(const struct options *options, const char *argument)
{
	const char *name = argument + strlen("--");
	size_t length = strcspn(name, "=");
	char list[512];

	if (find_abbreviated(options, name, length, list, sizeof(list)) > 1)
		(void)usage_error("option --%.*s is ambiguous: %s", (int)length, name, list);
	else
		unknown_option(options, argument, name);
}

static int refuse(const struct options *options, char **argv)
{
	const char *argument = argv[optind - 1];

	/* optopt: of an option that takes no argument and was given one, its value; 0 of another
	 * long option; else the character of a short one. */
	if (optopt >= ROW_VALUE) {
		(void)usage_error("option --%s takes no argument",
			option_name(options, (size_t)(optopt - ROW_VALUE)));
		return OPTION_BAD;
	}
	if (optopt == 0) {
		refuse_long(options, argument);
		return OPTION_BAD;
	}
	/* A cluster of short options stays at optind until it is used up. No such option is known
	 * but -h, so it is the first of its cluster that is refused: often that of a long option
	 * with one dash too few. */
	if (argument[0] != '-' || argument[1] != (char)optopt || argument[2] != '\0')
		argument = argv[optind];
	unknown_option(options, argument, argument + 1);
	return OPTION_BAD;
}

int options_next(const struct options *options, int argc, char **argv)
{
	struct option longs[OPTIONS_MAX + 2] = { 0 };
	size_t count = options->count;
	int value;

	if (count > OPTIONS_MAX)
		return OPTION_BAD;
	for (size_t i = 0; i < count; i++) {
		longs[i].name = options->rows[i].name;
		longs[i].has_arg = options->rows[i].argument ? required_argument : no_argument;
		longs[i].val = ROW_VALUE + (int)i;
	}
	longs[count].name = "help";
	longs[count].val = HELP_VALUE;

	opterr = 0;
	value = getopt_long(argc, argv, ":h", longs, NULL);
	if (value == -1)
		return OPTION_END;
	if (value == 'h' || value == HELP_VALUE) {
		print_help(options);
		return OPTION_HELP;
	}
	if (value == ':') {
		const struct option_row *row = &options->rows[optopt - ROW_VALUE];

		(void)usage_error("option --%s needs an argument: --%s %s", row->name, row->name,
			row->argument);
		return OPTION_BAD;
	}
	if (value == '?')
		return refuse(options, argv);
	return options->rows[value - ROW_VALUE].value;
}

int option_choose(const char *option, const char *value, const char *const *choices, size_t count)
{
	const char *near;

	for (size_t i = 0; i < count; i++)
		if (strcmp(value, choices[i]) == 0)
			return (int)i;
	near = text_nearest(value, choices, count);
	if (near)
		(void)usage_error(
			"--%s: unknown value \"%s\" (did you mean %s?)", option, value, near);
	else
		(void)usage_error("--%s: unknown value \"%s\"", option, value);
	return -1;
}

int options_parse(
	const struct options *options, int argc, char **argv, options_take *take, void *data)
{
	int option;

	while ((option = options_next(options, argc, argv)) != OPTION_END) {
		int status;

		if (option == OPTION_HELP)
			return EXIT_STATUS_OK;
		if (option == OPTION_BAD)
			return EXIT_STATUS_USAGE;
		status = take(data, option);
		if (status != OPTIONS_GO)
			return status;
	}
	if (optind < argc)
		return usage_error("%s takes no operand: \"%s\"", options->command, argv[optind]);
	return OPTIONS_GO;
}
