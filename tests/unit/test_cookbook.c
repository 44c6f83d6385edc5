/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policies of docs/policy-cookbook.md, taken out of the document: each is good, chooses the
 * profile or covers by the exception that its section is about, for nobody else and no more than
 * that; and what the daemon says without it is what the section says that it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <capauditd/judge.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COOKBOOK    "docs/policy-cookbook.md"
#define BIT(name)   CAPABILITY_BIT(CAPABILITY_##name)
#define DEFAULT_SET UINT64_C(0xa80425fb)       /* containerd's and Docker's */
#define EVERYTHING  UINT64_C(0x1ffffffffff)    /* what `privileged: true` grants */
#define NOW_US	    UINT64_C(1795910400000000) /* 2026-11-29 */
#define ID	    "4c01db0b339c5a3d6d2f0e1b7a8c9d0e4c01db0b339c5a3d6d2f0e1b7a8c9d0e"

/* What a row does not mention is 0, on purpose. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* A container as its manifest has it. */
struct dish {
	const char *section;
	const char *namespace_name, *owner, *container; /* NULL: it is in no pod */
	enum container_type type;
	const char *image;
	struct label namespace_label, pod_label;
	struct declaration declared;
	const char *runtime; /* NULL: containerd */
	bool ordinary_user;  /* it holds nothing, and could gain what was granted */
	bool confined;	     /* seccomp and no_new_privs */
	unsigned host_namespaces;
	/* With the section's policy. */
	const char *profile;
	enum profile_source source;
	enum verdict verdict;
	/* Without: whether anything is said. */
	bool fine_anyway;
};

#define REGULAR CONTAINER_REGULAR
#define INIT	CONTAINER_INIT
#define RULE	PROFILE_FROM_RULE
#define DEFAULT PROFILE_FROM_DEFAULT

