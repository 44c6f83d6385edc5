/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How docs/interface.md spells a finding's enumerations. Tables only; a number from outside of one
 * is "unknown", so that nothing is ever indexed by what was not checked.
 */
#include <capauditd/finding.h>

#define NAME_OF(names, value) ((size_t)(value) < ARRAY_SIZE(names) ? (names)[value] : "unknown")

const char *finding_state_name(enum finding_state state)
{
	static const char *const names[] = {
		[FINDING_OPENED] = "opened",
		[FINDING_CHANGED] = "changed",
		[FINDING_RESOLVED] = "resolved",
		[FINDING_OBSERVED] = "observed",
	};

	return NAME_OF(names, state);
}

const char *resolved_reason_name(enum resolved_reason reason)
{
	static const char *const names[] = {
		[RESOLVED_NOT] = NULL,
		[RESOLVED_EXITED] = "exited",
		[RESOLVED_DROPPED] = "dropped",
		[RESOLVED_POLICY] = "policy",
		[RESOLVED_EXCEPTION] = "exception",
		[RESOLVED_LEVEL] = "level",
		[RESOLVED_REBOOT] = "reboot",
	};

	return NAME_OF(names, reason);
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_COMPLIANT] = "compliant",
		[VERDICT_TOLERATED] = "tolerated",
		[VERDICT_EXCEPTED] = "excepted",
		[VERDICT_VIOLATION] = "violation",
	};

	return NAME_OF(names, verdict);
}

const char *violation_class_name(enum violation_class class)
{
	static const char *const names[] = {
		[CLASS_POSTURE] = "posture",
		[CLASS_DRIFT] = "drift",
	};

	return NAME_OF(names, class);
}

const char *severity_name(enum severity severity)
{
	static const char *const names[] = {
		[SEVERITY_NONE] = NULL,
		[SEVERITY_LOW] = "low",
		[SEVERITY_MEDIUM] = "medium",
		[SEVERITY_HIGH] = "high",
		[SEVERITY_CRITICAL] = "critical",
	};

	return NAME_OF(names, severity);
}

const char *reach_name(enum reach reach)
{
	static const char *const names[] = {
		[REACH_NONE] = NULL,
		[REACH_BOUNDING] = "bounding",
		[REACH_PERMITTED] = "permitted",
		[REACH_EFFECTIVE] = "effective",
	};

	return NAME_OF(names, reach);
}

const char *origin_name(enum origin origin)
{
	static const char *const names[] = {
		[ORIGIN_UNKNOWN] = "unknown",
		[ORIGIN_DECLARED] = "declared",
		[ORIGIN_PRIVILEGED] = "privileged",
		[ORIGIN_RUNTIME_DEFAULT] = "runtime-default",
		[ORIGIN_EXEC] = "exec",
	};

	return NAME_OF(names, origin);
}

const char *level_name(enum level level)
{
	static const char *const names[] = {
		[LEVEL_UNKNOWN] = NULL,
		[LEVEL_RESTRICTED] = "restricted",
		[LEVEL_BASELINE] = "baseline",
		[LEVEL_PRIVILEGED] = "privileged",
	};

	return NAME_OF(names, level);
}
