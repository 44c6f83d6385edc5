/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The metrics: a row each, in the order in which they are written. Knows nothing of where the
 * values come from.
 */
#include "metrics_text.h"

#include <capauditd/text.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* -- with labels -- */

static void put_build(struct metrics_text *text, const struct metrics *m)
{
	metrics_text_label(text, "version", m->version);
	metrics_text_count(text, 1);
}

static void put_engine(struct metrics_text *text, const struct metrics *m)
{
	metrics_text_label(text, "engine", m->engine);
	metrics_text_count(text, 1);
}

static void put_sources(struct metrics_text *text, const struct metrics *m)
{
	static const char *const names[METRICS_SOURCES] = { "logs", "bundles", "kubernetes" };

	for (size_t i = 0; i < METRICS_SOURCES; i++) {
		if (m->sources[i] == SOURCE_UNUSED)
			continue;
		metrics_text_label(text, "source", names[i]);
		metrics_text_count(text, m->sources[i] == SOURCE_UP);
	}
}

static void put_scans(struct metrics_text *text, const struct metrics *m)
{
	static const char *const names[METRICS_ENGINES] = { "procfs", "bpf" };

	for (size_t i = 0; i < METRICS_ENGINES; i++) {
		metrics_text_label(text, "engine", names[i]);
		metrics_text_count(text, m->counts->scans[i]);
	}
}

static void put_levels(struct metrics_text *text, const struct metrics *m)
{
	for (unsigned i = 0; i < METRICS_LEVELS; i++) {
		const char *name = level_name((enum level)i);

		metrics_text_label(text, "level", name ? name : "unknown");
		metrics_text_count(text, m->containers[i]);
	}
}

static const char *severity_text(unsigned severity)
{
	const char *name = severity_name((enum severity)severity);

	return name ? name : "";
}

/* Those that are 0 are left out: of namespaces times kinds most are. */
static void put_open_of(struct metrics_text *text, const struct metrics *m, size_t i,
	enum violation_class class, enum verdict verdict)
{
	for (unsigned severity = 0; severity < METRICS_SEVERITIES; severity++) {
		uint64_t count =
			namespace_counts_of(m->open, i, class, verdict, (enum severity)severity);

		if (!count)
			continue;
		metrics_text_label(text, "class", violation_class_name(class));
		metrics_text_label(text, "severity", severity_text(severity));
		metrics_text_label(text, "verdict", verdict_name(verdict));
		metrics_text_label(text, "workload_namespace", namespace_counts_name(m->open, i));
		metrics_text_count(text, count);
	}
}

static void put_open(struct metrics_text *text, const struct metrics *m)
{
	for (size_t i = 0; i < namespace_counts_count(m->open); i++)
		for (unsigned class = 0; class < METRICS_CLASSES; class ++)
			for (unsigned verdict = 0; verdict < METRICS_VERDICTS; verdict++)
				put_open_of(text, m, i, (enum violation_class) class,
					(enum verdict)verdict);
}

static void put_findings(struct metrics_text *text, const struct metrics *m)
{
	for (unsigned class = 0; class < METRICS_CLASSES; class ++)
		for (unsigned severity = SEVERITY_LOW; severity < METRICS_SEVERITIES; severity++) {
			metrics_text_label(
				text, "class", violation_class_name((enum violation_class) class));
			metrics_text_label(text, "severity", severity_text(severity));
			metrics_text_count(text, m->counts->findings[class][severity]);
		}
}

static void put_events(struct metrics_text *text, const struct metrics *m)
{
	metrics_text_label(text, "kind", "exec");
	metrics_text_count(text, m->execs);
	metrics_text_label(text, "kind", "cgroup");
	metrics_text_count(text, m->cgroups);
}

static void put_sink_failures(struct metrics_text *text, const struct metrics *m)
{
	static const char *const names[METRICS_SINKS] = { "journal", "stdout" };

	for (size_t i = 0; i < METRICS_SINKS; i++) {
		metrics_text_label(text, "sink", names[i]);
		metrics_text_count(text, m->sink_failures[i]);
	}
}

/* -- exceptions -- */

static int compare_expiry(const void *a, const void *b)
{
	const struct policy_exception *const *x = a, *const *y = b;

	if ((*x)->expires_day != (*y)->expires_day)
		return (*x)->expires_day < (*y)->expires_day ? -1 : 1;
	return strcmp((*x)->reason, (*y)->reason);
}

