/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A containerd of the tests' own: private folders and socket, an image made of busybox on the spot,
 * containers started by `ctr run` in Kubernetes' place.
 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define IMAGE	   "capauditd.test/busybox:root"
#define USER_IMAGE "capauditd.test/busybox:user"

/* What needs kernel modules, networks or other daemons is off. */
#define CONFIGURATION                                                                             \
	"version = 2\n"                                                                           \
	"root = \"%1$s/root\"\n"                                                                  \
	"state = \"%1$s/state\"\n"                                                                \
	"disabled_plugins = [\"io.containerd.grpc.v1.cri\", "                                     \
	"\"io.containerd.snapshotter.v1.btrfs\",\n"                                               \
	"  \"io.containerd.snapshotter.v1.zfs\", \"io.containerd.snapshotter.v1.aufs\",\n"        \
	"  \"io.containerd.snapshotter.v1.devmapper\", \"io.containerd.internal.v1.opt\",\n"      \
	"  \"io.containerd.tracing.processor.v1.otlp\", \"io.containerd.internal.v1.tracing\"]\n" \
	"[grpc]\n"                                                                                \
	"address = \"%1$s/socket\"\n"                                                             \
	"[ttrpc]\n"                                                                               \
	"address = \"%1$s/ttrpc\"\n"

static void must(const struct sys_result *result, const char *what)
{
	if (result->status != 0)
		fail_msg("%s: status %d: %s", what, result->status, result->err);
}

static char *base(struct sys *sys)
{
	return sys_print(sys, "%s/containerd", sys->directory);
}

static char *address(struct sys *sys)
{
	return sys_print(sys, "%s/socket", base(sys));
}

#define ARGUMENTS_MAX 96

struct sys_result *sys_ctr(struct sys *sys, const char *const *arguments)
{
	const char *argv[ARGUMENTS_MAX + 1] = { "ctr", "-a", address(sys), "-n", "k8s.io" };
	size_t count = 5;

	for (size_t i = 0; arguments[i]; i++) {
		if (count == ARGUMENTS_MAX)
			fail_msg("too many arguments");
		argv[count++] = arguments[i];
	}
	return sys_command(sys, &(struct sys_command){ .argv = argv });
}

/* As the OCI's image specification spells this machine's. */
static const char *architecture(void)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" },
		{ "aarch64", "arm64" },
		{ "ppc64le", "ppc64le" },
		{ "s390x", "s390x" },
	};
	struct utsname machine;

	for (size_t i = 0; uname(&machine) == 0 && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(machine.machine, names[i][0]) == 0)
			return names[i][1];
	fail_msg("cannot name this machine's architecture");
	return "";
}

static void write_configuration(
	struct sys *sys, const char *file, const char *config, const char *digest)
{
	sys_write_file(file,
		sys_print(sys,
			"{\"architecture\": \"%s\", \"os\": \"linux\", \"config\": %s,"
			" \"rootfs\": {\"type\": \"layers\", \"diff_ids\": [\"sha256:%.64s\"]}}",
			architecture(), config, digest));
}

/* A docker-archive: one layer, a configuration for each image, a manifest. */
static char *make_image(struct sys *sys)
{
	char *image = sys_print(sys, "%s/image", base(sys));
	char *layer = sys_print(sys, "%s/layer.tar", image);
	char *archive = sys_print(sys, "%s/image.tar", base(sys));

	sys_make_directories(image);
	must(sys_command_line(sys, "tar", "-C", sys->rootfs, "-cf", layer, "bin", "tmp", NULL),
		"tar");
	const struct sys_result *sum = sys_command_line(sys, "sha256sum", layer, NULL);
	must(sum, "sha256sum");
	write_configuration(sys, sys_print(sys, "%s/root.json", image), "{}", sum->out);
	write_configuration(
		sys, sys_print(sys, "%s/user.json", image), "{\"User\": \"1000:1000\"}", sum->out);
	sys_write_file(sys_print(sys, "%s/manifest.json", image),
		"[{\"Config\": \"root.json\", \"RepoTags\": [\"" IMAGE "\"],"
		" \"Layers\": [\"layer.tar\"]},"
		" {\"Config\": \"user.json\", \"RepoTags\": [\"" USER_IMAGE "\"],"
		" \"Layers\": [\"layer.tar\"]}]");
	must(sys_command_line(sys, "tar", "-C", image, "-cf", archive, "manifest.json", "root.json",
		     "user.json", "layer.tar", NULL),
		"tar");
	return archive;
}

