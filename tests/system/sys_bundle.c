/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What runc is told: config.json of a container (OCI runtime specification 1.0), and the process
 * that `runc exec` starts in it.
 */
#include "sys.h"

#include <cap-ng.h>
#include <ctype.h>

#define MAPPED_USER 231072 /* where a container's own user namespace begins */

json_t *sys_capability_names(uint64_t mask)
{
	json_t *names = json_array();

	for (unsigned i = 0; i < 64; i++) {
		const char *name = mask >> i & 1 ? capng_capability_to_name(i) : NULL;
		char text[64] = "CAP_";

		for (size_t k = 0; name && name[k] && k < sizeof(text) - 5; k++) {
			text[4 + k] = (char)toupper((unsigned char)name[k]);
			text[5 + k] = '\0';
		}
		if (name)
			(void)json_array_append_new(names, json_string(text));
	}
	return names;
}

const char *sys_names(struct sys *sys, uint64_t mask)
{
	json_t *names = sys_capability_names(mask), *name;
	char *text = calloc(1, 64 * 32), *end = text;
	size_t i;

	if (!text)
		fail_msg("out of memory");
	json_array_foreach(names, i, name)
	{
		end += sprintf(end, "%s%s", i ? " " : "", json_string_value(name) + strlen("CAP_"));
	}
	json_decref(names);
	sys_own(sys, text, free);
	return text;
}

static json_t *arguments(const char *const *argv)
{
	static const char *const pause[] = { "/bin/inside", "pause", NULL };
	json_t *list = json_array();

	for (size_t i = 0; (argv ? argv : pause)[i]; i++)
		(void)json_array_append_new(list, json_string((argv ? argv : pause)[i]));
	return list;
}

json_t *sys_bundle_process(const struct sys_spec *spec)
{
	uint64_t bounding = spec->capabilities | spec->bounding_only;

	return json_pack("{s:b, s:{s:i, s:i}, s:o, s:[s], s:s, s:{s:o, s:o, s:o}, s:b}", "terminal",
		0, "user", "uid", (int)spec->uid, "gid", (int)spec->uid, "args",
		arguments(spec->argv), "env", "PATH=/bin", "cwd", "/", "capabilities", "bounding",
		sys_capability_names(bounding), "effective",
		sys_capability_names(spec->capabilities), "permitted",
		sys_capability_names(spec->capabilities), "noNewPrivileges",
		(int)spec->no_new_privs);
}

static json_t *namespaces(const struct sys_spec *spec)
{
	const struct {
		const char *type;
		bool wanted;
	} rows[] = {
		{ "pid", true },
		{ "mount", true },
		{ "ipc", true },
		{ "uts", true },
		{ "network", !spec->host_network },
		{ "user", spec->user_namespace },
	};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].wanted)
			(void)json_array_append_new(list, json_pack("{s:s}", "type", rows[i].type));
	return list;
}

static json_t *mapping(void)
{
	return json_pack(
		"[{s:i, s:i, s:i}]", "containerID", 0, "hostID", MAPPED_USER, "size", 65536);
}

json_t *sys_bundle(const struct sys *sys, const struct sys_spec *spec, const char *cgroup)
{
	json_t *system =
		json_pack("{s:s, s:o}", "cgroupsPath", cgroup, "namespaces", namespaces(spec));

	if (spec->user_namespace) {
		(void)json_object_set_new(system, "uidMappings", mapping());
		(void)json_object_set_new(system, "gidMappings", mapping());
	}
	/* A filter that forbids what nobody here calls. */
	if (spec->seccomp)
		(void)json_object_set_new(system, "seccomp",
			json_pack("{s:s, s:[{s:[s], s:s}]}", "defaultAction", "SCMP_ACT_ALLOW",
				"syscalls", "names", "kexec_load", "action", "SCMP_ACT_ERRNO"));
	return json_pack("{s:s, s:{s:s, s:b}, s:o, s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}], s:o}",
		"ociVersion", "1.0.2", "root", "path", sys->rootfs, "readonly", 1, "process",
		sys_bundle_process(spec), "mounts", "destination", "/proc", "type", "proc",
		"source", "proc", "destination", "/dev", "type", "tmpfs", "source", "tmpfs",
		"linux", system);
}
