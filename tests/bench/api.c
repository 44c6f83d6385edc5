/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the Kubernetes API source costs `capauditd run`. Usage: api PROGRAM HOST_ROOT WORK TOKEN
 * PODS CONTAINERS NAMESPACES, while the crowd of that TOKEN is there (bench.sh gathers it).
 *
 * An HTTPS server on loopback, in this process, tells of the crowd. First every namespace enforces
 * baseline, which its containers satisfy: nothing is found, as on most nodes. Then all enforce
 * restricted, which none satisfies: as many findings are open as there are containers, the worst
 * that can be. Times of the processor are all threads' of the daemon, user and system.
 */
#include "../kubernetes/kube_server.h"
#include "api_daemon.h"
#include "api_text.h"
#include "crowd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define API_TOKEN	 "a-token"
#define OTHER_NAMESPACES 75u  /* a cluster has more than one node's pods are of */
#define SECONDS_MAX	 600u /* of the whole: a bench that hangs ends */
#define RELISTS		 7
#define RELISTS_CHANGED	 3
#define CHANGES		 40
#define ROUNDS		 11 /* of passes, in turns with and without the API */
#define ROUND_PASSES	 5
#define WATCH_LASTS_MS	 1100u /* a shorter watch counts as failed and is resumed later and later */
#define CHANGED_EVERY	 10u
#define TRIES		 4

struct bench {
	const char *program, *host_root, *work;
	struct api_crowd crowd;
	struct kube_server *server;
	unsigned pod_version, namespace_version;
	size_t list_size;
	struct api_daemon with, without;
};

static void row(const char *what, const char *demanded, int digits, const char *unit, double figure)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%.*f%s", digits, figure, unit);
	(void)printf("%-58s %14s %16s\n", what, demanded, text);
	(void)fflush(stdout);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void write_file(const struct bench *bench, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", bench->work, name);
	f = fopen(path, "we");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		api_die("%s: %s", path, strerror(errno));
}

static void set_pods(struct bench *bench, unsigned every, unsigned generation)
{
	char *text = api_pod_list(
		&bench->crowd, ++bench->pod_version, every, generation, &bench->list_size);

	kube_server_set_list(bench->server, SERVER_PODS, text, bench->list_size);
	free(text);
}

static void set_namespaces(struct bench *bench, const char *level)
{
	size_t length;
	char *text = api_namespace_list(&bench->crowd, ++bench->namespace_version, level, &length);

	kube_server_set_list(bench->server, SERVER_NAMESPACES, text, length);
	free(text);
}

static void start_server(struct bench *bench)
{
	const struct kube_server_options options = { .token = API_TOKEN };
	char kubeconfig[1024];

	if (kube_server_new(&options, &bench->server) < 0)
		api_die("the server does not start");
	write_file(bench, "authority.pem", kube_server_certificates(bench->server)->authority);
	(void)snprintf(kubeconfig, sizeof(kubeconfig),
		"apiVersion: v1\nkind: Config\ncurrent-context: c\n"
		"contexts: [{ name: c, context: { cluster: k, user: u } }]\n"
		"clusters: [{ name: k, cluster: { server: \"%s\", "
		"certificate-authority: authority.pem } }]\n"
		"users: [{ name: u, user: { token: " API_TOKEN " } }]\n",
		kube_server_url(bench->server));
	write_file(bench, "kubeconfig", kubeconfig);
	bench->pod_version = bench->namespace_version = 1000;
	set_pods(bench, 0, 0);
}

/* All namespaces enforce `level`. Without the API the policy asks for the same: as much is found.
 */
static void start_daemons(struct bench *bench, const char *level, unsigned long findings)
{
	char policy[512], kubeconfig[512], text[256];
	const char *const with[] = { bench->program, "run", "--policy", policy, "--host-root",
		bench->host_root, "--engine", "procfs", "--node", "n1", "--kubeconfig", kubeconfig,
		NULL };
	const char *const without[] = { bench->program, "run", "--policy", policy, "--host-root",
		bench->host_root, "--engine", "procfs", "--node", "n1", "--kubernetes", "off",
		NULL };

	(void)snprintf(policy, sizeof(policy), "%s/api.yaml", bench->work);
	(void)snprintf(kubeconfig, sizeof(kubeconfig), "%s/kubeconfig", bench->work);
	(void)snprintf(text, sizeof(text),
		"version: 1\ndefaultProfile: %s\nrun: { interval: 1h, outputs: [stdout] }\n",
		level);
	write_file(bench, "api.yaml", text);
	set_namespaces(bench, level);
	api_daemon_start(&bench->with, bench->work, "with", with);
	api_daemon_start(&bench->without, bench->work, "without", without);
	api_daemon_wait_open(&bench->with, findings);
	api_daemon_wait_open(&bench->without, findings);
	api_daemon_wait_rest(&bench->with);
	api_daemon_wait_rest(&bench->without);
}

