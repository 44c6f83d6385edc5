/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hears of programs that begin and of cgroups that come and go, through a ring buffer.
 */
#include "bpf_internal.h"
#include "bpf_program.h"
#include "bpf_section.h"

#include "events.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number of the hierarchy that the programs look at besides the default one (proc_cgroups(5)):
 * the "pids" controller's, or where the kernel has none, the "memory" controller's. */
static int legacy_hierarchy(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/cgroups", "re");
	char line[256];
	int pids = -1, memory = 0;

	while (file && fgets(line, sizeof(line), file)) {
		size_t length = strcspn(line, "\t");
		long hierarchy = line[length] ? strtol(line + length, NULL, 10) : 0;

		line[length] = '\0';
		if (strcmp(line, "pids") == 0)
			pids = (int)hierarchy;
		else if (strcmp(line, "memory") == 0)
			memory = (int)hierarchy;
	}
	return pids >= 0 ? pids : memory;
}

static void hand_over_exec(
	struct bpf_engine *engine, const struct bpf_exec_event *kernels, size_t size)
{
	char text[BPF_CGROUP_TEXT_MAX];
	struct exec_event event;

	if (bpf_event_decode(engine, kernels, size, text, &event) < 0) {
		engine->lost++;
		return;
	}
	engine->handler->exec(engine->handler->data, &event);
	process_done(&event.process);
}

static void hand_over_cgroup(
	struct bpf_engine *engine, const struct bpf_cgroup_event *kernels, size_t size)
{
	if (size < sizeof(*kernels) || !memchr(kernels->path, '\0', sizeof(kernels->path))) {
		engine->lost++;
		return;
	}
	engine->handler->cgroup(
		engine->handler->data, kernels->path, kernels->kind == BPF_EVENT_CGROUP_MADE);
}

#define EVENTS_AT_ONCE 512u

static int hand_over(void *data, void *bytes, size_t size)
{
	struct bpf_engine *engine = data;
	uint32_t kind;

	if (size < sizeof(kind))
		return 0;
	engine->read++;
	memcpy(&kind, bytes, sizeof(kind));
	if (kind == BPF_EVENT_EXEC || kind == BPF_EVENT_CREDENTIALS)
		hand_over_exec(engine, bytes, size);
	else if (kind == BPF_EVENT_CGROUP_MADE || kind == BPF_EVENT_CGROUP_GONE)
		hand_over_cgroup(engine, bytes, size);
	/* There may be more for as long as somebody makes them: the caller has other things to do.
	 */
	return engine->read < EVENTS_AT_ONCE ? 0 : -EAGAIN;
}

static int attach_to(struct events_bpf *events, const struct bpf_kernel *kernel)
{
	const struct {
		struct bpf_program *program;
		enum bpf_point point;
	} all[] = {
		{ events->progs.capauditd_exec, BPF_POINT_EXEC },
		{ events->progs.capauditd_cgroup_made, BPF_POINT_CGROUP_MADE },
		{ events->progs.capauditd_cgroup_gone, BPF_POINT_CGROUP_GONE },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(all); i++)
		r = bpf_section_attach_to(all[i].program, kernel->points[all[i].point]);
	return r;
}

/* `credentials`: with the program that is attached to a function, which not every kernel permits.
 */
static int load(struct bpf_engine *engine, const struct bpf_kernel *kernel, bool credentials)
{
	BPF_OPEN_OPTS(options, kernel);
	int r;

	engine->events = events_bpf__open_opts(&options);
	if (!engine->events)
		return -errno;
	r = attach_to(engine->events, kernel);
	if (r == 0 && credentials)
		r = bpf_section_attach_to(engine->events->progs.capauditd_credentials,
			kernel->points[BPF_POINT_CREDENTIALS]);
	if (r == 0)
		r = events_bpf__load(engine->events);
	if (r < 0)
		return r;
	engine->events->bss->legacy_hierarchy = legacy_hierarchy();
	engine->ring =
		ring_buffer__new(bpf_map__fd(engine->events->maps.events), hand_over, engine, NULL);
	return engine->ring ? events_bpf__attach(engine->events) : -errno;
}

int bpf_events_load(struct bpf_engine *engine, const struct bpf_kernel *kernel, struct diag *diag)
{
	int r = load(engine, kernel, true);

	if (r < 0) {
		bpf_events_unload(engine);
		r = load(engine, kernel, false);
	}
	return r < 0 ? bpf_program_refused("what tells of new programs", r, diag) : 0;
}

void bpf_events_unload(struct bpf_engine *engine)
{
	ring_buffer__free(engine->ring);
	events_bpf__destroy(engine->events);
	engine->ring = NULL;
	engine->events = NULL;
}

int bpf_event_fd(struct engine *base)
{
	const struct bpf_engine *engine = (const struct bpf_engine *)base;

	return engine->ring ? ring_buffer__epoll_fd(engine->ring) : -ENOTSUP;
}

int bpf_read_events(struct engine *base, const struct event_handler *handler)
{
	struct bpf_engine *engine = (struct bpf_engine *)base;
	int n;

	if (!engine->ring)
		return 0;
	engine->handler = handler;
	engine->read = 0;
	n = ring_buffer__consume(engine->ring);
	engine->handler = NULL;
	return n < 0 && n != -EAGAIN ? n : (int)engine->read;
}

/* Where the kernel may preempt a program, and the same one comes up on that processor meanwhile, it
 * leaves the second out, and counts that (from 5.12 on). */
static uint64_t count_left_out(const struct events_bpf *events)
{
	const struct bpf_program *const all[] = { events->progs.capauditd_exec,
		events->progs.capauditd_credentials, events->progs.capauditd_cgroup_made,
		events->progs.capauditd_cgroup_gone };
	uint64_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof(info);
		int fd = bpf_program__fd(all[i]);

		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
			count += info.recursion_misses;
	}
	return count;
}

void bpf_count_events(const struct engine *base, struct event_counts *ret)
{
	const struct bpf_engine *engine = (const struct bpf_engine *)base;
	const struct bpf_event_totals *totals;

	if (!engine->events)
		return;
	totals = &engine->events->bss->totals;
	*ret = (struct event_counts){
		.execs = __atomic_load_n(&totals->execs, __ATOMIC_RELAXED),
		.cgroups = __atomic_load_n(&totals->cgroups, __ATOMIC_RELAXED),
		.lost = __atomic_load_n(&totals->lost, __ATOMIC_RELAXED) + engine->lost +
			count_left_out(engine->events),
	};
}

struct bpf_permit *bpf_permit_rows(const struct bpf_engine *engine)
{
	return engine->events ? engine->events->bss->permits : NULL;
}
