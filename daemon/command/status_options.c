/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads status's command line.
 */
#include "status.h"

#include <capauditd/command.h>

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

static int take(void *data, int option)
{
	struct status_options *options = data;
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
	case OPT_NAMESPACE:
		return filter_take(&options->filter, FILTER_NAMESPACE, optarg);
	case OPT_POD:
		return filter_take(&options->filter, FILTER_POD, optarg);
	case OPT_CONTAINER:
		return filter_take(&options->filter, FILTER_CONTAINER, optarg);
	default:
		return filter_take(&options->filter, FILTER_PID, optarg);
	}
	return r < 0 ? EXIT_STATUS_USAGE : OPTIONS_GO;
}

int status_options_parse(struct status_options *options, int argc, char **argv)
{
	*options = (struct status_options){ 0 };
	return options_parse(&status_options_table, argc, argv, take, options);
}
