/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ties the reflectors of pods and of namespaces together: one state, one sentence for people when
 * it changes. Knows nothing of requests.
 *
 * The caller is told by an event source of our own, never from within libcurl, so that it may do
 * then what it likes, up to freeing all this.
 */
#include <capauditd/kubernetes.h>

#include "kube_reflector.h"

#include <capauditd/sentence.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STALL_US       30000000u
#define BACKOFF_MIN_US 1000000u
#define BACKOFF_MAX_US 60000000u
#define SERVER_MAX     200u /* bytes of its address that people are shown */
#define NODE_MAX       253u /* a DNS name */
#define KINDS	       2u

struct kubernetes {
	struct curl_library curl;
	struct cluster *cluster;
	char *server, *node;
	struct kube_transport *transport;
	struct kube_reflector *reflectors[KINDS]; /* by enum kube_kind */
	sd_event_source *news;			  /* tells the caller */
	uint64_t version;			  /* of the cluster, when that was told last */
	enum kube_health told;
	bool told_left_out;
	kubernetes_changed *changed;
	kubernetes_say *say;
	void *data;
};

static const char *const nouns[KINDS] = {
	[KUBE_PODS] = "pods",
	[KUBE_NAMESPACES] = "namespaces",
};

/* The first that is down speaks for both. */
static const struct kube_reflector *first_down(
	const struct kubernetes *kubernetes, const char **ret_noun)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (kube_reflector_health(kubernetes->reflectors[i]) != KUBE_DOWN)
			continue;
		*ret_noun = nouns[i];
		return kubernetes->reflectors[i];
	}
	return NULL;
}

static enum kube_health health_of(const struct kubernetes *kubernetes)
{
	const char *noun;

	if (first_down(kubernetes, &noun))
		return KUBE_DOWN;
	return kubernetes_is_up(kubernetes) ? KUBE_UP : KUBE_STARTING;
}

static char *words_of_down(const struct kubernetes *kubernetes)
{
	const char *noun = "";
	const struct kube_reflector *down = first_down(kubernetes, &noun);
	const char *failure = down ? kube_reflector_failure(down) : NULL;
	struct sentence words;

	sentence_begin(&words);
	sentence_add(&words, "cannot get %s from the Kubernetes API (", noun);
	sentence_add_text(&words, kubernetes->server, SERVER_MAX);
	/* It was escaped where it was made. */
	sentence_add(&words, "): %s: ", failure ? failure : "out of memory");
	if (kubernetes_is_synced(kubernetes))
		sentence_add(&words,
			"what was known stays, and what is new waits until it answers again");
	else
		sentence_add(&words, "posture waits where it depends on that, and drift does not");
	return sentence_end(&words);
}

static char *words_of_up(const struct kubernetes *kubernetes)
{
	struct sentence words;
	size_t pods = cluster_pod_count(kubernetes->cluster);
	size_t namespaces = cluster_namespace_count(kubernetes->cluster);

	sentence_begin(&words);
	sentence_add(&words, "the Kubernetes API (");
	sentence_add_text(&words, kubernetes->server, SERVER_MAX);
	sentence_add(&words, ") %s: %zu pod%s on node ",
		kubernetes->told == KUBE_DOWN ? "answers again" : "answers", pods,
		pods == 1 ? "" : "s");
	sentence_add_text(&words, kubernetes->node, NODE_MAX);
	sentence_add(&words, ", %zu namespace%s", namespaces, namespaces == 1 ? "" : "s");
	return sentence_end(&words);
}

static void tell(struct kubernetes *kubernetes, bool is_up, const char *words)
{
	if (kubernetes->say)
		kubernetes->say(kubernetes->data, is_up,
			words ? words
			      : "out of memory for what is to be said of the Kubernetes API");
}

static void say_health(struct kubernetes *kubernetes, enum kube_health health)
{
	_cleanup_free_ char *words =
		health == KUBE_UP ? words_of_up(kubernetes) : words_of_down(kubernetes);

	kubernetes->told = health;
	tell(kubernetes, health == KUBE_UP, words);
}

