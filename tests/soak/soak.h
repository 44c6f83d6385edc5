/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A soak: the daemon under a steady load for as long as is asked for, and what was seen of it.
 *
 * One run (soak_run()) makes a record; what must hold of it is judged by tests of their own. The
 * load is a crowd (../bench/crowd.c) that stays and programs (forks.c) that begin and end.
 */
#ifndef CAPAUDITD_SOAK_H
#define CAPAUDITD_SOAK_H

#include "../system/sys_http.h"

#define SOAK_WATCHDOG_MS 12000u /* WATCHDOG_USEC, in milliseconds */

#define SOAK_SAMPLES_MIN 20u

/* From the environment: SOAK_SECONDS, SOAK_PROCESSES, SOAK_CONTAINERS, SOAK_FORKS (a second),
 * SOAK_FORKERS (containers in which they begin), SOAK_RULES. */
struct soak_sizes {
	unsigned seconds, processes, containers, forks, forkers, rules;
	bool required; /* SOAK_REQUIRED=1: a machine that is too small or too slow is a failure */
};

/* Of the daemon, right after a pass. */
struct soak_sample {
	uint64_t at_ms;
	uint64_t anonymous_kib, resident_kib; /* smaps_rollup */
	uint64_t descriptors, threads, cpu_ms;
	uint64_t pass_ms;			 /* by the clock on the wall */
	uint64_t passes, execs, lost, processes; /* metrics */
};

struct soak_record {
	bool complete;
	uint64_t begun_ms, ended_ms; /* the load */
	struct soak_sample *samples; /* in their order */
	size_t count, space;
	size_t planned;			/* so many were seen in the time that was asked for */
	size_t last;			/* where the last quarter begins */
	unsigned apart;			/* how many quarters after the third it is */
	struct soak_sample end;		/* when all was settled: the metrics alone */
	uint64_t asked;			/* passes that were asked for */
	uint64_t feeds, longest_gap_ms; /* WATCHDOG=1 */
	uint64_t programs, violating;	/* that ran, as the load says */
	double took_s;			/* the load, as it says */
	uint64_t places;		/* containers that it made */
	uint64_t counted;		/* of `violating`, in what the daemon told */
	uint64_t told;			/* lines */
	uint64_t state_bytes;
	int status; /* exit status of the daemon after SIGTERM */
};

/* -- soak_sizes.c -- */
void soak_sizes(struct soak_sizes *ret);
/* Skips the running test, or fails it where that much is required, where the machine cannot hold
 * it; says why. */
void soak_need_room(struct sys *sys, const struct soak_sizes *sizes);
/* Skips or fails with these words. */
void soak_cannot(const struct soak_sizes *sizes, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Writes a policy of so many rules, and where the state goes. */
void soak_write_policy(const struct soak_sizes *sizes, const char *file, const char *state);

/* -- soak_load.c -- */
struct soak_load;
/* The crowd is there, and a process in each container of those that fork. */
struct soak_load *soak_load_start(struct sys *sys, const struct soak_sizes *sizes);
void soak_load_go(struct soak_load *load);
/* Ends what begins and ends, and takes down what it says of itself. */
void soak_load_stop(struct soak_load *load, struct soak_record *record);
/* Their containers go. */
void soak_load_leave(struct soak_load *load);
/* And so does the crowd. */
void soak_load_end(struct soak_load *load);
/* Is it one of the containers in which programs begin and end? */
bool soak_load_is_forks(struct sys *sys, const char *container_id);

/* -- soak_daemon.c -- */
struct soak_daemon;
struct soak_daemon *soak_daemon_start(
	struct sys *sys, const struct soak_sizes *sizes, const char *engine);
/* Takes samples, one after each pass, until then, or longer on a machine that is too slow for
 * SOAK_SAMPLES_MIN of them. */
void soak_daemon_watch(struct soak_daemon *daemon, struct soak_record *record, uint64_t until_ms);
/* Until nothing of the containers that fork is open any more: all was counted that was heard of. */
void soak_daemon_settle(struct soak_daemon *daemon, struct soak_record *record);
void soak_daemon_stop(struct soak_daemon *daemon, struct soak_record *record);
/* What it wrote to standard error; the fixture's. */
const char *soak_daemon_errors(struct soak_daemon *daemon);

/* -- soak_kernel.c: what the kernel says of a process -- */
void soak_look_at(pid_t pid, struct soak_sample *sample);

#endif
