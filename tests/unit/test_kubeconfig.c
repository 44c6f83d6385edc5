/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kubeconfigs: what kubectl, kubeadm and k3s write, what is not supported, and where a mistake is.
 */
#include "../support/fail_allocation.h"

#include <capauditd/kubeconfig.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// wrap: free

/* What a row does not mention is 0, on purpose. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define CERTIFICATE_DATA \
	"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tClFVSkQKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="
#define KEY_DATA \
	"LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tClFVSkQKLS0tLS1FTkQgRUMgUFJJVkFURSBLRVktLS0tLQo="
#define CERTIFICATE_TEXT "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
#define KEY_TEXT	 "-----BEGIN EC PRIVATE KEY-----\nQUJD\n-----END EC PRIVATE KEY-----\n"

/* The frame of five lines behind which a row puts its cluster (line 6, column 5) and, behind one
 * line, its user. */
#define HEAD                                 \
	"current-context: c\n"               \
	"contexts:\n"                        \
	"- name: c\n"                        \
	"  context: {cluster: k, user: u}\n" \
	"clusters:\n"
#define CLUSTER(text)	      "- {name: k, cluster: {" text "}}\n"
#define USER(text)	      "users: [{name: u, user: {" text "}}]\n"
#define CONFIG(cluster, user) HEAD CLUSTER(cluster) USER(user)
#define SERVER		      "server: https://a"

/* struct kube_access as a row of a table can have it. */
struct expected {
	const char *server, *tls_server_name, *ca_file, *ca_data, *proxy_url;
	bool insecure;
	const char *client_certificate_file, *client_certificate_data;
	const char *client_key_file, *client_key_data;
	const char *token, *token_file;
};

static void load(const char *text, size_t length, struct kube_access *access)
{
	struct diag diag = { 0 };
	int r = kubeconfig_load("/etc/kube/config", text, length, access, &diag);

	if (r != 0)
		fail_msg("%u:%u: %s\n%s", diag.line, diag.column, diag.message, text);
}

/* "LINE:COLUMN: message" of what is wrong with a text; "good" where nothing is. */
static void complaint(const char *text, size_t length, char ret[static DIAG_MESSAGE_MAX + 32])
{
	struct kube_access access, untouched;
	struct diag diag = { 0 };
	int r;

	memset(&access, 0x5a, sizeof(access));
	untouched = access;
	r = kubeconfig_load("config", text, length, &access, &diag);
	if (r == 0) {
		kube_access_done(&access);
		strcpy(ret, "good");
		return;
	}
	assert_int_equal(r, -EINVAL);
	assert_memory_equal(&access, &untouched, sizeof(access));
	assert_string_equal(diag.file, "config");
	(void)snprintf(
		ret, DIAG_MESSAGE_MAX + 32, "%u:%u: %s", diag.line, diag.column, diag.message);
}

static void assert_text(const char *actual, const char *expected)
{
	if (!expected)
		assert_null(actual);
	else if (!actual)
		fail_msg("nothing, not \"%s\"", expected);
	else
		assert_string_equal(actual, expected);
}

static void assert_access(const struct kube_access *actual, const struct expected *expected)
{
	assert_text(actual->server, expected->server);
	assert_text(actual->tls_server_name, expected->tls_server_name);
	assert_text(actual->ca_file, expected->ca_file);
	assert_text(actual->ca_data, expected->ca_data);
	assert_int_equal(actual->insecure, expected->insecure);
	assert_text(actual->proxy_url, expected->proxy_url);
	assert_text(actual->client_certificate_file, expected->client_certificate_file);
	assert_text(actual->client_certificate_data, expected->client_certificate_data);
	assert_text(actual->client_key_file, expected->client_key_file);
	assert_text(actual->client_key_data, expected->client_key_data);
	assert_text(actual->token, expected->token);
	assert_text(actual->token_file, expected->token_file);
}

