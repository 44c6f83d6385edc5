/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opens a folder in which files can be written without being led elsewhere.
 */
#ifndef CAPAUDITD_SAFE_FOLDER_H
#define CAPAUDITD_SAFE_FOLDER_H

#include <stdbool.h>

/* `path` is absolute. Symbolic links are followed only where they stand in a folder in which nobody
 * but root and we can put one (systemd has such: DynamicUser= with StateDirectory=). The folder is
 * to be ours or root's, and nobody else may write to it. A descriptor; -ELOOP for a link that might
 * be somebody's, or too many; -EPERM; another -errno. */
int safe_folder_open(const char *path);

/* The folder that `path`, of a file, lies in, whoever may write to it; links on the way are
 * followed as above. `path` may be relative. *ret_name is its last part. A descriptor for looking
 * things up, or -errno. */
int safe_folder_of(const char *path, const char **ret_name);

/* Nobody but root and we can put something there, or take it away. */
bool safe_folder_is_ours(int folder);

#endif
