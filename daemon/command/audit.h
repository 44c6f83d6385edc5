/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One pass through the stages: discover, identify, judge. `scan` takes one, `run` many.
 */
#ifndef CAPAUDITD_AUDIT_H
#define CAPAUDITD_AUDIT_H

#include <capauditd/clock.h>
#include <capauditd/discover.h>
#include <capauditd/identify.h>
#include <capauditd/judge.h>
#include <capauditd/report.h>

/* A container of a pass with its verdict. `known` is the registry's. */
struct audited {
	struct known_container *known;
	struct assessment assessment;
	struct observation *observations; /* settled */
	size_t observation_count;
	bool news; /* the sources have said something of it since it was judged last */
};

struct audit_result {
	struct audited *containers; /* empty where the audit has `take` */
	size_t container_count;
	uint64_t started_us, duration_us;
	uint64_t begin_us; /* monotonic */
	bool again;	   /* of tasks that had been judged before */
	bool event;	   /* of a program that has begun, alone */
	bool seen;	   /* and that the last pass has judged */
	struct coverage coverage;
	/* Processes that are too young to be told from the runtime's own, since their executables
	 * cannot be read: they were not judged. A pass AUDIT_SETTLE_US later can. */
	uint64_t unsettled;
	/* Containers that run, in which a task that looks like the runtime's holds what they were
	 * not given, or did in the pass before. A few passes AUDIT_SETTLE_US apart tell. */
	uint64_t suspects;
	/* Containers of which something would have been said, had those whom it was about not
	 * ended meanwhile. Their successors may hold the same. */
	uint64_t missed;
};

#define AUDIT_SETTLE_US 1100000u

/* For so long after its container was first seen a pod may only just have been made: the API has
 * not told of it yet, and posture waits. */
#define AUDIT_API_GRACE_US 30000000u

/* What a verdict depends on besides the container: where it is another, all are judged. */
struct audit_terms {
	const struct policy *policy;
	const struct profile *forced;
	uint64_t day;
	bool report_tolerated;
};

struct audit {
	struct engine *engine;
	struct registry *registry;
	/* Borrowed; may be exchanged between passes, with audit_take_policy(): another policy may
	 * lie where one was. */
	const struct policy *policy;
	const struct profile *forced; /* of that policy, or NULL */
	const char *const *bases;     /* trusted cgroup prefixes, NULL-terminated, or NULL */
	bool include_host;
	bool report_tolerated; /* tolerated and excepted ones are made findings too */
	const pid_t *only;     /* --pid */
	size_t only_count;
	const char *own_cgroup;		 /* cgroup_base.own; borrowed */
	const struct cluster *cluster;	 /* what the Kubernetes API told; NULL: it is not asked */
	bool (*cancelled)(void);	 /* pass_options */
	uint64_t (*clock)(int clock_id); /* microseconds; clock_us(), or a test's */
	/* Which containers are judged (filters); NULL: all. */
	bool (*wanted)(void *data, const struct known_container *known);
	void *wanted_data;
	/* Takes each container as soon as it is judged, so that never more than one's observations
	 * are in memory; it may move these out, what it leaves is released. NULL: they are
	 * collected in the result. */
	void (*take)(void *data, const struct audit_result *result, struct audited *audited);
	void *take_data;
	struct snapshot snapshot; /* of the last pass: what the next one follows */
	uint64_t snapshot_us;	  /* monotonic: when it was complete */
	struct task_space space;  /* of the one before it, for the next */
	struct audit_terms terms; /* of the last judging */
	uint64_t terms_number;	  /* changes with them */
};

/* From the next pass on it is judged by that policy, everything anew. */
void audit_take_policy(struct audit *audit, const struct policy *policy);

/* Takes one pass. A container whose tasks are `same`, of which no source has said anything, and of
 * which nothing was to be observed, keeps its assessment, and is handed over like any other. The
 * result is released with audit_result_done(), before the next pass. 0 or
 * -errno. */
int audit_pass(struct audit *audit, struct audit_result *ret);
void audit_result_done(struct audit_result *result);

/* Judges the tasks of the last pass again, of those containers of which the sources have said
 * something since. The result is released with audit_result_done(), before the next pass. 0 or
 * -errno. */
int audit_again(struct audit *audit, struct audit_result *ret);

/* Judges a program that an event told of: as audit_pass() would its process, alone. `take` gets the
 * container where there is one, also if nothing is said of it. May move the event's process out. 0
 * or -errno. */
int audit_event(struct audit *audit, struct exec_event *event);

/* What is given to the judge of one container, but its tasks. */
void audit_input(
	const struct audit *audit, struct known_container *known, struct judge_input *input);
void audit_done(struct audit *audit); /* its snapshot, registry and engine */

/* Why a pass did not see everything: sentences into *ret (a new NULL-terminated vector of new
 * strings; release with strings_free()), their number into *ret_count. `nested` says that a private
 * PID namespace is meant to be the whole world; `api_failure` why the Kubernetes API did not tell
 * what it was asked, or NULL. 0 or -ENOMEM. */
int coverage_explain(const struct coverage *coverage, bool nested, const char *api_failure,
	char ***ret, size_t *ret_count);
void strings_free(char **strings);

/* This node: --node, else NODE_NAME, else the host's name; boot id; kernel release. */
struct node {
	char *name, *boot_id, *kernel;
};
int node_init(struct node *node, const char *name);
void node_done(struct node *node);

/* --host-root, else the policy's, else /host where the host's files are mounted there, else "". */
const char *find_host_root(const char *option, const struct policy *policy);

/* Fills *ret with an engine of that name; `lasting`: it will be used after privileges were given
 * up. 0; -errno with *diag filled, -EINVAL where there is none of that name. */
int engine_choose(const char *name, bool lasting, struct engine **ret, struct diag *diag);

/* The audit's trusted prefixes and own cgroup. Borrows from it. */
struct cgroup_base audit_base(const struct audit *audit);

#endif
