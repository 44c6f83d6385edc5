/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An event as the kernel's program might have written it, whatever it says of its own lengths. What
 * is accepted has a command line and a cgroup text of the promised shape: no name makes a line.
 */
#include "check.h"

#include "../../daemon/discover/bpf_internal.h"

#include <errno.h>
#include <string.h>

/* It is asked for the host's namespaces and the like, which are the same each time. */
static struct procfs *get_procfs(void)
{
	static struct engine *engine;

	if (!engine)
		CHECK(engine_procfs_new(&engine) == 0);
	return (struct procfs *)engine;
}

static void check_text(const struct exec_event *event, unsigned cut)
{
	const struct placement *placement = &event->placement;
	size_t lines = 0;

	CHECK(placement->text && placement->length && placement->length <= BPF_CGROUP_TEXT_MAX);
	for (size_t i = 0; i < placement->length; i++)
		lines += placement->text[i] == '\n';
	CHECK(placement->text[placement->length - 1] == '\n');
	/* Of a cut one /proc may have told. */
	CHECK((cut & (BPF_CUT_UNIFIED | BPF_CUT_LEGACY)) || lines <= 2);
}

static void check_process(const struct process *process, unsigned cut)
{
	const char *begin = cut & BPF_CUT_EXE ? ".../" : "/";
	size_t words = 0;

	CHECK(memchr(process->comm, '\0', sizeof(process->comm)));
	CHECK(!process->exe || strncmp(process->exe, begin, strlen(begin)) == 0);
	CHECK(!(process->host_namespaces & ~process->host_namespaces_known));
	while (process->cmdline && process->cmdline[words])
		words++;
	CHECK(words <= PROCESS_ARGUMENTS_MAX);
	CHECK(!process->cmdline || words);
}

static void check_event(struct bpf_engine *engine, const struct bpf_exec_event *raw, size_t size)
{
	char text[BPF_CGROUP_TEXT_MAX];
	struct exec_event event;
	int r = bpf_event_decode(engine, raw, size, text, &event);

	CHECK(r == 0 || r == -EBADMSG);
	if (r < 0)
		return;
	check_text(&event, raw->cut);
	check_process(&event.process, raw->cut);
	CHECK(event.task.pid == (pid_t)raw->task.pid && event.task.leader);
	process_done(&event.process);
}

static void check_description(
	struct bpf_engine *engine, const struct bpf_exec_event *raw, size_t size)
{
	struct process process;
	int r = bpf_description_decode(engine, raw, size, &process);

	CHECK(r == 0 || r == -EBADMSG);
	if (r < 0)
		return;
	check_process(&process, raw->cut);
	process_done(&process);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bpf_engine engine = { .procfs = get_procfs(), .ticks_per_second = 100 };
	struct bpf_exec_event *raw = malloc(size ? size : 1); /* aligned, and of its size */

	if (!raw)
		return 0;
	memcpy(raw, data, size);
	check_event(&engine, raw, size);
	check_event(&engine, raw, size); /* of a place that is known now */
	check_description(&engine, raw, size);
	bpf_places_done(&engine);
	free(raw);
	return 0;
}
