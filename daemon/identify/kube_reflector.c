/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state machine of one kind of object: list, watch, resume the watch, list anew. Knows nothing
 * of sockets, nor of what an object holds.
 *
 * Two rules make it safe. Only a list that was read to its end removes what it does not have. And
 * whatever may have lost an event (410, a stream that cannot be read, no memory) lists anew, while
 * a watch that just broke is resumed from the last version that was read.
 */
#include "kube_reflector.h"
#include "kube_failure.h"
#include "kube_kind.h"

#include <capauditd/json_text.h>
#include <capauditd/kubernetes.h>
#include <capauditd/sentence.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define ACCURACY_US	     1000u
#define WATCH_SECONDS	     270u /* and up to WATCH_SECONDS_MORE: not all nodes at once */
#define WATCH_SECONDS_MORE   60u
#define LIST_LIMIT_FACTOR    10u	/* of stall_us: for a list that trickles */
#define RETRY_AFTER_MAX_US   300000000u /* no server may silence us for longer */
#define FAILURES_BEFORE_LIST 3u		/* of a watch that is refused: perhaps for its version */
#define DOUBLINGS_MAX	     30u

enum request_kind {
	REQUEST_LIST,
	REQUEST_WATCH,
};

struct kube_reflector {
	struct kube_reflector_settings settings;
	const struct kube_kind_ops *ops;
	char *node;
	sd_event_source *timer; /* for the next request */
	struct kube_transfer *transfer;
	struct json_splitter *splitter; /* of the transfer's answer */
	enum request_kind next;
	char *resource_version; /* of the last that was read; opaque */

	/* Of the present answer. */
	uint64_t begun_us;  /* 0: no status of 200 yet */
	uint64_t taken;	    /* bytes */
	size_t passed_over; /* items and events that were too long */
	bool got_event;
	bool expired; /* the watch said 410 */
	char *told;   /* what its ERROR event said */

	unsigned failures; /* requests in a row from which nothing came */
	bool is_synced;
	enum kube_health health;
	char *failure;
};

uint64_t kube_random(uint64_t bound)
{
	uint64_t number;

	if (bound == 0)
		return 0;
	/* Before the kernel's pool is filled, time will do: it is for delays. */
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
		number = (uint64_t)clock();
	return number % bound;
}

static uint64_t now_us(const struct kube_reflector *reflector)
{
	uint64_t now = 0;

	(void)sd_event_now(reflector->settings.event, CLOCK_MONOTONIC, &now);
	return now;
}

static void note(struct kube_reflector *reflector)
{
	reflector->settings.noted(reflector->settings.data);
}

static int start_in(struct kube_reflector *reflector, uint64_t delay_us)
{
	int r = sd_event_source_set_time_relative(reflector->timer, delay_us);

	return r < 0 ? r : sd_event_source_set_enabled(reflector->timer, SD_EVENT_ONESHOT);
}

/* Full jitter: anything up to a bound that doubles with each failure. */
static uint64_t backoff(const struct kube_reflector *reflector)
{
	unsigned doublings = reflector->failures > 0 ? reflector->failures - 1 : 0;
	uint64_t bound = reflector->settings.backoff_min_us
			 << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);

	if (bound > reflector->settings.backoff_max_us)
		bound = reflector->settings.backoff_max_us;
	return kube_random(bound + 1);
}

static void try_again(struct kube_reflector *reflector, uint64_t retry_after_us)
{
	uint64_t delay_us;

	if (reflector->failures < UINT32_MAX)
		reflector->failures++;
	delay_us = backoff(reflector);
	if (retry_after_us > RETRY_AFTER_MAX_US)
		retry_after_us = RETRY_AFTER_MAX_US;
	/* Not before, and not everybody at once. */
	if (delay_us < retry_after_us)
		delay_us = retry_after_us + kube_random(reflector->settings.backoff_min_us);
	(void)start_in(reflector, delay_us);
}

/* Takes `words`; NULL stands for no memory for them. */
static void go_down(struct kube_reflector *reflector, char *words, uint64_t retry_after_us)
{
	free(reflector->failure);
	reflector->failure = words ? words : strdup("out of memory");
	reflector->health = KUBE_DOWN;
	try_again(reflector, retry_after_us);
	note(reflector);
}

