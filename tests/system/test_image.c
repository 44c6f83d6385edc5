/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The container image: what is in it, and that the program in it, run as a DaemonSet's pod is,
 * finds what a scan on the host finds.
 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- what is in it -- */

struct files {
	char *path[256]; /* below the image's root, with a leading slash */
	mode_t mode[256];
	size_t count;
};

static struct files *list_files(struct sys *sys)
{
	const char *root = sys_image_root(sys);
	char *roots[] = { sys_print(sys, "%s", root), NULL };
	struct files *files = calloc(1, sizeof(*files));
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	if (!files || !tree)
		fail_msg("%s: %s", root, strerror(errno));
	sys_own(sys, files, free);
	while ((entry = fts_read(tree))) {
		if (entry->fts_info == FTS_DP || entry->fts_level == 0)
			continue;
		assert_true(files->count < 256);
		files->path[files->count] = sys_print(sys, "%s", entry->fts_path + strlen(root));
		files->mode[files->count++] = entry->fts_statp->st_mode;
	}
	(void)fts_close(tree);
	assert_true(files->count > 0);
	return files;
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

/* The value of each line of `objdump -p` that starts with `key`. */
static void dynamic_entries(struct sys *sys, const char *path, const char *key,
	void (*take)(void *data, const char *value), void *data)
{
	char *file = sys_print(sys, "%s%s", sys_image_root(sys), path);
	const struct sys_result *dump = sys_command_line(sys, "objdump", "-p", file, NULL);
	char found[64], value[256];

	if (dump->status != 0)
		fail_msg("%s: %s", path, dump->err);
	for (const char *line = dump->out; *line; line += strcspn(line, "\n")) {
		line += strspn(line, "\n");
		if (sscanf(line, " %63s %255s", found, value) == 2 && strcmp(found, key) == 0)
			take(data, value);
	}
}

struct closure {
	struct sys *sys;
	const struct files *files;
	bool needed[256];
};

/* The library of that name, and all that it links. */
static void need(void *data, const char *name)
{
	struct closure *closure = data;

	for (size_t i = 0; i < closure->files->count; i++) {
		const char *path = closure->files->path[i];

		if (!S_ISREG(closure->files->mode[i]) || strcmp(base_name(path), name) != 0)
			continue;
		if (!closure->needed[i]) {
			closure->needed[i] = true;
			dynamic_entries(closure->sys, path, "NEEDED", need, closure);
		}
		return;
	}
	fail_msg("%s is missing in the image", name);
}

/* What the program opens while it runs, by the names that its notes say come first. */
static void need_opened(struct closure *closure)
{
	char *file = sys_print(closure->sys, "%s/usr/bin/capauditd", sys_image_root(closure->sys));
	const struct sys_result *dump =
		sys_command_line(closure->sys, "readelf", "--string-dump=.note.dlopen", file, NULL);

	/* A note for each library. */
	for (const char *text = dump->out; (text = strstr(text, "[{")); text += 2) {
		json_t *libraries = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL), *library;
		size_t i;

		assert_true(json_array_size(libraries) > 0);
		json_array_foreach(libraries, i, library)
		{
			json_t *names = json_object_get(library, "soname");

			assert_non_null(json_string_value(json_array_get(names, 0)));
			need(closure, json_string_value(json_array_get(names, 0)));
		}
		json_decref(libraries);
	}
}

static void every_file_is_linked_or_opened_or_a_licence_or_for_name_services(void **state)
{
	static const char *const others[] = { "/etc/passwd", "/etc/group", "/etc/nsswitch.conf",
		"/usr/share/doc/*", "/usr/share/common-licenses/*", "/usr/share/licenses/*" };
	struct sys *sys = *state;

	sys_need_image(sys);
	struct closure closure = { .sys = sys, .files = list_files(sys) };
	need(&closure, "capauditd");
	need_opened(&closure);
	for (size_t i = 0; i < closure.files->count; i++) {
		const char *path = closure.files->path[i];
		bool wanted = closure.needed[i] || S_ISDIR(closure.files->mode[i]);

		for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
			wanted = wanted || fnmatch(others[k], path, 0) == 0;
		if (!wanted)
			fail_msg("%s is not needed", path);
	}
}

