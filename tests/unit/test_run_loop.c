/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole daemon, from its command line to its end, when memory runs out: start, passes, events,
 * sinks that do not take anything for a while, metrics, findings, a new policy, the state, the end,
 * and another daemon that goes on from there. One allocation of all that fails, each in its turn.
 * The daemon lives, or says that it cannot start; nothing that was found is lost, nothing leaks,
 * and once it is over all is as if it had not happened.
 */
// wrap: engine_choose drop_privileges sd_event_loop journal_link_new fsync fdatasync
// wrap: run_open_notify syscall_filter_install
#include "../support/fail_allocation.h"
#include "run_loop_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>

#ifdef SANITIZE
#include <sanitizer/lsan_interface.h>
#endif

#define STRIDE	41u
#define EACH_OF 50u

static struct readers readers;
static struct log said;
static char metrics_address[32], socket_path[96], policy_path[96], state_path[96], host_root[96];
static in_port_t metrics_port;

/* -- the node's life ----------------------------------------------------------------------------
 */

/* clang-format off */
#define AGENT(pid)   { pid, 1, DEFAULT_SET | SYS_ADMIN, IN_DOCKER }
#define WEB(pid)     { pid, 1, DEFAULT_SET | NET_ADMIN, IN_A_POD }
#define TIDY(pid)    { pid, 1, DEFAULT_SET, IN_ANOTHER }
#define INTRUDER(pid) { pid, 1, DEFAULT_SET | SYS_ADMIN, IN_ANOTHER }
#define SSHD(pid)    { pid, 1, UINT64_MAX, ON_HOST }
/* clang-format on */

static const struct world first = { .inhabitants = { SSHD(5), AGENT(10), WEB(20), TIDY(30) },
	.events = { { 41, 10, DEFAULT_SET | SYS_ADMIN, IN_DOCKER },
		{ 50, 1, DEFAULT_SET | SYS_ADMIN, IN_A_NEW } } };
static const struct world second = { .inhabitants = { SSHD(5), AGENT(10), AGENT(11), TIDY(30),
					     INTRUDER(60) } };
static const struct world last = { .inhabitants = { SSHD(5) } };

static const char tolerant[] = "version: 1\n"
			       "rules:\n"
			       "  - match: { runtime: docker, container: \"abab*\" }\n"
			       "    profile: baseline\n"
			       "exceptions:\n"
			       "  - match: { namespace: nowhere }\n"
			       "    allow: [NET_RAW]\n"
			       "    reason: for a while\n"
			       "    expires: 2020-01-31\n";
static const char strict[] = "version: 1\n"
			     "defaultProfile: restricted\n";

static void write_policy(const char *rules)
{
	char text[1024];
	int length = snprintf(text, sizeof(text),
		"%srun: { outputs: [journal, stdout], interval: 1h, "
		"resolveAfter: 1h, state: %s }\n",
		rules, state_path);
	int fd = open(policy_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, (size_t)length), length);
	(void)close(fd);
}

/* -- the daemon ---------------------------------------------------------------------------------
 */

static struct {
	struct run *run;
	void (*live)(sd_event *event);
	int error; /* of the loop */
	bool begun, begun_again, lived;
	char open[16][FINDING_ID_SIZE]; /* at the end */
	size_t open_count;
	uint64_t dropped, lost;
	bool metrics, findings; /* the last answers were whole */
} daemon_is;

int __wrap_engine_choose(const char *name, bool lasting, struct engine **ret, struct diag *diag);
int __wrap_engine_choose(const char *name, bool lasting, struct engine **ret, struct diag *diag)
{
	(void)name;
	(void)lasting;
	return made_engine_new(ret) < 0 ? (diag_error(diag, 0, 0, "no memory"), -ENOMEM) : 0;
}

int __wrap_drop_privileges(void);
int __wrap_drop_privileges(void)
{
	return 0;
}

