/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon hears between passes: programs that are over before anybody could look at them,
 * judged from what the kernel said of them. Its interval is an hour, so that what lives for a
 * moment is found by an event or not at all.
 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct sys_spec compliant;

/* A daemon that looks with bpf, by a policy with these lines. */
static struct sys_daemon *start_daemon(struct sys *sys, const char *policy)
{
	static const char *const argv[] = { "--engine", "bpf", NULL };
	char *file = sys_print(sys, "%s/policy.yaml", sys->directory);

	sys_need_bpf(sys);
	sys_write_file(file, sys_print(sys,
				     "version: 1\n"
				     "run: { outputs: [stdout], interval: 1h, resolveAfter: 1h }\n"
				     "%s",
				     policy));
	return sys_run(sys, &(struct sys_daemon_options){ .policy = file, .argv = argv });
}

static struct sys_container *bare(struct sys *sys)
{
	struct sys_container *container = sys_bare(sys);

	sys_bare_make(sys, container, false);
	return container;
}

/* A program that ends at once, with these capabilities. */
static pid_t run_briefly(
	struct sys *sys, const struct sys_container *container, uint64_t capabilities)
{
	const char *const argv[] = { sys_inside(sys, "inside"), "brief", "secret", NULL };

	return sys_inhabit(sys, &(struct sys_inhabitant){ .cgroup = container->cgroup,
					.argv = argv,
					.bounding = capabilities,
					.pid_namespace = true });
}

/* How many findings of the container were opened until now. */
static size_t opened(
	struct sys *sys, struct sys_daemon *daemon, const struct sys_container *container)
{
	json_t *line;
	size_t i, count = 0;

	json_array_foreach(sys_daemon_lines(daemon), i, line)
	{
		count += sys_is_of(line, "container", container) &&
			 strcmp(sys_get(sys, line, "state"), "opened") == 0;
	}
	return count;
}

/* What the daemon has heard until now it has judged when it tells of a new program. */
static void let_it_catch_up(struct sys *sys, struct sys_daemon *daemon)
{
	struct sys_container *marker = bare(sys);
	const uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;

	/* On a machine where others are busy the marker itself may be lost. */
	for (unsigned tries = 0; opened(sys, daemon, marker) == 0; tries++) {
		if (sys_now_ms() > until || sys_has_ended(sys, sys_daemon_pid(daemon)))
			fail_msg("run hears of nothing; its errors: %s", sys_daemon_errors(daemon));
		if (tries % 100 == 0)
			(void)run_briefly(sys, marker, SYS_SYS_ADMIN);
		sys_sleep_ms(20);
	}
	sys_stop(sys, marker);
}

/* A pass begins and ends after this was called. */
static void make_a_pass(struct sys *sys, struct sys_daemon *daemon)
{
	let_it_catch_up(sys, daemon);
	sys_daemon_signal(daemon, SIGUSR1);
	sys_daemon_notified(daemon, "STATUS=");
	let_it_catch_up(sys, daemon);
}

static const char *status_line(struct sys *sys, struct sys_daemon *daemon, const char *name)
{
	char *text = sys_read_file(sys_print(sys, "/proc/%d/status", (int)sys_daemon_pid(daemon)));
	const char *line = strstr(text, name);

	sys_own(sys, text, free);
	if (!line)
		fail_msg("no %s in %s", name, text);
	line += strlen(name);
	line += strspn(line, ":\t ");
	return sys_print(sys, "%.*s", (int)strcspn(line, "\n"), line);
}

static void without_any_capability_it_hears_and_sees(void **state)
{
	static const char *const sets[] = { "CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd" };
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "");
	struct sys_container *brief = bare(sys), *lasting = bare(sys);
	size_t from = 0;

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		assert_string_equal(status_line(sys, daemon, sets[i]), "0000000000000000");
	assert_string_equal(status_line(sys, daemon, "NoNewPrivs"), "1");

	(void)run_briefly(sys, brief, SYS_SYS_ADMIN);
	(void)sys_daemon_wait(daemon, &from, brief, "opened");

	/* Which no event tells: a new user namespace, without a new program. */
	const char *const argv[] = { sys_inside(sys, "inside"), "nested", "1", NULL };
	(void)sys_inhabit(sys,
		&(struct sys_inhabitant){ .cgroup = lasting->cgroup, .argv = argv, .uid = 1000 });
	sys_daemon_signal(daemon, SIGUSR1);
	assert_true(sys_has_hint(
		sys_daemon_wait(daemon, &from, lasting, "opened"), "nested-user-namespace"));
}

