/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon on a node whose containers have bundles and links: when it asks these, and what it
 * remembers of them. Its interval is an hour, so that nothing but a test makes a pass.
 */
#include "sys.h"

#include <errno.h>
#include <signal.h>
#include <sys/inotify.h>
#include <unistd.h>

static const char *const admin[] = { "--cap-add", "CAP_SYS_ADMIN", NULL };

static struct sys_daemon *start_daemon(struct sys *sys, enum sys_user user)
{
	static const char *const argv[] = { "--kubernetes", "off", NULL };
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);

	sys_write_file(policy, "version: 1\nrun: { interval: 1h, outputs: [stdout] }\n");
	return sys_run(
		sys, &(struct sys_daemon_options){ .policy = policy, .user = user, .argv = argv });
}

/* A pass has been made since the call when a new violation is reported. */
static void make_a_pass(struct sys *sys, struct sys_daemon *daemon)
{
	struct sys_container *marker =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	size_t from = 0;

	sys_daemon_signal(daemon, SIGUSR1);
	(void)sys_daemon_wait(daemon, &from, marker, "opened");
	sys_stop(sys, marker);
}

static void assert_names(
	struct sys *sys, json_t *finding, const struct sys_container *container, const char *name)
{
	assert_string_equal(sys_get(sys, finding, "pod.namespace"), SYS_POD_NAMESPACE);
	assert_string_equal(sys_get(sys, finding, "pod.name"), container->pod);
	assert_string_equal(sys_get(sys, finding, "pod.uid"), container->pod_uid);
	assert_string_equal(sys_get(sys, finding, "container.name"), name);
}

static void a_container_that_starts_later_is_named_in_its_first_report(void **state)
{
	struct sys *sys = *state;

	sys_need_containerd(sys);
	for (int user = SYS_ROOT; user <= SYS_NOBODY; user++) {
		struct sys_daemon *daemon = start_daemon(sys, (enum sys_user)user);
		struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
		struct sys_container *web = sys_pod_add(sys, sandbox,
			&(struct sys_member){ .name = "web",
				/* As root the bundle is all there is. */
				.logs = user == SYS_NOBODY ? "web" : NULL,
				.options = admin });
		size_t from = 0;
		json_t *finding = sys_daemon_wait(daemon, &from, web, "opened");

		assert_names(sys, finding, web, "web");
		assert_string_equal(sys_get(sys, finding, "container.image"),
			user == SYS_ROOT ? SYS_POD_IMAGE : "null");
		make_a_pass(sys, daemon);
		assert_int_equal(sys_daemon_said(daemon, web), 1);
		assert_int_equal(sys_daemon_said(daemon, sandbox), 0);
		assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
		sys_daemon_free(daemon);
	}
}

static int watch_reading(const char *file)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0 || inotify_add_watch(fd, file, IN_OPEN | IN_ACCESS) < 0)
		fail_msg("%s: %s", file, strerror(errno));
	return fd;
}

static bool was_read(int watch)
{
	struct inotify_event events[16];

	return read(watch, events, sizeof(events)) > 0;
}

/* What a bundle says later is not believed: somebody got in there. */
static void make_it_lie(struct sys *sys, const char *file)
{
	json_error_t error;
	json_t *bundle = json_load_file(file, JSON_REJECT_DUPLICATES, &error);

	if (!bundle)
		fail_msg("%s: %s", file, error.text);
	sys_own(sys, bundle, (void (*)(void *))json_decref);
	json_t *sets = json_object_get(json_object_get(bundle, "process"), "capabilities");
	assert_int_equal(json_object_set_new(sets, "bounding", sys_capability_names(sys->all)), 0);
	assert_int_equal(json_object_set_new(json_object_get(bundle, "annotations"),
				 "io.kubernetes.cri.container-name", json_string("liar")),
		0);
	assert_int_equal(json_dump_file(bundle, file, 0), 0);
}

