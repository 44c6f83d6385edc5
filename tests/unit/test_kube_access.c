/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the API server is found: service accounts and kubeconfigs in a temporary folder.
 */
#include "../support/fail_allocation.h"

#include <capauditd/kubernetes.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* Of its nodes the 17th and the 33rd are texts: libyaml 0.2.5 loses memory otherwise where there is
 * none for its table of nodes. */
static const char good[] =
	"kind: Config\n"
	"current-context: c\n"
	"contexts: [{name: c, context: {cluster: k, user: u}}]\n"
	"clusters: [{name: k, cluster: {server: 'https://a:1', certificate-authority: ca.crt}}]\n"
	"users: [{name: u, user: {token: t}}]\n";

static void write_file(const char *folder, const char *name, const char *text, size_t length)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), length);
	(void)close(fd);
}

static int make_folder(void **state)
{
	char *folder = strdup("/tmp/capauditd-access.XXXXXX");

	*state = folder;
	return folder && mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

static int remove_folder(void **state)
{
	int r = nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return r;
}

static void assert_in(const char *path, const char *folder, const char *name)
{
	assert_non_null(path);
	assert_memory_equal(path, folder, strlen(folder));
	assert_string_equal(path + strlen(folder), name);
}

static void a_service_account_gives_its_files_and_the_servers_address(void **state)
{
	static const struct {
		const char *host, *port, *server;
	} rows[] = {
		{ "10.96.0.1", "443", "https://10.96.0.1:443" },
		{ "10.96.0.1", "6443", "https://10.96.0.1:6443" },
		{ "10.96.0.1", NULL, "https://10.96.0.1:443" },
		{ "10.96.0.1", "", "https://10.96.0.1:443" },
		{ "fd00:10:96::1", "443", "https://[fd00:10:96::1]:443" },
		{ "[fd00::1]", NULL, "https://[fd00::1]:443" },
		{ "api.cluster.example", "6443", "https://api.cluster.example:6443" },
	};
	const char *folder = *state;

	write_file(folder, "token", "t", 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kube_access access;

		assert_int_equal(kube_access_from_service_account(
					 folder, rows[i].host, rows[i].port, &access),
			0);
		assert_string_equal(access.server, rows[i].server);
		assert_in(access.token_file, folder, "/token");
		assert_in(access.ca_file, folder, "/ca.crt");
		assert_null(access.token);
		assert_false(access.insecure);
		kube_access_done(&access);
	}
}

static void without_token_or_host_there_is_no_service_account(void **state)
{
	const char *folder = *state;
	struct kube_access access, untouched;
	_cleanup_free_ char *path = NULL;

	memset(&access, 0x5a, sizeof(access));
	untouched = access;
	assert_int_equal(
		kube_access_from_service_account(folder, "10.96.0.1", "443", &access), -ENOENT);
	assert_int_equal(
		kube_access_from_service_account("/nonexistent", "10.96.0.1", "443", &access),
		-ENOENT);
	/* Not a file. */
	assert_true(asprintf(&path, "%s/token", folder) > 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(
		kube_access_from_service_account(folder, "10.96.0.1", "443", &access), -ENOENT);
	assert_int_equal(rmdir(path), 0);
	write_file(folder, "token", "t", 1);
	assert_int_equal(kube_access_from_service_account(folder, NULL, "443", &access), -ENOENT);
	assert_int_equal(kube_access_from_service_account(folder, "", "443", &access), -ENOENT);
	assert_memory_equal(&access, &untouched, sizeof(access));
}

static void the_kubelets_link_is_the_token_that_it_leads_to(void **state)
{
	const char *folder = *state;
	_cleanup_free_ char *data = NULL, *token = NULL, *link = NULL;
	struct kube_access access;

	assert_true(asprintf(&data, "%s/..2026_11_24", folder) > 0);
	assert_true(asprintf(&link, "%s/..data", folder) > 0);
	assert_true(asprintf(&token, "%s/token", folder) > 0);
	assert_int_equal(mkdir(data, 0700), 0);
	assert_int_equal(symlink("..2026_11_24", link), 0);
	assert_int_equal(symlink("..data/token", token), 0);
	assert_int_equal(kube_access_from_service_account(folder, "a", NULL, &access), -ENOENT);
	write_file(data, "token", "t", 1);
	assert_int_equal(kube_access_from_service_account(folder, "a", NULL, &access), 0);
	assert_in(access.token_file, folder, "/token");
	kube_access_done(&access);
}

static void a_kubeconfig_file_is_read_and_its_paths_are_beside_it(void **state)
{
	const char *folder = *state;
	_cleanup_free_ char *path = NULL;
	struct kube_access access;
	struct diag diag = { 0 };

	write_file(folder, "config", good, sizeof(good) - 1);
	assert_true(asprintf(&path, "%s/config", folder) > 0);
	assert_int_equal(kube_access_from_file(path, &access, &diag), 0);
	assert_string_equal(access.server, "https://a:1");
	assert_string_equal(access.token, "t");
	assert_in(access.ca_file, folder, "/ca.crt");
	kube_access_done(&access);
}

static void a_kubeconfig_may_come_through_a_pipe(void **state)
{
	_cleanup_free_ char *path = NULL;
	struct kube_access access;
	struct diag diag = { 0 };
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], good, sizeof(good) - 1), sizeof(good) - 1);
	(void)close(ends[1]);
	assert_true(asprintf(&path, "/proc/self/fd/%d", ends[0]) > 0);
	assert_int_equal(kube_access_from_file(path, &access, &diag), 0);
	(void)close(ends[0]);
	assert_string_equal(access.token, "t");
	kube_access_done(&access);
}

