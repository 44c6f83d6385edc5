/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cures as text to paste: a patch of the owner's template, a fragment of a manifest, or the
 * runtime's own options, with a comment that says where it belongs. It must not promise what does
 * not help: what a container was not given is not cured by changing what it is given.
 */
#include "remedy.h"

#include <capauditd/report.h>

#include <ctype.h>
#include <string.h>

#define NAME_LIMIT 512u
#define STEP	   2 /* spaces a level of YAML */

static bool has_text(const char *text)
{
	return text && *text;
}

/* "container web of pod shop/cart-7d4f" */
static void add_container(struct sentence *s, const struct container *container)
{
	const struct pod *pod = &container->pod;

	sentence_add(s, "container ");
	if (has_text(container->name))
		sentence_add_text(s, container->name, NAME_LIMIT);
	else
		sentence_add_text(s, container->id, sentence_short_id(container->id));
	if (!container->in_pod)
		return;
	sentence_add(s, " of pod ");
	if (has_text(pod->namespace_name)) {
		sentence_add_text(s, pod->namespace_name, NAME_LIMIT);
		sentence_add(s, "/");
	}
	sentence_add_text(s,
		has_text(pod->name)  ? pod->name
		: has_text(pod->uid) ? pod->uid
				     : "?",
		NAME_LIMIT);
}

/* A YAML scalar that is a string whatever it looks like: a container may be called "true" or "1".
 */
static void add_quoted(struct sentence *s, const char *text, size_t length)
{
	size_t start = 0;

	sentence_add(s, "\"");
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '"' && text[i] != '\\')
			continue;
		sentence_add_text(s, text + start, i - start);
		sentence_add(s, "\\%c", text[i]);
		start = i + 1;
	}
	sentence_add_text(s, text + start, length - start);
	sentence_add(s, "\"");
}

/* Names with what a runtime wants between and before them. Those that have a number alone are left
 * out: no runtime knows them. */
static void add_names(struct sentence *s, capability_mask mask, const char *separator,
	const char *prefix, bool lower_case)
{
	bool first = true;

	for (unsigned n = 0; n < CAPABILITY_MAX; n++) {
		char name[CAPABILITY_NAME_SIZE];

		if (!(mask & CAPABILITY_BIT(n)) || !capability_info(n))
			continue;
		(void)capability_name(n, name);
		for (char *p = name; lower_case && *p; p++)
			*p = (char)tolower((unsigned char)*p);
		sentence_add(s, "%s%s%s", first ? "" : separator, prefix, name);
		first = false;
	}
}

/* ["NET_ADMIN", "NET_RAW"], which is YAML and JSON alike. */
static void add_list(struct sentence *s, capability_mask mask, const char *prefix)
{
	if (!(mask & sentence_all_capabilities())) {
		sentence_add(s, "[]");
		return;
	}
	sentence_add(s, "[\"");
	add_names(s, mask, "\", \"", prefix, false);
	sentence_add(s, "\"]");
}

static void add_drop_and_add(struct sentence *s, const struct cure *cure, int indent)
{
	if (cure->remedy->drop_all)
		sentence_add(s, "%*sdrop: [\"ALL\"]\n", indent, "");
	/* Said even where it is empty: in a patch it replaces what was added before. */
	sentence_add(s, "%*sadd: ", indent, "");
	add_list(s, cure->remedy->add, "");
	sentence_add(s, "\n");
}

/* The container's own level, from its securityContext on. */
static void add_fragment(struct sentence *s, const struct cure *cure)
{
	sentence_add(s, "securityContext:\n");
	if (cure->privileged)
		sentence_add(s, "%*sprivileged: false\n", STEP, "");
	sentence_add(s, "%*scapabilities:\n", STEP, "");
	add_drop_and_add(s, cure, 2 * STEP);
}

/* One part of "spec.containers[name=web].securityContext": its key, and the name that selects an
 * item of a list (NULL: no list). */
struct part {
	const char *key, *name;
	size_t key_length, name_length;
};

/* Reads the part at *position and moves on behind it; false at the end, or where it is of another
 * form. */
