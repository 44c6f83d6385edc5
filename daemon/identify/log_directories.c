/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds names in the kubelet's log directories: each is read once for all containers that want a
 * name, and only when one does. Follows no link; opens no log.
 */
#include "log_directories.h"

#include <capauditd/identify.h>
#include <capauditd/macros.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int log_directories_init(struct log_directories *directories, const char *host_root)
{
	*directories = (struct log_directories){ 0 };
	if (asprintf(&directories->containers, "%s/var/log/containers", host_root) < 0)
		directories->containers = NULL;
	if (asprintf(&directories->pods, "%s/var/log/pods", host_root) < 0)
		directories->pods = NULL;
	return directories->containers && directories->pods ? 0 : -ENOMEM;
}

void log_directories_done(struct log_directories *directories)
{
	free(directories->containers);
	free(directories->pods);
	*directories = (struct log_directories){ 0 };
}

static int compare_ids(const void *a, const void *b)
{
	const struct log_wanted *x = a, *y = b;

	return strcmp(x->container->id, y->container->id);
}

/* A name that was cut holds a part of the id: the first wanted one that begins so, if it is the
 * only one. */
static struct log_wanted *find_wanted(struct log_wanted *wanted, size_t count, const char *id)
{
	struct container key_container = { .id = (char *)id };
	struct log_wanted key = { .container = &key_container }, *found = NULL;
	size_t length = strlen(id);

	if (length == CONTAINER_LOG_ID_SIZE - 1)
		return bsearch(&key, wanted, count, sizeof(*wanted), compare_ids);
	for (size_t i = 0; length >= 8 && i < count; i++) {
		if (strncmp(wanted[i].container->id, id, length) != 0)
			continue;
		if (found)
			return NULL;
		found = &wanted[i];
	}
	return found;
}

static void replace(char **old, char **new)
{
	free(*old);
	*old = TAKE_PTR(*new);
}

static void name_container(struct container *container, struct container_log *log)
{
	/* A link that names another pod than the cgroup does is not about this container. */
	if (log->pod_uid[0] && container->pod.uid[0] &&
		strcmp(log->pod_uid, container->pod.uid) != 0)
		return;
	replace(&container->name, &log->container);
	replace(&container->pod.namespace_name, &log->namespace_name);
	replace(&container->pod.name, &log->pod);
	container->in_pod = true;
	if (container->type == CONTAINER_SANDBOX)
		container->type = CONTAINER_UNKNOWN;
}

/* Most names say that they are not; a link costs ten times as much. */
static bool may_be_wanted(struct log_wanted *wanted, size_t count, const char *name)
{
	char id[CONTAINER_LOG_ID_SIZE];

	return !container_log_find_id(name, id) || find_wanted(wanted, count, id);
}

static int read_container_links(
	struct log_directories *directories, struct log_wanted *wanted, size_t count)
{
	DIR *dir = opendir(directories->containers);
	const struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		char target[PATH_MAX];
		struct container_log log;
		struct log_wanted *found;
		ssize_t n;
		int r;

		if (entry->d_name[0] == '.' || !may_be_wanted(wanted, count, entry->d_name))
			continue;
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target));
		if (n < 0 || (size_t)n >= sizeof(target))
			continue;
		target[n] = '\0';
		r = container_log_parse(entry->d_name, target, &log);
		if (r == -ENOMEM) {
			(void)closedir(dir);
			return r;
		}
		if (r < 0)
			continue;
		found = find_wanted(wanted, count, log.id);
		if (found)
			name_container(found->container, &log);
		container_log_done(&log);
	}
	(void)closedir(dir);
	return 0;
}

/* NAMESPACE_POD_UID: none of the three can hold an underscore. */
static int name_pod(struct container *container, const char *folder)
{
	_cleanup_free_ char *namespace_name = NULL, *pod = NULL;
	const char *first = strchr(folder, '_');
	const char *second = first ? strchr(first + 1, '_') : NULL;

	if (!second || first == folder || second == first + 1 ||
		strcmp(second + 1, container->pod.uid) != 0)
		return 0;
	namespace_name = strndup(folder, (size_t)(first - folder));
	pod = strndup(first + 1, (size_t)(second - first - 1));
	if (!namespace_name || !pod)
		return -ENOMEM;
	replace(&container->pod.namespace_name, &namespace_name);
	replace(&container->pod.name, &pod);
	return 0;
}

static int read_pod_folders(
	struct log_directories *directories, struct log_wanted *wanted, size_t count)
{
	DIR *dir = opendir(directories->pods);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		const char *uid = strrchr(entry->d_name, '_');

		for (size_t i = 0; uid && r == 0 && i < count; i++)
			if (!wanted[i].container->name &&
				strcmp(uid + 1, wanted[i].container->pod.uid) == 0)
				r = name_pod(wanted[i].container, entry->d_name);
	}
	(void)closedir(dir);
	return r;
}

static bool same_pod(const struct container *a, const struct container *b)
{
	return a->pod.uid[0] && strcmp(a->pod.uid, b->pod.uid) == 0;
}

/* The sandbox is the container of a pod that starts first, and the kubelet links no log of it. */
static void find_sandbox(struct log_wanted *one, const struct log_wanted *all, size_t count)
{
	bool named_sibling = false;

	if (one->container->name || !one->container->pod.name)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct container *other = all[i].container;

		if (other == one->container || !same_pod(other, one->container))
			continue;
		if (all[i].started < one->started)
			return;
		named_sibling |= other->name != NULL;
	}
	if (named_sibling)
		one->container->type = CONTAINER_SANDBOX;
}

int log_directories_look_up(struct log_directories *directories, struct log_wanted *wanted,
	size_t wanted_count, const struct log_wanted *all, size_t all_count)
{
	int r;

	qsort(wanted, wanted_count, sizeof(*wanted), compare_ids);
	r = read_container_links(directories, wanted, wanted_count);
	if (r == -ENOMEM)
		return r;
	directories->error = r;
	directories->asked = true;
	r = read_pod_folders(directories, wanted, wanted_count);
	if (r == -ENOMEM)
		return r;
	/* Without the links nothing can be said of what has none. */
	for (size_t i = 0; directories->error == 0 && i < wanted_count; i++)
		find_sandbox(&wanted[i], all, all_count);
	return 0;
}
