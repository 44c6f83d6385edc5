/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Slices of a kernel's BTF: they say of the wanted types what the whole says, as libbpf reads both;
 * small ones made by hand stand for kernels of other shapes; broken ones are refused.
 */
#include "../../daemon/discover/kernel_btf.h"
#include "../support/fail_allocation.h"

#include <capauditd/macros.h>

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#define _cleanup_btf_ _cleanup_(free_btf)

static const char *const types[] = { "task_struct", "cred", "css_set", "cgroup", "kernfs_node",
	"nsproxy", "user_namespace", "pid", "pid_namespace", "kernel_cap_t", "seccomp" };
static const struct kernel_btf_point points[] = {
	{ KERNEL_BTF_FUNCTION, "bpf_iter_task" },
	{ KERNEL_BTF_TYPEDEF, "btf_trace_sched_process_exec" },
	{ KERNEL_BTF_TYPEDEF, "btf_trace_no_such_thing" },
	{ KERNEL_BTF_STRUCT, "task_struct" },
};
static const struct kernel_btf_wanted wanted = { types, ARRAY_SIZE(types), points,
	ARRAY_SIZE(points) };

static void free_btf(struct btf **btf)
{
	btf__free(*btf);
}

/* Cuts a BTF that was made by hand, from a block of its size. */
static int cut(struct btf *whole, void **ret_slice, size_t *ret_size, uint32_t *ret_ids)
{
	uint32_t size;
	const void *raw = btf__raw_data(whole, &size);
	_cleanup_free_ void *copy = malloc(size);

	assert_non_null(raw);
	assert_non_null(copy);
	memcpy(copy, raw, size);
	return kernel_btf_cut(copy, size, &wanted, ret_slice, ret_size, ret_ids);
}

static struct btf *slice_of(struct btf *whole)
{
	_cleanup_free_ void *slice = NULL;
	uint32_t ids[ARRAY_SIZE(points)];
	struct btf *btf;
	size_t size;

	assert_int_equal(cut(whole, &slice, &size, ids), 0);
	btf = btf__new(slice, (uint32_t)size);
	assert_non_null(btf);
	return btf;
}

static int refusal_of(struct btf *whole)
{
	void *slice = (void *)0x4711;
	uint32_t ids[ARRAY_SIZE(points)] = { 4711 };
	size_t size = 4711;
	int r = cut(whole, &slice, &size, ids);

	assert_true(r < 0);
	assert_ptr_equal(slice, (void *)0x4711);
	assert_int_equal(size, 4711);
	assert_int_equal(ids[0], 4711);
	return r;
}

static const struct btf_type *find(const struct btf *btf, const char *name, uint32_t kind)
{
	int id = btf__find_by_name_kind(btf, name, kind);

	return id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
}

/* Members that are there without a name: what is in them is compared as well. */
static void assert_same_members(const struct btf *a, const struct btf_type *in_a,
	const struct btf *b, const struct btf_type *in_b)
{
	assert_int_equal(in_a->info, in_b->info);
	assert_int_equal(in_a->size, in_b->size);
	for (uint32_t i = 0; i < btf_vlen(in_a); i++) {
		const struct btf_member *of_a = btf_members(in_a) + i,
					*of_b = btf_members(in_b) + i;

		assert_string_equal(btf__name_by_offset(a, of_a->name_off),
			btf__name_by_offset(b, of_b->name_off));
		assert_int_equal(of_a->offset, of_b->offset);
		assert_int_equal(
			btf__resolve_size(a, of_a->type), btf__resolve_size(b, of_b->type));
		if (btf_is_composite(btf__type_by_id(a, of_a->type)))
			assert_same_members(a, btf__type_by_id(a, of_a->type), b,
				btf__type_by_id(b, of_b->type));
	}
}

