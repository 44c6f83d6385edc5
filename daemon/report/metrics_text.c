/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes samples. Knows the format and no metric.
 */
#include "metrics_text.h"
#include "output.h"

#include <capauditd/text.h>

#include <inttypes.h>
#include <string.h>

/* Upper bounds; the last bucket has none. */
static const uint64_t bounds_us[METRICS_BUCKETS - 1] = { 1000, 2500, 5000, 10000, 25000, 50000,
	100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000 };

void histogram_add(struct histogram *histogram, uint64_t us)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(bounds_us) && us > bounds_us[i])
		i++;
	histogram->buckets[i]++;
	histogram->count++;
	histogram->sum_us += us;
}

static void put(struct metrics_text *text, const char *bytes)
{
	if (text->error == 0)
		text->error = output_text(text->to, bytes);
}

void metrics_text_begin(
	struct metrics_text *text, const char *name, const char *type, const char *help)
{
	text->name = name;
	if (text->error == 0)
		text->error = output_format(
			text->to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_character(struct metrics_text *text, char c)
{
	const char plain[] = { c, '\0' };

	if (c == '\\')
		put(text, "\\\\");
	else if (c == '"')
		put(text, "\\\"");
	else
		put(text, plain);
}

/* A sample without labels stands without braces. */
static void put_name(struct metrics_text *text, const char *suffix)
{
	put(text, text->name);
	put(text, suffix);
}

static void put_label(
	struct metrics_text *text, const char *suffix, const char *name, const char *value)
{
	char clean[METRICS_LABEL_SIZE];

	if (!text->labels++)
		put_name(text, suffix);
	put(text, text->labels == 1 ? "{" : ",");
	put(text, name);
	put(text, "=\"");
	text_escape_into(clean, sizeof(clean), value, strlen(value));
	for (const char *p = clean; *p; p++)
		put_character(text, *p);
	put(text, "\"");
}

void metrics_text_label(struct metrics_text *text, const char *name, const char *value)
{
	put_label(text, "", name, value);
}

static void end_sample(struct metrics_text *text, const char *suffix, const char *value)
{
	if (text->labels)
		put(text, "}");
	else
		put_name(text, suffix);
	text->labels = 0;
	put(text, " ");
	put(text, value);
	put(text, "\n");
}

#define NUMBER_SIZE 32u

static void format_seconds(char buffer[static NUMBER_SIZE], uint64_t us)
{
	char *end;
	int length = snprintf(
		buffer, NUMBER_SIZE, "%" PRIu64 ".%06" PRIu64, us / 1000000u, us % 1000000u);

	if (length < 0)
		return;
	end = buffer + length - 1;
	while (*end == '0')
		*end-- = '\0';
	if (*end == '.')
		*end = '\0';
}

static void put_count(struct metrics_text *text, const char *suffix, uint64_t value)
{
	char number[NUMBER_SIZE];

	(void)snprintf(number, sizeof(number), "%" PRIu64, value);
	end_sample(text, suffix, number);
}

static void put_seconds(struct metrics_text *text, const char *suffix, uint64_t us)
{
	char number[NUMBER_SIZE];

	format_seconds(number, us);
	end_sample(text, suffix, number);
}

void metrics_text_count(struct metrics_text *text, uint64_t value)
{
	put_count(text, "", value);
}

void metrics_text_seconds(struct metrics_text *text, uint64_t us)
{
	put_seconds(text, "", us);
}

void metrics_text_histogram(struct metrics_text *text, const struct histogram *histogram)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		char bound[NUMBER_SIZE] = "+Inf";

		if (i < ARRAY_SIZE(bounds_us))
			format_seconds(bound, bounds_us[i]);
		sum += histogram->buckets[i];
		put_label(text, "_bucket", "le", bound);
		put_count(text, "_bucket", sum);
	}
	put_seconds(text, "_sum", histogram->sum_us);
	put_count(text, "_count", histogram->count);
}

int metrics_text_end(struct metrics_text *text)
{
	return text->error ? text->error : output_finish(text->to);
}
