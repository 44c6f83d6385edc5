/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which profile and which exceptions a policy takes for whom. Each line "#? SUBJECT => ANSWER" of
 * tests/data/policy/good/NAME.yaml is a question to that policy. A subject is made of words
 * KEY=VALUE; what is not named is unknown.
 */
#include <capauditd/macros.h>
#include <capauditd/policy.h>

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define GOOD_FOLDER  "tests/data/policy/good"
#define LABELS_MAX   8
#define ANSWER_SIZE  512
#define CONTROLS_MAX 8

struct question {
	struct policy_subject subject;
	struct label namespace_labels[LABELS_MAX], pod_labels[LABELS_MAX];
	const char *forced, *label;
	capability_mask excess;
	enum violation_class class;
	bool about_exceptions;
	uint64_t day;
};

static const struct {
	const char *name;
	size_t offset;
} text_words[] = {
	{ "namespace", offsetof(struct question, subject.namespace_name) },
	{ "pod", offsetof(struct question, subject.pod) },
	{ "owner", offsetof(struct question, subject.owner) },
	{ "container", offsetof(struct question, subject.container) },
	{ "image", offsetof(struct question, subject.image) },
	{ "runtime", offsetof(struct question, subject.runtime) },
	{ "id", offsetof(struct question, subject.container_id) },
	{ "forced", offsetof(struct question, forced) },
	{ "label", offsetof(struct question, label) },
};

static unsigned read_controls(char *text)
{
	unsigned bits = 0;
	char *rest = text;

	for (char *word; (word = strsep(&rest, ","));) {
		unsigned bit = 0;

		while (control_name(bit) && strcmp(control_name(bit), word) != 0)
			bit++;
		assert_non_null(control_name(bit));
		bits |= 1u << bit;
	}
	return bits;
}

static capability_mask read_capabilities(char *text)
{
	capability_mask mask = 0;
	char *rest = text;

	for (char *word; (word = strsep(&rest, ","));) {
		unsigned number;

		assert_int_equal(capability_from_name(word, &number), 0);
		mask |= CAPABILITY_BIT(number);
	}
	return mask;
}

static uint64_t read_day(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	assert_true(end && *end == '\0');
	return policy_day((uint64_t)timegm(&tm) * 1000000 + 86399999999);
}

static void add_label(struct label *labels, size_t *count, const struct label **ret, char *text)
{
	char *value = strrchr(text, '=');

	assert_non_null(value);
	assert_true(*count < LABELS_MAX);
	*value++ = '\0';
	labels[(*count)++] = (struct label){ .key = text, .value = value };
	*ret = labels;
}

static void read_word(struct question *q, char *word)
{
	char *value;

	if (strncmp(word, "nslabel:", 8) == 0) {
		add_label(q->namespace_labels, &q->subject.namespace_label_count,
			&q->subject.namespace_labels, word + 8);
		return;
	}
	if (strncmp(word, "podlabel:", 9) == 0) {
		add_label(q->pod_labels, &q->subject.pod_label_count, &q->subject.pod_labels,
			word + 9);
		return;
	}
	value = strchr(word, '=');
	if (!value)
		fail_msg("\"%s\" is no KEY=VALUE", word);
	*value++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(text_words); i++) {
		if (strcmp(text_words[i].name, word) == 0) {
			*(const char **)(void *)((char *)q + text_words[i].offset) = value;
			return;
		}
	}
	if (strcmp(word, "type") == 0) {
		assert_int_equal(container_type_from_name(value, &q->subject.type), 0);
	} else if (strcmp(word, "controls") == 0) {
		q->subject.controls = read_controls(value);
	} else if (strcmp(word, "excess") == 0) {
		q->excess = read_capabilities(value);
		q->about_exceptions = true;
	} else if (strcmp(word, "class") == 0) {
		assert_string_equal(value, "drift");
		q->class = CLASS_DRIFT;
	} else if (strcmp(word, "day") == 0) {
		q->day = read_day(value);
	} else {
		fail_msg("\"%s\" is no word of a question", word);
	}
}

static void answer_exceptions(
	const struct policy *policy, const struct question *q, char answer[static ANSWER_SIZE])
{
	const struct policy_exception *first;
	capability_mask covered =
		policy_except(policy, &q->subject, q->class, q->excess, q->day, &first);
	char *names = capability_mask_names(covered, ",");

	assert_non_null(names);
	assert_int_equal(first != NULL, covered != 0);
	if (first)
		(void)snprintf(answer, ANSWER_SIZE, "except %s because %s", names, first->reason);
	else
		(void)snprintf(answer, ANSWER_SIZE, "except nothing");
	free(names);
}

