/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What else a reader of a finding should know, and what to do about it: one row a hint. When a hint
 * applies is the judge's business.
 */
#include <capauditd/finding.h>

#include <capauditd/judge.h>
#include <capauditd/sentence.h>

#include <limits.h>
#include <string.h>

#define NARROWER_MAX \
	3u /* capabilities of which the alternatives are told; explain knows the rest */

struct narrower {
	struct sentence *sentence;
	unsigned told, left;
};

static void add_narrower(void *data, unsigned number)
{
	const struct capability_info *info = capability_info(number);
	struct narrower *narrower = data;

	if (!info || (!info->narrower && !info->instead))
		return;
	if (narrower->told == NARROWER_MAX) {
		narrower->left++;
		return;
	}
	sentence_add(
		narrower->sentence, "%sIn place of %s: ", narrower->told++ ? " " : "", info->name);
	if (info->narrower) {
		sentence_add_capabilities(narrower->sentence, info->narrower, CAPABILITY_MAX);
		sentence_add(narrower->sentence, info->narrower & (info->narrower - 1)
							 ? ", each a part of it."
							 : ", a part of it.");
	}
	if (info->instead)
		sentence_add(
			narrower->sentence, "%s%s", info->narrower ? " Or: " : "", info->instead);
}

static void tell_narrower(struct sentence *s, const struct finding *finding)
{
	struct narrower narrower = { .sentence = s };

	sentence_worst_first(capability_sets_all(&finding->excess), add_narrower, &narrower);
	if (narrower.left)
		sentence_add(s, " `capauditd explain capability NAME` tells of the other %u.",
			narrower.left);
}

static void tell_unmet(struct sentence *s, const struct finding *finding)
{
	const char *separator = "";

	sentence_add(s,
		"A rule of the policy would apply to this container if these controls were in "
		"force: ");
	for (unsigned bit = 0; bit < sizeof(finding->unmet) * CHAR_BIT; bit++) {
		if (!(finding->unmet & (1u << bit)))
			continue;
		sentence_add(s, "%s%s", separator, control_name(bit));
		separator = ", ";
	}
	sentence_add(s, ".");
}

static void tell_thread(struct sentence *s, const struct finding *finding)
{
	const long pid = finding->process.pid, tid = finding->process.tid;

	sentence_add(s,
		"Thread %ld has it, and the leader of process %ld does not: what reads "
		"/proc/%ld/status "
		"alone does not see it; /proc/%ld/task/%ld/status shows it.",
		tid, pid, pid, pid, tid);
}

static void tell_still_runtime(struct sentence *s, const struct finding *finding)
{
	(void)finding;
	sentence_add(s,
		"It has not called execve since it was forked into the container more than %u "
		"seconds ago, so "
		"it may still be the runtime's own program: a container that was created and never "
		"started "
		"should be started or removed.",
		JUDGE_STARTING_LIMIT_S);
}

static void tell_expires(struct sentence *s, const struct finding *finding)
{
	sentence_add(s, "The exception that covers this counts until the end of ");
	sentence_add_text(
		s, finding->exception.expires ? finding->exception.expires : "its last day", 64);
	sentence_add(s, " (UTC): renew it, or take away what it allows.");
}

static void tell_prefix(struct sentence *s, const struct finding *finding)
{
	capability_mask prefixed = finding->container.declared.prefixed;

	sentence_add(s, "The manifest adds ");
	for (unsigned n = 0; n < CAPABILITY_MAX; n++) {
		if (!(prefixed & CAPABILITY_BIT(n)))
			continue;
		prefixed &= ~CAPABILITY_BIT(n);
		sentence_add(s, "CAP_");
		sentence_add_capabilities(s, CAPABILITY_BIT(n), 1);
		sentence_add(s, "%s", prefixed ? ", " : "");
	}
	sentence_add(s, ", which the runtime did not grant: Kubernetes' names have no CAP_ before "
			"them.");
}

