/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /proc/PID/cgroup: every row of the two tables, and what must hold of any row: nothing that a
 * container creates below its own cgroup changes whose it is.
 */
#include <capauditd/cgroup.h>
#include <capauditd/macros.h>

#include "../support/fail_allocation.h"
#include "../support/under_valgrind.h"
#include "cgroup_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum column { NAME, TEXT, RUNTIME, CONTAINER_ID, POD_UID, QOS, KIND, NOTE, COLUMNS };

struct row {
	char *column[COLUMNS];
	char *text; /* unescaped */
	size_t length;
};

static const char *const tables[] = { "tests/data/cgroup_vectors.tsv",
	"tests/data/cgroup_more.tsv" };

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit = strchr(digits, c);

	assert_non_null(digit);
	return (int)(digit - digits);
}

/* In place, into a block of its size. */
static void unescape(struct row *row)
{
	char *to = row->column[TEXT];

	for (const char *from = row->column[TEXT]; *from; from++) {
		if (*from != '\\') {
			*to++ = *from;
			continue;
		}
		from++;
		if (*from == 'x') {
			*to++ = (char)(hex(from[1]) << 4 | hex(from[2]));
			from += 2;
		} else {
			assert_non_null(strchr("nt\\", *from));
			if (*from == 'n')
				*to++ = '\n';
			else if (*from == 't')
				*to++ = '\t';
			else
				*to++ = '\\';
		}
	}
	row->length = (size_t)(to - row->column[TEXT]);
	row->text = malloc(row->length ? row->length : 1);
	assert_non_null(row->text);
	memcpy(row->text, row->column[TEXT], row->length);
}

typedef void (*row_check)(const struct row *row, void *data);

/* Calls `check` for every row of both tables. */
static void for_each_row(row_check check, void *data)
{
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		_cleanup_fclose_ FILE *file = fopen(tables[t], "re");
		_cleanup_free_ char *line = NULL;
		size_t size = 0, rows = 0;

		assert_non_null(file);
		for (ssize_t n; (n = getline(&line, &size, file)) > 0; rows++) {
			struct row row = { .text = NULL };
			char *rest = line;

			if (line[n - 1] == '\n')
				line[n - 1] = '\0';
			if (rows == 0)
				continue; /* the head */
			for (size_t i = 0; i < COLUMNS; i++)
				row.column[i] = strsep(&rest, "\t");
			assert_non_null(row.column[COLUMNS - 1]);
			assert_null(rest);
			unescape(&row);
			check(&row, data);
			free(row.text);
		}
		assert_true(rows > 60);
	}
}

static bool same_attribution(const struct cgroup_identity *a, const struct cgroup_identity *b)
{
	return a->kind == b->kind && strcmp(or_empty(a->runtime), or_empty(b->runtime)) == 0 &&
	       strcmp(a->container_id, b->container_id) == 0 &&
	       strcmp(a->pod_uid, b->pod_uid) == 0 && a->qos == b->qos &&
	       a->ambiguous == b->ambiguous && a->below_user_manager == b->below_user_manager;
}

static void assert_same(const struct row *row, const char *change, const struct cgroup_identity *a,
	const struct cgroup_identity *b)
{
	if (!same_attribution(a, b))
		fail_msg("%s, %s: %s %s %s became %s %s %s", row->column[NAME], change,
			cgroup_kind_name(a->kind), or_empty(a->runtime), a->container_id,
			cgroup_kind_name(b->kind), or_empty(b->runtime), b->container_id);
}

static void check_column(const struct row *row, enum column column, const char *got)
{
	if (strcmp(row->column[column], or_empty(got)) != 0)
		fail_msg("%s, column %u: \"%s\", not \"%s\"", row->column[NAME], column + 1,
			or_empty(got), row->column[column]);
}

static void check_answer(const struct row *row, void *data)
{
	struct cgroup_identity identity = parse(row->text, row->length);

	(void)data;
	check_column(row, RUNTIME, identity.runtime);
	check_column(row, CONTAINER_ID, identity.container_id);
	check_column(row, POD_UID, identity.pod_uid);
	check_column(row, QOS, qos_class_name(identity.qos));
	check_column(row, KIND, cgroup_kind_name(identity.kind));
}

static void every_row_has_its_answer(void **state)
{
	(void)state;
	for_each_row(check_answer, NULL);
}

static void check_cuts(const struct row *row, void *data)
{
	(void)data;
	for (size_t length = 0; length <= row->length; length += under_valgrind(1, 7)) {
		_cleanup_free_ char *copy = malloc(length ? length : 1);
		struct cgroup_identity identity;

		assert_non_null(copy);
		memcpy(copy, row->text, length);
		identity = parse(copy, length);
		assert_sound(copy, length, &identity);
	}
}

static void a_text_that_is_cut_anywhere_gives_a_sound_answer(void **state)
{
	(void)state;
	for_each_row(check_cuts, NULL);
}

