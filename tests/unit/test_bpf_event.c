/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel's program wrote of a program's beginning. Names are the container's choice, and
 * how much of what is written is there is not taken on trust.
 */
// wrap: bpf_walk bpf_iterator_open bpf_totals bpf_crowd_read bpf_check bpf_permit_rows proc_open
#include "bpf_fixture.h"

#include "../support/fail_allocation.h"

/* An event while it is written as the kernel's program writes it. */
static struct bpf_exec_event raw;
static char made[BPF_CGROUP_TEXT_MAX];

static void begin(uint32_t kind)
{
	memset(&raw, 0, sizeof(raw));
	memset(made, 'x', sizeof(made));
	raw.kind = kind;
	raw.task = record_of(10, 10, 1);
	raw.exe_inode = 5;
}

static void append(const char *bytes, size_t size)
{
	assert_true(raw.text_length + size <= sizeof(raw.text));
	memcpy(raw.text + raw.text_length, bytes, size);
	raw.text_length += (uint32_t)size;
}

/* The parts of a path from its end; a literal with a NUL between each two. */
#define add_parts(count, parts, literal) (*(count) = (parts), append(literal, sizeof(literal)))
#define add_args(literal)		 (raw.args_length = sizeof(literal), append(literal, sizeof(literal)))

static size_t written(void)
{
	return offsetof(struct bpf_exec_event, text) + raw.text_length;
}

/* In a block of its size, so that a sanitizer sees what is read beyond it. */
static int decode_size(struct bpf_engine *engine, size_t size, struct exec_event *ret)
{
	void *bytes = malloc(size);
	int r;

	assert_non_null(bytes);
	memcpy(bytes, &raw, size);
	r = bpf_event_decode(engine, bytes, size, made, ret);
	free(bytes);
	return r;
}

static struct exec_event decode(struct bpf_engine *engine)
{
	struct exec_event event;

	assert_int_equal(decode_size(engine, written(), &event), 0);
	return event;
}

static void assert_text(const struct exec_event *event, const char *text)
{
	assert_int_equal(event->placement.length, strlen(text));
	assert_memory_equal(event->placement.text, text, strlen(text));
}

static enum cgroup_kind parse(const struct exec_event *event, bool *ret_ambiguous)
{
	struct cgroup_identity identity;

	cgroup_parse(event->placement.text, event->placement.length, NULL, &identity);
	*ret_ambiguous = identity.ambiguous;
	return identity.kind;
}

static void all_that_was_written_is_told(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct exec_event event;

	(void)state;
	begin(BPF_EVENT_EXEC);
	raw.task.uid = 4;
	raw.task.gid = 5;
	raw.task.seccomp = SECCOMP_FILTER_MODE;
	raw.task.flags = BPF_TASK_NO_NEW_PRIVS;
	raw.task.namespace_pid = 3;
	raw.task.pid_namespace_level = 1;
	raw.task.user_namespace_level = 1;
	memset(raw.task.comm, 'c', sizeof(raw.task.comm)); /* without a NUL */
	add_parts(&raw.exe_parts, 3, "web\0bin\0usr");
	add_parts(&raw.unified_parts, 2, "docker-" ID_64("a") ".scope\0system.slice");
	add_args("web\0--secret\0");
	event = decode(engine);
	assert_false(event.credentials);
	assert_int_equal(event.task.pid, 10);
	assert_int_equal(event.task.start_ticks, 10);
	assert_true(event.task.leader && event.task.no_new_privs && event.task.controls_known);
	assert_int_equal(event.task.namespace_pid, 3);
	assert_int_equal(event.task.namespace_level, 1);
	assert_int_equal(event.task.user_namespace, USER_NAMESPACE_OTHER);
	assert_int_equal(event.task.user_namespace_key, 4026531837u);
	assert_int_equal(event.task.sets.of[CAPABILITY_EFFECTIVE], 1);
	assert_int_equal(event.task.container, NO_CONTAINER);
	assert_int_equal(event.process.uid, 4);
	assert_int_equal(event.process.gid, 5);
	assert_int_equal(event.process.seccomp, SECCOMP_FILTER_MODE);
	assert_string_equal(event.process.comm, "ccccccccccccccc");
	assert_string_equal(event.process.exe, "/usr/bin/web");
	assert_false(event.process.exe_on_host || event.process.exe_is_runtime);
	assert_string_equal(event.process.cmdline[0], "web");
	assert_string_equal(event.process.cmdline[1], "--secret");
	assert_string_equal(event.process.cmdline[2], "");
	assert_null(event.process.cmdline[3]);
	assert_int_equal(event.process.host_namespaces & HOST_NAMESPACE_PID, 0);
	assert_text(&event, TEXT_A);
	assert_int_equal(event.place[0], 1);
	process_done(&event.process);
	free_engine(engine);
}