static void a_slice_of_this_kernel_says_what_the_whole_says(void **state)
{
	_cleanup_btf_ struct btf *whole = btf__parse(KERNEL_BTF_PATH, NULL), *slice = NULL;
	uint32_t ids[ARRAY_SIZE(points)] = { 4711, 4711, 4711, 4711 };
	_cleanup_close_ int fd = -1;
	char path[64];

	(void)state;
	if (!whole)
		skip();
	assert_int_equal(kernel_btf_slice(KERNEL_BTF_PATH, &wanted, &fd, ids), 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	slice = btf__parse(path, NULL);
	assert_non_null(slice);
	assert_true(btf__type_cnt(slice) < btf__type_cnt(whole) / 50);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		uint32_t kind =
			strcmp(types[i], "kernel_cap_t") == 0 ? BTF_KIND_TYPEDEF : BTF_KIND_STRUCT;
		const struct btf_type *in_whole = find(whole, types[i], kind);
		const struct btf_type *in_slice = find(slice, types[i], kind);

		assert_non_null(in_whole);
		assert_non_null(in_slice);
		if (kind == BTF_KIND_STRUCT)
			assert_same_members(whole, in_whole, slice, in_slice);
	}
	assert_int_equal(ids[0], btf__find_by_name_kind(whole, "bpf_iter_task", BTF_KIND_FUNC));
	assert_int_equal(ids[1],
		btf__find_by_name_kind(whole, "btf_trace_sched_process_exec", BTF_KIND_TYPEDEF));
	assert_int_equal(ids[2], 0);
	assert_int_equal(ids[3], btf__find_by_name_kind(whole, "task_struct", BTF_KIND_STRUCT));
}

static void what_was_cut_out_cannot_be_changed(void **state)
{
	uint32_t ids[ARRAY_SIZE(points)];
	_cleanup_close_ int fd = -1;

	(void)state;
	if (access(KERNEL_BTF_PATH, R_OK) < 0)
		skip();
	assert_int_equal(kernel_btf_slice(KERNEL_BTF_PATH, &wanted, &fd, ids), 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
}

/* A struct with one member of each of the types, at 8 bytes' distance. */
static int add_struct(struct btf *btf, const char *name, size_t count, const char *const *names,
	const int *member_types)
{
	int id = btf__add_struct(btf, name, (uint32_t)(8 * count));

	for (size_t i = 0; i < count; i++)
		assert_int_equal(
			btf__add_field(btf, names[i], member_types[i], (uint32_t)(64 * i), 0), 0);
	return id;
}

static const struct btf_member *member(
	const struct btf *btf, const struct btf_type *type, const char *name)
{
	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *found = btf_members(type) + i;

		if (strcmp(btf__name_by_offset(btf, found->name_off), name) == 0)
			return found;
	}
	return NULL;
}

/* kernel_cap_t was two words in a struct before Linux 6.3. */
static void a_kernel_whose_capability_sets_are_two_words(void **state)
{
	_cleanup_btf_ struct btf *whole = btf__new_empty(), *slice = NULL;
	int word = btf__add_int(whole, "unsigned int", 4, 0);
	int words = btf__add_array(whole, word, word, 2);
	int set = add_struct(whole, "kernel_cap_struct", 1, (const char *const[]){ "cap" }, &words);
	int cap = btf__add_typedef(whole, "kernel_cap_t", set);
	int constant = btf__add_const(whole, cap);
	const struct btf_type *type;

	(void)state;
	(void)add_struct(whole, "cred", 1, (const char *const[]){ "cap_effective" }, &constant);
	slice = slice_of(whole);
	type = find(slice, "kernel_cap_struct", BTF_KIND_STRUCT);
	assert_non_null(type);
	assert_int_equal(btf__resolve_size(slice, member(slice, type, "cap")->type), 8);
	type = find(slice, "cred", BTF_KIND_STRUCT);
	assert_int_equal(btf__resolve_size(slice, member(slice, type, "cap_effective")->type), 8);
	assert_int_equal(btf__type_cnt(slice), btf__type_cnt(whole));
}

static void a_kernel_whose_capability_sets_are_one_number(void **state)
{
	_cleanup_btf_ struct btf *whole = btf__new_empty(), *slice = NULL;
	int number = btf__add_int(whole, "unsigned long long", 8, 0);
	int set = add_struct(whole, NULL, 1, (const char *const[]){ "val" }, &number);
	int cap = btf__add_typedef(whole, "kernel_cap_t", set);
	const struct btf_type *type;

	(void)state;
	(void)add_struct(whole, "cred", 1, (const char *const[]){ "cap_effective" }, &cap);
	slice = slice_of(whole);
	type = find(slice, "kernel_cap_t", BTF_KIND_TYPEDEF);
	assert_non_null(type);
	type = btf__type_by_id(slice, type->type);
	assert_non_null(member(slice, type, "val"));
	assert_null(member(slice, type, "cap"));
}

