/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program's own image (make image): unpacked to be looked at, imported into the tests'
 * containerd, and run as the DaemonSet's pod is.
 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

static char *archive(struct sys *sys)
{
	const char *named = getenv("CAPAUDITD_IMAGE");
	const char *program = getenv("CAPAUDITD") ? getenv("CAPAUDITD") : "build/capauditd";
	const char *slash = strrchr(program, '/');

	if (named)
		return sys_print(sys, "%s", named);
	return sys_print(
		sys, "%.*scapauditd-image.tar", slash ? (int)(slash + 1 - program) : 0, program);
}

static void unpack(struct sys *sys, const char *file, const char *folder)
{
	sys_make_directories(folder);
	const struct sys_result *tar =
		sys_command_line(sys, "tar", "-C", folder, "--no-same-owner", "-xpf", file, NULL);
	if (tar->status != 0)
		fail_msg("%s: %s", file, tar->err);
}

static char *layout(struct sys *sys)
{
	return sys_print(sys, "%s/image/layout", sys->directory);
}

static json_t *load(struct sys *sys, const char *file)
{
	json_error_t error;
	json_t *json = json_load_file(file, JSON_REJECT_DUPLICATES, &error);

	if (!json)
		fail_msg("%s: %s", file, error.text);
	sys_own(sys, json, (void (*)(void *))json_decref);
	return json;
}

/* The blob that a descriptor names. */
static char *blob(struct sys *sys, json_t *descriptor)
{
	const char *digest = json_string_value(json_object_get(descriptor, "digest"));

	if (!digest || strncmp(digest, "sha256:", 7) != 0)
		fail_msg("a descriptor without a digest");
	return sys_print(sys, "%s/blobs/sha256/%s", layout(sys), digest + 7);
}

static json_t *manifest(struct sys *sys)
{
	json_t *index = load(sys, sys_print(sys, "%s/index.json", layout(sys)));
	json_t *manifests = json_object_get(index, "manifests");

	assert_int_equal(json_array_size(manifests), 1);
	return load(sys, blob(sys, json_array_get(manifests, 0)));
}

json_t *sys_image_configuration(struct sys *sys)
{
	return load(sys, blob(sys, json_object_get(manifest(sys), "config")));
}

const char *sys_image_layer(struct sys *sys)
{
	json_t *layers = json_object_get(manifest(sys), "layers");

	assert_int_equal(json_array_size(layers), 1);
	return blob(sys, json_array_get(layers, 0));
}

const char *sys_image_root(struct sys *sys)
{
	return sys_print(sys, "%s/image/root", sys->directory);
}

static char *name(struct sys *sys)
{
	json_t *index = load(sys, sys_print(sys, "%s/index.json", layout(sys)));
	json_t *annotations = json_object_get(
		json_array_get(json_object_get(index, "manifests"), 0), "annotations");

	return sys_print(sys, "%s",
		json_string_value(json_object_get(annotations, "io.containerd.image.name")));
}

void sys_need_image(struct sys *sys)
{
	const char *const import[] = { "images", "import", "--no-unpack", archive(sys), NULL };

	sys_need_containerd(sys);
	if (sys->have_image)
		return;
	if (!getenv("CAPAUDITD_IMAGE") && access(archive(sys), R_OK) != 0) {
		print_message("skipped: %s is not built\n", archive(sys));
		skip();
	}
	unpack(sys, archive(sys), layout(sys));
	unpack(sys, sys_image_layer(sys), sys_image_root(sys));
	const struct sys_result *imported = sys_ctr(sys, import);
	if (imported->status != 0)
		fail_msg("ctr images import: %s", imported->err);
	sys->have_image = true;
}

static char *cgroup_namespace(struct sys *sys, const struct sys_container *container)
{
	return sys_print(sys, "%s/%s.cgroup-namespace", sys->directory, container->id);
}

struct entry {
	struct sys *sys;
	const struct sys_container *container;
};

