/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the reading of durations, dates and label keys. Strict: what is not of the form
 * is refused as a whole. Knows nothing of YAML.
 */
#include "policy_value.h"

#include <capauditd/macros.h>
#include <capauditd/text.h>

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define LABEL_NAME_MAX	 63u
#define LABEL_PREFIX_MAX 253u

/* Reads `count` or, for 0, any number of decimal digits; moves *text behind them. */
static int read_number(const char **text, size_t count, uint64_t *ret)
{
	uint64_t value = 0;
	size_t digits = 0;
	bool overflow = false;

	while (isdigit((unsigned char)**text) && (count == 0 || digits < count)) {
		overflow |= __builtin_mul_overflow(value, UINT64_C(10), &value);
		overflow |= __builtin_add_overflow(value, (uint64_t)(**text - '0'), &value);
		(*text)++;
		digits++;
	}
	if (digits == 0 || digits < count)
		return -EINVAL;
	*ret = value;
	return overflow ? -ERANGE : 0;
}

int duration_from_text(const char *text, uint64_t *ret_us)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = {
		{ "h", UINT64_C(3600000000) },
		{ "m", UINT64_C(60000000) },
		{ "s", UINT64_C(1000000) },
		{ "ms", UINT64_C(1000) },
	};
	uint64_t total = 0;
	bool too_large = false;

	do {
		uint64_t number, us = 0;
		size_t letters;
		int r = read_number(&text, 0, &number);

		if (r == -EINVAL)
			return r;
		too_large |= r == -ERANGE;
		letters = strspn(text, "hms");
		for (size_t i = 0; i < ARRAY_SIZE(units); i++)
			if (strlen(units[i].name) == letters &&
				strncmp(units[i].name, text, letters) == 0)
				us = units[i].us;
		if (us == 0)
			return -EINVAL;
		text += letters;
		too_large |= __builtin_mul_overflow(number, us, &number);
		too_large |= __builtin_add_overflow(total, number, &total);
	} while (*text);
	if (too_large)
		return -ERANGE;
	*ret_us = total;
	return 0;
}

static bool is_leap(uint64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int date_from_text(const char *text, uint64_t *ret_day)
{
	static const unsigned days_in[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint64_t year, month, day, days = 0;
	unsigned last;

	if (read_number(&text, 4, &year) < 0 || *text++ != '-' ||
		read_number(&text, 2, &month) < 0 || *text++ != '-' ||
		read_number(&text, 2, &day) < 0 || *text)
		return -EINVAL;
	if (year < 1970 || month < 1 || month > 12 || day < 1)
		return -ERANGE;
	last = days_in[month - 1] + (month == 2 && is_leap(year));
	if (day > last)
		return -ERANGE;
	for (uint64_t y = 1970; y < year; y++)
		days += is_leap(y) ? 366 : 365;
	for (uint64_t m = 1; m < month; m++)
		days += days_in[m - 1] + (m == 2 && is_leap(year));
	*ret_day = days + day - 1;
	return 0;
}

/* `length` characters of `extra` and alphanumerics, the latter at both ends. */
static bool is_label_part(const char *text, size_t length, size_t longest, const char *extra)
{
	if (length == 0 || length > longest || !isalnum((unsigned char)text[0]) ||
		!isalnum((unsigned char)text[length - 1]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr(extra, text[i]))
			return false;
	return true;
}

int label_key_check(const char *key)
{
	const char *slash = strchr(key, '/');
	const char *name = slash ? slash + 1 : key;

	if (slash && !is_label_part(key, (size_t)(slash - key), LABEL_PREFIX_MAX, "-."))
		return -EINVAL;
	for (const char *p = key; slash && p < slash; p++)
		if (isupper((unsigned char)*p)) /* the prefix is a DNS name */
			return -EINVAL;
	return is_label_part(name, strlen(name), LABEL_NAME_MAX, "-_.") ? 0 : -EINVAL;
}
