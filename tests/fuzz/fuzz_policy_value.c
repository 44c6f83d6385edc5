/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts of a policy that have a form of their own, read as each of them: what is taken says one
 * thing and no other, and what is refused leaves nothing behind.
 */
#include "check.h"

#include "../../daemon/core/policy_value.h"

#include <capauditd/address.h>
#include <capauditd/macros.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void check_result(int r)
{
	CHECK(r == 0 || r == -EINVAL || r == -ERANGE);
}

/* Two durations, one behind the other, are their sum. */
static void check_duration(const char *text)
{
	const uint64_t more_us = 3600001000;
	_cleanup_free_ char *both = NULL;
	uint64_t us = 4711, sum = 4711;
	int r = duration_from_text(text, &us);

	check_result(r);
	CHECK(r == 0 || us == 4711);
	if (r == -EINVAL)
		return;
	if (asprintf(&both, "%s1h1ms", text) < 0) {
		both = NULL;
		return;
	}
	if (r == 0 && us <= UINT64_MAX - more_us)
		CHECK(duration_from_text(both, &sum) == 0 && sum == us + more_us);
	else
		CHECK(duration_from_text(both, &sum) == -ERANGE && sum == 4711);
}

static void check_date(const char *text)
{
	uint64_t day = 4711;
	int r = date_from_text(text, &day);
	char again[16];
	time_t seconds;
	struct tm tm;

	check_result(r);
	CHECK(r == 0 || day == 4711);
	if (r < 0)
		return;
	seconds = (time_t)(day * 86400);
	CHECK(gmtime_r(&seconds, &tm));
	CHECK(strftime(again, sizeof(again), "%Y-%m-%d", &tm) > 0 && strcmp(again, text) == 0);
}

/* What is taken is the same address when it is written again. */
static void check_address(const char *text)
{
	struct listen_address address = { .port = 4711 }, second = { 0 };
	int r = listen_address_from_text(text, &address);
	char host[INET6_ADDRSTRLEN], again[INET6_ADDRSTRLEN + 16];

	CHECK(r == 0 || r == -EINVAL);
	CHECK(r == 0 || address.port == 4711);
	if (r < 0)
		return;
	CHECK(inet_ntop(address.is_v6 ? AF_INET6 : AF_INET, address.bytes, host, sizeof(host)));
	(void)snprintf(
		again, sizeof(again), address.is_v6 ? "[%s]:%u" : "%s:%u", host, address.port);
	CHECK(listen_address_from_text(again, &second) == 0);
	CHECK(address.is_v6 == second.is_v6 && address.port == second.port);
	CHECK(memcmp(address.bytes, second.bytes, sizeof(address.bytes)) == 0);
}

static void check_label_key(const char *text)
{
	const char *slash = strchr(text, '/');
	const char *name = slash ? slash + 1 : text;
	int r = label_key_check(text);

	CHECK(r == 0 || r == -EINVAL);
	if (r < 0)
		return;
	CHECK(*name && strlen(name) <= 63 && !strchr(name, '/'));
	CHECK(!slash || (slash > text && slash - text <= 253));
	for (const char *p = text; *p; p++)
		CHECK(isalnum((unsigned char)*p) || strchr("-_./", *p));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = size ? strndup((const char *)data, size) : strdup("");

	if (!text)
		return 0;
	check_duration(text);
	check_date(text);
	check_address(text);
	check_label_key(text);
	return 0;
}