static const struct dish dishes[] = {
	{ "Cilium", "kube-system", "DaemonSet/cilium", "cilium-agent", REGULAR,
		.declared = { .drop_all = true,
			.add = BIT(CHOWN) | BIT(KILL) | BIT(NET_ADMIN) | BIT(NET_RAW) |
			       BIT(IPC_LOCK) | BIT(SYS_MODULE) | BIT(SYS_ADMIN) |
			       BIT(SYS_RESOURCE) | BIT(DAC_OVERRIDE) | BIT(FOWNER) | BIT(SETGID) |
			       BIT(SETUID) | BIT(SYSLOG) },
		.host_namespaces = HOST_NAMESPACE_NET, .profile = "cilium-agent", .source = RULE },
	{ "Cilium", "kube-system", "DaemonSet/cilium", "mount-cgroup", INIT,
		.declared = { .drop_all = true,
			.add = BIT(SYS_ADMIN) | BIT(SYS_CHROOT) | BIT(SYS_PTRACE) },
		.host_namespaces = HOST_NAMESPACE_NET, .profile = "cilium-init", .source = RULE },
	{ "Cilium", "kube-system", "DaemonSet/cilium", "mount-bpf-fs", INIT,
		.declared = { .privileged = true }, .host_namespaces = HOST_NAMESPACE_NET,
		.profile = "privileged", .source = RULE },
	{ "Calico", "calico-system", "DaemonSet/calico-node", "calico-node", REGULAR,
		.declared = { .privileged = true }, .host_namespaces = HOST_NAMESPACE_NET,
		.profile = "privileged", .source = RULE },
	{ "flannel", "kube-flannel", "DaemonSet/kube-flannel-ds", "kube-flannel", REGULAR,
		.declared = { .add = BIT(NET_ADMIN) | BIT(NET_RAW) },
		.host_namespaces = HOST_NAMESPACE_NET, .profile = "network-agent", .source = RULE },
	{ "CSI node drivers", "kube-system", "DaemonSet/ebs-csi-node", "ebs-plugin", REGULAR,
		.declared = { .privileged = true }, .profile = "privileged", .source = RULE },
	{ "Node exporter", "monitoring", "DaemonSet/node-exporter", "node-exporter", REGULAR,
		.declared = { .drop_all = true, .add = BIT(SYS_TIME) }, .ordinary_user = true,
		.host_namespaces = HOST_NAMESPACE_NET | HOST_NAMESPACE_PID,
		.profile = "node-exporter", .source = RULE },
	{ "Datadog", "datadog", "DaemonSet/datadog", "system-probe", REGULAR,
		.declared = { .add = BIT(SYS_ADMIN) | BIT(SYS_RESOURCE) | BIT(SYS_PTRACE) |
				     BIT(NET_ADMIN) | BIT(NET_BROADCAST) | BIT(NET_RAW) |
				     BIT(IPC_LOCK) | BIT(CHOWN) | BIT(DAC_READ_SEARCH) },
		.host_namespaces = HOST_NAMESPACE_PID, .profile = "system-probe", .source = RULE },
	{ "Falco and other eBPF agents", "falco", "DaemonSet/falco", "falco", REGULAR,
		.declared = { .add = BIT(BPF) | BIT(PERFMON) | BIT(SYS_RESOURCE) |
				     BIT(SYS_PTRACE) },
		.profile = "ebpf-agent", .source = RULE, .verdict = VERDICT_TOLERATED },
	{ "PostgreSQL", "db", "StatefulSet/orders", "postgres", REGULAR,
		.declared = { .drop_all = true,
			.add = BIT(CHOWN) | BIT(DAC_OVERRIDE) | BIT(FOWNER) | BIT(SETGID) |
			       BIT(SETUID) },
		.profile = "starts-as-root", .source = RULE },
	{ "PostgreSQL", "db", "StatefulSet/stock", "postgres", REGULAR,
		.declared = { .drop_all = true }, .ordinary_user = true, .profile = "restricted",
		.source = DEFAULT, .fine_anyway = true },
	{ "MySQL", "db", "StatefulSet/mysql", "mysql", REGULAR,
		.declared = { .add = BIT(SYS_NICE) }, .ordinary_user = true, .profile = "mysql",
		.source = RULE, .verdict = VERDICT_TOLERATED },
	{ "Elasticsearch", "search", "StatefulSet/es-data", "elasticsearch", REGULAR,
		.declared = { .add = BIT(IPC_LOCK) | BIT(SYS_RESOURCE) }, .ordinary_user = true,
		.profile = "baseline", .source = DEFAULT, .verdict = VERDICT_EXCEPTED },
	{ "Elasticsearch", "search", "StatefulSet/es-data", "sysctl", INIT,
		.declared = { .privileged = true }, .profile = "baseline", .source = DEFAULT,
		.verdict = VERDICT_EXCEPTED },
	{ "Ingress", "ingress-nginx", "Deployment/ingress-nginx-controller", "controller", REGULAR,
		.declared = { .drop_all = true, .add = BIT(NET_BIND_SERVICE) },
		.profile = "restricted", .source = RULE, .fine_anyway = true },
	{ "Service meshes", "shop", "Deployment/cart", "istio-init", INIT,
		"docker.io/istio/proxyv2:1.22.0", { "istio-injection", "enabled" },
		.declared = { .drop_all = true, .add = BIT(NET_ADMIN) | BIT(NET_RAW) },
		.profile = "baseline", .source = DEFAULT, .verdict = VERDICT_EXCEPTED },
	{ "Service meshes", "shop", "Deployment/cart", "linkerd-init", INIT,
		"cr.l5d.io/linkerd/proxy-init:v2.4.0", { NULL },
		{ "linkerd.io/control-plane-ns", "linkerd" },
		.declared = { .add = BIT(NET_ADMIN) | BIT(NET_RAW) }, .profile = "baseline",
		.source = DEFAULT, .verdict = VERDICT_EXCEPTED },
	{ "VPNs", "vpn", "Deployment/wireguard", "wireguard", REGULAR,
		.declared = { .drop_all = true, .add = BIT(NET_ADMIN) }, .profile = "vpn",
		.source = RULE },
	{ "Debuggers", "shop", "Deployment/cart", "debugger-x2k9p", CONTAINER_EPHEMERAL,
		"registry.example/debug:7", { "example.com/debugging", "allowed" },
		.declared = { .add = BIT(SYS_PTRACE) }, .profile = "baseline", .source = DEFAULT,
		.verdict = VERDICT_EXCEPTED },
	{ "Debuggers", "shop", "Deployment/cart", "debugger-p4vzd", CONTAINER_EPHEMERAL,
		"registry.example/debug:7", { "example.com/debugging", "allowed" },
		.declared = { .add = BIT(NET_ADMIN) | BIT(NET_RAW) }, .profile = "baseline",
		.source = DEFAULT, .verdict = VERDICT_EXCEPTED },
	{ "Docker, LXC and nspawn without Kubernetes", .runtime = "docker",
		.declared = { .add = BIT(NET_ADMIN) }, .profile = "baseline", .source = DEFAULT,
		.verdict = VERDICT_EXCEPTED },
	{ "Docker, LXC and nspawn without Kubernetes", .runtime = "docker", .confined = true,
		.declared = { .add = BIT(SYS_PTRACE) }, .profile = "confined", .source = RULE,
		.verdict = VERDICT_TOLERATED },
	{ "Docker, LXC and nspawn without Kubernetes", .runtime = "nspawn",
		.declared = { .privileged = true }, .profile = "privileged", .source = RULE },
};