/* Programs of that type that the daemon holds (proc(5), fdinfo), and how often they have run, which
 * the kernel counts where it was asked to. */
static unsigned long count_runs(
	struct sys *sys, struct sys_daemon *daemon, const char *type, unsigned *ret_programs)
{
	unsigned long runs = 0;

	*ret_programs = 0;
	for (int fd = 0; fd < 256; fd++) {
		char *text = sys_read_file(
			sys_print(sys, "/proc/%d/fdinfo/%d", (int)sys_daemon_pid(daemon), fd));
		const char *count = strstr(text, "run_cnt:");

		sys_own(sys, text, free);
		if (!strstr(text, sys_print(sys, "prog_type:\t%s\n", type)) || !count)
			continue;
		runs += strtoul(count + strlen("run_cnt:"), NULL, 10);
		++*ret_programs;
	}
	return runs;
}

#define STATS		"/proc/sys/kernel/bpf_stats_enabled"
#define TYPE_OF_WALK	"31" /* BPF_PROG_TYPE_SYSCALL; since Linux 6.7 it can iterate over tasks */
#define TYPE_OF_TRACING "26"

static void without_any_capability_a_pass_walks_along_the_tasks(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "");
	unsigned programs, others;

	(void)count_runs(sys, daemon, TYPE_OF_WALK, &programs);
	(void)count_runs(sys, daemon, TYPE_OF_TRACING, &others);
	assert_true(others > 0);
	if (programs == 0 || access(STATS, W_OK) != 0) {
		print_message("this kernel has no open-coded iterator, or does not count\n");
		skip();
	}
	sys_write_file(STATS, "1\n");
	make_a_pass(sys, daemon);
	const unsigned long runs = count_runs(sys, daemon, TYPE_OF_WALK, &programs);

	sys_write_file(STATS, "0\n");
	assert_int_equal(programs, 1);
	assert_true(runs > 0 && runs < 10);
}

static void a_program_that_lives_for_a_moment_is_told_with_all_that_names_it(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "");
	struct sys_container *container = bare(sys);
	size_t from = 0;
	pid_t pid = run_briefly(sys, container, SYS_SYS_ADMIN);
	json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");

	assert_int_equal(sys_number(finding, "process.pid"), pid);
	assert_int_equal(sys_number(finding, "process.ppid"), getpid());
	assert_string_equal(sys_get(sys, finding, "process.exe"), sys_inside(sys, "inside"));
	assert_string_equal(sys_get(sys, finding, "process.comm"), "inside");
	assert_string_equal(sys_get(sys, finding, "process.cmdline"), sys_inside(sys, "inside"));
	assert_string_equal(sys_get(sys, finding, "process.capabilities.effective"), "0x200000");
	assert_string_equal(sys_get(sys, finding, "process.capabilities.bounding"), "0x200000");
	assert_string_equal(sys_get(sys, finding, "excess.effective"), "SYS_ADMIN");
	assert_string_equal(sys_get(sys, finding, "container.cgroup"), container->cgroup);
	assert_string_equal(sys_get(sys, finding, "pod.uid"), container->pod_uid);
	char *text = json_dumps(finding, 0);

	assert_non_null(text);
	assert_null(strstr(text, "secret"));
	free(text);
	assert_int_equal(sys_number(finding, "count"), 1);
}

static void its_arguments_are_told_on_demand(void **state)
{
	struct sys *sys = *state;
	char *file = sys_print(sys, "%s/policy.yaml", sys->directory);
	static const char *const options[] = { "--engine", "bpf", NULL };

	sys_need_bpf(sys);
	sys_write_file(file, "version: 1\n"
			     "run: { outputs: [stdout], interval: 1h, cmdline: full }\n");
	struct sys_daemon *daemon =
		sys_run(sys, &(struct sys_daemon_options){ .policy = file, .argv = options });
	struct sys_container *container = bare(sys);
	size_t from = 0;

	(void)run_briefly(sys, container, SYS_SYS_ADMIN);
	assert_string_equal(sys_get(sys, sys_daemon_wait(daemon, &from, container, "opened"),
				    "process.cmdline"),
		sys_print(sys, "%s brief secret", sys_inside(sys, "inside")));
}

/* A process in the container that executes a program when it is told to. */
static pid_t start_launcher(struct sys *sys, const struct sys_container *container,
	uint64_t capabilities, const char *count)
{
	const char *const argv[] = { sys_inside(sys, "inside"), "launcher", count,
		sys_inside(sys, "inside"), "brief", NULL };

	return sys_inhabit(sys, &(struct sys_inhabitant){ .cgroup = container->cgroup,
					.argv = argv,
					.bounding = capabilities,
					.pid_namespace = true });
}

