/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program under test, run to its end, and what its JSON says of the tests' own containers.
 */
#include "sys.h"

#define ARGUMENTS_MAX 64

static size_t collect(const char **argv, size_t count, va_list more)
{
	const char *argument;

	while (count < ARGUMENTS_MAX && (argument = va_arg(more, const char *)))
		argv[count++] = argument;
	if (count == ARGUMENTS_MAX)
		fail_msg("too many arguments");
	argv[count] = NULL;
	return count;
}

struct sys_result *sys_capauditd_argv(struct sys *sys, enum sys_user user, const char *const *argv)
{
	struct sys_command command = { .argv = argv, .nobody = user == SYS_NOBODY };
	/* The caller's terminal is not the tests' business. */
	static const char *const environment[] = { "COLUMNS=100", "NO_COLOR=1", NULL };

	command.environment = environment;
	return sys_command(sys, &command);
}

struct sys_result *sys_capauditd(struct sys *sys, enum sys_user user, ...)
{
	const char *argv[ARGUMENTS_MAX + 1] = { sys->program };
	va_list more;

	va_start(more, user);
	(void)collect(argv, 1, more);
	va_end(more);
	return sys_capauditd_argv(sys, user, argv);
}

struct sys_result *sys_scan(struct sys *sys, enum sys_user user, ...)
{
	const char *argv[ARGUMENTS_MAX + 5] = { sys->program, "scan", "--format", "json",
		"--host-root", sys->host_root };
	size_t count = 6;
	const char *engine = user == SYS_NOBODY ? "procfs" : sys->engine;
	bool policy = false;
	json_error_t error;
	va_list more;

	if (sys->nested)
		argv[count++] = "--nested";
	va_start(more, user);
	(void)collect(argv, count, more);
	va_end(more);
	for (; argv[count]; count++) {
		policy = policy || strcmp(argv[count], "--policy") == 0;
		if (strcmp(argv[count], "--engine") == 0)
			engine = NULL;
	}
	if (!policy) {
		argv[count++] = "--policy";
		argv[count++] = "none";
	}
	if (engine) {
		if (strcmp(engine, "bpf") == 0)
			sys_need_bpf(sys);
		argv[count++] = "--engine";
		argv[count++] = engine;
	}
	argv[count] = NULL;

	struct sys_result *result = sys_capauditd_argv(sys, user, argv);
	result->json = json_loadb(result->out, result->out_length, JSON_REJECT_DUPLICATES, &error);
	if (!result->json)
		fail_msg("status %d, and no JSON (%s at %d:%d): %.400s\n%s", result->status,
			error.text, error.line, error.column, result->out, result->err);
	return result;
}

bool sys_is_of(json_t *object, const char *path, const struct sys_container *container)
{
	json_t *id = json_object_get(path ? json_object_get(object, path) : object, "id");
	const char *text = json_string_value(id);
	char prefix[32];

	if (!text)
		return false;
	if (container->by != SYS_BY_HAND)
		return strcmp(text, container->id) == 0;
	(void)snprintf(prefix, sizeof(prefix), "pidns-%d-", (int)container->pid);
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

json_t *sys_seen(const struct sys_result *scan, const struct sys_container *container)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(scan->json, "containers"), i, item)
	{
		if (sys_is_of(item, "container", container))
			return item;
	}
	return NULL;
}

json_t *sys_finding(
	const struct sys_result *scan, const struct sys_container *container, const char *class)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(scan->json, "findings"), i, item)
	{
		const char *of = json_string_value(json_object_get(item, "class"));

		if (sys_is_of(item, "container", container) &&
			(!class || (of && strcmp(of, class) == 0)))
			return item;
	}
	return NULL;
}

size_t sys_finding_count(const struct sys_result *scan, const struct sys_container *container)
{
	json_t *item;
	size_t i, count = 0;

	json_array_foreach(json_object_get(scan->json, "findings"), i, item)
	{
		count += sys_is_of(item, "container", container);
	}
	return count;
}

static json_t *descend(json_t *object, const char *path)
{
	while (object && *path) {
		size_t length = strcspn(path, ".");
		char name[64];

		(void)snprintf(name, sizeof(name), "%.*s", (int)length, path);
		object = json_object_get(object, name);
		path += length + (path[length] == '.');
	}
	return object;
}

