/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is wrong with a policy file, and where it is. Each tests/data/policy/bad/NAME.yaml says in
 * its first line what must be said of it; what such a file cannot hold is made here.
 */
#include <capauditd/macros.h>
#include <capauditd/policy.h>

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BAD_FOLDER "tests/data/policy/bad"

/* "LINE:COLUMN: message" of what is wrong with a text; "good" where nothing is. */
static void complaint(const char *text, size_t length, char ret[static DIAG_MESSAGE_MAX + 32])
{
	struct policy *const untouched = (struct policy *)(void *)ret;
	struct policy *policy = untouched;
	struct diag diag = { 0 };
	int r = policy_load("policy.yaml", text, length, &policy, &diag);

	if (r == 0) {
		policy_free(policy);
		strcpy(ret, "good");
		return;
	}
	assert_int_equal(r, -EINVAL);
	assert_ptr_equal(policy, untouched);
	assert_string_equal(diag.file, "policy.yaml");
	(void)snprintf(
		ret, DIAG_MESSAGE_MAX + 32, "%u:%u: %s", diag.line, diag.column, diag.message);
}

static void assert_complaint(const char *text, size_t length, const char *expected)
{
	char actual[DIAG_MESSAGE_MAX + 32];

	complaint(text, length, actual);
	assert_string_equal(actual, expected);
}

static char *read_file(const char *name, size_t *ret_length)
{
	char *path = NULL, *text = malloc(POLICY_TEXT_MAX);
	FILE *file;

	assert_non_null(text);
	assert_true(asprintf(&path, "%s/%s", BAD_FOLDER, name) > 0);
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	*ret_length = fread(text, 1, POLICY_TEXT_MAX - 1, file);
	text[*ret_length] = '\0';
	(void)fclose(file);
	free(path);
	return text;
}

static int is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void every_mistake_is_told_with_its_line_and_column(void **state)
{
	struct dirent **entries;
	int count = scandir(BAD_FOLDER, &entries, is_case, alphasort);
	unsigned failed = 0;

	(void)state;
	assert_true(count > 100);
	for (int i = 0; i < count; i++) {
		size_t length;
		char *text = read_file(entries[i]->d_name, &length);
		char actual[DIAG_MESSAGE_MAX + 32];

		complaint(text, length, actual);
		assert_memory_equal(text, "# ", 2);
		text[strcspn(text, "\r\n")] = '\0';
		if (strcmp(text + 2, actual) != 0) {
			failed++;
			print_error("%s\n  expected %s\n  actual   %s\n", entries[i]->d_name,
				text + 2, actual);
		}
		free(text);
		free(entries[i]);
	}
	free(entries);
	assert_int_equal(failed, 0);
}

static void an_empty_file_is_an_error(void **state)
{
	(void)state;
	assert_complaint("", 0, "1:1: the file holds no policy (the least is \"version: 1\")");
	assert_complaint("\n\n", 2, "1:1: the file holds no policy (the least is \"version: 1\")");
	assert_complaint(
		"\xef\xbb\xbf", 3, "1:1: the file holds no policy (the least is \"version: 1\")");
}

