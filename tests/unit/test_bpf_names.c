/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers that stand for the kernel's functions and types become its ids, and nothing else changes.
 */
#include "../../daemon/discover/bpf_names.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CALL(number)                                        \
	{                                                   \
		.code = BPF_JMP | BPF_CALL, .imm = (number) \
	}
#define SET(reg, number)                                                               \
	{                                                                              \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (reg), .imm = (number) \
	}
#define ADD(reg, number)                                                               \
	{                                                                              \
		.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (reg), .imm = (number) \
	}
#define FOR(name) (BPF_STANDS_FOR + BPF_NAMED_##name)

/* A cast, a walk's end, and what looks like them: a helper, a function of the program's own by that
 * number, the same number in another instruction. */
static const struct bpf_insn program[] = { SET(2, FOR(TASK_STRUCT)), CALL(FOR(RDONLY_CAST)),
	CALL(1), CALL(FOR(ITER_TASK_DESTROY)), ADD(1, FOR(TASK_STRUCT)),
	{ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = FOR(RDONLY_CAST) },
	SET(0, BPF_STANDS_FOR - 1), SET(0, BPF_STANDS_FOR + BPF_NAMED) };

#define COUNT ARRAY_SIZE(program)

static void ids_come_in_the_place_of_names(void **state)
{
	uint32_t ids[BPF_NAMED] = { 0 };
	struct bpf_insn insns[COUNT];

	(void)state;
	ids[BPF_NAMED_RDONLY_CAST] = 11;
	ids[BPF_NAMED_TASK_STRUCT] = 22;
	ids[BPF_NAMED_ITER_TASK_DESTROY] = 33;
	memcpy(insns, program, sizeof(program));
	assert_int_equal(bpf_names_fill(insns, COUNT, ids), 0);
	assert_int_equal(insns[0].imm, 22);
	assert_int_equal(insns[0].dst_reg, 2);
	assert_int_equal(insns[1].imm, 11);
	assert_int_equal(insns[1].src_reg, 2); /* BPF_PSEUDO_KFUNC_CALL */
	assert_int_equal(insns[3].imm, 33);
	assert_memory_equal(&insns[2], &program[2], sizeof(insns[2]));
	assert_memory_equal(&insns[4], &program[4], 4 * sizeof(insns[4]));
}

static void where_there_is_no_cast_the_pointer_stays_what_it_was(void **state)
{
	uint32_t ids[BPF_NAMED] = { 0 };
	struct bpf_insn insns[COUNT];

	(void)state;
	ids[BPF_NAMED_ITER_TASK_DESTROY] = 33;
	memcpy(insns, program, sizeof(program));
	assert_int_equal(bpf_names_fill(insns, COUNT, ids), 0);
	assert_int_equal(insns[1].code, BPF_ALU64 | BPF_MOV | BPF_X);
	assert_int_equal(insns[1].dst_reg, BPF_REG_0);
	assert_int_equal(insns[1].src_reg, BPF_REG_1);
	assert_int_equal(insns[1].imm, 0);
}

static void without_what_it_calls_a_program_is_refused_and_left_alone(void **state)
{
	uint32_t ids[BPF_NAMED] = { 0 };
	struct bpf_insn insns[COUNT];

	(void)state;
	ids[BPF_NAMED_RDONLY_CAST] = 11;
	memcpy(insns, program, sizeof(program));
	assert_int_equal(bpf_names_fill(insns, COUNT, ids), -ENOENT);
	assert_memory_equal(insns, program, sizeof(program));
	assert_int_equal(bpf_names_fill(insns, 3, ids), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_come_in_the_place_of_names),
		cmocka_unit_test(where_there_is_no_cast_the_pointer_stays_what_it_was),
		cmocka_unit_test(without_what_it_calls_a_program_is_refused_and_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
