/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A finding as the JSON object that every sink receives (capauditd.finding/v1). It must know of a
 * finding nothing but what is in it: the journal's entry and scan's document show the same.
 */
#include "json_value.h"

#include <inttypes.h>
#include <string.h>

/* A message that was made just now; frees it. */
static json_t *take_string(char *string)
{
	json_t *value = string ? json_string_nocheck(string) : NULL;

	free(string);
	return value;
}

static json_t *mask_value(capability_mask mask)
{
	char text[19];

	(void)snprintf(text, sizeof(text), "0x%" PRIx64, mask);
	return json_string_nocheck(text);
}

static json_t *sets_value(const struct capability_sets *sets, json_t *value(capability_mask mask))
{
	/* docs/interface.md's order */
	static const enum capability_set order[CAPABILITY_SETS] = {
		CAPABILITY_EFFECTIVE,
		CAPABILITY_PERMITTED,
		CAPABILITY_INHERITABLE,
		CAPABILITY_AMBIENT,
		CAPABILITY_BOUNDING,
	};
	struct object o;

	object_begin(&o);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		object_put(&o, capability_set_name(order[i]), value(sets->of[order[i]]));
	return object_end(&o);
}

static json_t *origin_value(const struct finding *finding)
{
	const capability_mask excess = capability_sets_all(&finding->excess);
	struct object o;

	object_begin(&o);
	for (unsigned n = 0; n < CAPABILITY_MAX; n++) {
		char name[CAPABILITY_NAME_SIZE];

		if (excess & CAPABILITY_BIT(n))
			object_put(&o, capability_name(n, name),
				text_value(origin_name((enum origin)finding->origin[n])));
	}
	return object_end(&o);
}

static json_t *hints_value(const struct finding *finding)
{
	json_t *hints = json_array();

	for (unsigned hint = 0; hint < HINTS; hint++) {
		struct object o;

		if (!(finding->hints & (1u << hint)))
			continue;
		object_begin(&o);
		object_put(&o, "code", text_value(hint_code((enum hint)hint)));
		object_put(&o, "text", take_string(hint_text((enum hint)hint, finding)));
		if (!array_add(hints, object_end(&o))) {
			json_decref(hints);
			return NULL;
		}
	}
	return hints;
}

