/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Gathers what the daemon knows of itself and of its last pass for the metrics. Formats nothing.
 */
#include "run.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

_Static_assert((unsigned)RUN_SINKS == METRICS_SINKS, "each sink has a metric");

static uint64_t count_files(const char *folder)
{
	DIR *directory = opendir(folder);
	const struct dirent *entry;
	uint64_t count = 0;

	if (!directory)
		return 0;
	while ((entry = readdir(directory)))
		count += entry->d_name[0] != '.';
	(void)closedir(directory);
	return count - 1; /* the folder's own */
}

static void find_usage(struct process_usage *usage)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	_cleanup_free_ char *text = NULL;
	char *end;
	struct rusage used;
	struct rlimit limit;
	size_t length;

	if (getrusage(RUSAGE_SELF, &used) == 0)
		usage->cpu_us = (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000u +
				(uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
	/* proc(5): statm, in pages */
	if (read_whole_file("/proc/self/statm", 4096, &text, &length) == 0) {
		usage->virtual_bytes = strtoull(text, &end, 10) * page;
		usage->resident_bytes = strtoull(end, NULL, 10) * page;
	}
	usage->open_fds = count_files("/proc/self/fd");
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		usage->max_fds = limit.rlim_cur;
}

static void count_containers(struct run *run, struct metrics *metrics)
{
	struct registry *registry = run->audit.registry;

	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct known_container *known = registry_at(registry, i);
		const struct assessment *a = &known->assessment;
		const bool judged = !known->container.opaque && !a->starting;

		if (known->container.host)
			continue;
		metrics->containers[judged ? a->level : LEVEL_UNKNOWN]++;
		metrics->without_drop_all += judged && a->advice_drop_all;
	}
}

static void count_open(struct run *run)
{
	const void *position = NULL;
	const struct finding *f;

	namespace_counts_begin(run->open);
	while ((f = ledger_next(run->ledger, &position)))
		namespace_counts_add(run->open, f);
}

static void count_events(const struct run *run, struct metrics *metrics)
{
	struct event_counts counts;
	uint64_t lost;

	engine_count_events(run->audit.engine, &counts);
	lost = counts.lost + run->events_failed;
	metrics->execs = counts.execs;
	metrics->cgroups = counts.cgroups;
	metrics->events_lost = lost > run->events_lost ? lost : run->events_lost;
}

/* 1, 0 or -ENOENT as registry_logs_up() has it. */
static enum source_state source_state(int up)
{
	if (up < 0)
		return SOURCE_UNUSED;
	return up ? SOURCE_UP : SOURCE_DOWN;
}

static void find_sources(const struct run *run, struct metrics *metrics)
{
	enum source_state *sources = metrics->sources;

	sources[SOURCE_LOGS] = source_state(registry_logs_up(run->audit.registry));
	sources[SOURCE_BUNDLES] = source_state(registry_bundles_up(run->audit.registry));
	/* It may be asked for, and not be available. */
	if (run->sources.cluster)
		sources[SOURCE_KUBERNETES] =
			source_state(run->kubernetes && kubernetes_is_up(run->kubernetes));
}

int run_write_metrics(struct run *run, char **ret, size_t *ret_length)
{
	struct metrics metrics = {
		.version = CAPAUDITD_VERSION,
		.engine = run->audit.engine->name,
		.counts = &run->counts,
		.coverage = run->coverage,
		.complete = run->passed && run->complete,
		.undelivered = outbox_count(run->outbox),
		.dropped = run_dropped(run) + ledger_dropped(run->ledger),
		.policy = run->policy,
		.process.start_us = run->started_us,
	};
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *to;
	int r;

	if (!run->open)
		run->open = namespace_counts_new();
	if (!run->open)
		return -ENOMEM;
	metrics.open = run->open;
	count_open(run);
	count_containers(run, &metrics);
	count_events(run, &metrics);
	find_sources(run, &metrics);
	for (unsigned i = 0; i < RUN_SINKS; i++)
		metrics.sink_failures[i] = run->sinks[i].failures;
	find_usage(&metrics.process);
	to = open_memstream(&text, &length);
	if (!to)
		return -ENOMEM;
	r = metrics_write(&metrics, to);
	/* Out of memory at the last moment, fclose() says success and leaves no text (glibc). */
	if ((fclose(to) != 0 || !text) && r == 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	*ret_length = length;
	return 0;
}