/* No shell, then, and no other tool. */
static void the_program_and_the_loader_alone_can_be_executed(void **state)
{
	struct sys *sys = *state;
	bool program = false, loader = false;

	sys_need_image(sys);
	const struct files *files = list_files(sys);
	for (size_t i = 0; i < files->count; i++) {
		if (!S_ISREG(files->mode[i]) || !(files->mode[i] & 0111))
			continue;
		if (strcmp(files->path[i], "/usr/bin/capauditd") == 0)
			program = true;
		else if (strncmp(base_name(files->path[i]), "ld-", 3) == 0)
			loader = true;
		else
			fail_msg("%s can be executed", files->path[i]);
	}
	assert_true(program);
	assert_true(loader);
}

static void nothing_is_set_uid_or_writable_or_anybody_elses(void **state)
{
	struct sys *sys = *state;

	sys_need_image(sys);
	const struct files *files = list_files(sys);
	for (size_t i = 0; i < files->count; i++) {
		if (!S_ISREG(files->mode[i]) && !S_ISDIR(files->mode[i]))
			fail_msg("%s is neither a file nor a folder", files->path[i]);
		if (files->mode[i] & (07000 | 0022))
			fail_msg("%s has mode %o", files->path[i], files->mode[i]);
	}
	const struct sys_result *layer =
		sys_command_line(sys, "tar", "--numeric-owner", "-tvf", sys_image_layer(sys), NULL);
	assert_int_equal(layer->status, 0);
	size_t lines = 0;
	for (const char *line = layer->out; *line; line += strcspn(line, "\n") + 1, lines++) {
		char owner[32] = "";

		if (sscanf(line, "%*s %31s", owner) != 1 || strcmp(owner, "0/0") != 0)
			fail_msg("not root's: %s", line);
	}
	assert_true(lines >= files->count);
}

static void the_configuration_says_what_to_run_and_which_version(void **state)
{
	struct sys *sys = *state;

	sys_need_image(sys);
	json_t *configuration = sys_image_configuration(sys);
	json_t *labels = json_object_get(json_object_get(configuration, "config"), "Labels");
	const struct sys_result *version = sys_capauditd(sys, SYS_ROOT, "--version", NULL);

	assert_string_equal(sys_get(sys, configuration, "config.Entrypoint"), "/usr/bin/capauditd");
	assert_string_equal(sys_get(sys, configuration, "config.Cmd"), "run");
	assert_string_equal(sys_get(sys, configuration, "os"), "linux");
	const char *label =
		json_string_value(json_object_get(labels, "org.opencontainers.image.version"));
	assert_non_null(label);
	assert_non_null(strstr(version->out, label));
}

/* -- what it finds -- */

/* Everything else must be equal. uid 0 without capabilities may not follow the links of a process
 * that has some: ptrace(2)'s access check. */
static const char *const differing[] = {
	"time",
	"first_seen",
	"last_seen", /* another moment */
	"executables",
	"process.start_time", /* counted from the boot, whose time is a difference of two clocks */
	"process.exe",	      /* /proc/PID/exe */
	"process.user_namespace.inode", /* /proc/PID/ns/user */
	"host_namespaces",		/* /proc/PID/ns/... */
	/* From its own cgroup namespace the paths of others begin with "/..", and end before they
	 * would say a QoS class, which the Kubernetes API tells. */
	"container.cgroup",
	"pod.qos",
};

static void forget(json_t *object, const char *path)
{
	const char *dot;

	while ((dot = strchr(path, '.'))) {
		char member[64];

		(void)snprintf(member, sizeof(member), "%.*s", (int)(dot - path), path);
		object = json_object_get(object, member);
		path = dot + 1;
	}
	(void)json_object_del(object, path);
}

/* A copy of a list, without what differs and without what is of `except`. */
static json_t *comparable(struct sys *sys, json_t *list, const struct sys_container *except)
{
	json_t *copy = json_array(), *item;
	size_t i;

	sys_own(sys, copy, (void (*)(void *))json_decref);
	json_array_foreach(list, i, item)
	{
		json_t *kept = json_deep_copy(item);

		for (size_t k = 0; k < sizeof(differing) / sizeof(differing[0]); k++)
			forget(kept, differing[k]);
		if (sys_is_of(item, "container", except))
			json_decref(kept);
		else
			(void)json_array_append_new(copy, kept);
	}
	return copy;
}

static char *dump(struct sys *sys, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

	sys_own(sys, text, free);
	return text;
}