/* In a child, which ends and leaves the namespace mounted, and the cgroup empty for runc. */
static int prepare_namespace(void *data)
{
	const struct entry *entry = data;
	char *file = cgroup_namespace(entry->sys, entry->container);

	if (sys_cgroup_move(entry->sys, entry->container->cgroup, getpid()) == 0)
		return -EIO;
	if (unshare(CLONE_NEWCGROUP) != 0 ||
		mount("/proc/self/ns/cgroup", file, NULL, MS_BIND, NULL) != 0)
		return -errno;
	return 0;
}

/* On a v1 host a runtime leaves its containers in the host's cgroup namespace unless it is told
 * otherwise, and ctr has no option for a new one: it can only join one. */
struct sys_container *sys_image_container(struct sys *sys)
{
	static const char *const nothing[] = { "true", NULL };
	struct sys_container *container = sys_containerd_new(sys);
	struct entry entry = { .sys = sys, .container = container };

	sys_write_file(cgroup_namespace(sys, container), "");
	if (sys_cgroup_make(sys, container->cgroup) == 0)
		fail_msg("%s: cannot be made", container->cgroup);
	const struct sys_result *made = sys_command(
		sys, &(struct sys_command){
			     .argv = nothing, .prepare = prepare_namespace, .data = &entry });
	if (made->status != 0)
		fail_msg("no cgroup namespace: %s", made->err);
	return container;
}

#define OPTIONS_MAX 80

struct options {
	const char *list[OPTIONS_MAX + 1];
	size_t count;
};

static void add(struct options *options, const char *option)
{
	if (options->count == OPTIONS_MAX)
		fail_msg("too many options");
	options->list[options->count++] = option;
}

static void add_two(struct options *options, const char *option, const char *value)
{
	add(options, option);
	add(options, value);
}

static void add_mount(
	struct sys *sys, struct options *options, const char *from, const char *to, const char *how)
{
	add_two(options, "--mount",
		sys_print(sys, "type=bind,src=%s,dst=%s,options=rbind:%s", from, to, how));
}

/* As config/kubernetes/ has it. */
static void as_daemonset(
	struct sys *sys, const struct sys_container *container, struct options *options)
{
	json_t *dropped = sys_capability_names(SYS_DEFAULT_SET), *capability;
	char *state = sys_print(sys, "%s/state", sys->directory);
	size_t i;

	json_array_foreach(dropped, i, capability)
	{
		add_two(options, "--cap-drop", sys_print(sys, "%s", json_string_value(capability)));
	}
	json_decref(dropped);
	add(options, "--read-only");
	add(options, "--seccomp");
	add_two(options, "--with-ns", sys_print(sys, "pid:/proc/%d/ns/pid", (int)getpid()));
	add_two(options, "--with-ns",
		sys_print(sys, "cgroup:%s", cgroup_namespace(sys, container)));
	add_mount(sys, options, "/sys/fs/cgroup", "/host/sys/fs/cgroup", "ro");
	add_mount(sys, options, sys_print(sys, "%s/var/log/pods", sys->host_root),
		"/host/var/log/pods", "ro");
	add_mount(sys, options, sys_print(sys, "%s/var/log/containers", sys->host_root),
		"/host/var/log/containers", "ro");
	sys_make_directories(state);
	add_mount(sys, options, state, "/var/lib/capauditd", "rw");
	/* Everybody may write to an emptyDir. */
	add_two(options, "--mount", "type=tmpfs,src=tmpfs,dst=/run,options=mode=0777:rw");
	/* Of a sanitized program: the same as outside. */
	if (getenv("ASAN_OPTIONS"))
		add_two(options, "--env",
			sys_print(sys, "ASAN_OPTIONS=%s", getenv("ASAN_OPTIONS")));
}

struct sys_result *sys_image_run(struct sys *sys, const struct sys_container *container,
	const char *const *options, const char *const *argv)
{
	struct options all = { 0 };

	as_daemonset(sys, container, &all);
	for (size_t i = 0; options && options[i]; i++)
		add(&all, options[i]);
	return sys_ctr_run(sys, container, all.list, name(sys), argv);
}
