/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What /proc/PID/status and /proc/PID/stat say of a task, parsed from their text.
 *
 * Source of every field: proc(5), the kernel's fs/proc/array.c. Lines may come in any order and
 * unknown ones are passed over; a line that is there but malformed is an error.
 */
#ifndef CAPAUDITD_STATUS_H
#define CAPAUDITD_STATUS_H

#include <capauditd/capability.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum seccomp_mode {
	SECCOMP_DISABLED_MODE = 0, /* the numbers are the kernel's */
	SECCOMP_STRICT_MODE = 1,
	SECCOMP_FILTER_MODE = 2,
};

#define STATUS_NSPID_MAX 33 /* MAX_PID_NS_LEVEL and the initial one */

struct status {
	char name[65]; /* Name: as the kernel escaped it */
	char state;    /* State: R S D T Z X ... */
	pid_t tgid, pid, ppid;
	uid_t uid; /* effective */
	gid_t gid; /* effective */
	unsigned threads;
	struct capability_sets sets;
	bool no_new_privs;
	enum seccomp_mode seccomp;
	bool kernel_thread;	       /* Kthread: (since 6.8); false where the line is missing */
	pid_t nspid[STATUS_NSPID_MAX]; /* from the reader's PID namespace inwards */
	unsigned nspid_count;
	bool has_sets; /* CapInh..CapBnd were all there (CapAmb may be missing) */
};

/* 0, or -EBADMSG where a line is malformed or Pid: is missing. */
int status_parse(const char *text, size_t length, struct status *ret);

/* Start time in clock ticks since boot (field 22) and the task's flags (field 9), from the text of
 * /proc/PID/stat. The name in it may hold anything, parentheses and newlines too. 0 or -EBADMSG. */
struct stat_facts {
	char state;
	pid_t ppid;
	unsigned flags;
	uint64_t start_ticks;
};
int stat_parse(const char *text, size_t length, struct stat_facts *ret);

/* include/linux/sched.h */
#define TASK_FLAG_FORKED_NO_EXEC 0x00000040u
#define TASK_FLAG_KERNEL_THREAD	 0x00200000u

const char *seccomp_mode_name(enum seccomp_mode mode); /* "disabled", "strict", "filter" */

#endif