static void assert_same(struct sys *sys, const struct sys_result *outside,
	const struct sys_result *inside, const char *list, const struct sys_container *own)
{
	json_t *expected = comparable(sys, json_object_get(outside->json, list), own);
	json_t *found = comparable(sys, json_object_get(inside->json, list), own);
	json_t *item;
	size_t i;

	json_array_foreach(expected, i, item)
	{
		json_t *other = json_array_get(found, i);

		if (!json_equal(item, other))
			fail_msg("%s, outside:\n%s\ninside:\n%s", list, dump(sys, item),
				dump(sys, other));
	}
	assert_int_equal(json_array_size(expected), json_array_size(found));
}

static const char **scan_arguments(struct sys *sys, const char *const *more)
{
	const char *first[] = { "/usr/bin/capauditd", "scan", "--format", "json", "--policy",
		"none", "--node", "here", "--kubernetes", "off", "--container", sys->token };
	const char **argv = calloc(32, sizeof(*argv));
	size_t count = sizeof(first) / sizeof(first[0]);

	if (!argv)
		fail_msg("out of memory");
	sys_own(sys, argv, free);
	memcpy(argv, first, sizeof(first));
	if (sys->nested)
		argv[count++] = "--nested";
	for (size_t i = 0; more && more[i]; i++)
		argv[count++] = more[i];
	return argv;
}

/* What the DaemonSet adds, for the bpf engine. */
#define BPF_OPTIONS "--cap-add", "CAP_BPF", "--cap-add", "CAP_PERFMON"

static struct sys_result *scan_inside(
	struct sys *sys, const struct sys_container *own, const char *const *more)
{
	static const char *const options[] = { "--rm", NULL };
	static const char *const granted[] = { "--rm", BPF_OPTIONS, NULL };
	bool bpf = more && strcmp(more[0], "--engine") == 0;
	struct sys_result *result =
		sys_image_run(sys, own, bpf ? granted : options, scan_arguments(sys, more));
	json_error_t error;

	result->json = json_loads(result->out, JSON_REJECT_DUPLICATES, &error);
	if (!result->json)
		fail_msg("status %d, no JSON: %s\n%s", result->status, result->out, result->err);
	return result;
}

/* Containers of each kind that a verdict depends on. */
static void start_neighbours(struct sys *sys)
{
	static const char *const admin[] = { "--cap-add", "CAP_SYS_ADMIN", NULL };
	static const char *const thread[] = { "/bin/inside", "thread", NULL };
	const struct sys_spec specs[] = {
		{ .name = "web",
			.pod = "cart-7d4f",
			.namespace_name = "shop",
			.capabilities = SYS_DEFAULT_SET | SYS_NET_ADMIN },
		{ .name = "agent",
			.pod = "agent-x",
			.namespace_name = "net",
			.capabilities = SYS_NET_ADMIN,
			.host_network = true },
		{ .uid = 1000, .bounding_only = SYS_SYS_ADMIN },
		{ .uid = 1000,
			.bounding_only = SYS_SYS_ADMIN,
			.no_new_privs = true,
			.seccomp = true },
		{ .capabilities = SYS_SYS_ADMIN, .user_namespace = true },
		{ .capabilities = SYS_SYS_ADMIN, .argv = thread },
		{ .capabilities = SYS_NET_BIND_SERVICE },
	};

	(void)sys_containerd_run(sys, admin, false);
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct sys_container *container = sys_start(sys, &specs[i]);

		/* `exec --privileged` into the first. */
		if (i == 0)
			(void)sys_exec(sys, container, sys->all, NULL);
	}
}

static void assert_inside_is_as_outside(struct sys *sys, const char *engine)
{
	const char *const more[] = { "--engine", engine, NULL };
	const bool bpf = strcmp(engine, "bpf") == 0;

	sys_need_image(sys);
	start_neighbours(sys);
	struct sys_container *own = sys_image_container(sys);
	const struct sys_result *inside = scan_inside(sys, own, bpf ? more : NULL);
	const struct sys_result *outside = sys_scan(sys, SYS_ROOT, "--node", "here", "--kubernetes",
		"off", "--container", sys->token, "--engine", engine, NULL);

	assert_int_equal(inside->status, outside->status);
	assert_int_equal(inside->status, 1);
	assert_same(sys, outside, inside, "containers", own);
	assert_same(sys, outside, inside, "findings", own);
	/* What starts with the two has a finding of its own while it scans. */
	if (!bpf)
		assert_string_equal(sys_get(sys, inside->json, "totals"),
			sys_get(sys, outside->json, "totals"));
	assert_true(sys_number(inside->json, "totals.drift") > 0);
	/* Names came from below /host. */
	assert_non_null(strstr(inside->out, "\"cart-7d4f\""));
	assert_string_equal(sys_get(sys, inside->json, "coverage.complete"), "true");
	assert_string_equal(sys_get(sys, inside->json, "engine"), engine);
}

