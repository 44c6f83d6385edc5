/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OCI bundles: recorded ones, those of other runtimes, hostile ones; and the folders that hold
 * them, laid out in a temporary root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/bundle.h>
#include <capauditd/command.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/fail_allocation.h"

#define ID	    "8eb1cc424c5897732da50e6a511c007c54a2bc2358e0f45ad4c0a46beeffc0a4"
#define PAUSE_ID    "a4e2d25f29ee33d0dd5775c22c188089019e6a7fcada8e401bb0af49cd2b30da"
#define UID	    "5d36ae06-ed12-4a09-9b1e-6a62b507baeb"
#define DEFAULT_SET UINT64_C(0xa80425fb)

/* What a row does not mention is 0, on purpose. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* ---- what a bundle says ---- */

struct expected {
	const char *namespace_name, *pod, *container, *image, *uid;
	bool sandbox, is_container, granted_known;
	capability_mask granted;
};

static void expect(const char *what, const struct bundle *b, const struct expected *e)
{
	if (!same(b->namespace_name, e->namespace_name) || !same(b->pod, e->pod) ||
		!same(b->container, e->container) || !same(b->image, e->image) ||
		!same(b->pod_uid, e->uid ? e->uid : "") || b->is_sandbox != e->sandbox ||
		b->is_container != e->is_container || b->granted_known != e->granted_known ||
		b->granted != e->granted)
		fail_msg("%s: %s/%s/%s image %s uid %s sandbox %d container %d granted %d 0x%llx",
			what, b->namespace_name, b->pod, b->container, b->image, b->pod_uid,
			b->is_sandbox, b->is_container, b->granted_known,
			(unsigned long long)b->granted);
}

#define BUSYBOX "docker.io/library/busybox:1.35"

static const struct {
	const char *file, *id;
	struct expected expected;
} recorded[] = {
	{ "restricted", ID,
		{ "ns-restricted", "a-restricted", "main", BUSYBOX, UID, false, true, true,
			0x400 } },
	{ "drop-all", ID,
		{ "ns-restricted", "a-restricted", "dbg-restricted", BUSYBOX, UID, false, true,
			true, 0 } },
	{ "pause", PAUSE_ID,
		{ "ns-restricted", "a-restricted", NULL, NULL, UID, true, false, true,
			DEFAULT_SET } },
	{ "static", ID,
		{ "ns-baseline", "g-static-vm", "main", BUSYBOX, "0a77940c6dfc1730d60de34c7cbd2995",
			false, true, true, DEFAULT_SET } },
	{ "privileged", ID,
		{ "ns-privileged", "c-privileged", "main", BUSYBOX,
			"e54286f4-19af-4057-b8c1-83e4530ebe56", false, true, true,
			UINT64_C(0x1fffeffffff) } },
};

static void recorded_bundles_say_who_it_is_and_what_was_granted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(recorded); i++) {
		char path[128], *text;
		struct bundle bundle;
		size_t length;

		(void)snprintf(path, sizeof(path), "tests/data/bundles/%s.json", recorded[i].file);
		assert_int_equal(read_whole_file(path, BUNDLE_TEXT_MAX, &text, &length), 0);
		assert_int_equal(
			bundle_parse(text, length, "containerd", recorded[i].id, true, &bundle), 0);
		expect(recorded[i].file, &bundle, &recorded[i].expected);
		bundle_done(&bundle);
		free(text);
	}
}

#define LABELS                                                                    \
	"\"io.kubernetes.pod.namespace\":\"n\",\"io.kubernetes.pod.name\":\"p\"," \
	"\"io.kubernetes.pod.uid\":\"" UID "\",\"io.kubernetes.container.name\":\"c\""
#define PODMAN_KEYS                                                                                \
	"\"io.container.manager\":\"libpod\",\"io.kubernetes.cri-o.ContainerType\":\"container\"," \
	"\"io.kubernetes.cri-o.SandboxID\":\"" ID "\"," LABELS

