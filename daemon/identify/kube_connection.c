/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Turns a kube_access into options of libcurl. Knows nothing of what is asked for, nor of the event
 * loop.
 *
 * GnuTLS' side of libcurl takes certificates from files alone (CURLOPT_CAINFO_BLOB and its kin are
 * refused up to 8.17), so what a kubeconfig holds as data becomes a memory file, which every TLS
 * library can open through /proc/self/fd.
 */
#include "kube_connection.h"

#include "read_fully.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PEM_MAX	  (1024u * 1024u)
#define PEM_BEGIN "-----BEGIN "

/* Reads a regular file of at most `max` bytes; *ret is terminated. Whatever it is, it does not
 * block. */
static int read_file(const char *path, size_t max, char **ret, size_t *ret_length)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADF;
	if ((uintmax_t)st.st_size > max)
		return -EFBIG;
	/* One byte more, by which a file that has grown meanwhile is found out. */
	text = malloc((size_t)st.st_size + 2);
	if (!text)
		return -ENOMEM;
	r = read_fully(fd, text, (size_t)st.st_size + 1, &length);
	if (r < 0) {
		explicit_bzero(text, length);
		return r;
	}
	text[length] = '\0';
	*ret = TAKE_PTR(text);
	*ret_length = length;
	return 0;
}

static int check_pem_file(const char *path, const char *what, struct diag *diag)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	bool is_pem;
	int r = read_file(path, PEM_MAX, &text, &length);

	if (r == -ENOMEM)
		return r;
	if (r < 0 || !text)
		return diag_error(diag, 0, 0, "cannot read the %s %s: %s", what, path,
			r == -EBADF ? "it is not a regular file" : strerror(-r));
	is_pem = memmem(text, length, PEM_BEGIN, strlen(PEM_BEGIN)) != NULL;
	explicit_bzero(text, length);
	if (!is_pem)
		return diag_error(diag, 0, 0, "the %s %s holds no PEM text", what, path);
	return 0;
}