static void a_change_of_credentials_says_that_it_is_one(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct exec_event event;

	(void)state;
	begin(BPF_EVENT_CREDENTIALS);
	raw.task.tid = 11;
	add_parts(&raw.exe_parts, 1, "sh");
	add_parts(&raw.unified_parts, 1, "x");
	event = decode(engine);
	assert_true(event.credentials);
	assert_int_equal(event.task.tid, 11);
	assert_null(event.process.cmdline);
	process_done(&event.process);
	free_engine(engine);
}

static void namespaces_are_told_as_far_as_both_sides_are_known(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct exec_event event;

	(void)state;
	for (unsigned i = 0; i < HOST_NAMESPACES; i++)
		engine->procfs->host_inode[i] = i == BPF_NAMESPACE_UTS ? 0 : 100 + i;
	begin(BPF_EVENT_EXEC);
	raw.namespaces[BPF_NAMESPACE_NET] = 100 + BPF_NAMESPACE_NET;
	raw.namespaces[BPF_NAMESPACE_MNT] = 7;
	raw.namespaces[BPF_NAMESPACE_UTS] = 7;
	event = decode(engine);
	assert_int_equal(event.process.host_namespaces_known,
		HOST_NAMESPACE_PID | HOST_NAMESPACE_NET | HOST_NAMESPACE_MNT);
	assert_int_equal(event.process.host_namespaces, HOST_NAMESPACE_PID | HOST_NAMESPACE_NET);
	process_done(&event.process);
	free_engine(engine);
}

static void an_executable_without_an_inode_is_none(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct exec_event event;

	(void)state;
	begin(BPF_EVENT_EXEC);
	raw.exe_inode = 0;
	add_parts(&raw.exe_parts, 1, "sh");
	event = decode(engine);
	assert_null(event.process.exe);
	process_done(&event.process);
	free_engine(engine);
}

/* They are the container's choice, and told as they are: output escapes them. */
static void names_of_executables_may_be_anything(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct exec_event event;

	(void)state;
	begin(BPF_EVENT_EXEC);
	add_parts(&raw.exe_parts, 4, "a\nb\0\xff\xfe\xc3(\0..\0");
	event = decode(engine);
	assert_string_equal(event.process.exe, "//../\xff\xfe\xc3(/a\nb");
	process_done(&event.process);

	/* The runtime's sealed copy of itself, and a file that wants to be taken for a host's. */
	begin(BPF_EVENT_EXEC);
	add_parts(&raw.exe_parts, 1, "memfd:runc_cloned:/proc/self/exe");
	event = decode(engine);
	assert_string_equal(event.process.exe, "/memfd:runc_cloned:/proc/self/exe");
	assert_true(event.process.exe_is_runtime && !event.process.exe_on_host);
	process_done(&event.process);
	begin(BPF_EVENT_EXEC);
	add_parts(&raw.exe_parts, 2, "runc\0usr/bin");
	event = decode(engine);
	assert_false(event.process.exe_is_runtime || event.process.exe_on_host);
	process_done(&event.process);
	free_engine(engine);
}

static void the_end_of_a_path_that_is_too_long_is_no_whole_one(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct exec_event event;

	(void)state;
	begin(BPF_EVENT_EXEC);
	raw.cut = BPF_CUT_EXE;
	add_parts(&raw.exe_parts, 2, "runc\0bin");
	event = decode(engine);
	assert_string_equal(event.process.exe, ".../bin/runc");
	process_done(&event.process);
	free_engine(engine);
}

