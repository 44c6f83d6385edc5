/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * capauditd status: asks the daemon through its socket what is open, and prints it as scan would.
 */
#include "status.h"

#include "http_client.h"

#include <capauditd/command.h>
#include <capauditd/json_text.h>
#include <capauditd/ledger.h>
#include <capauditd/policy.h>

#include <errno.h>
#include <string.h>

#define TIMEOUT_US   30000000u	     /* for the daemon to go on: a pass may be under way */
#define FINDING_MAX  (1024u * 1024u) /* bytes of one as text */
#define FINDINGS_MAX LEDGER_FINDINGS_MAX
#define GROWTH_MIN   64u

struct open_finding {
	struct finding finding;
	char *text;
};

/* What the daemon told. */
struct told {
	const struct filter *filter;
	struct json_splitter *splitter;
	struct open_finding *findings;
	size_t count, space;
	size_t all; /* those that the filter left out as well */
	bool begun; /* something has come */
};

static void told_done(struct told *told)
{
	for (size_t i = 0; i < told->count; i++) {
		finding_done(&told->findings[i].finding);
		free(told->findings[i].text);
	}
	free(told->findings);
	json_splitter_free(told->splitter);
}

static bool is_wanted(const struct filter *filter, const struct finding *f)
{
	if (!filter_matches(filter, &f->container))
		return false;
	for (size_t i = 0; i < filter->pid_count; i++)
		if (filter->pids[i] == f->process.pid)
			return true;
	return filter->pid_count == 0;
}

static int make_room(struct told *told)
{
	size_t space = told->space ? 2 * told->space : GROWTH_MIN;
	struct open_finding *findings;

	if (told->count < told->space)
		return 0;
	findings = reallocarray(told->findings, space, sizeof(*findings));
	if (!findings)
		return -ENOMEM;
	told->findings = findings;
	told->space = space;
	return 0;
}

static int take_finding(void *data, const char *text, size_t length)
{
	struct told *told = data;
	struct open_finding *new;
	struct finding finding = { 0 };
	int r;

	if (++told->all > FINDINGS_MAX)
		return -E2BIG;
	r = finding_from_json(text, length, &finding);
	if (r == 0 && !is_wanted(told->filter, &finding)) {
		finding_done(&finding);
		return 0;
	}
	if (r == 0)
		r = make_room(told);
	if (r < 0) {
		finding_done(&finding);
		return r;
	}
	new = &told->findings[told->count];
	new->finding = finding;
	new->text = strndup(text, length);
	told->count++;
	return new->text ? 0 : -ENOMEM;
}

/* The splitter wants an object around the list. */
static int feed(struct told *told, const char *bytes, size_t length)
{
	return json_splitter_feed(told->splitter, bytes, length, take_finding, told);
}

/* The splitter takes an object whose list is none for an empty one. */
static int take_body(void *data, const char *bytes, size_t length)
{
	struct told *told = data;

	if (!told->begun && bytes[0] != '[')
		return -EBADMSG;
	told->begun = true;
	return feed(told, bytes, length);
}

static int ask(const char *socket, struct told *told, struct http_reply *reply)
{
	static const char before[] = "{\"items\":", after[] = "}";
	int r;

	told->splitter = json_splitter_new(JSON_SPLIT_LIST, FINDING_MAX);
	if (!told->splitter)
		return -ENOMEM;
	r = feed(told, before, strlen(before));
	if (r == 0)
		r = http_get(socket, "/findings", TIMEOUT_US, reply, take_body, told);
	if (r < 0 || reply->status != 200)
		return r;
	r = told->begun ? feed(told, after, strlen(after)) : -EBADMSG;
	if (r == 0)
		r = json_splitter_end(told->splitter, take_finding, told);
	return r == 0 && json_splitter_passed_over(told->splitter) ? -EMSGSIZE : r;
}

/* -- what is printed -- */

static int compare(const void *a, const void *b)
{
	const struct open_finding *x = a, *y = b;

	return finding_compare(&x->finding, &y->finding);
}

struct printed {
	const struct status_options *options;
	struct open_report report;
};

static int write_report(const void *data, FILE *to)
{
	const struct printed *printed = data;
	const struct show_options *how = &printed->options->show;
	const struct table_options table = { .remedy = printed->options->remedy,
		.color = show_in_color(how),
		.width = show_width(how) };

	switch (how->format) {
	case FORMAT_JSON:
		return report_open_json(&printed->report, to);
	case FORMAT_JSONL:
		return report_open_jsonl(&printed->report, to);
	default:
		return report_open_table(&printed->report, &table, to);
	}
}

