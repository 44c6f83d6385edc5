/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes a few types of a BTF, and what they consist of, as a BTF of its own. Here is checked what
 * those types say: names, the types of members, and that nothing contains itself, which would have
 * libbpf turn in circles.
 */
#include "kernel_btf_internal.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <stdbool.h>

#define DEPTH_MAX 64u		      /* of types in types; the kernel's are some 20 deep */
#define OPEN	  (UINT32_C(1) << 31) /* in copy.ids: what it consists of is still being taken */
#define HEADER	  24u

struct buffer {
	uint8_t *data;
	size_t size, capacity;
};

struct copy {
	const struct kernel_btf_index *index;
	uint32_t *ids;	     /* by the old id: the new one, or 0 */
	struct buffer taken; /* old ids, in the order of the new ones, which begin at 1 */
	uint32_t count;	     /* the newest id */
	uint32_t pointer;    /* the new id of `void *`, or 0 */
	struct buffer types, strings;
};

static int buffer_add(struct buffer *buffer, const void *data, size_t size)
{
	if (size > KERNEL_BTF_SLICE_MAX - buffer->size)
		return -E2BIG;
	if (size > buffer->capacity - buffer->size) {
		size_t capacity = 2 * buffer->capacity + size + 4096;
		uint8_t *grown = realloc(buffer->data, capacity);

		if (!grown)
			return -ENOMEM;
		buffer->data = grown;
		buffer->capacity = capacity;
	}
	memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
	return 0;
}

static int add_word(struct buffer *buffer, uint32_t word)
{
	return buffer_add(buffer, &word, sizeof(word));
}

static const uint8_t *type_at(const struct copy *copy, uint32_t id)
{
	return copy->index->types + copy->index->offsets[id];
}

static int take(struct copy *copy, uint32_t id, unsigned depth);

/* What a type consists of: the n-th word of each element is another type. */
static int take_each(struct copy *copy, const uint8_t *type, unsigned depth)
{
	uint32_t vlen = KERNEL_BTF_VLEN_OF(kernel_btf_word(type, 1));

	for (uint32_t i = 0; i < vlen; i++) {
		int r = take(copy, kernel_btf_word(type, 3 + 3 * (size_t)i + 1), depth);

		if (r < 0)
			return r;
	}
	return 0;
}

static int take_parts(struct copy *copy, const uint8_t *type, unsigned depth)
{
	int r;

	switch (KERNEL_BTF_KIND_OF(kernel_btf_word(type, 1))) {
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case BTF_KIND_FWD:
	case KIND_ENUM64:
	case KIND_FLOAT:
		return 0;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case KIND_TYPE_TAG:
		return take(copy, kernel_btf_word(type, 2), depth);
	case BTF_KIND_ARRAY:
		r = take(copy, kernel_btf_word(type, 3), depth);
		return r < 0 ? r : take(copy, kernel_btf_word(type, 4), depth);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return take_each(copy, type, depth);
	default:
		return -EBADMSG;
	}
}

/* Gives a type, and all that it consists of, ids in the copy. */
static int take(struct copy *copy, uint32_t id, unsigned depth)
{
	uint32_t kind;
	int r;

	if (id == 0)
		return 0;
	if (id >= copy->index->count || depth >= DEPTH_MAX || copy->ids[id] & OPEN)
		return -EBADMSG;
	if (copy->ids[id] != 0)
		return 0;
	/* Where a pointer points to is not followed; a typedef of a function is good for nothing
	 * else. */
	kind = KERNEL_BTF_KIND_OF(kernel_btf_word(type_at(copy, id), 1));
	if ((kind == BTF_KIND_PTR || kind == BTF_KIND_FUNC_PROTO) && copy->pointer != 0) {
		copy->ids[id] = copy->pointer;
		return 0;
	}
	r = add_word(&copy->taken, id);
	if (r < 0)
		return r;
	copy->ids[id] = ++copy->count;
	if (kind == BTF_KIND_PTR || kind == BTF_KIND_FUNC_PROTO) {
		copy->pointer = copy->ids[id];
		return 0;
	}
	copy->ids[id] |= OPEN;
	r = take_parts(copy, type_at(copy, id), depth + 1);
	copy->ids[id] &= ~OPEN;
	return r;
}