/* The test's own process would be confined; and memory may be what it lacks. */
int __wrap_syscall_filter_install(void);
int __wrap_syscall_filter_install(void)
{
	void *rules = malloc(1000);

	if (!rules)
		return -ENOMEM;
	free(rules);
	return 0;
}

int __real_journal_link_new(const char *path, struct journal_link **ret);
int __wrap_journal_link_new(const char *path, struct journal_link **ret);
int __wrap_journal_link_new(const char *path, struct journal_link **ret)
{
	(void)path;
	return __real_journal_link_new(readers.journal_path, ret);
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int __real_run_open_notify(struct run *run);
int __wrap_run_open_notify(struct run *run);
int __wrap_run_open_notify(struct run *run)
{
	daemon_is.run = run;
	return __real_run_open_notify(run);
}

#define TURNS_MAX 10000

/* Turns the loop until there is nothing to do at once. */
static void turn(sd_event *event)
{
	int r = 1;

	for (int turns = 0; r > 0 && turns < TURNS_MAX; turns++)
		r = sd_event_get_state(event) == SD_EVENT_FINISHED ? 0 : sd_event_run(event, 0);
	assert_true(r <= 0);
	if (r < 0 && !daemon_is.error)
		daemon_is.error = r;
}

int __wrap_sd_event_loop(sd_event *event);
int __wrap_sd_event_loop(sd_event *event)
{
	int code = 0;

	/* It may be turned again where it ran out of memory, and begins anew. */
	daemon_is.begun = true;
	daemon_is.begun_again |= daemon_is.error != 0;
	daemon_is.error = 0;
	daemon_is.live(event);
	if (daemon_is.error)
		return daemon_is.error;
	return sd_event_get_exit_code(event, &code) < 0 ? -EIO : code;
}

static void signal_it(sd_event *event, int signal)
{
	assert_int_equal(kill(getpid(), signal), 0);
	turn(event);
}

/* Two passes: one of them may fail. */
static void look_twice(sd_event *event)
{
	signal_it(event, SIGUSR1);
	signal_it(event, SIGUSR1);
}

/* Until nothing waits for a sink any more: those that failed are tried again a while later. */
static void read_all(sd_event *event)
{
	for (int tries = 0; tries < 2000; tries++) {
		read_told(&readers, &said);
		turn(event);
		read_told(&readers, &said);
		if (daemon_is.error || (outbox_count(daemon_is.run->outbox) == 0 &&
					       !line_stream_waits(daemon_is.run->out)))
			return;
		(void)usleep(1000);
	}
	fail_msg("entries wait for ever");
}

/* -- who asks it --------------------------------------------------------------------------------
 */

static bool ask(sd_event *event, int fd, const char *path, const char *wanted)
{
	static char answer[65536];
	char request[64];
	size_t length = 0;
	ssize_t n = -1;

	(void)snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) {
		(void)close(fd);
		return false;
	}
	for (int turns = 0; turns < 1000 && n != 0; turns++) {
		turn(event);
		n = recv(fd, answer + length, sizeof(answer) - 1 - length, MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			break;
		length += n > 0 ? (size_t)n : 0;
	}
	answer[length] = '\0';
	(void)close(fd);
	turn(event);
	return n == 0 && strncmp(answer, "HTTP/1.", 7) == 0 && strstr(answer, " 200 OK") &&
	       strstr(answer, wanted);
}

static bool ask_metrics(sd_event *event)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = metrics_port,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return ask(event, fd, "/metrics", "\ncapauditd_events_lost_total ");
}

static bool ask_findings(sd_event *event)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return ask(event, fd, "/findings", "\"schema\":\"capauditd.finding/v1\"");
}

/* -- its life -----------------------------------------------------------------------------------
 */

static void shorten_state(sd_event *event)
{
	struct run *run = daemon_is.run;

	if (!run->state_timer)
		return;
	run->state_is_long = true;
	(void)sd_event_source_set_time(run->state_timer, 0);
	(void)sd_event_source_set_enabled(run->state_timer, SD_EVENT_ONESHOT);
	turn(event);
}

