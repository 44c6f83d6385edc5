/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `run` serves, to whom, and that nobody who talks to it can keep it from that.
 */
#include "sys_http.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct served {
	struct sys_daemon *daemon;
	unsigned port;
	char *socket;
};

static char *make_policy(struct sys *sys, const char *run)
{
	char *policy = sys_print(sys, "%s/policy.yaml", sys->directory);

	sys_write_file(policy, sys_print(sys, "version: 1\nrun: { outputs: [stdout], %s }\n", run));
	return policy;
}

static struct served serve(struct sys *sys, enum sys_user user)
{
	struct served served = { .port = http_free_port(),
		.socket = sys_print(sys, "%s/run/socket", sys->directory) };
	const char *const argv[] = { "--metrics", sys_print(sys, "127.0.0.1:%u", served.port),
		"--socket", user == SYS_ROOT ? served.socket : "off", NULL };

	sys_need_containers(sys);
	served.daemon = sys_run(sys,
		&(struct sys_daemon_options){
			.policy = make_policy(sys, "interval: 1h"), .user = user, .argv = argv });
	return served;
}

/* A `run` that must not start; with what it says. */
static const char *refused(struct sys *sys, const char *metrics, const char *socket)
{
	const struct sys_result *result = sys_capauditd(sys, SYS_ROOT, "run", "--policy", "none",
		"--engine", "procfs", "--metrics", metrics, "--socket", socket, NULL);

	assert_int_equal(result->status, 2);
	return result->err;
}

static void assert_answers(struct sys *sys, const struct served *served)
{
	assert_string_equal(http_body(http_get_tcp(sys, served->port, "/healthz")), "ok\n");
}

static void metrics_and_health_are_served_to_curl(void **state)
{
	struct sys *sys = *state;
	struct served served = serve(sys, SYS_ROOT);
	struct sys_result *result = sys_command_line(sys, "curl", "-sS", "--fail", "--include",
		sys_print(sys, "http://127.0.0.1:%u/metrics", served.port), NULL);

	assert_int_equal(result->status, 0);
	assert_non_null(strstr(result->out, "Content-Type: text/plain; version=0.0.4"));
	assert_non_null(strstr(result->out, "\ncapauditd_build_info{version=\""));
	result = sys_command_line(sys, "curl", "-sS", "--fail",
		sys_print(sys, "http://127.0.0.1:%u/readyz", served.port), NULL);
	assert_int_equal(result->status, 0);
	assert_string_equal(result->out, "ok\n");
	assert_answers(sys, &served);
}

static void an_ordinary_users_daemon_serves_metrics(void **state)
{
	struct sys *sys = *state;
	struct served served = serve(sys, SYS_NOBODY);
	const char *text = http_body(http_get_tcp(sys, served.port, "/metrics"));

	assert_true(http_metric(text, "capauditd_scans_total{engine=\"procfs\"}") >= 1);
	assert_true(http_metric(text, "process_resident_memory_bytes") > 0);
	assert_true(http_metric(text, "process_open_fds") > 0);
}

/* As systemd passes it: capauditd.socket opens it, and the service needs no network. */
static void a_socket_that_was_passed_is_served(void **state)
{
	struct sys *sys = *state;
	unsigned port = http_free_port();
	const char *const argv[] = { "systemd-socket-activate", "--fdname=metrics", "--listen",
		sys_print(sys, "127.0.0.1:%u", port), sys->program, "run", "--policy",
		make_policy(sys, "interval: 1h"), "--socket", "off", NULL };
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	const char *answer = "";
	pid_t pid;

	sys_need_containers(sys);
	/* It is started by the first connection. */
	pid = sys_spawn(sys, &(struct sys_command){ .argv = argv });
	while (!strstr(answer, " 200 ") && sys_now_ms() < until) {
		int fd = http_connect(port);

		if (fd < 0) {
			sys_sleep_ms(20);
			continue;
		}
		http_send(fd, "GET /healthz HTTP/1.0\r\n\r\n", 25);
		answer = http_rest(sys, fd);
	}
	assert_string_equal(http_body(answer), "ok\n");
	(void)kill(pid, SIGTERM);
	assert_int_equal(sys_wait(sys, pid), 0);
}

