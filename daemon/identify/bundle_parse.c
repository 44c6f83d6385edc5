/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an OCI config.json says of a container: annotations and capabilities. The rest, the
 * environment above all, is passed over without being built into values.
 */
#include <capauditd/bundle.h>

#include <capauditd/json_text.h>

#include <errno.h>
#include <jansson.h>
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

/* A zero byte is legal in JSON and in no name. */
static const char *plain_text(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && text[0] && strlen(text) == json_string_length(value) ? text : NULL;
}

static const char *text_of(const json_t *annotations, const char *key)
{
	return key ? plain_text(json_object_get(annotations, key)) : NULL;
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

static int copy(char **ret, const char *text)
{
	if (!text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

/* "11111111-2222-3333-4444-555555555555", or the 32 digits of a static pod's hash. */
static bool is_uid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	const size_t length = strlen(text);

	if (length == 32)
		return strspn(text, "0123456789abcdef") == length;
	if (length != strlen(form))
		return false;
	for (size_t i = 0; i < length; i++)
		if (form[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdef", text[i]))
			return false;
	return true;
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
	r = copy(&ret->namespace_name, text_of(annotations, dialect->namespace_name));
	if (r == 0)
		r = copy(&ret->pod, text_of(annotations, dialect->pod));
	/* A pod's author may write what he likes into CRI-O's annotations of the sandbox. */
	if (r == 0 && !ret->is_sandbox)
		r = copy(&ret->container, text_of(annotations, dialect->container));
	if (r == 0 && !ret->is_sandbox)
		r = copy(&ret->image, text_of(annotations, dialect->image));
	if (uid && is_uid(uid))
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
		const char *text = plain_text(name);
		unsigned number;

		if (text && strncmp(text, "CAP_", 4) == 0 &&
			capability_from_name(text, &number) == 0 && capability_info(number))
			ret->granted |= CAPABILITY_BIT(number);
	}
}

/* Nothing, where there is no such value. */
static int load(const char *text, size_t length, const char *const *path, json_t **ret)
{
	const char *found;
	size_t found_length;
	json_error_t error;
	int r = json_text_find(text, length, path, &found, &found_length);

	*ret = NULL;
	if (r < 0)
		return r;
	errno = 0; /* jansson 2.14 leaves its own code unset where memory is short */
	*ret = json_loadb(found, found_length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (*ret)
		return 0;
	return errno == ENOMEM ? -ENOMEM : -EBADMSG;
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
		r = load(text, length, bounding_path, &bounding);
		/* A process without the set is granted nothing. */
		if (r == 0 || r == -ENOENT)
			read_bounding(bounding, &bundle);
	}
	if (r == 0 || r == -ENOENT)
		r = load(text, length, annotations_path, &annotations);
	if (r == 0)
		r = read_annotations(annotations, runtime, id, in_pod, &bundle);
	else if (r == -ENOENT)
		r = 0;
	if (r < 0) {
		bundle_done(&bundle);
		return r;
	}
	*ret = bundle;
	return 0;
}