static const struct {
	const char *what, *runtime, *text;
	bool outside; /* the cgroup's path names no pod */
	struct expected expected;
} written[] = {
	{ "CRI-O's container", "cri-o",
		"{\"annotations\":{\"io.container.manager\":\"cri-o\","
		"\"io.kubernetes.cri-o.ContainerType\":\"container\","
		"\"io.kubernetes.cri-o.SandboxID\":\"x\",\"io.kubernetes.cri-o.ImageName\":"
		"\"i\"," LABELS "}}",
		.expected = { "n", "p", "c", "i", UID, false, true } },
	{ "CRI-O's sandbox, whose author claims to be a container", "cri-o",
		"{\"annotations\":{\"io.kubernetes.cri-o.ContainerType\":\"container\","
		"\"io.kubernetes.cri-o.SandboxID\":\"" ID "\"," LABELS "}}",
		.expected = { "n", "p", NULL, NULL, UID, true, false } },
	{ "CRI-O where the path names no runtime", "unknown-cri",
		"{\"annotations\":{\"io.container.manager\":\"cri-o\"," LABELS "}}",
		.expected = { "n", "p", "c", NULL, UID } },
	{ "Podman's, which is nobody's pod", "podman", "{\"annotations\":{" PODMAN_KEYS "}}",
		.outside = true },
	{ "Podman's where the path names no runtime", "unknown",
		"{\"annotations\":{" PODMAN_KEYS "}}", .outside = true },
	{ "an image that claims a pod's labels, under Docker", "docker",
		"{\"annotations\":{" LABELS "}}", .outside = true },
	{ "Docker below kubepods", "docker",
		"{\"annotations\":{\"io.kubernetes.docker.type\":\"podsandbox\"," LABELS "}}",
		.expected = { "n", "p", NULL, NULL, UID, true } },
	{ "containerd before 1.7", "containerd",
		"{\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\","
		"\"io.kubernetes.cri.sandbox-namespace\":\"n\",\"io.kubernetes.cri.sandbox-name\":"
		"\"p\",\"io.kubernetes.cri.container-name\":\"c\"}}",
		.expected = { "n", "p", "c", NULL, NULL, false, true } },
	{ "a UID of another form", "containerd",
		"{\"annotations\":{\"io.kubernetes.cri.sandbox-uid\":"
		"\"5D36AE06-ed12-4a09-9b1e-6a62b507baeb\"}}" },
	{ "a UID that is too long", "containerd",
		"{\"annotations\":{\"io.kubernetes.cri.sandbox-uid\":\"" UID UID "\"}}" },
	/* What a pod's author can have a runtime hand on, in another runtime's words. */
	{ "an author who claims Podman under containerd", "containerd",
		"{\"annotations\":{\"io.container.manager\":\"libpod\","
		"\"io.kubernetes.cri.container-type\":\"container\","
		"\"io.kubernetes.cri.container-name\":\"c\"}}",
		.expected = { .container = "c", .is_container = true } },
	{ "an author who claims CRI-O's sandbox under containerd", "unknown-cri",
		"{\"annotations\":{\"io.container.manager\":\"cri-o\","
		"\"io.kubernetes.cri-o.ContainerType\":\"sandbox\"," LABELS ","
		"\"io.kubernetes.cri.container-type\":\"container\"}}" },
	{ "an author who claims containerd's sandbox under CRI-O", "cri-o",
		"{\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\","
		"\"io.kubernetes.cri.sandbox-namespace\":\"other\","
		"\"io.kubernetes.cri-o.ContainerType\":\"container\"," LABELS "}}",
		.expected = { "n", "p", "c", NULL, UID, false, true } },
	{ "CRI-O's names that only an author writes into a container", "cri-o",
		"{\"annotations\":{\"io.kubernetes.cri-o.KubeName\":\"other\","
		"\"io.kubernetes.cri-o.Namespace\":\"other\"}}" },
	{ "the image of CRI-O's sandbox is an author's word", "cri-o",
		"{\"annotations\":{\"io.kubernetes.cri-o.ImageName\":\"i\","
		"\"io.kubernetes.cri-o.SandboxID\":\"" ID "\"}}",
		.expected = { .sandbox = true } },
	{ "an image that claims another's name, under Podman", "podman",
		"{\"annotations\":{\"io.podman.annotations.image\":\"i\","
		"\"io.kubernetes.cri-o.ImageName\":\"i\"}}" },
	{ "a zero byte in an annotation hides nothing else", "containerd",
		"{\"annotations\":{\"author\":\"a\\u0000b\","
		"\"io.kubernetes.cri.sandbox-name\":\"p\\u0000q\","
		"\"io.kubernetes.cri.container-name\":\"c\"},"
		"\"process\":{\"capabilities\":{\"bounding\":[\"CAP_CHOWN\\u0000\",\"CAP_KILL\"]}}"
		"}",
		.expected = { .container = "c", .granted_known = true, .granted = 1 << 5 } },
	{ "nothing", "containerd", "{}" },
	{ "annotations of another kind", "containerd", "{\"annotations\":[7]}" },
	{ "values of another kind", "containerd",
		"{\"annotations\":{\"io.kubernetes.cri.sandbox-name\":7}}" },
	{ "a name that no runtime knows is not granted", "containerd",
		"{\"process\":{\"capabilities\":{\"bounding\":[\"CAP_CAP_NET_ADMIN\",\"CAP_CHOWN\","
		"7,\"NET_ADMIN\",\"CAP_63\",\"CAP_21\",\"CAP_\",\"\"]}}}",
		.expected = { .granted_known = true, .granted = 1 } },
	{ "a process without capabilities", "containerd", "{\"process\":{\"args\":[\"x\"]}}",
		.expected = { .granted_known = true } },
	{ "a process that is none", "containerd", "{\"process\":null}" },
	{ "an environment that looks like annotations", "containerd",
		"{\"process\":{\"env\":[\"annotations={\"],\"annotations\":"
		"{\"io.kubernetes.cri.sandbox-name\":\"other\"}}}",
		.expected = { .granted_known = true } },
};