static void go_up(struct kube_reflector *reflector)
{
	if (reflector->health == KUBE_UP)
		return;
	reflector->health = KUBE_UP;
	note(reflector);
}

static void answer_done(struct kube_reflector *reflector)
{
	json_splitter_free(reflector->splitter);
	free(reflector->told);
	reflector->splitter = NULL;
	reflector->told = NULL;
	reflector->begun_us = 0;
	reflector->taken = reflector->passed_over = 0;
	reflector->got_event = reflector->expired = false;
}

/* An object that is odd, too large or one too many is left out: whoever may create pods must not
 * blind the audit with one. */
static int put(struct kube_reflector *reflector, const char *text, size_t length)
{
	int r = reflector->ops->put(reflector->settings.cluster, text, length);

	if (r != -EBADMSG && r != -ENOSPC)
		return r;
	reflector->ops->lose(reflector->settings.cluster);
	return 0;
}

static int take_item(void *data, const char *text, size_t length)
{
	return put(data, text, length);
}

/* What the splitter did not hand on since the last time. Of an event it is not known whose it was,
 * nor what it said; a list will tell. */
static void lose_passed_over(struct kube_reflector *reflector)
{
	size_t passed_over = json_splitter_passed_over(reflector->splitter);

	if (passed_over != reflector->passed_over)
		reflector->ops->lose(reflector->settings.cluster);
	reflector->passed_over = passed_over;
}

/* What follows the items says what they are. A list that is none of this kind's, or not all of it,
 * must not end: that would remove what it lacks. */
static int read_rest(struct kube_reflector *reflector)
{
	static const char *const kind_path[] = { "kind", NULL };
	static const char *const version_path[] = { "metadata", "resourceVersion", NULL };
	static const char *const continue_path[] = { "metadata", "continue", NULL };
	static const char *const items_path[] = { "items", NULL };
	_cleanup_free_ char *kind = NULL, *version = NULL, *more = NULL;
	const char *items;
	size_t length, items_length;
	const char *rest = json_splitter_rest(reflector->splitter, &length);
	int r;

	r = kube_find_string(rest, length, kind_path, &kind);
	if (r >= 0)
		r = kube_find_string(rest, length, version_path, &version);
	if (r < 0)
		return r == -ENOENT ? -EBADMSG : r;
	if (json_text_find(rest, length, items_path, &items, &items_length) < 0)
		return -EBADMSG;
	r = kube_find_string(rest, length, continue_path, &more);
	if (r != -ENOENT)
		return r < 0 ? r : -EBADMSG;
	for (const char *const *one = reflector->ops->list_kinds; *one; one++) {
		if (strcmp(*one, kind) != 0)
			continue;
		free(reflector->resource_version);
		reflector->resource_version = TAKE_PTR(version);
		return 0;
	}
	return -EBADMSG;
}

static int end_list(struct kube_reflector *reflector)
{
	int r;

	if (!reflector->begun_us)
		return -EBADMSG;
	r = json_splitter_end(reflector->splitter, take_item, reflector);
	if (r >= 0)
		r = read_rest(reflector);
	if (r < 0)
		return r;
	reflector->ops->end(reflector->settings.cluster);
	reflector->is_synced = true;
	return 0;
}

static bool is_type(const char *type, size_t length, const char *wanted)
{
	return length == strlen(wanted) && memcmp(type, wanted, length) == 0;
}

static int take_error(struct kube_reflector *reflector, const char *object, size_t length)
{
	_cleanup_free_ char *said = NULL;
	struct sentence words;
	long code;

	if (kube_status_read(object, length, &code, &said) < 0)
		return -ENOMEM;
	reflector->expired = code == 410;
	sentence_begin(&words);
	sentence_add(&words, "%ld %s", code, said);
	free(reflector->told);
	reflector->told = sentence_end(&words);
	return reflector->told ? -ECANCELED : -ENOMEM;
}

