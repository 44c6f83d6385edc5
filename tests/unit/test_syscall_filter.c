/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's filter of system calls, put on by children that then try what it is for. The
 * arguments of what must be refused are such that root, unfiltered, gets another answer and does no
 * harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/command/syscall_filter.h"

#include "../support/fail_allocation.h"

#include <arpa/inet.h>
#include <capauditd/macros.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>

static char folder[64];

/* What a function returns in a child that has put the filter on, or has not; a signal that ends the
 * child is 1000 and its number. */
static int answer(int (*f)(void), bool filtered)
{
	int ends[2], result = INT32_MIN, status;
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int r = filtered ? syscall_filter_install() : 0;

		r = r == 0 ? f() : -ENODATA;
		_exit(write(ends[1], &r, sizeof(r)) == sizeof(r) ? 0 : 1);
	}
	(void)close(ends[1]);
	if (read(ends[0], &result, sizeof(result)) != sizeof(result))
		result = INT32_MIN;
	(void)close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : result;
}

static int error_of(long r)
{
	return r < 0 ? -errno : 0;
}

#define CALL(name, ...)                                \
	static int name(void)                          \
	{                                              \
		return error_of(syscall(__VA_ARGS__)); \
	}

static union bpf_attr none;
static struct __user_cap_header_struct cap_header = { .version = 1, .pid = 0 };
static const struct rlimit limit = { 1000, 1000 };
static const struct sockaddr_in loopback = { .sin_family = AF_INET };
static const char *const no_words[] = { NULL };

CALL(run_a_program, SYS_execve, "/nonexistent", no_words, no_words)
CALL(run_a_file, SYS_execveat, -1, "", no_words, no_words, AT_EMPTY_PATH)
CALL(trace, SYS_ptrace, 0x4206 /* PTRACE_SEIZE */, INT32_MAX, 0, 0)
CALL(read_a_process, SYS_process_vm_readv, INT32_MAX, NULL, 0L, NULL, 0L, 0L)
CALL(write_a_process, SYS_process_vm_writev, INT32_MAX, NULL, 0L, NULL, 0L, 0L)
CALL(take_a_descriptor, SYS_pidfd_getfd, -1, 0, 0)
CALL(signal_the_parent, SYS_kill, getppid(), 0)
CALL(signal_a_foreign_thread, SYS_tgkill, getppid(), getppid(), 0)
CALL(mount_something, SYS_mount, "none", "/nonexistent", "tmpfs", 0L, NULL)
CALL(unmount_something, SYS_umount2, "/nonexistent", 0)
CALL(open_a_file_system, SYS_fsopen, "nonexistent", 0)
CALL(move_a_mount, SYS_move_mount, -1, "", -1, "", 0)
CALL(change_the_root, SYS_chroot, "/nonexistent")
CALL(leave_the_user_namespace, SYS_unshare, CLONE_NEWUSER)
CALL(leave_the_mount_namespace, SYS_unshare, CLONE_NEWNS)
CALL(enter_a_namespace, SYS_setns, -1, 0)
CALL(load_a_module, SYS_init_module, NULL, 0L, "")
CALL(load_a_module_file, SYS_finit_module, -1, "", 0)
CALL(load_a_kernel, SYS_kexec_load, 0L, 0L, NULL, 0xffffL)
CALL(open_a_handle, SYS_open_by_handle_at, -1, NULL, 0)
CALL(watch_events, SYS_perf_event_open, NULL, 0, 0, -1, 0L)
CALL(make_a_ring, SYS_io_uring_setup, 0, NULL)
CALL(use_a_key, SYS_keyctl, 9999, 0L, 0L, 0L, 0L)
CALL(load_a_bpf_program, SYS_bpf, BPF_PROG_LOAD, &none, sizeof(none))
CALL(make_a_bpf_map, SYS_bpf, BPF_MAP_CREATE, &none, sizeof(none))
CALL(load_bpf_types, SYS_bpf, BPF_BTF_LOAD, &none, sizeof(none))
CALL(attach_a_bpf_program, SYS_bpf, BPF_LINK_CREATE, &none, sizeof(none))
CALL(pin_a_bpf_object, SYS_bpf, BPF_OBJ_PIN, &none, sizeof(none))
CALL(hear_of_the_network, SYS_socket, AF_NETLINK, SOCK_RAW, 0)
CALL(listen_to_packets, SYS_socket, AF_PACKET, SOCK_RAW, 0)
CALL(talk_to_hypervisors, SYS_socket, AF_VSOCK, SOCK_STREAM, 0)
CALL(use_kernel_ciphers, SYS_socket, AF_ALG, SOCK_SEQPACKET, 0)
CALL(become_root, SYS_setuid, 0)
CALL(take_capabilities, SYS_capset, &cap_header, NULL)
CALL(make_a_device, SYS_mknod, "/nonexistent/x", S_IFREG | 0600, 0)
CALL(make_a_link, SYS_symlink, "x", "/nonexistent/x")
CALL(change_a_mode, SYS_fchmodat, -1, "x", 0755)
CALL(change_an_owner, SYS_fchownat, -1, "x", 0, 0, 0)
CALL(write_and_run, SYS_mmap, NULL, 4096L, PROT_READ | PROT_WRITE | PROT_EXEC,
	MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L)