static int write_name(struct copy *copy, uint32_t name)
{
	const struct kernel_btf_index *index = copy->index;
	uint32_t at = (uint32_t)copy->strings.size;
	int r;

	if (name >= index->strings_size)
		return -EBADMSG;
	if (!index->strings[name])
		return add_word(&copy->types, 0);
	r = buffer_add(&copy->strings, index->strings + name,
		strnlen(index->strings + name, KERNEL_BTF_SLICE_MAX) + 1);
	return r < 0 ? r : add_word(&copy->types, at);
}

/* Members and values of enums: a name and one or two words, of which one may be a type. */
static int write_elements(struct copy *copy, const uint8_t *type, size_t words, bool typed)
{
	uint32_t vlen = KERNEL_BTF_VLEN_OF(kernel_btf_word(type, 1));

	for (uint32_t i = 0; i < vlen; i++) {
		size_t at = 3 + words * i;
		int r = write_name(copy, kernel_btf_word(type, at));

		for (size_t word = 1; r == 0 && word < words; word++) {
			uint32_t value = kernel_btf_word(type, at + word);

			r = add_word(&copy->types, typed && word == 1 ? copy->ids[value] : value);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int write_parts(struct copy *copy, const uint8_t *type, uint32_t kind)
{
	int r;

	switch (kind) {
	case BTF_KIND_INT:
		return add_word(&copy->types, kernel_btf_word(type, 3));
	case BTF_KIND_ARRAY:
		for (size_t word = 3; word < 5; word++) {
			r = add_word(&copy->types, copy->ids[kernel_btf_word(type, word)]);
			if (r < 0)
				return r;
		}
		return add_word(&copy->types, kernel_btf_word(type, 5));
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return write_elements(copy, type, 3, true);
	case BTF_KIND_ENUM:
		return write_elements(copy, type, 2, false);
	case KIND_ENUM64:
		return write_elements(copy, type, 3, false);
	default:
		return 0;
	}
}

static int write_type(struct copy *copy, const uint8_t *type)
{
	static const uint32_t pointer[3] = { 0, (uint32_t)BTF_KIND_PTR << 24, 0 };
	uint32_t info = kernel_btf_word(type, 1), last = kernel_btf_word(type, 2);
	uint32_t kind = KERNEL_BTF_KIND_OF(info);
	int r;

	switch (kind) {
	case BTF_KIND_PTR:
	case BTF_KIND_FUNC_PROTO:
		return buffer_add(&copy->types, pointer, sizeof(pointer));
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case KIND_TYPE_TAG:
		last = copy->ids[last];
		break;
	default:
		break;
	}
	r = write_name(copy, kernel_btf_word(type, 0));
	if (r == 0)
		r = add_word(&copy->types, info);
	if (r == 0)
		r = add_word(&copy->types, last);
	return r < 0 ? r : write_parts(copy, type, kind);
}

static int write_types(struct copy *copy)
{
	int r = buffer_add(&copy->strings, "", 1); /* the name of what has none */

	for (uint32_t i = 0; r == 0 && i < copy->count; i++)
		r = write_type(copy, type_at(copy, kernel_btf_word(copy->taken.data, i)));
	return r;
}

static int join(const struct copy *copy, void **ret_slice, size_t *ret_size)
{
	struct btf_header header = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = HEADER,
		.type_len = (uint32_t)copy->types.size,
		.str_off = (uint32_t)copy->types.size,
		.str_len = (uint32_t)copy->strings.size,
	};
	struct buffer slice = { 0 };
	int r = buffer_add(&slice, &header, HEADER);

	if (r == 0 && copy->types.size > 0)
		r = buffer_add(&slice, copy->types.data, copy->types.size);
	if (r == 0)
		r = buffer_add(&slice, copy->strings.data, copy->strings.size);
	if (r < 0) {
		free(slice.data);
		return r;
	}
	*ret_slice = slice.data;
	*ret_size = slice.size;
	return 0;
}

static void copy_done(struct copy *copy)
{
	free(copy->ids);
	free(copy->taken.data);
	free(copy->types.data);
	free(copy->strings.data);
}

int kernel_btf_copy(const struct kernel_btf_index *index, void **ret_slice, size_t *ret_size)
{
	_cleanup_(copy_done) struct copy copy = {
		.index = index,
		.ids = calloc(index->count, sizeof(uint32_t)),
	};
	int r = 0;

	if (!copy.ids)
		return -ENOMEM;
	for (uint32_t i = 0; r == 0 && i < index->root_count; i++)
		r = take(&copy, index->roots[i], 0);
	if (r == 0)
		r = write_types(&copy);
	return r < 0 ? r : join(&copy, ret_slice, ret_size);
}
