/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What waits for a sink as bytes and back: findings with what was true when they were told,
 * messages for the journal; torn, damaged, and without memory.
 */
#include "../support/fail_allocation.h"
#include "ledger_fixture.h"

#include "../../daemon/command/undelivered.h"

#include <errno.h>
#include <syslog.h>

static const struct report_context context = { .boot_id = "of-then", .engine = "procfs" };

static void encode_finding(struct bytes *to)
{
	struct observation o = observe_spec(&(struct spec){ "c", .effective = CAPABILITY_BIT(21),
		.namespace_name = "shop", .pod = "cart-7d4f", .exe = "/bin/x" });

	undelivered_encode_finding(&context, &o.finding, to);
	release_observation(&o);
	assert_false(to->failed);
}

static void a_finding_comes_back_with_the_boot_and_the_engine_of_then(void **state)
{
	struct bytes bytes = { 0 };
	struct undelivered undelivered;

	(void)state;
	encode_finding(&bytes);
	assert_int_equal(undelivered_decode(bytes.data, bytes.length, &undelivered), 0);
	assert_true(undelivered.is_finding);
	assert_string_equal(undelivered.boot_id, "of-then");
	assert_string_equal(undelivered.engine, "procfs");
	assert_string_equal(undelivered.finding.container.pod.name, "cart-7d4f");
	assert_int_equal(undelivered.finding.excess.of[CAPABILITY_EFFECTIVE], CAPABILITY_BIT(21));
	undelivered_done(&undelivered);
	bytes_done(&bytes);
}

static void a_message_comes_back_whatever_is_in_its_text(void **state)
{
	static const char *const texts[] = { "", "cannot read \033[31m\377\n", "a" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct bytes bytes = { 0 };
		struct undelivered undelivered;

		undelivered_encode_message(JOURNAL_SOURCE, LOG_WARNING, texts[i], &bytes);
		assert_int_equal(undelivered_decode(bytes.data, bytes.length, &undelivered), 0);
		assert_false(undelivered.is_finding);
		assert_int_equal(undelivered.message, JOURNAL_SOURCE);
		assert_int_equal(undelivered.priority, LOG_WARNING);
		assert_string_equal(undelivered.text, texts[i]);
		undelivered_done(&undelivered);
		bytes_done(&bytes);
	}
}

/* 0 or -EBADMSG, and nothing of what is refused is left behind. */
static void decode_damaged(const uint8_t *data, size_t length)
{
	struct undelivered undelivered = { .priority = 77 };
	int r = undelivered_decode(data, length, &undelivered);

	if (r == 0)
		undelivered_done(&undelivered);
	else if (r != -EBADMSG || undelivered.priority != 77)
		fail_msg("%d", r);
}

/* A finding, or a message. */
static struct bytes encode_either(bool finding)
{
	struct bytes bytes = { 0 };

	if (finding)
		encode_finding(&bytes);
	else
		undelivered_encode_message(JOURNAL_DELIVERY, LOG_ERR, "The state is kept", &bytes);
	return bytes;
}

static void what_is_torn_or_damaged_is_refused_or_is_something_else(void **state)
{
	(void)state;
	for (int finding = 0; finding < 2; finding++) {
		struct bytes bytes = encode_either(finding);

		for (size_t i = 0; i < bytes.length; i++) {
			/* Exactly as long, so that whoever reads past it is caught. */
			uint8_t *torn = malloc(i + 1);

			assert_non_null(torn);
			memcpy(torn, bytes.data, i);
			decode_damaged(torn, i);
			free(torn);
			for (unsigned bit = 0; bit < 8; bit++) {
				bytes.data[i] ^= (uint8_t)(1u << bit);
				decode_damaged(bytes.data, bytes.length);
				bytes.data[i] ^= (uint8_t)(1u << bit);
			}
		}
		bytes_done(&bytes);
	}
}

static void kinds_messages_and_priorities_that_there_are_not_are_refused(void **state)
{
	static const uint64_t rows[][3] = { { 0, JOURNAL_SOURCE, LOG_ERR },
		{ 3, JOURNAL_SOURCE, LOG_ERR }, { 2, JOURNAL_MESSAGES, LOG_ERR },
		{ 2, UINT64_MAX, LOG_ERR }, { 2, JOURNAL_SOURCE, LOG_DEBUG + 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bytes bytes = { 0 };
		struct undelivered undelivered;

		for (size_t k = 0; k < ARRAY_SIZE(rows[i]); k++)
			bytes_add_number(&bytes, rows[i][k]);
		bytes_add_text(&bytes, "text");
		assert_int_equal(
			undelivered_decode(bytes.data, bytes.length, &undelivered), -EBADMSG);
		bytes_done(&bytes);
	}
}

static void without_memory_it_says_so_and_keeps_nothing(void **state)
{
	(void)state;
	for (int finding = 0; finding < 2; finding++) {
		struct bytes bytes = encode_either(finding);

		for (unsigned long n = 1;; n++) {
			struct undelivered undelivered;
			bool fired;
			int r;

			fail_allocation_at(n);
			r = undelivered_decode(bytes.data, bytes.length, &undelivered);
			fired = fail_allocation_fired();
			fail_allocation_at(0);
			assert_int_equal(r, fired ? -ENOMEM : 0);
			if (r == 0)
				undelivered_done(&undelivered);
			if (!fired)
				break;
		}
		bytes_done(&bytes);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_finding_comes_back_with_the_boot_and_the_engine_of_then),
		cmocka_unit_test(a_message_comes_back_whatever_is_in_its_text),
		cmocka_unit_test(what_is_torn_or_damaged_is_refused_or_is_something_else),
		cmocka_unit_test(kinds_messages_and_priorities_that_there_are_not_are_refused),
		cmocka_unit_test(without_memory_it_says_so_and_keeps_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
