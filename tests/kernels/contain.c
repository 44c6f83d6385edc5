/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container runtime does, for a guest that has none: joins a cgroup in every hierarchy that
 * is mounted, enters namespaces, arranges capabilities, and only then executes the container's
 * program. Static, since the guest has no compiler's libraries.
 *
 *   contain [OPTION...] PROGRAM [ARGUMENT...]
 *
 *   -g PATH   a cgroup, made where it is missing
 *   -p        a PID namespace of its own
 *   -u        a user namespace of its own (0 is 100000 outside)
 *   -b MASK   the bounding set; uid 0 holds it after the exec
 *   -a MASK   inheritable, permitted and ambient set; what another uid holds after the exec
 *   -i UID    user and group
 *   -n        no_new_privs
 *   -r        removes the cgroup once the program has ended
 *   -d        returns once the program has written or closed its standard output
 *   -x        becomes the program, instead of starting it (and so without namespaces)
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <mntent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct plan {
	const char *cgroup;
	bool pid_namespace, user_namespace, no_new_privs, detached, here, removes;
	bool has_bounding, has_user;
	uint64_t bounding, ambient;
	unsigned user;
};

static void die(const char *what)
{
	(void)fprintf(stderr, "contain: %s: %s\n", what, strerror(errno));
	_exit(125);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	(void)close(fd);
}

/* "/a/b" below `root`, with what is above it. */
static void make_folders(const char *root, const char *path)
{
	char text[4096];
	size_t start = strlen(root);

	(void)snprintf(text, sizeof(text), "%s%s/", root, path);
	for (char *slash = strchr(text + start + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(text, 0755) < 0 && errno != EEXIST)
			die(text);
		*slash = '/';
	}
}

static void each_hierarchy(const char *path, void (*visit)(const char *root, const char *path))
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *mount;

	if (!mounts)
		die("/proc/self/mounts");
	while ((mount = getmntent(mounts)))
		if (strcmp(mount->mnt_type, "cgroup") == 0 ||
			strcmp(mount->mnt_type, "cgroup2") == 0)
			visit(mount->mnt_dir, path);
	(void)endmntent(mounts);
}

static void join_cgroup(const char *root, const char *path)
{
	char procs[4096];

	make_folders(root, path);
	(void)snprintf(procs, sizeof(procs), "%s%s/cgroup.procs", root, path);
	write_text(procs, "0");
}

static void remove_cgroup(const char *root, const char *path)
{
	char folder[4096];

	(void)snprintf(folder, sizeof(folder), "%s%s", root, path);
	if (rmdir(folder) < 0)
		die(folder);
}

static void set_capabilities(uint64_t held, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted = (uint32_t)(held >> 32 * i);
		data[i].inheritable = (uint32_t)(inheritable >> 32 * i);
	}
	if (syscall(SYS_capset, &header, data) != 0)
		die("capset");
}

static void limit_bounding(uint64_t mask)
{
	for (unsigned i = 0; i < 64 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!(mask >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			die("the bounding set");
}

static void become(unsigned user)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
		setresgid(user, user, user) < 0 || setresuid(user, user, user) < 0)
		die("the user");
}

static void raise_ambient(uint64_t mask)
{
	set_capabilities(mask, mask);
	for (unsigned i = 0; i < 64; i++)
		if ((mask >> i & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			die("the ambient set");
}

/* The maps are the parent's to write; it answers when they are there. */
static void enter_user_namespace(int to_parent, int from_parent)
{
	char byte = 'u';

	if (unshare(CLONE_NEWUSER) < 0)
		die("a user namespace");
	if (write(to_parent, &byte, 1) != 1 || read(from_parent, &byte, 1) != 1)
		die("the parent");
	become(0);
}

static void write_maps(pid_t child, int to_child, int from_child)
{
	char path[64], byte;

	if (read(from_child, &byte, 1) != 1)
		die("the child");
	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", child);
	write_text(path, "0 100000 65536\n");
	(void)snprintf(path, sizeof(path), "/proc/%d/gid_map", child);
	write_text(path, "0 100000 65536\n");
	if (write(to_child, &byte, 1) != 1)
		die("the child");
}

static void contain(const struct plan *plan, char **program)
{
	if (plan->has_bounding)
		limit_bounding(plan->bounding);
	if (plan->has_user)
		become(plan->user);
	if (plan->ambient)
		raise_ambient(plan->ambient);
	else if (plan->has_user && plan->user != 0)
		set_capabilities(0, 0);
	if (plan->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("no_new_privs");
	(void)execvp(program[0], program);
	die(program[0]);
}

static char **read_plan(struct plan *plan, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+g:pub:a:i:nrdx")) >= 0) {
		switch (option) {
		case 'g':
			plan->cgroup = optarg;
			break;
		case 'p':
			plan->pid_namespace = true;
			break;
		case 'u':
			plan->user_namespace = true;
			break;
		case 'b':
			plan->has_bounding = true;
			plan->bounding = strtoull(optarg, NULL, 0);
			break;
		case 'a':
			plan->ambient = strtoull(optarg, NULL, 0);
			break;
		case 'i':
			plan->has_user = true;
			plan->user = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			plan->no_new_privs = true;
			break;
		case 'r':
			plan->removes = true;
			break;
		case 'd':
			plan->detached = true;
			break;
		case 'x':
			plan->here = true;
			break;
		default:
			_exit(125);
		}
	}
	if (optind >= argc) {
		(void)fprintf(stderr, "contain: which program?\n");
		_exit(125);
	}
	return argv + optind;
}

int main(int argc, char **argv)
{
	struct plan plan = { 0 };
	char **program = read_plan(&plan, argc, argv), byte;
	int up[2], down[2], said[2], status;
	pid_t child;

	if (plan.here) {
		if (plan.cgroup)
			each_hierarchy(plan.cgroup, join_cgroup);
		contain(&plan, program);
	}
	if (pipe2(up, O_CLOEXEC) < 0 || pipe2(down, O_CLOEXEC) < 0 || pipe2(said, O_CLOEXEC) < 0)
		die("pipe");
	if (plan.pid_namespace && unshare(CLONE_NEWPID) < 0)
		die("a PID namespace");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		if (plan.cgroup)
			each_hierarchy(plan.cgroup, join_cgroup);
		if (plan.detached && dup2(said[1], STDOUT_FILENO) < 0)
			die("standard output");
		if (plan.user_namespace)
			enter_user_namespace(up[1], down[0]);
		contain(&plan, program);
	}
	(void)close(up[1]);
	(void)close(said[1]);
	if (plan.user_namespace)
		write_maps(child, down[1], up[0]);
	if (plan.detached)
		return read(said[0], &byte, 1) < 0;
	if (waitpid(child, &status, 0) < 0)
		die("waitpid");
	if (plan.cgroup && plan.removes)
		each_hierarchy(plan.cgroup, remove_cgroup);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