/* It does so, and has done. */
static void launch(struct sys *sys, pid_t launcher, unsigned round)
{
	(void)kill(launcher, SIGUSR1);
	sys_wait_text(sys, sys_print(sys, "/proc/%d/comm", (int)launcher),
		sys_print(sys, "round-%u\n", round));
}

#define MANY "2000"

static unsigned long wakeups(struct sys *sys, struct sys_daemon *daemon)
{
	return strtoul(status_line(sys, daemon, "voluntary_ctxt_switches"), NULL, 10);
}

/* How often the daemon was woken while that one executed MANY programs. Others on this machine may
 * do something meanwhile that it is told of: where it was woken more often than `enough`, this is
 * tried again, and the least counts. */
static unsigned long measure_launches(
	struct sys *sys, struct sys_daemon *daemon, pid_t launcher, unsigned long enough)
{
	unsigned long least = ULONG_MAX;

	for (unsigned round = 1; round == 1 || (round <= 5 && least > enough); round++) {
		const unsigned long before = wakeups(sys, daemon);

		launch(sys, launcher, round);
		const unsigned long woken = wakeups(sys, daemon) - before;
		least = woken < least ? woken : least;
	}
	return least;
}

/* By as many programs with these capabilities. */
static unsigned long measure(
	struct sys *sys, struct sys_daemon *daemon, uint64_t capabilities, unsigned long enough)
{
	struct sys_container *container = bare(sys);

	return measure_launches(
		sys, daemon, start_launcher(sys, container, capabilities, MANY), enough);
}

static void a_compliant_program_wakes_nobody(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "");
	const unsigned long loud = measure(sys, daemon, SYS_SYS_ADMIN, ULONG_MAX);
	const unsigned long quiet = measure(sys, daemon, SYS_NET_BIND_SERVICE, loud / 10);

	print_message(
		"%s compliant programs: %lu wake-ups; violating ones: %lu\n", MANY, quiet, loud);
	assert_true(loud > 100);
	assert_true(quiet < loud / 4);
}

#define FEW "100" /* so few that none is lost: a loss is followed by a pass */

/* The pass that finds it cannot know yet that what it read is of there; one soon after does. */
static void who_was_there_before_the_daemon_wakes_nobody(void **state)
{
	struct sys *sys = *state;
	pid_t launcher = start_launcher(sys, bare(sys), SYS_NET_BIND_SERVICE, FEW);
	struct sys_daemon *daemon = start_daemon(sys, "");

	sys_sleep_ms(1000);
	const unsigned long woken = measure_launches(sys, daemon, launcher, 10);
	print_message("%s compliant programs: %lu wake-ups\n", FEW, woken);
	assert_true(woken < 50);
}

/* A policy that lets one container hold everything that it was given. */
static const char *privileged(struct sys *sys, const struct sys_container *container)
{
	return sys_print(sys,
		"rules:\n  - { match: { containerId: \"%s\" }, profile: privileged }\n",
		container->id);
}

static void what_a_container_was_granted_and_may_hold_is_not_told(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = bare(sys);
	struct sys_daemon *daemon = start_daemon(sys, privileged(sys, container));
	pid_t launcher = start_launcher(sys, container, SYS_SYS_ADMIN, MANY);

	const unsigned long woken = measure_launches(sys, daemon, launcher, 50);
	print_message("%s permitted programs: %lu wake-ups\n", MANY, woken);
	assert_true(woken < 100);
	/* Drift is never permitted: the container was given SYS_ADMIN alone. */
	(void)run_briefly(sys, container, SYS_SYS_ADMIN | SYS_NET_ADMIN);
	size_t from = 0;
	json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");

	assert_string_equal(sys_get(sys, finding, "class"), "drift");
	assert_string_equal(sys_get(sys, finding, "excess.effective"), "NET_ADMIN");
	assert_int_equal(opened(sys, daemon, container), 1);
}

/* Nothing but the path that the kernel gave when it happened can tell whose it was. */
static void a_cgroup_that_comes_and_goes_at_once_is_attributed(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "");

	for (int i = 0; i < 20; i++) {
		struct sys_container *container = bare(sys);
		pid_t pid = run_briefly(sys, container, SYS_SYS_ADMIN);
		char *path = sys_print(sys, "%s%s", sys->home, container->cgroup);
		size_t from = 0;

		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(rmdir(path), 0);
		json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");
		assert_string_equal(sys_get(sys, finding, "container.cgroup"), container->cgroup);
		assert_int_equal(sys_number(finding, "process.pid"), pid);
	}
}