static void it_finds_inside_what_a_scan_outside_finds(void **state)
{
	assert_inside_is_as_outside(*state, "procfs");
}

static void need_bpf(struct sys *sys)
{
	const struct sys_result *scan =
		sys_capauditd(sys, SYS_ROOT, "scan", "--engine", "bpf", "--pid", "1", NULL);

	if (scan->status != 2 || !strstr(scan->err, "bpf"))
		return;
	print_message("skipped: %s\n", scan->err);
	skip();
}

/* containerd's own seccomp profile lets bpf(2) through to who has the capability. */
static void with_bpf_and_perfmon_it_finds_the_same_by_bpf(void **state)
{
	need_bpf(*state);
	assert_inside_is_as_outside(*state, "bpf");
}

static void it_finds_itself_and_complies_with_restricted(void **state)
{
	static const char *const restricted[] = { "--profile", "restricted", NULL };
	struct sys *sys = *state;

	sys_need_image(sys);
	struct sys_container *own = sys_image_container(sys);
	const struct sys_result *inside = scan_inside(sys, own, restricted);
	json_t *seen = sys_seen(inside, own);

	if (!seen)
		fail_msg("it does not see its own container %s: %s", own->id, inside->out);
	assert_int_equal(inside->status, 0);
	assert_string_equal(sys_get(sys, seen, "verdict"), "compliant");
	assert_string_equal(sys_get(sys, seen, "level"), "restricted");
	assert_string_equal(sys_get(sys, seen, "held"), "");
	assert_string_equal(sys_get(sys, seen, "bounding"), "");
	assert_string_equal(sys_get(sys, seen, "pod.uid"), own->pod_uid);
	assert_string_equal(sys_get(sys, seen, "container.cgroup"), own->cgroup);
}

/* -- the daemon -- */

/* The command line of the DaemonSet that is shipped; tests/manifests proves that the chart's is the
 * same. */
static const char **daemonset_argv(struct sys *sys)
{
	static const char key[] = "\n          args:\n", item[] = "            - ";
	char *text = sys_read_file("config/kubernetes/daemonset.yaml"), *rest = NULL;
	char *at = strstr(text, key);
	const char **argv = calloc(16, sizeof(*argv));
	size_t count = 1;

	sys_own(sys, text, free);
	if (!at || !argv)
		fail_msg("config/kubernetes/daemonset.yaml has no arguments");
	sys_own(sys, argv, free);
	argv[0] = "/usr/bin/capauditd";
	for (char *line = strtok_r(at + strlen(key), "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, item, strlen(item)) == 0 && count < 15)
			argv[count++] = line + strlen(item);
		else if (line[strspn(line, " ")] != '#')
			break;
	}
	assert_true(count > 2);
	return argv;
}

/* argv NULL: as the image says. */
static struct sys_container *start_daemon(
	struct sys *sys, const char *const *argv, const char **ret_output)
{
	struct sys_container *own = sys_image_container(sys);
	const char *output = sys_print(sys, "%s/%s.out", sys->directory, own->id);
	const char *policy = sys_print(sys, "%s/%s.yaml", sys->directory, own->id);
	const char *const options[] = { "--detach", "--log-uri",
		sys_print(sys, "file://%s", output), BPF_OPTIONS, "--mount",
		sys_print(sys, "type=bind,src=%s,dst=/etc/capauditd/policy.yaml,options=rbind:ro",
			policy),
		NULL };

	/* One pass; what is told after it was not found by another. */
	sys_write_file(policy, "version: 1\nrun: { interval: 1h, outputs: [stdout] }\n");
	const struct sys_result *started = sys_image_run(sys, own, options, argv);

	if (started->status != 0)
		fail_msg("ctr run: %s", started->err);
	sys_containerd_find_pid(sys, own);
	*ret_output = output;
	return own;
}

static const char *link_of(struct sys *sys, pid_t pid, const char *namespace)
{
	char text[64] = "";

	if (readlink(sys_print(sys, "/proc/%d/ns/%s", (int)pid, namespace), text,
		    sizeof(text) - 1) < 0)
		fail_msg("process %d: %s", (int)pid, strerror(errno));
	return sys_print(sys, "%s", text);
}

static const char *status_of(struct sys *sys, pid_t pid, const char *key)
{
	char *text = sys_read_file(sys_print(sys, "/proc/%d/status", (int)pid));
	char *line = strstr(text, sys_print(sys, "\n%s:", key)), value[64] = "";

	if (line)
		(void)sscanf(line + strlen(key) + 2, "%63s", value);
	free(text);
	return sys_print(sys, "%s", value);
}

/* What the other tests rest on: nothing here was granted what the DaemonSet is not. */
static void it_runs_as_the_daemonset_does(void **state)
{
	static const char *const none[] = { "CapInh", "CapPrm", "CapEff", "CapAmb" };
	struct sys *sys = *state;
	const char *output;

	sys_need_image(sys);
	const struct sys_container *own = start_daemon(sys, daemonset_argv(sys), &output);
	sys_wait_text(sys, output, "started on node");
	assert_string_equal(link_of(sys, own->pid, "pid"), link_of(sys, getpid(), "pid"));
	assert_string_not_equal(link_of(sys, own->pid, "cgroup"), link_of(sys, getpid(), "cgroup"));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_string_equal(status_of(sys, own->pid, none[i]), "0000000000000000");
	/* The two that it had while it started: out of reach. */
	assert_string_equal(status_of(sys, own->pid, "CapBnd"), "000000c000000000");
	assert_string_equal(status_of(sys, own->pid, "NoNewPrivs"), "1");
	assert_string_equal(status_of(sys, own->pid, "Seccomp"), "2");
	assert_string_equal(status_of(sys, own->pid, "Uid"), "0");
}

/* Into the pod's network, whose loopback nobody has brought up. */
static int enter_network(void *data)
{
	const struct sys_container *container = data;
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	char path[64];
	int fd, r = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)container->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		return -errno;
	(void)close(fd);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback) != 0)
		r = -errno;
	(void)close(fd);
	return r;
}