static bool leaves_out(const struct kubernetes *kubernetes)
{
	return cluster_lacks_pods(kubernetes->cluster) ||
	       cluster_lacks_namespaces(kubernetes->cluster);
}

static char *words_of_left_out(const struct kubernetes *kubernetes)
{
	bool pods = cluster_lacks_pods(kubernetes->cluster);
	bool namespaces = cluster_lacks_namespaces(kubernetes->cluster);
	struct sentence words;

	sentence_begin(&words);
	if (!pods && !namespaces)
		sentence_add(&words, "nothing");
	else
		sentence_add(&words, "some %s%s%s", pods ? nouns[KUBE_PODS] : "",
			pods && namespaces ? " and " : "",
			namespaces ? nouns[KUBE_NAMESPACES] : "");
	sentence_add(&words, " of the Kubernetes API (");
	sentence_add_text(&words, kubernetes->server, SERVER_MAX);
	if (!pods && !namespaces)
		sentence_add(&words, ") is left out any more");
	else
		sentence_add(&words,
			") are left out, being too large, too many or not understood: what may be "
			"among them is unknown, and its posture provisional");
	return sentence_end(&words);
}

static char *words_of_missing(const struct kubernetes *kubernetes)
{
	struct sentence words;
	bool first = true;

	sentence_begin(&words);
	for (size_t i = 0; i < KINDS; i++) {
		const char *failure = kube_reflector_failure(kubernetes->reflectors[i]);

		if (kube_reflector_is_synced(kubernetes->reflectors[i]))
			continue;
		sentence_add(&words, "%scannot get %s", first ? "" : "; ", nouns[i]);
		if (first) {
			sentence_add(&words, " from the Kubernetes API (");
			sentence_add_text(&words, kubernetes->server, SERVER_MAX);
			sentence_add(&words, ")");
		}
		/* It was escaped where it was made. */
		sentence_add(&words, ": %s", failure ? failure : "no answer");
		first = false;
	}
	return sentence_end(&words);
}

static void say_left_out(struct kubernetes *kubernetes)
{
	_cleanup_free_ char *words = words_of_left_out(kubernetes);

	kubernetes->told_left_out = leaves_out(kubernetes);
	tell(kubernetes, !kubernetes->told_left_out, words);
}

/* One call a turn, since the callee may free all this. The source stays on until there is nothing
 * more to tell. */
static int on_news(sd_event_source *source, void *data)
{
	struct kubernetes *kubernetes = data;
	enum kube_health health = health_of(kubernetes);

	if (cluster_version(kubernetes->cluster) != kubernetes->version) {
		kubernetes->version = cluster_version(kubernetes->cluster);
		if (kubernetes->changed)
			kubernetes->changed(kubernetes->data);
	} else if (health != kubernetes->told && health != KUBE_STARTING) {
		say_health(kubernetes, health);
	} else if (kubernetes_is_synced(kubernetes) &&
		   leaves_out(kubernetes) != kubernetes->told_left_out) {
		say_left_out(kubernetes);
	} else {
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	}
	return 0;
}

static void on_noted(void *data)
{
	struct kubernetes *kubernetes = data;

	(void)sd_event_source_set_enabled(kubernetes->news, SD_EVENT_ON);
}

static uint64_t or_default(uint64_t value, uint64_t default_value)
{
	return value ? value : default_value;
}

/* It becomes part of a field selector, where a comma would begin another one. */
static int check_node(const char *node, struct diag *diag)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";
	size_t length = strlen(node);

	if (length == 0 || length > NODE_MAX || strspn(node, allowed) != length)
		return diag_error(diag, 0, 0, "\"%s\" is not the name of a node", node);
	return 0;
}

