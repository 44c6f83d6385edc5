/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A finding: one thing that somebody should look at. The value that every sink receives.
 *
 * Fields and their meaning: docs/interface.md, README "How to read a
 * finding". A finding owns all that it points to; findings are moved, or copied with
 * finding_copy().
 */
#ifndef CAPAUDITD_FINDING_H
#define CAPAUDITD_FINDING_H

#include <capauditd/capability.h>
#include <capauditd/container.h>
#include <capauditd/macros.h>
#include <capauditd/policy.h>
#include <capauditd/task.h>

#include <stdbool.h>
#include <stdint.h>

#define FINDING_ID_SIZE		17 /* 16 hex digits and NUL */
#define FINDING_EXECUTABLES_MAX 8

enum finding_state { FINDING_OPENED, FINDING_CHANGED, FINDING_RESOLVED, FINDING_OBSERVED };

enum resolved_reason {
	RESOLVED_NOT,
	RESOLVED_EXITED,
	RESOLVED_DROPPED,
	RESOLVED_POLICY,
	RESOLVED_EXCEPTION,
	RESOLVED_LEVEL,
	RESOLVED_REBOOT,
};

enum verdict { VERDICT_COMPLIANT, VERDICT_TOLERATED, VERDICT_EXCEPTED, VERDICT_VIOLATION };

enum severity { SEVERITY_NONE, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };

enum reach { REACH_NONE, REACH_BOUNDING, REACH_PERMITTED, REACH_EFFECTIVE };

enum origin {
	ORIGIN_UNKNOWN,
	ORIGIN_DECLARED,
	ORIGIN_PRIVILEGED,
	ORIGIN_RUNTIME_DEFAULT,
	ORIGIN_EXEC
};

/* The strictest built-in profile that a container satisfies. */
enum level { LEVEL_UNKNOWN, LEVEL_RESTRICTED, LEVEL_BASELINE, LEVEL_PRIVILEGED };

/* How the process's user namespace stands to the initial one and to its container's. */
enum namespace_relation {
	RELATION_INITIAL, /* it runs in the host's user namespace */
	RELATION_OWN,	  /* its whole container has a user namespace of its own */
	RELATION_NESTED,  /* it made one inside its container */
};

/* What else a reader should know; the texts are in core/hint.c. One bit each. */
enum hint {
	HINT_APE_HAS_NO_EFFECT, /* "ape-has-no-effect": SYS_ADMIN defeats allowPrivilegeEscalation:
				   false */
	HINT_NARROWER,		/* "narrower-capability": a narrower one may do */
	HINT_RUNTIME_DEFAULT,	/* "runtime-default-set": the runtime's untouched default set */
	HINT_MOVED,		/* "moved": it was seen in its container and is elsewhere now */
	HINT_LEFT_USER_NAMESPACE, /* "left-user-namespace": it entered an ancestor's user namespace
				   */
	HINT_NESTED_USER_NAMESPACE, /* "nested-user-namespace": capabilities over that namespace
				       only */
	HINT_REQUIRE_UNMET, /* "require-unmet": a rule would apply if a control were in force */
	HINT_NOT_LEADER,    /* "thread": held by a thread that is not the leader */
	HINT_STILL_RUNTIME, /* "still-starting": still the runtime's own program, for too long */
	HINT_EXCEPTION_EXPIRES, /* "exception-expires": within 14 days */
	HINT_EXCEPTION_EXPIRED, /* "exception-expired": an expired one would have covered it */
	HINT_SETS_DIFFER,	/* "sets-differ": capget(2) and the status file disagree */
	HINT_UNATTRIBUTED,	/* "unattributed": its cgroup lines contradict each other */
	HINT_CAP_PREFIX,   /* "cap-prefix": declared with CAP_, which the runtime does not grant */
	HINT_UNKNOWN_NAME, /* "unknown-capability": declared is what is no capability's name */
	HINT_PENDING, /* "api-pending": the Kubernetes API has not told of its pod or namespace yet
		       */
	HINT_NOT_IN_API, /* "not-in-api": the Kubernetes API does not know its pod */
	HINTS,
};

struct remedy {
	bool known;
	char *field; /* NULL where the container's list is not known */
	char *of;    /* "Deployment/web" or NULL */
	bool drop_all;
	capability_mask add;
};

struct finding {
	char id[FINDING_ID_SIZE];
	char workload_id[FINDING_ID_SIZE];
	uint64_t time_us, first_seen_us, last_seen_us; /* realtime */
	enum finding_state state;
	enum resolved_reason resolved_reason;
	uint64_t count;
	char *executables[FINDING_EXECUTABLES_MAX]; /* distinct, in the order seen */
	unsigned executable_count;
	enum verdict verdict;
	enum violation_class class;
	enum severity severity;
	bool provisional;
	enum reach reach;
	char *profile; /* name */
	enum profile_source profile_source;
	enum namespace_relation relation;
	struct capability_sets excess;
	uint8_t origin[CAPABILITY_MAX]; /* enum origin, for the bits of the excess */
	uint32_t hints;			/* 1u << enum hint */
	unsigned unmet;			/* of enum control, for HINT_REQUIRE_UNMET */
	struct process process;		/* the most privileged one seen */
	struct container container;
	struct {
		char *reason, *expires;
	} exception; /* reason NULL: none */
	struct remedy remedy;
};

void finding_done(struct finding *finding);
void finding_free(struct finding *finding); /* done, and the memory itself */
int finding_copy(const struct finding *from, struct finding *ret);
DEFINE_CLEANUP(struct finding, finding_free)

/* Fills id and workload_id from the rest: the start of SHA-256 over the key that docs/interface.md
 * names (container, class, relation to the initial user namespace, the five excess masks). A nested
 * one's masks do not count: there is one such finding a container. HINT_MOVED and
 * HINT_LEFT_USER_NAMESPACE make another finding. workload_id has namespace, owner and container
 * name in place of the container's id, so that it is equal for replicas and nodes; what is unknown
 * of the first two is left out (not the pod's name, which replicas do not share), and where the
 * container has no name its image stands for it, or, without one, its id: then it is equal for
 * nothing else. */
void finding_identify(struct finding *finding);

/* The sentence for people, escaped; a new string, NULL when out of memory. */
char *finding_message(const struct finding *finding);

/* Adds `exe` (copied) if it is new and there is room. 0 or -ENOMEM. */
int finding_add_executable(struct finding *finding, const char *exe);

/* Worse first: verdict, class, severity, then namespace, pod, container. For qsort of pointers. */
int finding_compare(const struct finding *a, const struct finding *b);

const char *finding_state_name(enum finding_state state);
const char *resolved_reason_name(enum resolved_reason reason); /* NULL for RESOLVED_NOT */
const char *verdict_name(enum verdict verdict);
const char *violation_class_name(enum violation_class class);
const char *severity_name(enum severity severity); /* NULL for SEVERITY_NONE */
const char *reach_name(enum reach reach);	   /* NULL for REACH_NONE */
const char *origin_name(enum origin origin);
const char *level_name(enum level level); /* NULL for LEVEL_UNKNOWN */
const char *hint_code(enum hint hint);
/* The text of a hint for that finding; a new string, NULL when out of memory. */
char *hint_text(enum hint hint, const struct finding *finding);

#endif
