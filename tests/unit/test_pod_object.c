/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pods and namespaces as a real API server tells of them, and as somebody would write them who
 * wants to be taken for another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/cluster.h>
#include <capauditd/command.h>
#include <capauditd/json_text.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/fail_allocation.h"

#define BIT(name) CAPABILITY_BIT(CAPABILITY_##name)

/* What a row does not mention is 0, on purpose. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define PODS_MAX 32

static struct pod_record *pods[PODS_MAX];
static size_t pod_count;

static int take_pod(void *data, const char *text, size_t length)
{
	(void)data;
	assert_true(pod_count < PODS_MAX);
	return pod_record_parse(text, length, &pods[pod_count++]);
}

static int read_recorded(void **state)
{
	struct json_splitter *splitter = json_splitter_new(JSON_SPLIT_LIST, 1024 * 1024);
	char *text;
	size_t length;

	(void)state;
	assert_non_null(splitter);
	assert_int_equal(
		read_whole_file("tests/data/api/pods-list.json", 1024 * 1024, &text, &length), 0);
	assert_int_equal(json_splitter_feed(splitter, text, length, take_pod, NULL), 0);
	assert_int_equal(json_splitter_end(splitter, take_pod, NULL), 0);
	json_splitter_free(splitter);
	free(text);
	return 0;
}

static int forget_recorded(void **state)
{
	(void)state;
	while (pod_count)
		pod_record_unref(pods[--pod_count]);
	return 0;
}

static const struct pod_record *recorded(const char *name)
{
	for (size_t i = 0; i < pod_count; i++)
		if (strcmp(pods[i]->name, name) == 0)
			return pods[i];
	fail_msg("no pod %s", name);
	return NULL;
}

/* What tests/data/api/README says of the recorded pods, by looking at them. */
static const struct recorded_row {
	const char *pod, *container;
	enum container_type type;
	struct declaration declared;
} recorded_rows[] = {
	{ "a-restricted", "main", CONTAINER_REGULAR,
		{ .add = BIT(NET_BIND_SERVICE), .drop_all = true } },
	{ "a-restricted", "dbg-restricted", CONTAINER_EPHEMERAL, { .drop_all = true } },
	{ "b-default", "main", CONTAINER_REGULAR, { 0 } },
	{ "c-privileged", "main", CONTAINER_REGULAR, { .privileged = true } },
	{ "d-init", "setup", CONTAINER_INIT, { .add = BIT(SYS_ADMIN) } },
	{ "d-init", "main", CONTAINER_REGULAR, { .drop_all = true } },
	{ "e-target", "dbg-general", CONTAINER_EPHEMERAL, { .add = BIT(SYS_PTRACE) } },
	{ "e-target", "dbg-sysadmin", CONTAINER_EPHEMERAL, { .privileged = true } },
	{ "g-static-vm", "main", CONTAINER_REGULAR, { 0 } },
	{ "h-sidecar", "sidecar", CONTAINER_SIDECAR, { .add = BIT(NET_ADMIN) } },
	{ "h-sidecar", "one", CONTAINER_REGULAR, { .add = BIT(SYS_PTRACE) | BIT(NET_RAW) } },
	{ "h-sidecar", "two", CONTAINER_REGULAR, { .add_all = true } },
	{ "h-nolabel-sysadmin", "main", CONTAINER_REGULAR,
		{ .add = BIT(SYS_ADMIN) | BIT(NET_ADMIN), .prefixed = BIT(NET_ADMIN) } },
};

static void recorded_pods_say_what_was_declared(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(recorded_rows); i++) {
		const struct recorded_row *row = &recorded_rows[i];
		const struct pod_container *c =
			pod_record_find(recorded(row->pod), NULL, row->container);
		struct declaration declared = row->declared;

		declared.known = true;
		assert_non_null(c);
		if (c->type != row->type || !declaration_equal(&c->declared, &declared))
			fail_msg("%s/%s: type %s, add 0x%llx", row->pod, row->container,
				container_type_name(c->type), (unsigned long long)c->declared.add);
		assert_non_null(c->image);
	}
}

