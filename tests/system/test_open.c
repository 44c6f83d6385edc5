/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `capauditd status`: what a daemon has open, in every format, for whom it is meant, and what it
 * says where there is no daemon to ask.
 */
#include "sys_http.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char *socket_path(struct sys *sys)
{
	return sys_print(sys, "%s/run/socket", sys->directory);
}

static struct sys_daemon *start(struct sys *sys, const char *run)
{
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);
	const char *const argv[] = { "--socket", socket_path(sys), NULL };

	sys_need_containers(sys);
	sys_write_file(policy, sys_print(sys, "version: 1\nrun: { outputs: [stdout], %s }\n", run));
	return sys_run(sys, &(struct sys_daemon_options){ .policy = policy, .argv = argv });
}

/* A daemon that has told of a violation of each of them. */
static struct sys_daemon *start_with(struct sys *sys, struct sys_container *const *containers)
{
	struct sys_daemon *daemon = start(sys, "interval: 1s");

	for (; *containers; containers++) {
		size_t from = 0;

		(void)sys_daemon_wait(daemon, &from, *containers, "opened");
	}
	return daemon;
}

static struct sys_container *start_web(struct sys *sys)
{
	return sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN,
				      .name = "web",
				      .pod = "web-0",
				      .namespace_name = "shop" });
}

#define STATUS(sys, ...) \
	sys_capauditd(sys, SYS_ROOT, "status", "--socket", socket_path(sys), __VA_ARGS__)

static void a_finding_is_told_as_the_daemon_told_it(void **state)
{
	struct sys *sys = *state;
	struct sys_container *containers[] = { start_web(sys), NULL };
	struct sys_daemon *daemon = start_with(sys, containers);
	size_t from = 0;
	json_t *told = sys_daemon_wait(daemon, &from, containers[0], "opened");
	struct sys_result *lines =
		STATUS(sys, "--container", containers[0]->id, "--format", "jsonl", (char *)NULL);
	json_t *line = json_loads(lines->out, JSON_REJECT_DUPLICATES, NULL);

	assert_int_equal(lines->status, 1);
	assert_non_null(line);
	assert_string_equal(sys_get(sys, line, "id"), sys_get(sys, told, "id"));
	assert_string_equal(sys_get(sys, line, "schema"), "capauditd.finding/v1");
	assert_string_equal(sys_get(sys, line, "state"), "opened");
	assert_string_equal(sys_get(sys, line, "pod.namespace"), "shop");
	json_decref(line);
}

static void json_is_one_document(void **state)
{
	struct sys *sys = *state;
	struct sys_container *containers[] = { start_web(sys), NULL };

	(void)start_with(sys, containers);
	struct sys_result *result =
		STATUS(sys, "--container", containers[0]->id, "--format", "json", (char *)NULL);
	json_t *document = json_loads(result->out, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(document);
	assert_string_equal(sys_get(sys, document, "schema"), "capauditd.status/v1");
	assert_int_equal(sys_number(document, "totals.violations"), 1);
	assert_int_equal(json_array_size(json_object_get(document, "findings")), 1);
	json_decref(document);
}

static void the_table_names_containers(void **state)
{
	struct sys *sys = *state;
	struct sys_container *containers[] = { start_web(sys), NULL };

	(void)start_with(sys, containers);
	struct sys_result *result =
		STATUS(sys, "--container", containers[0]->id, "--color", "never", (char *)NULL);

	assert_int_equal(result->status, 1);
	assert_non_null(strstr(result->out, "NAMESPACE"));
	assert_non_null(strstr(result->out, "web-0"));
	assert_non_null(strstr(result->out, "SYS_ADMIN"));
	assert_non_null(strstr(result->out, "1 violation (1 high)"));
}

static void filters_are_those_of_scan(void **state)
{
	struct sys *sys = *state;
	struct sys_container *containers[] = { start_web(sys),
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN,
				       .name = "cache",
				       .pod = "cache-0",
				       .namespace_name = "edge" }),
		NULL };
	const char *const filters[][2] = { { "--namespace", "sh*" }, { "--pod", "web-?" },
		{ "--container", "web" },
		{ "--pid", sys_print(sys, "%d", (int)containers[0]->pid) },
		{ "--container", sys_print(sys, "%.20s", containers[0]->id) } };

	(void)start_with(sys, containers);
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct sys_result *result = STATUS(
			sys, filters[i][0], filters[i][1], "--format", "jsonl", (char *)NULL);

		assert_non_null(strstr(result->out, containers[0]->id));
		assert_null(strstr(result->out, containers[1]->id));
	}
	/* What nothing matches may be well, or misspelt: it is said. */
	struct sys_result *none = STATUS(sys, "--namespace", "shopp", (char *)NULL);
	assert_int_equal(none->status, 0);
	assert_non_null(strstr(none->err, "nothing that is open matches"));
}

