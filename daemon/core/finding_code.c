/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns how a finding is laid out as bytes: one table, which writes and reads. A new field of the
 * finding is a row here and a value in the test.
 */
#include <capauditd/finding_code.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX RECORD_SIZE_MAX

enum kind {
	NUMBER, /* of `size` bytes, at most `most` */
	TEXT,	/* char *, owned; NULL: absent */
	CHARS,	/* char[size], ended by NUL where shorter; `most` characters */
	LETTERS /* uint8_t[size], each at most `most` */
};

struct row {
	uint8_t number;
	uint8_t kind;
	uint16_t offset, size;
	uint64_t most;
};

#define MEMBER_SIZE(member) sizeof(((struct finding *)0)->member)
#define ROW(number, kind, member, most)                                                   \
	{                                                                                 \
		number, kind, offsetof(struct finding, member), MEMBER_SIZE(member), most \
	}
#define ANY UINT64_MAX
#define SETS(number, member)                                                                \
	ROW(number, NUMBER, member.of[0], ANY), ROW(number + 1, NUMBER, member.of[1], ANY), \
		ROW(number + 2, NUMBER, member.of[2], ANY),                                 \
		ROW(number + 3, NUMBER, member.of[3], ANY),                                 \
		ROW(number + 4, NUMBER, member.of[4], ANY)

/* These three are no plain members. */
#define EXECUTABLE 1u /* one each */
#define ARGUMENT   2u /* one each */
#define RUNTIME	   3u

static const struct row rows[] = {
	ROW(10, CHARS, id, FINDING_ID_SIZE - 1),
	ROW(11, CHARS, workload_id, FINDING_ID_SIZE - 1),
	ROW(12, NUMBER, time_us, ANY),
	ROW(13, NUMBER, first_seen_us, ANY),
	ROW(14, NUMBER, last_seen_us, ANY),
	ROW(15, NUMBER, state, FINDING_OBSERVED),
	ROW(16, NUMBER, resolved_reason, RESOLVED_REBOOT),
	ROW(17, NUMBER, count, ANY),
	ROW(18, NUMBER, verdict, VERDICT_VIOLATION),
	ROW(19, NUMBER, class, CLASS_DRIFT),
	ROW(20, NUMBER, severity, SEVERITY_CRITICAL),
	ROW(21, NUMBER, provisional, true),
	ROW(22, NUMBER, reach, REACH_EFFECTIVE),
	ROW(23, TEXT, profile, 0),
	ROW(24, NUMBER, profile_source, PROFILE_FROM_DEFAULT),
	ROW(25, NUMBER, relation, RELATION_NESTED),
	SETS(26, excess),
	ROW(31, LETTERS, origin, ORIGIN_EXEC),
	ROW(32, NUMBER, hints, (UINT64_C(1) << HINTS) - 1),
	ROW(33, NUMBER, unmet, UINT32_MAX),
	ROW(34, TEXT, exception.reason, 0),
	ROW(35, TEXT, exception.expires, 0),
	ROW(36, NUMBER, remedy.known, true),
	ROW(37, TEXT, remedy.field, 0),
	ROW(38, TEXT, remedy.of, 0),
	ROW(39, NUMBER, remedy.drop_all, true),
	ROW(40, NUMBER, remedy.add, ANY),

	ROW(50, NUMBER, process.pid, INT32_MAX),
	ROW(51, NUMBER, process.tid, INT32_MAX),
	ROW(52, NUMBER, process.ppid, INT32_MAX),
	ROW(53, NUMBER, process.start_ticks, ANY),
	ROW(54, NUMBER, process.start_us, ANY),
	ROW(55, CHARS, process.comm, MEMBER_SIZE(process.comm)),
	ROW(56, TEXT, process.exe, 0),
	ROW(57, NUMBER, process.exe_on_host, true),
	ROW(58, NUMBER, process.exe_is_runtime, true),
	ROW(59, NUMBER, process.uid, UINT32_MAX),
	ROW(60, NUMBER, process.gid, UINT32_MAX),
	SETS(61, process.sets),
	ROW(66, NUMBER, process.user_namespace, USER_NAMESPACE_OTHER),
	ROW(67, NUMBER, process.user_namespace_inode, ANY),
	ROW(68, NUMBER, process.no_new_privs, true),
	ROW(69, NUMBER, process.seccomp, SECCOMP_FILTER_MODE),
	ROW(70, TEXT, process.lsm, 0),
	ROW(71, NUMBER, process.host_namespaces, (1u << HOST_NAMESPACES) - 1),
	ROW(72, NUMBER, process.host_namespaces_known, (1u << HOST_NAMESPACES) - 1),

	ROW(80, TEXT, container.id, 0),
	ROW(81, TEXT, container.name, 0),
	ROW(82, TEXT, container.image, 0),
	ROW(83, TEXT, container.cgroup, 0),
	ROW(84, NUMBER, container.type, CONTAINER_TYPES - 1),
	ROW(85, NUMBER, container.in_pod, true),
	ROW(86, TEXT, container.pod.namespace_name, 0),
	ROW(87, TEXT, container.pod.name, 0),
	ROW(88, CHARS, container.pod.uid, POD_UID_SIZE - 1),
	ROW(89, NUMBER, container.pod.qos, QOS_BEST_EFFORT),
	ROW(90, TEXT, container.pod.owner, 0),
	ROW(91, NUMBER, container.pod.known, true),
	ROW(92, NUMBER, container.pod.is_static, true),
	ROW(93, NUMBER, container.declared.known, true),
	ROW(94, NUMBER, container.declared.privileged, true),
	ROW(95, NUMBER, container.declared.add_all, true),
	ROW(96, NUMBER, container.declared.drop_all, true),
	ROW(97, NUMBER, container.declared.add, ANY),
	ROW(98, NUMBER, container.declared.drop, ANY),
	ROW(99, NUMBER, container.declared.prefixed, ANY),
	ROW(100, NUMBER, container.declared.unknown, true),
	ROW(101, NUMBER, container.granted_known, true),
	ROW(102, NUMBER, container.granted, ANY),
	ROW(103, NUMBER, container.unattributed, true),
	ROW(104, NUMBER, container.host, true),
	ROW(105, NUMBER, container.opaque, true),
};
_Static_assert(CAPABILITY_SETS == 5, "SETS() has five rows");

