/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A finding's journal entry: its fields, and that what is sent is what was made.
 * sendmsg(2) is replaced; a test elsewhere asks a real journald.
 */
// wrap: sendmsg
#include "../support/fail_allocation.h"
#include "../support/golden.h"
#include "report_fixture.h"

#include <capauditd/text.h>

#include <errno.h>
#include <sys/socket.h>
#include <syslog.h>

/* What the replaced function was given, and is to answer. */
static struct {
	char text[32768];
	size_t length;
	int calls, error;
} journal;
static struct journal_link *way;

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	assert_true(fd >= 0 && flags & MSG_DONTWAIT);
	assert_int_equal(message->msg_iovlen, 1);
	journal.calls++;
	journal.length = message->msg_iov[0].iov_len;
	assert_true(journal.length < sizeof(journal.text));
	memcpy(journal.text, message->msg_iov[0].iov_base, journal.length);
	journal.text[journal.length] = '\0';
	errno = journal.error;
	return journal.error ? -1 : (ssize_t)journal.length;
}

static struct journal_fields made(const struct finding *finding, bool process_lives)
{
	struct journal_fields fields;

	assert_int_equal(journal_fields_make(&fixture_context, finding, process_lives, &fields), 0);
	return fields;
}

/* The field's value, or NULL where there is none; there may not be two. */
static const char *value_of(const struct journal_fields *fields, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < fields->count; i++) {
		assert_int_equal(strlen(fields->field[i]), fields->length[i]);
		if (strncmp(fields->field[i], name, strlen(name)) != 0 ||
			fields->field[i][strlen(name)] != '=')
			continue;
		assert_null(value);
		value = fields->field[i] + strlen(name) + 1;
	}
	return value;
}

static void expect_field(
	const struct journal_fields *fields, const char *name, const char *expected)
{
	const char *value = value_of(fields, name);

	if (!expected) {
		assert_null(value);
		return;
	}
	assert_non_null(value);
	assert_string_equal(value, expected);
}

static void an_entry_has_the_fields_of_interface_md(void **state)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "MESSAGE", "Container web (shop/cart-7d4f, init) holds SYS_ADMIN, which profile "
			     "restricted does "
			     "not permit." },
		{ "PRIORITY", "2" },
		{ "SYSLOG_IDENTIFIER", "capauditd" },
		{ "OBJECT_PID", "4711" },
		{ "CONTAINER_ID_FULL", ID_A },
		{ "CONTAINER_ID", "0123456789ab" },
		{ "CONTAINER_NAME", "web" },
		{ "K8S_NAMESPACE_NAME", "shop" },
		{ "K8S_POD_NAME", "cart-7d4f" },
		{ "K8S_POD_UID", "11111111-2222-3333-4444-555555555555" },
		{ "K8S_CONTAINER_NAME", "web" },
		{ "CAPAUDIT_STATE", "opened" },
		{ "CAPAUDIT_VERDICT", "violation" },
		{ "CAPAUDIT_CLASS", "posture" },
		{ "CAPAUDIT_SEVERITY", "critical" },
		{ "CAPAUDIT_REACH", "effective" },
		{ "CAPAUDIT_PROFILE", "restricted" },
		{ "CAPAUDIT_EXCESS", "NET_ADMIN SYS_ADMIN" },
	};
	struct finding finding = fixtures[F_PLAIN];
	struct journal_fields fields;
	char *json;

	(void)state;
	finding.state = FINDING_OPENED;
	fields = made(&finding, true);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_field(&fields, rows[i].name, rows[i].value);
	expect_field(&fields, "MESSAGE_ID", journal_message_id(JOURNAL_OPENED));
	expect_field(&fields, "CAPAUDIT_ID", finding.id);
	json = finding_to_json(&fixture_context, &finding);
	expect_field(&fields, "CAPAUDIT_FINDING", json);
	free(json);
	assert_int_equal(fields.count, ARRAY_SIZE(rows) + 3);
	journal_fields_done(&fields);
}

