/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading into memory of a fixed size: what holds secrets must not be copied about by growing it.
 */
#ifndef CAPAUDITD_READ_FULLY_H
#define CAPAUDITD_READ_FULLY_H

#include <stddef.h>

/* Reads until the end or until `size` bytes are there. *ret_length says how many, also after an
 * error, for the caller to wipe. 0 or -errno. */
int read_fully(int fd, char *text, size_t size, size_t *ret_length);

#endif
