/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers of section names for libbpf. They keep nothing but what is the same for as long as the
 * machine runs: libbpf itself carries the id from bpf_section_attach_to() to the load.
 *
 * libbpf (1.1, and its source of October 2025) reads the kernel's BTF for every program of type
 * TRACING, unless it is to be attached to another BPF program, whose descriptor
 * bpf_program__set_attach_target() takes on trust when it is given no function's name. That number
 * is put into the load's options, and then the section's handler may change these. So the id
 * travels as that number, and the handler moves it to where it belongs; the kernel never sees it as
 * a descriptor.
 */
#include "bpf_section.h"
#include "bpf_names.h"

#include <capauditd/macros.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#define PREFIX "by_id/"

static const struct section {
	const char *name;
	enum bpf_prog_type program;
	enum bpf_attach_type type;
} sections[] = {
	{ PREFIX "iter", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER },
	{ PREFIX "tp_btf", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP },
	{ PREFIX "fentry", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY },
	{ PREFIX "syscall", BPF_PROG_TYPE_SYSCALL, 0 },
};

/* The handlers get no other pointer than libbpf's own. */
static uint32_t named[BPF_NAMED];

static int leave_out(struct bpf_program *program, long cookie)
{
	(void)cookie;
	return bpf_program__set_autoload(program, false);
}

static int fill_names(struct bpf_program *program)
{
	size_t count = bpf_program__insn_cnt(program);
	_cleanup_free_ struct bpf_insn *insns = calloc(count + 1, sizeof(*insns));
	int r;

	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(program), count * sizeof(*insns));
	r = bpf_names_fill(insns, count, named);
	return r < 0 ? r : bpf_program__set_insns(program, insns, count);
}

static int move_id(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	if (options->attach_prog_fd == 0 && bpf_program__type(program) == BPF_PROG_TYPE_TRACING)
		return -EINVAL; /* autoload was set by somebody who had no id */
	(void)cookie;
	options->attach_btf_id = options->attach_prog_fd;
	options->attach_prog_fd = 0;
	options->attach_btf_obj_fd = 0; /* vmlinux */
	return fill_names(program);
}

/* A program that is run by its descriptor; the kernel takes none that may not sleep. */
static int let_sleep(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	(void)cookie;
	options->prog_flags |= BPF_F_SLEEPABLE;
	return fill_names(program);
}

static int attach(const struct bpf_program *program, long cookie, struct bpf_link **ret)
{
	*ret = (enum bpf_attach_type)cookie == BPF_TRACE_ITER
		       ? bpf_program__attach_iter(program, NULL)
		       : bpf_program__attach_trace(program);
	return *ret ? 0 : -errno;
}

int bpf_section_register(const uint32_t ids[static BPF_NAMED])
{
	memcpy(named, ids, sizeof(named));
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		bool syscall = sections[i].program == BPF_PROG_TYPE_SYSCALL;
		LIBBPF_OPTS(libbpf_prog_handler_opts, options, .cookie = (long)sections[i].type,
			.prog_setup_fn = leave_out,
			.prog_prepare_load_fn = syscall ? let_sleep : move_id,
			.prog_attach_fn = syscall ? NULL : attach);
		char pattern[sizeof(PREFIX) + sizeof("syscall+")];
		enum bpf_attach_type attach_type;
		enum bpf_prog_type type;
		int r;

		/* They stay: libbpf 1.1 frees its table when the last one is taken away, and goes
		 * on using it. */
		if (libbpf_prog_type_by_name(sections[i].name, &type, &attach_type) == 0)
			continue;
		(void)snprintf(pattern, sizeof(pattern), "%s+", sections[i].name);
		r = libbpf_register_prog_handler(
			pattern, sections[i].program, sections[i].type, &options);
		if (r < 0)
			return r;
	}
	return 0;
}

int bpf_section_attach_to(struct bpf_program *program, uint32_t id)
{
	int r;

	if (strncmp(bpf_program__section_name(program), PREFIX, strlen(PREFIX)) != 0 ||
		id > INT_MAX)
		return -EINVAL;
	if (id == 0)
		return -ENOENT;
	r = bpf_program__type(program) == BPF_PROG_TYPE_TRACING
		    ? bpf_program__set_attach_target(program, (int)id, NULL)
		    : 0;
	return r < 0 ? r : bpf_program__set_autoload(program, true);
}
