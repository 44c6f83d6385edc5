/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sentence that says a finding to a person: who has what, and why that is too much. Every word
 * in it that a container could choose is escaped. Knows nothing of where the sentence is shown.
 */
#include <capauditd/finding.h>

#include <capauditd/sentence.h>

#include <ctype.h>
#include <string.h>

#define LIST_MAX   8u	/* capabilities named before "and N more" */
#define NAME_LIMIT 512u /* bytes of one name that are shown */

/* Something that a process did, told before what it holds. */
static const struct deed {
	enum hint hint;
	const char *live, *past;
} deeds[] = {
	{ HINT_MOVED, " was moved out of it", " that was moved out of it" },
	{ HINT_LEFT_USER_NAMESPACE, " entered an ancestor's user namespace",
		" that entered an ancestor's user namespace" },
};

static const struct deed *find_deed(const struct finding *finding)
{
	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++)
		if (finding->hints & (1u << deeds[i].hint))
			return &deeds[i];
	return NULL;
}

/* "shop/cart-7d4f", or of it what is known; false where nothing is. */
static bool add_pod(struct sentence *s, const struct container *container)
{
	const struct pod *pod = &container->pod;

	if (!container->in_pod)
		return false;
	if (pod->name && pod->namespace_name) {
		sentence_add_text(s, pod->namespace_name, NAME_LIMIT);
		sentence_add(s, "/");
		sentence_add_text(s, pod->name, NAME_LIMIT);
	} else if (pod->name || pod->namespace_name) {
		sentence_add(s, pod->name ? "pod " : "namespace ");
		sentence_add_text(s, pod->name ? pod->name : pod->namespace_name, NAME_LIMIT);
	} else if (pod->uid[0]) {
		sentence_add(s, "pod ");
		sentence_add_text(s, pod->uid, sizeof(pod->uid));
	} else {
		return false;
	}
	return true;
}

/* "container web (shop/cart-7d4f, init)", "container 0123456789ab (runc)". The type is told where
 * it is not the usual one, the runtime where no pod says whose the container is. */
static void add_container(struct sentence *s, const struct container *container)
{
	const char *runtime = container->runtime;
	bool more;

	sentence_add(s, "container ");
	if (container->name)
		sentence_add_text(s, container->name, NAME_LIMIT);
	else
		sentence_add_text(s, container->id, sentence_short_id(container->id));
	sentence_add(s, " (");
	more = add_pod(s, container);
	if (!more) {
		if (!runtime || strncmp(runtime, "unknown", strlen("unknown")) == 0)
			sentence_add(s, "unknown runtime");
		else
			sentence_add_text(s, runtime, NAME_LIMIT);
	}
	if (container->type != CONTAINER_UNKNOWN && container->type != CONTAINER_REGULAR)
		sentence_add(s, ", %s", container_type_name(container->type));
	sentence_add(s, ")");
}

static void add_host_process(struct sentence *s, const struct finding *finding)
{
	const struct process *process = &finding->process;

	sentence_add(s, "host process ");
	sentence_add_text(s, process->comm, sizeof(process->comm));
	sentence_add(s, " (%ld", (long)process->pid);
	if (finding->container.cgroup) {
		sentence_add(s, ", ");
		sentence_add_text(s, finding->container.cgroup, NAME_LIMIT);
	}
	sentence_add(s, ")");
}

static void add_subject(struct sentence *s, const struct finding *finding)
{
	const struct process *process = &finding->process;
	const bool thread = process->tid != process->pid && process->tid > 0;

	if (finding->container.host) {
		if (thread)
			sentence_add(s, "thread %ld of ", (long)process->tid);
		add_host_process(s, finding);
		return;
	}
	if (thread)
		sentence_add(
			s, "thread %ld of process %ld in ", (long)process->tid, (long)process->pid);
	else if (find_deed(finding))
		sentence_add(s, "a process of ");
	add_container(s, &finding->container);
}

/* How the finding stands, between its subject and its capabilities. */
struct standing {
	const char *holds; /* of what can be used or raised now */
	const char *could; /* of the bounding set alone */
	const char
		*nothing; /* where there is no excess: somebody was moved, with nothing too much */
	const char *now;  /* what excuses it by now, in place of what it breaks; or NULL */
};

static const struct standing live = { " holds ", " could gain ", "", NULL };

static const struct standing resolved[] = {
	[RESOLVED_NOT] = { " no longer holds ", " can no longer gain ", " is not seen any more",
		NULL },
	[RESOLVED_EXITED] = { " has ended; it held ", " has ended; it could have gained ",
		" has ended", NULL },
	[RESOLVED_DROPPED] = { " no longer holds ", " can no longer gain ", " is not seen any more",
		NULL },
	[RESOLVED_POLICY] = { " holds ", " could gain ", "", "the policy now permits" },
	[RESOLVED_EXCEPTION] = { " holds ", " could gain ", "", "an exception now covers" },
	[RESOLVED_LEVEL] = { " holds ", " could gain ", "", "its namespace's level now permits" },
	[RESOLVED_REBOOT] = { " ended when the node was restarted; it held ",
		" ended when the node was restarted; it could have gained ",
		" ended when the node was restarted", NULL },
};

