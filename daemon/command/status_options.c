/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads status's command line.
 */
#include "status.h"

#include <capauditd/command.h>

#include <errno.h>

enum {
	OPT_FORMAT = 1,
	OPT_OUTPUT,
	OPT_SOCKET,
	OPT_POLICY,
	OPT_NAMESPACE,
	OPT_POD,
	OPT_CONTAINER,
	OPT_PID,
	OPT_REMEDY,
	OPT_FAIL_ON,
	OPT_COLOR,
};

static const struct option_row rows[] = {
	{ "format", OPT_FORMAT, "table|json|jsonl", "how to print (default: table)" },
	{ "output", OPT_OUTPUT, "FILE", "write there, whole or not at all" },
	{ "socket", OPT_SOCKET, "PATH",
		"the daemon's socket (default: the policy file's, " SOCKET_DEFAULT_PATH ")" },
	{ "policy", OPT_POLICY, "FILE",
		"the daemon's policy file (default: " POLICY_DEFAULT_PATH " where it exists)" },
	{ "namespace", OPT_NAMESPACE, "GLOB", "only these Kubernetes namespaces; repeatable" },
	{ "pod", OPT_POD, "GLOB", "only these pods; repeatable" },
	{ "container", OPT_CONTAINER, "GLOB", "only these, by name or id prefix; repeatable" },
	{ "pid", OPT_PID, "PID", "only findings that show these processes; repeatable" },
	{ "remedy", OPT_REMEDY, NULL, "print each cure, to paste (table)" },
	{ "fail-on", OPT_FAIL_ON, "violation|drift|tolerated|none",
		"what makes the exit status 1 (default: violation)" },
	{ "color", OPT_COLOR, "auto|always|never", "colour the table (default: auto)" },
};

static const struct options status_options_table = {
	.command = "status",
	.synopsis = "[OPTION...]",
	.purpose = "Print what the running daemon has open, as its socket tells it.",
	.rows = rows,
	.count = ARRAY_SIZE(rows),
};

static int take_filter(struct filter *filter, int option)
{
	int r;

	switch (option) {
	case OPT_NAMESPACE:
		r = filter_add_glob(&filter->namespaces, optarg);
		break;
	case OPT_POD:
		r = filter_add_glob(&filter->pods, optarg);
		break;
	case OPT_CONTAINER:
		r = filter_add_glob(&filter->containers, optarg);
		break;
	default:
		r = filter_add_pid(filter, optarg);
		break;
	}
	if (r == -ENOMEM)
		return EXIT_STATUS_INTERNAL;
	return r < 0 ? usage_error("--pid: \"%s\" is no process id", optarg) : STATUS_OPTIONS_GO;
}

static int take(struct status_options *options, int option)
{
	struct show_options *how = &options->show;
	int r = 0;

	if (optarg && !optarg[0])
		return usage_error("an option's value is empty");
	switch (option) {
	case OPT_FORMAT:
		r = show_take_format(how, optarg);
		break;
	case OPT_COLOR:
		r = show_take_color(how, optarg);
		break;
	case OPT_FAIL_ON:
		r = show_take_fail_on(how, optarg);
		break;
	case OPT_OUTPUT:
		how->output = optarg;
		break;
	case OPT_SOCKET:
		options->socket = optarg;
		break;
	case OPT_POLICY:
		options->policy = optarg;
		break;
	case OPT_REMEDY:
		options->remedy = true;
		break;
	default:
		return take_filter(&options->filter, option);
	}
	return r < 0 ? EXIT_STATUS_USAGE : STATUS_OPTIONS_GO;
}

int status_options_parse(struct status_options *options, int argc, char **argv)
{
	*options = (struct status_options){ 0 };
	for (;;) {
		int option = options_next(&status_options_table, argc, argv);
		int status;

		if (option == OPTION_HELP)
			return EXIT_STATUS_OK;
		if (option == OPTION_BAD)
			return EXIT_STATUS_USAGE;
		if (option == OPTION_END)
			break;
		status = take(options, option);
		if (status != STATUS_OPTIONS_GO)
			return status;
	}
	if (optind < argc)
		return usage_error("status takes no operand: \"%s\"", argv[optind]);
	return STATUS_OPTIONS_GO;
}
