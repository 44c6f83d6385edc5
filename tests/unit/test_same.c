/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an engine says is as it was must change nothing of what is said: made-up nodes live for a
 * while at random, and two daemons look at them, of which one is told what is the same.
 */
// wrap: run_deliver
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/command/run.h"
#include "../../daemon/identify/registry_internal.h"
#include "../support/fail_allocation.h"

#include <capauditd/pod_security.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_SET UINT64_C(0xa80425fb)
#define EVERYTHING  UINT64_C(0x1ffffffffff)
#define SYS_ADMIN   CAPABILITY_BIT(CAPABILITY_SYS_ADMIN)
#define NET_BIND    CAPABILITY_BIT(CAPABILITY_NET_BIND_SERVICE)
#define ID(c)	    c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define ID_64(c)    ID(c) ID(c)
#define UID_1	    "11111111-2222-3333-4444-555555555555"
#define UID_2	    "22222222-2222-3333-4444-555555555555"
#define UNIT	    "0::/user.slice/user-1000.slice/user@1000.service/user.slice/"

/* ---- a node ---- */

static const char *const texts[] = {
	"0::/kubepods/burstable/pod" UID_1 "/" ID_64("a") "\n",
	"0::/kubepods/burstable/pod" UID_1 "/" ID_64("b") "\n",
	"0::/kubepods/burstable/pod" UID_2 "/" ID_64("c") "\n",
	"0::/system.slice/docker-" ID_64("d") ".scope\n",
	"0::/kubepods/burstable/pod" UID_1 "/" ID_64("a") "/below\n",
	UNIT "docker-" ID_64("d") ".scope\n",			   /* a user's word */
	"0::/kubepods/burstable/pod" UID_2 "\n",		   /* and nobody's container */
	"2:a:/docker/" ID_64("e") "\n0::/docker/" ID_64("f") "\n", /* contradicts itself */
	"0::/user.slice/user-1000.slice/session-3.scope\n",
	"0::/system.slice/sshd.service\n",
};

static const capability_mask masks[] = { 0, NET_BIND, DEFAULT_SET, DEFAULT_SET | SYS_ADMIN,
	EVERYTHING };

static const struct {
	const char *exe; /* NULL: it cannot be read */
	const char *comm;
	bool is_runtime, on_host;
} programs[] = {
	{ "/bin/web", "web", false, false },
	{ "/bin/sh", "sh", false, false },
	{ "/usr/bin/runc", "runc:[2:INIT]", true, true },
	{ NULL, "hidden", false, false },
	{ NULL, "runc:[1:CHILD]", false, false },
	{ "/usr/bin/runsc", "exe", false, true },
};

#define THREADS_MAX 2u
#define CROWD_MAX   28u

struct inmate {
	pid_t pid, ppid, inner;
	uint64_t start;
	unsigned text, level, program, threads; /* that differ, besides the leader */
	unsigned holds, bounding, of_thread[THREADS_MAX];
	enum user_namespace user_namespace;
	enum seccomp_mode seccomp;
	bool forked, shim;
	bool ends_at_once; /* after the pass has seen it */
	bool hidden;	   /* it refuses to be read */
};

static struct inmate crowd[CROWD_MAX];
static unsigned crowd_count;
static uint64_t now_us; /* since boot */
static uint64_t seed;
static bool is_busy;	    /* it is looked at often */
static bool is_narrow;	    /* a few texts alone */
static unsigned usual_mask; /* what most hold: were all at random, nothing would be settled */

static unsigned any(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 11) % below);
}

static bool once_in(unsigned n)
{
	return any(n) == 0;
}

static struct inmate *somebody(void)
{
	return crowd_count ? &crowd[any(crowd_count)] : NULL;
}

static struct inmate *find(pid_t pid, uint64_t start)
{
	for (unsigned i = 0; i < crowd_count; i++)
		if (crowd[i].pid == pid && crowd[i].start == start)
			return &crowd[i];
	return NULL;
}

/* A user's word for a container's name, and that container's, meet often enough in some lives. */
static unsigned any_text(void)
{
	static const unsigned narrow[] = { 3, 5, 8 };

	return is_narrow ? narrow[any(ARRAY_SIZE(narrow))] : any(ARRAY_SIZE(texts));
}

static bool is_taken(pid_t pid)
{
	for (unsigned i = 0; i < crowd_count; i++)
		if (crowd[i].pid == pid)
			return true;
	return false;
}