static void the_exit_status_is_what_fail_on_asks_for(void **state)
{
	struct sys *sys = *state;
	struct sys_container *containers[] = { start_web(sys), NULL };
	static const struct {
		const char *fail_on;
		int status;
	} rows[] = { { "violation", 1 }, { "drift", 0 }, { "tolerated", 1 }, { "none", 0 } };

	(void)start_with(sys, containers);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(STATUS(sys, "--container", containers[0]->id, "--fail-on",
					 rows[i].fail_on, (char *)NULL)
					 ->status,
			rows[i].status);
}

static void what_is_over_is_not_told(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_web(sys);
	struct sys_container *containers[] = { container, NULL };
	struct sys_daemon *daemon = start_with(sys, containers);
	struct sys_container known = *container;
	size_t from = 0;

	sys_stop(sys, container);
	sys_daemon_signal(daemon, SIGUSR1);
	(void)sys_daemon_wait(daemon, &from, &known, "resolved");
	struct sys_result *result =
		STATUS(sys, "--container", known.id, "--format", "jsonl", (char *)NULL);
	assert_int_equal(result->status, 0);
	assert_string_equal(result->out, "");
}

static void a_file_is_written_whole(void **state)
{
	struct sys *sys = *state;
	struct sys_container *containers[] = { start_web(sys), NULL };
	char *file = sys_print(sys, "%s/status.json", sys->directory), *text;

	(void)start_with(sys, containers);
	struct sys_result *result = STATUS(sys, "--format", "json", "--output", file, (char *)NULL);
	assert_string_equal(result->out, "");
	text = sys_read_file(file);
	assert_non_null(strstr(text, containers[0]->id));
	free(text);
}

static void without_a_daemon_it_says_so(void **state)
{
	struct sys *sys = *state;
	struct sys_daemon *daemon = start(sys, "interval: 1h");

	/* Its socket is gone with it; or is left behind by one that was killed. */
	assert_int_equal(sys_daemon_stop(daemon, SIGTERM), 0);
	sys_daemon_free(daemon);
	for (int i = 0; i < 2; i++) {
		struct sys_result *result = STATUS(sys, "--format", "json", (char *)NULL);

		assert_int_equal(result->status, 2);
		assert_string_equal(result->out, "");
		assert_non_null(strstr(result->err, "no daemon listens at "));
		if (i == 0) {
			daemon = start(sys, "interval: 1h");
			assert_int_equal(sys_daemon_stop(daemon, SIGKILL), 128 + SIGKILL);
		}
	}
}

static void an_ordinary_user_is_told_whose_it_is(void **state)
{
	struct sys *sys = *state;

	(void)start(sys, "interval: 1h");
	struct sys_result *result = sys_capauditd(
		sys, SYS_NOBODY, "status", "--socket", socket_path(sys), (char *)NULL);
	assert_int_equal(result->status, 2);
	assert_non_null(strstr(result->err, "root's alone"));
}

static void the_policy_file_says_where_the_socket_is(void **state)
{
	struct sys *sys = *state;
	char *policy = sys_print(sys, "%s/socket.yaml", sys->directory);

	(void)start(sys, "interval: 1h");
	sys_write_file(
		policy, sys_print(sys, "version: 1\nrun: { socket: \"%s\" }\n", socket_path(sys)));
	struct sys_result *result = sys_capauditd(
		sys, SYS_ROOT, "status", "--policy", policy, "--fail-on", "none", (char *)NULL);
	assert_string_equal(result->err, "");
	sys_write_file(policy, "version: 1\nrun: { socket: off }\n");
	result = sys_capauditd(sys, SYS_ROOT, "status", "--policy", policy, (char *)NULL);
	assert_int_equal(result->status, 2);
	assert_non_null(strstr(result->err, "run.socket is off"));
}

/* -- others in the daemon's place -- */

static int listen_as(struct sys *sys, unsigned user)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sys_make_directories(sys_print(sys, "%s/run", sys->directory));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path(sys));
	(void)unlink(address.sun_path);
	/* Whose it is counts from listen(2) on (unix(7), SO_PEERCRED). */
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(seteuid(user), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(seteuid(0), 0);
	return fd;
}

