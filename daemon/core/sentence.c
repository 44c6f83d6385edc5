/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sentences for people: a memory stream that remembers whether anything failed. Knows how lists of
 * capabilities read; what is said with them is its callers' business.
 */
#include <capauditd/sentence.h>

#include <capauditd/macros.h>
#include <capauditd/text.h>

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void spoil(struct sentence *sentence)
{
	if (!sentence->to)
		return;
	(void)fclose(sentence->to);
	sentence->to = NULL;
	free(sentence->text);
	sentence->text = NULL;
}

void sentence_begin(struct sentence *sentence)
{
	*sentence = (struct sentence){ 0 };
	sentence->to = open_memstream(&sentence->text, &sentence->length);
}

void sentence_add(struct sentence *sentence, const char *format, ...)
{
	va_list arguments;
	int written;

	if (!sentence->to)
		return;
	va_start(arguments, format);
	written = vfprintf(sentence->to, format, arguments);
	va_end(arguments);
	if (written < 0)
		spoil(sentence);
}

void sentence_add_text(struct sentence *sentence, const char *text, size_t limit)
{
	_cleanup_free_ char *escaped = NULL;

	if (!sentence->to || !text)
		return;
	escaped = text_escape(text, strnlen(text, limit));
	if (!escaped)
		spoil(sentence);
	else
		sentence_add(sentence, "%s", escaped);
}

capability_mask sentence_all_capabilities(void)
{
	capability_mask all = 0;

	for (unsigned n = 0; n < CAPABILITY_MAX; n++)
		if (capability_info(n))
			all |= CAPABILITY_BIT(n);
	return all;
}

void sentence_worst_first(
	capability_mask mask, void (*add)(void *data, unsigned number), void *data)
{
	const capability_mask worst = CAPABILITY_BIT(CAPABILITY_SYS_ADMIN);
	const capability_mask takeover = capability_takeover() | worst;
	const capability_mask groups[] = {
		mask & worst,
		mask & takeover & ~worst,
		mask & ~takeover,
	};

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		for (unsigned n = 0; n < CAPABILITY_MAX; n++)
			if (groups[i] & CAPABILITY_BIT(n))
				add(data, n);
}

struct list {
	struct sentence *sentence;
	size_t count, added, limit;
};

static void add_capability(void *data, unsigned number)
{
	struct list *list = data;
	char name[CAPABILITY_NAME_SIZE];

	if (list->added == list->limit)
		return;
	if (list->added)
		sentence_add(list->sentence, "%s",
			list->added + 1 == list->count && list->count <= list->limit ? " and "
										     : ", ");
	sentence_add(list->sentence, "%s", capability_name(number, name));
	list->added++;
}

void sentence_add_capabilities(struct sentence *sentence, capability_mask mask, size_t limit)
{
	const capability_mask all = sentence_all_capabilities();
	struct list list = {
		.sentence = sentence,
		.count = (size_t)__builtin_popcountll(mask),
		.limit = limit,
	};

	if (mask && (mask & all) == all) {
		sentence_add(sentence, "all capabilities");
		return;
	}
	sentence_worst_first(mask, add_capability, &list);
	if (list.added < list.count)
		sentence_add(sentence, " and %zu more", list.count - list.added);
}

char *sentence_end(struct sentence *sentence)
{
	bool failed = !sentence->to;

	if (sentence->to && fclose(sentence->to) != 0)
		failed = true;
	sentence->to = NULL;
	if (failed) {
		free(sentence->text);
		sentence->text = NULL;
	}
	return TAKE_PTR(sentence->text);
}

#define ID_HEX_DIGITS 32u
#define ID_SHORT      12u

size_t sentence_short_id(const char *id)
{
	size_t digits = 0;

	while (digits < ID_HEX_DIGITS && isxdigit((unsigned char)id[digits]))
		digits++;
	return digits == ID_HEX_DIGITS ? ID_SHORT : strlen(id);
}
