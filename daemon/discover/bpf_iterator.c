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

/* Where it cannot be pinned (that takes CAP_SYS_ADMIN), the first pass will tell whether it
 * matters. */
static void pin(struct bpf_iterator *iterator)
{
	_cleanup_close_ int fs = fsopen("bpf", FSOPEN_CLOEXEC);
	char path[64];

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return;
	iterator->folder = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (iterator->folder < 0)
		return;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/pinned", iterator->folder);
	if (bpf_obj_pin(iterator->link, path) < 0) {
		(void)close(iterator->folder);
		iterator->folder = -1;
	}
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

	if (fd >= 0)
		return fd;
	if (iterator->folder < 0)
		return -error;
	fd = openat(iterator->folder, "pinned", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void bpf_iterator_done(struct bpf_iterator *iterator)
{
	if (iterator->link >= 0)
		(void)close(iterator->link);
	if (iterator->folder >= 0)
		(void)close(iterator->folder);
	*iterator = BPF_ITERATOR_NONE;
}