/* What the kubelet or Prometheus is told there, once it is ready. */
static const char *ask(struct sys *sys, struct sys_container *own, const char *url)
{
	const char *const argv[] = { "curl", "--silent", "--show-error", "--fail", "--max-time",
		"30", "--retry", "30", url, NULL };
	const struct sys_result *answer = sys_command(
		sys, &(struct sys_command){ .argv = argv, .prepare = enter_network, .data = own });

	if (answer->status != 0)
		fail_msg("%s: %s", url, answer->err);
	return answer->out;
}

static void the_daemonsets_probes_are_answered_and_its_metrics_served(void **state)
{
	struct sys *sys = *state;
	const char *output;

	sys_need_image(sys);
	struct sys_container *own = start_daemon(sys, daemonset_argv(sys), &output);
	sys_wait_text(sys, output, "started on node");
	assert_string_equal(ask(sys, own, "http://127.0.0.1:9477/healthz"), "ok\n");
	assert_string_equal(ask(sys, own, "http://127.0.0.1:9477/readyz"), "ok\n");
	assert_non_null(strstr(
		ask(sys, own, "http://127.0.0.1:9477/metrics"), "\ncapauditd_build_info{version="));
}

/* kubectl exec ... -- /usr/bin/capauditd status */
static void status_asks_the_daemon_in_its_container(void **state)
{
	static const char *const admin[] = { "--cap-add", "CAP_SYS_ADMIN", NULL };
	struct sys *sys = *state;
	const char *output;

	sys_need_image(sys);
	const struct sys_container *container = sys_containerd_run(sys, admin, false);
	const struct sys_container *own = start_daemon(sys, daemonset_argv(sys), &output);
	sys_wait_text(sys, output, container->id);
	const char *const argv[] = { "task", "exec", "--exec-id", "status", "--fifo-dir",
		sys_print(sys, "%s/fifo", sys->directory), own->id, "/usr/bin/capauditd", "status",
		"--format", "jsonl", "--container", container->id, NULL };
	const struct sys_result *status = sys_ctr(sys, argv);

	assert_int_equal(status->status, 1);
	assert_non_null(strstr(status->out, container->id));
	assert_non_null(strstr(status->out, "\"SYS_ADMIN\""));
	/* It had a place for its socket, and one for its state. */
	char *text = sys_read_file(output);
	sys_own(sys, text, free);
	assert_null(strstr(text, "No socket"));
	assert_null(strstr(text, "A restart will forget"));
	text = sys_read_file(sys_print(sys, "%s/state/state", sys->directory));
	sys_own(sys, text, free);
	assert_string_not_equal(text, "");
}