static unsigned any_mask(void)
{
	return once_in(5) ? any(ARRAY_SIZE(masks)) : usual_mask;
}

static void come(void)
{
	const struct inmate *parent = once_in(2) ? somebody() : NULL;
	struct inmate new = { .ppid = parent ? parent->pid : 1 };
	unsigned i;

	if (crowd_count == CROWD_MAX)
		return;
	do
		new.pid = 2 + (pid_t)any(60);
	while (is_taken(new.pid));
	new.start = now_us / 10000u;
	new.text = parent && !once_in(6) ? parent->text : any_text();
	new.level = parent ? parent->level : once_in(3);
	new.inner = new.level ? (parent ? 2 + (pid_t)any(3) : 1 + once_in(3)) : 0;
	new.program = once_in(3) ? any(ARRAY_SIZE(programs)) : 0;
	new.forked = once_in(3);
	new.holds = any_mask();
	new.bounding = once_in(4) ? any_mask() : usual_mask;
	if (once_in(6)) {
		new.threads = 1 + any(THREADS_MAX);
		for (i = 0; i < THREADS_MAX; i++)
			new.of_thread[i] = any_mask();
	}
	new.user_namespace = once_in(8) ? USER_NAMESPACE_OTHER : USER_NAMESPACE_INITIAL;
	new.shim = new.text == 6 && once_in(2);
	for (i = crowd_count; i > 0 && crowd[i - 1].pid > new.pid; i--)
		crowd[i] = crowd[i - 1];
	crowd[i] = new;
	crowd_count++;
}

static void go(struct inmate *who)
{
	pid_t pid = who->pid;

	memmove(who, who + 1, (size_t)(&crowd[--crowd_count] - who) * sizeof(*who));
	for (unsigned i = 0; i < crowd_count; i++)
		if (crowd[i].ppid == pid)
			crowd[i].ppid = 1;
}

/* The whole of a container ends, and perhaps another begins in its place. */
static void end_container(void)
{
	unsigned text = any_text();

	for (unsigned i = crowd_count; i-- > 0;)
		if (crowd[i].text == text)
			go(&crowd[i]);
}

static void change(struct inmate *who)
{
	switch (any(11)) {
	case 0: /* execve() */
		who->forked = false;
		who->program = once_in(3) ? any(ARRAY_SIZE(programs)) : 0;
		break;
	case 1:
		who->holds = any_mask();
		break;
	case 2:
		who->bounding = any_mask();
		break;
	case 3:
		who->text = any_text();
		break;
	case 4:
		who->threads = any(THREADS_MAX + 1);
		break;
	case 5:
		who->of_thread[any(THREADS_MAX)] = any_mask();
		break;
	case 6: /* its pid is another's */
		who->start = now_us / 10000u;
		who->forked = true;
		break;
	case 7:
		who->user_namespace = who->user_namespace == USER_NAMESPACE_OTHER
					      ? USER_NAMESPACE_INITIAL
					      : USER_NAMESPACE_OTHER;
		break;
	case 8:
		who->seccomp = who->seccomp ? SECCOMP_DISABLED_MODE : SECCOMP_FILTER_MODE;
		break;
	case 9:
		who->hidden = !who->hidden;
		break;
	default: /* who is forked is asked what it is whether it is the same or not */
		who->ends_at_once = !who->forked;
		break;
	}
}

static void live(void)
{
	static const uint64_t steps_us[] = { 200000, 1000000, 3000000, 10000000, 70000000 };

	for (unsigned i = crowd_count; i-- > 0;)
		if (crowd[i].ends_at_once)
			go(&crowd[i]);
	now_us += steps_us[any(is_busy ? 2 : ARRAY_SIZE(steps_us))];
	if (once_in(2))
		return;
	for (unsigned i = any(3) + 1; i > 0; i--) {
		struct inmate *who = somebody();

		if (once_in(2) || crowd_count < 6)
			come();
		else if (who && once_in(2))
			change(who);
		else if (who)
			go(who);
	}
	if (once_in(12))
		end_container();
}

/* ---- two engines that see it ---- */

static unsigned long fail_at; /* of the allocations that follow the engine's; 0: none */

struct seer {
	struct engine engine;
	bool tells; /* what is the same */
	unsigned questions;
};

static unsigned add_placement(struct snapshot *s, const char *text)
{
	struct placement *p = &s->placements[s->placement_count];

	for (unsigned i = 0; i < s->placement_count; i++)
		if (strcmp(s->placements[i].text, text) == 0)
			return i;
	p->text = strdup(text);
	assert_non_null(p->text);
	p->length = strlen(text);
	cgroup_parse(p->text, p->length, NULL, &p->identity);
	return (unsigned)s->placement_count++;
}