static void what_is_unknown_has_no_field(void **state)
{
	static const struct {
		enum fixture fixture;
		const char *name;
	} rows[] = {
		{ F_DOCKER, "CONTAINER_NAME" },
		{ F_DOCKER, "K8S_NAMESPACE_NAME" },
		{ F_DOCKER, "K8S_CONTAINER_NAME" },
		{ F_EXCEPTED, "K8S_CONTAINER_NAME" }, /* it has a name and no pod */
		{ F_EXCEPTED, "CAPAUDIT_SEVERITY" },
		{ F_DRIFT, "K8S_POD_UID" },
		{ F_MOVED, "CAPAUDIT_REACH" },
		{ F_MOVED, "CAPAUDIT_EXCESS" },
		{ F_HOST, "CONTAINER_ID" }, /* a host process has no container */
		{ F_HOST, "CONTAINER_ID_FULL" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct journal_fields fields = made(&fixtures[rows[i].fixture], true);

		expect_field(&fields, rows[i].name, NULL);
		journal_fields_done(&fields);
	}
}

static void a_dead_process_is_not_looked_up(void **state)
{
	struct journal_fields fields = made(&fixtures[F_PLAIN], false);

	(void)state;
	/* journald would take the fields of whatever has its pid by now. */
	expect_field(&fields, "OBJECT_PID", NULL);
	journal_fields_done(&fields);
}

static void priority_follows_severity(void **state)
{
	static const struct {
		enum severity severity;
		enum verdict verdict;
		enum finding_state state;
		bool provisional;
		const char *priority;
	} rows[] = {
		{ SEVERITY_CRITICAL, VERDICT_VIOLATION, FINDING_OPENED, false, "2" },
		{ SEVERITY_HIGH, VERDICT_VIOLATION, FINDING_CHANGED, false, "3" },
		{ SEVERITY_MEDIUM, VERDICT_VIOLATION, FINDING_OPENED, false, "4" },
		{ SEVERITY_LOW, VERDICT_VIOLATION, FINDING_OPENED, false, "5" },
		{ SEVERITY_CRITICAL, VERDICT_VIOLATION, FINDING_RESOLVED, false, "6" },
		{ SEVERITY_CRITICAL, VERDICT_VIOLATION, FINDING_OPENED, true, "6" },
		{ SEVERITY_NONE, VERDICT_TOLERATED, FINDING_OPENED, false, "6" },
		{ SEVERITY_NONE, VERDICT_EXCEPTED, FINDING_OPENED, false, "6" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct finding finding = fixtures[F_PLAIN];
		struct journal_fields fields;

		finding.severity = rows[i].severity;
		finding.verdict = rows[i].verdict;
		finding.state = rows[i].state;
		finding.provisional = rows[i].provisional;
		fields = made(&finding, true);
		expect_field(&fields, "PRIORITY", rows[i].priority);
		journal_fields_done(&fields);
	}
}

static void each_state_has_a_message_id_of_its_own(void **state)
{
	static const struct {
		enum finding_state state;
		enum journal_message message;
		const char *name;
	} rows[] = {
		{ FINDING_OPENED, JOURNAL_OPENED, "opened" },
		{ FINDING_CHANGED, JOURNAL_CHANGED, "changed" },
		{ FINDING_RESOLVED, JOURNAL_RESOLVED, "resolved" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct finding finding = fixtures[F_PLAIN];
		struct journal_fields fields;

		finding.state = rows[i].state;
		fields = made(&finding, true);
		expect_field(&fields, "MESSAGE_ID", journal_message_id(rows[i].message));
		expect_field(&fields, "CAPAUDIT_STATE", rows[i].name);
		journal_fields_done(&fields);
	}
}

static void hostile_values_are_one_line_of_clean_text(void **state)
{
	struct journal_fields fields = made(&fixtures[F_HOSTILE], true);

	(void)state;
	for (size_t i = 0; i < fields.count; i++)
		assert_true(text_is_clean(fields.field[i], fields.length[i]));
	assert_non_null(strstr(value_of(&fields, "CONTAINER_NAME"), "\\x1b[2J\\x0a"));
	journal_fields_done(&fields);
}

static void every_id_is_new_and_in_the_catalogue_with_what_to_do(void **state)
{
	static char catalogue[65536];
	FILE *from = fopen("systemd/capauditd.catalog", "re");

	(void)state;
	assert_non_null(from);
	assert_true(fread(catalogue, 1, sizeof(catalogue) - 1, from) > 0);
	(void)fclose(from);
	for (unsigned message = 0; message < JOURNAL_MESSAGES; message++) {
		const char *id = journal_message_id((enum journal_message)message);
		char line[64], *entry, *next;

		assert_int_equal(strlen(id), 32);
		assert_int_equal(strspn(id, "0123456789abcdef"), 32);
		for (unsigned other = 0; other < message; other++)
			assert_string_not_equal(
				id, journal_message_id((enum journal_message)other));
		(void)snprintf(line, sizeof(line), "\n-- %s\n", id);
		entry = strstr(catalogue, line);
		assert_non_null(entry);
		assert_null(strstr(entry + 1, line));
		next = strstr(entry + 1, "\n-- ");
		if (next)
			*next = '\0';
		assert_non_null(strstr(entry, "\nSubject: "));
		assert_non_null(strstr(entry, "\nDefined-By: capauditd\n"));
		assert_non_null(strstr(entry, "\nDocumentation: man:"));
		assert_true(strlen(strstr(entry, "\n\n")) > 100);
		if (next)
			*next = '\n';
	}
}

static void entries_are_the_golden_ones(void **state)
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	assert_non_null(to);
	for (size_t i = 0; i < FIXTURES; i++) {
		journal = (typeof(journal)){ 0 };
		assert_int_equal(
			journal_send_finding(way, &fixture_context, &fixtures[i], i % 2), 0);
		assert_int_equal(journal.calls, 1);
		(void)fprintf(to, "%s\n", journal.text);
	}
	assert_int_equal(fclose(to), 0);
	golden_check("journal.txt", text, length);
	free(text);
}

static void an_operational_message_is_escaped_and_has_its_id(void **state)
{
	char expected[512];

	(void)state;
	journal = (typeof(journal)){ 0 };
	assert_int_equal(journal_send_message(way, JOURNAL_RELOADED, LOG_NOTICE,
				 "policy %s\nMESSAGE=x", "a\033"),
		0);
	(void)snprintf(expected, sizeof(expected),
		"MESSAGE=policy "
		"a\\x1b\\x0aMESSAGE=x\nMESSAGE_ID=%s\nPRIORITY=5\nSYSLOG_IDENTIFIER=capauditd\n",
		journal_message_id(JOURNAL_RELOADED));
	assert_string_equal(journal.text, expected);
}

static void what_the_journal_does_not_take_is_an_error(void **state)
{
	(void)state;
	journal = (typeof(journal)){ .error = ECONNREFUSED };
	assert_int_equal(journal_send_finding(way, &fixture_context, &fixtures[F_PLAIN], true),
		-ECONNREFUSED);
	assert_int_equal(journal_send_message(way, JOURNAL_STARTED, LOG_INFO, "x"), -ECONNREFUSED);
	assert_int_equal(journal.calls, 2);
}

static void running_out_of_memory_sends_nothing(void **state)
{
	static char whole[sizeof(journal.text)];
	unsigned long failed = 0;

	(void)state;
	journal = (typeof(journal)){ 0 };
	assert_int_equal(journal_send_finding(way, &fixture_context, &fixtures[F_PLAIN], true), 0);
	(void)strcpy(whole, journal.text);
	for (unsigned long n = 1;; n++) {
		bool fired;
		int r;

		journal = (typeof(journal)){ 0 };
		fail_allocation_at(n);
		r = journal_send_finding(way, &fixture_context, &fixtures[F_PLAIN], true);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		/* asprintf(3) can do without its last allocation: then nothing may be missing. */
		if (r == 0)
			assert_string_equal(journal.text, whole);
		else
			assert_int_equal(r, -ENOMEM);
		assert_int_equal(journal.calls, r == 0);
		failed += r < 0;
		if (!fired)
			break;
	}
	assert_true(failed > 100);
	for (unsigned long n = 1; n <= 4; n++) {
		journal = (typeof(journal)){ 0 };
		fail_allocation_at(n);
		if (journal_send_message(way, JOURNAL_STARTED, LOG_INFO, "%s", "x") < 0)
			assert_int_equal(journal.calls, 0);
		else
			assert_non_null(strstr(journal.text, "MESSAGE=x\n"));
		fail_allocation_at(0);
	}
}

static int set_up(void **state)
{
	(void)state;
	identify_fixtures();
	return journal_link_new(JOURNAL_SOCKET, &way);
}

static int tear_down(void **state)
{
	(void)state;
	journal_link_free(way);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_has_the_fields_of_interface_md),
		cmocka_unit_test(what_is_unknown_has_no_field),
		cmocka_unit_test(a_dead_process_is_not_looked_up),
		cmocka_unit_test(priority_follows_severity),
		cmocka_unit_test(each_state_has_a_message_id_of_its_own),
		cmocka_unit_test(hostile_values_are_one_line_of_clean_text),
		cmocka_unit_test(every_id_is_new_and_in_the_catalogue_with_what_to_do),
		cmocka_unit_test(entries_are_the_golden_ones),
		cmocka_unit_test(an_operational_message_is_escaped_and_has_its_id),
		cmocka_unit_test(what_the_journal_does_not_take_is_an_error),
		cmocka_unit_test(running_out_of_memory_sends_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
