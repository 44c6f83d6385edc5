/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the fields of a kubeconfig's cluster and user, as tables: what each must look like, what is
 * not supported and what to do instead, and which of them go together. Secrets are copied once,
 * into the access; no error repeats one.
 */
#include "kubeconfig_internal.h"

#include <capauditd/text.h>

#include <ctype.h>
#include <nettle/base64.h>
#include <string.h>

#define PEM_BEGIN "-----BEGIN "
#define PORT_MAX  65535u

struct field {
	const char *name;
	int (*take)(struct kubeconfig *kubeconfig, const struct field *field,
		const yaml_node_t *key, const yaml_node_t *value);
	size_t offset; /* of the text in struct kube_access */
	size_t node;   /* in struct kubeconfig, where the value is remembered; 0: it is not */
	const char *sentence; /* for take_unsupported(): what to do instead */
};

static char **field_text(struct kubeconfig *kubeconfig, const struct field *field)
{
	return (char **)(void *)((char *)kubeconfig->access + field->offset);
}

static int keep(
	struct kubeconfig *kubeconfig, const struct field *field, const char *text, size_t length)
{
	char *copy = strndup(text, length);

	if (!copy)
		return -ENOMEM;
	*field_text(kubeconfig, field) = copy;
	return 0;
}

static bool is_visible(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] <= 0x20 || text[i] >= 0x7f)
			return false;
	return true;
}

/* Skips a scheme and "://"; NULL where the text begins with another. */
static const char *after_scheme(const char *url, const char *scheme)
{
	size_t length = strlen(scheme);

	return strncasecmp(url, scheme, length) == 0 && strncmp(url + length, "://", 3) == 0
		       ? url + length + 3
		       : NULL;
}

/* The end of a host's name or address; NULL where none begins here. */
static const char *after_host(const char *text)
{
	const char *end = text;

	if (*text == '[') {
		end += 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
		return end > text + 2 && *end == ']' ? end + 1 : NULL;
	}
	while (isalnum((unsigned char)*end) || (*end && strchr("-._", *end)))
		end++;
	return end > text ? end : NULL;
}

/* What is wrong with HOST[:PORT][/PATH]; NULL: nothing. */
static const char *host_problem(const char *text)
{
	size_t authority = strcspn(text, "/?#"), length = strlen(text);
	const char *end;

	/* First, since what follows repeats no part of it. */
	if (memchr(text, '@', authority))
		return "server holds a user name: credentials belong to the user, as a token or a "
		       "client certificate";
	if (text[strcspn(text, "?#")])
		return "server may hold no query and no fragment";
	if (!is_visible(text, length) || strpbrk(text, "\\\"<>^`{|}"))
		return "server holds a character that an address cannot have";
	end = after_host(text);
	if (!end)
		return "server has no host";
	if (*end == ':') {
		char port[8] = "";
		size_t digits = strspn(end + 1, "0123456789");
		uint64_t number;

		if (digits >= sizeof(port) || digits == 0)
			return "server's port is not a number from 1 to 65535";
		memcpy(port, end + 1, digits);
		if (text_to_u64(port, 1, PORT_MAX, &number) < 0)
			return "server's port is not a number from 1 to 65535";
		end += 1 + digits;
	}
	return end == text + authority ? NULL : "server's host is not a name or an address";
}

static int take_server(struct kubeconfig *kubeconfig, const struct field *field,
	const yaml_node_t *key, const yaml_node_t *value)
{
	const char *url, *rest, *problem;
	size_t length;
	int r = node_text(&kubeconfig->loader, field->name, value, &url);

	(void)key;
	if (r < 0)
		return r;
	rest = after_scheme(url, "https");
	if (!rest)
		rest = after_scheme(url, "http");
	if (!rest)
		return node_error(&kubeconfig->loader, value, "server must begin with https://");
	problem = host_problem(rest);
	if (problem)
		return node_error(&kubeconfig->loader, value, "%s", problem);
	length = strlen(url);
	while (url[length - 1] == '/')
		length--;
	kubeconfig->server = value;
	return keep(kubeconfig, field, url, length);
}

static int take_server_name(struct kubeconfig *kubeconfig, const struct field *field,
	const yaml_node_t *key, const yaml_node_t *value)
{
	const char *name, *end;
	int r = node_text(&kubeconfig->loader, field->name, value, &name);

	(void)key;
	if (r < 0)
		return r;
	end = after_host(name);
	if (!end || *end)
		return node_error(&kubeconfig->loader, value,
			"tls-server-name \"%s\" is not a name or an address", name);
	return keep(kubeconfig, field, name, strlen(name));
}

