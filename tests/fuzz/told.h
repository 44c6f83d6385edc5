/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What holds of everything that is told of a finding, whoever chose what is in it.
 */
#ifndef CAPAUDITD_FUZZ_TOLD_H
#define CAPAUDITD_FUZZ_TOLD_H

#include "check.h"

#include <capauditd/report.h>
#include <capauditd/text.h>

#include <jansson.h>
#include <string.h>
#include <yaml.h>

static const struct report_context told_context = { "node", "boot", "6.18", "procfs", true };

/* Nothing in it but the newlines that are meant. */
static inline void check_lines(const char *text, size_t length)
{
	while (length) {
		const char *end = memchr(text, '\n', length);
		size_t line = end ? (size_t)(end - text) : length;

		CHECK(text_is_clean(text, line));
		line += end != NULL;
		text += line;
		length -= line;
	}
}

static inline void check_yaml(const char *text)
{
	yaml_parser_t parser;
	yaml_event_t event;
	bool end = false;

	CHECK(yaml_parser_initialize(&parser));
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	while (!end) {
		CHECK(yaml_parser_parse(&parser, &event));
		end = event.type == YAML_STREAM_END_EVENT;
		/* Nobody's name became more than a name. */
		CHECK(event.type != YAML_ALIAS_EVENT);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
}

static inline void check_journal(const struct finding *finding)
{
	struct journal_fields fields;

	CHECK(journal_fields_make(&told_context, finding, true, &fields) == 0);
	for (size_t i = 0; i < fields.count; i++) {
		const char *field = fields.field[i];
		size_t name = strspn(field, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

		CHECK(name > 0 && field[name] == '=' && field[name + 1]);
		CHECK(strlen(field) == fields.length[i]);
		CHECK(text_is_clean(field, fields.length[i]));
	}
	journal_fields_done(&fields);
}

static inline void check_cure(const struct finding *finding)
{
	_cleanup_free_ char *cure = remedy_to_text(finding);

	CHECK(cure);
	check_lines(cure, strlen(cure));
	if (finding->container.in_pod)
		check_yaml(cure);
}

/* The finding's JSON, a new string. */
static inline char *check_told(const struct finding *finding)
{
	_cleanup_free_ char *message = finding_message(finding);
	char *json = finding_to_json(&told_context, finding);
	json_t *value;

	CHECK(message && text_is_clean(message, strlen(message)));
	CHECK(json && text_is_clean(json, strlen(json)));
	value = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	CHECK(json_is_object(value));
	json_decref(value);
	check_journal(finding);
	check_cure(finding);
	return json;
}

#endif
