/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kubelet's log names, hostile ones: the first line is the name, what follows the link's target
 * (none where there is no second line). What is accepted must be a name that Kubernetes allows, and
 * the same when it is put together again.
 */
#include "check.h"

#include <capauditd/identify.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN "abcdefghijklmnopqrstuvwxyz0123456789-"

static void require_only(const char *text, const char *characters, size_t max)
{
	CHECK(strlen(text) <= max && text[strspn(text, characters)] == '\0');
}

static void require_again(const struct container_log *log)
{
	_cleanup_free_ char *name = NULL;
	struct container_log again;

	if (asprintf(&name, "%s_%s_%s-%s.log", log->pod, log->namespace_name, log->container,
		    log->id) < 0)
		return;
	if (strlen(log->id) < sizeof(log->id) - 1 || strlen(name) > 255)
		return;
	CHECK(container_log_parse(name, NULL, &again) == 0);
	CHECK(strcmp(again.pod, log->pod) == 0);
	CHECK(strcmp(again.namespace_name, log->namespace_name) == 0);
	CHECK(strcmp(again.container, log->container) == 0);
	CHECK(strcmp(again.id, log->id) == 0);
	container_log_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	size_t name_length = newline ? (size_t)(newline - data) : size;
	_cleanup_free_ char *name = strndup((const char *)data, name_length);
	_cleanup_free_ char *target = NULL;
	char id[CONTAINER_LOG_ID_SIZE];
	struct container_log log;

	if (newline)
		target = strndup((const char *)newline + 1, size - name_length - 1);
	if (!name || (newline && !target))
		return 0;
	if (container_log_parse(name, target, &log) < 0)
		return 0;
	require_only(log.namespace_name, PLAIN, 63);
	require_only(log.pod, PLAIN ".", 253);
	require_only(log.container, PLAIN, 63);
	require_only(log.pod_uid, "0123456789abcdef-", 36);
	require_only(log.id, "0123456789abcdef", 64);
	CHECK(log.namespace_name[0] && log.pod[0] && log.container[0]);
	CHECK(target ? log.pod_uid[0] : log.id[0]);
	if (container_log_find_id(name, id))
		CHECK(strcmp(id, log.id) == 0);
	require_again(&log);
	container_log_done(&log);
	return 0;
}
