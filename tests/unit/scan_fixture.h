/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A made-up scan: the containers of report_fixture.h's findings, and some of which there is none.
 */
#ifndef CAPAUDITD_TEST_SCAN_FIXTURE_H
#define CAPAUDITD_TEST_SCAN_FIXTURE_H

#include "report_fixture.h"

static const struct profile profile_restricted = { .name = "restricted", .allow = 0x400 };
static const struct profile profile_baseline = {
	.name = "baseline", .allow = BASELINE_SET, .tolerate = BIT(NET_RAW)
};
static const struct profile profile_privileged = { .name = "privileged", .allow = UINT64_MAX };
static const struct profile profile_hostile = { .name = HOSTILE };

static const struct container compliant_container = {
	.id = T("dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"),
	.runtime = "containerd",
	.name = T("proxy"),
	.type = CONTAINER_REGULAR,
	.in_pod = true,
	.pod = { .namespace_name = T("edge"), .name = T("proxy-5b8d9f7c4-x2x4q") },
};
static const struct container starting_container = {
	.id = T("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"),
	.runtime = "docker",
};
static const struct container opaque_container = {
	.id = T("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
	.runtime = "containerd",
	.name = T("gvisor"),
	.opaque = true,
};
static const struct container host_container = {
	.id = T("host/init.scope"),
	.runtime = "host",
	.cgroup = T("/init.scope"),
	.host = true,
};

static const struct assessment assess_plain = {
	.profile = &profile_restricted,
	.profile_source = PROFILE_FROM_NAMESPACE_LABEL,
	.level = LEVEL_PRIVILEGED,
	.verdict = VERDICT_VIOLATION,
	.class = CLASS_POSTURE,
	.severity = SEVERITY_CRITICAL,
	.processes = 3,
	.held = BIT(SYS_ADMIN) | BIT(NET_BIND_SERVICE),
	.bounding = BIT(SYS_ADMIN) | BIT(NET_BIND_SERVICE) | BIT(NET_ADMIN),
};
static const struct assessment assess_docker = {
	.profile = &profile_baseline,
	.profile_source = PROFILE_FROM_DEFAULT,
	.level = LEVEL_PRIVILEGED,
	.verdict = VERDICT_VIOLATION,
	.class = CLASS_POSTURE,
	.severity = SEVERITY_LOW,
	.processes = 1,
	.bounding = DEFAULT_SET | BIT(NET_ADMIN) | BIT(SYS_PTRACE),
	.advice_drop_all = true,
};
static const struct assessment assess_drift = {
	.profile = &profile_privileged,
	.profile_source = PROFILE_FROM_RULE,
	.level = LEVEL_PRIVILEGED,
	.verdict = VERDICT_VIOLATION,
	.class = CLASS_DRIFT,
	.severity = SEVERITY_CRITICAL,
	.processes = 12,
	.held = ALL_CAPABILITIES,
	.bounding = ALL_CAPABILITIES,
};
static const struct assessment assess_tolerated = {
	.profile = &profile_baseline,
	.profile_source = PROFILE_FROM_COMMAND_LINE,
	.level = LEVEL_BASELINE,
	.verdict = VERDICT_TOLERATED,
	.processes = 2,
	.held = DEFAULT_SET,
	.bounding = DEFAULT_SET,
	.advice_drop_all = true,
};
static const struct assessment assess_excepted = {
	.profile = &profile_baseline,
	.profile_source = PROFILE_FROM_DEFAULT,
	.level = LEVEL_PRIVILEGED,
	.verdict = VERDICT_EXCEPTED,
	.processes = 1,
	.held = BIT(NET_ADMIN) | BIT(NET_RAW),
	.bounding = BIT(NET_ADMIN) | BIT(NET_RAW),
};
static const struct assessment assess_moved = {
	.profile = &profile_baseline,
	.profile_source = PROFILE_FROM_DEFAULT,
	.level = LEVEL_RESTRICTED,
	.verdict = VERDICT_VIOLATION,
	.class = CLASS_DRIFT,
	.severity = SEVERITY_HIGH,
	.processes = 2,
};
static const struct assessment assess_unknown = {
	.profile = &profile_baseline,
	.profile_source = PROFILE_FROM_DEFAULT,
	.level = LEVEL_PRIVILEGED,
	.verdict = VERDICT_VIOLATION,
	.class = CLASS_POSTURE,
	.severity = SEVERITY_HIGH,
	.processes = 1,
	.held = CAPABILITY_BIT(45) | CAPABILITY_BIT(63) | BIT(SYSLOG),
};
static const struct assessment assess_hostile = {
	.profile = &profile_hostile,
	.profile_source = PROFILE_FROM_RULE,
	.level = LEVEL_BASELINE,
	.verdict = VERDICT_EXCEPTED,
	.processes = 1,
	.held = BIT(CHOWN),
};
static const struct assessment assess_compliant = {
	.profile = &profile_restricted,
	.profile_source = PROFILE_FROM_NAMESPACE_LABEL,
	.level = LEVEL_RESTRICTED,
	.verdict = VERDICT_COMPLIANT,
	.processes = 4,
};
static const struct assessment assess_starting = {
	.profile = &profile_baseline,
	.profile_source = PROFILE_FROM_DEFAULT,
	.level = LEVEL_RESTRICTED, /* of nothing: not to be shown */
	.processes = 1,
	.starting = true,
};
static const struct assessment assess_opaque = { .profile_source = PROFILE_FROM_DEFAULT };
static const struct assessment assess_host_violation = {
	.profile = &profile_baseline,
	.profile_source = PROFILE_FROM_RULE,
	.level = LEVEL_PRIVILEGED,
	.verdict = VERDICT_VIOLATION,
	.class = CLASS_POSTURE,
	.severity = SEVERITY_MEDIUM,
	.processes = 1,
	.held = BIT(SYS_TIME),
	.bounding = BIT(SYS_TIME),
};
static const struct assessment assess_host = {
	.profile = &profile_privileged,
	.profile_source = PROFILE_FROM_DEFAULT,
	.level = LEVEL_PRIVILEGED,
	.verdict = VERDICT_COMPLIANT,
	.processes = 1,
	.held = ALL_CAPABILITIES & ~BIT(SYS_TIME),
	.bounding = ALL_CAPABILITIES & ~BIT(SYS_TIME),
};

/* Worst first, as scan gives them. */
static const struct scanned_container kubernetes_containers[] = {
	{ &fixtures[F_DRIFT].container, &assess_drift },
	{ &fixtures[F_PLAIN].container, &assess_plain },
	{ &fixtures[F_MOVED].container, &assess_moved },
	{ &fixtures[F_HOSTILE].container, &assess_hostile },
	{ &fixtures[F_TOLERATED].container, &assess_tolerated },
	{ &opaque_container, &assess_opaque },
	{ &compliant_container, &assess_compliant },
};
static const struct finding *const kubernetes_findings[] = {
	&fixtures[F_DRIFT],
	&fixtures[F_LEFT],
	&fixtures[F_MOVED],
	&fixtures[F_PLAIN],
	&fixtures[F_HOSTILE],
	&fixtures[F_TOLERATED],
};

static const struct scanned_container docker_containers[] = {
	{ &fixtures[F_UNKNOWN].container, &assess_unknown },
	{ &fixtures[F_DOCKER].container, &assess_docker },
	{ &fixtures[F_EXCEPTED].container, &assess_excepted },
	{ &starting_container, &assess_starting },
};
static const struct finding *const docker_findings[] = {
	&fixtures[F_UNKNOWN],
	&fixtures[F_DOCKER],
	&fixtures[F_EXCEPTED],
};

static const struct scanned_container host_containers[] = {
	{ &fixtures[F_HOST].container, &assess_host_violation },
	{ &host_container, &assess_host },
};
static const struct finding *const host_findings[] = { &fixtures[F_HOST] };

static const char *const reasons[] = {
	"not in the host's PID namespace: only this namespace's processes were seen",
	"3 living processes refused to be read" HOSTILE,
};

#define LISTS(what)                                                                        \
	.containers = what##_containers, .container_count = ARRAY_SIZE(what##_containers), \
	.findings = what##_findings, .finding_count = ARRAY_SIZE(what##_findings)

#define HEAD                                                       \
	.context = { .node = "node-1",                             \
		.boot_id = "0c3d7f1e-5a55-4f3b-9d39-6f8f3a4c2b10", \
		.kernel = "6.18.44",                               \
		.engine = "procfs" },                              \
	.started_us = 1795000000000000, .default_profile = "baseline"

static const struct scan_report kubernetes_scan = {
	HEAD,
	.duration_us = 4123,
	.policy_file = "/etc/capauditd/policy.yaml",
	.coverage = { .tasks = 10083,
		.processes = 10070,
		.container_processes = 10000,
		.containers = 200,
		.pods = 190,
		.vanished = 3,
		.unattributed = 1,
		.opaque = 1,
		.unknown_executables = 12 },
	LISTS(kubernetes),
};

static const struct scan_report docker_scan = {
	HEAD,
	.duration_us = 12345678,
	.coverage = { .tasks = 1,
		.processes = 1,
		.container_processes = 1,
		.containers = 1,
		.vanished = 1,
		.unreadable = 3,
		.starting = 1,
		.over_limit = 7,
		.not_host_pid_namespace = true },
	.why_incomplete = reasons,
	.why_incomplete_count = ARRAY_SIZE(reasons),
	LISTS(docker),
};

static const struct scan_report host_scan = {
	HEAD,
	.duration_us = 99,
	.coverage = { .tasks = 2, .processes = 2 },
	LISTS(host),
};

static const struct scan_report empty_scan = { HEAD, .duration_us = 0 };

#endif
