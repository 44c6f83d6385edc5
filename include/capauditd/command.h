/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands, each of which wires the stages for its purpose, and what they share.
 */
#ifndef CAPAUDITD_COMMAND_H
#define CAPAUDITD_COMMAND_H

#include <capauditd/diag.h>
#include <capauditd/policy.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

/* Exit statuses; the same for every command. */
enum exit_status {
	EXIT_STATUS_OK = 0,
	EXIT_STATUS_FINDINGS = 1,
	EXIT_STATUS_USAGE = 2,
	EXIT_STATUS_INCOMPLETE = 3,
	EXIT_STATUS_INTERNAL = 4,
};

/* argv[0] is the command's name. Each returns an exit status. */
int command_scan(int argc, char **argv);
int command_run(int argc, char **argv);
int command_status(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_check_config(int argc, char **argv);

/* One option of a command: a row drives getopt_long(3) and --help. */
struct option_row {
	const char *name;     /* "format" */
	int value;	      /* what options_next() returns for it; from 1 */
	const char *argument; /* "FILE"; NULL: takes none */
	const char *help;
};

struct options {
	const char *command;  /* "scan" */
	const char *synopsis; /* "[OPTION...]" */
	const char *purpose;  /* one sentence */
	const struct option_row *rows;
	size_t count;
};

#define OPTION_END  -1 /* no option is left; operands start at optind */
#define OPTION_BAD  -2 /* said on standard error: leave with EXIT_STATUS_USAGE */
#define OPTION_HELP -3 /* the help was printed: leave with EXIT_STATUS_OK */

/* The next option's value, its argument in optarg. Misspelt names get a suggestion. */
int options_next(const struct options *options, int argc, char **argv);

/* Reads a whole command line that has options alone: `take` is called for each, and answers
 * OPTIONS_GO or an exit status, which ends it. OPTIONS_GO; else leave with that exit status: it was
 * said, or the help was printed. */
#define OPTIONS_GO (-1)
typedef int options_take(void *data, int option);
int options_parse(
	const struct options *options, int argc, char **argv, options_take *take, void *data);

/* The position of an option's value among its choices, or -1, said. */
int option_choose(const char *option, const char *value, const char *const *choices, size_t count);

/* One line on standard error, "capauditd: " before it, escaped. Returns EXIT_STATUS_USAGE. */
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for what is no usage error. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reads a whole file of at most `limit` bytes. 0; -EFBIG beyond it; -errno. */
int read_whole_file(const char *path, size_t limit, char **ret, size_t *ret_length);

#define POLICY_DEFAULT_PATH "/etc/capauditd/policy.yaml"
#define SOCKET_DEFAULT_PATH "/run/capauditd/socket"

/* On the socket's answer: whether the daemon's last pass saw everything. */
#define COVERAGE_HEADER	    "Capauditd-Coverage"
#define COVERAGE_COMPLETE   "complete"
#define COVERAGE_INCOMPLETE "incomplete"

/* The policy that a command uses: of `path`; without one of POLICY_DEFAULT_PATH where that exists;
 * else the built-in one; "none" is the built-in one. 0, or -errno with *diag filled. */
int command_load_policy(const char *path, struct policy **ret, struct diag *diag);

#endif
