/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Picks the command. Knows their names and nothing of what they do.
 */
#include <capauditd/command.h>
#include <capauditd/macros.h>
#include <capauditd/text.h>

#include <locale.h>
#include <string.h>

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *purpose;
} commands[] = {
	{ "scan", command_scan, "audit the containers of this machine once, print, exit" },
	{ "run", command_run, "the daemon: audit them all the time, report what changes" },
	{ "status", command_status, "what the running daemon has open" },
	{ "explain", command_explain, "say what a capability, mask, profile or cgroup path means" },
	{ "check-config", command_check_config, "validate a policy file" },
};

static int print_help(void)
{
	(void)printf(
		"Usage: capauditd COMMAND [OPTION...]\n\n"
		"Finds the processes that run in containers, reads the capabilities that they\n"
		"really hold, and reports each one that holds more than its profile permits.\n\n"
		"Commands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		(void)printf("  %-14s%s\n", commands[i].name, commands[i].purpose);
	(void)printf("\n  %-14ssay this; after a command, what it takes\n  %-14ssay the version\n\n"
		     "To begin with: sudo capauditd scan. More in capauditd(8).\n",
		"--help", "--version");
	return EXIT_STATUS_OK;
}

static int print_version(void)
{
	(void)printf("capauditd %s\n", CAPAUDITD_VERSION);
	return EXIT_STATUS_OK;
}

static const struct word {
	const char *name;
	int (*answer)(void);
} words[] = {
	{ "--help", print_help },
	{ "-h", print_help },
	{ "help", print_help },
	{ "--version", print_version },
	{ "-V", print_version },
};

static int unknown_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands) + ARRAY_SIZE(words)];
	const char *nearest;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[count++] = commands[i].name;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		names[count++] = words[i].name;
	nearest = text_nearest(name, names, count);
	if (nearest)
		return usage_error("unknown command \"%s\" (did you mean %s?)", name, nearest);
	if (name[0] == '-')
		return usage_error("options come after a command: capauditd scan %s", name);
	return usage_error("unknown command \"%s\" (capauditd --help lists them)", name);
}

static int run(int argc, char **argv)
{
	if (argc < 2)
		return usage_error("which command? (capauditd --help lists them)");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(argv[1], words[i].name) == 0)
			return words[i].answer();
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	return unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
	int status;

	/* Terminals and libsmartcols count columns of UTF-8, which is what is written, whatever the
	 * user's locale; and names compare as ASCII does (in Turkish, I and i are two letters). */
	(void)setlocale(LC_CTYPE, "C.UTF-8");

	status = run(argc, argv);
	/* A full disk must not look like an all-clear. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && status != EXIT_STATUS_INTERNAL) {
		(void)usage_error("cannot write to standard output");
		status = EXIT_STATUS_INTERNAL;
	}
	return status;
}
