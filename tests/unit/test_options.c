/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options from a table: what is read, what is refused and how it is said, and the help.
 */
#include <capauditd/command.h>
#include <capauditd/macros.h>

#include "../support/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct option_row rows[] = {
	{ "format", 1, "table|json",
		"how the answer looks; in a sentence that is long enough to be "
		"wrapped, more than once even, at the width of a terminal" },
	{ "all", 2, NULL, "everything" },
	{ "allow", 3, "NAME", "a name that begins like another" },
	{ "namespace", 4, "GLOB", "these alone" },
	{ "node", 5, "NAME", "that node" },
	{ "fail-on", 6, "violation|drift|tolerated|none", "an argument too wide for the column" },
};

static const struct options options = {
	.command = "try",
	.synopsis = "[OPTION...] [WORD...]",
	.purpose = "Tries what is read of arguments.",
	.rows = rows,
	.count = ARRAY_SIZE(rows),
};

/* Prints what it reads: "1=json 2 | word word". */
static int try(int argc, char **argv)
{
	int option;

	while ((option = options_next(&options, argc, argv)) != OPTION_END) {
		if (option < 0)
			return option;
		(void)printf(optarg ? "%d=%s " : "%d ", option, optarg);
	}
	(void)printf("|");
	for (int i = optind; i < argc; i++)
		(void)printf(" %s", argv[i]);
	return EXIT_STATUS_OK;
}

static void options_are_read_wherever_they_stand(void **state)
{
	static const struct {
		const char *line, *read;
	} lines[] = {
		{ "try", "|" },
		{ "try a", "| a" },
		{ "try --format json", "1=json |" },
		{ "try --format=json --all", "1=json 2 |" },
		{ "try a --all b --node n c", "2 5=n | a b c" },
		{ "try --all --all", "2 2 |" },
		{ "try --form json", "1=json |" },
		{ "try --format --all", "1=--all |" },
		{ "try --format=", "1= |" },
		{ "try --all -- --node n", "2 | --node n" },
		{ "try -", "| -" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct capture capture = capture_command(try, lines[i].line, NULL, 0);

		assert_string_equal(capture.out, lines[i].read);
		assert_string_equal(capture.err, "");
		assert_int_equal(capture.status, EXIT_STATUS_OK);
		capture_done(&capture);
	}
}

static void what_is_wrong_is_said_in_one_line(void **state)
{
	static const struct {
		const char *line, *says;
	} lines[] = {
		{ "try --formt json", "unknown option --formt (did you mean --format?)" },
		{ "try --nmespace=x", "unknown option --nmespace (did you mean --namespace?)" },
		{ "try --hlep", "unknown option --hlep (did you mean --help?)" },
		{ "try --xyzzy-plugh",
			"unknown option --xyzzy-plugh (capauditd try --help lists them)" },
		{ "try -x", "unknown option -x (capauditd try --help lists them)" },
		{ "try -format json", "unknown option -format (did you mean --format?)" },
		{ "try -node=n", "unknown option -node (did you mean --node?)" },
		{ "try a b -x", "unknown option -x (capauditd try --help lists them)" },
		{ "try -\xff", "unknown option -\\xff (capauditd try --help lists them)" },
		{ "try --\033[2J", "unknown option --\\x1b[2J (capauditd try --help lists them)" },
		{ "try --n x", "option --n is ambiguous: --namespace, --node" },
		{ "try --format", "option --format needs an argument: --format table|json" },
		{ "try --node", "option --node needs an argument: --node NAME" },
		{ "try --all=1", "option --all takes no argument" },
		{ "try --help=1", "option --help takes no argument" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct capture capture = capture_command(try, lines[i].line, NULL, 0);
		char expected[256];

		(void)snprintf(expected, sizeof(expected), "capauditd: %s\n", lines[i].says);
		assert_string_equal(capture.err, expected);
		assert_string_equal(capture.out, "");
		assert_int_equal(capture.status, OPTION_BAD);
		capture_done(&capture);
	}
}

static void help_is_aligned_on_standard_output(void **state)
{
	static const char expected[] =
		"Usage: capauditd try [OPTION...] [WORD...]\n"
		"\n"
		"Tries what is read of arguments.\n"
		"\n"
		"Options:\n"
		"  --format table|json  how the answer looks; in a sentence that is long enough\n"
		"                       to be wrapped, more than once even, at the width of a\n"
		"                       terminal\n"
		"  --all                everything\n"
		"  --allow NAME         a name that begins like another\n"
		"  --namespace GLOB     these alone\n"
		"  --node NAME          that node\n"
		"  --fail-on violation|drift|tolerated|none\n"
		"                       an argument too wide for the column\n"
		"  --help               say this\n"
		"\n";
	static const char *const lines[] = { "try --help", "try -h",
		"try word --all -h --nonsense" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct capture capture = capture_command(try, lines[i], NULL, 0);
		const char *help = strstr(capture.out, "Usage:");

		assert_int_equal(capture.status, OPTION_HELP);
		assert_string_equal(capture.err, "");
		assert_non_null(help);
		assert_true(strlen(help) > strlen(expected));
		assert_memory_equal(help, expected, strlen(expected));
		assert_non_null(strstr(help, "Exit status: 0"));
		capture_done(&capture);
	}
}

static int complain_at_length(int argc, char **argv)
{
	char text[5000];

	(void)argc;
	(void)argv;
	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	return usage_error("%s", text);
}

static void a_complaint_stays_one_line_whatever_it_quotes(void **state)
{
	struct capture capture = capture_command(complain_at_length, "try", NULL, 0);

	(void)state;
	assert_int_equal(capture.status, EXIT_STATUS_USAGE);
	assert_ptr_equal(strchr(capture.err, '\n'), capture.err + capture.err_length - 1);
	assert_non_null(strstr(capture.err, "\\x0a\\x0a"));
	capture_done(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_read_wherever_they_stand),
		cmocka_unit_test(what_is_wrong_is_said_in_one_line),
		cmocka_unit_test(help_is_aligned_on_standard_output),
		cmocka_unit_test(a_complaint_stays_one_line_whatever_it_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
