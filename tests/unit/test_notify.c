/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the service manager is told, and that it is not waited for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/command/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager;

static void listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));

	memcpy(address.sun_path, path, strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&address, length), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
}

static void what_is_notified_arrives(void **state)
{
	char path[64], text[64];

	(void)state;
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s-%d", i ? "@capauditd-test" : "/tmp/notify",
			getpid());
		listen_at(path);
		assert_int_equal(notify("STATUS=%d open", 3), 0);
		assert_int_equal(recv(manager, text, sizeof(text), 0), 13);
		assert_memory_equal(text, "STATUS=3 open", 13);
		(void)close(manager);
		assert_true(notify("READY=1") < 0);
		if (!i)
			(void)unlink(path);
	}
	(void)unsetenv("NOTIFY_SOCKET");
}

static void a_manager_that_does_not_read_is_not_waited_for(void **state)
{
	char path[64];
	int r = 0;

	(void)state;
	(void)snprintf(path, sizeof(path), "@capauditd-full-%d", getpid());
	listen_at(path);
	for (unsigned i = 0; i < 100000 && r == 0; i++)
		r = notify("WATCHDOG=1");
	assert_int_equal(r, -EAGAIN);
	(void)close(manager);
	(void)unsetenv("NOTIFY_SOCKET");
}

static void where_nobody_asked_nothing_is_said(void **state)
{
	(void)state;
	(void)unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify("READY=1"), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", "vsock:2:1", 1), 0);
	assert_int_equal(notify("READY=1"), -EAFNOSUPPORT);
	(void)unsetenv("NOTIFY_SOCKET");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_notified_arrives),
		cmocka_unit_test(a_manager_that_does_not_read_is_not_waited_for),
		cmocka_unit_test(where_nobody_asked_nothing_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
