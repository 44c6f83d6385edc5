/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file that is written whole or not at all.
 */
#ifndef CAPAUDITD_OUTPUT_FILE_H
#define CAPAUDITD_OUTPUT_FILE_H

#include <stddef.h>

/* Writes `text` beside `path`, flushes it to the disk and renames it to `path`: whoever reads that
 * sees the old content or the new. What is no regular file (a device, a pipe) is written to as it
 * is. A symbolic link is followed where nobody but root and we could have put it there; elsewhere
 * (in /tmp) it is refused, with -ELOOP, as is what others put there to be written to, with -EPERM.
 * 0 or -errno, and then nothing is left behind. */
int output_file_write(const char *path, const char *text, size_t length);

#endif
