/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Escaping, suggestions, times and numbers; and the sentences of struct diag, which rest on them.
 */
#include <capauditd/diag.h>
#include <capauditd/macros.h>
#include <capauditd/text.h>

#include "../support/fail_allocation.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

struct escape_row {
	const char *in;
	size_t length;
	const char *out;
};
#define ROW(in, out)                    \
	{                               \
		in, sizeof(in) - 1, out \
	}

static void assert_escaped(const struct escape_row *row)
{
	_cleanup_free_ char *out = text_escape(row->in, row->length);

	assert_non_null(out);
	assert_string_equal(out, row->out);
	assert_int_equal(text_is_clean(row->in, row->length),
		strlen(row->out) == row->length && memcmp(row->in, row->out, row->length) == 0);
}

static void assert_all_escaped(const struct escape_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_escaped(&rows[i]);
}

static void ordinary_text_stays_as_it_is(void **state)
{
	static const struct escape_row rows[] = {
		ROW("", ""), ROW("nginx: worker", "nginx: worker"),
		ROW("a\\b\\x41\"'", "a\\b\\x41\"'"),
		ROW("Übergröße, 日本語, 🐳", "Übergröße, 日本語, 🐳"),
		ROW("\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"), /* around surrogates */
		ROW("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"),		     /* U+10FFFF */
		ROW("\xc2\xa0\xdf\xbf", "\xc2\xa0\xdf\xbf"),		     /* right above C1 */
	};

	(void)state;
	assert_all_escaped(rows, ARRAY_SIZE(rows));
}

static void control_characters_stand_as_their_bytes(void **state)
{
	static const struct escape_row rows[] = {
		ROW("a\nb\tc\r", "a\\x0ab\\x09c\\x0d"),
		ROW("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
		ROW("a\0b", "a\\x00b"),
		ROW("\x7f", "\\x7f"),
		ROW("\xc2\x9b"
		    "31m",
			"\\xc2\\x9b31m"), /* CSI as one C1 character */
		ROW("\xc2\x80\xc2\x9f", "\\xc2\\x80\\xc2\\x9f"),
	};

	(void)state;
	assert_all_escaped(rows, ARRAY_SIZE(rows));
	for (char c = 1; c < 0x20; c++)
		assert_false(text_is_clean(&c, 1));
}

static void what_ends_a_line_or_turns_its_direction_stands_as_its_bytes(void **state)
{
	static const struct escape_row rows[] = {
		ROW("\xe2\x80\xa8\xe2\x80\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"),
		ROW("\xe2\x80\xae"
		    "exe",
			"\\xe2\\x80\\xaeexe"),
		ROW("\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad",
			"\\xe2\\x80\\xaa\\xe2\\x80\\xab\\xe2\\x80\\xac\\xe2\\x80\\xad"),
		ROW("\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9",
			"\\xe2\\x81\\xa6\\xe2\\x81\\xa7\\xe2\\x81\\xa8\\xe2\\x81\\xa9"),
		ROW("\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "\\xe2\\x80\\x8e\\xe2\\x80\\x8f\\xd8\\x9c"),
	};

	(void)state;
	assert_all_escaped(rows, ARRAY_SIZE(rows));
}

static void bytes_that_are_no_utf8_stand_as_themselves(void **state)
{
	static const struct escape_row rows[] = {
		ROW("\xff\xfe\x80", "\\xff\\xfe\\x80"),
		ROW("\xc0\x80\xc1\xbf", "\\xc0\\x80\\xc1\\xbf"), /* overlong */
		ROW("\xe0\x80\xaf", "\\xe0\\x80\\xaf"),
		ROW("\xf0\x80\x80\x80", "\\xf0\\x80\\x80\\x80"),
		ROW("\xed\xa0\x80", "\\xed\\xa0\\x80"),		 /* a surrogate */
		ROW("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"), /* beyond U+10FFFF */
		ROW("\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"), ROW("a\xc3", "a\\xc3"), /* cut */
		ROW("\xe6\x97", "\\xe6\\x97"), ROW("\xf0\x9f\x90", "\\xf0\\x9f\\x90"),
		ROW("\xc3(\xe6\x97(\xf0\x9f\x90(", "\\xc3(\\xe6\\x97(\\xf0\\x9f\\x90("),
		ROW("\xc3\xc3\xa4", "\\xc3ä"), /* the next character is not swallowed */
	};

	(void)state;
	assert_all_escaped(rows, ARRAY_SIZE(rows));
}

/* An independent judge: jansson refuses what is not UTF-8. */
static void whatever_comes_out_is_clean_utf8(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		char bytes[12];
		_cleanup_free_ char *out = NULL;
		json_t *string;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			random = random * 1664525u + 1013904223u;
			/* Mostly bytes that begin or continue a character. */
			bytes[i] = (char)(random >> 24 | (random >> 10 & 1) << 7);
		}
		out = text_escape(bytes, sizeof(bytes));
		assert_non_null(out);
		assert_true(text_is_clean(out, strlen(out)));
		string = json_string(out);
		assert_non_null(string);
		json_decref(string);
		/* Nothing that is clean is refused by jansson, and nothing else is left as it was.
		 */
		string = json_stringn(bytes, sizeof(bytes));
		if (text_is_clean(bytes, sizeof(bytes)))
			assert_non_null(string);
		json_decref(string);
	}
}