static int take_version(struct kube_reflector *reflector, const char *object, size_t length)
{
	static const char *const path[] = { "metadata", "resourceVersion", NULL };
	char *version = NULL;
	int r = kube_find_string(object, length, path, &version);

	if (r < 0)
		return r == -ENOENT ? -EBADMSG : r;
	free(reflector->resource_version);
	reflector->resource_version = version;
	return 0;
}

static int take_event(void *data, const char *text, size_t length)
{
	static const char *const type_path[] = { "type", NULL };
	static const char *const object_path[] = { "object", NULL };
	struct kube_reflector *reflector = data;
	struct cluster *cluster = reflector->settings.cluster;
	const char *type, *object;
	size_t type_length, object_length;
	int r;

	if (json_text_find(text, length, type_path, &type, &type_length) < 0 ||
		json_text_find(text, length, object_path, &object, &object_length) < 0)
		return -EBADMSG;
	if (is_type(type, type_length, "\"ERROR\""))
		return take_error(reflector, object, object_length);
	if (is_type(type, type_length, "\"ADDED\"") || is_type(type, type_length, "\"MODIFIED\""))
		r = put(reflector, object, object_length);
	else if (is_type(type, type_length, "\"DELETED\""))
		r = reflector->ops->remove(cluster, object, object_length);
	else
		r = 0; /* a BOOKMARK; or what is not known yet, which has a version as well */
	if (r < 0 && r != -EBADMSG) /* which removes nothing */
		return r;
	reflector->got_event = true;
	reflector->failures = 0;
	return take_version(reflector, object, object_length);
}

static void on_begun(void *data)
{
	struct kube_reflector *reflector = data;

	reflector->begun_us = now_us(reflector);
	if (reflector->next == REQUEST_LIST)
		reflector->ops->begin(reflector->settings.cluster);
	else
		go_up(reflector);
}

static int on_bytes(void *data, const char *bytes, size_t length)
{
	struct kube_reflector *reflector = data;
	bool is_list = reflector->next == REQUEST_LIST;
	int r;

	reflector->taken += length;
	if (is_list && reflector->taken > reflector->settings.answer_max)
		return -EMSGSIZE;
	r = json_splitter_feed(
		reflector->splitter, bytes, length, is_list ? take_item : take_event, reflector);
	lose_passed_over(reflector);
	note(reflector);
	return r;
}

static void start_next(struct kube_reflector *reflector);

static void list_done(struct kube_reflector *reflector, const struct kube_answer *answer)
{
	struct kube_answer failed = *answer;

	if (answer->error == 0 && answer->status == 200)
		failed.error = end_list(reflector);
	if (failed.error != 0 || answer->status != 200) {
		answer_done(reflector);
		go_down(reflector, kube_failure_words(&failed), answer->retry_after_us);
		return;
	}
	answer_done(reflector);
	reflector->next = REQUEST_WATCH;
	go_up(reflector);
	note(reflector);
	start_next(reflector);
}

/* A watch that is not begun: the version may be at fault, unless the answer says otherwise. */
static void watch_refused(struct kube_reflector *reflector, const struct kube_answer *answer)
{
	switch (answer->status) {
	case 410:
		reflector->next = REQUEST_LIST;
		answer_done(reflector);
		try_again(reflector, answer->retry_after_us);
		return;
	case 0: /* no answer at all */
	case 401:
	case 403:
	case 408:
	case 429:
		break;
	default:
		if (answer->status < 500 || reflector->failures + 1 >= FAILURES_BEFORE_LIST)
			reflector->next = REQUEST_LIST;
	}
	answer_done(reflector);
	go_down(reflector, kube_failure_words(answer), answer->retry_after_us);
}

/* A watch that was open and is over. Every watch ends: by its time, with its server, with the
 * connection. That is no failure until its resumption is one. */
