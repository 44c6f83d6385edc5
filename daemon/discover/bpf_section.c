/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers of section names for libbpf. They keep nothing: libbpf itself carries the id from
 * bpf_section_attach_to() to the load.
 *
 * libbpf (1.1, and its source of October 2025) reads the kernel's BTF for every program of type
 * TRACING, unless it is to be attached to another BPF program, whose descriptor
 * bpf_program__set_attach_target() takes on trust when it is given no function's name. That number
 * is put into the load's options, and then the section's handler may change these. So the id
 * travels as that number, and the handler moves it to where it belongs; the kernel never sees it as
 * a descriptor.
 */
#include "bpf_section.h"

#include <capauditd/macros.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#define PREFIX "by_id/"

static const struct section {
	const char *name;
	enum bpf_attach_type type;
} sections[] = {
	{ PREFIX "iter", BPF_TRACE_ITER },
	{ PREFIX "tp_btf", BPF_TRACE_RAW_TP },
	{ PREFIX "fentry", BPF_TRACE_FENTRY },
};

static int leave_out(struct bpf_program *program, long cookie)
{
	(void)cookie;
	return bpf_program__set_autoload(program, false);
}

static int move_id(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	(void)program, (void)cookie;
	if (options->attach_prog_fd == 0)
		return -EINVAL; /* autoload was set by somebody who had no id */
	options->attach_btf_id = options->attach_prog_fd;
	options->attach_prog_fd = 0;
	options->attach_btf_obj_fd = 0; /* vmlinux */
	return 0;
}

static int attach(const struct bpf_program *program, long cookie, struct bpf_link **ret)
{
	*ret = (enum bpf_attach_type)cookie == BPF_TRACE_ITER
		       ? bpf_program__attach_iter(program, NULL)
		       : bpf_program__attach_trace(program);
	return *ret ? 0 : -errno;
}

int bpf_section_register(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		LIBBPF_OPTS(libbpf_prog_handler_opts, options, .cookie = (long)sections[i].type,
			.prog_setup_fn = leave_out, .prog_prepare_load_fn = move_id,
			.prog_attach_fn = attach);
		char pattern[sizeof(PREFIX) + sizeof("tp_btf+")];
		enum bpf_attach_type attach_type;
		enum bpf_prog_type type;
		int r;

		/* They stay: libbpf 1.1 frees its table when the last one is taken away, and goes
		 * on using it. */
		if (libbpf_prog_type_by_name(sections[i].name, &type, &attach_type) == 0)
			continue;
		(void)snprintf(pattern, sizeof(pattern), "%s+", sections[i].name);
		r = libbpf_register_prog_handler(
			pattern, BPF_PROG_TYPE_TRACING, sections[i].type, &options);
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
	r = bpf_program__set_attach_target(program, (int)id, NULL);
	return r < 0 ? r : bpf_program__set_autoload(program, true);
}
