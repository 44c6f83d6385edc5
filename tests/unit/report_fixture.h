/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Made-up findings and containers, one for each thing that a report must be able to say. Their
 * strings are static: they are never released.
 */
#ifndef CAPAUDITD_TEST_REPORT_FIXTURE_H
#define CAPAUDITD_TEST_REPORT_FIXTURE_H

#include <capauditd/report.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Nobody writes to them. */
#define T(text) ((char *)(text))

#define ID_A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID_B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define ID_C "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_D "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ID_E "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

/* What a container might call itself: a terminal's control sequence, a line of its own, a C1
 * control in UTF-8, a right-to-left override, bytes that are no UTF-8, quotes and backslashes. */
#define HOSTILE "\033[2J\nx\r\t\177\302\233\342\200\256\377\300\257\"'\\<b>#{}"

#define ALL_CAPABILITIES UINT64_C(0x1ffffffffff)
#define DEFAULT_SET	 UINT64_C(0xa80425fb)
#define BASELINE_SET	 UINT64_C(0xa80405fb)
#define BIT(name)	 CAPABILITY_BIT(CAPABILITY_##name)
#define HINT(name)	 (1u << HINT_##name)

/* effective, permitted, inheritable, ambient, bounding */
#define SETS(e, p, i, a, b)                             \
	{                                               \
		.of = { [CAPABILITY_EFFECTIVE] = (e),   \
			[CAPABILITY_PERMITTED] = (p),   \
			[CAPABILITY_INHERITABLE] = (i), \
			[CAPABILITY_AMBIENT] = (a),     \
			[CAPABILITY_BOUNDING] = (b),    \
		}                                       \
	}

#define TIMES                                                           \
	.time_us = 1795000000123456, .first_seen_us = 1794999000000001, \
	.last_seen_us = 1795000000000000

static const struct report_context fixture_context = {
	.node = "node-1",
	.boot_id = "0c3d7f1e-5a55-4f3b-9d39-6f8f3a4c2b10",
	.kernel = "6.18.44",
	.engine = "procfs",
};

enum fixture {
	F_PLAIN,  /* everything is known of it */
	F_DOCKER, /* bounding set alone, no pod, no name */
	F_DRIFT,  /* all capabilities by exec */
	F_TOLERATED,
	F_EXCEPTED,
	F_NESTED,
	F_OWN, /* own user namespace, permitted alone */
	F_MOVED,
	F_LEFT,
	F_THREAD,
	F_HOSTILE,
	F_HOST,
	F_UNKNOWN, /* neither runtime nor id nor user namespace */
	F_EXPIRED,
	FIXTURES,
};

