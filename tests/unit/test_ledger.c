/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ledger: what opens, joins, changes and resolves a finding, and what is reported of it.
 */
#include "ledger_fixture.h"

#include <errno.h>

#define SYS_ADMIN CAPABILITY_BIT(21)
#define NET_ADMIN CAPABILITY_BIT(12)
#define NET_RAW	  CAPABILITY_BIT(13)
#define ALL	  UINT64_C(0x1ffffffffff)

struct fixture {
	struct ledger *ledger;
	struct events events;
	uint64_t now_us;
};

static int make_ledger(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->ledger = ledger_new(RESOLVE_TIME);
	f->now_us = 1000 * SECOND;
	assert_non_null(f->ledger);
	*state = f;
	return 0;
}

static int free_ledger(void **state)
{
	struct fixture *f = *state;

	ledger_free(f->ledger);
	free(f);
	return 0;
}

static int observe(struct fixture *f, const struct spec *spec)
{
	struct observation observation = observe_spec(spec);
	int r = ledger_observe(keep_event, &f->events, f->ledger, &observation);

	if (r == 0) {
		assert_null(observation.members);
		assert_null(observation.finding.container.id);
	}
	release_observation(&observation);
	return r;
}

static void end(struct fixture *f, bool complete)
{
	ledger_end(keep_event, &f->events, f->ledger, complete);
}

static void begin(struct fixture *f)
{
	f->now_us += 30 * SECOND;
	ledger_begin(f->ledger, f->now_us);
}

/* A complete pass with these observations, 30 s after the last; a reference to a NULL ends them. */
static void pass(struct fixture *f, const struct spec *const *specs)
{
	begin(f);
	for (; *specs; specs++)
		assert_int_equal(observe(f, *specs), 0);
	end(f, true);
}
#define PASS(f, ...) pass((f), (const struct spec *const[]){ __VA_ARGS__, NULL })

/* A complete pass that sees containers and nothing to observe in them. */
static void pass_seeing(struct fixture *f, const char *container)
{
	begin(f);
	if (container)
		ledger_see_container(f->ledger, container);
	end(f, true);
}

static const struct finding *only_finding(const struct fixture *f)
{
	const void *position = NULL;

	assert_int_equal(ledger_count(f->ledger), 1);
	return ledger_next(f->ledger, &position);
}

static void assert_last_event(const struct fixture *f, size_t count, enum finding_state state)
{
	assert_int_equal(f->events.count, count);
	assert_int_equal(f->events.at[count - 1].state, state);
}

static const struct spec sys_admin = { .effective = SYS_ADMIN };
static const struct spec both = { .effective = SYS_ADMIN | NET_ADMIN, .first_pid = 100 };

static void a_finding_is_opened_once_and_not_told_again_while_nothing_changes(void **state)
{
	struct fixture *f = *state;

	PASS(f, &sys_admin);
	assert_last_event(f, 1, FINDING_OPENED);
	assert_int_equal(f->events.at[0].time_us, f->now_us);
	assert_int_equal(f->events.at[0].first_seen_us, f->now_us);
	assert_int_equal(f->events.at[0].last_seen_us, f->now_us);
	for (int i = 0; i < 20; i++)
		PASS(f, &sys_admin);
	assert_int_equal(f->events.count, 1);

	const struct finding *finding = only_finding(f);

	assert_int_equal(finding->count, 1);
	assert_int_equal(finding->state, FINDING_OPENED);
	assert_int_equal(finding->time_us, f->events.at[0].time_us);
	assert_int_equal(finding->first_seen_us, f->events.at[0].time_us);
	assert_int_equal(finding->last_seen_us, f->now_us);
}

static void a_process_counts_once_however_many_passes_see_it(void **state)
{
	struct fixture *f = *state;
	const struct spec three = { .effective = SYS_ADMIN, .first_pid = 10, .processes = 3 };
	const struct spec five = { .effective = SYS_ADMIN, .first_pid = 8, .processes = 5 };
	const struct spec lower = { .effective = SYS_ADMIN, .first_pid = 2, .processes = 2 };

	PASS(f, &three);
	assert_int_equal(f->events.at[0].count, 3);
	PASS(f, &three);
	assert_int_equal(only_finding(f)->count, 3);
	PASS(f, &five);
	assert_int_equal(only_finding(f)->count, 5);
	PASS(f, &lower, &five);
	assert_int_equal(only_finding(f)->count, 7);
	PASS(f, &three, &five, &lower);
	assert_int_equal(only_finding(f)->count, 7);
	assert_int_equal(f->events.count, 1);
}

static void a_process_seen_in_two_observations_of_a_pass_counts_once(void **state)
{
	struct fixture *f = *state;
	const struct spec part = { .effective = NET_ADMIN, .first_pid = 200, .processes = 3 };
	const struct spec other = { .effective = SYS_ADMIN, .first_pid = 202, .processes = 2 };

	PASS(f, &both, &part, &other);
	assert_int_equal(only_finding(f)->count, 1 + 4);
}