static struct task make_task(const struct inmate *who, const struct pass_options *options)
{
	struct task task = { .pid = who->pid,
		.tid = who->pid,
		.ppid = who->ppid,
		.start_ticks = who->start,
		.container = NO_CONTAINER,
		.user_namespace = who->user_namespace & 3,
		.user_namespace_key = who->user_namespace == USER_NAMESPACE_OTHER ? 7 : 1,
		.namespace_level = who->level & 0xff,
		.namespace_pid = who->inner,
		.leader = true,
		.forked = who->forked,
		.shim = who->shim };

	if (options->controls) {
		task.controls_known = true;
		task.seccomp = who->seccomp & 3;
	}
	for (unsigned i = 0; i < CAPABILITY_SETS; i++)
		task.sets.of[i] =
			i == CAPABILITY_BOUNDING ? masks[who->bounding] : masks[who->holds];
	return task;
}

static bool same_text(const struct snapshot *a, unsigned i, const struct snapshot *b, unsigned k)
{
	return strcmp(a->placements[i].text, b->placements[k].text) == 0;
}

/* Is all that the engine fills in of it as it was? */
static bool is_same(const struct snapshot *s, const struct task *task,
	const struct snapshot *previous, const struct task *before)
{
	return task->pid == before->pid && task->tid == before->tid && task->ppid == before->ppid &&
	       task->start_ticks == before->start_ticks &&
	       same_text(s, task->placement, previous, before->placement) &&
	       capability_sets_equal(&task->sets, &before->sets) &&
	       task->user_namespace == before->user_namespace &&
	       task->user_namespace_key == before->user_namespace_key &&
	       task->namespace_level == before->namespace_level &&
	       task->namespace_pid == before->namespace_pid && task->seccomp == before->seccomp &&
	       task->controls_known == before->controls_known && task->forked == before->forked &&
	       task->shim == before->shim;
}

/* `previous` is filled as far as this engine filled it. */
static void tell_same(struct snapshot *s, const struct snapshot *previous, size_t first)
{
	const struct task *before = snapshot_find(previous, s->tasks[first].pid);
	size_t count = s->task_count - first, i = 0, left;

	if (!before)
		return;
	left = (size_t)(previous->tasks + previous->task_count - before);
	while (i < count && i < left && is_same(s, &s->tasks[first + i], previous, &before[i]))
		i++;
	if (i < count || (i < left && before[i].pid == before->pid))
		return;
	for (i = 0; i < count; i++) {
		unsigned placement = s->tasks[first + i].placement;

		/* with all that others made of it */
		s->tasks[first + i] = before[i];
		s->tasks[first + i].placement = placement;
		s->tasks[first + i].same = true;
	}
}

static int see(struct engine *engine, const struct pass_options *options, struct snapshot *ret)
{
	const struct seer *seer = (const struct seer *)engine;
	struct snapshot s = { 0 };
	unsigned turn = (unsigned)now_us % (unsigned)ARRAY_SIZE(texts);

	s.tasks = calloc(CROWD_MAX * (THREADS_MAX + 1), sizeof(*s.tasks));
	s.placements = calloc(ARRAY_SIZE(texts), sizeof(*s.placements));
	assert_true(s.tasks && s.placements);
	/* Their numbers change from pass to pass. */
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		for (unsigned k = 0; k < crowd_count; k++)
			if (!crowd[k].hidden && crowd[k].text == (turn + i) % ARRAY_SIZE(texts))
				(void)add_placement(&s, texts[crowd[k].text]);
	for (unsigned i = 0; i < crowd_count; i++) {
		struct task task = make_task(&crowd[i], options);
		size_t first = s.task_count;

		if (crowd[i].hidden)
			continue;
		task.placement = add_placement(&s, texts[crowd[i].text]);
		s.tasks[s.task_count++] = task;
		for (unsigned k = 0; k < crowd[i].threads; k++) {
			task.leader = false;
			task.tid = 1000 + task.pid * 10 + (pid_t)k;
			task.sets.of[CAPABILITY_EFFECTIVE] = masks[crowd[i].of_thread[k]];
			task.sets.of[CAPABILITY_PERMITTED] = masks[crowd[i].of_thread[k]];
			s.tasks[s.task_count++] = task;
		}
		s.coverage.processes++;
		/* An engine that is not certain says nothing. */
		if (seer->tells && (unsigned)(now_us / 100000u + i) % 37u)
			tell_same(&s, options->previous, first);
	}
	s.coverage.tasks = s.task_count;
	*ret = s;
	fail_allocation_at(fail_at);
	return 0;
}

