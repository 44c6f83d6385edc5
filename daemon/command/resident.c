/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Gives memory back to the node that is not needed until the next pass.
 */
#include "run.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>

/* What is mapped from a file and never written to is read again from there when it is needed: that
 * is what the file's segments without PF_W are (relocated data lies in those with it). */
static int release_segments(struct dl_phdr_info *info, size_t size, void *data)
{
	const uintptr_t page = *(const uintptr_t *)data;

	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		const uintptr_t begin = (info->dlpi_addr + segment->p_vaddr) & ~(page - 1);
		const uintptr_t end = info->dlpi_addr + segment->p_vaddr + segment->p_memsz;

		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W))
			/* The loader gives addresses as numbers.
			 * NOLINTNEXTLINE(performance-no-int-to-ptr) */
			(void)madvise((void *)begin, end - begin, MADV_DONTNEED);
	}
	return 0;
}

/* Freed memory that is given back is paid for when it is touched again, page by page: not after
 * each pass. */
#define TRIM_US 10000000u

void release_memory(uint64_t now_us, uint64_t *trimmed_us)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	if (!*trimmed_us || now_us - *trimmed_us >= TRIM_US) {
		*trimmed_us = now_us;
		(void)malloc_trim(0);
	}
	/* Libraries are large, and most of what was run of them was run to initialise them. What
	 * a pass runs is in the kernel's memory, and mapped again sixteen pages at a time. */
	(void)dl_iterate_phdr(release_segments, &page);
}
