/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What loading any of the BPF programs has in common: libbpf's voice, and reasons in words.
 */
#include "bpf_program.h"

#include <capauditd/macros.h>

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

int bpf_program_prepare(struct diag *diag)
{
	/* What it has to say is for programmers; why it does not work is said here. */
	(void)libbpf_set_print(NULL);
	(void)libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	if (access(KERNEL_BTF, R_OK) == 0)
		return 0;
	if (errno == ENOENT)
		(void)diag_error(diag, 0, 0,
			"this kernel does not tell its types (" KERNEL_BTF
			" is not there, CONFIG_DEBUG_INFO_BTF)");
	else
		(void)diag_error(diag, 0, 0, "cannot read " KERNEL_BTF ": %s", strerror(errno));
	return -ENOTSUP;
}

int bpf_program_refused(const char *what, int error, struct diag *diag)
{
	static const struct {
		int error;
		const char *why;
	} reasons[] = {
		{ EPERM, "not permitted: it takes CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN" },
		{ EACCES, "this kernel's verifier refuses it" },
		{ ENOSYS, "this kernel has no bpf(2)" },
		{ ESRCH, "this kernel has no such hook" },
		{ EINVAL, "this kernel does not know it, or lacks what it needs" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (error == -reasons[i].error) {
			(void)diag_error(diag, 0, 0, "cannot load %s: %s", what, reasons[i].why);
			return error;
		}
	}
	(void)diag_error(diag, 0, 0, "cannot load %s: %s", what, strerror(-error));
	return error;
}