static void a_buffer_is_never_overrun_and_never_ends_inside_a_character(void **state)
{
	static const char text[] = "aä\n🐳\xff\xc2\x85z";
	_cleanup_free_ char *whole = text_escape(text, sizeof(text) - 1);
	/* Where a cut may fall: after each character, which a C1 of two bytes is as well. */
	static const size_t ends[] = { 0, 1, 3, 7, 11, 15, 23, 24 };

	(void)state;
	assert_non_null(whole);
	assert_int_equal(strlen(whole), 24);
	for (size_t size = 1; size <= strlen(whole) + 2; size++) {
		_cleanup_free_ char *buffer = malloc(size);
		size_t expected = 0;

		assert_non_null(buffer);
		memset(buffer, 'X', size);
		text_escape_into(buffer, size, text, sizeof(text) - 1);
		for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
			if (ends[i] < size)
				expected = ends[i];
		}
		assert_int_equal(strnlen(buffer, size), expected);
		assert_memory_equal(buffer, whole, expected);
	}
}

static void a_buffer_of_no_size_is_not_touched(void **state)
{
	char buffer = 'X';

	(void)state;
	text_escape_into(&buffer, 0, "abc", 3);
	assert_int_equal(buffer, 'X');
}

static void without_memory_there_is_no_text(void **state)
{
	char *out;

	(void)state;
	fail_allocation_at(1);
	out = text_escape("abc", 3);
	fail_allocation_at(0);
	assert_null(out);
}

static void a_slip_finds_the_name_that_was_meant(void **state)
{
	static const char *const names[] = { "NET_RAW", "NET_ADMIN", "SYS_ADMIN", "namespace",
		"pod", "podSelector", "restricted", "baseline", "require" };
	static const struct {
		const char *word, *nearest;
	} rows[] = {
		{ "NET_RAWW", "NET_RAW" },
		{ "net_raw", "NET_RAW" },
		{ "NET_RWA", "NET_RAW" }, /* a swap is one slip */
		{ "NTE_ADMIN", "NET_ADMIN" },
		{ "SYSADMIN", "SYS_ADMIN" },
		{ "namspace", "namespace" },
		{ "namespaces", "namespace" },
		{ "pods", "pod" },
		{ "pdo", "pod" },
		{ "podselctor", "podSelector" },
		{ "resticted", "restricted" },
		{ "bsaelnie", "baseline" },
		{ "requires", "require" },
		{ "", NULL },
		{ "x", NULL },
		{ "po", NULL },
		{ "fog", NULL },
		{ "privileged", NULL },
		{ "something else", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *nearest = text_nearest(rows[i].word, names, ARRAY_SIZE(names));

		if (rows[i].nearest)
			assert_string_equal(nearest ? nearest : rows[i].word, rows[i].nearest);
		else
			assert_null(nearest);
	}
	assert_null(text_nearest("pod", NULL, 0));
}

static void the_nearest_of_several_wins_and_the_first_of_equals(void **state)
{
	static const char *const names[] = { "rules", "rule", "role", "roles" };

	(void)state;
	assert_string_equal(text_nearest("roles", names, 4), "roles");
	assert_string_equal(text_nearest("rles", names, 4), "rules");
}

static void a_word_of_any_length_is_no_danger(void **state)
{
	_cleanup_free_ char *word = malloc(100001);
	const char *const names[] = { "pod", word };

	(void)state;
	assert_non_null(word);
	memset(word, 'p', 100000);
	word[100000] = '\0';
	assert_null(text_nearest(word, names, 1));
	assert_string_equal(text_nearest("pods", names, 2), "pod");
}

static void times_are_rfc_3339_in_utc_with_microseconds(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000000Z" },
		{ 1, "1970-01-01T00:00:00.000001Z" },
		{ UINT64_C(951782399999999), "2000-02-28T23:59:59.999999Z" },
		{ UINT64_C(951782400000000), "2000-02-29T00:00:00.000000Z" },
		{ UINT64_C(1795513265000123), "2026-11-24T09:41:05.000123Z" },
		{ UINT64_C(4102444800000000), "2100-01-01T00:00:00.000000Z" },
	};
	char buffer[TEXT_TIME_SIZE];

	(void)state;
	/* Whatever the machine thinks of time zones. */
	assert_int_equal(
		setenv("TZ", "America/St_Johns", 1), 0); /* NOLINT(concurrency-mt-unsafe) */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		text_time(buffer, rows[i].us);
		assert_string_equal(buffer, rows[i].text);
	}
	assert_int_equal(unsetenv("TZ"), 0); /* NOLINT(concurrency-mt-unsafe) */
}

static void the_latest_time_fits(void **state)
{
	char buffer[TEXT_TIME_SIZE];

	(void)state;
	text_time(buffer, UINT64_MAX);
	assert_true(strlen(buffer) < sizeof(buffer));
	assert_string_equal(strchr(buffer, '.'), ".551615Z");
}

