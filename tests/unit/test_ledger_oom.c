/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ledger when memory runs out: every allocation of a scenario fails once, in turn. An
 * observation that was not taken for want of memory leaves the ledger and itself as they were, and
 * is taken when it is tried again; what is reported in all is the same as if nothing had happened.
 */
#include "../support/fail_allocation.h"
#include "../support/under_valgrind.h"
#include "ledger_fixture.h"

#include <errno.h>

#define SYS_ADMIN CAPABILITY_BIT(21)
#define NET_ADMIN CAPABILITY_BIT(12)
#define ALL	  UINT64_C(0x1ffffffffff)

/* What a pass observes; the steps after an incomplete or rejudging one go on as usual. */
struct step {
	const char *sees; /* a container, or NULL */
	bool incomplete, rejudges;
	struct spec specs[4]; /* up to the first with no container */
};

static const struct step scenario[] = {
	/* Opened: two of a container, one of another. */
	{ .specs = { { "c1", .effective = SYS_ADMIN, .processes = 3, .exe = "/bin/a" },
		  { "c1", .class = CLASS_DRIFT, .bounding = ALL, .first_pid = 9 },
		  { "c2", .effective = ALL, .pod = "cart", .exe = "/bin/b" } } },
	/* Joined, by a part too, with more processes than there was room for. */
	{ .specs = { { "c1", .effective = SYS_ADMIN, .first_pid = 2, .processes = 30 },
		  { "c1", .class = CLASS_DRIFT, .bounding = SYS_ADMIN, .exe = "/bin/c" },
		  { "c2", .effective = NET_ADMIN, .first_pid = 50, .processes = 7 },
		  { "c2", .effective = NET_ADMIN | SYS_ADMIN, .first_pid = 40 } } },
	/* Changed: severity, profile, a name through a part. */
	{ .specs = { { "c1", .effective = SYS_ADMIN, .severity = SEVERITY_CRITICAL },
		  { "c1", .class = CLASS_DRIFT, .bounding = ALL, .profile = "web" },
		  { "c1", .effective = SYS_ADMIN, .verdict = VERDICT_EXCEPTED, .first_pid = 7 },
		  { "c2", .effective = NET_ADMIN, .pod = "cart-2" } } },
	/* Resolved: c2 exited, though not in the pass that saw too little. */
	{ .sees = "c1", .incomplete = true },
	{ .sees = "c1", .specs = { { "c3", .effective = SYS_ADMIN } } },
	{ .rejudges = true, .specs = { { "c1", .effective = SYS_ADMIN, .first_pid = 70 } } },
	/* Opened again, and a long time later dropped. */
	{ .specs = { { "c2", .effective = ALL }, { "c1", .effective = SYS_ADMIN } } },
	{ .sees = "c1" },
	{ .sees = "c1", .specs = { { "c2", .effective = ALL } } },
};

#define OBSERVATIONS (ARRAY_SIZE(scenario) * ARRAY_SIZE(scenario[0].specs))

static enum resolved_reason permit_drift(void *data, const struct finding *finding)
{
	(void)data;
	return finding->class == CLASS_DRIFT ? RESOLVED_POLICY : RESOLVED_NOT;
}

/* All that can be seen of a ledger, as one number. */
static uint64_t digest(const struct ledger *ledger)
{
	const struct finding *finding;
	const void *position = NULL;
	uint64_t sum = ledger_count(ledger) * 31 + ledger_dropped(ledger);

	while ((finding = ledger_next(ledger, &position))) {
		const uint64_t facts[] = { strtoull(finding->id, NULL, 16), finding->count,
			finding->state, finding->verdict, finding->severity, finding->time_us,
			finding->last_seen_us, finding->executable_count,
			(uint64_t)finding->process.pid, strlen(finding->profile),
			finding->container.pod.name ? strlen(finding->container.pod.name) : 0 };

		for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
			sum = sum * UINT64_C(0x100000001b3) ^ facts[i];
	}
	return sum;
}

