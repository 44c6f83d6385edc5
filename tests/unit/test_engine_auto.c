/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "auto" takes bpf for as long as it works: both engines are made up here.
 */
// wrap: engine_bpf_new engine_procfs_new
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/discover.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the two do next, and what was asked of them. */
static int bpf_error, procfs_error, pass_error[2];
static const char *why;
static unsigned alive, passes[2], asked;

static int made_pass(
	struct engine *engine, const struct pass_options *options, struct snapshot *ret)
{
	bool is_bpf = strcmp(engine->name, "bpf") == 0;

	(void)options;
	passes[is_bpf]++;
	if (pass_error[is_bpf]) {
		if (why) {
			free(engine->notice);
			engine->notice = strdup(why);
		}
		return pass_error[is_bpf];
	}
	*ret = (struct snapshot){ .task_count = is_bpf };
	return 0;
}

static int made_describe(struct engine *engine, const struct task *task, struct process *ret)
{
	(void)task;
	*ret = (struct process){ .pid = strcmp(engine->name, "bpf") == 0 ? 2 : 1 };
	return 0;
}

static void made_free(struct engine *engine)
{
	alive--;
	free(engine);
}

static int made_fd(struct engine *engine)
{
	(void)engine;
	return 42;
}

static int made_read(struct engine *engine, const struct event_handler *handler)
{
	(void)engine;
	(void)handler;
	return 3;
}

static void made_count(const struct engine *engine, struct event_counts *ret)
{
	(void)engine;
	*ret = (struct event_counts){ 1, 2, 3 };
}

static void made_permit(struct engine *engine, unsigned placement, const struct permit *permit)
{
	(void)engine;
	(void)permit;
	asked += placement;
}

static void made_permit_event(
	struct engine *engine, const struct exec_event *event, const struct permit *permit)
{
	(void)engine;
	(void)event;
	(void)permit;
	asked += 10;
}

static void made_forget(struct engine *engine)
{
	(void)engine;
	asked += 100;
}

static const struct engine_ops procfs_ops = {
	.pass = made_pass, .describe = made_describe, .free = made_free
};
static const struct engine_ops bpf_ops = {
	.pass = made_pass,
	.describe = made_describe,
	.free = made_free,
	.event_fd = made_fd,
	.read_events = made_read,
	.count_events = made_count,
	.permit = made_permit,
	.permit_event = made_permit_event,
	.forget_permits = made_forget,
};

static int make(const char *name, const struct engine_ops *ops, struct engine **ret)
{
	*ret = calloc(1, sizeof(**ret));
	assert_non_null(*ret);
	(*ret)->name = name;
	(*ret)->ops = ops;
	alive++;
	return 0;
}

int __wrap_engine_bpf_new(bool lasting, struct engine **ret, struct diag *diag);
int __wrap_engine_bpf_new(bool lasting, struct engine **ret, struct diag *diag)
{
	assert_true(lasting);
	if (!bpf_error)
		return make("bpf", &bpf_ops, ret);
	(void)diag_error(diag, 0, 0, "no such thing");
	return bpf_error;
}

int __wrap_engine_procfs_new(struct engine **ret);
int __wrap_engine_procfs_new(struct engine **ret)
{
	return procfs_error ? procfs_error : make("procfs", &procfs_ops, ret);
}

static int set_up(void **state)
{
	(void)state;
	bpf_error = procfs_error = pass_error[0] = pass_error[1] = 0;
	why = NULL;
	alive = passes[0] = passes[1] = asked = 0;
	return 0;
}

static struct engine *new_auto(void)
{
	struct engine *engine;

	assert_int_equal(engine_auto_new(true, &engine), 0);
	return engine;
}

static int one_pass(struct engine *engine)
{
	const struct pass_options options = { 0 };
	struct snapshot snapshot;

	return engine->ops->pass(engine, &options, &snapshot);
}

static void assert_notice(struct engine *engine, const char *sentence)
{
	char *notice = engine_take_notice(engine);

	if (sentence)
		assert_string_equal(notice, sentence);
	else
		assert_null(notice);
	free(notice);
}

static void end(struct engine *engine)
{
	engine_free(engine);
	assert_int_equal(alive, 0);
}

static void bpf_is_taken_where_it_works_without_a_word(void **state)
{
	const struct exec_event event = { 0 };
	const struct permit permit = { 0 };
	struct engine *engine = new_auto();
	struct event_counts counts;
	struct process process;

	(void)state;
	assert_string_equal(engine->name, "bpf");
	assert_notice(engine, NULL);
	assert_int_equal(one_pass(engine), 0);
	assert_int_equal(engine->ops->describe(engine, NULL, &process), 0);
	assert_int_equal(process.pid, 2);
	assert_int_equal(engine_event_fd(engine), 42);
	assert_int_equal(engine_read_events(engine, NULL), 3);
	engine_count_events(engine, &counts);
	assert_int_equal(counts.lost, 3);
	engine_permit(engine, 1, &permit);
	engine_permit_event(engine, &event, &permit);
	engine_forget_permits(engine);
	assert_int_equal(asked, 111);
	end(engine);
}