static void a_process_that_one_pass_misses_is_not_counted_again(void **state)
{
	struct fixture *f = *state;
	const struct spec two = { .effective = SYS_ADMIN, .first_pid = 10, .processes = 2 };
	const struct spec one = { .effective = SYS_ADMIN, .first_pid = 10 };

	PASS(f, &two);
	PASS(f, &one);
	PASS(f, &two);
	PASS(f, &one);
	PASS(f, &one);
	PASS(f, &two);
	assert_int_equal(only_finding(f)->count, 2);
}

static void a_pid_that_is_used_again_counts_as_another_process(void **state)
{
	struct fixture *f = *state;
	const struct spec again = { .effective = SYS_ADMIN, .start = 99 };

	PASS(f, &sys_admin);
	PASS(f, &again);
	PASS(f, &again);
	assert_int_equal(only_finding(f)->count, 2);
}

static void processes_that_come_and_go_all_count_though_not_all_are_remembered(void **state)
{
	struct fixture *f = *state;

	for (pid_t i = 0; i < 500; i++) {
		/* Downwards, so that they never arrive in order. */
		const struct spec spec = { .effective = SYS_ADMIN, .first_pid = 9000 - 2 * i };

		PASS(f, &spec);
	}
	assert_int_equal(only_finding(f)->count, 500);
}

static void a_process_that_is_unseen_for_long_is_forgotten_and_counts_again(void **state)
{
	struct fixture *f = *state;
	const struct spec other = { .effective = SYS_ADMIN, .first_pid = 2 };

	PASS(f, &sys_admin);
	for (int i = 0; i < 50; i++)
		PASS(f, &other);
	assert_int_equal(only_finding(f)->count, 2);
	PASS(f, &sys_admin, &other);
	assert_int_equal(only_finding(f)->count, 3);
}

static void more_processes_than_can_be_remembered_are_not_counted_again(void **state)
{
	struct fixture *f = *state;
	const struct spec many = { .effective = SYS_ADMIN, .processes = LEDGER_MEMBERS_MAX + 10 };

	PASS(f, &many);
	PASS(f, &many);
	PASS(f, &many);
	assert_int_equal(only_finding(f)->count, LEDGER_MEMBERS_MAX);
}

static void a_part_of_an_open_finding_joins_it(void **state)
{
	struct fixture *f = *state;

	PASS(f, &both);
	PASS(f, &both, &sys_admin);
	assert_int_equal(f->events.count, 1);
	assert_int_equal(only_finding(f)->count, 2);
	assert_int_equal(only_finding(f)->excess.of[CAPABILITY_EFFECTIVE], SYS_ADMIN | NET_ADMIN);
	assert_int_equal(only_finding(f)->process.pid, 100);

	/* And keeps it open alone. */
	for (int i = 0; i < 50; i++)
		PASS(f, &sys_admin);
	assert_int_equal(f->events.count, 1);
	assert_int_equal(only_finding(f)->last_seen_us, f->now_us);
}

static void a_finding_of_its_own_is_found_before_one_that_it_is_a_part_of(void **state)
{
	struct fixture *f = *state;

	PASS(f, &sys_admin);
	PASS(f, &both, &sys_admin);
	assert_int_equal(ledger_count(f->ledger), 2);
	PASS(f, &both, &sys_admin);
	assert_int_equal(f->events.count, 2);
}

static void of_several_open_findings_a_part_joins_the_tightest(void **state)
{
	struct fixture *f = *state;
	const struct spec all = { .effective = ALL };
	const struct spec part = { .effective = NET_ADMIN, .first_pid = 7 };
	const void *position = NULL;
	const struct finding *finding;

	PASS(f, &both);
	PASS(f, &both, &all);
	PASS(f, &both, &all, &part);
	assert_int_equal(ledger_count(f->ledger), 2);
	while ((finding = ledger_next(f->ledger, &position)))
		assert_int_equal(
			finding->count, finding->excess.of[CAPABILITY_EFFECTIVE] == ALL ? 1 : 2);
}

static void of_equally_tight_ones_a_part_joins_the_oldest(void **state)
{
	struct fixture *f = *state;
	const struct spec with_raw = { .effective = SYS_ADMIN | NET_RAW, .first_pid = 2 };
	const struct spec part = { .effective = SYS_ADMIN, .first_pid = 7 };
	const void *position = NULL;
	const struct finding *finding;

	PASS(f, &both);
	PASS(f, &both, &with_raw);
	PASS(f, &with_raw, &both, &part);
	assert_int_equal(ledger_count(f->ledger), 2);
	while ((finding = ledger_next(f->ledger, &position)))
		assert_int_equal(
			finding->count, finding->excess.of[CAPABILITY_EFFECTIVE] & NET_RAW ? 1 : 2);
}

