/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Certificates made on the spot: an authority, a server's and a client's, as PEM text.
 */
#ifndef CAPAUDITD_TEST_KUBE_CERTIFICATES_H
#define CAPAUDITD_TEST_KUBE_CERTIFICATES_H

enum kube_certificate_fault {
	CERTIFICATE_GOOD,
	CERTIFICATE_OF_ANOTHER_AUTHORITY,
	CERTIFICATE_OF_ANOTHER_NAME, /* "kubernetes.example", and no address */
	CERTIFICATE_EXPIRED,
};

struct kube_certificates {
	char *authority;
	char *server_certificate, *server_key; /* for 127.0.0.1 and localhost; has the fault */
	char *client_certificate, *client_key;
};

/* 0 or -ENOMEM, -EIO (GnuTLS). */
int kube_certificates_make(enum kube_certificate_fault fault, struct kube_certificates *ret);
void kube_certificates_done(struct kube_certificates *certificates);

#endif
