/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long it takes from execve() to the entry in the journal. Usage: latency SAMPLES TOKEN ERRORS
 * PROGRAM [ARGUMENT...]
 *
 * The command, a daemon that reports to the journal, gets a /run of its own, where this listens in
 * journald's stead and in its protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL). The kernel stamps each
 * entry as it arrives, which is what journald notes as _SOURCE_REALTIME_TIMESTAMP; the program's
 * own time is taken right before its execve(). Its standard error goes to the file ERRORS.
 *
 * Each sample opens a finding of its own, by a program that ends at once: of five, four are another
 * capability in a container that is known (kubectl exec --privileged, an exploit), and one is the
 * first program of a container that has just come. Prints how many entries did not come, then
 * median and 99th percentile of each kind, in microseconds.
 */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHORT_LIVED  "short-lived"
#define MEMBER	     "member" /* lives in a known container */
#define KNOWN	     30u
#define NEW_EVERY    5u
#define SAMPLES_MAX  600u
#define ENTRY_MAX    (256u * 1024u)
#define SETTLE_US    4000000u
#define PATIENCE_MS  3000
#define PAUSE_MAX_US 20000u /* between samples, at random */

struct latency {
	const char *token;
	struct container known[KNOWN], fresh[SAMPLES_MAX / NEW_EVERY + 1];
	unsigned fresh_count, missing;
	uint64_t *begun_ns; /* shared with the program that begins */
	int journal;
	uint64_t times[2][SAMPLES_MAX]; /* 0: in known containers, 1: in new ones */
	unsigned count[2];
};

static void open_journal(struct latency *latency)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX,
		.sun_path = "/run/systemd/journal/socket" };
	int on = 1, size = 8 * 1024 * 1024;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("tmpfs", "/run", "tmpfs", 0, "mode=755") != 0 ||
		mkdir("/run/systemd", 0755) != 0 || mkdir("/run/systemd/journal", 0755) != 0)
		die("a /run of its own: %s", strerror(errno));
	latency->journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (latency->journal < 0 ||
		setsockopt(latency->journal, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) !=
			0 ||
		setsockopt(latency->journal, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0 ||
		bind(latency->journal, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("%s: %s", address.sun_path, strerror(errno));
}

static pid_t start_daemon(const char *errors, char **argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open(errors, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
			die("%s: %s", errors, strerror(errno));
		(void)execv(argv[0], argv);
		die("%s: %s", argv[0], strerror(errno));
	}
	if (pid < 0)
		die("fork: %s", strerror(errno));
	return pid;
}

/* One that was too long for a datagram is in a file whose descriptor comes instead. */
static size_t read_file(const struct msghdr *message, char *entry)
{
	const struct cmsghdr *control = CMSG_FIRSTHDR(message);
	ssize_t n = 0;
	int fd;

	for (; control; control = CMSG_NXTHDR((struct msghdr *)message, (struct cmsghdr *)control))
		if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS) {
			(void)memcpy(&fd, CMSG_DATA(control), sizeof(fd));
			n = pread(fd, entry, ENTRY_MAX - 1, 0);
			(void)close(fd);
		}
	return n > 0 ? (size_t)n : 0;
}

static uint64_t arrival_of(const struct msghdr *message)
{
	const struct cmsghdr *control = CMSG_FIRSTHDR(message);
	struct timespec time;

	for (; control; control = CMSG_NXTHDR((struct msghdr *)message, (struct cmsghdr *)control))
		if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS) {
			(void)memcpy(&time, CMSG_DATA(control), sizeof(time));
			return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
		}
	die("an entry has no time");
}

/* When the next entry arrived, whose text is in `entry` then; 0: none came in time. */
static uint64_t take_entry(int journal, char *entry, int patience_ms)
{
	struct pollfd ready = { .fd = journal, .events = POLLIN };
	struct iovec data = { entry, ENTRY_MAX - 1 };
	union {
		struct cmsghdr header;
		char bytes[256];
	} control;
	struct msghdr message = { .msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };

	if (poll(&ready, 1, patience_ms) <= 0)
		return 0;
	ssize_t n = recvmsg(journal, &message, MSG_CMSG_CLOEXEC);
	if (n < 0)
		die("recvmsg: %s", strerror(errno));
	size_t length = n ? (size_t)n : read_file(&message, entry);
	entry[length] = '\0';
	return arrival_of(&message);
}

