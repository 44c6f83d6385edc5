/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one file that outlives the daemon: a log of records that is appended to, and from time to
 * time replaced by a shorter one that says the same, written beside it and renamed. What the
 * records say is not known here.
 *
 * It is opened while there are privileges, through a folder that nobody else can write to, and used
 * without any.
 */
#ifndef CAPAUDITD_STATE_FILE_H
#define CAPAUDITD_STATE_FILE_H

#include <capauditd/bytes.h>
#include <capauditd/macros.h>

/* A second one of that size may stand beside it for a moment. */
#define STATE_FILE_SIZE_MAX (32u << 20)

struct state_file;

/* Opens the file in `folder`, which must be there, and locks the folder for as long as it is open.
 * *ret_content is what the file holds. 0; -EBUSY: another process has it; -ELOOP: a symbolic link
 * stands where others may put one; -EPERM: the folder or the file is not ours, or others can write
 * to it; -EFBIG; -EROFS, -EACCES and others. */
int state_file_open(const char *folder, struct state_file **ret, struct bytes *ret_content);
void state_file_close(struct state_file *file);
DEFINE_CLEANUP(struct state_file, state_file_close)

/* Appends, whole or not at all. 0; -EFBIG beyond the bound; -ENOSPC and others: then what follows
 * cannot be appended either (-EIO) until it has been replaced. */
int state_file_append(struct state_file *file, const struct bytes *records);
uint64_t state_file_size(const struct state_file *file);
/* Sees to it that what was appended survives the loss of power. 0 or -errno. */
int state_file_sync(struct state_file *file);

/* The new one: begin, add in any number of steps, commit. What fails leaves the old one, and what
 * was begun is abandoned. */
int state_file_begin(struct state_file *file);
int state_file_add(struct state_file *file, const struct bytes *records);
int state_file_commit(struct state_file *file);

#endif