static void what_is_no_part_of_an_open_finding_opens_its_own(void **state)
{
	static const struct {
		const char *why;
		struct spec whole, part;
	} rows[] = {
		{ "another container", { .effective = ALL },
			{ .effective = SYS_ADMIN, .container = "c2" } },
		{ "another class", { .effective = ALL },
			{ .effective = SYS_ADMIN, .class = CLASS_DRIFT } },
		{ "another relation", { .effective = ALL },
			{ .effective = SYS_ADMIN, .relation = RELATION_OWN } },
		{ "a nested one", { .effective = ALL },
			{ .effective = SYS_ADMIN, .relation = RELATION_NESTED } },
		{ "another mask", { .effective = SYS_ADMIN }, { .effective = NET_ADMIN } },
		{ "an overlapping mask", { .effective = SYS_ADMIN | NET_RAW },
			{ .effective = SYS_ADMIN | NET_ADMIN } },
		{ "the same capability in another set", { .effective = SYS_ADMIN },
			{ .bounding = SYS_ADMIN } },
		{ "a part in one set only", { .effective = ALL },
			{ .effective = SYS_ADMIN, .bounding = SYS_ADMIN } },
		{ "more severe", { .effective = ALL, .severity = SEVERITY_MEDIUM },
			{ .effective = SYS_ADMIN, .severity = SEVERITY_HIGH } },
		{ "a violation beside what is excepted",
			{ .effective = ALL, .verdict = VERDICT_EXCEPTED },
			{ .effective = SYS_ADMIN } },
		{ "tolerated beside a violation", { .effective = ALL },
			{ .effective = NET_RAW, .verdict = VERDICT_TOLERATED } },
		{ "a move, which may have no excess", { .effective = ALL, .class = CLASS_DRIFT },
			{ .class = CLASS_DRIFT, .hints = 1u << HINT_MOVED } },
		{ "left its namespace", { .effective = ALL, .class = CLASS_DRIFT },
			{ .effective = SYS_ADMIN,
				.class = CLASS_DRIFT,
				.hints = 1u << HINT_LEFT_USER_NAMESPACE } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture *f;

		assert_int_equal(make_ledger((void **)&f), 0);
		PASS(f, &rows[i].whole, &rows[i].part);
		PASS(f, &rows[i].part, &rows[i].whole);
		if (ledger_count(f->ledger) != 2 || f->events.count != 2)
			fail_msg("%s: %zu open, %zu events", rows[i].why, ledger_count(f->ledger),
				f->events.count);
		free_ledger((void **)&f);
	}
	(void)state;
}

static void a_nested_namespace_gives_one_finding_a_container(void **state)
{
	struct fixture *f = *state;
	const struct spec one = { .effective = SYS_ADMIN, .relation = RELATION_NESTED };
	const struct spec other = { .effective = ALL, .relation = RELATION_NESTED, .first_pid = 9 };

	PASS(f, &one, &other);
	PASS(f, &other, &one);
	assert_int_equal(f->events.count, 1);
	assert_int_equal(only_finding(f)->count, 2);
}

#define NAMED                                                                                     \
	.effective = SYS_ADMIN, .namespace_name = "shop", .pod = "cart", .owner = "Deployment/c", \
	.name = "web", .image = "i:1"
static const struct spec named = { NAMED, .type = CONTAINER_REGULAR };

static void each_change_that_matters_is_told_once(void **state)
{
	static const struct {
		const char *what;
		struct spec before, after;
	} rows[] = {
		{ "severity up", { .severity = SEVERITY_MEDIUM },
			{ .severity = SEVERITY_CRITICAL } },
		{ "severity down", { .severity = SEVERITY_CRITICAL },
			{ .severity = SEVERITY_LOW } },
		{ "verdict up", { .verdict = VERDICT_TOLERATED }, { 0 } },
		{ "verdict down", { 0 }, { .verdict = VERDICT_EXCEPTED } },
		{ "verdict alone", { .verdict = VERDICT_TOLERATED },
			{ .verdict = VERDICT_EXCEPTED } },
		{ "profile", { .profile = "baseline" }, { .profile = "restricted" } },
		{ "no longer provisional", { .provisional = true }, { 0 } },
		{ "namespace", { .namespace_name = "a" }, { .namespace_name = "b" } },
		{ "pod", { .pod = "a" }, { .pod = "b" } },
		{ "owner", { .owner = "a" }, { .owner = "b" } },
		{ "container", { .name = "a" }, { .name = "b" } },
		{ "image", { .image = "a" }, { .image = "b" } },
		{ "type", { .type = CONTAINER_INIT }, { .type = CONTAINER_SIDECAR } },
		{ "namespace learned", { 0 }, { .namespace_name = "b" } },
		{ "pod learned", { 0 }, { .pod = "b" } },
		{ "owner learned", { 0 }, { .owner = "b" } },
		{ "container learned", { 0 }, { .name = "b" } },
		{ "image learned", { 0 }, { .image = "b" } },
		{ "type learned", { 0 }, { .type = CONTAINER_EPHEMERAL } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture *f;

		assert_int_equal(make_ledger((void **)&f), 0);
		PASS(f, &rows[i].before);
		PASS(f, &rows[i].after);
		PASS(f, &rows[i].after);
		if (f->events.count != 2 || f->events.at[1].state != FINDING_CHANGED)
			fail_msg("%s: %zu events", rows[i].what, f->events.count);
		assert_int_equal(f->events.at[1].time_us, f->now_us - 30 * SECOND);
		assert_int_equal(f->events.at[1].first_seen_us, f->events.at[0].time_us);
		assert_string_equal(f->events.at[1].id, f->events.at[0].id);
		assert_int_equal(only_finding(f)->state, FINDING_CHANGED);
		free_ledger((void **)&f);
	}
	(void)state;
}

static void more_processes_or_programs_are_no_change(void **state)
{
	struct fixture *f = *state;
	const struct spec more = { .effective = SYS_ADMIN,
		.first_pid = 50,
		.processes = 20,
		.exe = "/bin/more",
		.holds = ALL };

	PASS(f, &sys_admin);
	PASS(f, &more);
	assert_int_equal(f->events.count, 1);
	assert_int_equal(only_finding(f)->count, 21);
}

static void a_name_that_is_known_no_more_is_kept_and_no_change(void **state)
{
	struct fixture *f = *state;

	PASS(f, &named);
	PASS(f, &sys_admin);
	assert_int_equal(f->events.count, 1);

	const struct container *container = &only_finding(f)->container;

	assert_string_equal(container->name, "web");
	assert_string_equal(container->image, "i:1");
	assert_string_equal(container->pod.namespace_name, "shop");
	assert_string_equal(container->pod.name, "cart");
	assert_string_equal(container->pod.owner, "Deployment/c");
	assert_int_equal(container->type, CONTAINER_REGULAR);
	assert_true(container->in_pod);
	PASS(f, &named);
	assert_int_equal(f->events.count, 1);
}

static void a_name_is_learned_from_a_part_as_well(void **state)
{
	struct fixture *f = *state;
	const struct spec part = { .effective = NET_ADMIN, .pod = "cart" };

	PASS(f, &both);
	PASS(f, &part);
	assert_last_event(f, 2, FINDING_CHANGED);
	assert_string_equal(only_finding(f)->container.pod.name, "cart");
	PASS(f, &part, &part);
	assert_int_equal(f->events.count, 2);
	assert_int_equal(only_finding(f)->process.pid, 100);
}

static void of_observations_that_disagree_the_strongest_counts_in_any_order(void **state)
{
	const struct spec violation = { .effective = SYS_ADMIN, .first_pid = 1 };
	const struct spec excepted = {
		.effective = SYS_ADMIN, .verdict = VERDICT_EXCEPTED, .first_pid = 2
	};
	const struct spec low = {
		.effective = SYS_ADMIN, .severity = SEVERITY_LOW, .first_pid = 3
	};
	struct fixture *f = *state;

	PASS(f, &violation, &excepted, &low);
	PASS(f, &excepted, &low, &violation);
	PASS(f, &low, &violation, &excepted);
	PASS(f, &excepted, &violation, &low);
	assert_int_equal(f->events.count, 1);
	assert_int_equal(only_finding(f)->severity, SEVERITY_HIGH);
	assert_int_equal(only_finding(f)->process.pid, 1);
	assert_int_equal(only_finding(f)->count, 3);

	/* Once the strongest is gone, what is left counts: with its own process. */
	PASS(f, &excepted, &low);
	assert_last_event(f, 2, FINDING_CHANGED);
	assert_int_equal(f->events.at[1].severity, SEVERITY_LOW);
	assert_int_equal(f->events.at[1].pid, 3);
	PASS(f, &low, &excepted);
	assert_int_equal(f->events.count, 2);
}

static void equals_that_differ_in_their_profile_do_not_alternate(void **state)
{
	const struct spec one = { .effective = SYS_ADMIN, .profile = "web", .first_pid = 1 };
	const struct spec other = { .effective = SYS_ADMIN, .profile = "baseline", .first_pid = 2 };
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++) {
		PASS(f, &one, &other);
		PASS(f, &other, &one);
	}
	assert_int_equal(f->events.count, 1);
	assert_string_equal(only_finding(f)->profile, "web");
}

static void what_is_stronger_in_the_pass_that_opened_a_finding_changes_it(void **state)
{
	const struct spec low = { .effective = SYS_ADMIN, .severity = SEVERITY_LOW };
	const struct spec high = { .effective = SYS_ADMIN, .first_pid = 2 };
	struct fixture *f = *state;

	PASS(f, &low, &high, &low);
	assert_last_event(f, 2, FINDING_CHANGED);
	assert_int_equal(f->events.at[1].severity, SEVERITY_HIGH);
	assert_int_equal(f->events.at[1].count, 2);
}

static void the_most_privileged_process_is_shown_and_of_equals_the_latest(void **state)
{
	struct fixture *f = *state;
	const struct spec some = { .effective = SYS_ADMIN, .holds = SYS_ADMIN, .first_pid = 5 };
	const struct spec most = {
		.effective = SYS_ADMIN, .holds = ALL, .first_pid = 6, .hints = 1u << HINT_NOT_LEADER
	};
	const struct spec equal = { .effective = SYS_ADMIN, .holds = ALL, .first_pid = 7 };

	PASS(f, &some);
	PASS(f, &some, &most);
	assert_int_equal(only_finding(f)->process.pid, 6);
	PASS(f, &some);
	assert_int_equal(only_finding(f)->process.pid, 6);
	assert_int_equal(only_finding(f)->process.sets.of[CAPABILITY_EFFECTIVE], ALL);
	assert_int_equal(only_finding(f)->hints, 1u << HINT_NOT_LEADER);
	PASS(f, &equal, &some);
	assert_int_equal(only_finding(f)->process.pid, 7);
	assert_int_equal(only_finding(f)->hints, 0);
	assert_int_equal(f->events.count, 1);
}

static void executables_are_gathered_each_once_and_at_most_eight(void **state)
{
	struct fixture *f = *state;
	char name[] = "/bin/a";

	for (unsigned i = 0; i < 12; i++) {
		struct spec spec = { .effective = SYS_ADMIN, .exe = name, .first_pid = 1 };

		name[5] = (char)('a' + i);
		PASS(f, &spec);
		PASS(f, &spec);
	}

	const struct finding *finding = only_finding(f);

	assert_int_equal(finding->executable_count, FINDING_EXECUTABLES_MAX);
	for (unsigned i = 0; i < FINDING_EXECUTABLES_MAX; i++) {
		name[5] = (char)('a' + i);
		assert_string_equal(finding->executables[i], name);
	}
}

static void a_part_brings_its_executable(void **state)
{
	struct fixture *f = *state;
	const struct spec part = { .effective = SYS_ADMIN, .exe = "/bin/part" };

	PASS(f, &both);
	PASS(f, &part);
	assert_int_equal(only_finding(f)->executable_count, 1);
	assert_string_equal(only_finding(f)->executables[0], "/bin/part");
	assert_null(only_finding(f)->process.exe);
}

static void a_finding_is_over_when_its_container_is_gone(void **state)
{
	struct fixture *f = *state;
	const struct spec other = { .effective = SYS_ADMIN, .container = "c2" };

	PASS(f, &named, &other);
	PASS(f, &other);
	assert_last_event(f, 3, FINDING_RESOLVED);
	assert_int_equal(f->events.at[2].reason, RESOLVED_EXITED);
	assert_int_equal(f->events.at[2].time_us, f->now_us);
	assert_int_equal(f->events.at[2].last_seen_us, f->now_us - 30 * SECOND);
	assert_string_equal(f->events.at[2].pod, "cart");
	assert_string_equal(f->events.at[2].id, f->events.at[0].id);
	assert_string_equal(only_finding(f)->container.id, "c2");
}

static void an_incomplete_pass_ends_no_container(void **state)
{
	struct fixture *f = *state;

	PASS(f, &sys_admin);
	begin(f);
	end(f, false);
	assert_int_equal(f->events.count, 1);
	pass_seeing(f, NULL);
	assert_last_event(f, 2, FINDING_RESOLVED);
	assert_int_equal(ledger_count(f->ledger), 0);
}

static void what_is_unseen_in_a_living_container_is_dropped_after_the_resolve_time(void **state)
{
	struct fixture *f = *state;

	PASS(f, &sys_admin);
	for (int i = 0; i < 9; i++)
		pass_seeing(f, "c1");
	assert_int_equal(f->events.count, 1);
	pass_seeing(f, "c1");
	assert_last_event(f, 2, FINDING_RESOLVED);
	assert_int_equal(f->events.at[1].reason, RESOLVED_DROPPED);
	assert_int_equal(f->events.at[1].last_seen_us, f->now_us - RESOLVE_TIME);
}

static void incomplete_passes_drop_what_is_unseen_for_the_resolve_time(void **state)
{
	struct fixture *f = *state;

	PASS(f, &sys_admin);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(f->events.count, 1);
		begin(f);
		end(f, false);
	}
	assert_last_event(f, 2, FINDING_RESOLVED);
	assert_int_equal(f->events.at[1].reason, RESOLVED_DROPPED);
}

