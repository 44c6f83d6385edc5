/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OCI bundles: what a runtime was told about a container (config.json of the OCI runtime spec).
 *
 * A config.json holds the container's environment, secrets included. Nothing is taken from it but
 * annotations and capabilities, and the text is wiped before its memory is given back.
 */
#ifndef CAPAUDITD_BUNDLE_H
#define CAPAUDITD_BUNDLE_H

#include <capauditd/container.h>
#include <capauditd/macros.h>

#include <stdbool.h>
#include <stddef.h>

#define BUNDLE_TEXT_MAX (8u * 1024u * 1024u) /* a larger config.json is refused */

/* What a bundle says. Strings are owned; NULL where it does not say. */
struct bundle {
	char *namespace_name, *pod, *container, *image;
	char pod_uid[POD_UID_SIZE];    /* "" where it does not say (containerd before 1.7) */
	bool is_sandbox, is_container; /* neither: it does not say */
	bool granted_known;
	capability_mask granted; /* the bounding set */
};
void bundle_done(struct bundle *bundle);

/* Reads the annotations and the capabilities out of a config.json. `runtime` is the one that the
 * container's cgroup names ("docker": image labels can claim io.kubernetes.*, which is believed
 * only where `in_pod`), `id` the container's. 0; -EBADMSG; -ENOMEM. */
int bundle_parse(const char *text, size_t length, const char *runtime, const char *id, bool in_pod,
	struct bundle *ret);

struct bundles;

/* `host_root` is put before every path. `folders` NULL: the runtimes' default folders; empty: none
 * is ever looked at; else these alone: task folders, each of which holds ID/config.json,
 * ID/userdata/config.json, or NAMESPACE/ID/config.json. Copied. NULL when out of memory. */
struct bundles *bundles_new(const char *host_root, const char *const *folders);
void bundles_free(struct bundles *bundles);
DEFINE_CLEANUP(struct bundles, bundles_free)

/* Folders that could not be opened are tried again from here on: once for all containers of a pass,
 * of which many may have no bundle anywhere. */
void bundles_begin(struct bundles *bundles);

/* Finds and reads the bundle of one container, by its id alone: no folder is listed but those of a
 * runtime's namespaces. 0; -ENOENT where there is none; -EACCES where a folder that could hold it
 * may not be read; -EBADMSG; -ENOMEM. Follows no symbolic link below a task folder. */
int bundles_look_up(struct bundles *bundles, const struct container *container, struct bundle *ret);

/* The folder that refused to be read, for one sentence; NULL: none did. */
const char *bundles_refused(const struct bundles *bundles);

/* Whether they could be read when they were asked last. 1; 0; -ENOENT where they are not in use:
 * none is to be looked at, or nobody asked for any and the runtimes' own are closed to us, as they
 * are to whoever is not root. That is no failure, and nothing will come of it. */
int bundles_up(const struct bundles *bundles);

#endif