#define ROUNDS 8
#define REUSED 30

static void live_and_go(struct sys *sys, const struct sys_container *container, int times)
{
	sys_bare_make(sys, container, false);
	for (int i = 0; i < times; i++) {
		pid_t pid = run_briefly(sys, container, SYS_SYS_ADMIN);

		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	assert_int_equal(rmdir(sys_print(sys, "%s%s", sys->home, container->cgroup)), 0);
}

/* The kernel gives the memory of what is gone to what comes later, if only after seconds; what was
 * permitted to the one does not go with it, nor does the name. (That a place is more than its
 * address is test_bpf_places's to prove: it can make the same one come at once.) */
static void what_was_permitted_is_not_permitted_to_who_comes_after(void **state)
{
	struct sys *sys = *state;
	struct sys_container *permitted[ROUNDS], *others[ROUNDS][REUSED];
	char *rules = sys_print(sys, "rules:\n");

	sys_need_bpf(sys);
	for (int i = 0; i < ROUNDS; i++) {
		permitted[i] = sys_bare(sys);
		rules = sys_print(sys,
			"%s  - { match: { containerId: \"%s\" }, profile: privileged }\n", rules,
			permitted[i]->id);
		for (int k = 0; k < REUSED; k++)
			others[i][k] = sys_bare(sys);
	}
	struct sys_daemon *daemon = start_daemon(sys, rules);
	for (int i = 0; i < ROUNDS; i++) {
		live_and_go(sys, permitted[i], 4);
		for (int k = 0; k < REUSED; k++)
			live_and_go(sys, others[i][k], 1);
		let_it_catch_up(sys, daemon);
	}
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(opened(sys, daemon, permitted[i]), 0);
		for (int k = 0; k < REUSED; k++)
			if (opened(sys, daemon, others[i][k]) != 1)
				fail_msg("%zu findings of container %d in round %d",
					opened(sys, daemon, others[i][k]), k, i);
	}
}

/* Empty when the daemon looked, which so knows nothing of it. */
static void a_cgroup_that_was_there_and_empty_is_attributed(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = bare(sys), *known = bare(sys);
	pid_t launcher = start_launcher(sys, known, SYS_SYS_ADMIN, "1");
	struct sys_daemon *daemon = start_daemon(sys, "");
	size_t from = 0;

	(void)run_briefly(sys, container, SYS_SYS_ADMIN);
	json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, finding, "pod.uid"), container->pod_uid);
	/* And where it knows of the cgroup by its pass. */
	from = 0;
	(void)sys_daemon_wait(daemon, &from, known, "opened");
	launch(sys, launcher, 1);
	struct sys_container gone = *known;
	let_it_catch_up(sys, daemon);
	sys_stop(sys, known);
	sys_daemon_signal(daemon, SIGUSR1);
	finding = sys_daemon_wait(daemon, &from, &gone, "resolved");
	assert_int_equal(sys_number(finding, "count"), 2);
}

#define LOST " events were lost"

static unsigned long times_said(const char *errors)
{
	unsigned long times = 0;

	while ((errors = strstr(errors, LOST))) {
		errors += sizeof(LOST) - 1;
		times++;
	}
	return times;
}

/* The largest of the numbers that were said. */
static unsigned long most_lost(const char *errors)
{
	unsigned long most = 0;

	for (const char *at = errors; (at = strstr(at, LOST)); at += sizeof(LOST) - 1) {
		const char *number = at;

		while (number > errors && number[-1] >= '0' && number[-1] <= '9')
			number--;
		const unsigned long lost = strtoul(number, NULL, 10);
		most = lost > most ? lost : most;
	}
	return most;
}