static void as_many_parts_as_the_kernel_writes_are_read_and_no_more(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct exec_event event = { .place = { 4711 } };

	(void)state;
	begin(BPF_EVENT_EXEC);
	raw.exe_parts = BPF_PATH_PARTS;
	raw.cut = BPF_CUT_EXE;
	for (unsigned i = 0; i < BPF_PATH_PARTS; i++)
		append("p", 2);
	event = decode(engine);
	assert_int_equal(strlen(event.process.exe), strlen("...") + 2 * BPF_PATH_PARTS);
	process_done(&event.process);
	append("p", 2);
	raw.exe_parts++;
	event.place[0] = 4711;
	assert_int_equal(decode_size(engine, written(), &event), -EBADMSG);
	assert_int_equal(event.place[0], 4711); /* untouched */

	/* Longer than any path that can be. */
	begin(BPF_EVENT_EXEC);
	for (unsigned i = 0; i < 17; i++, raw.exe_parts++) {
		char name[BPF_PART_MAX];

		memset(name, 'n', sizeof(name));
		name[sizeof(name) - 1] = '\0';
		if (raw.text_length + sizeof(name) <= sizeof(raw.text))
			append(name, sizeof(name));
	}
	assert_int_equal(decode_size(engine, written(), &event), -EBADMSG);
	free_engine(engine);
}

static void what_is_not_all_there_is_refused(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct process process = { .pid = 4711 };
	struct exec_event event = { .place = { 4711 } };
	size_t size;

	(void)state;
	begin(BPF_EVENT_EXEC);
	add_parts(&raw.exe_parts, 2, "web\0bin");
	add_parts(&raw.unified_parts, 1, "a");
	add_parts(&raw.legacy_parts, 1, "b");
	add_args("web");
	size = written();
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(decode_size(engine, cut, &event), -EBADMSG);
	raw.text_length++;
	assert_int_equal(decode_size(engine, size, &event), -EBADMSG);
	raw.text_length = UINT32_MAX;
	assert_int_equal(decode_size(engine, size, &event), -EBADMSG);
	assert_int_equal(bpf_description_decode(engine, &raw, size, &process), -EBADMSG);
	raw.text_length = (uint32_t)(size - offsetof(struct bpf_exec_event, text));
	for (unsigned i = 0; i < 4; i++) {
		uint16_t *const counts[] = { &raw.exe_parts, &raw.unified_parts, &raw.legacy_parts,
			&raw.args_length };
		uint16_t kept = *counts[i];

		*counts[i] = i == 3 ? kept + 1 : 9;
		assert_int_equal(decode_size(engine, size, &event), -EBADMSG);
		*counts[i] = UINT16_MAX;
		assert_int_equal(decode_size(engine, size, &event), -EBADMSG);
		*counts[i] = kept;
	}
	/* A part without its NUL. */
	raw.args_length = raw.legacy_parts = raw.unified_parts = 0;
	raw.text_length = sizeof("web\0bin") - 1;
	assert_int_equal(decode_size(engine, written(), &event), -EBADMSG);
	assert_int_equal(bpf_description_decode(engine, &raw, written(), &process), -EBADMSG);
	assert_int_equal(event.place[0], 4711);
	assert_int_equal(process.pid, 4711);
	free_engine(engine);
}

static void arguments_may_end_in_the_middle_and_be_many(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct exec_event event;
	unsigned count = 0;

	(void)state;
	begin(BPF_EVENT_EXEC);
	raw.cut = BPF_CUT_ARGS;
	append("one\0two", 7);
	raw.args_length = 7;
	event = decode(engine);
	assert_string_equal(event.process.cmdline[0], "one");
	assert_string_equal(event.process.cmdline[1], "two");
	assert_null(event.process.cmdline[2]);
	process_done(&event.process);

	begin(BPF_EVENT_EXEC);
	for (unsigned i = 0; i < BPF_ARGS_MAX; i++)
		append("", 1);
	raw.args_length = BPF_ARGS_MAX;
	event = decode(engine);
	while (event.process.cmdline[count])
		assert_string_equal(event.process.cmdline[count++], "");
	assert_int_equal(count, PROCESS_ARGUMENTS_MAX);
	process_done(&event.process);
	free_engine(engine);
}

