/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What loading any of the BPF programs has in common.
 */
#ifndef CAPAUDITD_BPF_PROGRAM_H
#define CAPAUDITD_BPF_PROGRAM_H

#include "bpf/functions.h"

#include <capauditd/diag.h>

#include <bpf/libbpf.h>
#include <stdint.h>

/* Where programs are attached, and what they call and name of the kernel's. */
enum bpf_point {
	BPF_POINT_TASKS, /* the iterator over tasks */
	BPF_POINT_EXEC,
	BPF_POINT_CGROUP_MADE,
	BPF_POINT_CGROUP_GONE,
	BPF_POINT_CREDENTIALS, /* commit_creds(), a function */
	BPF_POINT_NAMED,       /* the first of enum bpf_named */
	BPF_POINTS = BPF_POINT_NAMED + BPF_NAMED,
};

/* What this kernel says of its types, as far as the programs need it. */
struct bpf_kernel {
	int types; /* a descriptor, -1: none */
	char types_path[32];
	uint32_t points[BPF_POINTS]; /* 0: this kernel has none */
};

/* Before anything is loaded. 0; -errno with why not in *diag. */
int bpf_kernel_init(struct bpf_kernel *kernel, struct diag *diag);
void bpf_kernel_done(struct bpf_kernel *kernel);

/* For the opening of an object: where its types are. */
#define BPF_OPEN_OPTS(name, kernel) \
	LIBBPF_OPTS(bpf_object_open_opts, name, .btf_custom_path = (kernel)->types_path)

/* Says in *diag why `what` does not load, as well as an error number tells. Returns it. */
int bpf_program_refused(const char *what, int error, struct diag *diag);

#endif