static void what_is_not_utf8_is_refused_at_its_first_bad_byte(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *expected;
	} rows[] = {
#define ROW(text, expected) { text, sizeof(text) - 1, expected }
		ROW("version: 1\nrules\0: []\n",
			"2:6: not a text in UTF-8: control characters are not allowed (0x00)"),
		ROW("\0", "1:1: not a text in UTF-8: control characters are not allowed (0x00)"),
		ROW("version: 1\n# \x1b[2J\n",
			"2:3: not a text in UTF-8: control characters are not allowed (0x1b)"),
		ROW("version: 1\n# caf\xe9 au lait\n",
			"2:7: not a text in UTF-8: invalid trailing UTF-8 octet (0x20)"),
		ROW("version: 1\n# \xc3\xa9 \xff\n",
			"2:5: not a text in UTF-8: invalid leading UTF-8 octet (0xff)"),
		ROW("# \xc0\xaf", "1:3: not a text in UTF-8: invalid length of a UTF-8 sequence"),
		ROW("version: 1\r\n#\r\n# \xed\xa0\x80",
			"3:3: not a text in UTF-8: invalid Unicode character (0xd800)"),
		ROW("# \xe2\x82", "1:3: not a text in UTF-8: incomplete UTF-8 octet sequence"),
		/* UTF-16, with and without its mark; an ELF file. */
		ROW("\xff\xfev\0e\0r\0s\0",
			"1:1: not a text in UTF-8: invalid leading UTF-8 octet (0xff)"),
		ROW("v\0e\0r\0",
			"1:2: not a text in UTF-8: control characters are not allowed (0x00)"),
		ROW("\x7f"
		    "ELF\x02\x01\x01",
			"1:1: not a text in UTF-8: control characters are not allowed (0x7f)"),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_complaint(rows[i].text, rows[i].length, rows[i].expected);
}

static void a_byte_order_mark_is_no_column(void **state)
{
	static const char good[] = "\xef\xbb\xbfversion: 1\n";
	static const char bad[] = "\xef\xbb\xbfversion: 2\n";

	(void)state;
	assert_complaint(good, sizeof(good) - 1, "good");
	assert_complaint(bad, sizeof(bad) - 1, "1:10: version \"2\" is not supported (there is 1)");
}

/* `count` times `part` between two texts. */
static char *repeat(
	const char *before, const char *part, size_t count, const char *after, size_t *ret_length)
{
	size_t length = strlen(before) + count * strlen(part) + strlen(after);
	char *text = malloc(length + 1), *end = text;

	assert_non_null(text);
	end = stpcpy(end, before);
	for (size_t i = 0; i < count; i++)
		end = stpcpy(end, part);
	(void)strcpy(end, after);
	*ret_length = length;
	return text;
}

static void assert_repeated(
	const char *before, const char *part, size_t count, const char *after, const char *expected)
{
	size_t length;
	char *text = repeat(before, part, count, after, &length);

	assert_complaint(text, length, expected);
	free(text);
}

static void a_text_of_one_mebibyte_is_read_and_a_larger_one_is_refused(void **state)
{
	static const char head[] = "version: 1\n#";

	(void)state;
	assert_repeated(head, "x", POLICY_TEXT_MAX - (sizeof(head) - 1), "", "good");
	assert_repeated(head, "x", POLICY_TEXT_MAX - (sizeof(head) - 1) + 1, "",
		"0:0: larger than 1024 KiB");
}

static void what_is_nested_too_deep_is_refused_before_it_costs_anything(void **state)
{
	(void)state;
	/* The mapping around it is one level. */
	assert_repeated("rules: ", "[", 31, "",
		"2:1: not valid YAML: did not find expected node "
		"content (while parsing a flow node at 2:1)");
	assert_repeated("rules: ", "[", 32, "", "1:39: nested more than 32 deep");
	assert_repeated("", "[", 1000000, "", "1:33: nested more than 32 deep");
	assert_repeated("", "- ", 500000, "", "1:65: nested more than 32 deep");
	assert_repeated("", "? ", 500000, "", "1:65: nested more than 32 deep");
	assert_repeated("", "{a: ", 250000, "", "1:129: nested more than 32 deep");
}

static void what_has_too_many_values_is_refused(void **state)
{
	(void)state;
	assert_repeated("[\n", "a,\n", 65535, "]", "1:1: a policy must be a mapping, not a list");
	assert_repeated("[\n", "a,\n", 65536, "]", "65537:1: more than 65536 values");
}