static void its_default_command_is_the_daemon_which_reports_and_ends(void **state)
{
	static const char *const admin[] = { "--cap-add", "CAP_SYS_ADMIN", NULL };
	struct sys *sys = *state;
	const char *output;

	sys_need_image(sys);
	struct sys_container *container = sys_containerd_run(sys, admin, false);
	struct sys_container *own = start_daemon(sys, NULL, &output);
	sys_wait_text(sys, output, container->id);
	char *text = sys_read_file(output);
	sys_own(sys, text, free);
	assert_non_null(strstr(text, "\"state\":\"opened\""));
	/* The runtime's own filter lets it put on one. */
	if (!strstr(text, "No filter of system calls: this build has none"))
		assert_null(strstr(text, "No filter of system calls"));

	const char *const end[] = { "task", "kill", "--signal", "SIGTERM", own->id, NULL };
	const char *const wait[] = { "task", "rm", own->id, NULL };
	assert_int_equal(sys_ctr(sys, end)->status, 0);
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;
	while (kill(own->pid, 0) == 0 && sys_now_ms() < until)
		sys_sleep_ms(20);
	/* It removes only what has ended, and its status is the daemon's. */
	const struct sys_result *ended = sys_ctr(sys, wait);
	while (ended->status != 0 && strstr(ended->err, "must be stopped") &&
		sys_now_ms() < until) {
		sys_sleep_ms(20);
		ended = sys_ctr(sys, wait);
	}
	assert_int_equal(ended->status, 0);
}

static void the_daemon_hears_of_a_program_that_begins(void **state)
{
	struct sys *sys = *state;
	const char *output;

	need_bpf(sys);
	sys_need_image(sys);
	struct sys_container *container = sys_start(sys, &(struct sys_spec){ 0 });
	(void)start_daemon(sys, NULL, &output);
	sys_wait_text(sys, output, "The bpf engine looks");
	sys_wait_text(sys, output, "started on node");
	(void)sys_exec(sys, container, sys->all, NULL);
	sys_wait_line(sys, output, container->id, "\"class\":\"drift\"");
}

/* As the policy has it that comes with the manifests. */
static void the_daemon_holds_nothing_seen_from_outside(void **state)
{
	struct sys *sys = *state;
	const char *output, *policy = sys_print(sys, "%s/own.yaml", sys->directory);

	sys_need_image(sys);
	sys_write_file(policy, "version: 1\n"
			       "profiles: { capauditd: { allow: [BPF, PERFMON] } }\n"
			       "defaultProfile: capauditd\n");
	const struct sys_container *own = start_daemon(sys, NULL, &output);
	sys_wait_text(sys, output, "started on node");
	const struct sys_result *scan =
		sys_scan(sys, SYS_ROOT, "--policy", policy, "--container", own->id, NULL);

	assert_int_equal(scan->status, 0);
	assert_string_equal(sys_get(sys, sys_seen(scan, own), "verdict"), "compliant");
	assert_string_equal(sys_get(sys, sys_seen(scan, own), "held"), "");
	assert_string_equal(sys_get(sys, sys_seen(scan, own), "bounding"), "PERFMON BPF");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(every_file_is_linked_or_opened_or_a_licence_or_for_name_services),
		SYS_TEST(the_program_and_the_loader_alone_can_be_executed),
		SYS_TEST(nothing_is_set_uid_or_writable_or_anybody_elses),
		SYS_TEST(the_configuration_says_what_to_run_and_which_version),
		SYS_TEST(it_runs_as_the_daemonset_does),
		SYS_TEST(the_daemonsets_probes_are_answered_and_its_metrics_served),
		SYS_TEST(status_asks_the_daemon_in_its_container),
		SYS_TEST(it_finds_inside_what_a_scan_outside_finds),
		SYS_TEST(with_bpf_and_perfmon_it_finds_the_same_by_bpf),
		SYS_TEST(it_finds_itself_and_complies_with_restricted),
		SYS_TEST(its_default_command_is_the_daemon_which_reports_and_ends),
		SYS_TEST(the_daemon_hears_of_a_program_that_begins),
		SYS_TEST(the_daemon_holds_nothing_seen_from_outside),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
