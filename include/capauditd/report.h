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

/* A stream of lines (standard output) that never blocks its writer: what the reader does not take
 * yet waits here, up to a bound. */
struct line_stream;
#define LINE_STREAM_WAITING_MAX (8u * 1024u * 1024u) /* bytes */

/* Writes to the file behind `fd`, which stays the caller's. 0 or -errno. */
int line_stream_new(int fd, struct line_stream **ret);
void line_stream_free(struct line_stream *stream);
/* Adds the line and a newline. 0; -ENOBUFS where the bound is reached (the line is not taken);
 * -ENOMEM; -EPIPE and others where the reader is gone for good. */
int line_stream_put(struct line_stream *stream, const char *line);
/* Writes what can be written now. The number of bytes that still wait, or -errno. */
ssize_t line_stream_flush(struct line_stream *stream);
/* How many lines are not written to their end. */
size_t line_stream_waiting(const struct line_stream *stream);
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
	JOURNAL_MESSAGES,
};
const char *journal_message_id(enum journal_message message); /* 32 hex digits */

/* The entry of one finding through sd_journal_sendv(3). 0 or -errno. */
int journal_send_finding(
	const struct report_context *context, const struct finding *finding, bool process_lives);

/* An operational message; the text is escaped. `priority` is syslog(3)'s. 0 or -errno. */
int journal_send_message(enum journal_message message, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

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
