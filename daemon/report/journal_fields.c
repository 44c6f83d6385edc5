/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of a finding's journal entry (docs/interface.md, "Journal"). Nothing is sent from
 * here, so that a test can read what would be.
 */
#include "journal.h"

#include <capauditd/report.h>
#include <capauditd/sentence.h>
#include <capauditd/text.h>

#include <errno.h>
#include <string.h>
#include <syslog.h>

#define FIELDS_MAX 32u

/* systemd.journal-fields(7) takes syslog(3)'s numbers: 2 to 5, and 6 for what needs nobody now. */
static int find_priority(const struct finding *finding)
{
	static const int priorities[] = {
		[SEVERITY_NONE] = LOG_INFO,
		[SEVERITY_LOW] = LOG_NOTICE,
		[SEVERITY_MEDIUM] = LOG_WARNING,
		[SEVERITY_HIGH] = LOG_ERR,
		[SEVERITY_CRITICAL] = LOG_CRIT,
	};

	if (finding->state == FINDING_RESOLVED || finding->provisional ||
		finding->verdict != VERDICT_VIOLATION ||
		(size_t)finding->severity >= ARRAY_SIZE(priorities))
		return LOG_INFO;
	return priorities[finding->severity];
}

/* One that was only observed is none of run's; it is told like one that was opened. */
static enum journal_message find_message(const struct finding *finding)
{
	switch (finding->state) {
	case FINDING_CHANGED:
		return JOURNAL_CHANGED;
	case FINDING_RESOLVED:
		return JOURNAL_RESOLVED;
	case FINDING_OPENED:
	case FINDING_OBSERVED:
		break;
	}
	return JOURNAL_OPENED;
}

/* Adds NAME=value, `length` bytes of it escaped; nothing where the value is NULL or empty. */
static int add_field(
	struct journal_fields *fields, const char *name, const char *value, size_t length)
{
	_cleanup_free_ char *escaped = NULL;
	char *field;
	int written;

	if (!value || !length)
		return 0;
	if (fields->count == FIELDS_MAX)
		return -ENOBUFS;
	escaped = text_escape(value, length);
	if (!escaped)
		return -ENOMEM;
	written = asprintf(&field, "%s=%s", name, escaped);
	if (written < 0)
		return -ENOMEM;
	fields->field[fields->count] = field;
	fields->length[fields->count++] = (size_t)written;
	return 0;
}

/* The values that have to be made. */
struct made {
	char *message, *excess, *json;
	char priority[12], pid[24];
};

static void made_done(struct made *made)
{
	free(made->message);
	free(made->excess);
	free(made->json);
}

static int make_values(
	const struct report_context *context, const struct finding *finding, struct made *made)
{
	made->message = finding_message(finding);
	made->excess = capability_mask_names(capability_sets_all(&finding->excess), " ");
	made->json = finding_to_json(context, finding);
	if (!made->message || !made->excess || !made->json)
		return -ENOMEM;
	(void)snprintf(made->priority, sizeof(made->priority), "%d", find_priority(finding));
	(void)snprintf(made->pid, sizeof(made->pid), "%ld", (long)finding->process.pid);
	return 0;
}

static int add_fields(const struct finding *f, const struct made *made, bool process_lives,
	struct journal_fields *fields)
{
	const struct container *c = f->container.host ? NULL : &f->container;
	const struct pod *pod = c && c->in_pod ? &c->pod : NULL;
	const bool violation = f->verdict == VERDICT_VIOLATION;
	const struct {
		const char *name, *value;
		size_t length; /* of the value; 0: all of it */
	} rows[] = {
		{ "MESSAGE", made->message, 0 },
		{ "MESSAGE_ID", journal_message_id(find_message(f)), 0 },
		{ "PRIORITY", made->priority, 0 },
		{ "SYSLOG_IDENTIFIER", JOURNAL_IDENTIFIER, 0 },
		{ "OBJECT_PID", process_lives && f->process.pid > 0 ? made->pid : NULL, 0 },
		{ "CONTAINER_ID_FULL", c ? c->id : NULL, 0 },
		{ "CONTAINER_ID", c ? c->id : NULL, c ? sentence_short_id(c->id) : 0 },
		{ "CONTAINER_NAME", c ? c->name : NULL, 0 },
		{ "K8S_NAMESPACE_NAME", pod ? pod->namespace_name : NULL, 0 },
		{ "K8S_POD_NAME", pod ? pod->name : NULL, 0 },
		{ "K8S_POD_UID", pod ? pod->uid : NULL, 0 },
		{ "K8S_CONTAINER_NAME", pod ? c->name : NULL, 0 },
		{ "CAPAUDIT_ID", f->id, 0 },
		{ "CAPAUDIT_STATE", finding_state_name(f->state), 0 },
		{ "CAPAUDIT_VERDICT", verdict_name(f->verdict), 0 },
		{ "CAPAUDIT_CLASS", violation_class_name(f->class), 0 },
		{ "CAPAUDIT_SEVERITY", violation ? severity_name(f->severity) : NULL, 0 },
		{ "CAPAUDIT_REACH", reach_name(f->reach), 0 },
		{ "CAPAUDIT_PROFILE", f->profile, 0 },
		{ "CAPAUDIT_EXCESS", made->excess, 0 },
		{ "CAPAUDIT_FINDING", made->json, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const size_t length =
			rows[i].value && !rows[i].length ? strlen(rows[i].value) : rows[i].length;
		int r = add_field(fields, rows[i].name, rows[i].value, length);

		if (r < 0)
			return r;
	}
	return 0;
}

int journal_fields_make(const struct report_context *context, const struct finding *finding,
	bool process_lives, struct journal_fields *ret)
{
	_cleanup_(made_done) struct made made = { 0 };
	struct journal_fields fields = {
		.field = calloc(FIELDS_MAX, sizeof(*fields.field)),
		.length = calloc(FIELDS_MAX, sizeof(*fields.length)),
	};
	int r = fields.field && fields.length ? make_values(context, finding, &made) : -ENOMEM;

	if (r == 0)
		r = add_fields(finding, &made, process_lives, &fields);
	if (r < 0) {
		journal_fields_done(&fields);
		return r;
	}
	*ret = fields;
	return 0;
}

void journal_fields_done(struct journal_fields *fields)
{
	for (size_t i = 0; i < fields->count; i++)
		free(fields->field[i]);
	free(fields->field);
	free(fields->length);
	*fields = (struct journal_fields){ 0 };
}
