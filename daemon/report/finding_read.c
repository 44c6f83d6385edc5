/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A finding read back from its JSON, as far as a report for people shows it. The text came from
 * another program: what is missing or of another form makes it refused, and what is not known by
 * its name is passed over.
 */
#include "json_value.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* A copy of a text; NULL stays NULL. 0 or -ENOMEM. */
static int copy_text(const json_t *object, const char *key, char **ret)
{
	const char *text = text_of(object, key);

	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

static uint64_t number_of(const json_t *object, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(object, key));

	return number > 0 ? (uint64_t)number : 0;
}

static pid_t pid_of(const json_t *object, const char *key)
{
	uint64_t number = number_of(object, key);

	return number <= INT32_MAX ? (pid_t)number : 0;
}

/* The number of that name, below `count`; `none` where there is none. */
static unsigned named(
	const char *text, unsigned count, const char *(*name)(unsigned number), unsigned none)
{
	for (unsigned i = 0; text && i < count; i++)
		if (name(i) && strcmp(name(i), text) == 0)
			return i;
	return none;
}

#define NAME_BY_NUMBER(function, type)               \
	static const char *function##_at(unsigned n) \
	{                                            \
		return function((type)n);            \
	}
NAME_BY_NUMBER(verdict_name, enum verdict)
NAME_BY_NUMBER(violation_class_name, enum violation_class)
NAME_BY_NUMBER(severity_name, enum severity)
NAME_BY_NUMBER(reach_name, enum reach)
NAME_BY_NUMBER(finding_state_name, enum finding_state)
NAME_BY_NUMBER(hint_code, enum hint)

/* What text_time() wrote; 0 where it is of another form. */
static uint64_t time_of(const json_t *object, const char *key)
{
	const char *text = text_of(object, key);
	const char *rest = NULL;
	struct tm tm = { 0 };
	unsigned long us;
	time_t seconds;

	if (text)
		rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest || rest[0] != '.' || strspn(rest + 1, "0123456789") != 6 ||
		strcmp(rest + 7, "Z") != 0)
		return 0;
	us = strtoul(rest + 1, NULL, 10);
	seconds = timegm(&tm);
	return seconds < 0 ? 0 : (uint64_t)seconds * 1000000u + us;
}

static capability_mask read_names(const json_t *array)
{
	capability_mask mask = 0;
	const json_t *item;
	size_t i;
	unsigned number;

	json_array_foreach(array, i,
		item) if (json_is_string(item) &&
			  capability_from_name(json_string_value(item), &number) == 0) mask |=
		CAPABILITY_BIT(number);
	return mask;
}

static bool has_all(const json_t *array)
{
	const char *first = json_string_value(json_array_get(array, 0));

	return first && strcmp(first, "ALL") == 0;
}

static void read_sets(const json_t *object, capability_mask (*read)(const json_t *value),
	struct capability_sets *ret)
{
	for (unsigned set = 0; set < CAPABILITY_SETS; set++)
		ret->of[set] = read(
			json_object_get(object, capability_set_name((enum capability_set)set)));
}

static capability_mask read_hex(const json_t *value)
{
	const char *text = json_string_value(value);
	capability_mask mask;

	if (!text || strncmp(text, "0x", 2) != 0 || capability_mask_from_hex(text + 2, &mask) < 0)
		return 0;
	return mask;
}

static void read_hints(const json_t *array, struct finding *f)
{
	const json_t *hint;
	size_t i;

	json_array_foreach(array, i, hint)
	{
		unsigned number = named(text_of(hint, "code"), HINTS, hint_code_at, HINTS);

		if (number < HINTS)
			f->hints |= 1u << number;
	}
}

static void read_process(const json_t *object, struct process *process)
{
	const char *comm = text_of(object, "comm");

	process->pid = pid_of(object, "pid");
	process->tid = pid_of(object, "tid");
	if (comm)
		memcpy(process->comm, comm, strnlen(comm, sizeof(process->comm)));
	read_sets(json_object_get(object, "capabilities"), read_hex, &process->sets);
}

/* The runtime's name as the program has it itself. */
static const char *runtime_of(const char *text)
{
	const char *const *names = cgroup_runtimes();

	for (; text && *names; names++)
		if (strcmp(*names, text) == 0)
			return *names;
	return "unknown";
}