static void the_resolve_time_can_be_changed(void **state)
{
	struct fixture *f = *state;

	PASS(f, &sys_admin);
	pass_seeing(f, "c1");
	assert_int_equal(f->events.count, 1);
	ledger_set_resolve_after(f->ledger, 60 * SECOND);
	pass_seeing(f, "c1");
	assert_last_event(f, 2, FINDING_RESOLVED);
}

static void a_clock_that_is_set_back_resolves_nothing(void **state)
{
	struct fixture *f = *state;

	PASS(f, &sys_admin);
	f->now_us -= 500 * SECOND;
	pass_seeing(f, "c1");
	assert_int_equal(f->events.count, 1);
}

static void what_was_resolved_and_is_seen_again_opens_again_with_the_same_id(void **state)
{
	struct fixture *f = *state;

	PASS(f, &sys_admin);
	pass_seeing(f, NULL);
	PASS(f, &sys_admin);
	assert_last_event(f, 3, FINDING_OPENED);
	assert_string_equal(f->events.at[2].id, f->events.at[0].id);
	assert_int_equal(f->events.at[2].reason, RESOLVED_NOT);
	assert_int_equal(f->events.at[2].count, 1);
	assert_int_equal(f->events.at[2].first_seen_us, f->now_us);
}

struct rejudge {
	unsigned asked;
	enum resolved_reason answer;
	char id[FINDING_ID_SIZE];
};