CALL(make_runnable, SYS_mprotect, NULL, 0L, PROT_READ | PROT_EXEC)
CALL(open_a_port, SYS_bind, -1, &loopback, sizeof(loopback))
CALL(listen_on_a_port, SYS_listen, -1, 1)
CALL(type_into_a_terminal, SYS_ioctl, -1, TIOCSTI, "x")
CALL(raise_a_limit, SYS_prlimit64, 0, RLIMIT_NPROC, &limit, NULL)
CALL(set_no_dumps, SYS_prctl, PR_SET_DUMPABLE, 1L, 0L, 0L, 0L)
CALL(raise_an_ambient_capability, SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 9999L, 0L, 0L)
CALL(read_the_kernel_log, SYS_syslog, 9999, NULL, 0)
CALL(do_something_new, SYS_clone3, NULL, 0L)

/* Its kind of clone(2): fork(3) calls it. */
static int fork_a_process(void)
{
	pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0L);

	if (child == 0)
		_exit(0);
	return error_of(child);
}

static int fork_into_a_namespace(void)
{
	pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_NEWUSER, NULL, NULL, NULL, 0L);

	if (child == 0)
		_exit(0);
	return error_of(child);
}

static int make_a_file_for_its_owner_to_run(void)
{
	return error_of(open("/nonexistent/x", O_CREAT | O_WRONLY | O_CLOEXEC, 04755));
}

static const struct {
	const char *name;
	int (*f)(void);
	int error;
} refused[] = {
#define ROW(name, error)           \
	{                          \
#name, name, error \
	}
	ROW(run_a_program, -EPERM),
	ROW(run_a_file, -EPERM),
	ROW(fork_a_process, -EPERM),
	ROW(fork_into_a_namespace, -EPERM),
	ROW(trace, -EPERM),
	ROW(read_a_process, -EPERM),
	ROW(write_a_process, -EPERM),
	ROW(take_a_descriptor, -EPERM),
	ROW(signal_the_parent, -EPERM),
	ROW(signal_a_foreign_thread, -ENOSYS),
	ROW(mount_something, -EPERM),
	ROW(unmount_something, -EPERM),
	ROW(open_a_file_system, -EPERM),
	ROW(move_a_mount, -EPERM),
	ROW(change_the_root, -EPERM),
	ROW(leave_the_user_namespace, -EPERM),
	ROW(leave_the_mount_namespace, -EPERM),
	ROW(enter_a_namespace, -EPERM),
	ROW(load_a_module, -EPERM),
	ROW(load_a_module_file, -EPERM),
	ROW(load_a_kernel, -EPERM),
	ROW(open_a_handle, -EPERM),
	ROW(watch_events, -EPERM),
	ROW(make_a_ring, -EPERM),
	ROW(use_a_key, -EPERM),
	ROW(load_a_bpf_program, -EPERM),
	ROW(make_a_bpf_map, -EPERM),
	ROW(load_bpf_types, -EPERM),
	ROW(attach_a_bpf_program, -EPERM),
	ROW(pin_a_bpf_object, -EPERM),
	ROW(hear_of_the_network, -EPERM),
	ROW(listen_to_packets, -EPERM),
	ROW(talk_to_hypervisors, -EPERM),
	ROW(use_kernel_ciphers, -EPERM),
	ROW(become_root, -EPERM),
	ROW(take_capabilities, -EPERM),
	ROW(make_a_device, -EPERM),
	ROW(make_a_link, -EPERM),
	ROW(change_a_mode, -EPERM),
	ROW(change_an_owner, -EPERM),
	ROW(make_a_file_for_its_owner_to_run, -ENOSYS),
	ROW(write_and_run, -EPERM),
	ROW(make_runnable, -EPERM),
	ROW(open_a_port, -EPERM),
	ROW(listen_on_a_port, -EPERM),
	ROW(type_into_a_terminal, -EPERM),
	ROW(raise_a_limit, -ENOSYS),
	ROW(set_no_dumps, -ENOSYS),
	ROW(raise_an_ambient_capability, -ENOSYS),
	ROW(read_the_kernel_log, -EPERM),
	ROW(do_something_new, -ENOSYS),
};

