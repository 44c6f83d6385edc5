/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A finding as a value: its sentence, its identity, its order, its copies and its hints.
 */
#include "../support/fail_allocation.h"
#include "report_fixture.h"

#include <capauditd/text.h>

#include <errno.h>

/* The sentence of a fixture, changed by the caller. */
static void expect_message(const struct finding *finding, const char *expected)
{
	char *message = finding_message(finding);

	assert_non_null(message);
	assert_string_equal(message, expected);
	free(message);
}

static void every_kind_of_finding_has_its_sentence(void **state)
{
	static const struct {
		enum fixture fixture;
		const char *message;
	} rows[] = {
		{ F_PLAIN, "Container web (shop/cart-7d4f, init) holds SYS_ADMIN, which profile "
			   "restricted "
			   "does not permit." },
		{ F_DOCKER, "Container fedcba987654 (docker) could gain NET_ADMIN and SYS_PTRACE, "
			    "which "
			    "profile baseline does not permit." },
		{ F_DRIFT, "Container db (shop/db-0) holds all capabilities, 27 of which its "
			   "container was "
			   "not given." },
		{ F_TOLERATED, "Container bbbbbbbbbbbb (pod 9729a196c4723b60ab401eaff722982d, "
			       "sidecar) holds "
			       "NET_RAW, which profile baseline tolerates." },
		{ F_EXCEPTED,
			"Container agent (podman) holds NET_ADMIN and NET_RAW, excepted: the CNI "
			"plugin sets up interfaces." },
		{ F_NESTED,
			"In a user namespace made inside it, container browser (docker) holds all "
			"capabilities, 40 of which profile restricted does not permit." },
		{ F_OWN, "In its own user namespace, container 0123456789ab (podman) has ended; it "
			 "held "
			 "SYS_ADMIN, which profile baseline does not permit." },
		{ F_MOVED, "A process of container job (containerd) was moved out of it." },
		{ F_LEFT, "A process of container job (containerd) entered an ancestor's user "
			  "namespace and "
			  "holds CHOWN, which its container was not given." },
		{ F_THREAD, "Thread 45 of process 44 in container job (pod job-x, ephemeral) holds "
			    "BPF, "
			    "IPC_LOCK and LEASE, which profile baseline does not permit. "
			    "(Provisional: its "
			    "namespace's level is not known yet.)" },
		{ F_HOST, "Host process chronyd (300, /system.slice/chrony.service) holds "
			  "SYS_TIME, which "
			  "profile web does not permit." },
		{ F_UNKNOWN, "Container pidns-51-778899 (unknown runtime) holds SYSLOG, CAP_45 and "
			     "CAP_63, "
			     "which profile baseline does not permit." },
		{ F_EXPIRED, "Container cccccccccccc (lxc) can no longer gain NET_RAW, which its "
			     "container "
			     "was not given." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_message(&fixtures[rows[i].fixture], rows[i].message);
}

static void the_reason_of_a_resolution_is_told(void **state)
{
	static const struct {
		enum resolved_reason reason;
		const char *held, *bounding, *moved;
	} rows[] = {
		{ RESOLVED_NOT,
			"Container web (shop/cart-7d4f, init) no longer holds SYS_ADMIN, which "
			"profile "
			"restricted does not permit.",
			"Container fedcba987654 (docker) can no longer gain NET_ADMIN and "
			"SYS_PTRACE, which "
			"profile baseline does not permit.",
			"A process of container job (containerd) that was moved out of it is not "
			"seen any "
			"more." },
		{ RESOLVED_EXITED,
			"Container web (shop/cart-7d4f, init) has ended; it held SYS_ADMIN, which "
			"profile restricted does not permit.",
			"Container fedcba987654 (docker) has ended; it could have gained NET_ADMIN "
			"and "
			"SYS_PTRACE, which profile baseline does not permit.",
			"A process of container job (containerd) that was moved out of it has "
			"ended." },
		{ RESOLVED_POLICY,
			"Container web (shop/cart-7d4f, init) holds SYS_ADMIN, which the policy "
			"now "
			"permits.",
			"Container fedcba987654 (docker) could gain NET_ADMIN and SYS_PTRACE, "
			"which the policy "
			"now permits.",
			"A process of container job (containerd) that was moved out of it did what "
			"the policy "
			"now permits." },
		{ RESOLVED_EXCEPTION,
			"Container web (shop/cart-7d4f, init) holds SYS_ADMIN, which an "
			"exception now covers.",
			"Container fedcba987654 (docker) could gain NET_ADMIN and SYS_PTRACE, "
			"which an "
			"exception now covers.",
			"A process of container job (containerd) that was moved out of it did what "
			"an "
			"exception now covers." },
		{ RESOLVED_LEVEL,
			"Container web (shop/cart-7d4f, init) holds SYS_ADMIN, which its "
			"namespace's level now permits.",
			"Container fedcba987654 (docker) could gain NET_ADMIN and SYS_PTRACE, "
			"which its "
			"namespace's level now permits.",
			"A process of container job (containerd) that was moved out of it did what "
			"its "
			"namespace's level now permits." },
		{ RESOLVED_REBOOT,
			"Container web (shop/cart-7d4f, init) ended when the node was restarted; "
			"it "
			"held SYS_ADMIN, which profile restricted does not permit.",
			"Container fedcba987654 (docker) ended when the node was restarted; it "
			"could have "
			"gained NET_ADMIN and SYS_PTRACE, which profile baseline does not permit.",
			"A process of container job (containerd) that was moved out of it ended "
			"when the "
			"node was restarted." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct {
			enum fixture fixture;
			const char *expected;
		} cases[] = { { F_PLAIN, rows[i].held }, { F_DOCKER, rows[i].bounding },
			{ F_MOVED, rows[i].moved } };

		for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
			struct finding finding = fixtures[cases[k].fixture];

			finding.state = FINDING_RESOLVED;
			finding.resolved_reason = rows[i].reason;
			expect_message(&finding, cases[k].expected);
		}
	}
}

static void drift_and_exceptions_go_together(void **state)
{
	struct finding finding = fixtures[F_DRIFT];

	(void)state;
	finding.verdict = VERDICT_EXCEPTED;
	finding.exception.reason = T(" a debugger. ");
	expect_message(&finding,
		"Container db (shop/db-0) holds all capabilities, 27 of which its container "
		"was not given; excepted:  a debugger.");
	finding.class = CLASS_POSTURE;
	expect_message(&finding,
		"Container db (shop/db-0) holds all capabilities, 27 of which are excepted: "
		" a debugger.");
	finding = fixtures[F_MOVED];
	finding.excess = (struct capability_sets)SETS(BIT(SYS_ADMIN), 0, 0, 0, 0);
	expect_message(&finding,
		"A process of container job (containerd) was moved out of it and holds "
		"SYS_ADMIN, which its container was not given.");
	finding.state = FINDING_RESOLVED;
	finding.resolved_reason = RESOLVED_EXITED;
	expect_message(&finding,
		"A process of container job (containerd) that was moved out of it has ended; "
		"it held SYS_ADMIN, which its container was not given.");
}

static void long_lists_name_the_worst_and_count_the_rest(void **state)
{
	struct finding finding = fixtures[F_DOCKER];

	(void)state;
	/* Not everything is in its sets, so that "all capabilities" would be wrong. */
	finding.excess = (struct capability_sets)SETS(ALL_CAPABILITIES & ~BIT(CHOWN), 0, 0, 0, 0);
	expect_message(&finding,
		"Container fedcba987654 (docker) holds SYS_ADMIN, DAC_READ_SEARCH, SYS_MODULE, "
		"SYS_RAWIO, SYS_BOOT, MAC_OVERRIDE, MAC_ADMIN, PERFMON and 32 more, which "
		"profile baseline does not permit.");
	finding.excess = (struct capability_sets)SETS(ALL_CAPABILITIES, 0, 0, 0, 0);
	expect_message(&finding,
		"Container fedcba987654 (docker) holds all capabilities, which profile "
		"baseline does not permit.");
	finding.excess = (struct capability_sets)SETS(0xff, 0, 0, 0, 0);
	expect_message(&finding,
		"Container fedcba987654 (docker) holds DAC_READ_SEARCH, CHOWN, DAC_OVERRIDE, "
		"FOWNER, FSETID, KILL, SETGID and SETUID, which profile baseline does not "
		"permit.");
}

static void what_is_not_known_is_left_out_of_the_sentence(void **state)
{
	struct finding finding = fixtures[F_PLAIN];

	(void)state;
	finding.container.type = CONTAINER_UNKNOWN;
	finding.container.pod.namespace_name = NULL;
	expect_message(&finding,
		"Container web (pod cart-7d4f) holds SYS_ADMIN, which profile restricted does "
		"not permit.");
	finding.container.pod.name = NULL;
	finding.container.pod.namespace_name = T("shop");
	expect_message(&finding,
		"Container web (namespace shop) holds SYS_ADMIN, which profile restricted "
		"does not permit.");
	finding.container.pod = (struct pod){ 0 };
	finding.container.type = CONTAINER_SANDBOX;
	expect_message(&finding,
		"Container web (containerd, sandbox) holds SYS_ADMIN, which profile "
		"restricted does not permit.");
	finding.container.runtime = NULL;
	finding.container.name = NULL;
	finding.profile = NULL;
	expect_message(&finding,
		"Container 0123456789ab (unknown runtime, sandbox) holds SYS_ADMIN, which "
		"profile ? does not permit.");
}

static void hostile_names_cannot_break_a_sentence(void **state)
{
	struct finding finding = fixtures[F_HOSTILE];

	(void)state;
	for (int host = 0; host < 2; host++) {
		char *message;

		finding.container.host = host;
		message = finding_message(&finding);
		assert_non_null(message);
		assert_true(text_is_clean(message, strlen(message)));
		assert_null(strpbrk(message, "\n\033\r\177"));
		assert_non_null(strstr(message, "\\x0a"));
		assert_non_null(strstr(message, "\\x1b"));
		free(message);
	}
}

static void a_name_of_255_bytes_and_more_is_cut(void **state)
{
	struct finding finding = fixtures[F_DOCKER];
	char name[4096];
	char *message;

	(void)state;
	memset(name, 1, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	finding.container.name = name;
	message = finding_message(&finding);
	assert_non_null(message);
	assert_true(strlen(message) > 4 * 255);
	assert_true(strlen(message) < 4096);
	free(message);
}

static struct finding identified(const struct finding *from)
{
	struct finding finding = *from;

	finding_identify(&finding);
	assert_int_equal(strlen(finding.id), 16);
	assert_int_equal(strspn(finding.id, "0123456789abcdef"), 16);
	assert_int_equal(strspn(finding.workload_id, "0123456789abcdef"), 16);
	return finding;
}

static void an_id_is_the_same_for_ever(void **state)
{
	(void)state;
	/* Computed elsewhere, from the serialisation that finding.c describes. Consumers keep ids:
	 * whoever changes the key must mean it. */
	assert_string_equal(identified(&fixtures[F_PLAIN]).id, "f7e9359e38026ddd");
	assert_string_equal(identified(&fixtures[F_PLAIN]).workload_id, "6c74cf4f5aed21b1");
}

/* Changes a finding in one way. */
typedef void change(struct finding *finding);

#define CHANGE(name, statement)             \
	static void name(struct finding *f) \
	{                                   \
		statement;                  \
	}

CHANGE(change_id, f->container.id = T(ID_D))
CHANGE(change_class, f->class = CLASS_DRIFT)
CHANGE(change_relation, f->relation = RELATION_OWN)
CHANGE(change_nested, f->relation = RELATION_NESTED)
CHANGE(change_moved, f->hints |= HINT(MOVED))
CHANGE(change_left, f->hints |= HINT(LEFT_USER_NAMESPACE))
CHANGE(change_effective, f->excess.of[CAPABILITY_EFFECTIVE] ^= 1)
CHANGE(change_permitted, f->excess.of[CAPABILITY_PERMITTED] ^= 1)
CHANGE(change_inheritable, f->excess.of[CAPABILITY_INHERITABLE] ^= 1)
CHANGE(change_ambient, f->excess.of[CAPABILITY_AMBIENT] ^= 1)
CHANGE(change_bounding, f->excess.of[CAPABILITY_BOUNDING] ^= UINT64_C(1) << 63)
CHANGE(change_namespace, f->container.pod.namespace_name = T("else"))
CHANGE(change_owner, f->container.pod.owner = T("DaemonSet/web"))
CHANGE(change_name, f->container.name = T("sidecar"))
CHANGE(change_pod, f->container.pod.name = T("cart-9999"))
CHANGE(change_process, f->process.pid++)
CHANGE(change_severity, f->severity = SEVERITY_LOW)
CHANGE(change_verdict, f->verdict = VERDICT_EXCEPTED)
CHANGE(change_profile, f->profile = T("else"))
CHANGE(change_hints, f->hints ^= HINT(SETS_DIFFER) | HINT(NARROWER))
CHANGE(change_count, f->count++)

static void ids_depend_on_the_key_and_on_nothing_else(void **state)
{
	static const struct {
		change *change;
		bool id, workload_id; /* whether it becomes another */
	} rows[] = {
		{ change_id, true, false },
		{ change_class, true, true },
		{ change_relation, true, true },
		{ change_nested, true, true },
		{ change_moved, true, true },
		{ change_left, true, true },
		{ change_effective, true, true },
		{ change_permitted, true, true },
		{ change_inheritable, true, true },
		{ change_ambient, true, true },
		{ change_bounding, true, true },
		{ change_namespace, false, true },
		{ change_owner, false, true },
		{ change_name, false, true },
		{ change_pod, false, false },
		{ change_process, false, false },
		{ change_severity, false, false },
		{ change_verdict, false, false },
		{ change_profile, false, false },
		{ change_hints, false, false },
		{ change_count, false, false },
	};
	const struct finding before = identified(&fixtures[F_PLAIN]);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct finding after = before;

		rows[i].change(&after);
		after = identified(&after);
		assert_int_equal(strcmp(before.id, after.id) != 0, rows[i].id);
		assert_int_equal(
			strcmp(before.workload_id, after.workload_id) != 0, rows[i].workload_id);
	}
}

static void masks_do_not_count_in_a_nested_namespace(void **state)
{
	struct finding a = identified(&fixtures[F_NESTED]), b = a;

	(void)state;
	b.excess = (struct capability_sets)SETS(1, 2, 3, 4, 5);
	b = identified(&b);
	assert_string_equal(a.id, b.id);
	assert_string_equal(a.workload_id, b.workload_id);
}

static void replicas_without_names_are_known_by_their_image(void **state)
{
	struct finding a = fixtures[F_DOCKER], b;

	(void)state;
	a.container.image = T("nginx:1");
	a = identified(&a);
	b = a;
	b.container.id = T(ID_C);
	assert_string_equal(identified(&b).workload_id, a.workload_id);
	/* An image's name is not a container's. */
	b.container.image = NULL;
	b.container.name = T("nginx:1");
	assert_string_not_equal(identified(&b).workload_id, a.workload_id);
	/* Without either, nothing says that two are replicas. */
	a.container.image = b.container.name = NULL;
	assert_string_not_equal(identified(&b).workload_id, identified(&a).workload_id);
}

static void no_two_keys_run_together(void **state)
{
	struct finding a = fixtures[F_PLAIN], b = a;

	(void)state;
	a.container.pod.namespace_name = T("shopDeployment");
	a.container.pod.owner = T("/web");
	b.container.pod.namespace_name = T("shop");
	b.container.pod.owner = T("Deployment/web");
	assert_string_not_equal(identified(&a).workload_id, identified(&b).workload_id);
	/* Unknown is not the same as empty. */
	b = a;
	a.container.pod.owner = NULL;
	b.container.pod.owner = T("");
	assert_string_not_equal(identified(&a).workload_id, identified(&b).workload_id);
}

static int compare(const void *a, const void *b)
{
	const struct finding *const *x = a, *const *y = b;

	return finding_compare(*x, *y);
}

static void worse_findings_come_first(void **state)
{
	/* In the right order; the names are made so that they alone would give another. */
	struct finding ordered[] = {
		{ .verdict = VERDICT_VIOLATION, .class = CLASS_DRIFT, .severity = SEVERITY_HIGH },
		{ .verdict = VERDICT_VIOLATION, .class = CLASS_DRIFT, .severity = SEVERITY_LOW },
		{ .verdict = VERDICT_VIOLATION, .severity = SEVERITY_CRITICAL },
		{ .verdict = VERDICT_VIOLATION, .severity = SEVERITY_MEDIUM, .id = "1" },
		{ .verdict = VERDICT_VIOLATION, .severity = SEVERITY_MEDIUM, .id = "2" },
		{ .verdict = VERDICT_VIOLATION,
			.severity = SEVERITY_MEDIUM,
			.container = { .id = T("z"),
				.name = T("b"),
				.pod = { .namespace_name = T("a"), .name = T("p") } } },
		{ .verdict = VERDICT_VIOLATION,
			.severity = SEVERITY_MEDIUM,
			.container = { .id = T("y"),
				.name = T("c"),
				.pod = { .namespace_name = T("a"), .name = T("p") } } },
		{ .verdict = VERDICT_VIOLATION,
			.severity = SEVERITY_MEDIUM,
			.container = { .id = T("x"),
				.name = T("a"),
				.pod = { .namespace_name = T("a"), .name = T("q") } } },
		{ .verdict = VERDICT_VIOLATION,
			.severity = SEVERITY_MEDIUM,
			.container = { .id = T("a"), .pod = { .namespace_name = T("b") } } },
		{ .verdict = VERDICT_EXCEPTED, .class = CLASS_DRIFT },
		{ .verdict = VERDICT_EXCEPTED },
		{ .verdict = VERDICT_TOLERATED },
	};
	const struct finding *pointers[ARRAY_SIZE(ordered)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ordered); i++)
		pointers[i] = &ordered[(i * 5 + 7) % ARRAY_SIZE(ordered)];
	qsort(pointers, ARRAY_SIZE(pointers), sizeof(pointers[0]), compare);
	for (size_t i = 0; i < ARRAY_SIZE(ordered); i++)
		assert_ptr_equal(pointers[i], &ordered[i]);
	assert_int_equal(finding_compare(&ordered[0], &ordered[0]), 0);
}

static void assert_json_equal(const struct finding *a, const struct finding *b)
{
	char *x = finding_to_json(&fixture_context, a), *y = finding_to_json(&fixture_context, b);

	assert_non_null(x);
	assert_non_null(y);
	assert_string_equal(x, y);
	free(x);
	free(y);
}

static void a_copy_says_the_same_and_shares_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURES; i++) {
		struct finding copy;

		assert_int_equal(finding_copy(&fixtures[i], &copy), 0);
		assert_json_equal(&fixtures[i], &copy);
		assert_ptr_not_equal(copy.profile, fixtures[i].profile);
		assert_ptr_not_equal(copy.container.id, fixtures[i].container.id);
		if (copy.process.cmdline)
			assert_ptr_not_equal(copy.process.cmdline, fixtures[i].process.cmdline);
		finding_done(&copy); /* the sanitizer sees whether it owned all of it */
		finding_done(&copy); /* and that it may be done twice */
	}
	finding_free(NULL);
}