/* What the daemon uses from a watch's end by 410 Gone, until the list is read, the next watch open
 * and all is at rest. In milliseconds. */
static double relist_once(struct bench *bench, unsigned every, unsigned generation)
{
	size_t lists = kube_server_count(bench->server, SERVER_PODS, SERVER_LIST),
	       watches = kube_server_count(bench->server, SERVER_PODS, SERVER_WATCH), length;
	uint64_t before, until;
	unsigned version = ++bench->pod_version;
	char *expired = api_expired_event(&length);

	set_pods(bench, every, generation);
	api_daemon_listen(&bench->with, WATCH_LASTS_MS);
	before = api_daemon_cpu_ns(&bench->with);
	until = api_now_ns() + 30000000000u;
	kube_server_push(bench->server, SERVER_PODS, version, expired, length);
	free(expired);
	while (kube_server_count(bench->server, SERVER_PODS, SERVER_WATCH) == watches) {
		if (api_now_ns() > until)
			api_die("run did not list anew");
		api_daemon_listen(&bench->with, 10);
	}
	api_daemon_wait_rest(&bench->with);
	if (kube_server_count(bench->server, SERVER_PODS, SERVER_LIST) != lists + 1)
		api_die("run did not list once");
	return (double)(api_daemon_cpu_ns(&bench->with) - before) / 1e6;
}

/* Other containers that come or go meanwhile set off passes, which are no part of it: again. */
static double relist(struct bench *bench, unsigned every, unsigned generation)
{
	unsigned expected = every ? 1 : 0; /* looks at what changed */
	double cost = 0;

	for (int tries = 0; tries < TRIES; tries++) {
		unsigned passes = bench->with.passes;

		cost = relist_once(bench, every, generation + (unsigned)tries);
		if (bench->with.passes - passes == expected)
			return cost;
	}
	(void)fprintf(
		stderr, "bench: this node is not at rest: a relist's cost has a pass's in it\n");
	return cost;
}

static void measure_relists(struct bench *bench)
{
	double same[RELISTS], changed[RELISTS_CHANGED];

	for (size_t i = 0; i < RELISTS; i++)
		same[i] = relist(bench, 0, 0);
	for (unsigned i = 0; i < RELISTS_CHANGED; i++)
		changed[i] = relist(bench, CHANGED_EVERY, (i + 1) * TRIES);
	row("  a relist after 410 Gone: CPU time (ms), median of 7", "< 60 ms", 1, " ms",
		median(same, RELISTS));
	row("    the slowest of them", "", 1, " ms", same[RELISTS - 1]);
	row("    each tenth pod has changed and all is judged again", "", 1, " ms",
		median(changed, RELISTS_CHANGED));
}

/* From before the event is given to the server until the daemon's line has been read from its pipe:
 * with the server's thread waking, encrypting and sending one event. */
static void measure_labels(struct bench *bench, bool begins_open)
{
	unsigned number = bench->crowd.namespaces / 2;
	size_t findings =
		(size_t)bench->crowd.pods / bench->crowd.namespaces * bench->crowd.containers;
	double first[CHANGES], last[CHANGES];
	char name[64];

	(void)snprintf(name, sizeof(name), CROWD_NAMESPACE, number);
	for (unsigned i = 0; i < CHANGES; i++) {
		bool opens = (i % 2 == 0) != begins_open;
		struct api_awaited awaited = { .namespace_name = name,
			.state = opens ? "opened" : "resolved" };
		unsigned version = ++bench->namespace_version;
		size_t length;
		char *event = api_namespace_event(
			number, version, opens ? "restricted" : "baseline", &length);
		uint64_t begin;

		api_daemon_listen(&bench->with, 100 + i * 37 % 100);
		begin = api_now_ns();
		kube_server_push(bench->server, SERVER_NAMESPACES, version, event, length);
		api_daemon_wait_findings(&bench->with, &awaited, findings);
		free(event);
		first[i] = (double)(awaited.first_ns - begin) / 1e6;
		last[i] = (double)(awaited.last_ns - begin) / 1e6;
	}
	row("  a changed label's first finding (ms), median of 40", "< 100 ms", 1, " ms",
		median(first, CHANGES));
	row("    the slowest of them", "", 1, " ms", first[CHANGES - 1]);
	row("    the last of the namespace's findings, median", "", 1, " ms",
		median(last, CHANGES));
	row("    how many findings a change opens or resolves", "", 0, "", (double)findings);
}