static char *join(json_t *array)
{
	size_t length = 1, i;
	json_t *item;

	json_array_foreach(array, i, item)
	{
		length += json_string_length(item) + 1;
	}
	char *text = calloc(1, length), *end = text;
	json_array_foreach(array, i, item)
	{
		if (text && json_is_string(item))
			end += sprintf(
				end, "%s%s", end == text ? "" : " ", json_string_value(item));
	}
	return text;
}

const char *sys_get(struct sys *sys, json_t *object, const char *path)
{
	json_t *at = descend(object, path);
	char *text = !at		  ? strdup("")
		     : json_is_string(at) ? strdup(json_string_value(at))
		     : json_is_array(at)  ? join(at)
					  : json_dumps(at, JSON_ENCODE_ANY | JSON_COMPACT);

	if (!text)
		fail_msg("out of memory");
	sys_own(sys, text, free);
	return text;
}

long long sys_number(json_t *object, const char *path)
{
	json_t *at = descend(object, path);

	if (!json_is_integer(at))
		fail_msg("%s is no number", path);
	return json_integer_value(at);
}

bool sys_has_hint(json_t *finding, const char *code)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(finding, "hints"), i, item)
	{
		const char *text = json_string_value(json_object_get(item, "code"));

		if (text && strcmp(text, code) == 0)
			return true;
	}
	return false;
}

static void check_container(struct sys *sys, const struct sys_result *scan,
	const struct sys_container *container, const struct sys_expected *expected)
{
	const struct {
		const char *path, *value;
	} rows[] = {
		{ "level", expected->level },
		{ "verdict", expected->verdict },
		{ "class", expected->class },
		{ "severity", expected->severity },
		{ "held", expected->held },
		{ "bounding", expected->bounding },
	};
	json_t *seen = sys_seen(scan, container);

	if (!seen)
		fail_msg("container %s (pid %d) was not seen: %s", container->id,
			(int)container->pid, scan->out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value && strcmp(sys_get(sys, seen, rows[i].path), rows[i].value) != 0)
			fail_msg("%s is \"%s\" and not \"%s\": %s", rows[i].path,
				sys_get(sys, seen, rows[i].path), rows[i].value, scan->out);
	if (expected->processes > 0)
		assert_int_equal(sys_number(seen, "processes"), expected->processes);
	if (expected->findings >= 0)
		assert_int_equal(sys_finding_count(scan, container), expected->findings);
	if (expected->verdict)
		assert_int_equal(scan->status, strcmp(expected->verdict, "violation") == 0);
}

static void check_same_findings(struct sys *sys, const struct sys_result *scan,
	const struct sys_result *other, const struct sys_container *container)
{
	static const char *const same[] = { "id", "verdict", "class", "severity", "reach", "excess",
		"origin", "container.type", "process.pid", "process.tid", "process.capabilities",
		"process.user_namespace.initial", "count", "message", "controls.seccomp",
		"controls.no_new_privs", "controls.user_namespace" };
	json_t *item, *match;
	size_t i, k;

	json_array_foreach(json_object_get(scan->json, "findings"), i, item)
	{
		if (!sys_is_of(item, "container", container))
			continue;
		json_array_foreach(json_object_get(other->json, "findings"), k, match)
		{
			if (strcmp(sys_get(sys, item, "id"), sys_get(sys, match, "id")) == 0)
				break;
		}
		if (k == json_array_size(json_object_get(other->json, "findings")))
			fail_msg("nobody does not see this finding: %s",
				json_dumps(item, JSON_COMPACT));
		for (size_t row = 0; row < sizeof(same) / sizeof(same[0]); row++)
			assert_string_equal(
				sys_get(sys, item, same[row]), sys_get(sys, match, same[row]));
	}
	assert_int_equal(sys_finding_count(scan, container), sys_finding_count(other, container));
}

struct sys_result *sys_judged(
	struct sys *sys, const struct sys_container *container, const struct sys_expected *expected)
{
	char pid[16];
	bool by_hand = container->by == SYS_BY_HAND;

	(void)snprintf(pid, sizeof(pid), "%d", (int)container->pid);
	const char *option = by_hand ? "--pid" : "--container",
		   *value = by_hand ? pid : container->id;
	struct sys_result *root = sys_scan(sys, SYS_ROOT, option, value, NULL);
	struct sys_result *nobody = sys_scan(sys, SYS_NOBODY, option, value, NULL);

	check_container(sys, root, container, expected);
	check_container(sys, nobody, container, expected);
	check_same_findings(sys, root, nobody, container);
	return root;
}
