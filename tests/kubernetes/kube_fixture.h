/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server, a loop, a cluster and the source between them, for tests of the Kubernetes API source.
 */
#ifndef CAPAUDITD_TEST_KUBE_FIXTURE_H
#define CAPAUDITD_TEST_KUBE_FIXTURE_H

#include "kube_server.h"

#include <capauditd/cluster.h>
#include <capauditd/kubernetes.h>

#include <systemd/sd-event.h>

#define FIXTURE_NODE	"node-1"
#define FIXTURE_TOKEN	"token-1"
#define FIXTURE_SECONDS 300u /* a test that takes longer hangs, and ends the program */

struct fixture {
	struct kube_server *server;
	sd_event *event;
	struct cluster *cluster;
	struct kubernetes *kubernetes;
	/* For fixture_connect(); a test may change them before. */
	struct kube_access access;
	struct kubernetes_settings settings;

	unsigned changes;
	uint64_t version;
	unsigned said, said_down;
	char sentence[2048]; /* the last one */
	bool frees_when_changed, frees_when_said;
};

/* A server with FIXTURE_TOKEN that serves an empty cluster. Delays are a few milliseconds. */
void fixture_init(struct fixture *fixture, const struct kube_server_options *options);
void fixture_done(struct fixture *fixture);

void fixture_connect(struct fixture *fixture);
/* One turn of the loop. */
void fixture_turn(struct fixture *fixture);
/* Turns it until that is so. */
#define UNTIL(fixture, condition)              \
	do {                                   \
		while (!(condition))           \
			fixture_turn(fixture); \
	} while (0)
/* Both lists were read and both watches are open. */
void fixture_settle(struct fixture *fixture);

/* A pod of kind Pod, as an item of a list (without `type`) or as a watch event. The caller frees.
 */
char *fixture_pod(const char *type, const char *name, unsigned version);
char *fixture_namespace(const char *type, const char *name, const char *level, unsigned version);
/* "uid-NAME", as far as a UID goes. */
const char *fixture_uid(const char *name);
struct pod_record *fixture_find(struct fixture *fixture, const char *name);

void fixture_push_pod(
	struct fixture *fixture, const char *type, const char *name, unsigned version);
/* A list of pods a, b, ... as many as `count`. */
void fixture_list_pods(struct fixture *fixture, const char *names, unsigned version);

/* A file of tests/data/api. */
char *fixture_read(const char *file, size_t *ret_length);
/* Pushes each line of a recorded stream as one event. */
void fixture_replay(struct fixture *fixture, enum kube_server_kind kind, const char *file);

size_t fixture_count(
	struct fixture *fixture, enum kube_server_kind kind, enum kube_server_verb verb);

#endif
