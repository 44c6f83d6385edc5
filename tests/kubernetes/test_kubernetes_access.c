/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whom the source trusts, and who it says that it is: certificates, names, tokens, proxies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char key_text[] = "-----BEGIN PRIVATE KEY-----\n";

/* A file in a folder of its own. */
struct file {
	char folder[64], path[96];
};

static void file_write(const struct file *file, const char *text)
{
	int fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static void file_init(struct file *file, const char *text)
{
	(void)snprintf(file->folder, sizeof(file->folder), "/tmp/capauditd-kube-XXXXXX");
	assert_non_null(mkdtemp(file->folder));
	(void)snprintf(file->path, sizeof(file->path), "%s/file", file->folder);
	if (text)
		file_write(file, text);
}

static void file_done(struct file *file)
{
	(void)unlink(file->path);
	assert_int_equal(rmdir(file->folder), 0);
}

/* The source does not get in, and this is in what it says. Nothing was asked of the server. */
static void assert_shut_out(struct fixture *f, const char *words)
{
	fixture_connect(f);
	UNTIL(f, f->said_down == 1);
	if (!strstr(f->sentence, words))
		fail_msg("\"%s\" is not in \"%s\"", words, f->sentence);
	assert_int_equal(fixture_count(f, SERVER_PODS, SERVER_LIST), 0);
	assert_false(kubernetes_is_synced(f->kubernetes));
	fixture_done(f);
}

static void a_certificate_that_does_not_verify_shuts_out(void **state)
{
	static const enum kube_certificate_fault faults[] = { CERTIFICATE_OF_ANOTHER_AUTHORITY,
		CERTIFICATE_OF_ANOTHER_NAME, CERTIFICATE_EXPIRED };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		fixture_init(&f, &(struct kube_server_options){ .fault = faults[i] });
		assert_shut_out(&f, "ertificate");
	}
	/* Without a CA it is the system's that count, which do not know of this one. */
	fixture_init(&f, NULL);
	f.access.ca_data = NULL;
	assert_shut_out(&f, "ertificate");
}

