/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The texts of /proc/PID/status and /proc/PID/stat, whatever they hold.
 */
#include "check.h"

#include <capauditd/status.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void check_status(const char *text, size_t size)
{
	struct status status = { .name = "untouched", .pid = 4711 };
	int r = status_parse(text, size, &status);

	if (r < 0) {
		CHECK(r == -EBADMSG && status.pid == 4711 && strcmp(status.name, "untouched") == 0);
		return;
	}
	CHECK(r == 0);
	CHECK(strnlen(status.name, sizeof(status.name)) < sizeof(status.name));
	CHECK(status.nspid_count <= STATUS_NSPID_MAX);
	CHECK(status.pid >= 0 && status.tgid >= 0 && status.ppid >= 0);
	CHECK(seccomp_mode_name(status.seccomp));
}

static void check_stat(const char *text, size_t size)
{
	struct stat_facts facts = { .ppid = 4711, .start_ticks = 4711 };
	int r = stat_parse(text, size, &facts);

	CHECK(r == 0 || r == -EBADMSG);
	if (r < 0)
		CHECK(facts.ppid == 4711 && facts.start_ticks == 4711);
	else
		CHECK(facts.ppid >= 0 && memchr(text, ')', size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_status((const char *)data, size);
	check_stat((const char *)data, size);
	return 0;
}
