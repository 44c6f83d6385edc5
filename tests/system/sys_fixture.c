/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one test program makes before its first test and gives back after its last one, and what is
 * given back after each test.
 */
#include "sys.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INITIAL_PID_NAMESPACE "pid:[4026531836]" /* PROC_PID_INIT_INO, include/linux/proc_ns.h */

struct sys_owned {
	void *object;
	void (*release)(void *object);
	struct sys_owned *next;
};

void sys_own(struct sys *sys, void *object, void (*release)(void *object))
{
	struct sys_owned *owned = malloc(sizeof(*owned));

	if (!owned)
		fail_msg("out of memory");
	*owned = (struct sys_owned){ .object = object, .release = release, .next = sys->owned };
	sys->owned = owned;
}

void sys_release_owned(struct sys *sys)
{
	while (sys->owned) {
		struct sys_owned *owned = sys->owned;

		sys->owned = owned->next;
		owned->release(owned->object);
		free(owned);
	}
}

/* The folder of the harness's own sources: where this file was compiled from. */
static void source_path(char *buffer, size_t size, const char *file)
{
	const char *slash = strrchr(__FILE__, '/');

	(void)snprintf(
		buffer, size, "%.*s%s", slash ? (int)(slash - __FILE__ + 1) : 0, __FILE__, file);
}

static bool copy_program(struct sys *sys, const char *from, const char *to)
{
	return sys_command_line(sys, "cp", "--", from, to, NULL)->status == 0 &&
	       chmod(to, 0755) == 0;
}

static void compile_inside(struct sys *sys)
{
	const char *compiler = getenv("CC") ? getenv("CC") : "cc";
	char source[PATH_MAX], target[PATH_MAX];

	source_path(source, sizeof(source), "inside/inside.c");
	(void)snprintf(target, sizeof(target), "%s/bin/inside", sys->rootfs);
	const struct sys_result *result = sys_command_line(sys, compiler, "-std=gnu17",
		"-D_GNU_SOURCE", "-O1", "-static", "-pthread", "-o", target, source, NULL);

	sys->have_inside = result->status == 0;
	if (!sys->have_inside)
		print_message("%s cannot make a static program: %s\n", compiler, result->err);
}

static void make_root(struct sys *sys)
{
	static const char *const folders[] = { "bin", "dev", "proc", "sys", "tmp" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", sys->rootfs, folders[i]);
		sys_make_directories(path);
	}
	compile_inside(sys);
	(void)snprintf(path, sizeof(path), "%s/bin/busybox", sys->rootfs);
	sys->have_busybox =
		access("/bin/busybox", X_OK) == 0 && copy_program(sys, "/bin/busybox", path);
}

static void make_host_root(struct sys *sys)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/var/log/pods", sys->host_root);
	sys_make_directories(path);
	(void)snprintf(path, sizeof(path), "%s/var/log/containers", sys->host_root);
	sys_make_directories(path);
	(void)snprintf(path, sizeof(path), "%s/run", sys->host_root);
	sys_make_directories(path);
	(void)snprintf(path, sizeof(path), "%s/sys/fs", sys->host_root);
	sys_make_directories(path);
	(void)snprintf(path, sizeof(path), "%s/sys/fs/cgroup", sys->host_root);
	if (symlink("/sys/fs/cgroup", path) != 0)
		fail_msg("%s: %s", path, strerror(errno));
}

static void start_guard(struct sys *sys)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		fail_msg("pipe: %s", strerror(errno));
	sys->guard = ends[0];
	sys->guard_pid = fork();
	if (sys->guard_pid < 0)
		fail_msg("fork: %s", strerror(errno));
	if (sys->guard_pid == 0) {
		(void)close(ends[1]);
		sys_guard(sys);
	}
	(void)close(ends[0]);
	sys->guard = ends[1];
}

/* Whichever test program ends last removes what none found there: a cgroup says so meanwhile. */
static void note_shared(struct sys *sys)
{
	if (!sys->home || !sys->root)
		return;
	if (access(sys_print(sys, "%s/kubepods", sys->home), F_OK) != 0)
		(void)mkdir(sys_print(sys, "%s" SYS_MADE_KUBEPODS, sys->home), 0755);
	if (access("/run/containerd", F_OK) != 0)
		(void)mkdir(sys_print(sys, "%s" SYS_MADE_CONTAINERD, sys->home), 0755);
}

/* The harness, and with it all that it starts, lives in a cgroup that the guard empties. */
static void enter_harness_cgroup(struct sys *sys)
{
	if (!sys->home)
		return;
	char *path = sys_print(sys, "%s%s", sys->home, sys->harness_cgroup);
	sys_make_directories(path);
	sys_write_file(sys_print(sys, "%s/cgroup.procs", path), "0");
}

static void find_pid_namespace(struct sys *sys)
{
	char name[64] = "";
	ssize_t length = readlink("/proc/self/ns/pid", name, sizeof(name) - 1);

	sys->nested = length > 0 && strcmp(name, INITIAL_PID_NAMESPACE) != 0;
}