static void both_hierarchies_make_a_text_where_they_are_two(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct exec_event event;

	(void)state;
	begin(BPF_EVENT_EXEC);
	raw.task.placement.legacy++;
	add_parts(&raw.unified_parts, 1, "init.scope");
	add_parts(&raw.legacy_parts, 2, ID_64("a") "\0docker");
	event = decode(engine);
	assert_text(&event, "1:pids:/docker/" ID_64("a") "\n0::/init.scope\n");
	process_done(&event.process);

	begin(BPF_EVENT_EXEC); /* at the root of the tree */
	raw.task = record_of(10, 10, 2);
	event = decode(engine);
	assert_text(&event, "0::/\n");
	process_done(&event.process);
	free_engine(engine);
}

/* A name with a newline, which kernels before 5.13 let be given, must not make a line. */
static void a_newline_in_a_cgroups_name_forges_nothing(void **state)
{
	static const char *const names[] = {
		"x\n0::/docker/" ID_64("b"),
		"x\n2:memory:/system.slice/sshd.service",
		"\n",
		"x\n",
	};
	struct bpf_engine *engine = new_engine();
	bool ambiguous;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(names); i++) {
		const char *name = names[i / 2];
		bool in_unified = i % 2;
		struct exec_event event;

		begin(BPF_EVENT_EXEC);
		raw.task = record_of(10, 10, i + 1);
		raw.task.placement.legacy++;
		raw.unified_parts = raw.legacy_parts = 1;
		append(in_unified ? name : "user.slice", in_unified ? strlen(name) + 1 : 11);
		append(in_unified ? "user.slice" : name, in_unified ? 11 : strlen(name) + 1);
		event = decode(engine);
		assert_int_equal(parse(&event, &ambiguous), CGROUP_CONTAINER);
		assert_true(ambiguous);
		process_done(&event.process);
	}
	free_engine(engine);
}

/* What is missing is the beginning, which says whose it is. */
static void of_a_cut_path_proc_is_asked_while_it_can_be(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct exec_event event;
	bool ambiguous;

	(void)state;
	set_text(10, TEXT_A);
	for (int legacy = 0; legacy < 2; legacy++) {
		begin(BPF_EVENT_EXEC);
		raw.cut = legacy ? BPF_CUT_LEGACY : BPF_CUT_UNIFIED;
		add_parts(&raw.unified_parts, 1, "sshd.service");
		event = decode(engine);
		assert_text(&event, TEXT_A);
		process_done(&event.process);
	}
	end_process(10);
	event = decode(engine);
	assert_int_equal(parse(&event, &ambiguous), CGROUP_CONTAINER);
	assert_true(ambiguous);
	process_done(&event.process);
	set_text(10, TEXT_HOST);
	set_stat(10, 11); /* another process by now */
	event = decode(engine);
	assert_int_equal(parse(&event, &ambiguous), CGROUP_CONTAINER);
	process_done(&event.process);
	free_engine(engine);
}

/* Where the place has a permit the kernel tells no paths. It may have been forgotten by then: it is
 * not the tree's root. */
static void a_place_that_was_told_without_paths_is_nobodys_where_it_was_forgotten(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct exec_event event;
	bool ambiguous;

	(void)state;
	begin(BPF_EVENT_EXEC);
	raw.cut = BPF_CUT_UNIFIED | BPF_CUT_LEGACY;
	event = decode(engine);
	assert_int_equal(parse(&event, &ambiguous), CGROUP_CONTAINER);
	assert_true(ambiguous);
	process_done(&event.process);
	/* Nor is that remembered of the place. */
	raw.cut = 0;
	add_parts(&raw.unified_parts, 2, "docker-" ID_64("a") ".scope\0system.slice");
	event = decode(engine);
	assert_text(&event, TEXT_A);
	process_done(&event.process);
	raw.cut = BPF_CUT_UNIFIED | BPF_CUT_LEGACY;
	raw.unified_parts = 0;
	raw.text_length = 0;
	event = decode(engine);
	assert_text(&event, TEXT_A); /* it is known now */
	process_done(&event.process);
	free_engine(engine);
}

static void what_proc_said_of_a_place_goes_before_what_an_event_says(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct exec_event event;
	struct snapshot s;

	(void)state;
	set_text(10, "2:cpu:/x\n" TEXT_A);
	add_record(10, 10, 1);
	s = one_pass(engine, NULL, NULL);
	begin(BPF_EVENT_EXEC);
	add_parts(&raw.unified_parts, 1, "b");
	event = decode(engine);
	assert_text(&event, "2:cpu:/x\n" TEXT_A);
	process_done(&event.process);
	snapshot_done(&s);
	free_engine(engine);
}

