/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From what a container's tasks hold to verdicts. Pure: the same input gives the same answer.
 *
 * Judging has two steps, since most of what a report shows of a process (its program, seccomp mode,
 * namespaces) is read only of those that are reported: judge_container() groups the tasks and names
 * for each observation the process that stands for it; judge_settle() takes what was read of that
 * process and fixes severity, reach, hints and the cure.
 */
#ifndef CAPAUDITD_JUDGE_H
#define CAPAUDITD_JUDGE_H

#include <capauditd/finding.h>
#include <capauditd/policy.h>
#include <capauditd/task.h>

/* A process counted by an observation. */
struct member {
	pid_t pid;
	uint64_t start_ticks;
};

/* A finding in the making, with the processes that share it. */
struct observation {
	struct finding finding; /* process: pid, tid, ppid, start_ticks, sets and namespace alone */
	struct member *members; /* ordered by pid, each once */
	size_t member_count;
	bool still_runtime;	 /* it has not begun its program after JUDGE_STARTING_LIMIT_S */
	bool may_gain;		 /* a member's no_new_privs is not known to be set */
	const struct task *task; /* the process that stands for it; borrowed from the input */
	capability_mask allow;	 /* what its profile lets a manifest add, for the cure */
	capability_mask granted; /* what its container was given, for the cure */
};

/* What a container's drift is measured against. */
struct reference {
	bool known;
	capability_mask granted;
	uint64_t user_namespace_key;
	enum user_namespace user_namespace;
	pid_t pid; /* whose it was */
	uint64_t start_ticks;
};

/* The summary that `scan` shows of each container. */
struct assessment {
	const struct profile *profile;
	enum profile_source profile_source;
	enum level level;
	enum verdict verdict; /* the worst */
	enum violation_class class;
	enum severity severity;
	uint64_t processes;
	capability_mask held, bounding;
	bool starting;	      /* nothing of it has begun its program yet: no verdict */
	uint64_t excused;     /* tasks that were passed over as the runtime's own */
	bool advice_drop_all; /* its bounding set is not what `drop: ["ALL"]` and `add` give */
};

/* What the Kubernetes API says of a container's pod and namespace. */
enum api_state {
	API_NOT_ASKED, /* the source is not in use, or it is no pod's container */
	API_PENDING,   /* not told yet: what is found may be judged otherwise soon */
	API_KNOWS,
	API_KNOWS_NOT, /* it told of all pods of this node, and not of this one */
};

struct judge_input {
	const struct policy *policy;
	const struct profile *forced; /* --profile, or NULL */
	const struct profile *label;  /* the namespace's, or NULL while unknown or absent */
	/* Of the namespace and of the pod, sorted by nothing; NULL while unknown. */
	const struct label *namespace_labels, *pod_labels;
	size_t namespace_label_count, pod_label_count;
	enum api_state api;
	const struct container *container;
	const struct task *const *tasks; /* this container's, ordered by pid */
	size_t task_count;
	/* In: what is remembered of it, or not known. Out: what was used. */
	struct reference *reference;
	uint64_t now_us;    /* realtime */
	uint64_t now_ticks; /* since boot, in the unit of start_ticks */
	unsigned ticks_per_second;
	/* Nobody wants observations of what is tolerated or excepted: the assessment tells of it.
	 */
	bool violations_alone;
	/* The container has had excused tasks with an excess for longer than any runtime needs:
	 * they are judged like all others. */
	bool impatient;
	const pid_t *only; /* judge these processes alone (--pid); NULL: all */
	size_t only_count;
};

/* The part of `profile`'s tolerance that counts: what a manifest added is not tolerated where the
 * profile says so (tolerate_undeclared). */
capability_mask judge_tolerated(const struct profile *profile, const struct declaration *declared);

/* Fills *assessment and a new array of observations, which the caller releases with
 * observations_free(). 0 or -ENOMEM. */
int judge_container(const struct judge_input *input, struct assessment *assessment,
	struct observation **ret, size_t *ret_count);

/* With finding.process filled. `assessment` takes the worst of the verdicts that it is given. */
int judge_settle(const struct judge_input *input, struct observation *observation,
	struct assessment *assessment);

/* What the policy is asked with about a finding that was made before, with the controls of the
 * process that it shows. Borrows from `input` and the finding. */
void judge_finding_subject(
	const struct judge_input *input, const struct finding *finding, struct policy_subject *ret);

/* What nobody needs to hear of: processes that hold no more than `permitted` in any of their sets,
 * in that user namespace. */
struct permit {
	capability_mask permitted;
	uint64_t user_namespace; /* inode */
};

/* What any process in the container's own user namespace may hold, in each of its sets, without an
 * observation being made of it: exceptions and tolerance included where they cover all that the
 * container was given. False where that cannot be said of all of them, or is not known yet. */
bool judge_permit(const struct judge_input *input, capability_mask *ret);

void observations_free(struct observation *observations, size_t count);

/* Seconds after which a process that still seems to be the runtime's is judged like any other. */
#define JUDGE_STARTING_LIMIT_S 300u

/* The masks of the built-in levels, from the policy's built-in profiles. */
enum level judge_level(capability_mask held, capability_mask tolerated);

/* Which runtimes grant exactly this set to a container of which nothing is said ("containerd and
 * Docker"); NULL: none. */
const char *judge_runtime_default(capability_mask granted);

#endif
