/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Linux capabilities: numbers, names, masks and the five sets of a thread.
 *
 * Numbers and meanings: capabilities(7) and the kernel's include/uapi/linux/capability.h. Names are
 * spelled as in Kubernetes, in upper case without "CAP_"; a number that has no name is "CAP_N".
 */
#ifndef CAPAUDITD_CAPABILITY_H
#define CAPAUDITD_CAPABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bit n stands for capability number n. */
typedef uint64_t capability_mask;

#define CAPABILITY_BIT(n)    (UINT64_C(1) << (n))
#define CAPABILITY_MAX	     64 /* bits in a mask; a number from outside is below it or an error */
#define CAPABILITY_NAME_SIZE 32 /* the longest name with its NUL, rounded up */

/* CAPABILITY_CHOWN = 0, and so on, for every row of the table. */
enum capability {
#define CAPABILITY(number, name, ...) CAPABILITY_##name = (number),
#include <capauditd/capability_table.h>
#undef CAPABILITY
};

enum capability_set {
	CAPABILITY_EFFECTIVE,
	CAPABILITY_PERMITTED,
	CAPABILITY_INHERITABLE,
	CAPABILITY_AMBIENT,
	CAPABILITY_BOUNDING,
	CAPABILITY_SETS,
};

/* The five sets of one thread (proc(5): CapEff, CapPrm, CapInh, CapAmb, CapBnd). */
struct capability_sets {
	capability_mask of[CAPABILITY_SETS];
};

struct capability_info {
	unsigned number;
	const char *name;	  /* "SYS_ADMIN" */
	const char *allows;	  /* one sentence: what a holder may do */
	const char *danger;	  /* one sentence: what an attacker makes of it in a container */
	capability_mask narrower; /* capabilities that cover a part of it (0: none) */
	const char *instead;	  /* what to use in its place, or NULL */
	bool takeover; /* a holder can take over the host by this alone (docs/architecture.md) */
};

/* Row `number` of the table, or NULL where the table has none. */
const struct capability_info *capability_info(unsigned number);
size_t capability_count(void);

/* The name of any number below CAPABILITY_MAX: a name of the table or "CAP_N", written to buffer.
 */
const char *capability_name(unsigned number, char buffer[static CAPABILITY_NAME_SIZE]);

/* Reads "NET_ADMIN", "CAP_NET_ADMIN" (any case) or "CAP_63". 0, or -ENOENT. */
int capability_from_name(const char *name, unsigned *ret);
/* The same without numbers, which people may write and runtimes do not know. */
int capability_from_known_name(const char *name, unsigned *ret);

/* The name that was probably meant, or NULL. */
const char *capability_nearest(const char *name);

/* Reads "0xa80425fb" or "a80425fb", at most 16 hex digits. 0, -EINVAL or -ERANGE. */
int capability_mask_from_hex(const char *text, capability_mask *ret);

/* Names in the order of their numbers, joined by `separator`; a new string, "" for 0; NULL when out
 * of memory. */
char *capability_mask_names(capability_mask mask, const char *separator);

/* "effective", "permitted", "inheritable", "ambient", "bounding". */
const char *capability_set_name(enum capability_set set);

/* Union of all five sets; of those usable now (effective, permitted, inheritable, ambient). */
capability_mask capability_sets_all(const struct capability_sets *sets);
capability_mask capability_sets_held(const struct capability_sets *sets);

/* What of `sets` is outside `mask`, set by set. */
struct capability_sets capability_sets_minus(
	const struct capability_sets *sets, capability_mask mask);
/* What of `sets` is inside `mask`, set by set. */
struct capability_sets capability_sets_and(
	const struct capability_sets *sets, capability_mask mask);
bool capability_sets_equal(const struct capability_sets *a, const struct capability_sets *b);
bool capability_sets_within(
	const struct capability_sets *part, const struct capability_sets *whole);

/* The capabilities with which a holder takes over the host, whatever its namespaces. */
capability_mask capability_takeover(void);

#endif