static enum resolved_reason answer_rejudge(void *data, const struct finding *finding)
{
	struct rejudge *rejudge = data;

	rejudge->asked++;
	memcpy(rejudge->id, finding->id, sizeof(rejudge->id));
	return rejudge->answer;
}

static void a_new_policy_resolves_what_it_permits_of_the_unobserved(void **state)
{
	static const enum resolved_reason reasons[] = { RESOLVED_POLICY, RESOLVED_EXCEPTION,
		RESOLVED_LEVEL };

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		const struct spec seen = { .effective = SYS_ADMIN, .container = "c2" };
		struct rejudge rejudge = { .answer = RESOLVED_NOT };
		struct fixture *f;

		assert_int_equal(make_ledger((void **)&f), 0);
		PASS(f, &sys_admin);
		begin(f);
		assert_int_equal(observe(f, &seen), 0);
		ledger_see_container(f->ledger, "c1");
		end(f, true);
		ledger_rejudge(answer_rejudge, &rejudge, keep_event, &f->events, f->ledger, "c1");
		assert_int_equal(rejudge.asked, 1);
		assert_string_equal(rejudge.id, f->events.at[0].id);
		assert_int_equal(f->events.count, 2);

		rejudge.answer = reasons[i];
		ledger_rejudge(answer_rejudge, &rejudge, keep_event, &f->events, f->ledger, "c1");
		assert_int_equal(rejudge.asked, 2);
		assert_last_event(f, 3, FINDING_RESOLVED);
		assert_int_equal(f->events.at[2].reason, reasons[i]);
		assert_int_equal(f->events.at[2].time_us, f->now_us);
		assert_string_equal(only_finding(f)->container.id, "c2");
		free_ledger((void **)&f);
	}
	(void)state;
}

