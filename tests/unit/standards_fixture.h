/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Pod Security Standards' rules about capabilities, written from their text and not from
 * anything of this program: over the pod's JSON, names compared as they are, in the words of the
 * API server (k8s.io/pod-security-admission, policy/check_capabilities_*.go and
 * check_privileged.go).
 */
#ifndef CAPAUDITD_TEST_STANDARDS_FIXTURE_H
#define CAPAUDITD_TEST_STANDARDS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DATA "tests/data/"

static json_t *read_json(const char *path)
{
	json_error_t error;
	json_t *value = json_load_file(path, 0, &error);

	if (!value)
		fail_msg("%s: %s (tests run in the project's folder)", path, error.text);
	return value;
}

static const char *const standard_lists[] = { "initContainers", "containers",
	"ephemeralContainers" };

static const char *const baseline_names[] = { "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER",
	"FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID",
	"SYS_CHROOT", NULL };
static const char *const restricted_names[] = { "NET_BIND_SERVICE", NULL };

static bool standard_has(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static const json_t *standard_capabilities(const json_t *container, const char *what)
{
	return json_object_get(
		json_object_get(json_object_get(container, "securityContext"), "capabilities"),
		what);
}

static bool standard_drops_all(const json_t *container)
{
	const json_t *drop = standard_capabilities(container, "drop");

	for (size_t i = 0; i < json_array_size(drop); i++)
		if (strcmp(json_string_value(json_array_get(drop, i)), "ALL") == 0)
			return true;
	return false;
}

static bool standard_is_privileged(const json_t *container)
{
	return json_is_true(
		json_object_get(json_object_get(container, "securityContext"), "privileged"));
}

/* Words as the server lists them: quoted, capabilities sorted, each once. */
struct standard_words {
	const char *all[64];
	size_t count;
};

static void standard_add(struct standard_words *words, const char *word, bool sorted)
{
	size_t at = words->count;

	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->all[i], word) == 0)
			return;
	assert_true(words->count < sizeof(words->all) / sizeof(words->all[0]));
	for (; sorted && at > 0 && strcmp(words->all[at - 1], word) > 0; at--)
		words->all[at] = words->all[at - 1];
	words->all[at] = word;
	words->count++;
}

static void standard_print(FILE *to, const struct standard_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		(void)fprintf(to, "%s\"%s\"", i ? ", " : "", words->all[i]);
}

static void standard_print_containers(FILE *to, const struct standard_words *names)
{
	(void)fprintf(to, names->count == 1 ? "container " : "containers ");
	standard_print(to, names);
}

static bool standard_adds_beyond(
	const json_t *container, const char *const *permitted, struct standard_words *beyond)
{
	const json_t *add = standard_capabilities(container, "add");
	bool any = false;

	for (size_t i = 0; i < json_array_size(add); i++) {
		const char *name = json_string_value(json_array_get(add, i));

		if (standard_has(permitted, name))
			continue;
		standard_add(beyond, name, true);
		any = true;
	}
	return any;
}

/* What the server would say of the pod under `restricted` (since v1.22) or `baseline`, of
 * privileged containers and of capabilities, a line each; "" where it admits it. */
static char *standard_complaint(const json_t *pod, bool restricted)
{
	const char *const *permitted = restricted ? restricted_names : baseline_names;
	struct standard_words privileged = { 0 }, keeping = { 0 }, adding = { 0 }, added = { 0 };
	const json_t *spec = json_object_get(pod, "spec");
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	for (size_t i = 0; i < sizeof(standard_lists) / sizeof(standard_lists[0]); i++) {
		const json_t *list = json_object_get(spec, standard_lists[i]);

		for (size_t j = 0; j < json_array_size(list); j++) {
			const json_t *container = json_array_get(list, j);
			const char *name = json_string_value(json_object_get(container, "name"));

			if (standard_is_privileged(container))
				standard_add(&privileged, name, false);
			if (restricted && !standard_drops_all(container))
				standard_add(&keeping, name, false);
			if (standard_adds_beyond(container, permitted, &added))
				standard_add(&adding, name, false);
		}
	}
	if (privileged.count) {
		(void)fprintf(to, "privileged (");
		standard_print_containers(to, &privileged);
		(void)fprintf(to, " must not set securityContext.privileged=true)\n");
	}
	if (keeping.count || adding.count)
		(void)fprintf(to,
			restricted ? "unrestricted capabilities (" : "non-default capabilities (");
	if (keeping.count) {
		standard_print_containers(to, &keeping);
		(void)fprintf(to, " must set securityContext.capabilities.drop=[\"ALL\"]%s",
			adding.count ? "; " : "");
	}
	if (adding.count) {
		standard_print_containers(to, &adding);
		(void)fprintf(to, " must not include ");
		standard_print(to, &added);
		(void)fprintf(to, " in securityContext.capabilities.add");
	}
	if (keeping.count || adding.count)
		(void)fprintf(to, ")\n");
	assert_int_equal(fclose(to), 0);
	return text;
}

#endif