static int describe(struct engine *engine, const struct task *task, struct process *ret)
{
	struct seer *seer = (struct seer *)engine;
	const struct inmate *who = find(task->pid, task->start_ticks);
	struct process p = { .pid = task->pid,
		.tid = task->tid,
		.start_ticks = task->start_ticks,
		.sets = task->sets,
		.user_namespace = task->user_namespace,
		.seccomp = task->seccomp };

	seer->questions++;
	assert_non_null(who);
	/* Now and then even somebody who lives on does not answer. */
	if (who->ends_at_once ||
		(!who->forked && (now_us / 100000u + (unsigned)who->pid) % 11u == 0))
		return -ESRCH;
	p.exe = programs[who->program].exe ? strdup(programs[who->program].exe) : NULL;
	p.exe_is_runtime = programs[who->program].is_runtime;
	p.exe_on_host = programs[who->program].on_host;
	(void)snprintf(p.comm, sizeof(p.comm), "%s", programs[who->program].comm);
	*ret = p;
	return 0;
}

static void no_free(struct engine *engine)
{
	(void)engine;
}

static const struct engine_ops ops = { .pass = see, .describe = describe, .free = no_free };

/* ---- two daemons ---- */

struct witness {
	struct run run;
	struct seer seer;
	FILE *out; /* all that it says */
	char *said;
	size_t length;
};

static struct policy *policy; /* of both */
static struct cluster *cluster;
static bool cancels;

static uint64_t made_clock(int clock_id)
{
	return clock_id == CLOCK_REALTIME ? UINT64_C(1790000000000000) + now_us : now_us;
}

static bool is_cancelled(void)
{
	return cancels;
}

void __wrap_run_deliver(void *data, const struct finding *f);
void __wrap_run_deliver(void *data, const struct finding *f)
{
	struct witness *w = data;

	(void)fprintf(w->out, "finding %s %d %d: %d %d %d %s %d, %d of %s, %llu at %llu\n", f->id,
		(int)f->state, (int)f->resolved_reason, (int)f->verdict, (int)f->class,
		(int)f->severity, f->profile, (int)f->hints, (int)f->process.tid, f->container.id,
		(unsigned long long)f->count, (unsigned long long)f->last_seen_us);
}

static void take(void *data, const struct audit_result *result, struct audited *audited)
{
	struct witness *w = data;
	const struct assessment *a = &audited->assessment;
	const struct known_container *k = audited->known;

	fail_allocation_at(0);
	(void)fprintf(w->out,
		"%s %s/%s/%s: %s %d level %d verdict %d %d %d of %llu, %llx %llx, %d %llu %d; "
		"%zu observations, news %d, opaque %d\n",
		k->container.id, k->container.pod.namespace_name, k->container.pod.name,
		k->container.name, a->profile->name, (int)a->profile_source, (int)a->level,
		(int)a->verdict, (int)a->class, (int)a->severity, (unsigned long long)a->processes,
		(unsigned long long)a->held, (unsigned long long)a->bounding, (int)a->starting,
		(unsigned long long)a->excused, (int)a->advice_drop_all, audited->observation_count,
		(int)audited->news, (int)k->container.opaque);
	for (size_t i = 0; i < k->task_count; i++)
		(void)fprintf(w->out, " %d%s%s%s", (int)k->tasks[i]->tid,
			k->tasks[i]->moved ? " moved" : "",
			k->tasks[i]->outside_parent ? " from outside" : "",
			k->tasks[i]->runtime_stage ? " stage" : "");
	(void)fprintf(w->out, "\n");
	run_remember(&w->run, result, audited);
}

static void begin(struct witness *w, bool tells)
{
	*w = (struct witness){ .seer = { { .ops = &ops, .name = "procfs" }, tells, 0 } };
	w->run.ledger = ledger_new(30u * UINT64_C(1000000));
	w->run.policy = policy;
	w->run.audit = (struct audit){ .engine = &w->seer.engine,
		.registry = registry_new("/nonexistent"),
		.cluster = cluster,
		.policy = policy,
		.include_host = true,
		.clock = made_clock,
		.cancelled = is_cancelled,
		.take = take,
		.take_data = w };
	assert_true(w->run.ledger && w->run.audit.registry);
	registry_use(w->run.audit.registry, NULL, cluster);
}