/* What began while the ring was full is lost, and made up for by a pass. */
static void what_the_ring_does_not_hold_is_said_and_made_up_for(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "");
	struct sys_container *noisy = bare(sys), *late = bare(sys);
	pid_t launcher = start_launcher(sys, noisy, SYS_NET_ADMIN, "6000");
	const uint64_t begin = sys_now_ms();
	size_t from = 0;

	(void)sys_daemon_wait(daemon, &from, noisy, "opened");
	sys_daemon_signal(daemon, SIGSTOP);
	launch(sys, launcher, 1);
	/* There is no room for the event of this one, which lives. */
	(void)sys_inhabit(
		sys, &(struct sys_inhabitant){ .cgroup = late->cgroup, .bounding = SYS_SYS_ADMIN });
	sys_daemon_signal(daemon, SIGCONT);
	from = 0;
	(void)sys_daemon_wait(daemon, &from, late, "opened");
	/* Some thousands, in a pass and once a minute at the most: where others on this machine had
	 * made it lose something before, it is said later. */
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	while (most_lost(sys_daemon_errors(daemon)) < 1000 && sys_now_ms() < until) {
		sys_daemon_signal(daemon, SIGUSR1);
		sys_sleep_ms(200);
	}
	const uint64_t took = sys_now_ms() - begin;
	assert_true(most_lost(sys_daemon_errors(daemon)) >= 1000);
	assert_true(times_said(sys_daemon_errors(daemon)) <= 1 + took / 60000);
	/* And it hears as before. */
	let_it_catch_up(sys, daemon);
	assert_int_equal(opened(sys, daemon, noisy), 1);
	assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
}

static void a_pid_that_is_used_again_is_another_process(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "");
	struct sys_container *first = bare(sys), *second = bare(sys);
	const char *const brief[] = { sys_inside(sys, "inside"), "brief", NULL };
	struct sys_inhabitant inhabitant = {
		.cgroup = first->cgroup, .bounding = SYS_NET_BIND_SERVICE, .pid_namespace = true
	};
	pid_t pid = sys_inhabit(sys, &inhabitant), again;
	size_t from = 0;

	/* A pass has seen it in the first one. */
	make_a_pass(sys, daemon);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	inhabitant = (struct sys_inhabitant){ .cgroup = second->cgroup,
		.argv = brief,
		.bounding = SYS_SYS_ADMIN,
		.pid_namespace = true,
		.pid = pid };
	again = sys_inhabit(sys, &inhabitant);
	if (again == -EEXIST) {
		print_message("skipped: somebody else has the pid\n");
		skip();
	}
	assert_int_equal(again, pid);
	json_t *finding = sys_daemon_wait(daemon, &from, second, "opened");
	assert_int_equal(sys_number(finding, "process.pid"), pid);
	assert_string_equal(sys_get(sys, finding, "class"), "posture");
	assert_false(sys_has_hint(finding, "moved"));
	let_it_catch_up(sys, daemon);
	assert_int_equal(opened(sys, daemon, first), 0);
}

static void a_container_that_makes_cgroups_with_other_names_stays_itself(void **state)
{
	static const char *const below[] = {
		"/kubepods/burstable/pod11111111-2222-4333-8444-555555555555/%064x",
		"/cri-containerd-%064x.scope", "/crio-conmon-%064x.scope", "/libpod-%064x",
		"/system.slice/docker-%064x.scope"
	};
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "");

	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		struct sys_container *container = bare(sys);
		/* A row of this test's table. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		char *own = sys_print(sys, below[i], 1);
#pragma GCC diagnostic pop
		char *path = sys_print(sys, "%s%s%s", sys->home, container->cgroup, own);
		struct sys_container inner = *container;
		size_t from = 0;

		sys_make_directories(path);
		(void)snprintf(inner.cgroup, sizeof(inner.cgroup), "%s%s", container->cgroup, own);
		(void)run_briefly(sys, &inner, SYS_SYS_ADMIN);
		json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");
		assert_string_equal(sys_get(sys, finding, "container.cgroup"), container->cgroup);
		assert_string_equal(sys_get(sys, finding, "pod.uid"), container->pod_uid);
	}
}

/* Deeper than the kernel's program follows it: then nobody's name is believed, and it is told. */
static void a_cgroup_too_deep_to_be_followed_hides_nobody(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "");
	struct sys_container *container = bare(sys);
	char *path = sys_print(sys, "%s%s", sys->home, container->cgroup);
	struct sys_container inner = *container;

	for (int i = 0; i < 40; i++)
		path = sys_print(sys, "%s/d", path);
	sys_make_directories(path);
	(void)snprintf(inner.cgroup, sizeof(inner.cgroup), "%s", path + strlen(sys->home));
	/* It lives: whose it is can be read. */
	pid_t pid = sys_inhabit(sys,
		&(struct sys_inhabitant){
			.cgroup = inner.cgroup, .bounding = SYS_SYS_ADMIN, .pid_namespace = true });
	size_t from = 0;

	assert_int_equal(
		sys_number(sys_daemon_wait(daemon, &from, container, "opened"), "process.pid"),
		pid);
}

/* The event's pid is the process's, and the sets are those of the new program: the leader had given
 * up everything, and uid 0 has all that bounds it once it executes something. */
