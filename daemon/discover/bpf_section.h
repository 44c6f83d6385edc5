/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs that are attached by a BTF id which the caller has found (kernel_btf.h), so that libbpf
 * does not read the whole BTF of the kernel to look for it.
 *
 * In the BPF source, instead of SEC("iter/task") and SEC("tp_btf/sched_process_exec"):
 *
 *	SEC("by_id/iter/task")
 *	SEC("by_id/tp_btf/sched_process_exec")
 *	SEC("by_id/fentry/cap_capable")
 *	SEC("by_id/syscall")				which is attached to nothing, but run
 *
 * and, between opening and loading:
 *
 *	bpf_section_register(ids);			before anything is opened
 *	open with .btf_custom_path
 *	bpf_section_attach_to(program, id);		for each program
 *	load; attach
 *
 * A program that gets no id is not loaded (bpf_program__autoload() is false).
 *
 * What the programs call of the kernel's, and the types that they name, are put in by their ids as
 * well (bpf_names.h). libbpf reads the kernel's BTF all the same for externs that are kernel
 * functions or variables (__ksym), for struct_ops and LSM programs, and where btf_custom_path is
 * not given.
 */
#ifndef CAPAUDITD_BPF_SECTION_H
#define CAPAUDITD_BPF_SECTION_H

#include "bpf/functions.h"

#include <bpf/libbpf.h>
#include <stdint.h>

/* Makes the sections above known to libbpf, for as long as the program runs; calling it again
 * only changes `ids`, which are the running kernel's of what bpf/functions.h names (0: it has no
 * such thing). Not from two threads at once. 0 or -errno. */
int bpf_section_register(const uint32_t ids[static BPF_NAMED]);

/* `id` is a function (iter, fentry) or a typedef (tp_btf) of the kernel's BTF; for a syscall's
 * program any that says that the kernel has what it needs. 0; -ENOENT for the
 * id 0, which says that this kernel has no such thing; -EINVAL for a program of another section,
 * or once its object is loaded. */
int bpf_section_attach_to(struct bpf_program *program, uint32_t id);

#endif