static int take_proxy(struct kubeconfig *kubeconfig, const struct field *field,
	const yaml_node_t *key, const yaml_node_t *value)
{
	static const char *const schemes[] = { "http", "https", "socks5", "socks5h" };
	const char *url;
	int r = node_text(&kubeconfig->loader, field->name, value, &url);

	(void)key;
	for (size_t i = 0; i < ARRAY_SIZE(schemes) && r == 0; i++) {
		const char *rest = after_scheme(url, schemes[i]);

		if (rest && *rest && *rest != '/' && is_visible(rest, strlen(rest)))
			return keep(kubeconfig, field, url, strlen(url));
	}
	return r < 0 ? r
		     : node_error(&kubeconfig->loader, value,
			       "proxy-url must begin with http://, https:// or socks5:// and name "
			       "a "
			       "host");
}

static int take_insecure(struct kubeconfig *kubeconfig, const struct field *field,
	const yaml_node_t *key, const yaml_node_t *value)
{
	const char *text;
	int r = node_text(&kubeconfig->loader, field->name, value, &text);

	(void)key;
	if (r < 0)
		return r;
	if (value->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcasecmp(text, "true") == 0) {
		kubeconfig->access->insecure = true;
		kubeconfig->insecure = value;
		return 0;
	}
	if (value->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcasecmp(text, "false") == 0)
		return 0;
	return node_error(&kubeconfig->loader, value, "%s must be true or false, not \"%s\"",
		field->name, text);
}

/* Relative to the kubeconfig's folder, as in client-go. */
static int take_path(struct kubeconfig *kubeconfig, const struct field *field,
	const yaml_node_t *key, const yaml_node_t *value)
{
	const char *slash = kubeconfig->file ? strrchr(kubeconfig->file, '/') : NULL;
	size_t folder = slash ? (size_t)(slash - kubeconfig->file) + 1 : 0;
	const char *path;
	char *whole;
	int r = node_text(&kubeconfig->loader, field->name, value, &path);

	(void)key;
	if (r < 0)
		return r;
	if (*path == '/')
		folder = 0;
	whole = malloc(folder + strlen(path) + 1);
	if (!whole)
		return -ENOMEM;
	if (folder > 0)
		memcpy(whole, kubeconfig->file, folder);
	memcpy(whole + folder, path, strlen(path) + 1);
	*field_text(kubeconfig, field) = whole;
	return 0;
}

static void free_wiped(char *text, size_t size)
{
	explicit_bzero(text, size);
	free(text);
}

static int take_data(struct kubeconfig *kubeconfig, const struct field *field,
	const yaml_node_t *key, const yaml_node_t *value)
{
	struct base64_decode_ctx context;
	size_t length, size;
	const char *text;
	bool is_base64, is_pem;
	char *pem;
	int r = node_text(&kubeconfig->loader, field->name, value, &text);

	(void)key;
	if (r < 0)
		return r;
	size = BASE64_DECODE_LENGTH(value->data.scalar.length) + 1;
	pem = malloc(size);
	if (!pem)
		return -ENOMEM;
	base64_decode_init(&context);
	length = size - 1;
	is_base64 = base64_decode_update(
			    &context, &length, (uint8_t *)pem, value->data.scalar.length, text) &&
		    base64_decode_final(&context);
	explicit_bzero(&context, sizeof(context));
	if (!is_base64)
		length = 0;
	pem[length] = '\0';
	is_pem = strlen(pem) == length && strstr(pem, PEM_BEGIN);
	if (is_pem) {
		*field_text(kubeconfig, field) = pem;
		return 0;
	}
	free_wiped(pem, size);
	if (!is_base64)
		return node_error(&kubeconfig->loader, value, "%s is not base64", field->name);
	return node_error(&kubeconfig->loader, value,
		"%s is not PEM text in base64 (its first line begins with -----BEGIN)",
		field->name);
}

static int take_token(struct kubeconfig *kubeconfig, const struct field *field,
	const yaml_node_t *key, const yaml_node_t *value)
{
	static const char space[] = " \t\r\n";
	const char *text;
	size_t length;
	int r = node_text(&kubeconfig->loader, field->name, value, &text);

	(void)key;
	if (r < 0)
		return r;
	/* A block scalar ends with a newline. */
	text += strspn(text, space);
	length = strlen(text);
	while (length > 0 && strchr(space, text[length - 1]))
		length--;
	if (length == 0 || !is_visible(text, length))
		return node_error(&kubeconfig->loader, value,
			"token must be one word of visible ASCII characters");
	return keep(kubeconfig, field, text, length);
}

static int take_unsupported(struct kubeconfig *kubeconfig, const struct field *field,
	const yaml_node_t *key, const yaml_node_t *value)
{
	(void)value;
	return node_error(
		&kubeconfig->loader, key, "%s is not supported: %s", field->name, field->sentence);
}