/* By its reason, the one thing that every exception has. Of several with the same one the first to
 * expire counts, since a series may be there only once; the same goes for those that are when cut.
 */
struct shown {
	char reasons[METRICS_EXCEPTIONS_MAX][METRICS_LABEL_SIZE];
	size_t count;
};

static bool is_new(struct shown *shown, const char *reason)
{
	char *text = shown->reasons[shown->count];

	text_escape_into(text, METRICS_LABEL_SIZE, reason, strlen(reason));
	for (size_t i = 0; i < shown->count; i++)
		if (strcmp(shown->reasons[i], text) == 0)
			return false;
	shown->count++;
	return true;
}

static void put_exceptions(struct metrics_text *text, const struct metrics *m)
{
	const uint64_t day_us = UINT64_C(86400000000);
	const size_t all = policy_exception_count(m->policy);
	_cleanup_free_ const struct policy_exception **sorted =
		calloc(all + 1, sizeof(const struct policy_exception *));
	struct shown shown = { .count = 0 };
	size_t count = 0;

	if (!sorted) {
		text->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < all; i++)
		if (policy_exception_at(m->policy, i)->expires)
			sorted[count++] = policy_exception_at(m->policy, i);
	qsort(sorted, count, sizeof(const struct policy_exception *), compare_expiry);
	for (size_t i = 0; i < count && shown.count < METRICS_EXCEPTIONS_MAX; i++) {
		if (!is_new(&shown, sorted[i]->reason))
			continue;
		metrics_text_label(text, "exception", sorted[i]->reason);
		metrics_text_seconds(text, (sorted[i]->expires_day + 1) * day_us);
	}
}

/* -- without labels -- */

#define VALUE(name, expression)                       \
	static uint64_t name(const struct metrics *m) \
	{                                             \
		return expression;                    \
	}
VALUE(scan_failures, m->counts->scan_failures)
VALUE(last_complete, m->counts->last_complete_us)
VALUE(is_complete, m->complete)
VALUE(tasks, m->coverage.tasks)
VALUE(processes, m->coverage.processes)
VALUE(container_processes, m->coverage.container_processes)
VALUE(pods, m->coverage.pods)
VALUE(starting, m->coverage.starting)
VALUE(opaque, m->coverage.opaque)
VALUE(without_drop_all, m->without_drop_all)
VALUE(unreadable, m->coverage.unreadable)
VALUE(unattributed, m->coverage.unattributed)
VALUE(over_limit, m->coverage.over_limit)
VALUE(events_lost, m->events_lost)
VALUE(undelivered, m->undelivered)
VALUE(dropped, m->dropped)
VALUE(reload_success, m->counts->reload_success_us)
VALUE(reload_failures, m->counts->reload_failures)
VALUE(cpu, m->process.cpu_us)
VALUE(resident, m->process.resident_bytes)
VALUE(virtual, m->process.virtual_bytes)
VALUE(open_fds, m->process.open_fds)
VALUE(max_fds, m->process.max_fds)
VALUE(start_time, m->process.start_us)

static void put_duration(struct metrics_text *text, const struct metrics *m)
{
	metrics_text_histogram(text, &m->counts->scan_duration);
}

