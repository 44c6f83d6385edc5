/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When the daemon judges by what the Kubernetes API says: the source is this test, the loop is the
 * daemon's own.
 */
// wrap: kubernetes_new kubernetes_free run_judge_again
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/command/run.h"

#include <capauditd/kubernetes.h>

#include <unistd.h>

#define FLOOD_US UINT64_C(400000)

static kubernetes_changed *tell;
static void *tell_data;
static unsigned judged;

int __wrap_kubernetes_new(sd_event *event, const struct kubernetes_settings *settings,
	struct cluster *cluster, kubernetes_changed *changed, kubernetes_say *say, void *data,
	struct kubernetes **ret, struct diag *diag);
int __wrap_kubernetes_new(sd_event *event, const struct kubernetes_settings *settings,
	struct cluster *cluster, kubernetes_changed *changed, kubernetes_say *say, void *data,
	struct kubernetes **ret, struct diag *diag)
{
	(void)event;
	(void)settings;
	(void)cluster;
	(void)say;
	(void)diag;
	tell = changed;
	tell_data = data;
	*ret = NULL;
	return 0;
}

void __wrap_kubernetes_free(struct kubernetes *kubernetes);
void __wrap_kubernetes_free(struct kubernetes *kubernetes)
{
	(void)kubernetes;
}

void __wrap_run_judge_again(struct run *run);
void __wrap_run_judge_again(struct run *run)
{
	(void)run;
	judged++;
}

static void turn_until_judged(struct run *run, unsigned times)
{
	while (judged < times)
		assert_true(sd_event_run(run->event, UINT64_MAX) >= 0);
}

/* No time is asserted: as many more judgings may come as the flood lasts longer. */
static void a_flood_of_news_is_judged_at_a_bounded_rate_and_to_its_end(void **state)
{
	struct run run = { .node = { .name = (char *)"n1" }, .sources.cluster = cluster_new() };
	struct diag diag;
	uint64_t begin, last;

	(void)state;
	judged = 0;
	assert_non_null(run.sources.cluster);
	assert_true(sd_event_new(&run.event) >= 0);
	assert_int_equal(run_open_kubernetes(&run, &diag), 0);

	tell(tell_data);
	turn_until_judged(&run, 1); /* by itself; nothing else comes */

	begin = clock_us(CLOCK_MONOTONIC);
	while (clock_us(CLOCK_MONOTONIC) - begin < FLOOD_US) {
		tell(tell_data);
		assert_true(sd_event_run(run.event, 1000) >= 0);
	}
	last = (clock_us(CLOCK_MONOTONIC) - begin) / 100000;
	assert_in_range(judged, 2, 1 + last + 1);
	/* The last of it is not forgotten. */
	tell(tell_data);
	turn_until_judged(&run, judged + 1);

	run_close_kubernetes(&run);
	cluster_free(run.sources.cluster);
	(void)sd_event_unref(run.event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_of_news_is_judged_at_a_bounded_rate_and_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