/* In a child, until it is killed: answers each connection with these bytes. */
static pid_t answer_with(int fd, const char *bytes)
{
	pid_t child = fork();

	if (child != 0)
		return child;
	for (;;) {
		char request[1024];
		int connection = accept(fd, NULL, NULL);

		(void)recv(connection, request, sizeof(request), 0);
		http_send(connection, bytes, strlen(bytes));
		(void)shutdown(connection, SHUT_WR);
		while (recv(connection, request, sizeof(request), 0) > 0)
			;
		(void)close(connection);
	}
}

#define OK_HEAD "HTTP/1.1 200 OK\r\nCapauditd-Coverage: complete\r\n\r\n"

static void an_answer_of_another_user_is_not_believed(void **state)
{
	struct sys *sys = *state;
	int fd;

	sys_need_containers(sys);
	fd = listen_as(sys, 65534);
	pid_t child = answer_with(fd, OK_HEAD "[]\n");
	struct sys_result *result = STATUS(sys, "--format", "json", (char *)NULL);
	assert_int_equal(result->status, 2);
	assert_string_equal(result->out, "");
	assert_non_null(strstr(result->err, "neither root nor the owner"));
	/* In a folder of its own, as a service's is, it can be that user's. */
	assert_int_equal(chown(sys_print(sys, "%s/run", sys->directory), 65534, 65534), 0);
	result = STATUS(sys, "--format", "json", (char *)NULL);
	assert_int_equal(result->status, 0);
	(void)kill(child, SIGKILL);
	sys_reap(sys);
	(void)close(fd);
	(void)unlink(socket_path(sys));
	assert_int_equal(chown(sys_print(sys, "%s/run", sys->directory), 0, 0), 0);
}

/* Nothing but a whole answer is an all-clear. */
static void an_answer_that_is_not_the_daemons_is_an_error(void **state)
{
	static const struct {
		const char *answer;
		int status;
	} rows[] = {
		{ OK_HEAD "[]\n", 0 },
		{ "HTTP/1.1 200 OK\r\nCapauditd-Coverage: incomplete\r\n\r\n[]\n", 3 },
		{ "HTTP/1.1 503 Service Unavailable\r\n\r\nwait\n", 3 },
		{ "", 4 },
		{ "HTTP/1.1 200 OK\r\n", 4 },
		{ "HTTP/1.1 200 OK\r\n\r\n[]\n", 4 }, /* somebody else's */
		{ "SSH-2.0-x\r\n\r\n", 4 },
		{ "HTTP/1.1 2 OK\r\n\r\n[]", 4 },
		{ "HTTP/1.1 404 Not Found\r\n\r\n", 4 },
		{ OK_HEAD, 4 },
		{ OK_HEAD "[", 4 },
		{ OK_HEAD "[{\"id\": \"1\"}]", 4 },
		{ OK_HEAD "{}", 4 },
		{ OK_HEAD "[] []", 4 },
		{ OK_HEAD "nothing", 4 },
		{ OK_HEAD "null", 4 },
		{ OK_HEAD "[null]", 4 },
	};
	struct sys *sys = *state;

	sys_need_containers(sys);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = listen_as(sys, 0);
		pid_t child = answer_with(fd, rows[i].answer);
		struct sys_result *result = STATUS(sys, "--format", "jsonl", (char *)NULL);

		(void)kill(child, SIGKILL);
		sys_reap(sys);
		(void)close(fd);
		(void)unlink(socket_path(sys));
		if (result->status != rows[i].status)
			fail_msg("\"%s\": status %d and not %d: %s", rows[i].answer, result->status,
				rows[i].status, result->err);
		assert_string_equal(result->out, "");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(a_finding_is_told_as_the_daemon_told_it),
		SYS_TEST(json_is_one_document),
		SYS_TEST(the_table_names_containers),
		SYS_TEST(filters_are_those_of_scan),
		SYS_TEST(the_exit_status_is_what_fail_on_asks_for),
		SYS_TEST(what_is_over_is_not_told),
		SYS_TEST(a_file_is_written_whole),
		SYS_TEST(without_a_daemon_it_says_so),
		SYS_TEST(an_ordinary_user_is_told_whose_it_is),
		SYS_TEST(the_policy_file_says_where_the_socket_is),
		SYS_TEST(an_answer_of_another_user_is_not_believed),
		SYS_TEST(an_answer_that_is_not_the_daemons_is_an_error),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
