/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the form of an address with a port.
 */
#include <capauditd/address.h>
#include <capauditd/text.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

int listen_address_from_text(const char *text, struct listen_address *ret)
{
	struct listen_address address = { .is_v6 = text[0] == '[' };
	const char *colon = strrchr(text, ':'), *begin = text + address.is_v6;
	const char *end = colon && address.is_v6 ? colon - 1 : colon;
	char host[INET6_ADDRSTRLEN] = { 0 };
	uint64_t port;

	if (!colon || end <= begin || (size_t)(end - begin) >= sizeof(host) ||
		(address.is_v6 && *end != ']') || text_to_u64(colon + 1, 1, UINT16_MAX, &port) < 0)
		return -EINVAL;
	memcpy(host, begin, (size_t)(end - begin));
	if (inet_pton(address.is_v6 ? AF_INET6 : AF_INET, host, address.bytes) != 1)
		return -EINVAL;
	address.port = (uint16_t)port;
	*ret = address;
	return 0;
}
