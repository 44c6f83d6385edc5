/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What loading any of the BPF programs has in common.
 */
#ifndef CAPAUDITD_BPF_PROGRAM_H
#define CAPAUDITD_BPF_PROGRAM_H

#include <capauditd/diag.h>

/* Before anything is loaded: 0; -ENOTSUP or -EPERM with why not in *diag. */
int bpf_program_prepare(struct diag *diag);

/* Says in *diag why `what` does not load, as well as an error number tells. Returns it. */
int bpf_program_refused(const char *what, int error, struct diag *diag);

#endif
