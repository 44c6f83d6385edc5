/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capability sets of a thread, through libcap-ng, with the checks that the library does not make.
 *
 * libcap-ng 0.8.3 works by number: capget(2) and then /proc/TID/status for the bounding and ambient
 * sets. Where that file cannot be opened it answers with the caller's own bounding and ambient sets
 * and success. So afterwards the process must still be there (a pid is not given away while its
 * process exists), and an answer that could be our own is read again from the file: a living task
 * may refuse, and descriptors may run out.
 */
#include <capauditd/discover.h>

#include "proc_file.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
	enum capability_set set;
	capng_type_t type;
} library_sets[] = {
	{ CAPABILITY_EFFECTIVE, CAPNG_EFFECTIVE },
	{ CAPABILITY_PERMITTED, CAPNG_PERMITTED },
	{ CAPABILITY_INHERITABLE, CAPNG_INHERITABLE },
	{ CAPABILITY_AMBIENT, CAPNG_AMBIENT },
	{ CAPABILITY_BOUNDING, CAPNG_BOUNDING_SET },
};

static void copy_sets(struct capability_sets *ret)
{
	bool no_ambient = capng_have_capabilities(CAPNG_SELECT_AMBIENT) == CAPNG_NONE;

	for (size_t i = 0; i < ARRAY_SIZE(library_sets); i++) {
		capability_mask mask = 0;

		ret->of[library_sets[i].set] = 0;
		if (no_ambient && library_sets[i].set == CAPABILITY_AMBIENT)
			continue; /* as nearly always: one question for all */
		for (unsigned n = 0; n < CAPABILITY_MAX; n++)
			if (capng_have_capability(library_sets[i].type, n) == 1)
				mask |= CAPABILITY_BIT(n);
		ret->of[library_sets[i].set] = mask;
	}
}

/* The library's error state sticks to the thread; a saved good one gets it out again. */
static int get_sets(pid_t tid)
{
	void *good = capng_save_state();
	int r;

	if (!good)
		return -ENOMEM;
	capng_setpid(tid);
	r = capng_get_caps_process();
	if (r != 0) {
		capng_restore_state(&good);
		return -ESRCH; /* the only error that capget(2) has for another's pid */
	}
	free(good);
	return 0;
}

/* What the library took for the target's bounding and ambient sets may be our own: read them from
 * the file, through the descriptor of the right process. */
static int read_for_sure(int proc, const char *name, struct capability_sets *sets)
{
	static const struct {
		enum capability_set set;
		const char *label;
	} lines[] = {
		{ CAPABILITY_BOUNDING, "CapBnd:" },
		{ CAPABILITY_AMBIENT, "CapAmb:" },
	};
	int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	_cleanup_fclose_ FILE *status = fd < 0 ? NULL : fdopen(fd, "r");
	_cleanup_free_ char *line = NULL;
	size_t space = 0;
	bool seen = false;

	if (!status) {
		int r = proc_errno(errno);

		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	while (getline(&line, &space, status) > 0) {
		for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
			size_t length = strlen(lines[i].label);

			if (strncmp(line, lines[i].label, length) != 0)
				continue;
			sets->of[lines[i].set] = strtoull(line + length, NULL, 16);
			seen |= lines[i].set == CAPABILITY_BOUNDING;
		}
	}
	if (seen)
		return 0;
	return ferror(status) ? -ESRCH : -EBADMSG;
}

int read_capability_sets(
	int proc, pid_t pid, pid_t tid, capability_mask own_bounding, struct capability_sets *ret)
{
	char name[sizeof("task//status") + 3 * sizeof(tid)];
	struct capability_sets sets;
	struct stat st;
	int r;

	if (tid == pid)
		(void)memcpy(name, "status", sizeof("status"));
	else
		(void)snprintf(name, sizeof(name), "task/%d/status", (int)tid);
	r = get_sets(tid);
	if (r == 0) {
		copy_sets(&sets);
		if (sets.of[CAPABILITY_BOUNDING] == own_bounding || sets.of[CAPABILITY_AMBIENT])
			r = read_for_sure(proc, name, &sets);
	}
	if (fstatat(proc, name, &st, 0) < 0)
		return proc_errno(errno);
	if (r < 0)
		return r;
	*ret = sets;
	return 0;
}
