/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --output: whole or not at all. And lines for a reader that does not read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/command/output_file.h"

#include <capauditd/command.h>
#include <capauditd/macros.h>
#include <capauditd/report.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char folder[] = "/tmp/capauditd-output-XXXXXX";
static char path[sizeof(folder) + 16];

static int set_up(void **state)
{
	(void)state;
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/report", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder); /* fails where something was left behind */
}

static void assert_content(const char *expected)
{
	_cleanup_free_ char *text = NULL;
	size_t length;

	assert_int_equal(read_whole_file(path, 1024, &text, &length), 0);
	assert_int_equal(length, strlen(expected));
	assert_memory_equal(text, expected, length);
}

static void a_file_is_made_with_the_usual_mode(void **state)
{
	mode_t mask = umask(027);
	struct stat st;

	(void)state;
	assert_int_equal(output_file_write(path, "one\n", 4), 0);
	(void)umask(mask);
	assert_content("one\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void an_old_file_is_replaced_in_one_step(void **state)
{
	_cleanup_close_ int old = -1;
	char buffer[8];

	(void)state;
	assert_int_equal(output_file_write(path, "one\n", 4), 0);
	old = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(old >= 0);
	assert_int_equal(output_file_write(path, "two\n", 4), 0);
	assert_content("two\n");
	assert_int_equal(read(old, buffer, sizeof(buffer)), 4); /* who had it open has it still */
	assert_memory_equal(buffer, "one\n", 4);
}

static void what_cannot_be_written_leaves_the_old_file(void **state)
{
	struct rlimit limit, small = { 100, 100 };
	char text[4096] = { 0 };

	(void)state;
	assert_int_equal(output_file_write(path, "old\n", 4), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small.rlim_max = limit.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(output_file_write(path, text, sizeof(text)), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_content("old\n");
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(output_file_write("/nonexistent/x", "x", 1), -ENOENT);
}

static void lines_wait_for_a_reader_and_come_in_order(void **state)
{
	struct line_stream *stream;
	int ends[2], r = 0;
	unsigned put = 0, got = 0;
	char line[64], *text = NULL;
	size_t length = 0;
	FILE *reader;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(line_stream_new(ends[1], &stream), 0);
	/* far more than a pipe holds: this returns, though nobody reads */
	while (put < 20000 && r == 0) {
		(void)snprintf(line, sizeof(line), "line %u of many that nobody reads", put);
		r = line_stream_put(stream, line);
		put += r == 0;
	}
	assert_int_equal(r, 0);
	assert_true(line_stream_flush(stream) > 0);
	/* the writer's own end was not made non-blocking for others */
	assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);

	reader = fdopen(ends[0], "r");
	assert_non_null(reader);
	while (got < put) {
		char expected[64];

		(void)snprintf(
			expected, sizeof(expected), "line %u of many that nobody reads\n", got);
		(void)line_stream_flush(stream);
		assert_true(getline(&text, &length, reader) > 0);
		assert_string_equal(text, expected);
		got++;
	}
	assert_int_equal(line_stream_flush(stream), 0);
	free(text);
	(void)fclose(reader);
	line_stream_free(stream);
	(void)close(ends[1]);
}

static void what_waits_is_bounded(void **state)
{
	struct line_stream *stream;
	int ends[2], r = 0;
	char *line = malloc(100001);

	(void)state;
	assert_non_null(line);
	memset(line, 'x', 100000);
	line[100000] = '\0';
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(line_stream_new(ends[1], &stream), 0);
	for (unsigned i = 0; i < 200 && r == 0; i++)
		r = line_stream_put(stream, line);
	assert_int_equal(r, -ENOBUFS);
	line_stream_free(stream);
	(void)close(ends[0]);
	(void)close(ends[1]);
	free(line);
}

static void a_reader_that_has_gone_is_an_error(void **state)
{
	struct line_stream *stream;
	int ends[2];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(line_stream_new(ends[1], &stream), 0);
	(void)close(ends[0]);
	assert_int_equal(line_stream_put(stream, "x"), -EPIPE);
	line_stream_free(stream);
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_file_is_made_with_the_usual_mode, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_old_file_is_replaced_in_one_step, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_written_leaves_the_old_file, set_up, tear_down),
		cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
		cmocka_unit_test(lines_wait_for_a_reader_and_come_in_order),
		cmocka_unit_test(what_waits_is_bounded),
		cmocka_unit_test(a_reader_that_has_gone_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
