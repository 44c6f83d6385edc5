/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pods whose author wants to be taken for another, or not to be read at all: the API server takes
 * any text in an image, a capability's name, an annotation or an owner reference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/cluster.h>
#include <capauditd/pod_security.h>

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/fail_allocation.h"

#define BIT(name) CAPABILITY_BIT(CAPABILITY_##name)
#define UID	  "11111111-2222-3333-4444-555555555555"
#define METADATA  "\"name\":\"p\",\"namespace\":\"n\",\"uid\":\"" UID "\""
#define HASH	  "0a77940c6dfc1730d60de34c7cbd2995"

static struct pod_record *parse(const char *start, const char *insert, const char *end)
{
	struct pod_record *pod = NULL;
	_cleanup_free_ char *text = NULL;
	int r;

	assert_true(asprintf(&text, "{\"metadata\":{" METADATA "%s%s%s}", start, insert, end) > 0);
	r = pod_record_parse(text, strlen(text), &pod);
	if (r != 0)
		fail_msg("%s: %d", text, r);
	return pod;
}

static struct pod_record *parse_metadata(const char *insert)
{
	return parse(",", insert, "}");
}

static struct pod_record *parse_container(const char *insert)
{
	return parse("},\"spec\":{\"containers\":[{\"name\":\"c\",", insert, "}]}");
}

/* In members that are not needed: whatever they are, they cost the record nothing. */
static const char *const unread[] = {
	"\"env\":[{\"name\":\"A\",\"value\":\"\\u0000\"}]",
	"\"env\":[{\"name\":\"A\",\"value\":\"\\ud800\"}]",
	"\"env\":[{\"name\":\"A\",\"value\":\"\xff\xfe\"}]",
	"\"args\":[\"\\u0000\",\"\x7f\"]",
	"\"resources\":{\"limits\":{\"cpu\":99999999999999999999999999999999}}",
	"\"securityContext\":{\"runAsUser\":1e999}",
	"\"securityContext\":{\"seLinuxOptions\":{\"level\":\"\\u0000\"}}",
};

static void what_is_not_needed_cannot_make_a_pod_unreadable(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unread); i++) {
		struct pod_record *pod = parse_container(unread[i]);

		assert_int_equal(pod->container_count, 1);
		assert_string_equal(pod->containers[0].name, "c");
		pod_record_unref(pod);
	}
}

static void a_nul_in_a_text_does_not_make_it_another_text(void **state)
{
	struct pod_record *pod = parse_container(
		"\"image\":\"trusted\\u0000evil\",\"securityContext\":{\"capabilities\":"
		"{\"add\":[\"CHOWN\\u0000\",\"ALL\\u0000\",\"KILL\"],\"drop\":[\"all\\u0000\"]}}");

	(void)state;
	assert_null(pod->containers[0].image);
	assert_true(pod->containers[0].declared.add == BIT(KILL));
	assert_false(pod->containers[0].declared.add_all);
	assert_false(pod->containers[0].declared.drop_all);
	pod_record_unref(pod);
}

static const struct {
	const char *names; /* of add */
	capability_mask add, prefixed;
} numbers[] = {
	{ "\"CAP_21\"", 0, 0 }, /* explain takes it for SYS_ADMIN; no runtime does */
	{ "\"cap_63\",\"21\"", 0, 0 },
	{ "\"CAP_\",\"\",\"CAP_CAP_CHOWN\"", 0, 0 },
	{ "\"CAP_CHOWN\"", BIT(CHOWN), BIT(CHOWN) },
	{ "\"CAP_CHOWN\",\"chown\"", BIT(CHOWN), 0 },
	{ "\"CHOWN\",\"cap_kill\",\"Cap_Chown\"", BIT(CHOWN) | BIT(KILL), BIT(KILL) },
};

static void names_count_as_a_runtime_reads_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		_cleanup_free_ char *context = NULL;
		struct pod_record *pod;

		assert_true(
			asprintf(&context, "\"securityContext\":{\"capabilities\":{\"add\":[%s]}}",
				numbers[i].names) > 0);
		pod = parse_container(context);
		if (pod->containers[0].declared.add != numbers[i].add ||
			pod->containers[0].declared.prefixed != numbers[i].prefixed)
			fail_msg("%s", numbers[i].names);
		pod_record_unref(pod);
	}
}

static void an_image_that_can_be_none_is_not_kept(void **state)
{
	_cleanup_free_ char *insert = NULL;
	struct pod_record *pod;

	(void)state;
	assert_true(asprintf(&insert, "\"image\":\"%02000d\"", 0) > 0);
	pod = parse_container(insert);
	assert_null(pod->containers[0].image);
	pod_record_unref(pod);
}

#define OWNER(kind, name) \
	"\"ownerReferences\":[{\"kind\":\"" kind "\",\"name\":\"" name "\",\"controller\":true}]"