static void watch_ended(struct kube_reflector *reflector, const struct kube_answer *answer)
{
	bool has_lasted =
		now_us(reflector) - reflector->begun_us >= reflector->settings.backoff_min_us;
	bool is_lossy = answer->error != 0 && answer->error != -EIO && answer->error != -ETIMEDOUT;
	char *words = NULL;

	if (has_lasted)
		reflector->failures = 0;
	if (is_lossy) {
		reflector->next = REQUEST_LIST;
		if (!reflector->expired)
			words = reflector->told ? TAKE_PTR(reflector->told)
						: kube_failure_words(answer);
	}
	answer_done(reflector);
	if (words)
		go_down(reflector, words, 0);
	else if (has_lasted && answer->error == 0)
		start_next(reflector);
	else
		try_again(reflector, 0);
}

static void on_done(void *data, const struct kube_answer *answer)
{
	struct kube_reflector *reflector = data;

	reflector->transfer = NULL;
	if (reflector->next == REQUEST_LIST)
		list_done(reflector, answer);
	else if (!reflector->begun_us)
		watch_refused(reflector, answer);
	else
		watch_ended(reflector, answer);
}

static int start_request(struct kube_reflector *reflector, struct diag *diag)
{
	const struct kube_reflector_settings *settings = &reflector->settings;
	bool is_list = reflector->next == REQUEST_LIST;
	unsigned seconds = settings->watch_seconds
				   ? settings->watch_seconds
				   : WATCH_SECONDS + (unsigned)kube_random(WATCH_SECONDS_MORE + 1);
	_cleanup_free_ char *path =
		is_list ? kube_list_path(settings->transport, settings->kind, reflector->node)
			: kube_watch_path(settings->transport, settings->kind, reflector->node,
				  reflector->resource_version, seconds);
	struct kube_request request = {
		.path = path,
		.accept = is_list ? reflector->ops->list_accept : reflector->ops->watch_accept,
		.silence_us = settings->stall_us,
		.may_fall_silent = !is_list,
		.limit_us = is_list ? settings->stall_us * LIST_LIMIT_FACTOR
				    : (uint64_t)seconds * 1000000u + settings->stall_us,
		.on_new_connection = reflector->failures > 0,
		.begun = on_begun,
		.take = on_bytes,
		.done = on_done,
		.data = reflector,
	};

	reflector->splitter = json_splitter_new(
		is_list ? JSON_SPLIT_LIST : JSON_SPLIT_STREAM, KUBERNETES_ITEM_MAX);
	if (!path || !reflector->splitter)
		return diag_error(diag, 0, 0, "%s", strerror(ENOMEM));
	return kube_transfer_start(settings->transport, &request, &reflector->transfer, diag);
}

static void start_next(struct kube_reflector *reflector)
{
	struct diag diag = { 0 };

	if (start_request(reflector, &diag) >= 0)
		return;
	answer_done(reflector);
	go_down(reflector, strdup(diag.message), 0);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	start_next(data);
	return 0;
}

int kube_reflector_new(const struct kube_reflector_settings *settings, struct kube_reflector **ret)
{
	struct kube_reflector *reflector = calloc(1, sizeof(*reflector));
	int r = -ENOMEM;

	if (!reflector)
		return r;
	reflector->settings = *settings;
	reflector->ops = kube_kind_ops(settings->kind);
	reflector->node = strdup(settings->node);
	reflector->settings.node = reflector->node;
	if (reflector->node)
		r = sd_event_add_time_relative(settings->event, &reflector->timer, CLOCK_MONOTONIC,
			settings->start_us, ACCURACY_US, on_timer, reflector);
	if (r < 0) {
		kube_reflector_free(reflector);
		return r;
	}
	*ret = reflector;
	return 0;
}

void kube_reflector_free(struct kube_reflector *reflector)
{
	if (!reflector)
		return;
	kube_transfer_cancel(reflector->transfer);
	answer_done(reflector);
	(void)sd_event_source_disable_unref(reflector->timer);
	free(reflector->node);
	free(reflector->resource_version);
	free(reflector->failure);
	free(reflector);
}

bool kube_reflector_is_synced(const struct kube_reflector *reflector)
{
	return reflector->is_synced;
}

enum kube_health kube_reflector_health(const struct kube_reflector *reflector)
{
	return reflector->health;
}

const char *kube_reflector_failure(const struct kube_reflector *reflector)
{
	return reflector->failure;
}