static int add_reflectors(
	struct kubernetes *kubernetes, sd_event *event, const struct kubernetes_settings *settings)
{
	struct kube_reflector_settings common = {
		.event = event,
		.transport = kubernetes->transport,
		.cluster = kubernetes->cluster,
		.node = kubernetes->node,
		.start_us = kube_random(settings->first_delay_us),
		.stall_us = or_default(settings->stall_us, STALL_US),
		.backoff_min_us = or_default(settings->backoff_min_us, BACKOFF_MIN_US),
		.backoff_max_us = or_default(settings->backoff_max_us, BACKOFF_MAX_US),
		.answer_max = or_default(settings->answer_max, KUBERNETES_ANSWER_MAX),
		.watch_seconds = settings->watch_seconds,
		.noted = on_noted,
		.data = kubernetes,
	};

	for (unsigned i = 0; i < KINDS; i++) {
		int r;

		common.kind = (enum kube_kind)i;
		r = kube_reflector_new(&common, &kubernetes->reflectors[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int kubernetes_new(sd_event *event, const struct kubernetes_settings *settings,
	struct cluster *cluster, kubernetes_changed *changed, kubernetes_say *say, void *data,
	struct kubernetes **ret, struct diag *diag)
{
	_cleanup_(kubernetes_freep) struct kubernetes *kubernetes = calloc(1, sizeof(*kubernetes));
	int r;

	if (!kubernetes)
		return -ENOMEM;
	kubernetes->cluster = cluster;
	kubernetes->version = cluster_version(cluster);
	kubernetes->changed = changed;
	kubernetes->say = say;
	kubernetes->data = data;
	r = check_node(settings->node, diag);
	if (r >= 0)
		r = curl_library_open(&kubernetes->curl, diag);
	if (r >= 0)
		r = kube_transport_new(
			event, &kubernetes->curl, settings->access, &kubernetes->transport, diag);
	if (r < 0)
		return r;
	kubernetes->node = strdup(settings->node);
	kubernetes->server = strdup(settings->access->server);
	if (!kubernetes->node || !kubernetes->server)
		return -ENOMEM;
	r = sd_event_add_defer(event, &kubernetes->news, on_news, kubernetes);
	if (r >= 0)
		r = sd_event_source_set_enabled(kubernetes->news, SD_EVENT_OFF);
	if (r >= 0)
		r = add_reflectors(kubernetes, event, settings);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(kubernetes);
	return 0;
}

void kubernetes_free(struct kubernetes *kubernetes)
{
	if (!kubernetes)
		return;
	for (size_t i = 0; i < KINDS; i++)
		kube_reflector_free(kubernetes->reflectors[i]);
	(void)sd_event_source_disable_unref(kubernetes->news);
	kube_transport_free(kubernetes->transport);
	free(kubernetes->node);
	free(kubernetes->server);
	free(kubernetes);
}

bool kubernetes_is_synced(const struct kubernetes *kubernetes)
{
	for (size_t i = 0; i < KINDS; i++)
		if (!kube_reflector_is_synced(kubernetes->reflectors[i]))
			return false;
	return true;
}

bool kubernetes_is_settled(const struct kubernetes *kubernetes)
{
	for (size_t i = 0; i < KINDS; i++)
		if (!kube_reflector_is_synced(kubernetes->reflectors[i]) &&
			kube_reflector_health(kubernetes->reflectors[i]) != KUBE_DOWN)
			return false;
	return true;
}

bool kubernetes_is_up(const struct kubernetes *kubernetes)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kube_reflector_health(kubernetes->reflectors[i]) != KUBE_UP)
			return false;
	return true;
}

int kubernetes_why_incomplete(const struct kubernetes *kubernetes, char **ret)
{
	bool synced = kubernetes_is_synced(kubernetes);

	if (synced && !leaves_out(kubernetes))
		return 0;
	*ret = synced ? words_of_left_out(kubernetes) : words_of_missing(kubernetes);
	return *ret ? 1 : -ENOMEM;
}

/* The failure of what is down counts more than one that is over. */
const char *kubernetes_failure(const struct kubernetes *kubernetes)
{
	const char *noun, *failure = NULL;
	const struct kube_reflector *down = first_down(kubernetes, &noun);

	if (down)
		return kube_reflector_failure(down);
	for (size_t i = 0; i < KINDS && !failure; i++)
		failure = kube_reflector_failure(kubernetes->reflectors[i]);
	return failure;
}