#define TEXT(name) .offset = offsetof(struct kube_access, name)
#define NODE(name) .node = offsetof(struct kubeconfig, name)
#define GIVE_INSTEAD                                                       \
	"give the user a token, a tokenFile, or a client-certificate and " \
	"client-key"
#define NO_PASSWORDS  "API servers take no passwords; " GIVE_INSTEAD
#define GIVE_THE_USER "give a user who may itself read pods and namespaces"

static const struct field cluster_fields[] = {
	{ "server", take_server, TEXT(server), NODE(server) },
	{ "tls-server-name", take_server_name, TEXT(tls_server_name) },
	{ "insecure-skip-tls-verify", take_insecure, NODE(insecure) },
	{ "certificate-authority", take_path, TEXT(ca_file) },
	{ "certificate-authority-data", take_data, TEXT(ca_data) },
	{ "proxy-url", take_proxy, TEXT(proxy_url) },
};

static const struct field user_fields[] = {
	{ "exec", take_unsupported,
		.sentence = "no program is started to get a token; " GIVE_INSTEAD },
	{ "auth-provider", take_unsupported, .sentence = GIVE_INSTEAD },
	{ "username", take_unsupported, .sentence = NO_PASSWORDS },
	{ "password", take_unsupported, .sentence = NO_PASSWORDS },
	/* To pass over these would be to ask with other rights than the file says. */
	{ "as", take_unsupported, .sentence = GIVE_THE_USER },
	{ "as-uid", take_unsupported, .sentence = GIVE_THE_USER },
	{ "as-groups", take_unsupported, .sentence = GIVE_THE_USER },
	{ "as-user-extra", take_unsupported, .sentence = GIVE_THE_USER },
	{ "client-certificate", take_path, TEXT(client_certificate_file), NODE(certificate) },
	{ "client-certificate-data", take_data, TEXT(client_certificate_data), NODE(certificate) },
	{ "client-key", take_path, TEXT(client_key_file), NODE(key) },
	{ "client-key-data", take_data, TEXT(client_key_data), NODE(key) },
	{ "token", take_token, TEXT(token) },
	{ "tokenFile", take_path, TEXT(token_file) },
};

/* An empty list or mapping says as much as none. */
static bool is_empty(const yaml_node_t *value)
{
	if (value->type == YAML_SEQUENCE_NODE)
		return value->data.sequence.items.top == value->data.sequence.items.start;
	return value->type == YAML_MAPPING_NODE &&
	       value->data.mapping.pairs.top == value->data.mapping.pairs.start;
}

static int take_fields(struct kubeconfig *kubeconfig, const char *name, const yaml_node_t *mapping,
	const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const yaml_node_t *key, *value;
		int r = kubeconfig_find(kubeconfig, name, mapping, fields[i].name, &key, &value);

		if (r == 0 && value && !is_empty(value)) {
			r = fields[i].take(kubeconfig, &fields[i], key, value);
			if (fields[i].node)
				*(const yaml_node_t **)(void *)((char *)kubeconfig +
								fields[i].node) = value;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int kubeconfig_take_cluster(struct kubeconfig *kubeconfig, const yaml_node_t *cluster)
{
	return take_fields(
		kubeconfig, "a cluster", cluster, cluster_fields, ARRAY_SIZE(cluster_fields));
}

int kubeconfig_take_user(struct kubeconfig *kubeconfig, const yaml_node_t *user)
{
	return take_fields(kubeconfig, "a user", user, user_fields, ARRAY_SIZE(user_fields));
}

/* Data win: then nobody can take the file by mistake. */
static void prefer_data(const char *data, char **file)
{
	if (!data)
		return;
	free(*file);
	*file = NULL;
}

int kubeconfig_check_access(struct kubeconfig *kubeconfig)
{
	struct kube_access *access = kubeconfig->access;
	struct loader *loader = &kubeconfig->loader;

	if (kubeconfig->certificate && !kubeconfig->key)
		return node_error(
			loader, kubeconfig->certificate, "a client-certificate needs a client-key");
	if (kubeconfig->key && !kubeconfig->certificate)
		return node_error(
			loader, kubeconfig->key, "a client-key needs a client-certificate");
	/* client-go refuses it too: whoever gives an authority wants it to be asked. */
	if (access->insecure && (access->ca_file || access->ca_data))
		return node_error(loader, kubeconfig->insecure,
			"insecure-skip-tls-verify and a certificate-authority exclude each other");
	if (!after_scheme(access->server, "https") &&
		(kubeconfig->key || access->token || access->token_file))
		return node_error(loader, kubeconfig->server,
			"server must begin with https://: http:// would show the user's "
			"credentials to everybody on the way");
	prefer_data(access->ca_data, &access->ca_file);
	prefer_data(access->client_certificate_data, &access->client_certificate_file);
	prefer_data(access->client_key_data, &access->client_key_file);
	return 0;
}