static struct finding fixtures[FIXTURES] = {
	[F_PLAIN] = {
		TIMES,
		.state = FINDING_OBSERVED,
		.count = 3,
		.executables = { T("/usr/bin/web"), T("/bin/busybox") },
		.executable_count = 2,
		.verdict = VERDICT_VIOLATION,
		.class = CLASS_POSTURE,
		.severity = SEVERITY_CRITICAL,
		.reach = REACH_EFFECTIVE,
		.profile = T("restricted"),
		.profile_source = PROFILE_FROM_NAMESPACE_LABEL,
		.relation = RELATION_INITIAL,
		.excess = SETS(BIT(SYS_ADMIN), BIT(SYS_ADMIN), 0, 0, BIT(SYS_ADMIN) | BIT(NET_ADMIN)),
		.origin = { [CAPABILITY_SYS_ADMIN] = ORIGIN_DECLARED,
			[CAPABILITY_NET_ADMIN] = ORIGIN_RUNTIME_DEFAULT },
		.hints = HINT(APE_HAS_NO_EFFECT),
		.process = {
			.pid = 4711,
			.tid = 4711,
			.ppid = 4700,
			.start_ticks = 123456,
			.start_us = 1794998000000000,
			.comm = "web",
			.exe = T("/usr/bin/web"),
			.cmdline = (char *[]){ T("/usr/bin/my web"), T("--password"), T("secret"), NULL },
			.uid = 0,
			.gid = 4294967294,
			.sets = SETS(BIT(SYS_ADMIN) | BIT(NET_BIND_SERVICE),
				BIT(SYS_ADMIN) | BIT(NET_BIND_SERVICE), 0, 0,
				BIT(SYS_ADMIN) | BIT(NET_ADMIN) | BIT(NET_BIND_SERVICE)),
			.user_namespace = USER_NAMESPACE_INITIAL,
			.user_namespace_inode = 4026531837,
			.seccomp = SECCOMP_FILTER_MODE,
			.lsm = T("cri-containerd.apparmor.d (enforce)"),
			.host_namespaces = HOST_NAMESPACE_PID | HOST_NAMESPACE_NET | HOST_NAMESPACE_MNT,
			.host_namespaces_known = HOST_NAMESPACE_PID | HOST_NAMESPACE_NET,
		},
		.container = {
			.id = T(ID_A),
			.runtime = "containerd",
			.name = T("web"),
			.image = T("registry.example/web:1"),
			.cgroup = T("/kubepods/besteffort/pod0/" ID_A),
			.type = CONTAINER_INIT,
			.in_pod = true,
			.pod = {
				.namespace_name = T("shop"),
				.name = T("cart-7d4f"),
				.uid = "11111111-2222-3333-4444-555555555555",
				.qos = QOS_BEST_EFFORT,
				.owner = T("Deployment/web"),
			},
			.declared = {
				.known = true,
				.add = BIT(SYS_ADMIN) | BIT(NET_BIND_SERVICE),
				.drop_all = true,
				.privileged = true,
			},
		},
		.remedy = {
			.known = true,
			.field = T("spec.template.spec.initContainers[name=web].securityContext.capabilities"),
			.of = T("Deployment/web"),
			.drop_all = true,
			.add = BIT(NET_BIND_SERVICE),
		},
	},
	[F_DOCKER] = {
		TIMES,
		.state = FINDING_OPENED,
		.count = 1,
		.verdict = VERDICT_VIOLATION,
		.class = CLASS_POSTURE,
		.severity = SEVERITY_LOW,
		.reach = REACH_BOUNDING,
		.profile = T("baseline"),
		.profile_source = PROFILE_FROM_DEFAULT,
		.excess = SETS(0, 0, 0, 0, BIT(NET_ADMIN) | BIT(SYS_PTRACE)),
		.hints = HINT(RUNTIME_DEFAULT),
		.process = {
			.pid = 812,
			.tid = 812,
			.ppid = 800,
			.start_ticks = 1,
			.comm = "sleep",
			.uid = 1000,
			.gid = 1000,
			.sets = SETS(0, 0, 0, 0, DEFAULT_SET | BIT(NET_ADMIN) | BIT(SYS_PTRACE)),
			.user_namespace = USER_NAMESPACE_INITIAL,
			.no_new_privs = true,
		},
		.container = {
			.id = T(ID_B),
			.runtime = "docker",
			.cgroup = T("/system.slice/docker-" ID_B ".scope"),
		},
		.remedy = { .known = true, .drop_all = true },
	},
	[F_DRIFT] = {
		TIMES,
		.state = FINDING_CHANGED,
		.count = UINT64_MAX,
		.verdict = VERDICT_VIOLATION,
		.class = CLASS_DRIFT,
		.severity = SEVERITY_CRITICAL,
		.reach = REACH_EFFECTIVE,
		.profile = T("privileged"),
		.profile_source = PROFILE_FROM_RULE,
		.excess = SETS(ALL_CAPABILITIES & ~DEFAULT_SET, ALL_CAPABILITIES & ~DEFAULT_SET, 0, 0,
			ALL_CAPABILITIES & ~DEFAULT_SET),
		.origin = { [0 ... CAPABILITY_MAX - 1] = ORIGIN_EXEC },
		.process = {
			.pid = 5000,
			.tid = 5000,
			.ppid = 1,
			.start_ticks = 99,
			.start_us = 1,
			.comm = "sh",
			.cmdline = (char *[]){ T("sh"), NULL },
			.sets = SETS(ALL_CAPABILITIES, ALL_CAPABILITIES, 0, 0, ALL_CAPABILITIES),
			.user_namespace = USER_NAMESPACE_INITIAL,
		},
		.container = {
			.id = T(ID_C),
			.runtime = "containerd",
			.name = T("db"),
			.type = CONTAINER_REGULAR,
			.in_pod = true,
			.pod = { .namespace_name = T("shop"), .name = T("db-0"), .qos = QOS_GUARANTEED },
		},
	},
	[F_TOLERATED] = {
		TIMES,
		.state = FINDING_OBSERVED,
		.count = 2,
		.verdict = VERDICT_TOLERATED,
		.class = CLASS_POSTURE,
		.reach = REACH_EFFECTIVE,
		.profile = T("baseline"),
		.profile_source = PROFILE_FROM_COMMAND_LINE,
		.excess = SETS(BIT(NET_RAW), BIT(NET_RAW), 0, 0, BIT(NET_RAW)),
		.process = {
			.pid = 20,
			.tid = 20,
			.comm = "nginx",
			.sets = SETS(DEFAULT_SET, DEFAULT_SET, 0, 0, DEFAULT_SET),
			.user_namespace = USER_NAMESPACE_INITIAL,
		},
		.container = {
			.id = T(ID_D),
			.runtime = "cri-o",
			.in_pod = true,
			.type = CONTAINER_SIDECAR,
			.pod = { .uid = "9729a196c4723b60ab401eaff722982d", .qos = QOS_BURSTABLE },
		},
	},
	[F_EXCEPTED] = {
		TIMES,
		.state = FINDING_OPENED,
		.count = 1,
		.verdict = VERDICT_EXCEPTED,
		.class = CLASS_POSTURE,
		.reach = REACH_EFFECTIVE,
		.profile = T("baseline"),
		.profile_source = PROFILE_FROM_DEFAULT,
		.excess = SETS(BIT(NET_ADMIN) | BIT(NET_RAW), 0, 0, 0, 0),
		.hints = HINT(EXCEPTION_EXPIRES),
		.process = { .pid = 7, .tid = 7, .comm = "calico" },
		.container = {
			.id = T("abcdef"),
			.runtime = "podman",
			.name = T("agent"),
		},
		.exception = { .reason = T("the CNI plugin sets up interfaces.\n"),
			.expires = T("2027-01-31") },
	},
	[F_NESTED] = {
		TIMES,
		.state = FINDING_OPENED,
		.count = 1,
		.verdict = VERDICT_VIOLATION,
		.class = CLASS_POSTURE,
		.severity = SEVERITY_LOW,
		.reach = REACH_EFFECTIVE,
		.profile = T("restricted"),
		.profile_source = PROFILE_FROM_RULE,
		.relation = RELATION_NESTED,
		.excess = SETS(ALL_CAPABILITIES & ~BIT(NET_BIND_SERVICE), 0, 0, 0, ALL_CAPABILITIES),
		.hints = HINT(NESTED_USER_NAMESPACE) | HINT(REQUIRE_UNMET),
		.unmet = CONTROL_SECCOMP | CONTROL_LSM,
		.process = {
			.pid = 99,
			.tid = 99,
			.comm = "chrome",
			.sets = SETS(ALL_CAPABILITIES, ALL_CAPABILITIES, 0, 0, ALL_CAPABILITIES),
			.user_namespace = USER_NAMESPACE_OTHER,
			.user_namespace_inode = 4026532999,
		},
		.container = { .id = T(ID_B), .runtime = "docker", .name = T("browser") },
	},
	[F_OWN] = {
		TIMES,
		.state = FINDING_RESOLVED,
		.resolved_reason = RESOLVED_EXITED,
		.count = 1,
		.verdict = VERDICT_VIOLATION,
		.class = CLASS_POSTURE,
		.severity = SEVERITY_MEDIUM,
		.reach = REACH_PERMITTED,
		.profile = T("baseline"),
		.profile_source = PROFILE_FROM_DEFAULT,
		.relation = RELATION_OWN,
		.excess = SETS(0, BIT(SYS_ADMIN), 0, 0, 0),
		.process = { .pid = 31, .tid = 31, .user_namespace = USER_NAMESPACE_OTHER },
		.container = { .id = T(ID_A), .runtime = "podman" },
	},
	[F_MOVED] = {
		TIMES,
		.state = FINDING_OPENED,
		.count = 1,
		.verdict = VERDICT_VIOLATION,
		.class = CLASS_DRIFT,
		.severity = SEVERITY_MEDIUM,
		.reach = REACH_NONE,
		.profile = T("baseline"),
		.profile_source = PROFILE_FROM_DEFAULT,
		.hints = HINT(MOVED),
		.process = { .pid = 77, .tid = 77, .comm = "miner" },
		.container = { .id = T(ID_E), .runtime = "containerd", .name = T("job") },
	},
	[F_LEFT] = {
		TIMES,
		.state = FINDING_OPENED,
		.count = 1,
		.verdict = VERDICT_VIOLATION,
		.class = CLASS_DRIFT,
		.severity = SEVERITY_HIGH,
		.reach = REACH_EFFECTIVE,
		.profile = T("baseline"),
		.profile_source = PROFILE_FROM_DEFAULT,
		.excess = SETS(BIT(CHOWN), BIT(CHOWN), BIT(CHOWN), BIT(CHOWN), BIT(CHOWN)),
		.hints = HINT(LEFT_USER_NAMESPACE),
		.process = { .pid = 78, .tid = 78, .user_namespace = USER_NAMESPACE_INITIAL },
		.container = { .id = T(ID_E), .runtime = "containerd", .name = T("job") },
	},
	[F_THREAD] = {
		TIMES,
		.state = FINDING_OPENED,
		.count = 1,
		.verdict = VERDICT_VIOLATION,
		.class = CLASS_POSTURE,
		.severity = SEVERITY_MEDIUM,
		.provisional = true,
		.reach = REACH_EFFECTIVE,
		.profile = T("baseline"),
		.profile_source = PROFILE_FROM_DEFAULT,
		.excess = SETS(BIT(BPF) | BIT(LEASE) | BIT(IPC_LOCK), 0, 0, 0, 0),
		.hints = HINT(NOT_LEADER) | HINT(SETS_DIFFER),
		.process = { .pid = 44, .tid = 45, .comm = "worker" },
		.container = {
			.id = T(ID_E),
			.runtime = "containerd",
			.name = T("job"),
			.type = CONTAINER_EPHEMERAL,
			.in_pod = true,
			.pod = { .name = T("job-x") },
		},
		.remedy = { .known = true, .drop_all = true },
	},
	[F_HOSTILE] = {
		TIMES,
		.state = FINDING_OBSERVED,
		.count = 1,
		.executables = { T(HOSTILE) },
		.executable_count = 1,
		.verdict = VERDICT_EXCEPTED,
		.class = CLASS_POSTURE,
		.reach = REACH_EFFECTIVE,
		.profile = T(HOSTILE),
		.profile_source = PROFILE_FROM_RULE,
		.excess = SETS(BIT(CHOWN), 0, 0, 0, 0),
		.hints = HINT(EXCEPTION_EXPIRES),
		.process = {
			.pid = 66,
			.tid = 66,
			.comm = { '\033', '\n', '\377', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x',
				'\302' }, /* not terminated, and cut in a character */
			.exe = T(HOSTILE),
			.cmdline = (char *[]){ T(HOSTILE), T(HOSTILE), NULL },
			.lsm = T(HOSTILE),
		},
		.container = {
			.id = T(HOSTILE),
			.runtime = "containerd",
			.name = T(HOSTILE),
			.image = T(HOSTILE),
			.cgroup = T(HOSTILE),
			.in_pod = true,
			.pod = { .namespace_name = T(HOSTILE),
				.name = T(HOSTILE),
				.uid = "\n\033",
				.owner = T(HOSTILE) },
		},
		.exception = { .reason = T(HOSTILE), .expires = T(HOSTILE) },
		.remedy = {
			.known = true,
			.field = T("spec.containers[name=" HOSTILE "].securityContext.capabilities"),
			.of = T(HOSTILE),
			.drop_all = true,
		},
	},
	[F_HOST] = {
		TIMES,
		.state = FINDING_OBSERVED,
		.count = 1,
		.verdict = VERDICT_VIOLATION,
		.class = CLASS_POSTURE,
		.severity = SEVERITY_HIGH,
		.reach = REACH_EFFECTIVE,
		.profile = T("web"),
		.profile_source = PROFILE_FROM_RULE,
		.excess = SETS(BIT(SYS_TIME), 0, 0, 0, 0),
		.process = { .pid = 300, .tid = 300, .comm = "chronyd",
			.user_namespace = USER_NAMESPACE_INITIAL },
		.container = {
			.id = T("host/system.slice/chrony.service"),
			.runtime = "host",
			.cgroup = T("/system.slice/chrony.service"),
			.host = true,
		},
	},
	[F_UNKNOWN] = {
		TIMES,
		.state = FINDING_OBSERVED,
		.count = 1,
		.verdict = VERDICT_VIOLATION,
		.class = CLASS_POSTURE,
		.severity = SEVERITY_HIGH,
		.reach = REACH_EFFECTIVE,
		.profile = T("baseline"),
		.profile_source = PROFILE_FROM_DEFAULT,
		.excess = SETS(CAPABILITY_BIT(45) | CAPABILITY_BIT(63) | BIT(SYSLOG), 0, 0, 0, 0),
		.hints = HINT(UNATTRIBUTED) | HINT(STILL_RUNTIME),
		.process = { .pid = 51, .tid = 51, .comm = "x" },
		.container = { .id = T("pidns-51-778899"), .runtime = "unknown", .unattributed = true },
		.remedy = { .known = true, .drop_all = true, .add = BIT(CHOWN) | BIT(KILL) },
	},
	[F_EXPIRED] = {
		TIMES,
		.state = FINDING_RESOLVED,
		.resolved_reason = RESOLVED_DROPPED,
		.count = 1,
		.verdict = VERDICT_VIOLATION,
		.class = CLASS_DRIFT,
		.severity = SEVERITY_LOW,
		.reach = REACH_BOUNDING,
		.profile = T("privileged"),
		.profile_source = PROFILE_FROM_DEFAULT,
		.excess = SETS(0, 0, 0, 0, BIT(NET_RAW)),
		.hints = HINT(EXCEPTION_EXPIRED),
		.process = { .pid = 61, .tid = 61, .comm = "y" },
		.container = { .id = T(ID_E), .runtime = "lxc" },
	},
};

static inline void identify_fixtures(void)
{
	for (size_t i = 0; i < FIXTURES; i++)
		finding_identify(&fixtures[i]);
}

#endif