/* -- the document -------------------------------------------------------------------------------
 */

static char *cookbook;

static int read_cookbook(void **state)
{
	FILE *file = fopen(COOKBOOK, "re");
	size_t size = 0;

	(void)state;
	if (!file || getdelim(&cookbook, &size, '\0', file) < 0)
		print_message(
			"%s: %s (tests run in the project's folder)\n", COOKBOOK, strerror(errno));
	if (file)
		(void)fclose(file);
	return cookbook ? 0 : -1;
}

static int free_cookbook(void **state)
{
	(void)state;
	free(cookbook);
	return 0;
}

/* From `text` to before `end`, or to the end of all; a new string. */
static char *copy_until(const char *text, const char *end)
{
	const char *found = strstr(text, end);
	char *copy = strndup(text, found ? (size_t)(found - text) : strlen(text));

	assert_non_null(copy);
	return copy;
}

static char *section_text(const char *section)
{
	char heading[128];
	const char *found;

	(void)snprintf(heading, sizeof(heading), "\n## %s\n", section);
	found = strstr(cookbook, heading);
	if (!found)
		fail_msg("%s has no section %s", COOKBOOK, section);
	return copy_until(found + strlen(heading), "\n## ");
}

#define FENCE "```yaml\nversion: 1\n"

/* The next policy at or after *at, which is moved behind it; NULL where there is none. */
static char *next_policy(const char **at)
{
	const char *found = strstr(*at, FENCE);
	char *text;

	if (!found)
		return NULL;
	text = copy_until(found + strlen("```yaml\n"), "```");
	*at = found + strlen("```yaml\n") + strlen(text);
	return text;
}

static struct policy *load(const char *text)
{
	struct policy *policy = NULL;
	struct diag diag = { 0 };

	if (policy_load("cookbook", text, strlen(text), &policy, &diag) < 0)
		fail_msg("%u:%u: %s in:\n%s", diag.line, diag.column, diag.message, text);
	return policy;
}

/* -- judging ------------------------------------------------------------------------------------
 */

struct served {
	struct assessment assessment;
	char *said; /* "high posture: Container ...", of the worst violation; NULL: nothing */
};

static void served_done(struct served *served)
{
	free(served->said);
}

/* As the owner's controller names its pods. */
static void name_pod(const char *owner, char *ret, size_t size)
{
	const bool stateful = strncmp(owner, "StatefulSet/", strlen("StatefulSet/")) == 0;
	const bool deployment = strncmp(owner, "Deployment/", strlen("Deployment/")) == 0;

	(void)snprintf(ret, size, "%s%s", strchr(owner, '/') + 1,
		stateful     ? "-0"
		: deployment ? "-7d4f9c-x2k9p"
			     : "-x2k9p");
}

