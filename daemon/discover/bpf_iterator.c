/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attaches an iterator and opens it, also after every privilege was given up.
 */
#include "bpf_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

/* A file system of our own, mounted nowhere; without CAP_SYS_ADMIN the one that is mounted for all.
 * A folder, or -errno. */
static int open_folder(void)
{
	_cleanup_close_ int fs = fsopen("bpf", FSOPEN_CLOEXEC);
	int folder = -1;

	if (fs >= 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		folder = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (folder < 0)
		folder = open("/sys/fs/bpf", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return folder < 0 ? -errno : folder;
}

/* The name is gone again at once: a descriptor of the file is all that is needed. Where there is no
 * place for it the first pass will tell whether that matters. */
static void pin(struct bpf_iterator *iterator)
{
	_cleanup_close_ int folder = open_folder();
	char name[64], path[128];

	if (folder < 0)
		return;
	(void)snprintf(name, sizeof(name), "capauditd-%d-%d", (int)getpid(), iterator->link);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", folder, name);
	if (bpf_obj_pin(iterator->link, path) < 0)
		return;
	iterator->file = openat(folder, name, O_PATH | O_CLOEXEC);
	(void)unlinkat(folder, name, 0);
}

int bpf_iterator_attach(
	struct bpf_iterator *iterator, const struct bpf_program *program, bool lasting)
{
	iterator->link = bpf_link_create(bpf_program__fd(program), 0, BPF_TRACE_ITER, NULL);
	if (iterator->link < 0)
		return -errno;
	if (lasting)
		pin(iterator);
	return 0;
}

int bpf_iterator_open(const struct bpf_iterator *iterator)
{
	int fd = bpf_iter_create(iterator->link), error = errno;
	char path[64];

	if (fd >= 0)
		return fd;
	if (iterator->file < 0)
		return -error;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", iterator->file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void bpf_iterator_done(struct bpf_iterator *iterator)
{
	if (iterator->link >= 0)
		(void)close(iterator->link);
	if (iterator->file >= 0)
		(void)close(iterator->file);
	*iterator = BPF_ITERATOR_NONE;
}