/* *ret_fd is the caller's in every case. */
static int make_memory_file(const char *text, int *ret_fd, char **ret_path)
{
	size_t length = strlen(text);
	int fd = memfd_create("capauditd-pem", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	for (size_t done = 0; done < length;) {
		ssize_t n = write(fd, text + done, length - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	if (asprintf(ret_path, "/proc/self/fd/%d", fd) < 0) {
		*ret_path = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* Data win over a file, as in client-go. */
static int take_pem(const char *data, const char *file, const char *what, int *ret_fd,
	char **ret_path, struct diag *diag)
{
	int r;

	if (data && !strstr(data, PEM_BEGIN))
		return diag_error(diag, 0, 0, "the data of the %s are no PEM text", what);
	if (data)
		return make_memory_file(data, ret_fd, ret_path);
	if (!file)
		return 0;
	r = check_pem_file(file, what, diag);
	if (r < 0)
		return r;
	*ret_path = strdup(file);
	return *ret_path ? 0 : -ENOMEM;
}

/* An address, and what libcurl made of it. */
struct address {
	const struct curl_library *curl;
	CURLU *url;
	char *scheme, *host, *port, *base; /* libcurl's memory */
};

static void address_done(struct address *address)
{
	char *const texts[] = { address->scheme, address->host, address->port, address->base };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		address->curl->free(texts[i]);
	address->curl->url_cleanup(address->url);
}

static int address_error(
	const struct address *address, CURLUcode code, const char *server, struct diag *diag)
{
	if (code == CURLUE_OUT_OF_MEMORY)
		return -ENOMEM;
	return diag_error(diag, 0, 0, "\"%s\" is not the address of an API server: %s", server,
		address->curl->url_strerror(code));
}

static bool has_part(const struct address *address, CURLUPart part)
{
	char *text = NULL;
	CURLUcode code = address->curl->url_get(address->url, part, &text, 0);

	address->curl->free(text);
	return code == CURLUE_OK;
}

/* The server's certificate is asked for, and compared with, another name than its address: the name
 * takes the address' place in the URL, and libcurl is told where that is. */
static int rename_host(struct kube_connection *connection, struct address *address,
	const char *name, struct diag *diag)
{
	const struct curl_library *curl = address->curl;
	_cleanup_free_ char *line = NULL;
	CURLUcode code = curl->url_get(address->url, CURLUPART_HOST, &address->host, 0);

	if (code == CURLUE_OK)
		code = curl->url_get(
			address->url, CURLUPART_PORT, &address->port, CURLU_DEFAULT_PORT);
	if (code == CURLUE_OK)
		code = curl->url_set(address->url, CURLUPART_HOST, name, 0);
	if (code != CURLUE_OK)
		return code == CURLUE_OUT_OF_MEMORY
			       ? -ENOMEM
			       : diag_error(diag, 0, 0, "\"%s\" is not a TLS server name: %s", name,
					 curl->url_strerror(code));
	if (asprintf(&line, "%s:%s:%s:%s", name, address->port, address->host, address->port) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	connection->connect_to = curl->slist_append(NULL, line);
	if (!connection->connect_to)
		return -ENOMEM;
	if (asprintf(&connection->host_header, "Host: %s:%s", address->host, address->port) < 0) {
		connection->host_header = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int take_server(
	struct kube_connection *connection, const struct kube_access *access, struct diag *diag)
{
	const struct curl_library *curl = connection->curl;
	_cleanup_(address_done) struct address address = { .curl = curl, .url = curl->url() };
	const char *server = access->server ? access->server : "";
	CURLUcode code;
	size_t length;
	int r = 0;

	if (!address.url)
		return -ENOMEM;
	code = curl->url_set(address.url, CURLUPART_URL, server, 0);
	if (code == CURLUE_OK)
		code = curl->url_get(address.url, CURLUPART_SCHEME, &address.scheme, 0);
	if (code != CURLUE_OK)
		return address_error(&address, code, server, diag);
	connection->encrypted = strcmp(address.scheme, "https") == 0;
	if (!connection->encrypted && strcmp(address.scheme, "http") != 0)
		return diag_error(diag, 0, 0, "\"%s\": an API server is reached by https", server);
	if (has_part(&address, CURLUPART_USER) || has_part(&address, CURLUPART_PASSWORD) ||
		has_part(&address, CURLUPART_QUERY) || has_part(&address, CURLUPART_FRAGMENT))
		return diag_error(diag, 0, 0,
			"the API server's address may hold a host, a port and a path, no more");
	if (access->tls_server_name && connection->encrypted)
		r = rename_host(connection, &address, access->tls_server_name, diag);
	if (r < 0)
		return r;
	code = curl->url_get(address.url, CURLUPART_URL, &address.base, 0);
	if (code != CURLUE_OK)
		return address_error(&address, code, server, diag);
	for (length = strlen(address.base); length > 0 && address.base[length - 1] == '/';)
		length--;
	connection->base = strndup(address.base, length);
	return connection->base ? 0 : -ENOMEM;
}

static int copy(char **to, const char *from)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

static int take_credentials(
	struct kube_connection *connection, const struct kube_access *access, struct diag *diag)
{
	int r;

	r = take_pem(access->client_certificate_data, access->client_certificate_file,
		"client certificate", &connection->files[1], &connection->certificate, diag);
	if (r >= 0)
		r = take_pem(access->client_key_data, access->client_key_file, "client key",
			&connection->files[2], &connection->key, diag);
	if (r < 0)
		return r;
	if (!connection->certificate != !connection->key)
		return diag_error(diag, 0, 0,
			"a client certificate and its key are given together or not at all");
	r = copy(&connection->token, access->token);
	if (r >= 0)
		r = copy(&connection->token_file, access->token_file);
	if (r >= 0 && !connection->encrypted &&
		(connection->certificate || connection->token || connection->token_file))
		return diag_error(diag, 0, 0,
			"\"%s\" is not encrypted: credentials are not sent there", access->server);
	return r;
}

int kube_connection_init(struct kube_connection *connection, const struct curl_library *curl,
	const struct kube_access *access, struct diag *diag)
{
	int r;

	*connection = (struct kube_connection){
		.curl = curl, .files = { -1, -1, -1 }, .insecure = access->insecure
	};
	r = take_server(connection, access, diag);
	if (r >= 0 && !access->insecure)
		r = take_pem(access->ca_data, access->ca_file, "certificate authority",
			&connection->files[0], &connection->ca, diag);
	if (r >= 0)
		r = take_credentials(connection, access, diag);
	if (r >= 0)
		r = copy(&connection->proxy, access->proxy_url);
	return r;
}

static void free_secret(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void kube_connection_done(struct kube_connection *connection)
{
	free(connection->base);
	if (connection->curl)
		connection->curl->slist_free_all(connection->connect_to);
	free(connection->host_header);
	free(connection->ca);
	free(connection->certificate);
	free(connection->key);
	free_secret(connection->proxy); /* may hold a password */
	free_secret(connection->token);
	free(connection->token_file);
	for (size_t i = 0; i < ARRAY_SIZE(connection->files); i++)
		if (connection->files[i] >= 0)
			(void)close(connection->files[i]);
	*connection = (struct kube_connection){ .files = { -1, -1, -1 } };
}

void kube_headers_done(struct kube_headers *headers)
{
	for (struct curl_slist *one = headers->first; one; one = one->next)
		explicit_bzero(one->data, strlen(one->data));
	if (headers->curl)
		headers->curl->slist_free_all(headers->first);
	headers->first = NULL;
}

static int add_header(struct kube_headers *headers, const char *line)
{
	struct curl_slist *longer = headers->curl->slist_append(headers->first, line);

	if (!longer)
		return -ENOMEM;
	headers->first = longer;
	return 0;
}

/* A token is one word of visible ASCII (RFC 6750 allows less); anything else could end the header
 * and begin another. White space around it, such as a file's last newline, is left out. */
static int add_token(struct kube_headers *headers, const char *text)
{
	static const char space[] = " \t\r\n";
	_cleanup_free_ char *line = NULL;
	size_t length;
	int r;

	text += strspn(text, space);
	length = strlen(text);
	while (length > 0 && strchr(space, text[length - 1]))
		length--;
	if (length == 0)
		return -ENODATA;
	for (size_t i = 0; i < length; i++)
		if (text[i] <= 0x20 || text[i] >= 0x7f)
			return -EBADMSG;
	if (asprintf(&line, "Authorization: Bearer %.*s", (int)length, text) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	r = add_header(headers, line);
	explicit_bzero(line, strlen(line));
	return r;
}

static int add_token_of_file(struct kube_headers *headers, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	int r = read_file(path, KUBE_TOKEN_MAX, &text, &length);

	if (r < 0 || !text)
		return r;
	r = strlen(text) == length ? add_token(headers, text) : -EBADMSG;
	explicit_bzero(text, length);
	return r;
}

/* A token's file is read for each request: it rotates. The token beside it is for when it cannot be
 * read, as in client-go. */
static int add_authorization(const struct kube_connection *connection, struct kube_headers *headers,
	char why[static CURL_ERROR_SIZE])
{
	int r = 0;

	if (connection->token_file)
		r = add_token_of_file(headers, connection->token_file);
	if (connection->token && (r < 0 || !connection->token_file))
		r = add_token(headers, connection->token);
	if (r >= 0 || r == -ENOMEM)
		return r;
	(void)snprintf(why, CURL_ERROR_SIZE, "the token%s%.160s cannot be used: %s",
		connection->token_file ? " in " : "",
		connection->token_file ? connection->token_file : "",
		r == -EBADMSG	? "it holds something else than visible ASCII"
		: r == -ENODATA ? "it is empty"
				: strerror(-r));
	return r;
}

static int make_headers(const struct kube_connection *connection, const char *accept,
	struct kube_headers *headers, char why[static CURL_ERROR_SIZE])
{
	_cleanup_free_ char *line = NULL;
	int r;

	if (asprintf(&line, "Accept: %s", accept) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	r = add_header(headers, line);
	if (r >= 0 && connection->host_header)
		r = add_header(headers, connection->host_header);
	if (r >= 0)
		r = add_authorization(connection, headers, why);
	return r;
}

#define SET(option, value)                                                 \
	do {                                                               \
		if (code == CURLE_OK)                                      \
			code = curl->easy_setopt(easy, (option), (value)); \
	} while (0)

/* What holds for every request. Accept-Encoding is left out: a list would be smaller on the wire
 * and costs CPU on both sides, and a small answer that unfolds to gigabytes is not worth it.
 * Proxies of the environment are not asked: where credentials go is the configuration's to say. */
static CURLcode set_manners(const struct curl_library *curl, CURL *easy, bool encrypted)
{
	CURLcode code = CURLE_OK;

	/* Not waiting for a name server that hangs: its thread is left to end by itself. */
	(void)curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, encrypted ? "https" : "http");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	/* With HTTP/2 both watches would hang together when their one connection does. */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* A peer that is gone without a word is found out within about two minutes. */
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, 30L);
	SET(CURLOPT_TCP_KEEPINTVL, 10L);
	SET(CURLOPT_USERAGENT, "capauditd/" CAPAUDITD_VERSION);
	return code;
}

static CURLcode set_trust(const struct kube_connection *connection, CURL *easy)
{
	const struct curl_library *curl = connection->curl;
	CURLcode code = CURLE_OK;

	SET(CURLOPT_SSL_VERIFYPEER, connection->insecure ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, connection->insecure ? 0L : 2L);
	if (connection->ca) {
		/* libcurl is built with a folder of the system's: nothing but `ca` is trusted. */
		SET(CURLOPT_CAPATH, NULL);
		SET(CURLOPT_CAINFO, connection->ca);
	}
	if (connection->certificate) {
		SET(CURLOPT_SSLCERT, connection->certificate);
		SET(CURLOPT_SSLKEY, connection->key);
	}
	return code;
}

int kube_connection_apply(const struct kube_connection *connection, CURL *easy, const char *path,
	const char *accept, struct kube_headers *ret_headers, char why[static CURL_ERROR_SIZE])
{
	const struct curl_library *curl = connection->curl;
	_cleanup_(kube_headers_done) struct kube_headers headers = { .curl = curl };
	_cleanup_free_ char *url = NULL;
	CURLcode code;
	int r = make_headers(connection, accept, &headers, why);

	if (r < 0)
		return r;
	if (asprintf(&url, "%s%s", connection->base, path) < 0) {
		url = NULL;
		return -ENOMEM;
	}
	code = set_manners(curl, easy, connection->encrypted);
	if (code == CURLE_OK)
		code = set_trust(connection, easy);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_HTTPHEADER, headers.first);
	SET(CURLOPT_CONNECT_TO, connection->connect_to);
	SET(CURLOPT_PROXY, connection->proxy ? connection->proxy : "");
	SET(CURLOPT_NOPROXY, "");
	if (code == CURLE_OK) {
		*ret_headers = headers;
		headers.first = NULL;
	}
	if (code == CURLE_OUT_OF_MEMORY)
		return -ENOMEM;
	if (code != CURLE_OK)
		(void)snprintf(why, CURL_ERROR_SIZE, "libcurl: %s", curl->easy_strerror(code));
	return code == CURLE_OK ? 0 : -ENOTSUP;
}