static void find_all_capabilities(struct sys *sys)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_get_caps_process() != 0)
		fail_msg("cannot read our own capabilities");
	for (unsigned i = 0; i <= CAP_LAST_CAP; i++)
		if (capng_have_capability(CAPNG_BOUNDING_SET, i) == 1 &&
			capng_have_capability(CAPNG_PERMITTED, i) == 1)
			sys->all |= UINT64_C(1) << i;
}

int sys_setup(void **state)
{
	struct sys *sys = calloc(1, sizeof(*sys));
	const char *program = getenv("CAPAUDITD") ? getenv("CAPAUDITD") : "build/capauditd";
	uint64_t random;

	if (!sys || getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -1;
	*state = sys;
	(void)umask(022);
	(void)snprintf(sys->token, sizeof(sys->token), "%016llx", (unsigned long long)random);
	(void)snprintf(sys->pod_token, sizeof(sys->pod_token), "%.8s-%.4s-%.4s", sys->token,
		sys->token + 8, sys->token + 12);
	(void)snprintf(
		sys->directory, sizeof(sys->directory), "/tmp/capauditd-test-%s", sys->token);
	(void)snprintf(
		sys->harness_cgroup, sizeof(sys->harness_cgroup), SYS_HARNESS "%s", sys->token);
	(void)snprintf(sys->host_root, sizeof(sys->host_root), "%s/host", sys->directory);
	(void)snprintf(sys->rootfs, sizeof(sys->rootfs), "%s/rootfs", sys->directory);
	(void)snprintf(sys->program, sizeof(sys->program), "%s/capauditd", sys->directory);
	if (mkdir(sys->directory, 0755) != 0)
		return -1;
	sys->root = geteuid() == 0;
	/* What containers leave behind is ours to reap, not that of a PID 1 which may not care. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	sys_find_hierarchies(sys);
	start_guard(sys);
	if (sys->root)
		enter_harness_cgroup(sys);
	note_shared(sys);
	find_pid_namespace(sys);
	find_all_capabilities(sys);
	make_host_root(sys);
	if (!copy_program(sys, program, sys->program)) {
		print_error(
			"%s: cannot be copied; set CAPAUDITD to the program under test\n", program);
		return -1;
	}
	if (sys->root)
		make_root(sys);
	sys->have_runc = sys_have_program("runc");
	sys_release_owned(sys);
	return 0;
}

static int setup_engine(void **state, const char *engine)
{
	int r = sys_setup(state);

	if (r == 0)
		((struct sys *)*state)->engine = engine;
	return r;
}

int sys_setup_bpf(void **state)
{
	return setup_engine(state, "bpf");
}

int sys_setup_procfs(void **state)
{
	return setup_engine(state, "procfs");
}

int sys_end(void **state)
{
	struct sys *sys = *state;

	if (sys->daemon)
		sys_daemon_free(sys->daemon);
	sys_kill_spawned(sys);
	for (size_t i = 0; i < SYS_CONTAINERS_MAX; i++)
		if (sys->containers[i].used)
			sys_stop(sys, &sys->containers[i]);
	sys_release_owned(sys);
	sys_reap(sys);
	return 0;
}

int sys_teardown(void **state)
{
	struct sys *sys = *state;

	(void)sys_end(state);
	if (sys->containerd > 0)
		sys_containerd_stop(sys);
	if (sys->home && sys->root) {
		char path[PATH_MAX];

		(void)snprintf(path, sizeof(path), "%s%s/cgroup.procs", sys->home,
			sys->old_cgroup ? sys->old_cgroup : "");
		sys_write_file(path, "0");
	}
	(void)close(sys->guard);
	(void)waitpid(sys->guard_pid, NULL, 0);
	sys_reap(sys);
	for (size_t i = 0; i < sys->hierarchies; i++)
		free(sys->hierarchy[i]);
	free(sys->old_cgroup);
	free(sys);
	*state = NULL;
	return 0;
}

void sys_need_containers(struct sys *sys)
{
	const char *missing = !sys->root	  ? "root's rights"
			      : !sys->have_runc	  ? "runc"
			      : !sys->have_inside ? "a compiler that makes static programs"
			      : !sys->home	  ? "a cgroup hierarchy of its own"
						  : NULL;

	if (missing) {
		print_message("skipped: this machine lacks %s\n", missing);
		skip();
	}
}

void sys_need_bpf(struct sys *sys)
{
	if (sys->have_bpf)
		return;
	sys_need_containers(sys);
	const struct sys_result *scan = sys_capauditd(sys, SYS_ROOT, "scan", "--engine", "bpf",
		"--policy", "none", "--format", "json", sys->nested ? "--nested" : NULL, NULL);

	/* Nothing else is wrong with these arguments. */
	if (scan->status == 2) {
		print_message("skipped: %s", scan->err);
		skip();
	}
	sys->have_bpf = true;
}
