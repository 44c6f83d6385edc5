/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A finding as bytes and back: every field, every byte torn or changed, memory running out. And the
 * records of a log.
 */
#include "../support/fail_allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/finding_code.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
	char *new = strdup(text);

	assert_non_null(new);
	return new;
}

/* No member is zero, and no text like another; some are as a container would choose them. */
static struct finding whole_finding(void)
{
	struct finding f;

	memset(&f, 0, sizeof(f));
	memcpy(f.id, "0123456789abcdef", FINDING_ID_SIZE);
	memcpy(f.workload_id, "fedcba9876543210", FINDING_ID_SIZE);
	f.time_us = UINT64_C(1790000000123456);
	f.first_seen_us = UINT64_C(1780000000123456);
	f.last_seen_us = UINT64_MAX;
	f.state = FINDING_RESOLVED;
	f.resolved_reason = RESOLVED_REBOOT;
	f.count = 30000;
	for (unsigned i = 0; i < FINDING_EXECUTABLES_MAX; i++) {
		f.executables[i] = copy("/bin/\n\033[31m\377 0");
		f.executables[i][11] = (char)('0' + i);
		f.executable_count++;
	}
	f.verdict = VERDICT_VIOLATION;
	f.class = CLASS_DRIFT;
	f.severity = SEVERITY_CRITICAL;
	f.provisional = true;
	f.reach = REACH_EFFECTIVE;
	f.profile = copy("web");
	f.profile_source = PROFILE_FROM_DEFAULT;
	f.relation = RELATION_NESTED;
	f.exception.reason = copy("the CNI plugin");
	f.exception.expires = copy("2027-01-31");
	f.remedy.known = f.remedy.drop_all = true;
	f.remedy.field = copy("spec.securityContext");
	f.remedy.of = copy("Deployment/web");
	f.remedy.add = 0x400;
	for (unsigned i = 0; i < CAPABILITY_SETS; i++) {
		f.excess.of[i] = UINT64_C(0x1ff00000000) | (i + 1);
		f.process.sets.of[i] = UINT64_MAX - i;
	}
	for (unsigned i = 0; i < CAPABILITY_MAX; i++)
		f.origin[i] = (uint8_t)(1 + i % ORIGIN_EXEC);
	f.hints = (1u << HINTS) - 1;
	f.unmet = 0xf;
	f.process.pid = INT32_MAX;
	f.process.tid = 4712;
	f.process.ppid = 1;
	f.process.start_ticks = 99;
	f.process.start_us = 100;
	memcpy(f.process.comm, "sixteen letters!", 16);
	f.process.exe = copy("");
	f.process.exe_on_host = f.process.exe_is_runtime = true;
	f.process.cmdline = calloc(PROCESS_ARGUMENTS_MAX + 1, sizeof(char *));
	assert_non_null(f.process.cmdline);
	for (unsigned i = 0; i < PROCESS_ARGUMENTS_MAX; i++)
		f.process.cmdline[i] = copy(i % 2 ? "--x=\1" : "");
	f.process.uid = UINT32_MAX;
	f.process.gid = 65534;
	f.process.user_namespace = USER_NAMESPACE_OTHER;
	f.process.user_namespace_inode = 4026531837;
	f.process.no_new_privs = true;
	f.process.seccomp = SECCOMP_FILTER_MODE;
	f.process.lsm = copy("docker-default (enforce)");
	f.process.host_namespaces = HOST_NAMESPACE_NET | HOST_NAMESPACE_CGROUP;
	f.process.host_namespaces_known = (1u << HOST_NAMESPACES) - 1;
	f.container.id = copy("c0ffee");
	f.container.runtime = "cri-o";
	f.container.name = copy("web\n");
	f.container.image = copy("registry.example/web:1");
	f.container.cgroup = copy("/kubepods/\377");
	f.container.type = CONTAINER_SANDBOX;
	f.container.in_pod = true;
	f.container.pod.namespace_name = copy("shop");
	f.container.pod.name = copy("cart-7d4f");
	memcpy(f.container.pod.uid, "11111111-2222-3333-4444-555555555555", POD_UID_SIZE);
	f.container.pod.qos = QOS_BEST_EFFORT;
	f.container.pod.owner = copy("Deployment/web");
	f.container.pod.known = f.container.pod.is_static = true;
	f.container.declared = (struct declaration){ .known = true,
		.privileged = true,
		.add_all = true,
		.drop_all = true,
		.add = 1,
		.drop = 2,
		.prefixed = 4,
		.unknown = true };
	f.container.granted_known = true;
	f.container.granted = 0xa80425fb;
	f.container.unattributed = f.container.host = f.container.opaque = true;
	return f;
}

