/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `capauditd explain`: finds the subject and hands it the request. What the subjects know is in
 * explain_capability.c, explain_mask.c, explain_profile.c and explain_cgroup.c.
 */
#include <capauditd/command.h>

#include <capauditd/text.h>

#include "explain.h"
#include "print.h"

#include <errno.h>
#include <string.h>

enum { OPTION_FORMAT = 1, OPTION_POLICY };

static const struct option_row rows[] = {
	{ "format", OPTION_FORMAT, "text|json", "json prints one object (default: text)" },
	{ "policy", OPTION_POLICY, "FILE",
		"know this policy's profiles too; none: the built-in ones alone" },
};

static const struct options options = {
	.command = "explain",
	.synopsis = "capability [NAME] [OPTION...]\n"
		    "       capauditd explain mask MASK [OPTION...]\n"
		    "       capauditd explain profile [NAME] [OPTION...]\n"
		    "       capauditd explain cgroup [OPTION...] < /proc/PID/cgroup",
	.purpose =
		"Says what a capability, a mask of capabilities or a profile means (without a "
		"NAME: which there are), and what the text of /proc/PID/cgroup says of a process.",
	.rows = rows,
	.count = ARRAY_SIZE(rows),
};

static const struct subject {
	const char *name;
	int (*explain)(const struct explain_request *request);
	bool takes_operand;
	bool needs_operand;
	const char *example;
} subjects[] = {
	{ "capability", explain_capability, true, false, "explain capability SYS_ADMIN" },
	{ "mask", explain_mask, true, true, "explain mask 0xa80425fb" },
	{ "profile", explain_profile, true, false, "explain profile restricted" },
	{ "cgroup", explain_cgroup, false, false, "explain cgroup < /proc/PID/cgroup" },
};

int explain_load_policy(const struct explain_request *request, struct policy **ret)
{
	struct diag diag = { 0 };
	int r = command_load_policy(request->policy ? request->policy : "none", ret, &diag);

	if (r == 0 || r == -ENOMEM)
		return r;
	diag_print(&diag, stderr);
	return EXIT_STATUS_USAGE;
}

int explain_print_json_take(const struct explain_request *request, json_t *object)
{
	_cleanup_(json_decrefp) json_t *owned = object;

	if (!owned)
		return -ENOMEM;
	if (json_dumpf(owned, request->out, JSON_INDENT(2)) < 0)
		return ferror(request->out) ? -EIO : -ENOMEM;
	return fputc('\n', request->out) == EOF ? -EIO : 0;
}

json_t *explain_names_json(capability_mask mask)
{
	_cleanup_(json_decrefp) json_t *names = json_array();

	if (!names)
		return NULL;
	for (unsigned number = 0; number < CAPABILITY_MAX; number++) {
		char name[CAPABILITY_NAME_SIZE];

		if (!(mask & CAPABILITY_BIT(number)))
			continue;
		if (json_array_append_new(names, json_string(capability_name(number, name))) < 0)
			return NULL;
	}
	return TAKE_PTR(names);
}

int explain_print_names(FILE *to, const char *label, capability_mask mask)
{
	_cleanup_free_ char *names = capability_mask_names(mask, " ");

	if (!names)
		return -ENOMEM;
	print_field(to, label, mask ? names : "none");
	return 0;
}

capability_mask explain_named(void)
{
	capability_mask named = 0;

	for (unsigned number = 0; number < CAPABILITY_MAX; number++) {
		if (capability_info(number))
			named |= CAPABILITY_BIT(number);
	}
	return named;
}

static const struct subject *find_subject(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		if (strcmp(name, subjects[i].name) == 0)
			return &subjects[i];
	}
	return NULL;
}

static int unknown_subject(const char *word)
{
	const char *names[ARRAY_SIZE(subjects)];
	const char *nearest;
	capability_mask mask;
	unsigned number;

	/* Somebody who leaves out the subject has mostly said enough. */
	if (capability_from_name(word, &number) == 0)
		return usage_error("explain what? (did you mean explain capability %s?)", word);
	if (capability_mask_from_hex(word, &mask) == 0)
		return usage_error("explain what? (did you mean explain mask %s?)", word);
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
		names[i] = subjects[i].name;
	nearest = text_nearest(word, names, ARRAY_SIZE(names));
	if (nearest)
		return usage_error("cannot explain \"%s\" (did you mean %s?)", word, nearest);
	return usage_error(
		"cannot explain \"%s\": it explains a capability, mask, profile or cgroup", word);
}

/* What is wrong with the words after the options, said, or EXIT_STATUS_OK. */
static int check_operands(const struct subject *subject, int count, char **words)
{
	if (subject->needs_operand && count == 0)
		return usage_error(
			"which %s? As in: capauditd %s", subject->name, subject->example);
	if (!subject->takes_operand && count > 0)
		return usage_error("explain %s reads standard input: capauditd %s", subject->name,
			subject->example);
	if (count > 1)
		return usage_error("one %s at a time: capauditd explain %s %s", subject->name,
			subject->name, words[0]);
	return EXIT_STATUS_OK;
}

static int read_format(const char *name, bool *ret_json)
{
	static const char *const names[] = { "text", "json" };
	const char *nearest;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret_json = i == 1;
			return EXIT_STATUS_OK;
		}
	}
	nearest = text_nearest(name, names, ARRAY_SIZE(names));
	if (nearest)
		return usage_error("unknown format \"%s\" (did you mean %s?)", name, nearest);
	return usage_error("unknown format \"%s\": explain has text and json", name);
}

int command_explain(int argc, char **argv)
{
	struct explain_request request = { .in = stdin, .out = stdout };
	const struct subject *subject;
	int option, r;

	while ((option = options_next(&options, argc, argv)) != OPTION_END) {
		switch (option) {
		case OPTION_FORMAT:
			if (read_format(optarg, &request.json) != EXIT_STATUS_OK)
				return EXIT_STATUS_USAGE;
			break;
		case OPTION_POLICY:
			request.policy = optarg;
			break;
		default:
			return option == OPTION_HELP ? EXIT_STATUS_OK : EXIT_STATUS_USAGE;
		}
	}
	if (optind == argc)
		return usage_error("explain what? A capability, mask, profile or cgroup: "
				   "capauditd explain capability SYS_ADMIN");
	subject = find_subject(argv[optind]);
	if (!subject)
		return unknown_subject(argv[optind]);
	optind++;
	r = check_operands(subject, argc - optind, argv + optind);
	if (r != EXIT_STATUS_OK)
		return r;
	request.operand = argv[optind]; /* NULL at their end */
	r = subject->explain(&request);
	if (r >= 0 && (fflush(request.out) != 0 || ferror(request.out)))
		r = -EIO;
	if (r < 0) {
		(void)usage_error("explain %s: %s", subject->name, strerror(-r));
		return EXIT_STATUS_INTERNAL;
	}
	return r;
}
