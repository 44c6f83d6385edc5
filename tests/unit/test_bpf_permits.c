/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of permits, as the kernel's programs would look things up in it.
 */
// wrap: bpf_walk bpf_iterator_open bpf_totals bpf_crowd_read bpf_check bpf_permit_rows proc_open
#include "bpf_fixture.h"

#define ROWS_TRIED 64u

/* Placements with the same hash, some of them near the table's end. */
static void collide(struct bpf_placement ret[static ROWS_TRIED], uint32_t hash, size_t count)
{
	struct bpf_placement placement = { .unified = 1 };

	for (size_t found = 0; found < count;) {
		placement.css_set++;
		if ((bpf_placement_hash(&placement) & (BPF_PERMITS - 1)) == hash)
			ret[found++] = placement;
	}
}

static void set(struct bpf_engine *engine, const struct bpf_placement *placement,
	capability_mask permitted, uint32_t *row)
{
	const struct permit permit = { permitted, 7 };

	bpf_row_set(engine, placement, &permit, false, row);
}

static void a_row_is_found_and_changed_and_found_no_more(void **state)
{
	struct bpf_placement placement = place_at(1), other = placement;
	struct bpf_engine engine = { 0 };
	uint32_t row = BPF_NO_ROW;

	(void)state;
	bpf_row_clear(&engine, &row);
	assert_null(find_permit(&placement));
	set(&engine, &placement, 5, &row);
	assert_int_equal(find_permit(&placement)->permitted, 5);
	assert_int_equal(find_permit(&placement)->user_namespace, 7);
	set(&engine, &placement, 5, &row);
	assert_int_equal(count_permits(), 1);
	set(&engine, &placement, 4, &row);
	assert_int_equal(find_permit(&placement)->permitted, 4);
	assert_int_equal(count_permits(), 1);
	other.css_set++;
	assert_null(find_permit(&other));
	other = placement;
	other.unified++;
	assert_null(find_permit(&other));
	other = placement;
	other.legacy++;
	assert_null(find_permit(&other));
	bpf_row_set(&engine, &placement, NULL, true, &row);
	assert_true(find_permit(&placement)->host);
	assert_int_equal(find_permit(&placement)->permitted, 0);
	bpf_row_set(&engine, &placement, NULL, true, &row);
	assert_int_equal(count_permits(), 1);
	set(&engine, &placement, 0, &row);
	assert_false(find_permit(&placement)->host);
	assert_int_equal(find_permit(&placement)->user_namespace, 7);
	bpf_row_clear(&engine, &row);
	assert_int_equal(row, BPF_NO_ROW);
	assert_null(find_permit(&placement));
}

static void another_user_namespace_is_another_permit(void **state)
{
	const struct permit permit = { 5, 8 };
	struct bpf_placement placement = place_at(1);
	struct bpf_engine engine = { 0 };
	uint32_t row = BPF_NO_ROW;

	(void)state;
	set(&engine, &placement, 5, &row);
	bpf_row_set(&engine, &placement, &permit, false, &row);
	assert_int_equal(find_permit(&placement)->user_namespace, 8);
}

static void who_collides_is_found_as_far_as_the_kernel_looks(void **state)
{
	static const uint32_t hashes[] = { 77, BPF_PERMITS - 3 };
	struct bpf_placement placements[ROWS_TRIED];
	uint32_t rows[BPF_PERMIT_PROBES + 2];
	struct bpf_engine engine = { 0 };

	(void)state;
	for (size_t h = 0; h < ARRAY_SIZE(hashes); h++) {
		collide(placements, hashes[h], ARRAY_SIZE(rows));
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			rows[i] = BPF_NO_ROW;
			set(&engine, &placements[i], i, &rows[i]);
		}
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			const struct bpf_permit *found = find_permit(&placements[i]);

			assert_int_equal(!!found, i < BPF_PERMIT_PROBES);
			assert_int_equal(rows[i] != BPF_NO_ROW, i < BPF_PERMIT_PROBES);
			assert_true(!found || found->permitted == i);
		}
		/* A hole in the middle hides nobody, and is filled again. */
		bpf_row_clear(&engine, &rows[2]);
		assert_null(find_permit(&placements[2]));
		assert_int_equal(find_permit(&placements[7])->permitted, 7);
		set(&engine, &placements[8], 8, &rows[8]);
		assert_int_equal(find_permit(&placements[8])->permitted, 8);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			bpf_row_clear(&engine, &rows[i]);
		assert_int_equal(count_permits(), 0);
	}
}

static void without_events_there_is_no_table(void **state)
{
	struct bpf_placement placement = place_at(1);
	struct bpf_engine engine = { 0 };
	struct bpf_permit *rows = fake.rows;
	uint32_t row = BPF_NO_ROW;

	(void)state;
	fake.rows = NULL;
	set(&engine, &placement, 5, &row);
	assert_int_equal(row, BPF_NO_ROW);
	bpf_row_clear(&engine, &row);
	fake.rows = rows;
}

/* Whatever is set and cleared, in whichever order: the kernel finds the last word or nothing. */
static void what_is_found_is_always_the_last_word(void **state)
{
	enum { PLACES = 4096 };
	static struct bpf_placement placements[PLACES];
	static uint32_t rows[PLACES], permitted[PLACES];
	struct bpf_engine engine = { 0 };
	uint64_t seed = 88172645463325252u;
	size_t set_rows = 0;

	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		placements[i] = (struct bpf_placement){ 0xffff888000000000u + i * 1024, i, i };
		rows[i] = BPF_NO_ROW;
	}
	for (unsigned step = 0; step < 40000; step++) {
		size_t i;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		i = (seed >> 20) % PLACES;
		if (seed >> 62 == 0) {
			bpf_row_clear(&engine, &rows[i]);
		} else {
			permitted[i] = step;
			set(&engine, &placements[i], step, &rows[i]);
		}
	}
	for (size_t i = 0; i < PLACES; i++) {
		const struct bpf_permit *found = find_permit(&placements[i]);

		assert_int_equal(!!found, rows[i] != BPF_NO_ROW);
		assert_true(!found || found->permitted == permitted[i]);
		set_rows += found != NULL;
	}
	assert_int_equal(count_permits(), set_rows);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_fake, tear_down_fake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_row_is_found_and_changed_and_found_no_more),
		TEST(another_user_namespace_is_another_permit),
		TEST(who_collides_is_found_as_far_as_the_kernel_looks),
		TEST(without_events_there_is_no_table),
		TEST(what_is_found_is_always_the_last_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