/* As `kubeadm` and `kubectl config` write it, with a second context that is not the current one. */
static const char of_kubectl[] = "apiVersion: v1\n"
				 "clusters:\n"
				 "- cluster:\n"
				 "    certificate-authority-data: " CERTIFICATE_DATA "\n"
				 "    extensions:\n"
				 "    - extension:\n"
				 "        last-update: Mon, 01 Jun 2026 10:00:00 CEST\n"
				 "        provider: minikube.sigs.k8s.io\n"
				 "      name: cluster_info\n"
				 "    server: https://10.0.0.1:6443/\n"
				 "    tls-server-name: kubernetes.default\n"
				 "  name: kubernetes\n"
				 "- cluster: {server: 'http://u:p@nowhere'}\n"
				 "  name: broken\n"
				 "contexts:\n"
				 "- context:\n"
				 "    cluster: broken\n"
				 "    user: broken\n"
				 "  name: other\n"
				 "- context:\n"
				 "    cluster: kubernetes\n"
				 "    namespace: default\n"
				 "    user: kubernetes-admin\n"
				 "  name: kubernetes-admin@kubernetes\n"
				 "current-context: kubernetes-admin@kubernetes\n"
				 "kind: Config\n"
				 "preferences: {}\n"
				 "users:\n"
				 "- name: broken\n"
				 "  user: {exec: {command: aws}}\n"
				 "- name: kubernetes-admin\n"
				 "  user:\n"
				 "    client-certificate-data: " CERTIFICATE_DATA "\n"
				 "    client-key-data: " KEY_DATA "\n";

static void what_kubectl_writes_is_read(void **state)
{
	struct kube_access access;

	(void)state;
	load(of_kubectl, sizeof(of_kubectl) - 1, &access);
	assert_access(&access, &(struct expected){
				       .server = "https://10.0.0.1:6443",
				       .tls_server_name = "kubernetes.default",
				       .ca_data = CERTIFICATE_TEXT,
				       .client_certificate_data = CERTIFICATE_TEXT,
				       .client_key_data = KEY_TEXT,
			       });
	kube_access_done(&access);
	assert_access(&access, &(struct expected){ 0 });
}

static void json_is_read_as_the_yaml_that_it_is(void **state)
{
	static const char text[] =
		"{\"kind\":\"Config\",\"apiVersion\":\"v1\",\"preferences\":{},\"clusters\":\n"
		"\t[{\"name\":\"k\",\"cluster\":{\"server\":\"https:\\/\\/h\\u0061:1\\/p\\/\",\n"
		"\t\"insecure-skip-tls-verify\":true}}],\n"
		"\t\"users\":[{\"name\":\"u\",\"user\":{\"token\":\"t\"}}],\n"
		"\t\"contexts\":[{\"name\":\"c\",\"context\":{\"cluster\":\"k\",\"user\":\"u\"}}],"
		"\n"
		"\t\"current-context\":\"c\"}\n";
	struct kube_access access;

	(void)state;
	load(text, sizeof(text) - 1, &access);
	assert_access(&access, &(struct expected){
				       .server = "https://ha:1/p",
				       .insecure = true,
				       .token = "t",
			       });
	kube_access_done(&access);
}

