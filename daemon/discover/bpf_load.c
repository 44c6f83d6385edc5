/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads the iterator over all tasks.
 */
#include "bpf_internal.h"
#include "bpf_program.h"
#include "bpf_section.h"

#include "tasks.skel.h"
#include "tasks_once.skel.h"

#include <errno.h>

struct bpf_totals *bpf_totals(const struct bpf_engine *engine)
{
	return engine->program ? &engine->program->bss->totals : &engine->program_once->bss->totals;
}

/* The two are of one source, and differ in how they read. */
static struct bpf_program *open_program(
	struct bpf_engine *engine, const struct bpf_kernel *kernel, bool lasting)
{
	BPF_OPEN_OPTS(options, kernel);

	if (lasting) {
		engine->program = tasks_bpf__open_opts(&options);
		return engine->program ? engine->program->progs.capauditd_tasks : NULL;
	}
	engine->program_once = tasks_once_bpf__open_opts(&options);
	return engine->program_once ? engine->program_once->progs.capauditd_tasks : NULL;
}

int bpf_load(
	struct bpf_engine *engine, const struct bpf_kernel *kernel, bool lasting, struct diag *diag)
{
	static const char what[] = "the task iterator";
	struct bpf_program *program = open_program(engine, kernel, lasting);
	int r;

	if (!program)
		return bpf_program_refused(what, -errno, diag);
	r = bpf_section_attach_to(program, kernel->points[BPF_POINT_TASKS]);
	if (r == 0)
		r = lasting ? tasks_bpf__load(engine->program)
			    : tasks_once_bpf__load(engine->program_once);
	if (r == 0)
		r = bpf_iterator_attach(&engine->tasks, program, lasting);
	return r < 0 ? bpf_program_refused(what, r, diag) : 0;
}

void bpf_unload(struct bpf_engine *engine)
{
	bpf_iterator_done(&engine->tasks);
	tasks_bpf__destroy(engine->program);
	tasks_once_bpf__destroy(engine->program_once);
}