static void start(struct sys *sys)
{
	char *file = sys_print(sys, "%s/config.toml", base(sys));
	char *log = sys_print(sys, "%s/log", base(sys));
	const char *const argv[] = { "containerd", "--config", file, NULL };
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;

	sys_make_directories(base(sys));
	sys_write_file(file, sys_print(sys, CONFIGURATION, base(sys)));
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	pid_t pid =
		sys_spawn(sys, &(struct sys_command){ .argv = argv, .output = out, .errors = out });
	(void)close(out);
	while (sys_command_line(
		       sys, "ctr", "-a", address(sys), "--connect-timeout", "1s", "version", NULL)
			->status != 0) {
		if (sys_now_ms() > until) {
			char *said = sys_read_file(log);

			sys_own(sys, said, free);
			fail_msg("containerd does not answer: %s", said);
		}
		sys_sleep_ms(50);
	}
	/* It lives until the last test. */
	for (size_t i = 0; i < SYS_SPAWNED_MAX; i++)
		if (sys->spawned[i].pid == pid)
			sys->spawned[i].pid = 0;
	sys->containerd = pid;
	const char *const import[] = { "images", "import", "--no-unpack", make_image(sys), NULL };
	must(sys_ctr(sys, import), "ctr images import");
}

void sys_need_containerd(struct sys *sys)
{
	sys_need_containers(sys);
	if (!sys_have_program("containerd") || !sys_have_program("ctr") || !sys->have_busybox) {
		print_message("skipped: this machine lacks containerd, ctr or a static busybox\n");
		skip();
	}
	if (sys->containerd == 0)
		start(sys);
}

struct sys_container *sys_containerd_new(struct sys *sys)
{
	struct sys_container *container = sys_container_new(sys);

	sys_make_id(sys, container);
	(void)snprintf(container->cgroup, sizeof(container->cgroup), "/kubepods/burstable/pod%s/%s",
		container->pod_uid, container->id);
	container->by = SYS_BY_CONTAINERD;
	sys_cgroup_remember(sys, container->cgroup);
	sys_cgroup_remember(sys, sys_print(sys, "/kubepods/burstable/pod%s", container->pod_uid));
	return container;
}

struct sys_result *sys_ctr_run(struct sys *sys, const struct sys_container *container,
	const char *const *options, const char *image, const char *const *argv)
{
	const char *arguments[ARGUMENTS_MAX + 1] = { "run", "--snapshotter", "native",
		"--runc-root", sys_print(sys, "%s/runc", base(sys)), "--fifo-dir",
		sys_print(sys, "%s/fifo", base(sys)), "--cgroup", container->cgroup };
	const char *const tail[] = { image, container->id, NULL };
	const char *const *const lists[] = { options, tail, argv };
	size_t count = 9;

	for (size_t list = 0; list < 3; list++)
		for (size_t i = 0; lists[list] && lists[list][i]; i++) {
			if (count == ARGUMENTS_MAX)
				fail_msg("too many arguments");
			arguments[count++] = lists[list][i];
		}
	return sys_ctr(sys, arguments);
}

void sys_containerd_find_pid(struct sys *sys, struct sys_container *container)
{
	static const char *const list[] = { "task", "ls", NULL };
	const struct sys_result *tasks = sys_ctr(sys, list);

	must(tasks, "ctr task ls");
	const char *row = strstr(tasks->out, container->id);
	if (!row || sscanf(row, "%*s %d", &container->pid) != 1)
		fail_msg("ctr does not know its own container: %s", tasks->out);
}

const char *sys_containerd_image(bool user)
{
	return user ? USER_IMAGE : IMAGE;
}

void sys_containerd_start(struct sys *sys, struct sys_container *container,
	const char *const *options, const char *image)
{
	static const char *const pause[] = { "/bin/inside", "pause", NULL };
	char *ready = sys_print(sys, "%s/%s.ready", base(sys), container->id);
	const char *all[ARGUMENTS_MAX + 1] = { "--detach", "--log-uri",
		sys_print(sys, "file://%s", ready) };

	for (size_t i = 0; options && options[i]; i++) {
		if (i + 3 == ARGUMENTS_MAX)
			fail_msg("too many arguments");
		all[i + 3] = options[i];
	}
	must(sys_ctr_run(sys, container, all, image, pause), "ctr run");
	sys_wait_text(sys, ready, "ready");
	sys_containerd_find_pid(sys, container);
}

struct sys_container *sys_containerd_run(struct sys *sys, const char *const *options, bool user)
{
	struct sys_container *container = sys_containerd_new(sys);

	sys_containerd_start(sys, container, options, sys_containerd_image(user));
	return container;
}

void sys_containerd_remove(struct sys *sys, struct sys_container *container)
{
	const char *const task[] = { "task", "rm", "-f", container->id, NULL };
	const char *const itself[] = { "container", "rm", container->id, NULL };

	(void)sys_ctr(sys, task);
	(void)sys_ctr(sys, itself);
}

void sys_containerd_stop(struct sys *sys)
{
	(void)kill(sys->containerd, SIGTERM);
	(void)waitpid(sys->containerd, NULL, 0);
	sys->containerd = 0;
}
