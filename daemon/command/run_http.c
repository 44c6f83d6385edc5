/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon serves, and where: metrics and its health on a TCP address, these and the open
 * findings on a socket that is root's alone.
 */
#include "run.h"

#include "http_listen.h"
#include "http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>

#define JSON "application/json"

/* A scrape takes milliseconds; a long list of findings may take its reader a while. */
#define METRICS_LIFETIME_US 10000000u
#define SOCKET_LIFETIME_US  60000000u

struct run_http {
	struct http_library library;
	bool loaded;
	struct http_path path;
	struct http_server *metrics, *socket;
};

static int answer_text(struct http_answer *ret, unsigned status, const char *text)
{
	ret->status = status;
	ret->text = strdup(text);
	ret->length = strlen(text);
	return ret->text ? 0 : -ENOMEM;
}

static int answer_metrics(void *data, struct http_answer *ret)
{
	ret->status = MHD_HTTP_OK;
	ret->type = METRICS_CONTENT_TYPE;
	return run_write_metrics(data, &ret->text, &ret->length);
}

/* That it is answered is what it says: the loop turns. */
static int answer_health(void *data, struct http_answer *ret)
{
	(void)data;
	return answer_text(ret, MHD_HTTP_OK, "ok\n");
}

static int answer_ready(void *data, struct http_answer *ret)
{
	const struct run *run = data;

	return run->passed ? answer_text(ret, MHD_HTTP_OK, "ok\n")
			   : answer_text(ret, MHD_HTTP_SERVICE_UNAVAILABLE,
				     "the first pass is not done\n");
}

static int answer_findings(void *data, struct http_answer *ret)
{
	struct run *run = data;

	if (!run->passed)
		return answer_ready(data, ret); /* nothing open would look like an all-clear */
	ret->status = MHD_HTTP_OK;
	ret->type = JSON;
	ret->header.name = COVERAGE_HEADER;
	ret->header.value = run->complete ? COVERAGE_COMPLETE : COVERAGE_INCOMPLETE;
	ret->stream = finding_stream_new(run);
	ret->next = finding_stream_next;
	ret->free = finding_stream_free;
	return ret->stream ? 0 : -ENOMEM;
}

static const struct http_route metrics_routes[] = {
	{ "/metrics", answer_metrics },
	{ "/healthz", answer_health },
	{ "/readyz", answer_ready },
	{ 0 },
};

static const struct http_route socket_routes[] = {
	{ "/metrics", answer_metrics },
	{ "/healthz", answer_health },
	{ "/readyz", answer_ready },
	{ "/findings", answer_findings },
	{ 0 },
};

static int load(struct run_http *http, struct diag *diag)
{
	int r = http->loaded ? 0 : http_library_open(&http->library, diag);

	http->loaded = r == 0;
	return r;
}

/* What the service manager opened for us (capauditd.socket), so that the service needs no network;
 * -ENOENT: nothing. */
static int find_passed(void)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(true, &names), fd = -ENOENT;

	for (int i = 0; i < count; i++) {
		if (fd == -ENOENT && strcmp(names[i], "metrics") == 0 &&
			sd_is_socket(SD_LISTEN_FDS_START + i, AF_UNSPEC, SOCK_STREAM, 1) > 0)
			fd = SD_LISTEN_FDS_START + i;
		free(names[i]);
	}
	free(names);
	if (fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return fd;
}

static int open_metrics(const char *address)
{
	int fd = find_passed();

	return fd == -ENOENT ? http_listen_tcp(address) : fd;
}

static int serve_metrics(struct run *run, const char *address)
{
	struct http_settings settings = { .fd = open_metrics(address),
		.routes = metrics_routes,
		.data = run,
		.lifetime_us = METRICS_LIFETIME_US };

	if (settings.fd < 0)
		return settings.fd;
	return http_server_new(&run->http->library, run->event, &settings, &run->http->metrics);
}

static int serve_socket(struct run *run, const char *path)
{
	struct http_settings settings = {
		.routes = socket_routes, .data = run, .lifetime_us = SOCKET_LIFETIME_US
	};
	int r = http_listen_path(path, &run->http->path);

	if (r < 0)
		return r;
	settings.fd = TAKE_FD(run->http->path.fd);
	return http_server_new(&run->http->library, run->event, &settings, &run->http->socket);
}

static const char *explain(int error)
{
	switch (error) {
	case -EADDRINUSE:
		return "somebody listens there already";
	case -EINVAL:
		return "neither an address with its port, nor an absolute path";
	case -EEXIST:
		return "something that is no socket of ours lies there";
	case -ELOOP:
	case -ENOTDIR:
		return "there is a symbolic link, or no folder, in its path";
	case -EPERM:
		return "others may write to its folder";
	default:
		return strerror(-error);
	}
}

/* What was asked for and cannot be had is an error; what is on by default is missing, which is
 * said. Out of memory is neither: whoever starts us again finds some. */
static int complain(
	struct run *run, const char *what, const char *where, bool asked_for, const char *why)
{
	if (asked_for)
		return usage_error("cannot serve %s at %s: %s", what, where, why);
	run_say(run, JOURNAL_SOURCE, LOG_WARNING, "No %s at %s: %s.", what, where, why);
	return EXIT_STATUS_OK;
}

struct place {
	const char *what, *option, *setting, *preset;
	int (*serve)(struct run *run, const char *where);
};

static int open_place(struct run *run, const struct place *place)
{
	const char *where = place->option ? place->option : place->setting;
	const bool asked_for = where != NULL;
	struct diag diag = { 0 };
	int r;

	if (!where)
		where = place->preset;
	if (strcmp(where, "off") == 0)
		return EXIT_STATUS_OK;
	r = load(run->http, &diag);
	if (r == -ELIBACC)
		return complain(run, place->what, where, asked_for, diag.message);
	if (r == 0)
		r = place->serve(run, where);
	if (r == -ENOMEM) {
		message("cannot serve %s at %s: %s", place->what, where, strerror(ENOMEM));
		return EXIT_STATUS_INTERNAL;
	}
	return r < 0 ? complain(run, place->what, where, asked_for, explain(r)) : EXIT_STATUS_OK;
}

int run_open_http(struct run *run)
{
	const struct run_settings *settings = policy_run(run->policy);
	const struct place places[] = {
		{ "metrics", run->options->metrics, settings->metrics, RUN_METRICS_DEFAULT,
			serve_metrics },
		{ "socket", run->options->socket, settings->socket, SOCKET_DEFAULT_PATH,
			serve_socket },
	};
	int status = EXIT_STATUS_OK;

	run->http = calloc(1, sizeof(*run->http));
	if (!run->http) {
		message("cannot start: %s", strerror(ENOMEM));
		return EXIT_STATUS_INTERNAL;
	}
	run->http->path.fd = run->http->path.directory = -1;
	for (size_t i = 0; status == EXIT_STATUS_OK && i < ARRAY_SIZE(places); i++)
		status = open_place(run, &places[i]);
	return status;
}

void run_close_http(struct run *run)
{
	if (!run->http)
		return;
	http_server_free(run->http->metrics);
	http_server_free(run->http->socket);
	http_path_done(&run->http->path);
	namespace_counts_free(run->open);
	free(run->http);
}
