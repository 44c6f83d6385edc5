/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds a container's OCI bundle by its id in the folders where runtimes keep them, and reads it.
 * What it says is bundle_parse.c's. Folders are root's alone: who may not read them learns that
 * once.
 */
#include <capauditd/bundle.h>

#include "read_fully.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where a bundle stands below a task folder. */
enum layout {
	LAYOUT_ID = 1u << 0,	    /* ID/config.json */
	LAYOUT_USERDATA = 1u << 1,  /* ID/userdata/config.json */
	LAYOUT_NAMESPACE = 1u << 2, /* NAMESPACE/ID/config.json */
};

static const struct {
	const char *path;
	unsigned layouts;
} defaults[] = {
	/* containerd, alone and in Kubernetes distributions; Docker's has the namespace moby. */
	{ "/run/containerd/io.containerd.runtime.v2.task", LAYOUT_NAMESPACE },
	{ "/run/k3s/containerd/io.containerd.runtime.v2.task", LAYOUT_NAMESPACE },
	{ "/run/k0s/containerd/io.containerd.runtime.v2.task", LAYOUT_NAMESPACE },
	{ "/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task",
		LAYOUT_NAMESPACE },
	{ "/run/docker/containerd/daemon/io.containerd.runtime.v2.task", LAYOUT_NAMESPACE },
	/* CRI-O and Podman. */
	{ "/run/containers/storage/overlay-containers", LAYOUT_USERDATA },
	{ "/var/lib/containers/storage/overlay-containers", LAYOUT_USERDATA },
};

#define ALL_LAYOUTS    (LAYOUT_ID | LAYOUT_USERDATA | LAYOUT_NAMESPACE)
#define NAMESPACES_MAX 256u /* of one task folder that are looked through */
#define FOLDERS_MAX    256u

struct folder {
	char *path;
	unsigned layouts;
	bool refused;
	int error; /* why it cannot be opened, since bundles_begin() */
};

struct bundles {
	struct folder *folders;
	size_t count;
	bool asked_for; /* somebody named them */
};

static int add_folder(
	struct bundles *bundles, const char *host_root, const char *path, unsigned layouts)
{
	struct folder *folder = &bundles->folders[bundles->count];

	if (asprintf(&folder->path, "%s%s", host_root, path) < 0) {
		folder->path = NULL;
		return -ENOMEM;
	}
	folder->layouts = layouts;
	bundles->count++;
	return 0;
}

struct bundles *bundles_new(const char *host_root, const char *const *folders)
{
	_cleanup_(bundles_freep) struct bundles *bundles = calloc(1, sizeof(*bundles));
	size_t count = 0;

	if (!bundles)
		return NULL;
	while (folders && folders[count] && count < FOLDERS_MAX)
		count++;
	bundles->asked_for = folders != NULL;
	if (!folders)
		count = ARRAY_SIZE(defaults);
	bundles->folders = calloc(count + 1, sizeof(*bundles->folders));
	if (!bundles->folders)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (add_folder(bundles, host_root, folders ? folders[i] : defaults[i].path,
			    folders ? (unsigned)ALL_LAYOUTS : defaults[i].layouts) < 0)
			return NULL;
	return TAKE_PTR(bundles);
}

void bundles_free(struct bundles *bundles)
{
	if (!bundles)
		return;
	for (size_t i = 0; i < bundles->count; i++)
		free(bundles->folders[i].path);
	free(bundles->folders);
	free(bundles);
}

const char *bundles_refused(const struct bundles *bundles)
{
	for (size_t i = 0; i < bundles->count; i++)
		if (bundles->folders[i].refused)
			return bundles->folders[i].path;
	return NULL;
}

int bundles_up(const struct bundles *bundles)
{
	if (!bundles->count)
		return -ENOENT;
	if (!bundles_refused(bundles))
		return 1;
	return bundles->asked_for ? 0 : -ENOENT;
}

void bundles_begin(struct bundles *bundles)
{
	for (size_t i = 0; i < bundles->count; i++)
		bundles->folders[i].error = 0;
}

static int open_folder(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Environments are in there: what was read is wiped before it is given back. */
static void wipe(char *text, size_t size)
{
	if (text)
		explicit_bzero(text, size);
	free(text);
}

static int read_config(int bundle, const struct container *container, struct bundle *ret)
{
	/* O_NONBLOCK: a FIFO must not make us wait. */
	_cleanup_close_ int fd = openat(
		bundle, "config.json", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	size_t length = 0;
	char *text;
	int r;

	if (fd < 0)
		return errno == ELOOP ? -EBADMSG : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > (off_t)BUNDLE_TEXT_MAX)
		return -EBADMSG;
	text = malloc((size_t)st.st_size);
	if (!text)
		return -ENOMEM;
	r = read_fully(fd, text, (size_t)st.st_size, &length);
	if (r == 0)
		r = bundle_parse(
			text, length, container->runtime, container->id, container->in_pod, ret);
	wipe(text, (size_t)st.st_size);
	return r;
}

/* In the folder of its id, or in `userdata` below that. */
static int look_in(
	int parent, unsigned layouts, const struct container *container, struct bundle *ret)
{
	_cleanup_close_ int fd = open_folder(parent, container->id);
	int r = -ENOENT;

	if (fd < 0)
		return fd;
	if (layouts & (LAYOUT_ID | LAYOUT_NAMESPACE))
		r = read_config(fd, container, ret);
	if (r == -ENOENT && layouts & LAYOUT_USERDATA) {
		_cleanup_close_ int userdata = open_folder(fd, "userdata");

		r = userdata < 0 ? userdata : read_config(userdata, container, ret);
	}
	return r;
}

static bool is_missing(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -ENAMETOOLONG;
}

/* The folders of a runtime's namespaces are few: they are looked through for the id. */
static int look_in_namespaces(int parent, const struct container *container, struct bundle *ret)
{
	int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	unsigned count = 0;
	int r = -ENOENT;

	if (!dir) {
		r = -errno;
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	while (is_missing(r) && count < NAMESPACES_MAX && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		_cleanup_close_ int namespace_fd = open_folder(dirfd(dir), entry->d_name);

		count++;
		r = namespace_fd < 0 ? namespace_fd
				     : look_in(namespace_fd, LAYOUT_NAMESPACE, container, ret);
	}
	(void)closedir(dir);
	return r;
}

static int look_up(struct folder *folder, const struct container *container, struct bundle *ret)
{
	_cleanup_close_ int fd = -1;
	int r = -ENOENT;

	if (folder->error)
		return folder->error;
	fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return folder->error = -errno;
	if (folder->layouts & (LAYOUT_ID | LAYOUT_USERDATA))
		r = look_in(fd, folder->layouts & ~(unsigned)LAYOUT_NAMESPACE, container, ret);
	if (is_missing(r) && folder->layouts & LAYOUT_NAMESPACE)
		r = look_in_namespaces(fd, container, ret);
	return r;
}

int bundles_look_up(struct bundles *bundles, const struct container *container, struct bundle *ret)
{
	bool refused = false;

	/* An id comes from a cgroup's name, which may be anything that a file may be called. */
	if (!container->id[0] || container->id[0] == '.' || strchr(container->id, '/'))
		return -ENOENT;
	for (size_t i = 0; i < bundles->count; i++) {
		struct folder *folder = &bundles->folders[i];
		int r = look_up(folder, container, ret);

		if (r == -EACCES || r == -EPERM) {
			folder->refused = true;
			refused = true;
		} else if (!is_missing(r)) {
			folder->refused = false;
			return r;
		}
	}
	return refused ? -EACCES : -ENOENT;
}
