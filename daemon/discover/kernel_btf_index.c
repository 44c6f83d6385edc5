/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one pass over all types of a BTF: notes where each begins and finds those with wanted names.
 * Checks the header and that each type lies in the file; what a type says is looked at by
 * kernel_btf_copy.c, of those that are taken.
 */
#include "kernel_btf_internal.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define TYPE_SIZE 12u /* of struct btf_type: name, info, and size or type */
#define HEADER	  24u /* of struct btf_header before Linux 7, which added the layout section */
#define LAYOUT	  32u

#define TYPE_KINDS                                                                  \
	((1u << BTF_KIND_STRUCT) | (1u << BTF_KIND_UNION) | (1u << BTF_KIND_ENUM) | \
		(1u << KIND_ENUM64) | (1u << BTF_KIND_TYPEDEF))

static const struct kernel_btf_shape known_shapes[] = {
	[BTF_KIND_INT] = { 1, 4, 0 },
	[BTF_KIND_PTR] = { 1, 0, 0 },
	[BTF_KIND_ARRAY] = { 1, 12, 0 },
	[BTF_KIND_STRUCT] = { 1, 0, 12 },
	[BTF_KIND_UNION] = { 1, 0, 12 },
	[BTF_KIND_ENUM] = { 1, 0, 8 },
	[BTF_KIND_FWD] = { 1, 0, 0 },
	[BTF_KIND_TYPEDEF] = { 1, 0, 0 },
	[BTF_KIND_VOLATILE] = { 1, 0, 0 },
	[BTF_KIND_CONST] = { 1, 0, 0 },
	[BTF_KIND_RESTRICT] = { 1, 0, 0 },
	[BTF_KIND_FUNC] = { 1, 0, 0 },
	[BTF_KIND_FUNC_PROTO] = { 1, 0, 8 },
	[BTF_KIND_VAR] = { 1, 4, 0 },
	[BTF_KIND_DATASEC] = { 1, 0, 12 },
	[KIND_FLOAT] = { 1, 0, 0 },
	[KIND_DECL_TAG] = { 1, 4, 0 },
	[KIND_TYPE_TAG] = { 1, 0, 0 },
	[KIND_ENUM64] = { 1, 0, 12 },
};

/* A section of the file: `at` counts from the header's end. */
static int find_section(
	const uint8_t *bytes, size_t size, uint32_t at, uint32_t length, const uint8_t **ret)
{
	size_t header_size = kernel_btf_word(bytes, 1);

	if (at > size - header_size || length > size - header_size - at)
		return -EBADMSG;
	*ret = bytes + header_size + at;
	return 0;
}

/* Kinds that came after those above are passed over by the layout section's word, where there is
 * one: four bytes for each kind. */
static int find_shapes(struct kernel_btf_index *index, const uint8_t *bytes, size_t size)
{
	const uint8_t *layout;
	uint32_t length;
	int r;

	memcpy(index->shapes, known_shapes, sizeof(known_shapes));
	if (kernel_btf_word(bytes, 1) < LAYOUT)
		return 0;
	length = kernel_btf_word(bytes, 7);
	r = find_section(bytes, size, kernel_btf_word(bytes, 6), length, &layout);
	if (r < 0)
		return r;
	for (uint32_t kind = ARRAY_SIZE(known_shapes);
		kind < KERNEL_BTF_KINDS && kind < length / sizeof(uint32_t); kind++) {
		const uint8_t *sizes = layout + kind * sizeof(uint32_t);

		index->shapes[kind] = (struct kernel_btf_shape){ 1, sizes[0], sizes[1] };
	}
	return 0;
}

static int find_sections(struct kernel_btf_index *index, const uint8_t *bytes, size_t size)
{
	struct btf_header header;
	const uint8_t *strings;
	int r;

	if (size < HEADER || size > KERNEL_BTF_SIZE_MAX)
		return size < HEADER ? -EBADMSG : -EFBIG;
	memcpy(&header, bytes, HEADER);
	if (header.magic != BTF_MAGIC || header.version != BTF_VERSION || header.hdr_len < HEADER ||
		header.hdr_len > size)
		return -EBADMSG;
	index->types_size = header.type_len;
	index->strings_size = header.str_len;
	r = find_section(bytes, size, header.type_off, header.type_len, &index->types);
	if (r < 0)
		return r;
	r = find_section(bytes, size, header.str_off, header.str_len, &strings);
	if (r < 0)
		return r;
	index->strings = (const char *)strings;
	if (header.str_len == 0 || index->strings[0] || index->strings[header.str_len - 1])
		return -EBADMSG;
	return find_shapes(index, bytes, size);
}

#define NAME_KEYS 1024u

/* The wanted names. Most types are told from all of them by their kind and first letter, and of the
 * others most by a further one. */
struct names {
	const struct kernel_btf_wanted *wanted;
	uint32_t kinds[256]; /* by first letter: the kinds in which there is a name */
	uint32_t kinds_of[NAME_KEYS];
};

/* Of the first letter and the fifth, or where the name ends before that. */
static unsigned name_key(const char *name)
{
	return ((unsigned char)name[0] * 31u + (unsigned char)name[strnlen(name, 4)]) % NAME_KEYS;
}