static void set_container(const struct dish *dish, struct container *ret)
{
	const bool in_pod = dish->namespace_name != NULL;
	static char pod[128];

	*ret = (struct container){ .id = (char *)ID,
		.runtime = dish->runtime ? dish->runtime : "containerd",
		.name = (char *)dish->container,
		.image = (char *)dish->image,
		.type = dish->type,
		.in_pod = in_pod,
		.declared = dish->declared };
	/* The name that the administrator gave it. */
	if (strcmp(ret->runtime, "nspawn") == 0)
		ret->id = (char *)"build";
	if (!in_pod)
		return;
	ret->declared.known = true;
	ret->pod.namespace_name = (char *)dish->namespace_name;
	name_pod(dish->owner, pod, sizeof(pod));
	ret->pod.name = pod;
	ret->pod.owner = (char *)dish->owner;
	ret->pod.known = true;
}

static capability_mask granted(const struct declaration *declared)
{
	if (declared->privileged)
		return EVERYTHING;
	return (declared->drop_all ? 0 : DEFAULT_SET) | declared->add;
}

static void set_task(const struct dish *dish, struct task *ret)
{
	const capability_mask mask = granted(&dish->declared);

	*ret = (struct task){ .pid = 10,
		.tid = 10,
		.start_ticks = 10,
		.leader = true,
		.outside_parent = true,
		.controls_known = true,
		.seccomp = dish->confined ? SECCOMP_FILTER_MODE : SECCOMP_DISABLED_MODE,
		.no_new_privs = dish->confined,
		.user_namespace = USER_NAMESPACE_INITIAL,
		.user_namespace_key = 1 };
	ret->sets.of[CAPABILITY_BOUNDING] = mask;
	ret->sets.of[CAPABILITY_EFFECTIVE] = dish->ordinary_user ? 0 : mask;
	ret->sets.of[CAPABILITY_PERMITTED] = dish->ordinary_user ? 0 : mask;
}

static void serve(const struct dish *dish, const struct policy *policy, struct served *ret)
{
	struct container container;
	struct reference reference = { 0 };
	struct observation *observations = NULL;
	size_t count = 0;
	struct task task;
	const struct task *pointer = &task;
	struct judge_input input = { .policy = policy,
		.container = &container,
		.tasks = &pointer,
		.task_count = 1,
		.reference = &reference,
		.api = dish->namespace_name ? API_KNOWS : API_NOT_ASKED,
		.namespace_labels = &dish->namespace_label,
		.namespace_label_count = dish->namespace_label.key != NULL,
		.pod_labels = &dish->pod_label,
		.pod_label_count = dish->pod_label.key != NULL,
		.now_us = NOW_US,
		.now_ticks = 100000,
		.ticks_per_second = 100 };

	*ret = (struct served){ 0 };
	set_container(dish, &container);
	set_task(dish, &task);
	assert_int_equal(judge_container(&input, &ret->assessment, &observations, &count), 0);
	for (size_t i = 0; i < count; i++) {
		struct finding *f = &observations[i].finding;

		f->process.host_namespaces = dish->host_namespaces;
		f->process.no_new_privs = dish->confined;
		assert_int_equal(judge_settle(&input, &observations[i], &ret->assessment), 0);
		if (f->verdict == VERDICT_VIOLATION && !ret->said) {
			char *message = finding_message(f);

			assert_true(asprintf(&ret->said, "%s %s: %s", severity_name(f->severity),
					    violation_class_name(f->class), message) > 0);
			free(message);
		}
	}
	observations_free(observations, count);
}

/* -- tests --------------------------------------------------------------------------------------
 */

static void every_policy_is_good_and_stands_in_a_section_that_is_tested(void **state)
{
	const char *at = cookbook;
	size_t policies = 0;
	char *text;

	(void)state;
	while ((text = next_policy(&at))) {
		struct policy *policy = load(text);
		size_t tested = 0;

		for (size_t i = 0; i < ARRAY_SIZE(dishes); i++) {
			char *section = section_text(dishes[i].section);

			tested += strstr(section, text) != NULL;
			free(section);
		}
		if (!tested)
			fail_msg("nothing is tested of:\n%s", text);
		policies++;
		policy_free(policy);
		free(text);
	}
	assert_true(policies >= 14);
}

