/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Getting at the bytes of the kernel's BTF, and leaving a slice of it where libbpf can read it.
 * Knows nothing of what is in them.
 */
#include "kernel_btf.h"
#include "kernel_btf_internal.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

struct bytes {
	void *data;
	size_t size;
	bool mapped;
};

static void bytes_done(struct bytes *bytes)
{
	if (bytes->mapped)
		(void)munmap(bytes->data, bytes->size);
	else
		free(bytes->data);
}

/* Since Linux 6.16 the kernel's own pages can be mapped. Any other file might be truncated while
 * it is mapped, and is read. */
static bool bytes_map(struct bytes *bytes, int fd)
{
	struct statfs fs;
	void *data;

	if (fstatfs(fd, &fs) < 0 || fs.f_type != SYSFS_MAGIC)
		return false;
	data = mmap(NULL, bytes->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return false;
	bytes->data = data;
	bytes->mapped = true;
	return true;
}

/* sysfs hands out a page at a time. */
static int bytes_read(struct bytes *bytes, int fd)
{
	size_t length = 0;

	bytes->data = malloc(bytes->size);
	if (!bytes->data)
		return -ENOMEM;
	while (length < bytes->size) {
		ssize_t n = read(fd, (char *)bytes->data + length, bytes->size - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	bytes->size = length;
	return 0;
}

static int bytes_get(struct bytes *bytes, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return -EBADMSG;
	if (st.st_size > (off_t)KERNEL_BTF_SIZE_MAX)
		return -EFBIG;
	bytes->size = (size_t)st.st_size;
	return bytes_map(bytes, fd) ? 0 : bytes_read(bytes, fd);
}

/* Where vm.memfd_noexec is 2 memory files must say that they are not programs; kernels before 6.3
 * don't know the word. */
static int memory_file(void)
{
	int fd = memfd_create("btf", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("btf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

static int write_and_seal(int fd, const void *data, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t n = write(fd, (const char *)data + length, size - length);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			length += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	return 0;
}

static int leave(const void *data, size_t size, int *ret_fd)
{
	int fd = memory_file(), r;

	if (fd < 0)
		return fd;
	r = write_and_seal(fd, data, size);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int kernel_btf_cut(const void *bytes, size_t size, const struct kernel_btf_wanted *wanted,
	void **ret_slice, size_t *ret_size, uint32_t *ret_ids)
{
	uint32_t ids[KERNEL_BTF_WANTED_MAX];
	struct kernel_btf_index index;
	int r = kernel_btf_index_init(&index, bytes, size, wanted, ids);

	if (r < 0)
		return r;
	r = kernel_btf_copy(&index, ret_slice, ret_size);
	kernel_btf_index_done(&index);
	if (r == 0 && wanted->point_count > 0)
		memcpy(ret_ids, ids, wanted->point_count * sizeof(*ret_ids));
	return r;
}

int kernel_btf_slice(
	const char *path, const struct kernel_btf_wanted *wanted, int *ret_fd, uint32_t *ret_ids)
{
	uint32_t ids[KERNEL_BTF_WANTED_MAX];
	_cleanup_(bytes_done) struct bytes bytes = { 0 };
	_cleanup_free_ void *slice = NULL;
	size_t size;
	int r = bytes_get(&bytes, path);

	if (r < 0)
		return r;
	r = kernel_btf_cut(bytes.data, bytes.size, wanted, &slice, &size, ids);
	if (r == 0)
		r = leave(slice, size, ret_fd);
	if (r == 0 && wanted->point_count > 0)
		memcpy(ret_ids, ids, wanted->point_count * sizeof(*ret_ids));
	return r;
}
