/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In a cgroup namespace of its own the program's cgroup is "/", for itself and for whoever shares
 * its container. Where the host's tree is mounted beside, it stands there under its real name: the
 * cgroup that lists the program.
 */
#include "sources.h"

#include <capauditd/command.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX   32u
#define FOLDERS_MAX 65536u /* looked at */
#define TEXT_MAX    (4u * 1024u * 1024u)

struct search {
	pid_t pid; /* as /proc and cgroup.procs show it: in the same PID namespace */
	unsigned looked_at;
	char *found; /* below the hierarchy's root */
};

/* kthreadd is in the root of every hierarchy: from a namespace of one's own that is above. */
static bool is_namespace_private(void)
{
	_cleanup_free_ char *text = NULL;
	size_t length;

	return read_whole_file("/proc/2/cgroup", TEXT_MAX, &text, &length) == 0 &&
	       strstr(text, ":/..") != NULL;
}

static bool lists(int folder, pid_t pid)
{
	int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	_cleanup_fclose_ FILE *from = fd < 0 ? NULL : fdopen(fd, "r");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (!from && fd >= 0)
		(void)close(fd);
	while (from && getline(&line, &size, from) > 0)
		if (strtol(line, NULL, 10) == (long)pid)
			return true;
	return false;
}

static int search_in(
	struct search *search, int parent, const char *name, const char *path, unsigned depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	if (lists(dirfd(dir), search->pid)) {
		search->found = strdup(path);
		r = search->found ? 0 : -ENOMEM;
	}
	while (r == 0 && !search->found && depth < DEPTH_MAX && (entry = readdir(dir))) {
		_cleanup_free_ char *below = NULL;

		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0 || ++search->looked_at > FOLDERS_MAX)
			continue;
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0) {
			below = NULL;
			r = -ENOMEM;
		} else {
			r = search_in(search, dirfd(dir), entry->d_name, below, depth + 1);
		}
	}
	(void)closedir(dir);
	return r;
}

static bool is_container(const char *path, const struct cgroup_base *base)
{
	struct cgroup_identity identity;

	cgroup_parse_path(path, strlen(path), base, &identity);
	return identity.kind == CGROUP_CONTAINER && !identity.ambiguous;
}

/* With v1 a process is in every hierarchy; in some of them it may be in the root. */
int find_own_cgroup(const char *host_root, const struct cgroup_base *base, char **ret)
{
	static const char *const hierarchies[] = { "", "/unified", "/pids", "/memory", "/systemd",
		"/cpu" };
	int r = 0;

	*ret = NULL;
	if (!host_root[0] || !is_namespace_private())
		return 0;
	for (size_t i = 0; r == 0 && !*ret && i < ARRAY_SIZE(hierarchies); i++) {
		struct search search = { .pid = getpid() };
		_cleanup_free_ char *top = NULL, *procs = NULL;

		if (asprintf(&top, "%s/sys/fs/cgroup%s", host_root, hierarchies[i]) < 0) {
			top = NULL;
			return -ENOMEM;
		}
		if (asprintf(&procs, "%s/cgroup.procs", top) < 0) {
			procs = NULL;
			return -ENOMEM;
		}
		if (access(procs, R_OK) != 0)
			continue; /* no hierarchy is mounted there */
		r = search_in(&search, AT_FDCWD, top, "", 0);
		if (search.found && is_container(search.found, base))
			*ret = TAKE_PTR(search.found);
		free(search.found);
	}
	return r;
}