static void numbers_are_digits_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} rows[] = {
		{ "1", 0, 1 }, { "007", 0, 7 }, { "4294967295", 0, UINT64_C(4294967295) },
		{ "4294967296", -ERANGE, 0 }, { "0", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999999", -ERANGE, 0 }, { "", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 }, { "1 ", -EINVAL, 0 }, { "+1", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 }, { "0x10", -EINVAL, 0 }, { "1e3", -EINVAL, 0 },
		{ "99999999999999999999x", -EINVAL, 0 },
		{ "\xd9\xa1", -EINVAL, 0 }, /* an Arabic digit */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = 4711;

		assert_int_equal(text_to_u64(rows[i].text, 1, UINT32_MAX, &value), rows[i].result);
		assert_int_equal(value, rows[i].result ? 4711 : rows[i].value);
	}
}

static void the_largest_number_is_read(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_int_equal(text_to_u64("18446744073709551615", 0, UINT64_MAX, &value), 0);
	assert_true(value == UINT64_MAX);
}

static void print_diag(const struct diag *diag, char *buffer, size_t size)
{
	FILE *file = fmemopen(buffer, size, "w");

	assert_non_null(file);
	diag_print(diag, file);
	assert_int_equal(fclose(file), 0);
}

static void a_diag_says_file_line_and_column_as_far_as_they_are_known(void **state)
{
	struct diag diag = { .file = "policy.yaml" };
	char out[256];

	(void)state;
	assert_int_equal(
		diag_error(&diag, 12, 9, "unknown capability \"%s\"", "NET_RAWW"), -EINVAL);
	print_diag(&diag, out, sizeof(out));
	assert_string_equal(out, "policy.yaml:12:9: unknown capability \"NET_RAWW\"\n");
	(void)diag_error(&diag, 12, 0, "no column");
	print_diag(&diag, out, sizeof(out));
	assert_string_equal(out, "policy.yaml:12: no column\n");
	(void)diag_error(&diag, 0, 7, "the whole file");
	print_diag(&diag, out, sizeof(out));
	assert_string_equal(out, "policy.yaml: the whole file\n");
	diag.file = NULL;
	(void)diag_error(&diag, 3, 1, "no file");
	print_diag(&diag, out, sizeof(out));
	assert_string_equal(out, "3:1: no file\n");
	(void)diag_error(&diag, 0, 0, "nothing");
	print_diag(&diag, out, sizeof(out));
	assert_string_equal(out, "nothing\n");
}

static void a_diag_lets_no_control_character_through(void **state)
{
	struct diag diag = { .file = "a\nb\x1b[2J" };
	char out[256];

	(void)state;
	(void)diag_error(&diag, 1, 2, "unknown key \"%s\"", "x\x1b]0;\x07\n\xff");
	print_diag(&diag, out, sizeof(out));
	assert_string_equal(out, "a\\x0ab\\x1b[2J:1:2: unknown key \"x\\x1b]0;\\x07\\x0a\\xff\"\n");
}

static void a_long_diag_is_cut_between_characters(void **state)
{
	struct diag diag = { .file = NULL };
	char word[4 * DIAG_MESSAGE_MAX];

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(word); i += 2)
		memcpy(word + i, "ä", 2);
	word[sizeof(word) - 2] = '\0';
	(void)diag_error(&diag, 0, 0, "%s", word);
	assert_true(strlen(diag.message) >= DIAG_MESSAGE_MAX - 2);
	assert_true(text_is_clean(diag.message, strlen(diag.message)));
	assert_null(strchr(diag.message, '\\'));
}

static void without_a_diag_there_is_still_an_error(void **state)
{
	(void)state;
	assert_int_equal(diag_error(NULL, 1, 1, "%s", "x"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_text_stays_as_it_is),
		cmocka_unit_test(control_characters_stand_as_their_bytes),
		cmocka_unit_test(what_ends_a_line_or_turns_its_direction_stands_as_its_bytes),
		cmocka_unit_test(bytes_that_are_no_utf8_stand_as_themselves),
		cmocka_unit_test(whatever_comes_out_is_clean_utf8),
		cmocka_unit_test(a_buffer_is_never_overrun_and_never_ends_inside_a_character),
		cmocka_unit_test(a_buffer_of_no_size_is_not_touched),
		cmocka_unit_test(without_memory_there_is_no_text),
		cmocka_unit_test(a_slip_finds_the_name_that_was_meant),
		cmocka_unit_test(the_nearest_of_several_wins_and_the_first_of_equals),
		cmocka_unit_test(a_word_of_any_length_is_no_danger),
		cmocka_unit_test(times_are_rfc_3339_in_utc_with_microseconds),
		cmocka_unit_test(the_latest_time_fits),
		cmocka_unit_test(numbers_are_digits_and_nothing_else),
		cmocka_unit_test(the_largest_number_is_read),
		cmocka_unit_test(a_diag_says_file_line_and_column_as_far_as_they_are_known),
		cmocka_unit_test(a_diag_lets_no_control_character_through),
		cmocka_unit_test(a_long_diag_is_cut_between_characters),
		cmocka_unit_test(without_a_diag_there_is_still_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
