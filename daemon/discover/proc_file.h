/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading the files of one process through a descriptor of its folder.
 *
 * A descriptor of /proc/PID belongs to that process and no other: once the process is gone, every
 * look-up through it fails, though the pid may have a new owner by then.
 */
#ifndef CAPAUDITD_PROC_FILE_H
#define CAPAUDITD_PROC_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* An O_PATH descriptor of /proc/PID, or -errno: -ESRCH where there is no such process. */
int proc_open(pid_t pid);

/* Reads a whole file below it, at most `size` bytes. The number of bytes; -ESRCH where the process
 * is gone; -EFBIG where the file is longer; -errno. */
ssize_t proc_read(int proc, const char *name, char *buffer, size_t size);

/* The same for status, stat and cgroup, which the kernel makes as one record and hands out at once
 * (seq_file's single_open()): a read that does not fill the buffer was all, and no second one is
 * needed to see the end. */
ssize_t proc_read_record(int proc, const char *name, char *buffer, size_t size);

/* Where a link of it points, terminated. The length; -ESRCH; -ENAMETOOLONG; -errno. */
ssize_t proc_link(int proc, const char *name, char *buffer, size_t size);

/* 0 while the process is there; -ESRCH afterwards; -errno where its folder may not be entered. */
int proc_alive(int proc);

/* Turns ENOENT, which a dead process's files give, into -ESRCH; others into -errno. */
int proc_errno(int error);

#endif