static void a_failed_copy_leaves_nothing_behind(void **state)
{
	struct finding copy, untouched;

	(void)state;
	memset(&copy, 0x5a, sizeof(copy));
	untouched = copy;
	for (unsigned long n = 1;; n++) {
		bool fired;
		int r;

		fail_allocation_at(n);
		r = finding_copy(&fixtures[F_PLAIN], &copy);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, -ENOMEM);
		assert_memory_equal(&copy, &untouched, sizeof(copy));
	}
	finding_done(&copy);
}

static void executables_are_distinct_and_bounded(void **state)
{
	struct finding finding = { 0 };
	char name[] = "/bin/a";

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int c = 'a'; c < 'z'; c++) {
			name[sizeof(name) - 2] = (char)c;
			assert_int_equal(finding_add_executable(&finding, name), 0);
		}
	}
	assert_int_equal(finding.executable_count, FINDING_EXECUTABLES_MAX);
	assert_string_equal(finding.executables[0], "/bin/a");
	assert_string_equal(finding.executables[FINDING_EXECUTABLES_MAX - 1], "/bin/h");
	finding_done(&finding);
	fail_allocation_at(1);
	assert_int_equal(finding_add_executable(&finding, "/bin/a"), -ENOMEM);
	fail_allocation_at(0);
	assert_int_equal(finding.executable_count, 0);
}