static void a_program_that_another_thread_executes_is_its_process(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = bare(sys);
	/* Nothing is said of the first program; that of the thread drifts, as it is another's. */
	struct sys_daemon *daemon = start_daemon(sys, "");
	const char *busybox = sys_inside(sys, "busybox");
	const char *const argv[] = { sys_inside(sys, "inside"), "threadexec", busybox, "true",
		NULL };
	size_t from = 0;

	if (!sys->have_busybox)
		skip();
	sys_daemon_signal(daemon, SIGSTOP);
	pid_t pid = sys_inhabit(sys, &(struct sys_inhabitant){ .cgroup = container->cgroup,
					     .argv = argv,
					     .bounding = SYS_SYS_ADMIN,
					     .pid_namespace = true });
	struct sys_container known = *container;

	/* It is over before the daemon hears of it. */
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	sys_daemon_signal(daemon, SIGCONT);
	json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");
	assert_int_equal(sys_number(finding, "process.pid"), pid);
	let_it_catch_up(sys, daemon);
	sys_stop(sys, container);
	sys_daemon_signal(daemon, SIGUSR1);
	finding = sys_daemon_wait(daemon, &from, &known, "resolved");
	assert_int_equal(sys_number(finding, "count"), 2);
	assert_int_equal(sys_number(finding, "process.pid"), pid);
	assert_int_equal(sys_number(finding, "process.tid"), pid);
	assert_string_equal(sys_get(sys, finding, "process.exe"), busybox);
	assert_string_equal(sys_get(sys, finding, "process.capabilities.effective"), "0x200000");
}

static void scripts_and_binaries_of_all_kinds_are_told(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "");
	char *script = sys_print(sys, "%s/script", sys->directory);
	const char *busybox = sys_inside(sys, "busybox");
	const struct {
		const char *what, *program, *exe, *first;
	} rows[] = {
		{ "a script", script, busybox, busybox },
		{ "static", busybox, busybox, busybox },
		{ "dynamic", "/bin/true", NULL, "/bin/true" },
	};

	if (!sys->have_busybox)
		skip();
	sys_write_file(script, sys_print(sys, "#!%s true\n", busybox));
	assert_int_equal(chmod(script, 0755), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sys_container *container = bare(sys);
		const char *const argv[] = { rows[i].program, "true", NULL };
		char exe[PATH_MAX];
		size_t from = 0;

		(void)sys_inhabit(sys, &(struct sys_inhabitant){ .cgroup = container->cgroup,
					       .argv = argv,
					       .bounding = SYS_SYS_ADMIN,
					       .pid_namespace = true });
		json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");
		assert_non_null(realpath(rows[i].exe ? rows[i].exe : rows[i].program, exe));
		if (strcmp(sys_get(sys, finding, "process.exe"), exe) != 0 ||
			strcmp(sys_get(sys, finding, "process.cmdline"), rows[i].first) != 0)
			fail_msg("%s: %s", rows[i].what, sys_get(sys, finding, "process"));
	}
}

static void a_32_bit_binary_is_told(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_bare(sys);
	const char *compiler = getenv("CC") ? getenv("CC") : "cc";
	char *source = sys_print(sys, "%s/exit.S", sys->directory);
	char *program = sys_print(sys, "%s/exit32", sys->directory);
	const char *const argv[] = { program, NULL };
	size_t from = 0;

	sys_need_bpf(sys);
	sys_write_file(source, "\t.globl _start\n"
			       "_start:\n"
			       "\tmov $1, %eax\n"
			       "\txor %ebx, %ebx\n"
			       "\tint $0x80\n"
			       "\t.section .note.GNU-stack, \"\", @progbits\n");
	const struct sys_result *made = sys_command_line(
		sys, compiler, "-m32", "-nostdlib", "-static", "-o", program, source, NULL);
	if (made->status != 0) {
		print_message("skipped: %s makes no 32-bit program: %s\n", compiler, made->err);
		skip();
	}
	if (sys_command_line(sys, program, NULL)->status != 0) {
		print_message("skipped: this kernel runs no 32-bit program\n");
		skip();
	}
	struct sys_daemon *daemon = start_daemon(sys, "");
	sys_bare_make(sys, container, false);
	(void)sys_inhabit(sys, &(struct sys_inhabitant){ .cgroup = container->cgroup,
				       .argv = argv,
				       .bounding = SYS_SYS_ADMIN,
				       .pid_namespace = true });
	json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, finding, "process.exe"), program);
	assert_string_equal(sys_get(sys, finding, "process.cmdline"), program);
}

