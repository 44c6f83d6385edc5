/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of capabilities against libcap-ng and the kernel's header, and what is computed of it.
 */
#include <capauditd/capability.h>
#include <capauditd/macros.h>

#include "../support/fail_allocation.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <cap-ng.h>
#include <cmocka.h>
#include <linux/capability.h>

#define BIT(name) CAPABILITY_BIT(CAPABILITY_##name)

static void every_number_has_libcap_ngs_name(void **state)
{
	(void)state;
	for (unsigned number = 0; number < CAPABILITY_MAX; number++) {
		const struct capability_info *info = capability_info(number);
		const char *name = capng_capability_to_name(number);

		if (!name) {
			assert_null(info);
			continue;
		}
		assert_non_null(info);
		assert_int_equal(info->number, number);
		assert_int_equal(strcasecmp(info->name, name), 0);
		for (const char *p = info->name; *p; p++)
			assert_true(isupper((unsigned char)*p) || *p == '_');
	}
}

static void every_number_is_the_kernels(void **state)
{
	static const struct {
		int ours, kernels;
	} numbers[] = {
#define CAPABILITY(number, name, ...) { number, CAP_##name },
#include <capauditd/capability_table.h>
#undef CAPABILITY
	};

	(void)state;
	assert_int_equal(ARRAY_SIZE(numbers), CAP_LAST_CAP + 1);
	assert_int_equal(capability_count(), ARRAY_SIZE(numbers));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		assert_int_equal(numbers[i].ours, i);
		assert_int_equal(numbers[i].ours, numbers[i].kernels);
	}
}

static void assert_sentence(const char *text)
{
	size_t length = strlen(text);

	assert_in_range(length, 20, 300);
	assert_true(isupper((unsigned char)text[0]));
	assert_int_equal(text[length - 1], '.');
	assert_null(strpbrk(text, "\t\n"));
	assert_null(strstr(text, "  "));
}

static void every_row_says_what_it_allows_and_what_the_danger_is(void **state)
{
	(void)state;
	for (unsigned number = 0; number < capability_count(); number++) {
		const struct capability_info *info = capability_info(number);

		assert_sentence(info->allows);
		assert_sentence(info->danger);
		if (info->instead)
			assert_int_equal(info->instead[strlen(info->instead) - 1], '.');
	}
}

static void nothing_narrower_is_more_dangerous(void **state)
{
	(void)state;
	for (unsigned number = 0; number < capability_count(); number++) {
		const struct capability_info *info = capability_info(number);

		assert_int_equal(info->narrower & CAPABILITY_BIT(number), 0);
		assert_int_equal(info->narrower >> capability_count(), 0);
		if (!info->takeover)
			assert_int_equal(info->narrower & capability_takeover(), 0);
	}
	assert_int_equal(capability_info(CAPABILITY_SYS_ADMIN)->narrower,
		BIT(BPF) | BIT(PERFMON) | BIT(SYSLOG) | BIT(CHECKPOINT_RESTORE) | BIT(WAKE_ALARM));
}

static void ten_capabilities_take_over_the_host_by_themselves(void **state)
{
	(void)state;
	assert_int_equal(capability_takeover(),
		BIT(SYS_ADMIN) | BIT(SYS_MODULE) | BIT(SYS_RAWIO) | BIT(SYS_BOOT) |
			BIT(DAC_READ_SEARCH) | BIT(BPF) | BIT(PERFMON) | BIT(MAC_ADMIN) |
			BIT(MAC_OVERRIDE) | BIT(CHECKPOINT_RESTORE));
	assert_int_equal(__builtin_popcountll(capability_takeover()), 10);
}

