/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's own description of its types (BTF), cut down to what one BPF object needs.
 *
 * libbpf reads, parses and searches all of /sys/kernel/btf/vmlinux (5 to 7 MB, 150,000 types) for
 * the sake of a dozen structs, which takes tens of milliseconds and 11 MB. Here its bytes are
 * passed over once, in about three. (Before Linux 6.16 the file can't be mapped and is read into
 * memory, which is given back.) What comes out is a small BTF that libbpf takes for the kernel's:
 *
 *	static const char *const types[] = { "task_struct", "cred", "css_set" };
 *	static const struct kernel_btf_point points[] = {
 *		{ KERNEL_BTF_FUNCTION, "bpf_iter_task" },
 *		{ KERNEL_BTF_TYPEDEF, "btf_trace_sched_process_exec" },
 *	};
 *	struct kernel_btf_wanted wanted = { types, 3, points, 2 };
 *	uint32_t ids[2];
 *	int fd;
 *	int r = kernel_btf_slice(KERNEL_BTF_PATH, &wanted, &fd, ids);
 *
 * Then bpf_object_open_opts.btf_custom_path = "/proc/self/fd/FD", and the ids are given to the
 * programs (bpf_section.h). libbpf reads the file while it loads; afterwards it may be closed.
 *
 * It must not know libbpf, nor what the types are for.
 */
#ifndef CAPAUDITD_KERNEL_BTF_H
#define CAPAUDITD_KERNEL_BTF_H

#include <stddef.h>
#include <stdint.h>

#define KERNEL_BTF_PATH	      "/sys/kernel/btf/vmlinux"
#define KERNEL_BTF_SIZE_MAX   (64u * 1024u * 1024u) /* of the file */
#define KERNEL_BTF_SLICE_MAX  (1024u * 1024u) /* what is cut out of it; 50 KB for task_struct */
#define KERNEL_BTF_WANTED_MAX 64u	      /* types, and points */

enum kernel_btf_kind {
	KERNEL_BTF_FUNCTION, /* "bpf_iter_task" for an iterator, the function's name for fentry */
	KERNEL_BTF_TYPEDEF,  /* "btf_trace_NAME" for tp_btf/NAME */
	KERNEL_BTF_STRUCT,   /* a type that a program names to the kernel */
};

/* Something that a program may be attached to, may call, or names. */
struct kernel_btf_point {
	enum kernel_btf_kind kind;
	const char *name;
};

struct kernel_btf_wanted {
	/* Names of structs, unions, enums and typedefs, without libbpf's flavours ("___old"): each
	 * type that a CO-RE access starts at. BPF_CORE_READ(task, cred, user_ns) starts at
	 * task_struct and at cred. What is embedded in them by value comes with them. */
	const char *const *types;
	size_t type_count;
	const struct kernel_btf_point *points;
	size_t point_count;
};

/* Cuts the wanted types, and what they consist of, out of the BTF in the file `path`. *ret_fd is a
 * sealed memory file (O_CLOEXEC) that the caller closes; ret_ids[] has an id for each point.
 *
 * All pointers in it are `void *`: sizes, offsets, bit fields and values of enums are the
 * kernel's, but bpf_core_type_matches() and the comparison of function types can't be had.
 *
 * A type that this kernel doesn't have is not in the slice, which is how libbpf comes to know; a
 * point that it doesn't have gets the id 0, which is never a type's. Where several have the same
 * name all of them are in the slice; a point is the first.
 *
 * 0; -ENOENT where there is no such file (a kernel without BTF); -EFBIG beyond KERNEL_BTF_SIZE_MAX;
 * -EBADMSG where it is not BTF of this machine's byte order; -EOPNOTSUPP for a kind of type that
 * came later and is not described in the file; -E2BIG where the slice would be too large or too
 * much is wanted; -errno. */
int kernel_btf_slice(
	const char *path, const struct kernel_btf_wanted *wanted, int *ret_fd, uint32_t *ret_ids);

/* The same from memory into memory, which the caller frees. */
int kernel_btf_cut(const void *bytes, size_t size, const struct kernel_btf_wanted *wanted,
	void **ret_slice, size_t *ret_size, uint32_t *ret_ids);

#endif