/* Milliseconds of processor for a pass. */
static double passes(struct api_daemon *daemon)
{
	uint64_t before = api_daemon_cpu_ns(daemon);

	for (int i = 0; i < ROUND_PASSES; i++)
		api_daemon_pass(daemon);
	api_daemon_listen(daemon, 30); /* memory is given back after the status */
	return (double)(api_daemon_cpu_ns(daemon) - before) / 1e6 / ROUND_PASSES;
}

static void measure_passes(struct bench *bench)
{
	double with[ROUNDS], without[ROUNDS], ratios[ROUNDS];

	(void)passes(&bench->with);
	(void)passes(&bench->without);
	for (int i = 0; i < ROUNDS; i++) {
		/* Neither is always the one that finds the caches warm. */
		if (i % 2)
			with[i] = passes(&bench->with);
		without[i] = passes(&bench->without);
		if (i % 2 == 0)
			with[i] = passes(&bench->with);
	}
	for (int i = 0; i < ROUNDS; i++)
		ratios[i] = with[i] / without[i];
	row("  a pass with it by one without, median of 11 pairs", "< 1.10", 3, "",
		median(ratios, ROUNDS));
	row("    CPU time of a pass with it (ms)", "", 1, " ms", median(with, ROUNDS));
	row("    CPU time of a pass without it (ms)", "", 1, " ms", median(without, ROUNDS));
}

static double mebibytes(const struct api_daemon *daemon, const char *field)
{
	return (double)api_daemon_memory(daemon, field) / 1024;
}

static void measure_memory(const struct bench *bench)
{
	row("  resident memory (MiB)", "<= 16 MiB", 1, " MiB", mebibytes(&bench->with, "VmRSS"));
	row("    at its highest in all this (MiB)", "<= 16 MiB", 1, " MiB",
		mebibytes(&bench->with, "VmHWM"));
	row("    of it the program and its libraries (MiB)", "", 1, " MiB",
		mebibytes(&bench->with, "RssFile"));
	row("    without the API source, now (MiB)", "", 1, " MiB",
		mebibytes(&bench->without, "VmRSS"));
	row("    without it, at its highest (MiB)", "", 1, " MiB",
		mebibytes(&bench->without, "VmHWM"));
}

static void stop_daemons(struct bench *bench)
{
	api_daemon_stop(&bench->with);
	api_daemon_stop(&bench->without);
}

static unsigned number_of(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || number == 0 || number > 100000)
		api_die("%s is no number", text);
	return (unsigned)number;
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	char what[128];

	if (argc != 8) {
		(void)fprintf(stderr, "usage: api PROGRAM HOST_ROOT WORK TOKEN PODS CONTAINERS "
				      "NAMESPACES\n");
		return 2;
	}
	/* Its default action ends the daemons too: see api_die(). */
	(void)alarm(SECONDS_MAX);
	bench.program = argv[1];
	bench.host_root = argv[2];
	bench.work = argv[3];
	bench.crowd = (struct api_crowd){ argv[4], number_of(argv[5]), 0, number_of(argv[7]),
		OTHER_NAMESPACES };
	bench.crowd.containers = number_of(argv[6]) / bench.crowd.pods;
	if (bench.crowd.containers == 0 || bench.crowd.pods % bench.crowd.namespaces != 0)
		api_die("the crowd cannot be shared out");
	bench.with.other = &bench.without;
	bench.without.other = &bench.with;
	start_server(&bench);
	(void)snprintf(what, sizeof(what), "%u containers in %u pods: KiB of a pod from the API",
		bench.crowd.pods * bench.crowd.containers, bench.crowd.pods);
	row(what, "", 1, " KiB", (double)bench.list_size / bench.crowd.pods / 1024);

	start_daemons(&bench, "baseline", 0);
	row("with the API source, no violation: open findings", "", 0, "", (double)bench.with.open);
	measure_relists(&bench);
	measure_labels(&bench, false);
	measure_passes(&bench);
	measure_memory(&bench);
	stop_daemons(&bench);

	start_daemons(
		&bench, "restricted", (unsigned long)bench.crowd.pods * bench.crowd.containers);
	row("with the API source, all in violation: open findings", "", 0, "",
		(double)bench.with.open);
	measure_relists(&bench);
	measure_labels(&bench, true);
	measure_passes(&bench);
	measure_memory(&bench);
	stop_daemons(&bench);
	kube_server_free(bench.server);
	return 0;
}