static void check_broken_bytes(const struct row *row, void *data)
{
	static const char bytes[] = { 0, '\n', ':', '/', '\xff', '.', '9' };
	_cleanup_free_ char *copy = malloc(row->length ? row->length : 1);

	(void)data;
	assert_non_null(copy);
	for (size_t at = 0; at < row->length; at += under_valgrind(1, 7)) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			struct cgroup_identity identity;

			memcpy(copy, row->text, row->length);
			copy[at] = bytes[i];
			identity = parse(copy, row->length);
			assert_sound(copy, row->length, &identity);
		}
	}
}

static void a_text_with_any_byte_broken_gives_a_sound_answer(void **state)
{
	(void)state;
	for_each_row(check_broken_bytes, NULL);
}

/* What a container may create below its own part. ("/supervisor" right below a machine's scope is
 * nspawn's: the machine was given the payload beside it.) */
static const char *const hostile_suffixes[] = {
	"/container",
	"/init.scope",
	"/system.slice/sshd.service",
	"/system.slice/docker-" ID_B ".scope",
	"/docker/" ID_B,
	"/" ID_B,
	"/" ID_B ".scope",
	"/kubepods/burstable/pod22222222-2222-2222-2222-222222222222/" ID_B,
	"/kubepods.slice/kubepods-pod22222222_2222_2222_2222_222222222222.slice/crio-" ID_B
	".scope",
	"/kubepods-burstable-pod22222222_2222_2222_2222_222222222222.slice:cri-containerd:" ID_B,
	"/pod22222222-2222-2222-2222-222222222222",
	"/crio-conmon-" ID_B ".scope",
	"/crio-conmon-" ID_A ".scope",
	"/libpod-conmon-" ID_B ".scope",
	"/libpod_parent/conmon",
	"/conmon",
	"/lxc.monitor.x",
	"/lxc.payload.x",
	"/lxc/x",
	"/payload/supervisor",
	"/supervisor/x",
	"/x.service/runtime",
	"/runtime",
	"/kata_overhead/" ID_B,
	"/machine.slice/machine-x.scope/supervisor",
	"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope",
	"/user.slice/user-0.slice/user@0.service/app.slice",
	"/garden/x",
	"/ecs/0123456789abcdef0123456789abcdef-1",
	"/...",
	"/.../...",
	"/a:b:c",
	"/0::/",
	"/x (deleted)",
	"/x (deleted)/y",
	"/ ",
	"/\t\x1b[31m\r\b",
	"/\xff\xfe\x80",
	"/\xe2\x80\xae",
};

/* The row's text with `suffix` appended to the lines that name its container: to all (`only` is
 * SIZE_MAX), or to the one of that number. The number of such lines is in *ret_lines. */
static char *append_below(const struct row *row, const char *suffix, size_t only,
	size_t *ret_length, size_t *ret_lines)
{
	size_t lines = 0, used = 0;
	char *out = malloc(row->length + 64 * strlen(suffix) + 1);

	assert_non_null(out);
	for (size_t at = 0; at < row->length;) {
		const char *newline = memchr(row->text + at, '\n', row->length - at);
		size_t length = newline ? (size_t)(newline - row->text) - at : row->length - at;
		struct cgroup_identity line = parse(row->text + at, length);
		bool names = line.kind == CGROUP_CONTAINER;

		memcpy(out + used, row->text + at, length);
		used += length;
		if (names && (only == SIZE_MAX || only == lines)) {
			/* What was removed is no place to create anything in. */
			used -= (size_t)(row->text + at + length - line.path) - line.path_length;
			memcpy(out + used, suffix, strlen(suffix));
			used += strlen(suffix);
		}
		lines += names;
		out[used++] = '\n';
		at += length + 1;
	}
	*ret_length = used;
	*ret_lines = lines;
	return out;
}

static void check_suffixes(const struct row *row, void *data)
{
	struct cgroup_identity plain = parse(row->text, row->length);

	(void)data;
	if (plain.kind != CGROUP_CONTAINER)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(hostile_suffixes); i++) {
		size_t lines = 1;

		for (size_t only = 0; only <= lines; only++) {
			size_t length;
			_cleanup_free_ char *text = append_below(row, hostile_suffixes[i],
				only == lines ? SIZE_MAX : only, &length, &lines);
			struct cgroup_identity below = parse(text, length);

			/* Helpers that contradict each other give a container of which no line
			 * speaks. */
			assert_true(lines > 0 || plain.ambiguous);
			assert_sound(text, length, &below);
			assert_same(row, hostile_suffixes[i], &plain, &below);
		}
	}
}

static void nothing_that_is_created_below_a_container_changes_whose_it_is(void **state)
{
	(void)state;
	for_each_row(check_suffixes, NULL);
}

static void check_own_part(const struct row *row, void *data)
{
	struct cgroup_identity whole = parse(row->text, row->length);
	_cleanup_free_ char *line = NULL;
	struct cgroup_identity part;

	(void)data;
	if (whole.kind != CGROUP_CONTAINER || whole.ambiguous)
		return;
	/* That part alone names it, as far as a path does. */
	assert_true(asprintf(&line, "1:x:%.*s\n", (int)whole.container_length, whole.path) > 0);
	part = parse_string(line);
	assert_int_equal(part.kind, CGROUP_CONTAINER);
	assert_string_equal(part.container_id, whole.container_id);
	assert_int_equal(part.container_length, part.path_length);
	assert_true(whole.container_length == whole.path_length ||
		    whole.path[whole.container_length] == '/');
}

