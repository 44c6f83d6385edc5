/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's policy: loading, noticing a change (also by a ConfigMap's symlink swap), reloading.
 * A bad policy never replaces a good one.
 */
#include "run.h"

#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <syslog.h>

#define SETTLE_US   200000u /* an editor or a ConfigMap writes in several steps */
#define WATCHES_MAX 2u

const char *run_policy_path(const struct run *run)
{
	const char *path = run->options->policy;

	if (path && strcmp(path, "none") == 0)
		return NULL;
	return path ? path : POLICY_DEFAULT_PATH;
}

/* The file's text now, to tell whether anything changed; an unreadable one is an empty text. */
static void read_text(const struct run *run, char **ret, size_t *ret_length)
{
	const char *path = run_policy_path(run);

	*ret = NULL;
	*ret_length = 0;
	if (path && read_whole_file(path, POLICY_TEXT_MAX, ret, ret_length) < 0)
		*ret = NULL;
}

static bool is_same_text(const struct run *run, const char *text, size_t length)
{
	if (!text || !run->policy_text)
		return text == run->policy_text;
	return length == run->policy_length && memcmp(text, run->policy_text, length) == 0;
}

int run_load_policy(struct run *run, struct diag *diag)
{
	/* First, so that a change in between is seen as one afterwards. */
	read_text(run, &run->policy_text, &run->policy_length);
	run->counts.reload_success_us = clock_us(CLOCK_REALTIME);
	return command_load_policy(run->options->policy, &run->policy, diag);
}

void run_warn_of_expiry(struct run *run)
{
	uint64_t today = policy_day(clock_us(CLOCK_REALTIME));

	for (size_t i = 0; i < policy_exception_count(run->policy); i++) {
		const struct policy_exception *e = policy_exception_at(run->policy, i);

		if (!e->expires || e->expires_day > today + POLICY_EXPIRY_WARNING_DAYS)
			continue;
		if (e->expires_day < today)
			run_say(run, JOURNAL_EXCEPTION_EXPIRES, LOG_WARNING,
				"The exception \"%s\" expired after %s.", e->reason, e->expires);
		else
			run_say(run, JOURNAL_EXCEPTION_EXPIRES, LOG_NOTICE,
				"The exception \"%s\" expires after %s.", e->reason, e->expires);
	}
}

static bool differs(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") != 0;
}

static void say_unchanged(struct run *run, const struct policy *new)
{
	const struct run_settings *now = policy_run(run->policy), *then = policy_run(new);
	const struct {
		bool changed;
		const char *name;
	} rows[] = {
		{ differs(now->engine, then->engine), "engine" },
		{ differs(now->socket, then->socket), "socket" },
		{ differs(now->state, then->state), "state" },
		{ differs(now->metrics, then->metrics), "metrics" },
		{ differs(now->host_root, then->host_root), "hostRoot" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].changed)
			run_say(run, JOURNAL_RELOADED, LOG_NOTICE,
				"run.%s has changed: that takes a restart.", rows[i].name);
}

void run_take_bases(struct run *run)
{
	run->audit.bases = policy_run(run->policy)->cgroup_bases;
	run->base = audit_base(&run->audit);
}

static void adopt(struct run *run, struct policy *new)
{
	say_unchanged(run, new);
	run->counts.reload_success_us = clock_us(CLOCK_REALTIME);
	policy_free(run->policy);
	run->policy = new;
	audit_take_policy(&run->audit, new);
	run->policy_is_new = true;
	engine_forget_permits(run->audit.engine);
	run_take_bases(run);
	sources_take_bundles(&run->sources, new, &run->audit);
	run->audit.report_tolerated = policy_run(new)->report_all;
	run->context.full_cmdline = policy_run(new)->full_cmdline;
	ledger_set_resolve_after(run->ledger, policy_run(new)->resolve_after_us);
	if (run_open_outputs(run) < 0)
		run->outputs &= ~(unsigned)OUTPUT_STDOUT;
}

void run_reload(struct run *run)
{
	struct diag diag = { 0 };
	struct policy *new;
	int r;

	(void)notify("RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_us(CLOCK_MONOTONIC));
	free(TAKE_PTR(run->policy_text));
	read_text(run, &run->policy_text, &run->policy_length);
	r = command_load_policy(run->options->policy, &new, &diag);
	if (r < 0) {
		run->counts.reload_failures++;
		if (diag.line)
			run_say(run, JOURNAL_RELOAD_FAILED, LOG_ERR,
				"The policy stays as it was: %s:%u:%u: %s",
				diag.file ? diag.file : "policy", diag.line, diag.column,
				diag.message);
		else
			run_say(run, JOURNAL_RELOAD_FAILED, LOG_ERR,
				"The policy stays as it was: %s: %s",
				diag.file ? diag.file : "policy", diag.message);
	} else {
		adopt(run, new);
		run_say(run, JOURNAL_RELOADED, LOG_INFO,
			"Policy %s loaded: %zu rules, %zu exceptions, default profile %s.",
			policy_file(new) ? policy_file(new) : "(built-in)", policy_rule_count(new),
			policy_exception_count(new), policy_default_profile(new)->name);
		run_pass(run);
		run_warn_of_expiry(run);
		run_status(run);
	}
	run_notify_ready(run);
}

static int on_settled(sd_event_source *source, uint64_t now, void *data)
{
	struct run *run = data;
	_cleanup_free_ char *text = NULL;
	size_t length;

	(void)source;
	(void)now;
	read_text(run, &text, &length);
	if (!is_same_text(run, text, length))
		run_reload(run);
	return 0;
}

static int on_change(sd_event_source *source, const struct inotify_event *event, void *data)
{
	struct run *run = data;

	(void)source;
	(void)event;
	(void)sd_event_source_set_time(run->policy_timer, clock_us(CLOCK_MONOTONIC) + SETTLE_US);
	return sd_event_source_set_enabled(run->policy_timer, SD_EVENT_ONESHOT);
}

static int watch_folder(struct run *run, const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	int r;

	if (!copy)
		return -ENOMEM;
	r = sd_event_add_inotify(run->event, &run->policy_watches[run->policy_watch_count],
		dirname(copy),
		IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR,
		on_change, run);
	if (r == 0 || r > 0)
		run->policy_watch_count++;
	return r < 0 ? r : 0;
}

/* The folder of the path that was given (where a ConfigMap swaps its `..data`), and the one that a
 * symbolic link leads to. */
int run_watch_policy(struct run *run)
{
	const char *path = run_policy_path(run);
	_cleanup_free_ char *real = NULL;
	int r;

	if (!path)
		return 0;
	run->policy_watches = calloc(WATCHES_MAX, sizeof(sd_event_source *));
	if (!run->policy_watches)
		return -ENOMEM;
	r = sd_event_add_time(
		run->event, &run->policy_timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_settled, run);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(run->policy_timer, SD_EVENT_OFF);
	if (r < 0)
		return r;
	r = watch_folder(run, path);
	if (r == -ENOENT || r == -EACCES)
		return 0; /* no folder, no file: SIGHUP is left */
	real = realpath(path, NULL);
	if (r == 0 && real && strcmp(real, path) != 0)
		r = watch_folder(run, real);
	return r;
}
