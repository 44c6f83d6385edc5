/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands for the bpf engine in a build without it (BPF=0).
 */
#include <capauditd/discover.h>

#include <errno.h>

int engine_bpf_new(bool lasting, struct engine **ret, struct diag *diag)
{
	(void)lasting;
	(void)ret;
	(void)diag_error(diag, 0, 0, "this build has no bpf engine");
	return -ENOTSUP;
}
