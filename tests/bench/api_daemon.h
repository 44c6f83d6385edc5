/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `capauditd run` as the API benchmark sees it: the findings that it prints, the notifications that
 * systemd would get, what it has cost so far. Whatever does not come in time ends the program, and
 * the daemons with it.
 */
#ifndef CAPAUDITD_BENCH_API_DAEMON_H
#define CAPAUDITD_BENCH_API_DAEMON_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What is waited for on standard output: findings of a namespace that come into a state. */
struct api_awaited {
	const char *namespace_name, *state;
	size_t count;		    /* so far */
	uint64_t first_ns, last_ns; /* when they were read; CLOCK_MONOTONIC */
};

#define API_SOCKET_BYTES 108 /* unix(7) */

struct api_daemon {
	pid_t pid;		  /* 0: none */
	struct api_daemon *other; /* whose words are taken as well; may be NULL */
	int out, notify;
	char socket[API_SOCKET_BYTES]; /* of the notifications */
	char *pending;		       /* what was read and is not a whole line yet */
	size_t pending_length;
	struct api_awaited *awaited; /* NULL: lines are thrown away */
	unsigned passes;    /* statuses that were notified: what looks or judges ends with one */
	unsigned long open; /* violations, as the last of them says */
};

__attribute__((format(printf, 1, 2), noreturn)) void api_die(const char *format, ...);
uint64_t api_now_ns(void);
void api_sleep_ms(unsigned ms);

/* argv[0] is the program. `work` is a folder for its socket, `name` tells several apart. */
void api_daemon_start(
	struct api_daemon *daemon, const char *work, const char *name, const char *const *argv);
void api_daemon_stop(struct api_daemon *daemon);

/* Takes what it says until then. */
void api_daemon_listen(struct api_daemon *daemon, unsigned ms);
/* Until so many violations are open. */
void api_daemon_wait_open(struct api_daemon *daemon, unsigned long violations);
/* Until it has used no processor for a while. */
void api_daemon_wait_rest(struct api_daemon *daemon);
/* Until so many findings have come. */
void api_daemon_wait_findings(struct api_daemon *daemon, struct api_awaited *awaited, size_t count);
/* One pass, by SIGUSR1. */
void api_daemon_pass(struct api_daemon *daemon);

/* User and system time of all its threads so far. */
uint64_t api_daemon_cpu_ns(const struct api_daemon *daemon);
/* "VmRSS" and the like, in KiB. */
unsigned long api_daemon_memory(const struct api_daemon *daemon, const char *field);

#endif