/* A pass has seen it in its container; where it goes the daemon knows nobody but the host's own, of
 * whom nothing needs to be told. */
static void who_leaves_its_container_and_executes_something_has_moved(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "");
	struct sys_container *container = bare(sys);
	const char *const argv[] = { sys_inside(sys, "inside"), "onward", sys_inside(sys, "inside"),
		"brief", NULL };
	pid_t pid = sys_inhabit(sys, &(struct sys_inhabitant){ .cgroup = container->cgroup,
					     .argv = argv,
					     .bounding = SYS_NET_BIND_SERVICE,
					     .pid_namespace = true });
	size_t from = 0;

	make_a_pass(sys, daemon);
	assert_int_equal(opened(sys, daemon, container), 0);
	assert_true(sys_cgroup_move(sys, sys->harness_cgroup, pid) > 0);
	assert_int_equal(kill(pid, SIGUSR1), 0);
	json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, finding, "class"), "drift");
	assert_true(sys_has_hint(finding, "moved"));
	assert_int_equal(sys_number(finding, "process.pid"), pid);
}

/* What a policy permitted it does not any more. */
static void a_new_policy_takes_back_what_the_old_one_permitted(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = bare(sys);
	struct sys_daemon *daemon = start_daemon(sys, privileged(sys, container));
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);
	size_t from = 0;

	/* Its bounding set alone: what it could gain is another finding than what somebody has. */
	(void)sys_inhabit(sys, &(struct sys_inhabitant){ .cgroup = container->cgroup,
				       .bounding = SYS_SYS_ADMIN,
				       .uid = 1000,
				       .pid_namespace = true });
	make_a_pass(sys, daemon);
	(void)run_briefly(sys, container, SYS_SYS_ADMIN);
	let_it_catch_up(sys, daemon);
	assert_int_equal(opened(sys, daemon, container), 0);

	sys_write_file(
		policy, "version: 1\nrun: { outputs: [stdout], interval: 1h, resolveAfter: 1h }\n");
	sys_daemon_signal(daemon, SIGHUP);
	json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, finding, "reach"), "bounding");
	pid_t pid = run_briefly(sys, container, SYS_SYS_ADMIN);
	finding = sys_daemon_wait(daemon, &from, container, "opened");
	assert_string_equal(sys_get(sys, finding, "reach"), "effective");
	assert_int_equal(sys_number(finding, "process.pid"), pid);
}

static void who_enters_with_more_than_the_container_has_is_drift(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &compliant);
	struct sys_daemon *daemon = start_daemon(sys, "");
	size_t from = 0;
	pid_t pid = run_briefly(sys, container, SYS_SYS_ADMIN);
	json_t *finding = sys_daemon_wait(daemon, &from, container, "opened");

	assert_string_equal(sys_get(sys, finding, "class"), "drift");
	assert_string_equal(sys_get(sys, finding, "severity"), "critical");
	assert_string_equal(sys_get(sys, finding, "origin.SYS_ADMIN"), "exec");
	assert_int_equal(sys_number(finding, "process.pid"), pid);
}

static void each_time_a_program_begins_counts(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "");
	struct sys_container *container = bare(sys);
	pid_t launcher = start_launcher(sys, container, SYS_SYS_ADMIN, "500");
	struct sys_container known = *container;
	size_t from = 0;

	(void)sys_daemon_wait(daemon, &from, container, "opened");
	launch(sys, launcher, 1);
	let_it_catch_up(sys, daemon);
	assert_int_equal(opened(sys, daemon, container), 1);
	sys_stop(sys, container);
	sys_daemon_signal(daemon, SIGUSR1);
	json_t *finding = sys_daemon_wait(daemon, &from, &known, "resolved");
	assert_int_equal(sys_number(finding, "count"), 501);
}

static void a_daemon_that_is_started_again_hears_again(void **state)
{
	struct sys *sys = *state;

	for (int i = 0; i < 3; i++) {
		struct sys_daemon *daemon = start_daemon(sys, "");
		struct sys_container *container = bare(sys);
		size_t from = 0;

		(void)run_briefly(sys, container, SYS_SYS_ADMIN);
		(void)sys_daemon_wait(daemon, &from, container, "opened");
		(void)sys_daemon_stop(daemon, i % 2 ? SIGKILL : SIGTERM);
		sys_daemon_free(daemon);
	}
}