static void what_is_found_shows_in_the_metrics(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN,
				       .name = "web",
				       .pod = "web-0",
				       .namespace_name = "metrics-shop" });
	struct served served = serve(sys, SYS_ROOT);
	const char *text = http_body(http_get_tcp(sys, served.port, "/metrics"));

	assert_true(http_metric(text,
			    "capauditd_open_findings{class=\"posture\",severity=\"high\",verdict="
			    "\"violation\",workload_namespace=\"metrics-shop\"}") == 1);
	assert_true(http_metric(text,
			    "capauditd_findings_total{class=\"posture\",severity=\"high\"}") >= 1);
	assert_true(http_metric(text, "capauditd_containers{level=\"privileged\"}") >= 1);
	assert_true(http_metric(text, "capauditd_source_up{source=\"logs\"}") == 1);
	/* What a pod, a container or a process is called is in no label. */
	assert_null(strstr(text, "web-0"));
	assert_null(strstr(text, "\"web\""));
	assert_null(strstr(text, container->id));
}

static void promtool_finds_nothing_wrong_with_them(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	struct served served = serve(sys, SYS_ROOT);
	char *file = sys_print(sys, "%s/metrics", sys->directory);
	int input;

	if (access("/usr/bin/promtool", X_OK) != 0)
		skip();
	assert_true(container->pid > 0);
	sys_write_file(file, http_body(http_get_tcp(sys, served.port, "/metrics")));
	input = open(file, O_RDONLY | O_CLOEXEC);
	const char *const argv[] = { "promtool", "check", "metrics", NULL };
	struct sys_result *result =
		sys_command(sys, &(struct sys_command){ .argv = argv, .input = input });
	(void)close(input);
	assert_string_equal(result->err, "");
	assert_int_equal(result->status, 0);
}

static void findings_are_on_the_socket_alone(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container =
		sys_start(sys, &(struct sys_spec){ .capabilities = SYS_SYS_ADMIN });
	struct served served = serve(sys, SYS_ROOT);
	const char *answer;
	json_t *findings, *finding;
	size_t i, ours = 0, from = 0;

	(void)sys_daemon_wait(served.daemon, &from, container, "opened");
	answer = http_get_path(sys, served.socket, "/findings");
	findings = json_loads(http_body(answer), JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(strstr(answer, "Content-Type: application/json"));
	assert_true(json_is_array(findings));
	json_array_foreach(findings, i, finding)
	{
		ours += sys_is_of(finding, "container", container);
	}
	assert_int_equal(ours, 1);
	json_decref(findings);
	assert_non_null(strstr(http_get_tcp(sys, served.port, "/findings"), " 404 "));
	assert_true(http_metric(http_body(http_get_path(sys, served.socket, "/metrics")),
			    "capauditd_tasks") > 0);
	assert_string_equal(http_body(http_get_path(sys, served.socket, "/healthz")), "ok\n");
	assert_string_equal(http_body(http_get_path(sys, served.socket, "/readyz")), "ok\n");
}

/* Processes with sets of their own give a finding each. */
static void start_many(struct sys *sys)
{
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ 0 });

	/* One that holds all would take in the others: what we do not have cannot be missing. */
	for (unsigned i = 0; i < 40; i++)
		if (sys->all >> i & 1)
			(void)sys_exec(sys, container, sys->all & ~(UINT64_C(1) << i), NULL);
}

static void a_long_list_of_findings_comes_whole(void **state)
{
	struct sys *sys = *state;
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	struct served served;
	const char *body;
	size_t count = 0;

	start_many(sys);
	served = serve(sys, SYS_ROOT);
	/* Those that have only just begun are looked at again a moment later. */
	do {
		body = http_body(http_get_path(sys, served.socket, "/findings"));
		json_t *findings = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
		assert_true(json_is_array(findings));
		count = json_array_size(findings);
		json_decref(findings);
	} while (count < 39 && sys_now_ms() < until);
	assert_true(count >= 39);
	assert_true(strlen(body) > 65536);
}