static void end(struct witness *w)
{
	audit_done(&w->run.audit);
	ledger_free(w->run.ledger);
	free(w->said);
}

static void print_coverage(struct witness *w, const struct audit_result *result)
{
	const struct coverage *c = &result->coverage;

	(void)fprintf(w->out,
		"%llu processes in %llu of %llu pods; %llu gone, %llu nobody's, %llu start, %llu "
		"opaque, %llu hidden; %llu unsettled, %llu suspect\n",
		(unsigned long long)c->container_processes, (unsigned long long)c->containers,
		(unsigned long long)c->pods, (unsigned long long)c->vanished,
		(unsigned long long)c->unattributed, (unsigned long long)c->starting,
		(unsigned long long)c->opaque, (unsigned long long)c->unknown_executables,
		(unsigned long long)result->unsettled, (unsigned long long)result->suspects);
}

/* The daemon that is told nothing keeps nothing either. */
static void forget_what_was_found(struct registry *registry)
{
	registry->identified = registry->refreshed = registry->pods_counted = false;
	for (size_t i = 0; i < registry_count(registry); i++) {
		registry_at(registry, i)->settled = false;
		registry_at(registry, i)->settled_by = UINT64_MAX;
	}
}

/* What run_pass() and run_judge_again() do. */
static int look(struct witness *w, bool again)
{
	struct audit_result result;
	int r;

	if (!w->seer.tells)
		forget_what_was_found(w->run.audit.registry);
	free(w->said);
	w->out = open_memstream(&w->said, &w->length);
	assert_non_null(w->out);
	ledger_begin(w->run.ledger, made_clock(CLOCK_REALTIME));
	r = again ? audit_again(&w->run.audit, &result) : audit_pass(&w->run.audit, &result);
	fail_allocation_at(0);
	if (r == 0) {
		if (!again) {
			ledger_end(__wrap_run_deliver, w, w->run.ledger, true);
			w->run.policy_is_new = false;
		}
		print_coverage(w, &result);
		audit_result_done(&result);
	} else {
		assert_int_equal(r, fail_at ? -ENOMEM : -ECANCELED);
	}
	assert_int_equal(fclose(w->out), 0);
	return r;
}

static const char *const policies[] = {
	"version: 1\n",
	"version: 1\ndefaultProfile: restricted\n",
	"version: 1\nexceptions: [{ match: { runtime: '*' }, allow: [SYS_ADMIN], reason: r, "
	"expires: 2026-09-22 }]\n",
	"version: 1\nrules: [{ match: { podSelector: { a: c } }, profile: privileged }]\n",
	"version: 1\nrules: [{ match: { runtime: docker }, require: [seccomp], profile: privileged "
	"}]\ndefaultProfile: restricted\n",
};

/* The new one may lie where the old one was. */
static void exchange_policy(struct witness *w, size_t count)
{
	const char *text = policies[any(ARRAY_SIZE(policies))];
	struct diag diag;

	policy_free(policy);
	assert_int_equal(policy_load("p", text, strlen(text), &policy, &diag), 0);
	for (size_t i = 0; i < count; i++) {
		w[i].run.policy = policy;
		w[i].run.policy_is_new = true;
		audit_take_policy(&w[i].run.audit, policy);
		w[i].run.audit.forced = NULL;
	}
}

static void tell_of_a_pod(void)
{
	struct pod_record *record;
	char text[512];

	(void)snprintf(text, sizeof(text),
		"{\"metadata\":{\"name\":\"p\",\"namespace\":\"n%u\",\"uid\":\"%s\",\"labels\":{"
		"\"a\":\"%s\"}},\"spec\":{\"containers\":[{\"name\":\"main\"}]},\"status\":{"
		"\"containerStatuses\":[{\"name\":\"main\",\"containerID\":\"containerd://" ID_64(
			"a") "\"}]}}",
		any(2), once_in(2) ? UID_1 : UID_2, once_in(2) ? "b" : "c");
	assert_int_equal(pod_record_parse(text, strlen(text), &record), 0);
	assert_int_equal(cluster_put_pod_take(cluster, record), 0);
}

static void tell_of_a_namespace(void)
{
	static const char *const levels[] = { "privileged", "baseline", "restricted" };
	struct namespace_record *record;
	char text[256];

	(void)snprintf(text, sizeof(text),
		"{\"metadata\":{\"name\":\"n%u\",\"labels\":{"
		"\"pod-security.kubernetes.io/enforce\":\"%s\"}}}",
		any(2), levels[any(3)]);
	assert_int_equal(namespace_record_parse(text, strlen(text), &record), 0);
	assert_int_equal(cluster_put_namespace_take(cluster, record), 0);
}