static void a_description_has_its_executable_and_namespaces(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct process process;

	(void)state;
	begin(BPF_EVENT_DESCRIPTION);
	add_parts(&raw.exe_parts, 2, "sh\0bin");
	assert_int_equal(bpf_description_decode(engine, &raw, written(), &process), 0);
	assert_string_equal(process.exe, "/bin/sh");
	assert_true(process.host_namespaces & HOST_NAMESPACE_PID);
	assert_null(process.cmdline);
	process_done(&process);
	free_engine(engine);
}

static void out_of_memory_is_an_error_and_nothing_is_left(void **state)
{
	(void)state;
	begin(BPF_EVENT_EXEC);
	add_parts(&raw.exe_parts, 2, "sh\0bin");
	add_parts(&raw.unified_parts, 1, "a");
	add_args("sh\0-c\0x");
	for (unsigned long n = 1;; n++) {
		struct bpf_engine *engine = new_engine();
		struct exec_event event;
		bool fired;
		int r;

		fail_allocation_at(n);
		r = bpf_event_decode(engine, &raw, written(), made, &event);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		assert_int_equal(r, fired ? -ENOMEM : 0);
		if (r == 0)
			process_done(&event.process);
		event = decode(engine);
		process_done(&event.process);
		free_engine(engine);
		if (!fired)
			break;
	}
}

static bool is_seen(struct bpf_engine *engine, uint64_t start_ns, uint64_t exec_id)
{
	struct exec_event event;
	bool seen;

	begin(BPF_EVENT_EXEC);
	add_parts(&raw.unified_parts, 1, "a");
	raw.task.start_ns = start_ns;
	raw.task.exec_id = exec_id;
	event = decode(engine);
	seen = event.seen;
	process_done(&event.process);
	return seen;
}

/* Whom a pass has counted as it was counts once, and for each program that it begins after that. */
static void a_program_that_the_pass_has_seen_is_no_other(void **state)
{
	struct bpf_engine *engine = new_engine();
	struct snapshot s;

	(void)state;
	set_text(10, "0::/docker/" ID_64("a") "\n");
	add_record(10, 10, 1)->exec_id = 3;
	s = one_pass(engine, NULL, NULL);
	assert_true(is_seen(engine, 10 * FAKE_TICK_NS, 3));
	assert_false(is_seen(engine, 10 * FAKE_TICK_NS, 4));
	assert_false(is_seen(engine, 11 * FAKE_TICK_NS, 3)); /* the pid is another's */
	snapshot_done(&s);
	find_record(10)->flags = BPF_TASK_FORKED; /* it had not begun any */
	s = one_pass(engine, NULL, NULL);
	assert_true(is_seen(engine, 10 * FAKE_TICK_NS, 4));
	assert_false(is_seen(engine, 10 * FAKE_TICK_NS, 5));
	snapshot_done(&s);
	free_engine(engine);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_fake, tear_down_fake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_that_was_written_is_told),
		TEST(a_change_of_credentials_says_that_it_is_one),
		TEST(namespaces_are_told_as_far_as_both_sides_are_known),
		TEST(an_executable_without_an_inode_is_none),
		TEST(names_of_executables_may_be_anything),
		TEST(the_end_of_a_path_that_is_too_long_is_no_whole_one),
		TEST(as_many_parts_as_the_kernel_writes_are_read_and_no_more),
		TEST(what_is_not_all_there_is_refused),
		TEST(arguments_may_end_in_the_middle_and_be_many),
		TEST(both_hierarchies_make_a_text_where_they_are_two),
		TEST(a_newline_in_a_cgroups_name_forges_nothing),
		TEST(of_a_cut_path_proc_is_asked_while_it_can_be),
		TEST(a_place_that_was_told_without_paths_is_nobodys_where_it_was_forgotten),
		TEST(what_proc_said_of_a_place_goes_before_what_an_event_says),
		TEST(a_program_that_the_pass_has_seen_is_no_other),
		TEST(a_description_has_its_executable_and_namespaces),
		TEST(out_of_memory_is_an_error_and_nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
