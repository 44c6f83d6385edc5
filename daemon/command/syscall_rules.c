/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon asks of the kernel between its start and its end: reads /proc and cgroups, keeps
 * one file, talks to journald, to a server and to those who ask it, all through descriptors, and
 * lets libcurl resolve names in a thread. It starts no program, loads nothing into the kernel,
 * signals nobody, changes no mount, mode, owner or identity, and opens no port.
 */
#include "syscall_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Those of 32-bit machines have names of their own. */
const char *const syscalls_allowed[] = {
	/* Files that are there: /proc, cgroups, policy, names, libraries that are opened late. */
	"access", "faccessat", "faccessat2", "close", "close_range", "read", "readv", "pread64",
	"preadv", "preadv2", "lseek", "_llseek", "getdents", "getdents64", "readlink", "readlinkat",
	"stat", "stat64", "fstat", "fstat64", "lstat", "lstat64", "newfstatat", "fstatat64",
	"statx", "statfs", "statfs64", "fstatfs", "fstatfs64", "getcwd", "fcntl", "fcntl64", "dup",
	"dup2", "dup3", "fadvise64", "fadvise64_64", "arm_fadvise64_64", "readahead",
	/* The state, and what is written to. */
	"write", "writev", "pwrite64", "pwritev", "pwritev2", "fsync", "fdatasync", "ftruncate",
	"ftruncate64", "fallocate", "flock", "rename", "renameat", "renameat2", "unlink",
	"unlinkat", "memfd_create",
	/* Waiting. */
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
	"poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64",
	"eventfd", "eventfd2", "pipe", "pipe2", "signalfd", "signalfd4", "timerfd_create",
	"timerfd_settime", "timerfd_settime64", "timerfd_gettime", "timerfd_gettime64",
	"inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "nanosleep",
	"clock_nanosleep", "clock_nanosleep_time64", "restart_syscall",
	/* Time and chance. */
	"clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday",
	"time", "times", "getrandom",
	/* Memory. */
	"brk", "munmap", "mremap", "madvise", "msync", "membarrier",
	/* Threads, and what they are told. */
	"futex", "futex_time64", "futex_waitv", "futex_wake", "futex_wait", "futex_requeue",
	"set_robust_list", "set_tid_address", "rseq", "sched_yield", "sched_getaffinity",
	"sched_getparam", "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min",
	"getcpu", "exit", "exit_group", "sigaltstack", "sigreturn", "rt_sigreturn", "rt_sigaction",
	"rt_sigpending", "rt_sigprocmask", "rt_sigsuspend", "rt_sigtimedwait",
	"rt_sigtimedwait_time64",
	/* Who and where we are, and the sets of others. */
	"capget", "getpid", "gettid", "getppid", "getpgrp", "getpgid", "getsid", "getuid",
	"getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32",
	"getresuid", "getresuid32", "getresgid", "getresgid32", "getgroups", "getgroups32",
	"getrlimit", "ugetrlimit", "getrusage", "getpriority", "uname", "sysinfo",
	/* Sockets that are open, or lead to somebody. */
	"accept", "accept4", "connect", "getsockname", "getpeername", "getsockopt", "setsockopt",
	"recv", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64", "send", "sendto", "sendmsg",
	"sendmmsg", "shutdown", NULL
};

/* Dangerous for what they are, whatever the arguments. Without these lines they would fail as well,
 * as calls that there are none of. */