static void recorded_containers_are_found_by_the_runtime_s_id(void **state)
{
	const struct pod_record *pod = recorded("a-restricted");
	const struct pod_container *c = pod_record_find(
		pod, "2a5913c42fed8bfabc4b44215ee3cb3c1bcc32506dade69b7d0adbf6d64a303b", NULL);

	(void)state;
	assert_non_null(c);
	assert_string_equal(c->name, "main");
	assert_string_equal(pod->uid, "07e3d1fa-3f23-4138-ad59-61b1ea842df0");
	/* The id goes before a name that says otherwise. */
	assert_ptr_equal(pod_record_find(pod, c->id, "dbg-restricted"), c);
	assert_null(pod_record_find(pod, "2a5913c42fed", NULL));
	assert_true(pod_record_all_ids_known(pod));
}

static void recorded_owners_and_classes_are_known(void **state)
{
	(void)state;
	assert_string_equal(recorded("h-deploy-6c4566dfff-pwp7w")->owner, "Deployment/h-deploy");
	assert_string_equal(recorded("g-static-vm")->owner, "Node/vm");
	assert_string_equal(
		recorded("g-static-vm")->config_hash, "0a77940c6dfc1730d60de34c7cbd2995");
	assert_null(recorded("b-default")->owner);
	assert_string_equal(recorded("b-default")->config_hash, "");
	assert_int_equal(recorded("f-guaranteed")->qos, QOS_GUARANTEED);
	assert_int_equal(recorded("f-burstable")->qos, QOS_BURSTABLE);
	assert_int_equal(recorded("f-besteffort")->qos, QOS_BEST_EFFORT);
}

#define METADATA \
	"\"name\":\"p\",\"namespace\":\"n\",\"uid\":\"11111111-2222-3333-4444-555555555555\""

static int parse(const char *text, struct pod_record **ret)
{
	return pod_record_parse(text, strlen(text), ret);
}

static const struct owner_row {
	const char *metadata; /* behind the names */
	const char *owner;    /* NULL: nobody */
} owner_rows[] = {
	{ "", NULL },
	{ ",\"ownerReferences\":null", NULL },
	{ ",\"ownerReferences\":[]", NULL },
	{ ",\"ownerReferences\":[{\"kind\":\"StatefulSet\",\"name\":\"db\",\"controller\":true}]",
		"StatefulSet/db" },
	/* An owner that does not control it (a garbage collector's) is not whose template it is. */
	{ ",\"ownerReferences\":[{\"kind\":\"ConfigMap\",\"name\":\"c\"},"
	  "{\"kind\":\"DaemonSet\",\"name\":\"d\",\"controller\":true}]",
		"DaemonSet/d" },
	{ ",\"ownerReferences\":[{\"kind\":\"ConfigMap\",\"name\":\"c\",\"controller\":false}]",
		NULL },
	{ ",\"ownerReferences\":[{\"kind\":\"ReplicaSet\",\"name\":\"web-abc\",\"controller\":true}"
	  "]",
		"ReplicaSet/web-abc" },
	{ ",\"labels\":{\"pod-template-hash\":\"abc\"},\"ownerReferences\":"
	  "[{\"kind\":\"ReplicaSet\",\"name\":\"web-abc\",\"controller\":true}]",
		"Deployment/web" },
	{ ",\"labels\":{\"pod-template-hash\":\"bc\"},\"ownerReferences\":"
	  "[{\"kind\":\"ReplicaSet\",\"name\":\"web-abc\",\"controller\":true}]",
		"ReplicaSet/web-abc" },
	{ ",\"labels\":{\"pod-template-hash\":\"\"},\"ownerReferences\":"
	  "[{\"kind\":\"ReplicaSet\",\"name\":\"web-\",\"controller\":true}]",
		"ReplicaSet/web-" },
	{ ",\"labels\":{\"pod-template-hash\":\"abc\"},\"ownerReferences\":"
	  "[{\"kind\":\"ReplicaSet\",\"name\":\"-abc\",\"controller\":true}]",
		"ReplicaSet/-abc" },
	{ ",\"ownerReferences\":[{\"kind\":\"Job\",\"name\":\"backup-29876543\",\"controller\":"
	  "true}]",
		"CronJob/backup" },
	{ ",\"ownerReferences\":[{\"kind\":\"Job\",\"name\":\"backup-1617000000\","
	  "\"controller\":true}]",
		"CronJob/backup" },
	{ ",\"ownerReferences\":[{\"kind\":\"Job\",\"name\":\"backup-2987654\",\"controller\":true}"
	  "]",
		"Job/backup-2987654" },
	{ ",\"ownerReferences\":[{\"kind\":\"Job\",\"name\":\"29876543\",\"controller\":true}]",
		"Job/29876543" },
	{ ",\"ownerReferences\":[{\"kind\":\"Job\",\"name\":\"backup-2987654x\",\"controller\":"
	  "true}]",
		"Job/backup-2987654x" },
	{ ",\"ownerReferences\":[{\"kind\":\"\",\"name\":\"x\",\"controller\":true}]", NULL },
	{ ",\"ownerReferences\":[{\"kind\":\"Rollout\",\"name\":\"web\",\"controller\":true}]",
		"Rollout/web" },
};