static void note_open(void)
{
	const void *position = NULL;
	const struct finding *f;

	daemon_is.open_count = 0;
	while ((f = ledger_next(daemon_is.run->ledger, &position)))
		memcpy(daemon_is.open[daemon_is.open_count++], f->id, FINDING_ID_SIZE);
	daemon_is.dropped = run_dropped(daemon_is.run) + ledger_dropped(daemon_is.run->ledger);
	daemon_is.lost = daemon_is.run->events_lost;
}

/* In which everything happens, and something may fail. */
static void live_through_all(sd_event *event)
{
	world = &first;
	turn(event);
	look_twice(event);
	tell_events(daemon_is.run);
	turn(event);
	look_twice(event);
	(void)ask_metrics(event);
	(void)ask_findings(event);
	read_told(&readers, &said);
	turn(event);
	shorten_state(event);
	/* Nobody reads standard output: what comes has to wait. */
	world = &second;
	look_twice(event);
	write_policy(strict);
	signal_it(event, SIGHUP);
	signal_it(event, SIGHUP);
	read_told(&readers, &said);
	turn(event);
	(void)ask_metrics(event);
	shorten_state(event);
}

/* In which nothing fails any more. */
static void live_on(sd_event *event)
{
	fail_allocation_at(0);
	if (daemon_is.error)
		return;
	signal_it(event, SIGHUP);
	look_twice(event);
	read_all(event);
	shorten_state(event);
	daemon_is.metrics = ask_metrics(event);
	daemon_is.findings = ask_findings(event);
	note_open();
	daemon_is.lived = true;
	signal_it(event, SIGTERM);
}

static bool fired;

static void live_first(sd_event *event)
{
	live_through_all(event);
	fired |= fail_allocation_fired();
	live_on(event);
}

static void live_last(sd_event *event)
{
	turn(event);
	look_twice(event);
	read_all(event);
	note_open();
	signal_it(event, SIGTERM);
}

/* Runs a daemon; its exit status. The n-th allocation fails, until its life is over. */
static int run_daemon(void (*live)(sd_event *event), unsigned long n)
{
	const char *argv[] = { "run", "--policy", policy_path, "--metrics", metrics_address,
		"--socket", socket_path, "--kubernetes", "off", "--host-root", host_root, "--node",
		"node", NULL };
	FILE *const errors = stderr, *const nowhere = fopen("/dev/null", "we");
	int output = dup(STDOUT_FILENO), status;

	assert_non_null(nowhere);
	(void)fflush(stdout);
	(void)dup2(readers.output[1], STDOUT_FILENO);
	stderr = nowhere;
	memset(&daemon_is, 0, sizeof(daemon_is));
	daemon_is.live = live;
	fired = false;
	optind = 0;
	fail_allocation_at(n);
	status = command_run((int)ARRAY_SIZE(argv) - 1, (char **)(uintptr_t)argv);
	fired |= fail_allocation_fired();
	fail_allocation_at(0);
	stderr = errors;
	(void)fclose(nowhere);
	(void)dup2(output, STDOUT_FILENO);
	(void)close(output);
	read_told(&readers, &said);
	return status;
}

static size_t count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	(void)closedir(folder);
	return count;
}

/* -- what must come of it -----------------------------------------------------------------------
 */

struct outcome {
	struct log said;
	char open[16][FINDING_ID_SIZE];
	size_t open_count;
	uint64_t lost; /* said to be lost */
	int status;    /* of the first daemon */
	bool ended;    /* that one, though it had started */
	bool again;    /* a second one had to take its place, or it began anew */
	bool answers;  /* it did, to whoever asked in the end */
};

static void begin_anew(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/state", state_path);
	(void)unlink(path);
	said.count = 0;
	readers.length = 0;
	world = &first;
	write_policy(tolerant);
}

