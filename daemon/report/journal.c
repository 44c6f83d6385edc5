/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Entries for the journal, and the message ids that the catalogue explains. How they get there is
 * not known here.
 */
#include "journal.h"

#include <capauditd/report.h>
#include <capauditd/text.h>

#include <errno.h>
#include <stdarg.h>
#include <string.h>

const char *journal_message_id(enum journal_message message)
{
	/* Made by systemd-id128(1); never to be changed, since people filter by them. */
	static const char *const ids[JOURNAL_MESSAGES] = {
		[JOURNAL_OPENED] = "cc459678650c41f8a602ab45fadceae3",
		[JOURNAL_CHANGED] = "c7d8a12960d648c3abc550635b4cbb4e",
		[JOURNAL_RESOLVED] = "b7fbfc754f60435daa9c250e8dfbfede",
		[JOURNAL_STARTED] = "9c4039a182e2465d90f4a78acc9f771e",
		[JOURNAL_STOPPED] = "d45d29d0865846b5a766dd10f8ad8abc",
		[JOURNAL_RELOADED] = "d6b74e0b268448bb98a99f4e8b2815ac",
		[JOURNAL_RELOAD_FAILED] = "87c9acceaa4d47b1abeaa22cab64ff0c",
		[JOURNAL_ENGINE] = "d1645a1c6e3d476d97dcdbdcd1f253a5",
		[JOURNAL_COVERAGE_LOST] = "a4fb8982768d40fcb9b9b25cced5268e",
		[JOURNAL_COVERAGE_BACK] = "99ed3e6e52be40fa86be7d1583ab9df9",
		[JOURNAL_SOURCE] = "f4d36d8d59534420944990e2636837f6",
		[JOURNAL_EXCEPTION_EXPIRES] = "098041c2d994448d814e3e4205839f84",
		[JOURNAL_DELIVERY] = "b57a4ffc42a4467281d415fd650c0107",
		[JOURNAL_UNCONFINED] = "2a0a956068374bea8ba09203cb532214",
	};

	return (size_t)message < ARRAY_SIZE(ids) ? ids[message]
						 : "00000000000000000000000000000000";
}

int journal_send_finding(const struct journal_link *link, const struct report_context *context,
	const struct finding *finding, bool process_lives)
{
	struct journal_fields fields;
	int r = journal_fields_make(context, finding, process_lives, &fields);

	if (r < 0)
		return r;
	r = journal_link_send(link, fields.field, fields.length, fields.count);
	journal_fields_done(&fields);
	return r;
}

int journal_send_message(const struct journal_link *link, enum journal_message message,
	int priority, const char *format, ...)
{
	_cleanup_free_ char *text = NULL, *escaped = NULL, *entry = NULL;
	char id[64], level[32], identifier[] = "SYSLOG_IDENTIFIER=" JOURNAL_IDENTIFIER;
	va_list arguments;
	int written;

	va_start(arguments, format);
	written = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (written < 0) {
		text = NULL;
		return -ENOMEM;
	}
	escaped = text_escape(text, (size_t)written);
	if (!escaped)
		return -ENOMEM;
	if (asprintf(&entry, "MESSAGE=%s", escaped) < 0) {
		entry = NULL;
		return -ENOMEM;
	}
	(void)snprintf(id, sizeof(id), "MESSAGE_ID=%s", journal_message_id(message));
	(void)snprintf(level, sizeof(level), "PRIORITY=%d", priority);

	char *const field[] = { entry, id, level, identifier };
	const size_t length[] = { strlen(entry), strlen(id), strlen(level), strlen(identifier) };

	return journal_link_send(link, field, length, ARRAY_SIZE(field));
}
