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
#include <sys/socket.h>
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
	assert_int_equal(output_file_write("/tmp/", "x", 1), -EISDIR);
	assert_int_equal(output_file_write("/tmp", "x", 1), -EISDIR);
	assert_int_equal(output_file_write("", "x", 1), -ENOENT);
}

static void a_name_without_a_folder_is_in_the_working_directory(void **state)
{
	_cleanup_close_ int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(output_file_write("report", "one\n", 4), 0);
	assert_content("one\n");
	assert_int_equal(output_file_write("./report", "two\n", 4), 0);
	assert_content("two\n");
	assert_int_equal(fchdir(before), 0);
}

/* Makes a link in the folder; its path is static. */
static const char *make_link(const char *name, const char *target)
{
	static char link[sizeof(path) + 8];

	(void)snprintf(link, sizeof(link), "%s/%s", folder, name);
	assert_int_equal(symlink(target, link), 0);
	return link;
}

static void a_link_of_our_own_leads_to_the_file_that_is_replaced(void **state)
{
	const char *const targets[] = { "report", path, "./report", "../nonexistent/../x" };
	const char *link;
	struct stat st;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		link = make_link("link", targets[i]);
		assert_int_equal(output_file_write(link, i % 2 ? "one\n" : "two\n", 4), 0);
		assert_content(i % 2 ? "one\n" : "two\n");
		assert_int_equal(lstat(link, &st), 0);
		assert_true(S_ISLNK(st.st_mode));
		assert_int_equal(unlink(link), 0);
	}
	link = make_link("link", targets[3]);
	assert_int_equal(output_file_write(link, "x", 1), -ENOENT);
	assert_int_equal(unlink(link), 0);
	link = make_link("link", "link");
	assert_int_equal(output_file_write(link, "x", 1), -ELOOP);
	assert_int_equal(unlink(link), 0);
}

/* Somebody may have put it there for a file of ours to be replaced. */
static void a_link_in_a_folder_of_others_is_not_followed(void **state)
{
	const char *link;
	char through[sizeof(path) + 32], target[sizeof(path) + 8];

	(void)state;
	assert_int_equal(output_file_write(path, "one\n", 4), 0);
	link = make_link("link", "report");
	assert_int_equal(chmod(folder, 01777), 0);
	assert_int_equal(output_file_write(link, "two\n", 4), -ELOOP);
	assert_content("one\n");
	/* Nor on the way. */
	assert_int_equal(unlink(link), 0);
	link = make_link("link", ".");
	(void)snprintf(through, sizeof(through), "%s/report", link);
	assert_int_equal(output_file_write(through, "two\n", 4), -ELOOP);
	assert_content("one\n");
	assert_int_equal(unlink(link), 0);
	/* Nor where one of ours leads to it. */
	(void)snprintf(target, sizeof(target), "%s/own", folder);
	assert_int_equal(mkdir(target, 0700), 0);
	link = make_link("link", "report");
	(void)snprintf(through, sizeof(through), "%s/first", target);
	assert_int_equal(symlink("../link", through), 0);
	assert_int_equal(output_file_write(through, "two\n", 4), -ELOOP);
	assert_content("one\n");
	assert_int_equal(unlink(through), 0);
	assert_int_equal(rmdir(target), 0);
	assert_int_equal(unlink(link), 0);
	/* A file is none of these. */
	assert_int_equal(output_file_write(path, "two\n", 4), 0);
	assert_content("two\n");
}

/* "/dev/stdout" is a link to one to one. */
static void what_is_open_is_written_to_by_its_link_in_proc(void **state)
{
	char link[64], text[8];
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", ends[1]);
	assert_int_equal(output_file_write(link, "one\n", 4), 0);
	assert_int_equal(read(ends[0], text, sizeof(text)), 4);
	(void)snprintf(link, sizeof(link), "/dev/fd/%d", ends[1]);
	assert_int_equal(output_file_write(link, "two\n", 4), 0);
	assert_int_equal(read(ends[0], text, sizeof(text)), 4);
	assert_memory_equal(text, "two\n", 4);
	(void)close(ends[0]);
	(void)close(ends[1]);
	assert_int_equal(output_file_write("/dev/null", "x", 1), 0);
}

static void a_pipe_that_somebody_put_there_is_not_written_to(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: only root can make somebody else's\n");
		skip();
	}
	assert_int_equal(mkfifo(path, 0666), 0);
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_int_equal(chmod(folder, 01777), 0);
	assert_int_equal(output_file_write(path, "x", 1), -EPERM);
}

static void number(char *line, unsigned at)
{
	char digits[10];

	(void)snprintf(digits, sizeof(digits), "%09u", at % 1000000u);
	memcpy(line, digits, 9);
}

/* What writes is one end of a pipe or of a pair of sockets. */
static void lines_come_in_order_and_their_writer_never_waits(void **state)
{
	static char line[30000];

	(void)state;
	for (int sockets = 0; sockets < 2; sockets++) {
		struct line_stream *stream;
		unsigned put = 0, got = 0;
		char *text = NULL;
		size_t space = 0;
		FILE *reader;
		int ends[2], r;

		if (sockets)
			assert_int_equal(
				socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		else
			assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		assert_int_equal(line_stream_new(ends[1], &stream), 0);
		reader = fdopen(ends[0], "r");
		assert_non_null(reader);
		memset(line, 'x', sizeof(line) - 1);
		while (got < 100) {
			/* more than it holds: this returns, though nobody reads */
			number(line, put);
			while ((r = line_stream_put(stream, line)) >= 0) {
				assert_true(r == line_stream_waits(stream));
				number(line, ++put);
			}
			assert_int_equal(r, -EAGAIN);
			assert_true(put > 1 && put > got);
			/* the writer's own end was not made non-blocking for others */
			assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
			while (got < put) {
				if (line_stream_waits(stream))
					assert_true(line_stream_flush(stream) >= 0);
				assert_int_equal(getline(&text, &space, reader), sizeof(line));
				assert_int_equal(strtoul(text, NULL, 10), got++);
			}
		}
		free(text);
		(void)fclose(reader);
		line_stream_free(stream);
		(void)close(ends[1]);
	}
}

static void what_cannot_be_set_to_non_blocking_is_not_waited_for(void **state)
{
	static char text[1u << 20];
	ssize_t n, all = 0;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	while ((n = write_without_waiting(ends[1], text, sizeof(text))) > 0)
		all += n;
	assert_int_equal(n, -EAGAIN);
	assert_true(all >= 4096);
	(void)close(ends[0]);
	(void)close(ends[1]);
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
		cmocka_unit_test_setup_teardown(
			a_name_without_a_folder_is_in_the_working_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_link_of_our_own_leads_to_the_file_that_is_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_link_in_a_folder_of_others_is_not_followed, set_up, tear_down),
		cmocka_unit_test(what_is_open_is_written_to_by_its_link_in_proc),
		cmocka_unit_test_setup_teardown(
			a_pipe_that_somebody_put_there_is_not_written_to, set_up, tear_down),
		cmocka_unit_test(lines_come_in_order_and_their_writer_never_waits),
		cmocka_unit_test(what_cannot_be_set_to_non_blocking_is_not_waited_for),
		cmocka_unit_test(a_reader_that_has_gone_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