static void need_filter(void)
{
#ifdef UNCONFINED
	assert_int_equal(syscall_filter_install(), -ELIBACC);
	print_message("skipped: this build has no filter\n");
	skip();
#endif
	if (getenv("UNDER_VALGRIND")) {
		print_message("skipped: valgrind knows no seccomp(2)\n");
		skip();
	}
}

/* Whoever runs the daemon's memory as he likes has no more than the daemon needs. */
static void what_is_dangerous_is_refused(void **state)
{
	(void)state;
	need_filter();
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		int r = answer(refused[i].f, true);

		if (r != refused[i].error)
			print_error("%s: %d\n", refused[i].name, r);
		assert_int_equal(r, refused[i].error);
		/* Root would have got another answer: it is the filter's. */
		if (geteuid() == 0 && answer(refused[i].f, false) == r)
			print_message(
				"not shown, the kernel says so anyway: %s\n", refused[i].name);
	}
}

/* -- what the daemon does -- */

static void *nothing(void *data)
{
	return data;
}

static int start_a_thread(void)
{
	pthread_t thread;
	int r = -pthread_create(&thread, NULL, nothing, NULL);

	return r == 0 ? -pthread_join(thread, NULL) : r;
}

static void *resolve(void *data)
{
	struct addrinfo *found = NULL;
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	int *ret = data;

	*ret = getaddrinfo("localhost", "443", &hints, &found);
	if (*ret == 0)
		freeaddrinfo(found);
	return NULL;
}

/* As libcurl does it, with whatever modules name services have here. */
static int resolve_a_name_in_a_thread(void)
{
	int result = -EIO, r;
	pthread_t thread;

	r = -pthread_create(&thread, NULL, resolve, &result);
	if (r == 0)
		r = -pthread_join(thread, NULL);
	return r == 0 ? result : r;
}

static int open_a_library(void)
{
	return dlopen("libresolv.so.2", RTLD_NOW) ? 0 : -ELIBACC;
}

static int read_about_others(void)
{
	char text[4096], path[64];
	_cleanup_close_ int process = -1, fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d", getppid());
	process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = process < 0 ? -1 : openat(process, "status", O_RDONLY | O_CLOEXEC);
	return fd < 0 || read(fd, text, sizeof(text)) <= 0 ? -errno : 0;
}

static int replace_a_file(void)
{
	_cleanup_close_ int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;

	if (at < 0 || flock(at, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	fd = openat(at, "new", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || pwrite(fd, "x", 1, 0) != 1 || ftruncate(fd, 0) < 0 || fdatasync(fd) < 0 ||
		renameat(at, "new", at, "old") < 0 || fsync(at) < 0 || unlinkat(at, "old", 0) < 0)
		return -errno;
	return 0;
}

static int send_a_sealed_file(void)
{
	_cleanup_close_ int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	return 0;
}

static int talk(void)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6 };
	int ends[2];

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		_cleanup_close_ int fd = socket(families[i], SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0 && (i < 2 || errno != EAFNOSUPPORT))
			return -errno;
	}
	return error_of(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
}

static int wait_for_things(void)
{
	_cleanup_close_ int poll = epoll_create1(EPOLL_CLOEXEC);
	_cleanup_close_ int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	_cleanup_close_ int watch = inotify_init1(IN_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };
	const struct itimerspec soon = { .it_value.tv_nsec = 1 };

	if (poll < 0 || timer < 0 || inotify_add_watch(watch, folder, IN_CREATE) < 0 ||
		timerfd_settime(timer, 0, &soon, NULL) < 0 ||
		epoll_ctl(poll, EPOLL_CTL_ADD, timer, &event) < 0 ||
		epoll_wait(poll, &event, 1, -1) != 1)
		return -errno;
	return 0;
}

static int give_memory_back(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || madvise(page, 4096, MADV_DONTNEED) < 0 ||
		mprotect(page, 4096, PROT_READ) < 0)
		return -errno;
	return munmap(page, 4096) < 0 ? -errno : 0;
}

static int abort_on_a_bug(void)
{
	(void)prctl(PR_SET_NAME, "aborts");
	abort();
}

CALL(ask_for_sets, SYS_capget, &cap_header, NULL)
CALL(ask_for_a_limit, SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, NULL)
CALL(iterate, SYS_bpf, BPF_ITER_CREATE, &none, sizeof(none))
CALL(run_a_loaded_program, SYS_bpf, BPF_PROG_TEST_RUN, &none, sizeof(none))
CALL(ask_about_a_bpf_object, SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &none, sizeof(none))
CALL(look_into_a_map, SYS_bpf, BPF_MAP_LOOKUP_ELEM, &none, sizeof(none))
CALL(write_into_a_map, SYS_bpf, BPF_MAP_UPDATE_ELEM, &none, sizeof(none))
CALL(delete_from_a_map, SYS_bpf, BPF_MAP_DELETE_ELEM, &none, sizeof(none))

