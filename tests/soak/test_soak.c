/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon under load for a long time: 30,000 processes in 2,000 containers, 1,000 programs that
 * begin each second, containers that come and go, 500 rules (make soak); a minute of a smaller one
 * is among the tests. With either engine the first test is the run itself, and those after it are
 * what must hold of it.
 */
#include "soak.h"

#include <unistd.h>

#define GROWTH_MAX_PERCENT 1.0
#define RATE_MIN_PERCENT   90.0
#define QUIET_PERCENT	   0.5
#define QUARTERS_MORE	   4u

static struct soak_sizes sizes;
static struct soak_record record;

static const struct soak_sample *last_sample(void)
{
	return &record.samples[record.count - 1];
}

static double percent(double part, double whole)
{
	return whole > 0 ? 100.0 * part / whole : 0;
}

static void print_record(const char *engine)
{
	const struct soak_sample *first = &record.samples[0], *last = last_sample();

	print_message("%s: %u processes (%lu in containers), %u containers, %u rules, %.0f s\n",
		engine, sizes.processes, last->processes, sizes.containers, sizes.rules,
		record.took_s);
	print_message("%lu programs, %.0f a second, %lu of them violating, in %lu containers\n",
		record.programs, (double)record.programs / record.took_s, record.violating,
		record.places);
	print_message("%lu passes, %.1f %% of a processor, %lu KiB resident, %lu lines told, "
		      "%lu KiB of state\n",
		last->passes - first->passes,
		percent((double)(last->cpu_ms - first->cpu_ms),
			(double)(last->at_ms - first->at_ms)),
		last->resident_kib, record.told, record.state_bytes / 1024);
}

/* One line a sample, for whoever wants to see them: SOAK_SAMPLES=FILE. */
static void write_samples(const char *engine)
{
	const char *path = getenv("SOAK_SAMPLES");
	FILE *to = path ? fopen(path, "ae") : NULL;

	if (path && !to)
		fail_msg("%s cannot be written", path);
	for (size_t i = 0; to && i < record.count; i++) {
		const struct soak_sample *s = &record.samples[i];

		(void)fprintf(to,
			"%s ms %lu anonymous %lu resident %lu fds %lu threads %lu cpu-ms %lu "
			"pass-ms %lu passes %lu execs %lu lost %lu processes %lu\n",
			engine, s->at_ms - record.begun_ms, s->anonymous_kib, s->resident_kib,
			s->descriptors, s->threads, s->cpu_ms, s->pass_ms, s->passes, s->execs,
			s->lost, s->processes);
	}
	if (to)
		(void)fclose(to);
}

/* -- the third and the last quarter of what was seen --------------------------------------------
 */