static const struct {
	const char *metadata, *owner;
} owners[] = {
	/* What can be no object's name or kind is nobody's. */
	{ OWNER("DaemonSet", "aws-node\\u0000evil"), NULL },
	{ OWNER("DaemonSet", "aws-node/evil"), NULL },
	{ OWNER("DaemonSet/aws-node", "x"), NULL },
	{ OWNER("Daemon\\u0000Set", "x"), NULL },
	/* Other text is kept as it is, and escaped by who shows it. */
	{ OWNER("DaemonSet", "\\u001b[2Jx\\n"), "DaemonSet/\x1b[2Jx\n" },
	/* "A Node's" is said of mirror pods alone. */
	{ OWNER("Node", "n1"), NULL },
	{ "\"annotations\":{\"kubernetes.io/config.hash\":\"" HASH "\"}," OWNER("Node", "n1"),
		NULL },
	{ "\"annotations\":{\"kubernetes.io/config.hash\":\"" HASH
	  "\",\"kubernetes.io/config.mirror\":\"" HASH "\"}," OWNER("Node", "n1"),
		"Node/n1" },
	/* Dates that people write are no schedule's digits: eight of them are minutes. */
	{ OWNER("Job", "report-20261124"), "Job/report-20261124" },
	{ OWNER("Job", "report-20991231"), "Job/report-20991231" },
	{ OWNER("Job", "report-99999999"), "Job/report-99999999" },
	{ OWNER("Job", "report-0029876543"), "Job/report-0029876543" },
	{ OWNER("Job", "report-9999999999"), "Job/report-9999999999" },
	{ OWNER("Job", "report-23142239"), "Job/report-23142239" },
	{ OWNER("Job", "report-23142240"), "CronJob/report" },
	{ OWNER("Job", "report-68374079"), "CronJob/report" },
	{ OWNER("Job", "report-68374080"), "Job/report-68374080" },
	{ OWNER("Job", "a-b-29876543"), "CronJob/a-b" },
	{ OWNER("Job", "-29876543"), "Job/-29876543" },
	{ OWNER("CronJob", "x-29876543"), "CronJob/x-29876543" },
};

static void an_owner_is_believed_as_far_as_it_can_be_true(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		struct pod_record *pod = parse_metadata(owners[i].metadata);

		if (!pod->owner != !owners[i].owner ||
			(pod->owner && strcmp(pod->owner, owners[i].owner) != 0))
			fail_msg("row %zu: %s", i, pod->owner ? pod->owner : "nobody");
		pod_record_unref(pod);
	}
}

static const char *const no_pods[] = {
	"{\"kind\":\"Status\",\"metadata\":{" METADATA "}}",
	"{\"kind\":7,\"metadata\":{" METADATA "}}",
	"{\"metadata\":{\"name\":\"a/b\",\"namespace\":\"n\",\"uid\":\"u\"}}",
	"{\"metadata\":{\"name\":\"a\",\"namespace\":\"n/n\",\"uid\":\"u\"}}",
	"{\"metadata\":{\"name\":\"a\\u0000\",\"namespace\":\"n\",\"uid\":\"u\"}}",
	"{\"metadata\":{\"name\":\"a\",\"namespace\":\"\",\"uid\":\"u\"}}",
};

static void what_can_be_no_pod_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(no_pods); i++) {
		struct pod_record *pod = NULL;

		if (pod_record_parse(no_pods[i], strlen(no_pods[i]), &pod) != -EBADMSG)
			fail_msg("%s", no_pods[i]);
		assert_null(pod);
	}
}

/* Sorted before and after "pod-security". */
static void labels_without_number_do_not_push_out_what_is_enforced(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct namespace_record *record;
	bool found = false;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	(void)fprintf(to, "{\"metadata\":{\"name\":\"n\",\"labels\":{");
	for (unsigned i = 0; i < 2 * RECORD_LABELS_MAX; i++)
		(void)fprintf(to, "\"a%u\":\"\",", i);
	(void)fprintf(to, "\"" POD_SECURITY_ENFORCE "\":\"restricted\",\"z\":\"\"}}}");
	assert_int_equal(fclose(to), 0);
	assert_int_equal(namespace_record_parse(text, size, &record), 0);
	assert_int_equal(record->label_count, RECORD_LABELS_MAX);
	for (size_t i = 0; i < record->label_count; i++)
		found |= strcmp(record->labels[i].key, POD_SECURITY_ENFORCE) == 0 &&
			 strcmp(record->labels[i].value, "restricted") == 0;
	assert_true(found);
	namespace_record_unref(record);
}

