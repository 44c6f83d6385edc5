/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the sources say of containers: log directories laid out in a temporary root, and the API.
 * Bundles are test_bundle.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "identify_fixture.h"

#include <capauditd/cluster.h>

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

/* A root with the kubelet's log directories. */
static char root[] = "/tmp/capauditd-logs-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void make_folder(const char *path)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	assert_int_equal(mkdir(full, 0755), 0);
}

static int set_root(void **state)
{
	(void)state;
	memcpy(root + strlen(root) - 6, "XXXXXX", 6);
	assert_non_null(mkdtemp(root));
	make_folder("/var");
	make_folder("/var/log");
	make_folder("/var/log/containers");
	make_folder("/var/log/pods");
	return 0;
}

static int clear_root(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_link(const char *container, const char *id, const char *uid)
{
	char path[1024], target[1024];

	(void)snprintf(path, sizeof(path), "%s/var/log/containers/cart-7d4f_shop_%s-%s.log", root,
		container, id);
	(void)snprintf(
		target, sizeof(target), "/var/log/pods/shop_cart-7d4f_%s/%s/0.log", uid, container);
	assert_int_equal(symlink(target, path), 0);
}

static void log_directories_name_containers_and_tell_the_sandbox(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) }, { 20, 1, POD(ID_B) } };
	struct registry *r = registry_new(root);
	struct snapshot s = make(made, 2);
	const struct container *sandbox, *web;

	(void)state;
	make_folder("/var/log/pods/shop_cart-7d4f_" UID);
	make_link("web", ID_B, UID);
	identify(r, &s, NULL);
	web = container_of(r, &s, 20);
	assert_string_equal(web->name, "web");
	assert_string_equal(web->pod.namespace_name, "shop");
	assert_string_equal(web->pod.name, "cart-7d4f");
	assert_int_equal(web->type, CONTAINER_UNKNOWN);
	sandbox = container_of(r, &s, 10);
	assert_null(sandbox->name);
	assert_string_equal(sandbox->pod.name, "cart-7d4f");
	assert_int_equal(sandbox->type, CONTAINER_SANDBOX);
	snapshot_done(&s);
	registry_free(r);
}

static void who_comes_later_without_a_log_is_no_sandbox(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) }, { 20, 1, POD(ID_B) } };
	struct registry *r = registry_new(root);
	struct snapshot s = make(made, 2);

	(void)state;
	make_folder("/var/log/pods/shop_cart-7d4f_" UID);
	make_link("web", ID_A, UID); /* the earlier one has a log */
	identify(r, &s, NULL);
	assert_int_equal(container_of(r, &s, 20)->type, CONTAINER_UNKNOWN);
	snapshot_done(&s);
	registry_free(r);
}

static void a_link_that_names_another_pod_is_not_believed(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) } };
	struct registry *r = registry_new(root);
	struct snapshot s = make(made, 1);

	(void)state;
	make_link("web", ID_A, "99999999-2222-3333-4444-555555555555");
	identify(r, &s, NULL);
	assert_null(container_of(r, &s, 10)->name);
	snapshot_done(&s);
	registry_free(r);
}

static void a_name_that_comes_later_is_taken(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) } };
	struct registry *r = registry_new(root);
	struct snapshot one = make(made, 1), two = make(made, 1);

	(void)state;
	identify(r, &one, NULL);
	assert_null(container_of(r, &one, 10)->name);
	make_link("web", ID_A, UID);
	identify(r, &two, &one);
	assert_string_equal(container_of(r, &two, 10)->name, "web");
	snapshot_done(&one);
	snapshot_done(&two);
	registry_free(r);
}

static unsigned complaints;

static void count_complaint(void *data, const char *sentence)
{
	(void)data;
	(void)sentence;
	complaints++;
}

static void a_source_that_cannot_be_read_is_said_once(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) } };
	struct registry *r = registry_new("/nonexistent");
	struct snapshot s = make(made, 1);

	(void)state;
	complaints = 0;
	identify(r, &s, NULL);
	registry_complain(r, count_complaint, NULL);
	registry_complain(r, count_complaint, NULL);
	assert_int_equal(complaints, 1);
	snapshot_done(&s);
	registry_free(r);
}

/* ---- the API ---- */

#define HASH	       "0a77940c6dfc1730d60de34c7cbd2995"
#define STATIC_POD(id) "0::/kubepods/burstable/pod" HASH "/" id "\n"
#define MIRROR                                                                  \
	"\"annotations\":{\"kubernetes.io/config.hash\":\"" HASH                \
	"\",\"kubernetes.io/config.mirror\":\"" HASH "\"},\"ownerReferences\":" \
	"[{\"kind\":\"Node\",\"name\":\"n1\",\"controller\":true}]"
#define OWNED \
	"\"ownerReferences\":[{\"kind\":\"DaemonSet\",\"name\":\"carts\",\"controller\":true}]"