/* A list of texts; at most `count` of them. */
static json_t *texts_value(char *const *texts, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		if (!array_add(list, text_value(texts[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* The first word alone unless asked for more: arguments carry secrets. */
static json_t *cmdline_value(const struct process *process, bool full)
{
	size_t count = 0;

	while (process->cmdline && process->cmdline[count] && (full || count < 1))
		count++;
	return texts_value(process->cmdline, count);
}

/* Which user namespace it is may be unknown: null, since neither answer would be true. */
static json_t *user_namespace_value(const struct process *process)
{
	struct object o;

	object_begin(&o);
	object_put(&o, "initial",
		process->user_namespace == USER_NAMESPACE_UNKNOWN
			? json_null()
			: json_boolean(process->user_namespace == USER_NAMESPACE_INITIAL));
	object_put(&o, "inode",
		process->user_namespace_inode ? number_value(process->user_namespace_inode)
					      : json_null());
	return object_end(&o);
}

static json_t *process_value(const struct process *process, bool full_cmdline)
{
	char comm[sizeof(process->comm) + 1] = { 0 };
	struct object o;

	memcpy(comm, process->comm, sizeof(process->comm));
	object_begin(&o);
	object_put(&o, "pid", json_integer(process->pid));
	object_put(&o, "tid", json_integer(process->tid));
	object_put(&o, "ppid", json_integer(process->ppid));
	object_put(
		&o, "start_time", process->start_us ? time_value(process->start_us) : json_null());
	object_put(&o, "start_ticks", number_value(process->start_ticks));
	object_put(&o, "comm", text_value(comm));
	object_put(&o, "exe", text_value(process->exe));
	object_put(&o, "cmdline", cmdline_value(process, full_cmdline));
	object_put(&o, "uid", json_integer(process->uid));
	object_put(&o, "gid", json_integer(process->gid));
	object_put(&o, "user_namespace", user_namespace_value(process));
	object_put(&o, "capabilities", sets_value(&process->sets, mask_value));
	return object_end(&o);
}

static json_t *controls_value(const struct process *process)
{
	struct object o;

	object_begin(&o);
	object_put(&o, "seccomp", text_value(seccomp_mode_name(process->seccomp)));
	object_put(&o, "no_new_privs", json_boolean(process->no_new_privs));
	object_put(&o, "user_namespace",
		json_boolean(process->user_namespace == USER_NAMESPACE_OTHER));
	object_put(&o, "lsm", text_value(process->lsm));
	return object_end(&o);
}

static json_t *host_namespaces_value(const struct process *process)
{
	const unsigned shared = process->host_namespaces & process->host_namespaces_known;
	json_t *names = json_array();

	for (unsigned bit = 0; bit < HOST_NAMESPACES; bit++) {
		if ((shared & (1u << bit)) &&
			!array_add(names, text_value(host_namespace_name(bit)))) {
			json_decref(names);
			return NULL;
		}
	}
	return names;
}

/* ALL says more than the names would. */
static json_t *names_or_all(bool all, capability_mask mask)
{
	json_t *list;

	if (!all)
		return capabilities_value(mask);
	list = json_array();
	if (!array_add(list, json_string_nocheck("ALL"))) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *declared_value(const struct finding *finding)
{
	const struct declaration *declared = &finding->container.declared;
	struct object o;

	if (!declared->known)
		return json_null();
	object_begin(&o);
	object_put(&o, "add", names_or_all(declared->add_all, declared->add));
	object_put(&o, "drop", names_or_all(declared->drop_all, declared->drop));
	object_put(&o, "privileged", json_boolean(declared->privileged));
	return object_end(&o);
}

static json_t *exception_value(const struct finding *finding)
{
	struct object o;

	if (!finding->exception.reason)
		return json_null();
	object_begin(&o);
	object_put(&o, "reason", text_value(finding->exception.reason));
	object_put(&o, "expires", text_value(finding->exception.expires));
	return object_end(&o);
}

/* Without the field there is nothing that a program could change: remedy_to_text() has the cure in
 * words then. */
static json_t *remedy_value(const struct finding *finding)
{
	const struct remedy *remedy = &finding->remedy;
	struct object o;

	if (!remedy->known || !remedy->field)
		return json_null();
	object_begin(&o);
	object_put(&o, "field", text_value(remedy->field));
	object_put(&o, "of", text_value(remedy->of));
	object_put(&o, "drop", names_or_all(remedy->drop_all, 0));
	object_put(&o, "add", capabilities_value(remedy->add));
	/* What stands beside the field and would override it: null where nothing does. */
	object_put(&o, "privileged",
		finding->container.declared.privileged ? json_false() : json_null());
	return object_end(&o);
}

json_t *finding_value(const struct report_context *context, const struct finding *f)
{
	const bool violation = f->verdict == VERDICT_VIOLATION;
	struct object o;

	object_begin(&o);
	object_put(&o, "schema", text_value("capauditd.finding/v1"));
	object_put(&o, "id", text_value(f->id));
	object_put(&o, "workload_id", text_value(f->workload_id));
	object_put(&o, "time", time_value(f->time_us));
	object_put(&o, "node", text_value(context->node));
	object_put(&o, "boot_id", text_value(context->boot_id));
	object_put(&o, "engine", text_value(context->engine));
	object_put(&o, "message", take_string(finding_message(f)));
	object_put(&o, "state", text_value(finding_state_name(f->state)));
	object_put(&o, "first_seen", time_value(f->first_seen_us));
	object_put(&o, "last_seen", time_value(f->last_seen_us));
	object_put(&o, "count", number_value(f->count));
	object_put(&o, "executables", texts_value(f->executables, f->executable_count));
	object_put(&o, "resolved_reason", text_value(resolved_reason_name(f->resolved_reason)));
	object_put(&o, "verdict", text_value(verdict_name(f->verdict)));
	object_put(&o, "class", text_value(violation_class_name(f->class)));
	object_put(&o, "severity", text_value(violation ? severity_name(f->severity) : NULL));
	object_put(&o, "provisional", json_boolean(f->provisional));
	object_put(&o, "reach", text_value(reach_name(f->reach)));
	object_put(&o, "profile", profile_value(f->profile, f->profile_source));
	object_put(&o, "excess", sets_value(&f->excess, capabilities_value));
	object_put(&o, "origin", origin_value(f));
	object_put(&o, "hints", hints_value(f));
	object_put(&o, "process", process_value(&f->process, context->full_cmdline));
	object_put(&o, "controls", controls_value(&f->process));
	object_put(&o, "host_namespaces", host_namespaces_value(&f->process));
	object_put(&o, "container", container_value(&f->container));
	object_put(&o, "pod", pod_value(&f->container));
	object_put(&o, "declared", declared_value(f));
	object_put(&o, "exception", exception_value(f));
	object_put(&o, "remedy", remedy_value(f));
	return object_end(&o);
}

char *finding_to_json(const struct report_context *context, const struct finding *finding)
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);
	int r;

	if (!to)
		return NULL;
	r = value_write_take(finding_value(context, finding), 0, to);
	if (fclose(to) != 0 || r < 0) {
		free(text);
		return NULL;
	}
	return text;
}