static void assert_is_procfs(struct engine *engine)
{
	const struct exec_event event = { 0 };
	const struct permit permit = { 0 };
	struct event_counts counts = { 9, 9, 9 };
	struct process process;

	assert_string_equal(engine->name, "procfs");
	assert_int_equal(engine_event_fd(engine), -ENOTSUP);
	assert_int_equal(engine_read_events(engine, NULL), 0);
	engine_count_events(engine, &counts);
	assert_int_equal(counts.execs + counts.cgroups + counts.lost, 0);
	engine_permit(engine, 1, &permit);
	engine_permit_event(engine, &event, &permit);
	engine_forget_permits(engine);
	assert_int_equal(asked, 0);
	assert_int_equal(engine->ops->describe(engine, NULL, &process), 0);
	assert_int_equal(process.pid, 1);
}

static void where_bpf_cannot_be_made_procfs_is_taken_and_said_once(void **state)
{
	struct engine *engine;

	(void)state;
	bpf_error = -EPERM;
	engine = new_auto();
	assert_is_procfs(engine);
	assert_notice(engine, "the bpf engine does not work here, procfs is used: no such thing");
	assert_int_equal(one_pass(engine), 0);
	assert_notice(engine, NULL);
	end(engine);
}

static void a_pass_that_breaks_is_taken_again_by_procfs_for_good(void **state)
{
	struct engine *engine = new_auto();

	(void)state;
	assert_int_equal(one_pass(engine), 0);
	pass_error[1] = -EUCLEAN;
	why = "it lies";
	assert_int_equal(one_pass(engine), 0);
	assert_int_equal(passes[1], 2);
	assert_int_equal(passes[0], 1);
	assert_int_equal(alive, 1);
	assert_is_procfs(engine);
	assert_notice(engine, "the bpf engine does not work here, procfs is used: it lies");
	pass_error[1] = 0;
	assert_int_equal(one_pass(engine), 0);
	assert_int_equal(passes[0], 2);
	assert_notice(engine, NULL);
	end(engine);
}

static void a_break_without_a_reason_is_told_by_its_error(void **state)
{
	struct engine *engine = new_auto();
	char *notice;

	(void)state;
	pass_error[1] = -EPERM;
	assert_int_equal(one_pass(engine), 0);
	notice = engine_take_notice(engine);
	assert_non_null(strstr(notice, strerror(EPERM)));
	free(notice);
	end(engine);
}

static void neither_memory_nor_being_told_to_end_is_a_reason(void **state)
{
	static const int errors[] = { -ENOMEM, -ECANCELED };
	struct engine *engine = new_auto();

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		pass_error[1] = errors[i];
		assert_int_equal(one_pass(engine), errors[i]);
		assert_string_equal(engine->name, "bpf");
		assert_notice(engine, NULL);
	}
	pass_error[1] = 0;
	assert_int_equal(one_pass(engine), 0);
	assert_int_equal(passes[0], 0);
	end(engine);
}

static void what_procfs_says_is_passed_on(void **state)
{
	struct engine *engine;

	(void)state;
	bpf_error = -EPERM;
	engine = new_auto();
	pass_error[0] = -EIO;
	assert_int_equal(one_pass(engine), -EIO);
	assert_string_equal(engine->name, "procfs");
	assert_int_equal(alive, 1);
	end(engine);
}

static void without_either_there_is_no_engine(void **state)
{
	struct engine *engine;

	(void)state;
	bpf_error = -ENOMEM;
	assert_int_equal(engine_auto_new(true, &engine), -ENOMEM);
	bpf_error = -EPERM;
	procfs_error = -EIO;
	assert_int_equal(engine_auto_new(true, &engine), -EIO);
	assert_int_equal(alive, 0);
}

/* It is tried again in the next pass. */
static void where_procfs_cannot_be_made_in_a_later_pass_bpf_stays(void **state)
{
	struct engine *engine = new_auto();

	(void)state;
	pass_error[1] = -EUCLEAN;
	procfs_error = -ENOMEM;
	assert_int_equal(one_pass(engine), -ENOMEM);
	assert_string_equal(engine->name, "bpf");
	assert_notice(engine, NULL);
	procfs_error = 0;
	assert_int_equal(one_pass(engine), 0);
	assert_is_procfs(engine);
	end(engine);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bpf_is_taken_where_it_works_without_a_word),
		TEST(where_bpf_cannot_be_made_procfs_is_taken_and_said_once),
		TEST(a_pass_that_breaks_is_taken_again_by_procfs_for_good),
		TEST(a_break_without_a_reason_is_told_by_its_error),
		TEST(neither_memory_nor_being_told_to_end_is_a_reason),
		TEST(what_procfs_says_is_passed_on),
		TEST(without_either_there_is_no_engine),
		TEST(where_procfs_cannot_be_made_in_a_later_pass_bpf_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
