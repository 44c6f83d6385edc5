/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's functions and types in a program's instructions.
 */
#include "bpf_names.h"

#include <errno.h>
#include <stdbool.h>

#ifndef BPF_PSEUDO_KFUNC_CALL
#define BPF_PSEUDO_KFUNC_CALL 2
#endif

static bool is_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == 0;
}

static bool is_constant(const struct bpf_insn *insn)
{
	return insn->code == (BPF_ALU64 | BPF_MOV | BPF_K) ||
	       insn->code == (BPF_ALU | BPF_MOV | BPF_K);
}

/* What it stands for, or BPF_NAMED: it is what it is. */
static enum bpf_named named_by(const struct bpf_insn *insn)
{
	if ((is_call(insn) || is_constant(insn)) && insn->imm >= BPF_STANDS_FOR &&
		insn->imm < BPF_STANDS_FOR + BPF_NAMED)
		return (enum bpf_named)(insn->imm - BPF_STANDS_FOR);
	return BPF_NAMED;
}

/* A cast costs nothing but what the verifier thinks of a pointer: without it, r0 = r1. It and what
 * is cast to come first. */
static bool is_dispensable(enum bpf_named name)
{
	return name < BPF_NAMED_RCU_READ_LOCK;
}

static void fill(struct bpf_insn *insn, enum bpf_named name, uint32_t id)
{
	if (is_constant(insn)) {
		insn->imm = (int32_t)id;
	} else if (id) {
		insn->src_reg = BPF_PSEUDO_KFUNC_CALL;
		insn->imm = (int32_t)id;
	} else if (name == BPF_NAMED_RDONLY_CAST) {
		*insn = (struct bpf_insn){
			.code = BPF_ALU64 | BPF_MOV | BPF_X,
			.dst_reg = BPF_REG_0,
			.src_reg = BPF_REG_1,
		};
	}
}

int bpf_names_fill(struct bpf_insn *insns, size_t count, const uint32_t ids[static BPF_NAMED])
{
	for (size_t i = 0; i < count; i++) {
		enum bpf_named name = named_by(&insns[i]);

		if (name != BPF_NAMED && !ids[name] && !is_dispensable(name))
			return -ENOENT;
	}
	for (size_t i = 0; i < count; i++) {
		enum bpf_named name = named_by(&insns[i]);

		if (name != BPF_NAMED)
			fill(&insns[i], name, ids[name]);
	}
	return 0;
}