static void answer_decision(
	const struct policy *policy, const struct question *q, char answer[static ANSWER_SIZE])
{
	const struct profile *forced = q->forced ? policy_profile(policy, q->forced) : NULL;
	const struct profile *label = q->label ? policy_profile(policy, q->label) : NULL;
	struct policy_decision decision = policy_decide(policy, &q->subject, forced, label);
	size_t used;

	(void)snprintf(answer, ANSWER_SIZE, "%s (%s)%s", decision.profile->name,
		profile_source_name(decision.source), decision.unmet ? " unmet" : "");
	for (unsigned bit = 0; bit < CONTROLS_MAX; bit++) {
		if (!(decision.unmet & 1u << bit))
			continue;
		used = strlen(answer);
		(void)snprintf(answer + used, ANSWER_SIZE - used, " %s", control_name(bit));
	}
}

/* Puts one question; true where the answer is the expected one. */
static bool ask(const struct policy *policy, const char *file, char *line)
{
	char answer[ANSWER_SIZE], *expected = strstr(line, "=> "), *rest = line;
	char *whole = strdup(line);
	struct question q = { .class = CLASS_POSTURE };
	bool good;

	assert_non_null(whole);
	assert_non_null(expected);
	*expected = '\0';
	expected += 3;
	for (char *word; (word = strsep(&rest, " "));)
		if (*word)
			read_word(&q, word);
	if (q.about_exceptions)
		answer_exceptions(policy, &q, answer);
	else
		answer_decision(policy, &q, answer);
	good = strcmp(answer, expected) == 0;
	if (!good)
		print_error("%s: %s\n  actual: %s\n", file, whole, answer);
	free(whole);
	return good;
}

static char *read_file(const char *path, size_t *ret_length)
{
	char *text = malloc(POLICY_TEXT_MAX);
	FILE *file = fopen(path, "re");

	assert_non_null(text);
	assert_non_null(file);
	*ret_length = fread(text, 1, POLICY_TEXT_MAX - 1, file);
	text[*ret_length] = '\0';
	(void)fclose(file);
	return text;
}

static struct policy *load(const char *file, const char *text, size_t length)
{
	struct policy *policy = NULL;
	struct diag diag = { 0 };

	if (policy_load(file, text, length, &policy, &diag) != 0)
		fail_msg("%s:%u:%u: %s", file, diag.line, diag.column, diag.message);
	return policy;
}

static struct policy *load_text(const char *text)
{
	return load("policy.yaml", text, strlen(text));
}

static int is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void every_question_has_its_answer(void **state)
{
	struct dirent **entries;
	int count = scandir(GOOD_FOLDER, &entries, is_case, alphasort);
	unsigned asked = 0, failed = 0;

	(void)state;
	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		char *path = NULL, *text, *rest;
		struct policy *policy;
		size_t length;

		assert_true(asprintf(&path, "%s/%s", GOOD_FOLDER, entries[i]->d_name) > 0);
		text = rest = read_file(path, &length);
		policy = load(path, text, length);
		for (char *line; (line = strsep(&rest, "\n"));) {
			if (strncmp(line, "#? ", 3) != 0)
				continue;
			asked++;
			failed += !ask(policy, entries[i]->d_name, line + 3);
		}
		policy_free(policy);
		free(text);
		free(path);
		free(entries[i]);
	}
	free(entries);
	assert_true(asked > 100);
	assert_int_equal(failed, 0);
}

static void unknown_labels_and_known_empty_ones_match_no_selector(void **state)
{
	struct policy *policy =
		load_text("version: 1\n"
			  "rules: [{match: {podSelector: {a: '*'}}, profile: restricted}]\n");
	const struct label label = { .key = "a", .value = "x" };
	struct policy_subject subject = { 0 };

	(void)state;
	assert_string_equal(policy_decide(policy, &subject, NULL, NULL).profile->name, "baseline");
	subject.pod_labels = &label;
	assert_string_equal(policy_decide(policy, &subject, NULL, NULL).profile->name, "baseline");
	subject.pod_label_count = 1;
	assert_string_equal(
		policy_decide(policy, &subject, NULL, NULL).profile->name, "restricted");
	policy_free(policy);
}

static void the_first_exception_need_not_be_asked_for(void **state)
{
	struct policy *policy = load_text("version: 1\nexceptions:\n"
					  "- {match: {pod: '*'}, allow: [KILL], reason: x}\n");
	struct policy_subject subject = { .pod = "p" };

	(void)state;
	assert_int_equal(policy_except(policy, &subject, CLASS_POSTURE,
				 CAPABILITY_BIT(CAPABILITY_KILL), 0, NULL),
		CAPABILITY_BIT(CAPABILITY_KILL));
	policy_free(policy);
}

static void without_a_policy_nothing_is_excepted(void **state)
{
	const struct policy_exception *first = (const void *)"untouched";
	struct policy *policy = policy_new_default();
	struct policy_subject subject = { .pod = "p" };

	(void)state;
	assert_int_equal(policy_except(policy, &subject, CLASS_POSTURE, UINT64_MAX, 0, &first), 0);
	assert_null(first);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_question_has_its_answer),
		cmocka_unit_test(unknown_labels_and_known_empty_ones_match_no_selector),
		cmocka_unit_test(the_first_exception_need_not_be_asked_for),
		cmocka_unit_test(without_a_policy_nothing_is_excepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
