/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Notices containers that come and go, by inotify on the cgroup tree: no privilege is needed.
 *
 * A folder whose path names a container is a leaf: what the container makes below it is its own and
 * is not watched.
 */
#ifndef CAPAUDITD_CGROUP_WATCH_H
#define CAPAUDITD_CGROUP_WATCH_H

#include <capauditd/cgroup.h>
#include <capauditd/macros.h>

struct cgroup_watch;

/* What the events so far mean. */
enum cgroup_news {
	CGROUP_NEWS_NONE,
	CGROUP_NEWS_GONE, /* a container's cgroup was removed */
	CGROUP_NEWS_MADE, /* one was made, or events were lost */
};

/* Watches HOST_ROOT/sys/fs/cgroup. -ENOENT where no hierarchy is readable there. */
int cgroup_watch_new(
	const char *host_root, const struct cgroup_base *base, struct cgroup_watch **ret);
void cgroup_watch_free(struct cgroup_watch *watch);
DEFINE_CLEANUP(struct cgroup_watch, cgroup_watch_free)

/* To poll for reading. */
int cgroup_watch_fd(const struct cgroup_watch *watch);

/* Reads what has come; never waits. */
enum cgroup_news cgroup_watch_read(struct cgroup_watch *watch);

/* Folders that could not be watched (the kernel's or our limit). */
size_t cgroup_watch_missed(const struct cgroup_watch *watch);

#endif
