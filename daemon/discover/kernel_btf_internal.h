/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the pass over a BTF leaves for the copying of its types. The format is the kernel's
 * (Documentation/bpf/btf.rst); its numbers are from <linux/btf.h>, whose older versions lack what
 * is defined here.
 */
#ifndef CAPAUDITD_KERNEL_BTF_INTERNAL_H
#define CAPAUDITD_KERNEL_BTF_INTERNAL_H

#include "kernel_btf.h"

#include <linux/btf.h>
#include <string.h>

/* Bits of btf_type.info. Linux 7 widened kind and vlen into bits that were zero before. */
#define KERNEL_BTF_KINDS	 128u
#define KERNEL_BTF_KIND_OF(info) (((info) >> 24) & 0x7fu)
#define KERNEL_BTF_VLEN_OF(info) ((info)&0xffffffu)
/* BTF_KIND_FLOAT and later ones may not be in the header that this is built with. */
enum {
	KIND_FLOAT = 16,
	KIND_DECL_TAG = 17,
	KIND_TYPE_TAG = 18,
	KIND_ENUM64 = 19,
};

#define KERNEL_BTF_ROOTS_MAX 256u /* wanted types found; a name may be there twice */

/* What follows the three words that every type has, by its kind. */
struct kernel_btf_shape {
	uint8_t known;
	uint8_t once; /* bytes */
	uint8_t each; /* bytes for each of vlen elements */
};

struct kernel_btf_index {
	const uint8_t *types;
	uint32_t types_size;
	const char *strings; /* the last byte is 0 */
	uint32_t strings_size;
	struct kernel_btf_shape shapes[KERNEL_BTF_KINDS];
	uint32_t *offsets; /* in `types`, by id; offsets[0] is not used */
	uint32_t count;	   /* ids, 0 (void) among them */
	uint32_t roots[KERNEL_BTF_ROOTS_MAX];
	uint32_t root_count;
};

/* Looks at each type once: where it is, and whether it is wanted. On failure nothing has to be
 * released. Errors as in kernel_btf.h. */
int kernel_btf_index_init(struct kernel_btf_index *index, const void *bytes, size_t size,
	const struct kernel_btf_wanted *wanted, uint32_t *ret_ids);
void kernel_btf_index_done(struct kernel_btf_index *index);

/* Writes the roots, and what they consist of, as a BTF of its own. */
int kernel_btf_copy(const struct kernel_btf_index *index, void **ret_slice, size_t *ret_size);

/* The n-th word from here; types are of words, and not always aligned. */
static inline uint32_t kernel_btf_word(const uint8_t *from, size_t n)
{
	uint32_t word;

	memcpy(&word, from + n * sizeof(word), sizeof(word));
	return word;
}

#endif