static void put(struct cluster *cluster, const char *uid, const char *namespace_name,
	const char *name, const char *rest)
{
	_cleanup_free_ char *text = NULL;
	struct pod_record *record = NULL;

	assert_true(
		asprintf(&text,
			"{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"%s\"%s%s},"
			"\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"img\"}]}}",
			name, namespace_name, uid, *rest ? "," : "", rest) > 0);
	assert_int_equal(pod_record_parse(text, strlen(text), &record), 0);
	assert_int_equal(cluster_put_pod_take(cluster, record), 0);
}

static void assert_pod(const struct registry *r, const struct snapshot *s,
	const char *namespace_name, const char *name, const char *owner)
{
	const struct container *c = container_of((struct registry *)r, s, 10);

	assert_string_equal(c->pod.namespace_name, namespace_name);
	assert_string_equal(c->pod.name, name);
	if (owner)
		assert_string_equal(c->pod.owner, owner);
	else
		assert_null(c->pod.owner);
}

static void the_api_has_the_last_word_and_what_was_known_stays(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) } };
	_cleanup_(cluster_freep) struct cluster *cluster = cluster_new();
	struct registry *r = registry_new(root);
	struct snapshot s = make(made, 1);

	(void)state;
	registry_use(r, NULL, cluster);
	make_link("web", ID_A, UID);
	identify(r, &s, NULL);
	assert_pod(r, &s, "shop", "cart-7d4f", NULL);
	put(cluster, UID, "store", "cart-9999", OWNED);
	assert_int_equal(registry_refresh(r), 0);
	assert_pod(r, &s, "store", "cart-9999", "DaemonSet/carts");
	assert_string_equal(container_of(r, &s, 10)->image, "img");
	cluster_remove_pod(cluster, UID);
	assert_int_equal(registry_refresh(r), 0);
	assert_pod(r, &s, "store", "cart-9999", "DaemonSet/carts");
	snapshot_done(&s);
	registry_free(r);
}

static void an_owner_that_is_gone_is_forgotten(void **state)
{
	const struct made made[] = { { 10, 1, POD(ID_A) } };
	_cleanup_(cluster_freep) struct cluster *cluster = cluster_new();
	struct registry *r = registry_new(root);
	struct snapshot s = make(made, 1);
	uint64_t version;

	(void)state;
	registry_use(r, NULL, cluster);
	put(cluster, UID, "store", "cart", OWNED);
	identify(r, &s, NULL);
	assert_pod(r, &s, "store", "cart", "DaemonSet/carts");
	put(cluster, UID, "store", "cart", "");
	version = registry_at(r, 0)->version;
	assert_int_equal(registry_refresh(r), 0);
	assert_pod(r, &s, "store", "cart", NULL);
	assert_true(registry_at(r, 0)->version > version);
	snapshot_done(&s);
	registry_free(r);
}

/* The mirror's annotations are anybody's who may create pods; the kubelet's folder on the node is
 * not. */
static void a_forged_mirror_does_not_take_a_static_pods_place(void **state)
{
	const struct made made[] = { { 10, 1, STATIC_POD(ID_A) } };
	_cleanup_(cluster_freep) struct cluster *cluster = cluster_new();
	struct registry *r = registry_new(root);
	struct snapshot s = make(made, 1);

	(void)state;
	registry_use(r, NULL, cluster);
	make_link("web", ID_A, HASH);
	put(cluster, "u-forged", "evil", "mine", MIRROR);
	identify(r, &s, NULL);
	assert_pod(r, &s, "shop", "cart-7d4f", NULL);
	cluster_remove_pod(cluster, "u-forged");
	put(cluster, "u-true", "shop", "cart-7d4f", MIRROR);
	assert_int_equal(registry_refresh(r), 0);
	assert_pod(r, &s, "shop", "cart-7d4f", "Node/n1");
	assert_true(container_of(r, &s, 10)->pod.is_static);
	/* Also not once the true one has been believed, and is gone for a moment. */
	cluster_remove_pod(cluster, "u-true");
	put(cluster, "u-forged", "evil", "mine", MIRROR);
	assert_int_equal(registry_refresh(r), 0);
	assert_pod(r, &s, "shop", "cart-7d4f", "Node/n1");
	snapshot_done(&s);
	registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			log_directories_name_containers_and_tell_the_sandbox, set_root, clear_root),
		cmocka_unit_test_setup_teardown(
			who_comes_later_without_a_log_is_no_sandbox, set_root, clear_root),
		cmocka_unit_test_setup_teardown(
			a_link_that_names_another_pod_is_not_believed, set_root, clear_root),
		cmocka_unit_test_setup_teardown(
			a_name_that_comes_later_is_taken, set_root, clear_root),
		cmocka_unit_test_setup_teardown(
			the_api_has_the_last_word_and_what_was_known_stays, set_root, clear_root),
		cmocka_unit_test_setup_teardown(
			an_owner_that_is_gone_is_forgotten, set_root, clear_root),
		cmocka_unit_test_setup_teardown(
			a_forged_mirror_does_not_take_a_static_pods_place, set_root, clear_root),
		cmocka_unit_test(a_source_that_cannot_be_read_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
