/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's functions and types in a program's instructions: from the numbers that stand for
 * them (bpf/functions.h) to the ids that the running kernel knows them by.
 */
#ifndef CAPAUDITD_BPF_NAMES_H
#define CAPAUDITD_BPF_NAMES_H

#include "bpf/functions.h"

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/* Changes calls and constants among `insns`; an id of 0 says that this kernel has no such thing.
 * 0; -ENOENT where the program cannot do without what is missing, and then nothing is changed. */
int bpf_names_fill(struct bpf_insn *insns, size_t count, const uint32_t ids[static BPF_NAMED]);

#endif