static void a_new_policy_is_asked_of_what_only_a_part_was_observed_of(void **state)
{
	struct fixture *f = *state;
	struct rejudge rejudge = { .answer = RESOLVED_POLICY };

	PASS(f, &both);
	PASS(f, &sys_admin);
	ledger_rejudge(answer_rejudge, &rejudge, keep_event, &f->events, f->ledger, "c1");
	assert_int_equal(rejudge.asked, 1);
	PASS(f, &sys_admin);
	assert_last_event(f, 3, FINDING_OPENED);
	assert_int_equal(only_finding(f)->excess.of[CAPABILITY_EFFECTIVE], SYS_ADMIN);
}

/* A complete pass that holds this back. */
static void pass_holding(struct fixture *f, const struct spec *spec)
{
	struct observation observation = observe_spec(spec);

	begin(f);
	assert_int_equal(ledger_hold(f->ledger, &observation), 0);
	assert_null(observation.members);
	end(f, true);
}

static void what_is_held_is_not_told_until_it_is_observed(void **state)
{
	struct fixture *f = *state;
	const struct spec late = { .effective = SYS_ADMIN, .pod = "cart" };
	const struct finding *finding;

	pass_holding(f, &sys_admin);
	uint64_t first = f->now_us;

	pass_holding(f, &sys_admin);
	assert_int_equal(f->events.count, 0);
	assert_int_equal(ledger_count(f->ledger), 0);
	assert_null(ledger_next(f->ledger, &(const void *){ NULL }));
	PASS(f, &late);
	assert_last_event(f, 1, FINDING_OPENED);
	assert_string_equal(f->events.at[0].pod, "cart");
	assert_int_equal(f->events.at[0].first_seen_us, first);
	assert_int_equal(f->events.at[0].time_us, f->now_us);
	assert_int_equal(f->events.at[0].count, 1);
	finding = only_finding(f);
	assert_true(ledger_has(f->ledger, finding->id));
	PASS(f, &late);
	assert_int_equal(f->events.count, 1);
}

static void what_is_held_is_told_when_its_container_ends(void **state)
{
	struct fixture *f = *state;
	const struct spec pending = { .effective = SYS_ADMIN, .provisional = true };

	pass_holding(f, &pending);
	pass_seeing(f, NULL);
	assert_int_equal(f->events.count, 2);
	assert_int_equal(f->events.at[0].state, FINDING_OPENED);
	assert_int_equal(f->events.at[1].state, FINDING_RESOLVED);
	assert_int_equal(f->events.at[1].reason, RESOLVED_EXITED);
	assert_string_equal(f->events.at[0].id, f->events.at[1].id);
	pass_seeing(f, NULL);
	assert_int_equal(f->events.count, 2);
	assert_int_equal(ledger_count(f->ledger), 0);
}

static void what_is_held_and_dropped_is_told_after_the_resolve_time(void **state)
{
	struct fixture *f = *state;

	pass_holding(f, &sys_admin);
	for (int i = 0; i < 10; i++)
		pass_seeing(f, "c1");
	assert_int_equal(f->events.count, 2);
	assert_int_equal(f->events.at[0].state, FINDING_OPENED);
	assert_int_equal(f->events.at[1].reason, RESOLVED_DROPPED);
}

