/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Kubernetes API source of the daemon: what it says changes names and verdicts at once, without
 * another look at the tasks.
 */
#include "run.h"

#include <capauditd/pod_security.h>

#include <errno.h>
#include <string.h>
#include <syslog.h>

/* What comes together is judged together. News after a rest is judged at once; of a flood of it,
 * which whoever may change pods can make, judging takes at most about a quarter of the time. */
#define SETTLE_US      10000u
#define SPACING_MIN_US 100000u
#define SPACING_FACTOR 3u

static int on_news(sd_event_source *source, uint64_t now, void *data)
{
	struct run *run = data;
	uint64_t begin = clock_us(CLOCK_MONOTONIC), end, spacing;

	(void)source;
	(void)now;
	run_judge_again(run);
	end = clock_us(CLOCK_MONOTONIC);
	spacing = (end - begin) * SPACING_FACTOR;
	run->news_after_us = end + (spacing < SPACING_MIN_US ? SPACING_MIN_US : spacing);
	return 0;
}

static void on_changed(void *data)
{
	struct run *run = data;
	uint64_t due = clock_us(CLOCK_MONOTONIC) + SETTLE_US;
	int enabled;

	if (sd_event_source_get_enabled(run->news_timer, &enabled) >= 0 && enabled != SD_EVENT_OFF)
		return;
	if (due < run->news_after_us)
		due = run->news_after_us;
	(void)sd_event_source_set_time(run->news_timer, due);
	(void)sd_event_source_set_enabled(run->news_timer, SD_EVENT_ONESHOT);
}

static void on_said(void *data, bool is_up, const char *sentence)
{
	run_say(data, JOURNAL_SOURCE, is_up ? LOG_INFO : LOG_WARNING, "%s", sentence);
}

int run_open_kubernetes(struct run *run, struct diag *diag)
{
	const struct kubernetes_settings settings = {
		.access = &run->sources.access,
		.node = run->node.name,
		.first_delay_us = run->sources.in_cluster ? KUBERNETES_FIRST_DELAY_US : 0,
	};
	int r;

	if (!run->sources.cluster)
		return 0;
	r = sd_event_add_time(
		run->event, &run->news_timer, CLOCK_MONOTONIC, UINT64_MAX, 1000, on_news, run);
	if (r >= 0)
		r = sd_event_source_set_enabled(run->news_timer, SD_EVENT_OFF);
	if (r < 0)
		return r;
	r = kubernetes_new(run->event, &settings, run->sources.cluster, on_changed, on_said, run,
		&run->kubernetes, diag);
	if (r != -ELIBACC)
		return r;
	/* As with a server that never answers; all else works. */
	run_say(run, JOURNAL_SOURCE, LOG_ERR, "%s", diag->message);
	return 0;
}

void run_close_kubernetes(struct run *run)
{
	kubernetes_free(run->kubernetes);
	(void)sd_event_source_disable_unref(run->news_timer);
	run->kubernetes = NULL;
	run->news_timer = NULL;
}

/* What of an open finding is still wrong by what is known now. It was not observed in the pass that
 * has just been judged: either it is permitted now, or it is told under another profile, or nobody
 * was there who could be judged. */
enum resolved_reason run_still(void *data, const struct finding *f)
{
	struct run *run = data;
	struct known_container *known = registry_known(run->audit.registry, f->container.id);
	const struct policy_exception *exception;
	struct judge_input input = { 0 };
	struct policy_decision decision;
	struct policy_subject subject;
	capability_mask rest = capability_sets_all(&f->excess), tolerated;
	enum resolved_reason reason;

	if (!known)
		return RESOLVED_NOT;
	audit_input(&run->audit, known, &input);
	/* After a restart less may be known of it than when it was found. */
	if (input.api == API_PENDING && !f->provisional)
		return RESOLVED_NOT;
	judge_finding_subject(&input, f, &subject);
	decision = policy_decide(run->policy, &subject, NULL, input.label);
	reason = decision.source == PROFILE_FROM_NAMESPACE_LABEL ||
				 f->profile_source == PROFILE_FROM_NAMESPACE_LABEL
			 ? RESOLVED_LEVEL
			 : RESOLVED_POLICY;
	tolerated = judge_tolerated(decision.profile, &known->container.declared);
	if (f->class == CLASS_POSTURE && (rest & ~(decision.profile->allow | tolerated)) != rest)
		return reason;
	rest &= ~policy_except(run->policy, &subject, f->class, rest,
		policy_day(clock_us(CLOCK_REALTIME)), &exception);
	if (!rest && capability_sets_all(&f->excess))
		return RESOLVED_EXCEPTION;
	if (f->class == CLASS_POSTURE && strcmp(decision.profile->name, f->profile) != 0)
		return reason;
	return RESOLVED_NOT;
}