/* A row has `put`, or `count`, or `us` (microseconds, told as seconds). */
static const struct row {
	const char *name, *type, *help;
	void (*put)(struct metrics_text *text, const struct metrics *metrics);
	uint64_t (*count)(const struct metrics *metrics);
	uint64_t (*us)(const struct metrics *metrics);
} rows[] = {
	{ "capauditd_build_info", "gauge", "The program's version; always 1.", .put = put_build },
	{ "capauditd_engine_info", "gauge", "What looks at this node's tasks; always 1.",
		.put = put_engine },
	{ "capauditd_source_up", "gauge",
		"Whether a source of names that is in use could be read when it was asked last.",
		.put = put_sources },
	{ "capauditd_scans_total", "counter", "Passes over the node's tasks that were completed.",
		.put = put_scans },
	{ "capauditd_scan_failures_total", "counter", "Passes that failed.",
		.count = scan_failures },
	{ "capauditd_scan_duration_seconds", "histogram", "How long a pass took.",
		.put = put_duration },
	{ "capauditd_last_complete_pass_timestamp_seconds", "gauge",
		"When a pass last saw everything; 0: none did yet.", .us = last_complete },
	{ "capauditd_coverage_complete", "gauge", "Whether the last pass saw everything.",
		.count = is_complete },
	{ "capauditd_tasks", "gauge", "Threads of user processes on the node.", .count = tasks },
	{ "capauditd_processes", "gauge", "User processes on the node.", .count = processes },
	{ "capauditd_container_processes", "gauge", "Processes in containers.",
		.count = container_processes },
	{ "capauditd_pods", "gauge", "Pods with processes on the node.", .count = pods },
	{ "capauditd_containers", "gauge",
		"Containers by the strictest built-in profile that what they hold satisfies; "
		"unknown: not judged (its program does not run yet, or cannot be seen into).",
		.put = put_levels },
	{ "capauditd_starting_containers", "gauge",
		"Containers that were not judged yet: their programs do not run.",
		.count = starting },
	{ "capauditd_opaque_containers", "gauge",
		"Containers that nobody can see into from the host (gVisor, Kata).",
		.count = opaque },
	{ "capauditd_containers_without_drop_all", "gauge",
		"Containers that do not drop ALL capabilities.", .count = without_drop_all },
	{ "capauditd_open_findings", "gauge",
		"Open findings. At most 64 namespaces are told apart, the rest are _other.",
		.put = put_open },
	{ "capauditd_findings_total", "counter", "Violations that were opened.",
		.put = put_findings },
	{ "capauditd_events_total", "counter",
		"Events of the kernel that the engine heard of: programs that began, cgroups that "
		"came or went.",
		.put = put_events },
	{ "capauditd_events_lost_total", "counter", "Events that were lost; a full pass follows.",
		.count = events_lost },
	{ "capauditd_unreadable_tasks", "gauge",
		"Living processes whose capabilities or cgroup could not be read.",
		.count = unreadable },
	{ "capauditd_unattributed_tasks", "gauge",
		"Processes in containers of whom it is not known whose they are.",
		.count = unattributed },
	{ "capauditd_over_limit_tasks", "gauge",
		"Tasks beyond what the tables hold: they were not judged.", .count = over_limit },
	{ "capauditd_sink_failures_total", "counter",
		"How often a sink failed to take what was handed to it; it is tried again.",
		.put = put_sink_failures },
	{ "capauditd_undelivered_findings", "gauge",
		"Findings, and messages to the journal, that wait for a sink.",
		.count = undelivered },
	{ "capauditd_dropped_findings_total", "counter",
		"Findings that are lost: too many wait for a sink, or the ledger is full.",
		.count = dropped },
	{ "capauditd_policy_reload_success_timestamp_seconds", "gauge",
		"When the policy that is in force was loaded.", .us = reload_success },
	{ "capauditd_policy_reload_failures_total", "counter",
		"Policies that were refused; the one before stayed.", .count = reload_failures },
	{ "capauditd_policy_exception_expiry_timestamp_seconds", "gauge",
		"When an exception of the policy, by its reason, ends; the 64 that end first.",
		.put = put_exceptions },
	{ "process_cpu_seconds_total", "counter", "Processor time of the daemon.", .us = cpu },
	{ "process_resident_memory_bytes", "gauge", "Resident memory of the daemon.",
		.count = resident },
	{ "process_virtual_memory_bytes", "gauge", "Virtual memory of the daemon.",
		.count = virtual },
	{ "process_open_fds", "gauge", "Open file descriptors of the daemon.", .count = open_fds },
	{ "process_max_fds", "gauge", "How many it may open.", .count = max_fds },
	{ "process_start_time_seconds", "gauge", "When the daemon was started.", .us = start_time },
};

int metrics_write(const struct metrics *metrics, FILE *to)
{
	struct metrics_text text = { .to = to };

	for (size_t i = 0; text.error == 0 && i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		metrics_text_begin(&text, row->name, row->type, row->help);
		if (row->put)
			row->put(&text, metrics);
		else if (row->count)
			metrics_text_count(&text, row->count(metrics));
		else
			metrics_text_seconds(&text, row->us(metrics));
	}
	return metrics_text_end(&text);
}
