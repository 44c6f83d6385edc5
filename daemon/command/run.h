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
#include <capauditd/metrics.h>
#include <capauditd/outbox.h>
#include <capauditd/text.h>

#include <systemd/sd-event.h>

/* Strings are borrowed from argv; NULL where not given. */
struct run_options {
	const char *policy, *engine, *node, *host_root, *kubernetes, *kubeconfig;
	const char *metrics, *socket;
};

enum run_sink { RUN_SINK_JOURNAL, RUN_SINK_STDOUT, RUN_SINKS }; /* bits of enum outputs */

/* How a sink is doing. What waits for it: outbox_waiting(). */
struct sink {
	struct run *run;
	sd_event_source *timer; /* when it is tried again */
	uint64_t delay_us, failures;
	uint64_t since_us; /* monotonic: it has taken nothing since, while there is a delay */
	bool resting;	   /* it is not to be tried now */
	bool failing;	   /* which was said */
};

struct run {
	const struct run_options *options;
	sd_event *event;
	sd_event_source *timer;	       /* the next pass */
	sd_event_source *policy_timer; /* a change of the policy has settled */
	sd_event_source *stdout_source;
	sd_event_source *notify_timer;
	uint64_t watchdog_us; /* how often the service manager is told that the loop turns; 0: never
			       */
	bool owes_ready;      /* it has not taken yet that we are ready */
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
	struct journal_link *journal;
	struct line_stream *out;
	struct run_http *http;
	struct namespace_counts *open; /* of the last scrape */
	struct run_counts counts;
	struct coverage coverage; /* of the last pass, as it was judged */
	uint64_t started_us;	  /* realtime */

	struct outbox *outbox; /* what the sinks have not got yet */
	struct sink sinks[RUN_SINKS];
	uint64_t begun_number;	 /* the item of which standard output has a part */
	uint64_t dropped_before; /* of outbox_dropped(): found in the state */

	struct state_file *state; /* NULL: nothing is kept over a restart */
	sd_event_source *state_timer;
	uint64_t state_shortest; /* bytes, when it was rewritten last */
	uint64_t state_failures;
	size_t state_left_out; /* findings and entries for which the file has no room */
	bool state_dirty, state_is_long, state_failing;
	struct kept_namespace *namespaces;
	size_t namespaces_size;

	uint64_t due_us;      /* monotonic: when the next pass comes */
	uint64_t trimmed_us;  /* monotonic: when memory was given back last */
	uint64_t last_end_us; /* monotonic */
	uint64_t last_duration_us;
	unsigned starting_rounds; /* passes in a row that waited for a starting container */
	unsigned confirm_rounds;  /* and that left a placement unconfirmed */
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

/* run_options.c: OPTIONS_GO or an exit status. */
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

/* resident.c: between passes, what only a pass needs is the node's. *trimmed_us, of the monotonic
 * clock, is 0 at first, and is kept up to date: what was freed is given back every ten seconds. */
void release_memory(uint64_t now_us, uint64_t *trimmed_us);

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

/* run_notify.c */
int run_open_notify(struct run *run); /* 0 or -errno */
void run_notify_ready(struct run *run);

/* run_output.c */
int run_open_outputs(struct run *run);
void run_close_outputs(struct run *run);
void run_deliver(void *data, const struct finding *finding);
void run_say(struct run *run, enum journal_message id, int priority, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* run_http.c: opens what serves metrics and the socket, while privileges are held. EXIT_STATUS_OK,
 * or another exit status, said. */
int run_open_http(struct run *run);
void run_close_http(struct run *run);
#define RUN_METRICS_DEFAULT "127.0.0.1:9477"

/* run_metrics.c: the metrics as text, *ret a new string. 0 or -errno. */
int run_write_metrics(struct run *run, char **ret, size_t *ret_length);

/* run_findings.c: the open findings as a JSON array, piece by piece, whatever opens or ends
 * meanwhile. NULL when out of memory. */
struct finding_stream *finding_stream_new(const struct run *run);
ssize_t finding_stream_next(void *data, char *buffer, size_t size);
void finding_stream_free(void *data);

/* run_state.c */
#define RUN_STATE_FOLDER "/var/lib/capauditd"
int run_open_state(struct run *run); /* before anything is said; 0 or -errno, of what must work */
void run_close_state(struct run *run);
/* What was put into the outbox under that number (`finding`: of which transition; NULL: a message),
 * and who has got it. */
void run_keep_transition(struct run *run, uint64_t number, unsigned sinks, enum severity severity,
	const struct bytes *item, const struct finding *finding);
void run_keep_settled(struct run *run, uint64_t number, unsigned sinks);

void run_keep_labels(struct run *run, struct namespace_record *record); /* where they are new */

/* run_namespaces.c: what the state file has of them. */
int run_load_namespace(struct run *run, struct byte_reader *from); /* 0 or -errno */
void run_seed_namespaces(struct run *run);			   /* once there is a cluster */
/* True where it is to be written, and is in *to. */
bool run_keep_namespace(struct run *run, struct namespace_record *record, struct bytes *to);
/* All of them until NULL, appended to *to. *position starts at NULL. */
const struct namespace_record *run_next_namespace(
	const struct run *run, const void **position, struct bytes *to);
void run_forget_namespaces(struct run *run);

/* run_delivery.c */
int run_on_stdout_writable(sd_event_source *source, int fd, uint32_t events, void *data);
int run_open_delivery(struct run *run); /* 0 or -errno */
void run_close_delivery(struct run *run);
/* Puts what was made of `fresh` (NULL: of a message) into the outbox, and delivers what can be
 * delivered. False where a sink is failing. */
bool run_send(struct run *run, unsigned sinks, enum severity severity, const struct bytes *bytes,
	const struct finding *fresh);
uint64_t run_dropped(const struct run *run); /* transitions that found no room since the start */
void run_flush_outputs(struct run *run);     /* once more, whoever failed before */

#endif
