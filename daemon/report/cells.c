/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The columns of scan's table: one row here for each. Knows what a cell says in a given width, and
 * not how wide it becomes.
 */
#include "cells.h"
#include "display.h"

#include <capauditd/sentence.h>
#include <capauditd/text.h>

#include <inttypes.h>
#include <string.h>

bool is_judged(const struct scanned_container *scanned)
{
	return !scanned->container->opaque && !scanned->assessment->starting;
}

static char *show(const char *text, size_t width)
{
	if (!text || !*text)
		text = "-";
	return display_text(text, strlen(text), width);
}

static char *namespace_text(const struct row *row, size_t width)
{
	return show(row->scanned->container->pod.namespace_name, width);
}

/* By its UID where it has no name yet. */
static char *pod_text(const struct row *row, size_t width)
{
	const struct pod *pod = &row->scanned->container->pod;

	return show(pod->name ? pod->name : pod->uid, width);
}

static char *host_text(const struct row *row, size_t width)
{
	const struct container *c = row->scanned->container;

	return show(c->cgroup ? c->cgroup : c->name ? c->name : c->id, width);
}

static char *container_text(const struct row *row, size_t width)
{
	const struct container *c = row->scanned->container;

	if (c->host)
		return host_text(row, width);
	if (c->name && *c->name)
		return show(c->name, width);
	return display_text(c->id, sentence_short_id(c->id), width);
}

static char *type_text(const struct row *row, size_t width)
{
	const struct container *c = row->scanned->container;

	if (c->host)
		return show("host", width);
	return show(c->type == CONTAINER_UNKNOWN ? NULL : container_type_name(c->type), width);
}

static char *profile_text(const struct row *row, size_t width)
{
	const struct profile *profile = row->scanned->assessment->profile;

	return show(profile ? profile->name : NULL, width);
}

static char *level_text(const struct row *row, size_t width)
{
	return show(is_judged(row->scanned) ? level_name(row->scanned->assessment->level) : NULL,
		width);
}

static char *verdict_text(const struct row *row, size_t width)
{
	if (row->scanned->container->opaque)
		return show("opaque", width);
	if (row->scanned->assessment->starting)
		return show("starting", width);
	return show(verdict_name(row->scanned->assessment->verdict), width);
}

static bool is_violation(const struct row *row)
{
	return is_judged(row->scanned) && row->scanned->assessment->verdict == VERDICT_VIOLATION;
}

static char *class_text(const struct row *row, size_t width)
{
	return show(
		is_violation(row) ? violation_class_name(row->scanned->assessment->class) : NULL,
		width);
}

static char *severity_text(const struct row *row, size_t width)
{
	return show(is_violation(row) ? severity_name(row->scanned->assessment->severity) : NULL,
		width);
}

static const char *severity_color(const struct row *row)
{
	static const char *const colors[] = {
		[SEVERITY_NONE] = NULL,
		[SEVERITY_LOW] = "\033[36m",
		[SEVERITY_MEDIUM] = "\033[33m",
		[SEVERITY_HIGH] = "\033[31m",
		[SEVERITY_CRITICAL] = "\033[1;31m",
	};
	const enum severity severity = row->scanned->assessment->severity;

	return is_violation(row) && (size_t)severity < ARRAY_SIZE(colors) ? colors[severity] : NULL;
}

static char *processes_text(const struct row *row, size_t width)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, row->scanned->assessment->processes);
	return show(text, width);
}

/* A list of capabilities in the making: every word that fits, then how many did not. */
#define WORD_SIZE (CAPABILITY_NAME_SIZE + 3) /* with parentheses */
#define MORE_SIZE (sizeof(" +64") - 1)

struct words {
	char word[CAPABILITY_MAX + 1][WORD_SIZE];
	size_t count;
	bool parentheses;
};

static void add_word(void *data, unsigned number)
{
	struct words *words = data;
	char name[CAPABILITY_NAME_SIZE];

	(void)capability_name(number, name);
	(void)snprintf(
		words->word[words->count++], WORD_SIZE, words->parentheses ? "(%s)" : "%s", name);
}

static void add_words(struct words *words, capability_mask mask, bool parentheses)
{
	const capability_mask all = sentence_all_capabilities();

	words->parentheses = parentheses;
	if (mask && (mask & all) == all)
		(void)snprintf(words->word[words->count++], WORD_SIZE, "%s",
			parentheses ? "(ALL)" : "ALL");
	else
		sentence_worst_first(mask, add_word, words);
}

static char *join_words(const struct words *words, size_t width)
{
	char text[(CAPABILITY_MAX + 1) * WORD_SIZE + MORE_SIZE + 1] = "", *end = text;
	size_t told = 0;

	for (; told < words->count; told++) {
		const size_t used = (size_t)(end - text) + (told > 0) + strlen(words->word[told]);
		const size_t more = told + 1 < words->count ? MORE_SIZE : 0;

		if (told > 0 && used + more > width)
			break;
		if (told > 0)
			*end++ = ' ';
		end = stpcpy(end, words->word[told]);
	}
	if (told < words->count)
		(void)sprintf(end, " +%zu", words->count - told);
	return show(text, width);
}

/* The bounding set's in parentheses; table.c explains them below the table. */
static char *excess_text(const struct row *row, size_t width)
{
	struct words words = { .count = 0 };

	if (row->moved)
		(void)strcpy(words.word[words.count++], "moved");
	add_words(&words, row->held, false);
	add_words(&words, row->bounding & ~row->held, true);
	return join_words(&words, width);
}

static char *holds_text(const struct row *row, size_t width)
{
	struct words words = { .count = 0 };

	add_words(&words, row->scanned->assessment->held, false);
	return join_words(&words, width);
}

/* To the second; in a narrow terminal the day is left. */
static char *since_text(const struct row *row, size_t width)
{
	char text[TEXT_TIME_SIZE];

	text_time(text, row->since_us);
	text[strcspn(text, width < strlen("2026-11-24T09:41:05") ? "T" : ".")] = '\0';
	return show(text, width);
}

const struct column table_columns[COLUMNS] = {
	[COLUMN_NAMESPACE] = { "NAMESPACE", .optional = true, .text = namespace_text },
	[COLUMN_POD] = { "POD", .optional = true, .text = pod_text },
	[COLUMN_CONTAINER] = { "CONTAINER", .text = container_text },
	[COLUMN_TYPE] = { "TYPE", .optional = true, .text = type_text },
	[COLUMN_PROFILE] = { "PROFILE", .text = profile_text },
	[COLUMN_LEVEL] = { "LEVEL", .text = level_text },
	[COLUMN_VERDICT] = { "VERDICT", .text = verdict_text },
	[COLUMN_CLASS] = { "CLASS", .text = class_text },
	[COLUMN_SEVERITY] = { "SEVERITY", .text = severity_text, .color = severity_color },
	[COLUMN_PROCESSES] = { "PROCS", .right = true, .text = processes_text },
	[COLUMN_EXCESS] = { "EXCESS", .text = excess_text },
	[COLUMN_HOST] = { "HOST CGROUP", .text = host_text },
	[COLUMN_SINCE] = { "SINCE (UTC)", .text = since_text },
	[COLUMN_HOLDS] = { "HOLDS", .text = holds_text },
};