static void names_add(struct names *names, const char *name, uint32_t kinds)
{
	names->kinds[(unsigned char)name[0]] |= kinds;
	names->kinds_of[name_key(name)] |= kinds;
}

static bool names_may_have(const struct names *names, const char *name, uint32_t kind)
{
	return names->kinds[(unsigned char)name[0]] & 1u << kind &&
	       names->kinds_of[name_key(name)] & 1u << kind;
}

static uint32_t point_kinds(const struct kernel_btf_point *point)
{
	static const uint32_t kinds[] = {
		[KERNEL_BTF_FUNCTION] = 1u << BTF_KIND_FUNC,
		[KERNEL_BTF_TYPEDEF] = 1u << BTF_KIND_TYPEDEF,
		[KERNEL_BTF_STRUCT] = 1u << BTF_KIND_STRUCT,
	};

	return kinds[point->kind];
}

static void names_init(struct names *names, const struct kernel_btf_wanted *wanted)
{
	*names = (struct names){ .wanted = wanted };
	for (size_t i = 0; i < wanted->type_count; i++)
		names_add(names, wanted->types[i], TYPE_KINDS);
	for (size_t i = 0; i < wanted->point_count; i++)
		names_add(names, wanted->points[i].name, point_kinds(&wanted->points[i]));
}

static int match(struct kernel_btf_index *index, const struct names *names, const char *name,
	uint32_t kind, uint32_t id, uint32_t *ids)
{
	const struct kernel_btf_wanted *wanted = names->wanted;

	for (size_t i = 0; i < wanted->point_count; i++) {
		if (ids[i] == 0 && (point_kinds(&wanted->points[i]) & 1u << kind) &&
			strcmp(wanted->points[i].name, name) == 0)
			ids[i] = id;
	}
	if (!(TYPE_KINDS & 1u << kind))
		return 0;
	for (size_t i = 0; i < wanted->type_count; i++) {
		if (strcmp(wanted->types[i], name) != 0)
			continue;
		if (index->root_count == KERNEL_BTF_ROOTS_MAX)
			return -E2BIG;
		index->roots[index->root_count++] = id;
		break;
	}
	return 0;
}

/* Reads the type at *at, which gets the id `id`, and moves on. */
static int look_at(struct kernel_btf_index *index, const struct names *names, uint32_t id,
	uint32_t *at, uint32_t *ids)
{
	const uint8_t *type = index->types + *at;
	uint32_t left = index->types_size - *at;
	uint32_t name, info, kind;
	uint64_t length;

	if (left < TYPE_SIZE)
		return -EBADMSG;
	name = kernel_btf_word(type, 0);
	info = kernel_btf_word(type, 1);
	kind = KERNEL_BTF_KIND_OF(info);
	if (!index->shapes[kind].known)
		return kind < ARRAY_SIZE(known_shapes) ? -EBADMSG : -EOPNOTSUPP;
	length = TYPE_SIZE + index->shapes[kind].once +
		 (uint64_t)index->shapes[kind].each * KERNEL_BTF_VLEN_OF(info);
	if (length > left)
		return -EBADMSG;
	index->offsets[id] = *at;
	*at += (uint32_t)length;
	if (kind >= ARRAY_SIZE(known_shapes) || !((TYPE_KINDS | 1u << BTF_KIND_FUNC) & 1u << kind))
		return 0;
	if (name >= index->strings_size)
		return -EBADMSG;
	if (!names_may_have(names, index->strings + name, kind))
		return 0;
	return match(index, names, index->strings + name, kind, id, ids);
}

int kernel_btf_index_init(struct kernel_btf_index *index, const void *bytes, size_t size,
	const struct kernel_btf_wanted *wanted, uint32_t *ret_ids)
{
	uint32_t ids[KERNEL_BTF_WANTED_MAX] = { 0 };
	_cleanup_free_ uint32_t *offsets = NULL;
	struct names names;
	uint32_t at = 0;
	int r;

	if (wanted->type_count > KERNEL_BTF_WANTED_MAX ||
		wanted->point_count > KERNEL_BTF_WANTED_MAX)
		return -E2BIG;
	memset(index, 0, sizeof(*index));
	r = find_sections(index, bytes, size);
	if (r < 0)
		return r;
	/* For as many as there could be; what isn't written takes no memory. */
	offsets = malloc((index->types_size / TYPE_SIZE + 1) * sizeof(*offsets));
	if (!offsets)
		return -ENOMEM;
	index->offsets = offsets;
	names_init(&names, wanted);
	for (index->count = 1; at < index->types_size; index->count++) {
		r = look_at(index, &names, index->count, &at, ids);
		if (r < 0)
			return r;
	}
	index->offsets = TAKE_PTR(offsets);
	if (wanted->point_count > 0)
		memcpy(ret_ids, ids, wanted->point_count * sizeof(*ret_ids));
	return 0;
}

void kernel_btf_index_done(struct kernel_btf_index *index)
{
	free(index->offsets);
	index->offsets = NULL;
}