static void list_everything(void)
{
	cluster_begin_pods(cluster);
	cluster_end_pods(cluster);
	cluster_begin_namespaces(cluster);
	cluster_end_namespaces(cluster);
}

/* True where the sources are to be judged by at once. */
static bool news(struct witness *w, size_t count)
{
	bool report_tolerated, forced;

	if (once_in(10))
		exchange_policy(w, count);
	if (once_in(20)) {
		report_tolerated = once_in(2);
		forced = once_in(3);
		for (size_t i = 0; i < count; i++) {
			w[i].run.audit.report_tolerated = report_tolerated;
			w[i].run.audit.forced =
				forced ? policy_profile(policy, "restricted") : NULL;
		}
	}
	if (once_in(40))
		now_us += UINT64_C(24) * 3600 * 1000000;
	if (!once_in(10))
		return false;
	switch (any(3)) {
	case 0:
		tell_of_a_pod();
		break;
	case 1:
		tell_of_a_namespace();
		break;
	default:
		list_everything();
		break;
	}
	return once_in(2);
}

static size_t count_settled(struct witness *w)
{
	size_t count = 0;

	for (size_t i = 0; i < registry_count(w->run.audit.registry); i++)
		count += registry_at(w->run.audit.registry, i)->settled;
	return count;
}

static void compare(const struct witness *w, unsigned life, unsigned pass)
{
	if (strcmp(w[0].said, w[1].said) != 0)
		fail_msg("life %u, pass %u:\n%s---- and told what is the same:\n%s", life, pass,
			w[0].said, w[1].said);
}

static void begin_life(struct witness *w, unsigned life)
{
	seed = life * UINT64_C(0x9e3779b97f4a7c15);
	crowd_count = 0;
	is_busy = once_in(3);
	is_narrow = once_in(3);
	usual_mask = 1 + any(3);
	now_us = UINT64_C(1000000000);
	policy = policy_new_default();
	cluster = cluster_new();
	assert_true(policy && cluster);
	for (unsigned i = 0; i < 2; i++)
		begin(&w[i], i == 1);
}

static void end_life(struct witness *w)
{
	for (unsigned i = 0; i < 2; i++)
		end(&w[i]);
	policy_free(policy);
	cluster_free(cluster);
}

#define LIVES  300u
#define PASSES 60u

static void what_is_the_same_is_said_as_if_it_were_looked_at(void **state)
{
	unsigned questions[2] = { 0 };
	size_t settled = 0;

	(void)state;
	for (unsigned life = 1; life <= LIVES; life++) {
		struct witness w[2];

		begin_life(w, life);
		for (unsigned pass = 0; pass < PASSES; pass++) {
			live();
			bool again = news(w, 2);

			cancels = once_in(15);
			for (unsigned i = 0; i < 2; i++)
				(void)look(&w[i], false);
			cancels = false;
			compare(w, life, pass);
			for (unsigned i = 0; again && i < 2; i++)
				(void)look(&w[i], true);
			compare(w, life, pass);
			settled += count_settled(&w[1]);
		}
		for (unsigned i = 0; i < 2; i++)
			questions[i] += w[i].seer.questions;
		end_life(w);
	}
	/* Or nothing was spared. */
	assert_true(settled > (size_t)LIVES * PASSES / 2);
	assert_true(questions[1] < questions[0]);
}

/* What a pass that broke off has left half done must not be taken for found. */
static void what_was_not_found_out_for_want_of_memory_is_not_kept(void **state)
{
	unsigned broken = 0;

	(void)state;
	for (unsigned life = 1; life <= 100; life++) {
		struct witness w[2];
		int r = 0;

		begin_life(w, life);
		for (unsigned i = 0; i < 12; i++)
			come();
		fail_at = 1 + any(60);
		for (unsigned i = 0; i < 2; i++)
			r = look(&w[i], false);
		broken += r < 0;
		fail_at = 0;
		compare(w, life, 0);
		for (unsigned i = 0; i < 2; i++)
			(void)look(&w[i], false);
		compare(w, life, 1);
		end_life(w);
	}
	assert_true(broken > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_the_same_is_said_as_if_it_were_looked_at),
		cmocka_unit_test(what_was_not_found_out_for_want_of_memory_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
