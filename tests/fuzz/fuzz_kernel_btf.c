/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's BTF, whatever is in the file. A slice must be one from which the same slice can be
 * cut again: nothing that the wanted types need is missing, and nothing else is there.
 */
#include "check.h"

#include "../../daemon/discover/kernel_btf.h"

#include <errno.h>
#include <string.h>

static const char *const types[] = { "task", "cred", "cap", "mode" };
static const struct kernel_btf_point points[] = {
	{ KERNEL_BTF_FUNCTION, "iter" },
	{ KERNEL_BTF_TYPEDEF, "trace" },
};
static const struct kernel_btf_wanted wanted = { types, 4, points, 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t ids[2] = { 4711, 4711 }, again_ids[2];
	void *slice = NULL, *again = NULL;
	size_t slice_size = 0, again_size;
	int r = kernel_btf_cut(data, size, &wanted, &slice, &slice_size, ids);

	if (r < 0) {
		CHECK(r == -EBADMSG || r == -EOPNOTSUPP || r == -E2BIG);
		CHECK(!slice && slice_size == 0 && ids[0] == 4711 && ids[1] == 4711);
		return 0;
	}
	CHECK(r == 0);
	CHECK(ids[0] < size && ids[1] < size);
	CHECK(slice_size <= KERNEL_BTF_SLICE_MAX);
	CHECK(kernel_btf_cut(slice, slice_size, &wanted, &again, &again_size, again_ids) == 0);
	CHECK(again_size == slice_size && memcmp(again, slice, slice_size) == 0);
	free(again);
	free(slice);
	return 0;
}