static struct bytes encoded(const struct finding *finding)
{
	struct bytes bytes = { 0 };

	finding_encode(finding, &bytes);
	assert_false(bytes.failed);
	return bytes;
}

static void same_text(char **a, char **b)
{
	assert_int_equal(*a == NULL, *b == NULL);
	if (*a)
		assert_string_equal(*a, *b);
	free(TAKE_PTR(*a));
	free(TAKE_PTR(*b));
}

/* Compares and releases both. What the list of texts lacks would differ as a pointer. */
static void same(struct finding *a, struct finding *b)
{
	for (unsigned i = 0; i < FINDING_EXECUTABLES_MAX; i++)
		same_text(&a->executables[i], &b->executables[i]);
	same_text(&a->profile, &b->profile);
	same_text(&a->exception.reason, &b->exception.reason);
	same_text(&a->exception.expires, &b->exception.expires);
	same_text(&a->remedy.field, &b->remedy.field);
	same_text(&a->remedy.of, &b->remedy.of);
	same_text(&a->process.exe, &b->process.exe);
	same_text(&a->process.lsm, &b->process.lsm);
	same_text(&a->container.id, &b->container.id);
	same_text(&a->container.name, &b->container.name);
	same_text(&a->container.image, &b->container.image);
	same_text(&a->container.cgroup, &b->container.cgroup);
	same_text(&a->container.pod.namespace_name, &b->container.pod.namespace_name);
	same_text(&a->container.pod.name, &b->container.pod.name);
	same_text(&a->container.pod.owner, &b->container.pod.owner);
	assert_int_equal(a->process.cmdline == NULL, b->process.cmdline == NULL);
	for (unsigned i = 0; a->process.cmdline && (a->process.cmdline[i] || b->process.cmdline[i]);
		i++)
		same_text(&a->process.cmdline[i], &b->process.cmdline[i]);
	free(TAKE_PTR(a->process.cmdline));
	free(TAKE_PTR(b->process.cmdline));
	assert_string_equal(a->container.runtime, b->container.runtime);
	a->container.runtime = b->container.runtime;
	assert_memory_equal(a, b, sizeof(*a));
}

static void every_field_comes_back(void **state)
{
	struct finding finding = whole_finding(), back;
	struct bytes bytes = encoded(&finding);

	(void)state;
	memset(&back, 0, sizeof(back));
	assert_int_equal(finding_decode(bytes_reader(&bytes), &back), 0);
	same(&finding, &back);
	bytes_done(&bytes);
}

static void what_is_unknown_stays_so(void **state)
{
	struct finding finding = { .id = "0123456789abcdef",
		.profile = copy("baseline"),
		.container = { .id = copy("c"), .runtime = "unknown" } },
		       back;
	struct bytes bytes = encoded(&finding);

	(void)state;
	memset(&back, 0, sizeof(back));
	assert_int_equal(finding_decode(bytes_reader(&bytes), &back), 0);
	assert_true(bytes.length < 64);
	same(&finding, &back);
	bytes_done(&bytes);
}

static void another_versions_fields_are_passed_over(void **state)
{
	struct finding finding = whole_finding(), back;
	struct bytes bytes = { 0 };

	(void)state;
	memset(&back, 0, sizeof(back));
	bytes_add_number(&bytes, 100000);
	bytes_add_block(&bytes, "what is this", 12);
	finding_encode(&finding, &bytes);
	bytes_add_number(&bytes, 255);
	bytes_add_block(&bytes, NULL, 0);
	assert_int_equal(finding_decode(bytes_reader(&bytes), &back), 0);
	same(&finding, &back);
	bytes_done(&bytes);
}

static void an_id_is_sixteen_hexadecimal_digits(void **state)
{
	static const char *const ids[] = { "", "0123456789abcde", "0123456789abcdeF",
		"\033[31m6789abcde", "0123456789abcde " };
	struct finding finding = whole_finding(), back;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(ids); i++) {
		const char *id = ids[i / 2];
		struct bytes bytes = encoded(&finding);
		/* a later field counts: of the finding, or of its workload, which need have none */
		bool refused = i % 2 == 0 || id[0];

		bytes_add_number(&bytes, 10 + i % 2);
		bytes_add_text(&bytes, id);
		assert_int_equal(
			finding_decode(bytes_reader(&bytes), &back), refused ? -EBADMSG : 0);
		if (!refused)
			finding_done(&back);
		bytes_done(&bytes);
	}
	finding_done(&finding);
}