/* kernfs_node.parent became __parent in Linux 6.15. */
static void members_are_those_that_this_kernel_has(void **state)
{
	static const char *const names[][2] = { { "parent", "__parent" },
		{ "__parent", "parent" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_btf_ struct btf *whole = btf__new_empty(), *slice = NULL;
		int self = btf__add_ptr(whole, 2);
		const struct btf_type *type;

		assert_int_equal(add_struct(whole, "kernfs_node", 1, &names[i][0], &self), 2);
		slice = slice_of(whole);
		type = find(slice, "kernfs_node", BTF_KIND_STRUCT);
		assert_non_null(member(slice, type, names[i][0]));
		assert_null(member(slice, type, names[i][1]));
	}
}

static void where_pointers_point_to_is_not_taken(void **state)
{
	_cleanup_btf_ struct btf *whole = btf__new_empty(), *slice = NULL;
	int number = btf__add_int(whole, "int", 4, 0);
	int mm = add_struct(whole, "mm_struct", 1, (const char *const[]){ "count" }, &number);
	int to_mm = btf__add_ptr(whole, mm);
	int function = btf__add_func_proto(whole, number);
	int to_function = btf__add_ptr(whole, function);
	const int members[] = { to_mm, to_function };
	const struct btf_type *type;

	(void)state;
	(void)add_struct(whole, "task_struct", 2, (const char *const[]){ "mm", "run" }, members);
	slice = slice_of(whole);
	assert_int_equal(btf__type_cnt(slice), 3); /* void, task_struct, void * */
	type = find(slice, "task_struct", BTF_KIND_STRUCT);
	type = btf__type_by_id(slice, member(slice, type, "run")->type);
	assert_true(btf_is_ptr(type));
	assert_int_equal(type->type, 0);
	assert_int_equal(btf__resolve_size(slice, 2), sizeof(void *));
}

static void what_is_embedded_comes_with_it(void **state)
{
	_cleanup_btf_ struct btf *whole = btf__new_empty(), *slice = NULL;
	int number = btf__add_int(whole, "int", 4, 0), members[5];
	const struct btf_type *type;

	(void)state;
	(void)btf__add_int(whole, "not wanted", 4, 0);
	members[0] = btf__add_struct(whole, NULL, 8);
	assert_int_equal(btf__add_field(whole, "low", number, 0, 3), 0);
	assert_int_equal(btf__add_field(whole, "high", number, 3, 5), 0);
	members[1] = btf__add_enum(whole, "mode", 4);
	assert_int_equal(btf__add_enum_value(whole, "MODE_FILTER", 2), 0);
	members[1] = btf__add_type_tag(whole, "rcu", members[1]);
	members[2] = btf__add_float(whole, "double", 8);
	members[3] = btf__add_fwd(whole, "unknown", BTF_FWD_STRUCT);
	members[4] = btf__add_enum64(whole, "wide", 8, false);
	assert_int_equal(btf__add_enum64_value(whole, "LAST", UINT64_C(0x500000004)), 0);
	(void)add_struct(whole, "seccomp", ARRAY_SIZE(members),
		(const char *const[]){ "", "mode", "real", "forward", "wide" }, members);
	slice = slice_of(whole);
	type = find(slice, "seccomp", BTF_KIND_STRUCT);
	type = btf__type_by_id(slice, member(slice, type, "")->type);
	assert_true(btf_kflag(type));
	assert_int_equal(btf_member_bitfield_size(type, 1), 5);
	assert_int_equal(btf_member_bit_offset(type, 1), 3);
	type = find(slice, "mode", BTF_KIND_ENUM);
	assert_string_equal(btf__name_by_offset(slice, btf_enum(type)->name_off), "MODE_FILTER");
	assert_int_equal(btf_enum(type)->val, 2);
	type = find(slice, "wide", BTF_KIND_ENUM64);
	assert_true(btf_enum64_value(btf_enum64(type)) == UINT64_C(0x500000004));
	assert_non_null(find(slice, "double", BTF_KIND_FLOAT));
	assert_non_null(find(slice, "rcu", BTF_KIND_TYPE_TAG));
	assert_non_null(find(slice, "unknown", BTF_KIND_FWD));
	assert_int_equal(btf__type_cnt(slice), btf__type_cnt(whole) - 1);
}

static void all_types_of_a_name_are_taken_and_the_first_point(void **state)
{
	_cleanup_btf_ struct btf *whole = btf__new_empty();
	int number = btf__add_int(whole, "int", 4, 0);
	uint32_t ids[ARRAY_SIZE(points)];
	_cleanup_free_ void *raw = NULL;
	_cleanup_btf_ struct btf *slice = NULL;
	size_t size;
	int first;

	(void)state;
	(void)add_struct(whole, "pid", 1, (const char *const[]){ "old" }, &number);
	(void)add_struct(whole, "pid", 1, (const char *const[]){ "new" }, &number);
	/* Of another kind, or by another name. */
	(void)btf__add_typedef(whole, "bpf_iter_task", number);
	(void)btf__add_func(whole, "btf_trace_sched_process_exec", BTF_FUNC_GLOBAL,
		btf__add_func_proto(whole, 0));
	(void)btf__add_func(whole, "bpf_iter_task_file", BTF_FUNC_GLOBAL, number + 3);
	first = btf__add_func(whole, "bpf_iter_task", BTF_FUNC_GLOBAL, number + 3);
	(void)btf__add_func(whole, "bpf_iter_task", BTF_FUNC_GLOBAL, number + 3);
	assert_int_equal(cut(whole, &raw, &size, ids), 0);
	assert_int_equal(ids[0], first);
	assert_int_equal(ids[1], 0);
	slice = btf__new(raw, (uint32_t)size);
	assert_non_null(slice);
	assert_int_equal(btf__type_cnt(slice), 4);
	assert_non_null(member(slice, btf__type_by_id(slice, 1), "old"));
	assert_non_null(member(slice, btf__type_by_id(slice, 3), "new"));
}

static void types_that_are_not_there_leave_an_empty_slice(void **state)
{
	_cleanup_btf_ struct btf *whole = btf__new_empty(), *slice = NULL;

	(void)state;
	(void)btf__add_int(whole, "int", 4, 0);
	(void)btf__add_fwd(whole, "task_struct", BTF_FWD_STRUCT);
	slice = slice_of(whole);
	assert_int_equal(btf__type_cnt(slice), 1);
}

static void what_contains_itself_is_refused(void **state)
{
	_cleanup_btf_ struct btf *whole = btf__new_empty(), *circle = btf__new_empty();
	int self = 1;

	(void)state;
	(void)add_struct(whole, "pid", 1, (const char *const[]){ "self" }, &self);
	assert_int_equal(refusal_of(whole), -EBADMSG);
	(void)btf__add_typedef(circle, "kernel_cap_t", 2);
	(void)btf__add_const(circle, 1);
	assert_int_equal(refusal_of(circle), -EBADMSG);
}

static void what_is_nested_too_deeply_is_refused(void **state)
{
	_cleanup_btf_ struct btf *whole = btf__new_empty();
	int type = btf__add_int(whole, "int", 4, 0);

	(void)state;
	for (int i = 0; i < 100; i++)
		type = btf__add_const(whole, type);
	(void)add_struct(whole, "pid", 1, (const char *const[]){ "x" }, &type);
	assert_int_equal(refusal_of(whole), -EBADMSG);
}

static void members_of_no_type_or_of_what_is_none_are_refused(void **state)
{
	_cleanup_btf_ struct btf *beyond = btf__new_empty(), *function = btf__new_empty();
	int type = 2;

	(void)state;
	(void)add_struct(beyond, "pid", 1, (const char *const[]){ "x" }, &type);
	assert_int_equal(refusal_of(beyond), -EBADMSG);
	(void)add_struct(function, "pid", 1, (const char *const[]){ "x" }, &type);
	(void)btf__add_func(function, "f", BTF_FUNC_GLOBAL, 1);
	assert_int_equal(refusal_of(function), -EBADMSG);
}

/* The words of a small BTF: header (6), int (4), struct pid with one member (6), strings. */
struct small {
	uint32_t header[6], type[4], pid[6];
	char strings[12];
};

static const struct small small = {
	.header = { 0x0001eb9f, 24, 0, 40, 40, 12 },
	.type = { 1, (uint32_t)BTF_KIND_INT << 24, 4, 32 },
	.pid = { 5, (uint32_t)BTF_KIND_STRUCT << 24 | 1, 4, 9, 1, 0 },
	.strings = "\0int\0pid\0nr",
};

static int cut_small(const void *bytes, size_t size)
{
	_cleanup_free_ void *copy = malloc(size ? size : 1), *slice = NULL;
	uint32_t ids[ARRAY_SIZE(points)];
	size_t slice_size;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	return kernel_btf_cut(copy, size, &wanted, &slice, &slice_size, ids);
}

static void whatever_is_cut_short_is_refused(void **state)
{
	(void)state;
	assert_int_equal(cut_small(&small, sizeof(small)), 0);
	for (size_t size = 0; size < sizeof(small); size++)
		assert_int_equal(cut_small(&small, size), -EBADMSG);
}

static void numbers_that_point_out_of_the_file_are_refused(void **state)
{
	static const size_t pointing[] = { 1, 2, 3, 4, 5, 10, 11, 13, 14 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pointing); i++) {
		static const uint32_t values[] = { UINT32_MAX, 0xffffffu, 0x7ffffff0u, 0x04ffffffu,
			92 };

		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			struct small broken = small;

			memcpy((char *)&broken + pointing[i] * 4, &values[j], 4);
			assert_true(cut_small(&broken, sizeof(broken)) < 0);
		}
	}
}