static void the_owner_is_what_a_person_would_change(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(owner_rows); i++) {
		struct pod_record *pod;
		char text[512];

		(void)snprintf(text, sizeof(text), "{\"metadata\":{" METADATA "%s}}",
			owner_rows[i].metadata);
		assert_int_equal(parse(text, &pod), 0);
		if (!pod->owner != !owner_rows[i].owner ||
			(pod->owner && strcmp(pod->owner, owner_rows[i].owner) != 0))
			fail_msg("row %zu: %s", i, pod->owner ? pod->owner : "nobody");
		pod_record_unref(pod);
	}
}

#define HASH "0a77940c6dfc1730d60de34c7cbd2995"
#define NODE "\"ownerReferences\":[{\"kind\":\"Node\",\"name\":\"n1\",\"controller\":true}]"

static const char *const forged_hashes[] = {
	("\"annotations\":{\"kubernetes.io/config.hash\":\"" HASH "\"}," NODE),
	("\"annotations\":{\"kubernetes.io/config.hash\":\"" HASH
	 "\",\"kubernetes.io/config.mirror\":\"" HASH "\"}"),
	("\"annotations\":{\"kubernetes.io/config.hash\":\"" HASH
	 "\",\"kubernetes.io/config.mirror\":\"x\"}," NODE),
	("\"annotations\":{\"kubernetes.io/config.hash\":\"short\","
	 "\"kubernetes.io/config.mirror\":\"short\"}," NODE),
	("\"annotations\":{\"kubernetes.io/config.hash\":7,"
	 "\"kubernetes.io/config.mirror\":7}," NODE),
};

static void a_hash_is_believed_of_a_mirror_pod_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forged_hashes); i++) {
		struct pod_record *pod;
		char text[512];

		(void)snprintf(
			text, sizeof(text), "{\"metadata\":{" METADATA ",%s}}", forged_hashes[i]);
		assert_int_equal(parse(text, &pod), 0);
		assert_string_equal(pod->config_hash, "");
		pod_record_unref(pod);
	}
}

static const struct spec_row {
	const char *context; /* securityContext of the one container */
	struct declaration declared;
} spec_rows[] = {
	{ "null", { 0 } },
	{ "{\"capabilities\":null}", { 0 } },
	{ "{\"privileged\":false,\"capabilities\":{\"add\":null,\"drop\":[\"all\"]}}",
		{ .drop_all = true } },
	{ "{\"capabilities\":{\"add\":[\"All\"],\"drop\":[\"aLL\"]}}",
		{ .add_all = true, .drop_all = true } },
	{ "{\"capabilities\":{\"add\":[\"net_admin\",\"CAP_SYS_TIME\",\"cap_chown\"]}}",
		{ .add = BIT(NET_ADMIN) | BIT(SYS_TIME) | BIT(CHOWN),
			.prefixed = BIT(SYS_TIME) | BIT(CHOWN) } },
	{ "{\"capabilities\":{\"add\":[\"NOBODY_KNOWS\",\"KILL\"]}}",
		{ .add = BIT(KILL), .unknown = true } },
	{ "{\"capabilities\":{\"add\":[\"KILL\",7,null]}}", { .add = BIT(KILL), .unknown = true } },
	{ "{\"capabilities\":{\"drop\":[\"NET_RAWW\"]}}", { .unknown = true } },
	/* A number is no name: neither 21, SYS_ADMIN's, nor one that no kernel has. */
	{ "{\"capabilities\":{\"add\":[\"CAP_21\"]}}", { .unknown = true } },
	{ "{\"capabilities\":{\"add\":[\"21\"]}}", { .unknown = true } },
	{ "{\"capabilities\":{\"add\":[\"CAP_63\",\"CAP_64\"]}}", { .unknown = true } },
	{ "{\"capabilities\":{\"add\":[\"0x200000\"]}}", { .unknown = true } },
	{ "{\"privileged\":\"yes\"}", { 0 } },
	{ "[]", { 0 } },
};

