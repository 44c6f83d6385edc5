/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where findings go. Each sink is a file of its own; all of them receive the same values.
 */
#ifndef CAPAUDITD_REPORT_H
#define CAPAUDITD_REPORT_H

#include <capauditd/finding.h>
#include <capauditd/judge.h>
#include <capauditd/task.h>

#include <stdbool.h>
#include <stdio.h>

/* What is the same for all findings of a run. */
struct report_context {
	const char *node;
	const char *boot_id;
	const char *kernel;
	const char *engine;
	bool full_cmdline; /* otherwise the first word alone */
};

struct scanned_container {
	const struct container *container;
	const struct assessment *assessment;
};

/* All that one scan has to say. Containers and findings are in the order in which they are shown.
 */
struct scan_report {
	struct report_context context;
	uint64_t started_us; /* realtime */
	uint64_t duration_us;
	const char *policy_file; /* NULL: built-in */
	const char *default_profile;
	struct coverage coverage;
	const char *const *why_incomplete; /* sentences; empty: complete */
	size_t why_incomplete_count;
	const struct scanned_container *containers;
	size_t container_count;
	bool filtered; /* these are not all that were seen */
	const struct finding *const *findings;
	size_t finding_count;
};

struct table_options {
	bool all;    /* compliant containers too */
	bool remedy; /* print each cure as YAML */
	bool advice; /* list containers that should drop ALL, with the cure */
	bool color;
	int width; /* columns; 0: unlimited */
};

/* What the daemon has open, in the order in which it is shown. */
struct open_report {
	const struct finding *const *findings;
	const char *const *texts; /* each as the daemon's JSON has it, on one line */
	size_t count;
	bool complete; /* the daemon's last pass saw everything */
	bool filtered; /* these are not all that are open */
};

/* One finding as a JSON object (capauditd.finding/v1), on one line without a newline; a new string,
 * NULL when out of memory. */
char *finding_to_json(const struct report_context *context, const struct finding *finding);

/* Each writes the whole report and returns 0 or -errno (-EIO, -ENOMEM). */
int report_scan_json(const struct scan_report *report, FILE *to);
int report_scan_jsonl(const struct scan_report *report, FILE *to);
int report_scan_table(
	const struct scan_report *report, const struct table_options *options, FILE *to);

/* The same of what is open. The document is capauditd.status/v1. */
int report_open_json(const struct open_report *report, FILE *to);
int report_open_jsonl(const struct open_report *report, FILE *to);
int report_open_table(
	const struct open_report *report, const struct table_options *options, FILE *to);

/* Reads back from finding_to_json()'s text what a report for people shows: names, masks, the cure;
 * not what a program would take from the text itself. Release it with finding_done(). 0; -EBADMSG
 * where it is no finding; -ENOMEM (of which the JSON library does not always tell: then -EBADMSG).
 */
int finding_from_json(const char *text, size_t length, struct finding *ret);

/* The cure as a YAML patch or fragment (or as the runtime's options where there is no pod), with a
 * comment that says where it belongs; of drift, what to do instead, in comments alone; "" where no
 * cure is known. A new string, NULL when out of memory. */
char *remedy_to_text(const struct finding *finding);

/* Writes to a pipe, socket, terminal or file that need not be set to non-blocking, without waiting
 * for its reader. The number of bytes, less than `length` where no more fits; -EAGAIN or another
 * -errno. (Another writer of the same pipe may fill it in just that moment; then it waits.) */
ssize_t write_without_waiting(int fd, const void *data, size_t length);

/* A stream of lines (standard output) that never blocks its writer. */
struct line_stream;

/* Writes to the file behind `fd`, which stays the caller's. 0 or -errno. */
int line_stream_new(int fd, struct line_stream **ret);
void line_stream_free(struct line_stream *stream);
/* Writes the line and a newline. 0: all of it; 1: a part, and the rest waits for
 * line_stream_flush(): then the line is taken; -EAGAIN: nothing fits, or a rest still waits;
 * -ENOMEM; -EPIPE and others. What failed was not taken, and may be tried again. */
int line_stream_put(struct line_stream *stream, const char *line);
/* Writes what can be written of the rest. The number of bytes that still wait, or -errno. With
 * -EPIPE nobody will read the rest, and it is forgotten: the line is lost. */
ssize_t line_stream_flush(struct line_stream *stream);
bool line_stream_waits(const struct line_stream *stream); /* a rest does */
/* The descriptor to poll for writing while something waits. */
int line_stream_fd(const struct line_stream *stream);

/* Message ids of the journal's catalogue (systemd/capauditd.catalog), one for each state and each
 * operational message. */
enum journal_message {
	JOURNAL_OPENED,
	JOURNAL_CHANGED,
	JOURNAL_RESOLVED,
	JOURNAL_STARTED,
	JOURNAL_STOPPED,
	JOURNAL_RELOADED,
	JOURNAL_RELOAD_FAILED,
	JOURNAL_ENGINE,
	JOURNAL_COVERAGE_LOST,
	JOURNAL_COVERAGE_BACK,
	JOURNAL_SOURCE,
	JOURNAL_EXCEPTION_EXPIRES,
	JOURNAL_DELIVERY,   /* a sink does not take findings, or does again; nothing can be kept */
	JOURNAL_UNCONFINED, /* there is no filter of system calls */
	JOURNAL_MESSAGES,   /* new ones go before it: the state file has their numbers */
};
const char *journal_message_id(enum journal_message message); /* 32 hex digits */

/* Journald's socket; a namespaced journal's is mounted in the same place. */
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* A way to journald that never waits for it. It need not be there yet, and may go and come. */
struct journal_link;
int journal_link_new(const char *path, struct journal_link **ret); /* 0 or -errno */
void journal_link_free(struct journal_link *link);
DEFINE_CLEANUP(struct journal_link, journal_link_free)

/* The entry of one finding. 0: it is in journald's socket, which it reads when it can; -EAGAIN: it
 * is stuck and the socket full; -ENOENT or -ECONNREFUSED: it is not there; -ENOMEM or another
 * -errno. Nothing has been sent then, and it may be tried again. */
int journal_send_finding(const struct journal_link *link, const struct report_context *context,
	const struct finding *finding, bool process_lives);

/* The same for an operational message; the text is escaped. `priority` is syslog(3)'s. */
int journal_send_message(const struct journal_link *link, enum journal_message message,
	int priority, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The fields of a finding's entry as "NAME=value" strings, for journal_send_finding() and its test.
 */
struct journal_fields {
	char **field;
	size_t *length;
	size_t count;
};
int journal_fields_make(const struct report_context *context, const struct finding *finding,
	bool process_lives, struct journal_fields *ret);
void journal_fields_done(struct journal_fields *fields);

#endif