static void each_runtime_s_words_are_known_and_no_more_is_believed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(written); i++) {
		struct bundle bundle;

		assert_int_equal(bundle_parse(written[i].text, strlen(written[i].text),
					 written[i].runtime, ID, !written[i].outside, &bundle),
			0);
		expect(written[i].what, &bundle, &written[i].expected);
		bundle_done(&bundle);
	}
}

static const char *const bad[] = {
	"",
	"7",
	"[]",
	"{\"annotations\":{\"a\":",
	"{\"annotations\":{\"a\"}}",
	"{\"process\":{\"capabilities\":{\"bounding\":[}}}}",
	"{\"annotations\":{\"a\":\"\\ud800\"}}",
};

static void what_is_no_bundle_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct bundle bundle;
		int r = bundle_parse(bad[i], strlen(bad[i]), "containerd", ID, true, &bundle);

		if (r == 0) {
			/* A document that is no object has none of the members. */
			expect(bad[i], &bundle, &(struct expected){ 0 });
			bundle_done(&bundle);
			assert_true(bad[i][0] == '7' || bad[i][0] == '[');
		} else if (r != -EBADMSG) {
			fail_msg("row %zu: %d", i, r);
		}
	}
}

static void a_bundle_fails_for_want_of_memory_and_not_otherwise(void **state)
{
	const char *text = written[0].text;

	(void)state;
	for (unsigned long n = 1;; n++) {
		struct bundle bundle = { 0 };
		bool fired;
		int r;

		fail_allocation_at(n);
		r = bundle_parse(text, strlen(text), "cri-o", ID, true, &bundle);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		if (!fired) {
			expect("at last", &bundle, &written[0].expected);
			bundle_done(&bundle);
			return;
		}
		if (r == 0) /* jansson 2.14 drops a character where its buffer does not grow */
			bundle_done(&bundle);
		else
			assert_true(r == -ENOMEM || r == -EBADMSG);
	}
}

/* ---- where bundles are ---- */

static char root[64];

