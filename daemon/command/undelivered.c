/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns how a transition or a message that waits for its sink is kept. It must not know where.
 */
#include "undelivered.h"

#include <capauditd/finding_code.h>

#include <errno.h>
#include <syslog.h>

#define SHORT_TEXT_MAX 64u	  /* boot id, engine */
#define TEXT_MAX       (1u << 20) /* a message */

enum { IS_FINDING = 1, IS_MESSAGE = 2 };

void undelivered_encode_finding(
	const struct report_context *context, const struct finding *finding, struct bytes *to)
{
	bytes_add_number(to, IS_FINDING);
	bytes_add_text(to, context->boot_id ? context->boot_id : "");
	bytes_add_text(to, context->engine ? context->engine : "");
	finding_encode(finding, to);
}

void undelivered_encode_message(
	enum journal_message message, int priority, const char *text, struct bytes *to)
{
	bytes_add_number(to, IS_MESSAGE);
	bytes_add_number(to, (uint64_t)message);
	bytes_add_number(to, (uint64_t)priority);
	bytes_add_text(to, text);
}

void undelivered_done(struct undelivered *undelivered)
{
	free(undelivered->boot_id);
	free(undelivered->engine);
	free(undelivered->text);
	finding_done(&undelivered->finding);
	*undelivered = (struct undelivered){ 0 };
}

static int decode_finding(struct byte_reader *from, struct undelivered *ret)
{
	ret->boot_id = bytes_take_text(from, SHORT_TEXT_MAX);
	ret->engine = bytes_take_text(from, SHORT_TEXT_MAX);
	if (from->failed)
		return -EBADMSG;
	if (!ret->boot_id || !ret->engine)
		return -ENOMEM;
	return finding_decode(*from, &ret->finding);
}

static int decode_message(struct byte_reader *from, struct undelivered *ret)
{
	uint64_t message = bytes_take_number(from), priority = bytes_take_number(from);

	ret->text = bytes_take_text(from, TEXT_MAX);
	if (from->failed || message >= JOURNAL_MESSAGES || priority > LOG_DEBUG)
		return -EBADMSG;
	ret->message = (enum journal_message)message;
	ret->priority = (int)priority;
	return ret->text ? 0 : -ENOMEM;
}

int undelivered_decode(const void *data, size_t length, struct undelivered *ret)
{
	struct byte_reader from = { .at = data, .end = (const uint8_t *)data + length };
	struct undelivered undelivered = { 0 };
	uint64_t kind = bytes_take_number(&from);
	int r = -EBADMSG;

	if (kind == IS_FINDING) {
		undelivered.is_finding = true;
		r = decode_finding(&from, &undelivered);
	} else if (kind == IS_MESSAGE) {
		r = decode_message(&from, &undelivered);
	}
	if (r < 0) {
		undelivered_done(&undelivered);
		return r;
	}
	*ret = undelivered;
	return 0;
}
