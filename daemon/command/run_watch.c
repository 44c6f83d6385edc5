/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the engine does not tell of cgroups, inotify does: a container's cgroup that comes or goes
 * sets a pass off.
 */
#include "run.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>

static int on_cgroups(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct run *run = data;
	enum cgroup_news news = cgroup_watch_read(run->watch);

	(void)source;
	(void)fd;
	(void)events;
	if (news == CGROUP_NEWS_NONE)
		return 0;
	if (news == CGROUP_NEWS_MADE)
		run->starting_rounds = 0;
	run_schedule(run, RUN_NOTICE_DELAY_US);
	return 0;
}

int run_watch_cgroups(struct run *run)
{
	const char *host_root = find_host_root(run->options->host_root, run->policy);
	int r = cgroup_watch_new(host_root, &run->base, &run->watch);

	if (r == -ENOENT && host_root[0]) /* only the logs are mounted there */
		r = cgroup_watch_new("", &run->base, &run->watch);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		run_say(run, JOURNAL_SOURCE, LOG_NOTICE,
			"The cgroup tree cannot be watched (%s): new containers are seen at the "
			"interval only.",
			strerror(-r));
		return 0;
	}
	if (cgroup_watch_missed(run->watch))
		run_say(run, JOURNAL_SOURCE, LOG_WARNING,
			"%zu cgroups cannot be watched (fs.inotify.max_user_watches?): new "
			"containers below them are seen at the interval only.",
			cgroup_watch_missed(run->watch));
	r = sd_event_add_io(run->event, &run->watch_source, cgroup_watch_fd(run->watch), EPOLLIN,
		on_cgroups, run);
	return r < 0 ? r : 0;
}
