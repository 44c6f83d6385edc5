/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which processes there are: all at once by libproc2, and those that have begun since. A pass over
 * many takes long enough for somebody to be gone when it is his turn, and his child not listed.
 */
#include "procfs_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <libproc2/pids.h>
#include <malloc.h>
#include <stdlib.h>

/* Order of the items that libproc2 is asked for: all from /proc/PID/stat. */
enum item { ITEM_PID, ITEM_PPID, ITEM_START, ITEM_STATE, ITEM_FLAGS, ITEM_THREADS, ITEMS };

static enum pids_item wanted_items[ITEMS] = {
	[ITEM_PID] = PIDS_ID_PID,
	[ITEM_PPID] = PIDS_ID_PPID,
	[ITEM_START] = PIDS_TICS_BEGAN,
	[ITEM_STATE] = PIDS_STATE,
	[ITEM_FLAGS] = PIDS_FLAGS,
	[ITEM_THREADS] = PIDS_NLWP,
};

static struct listed listed_of(const struct pids_result *item)
{
	int threads = item[ITEM_THREADS].result.s_int;

	return (struct listed){
		.pid = item[ITEM_PID].result.s_int,
		.ppid = item[ITEM_PPID].result.s_int,
		.start_ticks = item[ITEM_START].result.ull_int,
		.flags = (unsigned)item[ITEM_FLAGS].result.ul_int,
		.threads = threads > 0 ? (unsigned)threads : 1,
		.state = (char)item[ITEM_STATE].result.s_ch,
	};
}

static int append(struct process_list *list, const struct pids_fetch *fetched)
{
	size_t more = (size_t)fetched->counts->total;
	struct listed *grown = realloc(list->of, (list->count + more + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	list->of = grown;
	for (size_t i = 0; i < more; i++)
		list->of[list->count++] = listed_of(fetched->stacks[i]->head);
	return 0;
}

void process_list_done(struct process_list *list)
{
	free(list->of);
	*list = (struct process_list){ 0 };
}

/* All at once: one by one the library would read /proc/uptime for each. What it holds (some 200
 * bytes a process) goes back before the snapshot grows. */
int process_list_fill(struct process_list *list)
{
	struct pids_info *pids = NULL;
	struct pids_fetch *fetched;
	int r = procps_pids_new(&pids, wanted_items, ITEMS);

	if (r < 0)
		return r;
	fetched = procps_pids_reap(pids, PIDS_FETCH_TASKS_ONLY);
	if (fetched)
		r = append(list, fetched);
	else
		r = errno ? -errno : -EIO;
	(void)procps_pids_unref(&pids);
	(void)malloc_trim(0);
	return r;
}

static int compare_pids(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static bool is_listed(const struct process_list *list, size_t ordered, pid_t pid)
{
	const struct listed key = { .pid = pid };

	return bsearch(&key, list->of, ordered, sizeof(key), compare_pids) != NULL;
}

#define MORE_MAX 4096u
#define AT_ONCE	 255u /* that libproc2 can be asked about (FILL_ID_MAX) */

/* The pids in /proc that are not among the first `ordered` of the list. How many, or -errno. */
static int find_new(const struct process_list *list, size_t ordered, unsigned pids[static MORE_MAX])
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int count = 0;

	if (!proc)
		return -errno;
	while (count < (int)MORE_MAX && (entry = readdir(proc))) {
		long pid = isdigit((unsigned char)entry->d_name[0])
				   ? strtol(entry->d_name, NULL, 10)
				   : 0;

		if (pid > 0 && !is_listed(list, ordered, (pid_t)pid))
			pids[count++] = (unsigned)pid;
	}
	(void)closedir(proc);
	return count;
}

static int append_pids(struct process_list *list, unsigned *pids, size_t count)
{
	struct pids_info *info = NULL;
	int r = procps_pids_new(&info, wanted_items, ITEMS);

	for (size_t i = 0; r >= 0 && i < count; i += AT_ONCE) {
		size_t some = count - i < AT_ONCE ? count - i : AT_ONCE;
		struct pids_fetch *fetched =
			procps_pids_select(info, pids + i, (int)some, PIDS_SELECT_PID);

		if (fetched)
			r = append(list, fetched);
		else
			r = errno ? -errno : -EIO;
	}
	if (info)
		(void)procps_pids_unref(&info);
	return r;
}

int process_list_add_new(struct process_list *list)
{
	_cleanup_free_ unsigned *pids = calloc(MORE_MAX, sizeof(*pids));
	size_t before = list->count;
	int r;

	if (!pids)
		return -ENOMEM;
	/* The kernel lists them in that order; it is not taken on trust, and pids wrap. */
	qsort(list->of, list->count, sizeof(*list->of), compare_pids);
	r = find_new(list, before, pids);
	if (r > 0)
		r = append_pids(list, pids, (size_t)r);
	return r < 0 ? r : (int)(list->count - before);
}