/* Time from its beginning to the entry that opens a finding of it; 0: there was none. */
static uint64_t wait_for_entry(const struct latency *latency, pid_t pid)
{
	static char entry[ENTRY_MAX];
	uint64_t until = now_ns(CLOCK_MONOTONIC) + PATIENCE_MS * 1000000ull, now, arrived;
	char of_process[64];

	(void)snprintf(of_process, sizeof(of_process), "\"process\":{\"pid\":%d,", pid);
	while ((now = now_ns(CLOCK_MONOTONIC)) < until) {
		arrived = take_entry(latency->journal, entry, (int)((until - now) / 1000000u));
		if (arrived && strstr(entry, "CAPAUDIT_STATE=opened") && strstr(entry, of_process))
			return arrived > *latency->begun_ns ? arrived - *latency->begun_ns : 1;
	}
	return 0;
}

static pid_t start_in(const struct latency *latency, const struct container *container,
	uint64_t set, const char *role)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	container_enter(container);
	hold(set, set, set);
	*latency->begun_ns = now_ns(CLOCK_REALTIME);
	become(role);
}

/* The N-th that is not in the default set, from 0 on and round again. */
static uint64_t beyond_default(unsigned n)
{
	unsigned beyond[64], count = 0;

	for (unsigned i = 0; i < 64; i++)
		if (!(CONTAINER_DEFAULT_SET >> i & 1) &&
			prctl(PR_CAPBSET_READ, (unsigned long)i, 0, 0, 0) == 1)
			beyond[count++] = i;
	if (count == 0 || n / KNOWN >= count)
		die("there are not so many capabilities");
	return UINT64_C(1) << beyond[n / KNOWN];
}

static void take_sample(struct latency *latency, unsigned i)
{
	bool fresh = i % NEW_EVERY == NEW_EVERY - 1;
	unsigned n = latency->count[0] + latency->missing;
	struct container *container = &latency->known[n % KNOWN];
	uint64_t time, set = CONTAINER_DEFAULT_SET;

	if (fresh) {
		container = &latency->fresh[latency->fresh_count++];
		container_make(container, latency->token, KNOWN + i);
		set |= beyond_default(0);
	} else {
		set |= beyond_default(n);
	}
	pid_t pid = start_in(latency, container, set, SHORT_LIVED);
	if (waitpid(pid, NULL, 0) != pid)
		die("a program did not run");
	time = wait_for_entry(latency, pid);
	if (time)
		latency->times[fresh][latency->count[fresh]++] = time;
	else
		latency->missing++;
	(void)usleep((useconds_t)random() % PAUSE_MAX_US);
}

static double quantile_us(const uint64_t *times, unsigned count, unsigned percent)
{
	const uint64_t at = count ? (uint64_t)(count - 1) * percent / 100 : 0;

	return count ? (double)times[at] / 1e3 : 0;
}

static void print_results(struct latency *latency)
{
	(void)printf("%u", latency->missing);
	for (unsigned kind = 0; kind < 2; kind++) {
		uint64_t *times = latency->times[kind];
		unsigned count = latency->count[kind];

		qsort(times, count, sizeof(*times), compare_numbers);
		(void)printf(
			" %.0f %.0f", quantile_us(times, count, 50), quantile_us(times, count, 99));
	}
	(void)printf("\n");
}

int main(int argc, char **argv)
{
	static struct latency latency;

	if (argc == 2 && strcmp(argv[1], SHORT_LIVED) == 0)
		return 0;
	while (argc == 2 && strcmp(argv[1], MEMBER) == 0)
		(void)pause();
	if (argc < 5) {
		(void)fprintf(
			stderr, "usage: latency SAMPLES TOKEN ERRORS PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	unsigned samples = number_of(argv[1]);
	if (samples > SAMPLES_MAX)
		die("%u samples are too many", samples);
	latency.token = argv[2];
	latency.begun_ns = mmap(NULL, sizeof(*latency.begun_ns), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (latency.begun_ns == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	open_journal(&latency);
	for (unsigned i = 0; i < KNOWN; i++) {
		container_make(&latency.known[i], latency.token, i);
		(void)start_in(&latency, &latency.known[i], CONTAINER_DEFAULT_SET, MEMBER);
	}
	pid_t daemon = start_daemon(argv[3], argv + 4);
	(void)usleep(SETTLE_US);
	for (unsigned i = 0; i < samples; i++)
		take_sample(&latency, i);
	print_results(&latency);
	(void)kill(daemon, SIGTERM);
	(void)waitpid(daemon, NULL, 0);
	for (unsigned i = 0; i < latency.fresh_count; i++)
		container_remove(&latency.fresh[i]);
	for (unsigned i = 0; i < KNOWN; i++)
		container_remove(&latency.known[i]);
	return 0;
}
