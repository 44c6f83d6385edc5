/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of what need not be told, in memory that the kernel's programs read. Written without a
 * system call, since those want a privilege on some kernels that was given up by then.
 */
#include "bpf_internal.h"

#include <string.h>

static struct bpf_permit *find_row(
	struct bpf_permit *rows, const struct bpf_placement *placement, uint32_t *ret)
{
	uint32_t hash = bpf_placement_hash(placement);

	for (uint32_t i = 0; i < BPF_PERMIT_PROBES; i++) {
		*ret = (hash + i) & (BPF_PERMITS - 1);
		if (!__atomic_load_n(&rows[*ret].valid, __ATOMIC_ACQUIRE))
			return &rows[*ret];
	}
	return NULL;
}

void bpf_row_clear(struct bpf_engine *engine, uint32_t *row)
{
	struct bpf_permit *rows = bpf_permit_rows(engine);

	if (rows && *row != BPF_NO_ROW)
		__atomic_store_n(&rows[*row].valid, 0, __ATOMIC_RELEASE);
	*row = BPF_NO_ROW;
}

static bool says_so(const struct bpf_permit *row, const struct permit *permit, bool host)
{
	if (host || row->host)
		return host && row->host;
	return row->permitted == permit->permitted &&
	       row->user_namespace == (uint32_t)permit->user_namespace;
}

/* Where there is no free row all is told of that place: that costs time, and nothing else. */
void bpf_row_set(struct bpf_engine *engine, const struct bpf_placement *placement,
	const struct permit *permit, bool host, uint32_t *row)
{
	struct bpf_permit *rows = bpf_permit_rows(engine), *free_row;

	if (!rows)
		return;
	if (*row != BPF_NO_ROW) {
		if (says_so(&rows[*row], permit, host))
			return;
		bpf_row_clear(engine, row);
	}
	free_row = find_row(rows, placement, row);
	if (!free_row) {
		*row = BPF_NO_ROW;
		return;
	}
	free_row->placement = *placement;
	free_row->permitted = host ? 0 : permit->permitted;
	free_row->user_namespace = host ? 0 : (uint32_t)permit->user_namespace;
	free_row->host = host;
	__atomic_store_n(&free_row->valid, 1, __ATOMIC_RELEASE);
}
