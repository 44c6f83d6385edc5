/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What /proc/PID/status and /proc/PID/stat say of a task. Takes text, knows nothing of files: who
 * reads them sees to it that they are whole and of the right process.
 */
#include <capauditd/status.h>

#include <capauditd/macros.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

struct cursor {
	const char *at, *end;
};

enum field_type {
	FIELD_NAME,
	FIELD_STATE,
	FIELD_PID,	 /* pid_t */
	FIELD_COUNT,	 /* unsigned */
	FIELD_EFFECTIVE, /* uid_t or gid_t: the second of four */
	FIELD_MASK,
	FIELD_BOOL,
	FIELD_SECCOMP,
	FIELD_PIDS, /* NSpid: */
};

#define SET(set) offsetof(struct status, sets.of[CAPABILITY_##set])

/* Lines of status that are looked at. */
static const struct field {
	const char *key;
	size_t key_length;
	enum field_type type;
	size_t offset;
} fields[] = {
#define FIELD(key, type, offset)                   \
	{                                          \
		key, sizeof(key) - 1, type, offset \
	}
	FIELD("Name", FIELD_NAME, offsetof(struct status, name)),
	FIELD("State", FIELD_STATE, offsetof(struct status, state)),
	FIELD("Tgid", FIELD_PID, offsetof(struct status, tgid)),
	FIELD("Pid", FIELD_PID, offsetof(struct status, pid)),
	FIELD("PPid", FIELD_PID, offsetof(struct status, ppid)),
	FIELD("Uid", FIELD_EFFECTIVE, offsetof(struct status, uid)),
	FIELD("Gid", FIELD_EFFECTIVE, offsetof(struct status, gid)),
	FIELD("NSpid", FIELD_PIDS, offsetof(struct status, nspid)),
	FIELD("Kthread", FIELD_BOOL, offsetof(struct status, kernel_thread)),
	FIELD("Threads", FIELD_COUNT, offsetof(struct status, threads)),
	FIELD("CapInh", FIELD_MASK, SET(INHERITABLE)),
	FIELD("CapPrm", FIELD_MASK, SET(PERMITTED)),
	FIELD("CapEff", FIELD_MASK, SET(EFFECTIVE)),
	FIELD("CapBnd", FIELD_MASK, SET(BOUNDING)),
	FIELD("CapAmb", FIELD_MASK, SET(AMBIENT)),
	FIELD("NoNewPrivs", FIELD_BOOL, offsetof(struct status, no_new_privs)),
	FIELD("Seccomp", FIELD_SECCOMP, offsetof(struct status, seccomp)),
#undef FIELD
};

_Static_assert(ARRAY_SIZE(fields) <= 32, "seen lines are bits of an unsigned");
_Static_assert(sizeof(uid_t) == sizeof(uint32_t) && sizeof(gid_t) == sizeof(uint32_t),
	"user and group ids are read alike");

static bool is_blank(char c)
{
	return c == '\t' || c == ' ';
}

static void skip_blanks(struct cursor *cursor)
{
	while (cursor->at < cursor->end && is_blank(*cursor->at))
		cursor->at++;
}

static int digit_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next word as a number of that base, at most `high`. */
static bool next_number(struct cursor *cursor, unsigned base, uint64_t high, uint64_t *ret)
{
	uint64_t value = 0;
	const char *start;

	skip_blanks(cursor);
	for (start = cursor->at; cursor->at < cursor->end; cursor->at++) {
		int digit = digit_value(*cursor->at);

		if (digit < 0 || (unsigned)digit >= base)
			break;
		if (__builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, (unsigned)digit, &value) || value > high)
			return false;
	}
	if (cursor->at == start || (cursor->at < cursor->end && !is_blank(*cursor->at)))
		return false;
	*ret = value;
	return true;
}

static bool only_number(struct cursor value, unsigned base, uint64_t high, uint64_t *ret)
{
	if (!next_number(&value, base, high, ret))
		return false;
	skip_blanks(&value);
	return value.at == value.end;
}

static void parse_name(struct cursor value, char to[static sizeof(((struct status *)0)->name)])
{
	size_t space = sizeof(((struct status *)0)->name) - 1;
	size_t length;

	/* One tab, and then the name: it may begin with blanks of its own. */
	if (value.at < value.end && *value.at == '\t')
		value.at++;
	length = (size_t)(value.end - value.at);
	if (length > space)
		length = space;
	memcpy(to, value.at, length);
	to[length] = '\0';
}

static bool parse_state(struct cursor value, char *ret)
{
	skip_blanks(&value);
	if (value.at == value.end)
		return false;
	*ret = *value.at;
	return ((*ret >= 'A' && *ret <= 'Z') || (*ret >= 'a' && *ret <= 'z')) &&
	       (value.at + 1 == value.end || is_blank(value.at[1]));
}

/* Real, effective, saved, file system. */
static bool parse_effective(struct cursor value, uint32_t *ret)
{
	uint64_t ids[4];

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		if (!next_number(&value, 10, UINT32_MAX, &ids[i]))
			return false;
	}
	skip_blanks(&value);
	*ret = (uint32_t)ids[1];
	return value.at == value.end;
}

static bool parse_pids(struct cursor value, struct status *ret)
{
	ret->nspid_count = 0;
	for (;;) {
		uint64_t pid;

		skip_blanks(&value);
		if (value.at == value.end)
			return ret->nspid_count > 0;
		if (ret->nspid_count == STATUS_NSPID_MAX || !next_number(&value, 10, INT_MAX, &pid))
			return false;
		ret->nspid[ret->nspid_count++] = (pid_t)pid;
	}
}

