/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose cgroup it is can be told without memory: every recorded text is parsed while the first
 * allocation would fail. None is asked for, and the answers are the same.
 */
#include "../support/fail_allocation.h"

#include <capauditd/cgroup.h>
#include <capauditd/macros.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define VECTORS "tests/data/cgroup_vectors.tsv"

/* Undoes the \n, \t, \\ and \xNN of the file in place; returns the length. */
static size_t unescape(char *text)
{
	static const char escapes[][2] = { { 'n', '\n' }, { 't', '\t' }, { 'r', '\r' },
		{ '\\', '\\' } };
	char *to = text;

	for (const char *from = text; *from;) {
		char byte = *from++;

		if (byte == '\\' && from[0] == 'x' && from[1] && from[2]) {
			const char digits[] = { from[1], from[2], '\0' };

			byte = (char)strtoul(digits, NULL, 16);
			from += 3;
		} else if (byte == '\\') {
			for (size_t i = 0; i < ARRAY_SIZE(escapes); i++)
				if (*from == escapes[i][0])
					byte = escapes[i][1];
			from++;
		}
		*to++ = byte;
	}
	return (size_t)(to - text);
}

static void assert_alike(
	const char *name, const struct cgroup_identity *a, const struct cgroup_identity *b)
{
	if (a->kind != b->kind || a->runtime != b->runtime || a->qos != b->qos ||
		a->ambiguous != b->ambiguous || a->path != b->path ||
		a->path_length != b->path_length || a->container_length != b->container_length ||
		strcmp(a->container_id, b->container_id) != 0 ||
		strcmp(a->pod_uid, b->pod_uid) != 0)
		fail_msg("%s: another answer without memory", name);
}

static void parse_without_memory(
	const char *name, const char *text, size_t length, const struct cgroup_base *base)
{
	struct cgroup_identity with, without;

	cgroup_parse(text, length, base, &with);
	fail_allocation_at(1);
	cgroup_parse(text, length, base, &without);
	bool asked = fail_allocation_fired();

	fail_allocation_at(0);
	if (asked)
		fail_msg("%s: cgroup_parse() asked for memory", name);
	assert_alike(name, &with, &without);

	cgroup_parse_path(text, length, base, &with);
	fail_allocation_at(1);
	cgroup_parse_path(text, length, base, &without);
	asked = fail_allocation_fired();
	fail_allocation_at(0);
	if (asked)
		fail_msg("%s: cgroup_parse_path() asked for memory", name);
	assert_alike(name, &with, &without);
}

static const char *const prefixes[] = { "/kubepods.slice", "/system.slice/docker.service" };
static const struct cgroup_base base = { .prefixes = prefixes, .count = ARRAY_SIZE(prefixes) };

static void every_recorded_text_is_parsed_without_memory(void **state)
{
	_cleanup_fclose_ FILE *file = fopen(VECTORS, "re");
	_cleanup_free_ char *line = NULL;
	size_t space = 0, rows = 0, containers = 0;

	(void)state;
	if (!file)
		fail_msg("%s: %s (tests run in the project's folder)", VECTORS, strerror(errno));
	while (getline(&line, &space, file) > 0) {
		char *rest = line, *name = strsep(&rest, "\t"), *text = strsep(&rest, "\t");
		struct cgroup_identity identity;

		if (!text || rows++ == 0)
			continue; /* the first row names the columns */
		size_t length = unescape(text);

		parse_without_memory(name, text, length, NULL);
		parse_without_memory(name, text, length, &base);
		cgroup_parse(text, length, NULL, &identity);
		containers += identity.kind == CGROUP_CONTAINER;
	}
	assert_true(rows > 50);
	assert_true(containers > 30);
}

static void the_longest_texts_are_parsed_without_memory(void **state)
{
	static char text[65536];

	(void)state;
	for (size_t length = 1; length <= sizeof(text); length *= 16) {
		static const char *const patterns[] = { "0::/", "/..", ":", "\n",
			"1:a:/docker/0123456789abcdef\n", "/kubepods-pod.slice", "\xff\x01" };

		for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
			for (size_t j = 0; j < length; j++)
				text[j] = patterns[i][j % strlen(patterns[i])];
			parse_without_memory(patterns[i], text, length, &base);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_recorded_text_is_parsed_without_memory),
		cmocka_unit_test(the_longest_texts_are_parsed_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