const char *const syscalls_refused[] = {
	/* Other programs, other processes. */
	"execve", "execveat", "uselib", "fork", "vfork", "kill", "tkill", "rt_sigqueueinfo",
	"rt_tgsigqueueinfo", "pidfd_send_signal", "pidfd_getfd", "ptrace", "process_vm_readv",
	"process_vm_writev", "process_madvise", "process_mrelease", "kcmp",
	/* The kernel. */
	"init_module", "finit_module", "create_module", "delete_module", "kexec_load",
	"kexec_file_load", "reboot", "perf_event_open", "userfaultfd", "io_uring_setup",
	"io_uring_enter", "io_uring_register", "iopl", "ioperm", "modify_ldt", "syslog", "acct",
	"swapon", "swapoff", "lookup_dcookie", "nfsservctl", "_sysctl", "vhangup",
	/* Mounts and namespaces. */
	"mount", "umount", "umount2", "mount_setattr", "move_mount", "open_tree", "open_tree_attr",
	"fsopen", "fsconfig", "fsmount", "fspick", "pivot_root", "chroot", "setns", "unshare",
	"quotactl", "quotactl_fd", "fanotify_init", "fanotify_mark", "name_to_handle_at",
	"open_by_handle_at",
	/* Who we are. */
	"setuid", "setuid32", "setgid", "setgid32", "setreuid", "setreuid32", "setregid",
	"setregid32", "setresuid", "setresuid32", "setresgid", "setresgid32", "setfsuid",
	"setfsuid32", "setfsgid", "setfsgid32", "setgroups", "setgroups32", "capset", "personality",
	"add_key", "request_key", "keyctl",
	/* What files are. */
	"chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "chown32", "fchown", "fchown32",
	"lchown", "lchown32", "fchownat", "mknod", "mknodat", "link", "linkat", "symlink",
	"symlinkat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr",
	"lremovexattr", "fremovexattr", "removexattrat", "truncate", "truncate64", "mkdir",
	"mkdirat", "rmdir",
	/* Ports: they are open by now. */
	"bind", "listen",
	/* Clocks and names of the machine. */
	"settimeofday", "stime", "clock_settime", "clock_settime64", "clock_adjtime",
	"clock_adjtime64", "adjtimex", "sethostname", "setdomainname", NULL
};

#define EQ(argument, value)                     \
	{                                       \
		argument, SCMP_CMP_EQ, value, 0 \
	}
#define GE(argument, value)                     \
	{                                       \
		argument, SCMP_CMP_GE, value, 0 \
	}
/* Of the bits of `mask` just those of `value` are set. */
#define BITS(argument, mask, value)                       \
	{                                                 \
		argument, SCMP_CMP_MASKED_EQ, mask, value \
	}

#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif
#define THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
#define NAMESPACES                                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
		CLONE_NEWPID | CLONE_NEWNET)
/* O_TMPFILE's bit alone; its mode counts as well. */
#define CREATES (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))