/* Takes an observation, again where memory ran out. Returns how often it did, or a negative errno.
 */
static int observe(struct ledger *ledger, struct events *events, struct observation *observation)
{
	for (int failures = 0;; failures++) {
		const uint64_t before = digest(ledger);
		const size_t members = observation->member_count, reported = events->count;
		int r = ledger_observe(keep_event, events, ledger, observation);

		if (r == 0) {
			assert_null(observation->members);
			return failures;
		}
		if (r != -ENOMEM)
			return r;
		assert_int_equal(observation->member_count, members);
		assert_non_null(observation->members);
		assert_non_null(observation->finding.container.id);
		assert_int_equal(events->count, reported);
		assert_true(digest(ledger) == before);
	}
}

/* Plays the scenario while the n-th allocation fails. True where it was reached. */
static bool play(unsigned long n, struct events *events)
{
	struct observation observations[OBSERVATIONS] = { 0 };
	size_t next = 0;
	int failures = 0;

	events->count = 0;
	/* The test's own memory is not what is to fail. */
	for (size_t i = 0; i < ARRAY_SIZE(scenario); i++)
		for (size_t j = 0; j < ARRAY_SIZE(scenario[i].specs); j++)
			if (scenario[i].specs[j].container)
				observations[i * ARRAY_SIZE(scenario[i].specs) + j] =
					observe_spec(&scenario[i].specs[j]);

	fail_allocation_at(n);
	struct ledger *ledger = ledger_new(RESOLVE_TIME);

	if (!ledger) {
		failures++;
		ledger = ledger_new(RESOLVE_TIME);
	}
	assert_non_null(ledger);
	for (size_t i = 0; i < ARRAY_SIZE(scenario); i++) {
		const struct step *step = &scenario[i];
		const uint64_t now =
			(1000 + i * 60 + (i + 2 > ARRAY_SIZE(scenario) ? 600 : 0)) * SECOND;

		ledger_begin(ledger, now);
		if (step->sees)
			ledger_see_container(ledger, step->sees);
		for (size_t j = 0; j < ARRAY_SIZE(step->specs); j++, next++) {
			if (!step->specs[j].container)
				continue;
			int r = observe(ledger, events, &observations[next]);

			assert_true(r >= 0);
			failures += r;
		}
		ledger_end(keep_event, events, ledger, !step->incomplete);
		if (step->rejudges)
			ledger_rejudge(permit_drift, NULL, keep_event, events, ledger, "c1");
	}
	bool fired = fail_allocation_fired();

	fail_allocation_at(0);
	/* Not the other way round: qsort() does without its buffer. */
	if (failures > 0)
		assert_true(fired);
	assert_true(failures <= 1);
	ledger_free(ledger);
	for (size_t i = 0; i < ARRAY_SIZE(observations); i++)
		release_observation(&observations[i]);
	return fired;
}

static void assert_same_events(const struct events *a, const struct events *b, unsigned long n)
{
	if (a->count != b->count || memcmp(a->at, b->at, a->count * sizeof(a->at[0])) != 0)
		fail_msg("allocation %lu failed, and other things were reported", n);
}

static void the_scenario_has_every_kind_of_transition(void **state)
{
	static struct events events;
	size_t met[4] = { 0 }, reasons[RESOLVED_REBOOT + 1] = { 0 };

	(void)state;
	assert_false(play(0, &events));
	for (size_t i = 0; i < events.count; i++) {
		met[events.at[i].state]++;
		reasons[events.at[i].reason]++;
	}
	assert_true(met[FINDING_OPENED] >= 5);
	assert_true(met[FINDING_CHANGED] >= 3);
	assert_true(reasons[RESOLVED_EXITED] >= 1);
	assert_true(reasons[RESOLVED_DROPPED] >= 1);
	assert_true(reasons[RESOLVED_POLICY] >= 1);
}

