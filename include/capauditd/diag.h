/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is wrong with something that a person wrote, and where.
 *
 * Functions that read a policy or arguments return -EINVAL (or another -errno) and fill one of
 * these; nobody but the command prints it. The sentence starts in lower case and has no full stop.
 */
#ifndef CAPAUDITD_DIAG_H
#define CAPAUDITD_DIAG_H

#include <stdio.h>

#define DIAG_MESSAGE_MAX 512

struct diag {
	const char *file; /* borrowed; NULL where there is none */
	unsigned line;	  /* from 1; 0: the whole file */
	unsigned column;  /* from 1; 0: the whole line */
	char message[DIAG_MESSAGE_MAX];
};

/* Fills *diag and returns -EINVAL, so that a caller can `return diag_error(...)`. NULL is fine.
 * Control characters and invalid UTF-8 in the result are escaped. */
int diag_error(struct diag *diag, unsigned line, unsigned column, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Writes "file:line:column: message" and a newline. */
void diag_print(const struct diag *diag, FILE *to);

#endif
