/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What waits in the outbox: a finding's transition with what was true when it was told, or an
 * operational message for the journal; as bytes and back.
 */
#ifndef CAPAUDITD_UNDELIVERED_H
#define CAPAUDITD_UNDELIVERED_H

#include <capauditd/bytes.h>
#include <capauditd/report.h>

struct undelivered {
	bool is_finding;
	char *boot_id, *engine; /* of then */
	struct finding finding;
	enum journal_message message;
	int priority;
	char *text;
};

void undelivered_encode_finding(
	const struct report_context *context, const struct finding *finding, struct bytes *to);
void undelivered_encode_message(
	enum journal_message message, int priority, const char *text, struct bytes *to);

/* 0, -EBADMSG, -ENOMEM; *ret is untouched on failure. */
int undelivered_decode(const void *data, size_t length, struct undelivered *ret);
void undelivered_done(struct undelivered *undelivered);

#endif