static void every_list_has_an_end(void **state)
{
	(void)state;
	assert_repeated("version: 1\nrules:\n- match: {pod: [", "x, ", 256,
		"]}\n  profile: baseline\n", "good");
	assert_repeated("version: 1\nrules:\n- match: {pod: [", "x, ", 257,
		"]}\n  profile: baseline\n", "3:785: pod has more than 256 items");
	assert_repeated("version: 1\nrules:\n", "- {}\n", 4097, "",
		"4099:3: rules has more than 4096 items");
	assert_repeated("version: 1\nexceptions:\n", "- {}\n", 4097, "",
		"4099:3: exceptions has more than 4096 items");
	assert_repeated("version: 1\nprofiles:\n", " x: {}\n", 1025, "",
		"1027:2: profiles has more than 1024 keys");
	assert_repeated("version: 1\nprofiles:\n x: {allow: [", "CHOWN, ", 257, "]}\n",
		"3:1806: allow has more than 256 items");
	assert_repeated("version: 1\nrules: [{match: {podSelector: {", "a: b, ", 65, "}}}]\n",
		"2:416: podSelector has more than 64 keys");
}

static void a_glob_has_a_longest_length(void **state)
{
	(void)state;
	assert_repeated("version: 1\nrules: [{match: {image: ", "x", 1024,
		"}, profile: baseline}]\n", "good");
	assert_repeated("version: 1\nrules: [{match: {image: ", "x", 1025,
		"}, profile: baseline}]\n", "2:25: image is longer than 1024 bytes");
}

static void a_reason_has_a_longest_length(void **state)
{
	(void)state;
	assert_repeated("version: 1\nexceptions: [{match: {pod: x}, allow: [KILL], reason: ", "x",
		1024, "}]\n", "good");
	assert_repeated("version: 1\nexceptions: [{match: {pod: x}, allow: [KILL], reason: ", "x",
		1025, "}]\n", "2:55: reason is longer than 1024 bytes");
}

/* Each extends the next; the last extends `last`. */
static char *chain_of_profiles(unsigned count, const char *last, size_t *ret_length)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, ret_length);

	assert_non_null(to);
	(void)fputs("version: 1\nprofiles:\n", to);
	for (unsigned i = 1; i < count; i++)
		(void)fprintf(to, "  p%u: { extends: p%u }\n", i, i + 1);
	(void)fprintf(to, "  p%u: { extends: %s }\n", count, last);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void a_long_chain_of_profiles_is_followed(void **state)
{
	char actual[DIAG_MESSAGE_MAX + 32];
	size_t length;
	char *text = chain_of_profiles(1024, "restricted", &length);

	(void)state;
	assert_complaint(text, length, "good");
	free(text);

	text = chain_of_profiles(1024, "p7", &length);
	complaint(text, length, actual);
	assert_memory_equal(actual, "1026:21: profile cycle: p7 > p8 > p9 > ", 39);
	free(text);
}

static void a_hostile_value_is_escaped_in_the_complaint(void **state)
{
	static const char text[] = "version: 1\ndefaultProfile: \"\\e[31m\\u202e\\n\"\n";

	(void)state;
	assert_complaint(
		text, sizeof(text) - 1, "2:17: unknown profile \"\\x1b[31m\\xe2\\x80\\xae\\x0a\"");
}

static void nobody_needs_to_listen(void **state)
{
	struct policy *policy = NULL;

	(void)state;
	assert_int_equal(policy_load("x", "version: 2", 10, &policy, NULL), -EINVAL);
	assert_null(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mistake_is_told_with_its_line_and_column),
		cmocka_unit_test(an_empty_file_is_an_error),
		cmocka_unit_test(what_is_not_utf8_is_refused_at_its_first_bad_byte),
		cmocka_unit_test(a_byte_order_mark_is_no_column),
		cmocka_unit_test(a_text_of_one_mebibyte_is_read_and_a_larger_one_is_refused),
		cmocka_unit_test(what_is_nested_too_deep_is_refused_before_it_costs_anything),
		cmocka_unit_test(what_has_too_many_values_is_refused),
		cmocka_unit_test(every_list_has_an_end),
		cmocka_unit_test(a_glob_has_a_longest_length),
		cmocka_unit_test(a_reason_has_a_longest_length),
		cmocka_unit_test(a_long_chain_of_profiles_is_followed),
		cmocka_unit_test(a_hostile_value_is_escaped_in_the_complaint),
		cmocka_unit_test(nobody_needs_to_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