/* The life of a node, whose n-th allocation fails, with a daemon that is started again where it
 * ends: by the service manager, or in the end by the test. False: there are not so many. */
static bool live(unsigned long n, struct outcome *ret)
{
	*ret = (struct outcome){ 0 };
	begin_anew();
	int status = run_daemon(live_first, n);
	const bool reached = fired;

	if (status != EXIT_STATUS_OK) {
		ret->status = reached ? status : EXIT_STATUS_USAGE;
		ret->ended = daemon_is.begun;
		ret->again = true;
		world = &first;
		write_policy(tolerant);
		assert_int_equal(run_daemon(live_first, 0), EXIT_STATUS_OK);
	}
	ret->again |= daemon_is.begun_again;
	ret->answers = daemon_is.lived && daemon_is.metrics && daemon_is.findings;
	memcpy(ret->open, daemon_is.open, sizeof(ret->open));
	ret->open_count = daemon_is.open_count;
	ret->lost = daemon_is.lost + daemon_is.dropped;
	world = &last;
	assert_int_equal(run_daemon(live_last, 0), EXIT_STATUS_OK);
	ret->lost += daemon_is.lost + daemon_is.dropped;
	assert_int_equal(daemon_is.open_count, 0);
	ret->said = said;
	return reached;
}

static bool is_open(const struct outcome *outcome, const char *id)
{
	for (size_t i = 0; i < outcome->open_count; i++)
		if (strcmp(outcome->open[i], id) == 0)
			return true;
	return false;
}

static bool is_told(const struct outcome *outcome, const struct outcome *wanted, const char *id)
{
	bool told = is_open(outcome, id) || !is_open(wanted, id);

	for (size_t i = 0; i < wanted->said.count; i++) {
		const struct told *what = &wanted->said.told[i];

		told &= strcmp(what->id, id) != 0 || what->state == 'c' ||
			times_told(&outcome->said, what) > 0;
	}
	return told;
}

/* Findings of which something was not told, or that are not open. */
static size_t count_missing(const struct outcome *outcome, const struct outcome *wanted)
{
	size_t missing = 0;

	for (size_t i = 0; i < wanted->said.count; i++) {
		const struct told *what = &wanted->said.told[i];

		/* each once, where it was opened */
		missing += what->to == TOLD_JOURNAL && what->state == 'o' &&
			   !is_told(outcome, wanted, what->id);
	}
	return missing;
}

/* Twice in a row the same of the same. */
static bool tells_twice(const struct outcome *outcome, const struct outcome *expected)
{
	for (size_t i = 0; i < outcome->said.count; i++) {
		const struct told *told = &outcome->said.told[i];

		if (told->state != 'c' && !outcome->again &&
			times_told(&outcome->said, told) > times_told(&expected->said, told))
			return true;
	}
	return false;
}

static void print_outcome(const struct outcome *outcome)
{
	for (size_t i = 0; i < outcome->said.count; i++)
		print_message("%s %c %s\n",
			outcome->said.told[i].to == TOLD_STDOUT ? "out" : "journal",
			outcome->said.told[i].state, outcome->said.told[i].id);
	for (size_t i = 0; i < outcome->open_count; i++)
		print_message("open %s\n", outcome->open[i]);
	print_message("lost %lu\n", outcome->lost);
}

static struct outcome expected;

static void the_life_has_every_kind_of_transition(void **state)
{
	size_t met[128] = { 0 };

	(void)state;
	assert_false(live(0, &expected));
	for (size_t i = 0; i < expected.said.count; i++)
		met[(unsigned char)expected.said.told[i].state]++;
	assert_true(met['o'] >= 8);
	assert_int_equal(met['o'], met['r']);
	assert_true(expected.open_count >= 2);
	assert_int_equal(expected.lost, 0);
}

