/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the descriptors of the state's folder and file, and the order of writing, syncing and
 * renaming that leaves a whole file at any moment.
 */
#include "state_file.h"

#include "safe_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define NAME	 "state"
#define NEW_NAME "state.new"

struct state_file {
	int folder, fd, new_fd;
	uint64_t size, new_size;
	bool broken; /* something is missing at its end */
};

static int check(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1 ||
		st.st_mode & (S_IRWXG | S_IRWXO))
		return -EPERM;
	if (st.st_size > STATE_FILE_SIZE_MAX)
		return -EFBIG;
	return 0;
}

static int read_all(int fd, struct bytes *ret)
{
	char part[65536];
	ssize_t n;

	while (!ret->failed && (n = pread(fd, part, sizeof(part), (off_t)ret->length)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (ret->length + (size_t)n > STATE_FILE_SIZE_MAX)
			return -EFBIG;
		bytes_add(ret, part, (size_t)n);
	}
	return ret->failed ? -ENOMEM : 0;
}

static int open_in(struct state_file *file, struct bytes *ret_content)
{
	int r;

	if (flock(file->folder, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	file->fd = openat(file->folder, NAME,
		O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return -errno;
	r = check(file->fd);
	if (r == 0)
		r = read_all(file->fd, ret_content);
	file->size = ret_content->length;
	return r;
}

int state_file_open(const char *folder, struct state_file **ret, struct bytes *ret_content)
{
	_cleanup_(state_file_closep) struct state_file *file = calloc(1, sizeof(*file));
	struct bytes content = { 0 };
	int r;

	if (!file)
		return -ENOMEM;
	file->fd = file->new_fd = -1;
	file->folder = safe_folder_open(folder);
	r = file->folder < 0 ? file->folder : open_in(file, &content);
	if (r < 0) {
		bytes_done(&content);
		return r;
	}
	*ret = TAKE_PTR(file);
	*ret_content = content;
	return 0;
}

static void abandon(struct state_file *file)
{
	if (file->new_fd < 0)
		return;
	(void)close(TAKE_FD(file->new_fd));
	(void)unlinkat(file->folder, NEW_NAME, 0);
}

void state_file_close(struct state_file *file)
{
	if (!file)
		return;
	abandon(file);
	if (file->fd >= 0)
		(void)close(file->fd);
	if (file->folder >= 0)
		(void)close(file->folder);
	free(file);
}

static int write_at(int fd, uint64_t at, const struct bytes *records)
{
	if (records->failed)
		return -ENOMEM;
	if (at + records->length > STATE_FILE_SIZE_MAX)
		return -EFBIG;
	for (size_t done = 0; done < records->length;) {
		ssize_t n = pwrite(
			fd, records->data + done, records->length - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int state_file_append(struct state_file *file, const struct bytes *records)
{
	int r = file->broken ? -EIO : write_at(file->fd, file->size, records);

	if (r == 0) {
		file->size += records->length;
	} else {
		/* A torn record ends what is read of a file: nothing may follow one. */
		file->broken = true;
		(void)!ftruncate(file->fd, (off_t)file->size);
	}
	return r;
}

uint64_t state_file_size(const struct state_file *file)
{
	return file->size;
}

int state_file_sync(struct state_file *file)
{
	return fdatasync(file->fd) < 0 ? -errno : 0;
}

int state_file_begin(struct state_file *file)
{
	abandon(file);
	if (unlinkat(file->folder, NEW_NAME, 0) < 0 && errno != ENOENT)
		return -errno;
	file->new_fd = openat(
		file->folder, NEW_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	file->new_size = 0;
	return file->new_fd < 0 ? -errno : 0;
}

int state_file_add(struct state_file *file, const struct bytes *records)
{
	int r = write_at(file->new_fd, file->new_size, records);

	if (r < 0)
		abandon(file);
	else
		file->new_size += records->length;
	return r;
}

int state_file_commit(struct state_file *file)
{
	int r = 0;

	if (fsync(file->new_fd) < 0 || renameat(file->folder, NEW_NAME, file->folder, NAME) < 0)
		r = -errno;
	if (r < 0) {
		abandon(file);
		return r;
	}
	(void)close(file->fd);
	file->fd = TAKE_FD(file->new_fd);
	file->size = file->new_size;
	file->broken = false;
	/* Until then the old name may come back with the old file, which was whole as well. */
	return fsync(file->folder) < 0 ? -errno : 0;
}