static void what_is_not_btf_is_refused(void **state)
{
	struct small broken = small;

	(void)state;
	broken.header[0] = 0x00019feb; /* of the other byte order */
	assert_int_equal(cut_small(&broken, sizeof(broken)), -EBADMSG);
	broken.header[0] = 0x0002eb9f;
	assert_int_equal(cut_small(&broken, sizeof(broken)), -EBADMSG);
	broken = small;
	broken.strings[11] = 'x';
	assert_int_equal(cut_small(&broken, sizeof(broken)), -EBADMSG);
	broken = small;
	broken.strings[0] = 'x';
	assert_int_equal(cut_small(&broken, sizeof(broken)), -EBADMSG);
	broken = small;
	broken.type[1] = 0; /* BTF_KIND_UNKN */
	assert_int_equal(cut_small(&broken, sizeof(broken)), -EBADMSG);
}

/* Linux 7 describes its kinds in a section of their own, which the longer header points to. */
static void kinds_that_came_later_are_passed_over_where_they_are_described(void **state)
{
	struct {
		uint32_t header[8], later[6], type[4], pid[6];
		char strings[12];
		uint8_t layout[24][4];
	} file = {
		.header = { 0x0001eb9f, 32, 0, 64, 64, 12, 76, sizeof(file.layout) },
		.later = { 0, 23u << 24 | 2, 0, 0xffffffffu, 0xffffffffu, 0xffffffffu },
		.type = { 1, (uint32_t)BTF_KIND_INT << 24, 4, 32 },
		.pid = { 5, (uint32_t)BTF_KIND_STRUCT << 24 | 1, 4, 9, 2, 0 },
		.strings = "\0int\0pid\0nr",
		.layout = { [23] = { 4, 4, 0, 0 } },
	};

	(void)state;
	assert_int_equal(cut_small(&file, sizeof(file)), 0);
	file.header[7] -= 4; /* not described */
	assert_int_equal(cut_small(&file, sizeof(file)), -EOPNOTSUPP);
	file.header[7] += 8;
	assert_int_equal(cut_small(&file, sizeof(file)), -EBADMSG);
}