static const struct row {
	const char *code;
	const char *text; /* a fixed text, or */
	void (*tell)(
		struct sentence *sentence, const struct finding *finding); /* one that depends */
} rows[HINTS] = {
	[HINT_APE_HAS_NO_EFFECT] = { "ape-has-no-effect",
		"allowPrivilegeEscalation: false (no_new_privs) has no effect on what holds "
		"SYS_ADMIN: there is "
		"nothing left for it to escalate to. Take SYS_ADMIN away; no other setting makes "
		"up for it.",
		NULL },
	[HINT_NARROWER] = { "narrower-capability", NULL, tell_narrower },
	[HINT_RUNTIME_DEFAULT] = { "runtime-default-set",
		"The container has its runtime's untouched default set, which nobody asked for: "
		"drop: "
		"[\"ALL\"] takes it away, and add: gives back what the program needs.",
		NULL },
	[HINT_MOVED] = { "moved",
		"The process was seen in this container and is in another cgroup now, where limits "
		"and audits "
		"that go by the cgroup miss it. Only what may write to the host's cgroup tree can "
		"do this: find "
		"out what moved it.",
		NULL },
	[HINT_LEFT_USER_NAMESPACE] = { "left-user-namespace",
		"Its container has a user namespace of its own, and this process runs in one "
		"around it, where the "
		"same capabilities count for more. A container cannot do this by itself: find out "
		"what started "
		"or helped it.",
		NULL },
	[HINT_NESTED_USER_NAMESPACE] = { "nested-user-namespace",
		"The capabilities count only in a user namespace that was made inside the "
		"container, as browsers, "
		"bubblewrap and buildah do. They give nothing of the host, but reach kernel code "
		"that is "
		"otherwise closed; a seccomp filter, or user.max_user_namespaces, can forbid it.",
		NULL },
	[HINT_REQUIRE_UNMET] = { "require-unmet", NULL, tell_unmet },
	[HINT_NOT_LEADER] = { "thread", NULL, tell_thread },
	[HINT_STILL_RUNTIME] = { "still-starting", NULL, tell_still_runtime },
	[HINT_EXCEPTION_EXPIRES] = { "exception-expires", NULL, tell_expires },
	[HINT_EXCEPTION_EXPIRED] = { "exception-expired",
		"An exception of the policy would have covered this, and has expired: renew it, or "
		"take away what "
		"it allowed.",
		NULL },
	[HINT_SETS_DIFFER] = { "sets-differ",
		"capget(2) and /proc/PID/status give different sets for it, as with an AppArmor "
		"profile that masks "
		"some: the larger answer counts, since the profile can be changed while the "
		"process runs.",
		NULL },
	[HINT_UNATTRIBUTED] = { "unattributed",
		"The lines of its /proc/PID/cgroup contradict each other, or name a pod and no "
		"container, so it "
		"is not known whose it is. Its parent process and its command line tell more.",
		NULL },
	[HINT_CAP_PREFIX] = { "cap-prefix", NULL, tell_prefix },
	[HINT_UNKNOWN_NAME] = { "unknown-capability",
		"The manifest adds or drops something that is no capability's name, such as a "
		"misspelt one or a number: the runtime passes it over, so that it gives and takes "
		"away nothing.",
		NULL },
	[HINT_PENDING] = { "api-pending",
		"The Kubernetes API has not told of this pod or of its namespace yet, or what it "
		"told had to be left out: its labels, "
		"its owner and what its manifest declares are unknown, and the verdict may be "
		"another once they are known.",
		NULL },
	[HINT_NOT_IN_API] = { "not-in-api",
		"The Kubernetes API told of all pods of this node, and not of this one: it is "
		"just being made or removed, or somebody started it past the API server.",
		NULL },
};

const char *hint_code(enum hint hint)
{
	return (size_t)hint < ARRAY_SIZE(rows) ? rows[hint].code : "unknown";
}

char *hint_text(enum hint hint, const struct finding *finding)
{
	struct sentence s;

	sentence_begin(&s);
	if ((size_t)hint < ARRAY_SIZE(rows)) {
		if (rows[hint].tell)
			rows[hint].tell(&s, finding);
		else
			sentence_add(&s, "%s", rows[hint].text);
	}
	return sentence_end(&s);
}
