/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opens a folder in which files can be written without being led elsewhere.
 */
#ifndef CAPAUDITD_SAFE_FOLDER_H
#define CAPAUDITD_SAFE_FOLDER_H

/* `path` is absolute. Symbolic links are followed only where they stand in a folder in which nobody
 * but root and we can put one (systemd has such: DynamicUser= with StateDirectory=). The folder is
 * to be ours or root's, and nobody else may write to it. A descriptor; -ELOOP for a link that might
 * be somebody's, or too many; -EPERM; another -errno. */
int safe_folder_open(const char *path);

#endif
