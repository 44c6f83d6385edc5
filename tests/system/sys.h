/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Real containers for the system tests, and the program under test run against them.
 *
 * A fixture belongs to one test program: a folder below /tmp, a cgroup that the test program and
 * all its helpers live in, and a token that every id made here starts with, so that tests look at
 * their own containers alone and several test programs can run beside each other. A guard process
 * removes all of it when the test program ends, however it ends.
 *
 * What goes wrong in the harness itself fails the running test (cmocka's fail_msg()).
 * The program under test is $CAPAUDITD, or build/capauditd.
 */
#ifndef CAPAUDITD_TESTS_SYS_H
#define CAPAUDITD_TESTS_SYS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define SYS_CONTAINERS_MAX  512
#define SYS_SPAWNED_MAX	    64
#define SYS_HIERARCHIES	    32
#define SYS_HARNESS	    "/capauditd-test-" /* begins the name of a test program's own cgroup */
#define SYS_MADE_KUBEPODS   "/capauditd-made-kubepods"
#define SYS_MADE_CONTAINERD "/capauditd-made-run-containerd"
#define SYS_PATIENCE_MS	    180000 /* how long something that must happen may take */

/* Docker's and containerd's default set; the whole of CAP_NET_BIND_SERVICE. */
#define SYS_DEFAULT_SET	     UINT64_C(0xa80425fb)
#define SYS_NET_BIND_SERVICE UINT64_C(0x400)
#define SYS_NET_RAW	     UINT64_C(0x2000)
#define SYS_SYS_ADMIN	     UINT64_C(0x200000)
#define SYS_NET_ADMIN	     UINT64_C(0x1000)

struct sys_container {
	bool used;
	char id[65];
	char pod_uid[37];
	char name[64], pod[254], namespace_name[64];
	char cgroup[256]; /* as in /proc/PID/cgroup; "" where it has none of its own */
	pid_t pid;	  /* of its first process, in the tests' PID namespace */
	bool logs;	  /* it has folders in /var/log */
	unsigned attempt; /* how often the kubelet started it before: the log's name */
	enum { SYS_BY_RUNC, SYS_BY_CONTAINERD, SYS_BY_HAND, SYS_BARE } by;
	uint64_t capabilities;
	int ready; /* of a created one: where its program will say that it is ready; 0: none */
};

struct sys_result {
	int status; /* exit status; 128 + signal */
	char *out, *err;
	size_t out_length;
	json_t *json; /* of sys_scan_json() and sys_scan_lines() */
};

struct sys_daemon;

struct sys {
	char token[17];		 /* 16 hex digits: what every container id here starts with */
	char pod_token[19];	 /* the same, as every pod's UID here starts */
	char directory[64];	 /* everything that is made on disk is in here */
	char host_root[128];	 /* for --host-root: var/log, sys/fs/cgroup */
	char rootfs[128];	 /* of every runc container: bin/inside, bin/busybox */
	char program[128];	 /* a copy of the program under test that everybody may execute */
	char harness_cgroup[64]; /* "/capauditd-test-TOKEN" */
	char *hierarchy[SYS_HIERARCHIES]; /* mount points of all cgroup hierarchies */
	size_t hierarchies;
	const char *home; /* the hierarchy that the harness's own cgroup is in */
	char *old_cgroup; /* where the test program was in it before */
	bool root;	  /* otherwise nearly everything is skipped */
	bool nested;	  /* not in the host's PID namespace: scans get --nested */
	bool have_inside, have_runc, have_busybox, have_bpf;
	uint64_t all;  /* every capability that this machine gives to root */
	unsigned made; /* ids given out */
	int guard;     /* the guard cleans up when this is closed */
	pid_t guard_pid;
	struct sys_container containers[SYS_CONTAINERS_MAX];
	struct sys_spawned {
		pid_t pid; /* 0: none */
		bool ended;
		int status;	    /* waitpid's, once it ended */
	} spawned[SYS_SPAWNED_MAX]; /* killed when the test ends */
	struct sys_owned *owned;    /* freed when the test ends */
	struct sys_daemon *daemon;
	pid_t containerd;   /* 0: not started */
	bool have_image;    /* the program's own image was imported */
	const char *engine; /* NULL: as options and policies say */
};

/* For cmocka: group fixture, and what runs after every test (stops all that it started). */
int sys_setup(void **state);
int sys_teardown(void **state);
int sys_end(void **state);
/* The same, and daemons and scans of root look with that engine. */
int sys_setup_bpf(void **state);
int sys_setup_procfs(void **state);
/* Runs an array of tests with the one and with the other. How many failed. */
#define sys_with_both_engines(tests)                                              \
	(cmocka_run_group_tests_name("bpf", tests, sys_setup_bpf, sys_teardown) + \
		cmocka_run_group_tests_name("procfs", tests, sys_setup_procfs, sys_teardown))
#define SYS_TEST(f) cmocka_unit_test_teardown(f, sys_end)

/* Skips the running test, saying why, where runc or a static compiler is missing. */
void sys_need_containers(struct sys *sys);

/* The same where the bpf engine does not work: this machine's kernel, or this build. */
void sys_need_bpf(struct sys *sys);

/* -- files -- */
void sys_write_file(const char *path, const char *text);
char *sys_read_file(const char *path); /* "" where it cannot be read; the caller frees */
void sys_make_directories(const char *path);
/* Waits until the file contains the text. */
void sys_wait_text(struct sys *sys, const char *path, const char *text);
/* The same of a line that contains both. */
void sys_wait_line(struct sys *sys, const char *path, const char *first, const char *second);
/* Text of a printf format, owned by the fixture until the test ends. */
char *sys_print(struct sys *sys, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* -- processes -- */
struct sys_command {
	const char *const *argv;
	int input;		    /* 0: /dev/null */
	int output;		    /* where standard output goes; 0: kept in the result */
	int errors;		    /* where standard error goes; 0: kept in the result */
	bool nobody;		    /* as uid 65534 with no capability at all */
	int (*prepare)(void *data); /* in the child, before privileges are dropped; 0 or -errno */
	void *data;
	const char *const *environment; /* added to the tests' own */
	int kill_after_ms;		/* SIGKILL it then; 0: never */
};

/* Runs a program to its end. The result is the fixture's and lives until the test ends. */
struct sys_result *sys_command(struct sys *sys, const struct sys_command *command);
/* The same for plain arguments, up to NULL. */
struct sys_result *sys_command_line(struct sys *sys, const char *program, ...)
	__attribute__((sentinel));
/* Starts a program and returns; it dies with the test program. */
pid_t sys_spawn(struct sys *sys, const struct sys_command *command);
int sys_wait(struct sys *sys, pid_t pid); /* exit status; 128 + signal */
/* Takes a child that was forked otherwise into the list of what is killed when the test ends. */
pid_t sys_adopt(struct sys *sys, pid_t pid);
bool sys_has_ended(struct sys *sys, pid_t pid);
bool sys_have_program(const char *name);
void sys_sleep_ms(unsigned ms);
uint64_t sys_now_ms(void);

/* Becomes uid 65534 without any capability, bounding set included. 0 or -errno. */
int sys_become_nobody(void);
/* prepare: a mount namespace of its own, with a new /proc whose options are (char *)data. */
int sys_prepare_proc(void *data);
/* prepare: a PID namespace of its own, with its /proc. */
int sys_prepare_pid_namespace(void *data);

/* -- cgroups -- */
/* Makes the cgroup `path` in every hierarchy; how many have it. Its removal is the guard's. */
size_t sys_cgroup_make(struct sys *sys, const char *path);
/* Moves a process there, in every hierarchy that lets it. How many did. */
size_t sys_cgroup_move(struct sys *sys, const char *path, pid_t pid);
/* Kills what is in it and below it, in every hierarchy, and removes it. */
void sys_cgroup_remove(struct sys *sys, const char *path);
/* To be removed by the guard. */
void sys_cgroup_remember(struct sys *sys, const char *path);

/* -- containers -- */
struct sys_spec {
	/* Names in the log directories; name NULL: no logs. */
	const char *name, *pod, *namespace_name;
	bool sandbox; /* a pod's folder in /var/log/pods, but never a name in /var/log/containers */
	const char *pod_uid;	   /* NULL: one of its own */
	const char *cgroup_prefix; /* of its cgroup's name, before the id; NULL: none */
	uint64_t capabilities;	   /* effective, permitted, bounding */
	uint64_t bounding_only;	   /* bounding besides */
	unsigned uid;
	bool no_new_privs, seccomp, user_namespace, host_network;
	const char *const *argv; /* NULL: inside pause. Must say "ready" */
};

/* Starts a container by runc and waits until its program is ready. */
struct sys_container *sys_start(struct sys *sys, const struct sys_spec *spec);
/* Creates it, and does not start it. */
struct sys_container *sys_create(struct sys *sys, const struct sys_spec *spec);
void sys_start_created(struct sys *sys, struct sys_container *container);
/* A container's lifetime without assertions, for a child process; status of the last command. */
int sys_start_and_stop(struct sys *sys, const struct sys_spec *spec, unsigned number, bool exec);
void sys_stop(struct sys *sys, struct sys_container *container);
/* Starts another process in a running container with exactly these sets, as `exec --privileged`
 * makes runtimes do; its pid. */
pid_t sys_exec(struct sys *sys, struct sys_container *container, uint64_t capabilities,
	const char *const *argv);
/* Like nsenter(1): the tests' own user namespace and capabilities, the container's PID namespace
 * and cgroups; its pid. */
pid_t sys_enter(struct sys *sys, struct sys_container *container);
/* A process with all capabilities in a PID namespace of its own and no cgroup that says so. */
struct sys_container *sys_start_by_hand(struct sys *sys);
void sys_container_logs(struct sys *sys, struct sys_container *container, bool sandbox);
void sys_container_logs_remove(struct sys *sys, struct sys_container *container);
/* Its config.json, as runc or containerd was given it. */
char *sys_bundle_file(struct sys *sys, const struct sys_container *container);
/* Any thread of the process but its leader. */
pid_t sys_other_thread(pid_t pid);
/* A fresh id or pod UID. */
void sys_make_id(struct sys *sys, struct sys_container *container);
struct sys_container *sys_container_new(struct sys *sys);
/* "CHOWN KILL", as sys_get() gives an array of names. */
const char *sys_names(struct sys *sys, uint64_t mask);
/* A JSON array of "CAP_X" names. */
json_t *sys_capability_names(uint64_t mask);
struct sys_spec;
/* config.json, and its `process`. */
json_t *sys_bundle(const struct sys *sys, const struct sys_spec *spec, const char *cgroup);
json_t *sys_bundle_process(const struct sys_spec *spec);

/* -- containers without a runtime: hundreds in a moment, or one that is over in a moment -- */
/* One that is a cgroup and nothing else; its caller may change where that is before it is made. */
struct sys_container *sys_bare(struct sys *sys);
/* Makes its cgroup in the tests' own hierarchy alone, or as a runtime does in every one. */
void sys_bare_make(struct sys *sys, const struct sys_container *container, bool everywhere);

/* What a process is before its program begins. As uid 0 it has its bounding set and what is
 * inheritable once it does, as another what is ambient. */
struct sys_inhabitant {
	const char *cgroup;	 /* in the tests' own hierarchy; NULL: that of the tests */
	bool everywhere;	 /* in every hierarchy that has it: slow, since it has to move */
	const char *const *argv; /* NULL: inside pause */
	uint64_t bounding, inheritable, ambient;
	unsigned uid;
	bool no_new_privs, seccomp, pid_namespace, user_namespace;
	pid_t pid; /* 0: any */
};
/* Starts a process and waits until its program closes its standard output, be it because it has
 * said "ready" or because it has ended. Its pid, of a child which nobody has waited for; or -errno
 * where `pid` is not free. */
pid_t sys_inhabit(struct sys *sys, const struct sys_inhabitant *inhabitant);
/* A path of one of the programs inside, as the host sees it. */
const char *sys_inside(struct sys *sys, const char *program);

/* -- containerd -- */
/* Starts one with an image on first use; skips the test where it cannot be had. */
void sys_need_containerd(struct sys *sys);
/* `options`: further arguments of `ctr run`, up to NULL; `user`: as uid 1000, which is the image's
 * word. */
struct sys_container *sys_containerd_run(struct sys *sys, const char *const *options, bool user);
void sys_containerd_remove(struct sys *sys, struct sys_container *container);
/* `ctr` with arguments up to NULL, in Kubernetes' namespace. */
struct sys_result *sys_ctr(struct sys *sys, const char *const *arguments);
/* One with an id and a cgroup, to be started by what follows. */
struct sys_container *sys_containerd_new(struct sys *sys);
/* `ctr run OPTIONS IMAGE ID ARGV`, each up to NULL; argv NULL: as the image says. Without --detach
 * it runs to its end. */
struct sys_result *sys_ctr_run(struct sys *sys, const struct sys_container *container,
	const char *const *options, const char *image, const char *const *argv);
/* Starts it detached, as sys_containerd_run() does, and waits until its program is ready. */
void sys_containerd_start(struct sys *sys, struct sys_container *container,
	const char *const *options, const char *image);
void sys_containerd_find_pid(struct sys *sys, struct sys_container *container);
const char *sys_containerd_image(bool user); /* name of the one with bin/inside */

/* -- pods: what containerd's CRI plugin writes into its bundles, and the kubelet beside them -- */
struct sys_member {
	const char *name;	    /* its annotation */
	const char *logs;	    /* its name in the log directories; NULL: it has none */
	unsigned attempt;	    /* how often it was started before */
	const char *const *options; /* further ones of `ctr run`, up to NULL */
	/* Lies: the sandbox that the annotations name, and what they call it. NULL: the truth. */
	const struct sys_container *claims;
	const char *claims_type;
};

#define SYS_POD_NAMESPACE "shop"
#define SYS_POD_IMAGE	  "registry.example/web:1.2"

/* Starts a pod's sandbox: as pause runs, a user who has nothing, and the default set bounding.
 * What the tests' containerd has in its task folder is to be seen where it usually is, below the
 * host's root. Skips the test where containerd cannot be had. */
struct sys_container *sys_pod_start(struct sys *sys, const char *pod);
/* Starts a container in a sandbox's pod and namespaces. */
struct sys_container *sys_pod_add(
	struct sys *sys, const struct sys_container *sandbox, const struct sys_member *member);

/* -- the program's own image -- */
/* Imports $CAPAUDITD_IMAGE, or capauditd-image.tar beside the program, into containerd on first
 * use; skips the test where there is none. */
void sys_need_image(struct sys *sys);
/* Its files, unpacked. */
const char *sys_image_root(struct sys *sys);
json_t *sys_image_configuration(struct sys *sys);
const char *sys_image_layer(struct sys *sys); /* its one layer's archive */
/* A container for it, with a cgroup namespace that has the container's cgroup as its root. */
struct sys_container *sys_image_container(struct sys *sys);
/* Runs it as the DaemonSet does: in the tests' PID namespace and its own cgroup namespace, uid 0
 * without capabilities, no_new_privs, seccomp, a read-only root, the host's files below /host.
 * `options`: further ones of `ctr run`. argv NULL: as the image says. */
struct sys_result *sys_image_run(struct sys *sys, const struct sys_container *container,
	const char *const *options, const char *const *argv);

/* -- the program under test -- */
enum sys_user { SYS_ROOT, SYS_NOBODY };

/* `capauditd` with arguments up to NULL. */
struct sys_result *sys_capauditd(struct sys *sys, enum sys_user user, ...)
	__attribute__((sentinel));
struct sys_result *sys_capauditd_argv(struct sys *sys, enum sys_user user, const char *const *argv);
/* `capauditd scan --format json` with policy none, this fixture's host root, and more arguments up
 * to NULL; its output must be one JSON document. Root looks with the fixture's engine where
 * these don't say otherwise, and nobody with procfs, which is all that an ordinary user has: "auto"
 * would say so each time. */
struct sys_result *sys_scan(struct sys *sys, enum sys_user user, ...) __attribute__((sentinel));
/* Whether that object (or its member `path`) has the container's id. */
bool sys_is_of(json_t *object, const char *path, const struct sys_container *container);
/* What a scan says of one of our containers; NULL where it is not in it. */
json_t *sys_seen(const struct sys_result *scan, const struct sys_container *container);
/* Its finding of that class (NULL: any); NULL where there is none. */
json_t *sys_finding(
	const struct sys_result *scan, const struct sys_container *container, const char *class);
size_t sys_finding_count(const struct sys_result *scan, const struct sys_container *container);

/* Members by dotted path ("process.capabilities.bounding"). Text: "null" for null, "" where it is
 * missing; an array's members are joined by spaces; numbers and booleans as JSON has them. The text
 * is the fixture's. */
const char *sys_get(struct sys *sys, json_t *object, const char *path);
long long sys_number(json_t *object, const char *path);
bool sys_has_hint(json_t *finding, const char *code);

/* What a scan must say of a container, as sys_get() would put it; NULL: anything. */
struct sys_expected {
	const char *level, *verdict, *class, *severity;
	const char *held, *bounding;
	long long processes; /* 0: anything */
	int findings;	     /* -1: anything */
};
/* Scans as root and as nobody; both must say so, and the same of each finding. The root's scan. */
struct sys_result *sys_judged(struct sys *sys, const struct sys_container *container,
	const struct sys_expected *expected);

/* -- the daemon -- */
struct sys_daemon_options {
	const char *policy; /* a file */
	enum sys_user user;
	const char *const *argv;    /* more arguments, up to NULL; may be NULL */
	int (*prepare)(void *data); /* as of struct sys_command; may be NULL */
	void *data;
};
/* `capauditd run`; waits until it has said READY=1. Stopped when the test ends. It serves neither
 * metrics nor the socket unless argv says where: several of them run beside each other. */
struct sys_daemon *sys_run(struct sys *sys, const struct sys_daemon_options *options);
pid_t sys_daemon_pid(const struct sys_daemon *daemon);
void sys_daemon_signal(struct sys_daemon *daemon, int signal);
/* Waits for a finding of that container in that state, from line *from on; moves *from behind it.
 */
json_t *sys_daemon_wait(struct sys_daemon *daemon, size_t *from,
	const struct sys_container *container, const char *state);
/* Everything said until now, an array that is the daemon's. */
json_t *sys_daemon_lines(struct sys_daemon *daemon);
/* How many findings of that container were said until now. */
size_t sys_daemon_said(struct sys_daemon *daemon, const struct sys_container *container);
/* Waits for a notification that contains `text` and was sent since the last one waited for. */
void sys_daemon_notified(struct sys_daemon *daemon, const char *text);
/* Everything that it wrote to standard error until now; the fixture's. */
const char *sys_daemon_errors(struct sys_daemon *daemon);
/* As when whoever read its standard output has ended. */
void sys_daemon_close_output(struct sys_daemon *daemon);
/* Sends the signal; exit status. What it still said can be read afterwards. */
int sys_daemon_stop(struct sys_daemon *daemon, int signal);
void sys_daemon_free(struct sys_daemon *daemon);

/* -- for the fixture's own files -- */
void sys_guard(struct sys *sys); /* never returns */
void sys_own(struct sys *sys, void *object, void (*release)(void *object));
void sys_release_owned(struct sys *sys);
void sys_containerd_stop(struct sys *sys);
void sys_reap(struct sys *sys); /* whatever has ended, remembering what it was for sys_wait() */
void sys_kill_spawned(struct sys *sys);
void sys_find_hierarchies(struct sys *sys);

#endif
