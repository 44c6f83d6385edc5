/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kubeconfig, whatever is in the file. An access that was taken must be one that can be used
 * without looking again; a complaint must be fit to print and point into the text.
 */
#include <capauditd/kubeconfig.h>
#include <capauditd/text.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "complaint.h"

static void check_visible(const char *text)
{
	CHECK(*text);
	for (; *text; text++)
		CHECK(*text > 0x20 && *text < 0x7f);
}

static void check_server(const struct kube_access *access)
{
	const char *server = access->server;
	bool encrypted;

	CHECK(server != NULL);
	check_visible(server);
	encrypted = strncasecmp(server, "https://", 8) == 0;
	CHECK(encrypted || strncasecmp(server, "http://", 7) == 0);
	CHECK(encrypted || (!access->token && !access->token_file && !access->client_key_file &&
				   !access->client_key_data));
	CHECK(!strpbrk(server, "?#\\"));
	CHECK(server[strlen(server) - 1] != '/');
}

static void check_pair(const char *file, const char *data)
{
	CHECK(!file || !data);
	CHECK(!file || *file);
	CHECK(!data || strstr(data, "-----BEGIN "));
}

static void check_access(const struct kube_access *access)
{
	check_server(access);
	check_pair(access->ca_file, access->ca_data);
	check_pair(access->client_certificate_file, access->client_certificate_data);
	check_pair(access->client_key_file, access->client_key_data);
	CHECK((access->client_certificate_file || access->client_certificate_data) ==
		(access->client_key_file || access->client_key_data));
	CHECK(!access->insecure || (!access->ca_file && !access->ca_data));
	if (access->token)
		check_visible(access->token);
	if (access->proxy_url)
		check_visible(access->proxy_url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kube_access access = { 0 };
	struct diag diag = { 0 };
	int r = kubeconfig_load("/etc/config", (const char *)data, size, &access, &diag);

	CHECK(r == 0 || r == -EINVAL || r == -ENOMEM);
	if (r == 0)
		check_access(&access);
	else
		CHECK(!access.server && !access.token);
	if (r == -EINVAL)
		check_complaint(&diag, data, size);
	kube_access_done(&access);
	return 0;
}
