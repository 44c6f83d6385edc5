/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an OCI config.json says of a container: annotations and capabilities. The rest, the
 * environment above all, is passed over without being built into values.
 */
#include <capauditd/bundle.h>

#include "json_piece.h"

#include <capauditd/json_text.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void bundle_done(struct bundle *bundle)
{
	free(bundle->namespace_name);
	free(bundle->pod);
	free(bundle->container);
	free(bundle->image);
	*bundle = (struct bundle){ 0 };
}

/* What a runtime calls things in its annotations. */
struct dialect {
	const char *type, *sandbox_id; /* NULL: it does not say */
	const char *namespace_name, *pod, *pod_uid, *container, *image;
	bool only_in_pod; /* an image can claim these: believed only where the cgroup is a pod's */
};

/* containerd's CRI plugin (pkg/cri/annotations), CRI-O (pkg/annotations), and the labels that
 * Docker's shim gave its containers. */
static const struct dialect containerd = {
	.type = "io.kubernetes.cri.container-type",
	.sandbox_id = "io.kubernetes.cri.sandbox-id",
	.namespace_name = "io.kubernetes.cri.sandbox-namespace",
	.pod = "io.kubernetes.cri.sandbox-name",
	.pod_uid = "io.kubernetes.cri.sandbox-uid",
	.container = "io.kubernetes.cri.container-name",
	.image = "io.kubernetes.cri.image-name",
};
static const struct dialect cri_o = {
	.type = "io.kubernetes.cri-o.ContainerType",
	.sandbox_id = "io.kubernetes.cri-o.SandboxID",
	.namespace_name = "io.kubernetes.pod.namespace",
	.pod = "io.kubernetes.pod.name",
	.pod_uid = "io.kubernetes.pod.uid",
	.container = "io.kubernetes.container.name",
	.image = "io.kubernetes.cri-o.ImageName",
};
/* Podman writes CRI-O's keys into containers that are no pod's of Kubernetes, and copies what an
 * image's manifest says: nothing of that is believed. */
static const struct dialect none = { 0 };
static const struct dialect docker = {
	.type = "io.kubernetes.docker.type",
	.namespace_name = "io.kubernetes.pod.namespace",
	.pod = "io.kubernetes.pod.name",
	.pod_uid = "io.kubernetes.pod.uid",
	.container = "io.kubernetes.container.name",
	.only_in_pod = true,
};

static const struct {
	const char *runtime;
	const struct dialect *dialect;
} dialects[] = {
	{ "containerd", &containerd },
	{ "cri-o", &cri_o },
	{ "podman", &none },
	{ "docker", &docker },
};

static const char *text_of(const json_t *annotations, const char *key)
{
	const char *text = key ? json_text_of(json_object_get(annotations, key)) : NULL;

	return text && text[0] ? text : NULL;
}

/* Where the cgroup's path names no runtime (Kubernetes with cgroupfs) the annotations tell. Each
 * runtime overwrites its own keys, but may hand on those that a pod's author wrote in the other's
 * words (CRI-O does, containerd where it is told to): with both, one is a lie. */
static const struct dialect *guess_dialect(const json_t *annotations)
{
	const char *manager = text_of(annotations, "io.container.manager");

	if (!manager)
		return &containerd;
	if (strcmp(manager, "cri-o") == 0 && !text_of(annotations, containerd.type))
		return &cri_o;
	return &none;
}

static const struct dialect *choose_dialect(const char *runtime, const json_t *annotations)
{
	for (size_t i = 0; runtime && i < ARRAY_SIZE(dialects); i++)
		if (strcmp(dialects[i].runtime, runtime) == 0)
			return dialects[i].dialect;
	return guess_dialect(annotations);
}

static int read_annotations(const json_t *annotations, const char *runtime, const char *id,
	bool in_pod, struct bundle *ret)
{
	const struct dialect *dialect = choose_dialect(runtime, annotations);
	const char *type = text_of(annotations, dialect->type);
	const char *sandbox = text_of(annotations, dialect->sandbox_id);
	const char *uid = text_of(annotations, dialect->pod_uid);
	int r;

	if (dialect->only_in_pod && !in_pod)
		return 0;
	ret->is_sandbox =
		(type && (strcmp(type, "sandbox") == 0 || strcmp(type, "podsandbox") == 0)) ||
		(sandbox && strcmp(sandbox, id) == 0);
	ret->is_container = !ret->is_sandbox && type && strcmp(type, "container") == 0;
	r = json_text_copy(text_of(annotations, dialect->namespace_name), &ret->namespace_name);
	if (r == 0)
		r = json_text_copy(text_of(annotations, dialect->pod), &ret->pod);
	/* A pod's author may write what he likes into CRI-O's annotations of the sandbox. */
	if (r == 0 && !ret->is_sandbox)
		r = json_text_copy(text_of(annotations, dialect->container), &ret->container);
	if (r == 0 && !ret->is_sandbox)
		r = json_text_copy(text_of(annotations, dialect->image), &ret->image);
	if (uid && pod_uid_is_valid(uid, strlen(uid)))
		memcpy(ret->pod_uid, uid, strlen(uid) + 1);
	return r;
}

/* runc knows names with CAP_ alone. What it does not know it does not grant either. */
static void read_bounding(const json_t *names, struct bundle *ret)
{
	size_t i;
	json_t *name;

	ret->granted_known = true;
	json_array_foreach((json_t *)names, i, name)
	{
		const char *text = json_text_of(name);
		unsigned number;

		if (text && strncmp(text, "CAP_", 4) == 0 &&
			capability_from_known_name(text, &number) == 0)
			ret->granted |= CAPABILITY_BIT(number);
	}
}

int bundle_parse(const char *text, size_t length, const char *runtime, const char *id, bool in_pod,
	struct bundle *ret)
{
	static const char *const annotations_path[] = { "annotations", NULL };
	static const char *const bounding_path[] = { "process", "capabilities", "bounding", NULL };
	static const char *const process_path[] = { "process", NULL };
	_cleanup_(json_decrefp) json_t *annotations = NULL, *bounding = NULL;
	struct bundle bundle = { 0 };
	const char *process;
	size_t process_length;
	int r = json_text_find(text, length, process_path, &process, &process_length);

	if (r == 0 && process[0] == '{') {
		r = json_value_at(text, length, bounding_path, &bounding);
		/* A process without the set is granted nothing. */
		if (r == 0)
			read_bounding(bounding, &bundle);
	}
	if (r == 0 || r == -ENOENT)
		r = json_value_at(text, length, annotations_path, &annotations);
	if (r == 0 && annotations)
		r = read_annotations(annotations, runtime, id, in_pod, &bundle);
	if (r < 0) {
		bundle_done(&bundle);
		return r;
	}
	*ret = bundle;
	return 0;
}
