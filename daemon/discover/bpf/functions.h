/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Functions of the kernel's that BPF programs may call (kfuncs), and types that they name to it.
 * The kernel knows both by their ids in its BTF. libbpf would read all of that for their sake; so
 * programs are compiled with numbers that stand for them, and bpf_section.c puts the ids in their
 * places before they are loaded. Included by both sides. Source: kernel/bpf/{helpers,task_iter}.c.
 */
#ifndef CAPAUDITD_BPF_FUNCTIONS_H
#define CAPAUDITD_BPF_FUNCTIONS_H

/* No helper's number, and no constant that the programs have otherwise. */
#define BPF_STANDS_FOR 0x7ca90000

enum bpf_named {
	/* From 6.2 on; where the kernel has none, what is cast stays what it was. */
	BPF_NAMED_RDONLY_CAST,
	BPF_NAMED_TASK_STRUCT,
	BPF_NAMED_CRED,
	/* From 6.7 on. */
	BPF_NAMED_RCU_READ_LOCK,
	BPF_NAMED_RCU_READ_UNLOCK,
	BPF_NAMED_ITER_TASK_NEW,
	BPF_NAMED_ITER_TASK_NEXT,
	BPF_NAMED_ITER_TASK_DESTROY,
	BPF_NAMED,
};

#endif
