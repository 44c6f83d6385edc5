/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes a filter of the rules, by libseccomp, and puts it on. Knows no rule but the one that has
 * our process id in it.
 */
#include "syscall_filter.h"

#include "syscall_rules.h"

#include <capauditd/macros.h>

#include <errno.h>
#include <unistd.h>

static void release(scmp_filter_ctx *filter)
{
	seccomp_release(*filter);
}

/* A name without a call here (libseccomp knows it from another machine, or not yet) is no rule. */
static int add(scmp_filter_ctx filter, const struct syscall_rule *rule)
{
	const uint32_t action =
		rule->error ? SCMP_ACT_ERRNO((uint32_t)rule->error) : SCMP_ACT_ALLOW;
	int number = seccomp_syscall_resolve_name(rule->name), r;

	if (number == __NR_SCMP_ERROR)
		return 0;
	r = seccomp_rule_add_array(filter, action, number, rule->conditions, rule->condition);
	return r == -EDOM ? 0 : r;
}

static int add_names(scmp_filter_ctx filter, const char *const *names, int error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && names[i]; i++)
		r = add(filter, &(struct syscall_rule){ .name = names[i], .error = error });
	return r;
}

static int add_rules(scmp_filter_ctx filter, const struct syscall_rule *rules)
{
	int r = 0;

	for (size_t i = 0; r == 0 && rules[i].name; i++)
		r = add(filter, &rules[i]);
	return r;
}

/* What abort(3) is made of: a signal for one of our own threads. */
static int add_signal_to_self(scmp_filter_ctx filter)
{
	const struct syscall_rule rule = { "tgkill", 0, 1,
		{ { 0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0 } } };

	return add(filter, &rule);
}

/* What the kernel says itself is passed on, where libseccomp can. */
static scmp_filter_ctx new_filter(uint32_t action)
{
	scmp_filter_ctx filter = seccomp_init(action);

	if (filter)
		(void)seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	return filter;
}

static int install_main(void)
{
	_cleanup_(release) scmp_filter_ctx filter = new_filter(SCMP_ACT_ERRNO(ENOSYS));
	int r;

	if (!filter)
		return -ENOMEM;
	/* Calls of another architecture, which has other numbers for them. */
	r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (r == 0)
		r = add_names(filter, syscalls_allowed, 0);
	if (r == 0)
		r = add_names(filter, syscalls_refused, EPERM);
	if (r == 0)
		r = add_rules(filter, syscalls_by_argument);
	if (r == 0)
		r = add_signal_to_self(filter);
	if (r < 0)
		return r;
	/* Without these it does the same: in silence; with a search that takes longer; and before
	 * Linux 5.16 with mitigations against code that is not trusted, of which there is none. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	r = seccomp_load(filter);
	return r > 0 ? -ESRCH : r; /* the thread that cannot be confined */
}

/* Of two filters that refuse, the kernel takes the later one's word, and asks it whether to log. */
static void install_silence(void)
{
	_cleanup_(release) scmp_filter_ctx filter = new_filter(SCMP_ACT_ALLOW);

	if (!filter)
		return;
	(void)seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
	/* That was set before, and is refused by now. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	if (add_rules(filter, syscalls_tried) == 0)
		(void)seccomp_load(filter);
}

int syscall_filter_install(void)
{
	int r = install_main();

	if (r == 0)
		install_silence();
	return r;
}
