/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a report shows of a process: by /proc, and where that refuses (the daemon holds no
 * capability) by a second iterator. What that said is kept for as long as the process runs the same
 * program.
 */
#include "bpf_internal.h"
#include "bpf_program.h"
#include "bpf_section.h"

#include "describe.skel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM      1
#define uthash_nonfatal_oom(e) ((e)->lost = true)
#include <uthash.h>

#define DESCRIPTIONS_MAX 4096u
#define AT_ONCE_MAX	 1024u /* processes that one iteration is asked about */
#define OF_ONE_PLACE_MAX 4u    /* and of these in one place: of many alike one is reported */
#define KEPT_PASSES	 2u

/* Which program of which process: the counter changes with each execve(). */
struct description_key {
	uint64_t start_ns, exec_id;
	uint32_t pid, unused;
};

struct bpf_description {
	UT_hash_handle hh;
	struct description_key key;
	struct process process; /* exe and namespaces alone */
	uint64_t pass;		/* in which it was asked for last */
	bool lost;		/* out of memory while it was added */
};

static struct description_key key_of(const struct bpf_task_record *record)
{
	return (struct description_key){ record->start_ns, record->exec_id, record->pid, 0 };
}

static struct bpf_description *find(const struct bpf_engine *engine, struct description_key key)
{
	struct bpf_description *found;

	HASH_FIND(hh, engine->descriptions, &key, sizeof(key), found);
	return found;
}

static void forget(struct bpf_engine *engine, struct bpf_description *description)
{
	HASH_DEL(engine->descriptions, description);
	process_done(&description->process);
	free(description);
}

void bpf_describe_sweep(struct bpf_engine *engine)
{
	struct bpf_description *description, *next;

	HASH_ITER (hh, engine->descriptions, description, next) {
		if (engine->places.pass - description->pass > KEPT_PASSES)
			forget(engine, description);
	}
}

static int keep(struct bpf_engine *engine, const struct bpf_exec_event *event, size_t size)
{
	struct bpf_description *description;
	int r;

	if (find(engine, key_of(&event->task)))
		return 0;
	if (HASH_COUNT(engine->descriptions) >= DESCRIPTIONS_MAX)
		return -ENOSPC;
	description = calloc(1, sizeof(*description));
	if (!description)
		return -ENOMEM;
	description->key = key_of(&event->task);
	description->pass = engine->places.pass;
	r = bpf_description_decode(engine, event, size, &description->process);
	if (r == 0) {
		HASH_ADD(hh, engine->descriptions, key, sizeof(description->key), description);
		r = description->lost ? -ENOMEM : 0;
	}
	if (r < 0) {
		process_done(&description->process);
		free(description);
	}
	return r;
}

/* One answer after the other; the kernel's buffer may end in the middle of one. */
static int read_answers(struct bpf_engine *engine, int fd)
{
	_Alignas(struct bpf_exec_event) char buffer[4 * sizeof(struct bpf_exec_event)];
	const size_t head = offsetof(struct bpf_exec_event, text);
	size_t length = 0;
	int r = 0;

	for (;;) {
		ssize_t n = read(fd, buffer + length, sizeof(buffer) - length);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n < 0 ? -errno : r;
		length += (size_t)n;
		while (length >= head) {
			struct bpf_exec_event event;
			size_t size;

			memcpy(&event, buffer, head);
			size = head + event.text_length;
			if (event.text_length > sizeof(event.text))
				return -EBADMSG;
			if (length < size)
				break;
			memcpy(event.text, buffer + head, event.text_length);
			if (keep(engine, &event, size) == -ENOMEM)
				r = -ENOMEM;
			length -= size;
			memmove(buffer, buffer + size, length);
		}
	}
}

static void want(struct bpf_engine *engine, uint32_t pid)
{
	uint8_t *byte = &engine->describe->bss->wanted[pid % BPF_WANTED / 8];

	*byte = (uint8_t)(*byte | 1u << pid % 8);
}

static bool is_permitted(const struct bpf_engine *engine, const struct bpf_task_record *record)
{
	uint64_t all = 0;
	capability_mask permitted;

	for (unsigned i = 0; i < BPF_SETS; i++)
		all |= record->sets[i];
	return bpf_places_permit(&engine->places, &record->placement, &permitted) &&
	       !(all & ~permitted);
}

/* By whom a container begins: its parent is elsewhere. */
static bool is_from_outside(const struct bpf_crowd *crowd, const struct bpf_task_record *record)
{
	const struct bpf_task_record *parent = bpf_crowd_find(crowd, record->ppid, record->ppid);

	return !parent ||
	       memcmp(&parent->placement, &record->placement, sizeof(record->placement)) != 0;
}

/* What is left of earlier passes goes first, and then all. */
static void make_room(struct bpf_engine *engine)
{
	struct bpf_description *description, *next;

	if (HASH_COUNT(engine->descriptions) + AT_ONCE_MAX < DESCRIPTIONS_MAX)
		return;
	HASH_ITER (hh, engine->descriptions, description, next) {
		if (description->pass != engine->places.pass)
			forget(engine, description);
	}
	if (HASH_COUNT(engine->descriptions) + AT_ONCE_MAX < DESCRIPTIONS_MAX)
		return;
	HASH_ITER (hh, engine->descriptions, description, next) {
		forget(engine, description);
	}
}

