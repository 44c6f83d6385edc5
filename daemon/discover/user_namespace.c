/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which user namespace a process is in, as far as an unprivileged reader can tell.
 */
#include "procfs_internal.h"
#include "proc_file.h"

#include <sys/stat.h>

#define UID_MAP_KEY (UINT64_C(1) << 63) /* so that a hash never equals an inode number */

uint64_t procfs_hash(const char *text, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return hash;
}

enum user_namespace procfs_user_namespace(const struct procfs *procfs, int proc, uint64_t *ret_key)
{
	char map[4096]; /* at most 340 lines; a longer one differs from ours all the same */
	struct stat st;
	ssize_t n;

	if (fstatat(proc, "ns/user", &st, 0) == 0) {
		*ret_key = st.st_ino;
		return st.st_ino == procfs->own_user_namespace ? USER_NAMESPACE_INITIAL
							       : USER_NAMESPACE_OTHER;
	}
	n = proc_read(proc, "uid_map", map, sizeof(map));
	if (n < 0) {
		*ret_key = 0;
		return USER_NAMESPACE_UNKNOWN;
	}
	*ret_key = procfs_hash(map, (size_t)n) | UID_MAP_KEY;
	return *ret_key == procfs->own_uid_map ? USER_NAMESPACE_INITIAL : USER_NAMESPACE_OTHER;
}
