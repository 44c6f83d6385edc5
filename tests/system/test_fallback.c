/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine is given up in the middle of a daemon's life, after it has given up its privileges:
 * whoever looks then sees less of each process, and that is no news of any container. The daemon's
 * own passes are taken here, in a child, with an engine that works until it is told not to.
 */
// wrap: run_deliver engine_bpf_new
#include "sys.h"

#include "../../daemon/command/privilege.h"
#include "../../daemon/command/run.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned passes; /* of all engines */
static bool broken;
static int told = -1; /* a file with a line for each report */
static struct engine_ops patched;
static int (*real_pass)(struct engine *, const struct pass_options *, struct snapshot *);

void __wrap_run_deliver(void *data, const struct finding *finding);
void __wrap_run_deliver(void *data, const struct finding *finding)
{
	const struct run *run = data;

	(void)dprintf(told, "%u %s %s %s\n", passes, run->audit.engine->name,
		finding_state_name(finding->state), finding->container.id);
}

static int pass_until_broken(
	struct engine *engine, const struct pass_options *options, struct snapshot *ret)
{
	if (!broken)
		return real_pass(engine, options, ret);
	if (asprintf(&engine->notice, "what it says is not so") < 0)
		engine->notice = NULL;
	return -EUCLEAN;
}

int __real_engine_bpf_new(bool lasting, struct engine **ret, struct diag *diag);
int __wrap_engine_bpf_new(bool lasting, struct engine **ret, struct diag *diag);
int __wrap_engine_bpf_new(bool lasting, struct engine **ret, struct diag *diag)
{
	int r = __real_engine_bpf_new(lasting, ret, diag);

	if (r < 0)
		return r;
	patched = *(*ret)->ops;
	real_pass = patched.pass;
	patched.pass = pass_until_broken;
	(*ret)->ops = &patched;
	return 0;
}

static void take_pass(struct run *run)
{
	passes++;
	run_pass(run);
	(void)dprintf(told, "%u %s done\n", passes, run->audit.engine->name);
}

/* As run.c does, as far as it matters. */
static int live(void)
{
	const struct run_options options = { .host_root = "/nonexistent" };
	struct run run = { .options = &options,
		.policy = policy_new_default(),
		.ledger = ledger_new(UINT64_C(3600000000)),
		.audit = { .registry = registry_new("/nonexistent"),
			.clock = clock_us,
			.take = run_remember,
			.take_data = &run } };

	if (!run.policy || !run.ledger || !run.audit.registry ||
		engine_auto_new(true, &run.audit.engine) < 0)
		return 1;
	run.audit.policy = run.policy;
	if (drop_privileges() < 0)
		return 2;
	take_pass(&run);
	/* Posture waits for a name; and what is young may be a runtime's. */
	sys_sleep_ms(2500);
	take_pass(&run);
	take_pass(&run);
	broken = true;
	for (int i = 0; i < 3; i++)
		take_pass(&run);
	audit_done(&run.audit);
	ledger_free(run.ledger);
	policy_free(run.policy);
	return 0;
}

static void settle_all_kinds(struct sys *sys)
{
	static const char *const thread[] = { "/bin/inside", "thread", NULL };
	static const char *const zombie[] = { "/bin/inside", "zombie", NULL };
	static const char *const nested[] = { "/bin/inside", "nested", "4", NULL };
	const struct sys_spec specs[] = {
		{ .capabilities = 0 },
		{ .capabilities = SYS_DEFAULT_SET },
		{ .capabilities = SYS_SYS_ADMIN },
		{ .bounding_only = SYS_SYS_ADMIN, .uid = 1000 },
		{ .capabilities = SYS_SYS_ADMIN, .argv = thread },
		{ .capabilities = SYS_SYS_ADMIN, .argv = zombie },
		{ .argv = nested, .uid = 1000 },
		{ .capabilities = sys->all, .user_namespace = true },
	};

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		(void)sys_start(sys, &specs[i]);
	(void)sys_exec(sys, sys_start(sys, &specs[0]), sys->all, NULL);
	(void)sys_enter(sys, sys_start(sys, &specs[7]));
}

/* Lines of `text` that contain all of these. */
static size_t count(const char *text, const char *first, const char *second)
{
	size_t found = 0;

	for (const char *line = text, *next; *line; line = next) {
		char one[256];

		next = strchrnul(line, '\n');
		(void)snprintf(one, sizeof(one), "%.*s", (int)(next - line), line);
		found += strstr(one, first) && strstr(one, second);
		next += *next != '\0';
	}
	return found;
}

static char *read_back(struct sys *sys, int fd)
{
	char *text = sys_read_file(sys_print(sys, "/proc/self/fd/%d", fd));

	sys_own(sys, text, free);
	return text;
}

static void an_engine_that_is_given_up_is_no_news_of_any_container(void **state)
{
	struct sys *sys = *state;
	int errors = memfd_create("errors", MFD_CLOEXEC);

	sys_need_bpf(sys);
	settle_all_kinds(sys);
	char *by_hand = sys_print(sys, "pidns-%d-", (int)sys_start_by_hand(sys)->pid);
	told = memfd_create("told", MFD_CLOEXEC);
	assert_true(told >= 0 && errors >= 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(sys->guard);
		(void)dup2(errors, STDERR_FILENO);
		_exit(live());
	}
	assert_int_equal(sys_wait(sys, sys_adopt(sys, pid)), 0);

	const char *text = read_back(sys, told), *said = read_back(sys, errors);
	assert_int_equal(count(text, "bpf", "done"), 3);
	assert_int_equal(count(text, "procfs", "done"), 3);
	/* All of ours, by the engine that worked; of what others have here nothing is asked. */
	assert_true(count(text, " bpf opened ", sys->token) >= 8);
	if (count(text, " procfs ", sys->token) + count(text, " procfs ", by_hand) != 0)
		fail_msg("the other engine had news: %s", text);
	assert_int_equal(count(text, " bpf opened ", by_hand), 1);
	assert_int_equal(count(said, "the bpf engine does not work here", "is not so"), 1);
	assert_int_equal(count(said, "The procfs engine looks", ""), 1);
	(void)close(told);
	(void)close(errors);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(an_engine_that_is_given_up_is_no_news_of_any_container),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