static void what_is_held_and_permitted_by_then_is_never_told(void **state)
{
	struct fixture *f = *state;
	struct rejudge rejudge = { .answer = RESOLVED_LEVEL };

	pass_holding(f, &sys_admin);
	pass_seeing(f, "c1");
	ledger_rejudge(answer_rejudge, &rejudge, keep_event, &f->events, f->ledger, "c1");
	assert_int_equal(rejudge.asked, 1);
	pass_seeing(f, NULL);
	assert_int_equal(f->events.count, 0);
	assert_int_equal(ledger_count(f->ledger), 0);
}

static void a_part_that_is_observed_tells_what_was_held_and_what_was_told_is_not_held(void **state)
{
	struct fixture *f = *state;

	pass_holding(f, &both);
	PASS(f, &sys_admin);
	assert_last_event(f, 1, FINDING_OPENED);
	assert_int_equal(only_finding(f)->count, 2);
	pass_holding(f, &both);
	assert_int_equal(f->events.count, 1);
	assert_int_equal(ledger_count(f->ledger), 1);
}

static void a_pass_that_was_broken_off_leaves_no_trace_in_the_next(void **state)
{
	struct fixture *f = *state;
	const struct spec low = { .effective = SYS_ADMIN, .severity = SEVERITY_LOW };

	PASS(f, &sys_admin);
	begin(f);
	assert_int_equal(observe(f, &low), 0);
	PASS(f, &sys_admin);
	begin(f);
	assert_int_equal(observe(f, &low), 0);
	pass_seeing(f, "c1");
	assert_int_equal(f->events.count, 1);
	assert_int_equal(only_finding(f)->severity, SEVERITY_HIGH);
}

static void every_open_finding_is_walked_once(void **state)
{
	struct fixture *f = *state;
	bool met[300] = { false };
	const struct finding *finding;
	const void *position = NULL;
	char id[16];

	assert_null(ledger_next(f->ledger, &position));
	begin(f);
	for (unsigned i = 0; i < ARRAY_SIZE(met); i++) {
		const struct spec spec = { .effective = SYS_ADMIN, .container = id };

		(void)snprintf(id, sizeof(id), "%u", i);
		assert_int_equal(observe(f, &spec), 0);
	}
	end(f, true);
	position = NULL;
	while ((finding = ledger_next(f->ledger, &position))) {
		unsigned long i = strtoul(finding->container.id, NULL, 10);

		assert_true(i < ARRAY_SIZE(met));
		assert_false(met[i]);
		met[i] = true;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(met); i++)
		assert_true(met[i]);
	assert_null(ledger_next(f->ledger, &position));
}

static void one_container_cannot_use_up_the_room_of_all(void **state)
{
	struct fixture *f = *state;
	const struct spec other = { .effective = SYS_ADMIN, .container = "c2" };
	const struct spec one_more = { NAMED, .relation = RELATION_OWN };
	const struct spec drift = { .effective = SYS_ADMIN, .class = CLASS_DRIFT };

	begin(f);
	for (unsigned i = 1; i <= LEDGER_CONTAINER_FINDINGS_MAX; i++) {
		/* Each as many bits as any other, so that none is a part of another. */
		const struct spec spec = { .effective = i | (capability_mask)(~i & 0xffffu) << 16 };

		assert_int_equal(observe(f, &spec), 0);
	}
	assert_int_equal(ledger_dropped(f->ledger), 0);

	struct observation observation = observe_spec(&one_more);

	assert_int_equal(ledger_observe(keep_event, &f->events, f->ledger, &observation), -ENOSPC);
	assert_int_equal(ledger_dropped(f->ledger), 1);
	assert_int_equal(observation.member_count, 1);
	assert_string_equal(observation.finding.container.pod.name, "cart");
	release_observation(&observation);
	assert_int_equal(observe(f, &other), 0);
	/* Posture has not bought silence about drift. */
	assert_int_equal(observe(f, &drift), 0);
	end(f, true);
	assert_int_equal(ledger_count(f->ledger), LEDGER_CONTAINER_FINDINGS_MAX + 2);

	/* What is resolved makes room. */
	struct rejudge rejudge = { .answer = RESOLVED_POLICY };
	const struct spec first = { .effective = 1 | (capability_mask)0xfffe << 16 };

	PASS(f, &first, &other);
	ledger_rejudge(answer_rejudge, &rejudge, keep_event, &f->events, f->ledger, "c1");
	assert_int_equal(ledger_count(f->ledger), 2);
	PASS(f, &first, &other, &one_more);
	assert_int_equal(ledger_count(f->ledger), 3);
	assert_int_equal(ledger_dropped(f->ledger), 1);
}

static void with_no_resolve_time_what_is_seen_stays_open(void **state)
{
	struct fixture *f = *state;

	ledger_set_resolve_after(f->ledger, 0);
	PASS(f, &sys_admin);
	PASS(f, &sys_admin);
	assert_int_equal(f->events.count, 1);
	pass_seeing(f, "c1");
	assert_last_event(f, 2, FINDING_RESOLVED);
}

static void count_report(void *data, const struct finding *finding)
{
	size_t *counts = data;

	counts[finding->state]++;
}

