/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel says of the daemon: it is asked, and not the daemon itself.
 */
#include "soak.h"

#include <dirent.h>
#include <unistd.h>

static void path_of(char path[64], pid_t pid, const char *file)
{
	(void)snprintf(path, 64, "/proc/%d/%s", (int)pid, file);
}

static uint64_t count_entries(pid_t pid, const char *folder)
{
	char path[64];
	const struct dirent *entry;
	uint64_t count = 0;

	path_of(path, pid, folder);
	DIR *directory = opendir(path);
	if (!directory)
		fail_msg("%s cannot be read: the daemon is gone", path);
	while ((entry = readdir(directory)))
		count += entry->d_name[0] != '.';
	(void)closedir(directory);
	return count;
}

/* In kB (proc_pid_smaps(5)). */
static uint64_t field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

void soak_look_at(pid_t pid, struct soak_sample *sample)
{
	char path[64];

	path_of(path, pid, "smaps_rollup");
	char *rollup = sys_read_file(path);
	/* Nanoseconds on a processor (proc_pid_schedstat(5)). */
	path_of(path, pid, "schedstat");
	char *schedule = sys_read_file(path);

	sample->at_ms = sys_now_ms();
	sample->anonymous_kib = field(rollup, "\nAnonymous:");
	sample->resident_kib = field(rollup, "\nRss:");
	sample->cpu_ms = strtoull(schedule, NULL, 10) / 1000000u;
	sample->descriptors = count_entries(pid, "fd");
	sample->threads = count_entries(pid, "task");
	free(rollup);
	free(schedule);
	if (!sample->anonymous_kib)
		fail_msg("/proc/%d/smaps_rollup does not tell how much memory is anonymous",
			(int)pid);
}