static void every_field_is_taken_as_client_go_takes_it(void **state)
{
	static const struct {
		const char *text;
		struct expected expected;
	} rows[] = {
		{ CONFIG(SERVER, ""), { .server = "https://a" } },
		{ CONFIG("server: HTTPS://a//", ""), { .server = "HTTPS://a" } },
		{ CONFIG("server: 'https://[fd00::1]:6443'", ""),
			{ .server = "https://[fd00::1]:6443" } },
		{ CONFIG("server: 'https://[::1]'", ""), { .server = "https://[::1]" } },
		{ CONFIG("server: https://a.example/k8s/clusters/c-1/", ""),
			{ .server = "https://a.example/k8s/clusters/c-1" } },
		{ CONFIG("server: https://a/@x:y", ""), { .server = "https://a/@x:y" } },
		/* kubectl proxy. */
		{ CONFIG("server: 'http://127.0.0.1:8001'", ""),
			{ .server = "http://127.0.0.1:8001" } },
		{ CONFIG(SERVER ", insecure-skip-tls-verify: false, certificate-authority: ca.crt",
			  ""),
			{ .server = "https://a", .ca_file = "/etc/kube/ca.crt" } },
		{ CONFIG(SERVER ", insecure-skip-tls-verify: True", ""),
			{ .server = "https://a", .insecure = true } },
		{ CONFIG(SERVER ", certificate-authority: /ca", "client-certificate: ../c, "
								"client-key: /k, tokenFile: d/t"),
			{ .server = "https://a",
				.ca_file = "/ca",
				.client_certificate_file = "/etc/kube/../c",
				.client_key_file = "/k",
				.token_file = "/etc/kube/d/t" } },
		{ CONFIG(SERVER ", certificate-authority: /ca, "
				"certificate-authority-data: " CERTIFICATE_DATA,
			  "client-certificate: /c, client-certificate-data: " CERTIFICATE_DATA
			  ", client-key: /k, client-key-data: " KEY_DATA),
			{ .server = "https://a",
				.ca_data = CERTIFICATE_TEXT,
				.client_certificate_data = CERTIFICATE_TEXT,
				.client_key_data = KEY_TEXT } },
		/* The one from a file, the other as data. */
		{ CONFIG(SERVER, "client-certificate: /c, client-key-data: " KEY_DATA),
			{ .server = "https://a",
				.client_certificate_file = "/c",
				.client_key_data = KEY_TEXT } },
		/* The file is read; the token is for when it cannot be. */
		{ CONFIG(SERVER, "token: t.o-k_e~n+/=, tokenFile: /t"),
			{ .server = "https://a", .token = "t.o-k_e~n+/=", .token_file = "/t" } },
		{ CONFIG(SERVER, "token: \" t\\n\""), { .server = "https://a", .token = "t" } },
		{ CONFIG(SERVER ", proxy-url: 'socks5://u:p@proxy:1080'", ""),
			{ .server = "https://a", .proxy_url = "socks5://u:p@proxy:1080" } },
		/* What is not given. */
		{ CONFIG(SERVER
			  ", certificate-authority: '', certificate-authority-data: '', "
			  "proxy-url: null, insecure-skip-tls-verify: ~, tls-server-name: null",
			  "token: '', username: '', password: \"\", exec: null, auth-provider: ~, "
			  "as-groups: [], as-user-extra: {}, client-key-data: ''"),
			{ .server = "https://a" } },
		{ HEAD CLUSTER(SERVER) "users: [{name: u}]\n", { .server = "https://a" } },
		{ HEAD CLUSTER(SERVER) "users: [{name: u, user: null}, {}]\n",
			{ .server = "https://a" } },
		/* What nobody asks for is not looked at. */
		{ CONFIG(SERVER ", disable-compression: true, x: {y: [z]}", "impersonate: [1, 2]"),
			{ .server = "https://a" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kube_access access;

		load(rows[i].text, strlen(rows[i].text), &access);
		assert_access(&access, &rows[i].expected);
		kube_access_done(&access);
	}
}

static void data_may_be_broken_into_lines(void **state)
{
	static const char text[] = HEAD "- name: k\n"
					"  cluster:\n"
					"    server: https://a\n"
					"    certificate-authority-data: |\n"
					"      LS0tLS1CRUdJTiBYLS0tLS0K\n"
					"      QUJDCg==\n" USER("");
	struct kube_access access;

	(void)state;
	load(text, sizeof(text) - 1, &access);
	assert_access(&access,
		&(struct expected){ .server = "https://a", .ca_data = "-----BEGIN X-----\nABC\n" });
	kube_access_done(&access);
}

static void paths_are_relative_to_the_kubeconfigs_folder(void **state)
{
	static const char text[] = CONFIG(SERVER ", certificate-authority: d/ca", "");
	static const char *const rows[][2] = {
		{ "/etc/kube/config", "/etc/kube/d/ca" },
		{ "config", "d/ca" },
		{ "./config", "./d/ca" },
		{ "a/b/config", "a/b/d/ca" },
		{ "/config", "/d/ca" },
		{ NULL, "d/ca" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kube_access access;

		assert_int_equal(
			kubeconfig_load(rows[i][0], text, sizeof(text) - 1, &access, NULL), 0);
		assert_string_equal(access.ca_file, rows[i][1]);
		kube_access_done(&access);
	}
}

#define INSTEAD "give the user a token, a tokenFile, or a client-certificate and client-key"

static const struct {
	const char *text, *expected;
} mistakes[] = {
	/* The file. */
	{ "", "1:1: the file holds no kubeconfig" },
	{ "# nothing\n", "1:1: the file holds no kubeconfig" },
	{ "---\n", "1:1: the file holds no kubeconfig" },
	{ "null\n", "1:1: the file holds no kubeconfig" },
	{ "just a text\n", "1:1: a kubeconfig must be a mapping, not a single value" },
	{ "[a]\n", "1:1: a kubeconfig must be a mapping, not a list" },
	{ "a: [\n", "2:1: not valid YAML: did not find expected node content (while parsing a flow "
		    "node at 2:1)" },
	{ "a: 1\n---\nb: 1\n", "2:1: a second document: a kubeconfig holds one" },
	{ "a: &x 1\n", "1:4: anchors are not supported (a text that begins with & needs quotes)" },
	{ "a: 1\nb: 1\na: 2\n", "3:1: key \"a\" is there twice (first in line 1)" },
	{ "? [a]\n: b\n", "1:3: a key must be a name, not a list" },
	{ "apiVersion: v1\nkind: Pod\ncurrent-context: c\n",
		"2:7: not a kubeconfig: kind is \"Pod\", not Config" },
	{ "apiVersion: v1\nkind: Secret\n",
		"2:7: not a kubeconfig: kind is \"Secret\", not Config" },
	{ "kind: Config\napiVersion: v2\n",
		"2:13: not a kubeconfig: apiVersion is \"v2\", not v1" },
	{ "kind: [Config]\n", "1:7: kind must be a single value, not a list" },
	/* The context. */
	{ "{}\n",
		"1:1: the kubeconfig has no current-context (kubectl config use-context NAME sets "
		"it)" },
	{ "kind: Config\nusers: []\n", "1:1: the kubeconfig has no current-context (kubectl config "
				       "use-context NAME sets it)" },
	{ "kind: Config\ncurrent-context: ''\n", "1:1: the kubeconfig has no current-context "
						 "(kubectl config use-context NAME sets it)" },
	{ "current-context: [c]\n", "1:18: current-context must be a single value, not a list" },
	{ "current-context: c\n", "1:18: contexts has no context \"c\"" },
	{ "current-context: c\ncontexts: null\n", "1:18: contexts has no context \"c\"" },
	{ "current-context: c\ncontexts: {c: {}}\n",
		"2:11: contexts must be a list, not a mapping" },
	{ "current-context: c\ncontexts: [c]\n",
		"2:12: an entry of contexts must be a mapping, not a single value" },
	{ "current-context: c\ncontexts: [{context: {}}, {name: [c]}]\n",
		"2:34: name must be a single value, not a list" },
	{ "current-context: c\ncontexts: [{name: C, context: {}}]\n",
		"1:18: contexts has no context \"c\"" },
	{ "current-context: c\ncontexts:\n- name: c\n- name: d\n- name: c\n",
		"5:3: context \"c\" is there twice (first in line 3)" },
	{ "current-context: c\ncontexts: [{name: c}]\n",
		"1:18: context \"c\" has neither cluster nor user" },
	{ "current-context: c\ncontexts: [{name: c, context: x}]\n",
		"2:31: a context must be a mapping, not a single value" },
	{ "current-context: c\ncontexts: [{name: c, context: {}}]\n",
		"2:31: context \"c\" has no cluster" },
	{ "current-context: c\ncontexts: [{name: c, context: {namespace: n, user: u}}]\n",
		"2:32: context \"c\" has no cluster" },
	{ "current-context: c\ncontexts: [{name: c, context: {user: u, cluster: ''}}]\n",
		"2:32: context \"c\" has no cluster" },
	{ "current-context: c\ncontexts: [{name: c, context: {user: u, cluster: k}}]\n",
		"2:50: clusters has no cluster \"k\"" },
	{ "current-context: c\ncontexts: [{name: c, context: {user: u, user: v}}]\n",
		"2:41: key \"user\" is there twice (first in line 2)" },
	{ "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
	  "clusters: [{name: k, cluster: {server: 'https://a'}}]\n",
		"2:32: context \"c\" has no user" },
	{ HEAD CLUSTER(SERVER), "4:31: users has no user \"u\"" },
	{ HEAD CLUSTER(SERVER) CLUSTER(SERVER) USER(""),
		"7:3: cluster \"k\" is there twice (first in line 6)" },
	/* The cluster. */
	{ HEAD "- name: k\n" USER(""), "1:18: the cluster of context \"c\" has no server" },
	{ CONFIG("", ""), "1:18: the cluster of context \"c\" has no server" },
	{ CONFIG("server: ''", ""), "1:18: the cluster of context \"c\" has no server" },
	{ CONFIG("server: [https]", ""), "6:31: server must be a single value, not a list" },
	{ CONFIG(SERVER ", server: https://b", ""),
		"6:42: key \"server\" is there twice (first in line 6)" },
	{ CONFIG("server: '10.0.0.1:6443'", ""), "6:31: server must begin with https://" },
	{ CONFIG("server: kubernetes", ""), "6:31: server must begin with https://" },
	{ CONFIG("server: https:/a", ""), "6:31: server must begin with https://" },
	{ CONFIG("server: ftp://a", ""), "6:31: server must begin with https://" },
	{ CONFIG("server: https://", ""), "6:31: server has no host" },
	{ CONFIG("server: https:///x", ""), "6:31: server has no host" },
	{ CONFIG("server: 'https://:6443'", ""), "6:31: server has no host" },
	{ CONFIG("server: 'https://[]'", ""), "6:31: server has no host" },
	{ CONFIG("server: 'https://[::1'", ""), "6:31: server has no host" },
	{ CONFIG("server: 'https://[::1]x'", ""),
		"6:31: server's host is not a name or an address" },
	{ CONFIG("server: 'https://fd00::1'", ""),
		"6:31: server's port is not a number from 1 to 65535" },
	{ CONFIG("server: 'https://a:'", ""),
		"6:31: server's port is not a number from 1 to 65535" },
	{ CONFIG("server: 'https://a:0'", ""),
		"6:31: server's port is not a number from 1 to 65535" },
	{ CONFIG("server: 'https://a:65536'", ""),
		"6:31: server's port is not a number from 1 to 65535" },
	{ CONFIG("server: 'https://a:99999999999999999999'", ""),
		"6:31: server's port is not a number from 1 to 65535" },
	{ CONFIG("server: 'https://a:https'", ""),
		"6:31: server's port is not a number from 1 to 65535" },
	{ CONFIG("server: 'https://a:1x'", ""), "6:31: server's host is not a name or an address" },
	{ CONFIG("server: https://a!b", ""), "6:31: server's host is not a name or an address" },
	{ CONFIG("server: 'https://u:secret@a'", ""),
		"6:31: server holds a user name: credentials belong to the user, as a token or a "
		"client certificate" },
	{ CONFIG("server: https://a?x=y", ""), "6:31: server may hold no query and no fragment" },
	{ CONFIG("server: 'https://a/p#f'", ""), "6:31: server may hold no query and no fragment" },
	{ CONFIG("server: 'https://a/ b'", ""),
		"6:31: server holds a character that an address cannot have" },
	{ CONFIG("server: \"https://a\\r\\nX: y\"", ""),
		"6:31: server holds a character that an address cannot have" },
	{ CONFIG("server: 'https://a\\@b'", ""),
		"6:31: server holds a user name: credentials belong to the user, as a token or a "
		"client certificate" },
	{ CONFIG("server: 'https://a\\b'", ""),
		"6:31: server holds a character that an address cannot have" },
	{ CONFIG("server: https://\xc3\xa4", ""),
		"6:31: server holds a character that an address cannot have" },
	{ CONFIG(SERVER ", tls-server-name: 'a b'", ""),
		"6:59: tls-server-name \"a b\" is not a name or an address" },
	{ CONFIG(SERVER ", insecure-skip-tls-verify: 1", ""),
		"6:68: insecure-skip-tls-verify must be true or false, not \"1\"" },
	{ CONFIG(SERVER ", insecure-skip-tls-verify: 'true'", ""),
		"6:68: insecure-skip-tls-verify must be true or false, not \"true\"" },
	{ CONFIG(SERVER ", insecure-skip-tls-verify: true, certificate-authority: ca", ""),
		"6:68: insecure-skip-tls-verify and a certificate-authority exclude each other" },
	{ CONFIG(SERVER ", insecure-skip-tls-verify: true, "
			"certificate-authority-data: " CERTIFICATE_DATA,
		  ""),
		"6:68: insecure-skip-tls-verify and a certificate-authority exclude each other" },
	{ CONFIG(SERVER ", certificate-authority: {}, certificate-authority: x", ""),
		"6:69: key \"certificate-authority\" is there twice (first in line 6)" },
	{ CONFIG(SERVER ", certificate-authority-data: '!'", ""),
		"6:70: certificate-authority-data is not base64" },
	{ CONFIG(SERVER ", certificate-authority-data: QUJ", ""),
		"6:70: certificate-authority-data is not base64" },
	{ CONFIG(SERVER ", certificate-authority-data: QQ==QQ==", ""),
		"6:70: certificate-authority-data is not base64" },
	{ CONFIG(SERVER ", certificate-authority-data: '  '", ""),
		"6:70: certificate-authority-data is not PEM text in base64 (its first line begins "
		"with -----BEGIN)" },
	{ CONFIG(SERVER ", certificate-authority-data: aGVsbG8gd29ybGQ=", ""),
		"6:70: certificate-authority-data is not PEM text in base64 (its first line begins "
		"with -----BEGIN)" },
	/* A NUL behind the beginning would cut the text short. */
	{ CONFIG(SERVER ", certificate-authority-data: LS0tLS1CRUdJTiAAIFg=", ""),
		"6:70: certificate-authority-data is not PEM text in base64 (its first line begins "
		"with -----BEGIN)" },
	{ CONFIG(SERVER ", proxy-url: 'proxy:3128'", ""),
		"6:53: proxy-url must begin with http://, https:// or socks5:// and name a host" },
	{ CONFIG(SERVER ", proxy-url: 'http://'", ""),
		"6:53: proxy-url must begin with http://, https:// or socks5:// and name a host" },
	{ CONFIG(SERVER ", proxy-url: \"http://u:secret@a\\n\"", ""),
		"6:53: proxy-url must begin with http://, https:// or socks5:// and name a host" },
	/* The user. */
	{ CONFIG(SERVER, "exec: {command: aws}"),
		"7:26: exec is not supported: no program is started to get a token; " INSTEAD },
	{ CONFIG(SERVER, "token: t, auth-provider: {name: oidc}"),
		"7:36: auth-provider is not supported: " INSTEAD },
	{ CONFIG(SERVER, "username: admin, password: secret"),
		"7:26: username is not supported: API servers take no passwords; " INSTEAD },
	{ CONFIG(SERVER, "password: secret"),
		"7:26: password is not supported: API servers take no passwords; " INSTEAD },
	{ CONFIG(SERVER, "token: t, as: root"),
		"7:36: as is not supported: give a user who may itself read pods and namespaces" },
	{ CONFIG(SERVER, "as-groups: [g]"),
		"7:26: as-groups is not supported: give a user who may itself read pods and "
		"namespaces" },
	{ HEAD CLUSTER(SERVER) "users: [{name: u, user: [x]}]\n",
		"7:25: a user must be a mapping, not a list" },
	{ CONFIG(SERVER, "token: 'secret word'"),
		"7:33: token must be one word of visible ASCII characters" },
	{ CONFIG(SERVER, "token: \"secret\\r\\nX-Evil: 1\""),
		"7:33: token must be one word of visible ASCII characters" },
	{ CONFIG(SERVER, "token: ' '"),
		"7:33: token must be one word of visible ASCII characters" },
	{ CONFIG(SERVER, "token: [secret]"), "7:33: token must be a single value, not a list" },
	{ CONFIG(SERVER, "client-certificate: /c"),
		"7:46: a client-certificate needs a client-key" },
	{ CONFIG(SERVER, "client-certificate-data: " CERTIFICATE_DATA),
		"7:51: a client-certificate needs a client-key" },
	{ CONFIG(SERVER, "client-key: /k"), "7:38: a client-key needs a client-certificate" },
	{ CONFIG(SERVER, "client-key-data: aGVsbG8gd29ybGQ="),
		"7:43: client-key-data is not PEM text in base64 (its first line begins with "
		"-----BEGIN)" },
#define PLAIN_HTTP                                                                             \
	"6:31: server must begin with https://: http:// would show the user's credentials to " \
	"everybody on the way"
	{ CONFIG("server: http://a", "token: t"), PLAIN_HTTP },
	{ CONFIG("server: http://a", "tokenFile: /t"), PLAIN_HTTP },
	{ CONFIG("server: HTTP://a", "client-certificate: /c, client-key: /k"), PLAIN_HTTP },
};

static void every_mistake_is_told_with_its_line_and_column(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		char actual[DIAG_MESSAGE_MAX + 32];

		complaint(mistakes[i].text, strlen(mistakes[i].text), actual);
		if (strcmp(actual, mistakes[i].expected) == 0)
			continue;
		failed++;
		print_error("%s\n  expected %s\n  actual   %s\n", mistakes[i].text,
			mistakes[i].expected, actual);
	}
	assert_int_equal(failed, 0);
}

static void no_complaint_repeats_a_secret(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		char actual[DIAG_MESSAGE_MAX + 32];

		complaint(mistakes[i].text, strlen(mistakes[i].text), actual);
		assert_null(strstr(actual, "secret"));
	}
}

/* What the program itself gives back (libraries call free() without coming by here). */
static bool watch_free;
static unsigned freed, freed_with_secret;

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
	if (watch_free && memory) {
		freed++;
		freed_with_secret += strstr(memory, "PRIVATE") || strstr(memory, "s3cret");
	}
	__real_free(memory);
}

