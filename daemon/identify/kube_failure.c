/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Puts into words why a request failed. What the server says of it was chosen by the server, or by
 * whatever answers in its place: bounded, and escaped here, once.
 */
#include "kube_failure.h"

#include <capauditd/sentence.h>

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define REASON_MAX  64u /* bytes that are shown */
#define MESSAGE_MAX 300u

int kube_status_read(const char *text, size_t length, long *ret_code, char **ret_words)
{
	_cleanup_(json_decrefp) json_t *status = NULL;
	const char *kind = NULL, *reason = NULL, *message = NULL;
	struct sentence words;
	int code = 0;

	if (length > 0 && length <= KUBE_REFUSAL_MAX)
		status = json_loadb(text, length, 0, NULL);
	if (json_unpack(status, "{s:s, s?:i, s?:s, s?:s}", "kind", &kind, "code", &code, "reason",
		    &reason, "message", &message) < 0 ||
		strcmp(kind, "Status") != 0) {
		code = 0;
		reason = message = NULL;
	}
	sentence_begin(&words);
	sentence_add_text(&words, reason, REASON_MAX);
	if (reason && message && *message)
		sentence_add(&words, ": ");
	sentence_add_text(&words, message, MESSAGE_MAX);
	*ret_words = sentence_end(&words);
	*ret_code = code;
	return *ret_words ? 0 : -ENOMEM;
}

static char *words_of_status(const struct kube_answer *answer)
{
	_cleanup_free_ char *said = NULL;
	struct sentence words;
	long code;

	if (kube_status_read(answer->refusal, answer->refusal_length, &code, &said) < 0)
		return NULL;
	sentence_begin(&words);
	sentence_add(&words, "%ld", answer->status);
	if (*said)
		sentence_add(&words, " %s", said);
	return sentence_end(&words);
}

char *kube_failure_words(const struct kube_answer *answer)
{
	static const struct {
		int error;
		const char *words;
	} table[] = {
		{ -EBADMSG, "the answer is not what the Kubernetes API says" },
		{ -EMSGSIZE, "the answer is too large" },
	};
	struct sentence words;

	/* Whatever came after a refusal's status: the status says it. */
	if (answer->status != 0 && answer->status != 200)
		return words_of_status(answer);
	sentence_begin(&words);
	if (answer->why[0]) {
		sentence_add_text(&words, answer->why, MESSAGE_MAX);
		return sentence_end(&words);
	}
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].error == answer->error) {
			sentence_add(&words, "%s", table[i].words);
			return sentence_end(&words);
		}
	}
	sentence_add(&words, "%s", strerror(-answer->error));
	return sentence_end(&words);
}
