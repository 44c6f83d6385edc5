/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads scan's command line. One table drives getopt_long(3) and --help; values with a fixed choice
 * are tables too.
 */
#include "scan.h"

#include <string.h>

enum {
	OPT_FORMAT = 1,
	OPT_OUTPUT,
	OPT_POLICY,
	OPT_PROFILE,
	OPT_ENGINE,
	OPT_NAMESPACE,
	OPT_POD,
	OPT_CONTAINER,
	OPT_PID,
	OPT_ALL,
	OPT_REMEDY,
	OPT_ADVICE,
	OPT_INCLUDE_HOST,
	OPT_NESTED,
	OPT_FAIL_ON,
	OPT_KUBERNETES,
	OPT_KUBECONFIG,
	OPT_NODE,
	OPT_HOST_ROOT,
	OPT_COLOR,
};

static const struct option_row rows[] = {
	{ "format", OPT_FORMAT, "table|json|jsonl", "how to print (default: table)" },
	{ "output", OPT_OUTPUT, "FILE", "write there, whole or not at all" },
	{ "policy", OPT_POLICY, "FILE",
		"policy file (default: " POLICY_DEFAULT_PATH
		" where it exists); none: the built-in defaults" },
	{ "profile", OPT_PROFILE, "NAME", "judge everything by this profile" },
	{ "engine", OPT_ENGINE, "auto|procfs|bpf", "how to look (default: auto)" },
	{ "namespace", OPT_NAMESPACE, "GLOB", "only these Kubernetes namespaces; repeatable" },
	{ "pod", OPT_POD, "GLOB", "only these pods; repeatable" },
	{ "container", OPT_CONTAINER, "GLOB", "only these, by name or id prefix; repeatable" },
	{ "pid", OPT_PID, "PID", "only these processes; repeatable" },
	{ "all", OPT_ALL, NULL, "list compliant containers too (table)" },
	{ "remedy", OPT_REMEDY, NULL, "print each cure, to paste (table)" },
	{ "advice", OPT_ADVICE, NULL, "list containers that should drop ALL, with the cure" },
	{ "include-host", OPT_INCLUDE_HOST, NULL, "audit host processes as well" },
	{ "nested", OPT_NESTED, NULL, "this PID namespace is the whole world, on purpose" },
	{ "fail-on", OPT_FAIL_ON, "violation|drift|tolerated|none",
		"what makes the exit status 1 (default: violation)" },
	{ "kubernetes", OPT_KUBERNETES, "auto|off", "whether to ask the Kubernetes API" },
	{ "kubeconfig", OPT_KUBECONFIG, "FILE", "how to reach the Kubernetes API" },
	{ "node", OPT_NODE, "NAME", "this node's name (default: NODE_NAME, the host's name)" },
	{ "host-root", OPT_HOST_ROOT, "DIR", "where the host's files are mounted" },
	{ "color", OPT_COLOR, "auto|always|never", "colour the table (default: auto)" },
};

static const struct options scan_options_table = {
	.command = "scan",
	.synopsis = "[OPTION...]",
	.purpose = "Audit the containers of this node once, print what was found, and exit.",
	.rows = rows,
	.count = ARRAY_SIZE(rows),
};

static const char *const engines[] = { "auto", "procfs", "bpf" };
static const char *const kubernetes[] = { "auto", "off" };

/* OPTIONS_GO, or an exit status, said. */
static int take_choice(struct scan_options *options, int option)
{
	const char *value = optarg ? optarg : "";
	int r;

	switch (option) {
	case OPT_FORMAT:
		r = show_take_format(&options->show, value);
		break;
	case OPT_FAIL_ON:
		r = show_take_fail_on(&options->show, value);
		break;
	case OPT_COLOR:
		r = show_take_color(&options->show, value);
		break;
	case OPT_ENGINE:
		r = option_choose("engine", value, engines, ARRAY_SIZE(engines));
		options->engine = value;
		break;
	default:
		r = option_choose("kubernetes", value, kubernetes, ARRAY_SIZE(kubernetes));
		options->kubernetes = value;
		break;
	}
	return r < 0 ? EXIT_STATUS_USAGE : OPTIONS_GO;
}

static int take(void *data, int option)
{
	struct scan_options *options = data;

	if (optarg && !optarg[0])
		return usage_error("an option's value is empty");
	switch (option) {
	case OPT_OUTPUT:
		options->show.output = optarg;
		break;
	case OPT_POLICY:
		options->policy = optarg;
		break;
	case OPT_PROFILE:
		options->profile = optarg;
		break;
	case OPT_NODE:
		options->node = optarg;
		break;
	case OPT_HOST_ROOT:
		options->host_root = optarg;
		break;
	case OPT_ALL:
		options->all = true;
		break;
	case OPT_REMEDY:
		options->remedy = true;
		break;
	case OPT_ADVICE:
		options->advice = true;
		break;
	case OPT_INCLUDE_HOST:
		options->include_host = true;
		break;
	case OPT_NESTED:
		options->nested = true;
		break;
	case OPT_KUBECONFIG:
		options->kubeconfig = optarg;
		break;
	case OPT_NAMESPACE:
		return filter_take(&options->filter, FILTER_NAMESPACE, optarg);
	case OPT_POD:
		return filter_take(&options->filter, FILTER_POD, optarg);
	case OPT_CONTAINER:
		return filter_take(&options->filter, FILTER_CONTAINER, optarg);
	case OPT_PID:
		return filter_take(&options->filter, FILTER_PID, optarg);
	default:
		return take_choice(options, option);
	}
	return OPTIONS_GO;
}

int scan_options_parse(struct scan_options *options, int argc, char **argv)
{
	*options = (struct scan_options){ .engine = "auto" };
	return options_parse(&scan_options_table, argc, argv, take, options);
}
