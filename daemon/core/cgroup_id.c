/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Gives a cgroup text that names no container a name, the same in every pass and after a restart.
 */
#include <capauditd/cgroup.h>

#include <nettle/sha2.h>
#include <stdio.h>

#define ID_BYTES 8u

void cgroup_text_id(const char *text, size_t length, char id[static CGROUP_TEXT_ID_SIZE])
{
	uint8_t digest[ID_BYTES];
	struct sha256_ctx context;
	int n = snprintf(id, CGROUP_TEXT_ID_SIZE, "cgroup-");

	sha256_init(&context);
	sha256_update(&context, length, (const uint8_t *)text);
	sha256_digest(&context, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(id + (size_t)n + 2 * i, 3, "%02x", digest[i]);
}