static uint64_t load_number(const void *member, size_t size)
{
	switch (size) {
	case 1:
		return *(const uint8_t *)member;
	case 4:
		return *(const uint32_t *)member;
	default:
		return *(const uint64_t *)member;
	}
}

static void store_number(void *member, size_t size, uint64_t number)
{
	switch (size) {
	case 1:
		*(uint8_t *)member = (uint8_t)number;
		break;
	case 4:
		*(uint32_t *)member = (uint32_t)number;
		break;
	default:
		*(uint64_t *)member = number;
	}
}

static void add_field(struct bytes *to, unsigned number, const void *data, size_t length)
{
	bytes_add_number(to, number);
	bytes_add_block(to, data, length);
}

static void add_number(struct bytes *to, unsigned field, uint64_t number)
{
	uint8_t little[8];
	size_t length = 0;

	for (; number; number >>= 8)
		little[length++] = (uint8_t)number;
	if (length)
		add_field(to, field, little, length);
}

static void add_row(struct bytes *to, const struct row *row, const void *member)
{
	size_t length = 0;

	switch ((enum kind)row->kind) {
	case NUMBER:
		add_number(to, row->number, load_number(member, row->size));
		break;
	case TEXT: {
		const char *text = *(char *const *)member;

		if (text)
			add_field(to, row->number, text, strlen(text));
		break;
	}
	case CHARS:
		length = strnlen(member, row->size);
		if (length)
			add_field(to, row->number, member, length);
		break;
	case LETTERS:
		for (length = row->size; length && !((const uint8_t *)member)[length - 1];)
			length--;
		if (length)
			add_field(to, row->number, member, length);
		break;
	}
}

void finding_encode(const struct finding *finding, struct bytes *to)
{
	char *const *argument = finding->process.cmdline;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		add_row(to, &rows[i], (const char *)finding + rows[i].offset);
	for (unsigned i = 0; i < finding->executable_count; i++)
		add_field(to, EXECUTABLE, finding->executables[i], strlen(finding->executables[i]));
	for (; argument && *argument; argument++)
		add_field(to, ARGUMENT, *argument, strlen(*argument));
	if (finding->container.runtime)
		add_field(to, RUNTIME, finding->container.runtime,
			strlen(finding->container.runtime));
}

static size_t left(const struct byte_reader *value)
{
	return (size_t)(value->end - value->at);
}

