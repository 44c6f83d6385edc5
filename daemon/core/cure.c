/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cure of a posture: which field of whose template, and what is to stand there. What it looks
 * like as text is the report's business.
 */
#include "judge_internal.h"

#include <capauditd/sentence.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the kinds of Kubernetes' own controllers keep the pod that they make. */
static const struct {
	const char *kind;
	const char *template; /* before "spec.containers" */
} kinds[] = {
	{ "Pod", "" },
	{ "Node", "" }, /* a static pod: the manifest on the node is a pod */
	{ "Deployment", "spec.template." },
	{ "ReplicaSet", "spec.template." },
	{ "ReplicationController", "spec.template." },
	{ "StatefulSet", "spec.template." },
	{ "DaemonSet", "spec.template." },
	{ "Job", "spec.template." },
	{ "CronJob", "spec.jobTemplate.spec.template." },
};

static bool is_kind(const char *owner, const char *kind)
{
	size_t length = strcspn(owner, "/");

	return strlen(kind) == length && memcmp(kind, owner, length) == 0;
}

/* NULL: another controller's, whose fields are not known here. */
static const char *find_template(const char *owner)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (is_kind(owner, kinds[i].kind))
			return kinds[i].template;
	return NULL;
}

/* The list of the pod's spec that a container of that type stands in; NULL: it is not known, or
 * cannot be changed (ephemeral). */
static const char *find_list(enum container_type type)
{
	switch (type) {
	case CONTAINER_INIT:
	case CONTAINER_SIDECAR:
		return "initContainers";
	case CONTAINER_REGULAR:
		return "containers";
	case CONTAINER_EPHEMERAL:
	case CONTAINER_SANDBOX:
	case CONTAINER_UNKNOWN:
	case CONTAINER_TYPES:
		break;
	}
	return NULL;
}

static char *make_owner(const struct pod *pod)
{
	char *owner;

	/* Nodes own nothing but the mirrors of static pods. Another pod that names one as its
	 * owner, as its author may, is changed itself. */
	if (pod->owner && (pod->is_static || !is_kind(pod->owner, "Node")))
		return strdup(pod->owner);
	return asprintf(&owner, "Pod/%s", pod->name) < 0 ? NULL : owner;
}

static int name_field(struct finding *f)
{
	const struct container *c = &f->container;
	const char *list = find_list(c->type), *template;

	/* Nobody owns it only where the API has said so. */
	if (!c->pod.known || !c->pod.name || c->type == CONTAINER_EPHEMERAL)
		return 0;
	f->remedy.of = make_owner(&c->pod);
	if (!f->remedy.of)
		return -ENOMEM;
	template = find_template(f->remedy.of);
	if (!template || !list || !c->name)
		return 0;
	if (asprintf(&f->remedy.field, "%sspec.%s[name=%s].securityContext.capabilities", template,
		    list, c->name) < 0)
		f->remedy.field = NULL;
	return f->remedy.field ? 0 : -ENOMEM;
}

/* What the container is known to need of what its profile permits: what the manifest adds. Where
 * what was declared is not known: of a set that was chosen all of it; of a runtime's untouched
 * default nothing. */
static capability_mask find_permitted(
	const struct observation *o, const struct declaration *declared)
{
	if (declared->known)
		return declared->privileged ? 0 : judge_declared(declared) & o->allow;
	if ((o->granted & JUDGE_COMMON_DEFAULT) == JUDGE_COMMON_DEFAULT)
		return 0;
	return o->granted & o->allow;
}

/* An exception is somebody's word that the container needs what it covers, whoever gave it that: a
 * manifest, `privileged` or the runtime. */
static capability_mask find_excepted(const struct judge_input *input, const struct observation *o,
	const struct declaration *declared)
{
	capability_mask has = o->granted | (declared->known ? declared->add : 0);
	struct policy_subject subject;

	judge_subject(input, o->task, &subject);
	return policy_except(input->policy, &subject, CLASS_POSTURE, has & ~o->allow,
		policy_day(input->now_us), NULL);
}

int judge_cure(const struct judge_input *input, const struct observation *o, struct finding *f)
{
	const struct declaration *declared = &f->container.declared;

	if (f->class != CLASS_POSTURE || f->verdict != VERDICT_VIOLATION ||
		f->relation == RELATION_NESTED || f->container.host)
		return 0;
	f->remedy.known = true;
	f->remedy.drop_all = true;
	/* A manifest cannot ask for what has no name. */
	f->remedy.add = (find_permitted(o, declared) | find_excepted(input, o, declared)) &
			sentence_all_capabilities();
	return name_field(f);
}
