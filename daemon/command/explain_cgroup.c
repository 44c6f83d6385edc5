/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `capauditd explain cgroup`: what the text of /proc/PID/cgroup, on standard input, says of the
 * process. The text is a container's to choose in part: what is shown of it is escaped.
 */
#include <capauditd/cgroup.h>
#include <capauditd/command.h>
#include <capauditd/text.h>

#include "explain.h"
#include "print.h"

#include <errno.h>
#include <string.h>

#define TEXT_MAX ((size_t)1024 * 1024)

/* All of `from`, at most TEXT_MAX bytes. 0, -EFBIG, -errno. */
static int read_text(FILE *from, char **ret, size_t *ret_length)
{
	_cleanup_free_ char *text = malloc(TEXT_MAX + 1);
	size_t length;

	if (!text)
		return -ENOMEM;
	errno = 0;
	length = fread(text, 1, TEXT_MAX + 1, from);
	if (ferror(from))
		return errno > 0 ? -errno : -EIO;
	if (length > TEXT_MAX)
		return -EFBIG;
	*ret = TAKE_PTR(text);
	*ret_length = length;
	return 0;
}

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static int print(
	FILE *to, const struct cgroup_identity *identity, const char *id, const char *runtime)
{
	const char *qos = qos_class_name(identity->qos);

	print_field(to, "Kind", cgroup_kind_name(identity->kind));
	print_field(to, "Runtime", runtime ? runtime : "-");
	print_field(to, "Container id", id ? id : "-");
	print_field(to, "Pod UID", *identity->pod_uid ? identity->pod_uid : "-");
	print_field(to, "QoS class", qos ? qos : "-");
	if (identity->path) {
		_cleanup_free_ char *path = text_escape(identity->path, identity->path_length);

		if (!path)
			return -ENOMEM;
		print_field(to, identity->kind == CGROUP_HOST ? "Path" : "Decided by", path);
	}
	if (identity->ambiguous)
		print_field(to, "Note",
			"The lines contradict each other: the process is audited, and it is not "
			"known whose it is.");
	if (identity->below_user_manager)
		print_field(to, "Note",
			"Below a user's systemd: the names are as trustworthy as that user.");
	if (identity->kind == CGROUP_HOST)
		print_field(to, "Note",
			"Nothing in it names a container. If the process has a PID namespace of "
			"its "
			"own (NSpid: in /proc/PID/status), it is audited all the same.");
	return 0;
}

int explain_cgroup(const struct explain_request *request)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *id = NULL;
	struct cgroup_identity identity;
	size_t length = 0;
	int r = read_text(request->in, &text, &length);

	if (r == -EFBIG)
		return usage_error(
			"more than 1 MiB on standard input: that is no /proc/PID/cgroup");
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return usage_error("cannot read standard input: %s", strerror(-r));
	cgroup_parse(text, length, NULL, &identity);
	id = text_escape(identity.container_id, strlen(identity.container_id));
	if (!id)
		return -ENOMEM;
	if (request->json)
		return explain_print_json_take(request,
			json_pack("{s:s, s:s?, s:s?, s:s?, s:s?}", "kind",
				cgroup_kind_name(identity.kind), "runtime", identity.runtime,
				"container_id", or_null(id), "pod_uid", or_null(identity.pod_uid),
				"qos", qos_class_name(identity.qos)));
	return print(request->out, &identity, or_null(id), identity.runtime);
}
