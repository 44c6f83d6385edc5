/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where to listen: an IP address and a port, as text.
 */
#ifndef CAPAUDITD_ADDRESS_H
#define CAPAUDITD_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct listen_address {
	unsigned char bytes[16]; /* network order, as in struct in_addr (4) or in6_addr (16) */
	uint16_t port;		 /* host order, not 0 */
	bool is_v6;
};

/* "127.0.0.1:9477" or "[::1]:9477". The address is what inet_pton(3) takes. 0; -EINVAL, and *ret is
 * then untouched. */
int listen_address_from_text(const char *text, struct listen_address *ret);

#endif
