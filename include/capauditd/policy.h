/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy: which capabilities a container may hold, and what excuses it.
 *
 * Format: capauditd-policy(5). Built-in profiles: the Pod Security Standards
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/).
 */
#ifndef CAPAUDITD_POLICY_H
#define CAPAUDITD_POLICY_H

#include <capauditd/capability.h>
#include <capauditd/container.h>
#include <capauditd/diag.h>
#include <capauditd/macros.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_TEXT_MAX	 (1024u * 1024u) /* a larger file is refused */
#define POLICY_DEPTH_MAX 32u		 /* nesting of the YAML document */

/* The Pod Security Standards' capabilities: NET_BIND_SERVICE; and the 13 of `baseline`. */
#define PROFILE_RESTRICTED_ALLOW UINT64_C(0x400)
#define PROFILE_BASELINE_ALLOW	 UINT64_C(0xa80405fb)

struct profile {
	const char *name;
	capability_mask allow;	  /* everything that it permits */
	capability_mask tolerate; /* excess that is shown but is no violation */
	/* Of `tolerate`: only while no manifest is known to add it. The built-in baseline's; what a
	 * policy tolerates by name is tolerated whoever added it. */
	capability_mask tolerate_undeclared;
};

enum profile_source {
	PROFILE_FROM_COMMAND_LINE,
	PROFILE_FROM_RULE,
	PROFILE_FROM_NAMESPACE_LABEL,
	PROFILE_FROM_DEFAULT,
};

/* Compensating controls that a rule or an exception may require. */
enum control {
	CONTROL_SECCOMP = 1u << 0, /* a seccomp filter is attached */
	CONTROL_NO_NEW_PRIVS = 1u << 1,
	CONTROL_USER_NAMESPACE = 1u << 2, /* not the host's */
	CONTROL_LSM = 1u << 3,		  /* an LSM label other than unconfined */
};

enum violation_class {
	CLASS_POSTURE,
	CLASS_DRIFT,
};

struct label {
	const char *key, *value;
};

/* The value of the label with that key, or NULL. */
const char *label_find(const struct label *labels, size_t count, const char *key);

/* What a rule or exception is matched against. Strings are borrowed; NULL is unknown and matches no
 * key. Labels are NULL while unknown (they come from the Kubernetes API). */
struct policy_subject {
	const char *namespace_name, *pod, *owner, *container, *image, *runtime, *container_id;
	enum container_type type;
	const struct label *namespace_labels, *pod_labels;
	size_t namespace_label_count, pod_label_count;
	unsigned controls; /* of enum control: those that are in force */
};

struct policy_decision {
	const struct profile *profile;
	enum profile_source source;
	unsigned unmet; /* of enum control: required by a rule that would otherwise have applied */
};

#define POLICY_EXPIRY_WARNING_DAYS 14u /* before its last day, people are told of an exception */

struct policy_exception {
	const char *reason;  /* owned by the policy */
	const char *expires; /* "2027-01-31" or NULL */
	capability_mask allow;
	uint64_t expires_day; /* days since 1970-01-01 of the last day that it counts; UINT64_MAX:
				 ever */
};

enum outputs {
	OUTPUT_JOURNAL = 1u << 0,
	OUTPUT_STDOUT = 1u << 1,
};

/* The `run:` section. Strings are owned by the policy; NULL: the default. */
struct run_settings {
	uint64_t interval_us;	   /* 1 s to 1 h; default 30 s */
	uint64_t resolve_after_us; /* default 5 min */
	unsigned outputs;	   /* 0: as docs/interface.md says */
	bool report_all;
	bool full_cmdline;
	const char *engine;  /* "auto", "procfs", "bpf" */
	const char *metrics; /* "127.0.0.1:9477"; "off" */
	const char *socket;  /* a path; "off" */
	const char *state;
	const char *host_root;	    /* hostRoot: */
	const char *const *bundles; /* NULL-terminated; NULL: auto; empty: off */
	const char *const
		*cgroup_bases; /* cgroupBases: trusted prefixes, NULL-terminated; may be NULL */
};

enum namespace_labels {
	NAMESPACE_LABELS_ON,
	NAMESPACE_LABELS_OFF,
	NAMESPACE_LABELS_STRICTER,
};

struct policy;

/* The built-in one: default profile baseline, no rules. NULL when out of memory. */
struct policy *policy_new_default(void);

/* Parses `length` bytes. `file` names them in errors (it is copied). 0, -EINVAL with *diag filled,
 * -ENOMEM. *ret is untouched on failure. */
int policy_load(
	const char *file, const char *text, size_t length, struct policy **ret, struct diag *diag);

void policy_free(struct policy *policy);
DEFINE_CLEANUP(struct policy, policy_free)

/* A built-in or the policy's own; NULL where there is none of that name. */
const struct profile *policy_profile(const struct policy *policy, const char *name);
/* The name that was probably meant, or NULL. */
const char *policy_profile_nearest(const struct policy *policy, const char *name);
/* All of them, built-in ones first. */
size_t policy_profile_count(const struct policy *policy);
const struct profile *policy_profile_at(const struct policy *policy, size_t i);
/* How many of them the file defines. */
size_t policy_own_profile_count(const struct policy *policy);

const struct profile *policy_default_profile(const struct policy *policy);
const char *policy_file(const struct policy *policy); /* NULL: built-in */
const struct run_settings *policy_run(const struct policy *policy);
enum namespace_labels policy_namespace_labels(const struct policy *policy);

/* True where a rule or exception has `require`, so that controls must be read of every task. */
bool policy_needs_controls(const struct policy *policy);

/* Which profile applies. `forced` is the command line's or NULL; `label` is the profile that the
 * namespace's enforce label stands for, or NULL. For a host subject (runtime "host") the default is
 * "privileged". */
struct policy_decision policy_decide(const struct policy *policy,
	const struct policy_subject *subject, const struct profile *forced,
	const struct profile *label);

/* The part of `excess` that exceptions in force on `day` (days since 1970-01-01, UTC) cover for
 * that subject and class, and in *ret_first the first exception that covers any of it. */
capability_mask policy_except(const struct policy *policy, const struct policy_subject *subject,
	enum violation_class class, capability_mask excess, uint64_t day,
	const struct policy_exception **ret_first);

/* The controls that exceptions require which would otherwise cover some of `excess`. */
unsigned policy_except_unmet(const struct policy *policy, const struct policy_subject *subject,
	enum violation_class class, capability_mask excess, uint64_t day);

/* Exceptions in the order of the file, for warnings of expiry. */
size_t policy_exception_count(const struct policy *policy);
const struct policy_exception *policy_exception_at(const struct policy *policy, size_t i);

size_t policy_rule_count(const struct policy *policy);

/* Whole days since 1970-01-01 in UTC. */
uint64_t policy_day(uint64_t realtime_us);

const char *profile_source_name(enum profile_source source); /* "command-line", ... */
const char *control_name(unsigned bit_index);		     /* "seccomp", "noNewPrivs", ... */

#endif