static void the_part_that_names_a_container_is_enough_to_name_it(void **state)
{
	(void)state;
	for_each_row(check_own_part, NULL);
}

struct line {
	const char *rest;
	int rest_length;
	unsigned hierarchy;
};

/* Turns the lines of version 1 around while their numbers keep falling: another machine on which
 * the controllers were mounted the other way round. */
static void check_order(const struct row *row, void *data)
{
	struct cgroup_identity straight = parse(row->text, row->length), turned;
	struct line lines[64];
	size_t count = 0, used = 0;
	_cleanup_free_ char *text = malloc(row->length + 64);

	(void)data;
	assert_non_null(text);
	for (size_t at = 0; at < row->length;) {
		const char *start = row->text + at;
		const char *newline = memchr(start, '\n', row->length - at);
		char *colon;

		if (!newline || newline == start || count == ARRAY_SIZE(lines))
			return;
		lines[count].hierarchy = (unsigned)strtoul(start, &colon, 10);
		if (*colon != ':' ||
			(count && lines[count].hierarchy >= lines[count - 1].hierarchy))
			return; /* none that a kernel wrote */
		lines[count].rest = colon;
		lines[count++].rest_length = (int)(newline - colon);
		at += (size_t)(newline - start) + 1;
	}
	for (size_t i = 0, old = count; i < count; i++) {
		const struct line *from = &lines[i];

		if (lines[i].hierarchy > 0) {
			while (lines[--old].hierarchy == 0)
				;
			from = &lines[old];
		}
		used += (size_t)sprintf(
			text + used, "%u%.*s\n", lines[i].hierarchy, from->rest_length, from->rest);
	}
	assert_int_equal(used, row->length);
	turned = parse(text, used);
	assert_same(row, "turned around", &straight, &turned);
}

static void the_order_in_which_controllers_are_mounted_does_not_matter(void **state)
{
	(void)state;
	for_each_row(check_order, NULL);
}

static void check_path_alone(const struct row *row, void *data)
{
	struct cgroup_identity line = parse(row->text, row->length), alone;
	const char *newline = memchr(row->text, '\n', row->length);

	(void)data;
	if (!newline || newline + 1 != row->text + row->length ||
		strncmp(row->text, "0::", strlen("0::")) != 0)
		return;
	cgroup_parse_path(row->text + 3, row->length - 4, NULL, &alone);
	assert_same(row, "as a path", &line, &alone);
	assert_ptr_equal(alone.path, line.path);
	assert_int_equal(alone.container_length, line.container_length);
}

static void a_path_alone_is_read_like_a_line(void **state)
{
	(void)state;
	for_each_row(check_path_alone, NULL);
}

static void check_runtime_known(const struct row *row, void *data)
{
	const char *const *known = cgroup_runtimes();

	(void)data;
	if (!*row->column[RUNTIME])
		return;
	while (*known && strcmp(*known, row->column[RUNTIME]) != 0)
		known++;
	if (!*known)
		fail_msg("%s is not among cgroup_runtimes()", row->column[RUNTIME]);
}

static void every_runtime_is_listed(void **state)
{
	(void)state;
	for_each_row(check_runtime_known, NULL);
}

struct search {
	const char *runtime;
	bool found;
};

static void look_for_runtime(const struct row *row, void *data)
{
	struct search *search = data;

	search->found |= strcmp(row->column[RUNTIME], search->runtime) == 0;
}

static void every_listed_runtime_has_a_row(void **state)
{
	(void)state;
	for (const char *const *name = cgroup_runtimes(); *name; name++) {
		struct search search = { .runtime = *name };

		for_each_row(look_for_runtime, &search);
		if (!search.found)
			fail_msg("no row for %s", *name);
	}
}

static void check_no_allocation(const struct row *row, void *data)
{
	bool fired;

	(void)data;
	fail_allocation_at(1);
	(void)parse(row->text, row->length);
	fired = fail_allocation_fired();
	fail_allocation_at(0);
	assert_false(fired);
}

static void nothing_is_allocated(void **state)
{
	(void)state;
	for_each_row(check_no_allocation, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_has_its_answer),
		cmocka_unit_test(a_text_that_is_cut_anywhere_gives_a_sound_answer),
		cmocka_unit_test(a_text_with_any_byte_broken_gives_a_sound_answer),
		cmocka_unit_test(nothing_that_is_created_below_a_container_changes_whose_it_is),
		cmocka_unit_test(the_part_that_names_a_container_is_enough_to_name_it),
		cmocka_unit_test(the_order_in_which_controllers_are_mounted_does_not_matter),
		cmocka_unit_test(a_path_alone_is_read_like_a_line),
		cmocka_unit_test(every_runtime_is_listed),
		cmocka_unit_test(every_listed_runtime_has_a_row),
		cmocka_unit_test(nothing_is_allocated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
