/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state of the running daemon, shared by the files run*.c.
 */
#ifndef CAPAUDITD_RUN_H
#define CAPAUDITD_RUN_H

#include "audit.h"
#include "cgroup_watch.h"
#include "sources.h"

#include <capauditd/command.h>
#include <capauditd/ledger.h>
#include <capauditd/text.h>

#include <systemd/sd-event.h>

/* Strings are borrowed from argv; NULL where not given. */
struct run_options {
	const char *policy, *engine, *node, *host_root, *kubernetes, *kubeconfig;
};

struct run {
	const struct run_options *options;
	sd_event *event;
	sd_event_source *timer;	       /* the next pass */
	sd_event_source *policy_timer; /* a change of the policy has settled */
	sd_event_source *stdout_source;
	sd_event_source **policy_watches; /* inotify on the folders of the policy file */
	size_t policy_watch_count;

	struct policy *policy;
	char *policy_text; /* what it was made from, to tell a change; NULL: built-in */
	size_t policy_length;

	struct audit audit;
	struct sources sources;
	struct kubernetes *kubernetes;
	sd_event_source *news_timer; /* what the Kubernetes API said is to be judged by */
	uint64_t news_after_us;	     /* monotonic: not before that */
	struct cgroup_watch *watch;  /* NULL where the engine tells of cgroups, or nothing can */
	sd_event_source *watch_source;
	sd_event_source *events_source; /* NULL where the engine tells no events */
	uint64_t events_failed;		/* that could not be judged: out of memory, too many */
	uint64_t events_lost;		/* these and what the engine lost, as far as it was seen */
	uint64_t lost_since_said;
	uint64_t losses_said_us; /* monotonic */
	struct cgroup_base base;
	struct ledger *ledger;
	struct node node;
	struct report_context context;
	unsigned outputs; /* of enum outputs */
	struct line_stream *out;
	uint64_t lines_lost; /* findings that the reader of standard output did not take */

	uint64_t due_us;      /* monotonic: when the next pass comes */
	uint64_t last_end_us; /* monotonic */
	uint64_t last_duration_us;
	unsigned starting_rounds; /* passes in a row that waited for a starting container */
	bool policy_is_new;	  /* no pass has judged by it yet */
	bool forgets;		  /* in the last pass memory was too scarce for a finding */
	uint64_t dropped;    /* findings beyond the ledger's bounds, as far as they were told of */
	uint64_t wait_us;    /* how long the first of the findings that wait for a name does so */
	bool engine_said;    /* which one looks */
	bool passed;	     /* the first pass is done */
	bool complete;	     /* the last pass saw everything */
	uint64_t warned_day; /* exceptions' expiry was looked at on that day */
	bool failed;
};

/* run_options.c: RUN_OPTIONS_GO or an exit status. */
#define RUN_OPTIONS_GO (-1)
int run_options_parse(struct run_options *options, int argc, char **argv);

/* run_pass.c */
void run_pass(struct run *run);
/* Sees to it that a pass comes no later than `delay_us` from now; passes that something sets off
 * are kept apart, so that a storm of containers cannot make the daemon eat the node. */
void run_schedule(struct run *run, uint64_t delay_us);
#define RUN_NOTICE_DELAY_US                                                  \
	50000u /* a new cgroup is followed by its process in about that time \
		*/
void run_status(struct run *run);
/* Which engine looks, where that is new, and why it is not another. */
void run_say_engine(struct run *run);
/* Judges the tasks of the last pass by what the sources say now. */
void run_judge_again(struct run *run);
/* audit.take: brings the ledger up to date with a container that has just been judged. */
void run_remember(void *data, const struct audit_result *result, struct audited *audited);

/* run_events.c */
int run_open_events(struct run *run);  /* 0 or -errno */
void run_hear_events(struct run *run); /* from now on */
/* Takes those that have come, as far as is good for the rest; between begin and end of a pass, or
 * between passes. */
void run_take_events(struct run *run);
void run_say_losses(struct run *run);
void run_close_events(struct run *run);

/* run_watch.c: inotify on the cgroup tree, where the engine does not tell of cgroups. 0 or -errno.
 */
int run_watch_cgroups(struct run *run);

/* run_kubernetes.c */
int run_open_kubernetes(struct run *run, struct diag *diag); /* 0; -EINVAL with *diag; -errno */
void run_close_kubernetes(struct run *run);
enum resolved_reason run_still(void *data, const struct finding *finding); /* ledger_still */

/* run_policy.c */
int run_load_policy(struct run *run, struct diag *diag); /* at start: 0 or -errno */
/* Makes the policy's trusted cgroup prefixes those of the audit and of the watch. */
void run_take_bases(struct run *run);
void run_reload(struct run *run);
int run_watch_policy(struct run *run);
void run_warn_of_expiry(struct run *run);
const char *run_policy_path(const struct run *run); /* NULL: built-in, asked for by "none" */

/* run_output.c */
int run_open_outputs(struct run *run);
void run_close_outputs(struct run *run);
void run_deliver(void *data, const struct finding *finding);
void run_say(struct run *run, enum journal_message id, int priority, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