static void a_slice_that_would_be_too_large_is_refused(void **state)
{
	_cleanup_btf_ struct btf *whole = btf__new_empty();
	_cleanup_free_ char *name = calloc(1, 600 * 1024);
	int number = btf__add_int(whole, "int", 4, 0);

	(void)state;
	/* A long name is there once, and would be copied twice. */
	memset(name, 'x', 600 * 1024 - 1);
	(void)btf__add_struct(whole, "pid", 8);
	assert_int_equal(btf__add_field(whole, "nr", number, 0, 0), 0);
	{
		_cleanup_btf_ struct btf *slice = slice_of(whole);

		assert_int_equal(btf__type_cnt(slice), 3);
	}
	for (int i = 0; i < 2; i++)
		(void)btf__add_typedef(
			whole, "kernel_cap_t", btf__add_typedef(whole, name, number));
	assert_int_equal(refusal_of(whole), -E2BIG);
}

static void too_much_cannot_be_wanted(void **state)
{
	const char *names[KERNEL_BTF_WANTED_MAX + 1];
	struct kernel_btf_wanted many = { names, ARRAY_SIZE(names), NULL, 0 };
	void *slice;
	size_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		names[i] = "pid";
	assert_int_equal(kernel_btf_cut(&small, sizeof(small), &many, &slice, &size, NULL), -E2BIG);
	many.type_count--;
	assert_int_equal(kernel_btf_cut(&small, sizeof(small), &many, &slice, &size, NULL), 0);
	free(slice);
}