static struct policy *policy_of(const char *section)
{
	char *text = section_text(section);
	const char *at = text;
	char *policy_text = next_policy(&at);
	struct policy *policy;

	if (!policy_text)
		fail_msg("%s: no policy", section);
	policy = load(policy_text);
	free(policy_text);
	free(text);
	return policy;
}

static void each_policy_judges_whom_it_is_for_as_its_section_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(dishes); i++) {
		const struct dish *dish = &dishes[i];
		struct policy *policy = policy_of(dish->section);
		struct served served;

		serve(dish, policy, &served);
		if (served.said || served.assessment.verdict != dish->verdict ||
			strcmp(served.assessment.profile->name, dish->profile) != 0 ||
			served.assessment.profile_source != dish->source)
			fail_msg("%s, %s: %s by %s (%s): %s", dish->section, dish->container,
				verdict_name(served.assessment.verdict),
				served.assessment.profile->name,
				profile_source_name(served.assessment.profile_source),
				served.said ? served.said : "nothing is said");
		served_done(&served);
		policy_free(policy);
	}
}

/* The same default profile, and nothing else. */
static void each_section_says_what_is_said_without_its_policy(void **state)
{
	unsigned missing = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(dishes); i++) {
		const struct dish *dish = &dishes[i];
		struct policy *policy = policy_of(dish->section), *without;
		char *section = section_text(dish->section), text[128];
		struct served served;

		(void)snprintf(text, sizeof(text), "version: 1\ndefaultProfile: %s\n",
			policy_default_profile(policy)->name);
		without = load(text);
		serve(dish, without, &served);
		if (dish->fine_anyway != !served.said)
			fail_msg("%s, %s: %s", dish->section, dish->container,
				served.said ? served.said : "nothing is said");
		if (!strstr(section, served.said ? served.said : "nothing is said")) {
			print_message("%s does not say:\n%s\n", dish->section,
				served.said ? served.said : "nothing is said");
			missing++;
		}
		served_done(&served);
		policy_free(without);
		policy_free(policy);
		free(section);
	}
	assert_int_equal(missing, 0);
}

static void what_is_held_beyond_a_policy_stays_a_violation(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(dishes); i++) {
		struct dish more = dishes[i];
		struct policy *policy = policy_of(more.section);
		struct served served;

		more.declared.add |= BIT(SYS_BOOT);
		serve(&more, policy, &served);
		if (!more.declared.privileged && !served.said)
			fail_msg("%s, %s: SYS_BOOT", more.section, more.container);
		served_done(&served);
		policy_free(policy);
	}
}

/* Somebody else's container in the same namespace: by a name that is like it, too. */
static void nobody_else_is_covered(void **state)
{
	static const struct dish others[] = {
		{ .owner = "Deployment/other", .container = "other", .type = REGULAR },
		{ .owner = "ReplicaSet/other-7d4f", .container = "other", .type = INIT },
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(dishes); i++) {
		const struct dish *dish = &dishes[i / 2], *like = &others[i % 2];
		struct policy *policy = policy_of(dish->section);
		struct dish other = { .section = dish->section,
			.namespace_name = dish->namespace_name,
			.owner = like->owner,
			.container = like->container,
			.type = like->type,
			.image = "registry.example/other:1",
			.namespace_label = dish->namespace_label,
			.declared = { .privileged = true } };
		struct served served;

		serve(&other, policy, &served);
		if (served.assessment.profile_source == RULE || !served.said)
			fail_msg("%s: %s", dish->section, served.assessment.profile->name);
		served_done(&served);
		policy_free(policy);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_policy_is_good_and_stands_in_a_section_that_is_tested),
		cmocka_unit_test(each_policy_judges_whom_it_is_for_as_its_section_says),
		cmocka_unit_test(each_section_says_what_is_said_without_its_policy),
		cmocka_unit_test(what_is_held_beyond_a_policy_stays_a_violation),
		cmocka_unit_test(nobody_else_is_covered),
	};

	return cmocka_run_group_tests(tests, read_cookbook, free_cookbook);
}