static const struct soak_sample *quarter(unsigned number, size_t *ret_count)
{
	const size_t length = record.planned / 4;

	*ret_count = number < 4 ? length : record.count - record.last;
	return &record.samples[number < 4 ? (number - 1) * length : record.last];
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* One number of each sample of a quarter, in order; the caller frees them. */
static uint64_t *numbers_of(unsigned number, size_t offset, size_t *ret_count)
{
	const struct soak_sample *samples = quarter(number, ret_count);
	uint64_t *numbers = calloc(*ret_count, sizeof(*numbers));

	if (!numbers)
		fail_msg("out of memory");
	for (size_t i = 0; i < *ret_count; i++)
		memcpy(&numbers[i], (const char *)&samples[i] + offset, sizeof(*numbers));
	qsort(numbers, *ret_count, sizeof(*numbers), compare_numbers);
	return numbers;
}

static uint64_t median_of(unsigned quarter, size_t offset)
{
	size_t count;
	uint64_t *numbers = numbers_of(quarter, offset, &count), median = numbers[count / 2];

	free(numbers);
	return median;
}

static uint64_t least_of(unsigned quarter, size_t offset)
{
	size_t count;
	uint64_t *numbers = numbers_of(quarter, offset, &count), least = numbers[0];

	free(numbers);
	return least;
}

/* In percent. */
static double growth(uint64_t before, uint64_t after)
{
	return percent((double)after - (double)before, (double)before);
}

/* A sanitizer keeps what was freed. */
static bool is_sanitized(void)
{
	return getenv("SANITIZE") && strcmp(getenv("SANITIZE"), "1") == 0;
}

/* From the third quarter to the last, in percent for each that lies between. */
static double memory_growth(uint64_t *ret_third, uint64_t *ret_last)
{
	const size_t offset = offsetof(struct soak_sample, anonymous_kib);

	*ret_third = least_of(3, offset);
	*ret_last = least_of(4, offset);
	return growth(*ret_third, *ret_last) / record.apart;
}

/* In a quarter of a minute what was freed is given back once or twice, and there may just be more
 * of everything then: a hundredth of that little is a few pages. What leaks does so for longer. At
 * full size a quarter is long enough, and nothing is asked twice. */
static void look_longer(struct soak_daemon *daemon)
{
	const uint64_t quarter_ms = sizes.seconds * 250u;
	uint64_t third, last;

	record.planned = record.count;
	record.last = record.planned / 4 * 3;
	record.apart = 1;
	if (record.planned < SOAK_SAMPLES_MIN || sizes.required || is_sanitized())
		return;
	while (record.apart <= QUARTERS_MORE &&
		memory_growth(&third, &last) >= GROWTH_MAX_PERCENT) {
		record.last = record.count;
		soak_daemon_watch(daemon, &record, sys_now_ms() + quarter_ms);
		record.apart++;
		if (record.last == record.count)
			fail_msg("no pass ended in %lu ms", quarter_ms);
	}
}

/* -- the run ------------------------------------------------------------------------------------
 */

static void it_lives_through_it(void **state)
{
	struct sys *sys = *state;
	struct soak_load *load;
	struct soak_daemon *daemon;

	free(record.samples);
	record = (struct soak_record){ 0 };
	if (strcmp(sys->engine, "bpf") == 0)
		sys_need_bpf(sys);
	soak_need_room(sys, &sizes);
	load = soak_load_start(sys, &sizes);
	daemon = soak_daemon_start(sys, &sizes, sys->engine);
	record.begun_ms = sys_now_ms();
	soak_load_go(load);
	soak_daemon_watch(daemon, &record, record.begun_ms + sizes.seconds * 1000u);
	look_longer(daemon);
	record.ended_ms = sys_now_ms();
	soak_load_stop(load, &record);
	soak_load_leave(load);
	soak_daemon_settle(daemon, &record);
	soak_daemon_stop(daemon, &record);
	soak_load_end(load);
	if (record.count < SOAK_SAMPLES_MIN)
		fail_msg("only %zu passes ended", record.count);
	print_record(sys->engine);
	write_samples(sys->engine);
	print_message("%s", soak_daemon_errors(daemon));
	record.complete = true;
}

static void need_record(void)
{
	if (record.complete)
		return;
	print_message("skipped: there was no run\n");
	skip();
}

/* The daemon sees everybody's containers, and remembers as much of all of them. */
static void need_quiet_machine(void)
{
	const size_t offset = offsetof(struct soak_sample, processes);
	const double more = growth(median_of(3, offset), median_of(4, offset));

	if (more > QUIET_PERCENT || more < -QUIET_PERCENT)
		soak_cannot(&sizes, "others have started or ended containers on it meanwhile");
}

/* -- what must hold -----------------------------------------------------------------------------
 */

static void the_load_was_what_was_asked_for(void **state)
{
	const double asked = (double)sizes.forks * record.took_s;
	uint64_t processes = 0;

	(void)state;
	need_record();
	for (size_t i = 0; i < record.count; i++)
		if (record.samples[i].processes > processes)
			processes = record.samples[i].processes;
	assert_true(processes >= sizes.processes);
	if (percent((double)record.programs, asked) < RATE_MIN_PERCENT)
		soak_cannot(&sizes, "%lu programs began in %.0f s, and not %.0f", record.programs,
			record.took_s, asked);
	assert_true(record.violating > 0);
}

static void passes_go_on(void **state)
{
	(void)state;
	need_record();
	for (unsigned number = 1; number <= 4; number++) {
		size_t count;
		const struct soak_sample *samples = quarter(number, &count);

		assert_true(samples[count - 1].passes > samples[0].passes);
	}
}

/* What was freed is given back every ten seconds, and lies about in between: what is never freed is
 * there always. */
static void memory_is_flat_over_the_second_half(void **state)
{
	uint64_t third, last;

	(void)state;
	need_record();
	if (is_sanitized()) {
		print_message("skipped: a sanitizer keeps what was freed\n");
		skip();
	}
	const double more = memory_growth(&third, &last);

	print_message(
		"at least %lu KiB in the third quarter, %lu KiB in the one %u later: %+.2f %% "
		"a quarter\n",
		third, last, record.apart, more);
	need_quiet_machine();
	if (more >= GROWTH_MAX_PERCENT)
		fail_msg("it grows by %.2f %%", more);
}

/* A connection or a notification may be open for a moment: what is leaked is there always. */
static void no_descriptor_is_left_open(void **state)
{
	const size_t offset = offsetof(struct soak_sample, descriptors);

	(void)state;
	need_record();
	print_message("descriptors: %lu, %lu\n", least_of(3, offset), least_of(4, offset));
	assert_int_equal(least_of(4, offset), least_of(3, offset));
	assert_int_equal(median_of(4, offset), median_of(3, offset));
}

static void no_thread_is_left_running(void **state)
{
	const size_t offset = offsetof(struct soak_sample, threads);

	(void)state;
	need_record();
	print_message("threads: %lu, %lu\n", least_of(3, offset), least_of(4, offset));
	assert_int_equal(least_of(4, offset), least_of(3, offset));
	assert_int_equal(median_of(4, offset), median_of(3, offset));
}

static void no_program_that_began_is_lost_without_being_counted(void **state)
{
	struct sys *sys = *state;

	need_record();
	if (strcmp(sys->engine, "bpf") != 0) {
		print_message("skipped: the %s engine hears of no programs\n", sys->engine);
		skip();
	}
	print_message("%lu programs violated, %lu were counted, %lu are said to be lost\n",
		record.violating, record.counted, record.end.lost);
	assert_true(record.counted + record.end.lost >= record.violating);
	assert_true(record.end.execs + record.end.lost >= record.programs);
	/* A pass may come between the fork() and the execve() of one: that is a process that was
	 * seen, and a program that began. */
	assert_true(record.counted <= record.violating + record.end.passes);
}

static void the_watchdog_is_fed(void **state)
{
	const uint64_t took = record.ended_ms - record.begun_ms;

	(void)state;
	need_record();
	print_message("fed %lu times in %lu s, %lu ms apart at most; it would bite after %u ms\n",
		record.feeds, took / 1000, record.longest_gap_ms, SOAK_WATCHDOG_MS);
	assert_true(record.longest_gap_ms < SOAK_WATCHDOG_MS);
	assert_true(record.feeds >= took / SOAK_WATCHDOG_MS);
}

static void it_ends_by_sigterm_with_status_0(void **state)
{
	(void)state;
	need_record();
	assert_int_equal(record.status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYS_TEST(it_lives_through_it),
		SYS_TEST(the_load_was_what_was_asked_for),
		SYS_TEST(passes_go_on),
		SYS_TEST(memory_is_flat_over_the_second_half),
		SYS_TEST(no_descriptor_is_left_open),
		SYS_TEST(no_thread_is_left_running),
		SYS_TEST(no_program_that_began_is_lost_without_being_counted),
		SYS_TEST(the_watchdog_is_fed),
		SYS_TEST(it_ends_by_sigterm_with_status_0),
	};
	const char *engine = getenv("SOAK_ENGINE");
	int failed = 0;

	soak_sizes(&sizes);
	if (!engine || strcmp(engine, "bpf") == 0)
		failed += cmocka_run_group_tests_name("bpf", tests, sys_setup_bpf, sys_teardown);
	if (!engine || strcmp(engine, "procfs") == 0)
		failed += cmocka_run_group_tests_name(
			"procfs", tests, sys_setup_procfs, sys_teardown);
	free(record.samples);
	return failed;
}