static int read_pod(const json_t *object, struct container *container)
{
	struct pod *pod = &container->pod;
	const char *uid = text_of(object, "uid");
	int r = copy_text(object, "namespace", &pod->namespace_name);

	container->in_pod = json_is_object(object);
	if (uid)
		(void)snprintf(pod->uid, sizeof(pod->uid), "%s", uid);
	if (r == 0)
		r = copy_text(object, "name", &pod->name);
	if (r == 0)
		r = copy_text(object, "owner", &pod->owner);
	/* What the kubelet starts from a file belongs to its node. */
	pod->is_static = pod->owner && strncmp(pod->owner, "Node/", strlen("Node/")) == 0;
	return r;
}

static int read_container(const json_t *object, struct container *container)
{
	const char *type = text_of(object, "type");
	int r;

	if (!text_of(object, "id"))
		return -EBADMSG;
	container->runtime = runtime_of(text_of(object, "runtime"));
	if (!type || container_type_from_name(type, &container->type) < 0)
		container->type = CONTAINER_UNKNOWN;
	r = copy_text(object, "id", &container->id);
	if (r == 0)
		r = copy_text(object, "name", &container->name);
	if (r == 0)
		r = copy_text(object, "image", &container->image);
	return r == 0 ? copy_text(object, "cgroup", &container->cgroup) : r;
}

static void read_declared(const json_t *object, struct declaration *declared)
{
	declared->known = json_is_object(object);
	declared->privileged = json_is_true(json_object_get(object, "privileged"));
	declared->add = read_names(json_object_get(object, "add"));
	declared->drop = read_names(json_object_get(object, "drop"));
}

static int read_remedy(const json_t *object, struct remedy *remedy)
{
	int r = copy_text(object, "field", &remedy->field);

	remedy->known = json_is_object(object);
	remedy->drop_all = has_all(json_object_get(object, "drop"));
	remedy->add = read_names(json_object_get(object, "add"));
	return r == 0 ? copy_text(object, "of", &remedy->of) : r;
}

static int read_kind(const json_t *object, struct finding *f)
{
	const char *id = text_of(object, "id");
	const unsigned verdict = named(text_of(object, "verdict"), VERDICT_VIOLATION + 1u,
		verdict_name_at, VERDICT_VIOLATION + 1u);
	const unsigned class = named(text_of(object, "class"), CLASS_DRIFT + 1u,
		violation_class_name_at, CLASS_DRIFT + 1u);

	if (!id || strlen(id) >= sizeof(f->id) || verdict > VERDICT_VIOLATION ||
		class > CLASS_DRIFT)
		return -EBADMSG;
	memcpy(f->id, id, strlen(id) + 1);
	f->verdict = (enum verdict)verdict;
	f->class = (enum violation_class) class;
	f->severity = (enum severity)named(text_of(object, "severity"), SEVERITY_CRITICAL + 1u,
		severity_name_at, SEVERITY_NONE);
	f->reach = (enum reach)named(
		text_of(object, "reach"), REACH_EFFECTIVE + 1u, reach_name_at, REACH_NONE);
	f->state = (enum finding_state)named(text_of(object, "state"), FINDING_OBSERVED + 1u,
		finding_state_name_at, FINDING_OPENED);
	f->provisional = json_is_true(json_object_get(object, "provisional"));
	f->count = number_of(object, "count");
	f->first_seen_us = time_of(object, "first_seen");
	f->last_seen_us = time_of(object, "last_seen");
	return 0;
}

static int read_finding(const json_t *object, struct finding *f)
{
	int r = read_kind(object, f);

	if (r < 0)
		return r;
	read_sets(json_object_get(object, "excess"), read_names, &f->excess);
	read_hints(json_object_get(object, "hints"), f);
	read_process(json_object_get(object, "process"), &f->process);
	read_declared(json_object_get(object, "declared"), &f->container.declared);
	r = copy_text(json_object_get(object, "profile"), "name", &f->profile);
	if (r == 0)
		r = read_container(json_object_get(object, "container"), &f->container);
	if (r == 0)
		r = read_pod(json_object_get(object, "pod"), &f->container);
	return r == 0 ? read_remedy(json_object_get(object, "remedy"), &f->remedy) : r;
}

int finding_from_json(const char *text, size_t length, struct finding *ret)
{
	struct finding finding = { 0 };
	json_t *object;
	int r;

	/* Of memory jansson 2.14 does not always tell; errno does, unless a number follows. */
	errno = 0;
	object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	if (!object)
		return errno == ENOMEM ? -ENOMEM : -EBADMSG;
	r = read_finding(object, &finding);
	json_decref(object);
	if (r < 0) {
		finding_done(&finding);
		return r;
	}
	*ret = finding;
	return 0;
}
