/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way to journald: what arrives in its socket, and that it is never waited for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/report/journal.h"

#include <capauditd/report.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static char path[64];

static int listen_there(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, sizeof(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int set_up(void **state)
{
	struct journal_link *link;

	(void)snprintf(path, sizeof(path), "/tmp/capauditd-journal-%d", getpid());
	assert_int_equal(journal_link_new(path, &link), 0);
	*state = link;
	return 0;
}

static int tear_down(void **state)
{
	journal_link_free(*state);
	(void)unlink(path);
	return 0;
}

static int send_one(const struct journal_link *link, char *field, size_t length)
{
	char first[] = "PRIORITY=6";
	char *const fields[] = { first, field };
	const size_t lengths[] = { strlen(first), length };

	return journal_link_send(link, fields, lengths, 2);
}

static void fields_arrive_as_the_protocol_has_them(void **state)
{
	static const char expected[] = "PRIORITY=6\nMESSAGE\n\3\0\0\0\0\0\0\0a\nb\n";
	char field[] = "MESSAGE=a\nb", got[128];
	int fd = listen_there();

	assert_int_equal(send_one(*state, field, strlen(field)), 0);
	assert_int_equal(recv(fd, got, sizeof(got), 0), sizeof(expected) - 1);
	assert_memory_equal(got, expected, sizeof(expected) - 1);
	(void)close(fd);
}

static void an_entry_beyond_a_datagram_comes_as_a_sealed_file(void **state)
{
	const size_t length = 20u << 20;
	char *field = malloc(length), *got = malloc(length + 64);
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control.room) };
	int fd = listen_there(), file;

	assert_true(field && got);
	memset(field, 'x', length);
	memcpy(field, "MESSAGE=", 8);
	assert_int_equal(send_one(*state, field, length), 0);
	assert_int_equal(recvmsg(fd, &message, 0), 0);
	assert_non_null(CMSG_FIRSTHDR(&message));
	assert_int_equal(CMSG_FIRSTHDR(&message)->cmsg_type, SCM_RIGHTS);
	memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(file));
	assert_int_equal(
		fcntl(file, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	assert_int_equal(pread(file, got, length + 64, 0), 11 + length + 1);
	assert_memory_equal(got, "PRIORITY=6\n", 11);
	assert_memory_equal(got + 11, field, length);
	assert_int_equal(got[11 + length], '\n');
	(void)close(file);
	(void)close(fd);
	free(field);
	free(got);
}

static void a_stuck_journald_is_not_waited_for_and_gets_the_rest_later(void **state)
{
	char field[] = "MESSAGE=x", got[64];
	int fd = listen_there(), r = 0;
	unsigned sent = 0, received = 0;

	while (sent < 100000 && (r = send_one(*state, field, strlen(field))) == 0)
		sent++;
	assert_int_equal(r, -EAGAIN);
	assert_true(sent > 0);
	while (recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0)
		received++;
	assert_int_equal(received, sent);
	assert_int_equal(send_one(*state, field, strlen(field)), 0);
	(void)close(fd);
}

static void a_missing_and_a_dead_socket_are_errors_until_it_is_there(void **state)
{
	char field[] = "MESSAGE=x";
	int fd;

	assert_int_equal(send_one(*state, field, strlen(field)), -ENOENT);
	fd = listen_there();
	assert_int_equal(send_one(*state, field, strlen(field)), 0);
	(void)close(fd);
	assert_int_equal(send_one(*state, field, strlen(field)), -ECONNREFUSED);
	(void)unlink(path);
	fd = listen_there();
	assert_int_equal(send_one(*state, field, strlen(field)), 0);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			fields_arrive_as_the_protocol_has_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_entry_beyond_a_datagram_comes_as_a_sealed_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_stuck_journald_is_not_waited_for_and_gets_the_rest_later, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_missing_and_a_dead_socket_are_errors_until_it_is_there, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
