/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The same sets through a real containerd, its shim and an image made on the spot.
 */
#include "sys.h"

static void the_default_set_of_containerd_is_tolerated(void **state)
{
	struct sys *sys = *state;

	sys_need_containerd(sys);
	struct sys_container *container = sys_containerd_run(sys, NULL, false);
	const char *names = sys_names(sys, SYS_DEFAULT_SET);
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .level = "baseline",
			.verdict = "tolerated",
			.held = names,
			.bounding = names,
			.processes = 1,
			.findings = 1 });

	assert_string_equal(sys_get(sys, sys_seen(scan, container), "advice"), "drop-all");
}

/* ctr has no "drop ALL": one option for each of the set. */
static void every_capability_dropped_is_compliant(void **state)
{
	struct sys *sys = *state;
	const char *options[2 * 64 + 1] = { NULL };
	size_t count = 0;

	sys_need_containerd(sys);
	json_t *names = sys_capability_names(SYS_DEFAULT_SET), *name;
	size_t i;
	json_array_foreach(names, i, name)
	{
		options[count++] = "--cap-drop";
		options[count++] = sys_print(sys, "%s", json_string_value(name));
	}
	json_decref(names);
	struct sys_container *container = sys_containerd_run(sys, options, false);
	(void)sys_judged(sys, container,
		&(struct sys_expected){ .level = "restricted",
			.verdict = "compliant",
			.held = "",
			.bounding = "",
			.findings = 0 });
}

static void sys_admin_added_by_ctr_is_a_violation(void **state)
{
	static const char *const options[] = { "--cap-add", "CAP_SYS_ADMIN", NULL };
	struct sys *sys = *state;

	sys_need_containerd(sys);
	struct sys_container *container = sys_containerd_run(sys, options, false);
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .level = "privileged",
			.verdict = "violation",
			.class = "posture",
			.severity = "high",
			.findings = 1 });
	json_t *finding = sys_finding(scan, container, NULL);

	assert_string_equal(sys_get(sys, finding, "excess.effective"), "SYS_ADMIN");
	/* ctr's default. */
	assert_string_equal(sys_get(sys, finding, "controls.no_new_privs"), "true");
}

static void privileged_by_ctr_is_a_violation(void **state)
{
	static const char *const options[] = { "--privileged", NULL };
	struct sys *sys = *state;

	sys_need_containerd(sys);
	struct sys_container *container = sys_containerd_run(sys, options, false);
	(void)sys_judged(sys, container,
		&(struct sys_expected){ .level = "privileged",
			.verdict = "violation",
			.class = "posture",
			.severity = "high",
			.held = sys_names(sys, sys->all),
			.findings = 1 });
}

static void net_bind_service_as_uid_1000_satisfies_restricted(void **state)
{
	const char *options[2 * 64 + 1] = { NULL };
	struct sys *sys = *state;
	size_t count = 0, i;

	sys_need_containerd(sys);
	json_t *names = sys_capability_names(SYS_DEFAULT_SET & ~SYS_NET_BIND_SERVICE), *name;
	json_array_foreach(names, i, name)
	{
		options[count++] = "--cap-drop";
		options[count++] = sys_print(sys, "%s", json_string_value(name));
	}
	json_decref(names);
	struct sys_container *container = sys_containerd_run(sys, options, true);
	(void)sys_judged(sys, container,
		&(struct sys_expected){ .level = "restricted",
			.verdict = "compliant",
			.held = "",
			.bounding = "NET_BIND_SERVICE",
			.findings = 0 });
}

static void exec_with_everything_in_it_is_drift(void **state)
{
	struct sys *sys = *state;

	sys_need_containerd(sys);
	struct sys_container *container = sys_containerd_run(sys, NULL, false);
	pid_t pid = sys_exec(sys, container, sys->all, NULL);
	const struct sys_result *scan = sys_judged(sys, container,
		&(struct sys_expected){ .verdict = "violation",
			.class = "drift",
			.severity = "critical",
			.processes = 2,
			.findings = -1 });
	json_t *finding = sys_finding(scan, container, "drift");

	assert_int_equal(sys_number(finding, "process.pid"), pid);
	assert_string_equal(sys_get(sys, finding, "origin.SYS_ADMIN"), "exec");
}

/* The shim that stands beside each container is the host's. */
static void shims_belong_to_no_container(void **state)
{
	struct sys *sys = *state;
	json_t *item;
	size_t i, k;

	sys_need_containerd(sys);
	struct sys_container *container = sys_containerd_run(sys, NULL, false);
	const struct sys_result *scan = sys_scan(sys, SYS_ROOT, NULL);

	assert_int_equal(sys_number(sys_seen(scan, container), "processes"), 1);
	json_array_foreach(json_object_get(scan->json, "findings"), i, item)
	{
		json_t *program;

		json_array_foreach(json_object_get(item, "executables"), k, program)
		{
			assert_null(strstr(json_string_value(program), "containerd-shim"));
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(the_default_set_of_containerd_is_tolerated),
		SYS_TEST(every_capability_dropped_is_compliant),
		SYS_TEST(sys_admin_added_by_ctr_is_a_violation),
		SYS_TEST(privileged_by_ctr_is_a_violation),
		SYS_TEST(net_bind_service_as_uid_1000_satisfies_restricted),
		SYS_TEST(exec_with_everything_in_it_is_drift),
		SYS_TEST(shims_belong_to_no_container),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