static void nothing_else_is_served(void **state)
{
	static const char *const paths[] = { "/", "/metrics/", "/metrics2", "//metrics",
		"/../metrics", "/findings/1", "/debug/pprof/", "/metrics%00" };
	struct sys *sys = *state;
	struct served served = serve(sys, SYS_ROOT);

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_non_null(strstr(http_get_tcp(sys, served.port, paths[i]), " 404 "));
		assert_non_null(strstr(http_get_path(sys, served.socket, paths[i]), " 404 "));
	}
}

static void only_get_and_head_are_understood(void **state)
{
	static const char head[] = "HEAD /metrics HTTP/1.0\r\n\r\n";
	static const char *const methods[] = { "POST", "PUT", "DELETE", "OPTIONS", "X" };
	struct sys *sys = *state;
	struct served served = serve(sys, SYS_ROOT);
	const char *answer;
	int fd;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		char *request = sys_print(
			sys, "%s /metrics HTTP/1.0\r\nContent-Length: 3\r\n\r\nx=1", methods[i]);

		fd = http_connect(served.port);
		http_send(fd, request, strlen(request));
		answer = http_rest(sys, fd);
		assert_non_null(strstr(answer, " 405 "));
		assert_non_null(strstr(answer, "Allow: GET, HEAD"));
	}
	fd = http_connect(served.port);
	http_send(fd, head, strlen(head));
	answer = http_rest(sys, fd);
	assert_non_null(strstr(answer, " 200 "));
	assert_string_equal(http_body(answer), "");
}

