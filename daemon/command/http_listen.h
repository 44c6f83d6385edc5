/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listening sockets of the daemon: a TCP address, or a path that root alone can connect to. Both
 * are made while privileges are held.
 */
#ifndef CAPAUDITD_HTTP_LISTEN_H
#define CAPAUDITD_HTTP_LISTEN_H

#include <capauditd/macros.h>

#include <stdint.h>

/* "127.0.0.1:9477" or "[::1]:9477" (capauditd/address.h). A descriptor that does not block, or
 * -errno. */
int http_listen_tcp(const char *text);

/* A socket in the file system, which is removed when it is closed. */
struct http_path {
	int fd;	       /* listens; -1: closed, or somebody else's by now */
	int directory; /* that it lies in */
	char *name;    /* in there */
	uint64_t device, inode;
};

/* Makes it with mode 0600. No symbolic link is followed on the way; the folder must be ours or
 * root's, and nobody else's to write to (unless it is sticky); it is made where its parent is
 * there. Where a socket of ours lies that nobody listens on it is replaced. 0, or -errno:
 * -EADDRINUSE where somebody listens, -EEXIST where something else lies there, -ELOOP or -ENOTDIR
 * for symbolic links, -EPERM for others' folders. */
int http_listen_path(const char *text, struct http_path *ret);
void http_path_done(struct http_path *path); /* of zeroes with both descriptors -1 too */

#endif