/* Whether it is refused or read as another finding: nothing worse happens (sanitizers look). */
static void any_torn_or_changed_byte_is_no_harm(void **state)
{
	struct finding finding = whole_finding(), back;
	struct bytes bytes = encoded(&finding);
	unsigned refused = 0;

	(void)state;
	for (size_t length = 0; length < bytes.length; length++) {
		struct byte_reader reader = bytes_reader(&bytes);

		reader.end = reader.at + length;
		if (finding_decode(reader, &back) == 0)
			finding_done(&back);
	}
	for (size_t i = 0; i < bytes.length; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes.data[i] ^= (uint8_t)(1u << bit);
			if (finding_decode(bytes_reader(&bytes), &back) == 0)
				finding_done(&back);
			else
				refused++;
			bytes.data[i] ^= (uint8_t)(1u << bit);
		}
	}
	assert_true(refused > 1000);
	bytes_done(&bytes);
	finding_done(&finding);
}

static void running_out_of_memory_is_an_error_and_leaks_nothing(void **state)
{
	struct finding finding = whole_finding(), back;
	struct bytes bytes = encoded(&finding);
	unsigned long failed = 0;

	(void)state;
	for (unsigned long n = 1;; n++) {
		fail_allocation_at(n);
		int r = finding_decode(bytes_reader(&bytes), &back);
		bool fired = fail_allocation_fired();

		fail_allocation_at(0);
		if (r == 0)
			finding_done(&back);
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, -ENOMEM);
		failed++;
	}
	assert_true(failed > 100);
	for (unsigned long n = 1;; n++) {
		struct bytes again = { 0 };

		fail_allocation_at(n);
		finding_encode(&finding, &again);
		bool fired = fail_allocation_fired();

		fail_allocation_at(0);
		assert_int_equal(again.failed, fired);
		bytes_done(&again);
		if (!fired)
			break;
	}
	bytes_done(&bytes);
	finding_done(&finding);
}

static void numbers_blocks_and_texts_come_back(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX };
	struct bytes bytes = { 0 };
	struct byte_reader reader;
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		bytes_add_number(&bytes, numbers[i]);
	bytes_add_text(&bytes, "text");
	bytes_add_block(&bytes, "a\0b", 3);
	reader = bytes_reader(&bytes);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_true(bytes_take_number(&reader) == numbers[i]);
	text = bytes_take_text(&reader, 4);
	assert_string_equal(text, "text");
	free(text);
	assert_null(bytes_take_text(&reader, 4));
	assert_true(reader.failed);
	bytes_done(&bytes);

	/* more than 64 bits; a block that is longer than what is there */
	uint8_t wide[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2 };
	reader = (struct byte_reader){ .at = wide, .end = wide + sizeof(wide) };
	assert_true(bytes_take_number(&reader) == 0 && reader.failed);
	uint8_t longer[] = { 2, 'x' };
	reader = (struct byte_reader){ .at = longer, .end = longer + sizeof(longer) };
	(void)bytes_take_block(&reader);
	assert_true(reader.failed);
}

static void records_end_where_one_is_torn_or_damaged(void **state)
{
	struct bytes log = { 0 };
	struct byte_reader reader, record;
	size_t second;

	(void)state;
	record_add(&log, "first", 5);
	second = log.length;
	record_add(&log, "second", 6);
	for (size_t length = 0; length <= log.length; length++) {
		reader = (struct byte_reader){ .at = log.data, .end = log.data + length };
		if (length >= second) {
			assert_int_equal(record_next(&reader, &record), 0);
			assert_memory_equal(record.at, "first", 5);
		}
		if (length == log.length) {
			assert_int_equal(record_next(&reader, &record), 0);
			assert_memory_equal(record.at, "second", 6);
		}
		assert_int_equal(record_next(&reader, &record),
			length == 0 || length == second || length == log.length ? -ENODATA
										: -EBADMSG);
	}
	for (size_t i = second; i < log.length; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			log.data[i] ^= (uint8_t)(1u << bit);
			reader = bytes_reader(&log);
			assert_int_equal(record_next(&reader, &record), 0);
			assert_int_equal(record_next(&reader, &record), -EBADMSG);
			assert_ptr_equal(reader.at, log.data + second);
			log.data[i] ^= (uint8_t)(1u << bit);
		}
	}
	memset(log.data, 0, log.length);
	reader = bytes_reader(&log);
	assert_int_equal(record_next(&reader, &record), -EBADMSG);
	bytes_done(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_comes_back),
		cmocka_unit_test(what_is_unknown_stays_so),
		cmocka_unit_test(another_versions_fields_are_passed_over),
		cmocka_unit_test(an_id_is_sixteen_hexadecimal_digits),
		cmocka_unit_test(any_torn_or_changed_byte_is_no_harm),
		cmocka_unit_test(running_out_of_memory_is_an_error_and_leaks_nothing),
		cmocka_unit_test(numbers_blocks_and_texts_come_back),
		cmocka_unit_test(records_end_where_one_is_torn_or_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