static void assert_refused(
	const char *folder, const char *name, unsigned line, unsigned column, const char *sentence)
{
	_cleanup_free_ char *path = NULL;
	struct kube_access access, untouched;
	struct diag diag = { 0 };

	memset(&access, 0x5a, sizeof(access));
	untouched = access;
	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	assert_int_equal(kube_access_from_file(path, &access, &diag), -EINVAL);
	assert_memory_equal(&access, &untouched, sizeof(access));
	assert_string_equal(diag.file, path);
	assert_int_equal(diag.line, line);
	assert_int_equal(diag.column, column);
	assert_string_equal(diag.message, sentence);
}

static void what_is_wrong_with_a_kubeconfig_file_is_said_with_its_name(void **state)
{
	static const char bad[] = "kind: Config\ncurrent-context: x\n";
	const size_t large = KUBECONFIG_TEXT_MAX + 1;
	const char *folder = *state;
	char *text = malloc(large);

	assert_non_null(text);
	memset(text, '#', large);
	write_file(folder, "bad", bad, sizeof(bad) - 1);
	write_file(folder, "empty", "", 0);
	write_file(folder, "large", text, large);
	free(text);
	assert_refused(folder, "none", 0, 0, "cannot be read: No such file or directory");
	assert_refused(folder, ".", 0, 0, "cannot be read: Is a directory");
	assert_refused(folder, "bad", 2, 18, "contexts has no context \"x\"");
	assert_refused(folder, "empty", 1, 1, "the file holds no kubeconfig");
	assert_refused(folder, "large", 0, 0, "larger than 1024 KiB");
}

static int from_service_account(const char *folder, struct kube_access *ret)
{
	return kube_access_from_service_account(folder, "fd00::1", NULL, ret);
}

static int from_file(const char *path, struct kube_access *ret)
{
	struct diag diag = { 0 };

	return kube_access_from_file(path, ret, &diag);
}

/* libc's asprintf() gives what it has where it only fails to give memory back: then the answer is
 * right all the same. */
static void sweep(int (*scenario)(const char *path, struct kube_access *ret), const char *path)
{
	unsigned refused = 0;
	bool fired = true;

	for (unsigned long n = 1; fired; n++) {
		struct kube_access access, untouched;
		int r;

		memset(&access, 0x5a, sizeof(access));
		untouched = access;
		fail_allocation_at(n);
		r = scenario(path, &access);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		assert_int_equal(r, fired && r != 0 ? -ENOMEM : 0);
		refused += r != 0;
		if (r != 0) {
			assert_memory_equal(&access, &untouched, sizeof(access));
			continue;
		}
		assert_non_null(access.server);
		assert_non_null(access.ca_file);
		assert_true(access.token || access.token_file);
		kube_access_done(&access);
	}
	assert_true(refused >= 3);
}

static void there_is_an_access_or_there_is_no_memory(void **state)
{
	_cleanup_free_ char *path = NULL;

	write_file(*state, "token", "t", 1);
	sweep(from_service_account, *state);
	write_file(*state, "config", good, sizeof(good) - 1);
	assert_true(asprintf(&path, "%s/config", (const char *)*state) > 0);
	sweep(from_file, path);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_folder(a_service_account_gives_its_files_and_the_servers_address),
		in_folder(without_token_or_host_there_is_no_service_account),
		in_folder(the_kubelets_link_is_the_token_that_it_leads_to),
		in_folder(a_kubeconfig_file_is_read_and_its_paths_are_beside_it),
		cmocka_unit_test(a_kubeconfig_may_come_through_a_pipe),
		in_folder(what_is_wrong_with_a_kubeconfig_file_is_said_with_its_name),
		in_folder(there_is_an_access_or_there_is_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
