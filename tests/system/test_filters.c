/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --namespace, --pod, --container and --pid: which containers a scan is about.
 */
#include "sys.h"

struct three {
	struct sys_container *web, *db, *agent;
};

/* Names that no other container on the machine has: they carry the token. */
static struct three start_three(struct sys *sys)
{
	const char *shop = sys_print(sys, "shop-%s", sys->token);
	const char *cni = sys_print(sys, "cni-%s", sys->token);

	return (struct three){
		.web = sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN,
					      .name = "web",
					      .pod = "cart-7d4f",
					      .namespace_name = shop }),
		.db = sys_start(sys,
			&(struct sys_spec){
				.name = "db", .pod = "cart-db-0", .namespace_name = shop }),
		.agent = sys_start(sys, &(struct sys_spec){ .capabilities = SYS_NET_ADMIN,
						.name = "agent",
						.pod = "calico-x2k",
						.namespace_name = cni }),
	};
}

static void assert_seen(
	const struct sys_result *scan, const struct three *three, bool web, bool db, bool agent)
{
	assert_int_equal(sys_seen(scan, three->web) != NULL, web);
	assert_int_equal(sys_seen(scan, three->db) != NULL, db);
	assert_int_equal(sys_seen(scan, three->agent) != NULL, agent);
	assert_int_equal(sys_finding_count(scan, three->web), web);
	assert_int_equal(sys_finding_count(scan, three->agent), agent);
	/* And nobody else's. */
	assert_int_equal(
		json_array_size(json_object_get(scan->json, "containers")), web + db + agent);
}

static void namespaces_match_by_glob(void **state)
{
	struct sys *sys = *state;
	struct three three = start_three(sys);
	const char *shop = sys_print(sys, "shop-%s", sys->token);
	const char *cni = sys_print(sys, "c?i-%s", sys->token);

	assert_seen(sys_scan(sys, SYS_ROOT, "--namespace", shop, NULL), &three, true, true, false);
	assert_seen(
		sys_scan(sys, SYS_NOBODY, "--namespace", cni, NULL), &three, false, false, true);
	assert_seen(sys_scan(sys, SYS_ROOT, "--namespace", shop, "--namespace", cni, NULL), &three,
		true, true, true);
}

static void pods_match_by_glob_within_the_namespace(void **state)
{
	struct sys *sys = *state;
	struct three three = start_three(sys);
	const char *shop = sys_print(sys, "shop-%s", sys->token);

	assert_seen(sys_scan(sys, SYS_ROOT, "--namespace", shop, "--pod", "cart-db-*", NULL),
		&three, false, true, false);
	assert_seen(sys_scan(sys, SYS_ROOT, "--namespace", shop, "--pod", "cart-*", NULL), &three,
		true, true, false);
}

static void containers_match_by_name_and_by_the_start_of_their_id(void **state)
{
	struct sys *sys = *state;
	struct three three = start_three(sys);
	const char *shop = sys_print(sys, "shop-%s", sys->token);
	/* The number stands behind the token. */
	const char *prefix = sys_print(sys, "%.20s", three.agent->id);

	assert_seen(sys_scan(sys, SYS_ROOT, "--namespace", shop, "--container", "w*b", NULL),
		&three, true, false, false);
	assert_seen(
		sys_scan(sys, SYS_ROOT, "--container", prefix, NULL), &three, false, false, true);
	assert_seen(
		sys_scan(sys, SYS_ROOT, "--container", three.db->id, "--container", prefix, NULL),
		&three, false, true, true);
	assert_seen(
		sys_scan(sys, SYS_ROOT, "--container", sys->token, NULL), &three, true, true, true);
}

static void a_process_stands_for_its_container(void **state)
{
	struct sys *sys = *state;
	struct three three = start_three(sys);
	const char *pid = sys_print(sys, "%d", (int)three.web->pid);

	assert_seen(sys_scan(sys, SYS_ROOT, "--pid", pid, NULL), &three, true, false, false);
	assert_seen(sys_scan(sys, SYS_NOBODY, "--pid", pid, "--pid",
			    sys_print(sys, "%d", (int)three.agent->pid), NULL),
		&three, true, false, true);
}

static void one_process_of_several_is_judged_alone(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ 0 });
	pid_t pid = sys_exec(sys, container, sys->all, NULL);
	const struct sys_result *first =
		sys_scan(sys, SYS_ROOT, "--pid", sys_print(sys, "%d", (int)container->pid), NULL);
	const struct sys_result *second =
		sys_scan(sys, SYS_ROOT, "--pid", sys_print(sys, "%d", (int)pid), NULL);

	assert_int_equal(first->status, 0);
	assert_int_equal(sys_finding_count(first, container), 0);
	/* What it is measured against is still the container's first process. */
	assert_int_equal(second->status, 1);
	assert_non_null(sys_finding(second, container, "drift"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(namespaces_match_by_glob),
		SYS_TEST(pods_match_by_glob_within_the_namespace),
		SYS_TEST(containers_match_by_name_and_by_the_start_of_their_id),
		SYS_TEST(a_process_stands_for_its_container),
		SYS_TEST(one_process_of_several_is_judged_alone),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