static void a_server_that_speaks_old_tls_alone_shuts_out(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(
		&f, &(struct kube_server_options){ .priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.1" });
	assert_shut_out(&f, "cannot get");
}

static void verification_can_be_turned_off(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(
		&f, &(struct kube_server_options){ .fault = CERTIFICATE_OF_ANOTHER_AUTHORITY });
	f.access.insecure = true;
	fixture_connect(&f);
	fixture_settle(&f);
	fixture_done(&f);
}

static void the_servers_name_can_be_another_than_its_address(void **state)
{
	const struct kube_server_request *request;
	struct fixture f;

	(void)state;
	fixture_init(&f, &(struct kube_server_options){ .fault = CERTIFICATE_OF_ANOTHER_NAME });
	f.access.tls_server_name = (char *)"kubernetes.example";
	fixture_connect(&f);
	fixture_settle(&f);
	request = kube_server_request(f.server, SERVER_PODS, SERVER_LIST, 0);
	assert_string_equal(request->host, kube_server_url(f.server) + strlen("https://"));
	fixture_done(&f);
	/* And then the address' own name is not accepted. */
	fixture_init(&f, NULL);
	f.access.tls_server_name = (char *)"kubernetes.example";
	assert_shut_out(&f, "ertificate");
}

static void a_certificate_authority_can_be_a_file(void **state)
{
	struct file file;
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	file_init(&file, f.access.ca_data);
	f.access.ca_data = NULL;
	f.access.ca_file = file.path;
	fixture_connect(&f);
	fixture_settle(&f);
	fixture_done(&f);
	file_done(&file);
}

static void a_client_certificate_opens(void **state)
{
	static const struct kube_server_options options = { .wants_client_certificate = true };
	struct kube_certificates certificates;
	struct file certificate, key;
	struct fixture f;

	(void)state;
	/* As data. */
	fixture_init(&f, &options);
	certificates = *kube_server_certificates(f.server);
	f.access.token = NULL;
	f.access.client_certificate_data = certificates.client_certificate;
	f.access.client_key_data = certificates.client_key;
	fixture_connect(&f);
	fixture_settle(&f);
	assert_null(kube_server_request(f.server, SERVER_PODS, SERVER_LIST, 0)->authorization);
	fixture_done(&f);
	/* As files. */
	fixture_init(&f, &options);
	certificates = *kube_server_certificates(f.server);
	file_init(&certificate, certificates.client_certificate);
	file_init(&key, certificates.client_key);
	f.access.client_certificate_file = certificate.path;
	f.access.client_key_file = key.path;
	fixture_connect(&f);
	fixture_settle(&f);
	fixture_done(&f);
	file_done(&certificate);
	file_done(&key);
	/* Without one. */
	fixture_init(&f, &options);
	fixture_connect(&f);
	UNTIL(&f, f.said_down == 1);
	assert_non_null(strstr(f.sentence, "401 Unauthorized"));
	fixture_done(&f);
}

static void a_token_is_read_again_for_each_request(void **state)
{
	struct file file;
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	file_init(&file, "  " FIXTURE_TOKEN "\n\n");
	f.access.token = NULL;
	f.access.token_file = file.path;
	fixture_connect(&f);
	fixture_settle(&f);
	assert_string_equal(
		kube_server_request(f.server, SERVER_PODS, SERVER_LIST, 0)->authorization,
		"Bearer " FIXTURE_TOKEN);
	/* It has been replaced, and the file is still the old one. */
	kube_server_set_token(f.server, "token-2");
	kube_server_end_watches(f.server, SERVER_PODS, false);
	UNTIL(&f, f.said_down == 1);
	assert_non_null(strstr(f.sentence, "401 Unauthorized"));
	file_write(&file, "token-2");
	UNTIL(&f, kubernetes_is_up(f.kubernetes));
	fixture_done(&f);
	file_done(&file);
}

static void a_token_file_comes_before_a_token(void **state)
{
	struct file file;
	struct fixture f;

	(void)state;
	fixture_init(&f, NULL);
	file_init(&file, FIXTURE_TOKEN);
	f.access.token = (char *)"old";
	f.access.token_file = file.path;
	fixture_connect(&f);
	fixture_settle(&f);
	fixture_done(&f);
	/* Which is for when the file cannot be read. */
	fixture_init(&f, NULL);
	f.access.token_file = (char *)"/nonexistent/token";
	fixture_connect(&f);
	fixture_settle(&f);
	fixture_done(&f);
	file_done(&file);
}

static void a_token_that_is_none_is_not_sent(void **state)
{
	static char long_token[20000];
	const struct {
		const char *text, *words;
	} rows[] = {
		{ "a\r\nX-Injected: b", "something else than visible ASCII" },
		{ "two words", "something else than visible ASCII" },
		{ "a\x1b", "something else than visible ASCII" },
		{ "a\xff", "something else than visible ASCII" },
		{ "", "it is empty" },
		{ " \n", "it is empty" },
		{ long_token, "File too large" },
		{ NULL, "No such file or directory" },
	};
	struct fixture f;

	(void)state;
	memset(long_token, 't', sizeof(long_token) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct file file;

		file_init(&file, rows[i].text);
		fixture_init(&f, NULL);
		f.access.token = NULL;
		f.access.token_file = file.path;
		assert_shut_out(&f, rows[i].words);
		file_done(&file);
	}
	/* Nor does one block that is a pipe. */
	fixture_init(&f, NULL);
	f.access.token = NULL;
	f.access.token_file = (char *)"/dev/tty";
	assert_shut_out(&f, "cannot be used");
}

static void plain_http_works_where_nothing_is_secret(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, &(struct kube_server_options){ .plain = true });
	f.access.token = NULL;
	f.access.ca_data = NULL;
	fixture_connect(&f);
	fixture_settle(&f);
	fixture_done(&f);
}

static void a_path_in_front_stays(void **state)
{
	struct fixture f;
	char url[128];

	(void)state;
	fixture_init(&f, NULL);
	(void)snprintf(url, sizeof(url), "%s/k8s/clusters/c-1/", f.access.server);
	f.access.server = url;
	fixture_connect(&f);
	UNTIL(&f, fixture_count(&f, SERVER_PODS, SERVER_LIST) > 0);
	assert_string_equal(kube_server_request(f.server, SERVER_PODS, SERVER_LIST, 0)->url,
		"/k8s/clusters/c-1/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1"
		"&resourceVersion=0");
	fixture_done(&f);
}

static void only_the_configurations_proxy_is_asked(void **state)
{
	struct fixture f;

	(void)state;
	/* Nobody listens there. */
	assert_int_equal(setenv("https_proxy", "http://127.0.0.1:1", 1), 0);
	fixture_init(&f, NULL);
	fixture_connect(&f);
	fixture_settle(&f);
	fixture_done(&f);
	assert_int_equal(unsetenv("https_proxy"), 0);
	assert_int_equal(setenv("no_proxy", "*", 1), 0);
	fixture_init(&f, NULL);
	f.access.proxy_url = (char *)"http://127.0.0.1:1";
	assert_shut_out(&f, "onnect");
	assert_int_equal(unsetenv("no_proxy"), 0);
}

static void what_cannot_work_is_refused_at_once(void **state)
{
	const struct {
		struct kube_access access;
		const char *node;
		const char *words;
	} rows[] = {
		{ { .server = (char *)"" }, "n", "is not the address of an API server" },
		{ { .server = (char *)"ftp://h" }, "n", "is reached by https" },
		{ { .server = (char *)"https://u:p@h" }, "n", "a host, a port and a path" },
		{ { .server = (char *)"https://h/?a=b" }, "n", "a host, a port and a path" },
		{ { .server = (char *)"http://h", .token = (char *)"t" }, "n", "is not encrypted" },
		{ { .server = (char *)"http://h", .token_file = (char *)"/t" }, "n",
			"is not encrypted" },
		{ { .server = (char *)"http://h",
			  .client_certificate_data = (char *)key_text,
			  .client_key_data = (char *)key_text },
			"n", "is not encrypted" },
		{ { .server = (char *)"https://h", .ca_file = (char *)"/nonexistent" }, "n",
			"cannot read the certificate authority /nonexistent: No such file" },
		{ { .server = (char *)"https://h", .ca_file = (char *)"/dev/null" }, "n",
			"it is not a regular file" },
		{ { .server = (char *)"https://h", .ca_file = (char *)"Makefile" }, "n",
			"holds no PEM text" },
		{ { .server = (char *)"https://h", .ca_data = (char *)"x" }, "n", "no PEM text" },
		{ { .server = (char *)"https://h", .client_key_data = (char *)key_text }, "n",
			"together or not at all" },
		{ { .server = (char *)"https://h", .tls_server_name = (char *)"a b" }, "n",
			"is not a TLS server name" },
		{ { .server = (char *)"https://h" }, "", "is not the name of a node" },
		{ { .server = (char *)"https://h" }, "a,spec.nodeName!=b",
			"is not the name of a node" },
	};
	sd_event *event = NULL;
	struct cluster *cluster = cluster_new();

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct kubernetes_settings settings = { .access = &rows[i].access,
			.node = rows[i].node };
		struct kubernetes *kubernetes = NULL;
		struct diag diag = { 0 };

		assert_int_equal(kubernetes_new(event, &settings, cluster, NULL, NULL, NULL,
					 &kubernetes, &diag),
			-EINVAL);
		assert_null(kubernetes);
		if (!strstr(diag.message, rows[i].words))
			fail_msg("row %zu: \"%s\"", i, diag.message);
	}
	cluster_free(cluster);
	(void)sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_that_does_not_verify_shuts_out),
		cmocka_unit_test(a_server_that_speaks_old_tls_alone_shuts_out),
		cmocka_unit_test(verification_can_be_turned_off),
		cmocka_unit_test(the_servers_name_can_be_another_than_its_address),
		cmocka_unit_test(a_certificate_authority_can_be_a_file),
		cmocka_unit_test(a_client_certificate_opens),
		cmocka_unit_test(a_token_is_read_again_for_each_request),
		cmocka_unit_test(a_token_file_comes_before_a_token),
		cmocka_unit_test(a_token_that_is_none_is_not_sent),
		cmocka_unit_test(plain_http_works_where_nothing_is_secret),
		cmocka_unit_test(a_path_in_front_stays),
		cmocka_unit_test(only_the_configurations_proxy_is_asked),
		cmocka_unit_test(what_cannot_work_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