/* With the one that is asked about, those that will be: who holds more than is permitted. About who
 * came from outside it is asked for every container that is new, permitted or not, and of the first
 * pass nothing is permitted yet: then it is about these alone, or the others would take the room.
 */
static void mark(struct bpf_engine *engine, const struct bpf_task_record *asked)
{
	const struct bpf_crowd *crowd = &engine->before;
	bool outside = is_from_outside(crowd, asked);
	size_t count = 0;

	for (size_t i = 0; i < crowd->process_count && count < AT_ONCE_MAX; i++) {
		const struct bpf_process *process = &crowd->processes[i];
		const struct bpf_task_record *record = bpf_process_record(crowd, process);

		if (!process->task_count || (outside && !is_from_outside(crowd, record)) ||
			is_permitted(engine, record) || find(engine, key_of(record)) ||
			!bpf_places_ask(process->place, engine->questions, OF_ONE_PLACE_MAX))
			continue;
		want(engine, record->pid);
		count++;
	}
	want(engine, asked->pid);
}

static int ask(struct bpf_engine *engine, const struct bpf_task_record *asked)
{
	_cleanup_close_ int fd = bpf_iterator_open(&engine->describing);
	int r;

	if (fd < 0)
		return fd;
	make_room(engine);
	engine->questions++;
	mark(engine, asked);
	r = read_answers(engine, fd);
	memset(engine->describe->bss->wanted, 0, sizeof(engine->describe->bss->wanted));
	return r;
}

/* Fills in what /proc did not tell. */
static int complete(struct bpf_engine *engine, const struct task *task, struct process *process)
{
	const struct bpf_task_record *record =
		bpf_crowd_find(&engine->before, (uint32_t)task->pid, (uint32_t)task->pid);
	struct bpf_description *found;
	int r = 0;

	if (!record || bpf_ticks(engine, record->start_ns) != task->start_ticks)
		return 0;
	found = find(engine, key_of(record));
	if (!found) {
		r = ask(engine, record);
		found = find(engine, key_of(record));
	}
	if (!found)
		return r == -ENOMEM ? r : 0;
	found->pass = engine->places.pass;
	process->exe_on_host = found->process.exe_on_host;
	process->exe_is_runtime = found->process.exe_is_runtime;
	process->host_namespaces_known |= found->process.host_namespaces_known;
	process->host_namespaces |= found->process.host_namespaces;
	if (!found->process.exe)
		return 0;
	process->exe = strdup(found->process.exe);
	return process->exe ? 0 : -ENOMEM;
}

/* What the pass has seen of that thread need not be read from /proc, where it is dear to make. */
static bool find_facts(
	const struct bpf_engine *engine, const struct task *task, struct process *ret)
{
	const struct bpf_task_record *record =
		bpf_crowd_find(&engine->before, (uint32_t)task->pid, (uint32_t)task->tid);

	if (!record || bpf_ticks(engine, record->start_ns) != task->start_ticks)
		return false;
	*ret = bpf_facts_of(engine, record);
	return true;
}

/* Loads what was not needed so far. */
static bool may_ask(struct bpf_engine *engine)
{
	struct diag diag = { 0 };

	if (!engine->kernel)
		return engine->describe;
	if (bpf_describe_load(engine, engine->kernel, false, &diag) < 0)
		bpf_describe_unload(engine);
	bpf_forget_kernel(engine);
	return engine->describe;
}

int bpf_describe(struct engine *base, const struct task *task, struct process *ret)
{
	struct bpf_engine *engine = (struct bpf_engine *)base;
	struct process process = { 0 }, facts;
	bool known = find_facts(engine, task, &facts);
	int r = procfs_describe_with(engine->procfs, task, known ? &facts : NULL, &process);

	if (r == 0 && !process.exe && may_ask(engine))
		r = complete(engine, task, &process);
	if (r < 0) {
		process_done(&process);
		return r;
	}
	*ret = process;
	return 0;
}

int bpf_describe_load(
	struct bpf_engine *engine, const struct bpf_kernel *kernel, bool lasting, struct diag *diag)
{
	static const char what[] = "the describing iterator";
	BPF_OPEN_OPTS(options, kernel);
	struct bpf_program *program;
	int r;

	engine->describe = describe_bpf__open_opts(&options);
	if (!engine->describe)
		return bpf_program_refused(what, -errno, diag);
	program = engine->describe->progs.capauditd_describe;
	r = bpf_section_attach_to(program, kernel->points[BPF_POINT_TASKS]);
	if (r == 0)
		r = describe_bpf__load(engine->describe);
	if (r == 0)
		r = bpf_iterator_attach(&engine->describing, program, lasting);
	return r < 0 ? bpf_program_refused(what, r, diag) : 0;
}

void bpf_describe_unload(struct bpf_engine *engine)
{
	struct bpf_description *description, *next;

	HASH_ITER (hh, engine->descriptions, description, next) {
		forget(engine, description);
	}
	bpf_iterator_done(&engine->describing);
	describe_bpf__destroy(TAKE_PTR(engine->describe));
}
