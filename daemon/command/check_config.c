/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * capauditd check-config: says whether a policy file is good, and which of its exceptions run out.
 */
#include <capauditd/clock.h>
#include <capauditd/command.h>

#include <capauditd/macros.h>
#include <capauditd/text.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { OPTION_POLICY = 1 };

static const struct option_row rows[] = {
	{ "policy", OPTION_POLICY, "FILE", "the same as FILE: how run is told of it" },
};

static const struct options options = {
	.command = "check-config",
	.synopsis = "[FILE]",
	.purpose = "Validates a policy file, and says where it is wrong. Without FILE it validates "
		   "what "
		   "run would take: " POLICY_DEFAULT_PATH
		   " where that exists, else the built-in policy.",
	.rows = rows,
	.count = ARRAY_SIZE(rows),
};

/* Which file is meant; NULL: none is named. An exit status, or -1 to go on. */
static int read_arguments(int argc, char **argv, const char **ret)
{
	const char *file = NULL;
	int option;

	while ((option = options_next(&options, argc, argv)) != OPTION_END) {
		if (option == OPTION_BAD)
			return EXIT_STATUS_USAGE;
		if (option == OPTION_HELP)
			return EXIT_STATUS_OK;
		file = optarg;
	}
	if (argc - optind > (file ? 0 : 1))
		return usage_error("check-config takes one file");
	*ret = optind < argc ? argv[optind] : file;
	return -1;
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* `today` and the days of the policy are days since 1970-01-01. */
static void warn_of_expiry(const struct policy *policy, const char *name, uint64_t today)
{
	for (size_t i = 0; i < policy_exception_count(policy); i++) {
		const struct policy_exception *exception = policy_exception_at(policy, i);
		uint64_t left;

		if (!exception->expires)
			continue;
		if (exception->expires_day < today) {
			message("%s: the exception \"%s\" has expired: its last day was %s", name,
				exception->reason, exception->expires);
			continue;
		}
		left = exception->expires_day - today;
		if (left > POLICY_EXPIRY_WARNING_DAYS)
			continue;
		if (left == 0)
			message("%s: the exception \"%s\" expires: its last day is today", name,
				exception->reason);
		else
			message("%s: the exception \"%s\" expires: its last day is %s, in %" PRIu64
				" day%s",
				name, exception->reason, exception->expires, left, plural(left));
	}
}

static int print_summary(const struct policy *policy, const char *name)
{
	size_t profiles = policy_own_profile_count(policy), rules = policy_rule_count(policy);
	size_t exceptions = policy_exception_count(policy);
	_cleanup_free_ char *file = text_escape(name, strlen(name));

	if (!file)
		return -ENOMEM;
	(void)printf("%s: valid: %zu profile%s, %zu rule%s, %zu exception%s; default profile %s\n",
		file, profiles, plural(profiles), rules, plural(rules), exceptions,
		plural(exceptions), policy_default_profile(policy)->name);
	return 0;
}

int command_check_config(int argc, char **argv)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	const char *file = NULL, *name;
	struct diag diag = { 0 };
	int r = read_arguments(argc, argv, &file);

	if (r >= 0)
		return r;
	r = command_load_policy(file, &policy, &diag);
	if (r < 0) {
		diag_print(&diag, stderr);
		return r == -ENOMEM ? EXIT_STATUS_INTERNAL : EXIT_STATUS_USAGE;
	}
	name = policy_file(policy) ? policy_file(policy) : "built-in policy";
	if (print_summary(policy, name) < 0)
		return EXIT_STATUS_INTERNAL;
	warn_of_expiry(policy, name, policy_day(clock_us(CLOCK_REALTIME)));
	if (fflush(stdout) != 0) {
		message("standard output: %s", strerror(errno));
		return EXIT_STATUS_INTERNAL;
	}
	return EXIT_STATUS_OK;
}
