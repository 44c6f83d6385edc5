/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes keys and certificates with GnuTLS. They live as long as a test and protect nothing.
 */
#include "kube_certificates.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY 86400

struct identity {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t certificate;
};

static void identity_done(struct identity *identity)
{
	if (identity->certificate)
		gnutls_x509_crt_deinit(identity->certificate);
	if (identity->key)
		gnutls_x509_privkey_deinit(identity->key);
}

/* GnuTLS' results are 0 or negative: the first that is negative is kept. */
static void keep(int *r, int result)
{
	if (*r >= 0 && result < 0)
		*r = result;
}

static int begin(struct identity *identity, const char *name, unsigned char serial, bool is_expired)
{
	unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
	time_t now = time(NULL);
	int r = 0;

	*identity = (struct identity){ 0 };
	keep(&r, gnutls_x509_privkey_init(&identity->key));
	keep(&r, gnutls_x509_crt_init(&identity->certificate));
	if (r < 0)
		return r;
	keep(&r, gnutls_x509_privkey_generate(identity->key, GNUTLS_PK_ECDSA, bits, 0));
	keep(&r, gnutls_x509_crt_set_version(identity->certificate, 3));
	keep(&r, gnutls_x509_crt_set_serial(identity->certificate, &serial, 1));
	keep(&r, gnutls_x509_crt_set_dn_by_oid(identity->certificate, GNUTLS_OID_X520_COMMON_NAME,
			 0, name, (unsigned)strlen(name)));
	keep(&r, gnutls_x509_crt_set_activation_time(identity->certificate, now - 10 * DAY));
	keep(&r, gnutls_x509_crt_set_expiration_time(
			 identity->certificate, is_expired ? now - DAY : now + 10 * DAY));
	keep(&r, gnutls_x509_crt_set_key(identity->certificate, identity->key));
	return r;
}

static int sign(struct identity *identity, const struct identity *by)
{
	return gnutls_x509_crt_sign2(
		identity->certificate, by->certificate, by->key, GNUTLS_DIG_SHA256, 0);
}

static int make_authority(struct identity *authority, const char *name)
{
	int r = begin(authority, name, 1, false);

	if (r < 0)
		return r;
	keep(&r, gnutls_x509_crt_set_ca_status(authority->certificate, 1));
	keep(&r, gnutls_x509_crt_set_key_usage(authority->certificate, GNUTLS_KEY_KEY_CERT_SIGN));
	keep(&r, sign(authority, authority));
	return r;
}

static int make_server(struct identity *server, const struct identity *authority,
	enum kube_certificate_fault fault)
{
	static const unsigned char loopback[] = { 127, 0, 0, 1 };
	const char *name =
		fault == CERTIFICATE_OF_ANOTHER_NAME ? "kubernetes.example" : "localhost";
	int r = begin(server, name, 2, fault == CERTIFICATE_EXPIRED);

	if (r < 0)
		return r;
	keep(&r, gnutls_x509_crt_set_subject_alt_name(server->certificate, GNUTLS_SAN_DNSNAME, name,
			 (unsigned)strlen(name), GNUTLS_FSAN_APPEND));
	if (fault != CERTIFICATE_OF_ANOTHER_NAME)
		keep(&r, gnutls_x509_crt_set_subject_alt_name(server->certificate,
				 GNUTLS_SAN_IPADDRESS, loopback, sizeof(loopback),
				 GNUTLS_FSAN_APPEND));
	keep(&r, gnutls_x509_crt_set_key_purpose_oid(
			 server->certificate, GNUTLS_KP_TLS_WWW_SERVER, 0));
	keep(&r, sign(server, authority));
	return r;
}

static int make_client(struct identity *client, const struct identity *authority)
{
	int r = begin(client, "auditor", 3, false);

	if (r < 0)
		return r;
	keep(&r, gnutls_x509_crt_set_key_purpose_oid(
			 client->certificate, GNUTLS_KP_TLS_WWW_CLIENT, 0));
	keep(&r, sign(client, authority));
	return r;
}

static int text_of(gnutls_datum_t *pem, int r, char **ret)
{
	if (r < 0)
		return r;
	*ret = strndup((const char *)pem->data, pem->size);
	gnutls_free(pem->data);
	return *ret ? 0 : GNUTLS_E_MEMORY_ERROR;
}

static int texts_of(const struct identity *identity, char **ret_certificate, char **ret_key)
{
	gnutls_datum_t pem = { 0 };
	int r = gnutls_x509_crt_export2(identity->certificate, GNUTLS_X509_FMT_PEM, &pem);

	r = text_of(&pem, r, ret_certificate);
	if (r < 0 || !ret_key)
		return r;
	r = gnutls_x509_privkey_export2(identity->key, GNUTLS_X509_FMT_PEM, &pem);
	return text_of(&pem, r, ret_key);
}

int kube_certificates_make(enum kube_certificate_fault fault, struct kube_certificates *ret)
{
	struct identity authority = { 0 }, other = { 0 }, server = { 0 }, client = { 0 };
	int r;

	*ret = (struct kube_certificates){ 0 };
	r = make_authority(&authority, "a test's authority");
	if (r >= 0)
		r = make_authority(&other, "another authority");
	if (r >= 0)
		r = make_server(&server,
			fault == CERTIFICATE_OF_ANOTHER_AUTHORITY ? &other : &authority, fault);
	if (r >= 0)
		r = make_client(&client, &authority);
	if (r >= 0)
		r = texts_of(&authority, &ret->authority, NULL);
	if (r >= 0)
		r = texts_of(&server, &ret->server_certificate, &ret->server_key);
	if (r >= 0)
		r = texts_of(&client, &ret->client_certificate, &ret->client_key);
	identity_done(&authority);
	identity_done(&other);
	identity_done(&server);
	identity_done(&client);
	if (r < 0)
		kube_certificates_done(ret);
	return r == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : r < 0 ? -EIO : 0;
}

void kube_certificates_done(struct kube_certificates *certificates)
{
	free(certificates->authority);
	free(certificates->server_certificate);
	free(certificates->server_key);
	free(certificates->client_certificate);
	free(certificates->client_key);
	*certificates = (struct kube_certificates){ 0 };
}
