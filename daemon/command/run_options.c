/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads run's command line.
 */
#include "run.h"

#include <string.h>

enum {
	OPT_POLICY = 1,
	OPT_ENGINE,
	OPT_KUBERNETES,
	OPT_KUBECONFIG,
	OPT_NODE,
	OPT_HOST_ROOT,
	OPT_METRICS,
	OPT_SOCKET,
};

static const struct option_row rows[] = {
	{ "policy", OPT_POLICY, "FILE",
		"policy file (default: " POLICY_DEFAULT_PATH
		" where it exists); none: the built-in defaults" },
	{ "engine", OPT_ENGINE, "auto|procfs|bpf", "how to look; wins over the policy file" },
	{ "kubernetes", OPT_KUBERNETES, "auto|off", "whether to ask the Kubernetes API" },
	{ "kubeconfig", OPT_KUBECONFIG, "FILE", "how to reach the Kubernetes API" },
	{ "node", OPT_NODE, "NAME", "this node's name (default: NODE_NAME, the host's name)" },
	{ "host-root", OPT_HOST_ROOT, "DIR", "where the host's files are mounted" },
	{ "metrics", OPT_METRICS, "ADDRESS:PORT|off",
		"where metrics are served (default: " RUN_METRICS_DEFAULT ")" },
	{ "socket", OPT_SOCKET, "PATH|off",
		"the socket of capauditd status (default: " SOCKET_DEFAULT_PATH ")" },
};

static const struct options run_options_table = {
	.command = "run",
	.synopsis = "[OPTION...]",
	.purpose = "Audit the containers of this node for as long as it runs: report each "
		   "violation when it appears, changes and ends.",
	.rows = rows,
	.count = ARRAY_SIZE(rows),
};

static int take(void *data, int option)
{
	struct run_options *options = data;

	switch (option) {
	case OPT_POLICY:
		options->policy = optarg;
		break;
	case OPT_ENGINE:
		options->engine = optarg;
		break;
	case OPT_NODE:
		options->node = optarg;
		break;
	case OPT_HOST_ROOT:
		options->host_root = optarg;
		break;
	case OPT_KUBERNETES:
		if (strcmp(optarg, "auto") != 0 && strcmp(optarg, "off") != 0)
			return usage_error(
				"--kubernetes: unknown value \"%s\" (auto, off)", optarg);
		options->kubernetes = optarg;
		break;
	case OPT_METRICS:
		options->metrics = optarg;
		break;
	case OPT_SOCKET:
		options->socket = optarg;
		break;
	default:
		options->kubeconfig = optarg;
		break;
	}
	return OPTIONS_GO;
}

int run_options_parse(struct run_options *options, int argc, char **argv)
{
	*options = (struct run_options){ 0 };
	return options_parse(&run_options_table, argc, argv, take, options);
}
