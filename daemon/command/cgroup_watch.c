/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inotify on the folders of the cgroup tree above the containers. Knows paths and nothing of what
 * runs in them.
 */
#include "cgroup_watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/statfs.h>

#define HASH_NONFATAL_OOM      1
#define uthash_nonfatal_oom(e) ((e)->lost = true)
#include <uthash.h>

#define FOLDERS_MAX 16384u /* watched; fs.inotify.max_user_watches may be less */
#define DEPTH_MAX   32u
#define EVENTS	    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR)

struct folder {
	UT_hash_handle hh;
	int descriptor; /* of the watch */
	bool lost;
	char *path;  /* in the file system */
	size_t root; /* its first bytes are the hierarchy's root: the cgroup path follows */
};

struct cgroup_watch {
	int fd;
	struct folder *folders;
	const struct cgroup_base *base;
	char *host_root;
	size_t missed;
};

static bool is_container(const struct cgroup_watch *watch, const char *path, size_t root)
{
	struct cgroup_identity identity;

	cgroup_parse_path(path + root, strlen(path + root), watch->base, &identity);
	return identity.kind == CGROUP_CONTAINER;
}

static int remember(struct cgroup_watch *watch, int descriptor, const char *path, size_t root)
{
	struct folder *folder;

	/* Adding a watch twice gives the same descriptor. */
	HASH_FIND_INT(watch->folders, &descriptor, folder);
	if (folder)
		return 0;
	folder = calloc(1, sizeof(*folder));
	if (!folder)
		return -ENOMEM;
	folder->descriptor = descriptor;
	folder->root = root;
	folder->path = strdup(path);
	if (folder->path)
		HASH_ADD_INT(watch->folders, descriptor, folder);
	if (!folder->path || folder->lost) {
		free(folder->path);
		free(folder);
		return -ENOMEM;
	}
	return 0;
}

/* Watches a folder and those below it, down to the containers. Sets *made where one is found. */
static void watch_below(
	struct cgroup_watch *watch, const char *path, size_t root, unsigned depth, bool *made)
{
	const struct dirent *entry;
	int descriptor;
	DIR *dir;

	if (HASH_COUNT(watch->folders) >= FOLDERS_MAX || depth > DEPTH_MAX) {
		watch->missed++;
		return;
	}
	descriptor = inotify_add_watch(watch->fd, path, EVENTS);
	if (descriptor < 0 || remember(watch, descriptor, path, root) < 0) {
		watch->missed += descriptor < 0 ? errno != ENOENT : 1;
		return;
	}
	/* Watched first, listed afterwards: what is made in between is seen twice and not missed.
	 */
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		_cleanup_free_ char *below = NULL;

		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0)
			continue;
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0) {
			below = NULL;
			watch->missed++;
		} else if (is_container(watch, below, root)) {
			*made = true;
		} else {
			watch_below(watch, below, root, depth + 1, made);
		}
	}
	(void)closedir(dir);
}

static bool watch_hierarchy(struct cgroup_watch *watch, const char *mount, long magic)
{
	struct statfs fs;
	bool made = false;

	if (statfs(mount, &fs) < 0 || fs.f_type != magic)
		return false;
	watch_below(watch, mount, strlen(mount), 0, &made);
	return true;
}

/* With v1 every controller has a tree of its own; runtimes make a container's folder in all of
 * them, so one is enough, and the v2 tree beside them. */
static bool watch_roots(struct cgroup_watch *watch, const char *host_root)
{
	static const char *const controllers[] = { "pids", "memory", "cpu", "cpu,cpuacct",
		"systemd" };
	_cleanup_free_ char *top = NULL, *unified = NULL;
	bool any;

	if (asprintf(&top, "%s/sys/fs/cgroup", host_root) < 0) {
		top = NULL;
		return false;
	}
	if (watch_hierarchy(watch, top, CGROUP2_SUPER_MAGIC))
		return true;
	if (asprintf(&unified, "%s/unified", top) < 0) {
		unified = NULL;
		return false;
	}
	any = watch_hierarchy(watch, unified, CGROUP2_SUPER_MAGIC);
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s", top, controllers[i]) < 0) {
			path = NULL;
			return any;
		}
		if (watch_hierarchy(watch, path, CGROUP_SUPER_MAGIC))
			return true;
	}
	return any;
}

int cgroup_watch_new(
	const char *host_root, const struct cgroup_base *base, struct cgroup_watch **ret)
{
	_cleanup_(cgroup_watch_freep) struct cgroup_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	watch->fd = -1;
	watch->base = base;
	watch->host_root = strdup(host_root);
	if (!watch->host_root)
		return -ENOMEM;
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0)
		return -errno;
	if (!watch_roots(watch, host_root))
		return -ENOENT;
	*ret = TAKE_PTR(watch);
	return 0;
}

void cgroup_watch_free(struct cgroup_watch *watch)
{
	struct folder *folder, *next;

	if (!watch)
		return;
	HASH_ITER (hh, watch->folders, folder, next) {
		HASH_DEL(watch->folders, folder);
		free(folder->path);
		free(folder);
	}
	if (watch->fd >= 0)
		(void)close(watch->fd);
	free(watch->host_root);
	free(watch);
}

int cgroup_watch_fd(const struct cgroup_watch *watch)
{
	return watch->fd;
}

size_t cgroup_watch_missed(const struct cgroup_watch *watch)
{
	return watch->missed;
}

static void forget(struct cgroup_watch *watch, struct folder *folder)
{
	HASH_DEL(watch->folders, folder);
	free(folder->path);
	free(folder);
}

static enum cgroup_news take_event(struct cgroup_watch *watch, const struct inotify_event *event)
{
	_cleanup_free_ char *path = NULL;
	struct folder *folder;
	bool made = false, came;

	if (event->mask & IN_Q_OVERFLOW) { /* lost: look at everything */
		(void)watch_roots(watch, watch->host_root);
		return CGROUP_NEWS_MADE;
	}
	HASH_FIND_INT(watch->folders, &event->wd, folder);
	if (!folder)
		return CGROUP_NEWS_NONE;
	if (event->mask & IN_IGNORED) {
		forget(watch, folder);
		return CGROUP_NEWS_NONE;
	}
	if (!(event->mask & IN_ISDIR) || !event->len)
		return CGROUP_NEWS_NONE;
	if (asprintf(&path, "%s/%s", folder->path, event->name) < 0) {
		path = NULL;
		return CGROUP_NEWS_MADE;
	}
	came = (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0;
	if (is_container(watch, path, folder->root))
		return came ? CGROUP_NEWS_MADE : CGROUP_NEWS_GONE;
	if (came)
		watch_below(watch, path, folder->root, 0, &made);
	return made ? CGROUP_NEWS_MADE : CGROUP_NEWS_NONE;
}

enum cgroup_news cgroup_watch_read(struct cgroup_watch *watch)
{
	char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	enum cgroup_news news = CGROUP_NEWS_NONE;

	for (;;) {
		ssize_t n = read(watch->fd, buffer, sizeof(buffer));

		if (n <= 0)
			return news; /* EAGAIN: that was all */
		for (const char *p = buffer; p < buffer + n;) {
			const struct inotify_event *event = (const struct inotify_event *)p;
			enum cgroup_news one = take_event(watch, event);

			if (one > news)
				news = one;
			p += sizeof(*event) + event->len;
		}
	}
}