/* What is wrong with it, or NULL. */
static const char *find_fault(const struct outcome *outcome)
{
	if (outcome->status != EXIT_STATUS_OK && outcome->status != EXIT_STATUS_INTERNAL)
		return "the daemon ended with another status than an internal failure's";
	if (outcome->ended)
		return "the daemon had started, and ended";
	if (!outcome->answers)
		return "nobody answers any more";
	if (count_missing(outcome, &expected) > outcome->lost)
		return "what was found was not told";
	if (tells_twice(outcome, &expected))
		return "something was told twice";
	return NULL;
}

static bool leaks(void)
{
#ifdef SANITIZE
	return __lsan_do_recoverable_leak_check() != 0;
#else
	return false;
#endif
}

/* Each of the first ones, which is how the daemon starts, and of the rest one of STRIDE: there are
 * thousands, and most are those of libraries that read and write text. LOOP_STRIDE=1: all. */
static void whichever_allocation_fails_nothing_is_lost_in_silence(void **state)
{
	static struct outcome outcome;
	const size_t descriptors = count_descriptors();
	const char *given = getenv("LOOP_STRIDE"), *from = getenv("LOOP_FROM"), *fault;
	const unsigned long stride = given ? strtoul(given, NULL, 10) : STRIDE;
	unsigned long n = from ? strtoul(from, NULL, 10) : 1, failed = 0, faults = 0;

	(void)state;
	assert_true(stride > 0);
	while (live(n, &outcome)) {
		failed++;
		fault = find_fault(&outcome);
		if (!fault && count_descriptors() != descriptors)
			fault = "a descriptor is left";
		if (!fault && leaks())
			fault = "memory leaks";
		if (fault) {
			print_message("allocation %lu failed: %s (status %d)\n", n, fault,
				outcome.status);
			print_outcome(&outcome);
			faults++;
		}
		n += n < EACH_OF ? 1 : stride;
	}
	print_message(
		"%lu allocations, %lu of which failed, each in a life of its own\n", n, failed);
	assert_int_equal(faults, 0);
}

/* -- its place ----------------------------------------------------------------------------------
 */

static void find_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	(void)close(fd);
	metrics_port = address.sin_port;
	(void)snprintf(metrics_address, sizeof(metrics_address), "127.0.0.1:%u",
		(unsigned)ntohs(metrics_port));
}

/* The kubelet's folders, of the one pod. */
static void make_logs(void)
{
	static const char *const folders[] = { "", "/var", "/var/log", "/var/log/pods",
		"/var/log/containers", "/var/log/pods/shop_cart_" POD,
		"/var/log/pods/shop_cart_" POD "/web" };
	char path[512];

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", host_root, folders[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	(void)snprintf(path, sizeof(path), "%s/var/log/containers/cart_shop_web-" ID("ef") ".log",
		host_root);
	assert_int_equal(symlink("/var/log/pods/shop_cart_" POD "/web/0.log", path), 0);
}

static int set_up(void **state)
{
	sigset_t *old = calloc(1, sizeof(*old));

	*state = old;
	readers_init(&readers);
	(void)snprintf(socket_path, sizeof(socket_path), "%s/socket", readers.folder);
	(void)snprintf(policy_path, sizeof(policy_path), "%s/policy.yaml", readers.folder);
	(void)snprintf(state_path, sizeof(state_path), "%s/state", readers.folder);
	(void)snprintf(host_root, sizeof(host_root), "%s/host", readers.folder);
	assert_int_equal(mkdir(state_path, 0700), 0);
	make_logs();
	find_port();
	assert_int_equal(setenv("NOTIFY_SOCKET", readers.notify_path, 1), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "30000000", 1), 0);
	return old ? sigprocmask(SIG_SETMASK, NULL, old) : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)sigprocmask(SIG_SETMASK, *state, NULL);
	free(*state);
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	readers_done(&readers);
	(void)snprintf(command, sizeof(command), "rm -rf %s", readers.folder);
	return system(command); /* NOLINT(cert-env33-c): a folder of our own */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_life_has_every_kind_of_transition),
		cmocka_unit_test(whichever_allocation_fails_nothing_is_lost_in_silence),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