const struct syscall_rule syscalls_by_argument[] = {
	/* Nothing that runs with its owner's rights is made. */
	{ "open", 0, 1, { BITS(1, CREATES, 0) } },
	{ "open", 0, 1, { BITS(2, S_ISUID | S_ISGID, 0) } },
	{ "openat", 0, 1, { BITS(2, CREATES, 0) } },
	{ "openat", 0, 1, { BITS(3, S_ISUID | S_ISGID, 0) } },
	/* No memory is written and run at once. */
	{ "mmap", 0, 1, { BITS(2, PROT_WRITE, 0) } },
	{ "mmap", 0, 1, { BITS(2, PROT_EXEC, 0) } },
	{ "mmap", EPERM, 1, { BITS(2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC) } },
	{ "mmap2", 0, 1, { BITS(2, PROT_WRITE, 0) } },
	{ "mmap2", 0, 1, { BITS(2, PROT_EXEC, 0) } },
	{ "mmap2", EPERM, 1, { BITS(2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC) } },
	{ "mprotect", 0, 1, { BITS(2, PROT_EXEC, 0) } },
	{ "mprotect", EPERM, 1, { BITS(2, PROT_EXEC, PROT_EXEC) } },
	/* Threads, not processes; no namespaces. */
	{ "clone", 0, 1, { BITS(CLONE_FLAGS, THREAD | NAMESPACES, THREAD) } },
	{ "clone", EPERM, 1, { BITS(CLONE_FLAGS, CLONE_THREAD, 0) } },
	/* What is loaded is asked; nothing more is loaded. */
	{ "bpf", 0, 1, { EQ(0, BPF_MAP_LOOKUP_ELEM) } },
	{ "bpf", 0, 1, { EQ(0, BPF_MAP_UPDATE_ELEM) } },
	{ "bpf", 0, 1, { EQ(0, BPF_MAP_DELETE_ELEM) } },
	{ "bpf", 0, 1, { EQ(0, BPF_MAP_GET_NEXT_KEY) } },
	{ "bpf", 0, 1, { EQ(0, BPF_PROG_TEST_RUN) } },
	{ "bpf", 0, 1, { EQ(0, BPF_OBJ_GET_INFO_BY_FD) } },
	{ "bpf", 0, 1, { EQ(0, BPF_ITER_CREATE) } },
	{ "bpf", EPERM, 1, { EQ(0, BPF_MAP_CREATE) } },
	{ "bpf", EPERM, 1, { EQ(0, BPF_PROG_LOAD) } },
	{ "bpf", EPERM, 1, { EQ(0, BPF_OBJ_PIN) } },
	{ "bpf", EPERM, 1, { EQ(0, BPF_OBJ_GET) } },
	{ "bpf", EPERM, 1, { EQ(0, BPF_PROG_ATTACH) } },
	{ "bpf", EPERM, 1, { EQ(0, BPF_RAW_TRACEPOINT_OPEN) } },
	{ "bpf", EPERM, 1, { EQ(0, BPF_BTF_LOAD) } },
	{ "bpf", EPERM, 1, { EQ(0, BPF_LINK_CREATE) } },
	/* journald, the service manager, the API, name servers. */
	{ "socket", 0, 1, { EQ(0, AF_UNIX) } },
	{ "socket", 0, 1, { EQ(0, AF_INET) } },
	{ "socket", 0, 1, { EQ(0, AF_INET6) } },
	{ "socket", EPERM, 1, { GE(0, AF_INET6 + 1) } }, /* netlink, packet, vsock, alg, ... */
	{ "socketpair", 0, 1, { EQ(0, AF_UNIX) } },
	/* Is it a terminal? And what sockets are asked. */
	{ "ioctl", 0, 1, { EQ(1, TCGETS) } },
	{ "ioctl", 0, 1, { EQ(1, FIONBIO) } },
	{ "ioctl", 0, 1, { EQ(1, FIONREAD) } },
	{ "ioctl", EPERM, 1, { EQ(1, TIOCSTI) } },
	/* What a thread is called, and what it is. */
	{ "prctl", 0, 1, { EQ(0, PR_SET_NAME) } },
	{ "prctl", 0, 1, { EQ(0, PR_GET_NAME) } },
	{ "prctl", 0, 1, { EQ(0, PR_SET_VMA) } },
	{ "prctl", 0, 1, { EQ(0, PR_CAPBSET_READ) } },
	{ "prctl", 0, 1, { EQ(0, PR_GET_NO_NEW_PRIVS) } },
	{ "prctl", 0, 1, { EQ(0, PR_GET_SECCOMP) } },
	{ "prctl", 0, 2, { EQ(0, PR_CAP_AMBIENT), EQ(1, PR_CAP_AMBIENT_IS_SET) } },
	{ "prlimit64", 0, 1, { EQ(2, 0) } }, /* to ask, not to set */
	/* Another filter can only take more away. */
	{ "seccomp", 0, 1, { EQ(0, SECCOMP_SET_MODE_FILTER) } },
	{ 0 },
};

const struct syscall_rule syscalls_tried[] = {
	/* Flags in memory cannot be looked at: the C library takes clone(2) in its place. */
	{ "clone3", ENOSYS, 0, { { 0 } } },
	{ "openat2", ENOSYS, 0, { { 0 } } },
	/* libnuma, which libproc2 opens, tries out what it can do. */
	{ "get_mempolicy", ENOSYS, 0, { { 0 } } },
	{ "set_mempolicy", ENOSYS, 0, { { 0 } } },
	/* Which addresses this machine has: getaddrinfo(3) then takes it for one with all kinds. */
	{ "socket", EPERM, 1, { EQ(0, AF_NETLINK) } },
	{ 0 },
};
