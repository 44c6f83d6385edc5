/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hands findings and operational messages to the sinks that the policy names.
 */
#include "run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>

/* systemd gives its services an invocation id. */
static unsigned default_outputs(void)
{
	return getenv("INVOCATION_ID") || getenv("JOURNAL_STREAM") ? OUTPUT_JOURNAL : OUTPUT_STDOUT;
}

static int on_writable(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct run *run = data;
	ssize_t waiting = line_stream_flush(run->out);

	(void)fd;
	(void)events;
	if (waiting > 0)
		return 0;
	if (waiting < 0) {
		run_say(run, JOURNAL_SOURCE, LOG_ERR, "cannot write to standard output: %s",
			strerror((int)-waiting));
		line_stream_free(TAKE_PTR(run->out));
		run->outputs &= ~(unsigned)OUTPUT_STDOUT;
	}
	return sd_event_source_set_enabled(source, SD_EVENT_OFF);
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
		on_writable, run);
	if (r == -EPERM)
		return 0; /* a regular file is always writable, and cannot be polled */
	return r < 0 ? r : sd_event_source_set_enabled(run->stdout_source, SD_EVENT_OFF);
}

int run_open_outputs(struct run *run)
{
	unsigned wanted = policy_run(run->policy)->outputs;
	int r = run->journal ? 0 : journal_link_new(JOURNAL_SOCKET, &run->journal);

	if (r < 0)
		return r;
	run->outputs = wanted ? wanted : default_outputs();
	return run->outputs & OUTPUT_STDOUT ? open_stdout(run) : 0;
}

void run_close_outputs(struct run *run)
{
	run->stdout_source = sd_event_source_disable_unref(run->stdout_source);
	line_stream_free(TAKE_PTR(run->out));
	journal_link_free(TAKE_PTR(run->journal));
}

static void put_line(struct run *run, const struct finding *finding)
{
	_cleanup_free_ char *json = finding_to_json(&run->context, finding);
	int r = json ? line_stream_put(run->out, json) : -ENOMEM;

	if (r < 0) {
		if (!run->lines_lost++)
			run_say(run, JOURNAL_SOURCE, LOG_ERR,
				"standard output does not take findings: %s", strerror(-r));
		return;
	}
	if (run->stdout_source && r > 0)
		(void)sd_event_source_set_enabled(run->stdout_source, SD_EVENT_ON);
}

static bool lives(const struct run *run, const struct finding *finding)
{
	const struct task *task = snapshot_find(&run->audit.snapshot, finding->process.pid);

	return finding->state != FINDING_RESOLVED && task &&
	       task->start_ticks == finding->process.start_ticks;
}

void run_deliver(void *data, const struct finding *finding)
{
	struct run *run = data;

	if (run->outputs & OUTPUT_JOURNAL) {
		int r = journal_send_finding(
			run->journal, &run->context, finding, lives(run, finding));

		if (r < 0)
			message("the journal does not take a finding: %s", strerror(-r));
	}
	if (run->outputs & OUTPUT_STDOUT && run->out)
		put_line(run, finding);
}

void run_say(struct run *run, enum journal_message id, int priority, const char *format, ...)
{
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
	if (!(run->outputs & OUTPUT_JOURNAL) ||
		journal_send_message(run->journal, id, priority, "%s", text) < 0)
		message("%s", text);
}