static void declarations_are_read_as_they_are_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spec_rows); i++) {
		struct declaration declared = spec_rows[i].declared;
		struct pod_record *pod;
		char text[512];

		declared.known = true;
		(void)snprintf(text, sizeof(text),
			"{\"metadata\":{" METADATA "},\"spec\":{\"containers\":[{\"name\":\"c\","
			"\"securityContext\":%s}]}}",
			spec_rows[i].context);
		assert_int_equal(parse(text, &pod), 0);
		assert_int_equal(pod->container_count, 1);
		if (!declaration_equal(&pod->containers[0].declared, &declared))
			fail_msg("row %zu", i);
		assert_null(pod->containers[0].id);
		assert_false(pod_record_all_ids_known(pod));
		pod_record_unref(pod);
	}
}

/* An author who would hide his pod. */
static const char *const odd_pods[] = {
	"{\"metadata\":{" METADATA ",\"annotations\":{\"a\":\"\\u0000\",\"b\":\"x\\u0000y\"}},"
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"securityContext\":{\"capabilities\":{\"add\":"
	"[\"KILL\",\"CHOWN\\u0000\"]}}}]}}",
	"{\"metadata\":{" METADATA
	"},\"spec\":{\"containers\":[{\"name\":\"c\",\"args\":[\"\\u0000\"],"
	"\"securityContext\":{\"capabilities\":{\"add\":[\"KILL\"]}}}]}}",
};

static void a_zero_byte_hides_no_pod(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd_pods); i++) {
		struct pod_record *pod;

		assert_int_equal(parse(odd_pods[i], &pod), 0);
		assert_int_equal(pod->container_count, 1);
		assert_true(pod->containers[0].declared.add == BIT(KILL));
		pod_record_unref(pod);
	}
}

static const char *const bad_pods[] = {
	"",
	"[]",
	"7",
	"{}",
	"{\"metadata\":7}",
	"{\"metadata\":{}}",
	"{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\"}}",
	"{\"metadata\":{\"name\":\"\",\"namespace\":\"n\",\"uid\":\"u\"}}",
	"{\"metadata\":{\"name\":7,\"namespace\":\"n\",\"uid\":\"u\"}}",
	"{\"metadata\":{\"name\":\"p\",\"uid\":\"u\"}}",
	"{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\",\"uid\":"
	"\"a-uid-that-is-longer-than-any-that-a-kubelet-makes\"}}",
	"{\"metadata\":{" METADATA ",\"labels\":[]}}",
	"{\"metadata\":{" METADATA ",\"labels\":{\"a\":7}}}",
	"{\"metadata\":{" METADATA "},\"spec\":{\"containers\":{}}}",
	"{\"metadata\":{" METADATA "},\"spec\":{\"containers\":[{}]}}",
	"{\"metadata\":{" METADATA "},\"spec\":{\"containers\":[7]}}",
	"{\"metadata\":{" METADATA "},\"spec\":{\"containers\":[{\"name\":\"c\"}",
};

static void what_is_no_pod_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_pods); i++) {
		struct pod_record *pod = NULL;
		int r = parse(bad_pods[i], &pod);

		if (r != -EBADMSG)
			fail_msg("row %zu: %d", i, r);
		assert_null(pod);
	}
}

