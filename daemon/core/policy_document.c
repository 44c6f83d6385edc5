/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the way from a text to one YAML document: refuses, with the place, what libyaml would load
 * without complaint and a policy must not have. What the document says is not known here.
 *
 * The text is read twice. The document API resolves aliases and forgets anchors, and builds the
 * whole tree before anybody can look at its depth; so a first pass over the events looks for all
 * that, and stops at the first trouble.
 */
#include "policy_internal.h"

#include <errno.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Where a byte of the text stands, counted as libyaml does it: in characters. */
static void locate(const char *text, size_t offset, unsigned *ret_line, unsigned *ret_column)
{
	*ret_line = 1;
	*ret_column = 1;
	for (size_t i = 0; i < offset; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n' || (c == '\r' && i + 1 < offset && text[i + 1] != '\n')) {
			(*ret_line)++;
			*ret_column = 1;
		} else if ((c & 0xc0) !=
			   0x80) { /* not a character's second, third or fourth byte */
			(*ret_column)++;
		}
	}
}

#define ALIAS_SENTENCE	"aliases are not supported (a text that begins with * needs quotes)"
#define ANCHOR_SENTENCE "anchors are not supported (a text that begins with & needs quotes)"
#define TAG_SENTENCE	"tags are not supported (a text that begins with ! needs quotes)"

static const struct {
	const char *context; /* libyaml's word for what it was reading */
	const char *sentence;
} reference_errors[] = {
	{ "scanning an alias", ALIAS_SENTENCE },
	{ "scanning an anchor", ANCHOR_SENTENCE },
	{ "scanning a tag", TAG_SENTENCE },
};

/* What libyaml says, in our terms. */
static int parser_error(const yaml_parser_t *parser, const char *text, struct diag *diag)
{
	unsigned line = (unsigned)parser->problem_mark.line + 1;
	unsigned column = (unsigned)parser->problem_mark.column + 1;
	const char *problem = parser->problem ? parser->problem : "unknown error";

	switch (parser->error) {
	case YAML_MEMORY_ERROR:
	case YAML_NO_ERROR: /* libyaml 0.2.5's loader fails so where it cannot copy a tag */
		return -ENOMEM;
	case YAML_READER_ERROR:
		locate(text, parser->problem_offset, &line, &column);
		if (parser->problem_value < 0)
			return diag_error(diag, line, column, "not a text in UTF-8: %s", problem);
		return diag_error(diag, line, column, "not a text in UTF-8: %s (0x%02x)", problem,
			(unsigned)parser->problem_value);
	default:
		break;
	}
	/* `namespace: *` is the beginning of an alias without a name. */
	for (size_t i = 0; i < ARRAY_SIZE(reference_errors) && parser->context; i++)
		if (strstr(parser->context, reference_errors[i].context))
			return diag_error(diag, (unsigned)parser->context_mark.line + 1,
				(unsigned)parser->context_mark.column + 1, "%s",
				reference_errors[i].sentence);
	if (parser->context)
		return diag_error(diag, line, column, "not valid YAML: %s (%s at %zu:%zu)", problem,
			parser->context, parser->context_mark.line + 1,
			parser->context_mark.column + 1);
	return diag_error(diag, line, column, "not valid YAML: %s", problem);
}

struct scan {
	const char *kind; /* of file */
	struct diag *diag;
	unsigned depth;
	unsigned nodes;
	unsigned documents;
};

static int event_error(const struct scan *scan, const yaml_event_t *event, const char *sentence)
{
	return diag_error(scan->diag, (unsigned)event->start_mark.line + 1,
		(unsigned)event->start_mark.column + 1, "%s", sentence);
}

static int check_node(struct scan *scan, const yaml_event_t *event, const yaml_char_t *anchor,
	const yaml_char_t *tag)
{
	if (anchor)
		return event_error(scan, event, ANCHOR_SENTENCE);
	if (tag)
		return event_error(scan, event, TAG_SENTENCE);
	if (++scan->nodes > POLICY_NODES_MAX)
		return diag_error(scan->diag, (unsigned)event->start_mark.line + 1,
			(unsigned)event->start_mark.column + 1, "more than %u values",
			POLICY_NODES_MAX);
	return 0;
}

static int check_collection(struct scan *scan, const yaml_event_t *event)
{
	if (++scan->depth > POLICY_DEPTH_MAX)
		return diag_error(scan->diag, (unsigned)event->start_mark.line + 1,
			(unsigned)event->start_mark.column + 1, "nested more than %u deep",
			POLICY_DEPTH_MAX);
	return 0;
}

static int check_event(struct scan *scan, const yaml_event_t *event)
{
	int r;

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++scan->documents > 1)
			return diag_error(scan->diag, (unsigned)event->start_mark.line + 1,
				(unsigned)event->start_mark.column + 1,
				"a second document: a %s holds one", scan->kind);
		return 0;
	case YAML_ALIAS_EVENT:
		return event_error(scan, event, ALIAS_SENTENCE);
	case YAML_SCALAR_EVENT:
		r = check_node(scan, event, event->data.scalar.anchor, event->data.scalar.tag);
		if (r < 0)
			return r;
		if (memchr(event->data.scalar.value, '\0', event->data.scalar.length))
			return event_error(scan, event, "a text may not hold a NUL character");
		return 0;
	case YAML_SEQUENCE_START_EVENT:
		r = check_node(scan, event, event->data.sequence_start.anchor,
			event->data.sequence_start.tag);
		return r < 0 ? r : check_collection(scan, event);
	case YAML_MAPPING_START_EVENT:
		r = check_node(scan, event, event->data.mapping_start.anchor,
			event->data.mapping_start.tag);
		return r < 0 ? r : check_collection(scan, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		scan->depth--;
		return 0;
	default:
		return 0;
	}
}

static int parser_start(yaml_parser_t *parser, const char *text, size_t length)
{
	if (!yaml_parser_initialize(parser))
		return -ENOMEM;
	/* Told so, libyaml does not take a text for UTF-16 because of how it begins. */
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(parser, (const unsigned char *)text, length);
	return 0;
}

static int scan_text(const char *kind, const char *text, size_t length, struct diag *diag)
{
	_cleanup_(yaml_parser_delete) yaml_parser_t parser = { 0 };
	struct scan scan = { .kind = kind, .diag = diag };
	bool done = false;
	int r = parser_start(&parser, text, length);

	while (r == 0 && !done) {
		_cleanup_(yaml_event_delete) yaml_event_t event = { 0 };

		if (!yaml_parser_parse(&parser, &event))
			return parser_error(&parser, text, diag);
		done = event.type == YAML_STREAM_END_EVENT;
		r = check_event(&scan, &event);
	}
	return r;
}

int policy_document_read(
	const char *kind, const char *text, size_t length, yaml_document_t *ret, struct diag *diag)
{
	_cleanup_(yaml_parser_delete) yaml_parser_t parser = { 0 };
	size_t mark = strlen(BYTE_ORDER_MARK);
	int r;

	if (length > POLICY_TEXT_MAX)
		return diag_error(diag, 0, 0, "larger than %u KiB", POLICY_TEXT_MAX / 1024);
	if (length >= mark && memcmp(text, BYTE_ORDER_MARK, mark) == 0) {
		text += mark;
		length -= mark;
	}
	r = scan_text(kind, text, length, diag);
	if (r < 0)
		return r;
	r = parser_start(&parser, text, length);
	if (r < 0)
		return r;
	if (!yaml_parser_load(&parser, ret))
		return parser_error(&parser, text, diag);
	return 0;
}
