/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads the iterator over all tasks.
 */
#include "bpf_internal.h"
#include "bpf_program.h"
#include "bpf_section.h"

#include "tasks.skel.h"

#include <errno.h>

struct bpf_totals *bpf_totals(const struct bpf_engine *engine)
{
	return &engine->program->bss->totals;
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
	if (r == 0)
		r = bpf_iterator_attach(&engine->tasks, program, lasting);
	return r < 0 ? bpf_program_refused(what, r, diag) : 0;
}

void bpf_unload(struct bpf_engine *engine)
{
	bpf_iterator_done(&engine->tasks);
	tasks_bpf__destroy(engine->program);
}
