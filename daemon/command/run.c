/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * capauditd run: sets the daemon up, gives up every privilege, and turns the loop.
 */
#include "run.h"

#include "notify.h"
#include "privilege.h"
#include "syscall_filter.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define MMAP_THRESHOLD 65536

static int on_timer(sd_event_source *source, uint64_t now, void *data)
{
	(void)source;
	(void)now;
	run_pass(data);
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	struct run *run = data;

	(void)source;
	switch (info->ssi_signo) {
	case SIGHUP:
		run_reload(run);
		return 0;
	case SIGUSR1:
		run_pass(run);
		return 0;
	default:
		return sd_event_exit(run->event, 0);
	}
}

/* Asked in the middle of a pass, so that ending never has to wait for one; and a pass that goes on
 * is no hang, however much a container makes it cost. */
static bool is_ending(void)
{
	sigset_t pending;

	(void)notify("WATCHDOG=1");
	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

static int add_signals(struct run *run)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
	sigset_t set;
	int r = 0;

	if (sigemptyset(&set) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(signals); i++)
		r = sd_event_add_signal(run->event, NULL, signals[i], on_signal, run);
	return r < 0 ? r : 0;
}

static int choose_engine(struct run *run)
{
	const char *name = run->options->engine;
	struct diag diag = { 0 };
	int r;

	if (!name)
		name = policy_run(run->policy)->engine;
	r = engine_choose(name ? name : "auto", true, &run->audit.engine, &diag);
	if (r == -ENOMEM) {
		message("%s", diag.message);
		return EXIT_STATUS_INTERNAL;
	}
	return r < 0 ? usage_error("%s", diag.message) : EXIT_STATUS_OK;
}

/* What the sources and the state need. 0 or -errno. */
static int make_parts(struct run *run)
{
	const char *host_root = find_host_root(run->options->host_root, run->policy);
	const struct run_settings *settings = policy_run(run->policy);
	int r;

	run_take_bases(run);
	run->audit.clock = clock_us;
	run->audit.policy = run->policy;
	run->audit.report_tolerated = settings->report_all;
	run->audit.cancelled = is_ending;
	run->audit.take = run_remember;
	run->audit.take_data = run;
	run->audit.registry = registry_new(host_root);
	run->ledger = ledger_new(settings->resolve_after_us);
	if (!run->audit.registry || !run->ledger)
		return -ENOMEM;
	r = node_init(&run->node, run->options->node);
	if (r < 0)
		return r;
	run->context = (struct report_context){ run->node.name, run->node.boot_id, run->node.kernel,
		run->audit.engine->name, settings->full_cmdline };
	r = sd_event_new(&run->event);
	if (r >= 0)
		r = add_signals(run);
	if (r >= 0)
		r = sd_event_add_time(
			run->event, &run->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, run);
	if (r >= 0)
		r = run_open_outputs(run);
	return r < 0 ? r : 0;
}

/* All else that needs memory, files or privilege. 0 or -errno. */
static int open_parts(struct run *run)
{
	int r = run_open_state(run);

	if (r >= 0)
		r = run_watch_policy(run);
	if (r >= 0)
		r = run_open_events(run);
	if (r >= 0 && !run->events_source)
		r = run_watch_cgroups(run);
	if (r >= 0)
		r = run_open_notify(run);
	return r < 0 ? r : 0;
}

static int start_kubernetes(struct run *run)
{
	struct diag diag = { 0 };
	int r;

	run_seed_namespaces(run);
	r = run_open_kubernetes(run, &diag);
	if (r == -EINVAL)
		return usage_error("%s", diag.message);
	if (r < 0) {
		message("cannot start the Kubernetes API source: %s", strerror(-r));
		return EXIT_STATUS_INTERNAL;
	}
	return EXIT_STATUS_OK;
}

static int cannot_start(int error)
{
	message("cannot start: %s", strerror(-error));
	return EXIT_STATUS_INTERNAL;
}