/* The value of one field as a new string. 0, -EBADMSG, -ENOMEM. */
static int take_text(const struct byte_reader *value, char **ret)
{
	size_t length = left(value);
	char *text;

	if (length > TEXT_MAX || (length && memchr(value->at, '\0', length)))
		return -EBADMSG;
	text = malloc(length + 1);
	if (!text)
		return -ENOMEM;
	if (length)
		memcpy(text, value->at, length);
	text[length] = '\0';
	free(*ret);
	*ret = text;
	return 0;
}

static int take_row(const struct row *row, const struct byte_reader *value, void *member)
{
	const size_t length = left(value);
	uint64_t number = 0;

	switch ((enum kind)row->kind) {
	case NUMBER:
		if (length > sizeof(number))
			return -EBADMSG;
		for (size_t i = 0; i < length; i++)
			number |= (uint64_t)value->at[i] << (8 * i);
		if (number > row->most)
			return -EBADMSG;
		store_number(member, row->size, number);
		return 0;
	case TEXT:
		return take_text(value, member);
	case CHARS:
		if (length > row->most || (length && memchr(value->at, '\0', length)))
			return -EBADMSG;
		break;
	case LETTERS:
		if (length > row->size)
			return -EBADMSG;
		for (size_t i = 0; i < length; i++)
			if (value->at[i] > row->most)
				return -EBADMSG;
		break;
	}
	memset(member, 0, row->size);
	memcpy(member, value->at, length);
	return 0;
}

static int take_executable(const struct byte_reader *value, struct finding *finding)
{
	char *text = NULL;
	int r;

	if (finding->executable_count == FINDING_EXECUTABLES_MAX)
		return -EBADMSG;
	r = take_text(value, &text);
	if (r == 0)
		finding->executables[finding->executable_count++] = text;
	return r;
}

static int take_argument(const struct byte_reader *value, struct process *process)
{
	char **larger, *text = NULL;
	size_t count = 0;
	int r;

	while (process->cmdline && process->cmdline[count])
		count++;
	if (count == PROCESS_ARGUMENTS_MAX)
		return -EBADMSG;
	r = take_text(value, &text);
	if (r < 0)
		return r;
	larger = reallocarray(process->cmdline, count + 2, sizeof(*larger));
	if (!larger) {
		free(text);
		return -ENOMEM;
	}
	larger[count] = text;
	larger[count + 1] = NULL;
	process->cmdline = larger;
	return 0;
}

/* One of the names that are never freed. */
static int take_runtime(const struct byte_reader *value, struct container *container)
{
	static const char *const others[] = { "unknown", "host", NULL };
	const char *const *lists[] = { cgroup_runtimes(), others };

	for (size_t list = 0; list < 2; list++)
		for (const char *const *name = lists[list]; *name; name++)
			if (strlen(*name) == left(value) &&
				memcmp(*name, value->at, left(value)) == 0) {
				container->runtime = *name;
				return 0;
			}
	/* Another version's, which this one has no name for. */
	container->runtime = "unknown";
	return 0;
}

static int take_field(uint64_t number, const struct byte_reader *value, struct finding *finding)
{
	switch (number) {
	case EXECUTABLE:
		return take_executable(value, finding);
	case ARGUMENT:
		return take_argument(value, &finding->process);
	case RUNTIME:
		return take_runtime(value, &finding->container);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == number)
			return take_row(&rows[i], value, (char *)finding + rows[i].offset);
	return 0;
}

static bool is_id(const char text[static FINDING_ID_SIZE])
{
	return text[strspn(text, "0123456789abcdef")] == '\0' &&
	       strlen(text) == FINDING_ID_SIZE - 1;
}

static bool is_whole(const struct finding *finding)
{
	return is_id(finding->id) && (!finding->workload_id[0] || is_id(finding->workload_id)) &&
	       finding->profile && finding->container.id && finding->container.id[0] != '\0' &&
	       finding->container.runtime;
}

int finding_decode(struct byte_reader from, struct finding *ret)
{
	struct finding finding = { 0 };
	int r = 0;

	while (r == 0 && from.at < from.end) {
		uint64_t number = bytes_take_number(&from);
		struct byte_reader value = bytes_take_block(&from);

		r = from.failed ? -EBADMSG : take_field(number, &value, &finding);
	}
	if (r == 0 && !is_whole(&finding))
		r = -EBADMSG;
	if (r < 0) {
		finding_done(&finding);
		return r;
	}
	*ret = finding;
	return 0;
}
