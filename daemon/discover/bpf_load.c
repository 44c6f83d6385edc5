/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads the iterator into the kernel and keeps it where it can be read later without any privilege.
 */
#include "bpf_internal.h"
#include "bpf_program.h"
#include "bpf_section.h"

#include "tasks.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/mount.h>
#include <unistd.h>

struct bpf_totals *bpf_totals(const struct bpf_engine *engine)
{
	return &engine->program->bss->totals;
}

/* From 6.1 on whoever holds a link may iterate; 5.10 wants a privilege for that, but none to open
 * an iterator that is pinned in a file system. So there is one, mounted nowhere, with it. Where it
 * cannot be made (CAP_SYS_ADMIN), the first pass will tell whether that matters. */
static void pin(struct bpf_engine *engine)
{
	_cleanup_close_ int fs = fsopen("bpf", FSOPEN_CLOEXEC);
	char path[64];

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return;
	engine->pinned = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (engine->pinned < 0)
		return;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/tasks", engine->pinned);
	if (bpf_obj_pin(engine->link, path) < 0) {
		(void)close(engine->pinned);
		engine->pinned = -1;
	}
}

int bpf_iterate(const struct bpf_engine *engine)
{
	int fd = bpf_iter_create(engine->link), error = errno;

	if (fd >= 0 || engine->pinned < 0)
		return fd < 0 ? -error : fd;
	fd = openat(engine->pinned, "tasks", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int bpf_load(
	struct bpf_engine *engine, const struct bpf_kernel *kernel, bool lasting, struct diag *diag)
{
	static const char what[] = "the task iterator";
	BPF_OPEN_OPTS(options, kernel);
	struct bpf_program *program;
	int r;

	engine->program = tasks_bpf__open_opts(&options);
	if (!engine->program)
		return bpf_program_refused(what, -errno, diag);
	program = engine->program->progs.capauditd_tasks;
	r = bpf_section_attach_to(program, kernel->points[BPF_POINT_TASKS]);
	if (r == 0)
		r = tasks_bpf__load(engine->program);
	if (r < 0)
		return bpf_program_refused(what, r, diag);
	engine->link = bpf_link_create(bpf_program__fd(program), 0, BPF_TRACE_ITER, NULL);
	if (engine->link < 0)
		return bpf_program_refused(what, -errno, diag);
	if (lasting)
		pin(engine);
	return 0;
}

void bpf_unload(struct bpf_engine *engine)
{
	if (engine->link >= 0)
		(void)close(engine->link);
	if (engine->pinned >= 0)
		(void)close(engine->pinned);
	tasks_bpf__destroy(engine->program);
}