static void whichever_allocation_fails_nothing_is_lost_or_told_twice(void **state)
{
	static struct events expected, events;
	unsigned long n = 1;

	(void)state;
	assert_false(play(0, &expected));
	for (; play(n, &events); n++)
		assert_same_events(&expected, &events, n);
	assert_same_events(&expected, &events, n);
	/* Each finding opened takes several, each joined one at least. */
	assert_true(n > 30);
}

/* For the leak checker. */
static void an_observation_that_is_given_up_leaves_nothing_behind(void **state)
{
	static struct events events;
	int r = -ENOMEM;

	(void)state;
	for (unsigned long n = 1; r == -ENOMEM; n++) {
		const struct spec spec = { "c1", .effective = SYS_ADMIN, .exe = "/bin/a" };
		struct observation observation = observe_spec(&spec);
		struct ledger *ledger = ledger_new(RESOLVE_TIME);

		assert_non_null(ledger);
		events.count = 0;
		ledger_begin(ledger, SECOND);
		fail_allocation_at(n);
		r = ledger_observe(keep_event, &events, ledger, &observation);
		fail_allocation_at(0);
		release_observation(&observation);
		ledger_end(keep_event, &events, ledger, true);
		assert_int_equal(ledger_count(ledger), r == 0 ? 1 : 0);
		assert_int_equal(events.count, r == 0 ? 1 : 0);
		ledger_free(ledger);
	}
	assert_int_equal(r, 0);
}

#define MANY 200
#define CALM 80

/* Opens MANY findings in as many containers, so that the hash tables grow under way: not before the
 * first CALM, when memory begins to be scarce. */
static bool open_many(unsigned long n, struct observation *observations, struct events *events)
{
	char id[16];
	int failures = 0;

	events->count = 0;
	for (unsigned i = 0; i < MANY; i++) {
		const struct spec spec = { id, .effective = SYS_ADMIN };

		(void)snprintf(id, sizeof(id), "c%u", i);
		observations[i] = observe_spec(&spec);
	}

	struct ledger *ledger = ledger_new(RESOLVE_TIME);

	assert_non_null(ledger);
	ledger_begin(ledger, SECOND);
	for (unsigned i = 0; i < MANY; i++) {
		if (i == CALM)
			fail_allocation_at(n);
		int r = ledger_observe(keep_event, events, ledger, &observations[i]);

		if (r == -ENOMEM) {
			failures++;
			assert_int_equal(ledger_count(ledger), i);
			r = ledger_observe(keep_event, events, ledger, &observations[i]);
		}
		assert_int_equal(r, 0);
	}
	bool fired = fail_allocation_fired();

	fail_allocation_at(0);
	assert_int_equal(failures, fired ? 1 : 0);
	ledger_end(keep_event, events, ledger, true);
	assert_int_equal(ledger_count(ledger), MANY);
	ledger_begin(ledger, 2 * SECOND);
	ledger_end(keep_event, events, ledger, true);
	assert_int_equal(ledger_count(ledger), 0);
	ledger_free(ledger);
	for (unsigned i = 0; i < MANY; i++)
		release_observation(&observations[i]);
	return fired;
}

static void tables_that_cannot_grow_stay_as_they_are(void **state)
{
	static struct observation observations[MANY];
	static struct events expected, events;
	const unsigned long step = under_valgrind(1, 11);
	unsigned long n = 1;

	(void)state;
	assert_false(open_many(0, observations, &expected));
	assert_int_equal(expected.count, 2 * MANY);
	for (; open_many(n, observations, &events); n += step)
		assert_same_events(&expected, &events, n);
	/* Four for each (entry, members, container's record and id), and one for each table at
	 * least, of which there are two. */
	assert_true(n > 4 * (MANY - CALM) + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_scenario_has_every_kind_of_transition),
		cmocka_unit_test(whichever_allocation_fails_nothing_is_lost_or_told_twice),
		cmocka_unit_test(an_observation_that_is_given_up_leaves_nothing_behind),
		cmocka_unit_test(tables_that_cannot_grow_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