static void files_that_are_not_there_or_too_large_are_refused(void **state)
{
	char path[] = "/tmp/test_kernel_btf.XXXXXX";
	uint32_t ids[ARRAY_SIZE(points)];
	_cleanup_close_ int file = mkstemp(path), slice = -1;

	(void)state;
	assert_true(file >= 0);
	assert_int_equal(kernel_btf_slice("/no/such/file", &wanted, &slice, ids), -ENOENT);
	assert_int_equal(kernel_btf_slice("/", &wanted, &slice, ids), -EBADMSG);
	assert_int_equal(kernel_btf_slice(path, &wanted, &slice, ids), -EBADMSG);
	assert_int_equal(ftruncate(file, KERNEL_BTF_SIZE_MAX + 1), 0);
	assert_int_equal(kernel_btf_slice(path, &wanted, &slice, ids), -EFBIG);
	assert_int_equal(slice, -1);
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, &small, sizeof(small), 0), sizeof(small));
	assert_int_equal(kernel_btf_slice(path, &wanted, &slice, ids), 0);
	assert_int_equal(unlink(path), 0);
}

static void running_out_of_memory_is_an_error(void **state)
{
	(void)state;
	for (unsigned long n = 1;; n++) {
		uint32_t ids[ARRAY_SIZE(points)];
		void *slice = NULL;
		size_t size;
		bool fired;
		int r;

		fail_allocation_at(n);
		r = kernel_btf_cut(&small, sizeof(small), &wanted, &slice, &size, ids);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		assert_int_equal(r, fired ? -ENOMEM : 0);
		assert_true(fired == !slice);
		free(slice);
		if (!fired) {
			assert_true(n > 5);
			break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slice_of_this_kernel_says_what_the_whole_says),
		cmocka_unit_test(what_was_cut_out_cannot_be_changed),
		cmocka_unit_test(a_kernel_whose_capability_sets_are_two_words),
		cmocka_unit_test(a_kernel_whose_capability_sets_are_one_number),
		cmocka_unit_test(members_are_those_that_this_kernel_has),
		cmocka_unit_test(where_pointers_point_to_is_not_taken),
		cmocka_unit_test(what_is_embedded_comes_with_it),
		cmocka_unit_test(all_types_of_a_name_are_taken_and_the_first_point),
		cmocka_unit_test(types_that_are_not_there_leave_an_empty_slice),
		cmocka_unit_test(what_contains_itself_is_refused),
		cmocka_unit_test(what_is_nested_too_deeply_is_refused),
		cmocka_unit_test(members_of_no_type_or_of_what_is_none_are_refused),
		cmocka_unit_test(whatever_is_cut_short_is_refused),
		cmocka_unit_test(numbers_that_point_out_of_the_file_are_refused),
		cmocka_unit_test(what_is_not_btf_is_refused),
		cmocka_unit_test(kinds_that_came_later_are_passed_over_where_they_are_described),
		cmocka_unit_test(a_slice_that_would_be_too_large_is_refused),
		cmocka_unit_test(too_much_cannot_be_wanted),
		cmocka_unit_test(files_that_are_not_there_or_too_large_are_refused),
		cmocka_unit_test(running_out_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