static void every_hint_has_a_code_of_its_own_and_a_sentence(void **state)
{
	struct finding finding = fixtures[F_HOSTILE];

	(void)state;
	finding.unmet = CONTROL_SECCOMP;
	for (unsigned hint = 0; hint < HINTS; hint++) {
		const char *code = hint_code((enum hint)hint);
		char *text = hint_text((enum hint)hint, &finding);
		size_t length;

		assert_non_null(text);
		length = strlen(text);
		assert_true(length > 20);
		assert_int_equal(text[length - 1], '.');
		assert_true(text_is_clean(text, length));
		assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz-"), strlen(code));
		for (unsigned other = 0; other < hint; other++)
			assert_string_not_equal(code, hint_code((enum hint)other));
		free(text);
	}
}

static void expect_hint(enum hint hint, const struct finding *finding, const char *expected)
{
	char *text = hint_text(hint, finding);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static void hints_say_the_finding_s_own_facts(void **state)
{
	(void)state;
	expect_hint(HINT_NOT_LEADER, &fixtures[F_THREAD],
		"Thread 45 has it, and the leader of process 44 does not: what reads "
		"/proc/44/status alone "
		"does not see it; /proc/44/task/45/status shows it.");
	expect_hint(HINT_REQUIRE_UNMET, &fixtures[F_NESTED],
		"A rule of the policy would apply to this container if these controls were in "
		"force: seccomp, "
		"lsm.");
	expect_hint(HINT_EXCEPTION_EXPIRES, &fixtures[F_EXCEPTED],
		"The exception that covers this counts until the end of 2027-01-31 (UTC): renew "
		"it, or take "
		"away what it allows.");
}

static void narrower_capabilities_come_from_the_table(void **state)
{
	const struct capability_info *info = capability_info(CAPABILITY_SYS_ADMIN);
	char *text = hint_text(HINT_NARROWER, &fixtures[F_PLAIN]);
	char name[CAPABILITY_NAME_SIZE];

	(void)state;
	assert_non_null(text);
	assert_non_null(strstr(text, "In place of SYS_ADMIN: "));
	assert_non_null(info);
	assert_true(info->narrower != 0);
	for (unsigned n = 0; n < CAPABILITY_MAX; n++)
		if (info->narrower & CAPABILITY_BIT(n))
			assert_non_null(strstr(text, capability_name(n, name)));
	if (info->instead)
		assert_non_null(strstr(text, info->instead));
	free(text);
	/* A privileged container's does not become a book. */
	text = hint_text(HINT_NARROWER, &fixtures[F_DRIFT]);
	assert_non_null(text);
	assert_non_null(strstr(text, "`capauditd explain capability NAME` tells of the other "));
	assert_true(strlen(text) < 1500);
	free(text);
}

static void names_are_interface_md_s(void **state)
{
	(void)state;
	assert_string_equal(finding_state_name(FINDING_OPENED), "opened");
	assert_string_equal(finding_state_name(FINDING_CHANGED), "changed");
	assert_string_equal(finding_state_name(FINDING_RESOLVED), "resolved");
	assert_string_equal(finding_state_name(FINDING_OBSERVED), "observed");
	assert_null(resolved_reason_name(RESOLVED_NOT));
	assert_string_equal(resolved_reason_name(RESOLVED_EXITED), "exited");
	assert_string_equal(resolved_reason_name(RESOLVED_DROPPED), "dropped");
	assert_string_equal(resolved_reason_name(RESOLVED_POLICY), "policy");
	assert_string_equal(resolved_reason_name(RESOLVED_EXCEPTION), "exception");
	assert_string_equal(resolved_reason_name(RESOLVED_LEVEL), "level");
	assert_string_equal(resolved_reason_name(RESOLVED_REBOOT), "reboot");
	assert_string_equal(verdict_name(VERDICT_COMPLIANT), "compliant");
	assert_string_equal(verdict_name(VERDICT_TOLERATED), "tolerated");
	assert_string_equal(verdict_name(VERDICT_EXCEPTED), "excepted");
	assert_string_equal(verdict_name(VERDICT_VIOLATION), "violation");
	assert_string_equal(violation_class_name(CLASS_DRIFT), "drift");
	assert_string_equal(violation_class_name(CLASS_POSTURE), "posture");
	assert_null(severity_name(SEVERITY_NONE));
	assert_string_equal(severity_name(SEVERITY_LOW), "low");
	assert_string_equal(severity_name(SEVERITY_MEDIUM), "medium");
	assert_string_equal(severity_name(SEVERITY_HIGH), "high");
	assert_string_equal(severity_name(SEVERITY_CRITICAL), "critical");
	assert_null(reach_name(REACH_NONE));
	assert_string_equal(reach_name(REACH_BOUNDING), "bounding");
	assert_string_equal(reach_name(REACH_PERMITTED), "permitted");
	assert_string_equal(reach_name(REACH_EFFECTIVE), "effective");
	assert_string_equal(origin_name(ORIGIN_UNKNOWN), "unknown");
	assert_string_equal(origin_name(ORIGIN_DECLARED), "declared");
	assert_string_equal(origin_name(ORIGIN_PRIVILEGED), "privileged");
	assert_string_equal(origin_name(ORIGIN_RUNTIME_DEFAULT), "runtime-default");
	assert_string_equal(origin_name(ORIGIN_EXEC), "exec");
	assert_null(level_name(LEVEL_UNKNOWN));
	assert_string_equal(level_name(LEVEL_RESTRICTED), "restricted");
	assert_string_equal(level_name(LEVEL_BASELINE), "baseline");
	assert_string_equal(level_name(LEVEL_PRIVILEGED), "privileged");
	assert_string_equal(hint_code(HINT_APE_HAS_NO_EFFECT), "ape-has-no-effect");
	assert_string_equal(host_namespace_name(0), "pid");
	assert_string_equal(host_namespace_name(5), "cgroup");
	/* What came from a file may be anything. */
	assert_string_equal(verdict_name((enum verdict)1000), "unknown");
	assert_string_equal(host_namespace_name(31), "unknown");
	assert_string_equal(hint_code((enum hint)HINTS), "unknown");
}

static void sentences_fail_for_want_of_memory_and_not_otherwise(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURES; i++) {
		for (unsigned long n = 1;; n++) {
			bool fired;
			char *message;

			fail_allocation_at(n);
			message = finding_message(&fixtures[i]);
			fired = fail_allocation_fired();
			fail_allocation_at(0);
			assert_int_equal(message == NULL, fired);
			free(message);
			if (!fired)
				break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_finding_has_its_sentence),
		cmocka_unit_test(the_reason_of_a_resolution_is_told),
		cmocka_unit_test(drift_and_exceptions_go_together),
		cmocka_unit_test(long_lists_name_the_worst_and_count_the_rest),
		cmocka_unit_test(what_is_not_known_is_left_out_of_the_sentence),
		cmocka_unit_test(hostile_names_cannot_break_a_sentence),
		cmocka_unit_test(a_name_of_255_bytes_and_more_is_cut),
		cmocka_unit_test(an_id_is_the_same_for_ever),
		cmocka_unit_test(ids_depend_on_the_key_and_on_nothing_else),
		cmocka_unit_test(masks_do_not_count_in_a_nested_namespace),
		cmocka_unit_test(replicas_without_names_are_known_by_their_image),
		cmocka_unit_test(no_two_keys_run_together),
		cmocka_unit_test(worse_findings_come_first),
		cmocka_unit_test(a_copy_says_the_same_and_shares_nothing),
		cmocka_unit_test(a_failed_copy_leaves_nothing_behind),
		cmocka_unit_test(executables_are_distinct_and_bounded),
		cmocka_unit_test(every_hint_has_a_code_of_its_own_and_a_sentence),
		cmocka_unit_test(hints_say_the_finding_s_own_facts),
		cmocka_unit_test(narrower_capabilities_come_from_the_table),
		cmocka_unit_test(names_are_interface_md_s),
		cmocka_unit_test(sentences_fail_for_want_of_memory_and_not_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