static void secrets_are_wiped_before_their_memory_is_given_back(void **state)
{
	static const char *const texts[] = {
		CONFIG(SERVER ", proxy-url: 'http://u:s3cret@p'",
			"token: s3cret, client-certificate: c, client-key-data: " KEY_DATA),
		/* Found wrong after the secrets were taken; and not PEM after all: a NUL. */
		CONFIG(SERVER, "token: s3cret, client-key-data: " KEY_DATA),
		CONFIG(SERVER, "client-key-data: UFJJVkFURQAtLS0tLUJFR0lOIA=="),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct kube_access access = { 0 };

		freed = freed_with_secret = 0;
		watch_free = true;
		assert_int_equal(
			kubeconfig_load("c", texts[i], strlen(texts[i]), &access, NULL) == 0,
			i == 0);
		kube_access_done(&access);
		watch_free = false;
		assert_true(freed > 0);
		assert_int_equal(freed_with_secret, 0);
	}
}

static void a_text_that_is_too_large_is_refused(void **state)
{
	static const char good[] = CONFIG(SERVER, "");
	size_t length = KUBECONFIG_TEXT_MAX + 1;
	char actual[DIAG_MESSAGE_MAX + 32];
	char *text = malloc(length);

	(void)state;
	assert_non_null(text);
	memset(text, '#', length);
	memcpy(text, good, sizeof(good) - 1);
	complaint(text, length - 1, actual);
	assert_string_equal(actual, "good");
	complaint(text, length, actual);
	assert_string_equal(actual, "0:0: larger than 1024 KiB");
	free(text);
}