static void the_socket_is_roots_alone(void **state)
{
	struct sys *sys = *state;
	struct served served = serve(sys, SYS_ROOT);
	const char *const argv[] = { "curl", "-sS", "--unix-socket", served.socket,
		"http://localhost/findings", NULL };
	struct stat st;

	assert_int_equal(stat(served.socket, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_uid, 0);
	struct sys_result *result =
		sys_command(sys, &(struct sys_command){ .argv = argv, .nobody = true });
	assert_int_not_equal(result->status, 0);
	assert_string_equal(result->out, "");
}

static void the_socket_goes_with_the_daemon(void **state)
{
	struct sys *sys = *state;
	struct served served = serve(sys, SYS_ROOT);

	assert_int_equal(access(served.socket, F_OK), 0);
	assert_int_equal(sys_daemon_stop(served.daemon, SIGTERM), 0);
	assert_int_equal(access(served.socket, F_OK), -1);
}

static void a_socket_that_nobody_listens_on_is_replaced(void **state)
{
	struct sys *sys = *state;
	struct served served = serve(sys, SYS_ROOT);

	assert_int_equal(sys_daemon_stop(served.daemon, SIGKILL), 128 + SIGKILL);
	assert_int_equal(access(served.socket, F_OK), 0);
	sys_daemon_free(served.daemon);
	served = serve(sys, SYS_ROOT);
	assert_string_equal(http_body(http_get_path(sys, served.socket, "/healthz")), "ok\n");
}

static void a_daemon_that_listens_is_not_replaced(void **state)
{
	struct sys *sys = *state;
	struct served served = serve(sys, SYS_ROOT);

	assert_non_null(strstr(refused(sys, "off", served.socket), "listens there already"));
	assert_non_null(strstr(refused(sys, sys_print(sys, "127.0.0.1:%u", served.port), "off"),
		"listens there already"));
	assert_string_equal(http_body(http_get_path(sys, served.socket, "/healthz")), "ok\n");
}

static void what_is_no_socket_is_not_replaced(void **state)
{
	struct sys *sys = *state;
	char *file = sys_print(sys, "%s/file", sys->directory);
	char *text;

	sys_need_containers(sys);
	sys_write_file(file, "precious");
	assert_non_null(strstr(refused(sys, "off", file), "no socket of ours"));
	text = sys_read_file(file);
	assert_string_equal(text, "precious");
	free(text);
}

static void no_symbolic_link_is_followed(void **state)
{
	struct sys *sys = *state;
	char *real = sys_print(sys, "%s/real", sys->directory);
	char *target = sys_print(sys, "%s/target", real);
	char *folder = sys_print(sys, "%s/folder", sys->directory);
	char *link_path = sys_print(sys, "%s/link", sys->directory);

	sys_need_containers(sys);
	sys_make_directories(real);
	assert_int_equal(symlink(real, folder), 0);
	assert_int_equal(symlink(target, link_path), 0);
	assert_non_null(
		strstr(refused(sys, "off", sys_print(sys, "%s/socket", folder)), "symbolic link"));
	assert_non_null(strstr(refused(sys, "off", link_path), "no socket of ours"));
	assert_int_equal(access(target, F_OK), -1);
	assert_int_equal(access(sys_print(sys, "%s/socket", real), F_OK), -1);
}

static void a_folder_that_others_may_write_to_holds_no_socket(void **state)
{
	struct sys *sys = *state;
	char *folder = sys_print(sys, "%s/shared", sys->directory);

	sys_need_containers(sys);
	sys_make_directories(folder);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_non_null(strstr(
		refused(sys, "off", sys_print(sys, "%s/socket", folder)), "others may write"));
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const addresses[] = { "localhost:9477", "127.0.0.1", ":9477",
		"127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:94x", "[::1:9477", "9477" };
	struct sys *sys = *state;

	sys_need_containers(sys);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		assert_non_null(strstr(refused(sys, addresses[i], "off"), addresses[i]));
	assert_non_null(strstr(refused(sys, "off", "relative/socket"), "relative/socket"));
}

/* On by default, they are missing where they cannot be had, and the daemon does its work. */
static void a_default_that_cannot_be_had_is_said_and_no_error(void **state)
{
	struct sys *sys = *state;
	const char *const argv[] = { sys->program, "run", "--policy",
		make_policy(sys, "interval: 1h"), NULL };
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	char *errors = sys_print(sys, "%s/errors", sys->directory);
	char *text = NULL;
	int fd;
	pid_t pid;

	sys_need_containers(sys);
	fd = open(errors, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid = sys_spawn(sys, &(struct sys_command){ .argv = argv, .errors = fd, .nobody = true });
	do {
		free(text);
		text = sys_read_file(errors);
		sys_sleep_ms(10);
	} while (!strstr(text, " started ") && sys_now_ms() < until);
	assert_non_null(strstr(text, "No socket at /run/capauditd/socket: "));
	assert_non_null(strstr(text, " started "));
	free(text);
	(void)close(fd);
	(void)kill(pid, SIGTERM);
	assert_int_equal(sys_wait(sys, pid), 0);
}

static void a_client_that_says_nothing_is_cut_off(void **state)
{
	struct sys *sys = *state;
	struct served served = serve(sys, SYS_ROOT);
	int silent = http_connect(served.port), half = http_connect(served.port);

	http_send(half, "GET /met", 8);
	assert_answers(sys, &served);
	(void)http_rest(sys, silent); /* it ends */
	(void)http_rest(sys, half);
}

/* A byte now and then keeps no connection open. */
static void a_client_that_dribbles_is_cut_off(void **state)
{
	static const char begin[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n";
	struct sys *sys = *state;
	struct served served = serve(sys, SYS_ROOT);
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	int fd = http_connect(served.port);
	char end;

	http_send(fd, begin, strlen(begin));
	while (recv(fd, &end, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN) {
		if (sys_now_ms() > until)
			fail_msg("it is still connected");
		http_send(fd, "x", 1);
		(void)sys_daemon_lines(served.daemon);
		sys_sleep_ms(500);
	}
	(void)close(fd);
	assert_answers(sys, &served);
}

static void who_opens_many_connections_keeps_nobody_out(void **state)
{
	struct sys *sys = *state;
	struct served served = serve(sys, SYS_ROOT);
	double before = http_metric(
		http_body(http_get_tcp(sys, served.port, "/metrics")), "process_open_fds");
	double now;
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	int fds[300];

	for (size_t i = 0; i < 300; i++) {
		fds[i] = http_connect(served.port);
		if (i % 50 == 49)
			assert_answers(sys, &served);
	}
	now = http_metric(
		http_body(http_get_tcp(sys, served.port, "/metrics")), "process_open_fds");
	assert_true(now < before + 40);
	for (size_t i = 0; i < 300; i++)
		(void)close(fds[i]);
	/* None is kept. */
	do
		now = http_metric(
			http_body(http_get_tcp(sys, served.port, "/metrics")), "process_open_fds");
	while (now > before && sys_now_ms() < until);
	assert_true(now <= before);
}

static void what_is_too_long_or_garbage_is_refused(void **state)
{
	struct sys *sys = *state;
	struct served served = serve(sys, SYS_ROOT);
	static const char endless[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nX: ";
	char *garbage = malloc(1 << 20);
	int fd;

	assert_non_null(garbage);
	sys_own(sys, garbage, free);
	/* A header that never ends, a path that never ends, noise, a TLS hello, an HTTP/2 preface.
	 */
	memset(garbage, 'a', 1 << 20);
	fd = http_connect(served.port);
	http_send(fd, endless, strlen(endless));
	http_send(fd, garbage, 1 << 20);
	assert_null(strstr(http_rest(sys, fd), " 200 "));
	fd = http_connect(served.port);
	http_send(fd, "GET /", 5);
	http_send(fd, garbage, 1 << 20);
	assert_null(strstr(http_rest(sys, fd), " 200 "));
	for (size_t i = 0; i < 1 << 20; i++)
		garbage[i] = (char)(i * 2654435761u >> 13);
	fd = http_connect(served.port);
	http_send(fd, garbage, 1 << 20);
	assert_null(strstr(http_rest(sys, fd), " 200 "));
	fd = http_connect(served.port);
	http_send(fd, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15);
	assert_null(strstr(http_rest(sys, fd), " 200 "));
	fd = http_connect(served.port);
	http_send(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
	assert_null(strstr(http_rest(sys, fd), " 200 "));
	assert_answers(sys, &served);
}

/* Who asks for the findings and does not read them is cut off, and others are served meanwhile. */
static void a_reader_that_does_not_read_keeps_nothing(void **state)
{
	static const char request[] = "GET /findings HTTP/1.0\r\n\r\n";
	struct sys *sys = *state;
	struct served served;
	int fds[8];

	start_many(sys);
	served = serve(sys, SYS_ROOT);
	for (size_t i = 0; i < 8; i++) {
		fds[i] = http_connect_path(served.socket);
		http_send(fds[i], request, strlen(request));
	}
	assert_string_equal(http_body(http_get_path(sys, served.socket, "/healthz")), "ok\n");
	for (size_t i = 0; i < 8; i++)
		(void)close(fds[i]);
	assert_string_equal(http_body(http_get_path(sys, served.socket, "/healthz")), "ok\n");
	assert_int_equal(sys_daemon_stop(served.daemon, SIGTERM), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(metrics_and_health_are_served_to_curl),
		SYS_TEST(an_ordinary_users_daemon_serves_metrics),
		SYS_TEST(a_socket_that_was_passed_is_served),
		SYS_TEST(what_is_found_shows_in_the_metrics),
		SYS_TEST(promtool_finds_nothing_wrong_with_them),
		SYS_TEST(findings_are_on_the_socket_alone),
		SYS_TEST(a_long_list_of_findings_comes_whole),
		SYS_TEST(nothing_else_is_served),
		SYS_TEST(only_get_and_head_are_understood),
		SYS_TEST(the_socket_is_roots_alone),
		SYS_TEST(the_socket_goes_with_the_daemon),
		SYS_TEST(a_socket_that_nobody_listens_on_is_replaced),
		SYS_TEST(a_daemon_that_listens_is_not_replaced),
		SYS_TEST(what_is_no_socket_is_not_replaced),
		SYS_TEST(no_symbolic_link_is_followed),
		SYS_TEST(a_folder_that_others_may_write_to_holds_no_socket),
		SYS_TEST(what_is_no_address_is_refused),
		SYS_TEST(a_default_that_cannot_be_had_is_said_and_no_error),
		SYS_TEST(a_client_that_says_nothing_is_cut_off),
		SYS_TEST(a_client_that_dribbles_is_cut_off),
		SYS_TEST(who_opens_many_connections_keeps_nobody_out),
		SYS_TEST(what_is_too_long_or_garbage_is_refused),
		SYS_TEST(a_reader_that_does_not_read_keeps_nothing),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