static void a_pod_has_a_bounded_number_of_containers_and_labels(void **state)
{
	struct pod_record *pod;
	size_t size = 256u * 1024u;
	char *text = malloc(size);
	FILE *to;

	(void)state;
	assert_non_null(text);
	to = fmemopen(text, size, "w");
	assert_non_null(to);
	(void)fprintf(to, "{\"metadata\":{" METADATA ",\"labels\":{\"l\":\"\"");
	for (unsigned i = 0; i < RECORD_LABELS_MAX + 10; i++)
		(void)fprintf(to, ",\"l%u\":\"v\"", i);
	(void)fprintf(to, "}},\"spec\":{\"containers\":[{\"name\":\"c\"}");
	for (unsigned i = 0; i < POD_CONTAINERS_MAX + 10; i++)
		(void)fprintf(to, ",{\"name\":\"c%u\"}", i);
	(void)fprintf(to, "]}}");
	assert_int_equal(fclose(to), 0);
	assert_int_equal(parse(text, &pod), 0);
	assert_int_equal(pod->container_count, POD_CONTAINERS_MAX);
	assert_int_equal(pod->label_count, RECORD_LABELS_MAX);
	pod_record_unref(pod);
	free(text);
}

static void a_namespace_is_its_name_and_its_labels(void **state)
{
	static const char text[] =
		"{\"kind\":\"PartialObjectMetadata\",\"metadata\":{\"name\":\"shop\",\"labels\":"
		"{\"z\":\"1\",\"a\":\"2\"}}}";
	static const char *const bad[] = { "", "{}", "{\"metadata\":{\"name\":\"\"}}",
		"{\"metadata\":{\"name\":\"x\",\"labels\":\"y\"}}" };
	struct namespace_record *record;

	(void)state;
	assert_int_equal(namespace_record_parse(text, strlen(text), &record), 0);
	assert_string_equal(record->name, "shop");
	assert_int_equal(record->label_count, 2);
	assert_string_equal(record->labels[0].key, "a");
	assert_string_equal(record->labels[1].value, "1");
	namespace_record_unref(record);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(namespace_record_parse(bad[i], strlen(bad[i]), &record), -EBADMSG);
}

static const char whole_pod[] =
	"{\"metadata\":{" METADATA ",\"labels\":{\"pod-template-hash\":\"abc\",\"app\":\"web\"},"
	"\"annotations\":{\"a\":\"b\"},\"ownerReferences\":[{\"kind\":\"ReplicaSet\",\"name\":"
	"\"web-abc\",\"controller\":true}]},\"spec\":{\"initContainers\":[{\"name\":\"i\","
	"\"image\":"
	"\"x\"}],\"containers\":[{\"name\":\"c\",\"image\":\"y\",\"securityContext\":{"
	"\"capabilities\":"
	"{\"add\":[\"CHOWN\"]}}}]},\"status\":{\"qosClass\":\"Burstable\",\"containerStatuses\":"
	"[{\"name\":\"c\",\"containerID\":\"containerd://abc\"}]}}";

static void a_pod_fails_for_want_of_memory_and_not_otherwise(void **state)
{
	(void)state;
	for (unsigned long n = 1;; n++) {
		struct pod_record *pod = NULL;
		bool fired;
		int r;

		fail_allocation_at(n);
		r = parse(whole_pod, &pod);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		if (!fired) {
			assert_int_equal(r, 0);
			pod_record_unref(pod);
			return;
		}
		/* asprintf(3) goes without giving back what it has too much of; and jansson 2.14
		 * drops a character where its buffer does not grow, without a word. */
		if (r == 0) {
			assert_int_equal(pod->label_count, 2);
			assert_int_equal(pod->container_count, 2);
			pod_record_unref(pod);
			continue;
		}
		/* jansson does not say of every failure that it is one of memory. */
		if (r != -ENOMEM && r != -EBADMSG)
			fail_msg("allocation %lu: %d", n, r);
		assert_null(pod);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_pods_say_what_was_declared),
		cmocka_unit_test(recorded_containers_are_found_by_the_runtime_s_id),
		cmocka_unit_test(recorded_owners_and_classes_are_known),
		cmocka_unit_test(the_owner_is_what_a_person_would_change),
		cmocka_unit_test(a_hash_is_believed_of_a_mirror_pod_alone),
		cmocka_unit_test(declarations_are_read_as_they_are_written),
		cmocka_unit_test(a_zero_byte_hides_no_pod),
		cmocka_unit_test(what_is_no_pod_is_refused),
		cmocka_unit_test(a_pod_has_a_bounded_number_of_containers_and_labels),
		cmocka_unit_test(a_namespace_is_its_name_and_its_labels),
		cmocka_unit_test(a_pod_fails_for_want_of_memory_and_not_otherwise),
	};

	return cmocka_run_group_tests(tests, read_recorded, forget_recorded);
}
