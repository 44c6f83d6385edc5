/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which sinks there are, and what is said to whom: findings go to all that the policy names,
 * operational messages to the journal, or else to standard error.
 */
#include "run.h"

#include "undelivered.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>

/* Of what waits for sinks, in memory: about ten thousand findings. */
#define OUTBOX_SIZE_MAX (16u << 20)

/* systemd gives its services an invocation id. */
static unsigned default_outputs(void)
{
	return getenv("INVOCATION_ID") || getenv("JOURNAL_STREAM") ? OUTPUT_JOURNAL : OUTPUT_STDOUT;
}

static int open_stdout(struct run *run)
{
	int r;

	if (run->out)
		return 0;
	r = line_stream_new(STDOUT_FILENO, &run->out);
	if (r < 0)
		return r;
	r = sd_event_add_io(run->event, &run->stdout_source, line_stream_fd(run->out), EPOLLOUT,
		run_on_stdout_writable, run);
	if (r == -EPERM)
		return 0; /* a regular file is always writable, and cannot be polled */
	return r < 0 ? r : sd_event_source_set_enabled(run->stdout_source, SD_EVENT_OFF);
}

int run_open_outputs(struct run *run)
{
	unsigned wanted = policy_run(run->policy)->outputs;
	int r = 0;

	if (!run->outbox)
		run->outbox = outbox_new(OUTBOX_SIZE_MAX);
	if (!run->outbox)
		return -ENOMEM;
	if (!run->journal)
		r = journal_link_new(JOURNAL_SOCKET, &run->journal);
	if (r == 0)
		r = run_open_delivery(run);
	if (r < 0)
		return r;
	run->outputs = wanted ? wanted : default_outputs();
	r = run->outputs & OUTPUT_STDOUT ? open_stdout(run) : 0;
	if (r < 0)
		return r;
	/* What is no output any more takes with it what waited for it. */
	outbox_forget_sinks(run->outbox, ~run->outputs);
	return 0;
}

void run_close_outputs(struct run *run)
{
	run_close_delivery(run);
	run->stdout_source = sd_event_source_disable_unref(run->stdout_source);
	line_stream_free(TAKE_PTR(run->out));
	journal_link_free(TAKE_PTR(run->journal));
	outbox_free(TAKE_PTR(run->outbox));
}

void run_deliver(void *data, const struct finding *finding)
{
	struct run *run = data;
	_cleanup_(bytes_done) struct bytes bytes = { 0 };

	if (finding->state == FINDING_OPENED && finding->verdict == VERDICT_VIOLATION)
		run->counts.findings[finding->class][finding->severity]++;
	undelivered_encode_finding(&run->context, finding, &bytes);
	run_send(run, run->outputs, finding->severity, &bytes, finding);
}

static void say_on_stderr(const char *text)
{
	char line[2048], clean[4 * sizeof(line)];
	int length;

	(void)snprintf(line, sizeof(line), "%s", text);
	text_escape_into(clean, sizeof(clean), line, strlen(line));
	length = snprintf(line, sizeof(line), "capauditd: %s\n", clean);
	if ((size_t)length >= sizeof(line))
		line[sizeof(line) - 2] = '\n';
	(void)write_without_waiting(STDERR_FILENO, line, strlen(line));
}

void run_say(struct run *run, enum journal_message id, int priority, const char *format, ...)
{
	_cleanup_(bytes_done) struct bytes bytes = { 0 };
	_cleanup_free_ char *text = NULL;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (n < 0) {
		text = NULL;
		return;
	}
	if (run->outputs & OUTPUT_JOURNAL) {
		undelivered_encode_message(id, priority, text, &bytes);
		if (run_send(run, OUTPUT_JOURNAL, SEVERITY_NONE, &bytes, NULL))
			return;
		/* Journald has our standard error as well, and gets the entry when it takes entries
		 * again. */
		if (getenv("JOURNAL_STREAM"))
			return;
	}
	say_on_stderr(text);
}