static bool parse_seccomp(struct cursor value, enum seccomp_mode *ret)
{
	uint64_t mode;

	if (!only_number(value, 10, INT_MAX, &mode))
		return false;
	/* A task that its filter has killed shows a mode beyond the filter's (since 5.17). */
	*ret = mode > SECCOMP_FILTER_MODE ? SECCOMP_FILTER_MODE : (enum seccomp_mode)mode;
	return true;
}

static bool parse_field(const struct field *field, struct cursor value, struct status *ret)
{
	void *to = (char *)ret + field->offset;
	uint64_t number = 0;
	bool valid = false;

	switch (field->type) {
	case FIELD_NAME:
		parse_name(value, to);
		return true;
	case FIELD_STATE:
		return parse_state(value, to);
	case FIELD_EFFECTIVE:
		return parse_effective(value, to);
	case FIELD_PIDS:
		return parse_pids(value, ret);
	case FIELD_SECCOMP:
		return parse_seccomp(value, to);
	case FIELD_PID:
		valid = only_number(value, 10, INT_MAX, &number);
		*(pid_t *)to = (pid_t)number;
		break;
	case FIELD_COUNT:
		valid = only_number(value, 10, UINT_MAX, &number);
		*(unsigned *)to = (unsigned)number;
		break;
	case FIELD_BOOL:
		valid = only_number(value, 10, 1, &number);
		*(bool *)to = number;
		break;
	case FIELD_MASK:
		valid = only_number(value, 16, UINT64_MAX, &number);
		*(capability_mask *)to = number;
		break;
	}
	return valid;
}

static const struct field *find_field(const char *key, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].key_length == length && memcmp(fields[i].key, key, length) == 0)
			return &fields[i];
	}
	return NULL;
}

static bool saw(unsigned seen, const char *key)
{
	return seen & 1u << (find_field(key, strlen(key)) - fields);
}

int status_parse(const char *text, size_t length, struct status *ret)
{
	struct status status = { 0 };
	unsigned seen = 0;

	for (size_t at = 0; at < length;) {
		const char *line = text + at;
		const char *newline = memchr(line, '\n', length - at);
		size_t line_length = newline ? (size_t)(newline - line) : length - at;
		const char *colon = memchr(line, ':', line_length);
		const struct field *field = colon ? find_field(line, (size_t)(colon - line)) : NULL;

		at += line_length + (newline ? 1 : 0);
		if (!field)
			continue;
		/* The kernel ends every line and writes each once. */
		if (!newline || seen & 1u << (field - fields))
			return -EBADMSG;
		if (!parse_field(field, (struct cursor){ colon + 1, line + line_length }, &status))
			return -EBADMSG;
		seen |= 1u << (field - fields);
	}
	if (!saw(seen, "Pid"))
		return -EBADMSG;
	status.has_sets = saw(seen, "CapInh") && saw(seen, "CapPrm") && saw(seen, "CapEff") &&
			  saw(seen, "CapBnd");
	*ret = status;
	return 0;
}

/* Fields of stat after the name, numbered as in proc(5). */
enum stat_field {
	STAT_STATE = 3,
	STAT_PPID = 4,
	STAT_FLAGS = 9,
	STAT_START = 22,
};

/* The next word; false where the text ends in it, since then it may be cut. */
static bool next_word(struct cursor *cursor, struct cursor *ret)
{
	while (cursor->at < cursor->end && *cursor->at == ' ')
		cursor->at++;
	ret->at = cursor->at;
	while (cursor->at < cursor->end && *cursor->at != ' ' && *cursor->at != '\n')
		cursor->at++;
	ret->end = cursor->at;
	return ret->at < ret->end && cursor->at < cursor->end;
}

static bool parse_stat_field(unsigned number, struct cursor word, struct stat_facts *ret)
{
	uint64_t value = 0;

	switch (number) {
	case STAT_STATE:
		return parse_state(word, &ret->state);
	case STAT_PPID:
		if (!only_number(word, 10, INT_MAX, &value))
			return false;
		ret->ppid = (pid_t)value;
		return true;
	case STAT_FLAGS:
		if (!only_number(word, 10, UINT_MAX, &value))
			return false;
		ret->flags = (unsigned)value;
		return true;
	case STAT_START:
		return only_number(word, 10, UINT64_MAX, &ret->start_ticks);
	default:
		return true;
	}
}

int stat_parse(const char *text, size_t length, struct stat_facts *ret)
{
	struct stat_facts facts = { 0 };
	/* What follows the name has no parenthesis, so its own last one is the text's. */
	const char *open = memchr(text, '(', length);
	const char *close = memrchr(text, ')', length);
	struct cursor rest;
	uint64_t pid;

	if (!open || !close || close < open)
		return -EBADMSG;
	if (!only_number((struct cursor){ text, open }, 10, INT_MAX, &pid))
		return -EBADMSG;
	rest = (struct cursor){ close + 1, text + length };
	for (unsigned number = STAT_STATE; number <= STAT_START; number++) {
		struct cursor word;

		if (!next_word(&rest, &word) || !parse_stat_field(number, word, &facts))
			return -EBADMSG;
	}
	*ret = facts;
	return 0;
}

const char *seccomp_mode_name(enum seccomp_mode mode)
{
	static const char *const names[] = {
		[SECCOMP_DISABLED_MODE] = "disabled",
		[SECCOMP_STRICT_MODE] = "strict",
		[SECCOMP_FILTER_MODE] = "filter",
	};

	return (size_t)mode < ARRAY_SIZE(names) ? names[mode] : NULL;
}
