/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kubelet's log directories as a source of names: /var/log/containers, whose links carry
 * namespace, pod, container and id; /var/log/pods, whose folders carry namespace, pod and pod UID.
 */
#ifndef CAPAUDITD_LOG_DIRECTORIES_H
#define CAPAUDITD_LOG_DIRECTORIES_H

#include <capauditd/container.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_directories {
	char *containers, *pods; /* paths */
	int error; /* of the last look-up: 0 or -errno; -ENOENT where there are none */
	bool complained, asked;
};

/* One container that wants a name. */
struct log_wanted {
	struct container *container;
	uint64_t started; /* its earliest process's start, in ticks */
};

int log_directories_init(struct log_directories *directories, const char *host_root);
void log_directories_done(struct log_directories *directories);

/* Names those of `wanted` (ordered by container id) that have a link; of the rest those whose pod
 * has a folder get its namespace and name. `all` are all containers of the node in the same form:
 * the one of a pod that started first and has no link though another has is the sandbox. 0 or
 * -ENOMEM. */
int log_directories_look_up(struct log_directories *directories, struct log_wanted *wanted,
	size_t wanted_count, const struct log_wanted *all, size_t all_count);

#endif