/* Of a pod that was cut a container which is not among those kept may be one of the rest. */
static void of_a_pod_with_too_many_containers_not_all_are_known(void **state)
{
	(void)state;
	for (unsigned count = POD_CONTAINERS_MAX - 1; count <= POD_CONTAINERS_MAX + 1; count++) {
		_cleanup_free_ char *text = NULL;
		struct pod_record *pod;
		size_t size;
		FILE *to = open_memstream(&text, &size);

		assert_non_null(to);
		(void)fprintf(to, "{\"metadata\":{" METADATA "},\"spec\":{\"containers\":[");
		for (unsigned i = 0; i < count; i++)
			(void)fprintf(to, "%s{\"name\":\"c%u\"}", i ? "," : "", i);
		(void)fprintf(to, "]},\"status\":{\"containerStatuses\":[");
		/* In another order than the spec's. */
		for (unsigned i = count; i-- > 0;)
			(void)fprintf(to, "{\"name\":\"c%u\",\"containerID\":\"cri-o://id%u\"}%s",
				i, i, i ? "," : "");
		(void)fprintf(to, "]}}");
		assert_int_equal(fclose(to), 0);
		assert_int_equal(pod_record_parse(text, size, &pod), 0);
		assert_string_equal(pod_record_find(pod, "id7", NULL)->name, "c7");
		assert_int_equal(pod_record_all_ids_known(pod), count < POD_CONTAINERS_MAX);
		pod_record_unref(pod);
	}
}

/* A value costs many times its text: a pod as large as etcd takes it would cost 90 MB. */
static void a_pod_that_says_too_much_is_not_parsed(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct pod_record *pod = NULL;
	struct mallinfo2 before, after;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	(void)fprintf(to, "{\"metadata\":{" METADATA "},\"spec\":{\"containers\":[{\"name\":\"c\","
			  "\"securityContext\":{\"capabilities\":{\"add\":[\"\"");
	for (unsigned i = 0; i < 400000; i++)
		(void)fprintf(to, ",\"\"");
	(void)fprintf(to, "]}}}]}}");
	assert_int_equal(fclose(to), 0);
	before = mallinfo2();
	assert_int_equal(pod_record_parse(text, size, &pod), -ENOSPC);
	after = mallinfo2();
	assert_null(pod);
	/* Nothing was kept, and the arena did not grow by more than a few copies of the text. */
	assert_true(after.uordblks <= before.uordblks + 4096);
	assert_true(after.arena <= before.arena + 8 * size);
}

static const char whole_pod[] =
	"{\"kind\":\"Pod\",\"metadata\":{" METADATA
	",\"labels\":{\"pod-template-hash\":\"abc\",\"app\":\"web\"}," OWNER("ReplicaSet",
		"web-abc") "},\"spec\":{\"initContainers\":[{\"name\":\"i\",\"image\":\"x\"}],"
			   "\"containers\":[{\"name\":\"c\",\"image\":\"y\",\"securityContext\":"
			   "{\"capabilities\":{\"add\":[\"CHOWN\"]}}}]},\"status\":{\"qosClass\":"
			   "\"Burstable\",\"containerStatuses\":[{\"name\":\"c\",\"containerID\":"
			   "\"containerd://abc\"}]}}";
static const char whole_namespace[] = "{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"n\","
				      "\"labels\":{\"a\":\"1\",\"b\":\"2\"}}}";

static int parse_both(struct pod_record **pod, struct namespace_record **namespace)
{
	int r = pod_record_parse(whole_pod, strlen(whole_pod), pod);

	return r < 0 ? r
		     : namespace_record_parse(whole_namespace, strlen(whole_namespace), namespace);
}

/* A caller passes over an object that is none, but must not pass over one for want of memory. */
static void want_of_memory_is_not_mistaken_for_a_bad_object(void **state)
{
	unsigned long failed = 0;

	(void)state;
	for (unsigned long n = 1;; n++) {
		struct pod_record *pod = NULL;
		struct namespace_record *namespace = NULL;
		bool fired, whole;
		int r;

		fail_allocation_at(n);
		r = parse_both(&pod, &namespace);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		whole = r == 0 && pod->owner && strcmp(pod->owner, "Deployment/web") == 0 &&
			pod->label_count == 2 && pod->containers[1].id &&
			namespace->label_count == 2;
		pod_record_unref(pod);
		namespace_record_unref(namespace);
		if (r != (fired ? -ENOMEM : 0) || (r == 0 && !whole))
			fail_msg("allocation %lu: %d", n, r);
		if (!fired)
			break;
		failed++;
	}
	assert_true(failed > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_needed_cannot_make_a_pod_unreadable),
		cmocka_unit_test(a_nul_in_a_text_does_not_make_it_another_text),
		cmocka_unit_test(names_count_as_a_runtime_reads_them),
		cmocka_unit_test(an_image_that_can_be_none_is_not_kept),
		cmocka_unit_test(an_owner_is_believed_as_far_as_it_can_be_true),
		cmocka_unit_test(what_can_be_no_pod_is_refused),
		cmocka_unit_test(labels_without_number_do_not_push_out_what_is_enforced),
		cmocka_unit_test(of_a_pod_with_too_many_containers_not_all_are_known),
		cmocka_unit_test(a_pod_that_says_too_much_is_not_parsed),
		cmocka_unit_test(want_of_memory_is_not_mistaken_for_a_bad_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