/* A file in memory that is called as runc's sealed copy of itself is, which the child gets. */
static const char *make_copy(struct sys *sys, int *ret_fd)
{
	int fd = memfd_create("runc_cloned:/proc/self/exe", 0);
	int source = open(sys_inside(sys, "inside"), O_RDONLY | O_CLOEXEC);
	struct stat stat;

	if (fd < 0 || source < 0 || fstat(source, &stat) != 0 || fchmod(fd, 0755) != 0)
		fail_msg("memfd_create: %s", strerror(errno));
	char *text = malloc((size_t)stat.st_size);
	if (!text || read(source, text, (size_t)stat.st_size) != stat.st_size ||
		write(fd, text, (size_t)stat.st_size) != stat.st_size)
		fail_msg("cannot copy the program");
	free(text);
	(void)close(source);
	/* Read-only, or it could not be executed while we have it open. */
	int again = open(sys_print(sys, "/proc/self/fd/%d", fd), O_RDONLY);
	(void)close(fd);
	*ret_fd = again;
	return sys_print(sys, "/proc/self/fd/%d", again);
}

/* runc's own stage executes its copy as its parent moves it: with all capabilities, from outside.
 * Who lives in the container and does the same is told. */
static void a_runtimes_own_stage_is_no_finding_and_an_imitation_is(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start_daemon(sys, "");
	struct sys_container *real = bare(sys), *nested = bare(sys), *imitation = bare(sys);
	int fd;
	const char *copy = make_copy(sys, &fd);
	const char *const argv[] = { copy, "brief", NULL };
	const char *const launcher[] = { sys_inside(sys, "inside"), "launcher", "1", copy, "brief",
		NULL };
	size_t from = 0;

	(void)sys_inhabit(
		sys, &(struct sys_inhabitant){
			     .cgroup = real->cgroup, .argv = argv, .bounding = sys->all });
	(void)sys_inhabit(sys, &(struct sys_inhabitant){ .cgroup = nested->cgroup,
				       .argv = argv,
				       .bounding = sys->all,
				       .pid_namespace = true });
	json_t *finding = sys_daemon_wait(daemon, &from, nested, "opened");
	assert_string_equal(
		sys_get(sys, finding, "process.exe"), "/memfd:runc_cloned:/proc/self/exe");
	pid_t pid = sys_inhabit(sys,
		&(struct sys_inhabitant){
			.cgroup = imitation->cgroup, .argv = launcher, .bounding = SYS_NET_ADMIN });
	(void)sys_daemon_wait(daemon, &from, imitation, "opened");
	struct sys_container known = *imitation;
	launch(sys, pid, 1);
	let_it_catch_up(sys, daemon);
	(void)close(fd);
	assert_int_equal(opened(sys, daemon, real), 0);
	sys_stop(sys, imitation);
	sys_daemon_signal(daemon, SIGUSR1);
	finding = sys_daemon_wait(daemon, &from, &known, "resolved");
	assert_int_equal(sys_number(finding, "count"), 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(without_any_capability_it_hears_and_sees),
		SYS_TEST(without_any_capability_a_pass_walks_along_the_tasks),
		SYS_TEST(a_program_that_lives_for_a_moment_is_told_with_all_that_names_it),
		SYS_TEST(its_arguments_are_told_on_demand),
		SYS_TEST(a_compliant_program_wakes_nobody),
		SYS_TEST(who_was_there_before_the_daemon_wakes_nobody),
		SYS_TEST(what_a_container_was_granted_and_may_hold_is_not_told),
		SYS_TEST(a_cgroup_that_comes_and_goes_at_once_is_attributed),
		SYS_TEST(what_was_permitted_is_not_permitted_to_who_comes_after),
		SYS_TEST(a_cgroup_that_was_there_and_empty_is_attributed),
		SYS_TEST(what_the_ring_does_not_hold_is_said_and_made_up_for),
		SYS_TEST(a_pid_that_is_used_again_is_another_process),
		SYS_TEST(a_container_that_makes_cgroups_with_other_names_stays_itself),
		SYS_TEST(a_cgroup_too_deep_to_be_followed_hides_nobody),
		SYS_TEST(a_program_that_another_thread_executes_is_its_process),
		SYS_TEST(scripts_and_binaries_of_all_kinds_are_told),
		SYS_TEST(a_32_bit_binary_is_told),
		SYS_TEST(who_leaves_its_container_and_executes_something_has_moved),
		SYS_TEST(a_new_policy_takes_back_what_the_old_one_permitted),
		SYS_TEST(who_enters_with_more_than_the_container_has_is_drift),
		SYS_TEST(each_time_a_program_begins_counts),
		SYS_TEST(a_daemon_that_is_started_again_hears_again),
		SYS_TEST(a_runtimes_own_stage_is_no_finding_and_an_imitation_is),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