static int print(const struct status_options *options, struct told *told, bool complete)
{
	_cleanup_free_ const struct finding **findings =
		calloc(told->count + 1, sizeof(const struct finding *));
	_cleanup_free_ const char **texts = calloc(told->count + 1, sizeof(const char *));
	const bool filtered = !filter_is_empty(&options->filter);
	struct printed printed = { .options = options };
	int r;

	if (!findings || !texts)
		return EXIT_STATUS_INTERNAL;
	if (told->count)
		qsort(told->findings, told->count, sizeof(*told->findings), compare);
	for (size_t i = 0; i < told->count; i++) {
		findings[i] = &told->findings[i].finding;
		texts[i] = told->findings[i].text;
	}
	printed.report = (struct open_report){ findings, texts, told->count, complete, filtered };
	r = show(&options->show, write_report, &printed);
	if (r < 0) {
		show_complain(&options->show, r);
		return EXIT_STATUS_INTERNAL;
	}
	/* A typing error must not look like an all-clear. */
	if (filtered && !told->count)
		message("nothing that is open matches the filter");
	if (show_fails(&options->show, findings, told->count))
		return EXIT_STATUS_FINDINGS;
	return complete ? EXIT_STATUS_OK : EXIT_STATUS_INCOMPLETE;
}

/* -- whom to ask -- */

static int complain(const char *socket, int error)
{
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		return usage_error("no daemon listens at %s: is capauditd run running, with that "
				   "socket?",
			socket);
	case -EACCES:
		return usage_error("%s: permission denied: the socket is root's alone", socket);
	case -EPERM:
		return usage_error(
			"%s: who listens there is neither root nor the owner of its folder",
			socket);
	case -ENAMETOOLONG:
	case -ENOTSOCK:
	case -EPROTOTYPE:
		return usage_error("%s: %s", socket, strerror(-error));
	case -ETIMEDOUT:
		message("%s: the daemon does not answer", socket);
		return EXIT_STATUS_INTERNAL;
	case -EBADMSG:
	case -EMSGSIZE:
	case -E2BIG:
		message("%s: what listens there does not answer as the daemon does, or broke off",
			socket);
		return EXIT_STATUS_INTERNAL;
	default:
		message("%s: %s", socket, strerror(-error));
		return EXIT_STATUS_INTERNAL;
	}
}

static int ask_and_print(const struct status_options *options, const char *socket)
{
	struct told told = { .filter = &options->filter };
	struct http_reply reply = { 0 };
	char coverage[32];
	int r = ask(socket, &told, &reply), status;

	if (r < 0) {
		status = complain(socket, r);
	} else if (reply.status == 503) {
		message("the daemon has not looked at everything yet: its first pass is not done");
		status = EXIT_STATUS_INCOMPLETE;
	} else if (reply.status != 200 ||
		   http_reply_header(&reply, COVERAGE_HEADER, coverage, sizeof(coverage)) < 0) {
		status = complain(socket, -EBADMSG);
	} else {
		status = print(options, &told, strcmp(coverage, COVERAGE_COMPLETE) == 0);
	}
	told_done(&told);
	return status;
}

/* Where the daemon's policy says that it listens. Its default file may have become a bad one, which
 * the daemon did not take. */
static int find_socket(
	const struct status_options *options, struct policy **policy, const char **ret)
{
	struct diag diag = { 0 };
	int r;

	*ret = options->socket;
	if (*ret)
		return EXIT_STATUS_OK;
	*ret = SOCKET_DEFAULT_PATH;
	r = command_load_policy(options->policy, policy, &diag);
	if (r == -ENOMEM)
		return EXIT_STATUS_INTERNAL;
	if (r < 0) {
		diag_print(&diag, stderr);
		return options->policy ? EXIT_STATUS_USAGE : EXIT_STATUS_OK;
	}
	if (policy_run(*policy)->socket)
		*ret = policy_run(*policy)->socket;
	return strcmp(*ret, "off") == 0
		       ? usage_error("run.socket is off in %s: the daemon has no socket to ask",
				 policy_file(*policy))
		       : EXIT_STATUS_OK;
}

int command_status(int argc, char **argv)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	struct status_options options;
	const char *socket;
	int status = status_options_parse(&options, argc, argv);

	if (status == OPTIONS_GO) {
		status = find_socket(&options, &policy, &socket);
		if (status == EXIT_STATUS_OK)
			status = ask_and_print(&options, socket);
	}
	filter_done(&options.filter);
	return status;
}
