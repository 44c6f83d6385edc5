/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Prometheus is told: values, and their text (exposition format 0.0.4). docs/interface.md has
 * the names. The number of series is bounded: no label carries what a pod, a container or a process
 * is called, and of namespaces and exceptions only so many are shown.
 */
#ifndef CAPAUDITD_METRICS_H
#define CAPAUDITD_METRICS_H

#include <capauditd/finding.h>
#include <capauditd/macros.h>
#include <capauditd/policy.h>
#include <capauditd/task.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Namespaces shown one by one; findings of all others are counted under METRICS_OTHER, which no
 * namespace can be called. A node runs some 110 pods. */
#define METRICS_NAMESPACES_MAX 64u
#define METRICS_OTHER	       "_other"
#define METRICS_EXCEPTIONS_MAX 64u /* those that expire first */

#define METRICS_CLASSES	   2u
#define METRICS_VERDICTS   (VERDICT_VIOLATION + 1u)
#define METRICS_SEVERITIES (SEVERITY_CRITICAL + 1u)
#define METRICS_LEVELS	   (LEVEL_PRIVILEGED + 1u)
#define METRICS_ENGINES	   2u

/* How long passes took. */
#define METRICS_BUCKETS 14u
struct histogram {
	uint64_t buckets[METRICS_BUCKETS]; /* of each alone, not summed up */
	uint64_t count, sum_us;
};
void histogram_add(struct histogram *histogram, uint64_t us);

/* Open findings by namespace. A namespace that is shown stays so for as long as it has open
 * findings, so that series do not come and go with the order in which they are counted. */
struct namespace_counts;
struct namespace_counts *namespace_counts_new(void); /* NULL when out of memory */
void namespace_counts_free(struct namespace_counts *counts);
DEFINE_CLEANUP(struct namespace_counts, namespace_counts_free)
/* Counts anew; then every open finding is to be added. */
void namespace_counts_begin(struct namespace_counts *counts);
void namespace_counts_add(struct namespace_counts *counts, const struct finding *finding);
/* Which namespaces are shown (escaped, not yet for Prometheus), 0 <= i < count. The last two are
 * "" (no pod, or not known) and METRICS_OTHER. */
size_t namespace_counts_count(const struct namespace_counts *counts);
const char *namespace_counts_name(const struct namespace_counts *counts, size_t i);
uint64_t namespace_counts_of(const struct namespace_counts *counts, size_t i,
	enum violation_class class, enum verdict verdict, enum severity severity);

#define METRICS_SINKS 2u /* journal, stdout: the bits of enum outputs */

enum source { SOURCE_LOGS, SOURCE_BUNDLES, SOURCE_KUBERNETES, METRICS_SOURCES };
enum source_state { SOURCE_UNUSED, SOURCE_DOWN, SOURCE_UP };

/* What the daemon counts while it runs. */
struct run_counts {
	uint64_t scans[METRICS_ENGINES]; /* completed, by engine: procfs, bpf */
	uint64_t scan_failures;
	struct histogram scan_duration;
	uint64_t last_complete_us;				/* realtime; 0: none yet */
	uint64_t findings[METRICS_CLASSES][METRICS_SEVERITIES]; /* violations that opened */
	uint64_t reload_success_us;
	uint64_t reload_failures;
};

/* The daemon's own process, as process_* are for any. */
struct process_usage {
	uint64_t cpu_us, resident_bytes, virtual_bytes, open_fds, max_fds;
	uint64_t start_us; /* realtime */
};

/* All that is told, at one moment. */
struct metrics {
	const char *version, *engine;
	const struct run_counts *counts;
	const struct namespace_counts *open;
	struct coverage coverage; /* of the last pass */
	bool complete;
	uint64_t containers[METRICS_LEVELS]; /* by level; LEVEL_UNKNOWN: not judged */
	uint64_t without_drop_all;
	uint64_t execs, cgroups, events_lost;
	uint64_t sink_failures[METRICS_SINKS];
	uint64_t undelivered; /* what waits for a sink */
	uint64_t dropped;     /* findings that are lost */
	enum source_state sources[METRICS_SOURCES];
	const struct policy *policy;
	struct process_usage process;
};

/* 0 or -errno. */
int metrics_write(const struct metrics *metrics, FILE *to);

#endif