static bool next_part(const char **position, struct part *ret)
{
	static const char selector[] = "[name=";
	const char *p = *position;

	*ret = (struct part){ .key = p,
		.key_length = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") };
	p += ret->key_length;
	if (!ret->key_length)
		return false;
	if (strncmp(p, selector, strlen(selector)) == 0) {
		ret->name = p + strlen(selector);
		ret->name_length = strcspn(ret->name, "]");
		p = ret->name + ret->name_length;
		if (*p++ != ']')
			return false;
	}
	if (*p == '.' && p[1])
		p++;
	else if (*p)
		return false;
	*position = p;
	return true;
}

static bool is_path(const char *field)
{
	struct part part;

	while (*field)
		if (!next_part(&field, &part))
			return false;
	return true;
}

/* The whole way down to the field, for a strategic merge patch of its owner. */
static void add_patch(struct sentence *s, const struct cure *cure)
{
	const char *position = cure->remedy->field;
	struct part part;
	int indent = 0;

	while (*position && next_part(&position, &part)) {
		if (!*position && cure->privileged)
			sentence_add(s, "%*sprivileged: false\n", indent, "");
		sentence_add(s, "%*s%.*s:\n", indent, "", (int)part.key_length, part.key);
		if (part.name) {
			sentence_add(s, "%*s- name: ", indent, "");
			add_quoted(s, part.name, part.name_length);
			sentence_add(s, "\n");
		}
		indent += STEP;
	}
	add_drop_and_add(s, cure, indent);
}

static void add_manifest_comment(struct sentence *s, const struct cure *cure)
{
	const char *of = cure->remedy->of;

	sentence_add(s, "# ");
	add_container(s, cure->container);
	if (cure->container->pod.is_static) {
		sentence_add(s, ": a static pod; change its manifest on the node");
	} else if (has_text(of)) {
		sentence_add(s, ": in ");
		sentence_add_text(s, of, NAME_LIMIT);
	} else {
		sentence_add(s, ": where its pod is declared");
	}
	sentence_add(s, "\n");
	if (cure->perhaps_privileged)
		sentence_add(s,
			"# privileged: true overrides capabilities: if it is there, remove it\n");
}

static void add_kubernetes(struct sentence *s, const struct cure *cure)
{
	const char *field = cure->remedy->field;

	if (cure->container->type == CONTAINER_EPHEMERAL) {
		sentence_add(s, "# ");
		add_container(s, cure->container);
		sentence_add(s, ": an ephemeral container cannot be changed.\n"
				"# Recreate the pod, and debug it with kubectl debug "
				"--profile=restricted.\n");
		return;
	}
	add_manifest_comment(s, cure);
	if (has_text(field) && is_path(field))
		add_patch(s, cure);
	else
		add_fragment(s, cure);
}

/* Docker's options, which Podman and nerdctl took over. */
static void add_options(struct sentence *s, const struct cure *cure)
{
	const char *gap = "";

	if (cure->perhaps_privileged)
		sentence_add(s, "# --privileged overrides these: if it is there, remove it\n");
	if (cure->remedy->drop_all) {
		sentence_add(s, "--cap-drop=ALL");
		gap = " ";
	}
	if (cure->remedy->add & sentence_all_capabilities()) {
		sentence_add(s, "%s", gap);
		add_names(s, cure->remedy->add, " ", "--cap-add=", false);
	}
	sentence_add(s, "\n");
}

/* Whole systems run in LXC and nspawn, and end without what their init needs: they lose no more
 * than the excess. */
static void add_lxc(struct sentence *s, const struct cure *cure)
{
	sentence_add(s, "lxc.cap.drop = ");
	add_names(s, cure->excess, " ", "", true);
	sentence_add(s, "\n");
}

static void add_nspawn(struct sentence *s, const struct cure *cure)
{
	sentence_add(s, "[Exec]\nDropCapability=");
	add_names(s, cure->excess, " ", "CAP_", false);
	sentence_add(s, "\n");
}

static void add_oci(struct sentence *s, const struct cure *cure)
{
	add_list(s, cure->remedy->add, "CAP_");
	sentence_add(s, "\n");
}

static const struct runtime_row {
	const char *runtime;
	const char *where;
	void (*add)(struct sentence *sentence, const struct cure *cure);
} rows[] = {
	{ "docker", "start it anew, with these options of docker run", add_options },
	{ "podman", "start it anew, with these options of podman run", add_options },
	{ "containerd", "start it anew, with these options of nerdctl run", add_options },
	{ "lxc", "in its LXC configuration", add_lxc },
	{ "nspawn", "in its .nspawn file", add_nspawn },
};

static const struct runtime_row other_runtime = { "",
	"each set of process.capabilities of its OCI config.json, or what its runtime makes that "
	"from",
	add_oci };

static void add_runtime(struct sentence *s, const struct cure *cure)
{
	const struct container *container = cure->container;
	const struct runtime_row *row = &other_runtime;

	for (size_t i = 0; container->runtime && i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].runtime, container->runtime) == 0)
			row = &rows[i];
	sentence_add(s, "# ");
	add_container(s, container);
	sentence_add(s, ": %s\n", row->where);
	row->add(s, cure);
}

void cure_add(struct sentence *s, const struct cure *cure)
{
	if (cure->container->in_pod)
		add_kubernetes(s, cure);
	else
		add_runtime(s, cure);
}

/* What was not given cannot be taken away by giving less. */
static void add_drift(struct sentence *s, const struct finding *finding)
{
	const struct process *process = &finding->process;
	const bool moved = finding->hints & (1u << HINT_MOVED);

	sentence_add(s, "# ");
	add_container(s, &finding->container);
	sentence_add(s, ": process %ld", (long)process->pid);
	if (process->comm[0]) {
		sentence_add(s, " (");
		sentence_add_text(s, process->comm, sizeof(process->comm));
		sentence_add(s, ")");
	}
	if (moved)
		sentence_add(s, " was moved out of it.\n# Find out what moved it.");
	else
		sentence_add(s,
			" has what the container was not given: changing what it is given does not "
			"help.\n# Find out what started it: exec or debug with more privileges, or "
			"an "
			"intruder.");
	sentence_add(s, " Then %s, so that a new one takes its place.\n",
		finding->container.in_pod ? "delete the pod" : "remove the container");
}

char *remedy_to_text(const struct finding *finding)
{
	const capability_mask held = capability_sets_held(&finding->process.sets);
	const capability_mask all = sentence_all_capabilities();
	const struct cure cure = {
		.container = &finding->container,
		.remedy = &finding->remedy,
		.excess = capability_sets_all(&finding->excess),
		.privileged =
			finding->container.declared.known && finding->container.declared.privileged,
		.perhaps_privileged = !finding->container.declared.known && (held & all) == all,
	};
	struct sentence s;

	sentence_begin(&s);
	if (finding->verdict == VERDICT_VIOLATION && finding->class == CLASS_DRIFT &&
		!finding->container.host)
		add_drift(&s, finding);
	else if (finding->remedy.known)
		cure_add(&s, &cure);
	return sentence_end(&s);
}