static void make_file(const char *path, const char *text)
{
	char whole[512];
	FILE *to;

	(void)snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(whole, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	if (!text)
		return;
	to = fopen(whole, "w");
	assert_non_null(to);
	assert_true(fputs(text, to) >= 0);
	assert_int_equal(fclose(to), 0);
}

static int make_root(void **state)
{
	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/capauditd-bundles-XXXXXX");
	assert_non_null(mkdtemp(root));
	return chmod(root, 0755);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int remove_root(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define SMALL "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"%s\"},\"process\":{}}"

static struct container container_of(const char *id)
{
	return (struct container){ .id = (char *)id, .runtime = "containerd", .in_pod = true };
}

static int look_up(const char *const *folders, const char *id, char **ret_name)
{
	struct bundles *bundles = bundles_new(root, folders);
	const struct container container = container_of(id);
	struct bundle bundle;
	int r;

	assert_non_null(bundles);
	r = bundles_look_up(bundles, &container, &bundle);
	*ret_name = NULL;
	if (r == 0) {
		*ret_name = TAKE_PTR(bundle.container);
		bundle_done(&bundle);
	}
	bundles_free(bundles);
	return r;
}

/* Before and behind the id. */
static const struct {
	const char *before, *behind;
} places[] = {
	{ "/run/containerd/io.containerd.runtime.v2.task/k8s.io/", "/config.json" },
	{ "/run/containerd/io.containerd.runtime.v2.task/moby/", "/config.json" },
	{ "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/", "/config.json" },
	{ "/run/k0s/containerd/io.containerd.runtime.v2.task/k8s.io/", "/config.json" },
	{ "/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/k8s.io/",
		"/config.json" },
	{ "/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/", "/config.json" },
	{ "/run/containers/storage/overlay-containers/", "/userdata/config.json" },
	{ "/var/lib/containers/storage/overlay-containers/", "/userdata/config.json" },
};

static void every_runtime_s_bundle_is_found_by_its_id(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char id[32], path[256], text[256], *name;

		(void)snprintf(id, sizeof(id), "container%zu", i);
		(void)snprintf(
			path, sizeof(path), "%s%s%s", places[i].before, id, places[i].behind);
		(void)snprintf(text, sizeof(text), SMALL, id);
		make_file(path, text);
		assert_int_equal(look_up(NULL, id, &name), 0);
		if (!same(name, id))
			fail_msg("%s: %s", places[i].before, name);
		free(name);
		/* Removal renames it. */
		(void)snprintf(id, sizeof(id), ".container%zu", i);
		assert_int_equal(look_up(NULL, id, &name), -ENOENT);
	}
}

static void folders_that_were_asked_for_are_the_only_ones(void **state)
{
	static const char *const none[] = { NULL };
	static const char *const own[] = { "/tasks", NULL };
	static const char *const paths[] = { "/tasks/one/config.json",
		"/tasks/two/userdata/config.json", "/tasks/ns/three/config.json" };
	static const char *const ids[] = { "one", "two", "three" };
	char text[256], *name;

	(void)state;
	make_file("/run/containers/storage/overlay-containers/zero/userdata/config.json", "{}");
	assert_int_equal(look_up(none, "zero", &name), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		(void)snprintf(text, sizeof(text), SMALL, ids[i]);
		make_file(paths[i], text);
		assert_int_equal(look_up(own, ids[i], &name), 0);
		assert_string_equal(name, ids[i]);
		free(name);
	}
	assert_int_equal(look_up(own, "zero", &name), -ENOENT);
}

#define TASKS "/run/containerd/io.containerd.runtime.v2.task/k8s.io/"

static void what_is_no_plain_file_is_not_read(void **state)
{
	char path[256], secret[256], *name;

	(void)state;
	make_file("/secret/config.json", "{\"annotations\":{}}");
	(void)snprintf(secret, sizeof(secret), "%s/secret", root);

	make_file(TASKS "x", NULL);
	(void)snprintf(path, sizeof(path), "%s" TASKS "link", root);
	assert_int_equal(symlink(secret, path), 0);
	assert_int_equal(look_up(NULL, "link", &name), -ENOENT);

	make_file(TASKS "file-link/x", NULL);
	(void)snprintf(path, sizeof(path), "%s" TASKS "file-link/config.json", root);
	(void)strcat(secret, "/config.json");
	assert_int_equal(symlink(secret, path), 0);
	assert_int_equal(look_up(NULL, "file-link", &name), -EBADMSG);

	make_file(TASKS "fifo/x", NULL);
	(void)snprintf(path, sizeof(path), "%s" TASKS "fifo/config.json", root);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(look_up(NULL, "fifo", &name), -EBADMSG);

	make_file(TASKS "folder/config.json/x", NULL);
	assert_int_equal(look_up(NULL, "folder", &name), -EBADMSG);

	make_file(TASKS "empty/config.json", "");
	assert_int_equal(look_up(NULL, "empty", &name), -EBADMSG);

	make_file(TASKS "huge/config.json", "{}");
	(void)snprintf(path, sizeof(path), "%s" TASKS "huge/config.json", root);
	assert_int_equal(truncate(path, (off_t)BUNDLE_TEXT_MAX + 1), 0);
	assert_int_equal(look_up(NULL, "huge", &name), -EBADMSG);

	make_file(TASKS "broken/config.json", "{\"annotations\":{");
	assert_int_equal(look_up(NULL, "broken", &name), -EBADMSG);
}

static void an_id_cannot_lead_elsewhere(void **state)
{
	static const char *const ids[] = { "", ".", "..", ".hidden", "../k8s.io", "a/b", "nobody" };
	char *name;

	(void)state;
	make_file(TASKS ".hidden/config.json", "{}");
	make_file(TASKS "config.json", "{}");
	make_file(TASKS "a/b/config.json", "{}");
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(look_up(NULL, ids[i], &name), -ENOENT);
}

/* A pass that looks for many containers tries each folder once. */
static void a_folder_that_is_made_later_is_found_from_the_next_pass_on(void **state)
{
	const struct container container = container_of("late");
	_cleanup_(bundles_freep) struct bundles *bundles = NULL;
	const char *folders[] = { "/later", NULL };
	struct bundle bundle;

	(void)state;
	bundles = bundles_new(root, folders);
	assert_non_null(bundles);
	bundles_begin(bundles);
	assert_int_equal(bundles_look_up(bundles, &container, &bundle), -ENOENT);
	make_file("/later/late/config.json", "{}");
	assert_int_equal(bundles_look_up(bundles, &container, &bundle), -ENOENT);
	bundles_begin(bundles);
	assert_int_equal(bundles_look_up(bundles, &container, &bundle), 0);
	bundle_done(&bundle);
}

/* As root the test gives up its rights in a child. What it may not read then is looked up there,
 * with the folders that are named, or the runtimes' own; whether they are up before and after that,
 * as an exit status. */
static int up_without_rights(const char *const *folders, const char *refusing)
{
	const struct container container = container_of("mine");
	struct bundles *bundles = bundles_new(root, folders);
	struct bundle bundle;
	const char *refused;
	int up;

	if (!bundles || (geteuid() == 0 && setuid(65534) < 0))
		return 10;
	if (geteuid() != 65534)
		return 77; /* an ordinary user owns the folder */
	if (bundles_up(bundles) != 1 || bundles_refused(bundles) ||
		bundles_look_up(bundles, &container, &bundle) != -EACCES)
		return 11;
	refused = bundles_refused(bundles);
	if (!refused || strcmp(refused, refusing) != 0)
		return 12;
	up = bundles_up(bundles);
	bundles_free(bundles);
	return up == -ENOENT ? 2 : up;
}

static int status_without_rights(const char *const *folders, const char *refusing)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(up_without_rights(folders, refusing));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void who_may_not_read_is_told_which_folder_and_it_is_no_failure_unless_it_was_asked_for(
	void **state)
{
	static const char *const named[] = { "/run/containerd/io.containerd.runtime.v2.task",
		NULL };
	char path[256];
	int by_default, asked_for;

	(void)state;
	make_file(TASKS "mine/config.json", "{}");
	(void)snprintf(path, sizeof(path), "%s%s", root, named[0]);
	assert_int_equal(chmod(path, 0700), 0);
	by_default = status_without_rights(NULL, path);
	asked_for = status_without_rights(named, path);
	assert_int_equal(chmod(path, 0755), 0);
	if (by_default == 77)
		skip();
	assert_int_equal(by_default, 2);
	assert_int_equal(asked_for, 0);
}

static void folders_are_up_until_one_refuses_and_again_once_it_does_not(void **state)
{
	const struct container container = container_of("closed");
	_cleanup_(bundles_freep) struct bundles *bundles = NULL, *none = NULL;
	const char *folders[] = { "/gate", NULL }, *nothing[] = { NULL };
	struct bundle bundle;
	char path[256];

	(void)state;
	bundles = bundles_new(root, folders);
	none = bundles_new(root, nothing);
	assert_non_null(bundles);
	assert_non_null(none);
	assert_int_equal(bundles_up(none), -ENOENT);
	make_file("/gate/closed/config.json", "{}");
	(void)snprintf(path, sizeof(path), "%s/gate", root);
	if (geteuid() == 0) {
		/* Root is refused nothing here; who is not root is in the other test. */
		assert_int_equal(bundles_look_up(bundles, &container, &bundle), 0);
		bundle_done(&bundle);
		assert_int_equal(bundles_up(bundles), 1);
		return;
	}
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(bundles_look_up(bundles, &container, &bundle), -EACCES);
	assert_int_equal(bundles_up(bundles), 0);
	assert_int_equal(chmod(path, 0755), 0);
	bundles_begin(bundles);
	assert_int_equal(bundles_look_up(bundles, &container, &bundle), 0);
	bundle_done(&bundle);
	assert_int_equal(bundles_up(bundles), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_bundles_say_who_it_is_and_what_was_granted),
		cmocka_unit_test(each_runtime_s_words_are_known_and_no_more_is_believed),
		cmocka_unit_test(what_is_no_bundle_is_refused),
		cmocka_unit_test(a_bundle_fails_for_want_of_memory_and_not_otherwise),
		cmocka_unit_test(every_runtime_s_bundle_is_found_by_its_id),
		cmocka_unit_test(folders_that_were_asked_for_are_the_only_ones),
		cmocka_unit_test(what_is_no_plain_file_is_not_read),
		cmocka_unit_test(an_id_cannot_lead_elsewhere),
		cmocka_unit_test(a_folder_that_is_made_later_is_found_from_the_next_pass_on),
		cmocka_unit_test(
			who_may_not_read_is_told_which_folder_and_it_is_no_failure_unless_it_was_asked_for),
		cmocka_unit_test(folders_are_up_until_one_refuses_and_again_once_it_does_not),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