static void what_the_daemon_does_gets_the_same_answer_as_before(void **state)
{
	static const struct {
		const char *name;
		int (*f)(void);
		int result; /* 1: whatever the kernel says */
	} rows[] = {
		ROW(start_a_thread, 0),
		ROW(resolve_a_name_in_a_thread, 0),
		ROW(open_a_library, 0),
		ROW(read_about_others, 0),
		ROW(replace_a_file, 0),
		ROW(send_a_sealed_file, 0),
		ROW(talk, 0),
		ROW(wait_for_things, 0),
		ROW(give_memory_back, 0),
		ROW(abort_on_a_bug, 1000 + SIGABRT),
		ROW(ask_for_sets, 0),
		ROW(ask_for_a_limit, 0),
		ROW(iterate, 1),
		ROW(run_a_loaded_program, 1),
		ROW(ask_about_a_bpf_object, 1),
		ROW(look_into_a_map, 1),
		ROW(write_into_a_map, 1),
		ROW(delete_from_a_map, 1),
	};

	(void)state;
	need_filter();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int before = answer(rows[i].f, false), after = answer(rows[i].f, true);

		if (before != after || (rows[i].result != 1 && after != rows[i].result))
			print_error("%s: %d, %d before\n", rows[i].name, after, before);
		assert_int_equal(after, before);
		if (rows[i].result != 1)
			assert_int_equal(after, rows[i].result);
	}
}

/* -- how it is put on -- */

static int in_status(const char *path, const char *wanted)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (strcmp(line, wanted) == 0)
			return 0;
	return -ENOENT;
}

static int gate[2];
static char thread_status[64];

static void *wait_at_the_gate(void *data)
{
	char byte = 0;

	(void)snprintf(thread_status, sizeof(thread_status), "/proc/self/task/%d/status",
		(int)syscall(SYS_gettid));
	(void)!write(gate[1], &byte, 1);
	for (;;)
		(void)pause();
	return data;
}

static int confine_with_a_thread(void)
{
	pthread_t thread;
	char byte;
	int r;

	if (pipe2(gate, O_CLOEXEC) < 0 ||
		pthread_create(&thread, NULL, wait_at_the_gate, NULL) != 0 ||
		read(gate[0], &byte, 1) != 1)
		return -errno;
	r = syscall_filter_install();
	if (r == 0)
		r = in_status(thread_status, "Seccomp:\t2\n");
	return r == 0 ? in_status(thread_status, "NoNewPrivs:\t1\n") : r;
}

static void threads_that_are_there_are_confined_as_well(void **state)
{
	(void)state;
	need_filter();
	assert_int_equal(answer(confine_with_a_thread, false), 0);
}

#if defined(__x86_64__)
/* getpid(2) is 20 there; 20 here is writev(2), which is allowed. */
static int call_as_i386(void)
{
	int r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
	return r < 0 ? r : 0;
}
CALL(call_as_x32, 0x40000000L | SYS_getpid)

static void numbers_of_another_architecture_are_refused(void **state)
{
	(void)state;
	need_filter();
	assert_int_equal(answer(call_as_x32, true), -ENOSYS);
	if (answer(call_as_i386, false) != 0) {
		print_message("skipped: this kernel runs no i386 programs\n");
		skip();
	}
	assert_int_equal(answer(call_as_i386, true), -ENOSYS);
}
#endif

/* Out of memory it is not put on, or as a whole. */
static int confine_out_of_memory(void)
{
	for (unsigned long n = 1;; n += 97) { /* there are thousands */
		bool fired;
		int r;

		fail_allocation_at(n);
		r = syscall_filter_install();
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		if (r == 0)
			return error_of(syscall(SYS_ptrace, 0x4206, INT32_MAX, 0, 0));
		if (!fired || r != -ENOMEM)
			return r;
	}
}

static void out_of_memory_is_an_error(void **state)
{
	(void)state;
	need_filter();
	assert_int_equal(answer(confine_out_of_memory, false), -EPERM);
}

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/capauditd-filter-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_dangerous_is_refused),
		cmocka_unit_test(what_the_daemon_does_gets_the_same_answer_as_before),
		cmocka_unit_test(threads_that_are_there_are_confined_as_well),
#if defined(__x86_64__)
		cmocka_unit_test(numbers_of_another_architecture_are_refused),
#endif
		cmocka_unit_test(out_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