static void more_keys_or_entries_than_anybody_has_are_refused(void **state)
{
	enum { PART = 8, PARTS = 4097 };
	char actual[DIAG_MESSAGE_MAX + 32];
	size_t size = 64 + (size_t)PART * PARTS, length;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	length = (size_t)snprintf(text, size, "current-context: c\ncontexts:\n");
	for (unsigned i = 0; i < PARTS; i++)
		length += (size_t)snprintf(text + length, size - length, "- {}\n");
	complaint(text, length, actual);
	assert_string_equal(actual, "4099:3: contexts has more than 4096 items");
	length = 0;
	for (unsigned i = 0; i < 257; i++)
		length += (size_t)snprintf(text + length, size - length, "k%u: 1\n", i);
	complaint(text, length, actual);
	assert_string_equal(actual, "257:1: a kubeconfig has more than 256 keys");
	free(text);
}

/* libyaml 0.2.5 loses the memory of a list or mapping that is a document's 17th, 33rd, ... node
 * where there is none for its table of nodes: here they are texts. */
static void there_is_an_access_or_there_is_no_memory(void **state)
{
	static const char text[] = "kind: Config\n" CONFIG(SERVER
		", tls-server-name: b, certificate-authority: ca, proxy-url: 'http://p', "
		"certificate-authority-data: " CERTIFICATE_DATA,
		"client-certificate: c, client-certificate-data: " CERTIFICATE_DATA
		", client-key: k, client-key-data: " KEY_DATA ", token: t, tokenFile: f");
	unsigned long n = 0;
	bool fired;

	(void)state;
	do {
		struct kube_access access, untouched;
		struct diag diag = { 0 };
		int r;

		memset(&access, 0x5a, sizeof(access));
		untouched = access;
		fail_allocation_at(++n);
		r = kubeconfig_load("/etc/config", text, sizeof(text) - 1, &access, &diag);
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		assert_int_equal(r, fired ? -ENOMEM : 0);
		if (fired)
			assert_memory_equal(&access, &untouched, sizeof(access));
		else
			kube_access_done(&access);
	} while (fired);
	assert_true(n > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_kubectl_writes_is_read),
		cmocka_unit_test(json_is_read_as_the_yaml_that_it_is),
		cmocka_unit_test(every_field_is_taken_as_client_go_takes_it),
		cmocka_unit_test(data_may_be_broken_into_lines),
		cmocka_unit_test(paths_are_relative_to_the_kubeconfigs_folder),
		cmocka_unit_test(every_mistake_is_told_with_its_line_and_column),
		cmocka_unit_test(no_complaint_repeats_a_secret),
		cmocka_unit_test(secrets_are_wiped_before_their_memory_is_given_back),
		cmocka_unit_test(a_text_that_is_too_large_is_refused),
		cmocka_unit_test(more_keys_or_entries_than_anybody_has_are_refused),
		cmocka_unit_test(there_is_an_access_or_there_is_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
