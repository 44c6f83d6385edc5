/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sections whose programs are attached by id: libbpf loads and attaches them without having read
 * the kernel's BTF, which it says when it does. The object is written here, for want of a compiler
 * for it: one program that returns 0, in a section by a given name.
 */
#include "../../daemon/discover/bpf_section.h"
#include "../../daemon/discover/kernel_btf.h"

#include <capauditd/macros.h>

#include <elf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#ifndef EM_BPF
#define EM_BPF 247
#endif

struct object {
	Elf64_Ehdr header;
	Elf64_Shdr sections[5]; /* none, the program, its licence, symbols, strings */
	struct bpf_insn program[2];
	char license[4];
	Elf64_Sym symbols[2];
	char strings[64];
};

/* Appends to the strings, and says where. */
static uint32_t add_string(struct object *object, size_t *length, const char *text)
{
	uint32_t at = (uint32_t)*length;

	assert_true(*length + strlen(text) + 1 <= sizeof(object->strings));
	memcpy(object->strings + *length, text, strlen(text) + 1);
	*length += strlen(text) + 1;
	return at;
}

#define PART(object, part) offsetof(struct object, part), sizeof((object)->part)

static void object_init(struct object *object, const char *section)
{
	size_t length = 1;

	*object = (struct object){
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB,
				EV_CURRENT },
			.e_type = ET_REL,
			.e_machine = EM_BPF,
			.e_version = EV_CURRENT,
			.e_shoff = offsetof(struct object, sections),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = 5,
			.e_shstrndx = 4,
		},
		.program = { { .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT } },
		.license = "GPL",
		.symbols = { { 0 }, { .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1,
					    .st_size = sizeof(object->program) } },
	};
	object->sections[1] = (Elf64_Shdr){ add_string(object, &length, section), SHT_PROGBITS,
		SHF_ALLOC | SHF_EXECINSTR, 0, PART(object, program), 0, 0, 8, 0 };
	object->sections[2] = (Elf64_Shdr){ add_string(object, &length, "license"), SHT_PROGBITS,
		SHF_ALLOC | SHF_WRITE, 0, PART(object, license), 0, 0, 1, 0 };
	object->sections[3] = (Elf64_Shdr){ add_string(object, &length, ".symtab"), SHT_SYMTAB, 0,
		0, PART(object, symbols), 4, 1, 8, sizeof(Elf64_Sym) };
	object->sections[4] = (Elf64_Shdr){ add_string(object, &length, ".strtab"), SHT_STRTAB, 0,
		0, PART(object, strings), 0, 0, 1, 0 };
	object->symbols[1].st_name = add_string(object, &length, "program");
}

/* How often libbpf said that it reads the kernel's BTF. */
static unsigned kernel_btf_reads;

__attribute__((format(printf, 2, 0))) static int listen(
	enum libbpf_print_level level, const char *format, va_list arguments)
{
	char line[512];

	(void)level;
	(void)vsnprintf(line, sizeof(line), format, arguments);
	if (strstr(line, "kernel BTF"))
		kernel_btf_reads++;
	return 0;
}

static struct bpf_object *open_object(const char *section)
{
	struct object object;
	struct bpf_object *opened;

	libbpf_set_print(listen);
	kernel_btf_reads = 0;
	object_init(&object, section);
	opened = bpf_object__open_mem(&object, sizeof(object), NULL);
	assert_non_null(opened);
	return opened;
}

static void close_object(struct bpf_object **object)
{
	bpf_object__close(*object);
}

static struct bpf_program *program_of(struct bpf_object *object)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, "program");

	assert_non_null(program);
	return program;
}

static const uint32_t named[BPF_NAMED];

static const struct row {
	const char *section;
	enum bpf_attach_type type;
	struct kernel_btf_point point;
} rows[] = {
	{ "by_id/iter/task", BPF_TRACE_ITER, { KERNEL_BTF_FUNCTION, "bpf_iter_task" } },
	{ "by_id/tp_btf/cgroup_mkdir", BPF_TRACE_RAW_TP,
		{ KERNEL_BTF_TYPEDEF, "btf_trace_cgroup_mkdir" } },
	{ "by_id/fentry/cap_capable", BPF_TRACE_FENTRY, { KERNEL_BTF_FUNCTION, "cap_capable" } },
};

static void programs_are_left_out_until_they_have_an_id(void **state)
{
	(void)state;
	assert_int_equal(bpf_section_register(named), 0);
	assert_int_equal(bpf_section_register(named), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(close_object) struct bpf_object *object = open_object(rows[i].section);
		struct bpf_program *program = program_of(object);

		assert_int_equal(bpf_program__type(program), BPF_PROG_TYPE_TRACING);
		assert_int_equal(bpf_program__expected_attach_type(program), rows[i].type);
		assert_false(bpf_program__autoload(program));
		assert_int_equal(bpf_section_attach_to(program, 0), -ENOENT);
		assert_int_equal(bpf_section_attach_to(program, UINT32_MAX), -EINVAL);
		assert_false(bpf_program__autoload(program));
		assert_int_equal(bpf_section_attach_to(program, 4711), 0);
		assert_true(bpf_program__autoload(program));
	}
}

static void programs_of_other_sections_have_no_id(void **state)
{
	_cleanup_(close_object) struct bpf_object *object = open_object("iter/task");

	(void)state;
	assert_int_equal(bpf_section_attach_to(program_of(object), 4711), -EINVAL);
}

/* libbpf's own section of that name: says whether this may be loaded here at all (privileges; a
 * kernel without trampolines), and that reading the kernel's BTF is heard. */
static bool libbpf_can(const struct row *row)
{
	_cleanup_(close_object) struct bpf_object *object =
		open_object(row->section + strlen("by_id/"));
	bool loaded = access(KERNEL_BTF_PATH, R_OK) == 0 && bpf_object__load(object) == 0;

	assert_true(!loaded || kernel_btf_reads > 0);
	return loaded;
}

static void load_and_attach(const struct row *row)
{
	const struct kernel_btf_wanted wanted = { NULL, 0, &row->point, 1 };
	_cleanup_(close_object) struct bpf_object *object = open_object(row->section);
	struct bpf_program *program = program_of(object);
	_cleanup_close_ int slice = -1;
	struct bpf_link *link;
	uint32_t id;

	assert_int_equal(kernel_btf_slice(KERNEL_BTF_PATH, &wanted, &slice, &id), 0);
	assert_int_not_equal(id, 0);
	assert_int_equal(bpf_section_attach_to(program, id), 0);
	assert_int_equal(bpf_object__load(object), 0);
	link = bpf_program__attach(program);
	assert_non_null(link);
	assert_int_equal(bpf_link__destroy(link), 0);
	assert_int_equal(kernel_btf_reads, 0);
}

static void programs_are_loaded_and_attached_without_the_kernels_btf(void **state)
{
	unsigned loaded = 0;

	(void)state;
	assert_int_equal(bpf_section_register(named), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!libbpf_can(&rows[i]))
			continue;
		load_and_attach(&rows[i]);
		loaded++;
	}
	if (loaded == 0)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_are_left_out_until_they_have_an_id),
		cmocka_unit_test(programs_of_other_sections_have_no_id),
		cmocka_unit_test(programs_are_loaded_and_attached_without_the_kernels_btf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
