/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capability numbers, names, masks and sets. Pure: knows the table, and nothing of where sets come
 * from or who judges them. Every answer that a capability's number can give comes from the table.
 */
#include <capauditd/capability.h>

#include <capauditd/macros.h>
#include <capauditd/text.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct capability_info rows[] = {
#define CAPABILITY(number, name, allows, danger, narrower, instead, takeover) \
	[number] = { number, #name, allows, danger, narrower, instead, takeover },
#include <capauditd/capability_table.h>
#undef CAPABILITY
};

static const char *const row_names[] = {
#define CAPABILITY(number, name, ...) #name,
#include <capauditd/capability_table.h>
#undef CAPABILITY
};

_Static_assert(ARRAY_SIZE(rows) <= CAPABILITY_MAX, "a mask has a bit for every capability");

const struct capability_info *capability_info(unsigned number)
{
	/* A table with a gap has rows without a name. */
	return number < ARRAY_SIZE(rows) && rows[number].name ? &rows[number] : NULL;
}

size_t capability_count(void)
{
	return ARRAY_SIZE(row_names);
}

const char *capability_name(unsigned number, char buffer[static CAPABILITY_NAME_SIZE])
{
	const struct capability_info *info = capability_info(number);

	if (info)
		(void)snprintf(buffer, CAPABILITY_NAME_SIZE, "%s", info->name);
	else
		(void)snprintf(buffer, CAPABILITY_NAME_SIZE, "CAP_%u", number);
	return buffer;
}

static const char *without_prefix(const char *name)
{
	return strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;
}

/* "0" to "63", without leading zeros. */
static int number_from_digits(const char *digits, unsigned *ret)
{
	size_t length = strlen(digits);
	unsigned number = 0;

	if (length < 1 || length > 2 || (digits[0] == '0' && length > 1))
		return -ENOENT;
	for (const char *p = digits; *p; p++) {
		if (!isdigit((unsigned char)*p))
			return -ENOENT;
		number = number * 10 + (unsigned)(*p - '0');
	}
	if (number >= CAPABILITY_MAX)
		return -ENOENT;
	*ret = number;
	return 0;
}

int capability_from_known_name(const char *name, unsigned *ret)
{
	const char *rest = without_prefix(name);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].name && strcasecmp(rest, rows[i].name) == 0) {
			*ret = rows[i].number;
			return 0;
		}
	}
	return -ENOENT;
}

int capability_from_name(const char *name, unsigned *ret)
{
	const char *rest = without_prefix(name);

	if (capability_from_known_name(name, ret) == 0)
		return 0;
	/* A bare number is no name: it could as well be meant as a mask. */
	return rest == name ? -ENOENT : number_from_digits(rest, ret);
}

const char *capability_nearest(const char *name)
{
	return text_nearest(without_prefix(name), row_names, ARRAY_SIZE(row_names));
}

int capability_mask_from_hex(const char *text, capability_mask *ret)
{
	const char *digits = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? text + 2 : text;
	capability_mask mask = 0;
	size_t length = 0;

	for (; digits[length]; length++) {
		unsigned char c = (unsigned char)digits[length];

		if (!isxdigit(c))
			return -EINVAL;
		if (length < 16)
			mask = mask << 4 | (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	if (length == 0)
		return -EINVAL;
	if (length > 16)
		return -ERANGE;
	*ret = mask;
	return 0;
}

char *capability_mask_names(capability_mask mask, const char *separator)
{
	size_t count = (size_t)__builtin_popcountll(mask);
	size_t space = count * (CAPABILITY_NAME_SIZE + strlen(separator)) + 1;
	char *names = malloc(space), *end = names;

	if (!names)
		return NULL;
	*end = '\0';
	for (unsigned number = 0; number < CAPABILITY_MAX; number++) {
		char name[CAPABILITY_NAME_SIZE];

		if (!(mask & CAPABILITY_BIT(number)))
			continue;
		if (end != names)
			end = stpcpy(end, separator);
		end = stpcpy(end, capability_name(number, name));
	}
	return names;
}

const char *capability_set_name(enum capability_set set)
{
	static const char *const names[CAPABILITY_SETS] = {
		[CAPABILITY_EFFECTIVE] = "effective",
		[CAPABILITY_PERMITTED] = "permitted",
		[CAPABILITY_INHERITABLE] = "inheritable",
		[CAPABILITY_AMBIENT] = "ambient",
		[CAPABILITY_BOUNDING] = "bounding",
	};

	return (size_t)set < ARRAY_SIZE(names) ? names[set] : "unknown";
}

capability_mask capability_sets_held(const struct capability_sets *sets)
{
	return sets->of[CAPABILITY_EFFECTIVE] | sets->of[CAPABILITY_PERMITTED] |
	       sets->of[CAPABILITY_INHERITABLE] | sets->of[CAPABILITY_AMBIENT];
}

capability_mask capability_sets_all(const struct capability_sets *sets)
{
	return capability_sets_held(sets) | sets->of[CAPABILITY_BOUNDING];
}

struct capability_sets capability_sets_and(const struct capability_sets *sets, capability_mask mask)
{
	struct capability_sets part;

	for (size_t i = 0; i < CAPABILITY_SETS; i++)
		part.of[i] = sets->of[i] & mask;
	return part;
}

struct capability_sets capability_sets_minus(
	const struct capability_sets *sets, capability_mask mask)
{
	return capability_sets_and(sets, ~mask);
}

bool capability_sets_equal(const struct capability_sets *a, const struct capability_sets *b)
{
	for (size_t i = 0; i < CAPABILITY_SETS; i++) {
		if (a->of[i] != b->of[i])
			return false;
	}
	return true;
}

bool capability_sets_within(const struct capability_sets *part, const struct capability_sets *whole)
{
	for (size_t i = 0; i < CAPABILITY_SETS; i++) {
		if (part->of[i] & ~whole->of[i])
			return false;
	}
	return true;
}

capability_mask capability_takeover(void)
{
	return 0
#define CAPABILITY(number, name, allows, danger, narrower, instead, takeover) \
	| ((takeover) ? CAPABILITY_BIT(number) : 0)
#include <capauditd/capability_table.h>
#undef CAPABILITY
		;
}