static void names_are_read_in_both_spellings_and_any_case(void **state)
{
	static const struct {
		const char *name;
		int number; /* -1: no name */
	} rows[] = {
		{ "NET_ADMIN", 12 },
		{ "CAP_NET_ADMIN", 12 },
		{ "net_admin", 12 },
		{ "cap_Net_Admin", 12 },
		{ "CHOWN", 0 },
		{ "CHECKPOINT_RESTORE", 40 },
		{ "CAP_0", 0 },
		{ "cap_41", 41 },
		{ "CAP_63", 63 },
		{ "CAP_64", -1 },
		{ "CAP_063", -1 },
		{ "CAP_00", -1 },
		{ "CAP_+1", -1 },
		{ "CAP_1x", -1 },
		{ "CAP_4294967297", -1 },
		{ "CAP_", -1 },
		{ "63", -1 },
		{ "", -1 },
		{ "NET_ADMIN ", -1 },
		{ " NET_ADMIN", -1 },
		{ "NET", -1 },
		{ "CAP_CAP_NET_ADMIN", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned number = 1000;
		int r = capability_from_name(rows[i].name, &number);

		if (rows[i].number < 0) {
			assert_int_equal(r, -ENOENT);
			assert_int_equal(number, 1000);
		} else {
			assert_int_equal(r, 0);
			assert_int_equal(number, rows[i].number);
		}
	}
}

static void every_name_that_is_written_can_be_read(void **state)
{
	(void)state;
	for (unsigned number = 0; number < CAPABILITY_MAX; number++) {
		char name[CAPABILITY_NAME_SIZE];
		unsigned back = 1000;

		assert_ptr_equal(capability_name(number, name), name);
		assert_int_equal(capability_from_name(name, &back), 0);
		assert_int_equal(back, number);
	}
}

static void a_number_without_a_name_is_cap_n(void **state)
{
	char name[CAPABILITY_NAME_SIZE];

	(void)state;
	assert_null(capability_info(41));
	assert_null(capability_info(UINT32_MAX));
	assert_string_equal(capability_name(41, name), "CAP_41");
	assert_string_equal(capability_name(63, name), "CAP_63");
	assert_string_equal(capability_name(UINT32_MAX, name), "CAP_4294967295");
}

static void a_misspelt_name_is_recognised(void **state)
{
	(void)state;
	assert_string_equal(capability_nearest("NET_RAWW"), "NET_RAW");
	assert_string_equal(capability_nearest("cap_sysadmin"), "SYS_ADMIN");
	assert_string_equal(capability_nearest("CAP_DAC_OVERIDE"), "DAC_OVERRIDE");
	assert_null(capability_nearest("there_is_nothing_like_it"));
}

static void masks_are_read_from_hex_digits_alone(void **state)
{
	static const struct {
		const char *text;
		int result;
		capability_mask mask;
	} rows[] = {
		{ "0xa80425fb", 0, UINT64_C(0xa80425fb) },
		{ "a80425fb", 0, UINT64_C(0xa80425fb) },
		{ "0XA80425FB", 0, UINT64_C(0xa80425fb) },
		{ "000001ffffffffff", 0, UINT64_C(0x1ffffffffff) },
		{ "0xffffffffffffffff", 0, UINT64_MAX },
		{ "0", 0, 0 },
		{ "0x0", 0, 0 },
		{ "0x", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "x10", -EINVAL, 0 },
		{ "0x0x1", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "SYS_ADMIN", -EINVAL, 0 },
		{ "0x1ffffffffffffffff", -ERANGE, 0 },
		{ "00000000000000000", -ERANGE, 0 },
		{ "1ffffffffffffffffg", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		capability_mask mask = 77;

		assert_int_equal(capability_mask_from_hex(rows[i].text, &mask), rows[i].result);
		assert_int_equal(mask, rows[i].result == 0 ? rows[i].mask : 77);
	}
}

static void the_names_of_a_mask_are_in_the_order_of_their_numbers(void **state)
{
	static const struct {
		capability_mask mask;
		const char *separator, *names;
	} rows[] = {
		{ 0, " ", "" },
		{ 1, " ", "CHOWN" },
		{ UINT64_C(0x400), ", ", "NET_BIND_SERVICE" },
		{ UINT64_C(0x5fb), " ",
			"CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP "
			"NET_BIND_SERVICE" },
		{ UINT64_C(0x8000020000200001), ", ", "CHOWN, SYS_ADMIN, CAP_41, CAP_63" },
		{ UINT64_C(0x3), "", "CHOWNDAC_OVERRIDE" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *names = capability_mask_names(rows[i].mask, rows[i].separator);

		assert_string_equal(names, rows[i].names);
	}
}

static void all_64_names_fit_with_a_long_separator(void **state)
{
	_cleanup_free_ char *names =
		capability_mask_names(UINT64_MAX, " and, what is more, this one as well: ");

	(void)state;
	assert_non_null(strstr(names, "as well: CAP_63"));
}

static void without_memory_a_mask_has_no_names(void **state)
{
	char *names;

	(void)state;
	fail_allocation_at(1);
	names = capability_mask_names(UINT64_C(0x5fb), " ");
	fail_allocation_at(0);
	assert_null(names);
}

static void the_sets_have_procs_names(void **state)
{
	(void)state;
	assert_string_equal(capability_set_name(CAPABILITY_EFFECTIVE), "effective");
	assert_string_equal(capability_set_name(CAPABILITY_PERMITTED), "permitted");
	assert_string_equal(capability_set_name(CAPABILITY_INHERITABLE), "inheritable");
	assert_string_equal(capability_set_name(CAPABILITY_AMBIENT), "ambient");
	assert_string_equal(capability_set_name(CAPABILITY_BOUNDING), "bounding");
}

static const struct capability_sets distinct = { {
	[CAPABILITY_EFFECTIVE] = 0x11,
	[CAPABILITY_PERMITTED] = 0x21,
	[CAPABILITY_INHERITABLE] = 0x41,
	[CAPABILITY_AMBIENT] = 0x81,
	[CAPABILITY_BOUNDING] = 0x101,
} };

static void what_is_held_leaves_out_the_bounding_set(void **state)
{
	(void)state;
	assert_int_equal(capability_sets_held(&distinct), 0xf1);
	assert_int_equal(capability_sets_all(&distinct), 0x1f1);
}

static void sets_are_cut_set_by_set(void **state)
{
	struct capability_sets outside = capability_sets_minus(&distinct, 0x101);
	struct capability_sets inside = capability_sets_and(&distinct, 0x101);

	(void)state;
	for (size_t i = 0; i < CAPABILITY_SETS; i++) {
		assert_int_equal(outside.of[i] | inside.of[i], distinct.of[i]);
		assert_int_equal(outside.of[i] & inside.of[i], 0);
	}
	assert_int_equal(outside.of[CAPABILITY_BOUNDING], 0);
	assert_int_equal(outside.of[CAPABILITY_AMBIENT], 0x80);
	assert_int_equal(inside.of[CAPABILITY_BOUNDING], 0x101);
	assert_int_equal(inside.of[CAPABILITY_EFFECTIVE], 1);
}

static void sets_differ_where_one_of_the_five_does(void **state)
{
	(void)state;
	assert_true(capability_sets_equal(&distinct, &distinct));
	assert_true(capability_sets_within(&distinct, &distinct));
	for (size_t i = 0; i < CAPABILITY_SETS; i++) {
		struct capability_sets more = distinct;

		more.of[i] |= UINT64_C(1) << 63;
		assert_false(capability_sets_equal(&distinct, &more));
		assert_false(capability_sets_equal(&more, &distinct));
		assert_true(capability_sets_within(&distinct, &more));
		assert_false(capability_sets_within(&more, &distinct));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_has_libcap_ngs_name),
		cmocka_unit_test(every_number_is_the_kernels),
		cmocka_unit_test(every_row_says_what_it_allows_and_what_the_danger_is),
		cmocka_unit_test(nothing_narrower_is_more_dangerous),
		cmocka_unit_test(ten_capabilities_take_over_the_host_by_themselves),
		cmocka_unit_test(names_are_read_in_both_spellings_and_any_case),
		cmocka_unit_test(every_name_that_is_written_can_be_read),
		cmocka_unit_test(a_number_without_a_name_is_cap_n),
		cmocka_unit_test(a_misspelt_name_is_recognised),
		cmocka_unit_test(masks_are_read_from_hex_digits_alone),
		cmocka_unit_test(the_names_of_a_mask_are_in_the_order_of_their_numbers),
		cmocka_unit_test(all_64_names_fit_with_a_long_separator),
		cmocka_unit_test(without_memory_a_mask_has_no_names),
		cmocka_unit_test(the_sets_have_procs_names),
		cmocka_unit_test(what_is_held_leaves_out_the_bounding_set),
		cmocka_unit_test(sets_are_cut_set_by_set),
		cmocka_unit_test(sets_differ_where_one_of_the_five_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