static const struct standing *find_standing(const struct finding *finding)
{
	if (finding->state != FINDING_RESOLVED)
		return &live;
	if ((size_t)finding->resolved_reason >= ARRAY_SIZE(resolved))
		return &resolved[RESOLVED_NOT];
	return &resolved[finding->resolved_reason];
}

/* The excess that its reach is about: what is held where anything is, the bounding set otherwise.
 */
static capability_mask told_excess(const struct finding *finding)
{
	const capability_mask held = capability_sets_held(&finding->excess);

	return held ? held : finding->excess.of[CAPABILITY_BOUNDING];
}

/* A process that has everything is told so, since a list of two dozen names hides that. Returns
 * how many of them are too many, where that was not said yet. */
static unsigned add_capabilities(struct sentence *s, const struct finding *finding)
{
	const struct capability_sets *sets = &finding->process.sets;
	const capability_mask excess = told_excess(finding), all = sentence_all_capabilities();
	const capability_mask has = capability_sets_held(&finding->excess)
					    ? capability_sets_held(sets)
					    : sets->of[CAPABILITY_BOUNDING];
	const unsigned count = (unsigned)__builtin_popcountll(excess);

	if (finding->state != FINDING_RESOLVED && count > LIST_MAX && (has & all) == all &&
		(excess & all) != all) {
		sentence_add(s, "all capabilities");
		return count;
	}
	sentence_add_capabilities(s, excess, LIST_MAX);
	return 0;
}

static void add_reason(struct sentence *s, const char *reason)
{
	size_t length = reason ? strlen(reason) : 0;

	while (length && (isspace((unsigned char)reason[length - 1]) || reason[length - 1] == '.'))
		length--;
	sentence_add_text(s, reason, length);
}

/* ", which profile restricted does not permit" */
static void add_breach(struct sentence *s, const struct finding *finding, unsigned of_all)
{
	char which[64];

	if (of_all)
		(void)snprintf(which, sizeof(which), ", %u of which", of_all);
	else
		(void)snprintf(which, sizeof(which), ", which");
	if (finding->class == CLASS_DRIFT) {
		sentence_add(s, "%s its container was not given", which);
		if (finding->verdict == VERDICT_EXCEPTED)
			sentence_add(s, "; excepted: ");
	} else if (finding->verdict == VERDICT_EXCEPTED) {
		if (of_all)
			sentence_add(s, "%s are excepted: ", which);
		else
			sentence_add(s, ", excepted: ");
	} else {
		sentence_add(s, "%s profile ", which);
		sentence_add_text(s, finding->profile ? finding->profile : "?", NAME_LIMIT);
		sentence_add(s,
			finding->verdict == VERDICT_TOLERATED ? " tolerates" : " does not permit");
	}
	if (finding->verdict == VERDICT_EXCEPTED)
		add_reason(s, finding->exception.reason);
}

static const char *place(enum namespace_relation relation)
{
	switch (relation) {
	case RELATION_INITIAL:
		break;
	case RELATION_OWN:
		return "in its own user namespace, ";
	case RELATION_NESTED:
		return "in a user namespace made inside it, ";
	}
	return "";
}

static void add_predicate(struct sentence *s, const struct finding *finding)
{
	const struct standing *standing = find_standing(finding);
	const struct deed *deed = find_deed(finding);
	const capability_mask excess = told_excess(finding);
	const bool past = finding->state == FINDING_RESOLVED;
	unsigned of_all;

	if (deed)
		sentence_add(s, "%s", past ? deed->past : deed->live);
	if (!excess) {
		if (past && standing->now)
			sentence_add(s, " did what %s", standing->now);
		else
			sentence_add(s, "%s", standing->nothing);
		return;
	}
	if (deed && !past)
		sentence_add(s, " and");
	sentence_add(s, "%s",
		capability_sets_held(&finding->excess) ? standing->holds : standing->could);
	of_all = add_capabilities(s, finding);
	if (standing->now)
		sentence_add(s, ", which %s", standing->now);
	else
		add_breach(s, finding, of_all);
}

char *finding_message(const struct finding *finding)
{
	struct sentence s;
	char *message;

	sentence_begin(&s);
	sentence_add(&s, "%s", place(finding->relation));
	add_subject(&s, finding);
	add_predicate(&s, finding);
	sentence_add(&s, ".");
	if (finding->provisional)
		sentence_add(&s, " (Provisional: its namespace's level is not known yet.)");
	message = sentence_end(&s);
	if (message)
		message[0] = (char)toupper((unsigned char)message[0]);
	return message;
}