/* An exit status, said. A usage error comes before all that is only remarked. */
static int set_up(struct run *run)
{
	int status = choose_engine(run), r;

	if (status != EXIT_STATUS_OK)
		return status;
	r = make_parts(run);
	if (r < 0)
		return cannot_start(r);
	status = sources_open(&run->sources, find_host_root(run->options->host_root, run->policy),
		run->options->kubernetes, run->options->kubeconfig, &run->audit);
	if (status != EXIT_STATUS_OK)
		return status;
	r = open_parts(run);
	if (r < 0)
		return cannot_start(r);
	status = run_open_http(run);
	return status == EXIT_STATUS_OK ? start_kubernetes(run) : status;
}

/* Everything is open by now, and nothing yet was read of what containers choose. */
static void confine(struct run *run)
{
	int r = syscall_filter_install();

	if (r < 0)
		run_say(run, JOURNAL_UNCONFINED, LOG_WARNING,
			"No filter of system calls: %s. All else is as it should be.",
			r == -ELIBACC ? "this build has none" : strerror(-r));
}

/* What the loop itself lacks memory for it does later: to be blind for as long as it takes to start
 * again would be worse. It is ended where that goes on. */
#define LOOP_FAILURES_MAX 100u
#define LOOP_PAUSE_US	  100000u

static int loop(struct run *run)
{
	int r = sd_event_loop(run->event);

	for (unsigned failures = 1; r == -ENOMEM && failures < LOOP_FAILURES_MAX; failures++) {
		(void)usleep(LOOP_PAUSE_US);
		r = sd_event_loop(run->event);
	}
	return r;
}

static int turn(struct run *run)
{
	int r = drop_privileges();

	if (r < 0) {
		message("cannot give up all capabilities: %s", strerror(-r));
		return EXIT_STATUS_INTERNAL;
	}
	confine(run);
	run_say_engine(run);
	run_say(run, JOURNAL_STARTED, LOG_INFO,
		"capauditd " CAPAUDITD_VERSION " started on node %s with policy %s.",
		run->node.name, policy_file(run->policy) ? policy_file(run->policy) : "(built-in)");
	run_flush_outputs(run); /* what waits from before does not wait for news as well */
	r = loop(run);
	(void)notify("STOPPING=1");
	if (r < 0) {
		message("the event loop failed: %s", strerror(-r));
		return EXIT_STATUS_INTERNAL;
	}
	/* What waits for a name, or the API, is kept over a restart, or else told as it is. */
	if (!run->state)
		ledger_tell_held(run_deliver, run, run->ledger);
	run_say(run, JOURNAL_STOPPED, LOG_INFO, "capauditd stopped; %zu findings were open.",
		ledger_count(run->ledger));
	run_flush_outputs(run);
	return EXIT_STATUS_OK;
}

static void tear_down(struct run *run)
{
	run_close_http(run);
	run_close_kubernetes(run);
	run_close_state(run);
	run_close_outputs(run);
	for (size_t i = 0; i < run->policy_watch_count; i++)
		(void)sd_event_source_disable_unref(run->policy_watches[i]);
	free(run->policy_watches);
	(void)sd_event_source_disable_unref(run->policy_timer);
	(void)sd_event_source_disable_unref(run->timer);
	(void)sd_event_source_disable_unref(run->notify_timer);
	(void)sd_event_source_disable_unref(run->watch_source);
	cgroup_watch_free(run->watch);
	run_close_events(run);
	ledger_free(run->ledger);
	audit_done(&run->audit);
	sources_done(&run->sources);
	node_done(&run->node);
	policy_free(run->policy);
	free(run->policy_text);
	(void)sd_event_unref(run->event);
}

int command_run(int argc, char **argv)
{
	struct run_options options;
	struct run run = { .options = &options, .started_us = clock_us(CLOCK_REALTIME) };
	struct diag diag = { 0 };
	int status = run_options_parse(&options, argc, argv), r;

	if (status != OPTIONS_GO)
		return status;
	/* What a pass needs of memory goes back to the node when it ends, and grows without a copy.
	 */
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
	r = run_load_policy(&run, &diag);
	if (r < 0) {
		diag_print(&diag, stderr);
		free(run.policy_text);
		return r == -ENOMEM ? EXIT_STATUS_INTERNAL : EXIT_STATUS_USAGE;
	}
	status = set_up(&run);
	if (status == EXIT_STATUS_OK)
		status = turn(&run);
	tear_down(&run);
	return status;
}
