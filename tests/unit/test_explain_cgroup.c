/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `capauditd explain cgroup`: the right answer for every vector, and no harm from what a container
 * may write into its cgroup's name.
 */
#include "explain_fixture.h"

#define VECTORS "tests/data/cgroup_vectors.tsv"

/* Undoes the escapes of the vectors' second column. */
static size_t unescape(const char *from, char *to)
{
	char *end = to;

	for (; *from; from++) {
		if (*from != '\\') {
			*end++ = *from;
		} else if (*++from == 'n') {
			*end++ = '\n';
		} else if (*from == 't') {
			*end++ = '\t';
		} else if (*from == 'x') {
			const char digits[] = { from[1], from[2], '\0' };

			*end++ = (char)strtoul(digits, NULL, 16);
			from += 2;
		} else {
			*end++ = *from;
		}
	}
	*end = '\0';
	return (size_t)(end - to);
}

static void assert_column(const json_t *object, const char *key, const char *expected)
{
	const char *value = string_of(object, key);

	if (*expected)
		assert_string_equal(value ? value : "(null)", expected);
	else
		assert_null(value);
}

static void cgroup_json_has_the_answers_of_all_vectors(void **state)
{
	enum { NAME, CONTENT, RUNTIME, CONTAINER_ID, POD_UID, QOS, KIND, NOTE, COLUMNS };
	_cleanup_fclose_ FILE *file = fopen(VECTORS, "re");
	_cleanup_free_ char *line = NULL;
	size_t space = 0, rows = 0;

	(void)state;
	assert_non_null(file);
	while (getline(&line, &space, file) >= 0) {
		char *column[COLUMNS] = { 0 }, *rest = line, text[16384];
		json_t *object;
		size_t length;

		for (size_t i = 0; i < COLUMNS; i++)
			column[i] = strsep(&rest, "\t\n");
		assert_non_null(column[NOTE]);
		if (strcmp(column[NAME], "name") == 0)
			continue;
		assert_true(strlen(column[CONTENT]) < sizeof(text));
		length = unescape(column[CONTENT], text);
		object = explain_json("explain cgroup --format json", text, length);
		assert_int_equal(json_object_size(object), 5);
		assert_column(object, "kind", column[KIND]);
		assert_column(object, "runtime", column[RUNTIME]);
		assert_column(object, "container_id", column[CONTAINER_ID]);
		assert_column(object, "pod_uid", column[POD_UID]);
		assert_column(object, "qos", column[QOS]);
		json_decref(object);
		rows++;
	}
	assert_true(rows > 50);
}

static void a_cgroup_is_explained_to_people(void **state)
{
	static const char text[] =
		"0::/kubepods.slice/kubepods-burstable.slice/"
		"kubepods-burstable-pod2942c55e_c9cb_428a_93f4_eaf89c1f3ce0.slice/"
		"crio-49f9e8e5395d57c1083996c09e2e6f042d5fe1ec0310facab32f94912b35ce59.scope\n";
	struct capture capture =
		capture_command(command_explain, "explain cgroup", text, strlen(text));

	(void)state;
	assert_int_equal(capture.status, EXIT_STATUS_OK);
	assert_says(capture.out, "Kind container");
	assert_says(capture.out, "Runtime cri-o");
	assert_says(capture.out, "2942c55e-c9cb-428a-93f4-eaf89c1f3ce0");
	assert_says(capture.out, "QoS class Burstable");
	capture_done(&capture);
}

static void a_host_process_is_said_to_name_no_container(void **state)
{
	static const char text[] = "0::/system.slice/ssh.service\n";
	struct capture capture =
		capture_command(command_explain, "explain cgroup", text, strlen(text));

	(void)state;
	assert_int_equal(capture.status, EXIT_STATUS_OK);
	assert_says(capture.out, "Kind host");
	assert_says(capture.out, "Nothing in it names a container.");
	capture_done(&capture);
}

static void hostile_text_from_a_cgroup_reaches_no_terminal(void **state)
{
	static const char text[] = "0::/lxc.payload.a\033[2Jb\r\x01\xff\xc2\x9b"
				   "/\033]0;x\a\n1:name=\033:/\x7f\n";
	static const char *const lines[] = { "explain cgroup", "explain cgroup --format json" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct capture capture =
			capture_command(command_explain, lines[i], text, strlen(text));

		assert_int_equal(capture.status, EXIT_STATUS_OK);
		for (size_t j = 0; j < capture.out_length; j++) {
			unsigned char c = (unsigned char)capture.out[j];

			assert_true(c == '\n' || (c >= 0x20 && c < 0x7f));
		}
		capture_done(&capture);
	}
}

static void standard_input_is_read_to_one_mebibyte(void **state)
{
	const size_t limit = (size_t)1024 * 1024;
	_cleanup_free_ char *text = malloc(limit + 1);
	struct capture capture;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', limit + 1);
	memcpy(text, "0::/", 4);
	capture = capture_command(command_explain, "explain cgroup", text, limit);
	assert_int_equal(capture.status, EXIT_STATUS_OK);
	capture_done(&capture);
	capture = capture_command(command_explain, "explain cgroup", text, limit + 1);
	assert_int_equal(capture.status, EXIT_STATUS_USAGE);
	assert_string_equal(capture.out, "");
	assert_non_null(strstr(capture.err, "more than 1 MiB"));
	capture_done(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cgroup_json_has_the_answers_of_all_vectors),
		cmocka_unit_test(a_cgroup_is_explained_to_people),
		cmocka_unit_test(a_host_process_is_said_to_name_no_container),
		cmocka_unit_test(hostile_text_from_a_cgroup_reaches_no_terminal),
		cmocka_unit_test(standard_input_is_read_to_one_mebibyte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
