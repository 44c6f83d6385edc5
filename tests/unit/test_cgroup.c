/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /proc/PID/cgroup: which path decides, trusted bases, and texts at the edge of what can be. What
 * runtimes write is in test_cgroup_rows.c.
 */
#include <capauditd/cgroup.h>
#include <capauditd/macros.h>

#include "cgroup_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PATH_LONGEST ((size_t)4095)

static void the_path_and_the_containers_part_of_it_are_told(void **state)
{
	static const struct {
		const char *text;
		const char *own; /* the part that names it */
		const char *path;
	} rows[] = {
		{ "0::/docker/" ID_A "/a/b\n", "/docker/" ID_A, "/docker/" ID_A "/a/b" },
		{ "0::" POD_SLICE "/cri-containerd-" ID_A ".scope (deleted)\n",
			POD_SLICE "/cri-containerd-" ID_A ".scope",
			POD_SLICE "/cri-containerd-" ID_A ".scope" },
		{ "0::/../crio-" ID_A ".scope/container\n", "/../crio-" ID_A ".scope",
			"/../crio-" ID_A ".scope/container" },
		{ "0::/machine.slice/machine-x.scope/payload/init.scope\n",
			"/machine.slice/machine-x.scope",
			"/machine.slice/machine-x.scope/payload/init.scope" },
		{ "0::/lxc/100/ns\n", "/lxc/100", "/lxc/100/ns" },
		/* The line that decides, not the first. */
		{ "5:memory:/user.slice\n4:pids:/docker/" ID_A "/x\n0::/\n", "/docker/" ID_A,
			"/docker/" ID_A "/x" },
		{ "5:memory:/kubepods/pod" UID "\n4:pids:/kubepods/pod" UID "/" ID_A "/x\n",
			"/kubepods/pod" UID "/" ID_A, "/kubepods/pod" UID "/" ID_A "/x" },
		/* A pod without a container, and what holds several. */
		{ "0::/kubepods/pod" UID "\n", "/kubepods/pod" UID, "/kubepods/pod" UID },
		{ "0::/user.slice/user-1.slice/user@1.service/user.slice/podman-7.scope/x\n",
			"/user.slice/user-1.slice/user@1.service/user.slice/podman-7.scope",
			"/user.slice/user-1.slice/user@1.service/user.slice/podman-7.scope/x" },
		/* Of the host's, all of it. */
		{ "4:memory:/\n0::/system.slice/ssh.service\n", "/system.slice/ssh.service",
			"/system.slice/ssh.service" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cgroup_identity identity = parse_string(rows[i].text);

		assert_non_null(identity.path);
		assert_int_equal(identity.path_length, strlen(rows[i].path));
		assert_memory_equal(identity.path, rows[i].path, identity.path_length);
		assert_int_equal(identity.container_length, strlen(rows[i].own));
		assert_memory_equal(identity.path, rows[i].own, identity.container_length);
	}
}

static void where_all_lines_say_the_root_there_is_no_path(void **state)
{
	static const char *const texts[] = { "", "\n", "0::/\n", "0::/", "4:memory:/\n0::/\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct cgroup_identity identity = parse_string(texts[i]);

		assert_int_equal(identity.kind, CGROUP_HOST);
		assert_null(identity.path);
		assert_int_equal(identity.path_length, 0);
		assert_int_equal(identity.container_length, 0);
		assert_false(identity.ambiguous);
	}
}

static void a_trusted_base_is_removed_before_markers_are_looked_for(void **state)
{
	static const struct {
		const char *prefixes[3];
		const char *text;
		const char *runtime, *id, *pod;
		enum qos_class qos;
		const char *own;
	} rows[] = {
		/* kind on v1: the node is a container, and the operator says so. */
		{ { "/docker/" ID_B },
			"1:name=systemd:/docker/" ID_B "/kubepods/besteffort/pod" UID "/" ID_A "\n",
			"unknown-cri", ID_A, UID, QOS_BEST_EFFORT,
			"/docker/" ID_B "/kubepods/besteffort/pod" UID "/" ID_A },
		/* The node's own processes are the host's. */
		{ { "/docker/" ID_B }, "0::/docker/" ID_B "/system.slice/kubelet.service\n", NULL,
			"", "", QOS_UNKNOWN, "/docker/" ID_B "/system.slice/kubelet.service" },
		{ { "/docker/" ID_B }, "0::/docker/" ID_B "\n", NULL, "", "", QOS_UNKNOWN,
			"/docker/" ID_B },
		/* Another container is still one, whatever its id begins with. */
		{ { "/docker/" ID_B }, "0::/docker/" ID_A "\n", "docker", ID_A, "", QOS_UNKNOWN,
			"/docker/" ID_A },
		{ { "/docker/0bad" }, "0::/docker/" ID_B "/x\n", "docker", ID_B, "", QOS_UNKNOWN,
			"/docker/" ID_B },
		/* The longest that fits, of several. */
		{ { "/a", "/a/lxc/node", "/a/lxc" }, "0::/a/lxc/node/docker/" ID_A "\n", "docker",
			ID_A, "", QOS_UNKNOWN, "/a/lxc/node/docker/" ID_A },
		{ { "/b", "", "/a" }, "0::/c/docker/" ID_A "\n", "docker", ID_A, "", QOS_UNKNOWN,
			"/c/docker/" ID_A },
		/* Right below a base is like right below the root. */
		{ { "/srv/kubepods" }, "0::/srv/kubepods/pod" UID "/" ID_A "\n", "unknown-cri",
			ID_A, UID, QOS_UNKNOWN, "/srv/kubepods/pod" UID "/" ID_A },
		{ { "/srv" }, "0::/srv/lxc/web/x\n", "lxc", "web", "", QOS_UNKNOWN,
			"/srv/lxc/web" },
		/* Seen from a cgroup namespace. */
		{ { "/../../docker/" ID_B }, "0::/../../docker/" ID_B "/lxc/web\n", "lxc", "web",
			"", QOS_UNKNOWN, "/../../docker/" ID_B "/lxc/web" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cgroup_base base = { .prefixes = rows[i].prefixes };
		struct cgroup_identity identity;

		while (base.count < 3 && rows[i].prefixes[base.count])
			base.count++;
		cgroup_parse(rows[i].text, strlen(rows[i].text), &base, &identity);
		assert_string_equal(or_empty(identity.runtime), or_empty(rows[i].runtime));
		assert_string_equal(identity.container_id, rows[i].id);
		assert_string_equal(identity.pod_uid, rows[i].pod);
		assert_int_equal(identity.qos, rows[i].qos);
		assert_int_equal(identity.kind, rows[i].runtime ? CGROUP_CONTAINER : CGROUP_HOST);
		assert_int_equal(identity.container_length, strlen(rows[i].own));
		assert_memory_equal(identity.path, rows[i].own, strlen(rows[i].own));
	}
}

static void what_stands_below_a_user_manager_is_told(void **state)
{
	static const struct {
		const char *text;
		bool below;
	} rows[] = {
		{ "0::/user.slice/user-1.slice/user@1.service/docker-" ID_A ".scope\n", true },
		{ "0::/user.slice/user-1.slice/user@1.service/app.slice/x.service\n", true },
		{ "0::/user.slice/user-1.slice/session-2.scope\n", false },
		{ "0::/docker/" ID_A "/user@1.service/docker-" ID_B ".scope\n", false },
		{ "0::/user@x.service/docker-" ID_A ".scope\n", false },
		{ "5:memory:/docker/" ID_A "\n1:name=systemd:/user@1.service/" ID_A "\n", false },
		{ "5:memory:/user@1.service\n1:name=systemd:/user@1.service/" ID_A "\n", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(parse_string(rows[i].text).below_user_manager, rows[i].below);
}

/* A path of `total` bytes: `start`, and then names of 200 bytes. */
static char *long_path(const char *start, size_t total)
{
	char *path = malloc(total + 1);
	size_t used = strlen(start);

	assert_non_null(path);
	memcpy(path, start, used);
	while (used < total) {
		path[used] = used % 200 == 0 && path[used - 1] != '/' ? '/' : 'x';
		used++;
	}
	path[total] = '\0';
	return path;
}

static void assert_long(const char *start, size_t total, const char *runtime, const char *id,
	enum cgroup_kind kind, bool ambiguous)
{
	_cleanup_free_ char *path = long_path(start, total);
	_cleanup_free_ char *text = NULL;
	struct cgroup_identity identity;

	assert_true(asprintf(&text, "5:memory:%s\n0::/\n", path) > 0);
	identity = parse_string(text);
	assert_sound(text, strlen(text), &identity);
	assert_string_equal(or_empty(identity.runtime), runtime);
	assert_string_equal(identity.container_id, id);
	assert_int_equal(identity.kind, kind);
	assert_int_equal(identity.ambiguous, ambiguous);
}

/* Paths are printed through a page: what is as long may have been longer. */
static void a_path_that_the_kernel_cut_is_audited_unless_its_beginning_says_whose_it_is(
	void **state)
{
	(void)state;
	assert_long("/system.slice/x.service/", PATH_LONGEST - 1, "", "", CGROUP_HOST, false);
	assert_long("/system.slice/x.service/", PATH_LONGEST, "", "", CGROUP_CONTAINER, true);
	assert_long("/system.slice/x.service/", 3 * PATH_LONGEST, "", "", CGROUP_CONTAINER, true);
	assert_long("/docker/" ID_A "/", PATH_LONGEST, "docker", ID_A, CGROUP_CONTAINER, false);
	assert_long("/docker/" ID_A "/", 3 * PATH_LONGEST, "docker", ID_A, CGROUP_CONTAINER, false);
	assert_long("/../../kubepods-pod" UID_ ".slice/crio-" ID_A ".scope/", PATH_LONGEST, "cri-o",
		ID_A, CGROUP_CONTAINER, false);
}

static void a_line_that_was_cut_does_not_hide_what_the_others_say(void **state)
{
	_cleanup_free_ char *path = long_path("/x/", PATH_LONGEST);
	_cleanup_free_ char *text = NULL;
	struct cgroup_identity identity;

	(void)state;
	assert_true(asprintf(&text, "5:memory:%s\n4:pids:/docker/" ID_A "\n", path) > 0);
	identity = parse_string(text);
	assert_string_equal(identity.container_id, ID_A);
	assert_false(identity.ambiguous);
	free(text);
	text = NULL;
	/* A helper is what no line denies, and this one is not known. */
	assert_true(asprintf(&text, "5:memory:%s\n4:pids:/lxc.monitor.x\n", path) > 0);
	identity = parse_string(text);
	assert_int_equal(identity.kind, CGROUP_CONTAINER);
	assert_true(identity.ambiguous);
}

static void names_are_as_long_as_the_kernel_lets_them_be(void **state)
{
	char text[600];
	char name[CGROUP_NAME_MAX + 2];
	struct cgroup_identity identity;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[CGROUP_NAME_MAX] = '\0';
	/* "lxc/NAME" with a name of 255 bytes */
	(void)snprintf(text, sizeof(text), "0::/lxc/%s/x\n", name);
	identity = parse_string(text);
	assert_string_equal(identity.container_id, name);
	/* and of 256, which is none. */
	memset(name, 'n', sizeof(name));
	name[CGROUP_NAME_MAX + 1] = '\0';
	(void)snprintf(text, sizeof(text), "0::/lxc/%s/x\n", name);
	identity = parse_string(text);
	assert_int_equal(identity.kind, CGROUP_HOST);
	assert_sound(text, strlen(text), &identity);
}

static void a_text_of_a_thousand_lines_or_levels_is_no_danger(void **state)
{
	size_t size = 200000, used = 0;
	_cleanup_free_ char *text = malloc(size);
	struct cgroup_identity identity;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 1000; i > 0; i--)
		used += (size_t)snprintf(text + used, size - used, "%u:x:/docker/" ID_A "\n", i);
	identity = parse(text, used);
	assert_sound(text, used, &identity);
	assert_true(identity.ambiguous); /* no kernel has as many */
	used = (size_t)snprintf(text, size, "0::");
	while (used + 2 < size) {
		text[used++] = '/';
		text[used++] = 'a';
	}
	identity = parse(text, used);
	assert_sound(text, used, &identity);
	assert_true(identity.ambiguous);
}

static void a_last_line_without_its_end_counts_as_far_as_it_goes(void **state)
{
	struct cgroup_identity identity = parse_string("5:memory:/docker/" ID_A "\n4:pi");

	(void)state;
	assert_string_equal(identity.container_id, ID_A);
	assert_false(identity.ambiguous);
	identity = parse_string("0::/docker/" ID_A);
	assert_string_equal(identity.container_id, ID_A);
}

static void kinds_and_classes_have_names(void **state)
{
	(void)state;
	assert_string_equal(cgroup_kind_name(CGROUP_HOST), "host");
	assert_string_equal(cgroup_kind_name(CGROUP_CONTAINER), "container");
	assert_string_equal(cgroup_kind_name(CGROUP_HELPER), "helper");
	assert_null(qos_class_name(QOS_UNKNOWN));
	assert_string_equal(qos_class_name(QOS_GUARANTEED), "Guaranteed");
	assert_string_equal(qos_class_name(QOS_BURSTABLE), "Burstable");
	assert_string_equal(qos_class_name(QOS_BEST_EFFORT), "BestEffort");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_path_and_the_containers_part_of_it_are_told),
		cmocka_unit_test(where_all_lines_say_the_root_there_is_no_path),
		cmocka_unit_test(a_trusted_base_is_removed_before_markers_are_looked_for),
		cmocka_unit_test(what_stands_below_a_user_manager_is_told),
		cmocka_unit_test(
			a_path_that_the_kernel_cut_is_audited_unless_its_beginning_says_whose_it_is),
		cmocka_unit_test(a_line_that_was_cut_does_not_hide_what_the_others_say),
		cmocka_unit_test(names_are_as_long_as_the_kernel_lets_them_be),
		cmocka_unit_test(a_text_of_a_thousand_lines_or_levels_is_no_danger),
		cmocka_unit_test(a_last_line_without_its_end_counts_as_far_as_it_goes),
		cmocka_unit_test(kinds_and_classes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