static void a_bundle_is_read_once_and_what_it_said_stays(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
	struct sys_container *web =
		sys_pod_add(sys, sandbox, &(struct sys_member){ .name = "web", .options = admin });
	struct sys_daemon *daemon = start_daemon(sys, SYS_ROOT);
	const char *file = sys_bundle_file(sys, web);
	size_t from = 0;

	assert_names(sys, sys_daemon_wait(daemon, &from, web, "opened"), web, "web");
	make_it_lie(sys, file);
	int watch = watch_reading(file);
	for (int i = 0; i < 2; i++)
		make_a_pass(sys, daemon);
	assert_false(was_read(watch));
	/* A new look does read it, and this watch sees that. */
	assert_string_equal(
		sys_get(sys, sys_seen(sys_scan(sys, SYS_ROOT, "--container", web->id, NULL), web),
			"container.name"),
		"liar");
	assert_true(was_read(watch));
	(void)close(watch);

	assert_int_equal(unlink(file), 0);
	(void)sys_exec(sys, web, SYS_DEFAULT_SET | SYS_SYS_ADMIN | SYS_NET_ADMIN, NULL);
	sys_daemon_signal(daemon, SIGUSR1);
	json_t *finding = sys_daemon_wait(daemon, &from, web, "opened");
	assert_names(sys, finding, web, "web");
	assert_string_equal(sys_get(sys, finding, "container.image"), SYS_POD_IMAGE);
	assert_string_equal(sys_get(sys, finding, "class"), "drift");
	assert_string_equal(sys_get(sys, finding, "origin.NET_ADMIN"), "exec");
}

static void end_task(struct sys *sys, const struct sys_container *container)
{
	const char *const remove[] = { "task", "rm", "-f", container->id, NULL };
	const struct sys_result *removed = sys_ctr(sys, remove);

	if (removed->status != 0)
		fail_msg("ctr task rm: %s", removed->err);
}

/* The kubelet keeps the dead one's link until it collects its garbage. */
static void a_restart_resolves_the_first_and_names_the_second_the_same(void **state)
{
	struct sys *sys = *state;

	sys_need_containerd(sys);
	for (int user = SYS_ROOT; user <= SYS_NOBODY; user++) {
		struct sys_member member = { .name = "web", .logs = "web", .options = admin };
		struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");
		struct sys_container *first = sys_pod_add(sys, sandbox, &member);
		struct sys_daemon *daemon = start_daemon(sys, (enum sys_user)user);
		size_t from = 0;
		json_t *before = sys_daemon_wait(daemon, &from, first, "opened");

		assert_names(sys, before, first, "web");
		end_task(sys, first);
		sys_daemon_signal(daemon, SIGUSR1);
		json_t *resolved = sys_daemon_wait(daemon, &from, first, "resolved");
		assert_string_equal(sys_get(sys, resolved, "resolved_reason"), "exited");
		assert_names(sys, resolved, first, "web");
		member.attempt = 1;
		struct sys_container *second = sys_pod_add(sys, sandbox, &member);
		json_t *after = sys_daemon_wait(daemon, &from, second, "opened");
		assert_names(sys, after, second, "web");
		assert_string_not_equal(sys_get(sys, after, "id"), sys_get(sys, before, "id"));
		assert_string_equal(
			sys_get(sys, after, "workload_id"), sys_get(sys, before, "workload_id"));
		assert_null(sys_seen(
			sys_scan(sys, (enum sys_user)user, "--container", sys->token, NULL),
			first));
		assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
		sys_daemon_free(daemon);
	}
}

static void what_may_not_be_read_is_said_once(void **state)
{
	struct sys *sys = *state;
	struct sys_container *sandbox = sys_pod_start(sys, "cart-7d4f");

	(void)sys_pod_add(sys, sandbox, &(struct sys_member){ .name = "web", .logs = "web" });
	struct sys_daemon *daemon = start_daemon(sys, SYS_NOBODY);
	for (int i = 0; i < 2; i++)
		make_a_pass(sys, daemon);
	const char *said = strstr(sys_daemon_errors(daemon), "cannot read the OCI bundles");
	assert_non_null(said);
	assert_null(strstr(said + 1, "cannot read the OCI bundles"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(a_container_that_starts_later_is_named_in_its_first_report),
		SYS_TEST(a_bundle_is_read_once_and_what_it_said_stays),
		SYS_TEST(a_restart_resolves_the_first_and_names_the_second_the_same),
		SYS_TEST(what_may_not_be_read_is_said_once),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