static void what_exceeds_the_ledger_is_counted_and_the_rest_goes_on(void **state)
{
	struct fixture *f = *state;
	size_t counts[4] = { 0 };
	char id[16];

	begin(f);
	for (unsigned i = 0; i < LEDGER_FINDINGS_MAX + 3; i++) {
		struct spec spec = { .effective = SYS_ADMIN, .container = id };

		(void)snprintf(id, sizeof(id), "%u", i);
		struct observation observation = observe_spec(&spec);
		int r = ledger_observe(count_report, counts, f->ledger, &observation);

		release_observation(&observation);
		assert_int_equal(r, i < LEDGER_FINDINGS_MAX ? 0 : -ENOSPC);
	}
	assert_int_equal(ledger_count(f->ledger), LEDGER_FINDINGS_MAX);
	assert_int_equal(ledger_dropped(f->ledger), 3);
	ledger_end(count_report, counts, f->ledger, true);
	begin(f);
	ledger_end(count_report, counts, f->ledger, true);
	assert_int_equal(counts[FINDING_OPENED], LEDGER_FINDINGS_MAX);
	assert_int_equal(counts[FINDING_RESOLVED], LEDGER_FINDINGS_MAX);
	assert_int_equal(ledger_count(f->ledger), 0);
	PASS(f, &sys_admin);
	assert_int_equal(ledger_count(f->ledger), 1);
}

static void a_ledger_is_freed_with_what_it_holds_and_null_as_well(void **state)
{
	struct fixture *f = *state;

	PASS(f, &named, &both);
	begin(f);
	assert_int_equal(observe(f, &named), 0);
	ledger_free(NULL);
	/* The rest is for the leak checker: the teardown frees it in the middle of a pass. */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_ledger, free_ledger)
	const struct CMUnitTest tests[] = {
		TEST(a_finding_is_opened_once_and_not_told_again_while_nothing_changes),
		TEST(a_process_counts_once_however_many_passes_see_it),
		TEST(a_process_seen_in_two_observations_of_a_pass_counts_once),
		TEST(a_process_that_one_pass_misses_is_not_counted_again),
		TEST(a_pid_that_is_used_again_counts_as_another_process),
		TEST(processes_that_come_and_go_all_count_though_not_all_are_remembered),
		TEST(a_process_that_is_unseen_for_long_is_forgotten_and_counts_again),
		TEST(more_processes_than_can_be_remembered_are_not_counted_again),
		TEST(a_part_of_an_open_finding_joins_it),
		TEST(a_finding_of_its_own_is_found_before_one_that_it_is_a_part_of),
		TEST(of_several_open_findings_a_part_joins_the_tightest),
		TEST(of_equally_tight_ones_a_part_joins_the_oldest),
		TEST(what_is_no_part_of_an_open_finding_opens_its_own),
		TEST(a_nested_namespace_gives_one_finding_a_container),
		TEST(each_change_that_matters_is_told_once),
		TEST(more_processes_or_programs_are_no_change),
		TEST(a_name_that_is_known_no_more_is_kept_and_no_change),
		TEST(a_name_is_learned_from_a_part_as_well),
		TEST(of_observations_that_disagree_the_strongest_counts_in_any_order),
		TEST(equals_that_differ_in_their_profile_do_not_alternate),
		TEST(what_is_stronger_in_the_pass_that_opened_a_finding_changes_it),
		TEST(the_most_privileged_process_is_shown_and_of_equals_the_latest),
		TEST(executables_are_gathered_each_once_and_at_most_eight),
		TEST(a_part_brings_its_executable),
		TEST(a_finding_is_over_when_its_container_is_gone),
		TEST(an_incomplete_pass_ends_no_container),
		TEST(what_is_unseen_in_a_living_container_is_dropped_after_the_resolve_time),
		TEST(incomplete_passes_drop_what_is_unseen_for_the_resolve_time),
		TEST(the_resolve_time_can_be_changed),
		TEST(with_no_resolve_time_what_is_seen_stays_open),
		TEST(a_clock_that_is_set_back_resolves_nothing),
		TEST(what_was_resolved_and_is_seen_again_opens_again_with_the_same_id),
		TEST(a_new_policy_resolves_what_it_permits_of_the_unobserved),
		TEST(a_new_policy_is_asked_of_what_only_a_part_was_observed_of),
		TEST(what_is_held_is_not_told_until_it_is_observed),
		TEST(what_is_held_is_told_when_its_container_ends),
		TEST(what_is_held_and_dropped_is_told_after_the_resolve_time),
		TEST(what_is_held_and_permitted_by_then_is_never_told),
		TEST(a_part_that_is_observed_tells_what_was_held_and_what_was_told_is_not_held),
		TEST(a_pass_that_was_broken_off_leaves_no_trace_in_the_next),
		TEST(every_open_finding_is_walked_once),
		TEST(one_container_cannot_use_up_the_room_of_all),
		TEST(what_exceeds_the_ledger_is_counted_and_the_rest_goes_on),
		TEST(a_ledger_is_freed_with_what_it_holds_and_null_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
